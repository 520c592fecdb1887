"""Exercises of notebook 12, smaller and faster."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# --------------------------------------------------------------------------------- eight bits


@exercise(
    "12.affine",
    cases=[
        (0.0, 255.0),
        (-1.0, 1.1),
        (0.5, 2.0),
        (-3.0, -1.0),
        (-0.2, 7.4),
        (-8.0, 0.6),
        (0.0, 0.0),
    ],
    hints=[
        "First widen the range so that 0 lies in it: it may only move the lower end down and the upper end up.",
        "From -128 to 127 there are 255 steps.",
        "The zero point is where 0 lands: low has to land on -128, and 0 is low / scale steps further up.",
    ],
)
def affine(low, high):
    """(scale, zero point) that spread low to high, widened to hold 0, over all int8; scale 1 if both are 0."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / 255 if high > low else 1.0
    return scale, round(-128 - low / scale)


@affine.mistake("The range has to hold the number 0, or zeros would be stored wrongly. Look at what is all positive.")
def without_zero(low, high):
    scale = (high - low) / 255 if high > low else 1.0
    return scale, round(-128 - low / scale)


@affine.mistake("There are 256 numbers from -128 to 127. How many steps lie between the first and the last?")
def by_256(low, high):
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / 256 if high > low else 1.0
    return scale, round(-128 - low / scale)


@affine.mistake("That zero point is for numbers from 0 to 255. Here they begin at -128.")
def unsigned(low, high):
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / 255 if high > low else 1.0
    return scale, round(-low / scale)


@affine.mistake("The zero point goes the wrong way: the lower low lies, the higher up zero is stored.")
def wrong_way(low, high):
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / 255 if high > low else 1.0
    return scale, round(-128 + low / scale)


@affine.mistake("The zero point is stored as one of the 256 whole numbers. Yours has a fraction.")
def not_rounded(low, high):
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / 255 if high > low else 1.0
    return scale, -128 - low / scale


@affine.mistake("Yours has zero in the middle, whatever the range. Values that are all positive then waste half of it.")
def symmetric(low, high):
    most = max(abs(low), abs(high))
    return (most / 127 if most else 1.0), 0


@affine.right
def from_the_upper_end(low, high):
    low, high = min(low, 0), max(high, 0)
    if low == high:
        return 1.0, -128
    scale = (high - low) / 255
    return scale, int(np.rint(127 - high / scale))


# ------------------------------------------------------------------------------------- pruning

_TABLE = np.array([[0.5, -0.1, 2.0], [-3.0, 0.05, 0.7]])


@exercise(
    "12.magnitude_mask",
    cases=[
        (np.array([1.0, -0.2]), 0.5),
        (_TABLE, 0.5),
        (_TABLE, 0.0),
        (_TABLE, 1.0),
        (np.array([-5.0, 4.0, 3.0, -2.0, 1.0, 6.0, -7.0, 0.5]), 0.25),
        (np.array([0.0, 0.0, 0.0, 0.0]), 0.5),
    ],
    hints=[
        "How many are to go? The share of all entries, rounded to a whole number.",
        "argsort of the absolute values, flattened, gives the places in the order in which they go.",
        "kind='stable' lets equal ones go in the order in which they stand. Mind the shape at the end.",
    ],
)
def magnitude_mask(weights, sparsity):
    """1 for weights that stay, 0 for the share sparsity of all that is nearest to 0; among equals the first ones go."""
    mask = np.ones(weights.size)
    order = np.argsort(np.abs(weights), axis=None, kind="stable")
    mask[order[: round(sparsity * weights.size)]] = 0
    return mask.reshape(weights.shape)


def _first(weights, keys, gone, value=0.0):
    mask = np.full(weights.size, 1.0 - value)
    mask[np.argsort(keys, axis=None, kind="stable")[:gone]] = value
    return mask.reshape(weights.shape)


@magnitude_mask.mistake("You take away the most negative weights. A weight of -3 acts as strongly as one of 3.")
def with_signs(weights, sparsity):
    mask = np.ones(weights.size)
    mask[np.argsort(weights, axis=None, kind="stable")[: round(sparsity * weights.size)]] = 0
    return mask.reshape(weights.shape)


@magnitude_mask.mistake("You take away the largest ones. Those are the weights that matter most.")
def largest_go(weights, sparsity):
    return _first(weights, -np.abs(weights), round(sparsity * weights.size))


@magnitude_mask.mistake("Sparsity is the share that goes. In yours that share stays.")
def share_that_stays(weights, sparsity):
    return _first(weights, np.abs(weights), round((1 - sparsity) * weights.size))


@magnitude_mask.mistake("Your mask is turned around: 1 is for what stays.")
def turned_around(weights, sparsity):
    return _first(weights, np.abs(weights), round(sparsity * weights.size), 1.0)


@magnitude_mask.mistake("You return the weights themselves. A mask has only the numbers 0 and 1.")
def masked_weights(weights, sparsity):
    return weights * _first(weights, np.abs(weights), round(sparsity * weights.size))


@magnitude_mask.mistake("You compare with a share of the largest weight. Count instead how many go.")
def below_a_share(weights, sparsity):
    return (np.abs(weights) >= sparsity * np.abs(weights).max()) * 1.0


@magnitude_mask.right
def by_ranks(weights, sparsity):
    order = np.argsort(np.abs(weights).ravel(), kind="stable")
    ranks = np.empty(weights.size, int)
    ranks[order] = np.arange(weights.size)
    return (ranks >= round(sparsity * weights.size)).reshape(weights.shape).astype(float)


# -------------------------------------------------------------------------------- distillation

_STUDENT = np.array([[1.0, -0.5, 0.2], [0.3, 2.0, -1.0]])
_TEACHER = np.array([[4.0, 1.0, -2.0], [-1.0, 3.0, 0.5]])


@exercise(
    "12.distillation_loss",
    cases=[
        (np.array([[0.0, 1.0]]), np.array([[2.0, 0.0]]), 1.0),
        (_STUDENT, _TEACHER, 2.0),
        (_STUDENT[::-1], _TEACHER, 5.0),
        (np.array([[3000.0, 0.0]]), np.array([[0.0, 5.0]]), 2.0),
        (np.array([[0.0, 1.0]]), np.array([[4000.0, 0.0]]), 2.0),
    ],
    hints=[
        "Divide both kinds of logits by the temperature first.",
        "The teacher's side becomes probabilities by softmax, the student's side their logarithms: "
        "subtract each row's largest before the exponential.",
        "Multiply the two, sum over the classes, take minus the mean over the rows, times the temperature squared.",
    ],
)
def distillation_loss(student, teacher, temperature):
    """T² times the mean cross-entropy of student and teacher logits (n, classes), both divided by T = temperature."""
    z, t = student / temperature, teacher / temperature
    z, t = z - z.max(axis=1, keepdims=True), t - t.max(axis=1, keepdims=True)
    wanted = np.exp(t) / np.exp(t).sum(axis=1, keepdims=True)
    logarithms = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -(temperature**2) * np.mean((wanted * logarithms).sum(axis=1))


def _log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@distillation_loss.mistake("The temperature has no effect on the probabilities in yours: it divides the logits first.")
def no_temperature(student, teacher, temperature):
    z, t = student - student.max(axis=1, keepdims=True), teacher - teacher.max(axis=1, keepdims=True)
    wanted = np.exp(t) / np.exp(t).sum(axis=1, keepdims=True)
    logarithms = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -(temperature**2) * np.mean((wanted * logarithms).sum(axis=1))


@distillation_loss.mistake("The factor is missing that keeps gradients as large at every temperature. It is a square.")
def without_square(student, teacher, temperature):
    wanted = np.exp(_log_softmax(teacher / temperature))
    return -np.mean((wanted * _log_softmax(student / temperature)).sum(axis=1))


@distillation_loss.mistake("Only one side is softened. The student is compared at the same temperature as the teacher.")
def teacher_only(student, teacher, temperature):
    wanted = np.exp(_log_softmax(teacher / temperature))
    return -(temperature**2) * np.mean((wanted * _log_softmax(student)).sum(axis=1))


@distillation_loss.mistake("The roles are exchanged: the logarithm belongs to the student, the weights to the teacher.")
def exchanged(student, teacher, temperature):
    wanted = np.exp(_log_softmax(student / temperature))
    return -(temperature**2) * np.mean((wanted * _log_softmax(teacher / temperature)).sum(axis=1))


@distillation_loss.mistake("You take the mean over the classes as well. They are summed; the mean is over the rows.")
def mean_of_all(student, teacher, temperature):
    wanted = np.exp(_log_softmax(teacher / temperature))
    return -(temperature**2) * np.mean(wanted * _log_softmax(student / temperature))


@distillation_loss.mistake("You take the teacher's first choice as a hard label. Its doubts are what it has to teach.")
def hard_labels(student, teacher, temperature):
    wanted = np.eye(student.shape[1])[teacher.argmax(axis=1)]
    return -(temperature**2) * np.mean((wanted * _log_softmax(student / temperature)).sum(axis=1))


@distillation_loss.right
def by_scipy(student, teacher, temperature):
    from scipy.special import log_softmax, softmax

    terms = softmax(teacher / temperature, axis=1) * log_softmax(student / temperature, axis=1)
    return -np.sum(terms) / len(student) * temperature * temperature


# ---------------------------------------------------------------------- separable convolution


@exercise(
    "12.separable_cost",
    cases=[(1, 1, 1, 1, 1), (3, 3, 16, 32, 64), (5, 3, 2, 7, 12), (3, 1, 8, 4, 1)],
    hints=[
        "First one kernel for each channel that comes in, and nothing mixes.",
        "Then, at each place, each outgoing channel is a sum of c products.",
        "No bias here, and every weight is used once at every place.",
    ],
)
def separable_cost(m, n, c, f, places):
    """(weights, multiplications) of kernels m x n, one for each of c channels, then 1 x 1 to f; no bias."""
    weights = m * n * c + c * f
    return weights, places * weights


@separable_cost.mistake("That is the ordinary convolution, which sees all channels with each kernel.")
def ordinary(m, n, c, f, places):
    return m * n * c * f, places * m * n * c * f


@separable_cost.mistake("You have only the first half. Something has to mix the channels.")
def depthwise_only(m, n, c, f, places):
    return m * n * c, places * m * n * c


@separable_cost.mistake("The depthwise half has one kernel for each channel that comes in, not for each that goes out.")
def kernels_of_the_output(m, n, c, f, places):
    weights = m * n * f + c * f
    return weights, places * weights


@separable_cost.mistake("The weights are right. Each is used at every place.")
def used_once(m, n, c, f, places):
    return m * n * c + c * f, m * n * c + c * f


@separable_cost.mistake("The two halves come one after the other: their costs add up.")
def multiplied(m, n, c, f, places):
    weights = m * n * c * c * f
    return weights, places * weights


@separable_cost.right
def factored(m, n, c, f, places):
    return c * (m * n + f), c * (m * n + f) * places


# -------------------------------------------------------------------------------------- pareto


@exercise(
    "12.pareto",
    cases=[
        (np.array([[1.0, 2.0], [2.0, 3.0]]),),
        (np.array([[1.0, 5.0], [2.0, 4.0], [3.0, 4.5], [0.5, 9.0], [2.0, 6.0]]),),
        (np.array([[1.0, 1.0, 3.0], [1.0, 2.0, 3.0], [2.0, 0.5, 4.0], [3.0, 3.0, 1.0]]),),
        (np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 2.0]]),),
        (np.array([[7.0, 7.0]]),),
    ],
    hints=[
        "Row i is beaten by row j if j is nowhere larger, and somewhere smaller.",
        "Compare every row with every other: costs[:, None] against costs[None] has the shape (n, n, k).",
    ],
)
def pareto(costs):
    """True (n,) for each row of costs (n, k) that no other row beats: nowhere larger and somewhere smaller."""
    never_larger = (costs[None] <= costs[:, None]).all(axis=2)
    smaller = (costs[None] < costs[:, None]).any(axis=2)
    return ~(never_larger & smaller).any(axis=1)


@pareto.mistake("Two equal rows throw each other out. A row is beaten only by one that is smaller somewhere.")
def equals_beat(costs):
    better = (costs[None] <= costs[:, None]).all(axis=2)
    return better.sum(axis=1) == 1


@pareto.mistake("To be beaten, a row need not be worse everywhere: equal in one cost and worse in another is enough.")
def worse_everywhere(costs):
    return ~(costs[None] < costs[:, None]).all(axis=2).any(axis=1)


@pareto.mistake("You keep the beaten ones. The question is which are not.")
def turned(costs):
    return ((costs[None] <= costs[:, None]).all(axis=2) & (costs[None] < costs[:, None]).any(axis=2)).any(axis=1)


@pareto.mistake("You keep the best in a single cost. A good compromise is best in none, and still not beaten.")
def best_in_one(costs):
    return (costs == costs.min(axis=0)).any(axis=1)


@pareto.mistake("Costs are to be small. Yours keeps those that are large.")
def large_is_good(costs):
    return ~((costs[None] >= costs[:, None]).all(axis=2) & (costs[None] > costs[:, None]).any(axis=2)).any(axis=1)


@pareto.right
def row_by_row(costs):
    kept = []
    for row in costs:
        kept.append(not any((other <= row).all() and (other < row).any() for other in costs))
    return np.array(kept)


# ----------------------------------------------------------------------------------- questions

q_latency = choice(
    "12.q_latency",
    "Why report the median and the 95th percentile of the times, and not their mean?",
    right="a few slow calls, caused by other programs, move the mean but not the median; users feel them in the 95th",
    wrong={
        "the mean of times cannot be computed exactly": "It can. The trouble is what it is made of.",
        "the median is always smaller, so the model looks better": "Often it is, but looking better is no reason.",
        "the 95th percentile is the time of the slowest call": "Five calls in a hundred are slower still.",
    },
    explain="Times have a long tail. The median is the usual one; one in twenty is above the 95th percentile.",
    hints=["One slow call in a hundred: what does it do to a mean, and what to a median?"],
)

q_int32 = number(
    "12.q_int32",
    "Products of two 8-bit numbers are added in 32 bits, which hold up to 2,147,483,647. Each product is at most "
    "128 · 128. How many can be added, at least, before the sum could overflow?",
    answer=131071,
    wrong={
        16777215: "You divide by 128. Both factors may be as large as that.",
        8421504: "You divide by 255. The largest product is a product.",
        33025: "That is for numbers up to 255. With a sign they reach 128.",
        16384: "That is the largest product. How many of them fit?",
    },
    explain="2,147,483,647 / 16,384 is 131,071.99: more than any layer of this chapter adds up.",
    hints=["Divide the largest number by the largest product, and round down."],
)

q_prune = choice(
    "12.q_prune",
    "Nine in ten weights of a matrix are zero. Why does an ordinary matrix product take as long as before?",
    right="it multiplies by the zeros as by any number; only a format that leaves them out saves time",
    wrong={
        "the zeros have to be multiplied more carefully": "A product with zero is a product like any other.",
        "pruning makes the remaining weights larger": "Their size does not matter for the time.",
        "the processor checks for each weight whether it is zero": "It does not check. It would be faster if it did.",
    },
    explain="Time falls only with a sparse format and a kernel for it, or when whole rows or channels are taken out.",
    hints=["Does the product know which numbers are zero?"],
)

q_transfer = choice(
    "12.q_transfer",
    "For five seeds, transfer gains -0.002, +0.004, -0.003, +0.001 and +0.002 over training from scratch. You report",
    right="a mean of about 0 and its interval: no gain can be shown here",
    wrong={
        "+0.004, the best of the five": "The best of five is mostly luck. All five belong in the report.",
        "that transfer never helps": "Five seeds on one task say nothing about other tasks.",
        "that pre-training helps, since three of five are positive": "A coin does that half of the time.",
    },
    explain="Differences of the same seed form pairs; their mean and its interval say what can be said.",
    hints=["Compute the mean of the five, and look at their spread."],
)
