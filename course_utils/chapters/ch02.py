"""Exercises of notebook 02, gradient descent."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# ---------------------------------------------------------------------------------- the gradient

_X = np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]])


@exercise(
    "02.mse_gradient",
    cases=[
        (np.array([[1.0], [2.0]]), np.array([1.0, 3.0]), np.array([0.0])),
        (_X, np.array([1.0, 0.0, -2.0]), np.array([0.5, -0.25])),
        (np.vstack([_X, -2 * _X]), np.arange(6.0), np.array([2.0, 1.0])),
    ],
    hints=[
        "Name the residuals first: how far each prediction is off.",
        "Each column of X, multiplied with the residuals and averaged, gives one entry of the gradient.",
    ],
)
def mse_gradient(X, y, w):
    """Gradient (features,) of the half mean squared error: X (n, features), y (n,), weights w (features,)."""
    return X.T @ (X @ w - y) / len(y)


@mse_gradient.mistake("The direction is turned around: prediction minus target, or target minus prediction?")
def turned(X, y, w):
    return X.T @ (y - X @ w) / len(y)


@mse_gradient.mistake("That is the gradient of the sum. The loss is a mean: what is missing?")
def of_the_sum(X, y, w):
    return X.T @ (X @ w - y)


@mse_gradient.mistake("Twice too large: the half in front of the loss cancels the 2 of the square.")
def twice(X, y, w):
    return 2 * X.T @ (X @ w - y) / len(y)


@mse_gradient.mistake("You leave out the targets: the gradient has to know where the predictions should be.")
def without_targets(X, y, w):
    return X.T @ (X @ w) / len(y)


@mse_gradient.mistake("You divide by the number of weights. The mean is over the examples.")
def by_features(X, y, w):
    return X.T @ (X @ w - y) / len(w)


@mse_gradient.right
def by_means(X, y, w):
    residual = X @ w - y
    return np.mean(residual[:, None] * X, axis=0)


# --------------------------------------------------------------------------------------- one step


@exercise(
    "02.gradient_step",
    cases=[
        (np.array([1.0, -2.0]), np.array([0.5, 4.0]), 0.1),
        (np.array([3.0]), np.array([-1.0]), 2.0),
        (np.array([0.2, 0.3, 0.4]), np.array([3.0, -1.0, 2.0]), 0.5),
    ],
    hints=["The formula above, with theta, gradient and learning_rate in it."],
)
def gradient_step(theta, gradient, learning_rate):
    """The parameters after one step: theta and gradient have the shape (d,)."""
    return theta - learning_rate * gradient


@gradient_step.mistake("You walk uphill: the gradient points to where the loss grows.")
def uphill(theta, gradient, learning_rate):
    return theta + learning_rate * gradient


@gradient_step.mistake("The learning rate has no effect in your step.")
def no_rate(theta, gradient, learning_rate):
    return theta - gradient


@gradient_step.mistake("That is how far to move. Where do you start from?")
def only_the_change(theta, gradient, learning_rate):
    return -learning_rate * gradient


@gradient_step.mistake("You use only the signs: a steep slope should move the parameters further than a gentle one.")
def signs(theta, gradient, learning_rate):
    return theta - learning_rate * np.sign(gradient)


@gradient_step.right
def entry_by_entry(theta, gradient, learning_rate):
    return [t - learning_rate * g for t, g in zip(theta, gradient, strict=True)]


# ------------------------------------------------------------------------- the largest stable step


@exercise(
    "02.largest_rate",
    cases=[
        (np.diag([1.0, 4.0]),),
        (np.array([[2.0, 1.0], [1.0, 2.0]]),),
        (np.array([[5.0, 2.0, 0.0], [2.0, 3.0, 1.0], [0.0, 1.0, 0.5]]),),
    ],
    hints=[
        "The direction that is bent most sets the limit. Its bend is the largest eigenvalue.",
        "NumPy's linalg has eigvalsh for symmetric matrices; it returns the eigenvalues in rising order.",
    ],
)
def largest_rate(hessian):
    """Learning rate at which gradient descent on a quadratic stops being stable; hessian (d, d), symmetric."""
    return 2 / np.linalg.eigvalsh(hessian)[-1]


@largest_rate.mistake("Which direction becomes unstable first: the one that is bent most, or the flattest?")
def of_the_smallest(hessian):
    return 2 / np.linalg.eigvalsh(hessian)[0]


@largest_rate.mistake("That is half the limit: the error changes its sign there, and still shrinks.")
def one_over(hessian):
    return 1 / np.linalg.eigvalsh(hessian)[-1]


@largest_rate.mistake("The diagonal alone does not tell how much the bowl is bent in a slanting direction.")
def of_the_diagonal(hessian):
    return 2 / np.max(np.diag(hessian))


@largest_rate.mistake("The trace adds up all eigenvalues. Only the largest counts.")
def of_the_trace(hessian):
    return 2 / np.trace(hessian)


@largest_rate.mistake("That is the eigenvalue itself. The larger it is, the smaller the step has to be.")
def the_eigenvalue(hessian):
    return np.linalg.eigvalsh(hessian)[-1] / 2


@largest_rate.right
def by_the_norm(hessian):
    return 2 / np.linalg.norm(hessian, 2)


# --------------------------------------------------------------------------- logistic regression

_THETA = np.array([0.5, -1.0, 0.3])
_ROWS = np.array([[1.0, 2.0, 1.0], [0.0, -1.0, 1.0], [3.0, 0.5, 1.0], [-1.0, 1.0, 1.0]])


@exercise(
    "02.logistic_gradient",
    cases=[
        (_THETA, _ROWS, np.array([1.0, 0.0, 0.0, 1.0]), 0.0),
        (_THETA, _ROWS, np.array([1.0, 0.0, 0.0, 1.0]), 0.5),
        (2 * _THETA, _ROWS[:3], np.array([0.0, 1.0, 1.0]), 0.25),
    ],
    hints=[
        "The first part has the form that you know from the squared error; the prediction is now a probability.",
        "The penalty adds l2 times each weight to the gradient; the last entry of theta is the bias and gets none.",
    ],
)
def logistic_gradient(theta, X, y, l2):
    """Gradient (d,) of the penalised log-loss: X (n, d) with a last column of ones, y (n,) of 0 and 1."""
    p = 1 / (1 + np.exp(-X @ theta))
    penalty = l2 * np.append(theta[:-1], 0.0)
    return X.T @ (p - y) / len(y) + penalty


@logistic_gradient.mistake("You compare the raw scores with the labels. A score has to become a probability first.")
def without_sigmoid(theta, X, y, l2):
    return X.T @ (X @ theta - y) / len(y) + l2 * np.append(theta[:-1], 0.0)


@logistic_gradient.mistake("You penalise the bias too. It only shifts the threshold: leave it free.")
def bias_penalised(theta, X, y, l2):
    return X.T @ (1 / (1 + np.exp(-X @ theta)) - y) / len(y) + l2 * theta


@logistic_gradient.mistake("The penalty is missing: large weights cost nothing in your gradient.")
def no_penalty(theta, X, y, l2):
    return X.T @ (1 / (1 + np.exp(-X @ theta)) - y) / len(y)


@logistic_gradient.mistake("The log-loss is a mean over the examples. Yours is a sum.")
def log_loss_summed(theta, X, y, l2):
    return X.T @ (1 / (1 + np.exp(-X @ theta)) - y) + l2 * np.append(theta[:-1], 0.0)


@logistic_gradient.mistake("The data part of your gradient points uphill: look at the order of the difference.")
def label_first(theta, X, y, l2):
    return X.T @ (y - 1 / (1 + np.exp(-X @ theta))) / len(y) + l2 * np.append(theta[:-1], 0.0)


@logistic_gradient.mistake("You multiply with the slope of the sigmoid. With the log-loss that factor cancels.")
def as_for_squares(theta, X, y, l2):
    p = 1 / (1 + np.exp(-X @ theta))
    return X.T @ ((p - y) * p * (1 - p)) / len(y) + l2 * np.append(theta[:-1], 0.0)


@logistic_gradient.right
def by_scipy(theta, X, y, l2):
    from scipy.special import expit

    gradient = np.mean((expit(X @ theta) - y)[:, None] * X, axis=0)
    gradient[:-1] += l2 * theta[:-1]
    return gradient


# ------------------------------------------------------------------------------------------ Adam

_T2 = np.array([1.0, -2.0])
_G2 = np.array([0.5, -3.0])


@exercise(
    "02.adam",
    cases=[
        (_T2, _G2, np.zeros((2, 2)), 1, 0.1),
        (_T2, _G2, np.array([[0.2, -0.1], [0.3, 0.04]]), 2, 0.1),
        (_T2, _G2 / 1e7, np.array([[2e-8, 1e-8], [3e-15, 4e-15]]), 7, 0.01, 0.8, 0.99),
    ],
    hints=[
        "Four lines: the new m, the new v, the step size with its correction, the new theta.",
        "The correction for step t: the root of (1 minus beta2 to the power t), divided "
        "by (1 minus beta1 to the power t).",
        "Return theta, and m and v stacked in one array of shape (2, d).",
    ],
)
def adam(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    """One step of Adam: theta, gradient (d,); state (2, d) holds m and v; t is 1, 2, …. Returns theta, state."""
    m = beta1 * state[0] + (1 - beta1) * gradient
    v = beta2 * state[1] + (1 - beta2) * gradient**2
    rate = learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - rate * m / (np.sqrt(v) + epsilon), np.stack([m, v])


def _adam(theta, gradient, state, t, learning_rate, beta1, beta2, epsilon):
    return adam.reference(theta, gradient, state, t, learning_rate, beta1, beta2, epsilon)


@adam.mistake("The averages start at zero, so the first ones are too small. Where do you correct for that?")
def not_corrected(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = beta1 * state[0] + (1 - beta1) * gradient
    v = beta2 * state[1] + (1 - beta2) * gradient**2
    return theta - learning_rate * m / (np.sqrt(v) + epsilon), np.stack([m, v])


@adam.mistake("The second average is of the squared gradient. Yours averages the gradient itself.")
def not_squared(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = beta1 * state[0] + (1 - beta1) * gradient
    v = beta2 * state[1] + (1 - beta2) * np.abs(gradient)
    rate = learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - rate * m / (np.sqrt(v) + epsilon), np.stack([m, v])


@adam.mistake("You divide by the average of the squares. Which operation brings it back to the size of a gradient?")
def no_root(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = beta1 * state[0] + (1 - beta1) * gradient
    v = beta2 * state[1] + (1 - beta2) * gradient**2
    rate = learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - rate * m / (v + epsilon), np.stack([m, v])


@adam.mistake("You use the raw gradient in the step. Adam steps along its running average.")
def gradient_in_the_step(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = beta1 * state[0] + (1 - beta1) * gradient
    v = beta2 * state[1] + (1 - beta2) * gradient**2
    rate = learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - rate * gradient / (np.sqrt(v) + epsilon), np.stack([m, v])


@adam.mistake("The step itself is right. What you hand on are the old averages: the next step needs the new ones.")
def state_not_kept(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    return _adam(theta, gradient, state, t, learning_rate, beta1, beta2, epsilon)[0], state


@adam.mistake("Are the two betas in their places? The first belongs to the gradient, the second to its square.")
def betas_swapped(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    return _adam(theta, gradient, state, t, learning_rate, beta2, beta1, epsilon)


@adam.mistake("Close: your epsilon stands under the root. In the formula it is added after it.")
def epsilon_inside(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = beta1 * state[0] + (1 - beta1) * gradient
    v = beta2 * state[1] + (1 - beta2) * gradient**2
    rate = learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - rate * m / np.sqrt(v + epsilon), np.stack([m, v])


@adam.right
def by_differences(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m, v = state
    m = m + (gradient - m) * (1 - beta1)
    v = v + (gradient * gradient - v) * (1 - beta2)
    step = m / (1 - beta1**t) / (np.sqrt(v) + epsilon)
    return theta - learning_rate * np.sqrt(1 - beta2**t) * step, np.array([m, v])


# ------------------------------------------------------------------------------------- schedules


@exercise(
    "02.warmup_cosine",
    cases=[(0, 100, 10, 1.0), (5, 100, 10, 0.4), (10, 100, 10, 0.4), (55, 100, 10, 0.4), (100, 100, 10, 1.0)]
    + [(30, 90, 0, 2.0), (0, 90, 0, 2.0)],
    hints=[
        "Two cases: before step number warmup the rate grows in a straight line from 0 to top.",
        "After it: how far are you through the rest, from 0 to 1? Half a turn of the cosine goes from 1 to -1.",
    ],
)
def warmup_cosine(step, steps, warmup, top):
    """Learning rate at a step: from 0 straight up to top at step warmup, then along a cosine to 0 at steps."""
    if step < warmup:
        return top * step / warmup
    return top * (1 + np.cos(np.pi * (step - warmup) / (steps - warmup))) / 2


@warmup_cosine.mistake("The cosine should begin when the warm-up ends, and yours begins at step 0.")
def cosine_from_the_start(step, steps, warmup, top):
    if step < warmup:
        return top * step / warmup
    return top * (1 + np.cos(np.pi * step / steps)) / 2


@warmup_cosine.mistake("Half a turn is missing: follow your cosine to the last step. It should end at 0.")
def quarter_turn(step, steps, warmup, top):
    if step < warmup:
        return top * step / warmup
    return top * (1 + np.cos(np.pi / 2 * (step - warmup) / (steps - warmup))) / 2


@warmup_cosine.mistake("There is no warm-up: at step 0 the rate should be 0.")
def no_warmup(step, steps, warmup, top):
    return top * (1 + np.cos(np.pi * max(step - warmup, 0) / (steps - warmup))) / 2


@warmup_cosine.mistake("Your rate becomes negative towards the end. What has to be added to the cosine?")
def bare_cosine(step, steps, warmup, top):
    if step < warmup:
        return top * step / warmup
    return top * np.cos(np.pi * (step - warmup) / (steps - warmup))


@warmup_cosine.mistake("Your rate starts at 0 after the warm-up and grows. It should come down from top.")
def rising(step, steps, warmup, top):
    if step < warmup:
        return top * step / warmup
    return top * (1 - np.cos(np.pi * (step - warmup) / (steps - warmup))) / 2


@warmup_cosine.right
def squared_cosine(step, steps, warmup, top):
    if step < warmup:
        return step / warmup * top
    return top * np.cos(np.pi / 2 * (step - warmup) / (steps - warmup)) ** 2


# -------------------------------------------------------------------------------------- questions

q_bound = number(
    "02.q_bound",
    "A loss is bent most along one direction, with the eigenvalue 8. Up to which "
    "learning rate is gradient descent stable?",
    answer=0.25,
    wrong={
        0.125: "There the error in that direction vanishes in one step. Instability begins later.",
        4.0: "The other way round: more bend, smaller steps.",
        16.0: "A product of the two numbers? Look at when the factor in the derivation reaches minus one.",
    },
    explain="The bound is 2 divided by the largest eigenvalue: 2 / 8 = 0.25.",
    hints=["At which rate does the factor 1 - rate · 8 reach -1?"],
)

q_ravine = choice(
    "02.q_ravine",
    "A problem's condition number grows from 100 to 10,000. What happens to the steps needed, at the best settings?",
    right="about 100 times as many without momentum, about 10 times with it",
    wrong={
        "about 100 times as many with or without momentum": (
            "Momentum changes the exponent: look at the slopes in the figure."
        ),
        "no change, if the learning rate is chosen well": (
            "The best rate was already chosen. One rate cannot suit a steep and a flat direction alike."
        ),
        "about 10 times as many without momentum, about 100 times with it": "You have the two the wrong way round.",
    },
    explain="Plain gradient descent needs steps in proportion to the condition number, momentum to its root.",
    hints=[
        "Look at the slopes in the figure: how do the steps grow with the condition number, with and without momentum?"
    ],
)

q_batch = number(
    "02.q_batch",
    "Batches of 32 give a gradient with a certain noise. Which batch size gives half that noise?",
    answer=128,
    wrong={
        64: "Twice the batch lowers the noise by the root of two only.",
        16: "Fewer examples give more noise, not less.",
        1024: (
            "That is 32 times as many. Noise falls with the root of the batch size: how much do you need for one half?"
        ),
    },
    explain="Noise falls with the root of the batch size: half the noise takes four times the batch, 4 × 32 = 128.",
    hints=["Noise falls with the root of the number of examples. Which factor has the root 2?"],
)

q_adam = choice(
    "02.q_adam",
    "All columns of a table are multiplied by 1000. Which rule takes (nearly) the same course in what it predicts, "
    "if its learning rate is divided by 1000?",
    right="Adam, because it divides each gradient by its own usual size",
    wrong={
        "plain gradient descent, because the gradient adapts": (
            "Its gradient grows by 1000 and the weights should shrink by 1000: those are opposite ways."
        ),
        "momentum, because it averages gradients": "An average of gradients that are 1000 times as large is as large.",
        "none, a rate always has to be searched anew": "One of them divides the size of the gradient out.",
    },
    explain="Adam's step does not depend on the gradient's scale, so only the rate has to follow the weights' scale.",
    hints=["Ask each rule: does its step grow when the gradient grows by 1000?"],
)
