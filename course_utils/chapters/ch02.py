"""Exercises of notebook 02, gradient descent."""

import functools

import numpy as np

from course_utils.exercises import choice, do, exercise, number, prediction, repair

# ---------------------------------------------------------------------------- one step, one weight

p_next = prediction(
    "02.p_next",
    "The ball is at w = 1, and the slope there is 8. The step size is 0.1. Where is the ball after one step?",
    answer=0.2,
    explain="New = old - step size times slope = 1 - 0.1 times 8 = 0.2.",
    hints=["It moves against the slope: to the left. How far? The step size times the slope."],
)


@exercise(
    "02.gradient_step",
    cases=[
        (np.array([1.0, -2.0]), np.array([8.0, 0.5]), 0.1),  # arrays first: a list is made an array, as they are used
        (1.0, 8.0, 0.1),
        (-0.6, -4.8, 0.2),
        (np.array([0.2, 0.3, 0.4]), np.array([3.0, -1.0, 2.0]), 0.5),
    ],
    hints=["It is the formula above, with theta, slope and learning_rate in it: three names, one minus, one product."],
)
def gradient_step(theta, slope, learning_rate):
    """The place after one step from theta, where this is the slope."""
    return theta - learning_rate * slope


@gradient_step.mistake("You walk uphill: where the slope is positive, the loss grows to the right.")
def uphill(theta, slope, learning_rate):
    return theta + learning_rate * slope


@gradient_step.mistake("The learning rate has no effect in your step.")
def no_rate(theta, slope, learning_rate):
    return theta - slope


@gradient_step.mistake("That is how far to move. Where do you start from?")
def only_the_change(theta, slope, learning_rate):
    return -learning_rate * slope


@gradient_step.mistake("That is the length of the move. Where does it begin, and which way does it go?")
def only_the_length(theta, slope, learning_rate):
    return learning_rate * slope


@gradient_step.mistake(
    "Two names have changed places: the step starts at theta, and the learning rate scales the slope."
)
def exchanged(theta, slope, learning_rate):
    return learning_rate - theta * slope


@gradient_step.mistake("You use only the sign: a steep slope should move the ball further than a gentle one.")
def signs(theta, slope, learning_rate):
    return theta - learning_rate * np.sign(slope)


@gradient_step.mistake("You scale the place as well. The learning rate belongs to the slope alone.")
def rate_for_both(theta, slope, learning_rate):
    return learning_rate * (theta - slope)


@gradient_step.right
def entry_by_entry(theta, slope, learning_rate):
    if np.ndim(theta) == 0:
        return theta + -slope * learning_rate
    return [t - learning_rate * g for t, g in zip(theta, slope, strict=True)]


# --------------------------------------------------------------------------------------- the loop


def steep(w):
    """The slope of 4 w²."""
    return 8 * w


def flat(w):
    """The slope of (w - 2)²."""
    return 2 * (w - 2)


def starts_only(slope, w, learning_rate, steps):
    """All places visited, the start first; slope is a function of w."""
    places = [w]
    steepness = slope(w)
    for _ in range(steps):
        w = w - learning_rate * steepness
        places.append(w)
    return places


@repair(
    "02.walk",
    broken=starts_only,
    cases=[(steep, 1.0, 0.1, 3), (flat, 0.0, 0.25, 4), (steep, 1.0, 0.3, 3), (flat, 5.0, 0.1, 0)],
    hints=[
        "Look at the places: every step is as long as the first one. What should shorten it on the way down?",
        "The slope is another one at each place. How often does the code ask for it?",
    ],
)
def walk(slope, w, learning_rate, steps):
    """All places visited, the start first; slope is a function of w."""
    places = [w]
    for _ in range(steps):
        w = w - learning_rate * slope(w)
        places.append(w)
    return places


@walk.mistake("You ask for the slope in the loop, but still at the start. Where is the ball by then?")
def slope_at_the_start(slope, w, learning_rate, steps):
    places = [w]
    for _ in range(steps):
        places.append(places[-1] - learning_rate * slope(places[0]))
    return places


@walk.mistake("The slope is fresh in each step now, but the walk goes uphill.")
def walk_uphill(slope, w, learning_rate, steps):
    places = [w]
    for _ in range(steps):
        w = w + learning_rate * slope(w)
        places.append(w)
    return places


@walk.mistake("The steps are right. The start has to be in the list of places too.")
def without_start(slope, w, learning_rate, steps):
    places = []
    for _ in range(steps):
        w = w - learning_rate * slope(w)
        places.append(w)
    return places


@walk.mistake("You return the last place only. All places on the way are asked for.")
def last_only(slope, w, learning_rate, steps):
    for _ in range(steps):
        w = w - learning_rate * slope(w)
    return w


@walk.mistake("Every step starts from the first place again. Start where the last step ended.")
def from_the_start(slope, w, learning_rate, steps):
    places = [w]
    for _ in range(steps):
        places.append(w - learning_rate * slope(places[-1]))
    return places


@walk.right
def asked_again(slope, w, learning_rate, steps):
    places = [w]
    steepness = slope(w)
    for _ in range(steps):
        w = w - learning_rate * steepness
        steepness = slope(w)
        places.append(w)
    return np.array(places)


q_limit = number(
    "02.q_limit",
    "A loss has the curvature 5 everywhere. Up to which learning rate does gradient descent go down?",
    answer=0.4,
    wrong={
        0.2: "With that rate the ball lands at the lowest point in one step. It takes twice as much to run away.",
        2.5: "Upside down: the more curved the loss, the smaller the step has to be.",
        10: "A product makes no sense here: more curvature has to give a smaller limit.",
        0.25: "That is the limit for the curvature 8 of the example. Here it is 5.",
    },
    explain="The limit is 2 divided by the curvature: 2 / 5 = 0.4. There the factor 1 - 0.4 times 5 is -1.",
    hints=["One step multiplies the distance by 1 - rate times 5. At which rate is that -1?"],
)

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
        "Begin with the errors, one for each row: errors = X @ w - y.",
        "For weight k: multiply column k of X with the errors, add up, times 2, divided by the number of rows.",
    ],
)
def mse_gradient(X, y, w):
    """Gradient (d,) of the mean squared error: X (n, d), y (n,), weights w (d,)."""
    return 2 * X.T @ (X @ w - y) / len(y)


@mse_gradient.mistake("The direction is turned around: prediction minus target, or target minus prediction?")
def turned(X, y, w):
    return 2 * X.T @ (y - X @ w) / len(y)


@mse_gradient.mistake("That is the gradient of the sum of squares. The loss is a mean: what is missing?")
def of_the_sum(X, y, w):
    return 2 * X.T @ (X @ w - y)


@mse_gradient.mistake("Half of it. The derivative of a square brings a factor: which one?")
def half(X, y, w):
    return X.T @ (X @ w - y) / len(y)


@mse_gradient.mistake("You leave out the targets: the gradient has to know where the predictions should be.")
def without_targets(X, y, w):
    return 2 * X.T @ (X @ w) / len(y)


@mse_gradient.mistake("You divide by the number of weights. The mean is over the rows.")
def by_features(X, y, w):
    return 2 * X.T @ (X @ w - y) / len(w)


@mse_gradient.mistake("That is the mean of the errors times 2. Each error has to be multiplied with its measurement.")
def errors_only(X, y, w):
    return np.full(len(w), 2 * np.mean(X @ w - y))


@mse_gradient.mistake("You square the errors. In the slope each error stands once, times its measurement.")
def squared_errors(X, y, w):
    return 2 * X.T @ (X @ w - y) ** 2 / len(y)


@mse_gradient.right
def by_means(X, y, w):
    error = X @ w - y
    return 2 * np.mean(error[:, None] * X, axis=0)


@mse_gradient.right
def row_by_row(X, y, w):
    gradient = np.zeros(len(w))
    for row, target in zip(X, y, strict=True):
        gradient += 2 * (row @ w - target) * row
    return gradient / len(y)


# --------------------------------------------------------------------------------------- momentum

p_ravine = prediction(
    "02.p_ravine",
    "Both walks with their best settings: count the steps until the distance to the lowest point is a hundredth of "
    "what it was. How many times as many steps does the walk without momentum need?",
    unit="times as many",
    explain="What points along the valley adds up; what points across it cancels.",
    hints=["Any number is fine. Look at the right picture: how far apart are the two curves when they are low?"],
)


@exercise(
    "02.momentum_step",
    cases=[
        (np.array([1.0, -2.0]), np.array([0.25, 1.5]), np.array([8.0, 0.5]), 0.1, 0.8),  # arrays first, as above
        (1.0, 0.0, 8.0, 0.05, 0.5),
        (0.6, -0.4, 4.8, 0.05, 0.5),
    ],
    hints=[
        "Two lines: first the new velocity, from the old one and the gradient; then the new place.",
        "The ball moves by the new velocity. Return the new place and the new velocity, in this order.",
    ],
)
def momentum_step(theta, velocity, gradient, learning_rate, mu):
    """The new place and the new velocity after one step of momentum."""
    velocity = mu * velocity - learning_rate * gradient
    return theta + velocity, velocity


@momentum_step.mistake("The place moves by the old velocity. First make the new one, then move by it.")
def moves_by_the_old(theta, velocity, gradient, learning_rate, mu):
    return theta + velocity, mu * velocity - learning_rate * gradient


@momentum_step.mistake("The ball keeps all of its velocity: where is the part mu that is kept?")
def no_friction(theta, velocity, gradient, learning_rate, mu):
    velocity = velocity - learning_rate * gradient
    return theta + velocity, velocity


@momentum_step.mistake("The gradient pushes the ball uphill.")
def pushed_uphill(theta, velocity, gradient, learning_rate, mu):
    velocity = mu * velocity + learning_rate * gradient
    return theta + velocity, velocity


@momentum_step.mistake("Places are right; your velocity has the other sign. Let it be what is added to the place.")
def other_sign(theta, velocity, gradient, learning_rate, mu):
    velocity = -mu * velocity + learning_rate * gradient
    return theta - velocity, velocity


@momentum_step.mistake("You scale the new push by 1 - mu. In this formula it has only the learning rate before it.")
def averaged(theta, velocity, gradient, learning_rate, mu):
    velocity = mu * velocity - (1 - mu) * learning_rate * gradient
    return theta + velocity, velocity


@momentum_step.mistake("Both are right, in the wrong order: the place first, then the velocity.")
def velocity_first(theta, velocity, gradient, learning_rate, mu):
    velocity = mu * velocity - learning_rate * gradient
    return velocity, theta + velocity


@momentum_step.mistake("The place moves by the gradient alone: the velocity has no effect on it.")
def velocity_unused(theta, velocity, gradient, learning_rate, mu):
    return theta - learning_rate * gradient, mu * velocity - learning_rate * gradient


@momentum_step.mistake("The learning rate has no effect on your velocity.")
def without_rate(theta, velocity, gradient, learning_rate, mu):
    velocity = mu * velocity - gradient
    return theta + velocity, velocity


@momentum_step.right
def as_lists(theta, velocity, gradient, learning_rate, mu):
    if np.ndim(theta) == 0:
        velocity = mu * velocity - learning_rate * gradient
        return [theta + velocity, velocity]
    velocity = [mu * v - learning_rate * g for v, g in zip(velocity, gradient, strict=True)]
    return [t + v for t, v in zip(theta, velocity, strict=True)], velocity


@momentum_step.right
def in_one_sum(theta, velocity, gradient, learning_rate, mu):
    place = theta + mu * velocity - learning_rate * gradient
    return place, place - theta


# --------------------------------------------------------------------------- logistic regression

q_surprise = number(
    "02.q_surprise",
    "A model gave the right label the probability 0.001. How large is its surprise, in nats?",
    answer=6.908,
    wrong={
        0.001: "That is the probability. The surprise is minus its natural logarithm.",
        -6.908: "The logarithm of a number below 1 is negative; the surprise has a minus before it.",
        3.0: "That is with the logarithm of base 10. Nats need the natural one.",
        9.966: "That is with base 2: the surprise in bits. Nats need the natural logarithm.",
        0.999: "Not 1 - p, but -ln p.",
    },
    explain="-ln 0.001 = 6.9 nats: the less likely, the more surprise, without any limit.",
    hints=["The surprise is -ln p. Python: -numpy.log(0.001)."],
)

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
    """Gradient (d,) of mean surprise and penalty; the last column of X is ones."""
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


@logistic_gradient.mistake("The loss is a mean over the rows. Yours is a sum.")
def log_loss_summed(theta, X, y, l2):
    return X.T @ (1 / (1 + np.exp(-X @ theta)) - y) + l2 * np.append(theta[:-1], 0.0)


@logistic_gradient.mistake("The data part of your gradient points uphill: look at the order of the difference.")
def label_first(theta, X, y, l2):
    return X.T @ (y - 1 / (1 + np.exp(-X @ theta))) / len(y) + l2 * np.append(theta[:-1], 0.0)


@logistic_gradient.mistake("You multiply with the slope of the sigmoid. With the surprise as loss that factor cancels.")
def as_for_squares(theta, X, y, l2):
    p = 1 / (1 + np.exp(-X @ theta))
    return X.T @ ((p - y) * p * (1 - p)) / len(y) + l2 * np.append(theta[:-1], 0.0)


@logistic_gradient.mistake("You penalise the first weight less: the bias is the last entry of theta, not the first.")
def bias_first(theta, X, y, l2):
    return X.T @ (1 / (1 + np.exp(-X @ theta)) - y) / len(y) + l2 * np.append(0.0, theta[1:])


@logistic_gradient.mistake(
    "The derivative of a square has cancelled the half: the penalty adds l2 times each weight once."
)
def penalty_doubled(theta, X, y, l2):
    return X.T @ (1 / (1 + np.exp(-X @ theta)) - y) / len(y) + 2 * l2 * np.append(theta[:-1], 0.0)


@logistic_gradient.mistake("The sign in the sigmoid is turned: a large score has to give a probability near 1.")
def sigmoid_turned(theta, X, y, l2):
    return X.T @ (1 / (1 + np.exp(X @ theta)) - y) / len(y) + l2 * np.append(theta[:-1], 0.0)


@logistic_gradient.right
def by_scipy(theta, X, y, l2):
    from scipy.special import expit

    gradient = np.mean((expit(X @ theta) - y)[:, None] * X, axis=0)
    gradient[:-1] += l2 * theta[:-1]
    return gradient


# ------------------------------------------------------------------------------------- train it


@functools.cache
def _tumours():
    """Rows with ones, labels, strength of the penalty, and the lowest loss, as in the notebook."""
    from sklearn.linear_model import LogisticRegression

    from course_utils import data

    tumours = data.breast_cancer()
    x = (tumours.x - tumours.x.mean(axis=0)) / tumours.x.std(axis=0)
    X, y = np.column_stack([x, np.ones(len(x))]), tumours.y.astype(float)
    l2 = 1 / len(X)
    model = LogisticRegression(C=1.0, tol=1e-12, solver="newton-cholesky").fit(x, y)
    return X, y, l2, _loss(np.append(model.coef_[0], model.intercept_), X, y, l2)


def _loss(theta, X, y, l2):
    z = X @ theta
    return np.mean(np.logaddexp(0, z) - y * z) + l2 / 2 * np.sum(theta[:-1] ** 2)


def _judge_settings(settings):
    """What is wrong with settings for 100 steps of momentum on the tumours; empty if they come near enough."""
    if not isinstance(settings, dict) or set(settings) != {"learning_rate", "mu"}:
        return 'Give a dictionary with the two entries "learning_rate" and "mu".'
    X, y, l2, lowest = _tumours()
    theta, velocity = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    with np.errstate(all="ignore"):
        for _ in range(100):
            gradient = logistic_gradient.reference(theta, X, y, l2)
            theta, velocity = momentum_step.reference(theta, velocity, gradient, **settings)
        gap = _loss(theta, X, y, l2) - lowest
    if not np.isfinite(gap) or gap > 0.6:
        return "The walk runs away: the loss ends higher than it began. Take a smaller learning rate."
    if gap > 1e-6:
        return f"100 steps do not get near enough. The loss ends {gap:.1e} above the lowest; 1.0e-06 is asked for."
    return ""


@do(
    "02.settings",
    starter="settings = ...  # replace the dots",
    judge=_judge_settings,
    hints=[
        'Begin with {"learning_rate": 1.0, "mu": 0.5}, run the cell, and change one number at a time.',
        "Too small a rate creeps, too large a rate runs away. The same for mu: nothing below 1 is forbidden.",
        "Rates from 5 to 10 and a momentum from 0.7 to 0.8 contain many answers.",
    ],
)
def settings():
    """Settings with which 100 steps of momentum come within a millionth of the lowest loss."""
    settings = {"learning_rate": 5.0, "mu": 0.8}
    return settings


@settings.mistake("100 steps do not get near enough.")  # and how far above the lowest they end
def creeps():
    return {"learning_rate": 0.3, "mu": 0.0}


@settings.mistake("The walk runs away: the loss ends higher than it began. Take a smaller learning rate.")
def runs_away():
    return {"learning_rate": 200.0, "mu": 0.5}


@settings.mistake('Give a dictionary with the two entries "learning_rate" and "mu".')
def one_number():
    return {"rate": 1.0}


# ------------------------------------------------------------------------------------- few rows

q_batch = number(
    "02.q_batch",
    "Batches of 32 give a gradient with a certain noise. Which batch size gives half that noise?",
    answer=128,
    wrong={
        64: "Twice the batch lowers the noise by the root of two only.",
        16: "Fewer rows give more noise, not less.",
        8: "A quarter of the rows gives twice the noise, not half of it.",
        1024: (
            "That is 32 times as many. Noise falls with the root of the batch size: how much do you need for one half?"
        ),
    },
    explain="Noise falls with the root of the batch size: half the noise takes four times the batch, 4 × 32 = 128.",
    hints=["Noise falls with the root of the number of rows. Which factor has the root 2?"],
)

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
        "Four lines: the new m, the new v, the learning rate with its correction, the new theta.",
        "The correction for step t: the root of (1 minus beta2 to the power t), divided "
        "by (1 minus beta1 to the power t).",
        "Return theta, and m and v stacked in one array of shape (2, d).",
    ],
)
def adam(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    """One step of Adam; state (2, d) holds m and v. Returns new theta, new state."""
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


@adam.mistake("The second average is of the squared gradient. Yours is of its absolute value.")
def not_squared(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = beta1 * state[0] + (1 - beta1) * gradient
    v = beta2 * state[1] + (1 - beta2) * np.abs(gradient)
    rate = learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - rate * m / (np.sqrt(v) + epsilon), np.stack([m, v])


@adam.mistake("Your v is an average of the gradient too. It has to be one of its square.")
def same_average(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = beta1 * state[0] + (1 - beta1) * gradient
    v = beta2 * state[1] + (1 - beta2) * gradient
    rate = learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    with np.errstate(invalid="ignore"):
        return theta - rate * m / (np.sqrt(v) + epsilon), np.stack([m, v])


@adam.accept("Right: this is the paper's form. Keras adds epsilon before it corrects v, so the last digits differ.")
def as_in_the_paper(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = beta1 * state[0] + (1 - beta1) * gradient
    v = beta2 * state[1] + (1 - beta2) * gradient**2
    corrected_m, corrected_v = m / (1 - beta1**t), v / (1 - beta2**t)
    return theta - learning_rate * corrected_m / (np.sqrt(corrected_v) + epsilon), np.stack([m, v])


@adam.mistake("In the correction the betas have changed places: beta1 belongs to m, beta2 to v and its root.")
def corrections_swapped(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = beta1 * state[0] + (1 - beta1) * gradient
    v = beta2 * state[1] + (1 - beta2) * gradient**2
    rate = learning_rate * np.sqrt(1 - beta1**t) / (1 - beta2**t)
    return theta - rate * m / (np.sqrt(v) + epsilon), np.stack([m, v])


@adam.mistake("The root is missing in the correction: it belongs over 1 minus the power of beta2.")
def correction_without_root(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = beta1 * state[0] + (1 - beta1) * gradient
    v = beta2 * state[1] + (1 - beta2) * gradient**2
    rate = learning_rate * (1 - beta2**t) / (1 - beta1**t)
    return theta - rate * m / (np.sqrt(v) + epsilon), np.stack([m, v])


@adam.mistake("Adam goes against its average: your step is uphill.")
def adam_uphill(theta, gradient, state, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = beta1 * state[0] + (1 - beta1) * gradient
    v = beta2 * state[1] + (1 - beta2) * gradient**2
    rate = learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta + rate * m / (np.sqrt(v) + epsilon), np.stack([m, v])


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


# ------------------------------------------------------------------------- the largest stable step


@exercise(
    "02.largest_rate",
    cases=[
        (np.diag([1.0, 4.0]),),
        (np.array([[2.0, 1.0], [1.0, 2.0]]),),
        (np.array([[5.0, 2.0, 0.0], [2.0, 3.0, 1.0], [0.0, 1.0, 0.5]]),),
    ],
    hints=[
        "The most curved direction sets the limit. Its curvature is the largest eigenvalue.",
        "eigvalsh returns the eigenvalues in rising order: the largest is the last one.",
    ],
)
def largest_rate(hessian):
    """Learning rate above which gradient descent runs away; hessian (d, d)."""
    return 2 / np.linalg.eigvalsh(hessian)[-1]


@largest_rate.mistake("Which direction becomes unstable first: the most curved one, or the flattest?")
def of_the_smallest(hessian):
    return 2 / np.linalg.eigvalsh(hessian)[0]


@largest_rate.mistake("That is half the limit: there the error vanishes in one step.")
def one_over(hessian):
    return 1 / np.linalg.eigvalsh(hessian)[-1]


@largest_rate.mistake("The diagonal alone does not tell how curved the bowl is in a slanting direction.")
def of_the_diagonal(hessian):
    return 2 / np.max(np.diag(hessian))


@largest_rate.mistake("The trace adds up all eigenvalues. Only the largest counts.")
def of_the_trace(hessian):
    return 2 / np.trace(hessian)


@largest_rate.mistake("That is the largest eigenvalue itself. How does the limit follow from it?")
def the_eigenvalue(hessian):
    return np.linalg.eigvalsh(hessian)[-1]


@largest_rate.mistake("Upside down: the larger the eigenvalue, the smaller the step has to be.")
def upside_down(hessian):
    return np.linalg.eigvalsh(hessian)[-1] / 2


@largest_rate.mistake("You return a limit for each direction. One learning rate has to suit them all.")
def for_each(hessian):
    return 2 / np.linalg.eigvalsh(hessian)


@largest_rate.right
def by_the_norm(hessian):
    return 2 / np.linalg.norm(hessian, 2)


# -------------------------------------------------------------------------------------- schedules


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
    """Learning rate: a straight line up to top at step warmup, then a cosine to 0."""
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


@warmup_cosine.mistake("There is no warm-up: your cosine begins at step 0, at the top.")
def cosine_alone(step, steps, warmup, top):
    return top * (1 + np.cos(np.pi * step / steps)) / 2


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


@warmup_cosine.mistake("The warm-up stops at 1. It has to grow up to top.")
def warms_up_to_one(step, steps, warmup, top):
    if step < warmup:
        return step / warmup
    return top * (1 + np.cos(np.pi * (step - warmup) / (steps - warmup))) / 2


@warmup_cosine.right
def squared_cosine(step, steps, warmup, top):
    if step < warmup:
        return step / warmup * top
    return top * np.cos(np.pi / 2 * (step - warmup) / (steps - warmup)) ** 2


# -------------------------------------------------------------------------------------- questions

q_decay = number(
    "02.q_decay",
    "A weight is 2 now. Its gradient has always been zero, and is zero in the next step too. AdamW has the learning "
    "rate 0.1 and the decay 0.05. What is the weight after that step?",
    answer=1.99,
    tolerance=0.0005,
    wrong={
        2.0: "Adam alone would leave it at 2. AdamW shrinks every weight a little in each step.",
        1.9: "You shrink by the learning rate. The shrinking is the learning rate times the decay.",
        1.95: "Take the amount 0.1 × 0.05 of the weight: it is a part of the weight, not of 1.",
        1.995: "That is 2 minus the rate times the decay. The decay takes that part of the weight: times 2.",
        0.01: "That is what it loses. What is left?",
    },
    explain="2 × (1 - 0.1 × 0.05) = 1.99. The rest of the step is zero, because both averages are.",
    hints=["First line of AdamW: theta times (1 - learning rate times decay). The Adam part is zero here."],
)

p_race = prediction(
    "02.p_race",
    "Three rules, each with its best settings, ten steps from the same start, on standardised columns. Which one is "
    "nearest to the lowest loss?",
    options=["plain gradient descent", "momentum", "Adam"],
    explain="Now look at 60 steps: is it still the same one?",
    hints=["Guess: there is no wrong answer here."],
)

q_adam = choice(
    "02.q_adam",
    "All columns of a table are multiplied by 1000. Which rule still makes (nearly) the same predictions in every "
    "step, starting from zero weights (without a bias and without a penalty), if its learning rate is divided by "
    "1000?",
    right="Adam, because it divides each gradient by its own usual size",
    wrong={
        "plain gradient descent, because the gradient adapts": (
            "Its gradient grows by 1000 and the weights should shrink by 1000: those are opposite ways."
        ),
        "momentum, because it averages gradients": "An average of gradients that are 1000 times as large is as large.",
        "no rule: the learning rate has to be searched again": "One of them divides the size of the gradient out.",
    },
    explain="Adam's step does not depend on the gradient's scale, so only the rate has to follow the weights' scale. "
    "Plain gradient descent would need its rate divided by 1000 twice.",
    hints=["Ask each rule: does its step grow when the gradient grows by 1000?"],
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
    hints=["Look at the slopes in the figure: how do the steps grow with the condition number?"],
)
