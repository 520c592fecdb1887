"""Exercises of notebook 17, interpretability."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# ------------------------------------------------------------------------ permutation importance


def _error_score(X, y):
    """Minus the mean squared error of a fixed model: 2, 0 and -1 times the three columns."""
    return -np.mean((X @ np.array([2.0, 0.0, -1.0]) - y) ** 2)


def _first_column_score(X, y):
    """Share of rows whose first column has the sign that y says."""
    return np.mean((X[:, 0] > 0) == (y > 0))


_TABLE = np.array([[1.0, 0.3, -2.0], [-1.5, 2.0, 0.5], [0.5, -1.0, 1.0], [3.0, 0.7, 0.2], [-0.2, -0.4, -1.1]])
_TARGETS = np.array([4.2, -3.3, 0.1, 5.6, 1.0])
_ORDERS = np.array([[1, 0, 3, 4, 2], [4, 2, 1, 0, 3], [2, 3, 4, 1, 0]])


@exercise(
    "17.permutation_importance",
    cases=[
        (_first_column_score, _TABLE[:3, :2], np.array([1.0, -1.0, 1.0]), np.array([[1, 2, 0]])),
        (_error_score, _TABLE, _TARGETS, _ORDERS),
        (_error_score, _TABLE, _TARGETS, _ORDERS[:2]),
    ],
    hints=[
        "Two loops: over the columns, and over the orders. Inside, work on a copy of X.",
        "With rows in another order, one column of the copy becomes X[order, column]. All others stay.",
        "For each column: the score of X, minus the mean of the scores of the copies.",
    ],
)
def permutation_importance(score, X, y, orders):
    """Mean drop (columns,) of score(X, y), for each column of X (n, columns) reordered alone.

    Each of orders (repeats, n) puts the value of row order[i] into row i of the column.
    """
    drops = np.zeros((len(orders), X.shape[1]))
    for repeat, order in enumerate(orders):
        for column in range(X.shape[1]):
            mixed = X.copy()
            mixed[:, column] = X[order, column]
            drops[repeat, column] = score(X, y) - score(mixed, y)
    return drops.mean(axis=0)


@permutation_importance.mistake("All columns are reordered together in yours. Take one at a time: the others stay.")
def whole_rows(score, X, y, orders):
    drop = np.mean([score(X, y) - score(X[order], y) for order in orders])
    return np.full(X.shape[1], drop)


@permutation_importance.mistake("The sign is turned around: a column that matters has a positive drop.")
def turned_drop(score, X, y, orders):
    result = np.zeros(X.shape[1])
    for column in range(X.shape[1]):
        for order in orders:
            mixed = X.copy()
            mixed[:, column] = X[order, column]
            result[column] += (score(mixed, y) - score(X, y)) / len(orders)
    return result


@permutation_importance.mistake("Those are scores after the mixing. Importance is how much lower they are than before.")
def scores_only(score, X, y, orders):
    result = np.zeros(X.shape[1])
    for column in range(X.shape[1]):
        for order in orders:
            mixed = X.copy()
            mixed[:, column] = X[order, column]
            result[column] += score(mixed, y) / len(orders)
    return result


@permutation_importance.mistake("A column stays mixed when you go on to the next one. Begin each with a fresh copy.")
def stays_mixed(score, X, y, orders):
    result = np.zeros(X.shape[1])
    for order in orders:
        mixed = X.copy()
        for column in range(X.shape[1]):
            mixed[:, column] = X[order, column]
            result[column] += (score(X, y) - score(mixed, y)) / len(orders)
    return result


@permutation_importance.mistake("You add up over the orders. Take the mean: more repeats must not mean more drop.")
def summed_orders(score, X, y, orders):
    result = np.zeros(X.shape[1])
    for column in range(X.shape[1]):
        for order in orders:
            mixed = X.copy()
            mixed[:, column] = X[order, column]
            result[column] += score(X, y) - score(mixed, y)
    return result


@permutation_importance.mistake("You set the column to zero. Reordering keeps its values and breaks only their order.")
def zeroed(score, X, y, orders):
    result = np.zeros(X.shape[1])
    for column in range(X.shape[1]):
        mixed = X.copy()
        mixed[:, column] = 0
        result[column] = score(X, y) - score(mixed, y)
    return result


@permutation_importance.right
def column_by_column(score, X, y, orders):
    before, result = score(X, y), []
    for column in range(X.shape[1]):
        after = []
        for order in orders:
            mixed = np.array(X, copy=True)
            mixed[:, column] = mixed[order, column]
            after.append(score(mixed, y))
        result.append(before - np.mean(after))
    return np.array(result)


# ------------------------------------------------------------------------------------- occlusion


def _weighted_sum(image):
    """A linear model: each pixel has its own weight, and there is a bias."""
    return float(np.sum(image * (1.0 + np.arange(image.size)).reshape(image.shape))) + 5.0


def _brightest(image):
    """The brightest pixel, and a little of the mean."""
    return float(np.max(image) + 0.1 * np.mean(image))


_PICTURE = np.array([[0.2, 0.9, 0.4, 0.1], [0.7, 0.3, 0.8, 0.6], [0.5, 0.1, 0.2, 1.0]])


@exercise(
    "17.occlusion_map",
    cases=[
        (_weighted_sum, _PICTURE[:2, :2], 1, 0.0),
        (_weighted_sum, _PICTURE, 2, 0.5),
        (_brightest, _PICTURE, 2, 0.0),
        (_weighted_sum, _PICTURE, 3, 0.25),
    ],
    hints=[
        "How many places does a square of this size have in a row of W pixels? One more than W - size.",
        "For each place: copy the image, set the square to fill, and take the score of the copy.",
        "The map holds the score of the whole image minus the score of the copy.",
    ],
)
def occlusion_map(score, image, size, fill):
    """Drop of score(image) when a square of size x size pixels is set to fill.

    image is (H, W); the result is (H - size + 1, W - size + 1): one drop for each place
    (r, c) of the upper left corner of the square.
    """
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    drops = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            covered = image.copy()
            covered[r : r + size, c : c + size] = fill
            drops[r, c] = score(image) - score(covered)
    return drops


@occlusion_map.mistake("That is the score that is left. The map shows how much is lost.")
def what_is_left(score, image, size, fill):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    drops = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            covered = image.copy()
            covered[r : r + size, c : c + size] = fill
            drops[r, c] = score(covered)
    return drops


@occlusion_map.mistake("The sign is turned around: where covering lowers the score, the drop is positive.")
def rise(score, image, size, fill):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    drops = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            covered = image.copy()
            covered[r : r + size, c : c + size] = fill
            drops[r, c] = score(covered) - score(image)
    return drops


@occlusion_map.mistake("A square stays covered when you move on. Each place begins with the whole image.")
def stays_covered(score, image, size, fill):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    drops, covered = np.zeros((rows, columns)), image.copy()
    for r in range(rows):
        for c in range(columns):
            covered[r : r + size, c : c + size] = fill
            drops[r, c] = score(image) - score(covered)
    return drops


@occlusion_map.mistake("Your square covers one pixel, whatever its size should be.")
def one_pixel(score, image, size, fill):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    drops = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            covered = image.copy()
            covered[r, c] = fill
            drops[r, c] = score(image) - score(covered)
    return drops


@occlusion_map.mistake("You cover with black, whatever value is asked for.")
def always_black(score, image, size, fill):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    drops = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            covered = image.copy()
            covered[r : r + size, c : c + size] = 0
            drops[r, c] = score(image) - score(covered)
    return drops


@occlusion_map.mistake("Your map has a place for each pixel. Near the right and lower edge the square does not fit.")
def every_pixel(score, image, size, fill):
    drops = np.zeros(image.shape)
    for r in range(image.shape[0]):
        for c in range(image.shape[1]):
            covered = image.copy()
            covered[r : r + size, c : c + size] = fill
            drops[r, c] = score(image) - score(covered)
    return drops if size > 1 else drops[:-1]


@occlusion_map.right
def by_masks(score, image, size, fill):
    places = [(r, c) for r in range(image.shape[0] - size + 1) for c in range(image.shape[1] - size + 1)]
    whole, drops = score(image), []
    for r, c in places:
        mask = np.zeros(image.shape, dtype=bool)
        mask[r : r + size, c : c + size] = True
        drops.append(whole - score(np.where(mask, fill, image)))
    return np.reshape(drops, (-1, image.shape[1] - size + 1))


# -------------------------------------------------------------------------- integrated gradients


def _slope_of_squares(points):
    """Gradient of the sum of squares plus the product of the first and the last number; points (n, d)."""
    result = 2 * points
    result[:, 0] += points[:, -1]
    result[:, -1] += points[:, 0]
    return result


def _slope_of_a_step(points):
    """Gradient of a sum of hyperbolic tangents, steep near 0.5."""
    return 4 / np.cosh(4 * (points - 0.5)) ** 2


@exercise(
    "17.integrated_gradients",
    cases=[
        (_slope_of_squares, np.array([1.0, 2.0]), np.array([0.0, 0.0]), 2),
        (_slope_of_squares, np.array([1.0, -2.0, 3.0]), np.array([0.5, 1.0, 0.2]), 4),
        (_slope_of_a_step, np.array([1.0, 0.2, 0.9]), np.array([0.1, 0.3, 0.4]), 3),
        (_slope_of_a_step, np.array([[1.0, 0.2], [0.7, 0.9]]), np.array([[0.1, 0.3], [0.4, 0.6]]), 5),
    ],
    hints=[
        "The middles of the steps are (0.5, 1.5, 2.5, …) / steps.",
        "A loop will do: for each of these shares, add up the gradient at baseline + share * (x - baseline).",
        "gradient() takes several points at once: put yours in a list, and take the first of the result.",
    ],
    equivalent=["0 -> -1"],  # the first of one is the last of one
)
def integrated_gradients(gradient, x, baseline, steps):
    """How far x is from baseline, times the mean gradient on the straight way between them.

    The result has the shape of x. gradient takes points (n, *shape of x) and returns as
    much; ask it in the middle of each of so many equal steps.
    """
    total = np.zeros_like(x)
    for step in range(steps):
        share = (step + 0.5) / steps
        point = baseline + share * (x - baseline)
        total = total + np.asarray(gradient(point[None]))[0]
    return (x - baseline) * total / steps


@integrated_gradients.mistake("Those are mean gradients. How far did each number move on the way from the baseline?")
def mean_gradient(gradient, x, baseline, steps):
    shares = (np.arange(steps) + 0.5) / steps
    points = np.stack([baseline + share * (x - baseline) for share in shares])
    return np.asarray(gradient(points)).mean(axis=0)


@integrated_gradients.mistake("Your way begins at zero. It begins at the baseline.")
def from_zero(gradient, x, baseline, steps):
    shares = (np.arange(steps) + 0.5) / steps
    points = np.stack([share * x for share in shares])
    return (x - baseline) * np.asarray(gradient(points)).mean(axis=0)


@integrated_gradients.mistake("You multiply by x. What counts is how far x is from the baseline.")
def times_x(gradient, x, baseline, steps):
    shares = (np.arange(steps) + 0.5) / steps
    points = np.stack([baseline + share * (x - baseline) for share in shares])
    return x * np.asarray(gradient(points)).mean(axis=0)


@integrated_gradients.mistake("You ask for the gradient at the end of the way only. Take the mean over the whole way.")
def only_at_the_end(gradient, x, baseline, steps):
    return (x - baseline) * np.asarray(gradient(x[None]))[0]


@integrated_gradients.mistake("You ask at the beginning of each step. Ask in its middle: the error is much smaller.")
def beginnings(gradient, x, baseline, steps):
    shares = np.arange(steps) / steps
    points = np.stack([baseline + share * (x - baseline) for share in shares])
    return (x - baseline) * np.asarray(gradient(points)).mean(axis=0)


@integrated_gradients.mistake("You ask at the end of each step. Ask in its middle: the error is much smaller.")
def ends(gradient, x, baseline, steps):
    shares = (np.arange(steps) + 1) / steps
    points = np.stack([baseline + share * (x - baseline) for share in shares])
    return (x - baseline) * np.asarray(gradient(points)).mean(axis=0)


@integrated_gradients.mistake("You add the gradients up. A mean is asked for, or the result grows with the steps.")
def summed_gradients(gradient, x, baseline, steps):
    shares = (np.arange(steps) + 0.5) / steps
    points = np.stack([baseline + share * (x - baseline) for share in shares])
    return (x - baseline) * np.asarray(gradient(points)).sum(axis=0)


@integrated_gradients.right
def all_points_at_once(gradient, x, baseline, steps):
    shares = np.linspace(0, 1, 2 * steps + 1)[1::2].reshape(-1, *[1] * x.ndim)
    return (x - baseline) * np.mean(gradient(baseline + shares * (x - baseline)), axis=0)


# -------------------------------------------------------------------------------- deletion curve


def _weighted_rows(rows):
    """Score (n,) of rows (n, d): a weighted sum."""
    return rows @ np.arange(1.0, 1 + rows.shape[1]) + 0.5


def _longest(rows):
    """Score (n,) of rows (n, d): not linear."""
    return np.max(rows, axis=1) + rows[:, 0] * rows[:, -1]


@exercise(
    "17.deletion_curve",
    cases=[
        (_weighted_rows, np.array([3.0, 1.0]), np.array([0.2, 0.9]), np.array([0.0, 0.0])),
        (_weighted_rows, np.array([1.0, -2.0, 0.5, 4.0]), np.array([-0.3, 2, 0.7, 0.1]), np.array([0.5, 0.1, 0.2, 1])),
        (_longest, np.array([2.0, 1.0, 5.0, 3.0]), np.array([0.4, -1.0, 0.6, 0.5]), np.array([0.0, 0.5, 1.0, 0.3])),
    ],
    hints=[
        "The order is that of falling importance: the largest number first, as it is, with its sign.",
        "Begin with a copy of x and its score. Then replace one number after the other, and keep those already gone.",
        "score() takes rows (n, d) and returns (n,): collect the d + 1 states, and ask once.",
    ],
)
def deletion_curve(score, x, importance, replacement):
    """Scores (d + 1,) of x (d,): as it is, then with one number after the other replaced.

    The most important one goes first, and what is replaced stays so. importance and
    replacement are (d,); score takes rows (n, d) and returns (n,).
    """
    states = [x.copy()]
    for place in np.argsort(-importance):
        changed = states[-1].copy()
        changed[place] = replacement[place]
        states.append(changed)
    return score(np.stack(states))


@deletion_curve.mistake("You begin with the least important one. Turn the order around.")
def least_first(score, x, importance, replacement):
    states = [x.copy()]
    for place in np.argsort(importance):
        changed = states[-1].copy()
        changed[place] = replacement[place]
        states.append(changed)
    return np.asarray(score(np.stack(states)))


@deletion_curve.mistake("Each number comes back when the next one goes. What is replaced stays replaced.")
def one_at_a_time(score, x, importance, replacement):
    states = [x.copy()]
    for place in np.argsort(-importance):
        changed = x.copy()
        changed[place] = replacement[place]
        states.append(changed)
    return np.asarray(score(np.stack(states)))


@deletion_curve.mistake("The curve begins with x as it is: one score more than there are numbers.")
def without_the_start(score, x, importance, replacement):
    states, changed = [], x.copy()
    for place in np.argsort(-importance):
        changed = changed.copy()
        changed[place] = replacement[place]
        states.append(changed)
    return np.asarray(score(np.stack(states)))


@deletion_curve.mistake("You replace by zero, whatever replacement is given.")
def by_zero(score, x, importance, replacement):
    states = [x.copy()]
    for place in np.argsort(-importance):
        changed = states[-1].copy()
        changed[place] = 0
        states.append(changed)
    return np.asarray(score(np.stack(states)))


@deletion_curve.mistake("You order by size without the sign. What speaks against the verdict comes last, not first.")
def by_size(score, x, importance, replacement):
    states = [x.copy()]
    for place in np.argsort(-np.abs(importance)):
        changed = states[-1].copy()
        changed[place] = replacement[place]
        states.append(changed)
    return np.asarray(score(np.stack(states)))


@deletion_curve.right
def by_ranks(score, x, importance, replacement):
    ranks = np.argsort(np.argsort(-importance))
    gone = ranks < np.arange(len(x) + 1)[:, None]
    return score(np.where(gone, replacement, x))


# ------------------------------------------------------------------------------- smallest change


@exercise(
    "17.smallest_flip",
    cases=[
        (np.array([3.0, 4.0]), 5.0, np.array([1.0, 3.0])),
        (np.array([1.0, -2.0, 0.5]), -1.0, np.array([0.3, 0.7, -2.0])),
        (np.array([0.2, 0.1]), 0.7, np.array([-6.0, 2.0])),
    ],
    hints=[
        "The shortest way to the boundary runs along w: the answer is x minus some number times w.",
        "Put x - t * w into w @ x + b = 0, and solve for t.",
    ],
)
def smallest_flip(w, b, x):
    """The point (d,) nearest to x (d,) at which the linear score, w · x + b, is exactly 0."""
    return x - (w @ x + b) / (w @ w) * w


@smallest_flip.mistake("You divide by the length of w. You go along w, which has that length itself: divide once more.")
def by_the_length(w, b, x):
    return x - (w @ x + b) / np.sqrt(w @ w) * w


@smallest_flip.mistake("You walk away from the boundary: look at the sign.")
def away(w, b, x):
    return x + (w @ x + b) / (w @ w) * w


@smallest_flip.mistake("The bias is missing: your point is undecided for a model without it.")
def without_bias(w, b, x):
    return x - (w @ x) / (w @ w) * w


@smallest_flip.mistake("That is the change. The point itself is asked for.")
def only_the_change(w, b, x):
    return -(w @ x + b) / (w @ w) * w


@smallest_flip.mistake("You go to the other side, as far as you were on this one. The boundary lies halfway.")
def mirrored(w, b, x):
    return x - 2 * (w @ x + b) / (w @ w) * w


@smallest_flip.mistake("The score is zero there, but another point is nearer: you change one number only.")
def one_number(w, b, x):
    place = np.argmax(np.abs(w))
    result = x.copy()
    result[place] -= (w @ x + b) / w[place]
    return result


@smallest_flip.right
def by_least_squares(w, b, x):
    change, *_ = np.linalg.lstsq(w[None], np.array([-(w @ x + b)]), rcond=None)
    return x + change


# -------------------------------------------------------------------------------------- questions

q_weight = choice(
    "17.q_weight",
    "A linear model of house prices has the weight 300 for the area in square metres and 20,000 for the number of "
    "rooms. What follows?",
    right="nothing yet about importance: in other units the same model has other weights",
    wrong={
        "rooms matter more, because their weight is larger": (
            "Measure the area in hectares: its weight becomes 3,000,000, and no price changes."
        ),
        "area matters more, because areas are larger numbers": (
            "The product counts, but for which house, compared with which other one?"
        ),
        "one more room makes a house 20,000 dearer": (
            "Only in the model, with the same area. The world may work in another way."
        ),
    },
    explain="Weight times the distance from a baseline has the unit of the price, whatever the unit of the input.",
    hints=["Measure the area in square centimetres: what happens to its weight, and what to the prices?"],
)

q_completeness = number(
    "17.q_completeness",
    "The score of a picture is 9.5, that of the black picture -0.5. Integrated gradients give the ink of the upper "
    "half 6.5 in sum. How much does the lower half get?",
    answer=3.5,
    wrong={
        3.0: "You leave out what the baseline scores: attributions add up to the difference of the two scores.",
        2.5: "The score of the baseline is negative: look at the sign when you take the difference.",
        6.5: "The two halves need not get the same. What must both add up to?",
        10.0: "That is the sum of all attributions. The upper half has its part already.",
    },
    explain="All attributions add up to 9.5 - (-0.5) = 10, and 6.5 of them are spoken for.",
    hints=["All attributions together are the difference of the two scores."],
)

q_copy = choice(
    "17.q_copy",
    "A column has a nearly exact copy in the table. Both have little permutation importance. What do you conclude?",
    right="neither alone is needed by this model; what they say together may matter much",
    wrong={
        "both can go": "Try it: then the model loses what the two of them say.",
        "the model does not use either of them": "It may use both, half and half. Mixing one leaves the other.",
        "the target does not depend on them": "Importance is about this model, and not about the world.",
    },
    explain="Permute the two together, or take both out and train again: only then their common part shows.",
    hints=["What can the model do without one of them, while the other is there?"],
)

q_sanity = choice(
    "17.q_sanity",
    "A method draws the same maps for a trained network and for one with random weights. What does that prove?",
    right="its maps do not tell what the network has learned",
    wrong={
        "the network has learned nothing": "It reads digits well. The maps do not show it.",
        "the maps are right: they show what is important in the picture": (
            "They show something of the picture. But important to whom, if any weights will do?"
        ),
        "a method whose maps do change explains the network correctly": (
            "Changing is necessary, and not enough: noise changes as well."
        ),
    },
    explain=(
        "A method that ignores the weights cannot explain them. "
        "The test can refute an explanation; it never proves one."
    ),
    hints=["Two networks that know very different things get the same map. On what does the map depend?"],
)

q_deletion = choice(
    "17.q_deletion",
    "With the ten most important pixels deleted, the probability falls to nothing. Why is that weaker evidence than "
    "it seems?",
    right="the network has never seen pictures with such holes, so it may fail for that reason alone",
    wrong={
        "ten pixels are too few to measure anything": "With a mean over many pictures they are enough. Look elsewhere.",
        "deleting pixels changes the weights of the network": "The weights stay. What changes is the input.",
        "the probability would fall by the same amount for any ten pixels": (
            "That is what the random order is measured for, and it falls more slowly."
        ),
    },
    explain="That is why a control is needed, and why Hooker and others (2019) train the network again after deleting.",
    hints=["Do pictures with ten deleted pixels look like those that the network was trained on?"],
)
