"""Exercises of notebook 03, backpropagation."""

import numpy as np

from course_utils.exercises import choice, do, exercise, number, prediction, repair

# ------------------------------------------------------------------------------------ first sight

p_faster = prediction(
    "03.p_faster",
    "Both find the same 2,410 slopes: 4,820 times through the network, or one sweep forward and back. How many times "
    "faster is the sweep?",
    unit="times faster",
    explain="A sweep costs as much as two or three forward passes, however many weights there are.",
    hints=["Any number is fine. How many forward passes could one sweep back be worth?"],
)

q_chain = number(
    "03.q_chain",
    "u = x · x and L = 5 · u. At x = 3: what is the slope of L with respect to x?",
    answer=30,
    wrong={
        11: "You add the two slopes. Along a chain they are multiplied.",
        45: "That is L itself. How fast does it change when x moves?",
        6: "That is the slope of the first step. The second one stretches it again.",
        5: "That is the slope of the second step. What does the first one do?",
        15: "The slope of x · x is not x: what is the derivative of a square?",
        10: "The slope of the first step depends on where you are: x is 3.",
    },
    explain="The first step has the slope 2x = 6, the second one 5: 6 times 5.",
    hints=["What is the slope of the first step at x = 3? And of the second? Then one product."],
)

# -------------------------------------------------------------------------------- the chain rule


@exercise(
    "03.node_gradient",
    cases=[
        (np.array([5.0]), np.array([3.0])),
        (np.array([2.0, -1.0]), np.array([0.5, 4.0])),
        (np.array([1.0, 0.5, 3.0]), np.array([2.0, 7.0, -0.5])),
    ],
    hints=[
        "One product for each path, and then the sum of the products.",
        "Two arrays of equal length are multiplied entry by entry with one sign. NumPy has a function for the sum.",
    ],
)
def node_gradient(upstream, local):
    """Gradient of a node: upstream (k,) of the nodes it feeds, local slopes (k,)."""
    return np.sum(upstream * local)


@node_gradient.mistake("You add up before you multiply: each path has its own product.")
def product_of_sums(upstream, local):
    return np.sum(upstream) * np.sum(local)


@node_gradient.mistake("Only the last path counts in yours. The loss feels the node through all of them.")
def last_path(upstream, local):
    return upstream[-1] * local[-1]


@node_gradient.mistake("Only the first path counts in yours. Does your loop end too early?")
def first_path(upstream, local):
    return upstream[0] * local[0]


@node_gradient.mistake("The shares of different paths are added, not averaged.")
def averaged(upstream, local):
    return np.mean(upstream * local)


@node_gradient.mistake("Within a path the slopes are multiplied; yours are added.")
def slopes_added(upstream, local):
    return np.sum(upstream + local)


@node_gradient.mistake("That is one number for each path. The node has one gradient.")
def not_summed(upstream, local):
    return upstream * local


@node_gradient.mistake("The shares of different paths are added; yours are multiplied.")
def multiplied(upstream, local):
    return np.prod(upstream * local)


@node_gradient.mistake("You use the local slopes only. How much does the loss react to the nodes behind them?")
def without_upstream(upstream, local):
    return np.sum(local)


@node_gradient.mistake("You divide. Within a path, slopes are multiplied.")
def divided(upstream, local):
    return np.sum(upstream / local)


@node_gradient.right
def as_a_loop(upstream, local):
    total = 0.0
    for u, slope in zip(upstream, local, strict=True):
        total += u * slope
    return total


q_paths = choice(
    "03.q_paths",
    "Over what does the sum in the chain rule run, for a node v?",
    right="over the nodes that v feeds directly",
    wrong={
        "over all nodes that come after v": (
            "Then some paths are counted twice: in the small graph, the one from w through a to b."
        ),
        "over the nodes from which v was computed": (
            "That is the way of the values, forward. Gradients go the other way."
        ),
        "over all weights of the network": "Weights do not feed each other. Follow the arrows that leave v.",
    },
    explain="Every way from v to the loss leaves through one of the nodes that v feeds directly: each is counted once.",
    hints=["Through which nodes does a change of v reach the loss?"],
)

q_gates = choice(
    "03.q_gates",
    "L = max(p, q) · r with p = 4, q = 2, r = 3. Which gradients do p, q and r get?",
    right="3, 0 and 4",
    wrong={
        "3, 3 and 4": "A max does not share: only the larger input can move the result.",
        "0, 3 and 4": "The max sends everything to one input. Which one is the larger?",
        "4, 0 and 3": "A product swaps: each side gets the other side's value.",
        "1, 0 and 1": "Those are the slopes of the max and of a sum. What does the product do?",
    },
    explain="The product gives r the value of the max, 4, and the max the value of r, 3; the max sends it to p alone.",
    hints=["Begin at L: the product swaps its two inputs. Then ask which input of the max was the larger one."],
)

# ---------------------------------------------------------------------- operators of the machine


@exercise(
    "03.multiply",
    cases=[(3.0, 2.0), (-1.5, 4.0), (0.0, 5.0)],
    hints=[
        "Three numbers, with commas between them: the product, the slope for p, the slope for q.",
        "If p grows by 1, by how much does p times q grow? A product swaps.",
    ],
)
def multiply(p, q):
    """The product of two numbers, its local slope for p, its local slope for q."""
    return p * q, q, p


@multiply.mistake("Look at the slopes: by how much does the product grow when p grows by 1 and q stays?")
def not_swapped(p, q):
    return p * q, p, q


@multiply.mistake("Slopes of 1 belong to a sum. A product reacts more, the larger the other factor is.")
def slopes_of_a_sum(p, q):
    return p * q, 1.0, 1.0


@multiply.mistake("The result is the product of the two numbers; yours is their sum.")
def summed_up(p, q):
    return p + q, q, p


@multiply.mistake("Both slopes are the product itself in yours. Move p by 1 and see how far the product moves.")
def product_thrice(p, q):
    return p * q, p * q, p * q


@multiply.right
def in_three_lines(p, q):
    result = p * q
    slope_p, slope_q = q, p
    return [result, slope_p, slope_q]


@exercise(
    "03.tanh",
    cases=[(0.5,), (-2.0,), (0.0,)],
    hints=["NumPy has the function itself, under the same name.", "The slope needs the result, squared."],
)
def tanh(p):
    """The hyperbolic tangent of a number, and its local slope."""
    result = np.tanh(p)
    return result, 1 - result**2


@tanh.mistake("The slope is 1 minus the square of the result; in yours the square is missing.")
def no_square(p):
    return np.tanh(p), 1 - np.tanh(p)


@tanh.mistake("The square in the slope is that of the result, not of p.")
def square_of_p(p):
    return np.tanh(p), 1 - p**2


@tanh.mistake("The curve is steepest at 0. What is your slope there?")
def only_the_square(p):
    return np.tanh(p), np.tanh(p) ** 2


@tanh.mistake("First the square, then the difference: yours takes the difference first.")
def difference_first(p):
    return np.tanh(p), (1 - np.tanh(p)) ** 2


@tanh.mistake("The result and the slope have changed places.")
def slope_first(p):
    return 1 - np.tanh(p) ** 2, np.tanh(p)


@tanh.right
def by_cosh(p):
    return np.tanh(p), 1 / np.cosh(p) ** 2


@exercise(
    "03.shares",
    cases=[(12.0, (2.0, 3.0)), (1.0, (1.0, 1.0)), (-2.0, (0.5,)), (3.0, ())],
    hints=[
        "The chain rule for one arrow: the gradient of the node times the local slope.",
        "A list with one product for each slope. A loop, or a list in one line.",
    ],
)
def shares(grad, slopes):
    """What a node hands back to its parents: a list, one number for each slope."""
    return [slope * grad for slope in slopes]


@shares.mistake("Those are the local slopes alone. How much does the loss react to this node?")
def slopes_alone(grad, slopes):
    return list(slopes)


@shares.mistake("Every parent gets the whole gradient in yours. That is right for a sum only.")
def whole_gradient(grad, slopes):
    return [grad for slope in slopes]


@shares.mistake("Along an arrow, gradient and slope are multiplied; yours are added.")
def added(grad, slopes):
    return [grad + slope for slope in slopes]


@shares.mistake("You add the shares up. They go to different parents: return them one by one, in a list.")
def added_up(grad, slopes):
    return sum(slope * grad for slope in slopes)


@shares.mistake("You divide. Along an arrow, gradient and slope are multiplied.")
def quotient(grad, slopes):
    return [grad / slope for slope in slopes]


@shares.right
def as_an_array(grad, slopes):
    return grad * np.array(slopes)


class _Node:
    """What the lesson's ``Value`` is to the loop that goes back through a graph.

    Two nodes are equal if they are the same place of the graph: a gradient that is written into one is its result.
    """

    def __init__(self, name, parents=(), slopes=()):
        self.name, self.parents, self.slopes, self.grad = name, parents, slopes, 7.0

    def __eq__(self, other):
        return isinstance(other, _Node) and self.name == other.name

    __hash__ = None

    def hand_back(self):
        return [slope * self.grad for slope in self.slopes]


def _small_graph():
    """Loss first: the graph of the lesson, w = 3 and x = 2."""
    w, x = _Node("w"), _Node("x")
    a = _Node("a", (w, x), (2.0, 3.0))
    b = _Node("b", (a, w), (1.0, 1.0))
    return [_Node("L", (a, b), (9.0, 6.0)), b, a, w, x]


def _square():
    """p times p."""
    p = _Node("p")
    return [_Node("p · p", (p, p), (3.0, 3.0)), p]


def _chain():
    """Three steps, each node used once."""
    x = _Node("x")
    u = _Node("u", (x,), (3.0,))
    return [_Node("L", (u,), (6.0,)), u, x]


def overwrites(nodes):
    """Fill in all gradients; nodes has the loss first, each node before its parents."""
    for node in nodes:
        node.grad = 0.0
    nodes[0].grad = 1.0
    for node in nodes:
        for i, share in enumerate(node.hand_back()):
            node.parents[i].grad = share
    return [node.grad for node in nodes]


@repair(
    "03.sweep",
    broken=overwrites,
    cases=[(_chain(),), (_small_graph(),), (_square(),)],
    hints=[
        "The chain is right, the small graph is wrong. Which node has two children there, and which share survives?",
        "A parent that already has a share gets another one. What happens to the first, in the line that writes it?",
    ],
)
def sweep(nodes):
    """Fill in all gradients; nodes has the loss first, each node before its parents."""
    for node in nodes:
        node.grad = 0.0
    nodes[0].grad = 1.0
    for node in nodes:
        for i, share in enumerate(node.hand_back()):
            node.parents[i].grad += share
    return [node.grad for node in nodes]


@sweep.mistake("You walk from the inputs to the loss. Which gradient is known first?")
def from_the_inputs(nodes):
    for node in nodes:
        node.grad = 0.0
    nodes[0].grad = 1.0
    for node in reversed(nodes):
        for parent, share in zip(node.parents, node.hand_back(), strict=True):
            parent.grad += share
    return [node.grad for node in nodes]


@sweep.mistake("You add, but to old numbers: what was in the gradients before the walk began?")
def never_zero(nodes):
    nodes[0].grad = 1.0
    for node in nodes:
        for parent, share in zip(node.parents, node.hand_back(), strict=True):
            parent.grad += share
    return [node.grad for node in nodes]


@sweep.mistake("You add the gradient of the child to the share. What should be kept is what the parent already has.")
def adds_the_child(nodes):
    for node in nodes:
        node.grad = 0.0
    nodes[0].grad = 1.0
    for node in nodes:
        for parent, share in zip(node.parents, node.hand_back(), strict=True):
            parent.grad = node.grad + share
    return [node.grad for node in nodes]


@sweep.mistake("Shares are added; yours are multiplied, and the gradients begin at zero.")
def multiplies(nodes):
    for node in nodes:
        node.grad = 0.0
    nodes[0].grad = 1.0
    for node in nodes:
        for parent, share in zip(node.parents, node.hand_back(), strict=True):
            parent.grad *= share
    return [node.grad for node in nodes]


@sweep.right
def written_out(nodes):
    for node in nodes:
        node.grad = 0.0
    nodes[0].grad = 1.0
    for node in nodes:
        for parent, share in zip(node.parents, node.hand_back(), strict=True):
            parent.grad = parent.grad + share
    return [node.grad for node in nodes]


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


@central_difference.mistake("You divide by 2 and then multiply by h: the whole distance 2h stands under the line.")
def without_parentheses(f, x, h):
    return (f(x + h) - f(x - h)) / 2 * h


@central_difference.mistake("Only the second value is divided in yours: put the difference in parentheses.")
def second_value_divided(f, x, h):
    return f(x + h) - f(x - h) / (2 * h)


@central_difference.mistake("You divide by h squared. How far apart are the two places?")
def by_the_square(f, x, h):
    return (f(x + h) - f(x - h)) / h**2


@central_difference.mistake("You add the two values. A slope comes from their difference.")
def sum_of_both(f, x, h):
    return (f(x + h) + f(x - h)) / (2 * h)


@central_difference.mistake("Your steps are only half as long as h, and you divide by 2h.")
def half_steps(f, x, h):
    return (f(x + h / 2) - f(x - h / 2)) / (2 * h)


@central_difference.right
def mean_of_both_sides(f, x, h):
    right, left = (f(x + h) - f(x)) / h, (f(x) - f(x - h)) / h
    return (right + left) / 2


# ---------------------------------------------------------------------- gradient of the last layer

q_push = number(
    "03.q_push",
    "The scores are 2, 1, 0 and the probabilities 0.665, 0.245, 0.090. The first class is the true one. What is the "
    "slope of the loss with respect to the first score?",
    answer=-0.335,
    tolerance=0.02,
    wrong={
        0.665: "That is the probability. At the true class, 1 is taken away.",
        0.335: "The size is right. If the true score grows, does the loss grow?",
        0.408: "That is the loss, the surprise. Its slope is asked for: probability minus truth.",
        -0.755: "That is for the second class as the true one. Here it is the first.",
    },
    explain="0.665 - 1 = -0.335: a larger true score lowers the loss.",
    hints=["Probability minus truth; the truth is 1 for the true class and 0 for the others."],
)

_PROBABILITIES = np.array([[0.7, 0.1, 0.2], [0.25, 0.25, 0.5], [0.0, 0.9, 0.1], [0.4, 0.3, 0.3]])


@exercise(
    "03.softmax_gradient",
    cases=[
        (np.array([[0.5, 0.5]]), np.array([1])),
        (_PROBABILITIES, np.array([0, 2, 2, 1])),
        (_PROBABILITIES[:2], np.array([1, 0])),
    ],
    hints=[
        "Work on a copy of p. A loop over the rows is fine: for i, label in enumerate(labels).",
        "Take 1 away from each row at the place of its true class, and divide everything by the number of rows.",
    ],
)
def softmax_gradient(p, labels):
    """Gradient (n, classes) for the scores: p (n, classes), labels (n,)."""
    gradient = p.copy()
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient / len(labels)


@softmax_gradient.mistake("Those are the probabilities. Where does your gradient learn which class is the true one?")
def without_labels(p, labels):
    return p / len(labels)


@softmax_gradient.mistake("The loss is a mean over the rows. Yours is a sum.")
def summed(p, labels):
    return p - np.eye(p.shape[1])[labels]


@softmax_gradient.mistake("Your gradient points the other way: a score that is too high must come down.")
def wrong_way(p, labels):
    return (np.eye(p.shape[1])[labels] - p) / len(labels)


@softmax_gradient.mistake("You divide by the number of classes. The mean is over the rows.")
def by_classes(p, labels):
    return (p - np.eye(p.shape[1])[labels]) / p.shape[1]


@softmax_gradient.mistake("You subtract the label itself, such as 2. The truth is a 1 at the place of the label.")
def label_as_a_number(p, labels):
    return (p - labels.reshape(-1, 1)) / len(labels)


@softmax_gradient.mistake("You take 1 away everywhere. Only the true class of each row loses it.")
def everywhere(p, labels):
    return (p - 1) / len(labels)


@softmax_gradient.mistake("You take 1 away from whole columns. Each row has its own true class.")
def whole_columns(p, labels):
    gradient = p.copy()
    gradient[:, labels] -= 1
    return gradient / len(labels)


@softmax_gradient.mistake("Only the true class has a gradient in yours. The other scores must come down, too.")
def true_class_only(p, labels):
    truth = np.eye(p.shape[1])[labels]
    return (p - 1) * truth / len(labels)


@softmax_gradient.right
def row_by_row(p, labels):
    gradient = p.copy()
    for i, label in enumerate(labels):
        gradient[i, label] -= 1
    return gradient / len(p)


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
    """Gradients (dx, dw, db) of x @ w + b: x (n, in), w (in, out), d_out (n, out)."""
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


@dense_backward.mistake("The gradient of the bias is one number in yours. Each output has a bias of its own.")
def one_bias(x, w, d_out):
    return d_out @ w.T, x.T @ d_out, d_out.sum()


@dense_backward.mistake("You add up along the rows. The bias is shared by the rows, so the sum goes down the columns.")
def bias_along_rows(x, w, d_out):
    return d_out @ w.T, x.T @ d_out, d_out.sum(axis=1)


@dense_backward.mistake("The gradient of the weights is transposed: it must have the shape of w, (in, out).")
def weights_transposed(x, w, d_out):
    return d_out @ w.T, d_out.T @ x, d_out.sum(axis=0)


@dense_backward.mistake("Three right gradients in another order: first the input, then the weights, then the bias.")
def input_last(x, w, d_out):
    return x.T @ d_out, d_out.sum(axis=0), d_out @ w.T


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
    """Gradient for z, of any shape, of max(0, z); d_out, as large, comes from above."""
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


@relu_backward.mistake("At exactly 0 yours lets the gradient through. There the output is 0 and stops it.")
def zero_passes(d_out, z):
    return d_out * (z >= 0)


@relu_backward.mistake("That is the forward pass. What comes from above is missing.")
def forward_again(d_out, z):
    return np.where(z > 0, z, 0.0)


@relu_backward.mistake("The sign of the gradient decides in yours, and z comes out. It is the other way round.")
def exchanged(d_out, z):
    return np.where(d_out > 0, z, 0.0)


@relu_backward.right
def by_where(d_out, z):
    return np.where(z > 0, d_out, 0.0)


# ------------------------------------------------------------------------------------------ train


def _read_right(weights):
    """Share of the last quarter of the digits that four weights read right; a sentence if they cannot be used."""
    from course_utils import data

    parts = [np.asarray(part, dtype=float) for part in weights]
    if len(parts) != 4:
        return f"Four arrays are asked for: W1, b1, W2, b2. These are {len(parts)}."
    w1, b1, w2, b2 = parts
    if w1.shape[:1] != (64,) or w2.shape[-1:] != (10,) or [b1.shape, b2.shape] != [w1.shape[1:], w2.shape[1:]]:
        return f"The shapes do not fit: {', '.join(str(part.shape) for part in parts)}."
    if not all(np.isfinite(part).all() for part in parts):
        return "Some weights are not finite: the steps were too large. Take a smaller learning rate."
    digits = data.digits()
    scores = np.maximum(digits.x[digits.in_test] / 16 @ w1 + b1, 0) @ w2 + b2
    share = float(np.mean(scores.argmax(axis=1) == digits.y[digits.in_test]))
    return share if share > 0.3 else "These weights read little better than guessing: nothing is learned yet."


@do(
    "03.trained",
    starter="trained = ...  # replace the dots with weights that you have trained",
    judge=_read_right,
    at_least=0.9,
    what="of the digits of the held-out quarter are read right",
    hints=[
        "Begin with trained = initial_weights(HIDDEN, SEED), and put the loop over the epochs below it.",
        "Thirty epochs with a learning rate of 0.1 are usually enough; two are not.",
    ],
)
def trained():
    """Weights that read at least nine in ten digits of the held-out quarter."""
    from course_utils import data

    digits = data.digits()
    x, y = digits.x[~digits.in_test] / 16, digits.y[~digits.in_test]
    random = np.random.default_rng(0)
    trained = [random.normal(0, 0.18, (64, 128)), np.zeros(128), random.normal(0, 0.12, (128, 10)), np.zeros(10)]
    for _ in range(30):
        order = random.permutation(len(y))
        for begin in range(0, len(order), 32):
            rows = order[begin : begin + 32]
            w1, b1, w2, b2 = trained
            a = np.maximum(x[rows] @ w1 + b1, 0)
            p = np.exp(a @ w2 + b2)
            d = (p / p.sum(axis=1, keepdims=True) - np.eye(10)[y[rows]]) / len(rows)
            d_a = d @ w2.T * (a > 0)
            gradients = [x[rows].T @ d_a, d_a.sum(axis=0), a.T @ d, d.sum(axis=0)]
            for weight, gradient in zip(trained, gradients, strict=True):
                weight -= 0.1 * gradient
    return trained


@trained.mistake("These weights read little better than guessing: nothing is learned yet.")
def untrained():
    random = np.random.default_rng(1)
    return [random.normal(0, 0.18, (64, 128)), np.zeros(128), random.normal(0, 0.12, (128, 10)), np.zeros(10)]


@trained.mistake("Some weights are not finite: the steps were too large. Take a smaller learning rate.")
def exploded():
    return [np.full((64, 8), np.nan), np.zeros(8), np.zeros((8, 10)), np.zeros(10)]


@trained.mistake("Four arrays are asked for: W1, b1, W2, b2. These are 2.")
def without_biases():
    return [np.zeros((64, 8)), np.zeros((8, 10))]


# -------------------------------------------------------------------------------------- questions

p_deep = prediction(
    "03.p_deep",
    "The sigmoid network has eight hidden layers, first weights with variance 1/n, and the learning rate that suits it "
    "best. How many of 100 new digits does it read right after 15 epochs?",
    unit="of 100",
    explain="Guessing gives 10. Now look at the other networks in the table.",
    hints=["Any number from 0 to 100. How much of the gradient arrives at the first layer?"],
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
    "The sigmoid is nowhere steeper than 1/4. At most what part of a gradient is left behind ten sigmoids in a row "
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
