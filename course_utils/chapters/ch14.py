"""Exercises of notebook 14, scaling up."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# -------------------------------------------------------------------------------- counting work


@exercise(
    "14.forward_flops",
    cases=[(1, 1, 1, 1), (96, 64, 32, 2), (1000, 128, 64, 3), (50, 7, 10, 0)],
    hints=[
        "A product of (1, a) and (a, b) takes a * b multiplications and as many additions: 2ab in all.",
        "Matrices of a block, for one token: d × 3d, d × d, d × 4d and 4d × d. Together 12 d² numbers.",
        "Attention adds two products with T places: scores, 2Td, and the weighted sum, 2Td. The head is d × V.",
    ],
)
def forward_flops(vocabulary, context, width, layers):
    """FLOPs of all matrix products of a transformer for one token, forward; every place counts as seen."""
    weights = 24 * width**2
    attention = 4 * context * width
    head = 2 * width * vocabulary
    return layers * (weights + attention) + head


@forward_flops.mistake("You count a multiplication and its addition as one operation. They are two.")
def one_for_two(vocabulary, context, width, layers):
    return (layers * (24 * width**2 + 4 * context * width) + 2 * width * vocabulary) / 2


@forward_flops.mistake("Attention has two products without weights, over all places of the context. They are missing.")
def no_attention(vocabulary, context, width, layers):
    return layers * 24 * width**2 + 2 * width * vocabulary


@forward_flops.mistake("The last product is missing: from the width to every token of the vocabulary.")
def no_head(vocabulary, context, width, layers):
    return layers * (24 * width**2 + 4 * context * width)


@forward_flops.mistake("The head stands there once, at the end, and not in every layer.")
def head_in_each_layer(vocabulary, context, width, layers):
    return layers * (24 * width**2 + 4 * context * width + 2 * width * vocabulary)


@forward_flops.mistake("That is forward and backward. Here only the forward pass is asked for.")
def with_backward(vocabulary, context, width, layers):
    return 3 * (layers * (24 * width**2 + 4 * context * width) + 2 * width * vocabulary)


@forward_flops.mistake("Attention looks at all T places twice: once for the scores, once for the weighted sum.")
def scores_only(vocabulary, context, width, layers):
    return layers * (24 * width**2 + 2 * context * width) + 2 * width * vocabulary


@forward_flops.right
def one_by_one(vocabulary, context, width, layers):
    shapes = [(width, 3 * width), (width, context), (context, width), (width, width), (width, 4 * width)]
    shapes = (shapes + [(4 * width, width)]) * layers + [(width, vocabulary)]
    return sum(2 * rows * columns for rows, columns in shapes)


# ---------------------------------------------------------------------------------- power laws

_SIZES = np.array([1.0, 10.0, 100.0, 1000.0])


@exercise(
    "14.fit_power_law",
    cases=[
        (np.array([1.0, np.e]), np.array([np.e, 1.0])),
        (_SIZES, 3.0 * _SIZES**-0.25),
        (10 * _SIZES, np.array([5.0, 3.1, 2.2, 1.3])),
        (np.array([2.0, 3.0, 5.0]), np.array([0.5, 0.4, 0.45])),
    ],
    hints=[
        "Take the logarithm of both sides: ln y = ln c - a · ln x. That is a straight line.",
        "np.polyfit(u, v, 1) gives (slope, value at 0) of the straight line through points u, v.",
        "The slope is -a, and the value at 0 is ln c.",
    ],
)
def fit_power_law(x, y):
    """(c, a) of the power law y = c · x^(-a) that fits best: the least squares of the logarithms."""
    slope, at_zero = np.polyfit(np.log(x), np.log(y), 1)
    return np.exp(at_zero), -slope


@fit_power_law.mistake("The sign of the exponent: the law is written with a minus, so a falling curve has a > 0.")
def wrong_sign(x, y):
    slope, at_zero = np.polyfit(np.log(x), np.log(y), 1)
    return np.exp(at_zero), slope


@fit_power_law.mistake("The value at 0 of the line is ln c. You still have to undo the logarithm.")
def logarithm_left(x, y):
    slope, at_zero = np.polyfit(np.log(x), np.log(y), 1)
    return at_zero, -slope


@fit_power_law.mistake("Both numbers are right and stand in the wrong order: c first.")
def other_order(x, y):
    slope, at_zero = np.polyfit(np.log(x), np.log(y), 1)
    return -slope, np.exp(at_zero)


@fit_power_law.mistake("You fit a straight line to y itself. The power law is straight only in the logarithms of both.")
def no_logarithm(x, y):
    slope, at_zero = np.polyfit(x, y, 1)
    return at_zero, -slope


@fit_power_law.mistake("You take the logarithm of y only: that fits an exponential, not a power.")
def exponential(x, y):
    slope, at_zero = np.polyfit(x, np.log(y), 1)
    return np.exp(at_zero), -slope


@fit_power_law.mistake("x and y have changed places.")
def turned_around(x, y):
    slope, at_zero = np.polyfit(np.log(y), np.log(x), 1)
    return np.exp(at_zero), -slope


@fit_power_law.mistake("Base 10 on the way in, base e on the way out: use one of them for both.")
def mixed_bases(x, y):
    slope, at_zero = np.polyfit(np.log10(x), np.log10(y), 1)
    return np.exp(at_zero), -slope


@fit_power_law.right
def by_least_squares(x, y):
    left = np.stack([np.ones(len(x)), -np.log2(x)], axis=1)
    (at_zero, a), *_ = np.linalg.lstsq(left, np.log2(y), rcond=None)
    return 2**at_zero, a


# ------------------------------------------------------------------------ gradient accumulation

_PARTS = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]])


@exercise(
    "14.accumulated",
    cases=[
        (np.array([[2.0], [5.0]]), np.array([3, 1])),
        (_PARTS, np.array([4, 4, 2])),
        (_PARTS[:1], np.array([6])),
        (-_PARTS, np.array([1, 2, 3])),
    ],
    hints=[
        "A mean over a part, times the number of its examples, is the sum over the part.",
        "Add these sums, then divide by the number of all examples.",
    ],
)
def accumulated(gradients, sizes):
    """Gradient (n,) of the mean loss over all examples.

    gradients (k, n): those of the mean loss of each part; sizes (k,): examples in each part."""
    return sizes @ gradients / np.sum(sizes)


@accumulated.mistake("A small part counts as much as a large one in yours: fine only if all have the same size.")
def plain_mean(gradients, sizes):
    return np.mean(gradients, axis=0)


@accumulated.mistake("You add the gradients of means. The step is then as many times too long as there are parts.")
def plain_sum(gradients, sizes):
    return np.sum(gradients, axis=0)


@accumulated.mistake("That is the gradient of the summed loss. The mean is asked for: divide by all examples.")
def of_the_sum(gradients, sizes):
    return sizes @ gradients


@accumulated.mistake("You divide by the number of parts. The number of all examples is needed.")
def by_parts(gradients, sizes):
    return sizes @ gradients / len(sizes)


@accumulated.mistake("The average runs over the wrong axis: one number is left for each part, not for each weight.")
def wrong_axis(gradients, sizes):
    return np.mean(gradients, axis=1)


@accumulated.right
def by_average(gradients, sizes):
    return np.average(gradients, axis=0, weights=sizes)


# ------------------------------------------------------------------------------- communication


@exercise(
    "14.ring_seconds",
    cases=[
        (1e6, 2, 0.0, 1e9),
        (1e6, 2, 1e-3, 1e9),
        (5e7, 8, 2e-5, 2e10),
        (5e7, 1, 2e-5, 2e10),
    ],
    hints=[
        "There are two rounds of n - 1 messages each, so 2(n - 1) messages wait for each other.",
        "Each message carries one n-th of the gradient: 4 · parameters / n bytes.",
    ],
)
def ring_seconds(parameters, workers, latency, bandwidth):
    """Seconds of a ring all-reduce of float32 gradients; latency in s a message, bandwidth in bytes/s."""
    messages = 2 * (workers - 1)
    return messages * (latency + 4 * parameters / workers / bandwidth)


@ring_seconds.mistake("A float32 number has four bytes: you count one.")
def one_byte(parameters, workers, latency, bandwidth):
    return 2 * (workers - 1) * (latency + parameters / workers / bandwidth)


@ring_seconds.mistake("There are two rounds: one to add up the parts, one to hand the sums around.")
def one_round(parameters, workers, latency, bandwidth):
    return (workers - 1) * (latency + 4 * parameters / workers / bandwidth)


@ring_seconds.mistake("Each message carries one part of the gradient, an n-th of it, not the whole.")
def whole_messages(parameters, workers, latency, bandwidth):
    return 2 * (workers - 1) * (latency + 4 * parameters / bandwidth)


@ring_seconds.mistake("Every message waits for its latency, not only the first.")
def latency_once(parameters, workers, latency, bandwidth):
    return latency + 2 * (workers - 1) * 4 * parameters / workers / bandwidth


@ring_seconds.mistake("A worker sends to its neighbour n - 1 times in a round, not n times. Alone it sends nothing.")
def n_messages(parameters, workers, latency, bandwidth):
    return 2 * workers * (latency + 4 * parameters / workers / bandwidth)


@ring_seconds.mistake("The latency is missing: even an empty message takes its time.")
def no_latency(parameters, workers, latency, bandwidth):
    return 2 * (workers - 1) * 4 * parameters / workers / bandwidth


@ring_seconds.right
def in_two_terms(parameters, workers, latency, bandwidth):
    steps = 2 * workers - 2
    return steps * latency + steps / workers * parameters * 4 / bandwidth


# ------------------------------------------------------------------------------------ on paper


@exercise(
    "14.training_days",
    cases=[
        (1e9, 2e10, 1, 1e15, 0.5),
        (1e9, 2e10, 8, 1e15, 0.4),
        (7e10, 1.4e12, 1000, 1e15, 0.35),
    ],
    hints=[
        "The work: 6 FLOPs for each parameter and token.",
        "The speed: machines, times the peak of one, times the share of the peak that is really reached.",
        "A day has 86,400 seconds.",
    ],
)
def training_days(parameters, tokens, machines, peak, utilisation):
    """Days of training; peak in FLOP/s of one machine, utilisation from 0 to 1."""
    work = 6 * parameters * tokens
    return work / (machines * peak * utilisation) / 86400


@training_days.mistake("Those are seconds.")
def seconds(parameters, tokens, machines, peak, utilisation):
    return 6 * parameters * tokens / (machines * peak * utilisation)


@training_days.mistake("Those are hours.")
def hours(parameters, tokens, machines, peak, utilisation):
    return 6 * parameters * tokens / (machines * peak * utilisation) / 3600


@training_days.mistake("The forward pass takes 2 FLOPs for each parameter and token. Training takes three times that.")
def forward_only(parameters, tokens, machines, peak, utilisation):
    return 2 * parameters * tokens / (machines * peak * utilisation) / 86400


@training_days.mistake("No machine reaches its peak for long: the utilisation is not used.")
def at_peak(parameters, tokens, machines, peak, utilisation):
    return 6 * parameters * tokens / (machines * peak) / 86400


@training_days.mistake("A low utilisation makes your training shorter: it belongs to the speed.")
def faster_when_idle(parameters, tokens, machines, peak, utilisation):
    return 6 * parameters * tokens * utilisation / (machines * peak) / 86400


@training_days.mistake("More machines should need fewer days.")
def machines_multiplied(parameters, tokens, machines, peak, utilisation):
    return 6 * parameters * tokens * machines / (peak * utilisation) / 86400


@training_days.right
def by_steps(parameters, tokens, machines, peak, utilisation):
    per_day = peak * utilisation * 24 * 60 * 60 * machines
    return parameters * tokens / per_day * 6


# ----------------------------------------------------------------------------------- questions

q_halving = number(
    "14.q_halving",
    "A loss falls as the compute to the power -0.05, with no floor. By what factor must the compute grow to bring the "
    "loss down by one tenth, to 0.9 of what it was?",
    answer=8.2253,
    wrong={
        1.1111: "With an exponent of -1 it would be so. Yours is -0.05.",
        0.1216: "That is less compute. Which of the two is divided by which?",
        2.0: "Solve factor^(-0.05) = 0.9 for the factor.",
    },
    explain="0.9^(-1 / 0.05) = 0.9^-20, about 8.2: one tenth less loss for eight times the work, again and again.",
    hints=["Solve factor to the power -0.05 = 0.9 for the factor."],
)

q_memory = number(
    "14.q_memory",
    "A model of one billion parameters is trained with Adam, all in float32. How many gigabytes (10⁹ bytes) do "
    "weights, gradients and Adam's two averages need, without any activation?",
    answer=16,
    wrong={
        4: "Those are the weights alone.",
        8: "Weights and gradients. What does Adam keep for each weight?",
        12: "Adam keeps two averages for each weight, not one.",
        1: "A float32 number has four bytes.",
    },
    explain="Four numbers for each parameter, four bytes each: 16 bytes, so 16 GB.",
    hints=["Four numbers for each parameter, each of 4 bytes."],
)

q_bfloat = choice(
    "14.q_bfloat",
    "A weight of 1 is kept in bfloat16, and 0.001 is added to it a thousand times. What is it then?",
    right="1, because each sum is rounded back to 1",
    wrong={
        "2, as in float32": "How far is the next bfloat16 number above 1? The next cells print it.",
        "about 1.99, after small rounding errors": "The rounding errors are not small here: look at one addition.",
        "infinity, because bfloat16 overflows early": "It has as many exponent bits as float32, and reaches as far.",
    },
    explain="The next number above 1 is 1.0078. 0.001 is less than half of that step, so every sum is rounded to 1.",
    hints=["bfloat16 keeps about two or three digits. Is 1.001 different from 1 there?"],
)

q_parallel = choice(
    "14.q_parallel",
    "Two workers take one half of each batch, and their gradients are averaged. What stays as it was with one worker?",
    right="the loss of every step, up to rounding",
    wrong={
        "the time of a step": "Each does half of the work, and then both wait for the exchange.",
        "the memory of each worker": "Which of the four parts of section 4 depends on the size of the batch?",
        "the number of bytes sent": "One worker alone sends nothing.",
    },
    explain="The mean of two means over halves of equal size is the mean over the whole: same gradient, same weights.",
    hints=["The mean over a batch is the mean of the means of its two halves."],
)
