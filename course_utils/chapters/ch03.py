"""Exercises of notebook 03, backpropagation."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# -------------------------------------------------------------------------------- the chain rule


@exercise(
    "03.node_gradient",
    cases=[
        (np.array([5.0]), np.array([3.0])),
        (np.array([2.0, -1.0]), np.array([0.5, 4.0])),
        (np.array([1.0, 0.0, 3.0]), np.array([2.0, 7.0, -0.5])),
        (np.array([]), np.array([])),
    ],
    hints=["One product for each node that it feeds, and then the sum of the products."],
)
def node_gradient(upstream, local):
    """Gradient of a node: upstream (k,) are those of the nodes that it feeds, local (k,) their slopes."""
    return np.sum(upstream * local)


@node_gradient.mistake("You add up before you multiply: each path has its own product.")
def product_of_sums(upstream, local):
    return np.sum(upstream) * np.sum(local)


@node_gradient.mistake("Only one of the paths counts in yours. The loss feels the node through all of them.")
def last_path(upstream, local):
    return upstream[-1] * local[-1] if len(local) else 0.0


@node_gradient.mistake("Gradients along different paths are added, not averaged.")
def averaged(upstream, local):
    return np.mean(upstream * local) if len(local) else 0.0


@node_gradient.mistake("Within a path the slopes are multiplied; yours are added.")
def slopes_added(upstream, local):
    return np.sum(upstream + local)


@node_gradient.mistake("That is one number for each path. The node has one gradient.")
def not_summed(upstream, local):
    return upstream * local


@node_gradient.right
def as_a_scalar_product(upstream, local):
    return upstream @ local


# ------------------------------------------------------------------------------- gradient check


def cube(x):
    """x to the third."""
    return x**3


def wave(x):
    """A sine, shifted."""
    return np.sin(2 * x) + x


@exercise(
    "03.central_difference",
    cases=[(cube, 2.0, 0.5), (wave, 0.3, 0.1), (cube, -1.0, 0.25)],
    hints=["Two values of f, one step h to each side of x.", "How far apart are the two places?"],
)
def central_difference(f, x, h):
    """Slope of f at x, from its values one step h to either side."""
    return (f(x + h) - f(x - h)) / (2 * h)


@central_difference.mistake("You look to one side only: the error is then of the order of h instead of its square.")
def forward(f, x, h):
    return (f(x + h) - f(x)) / h


@central_difference.mistake("Twice too large: how far apart are the two places where you evaluate f?")
def divided_by_h(f, x, h):
    return (f(x + h) - f(x - h)) / h


@central_difference.mistake("The sign is turned around: which of the two values comes first?")
def turned(f, x, h):
    return (f(x - h) - f(x + h)) / (2 * h)


@central_difference.mistake("That is how much f changes. A slope is the change for each unit of x.")
def not_divided(f, x, h):
    return f(x + h) - f(x - h)


@central_difference.mistake("You look to the left only: take a step to either side.")
def backward(f, x, h):
    return (f(x) - f(x - h)) / h


@central_difference.right
def mean_of_both_sides(f, x, h):
    right, left = (f(x + h) - f(x)) / h, (f(x) - f(x - h)) / h
    return (right + left) / 2


# ---------------------------------------------------------------------- gradient of the last layer

_LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 0.0, 1.0], [-1.0, 3.0, 0.2], [0.3, 0.1, 0.0]])


@exercise(
    "03.softmax_gradient",
    cases=[
        (np.array([[0.0, 0.0]]), np.array([1])),
        (_LOGITS, np.array([0, 2, 2, 1])),
        (_LOGITS[:2], np.array([1, 0])),
        (np.array([[1000.0, 0.0], [0.0, -1000.0]]), np.array([1, 0])),
        (np.array([[3000.0, 0.0, 0.0]]), np.array([0])),
    ],
    hints=[
        "First the probabilities, row by row: subtract each row's largest logit before the exponential.",
        "Then take 1 away from each row at the place of its true class, and divide everything by the number of rows.",
    ],
)
def softmax_gradient(logits, labels):
    """Gradient (n, classes) of the mean cross-entropy: logits (n, classes), true classes labels (n,)."""
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    gradient = weights / weights.sum(axis=1, keepdims=True)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient / len(labels)


def _probabilities(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@softmax_gradient.mistake("Those are the probabilities. Where does your gradient learn which class is the true one?")
def without_labels(logits, labels):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) / len(labels)


@softmax_gradient.mistake("The loss is a mean over the rows. Yours is a sum.")
def summed(logits, labels):
    return _probabilities(logits) - np.eye(logits.shape[1])[labels]


@softmax_gradient.mistake("Your gradient points the other way: a logit that is too high must come down.")
def wrong_way(logits, labels):
    return (np.eye(logits.shape[1])[labels] - _probabilities(logits)) / len(labels)


@softmax_gradient.mistake("Right for small logits. For 1000 the exponential is infinite: what can you subtract first?")
def overflowing(logits, labels):
    weights = np.exp(logits)
    return (weights / weights.sum(axis=1, keepdims=True) - np.eye(logits.shape[1])[labels]) / len(labels)


@softmax_gradient.mistake("Your probabilities do not add up to 1 in each row: along which axis do you sum?")
def wrong_axis(logits, labels):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (weights / weights.sum(axis=0) - np.eye(logits.shape[1])[labels]) / len(labels)


@softmax_gradient.mistake("You divide by the number of classes. The mean is over the rows.")
def by_classes(logits, labels):
    return (_probabilities(logits) - np.eye(logits.shape[1])[labels]) / logits.shape[1]


@softmax_gradient.right
def by_scipy(logits, labels):
    from scipy.special import softmax

    return (softmax(logits, axis=1) - np.eye(logits.shape[1])[labels]) / len(logits)


# ---------------------------------------------------------------------------------- dense layer

_ROWS = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]])
_WEIGHTS = np.array([[0.2, -0.4, 1.0], [1.5, 0.3, -0.7]])
_ABOVE = np.array([[1.0, 0.0, -1.0], [0.5, 2.0, 0.1], [-0.3, 0.7, 0.2]])


@exercise(
    "03.dense_backward",
    cases=[(_ROWS[:1], _WEIGHTS[:, :1], _ABOVE[:1, :1]), (_ROWS, _WEIGHTS, _ABOVE), (_ROWS[:2], _WEIGHTS, _ABOVE[1:])],
    hints=[
        "Let the shapes guide you: each gradient has the shape of what it belongs to.",
        "Only one product of d_out (n, out) and x (n, in) has the shape of w (in, out): transpose the right one.",
        "The bias is added to every row, so its gradient adds up the rows of d_out.",
    ],
)
def dense_backward(x, w, d_out):
    """Gradients (dx, dw, db) of a layer x @ w + b: x (n, in), w (in, out), d_out (n, out) from above."""
    return d_out @ w.T, x.T @ d_out, d_out.sum(axis=0)


@dense_backward.mistake("The bias serves all rows, so its gradient is a sum over them. Yours is a mean.")
def bias_averaged(x, w, d_out):
    return d_out @ w.T, x.T @ d_out, d_out.mean(axis=0)


@dense_backward.mistake("The gradient of the bias has to have the bias's shape (out,): over which axis do you sum?")
def bias_not_summed(x, w, d_out):
    return d_out @ w.T, x.T @ d_out, d_out


@dense_backward.mistake(
    "You divide the gradient of the weights by the rows. The mean is already in what comes from above."
)
def averaged_again(x, w, d_out):
    return d_out @ w.T, x.T @ d_out / len(x), d_out.sum(axis=0)


@dense_backward.mistake("Three right gradients in another order: the one of the input comes first.")
def weights_first(x, w, d_out):
    return x.T @ d_out, d_out @ w.T, d_out.sum(axis=0)


@dense_backward.mistake(
    "The gradient of the weights does not depend on the input in yours. What does each weight multiply?"
)
def without_input(x, w, d_out):
    return d_out @ w.T, np.ones_like(x).T @ d_out, d_out.sum(axis=0)


@dense_backward.right
def by_einsum(x, w, d_out):
    return np.einsum("no,io->ni", d_out, w), np.einsum("ni,no->io", x, d_out), np.ones(len(x)) @ d_out


# ----------------------------------------------------------------------------------------- ReLU


@exercise(
    "03.relu_backward",
    cases=[
        (np.array([[1.0, -2.0, 3.0]]), np.array([[0.5, -1.0, -0.1]])),
        (np.array([[2.0, 0.3], [-1.0, 4.0]]), np.array([[-3.0, 2.0], [0.7, 0.0]])),
    ],
    hints=["Where z was positive, the gradient passes as it is. Where it was not, nothing passes."],
)
def relu_backward(d_out, z):
    """Gradient with respect to z, of any shape, of max(0, z): d_out, of the same shape, comes from above."""
    return d_out * (z > 0)


@relu_backward.mistake("You apply ReLU to the gradient. What decides is the sign of z, not that of the gradient.")
def relu_of_the_gradient(d_out, z):
    return np.maximum(d_out, 0)


@relu_backward.mistake("The slope of ReLU is 0 or 1. You multiply with the value itself.")
def times_the_value(d_out, z):
    return d_out * np.maximum(z, 0)


@relu_backward.mistake("You let the wrong ones through: where z is negative, the output does not move.")
def inverted(d_out, z):
    return d_out * (z < 0)


@relu_backward.mistake("That is the slope. It still has to be multiplied with what comes from above.")
def only_the_slope(d_out, z):
    return (z > 0) * 1.0


@relu_backward.mistake("The gradient passes unchanged in yours, as if there were no ReLU.")
def passes_all(d_out, z):
    return d_out + 0.0


@relu_backward.right
def by_where(d_out, z):
    return np.where(z > 0, d_out, 0.0)


# -------------------------------------------------------------------------------------- questions

q_formula = choice(
    "03.q_formula",
    "Over what does the sum in the chain rule run, for a node v?",
    right="over the nodes that v feeds directly",
    wrong={
        "over all weights of the network": "Weights do not depend on each other: such a sum has nothing to add.",
        "over all nodes that come after v": "Then longer paths are counted more than once: look at the second reading.",
        "over the nodes from which v was computed": (
            "That is the way of the values, forward. Gradients go the other way."
        ),
    },
    explain="Every way from v to the loss leaves through one of the nodes that v feeds directly: each is counted once.",
    hints=["Through which nodes does a change of v reach the loss?"],
)

q_cost = choice(
    "03.q_cost",
    "A model has a million weights. What does one backward pass give you, and for how much?",
    right="all million slopes, for about the price of two forward passes",
    wrong={
        "one slope, for the price of one forward pass": "That is closer to what numerical differences give.",
        "all million slopes, for the price of a million forward passes": (
            "Numerical differences cost that. The backward pass visits each node once."
        ),
        "the slope of the loss with respect to the input only": (
            "It passes every weight on its way. What does it leave there?"
        ),
    },
    explain="Each node is visited once, with about two products where the forward pass had one.",
    hints=["Backpropagation visits every node once, and computes all slopes on the way."],
)

q_h = choice(
    "03.q_h",
    "Why does the error of a numerical slope grow again when h becomes very small?",
    right="two nearly equal numbers are subtracted, and rounding is divided by h",
    wrong={
        "the derivative is defined only for large h": (
            "It is the limit for h towards 0. What cannot follow is the computer."
        ),
        "the computer refuses numbers below 1e-8": "It handles numbers down to 1e-308. Look at the difference instead.",
        "the function is no longer smooth at that scale": "The function is. Its rounded values are not.",
    },
    explain="Each value is known to about 16 digits; the smaller h, the fewer of them survive the subtraction.",
    hints=["What is left of two numbers that agree in nearly all digits, after the subtraction?"],
)

q_sigmoid = number(
    "03.q_sigmoid",
    "The sigmoid is nowhere steeper than 1/4. By what factor do ten sigmoids in a row shrink a gradient at least "
    "(weights of 1)?",
    answer=0.25**10,
    wrong={
        2.5: "You add the ten slopes. Along a path they are multiplied.",
        0.025: "You divide by ten. Ten layers multiply ten slopes.",
        0.25: "That is one layer.",
    },
    also=(4**10,),
    tolerance=0.06,
    explain="A quarter to the tenth power is about one in a million: the gradient shrinks by 4 to the tenth.",
    hints=["Along a path slopes are multiplied: ten factors, each at most 1/4."],
)
