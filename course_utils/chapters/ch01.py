"""Exercises of notebook 01, core concepts."""

import functools

import numpy as np

from course_utils.exercises import choice, do, exercise, number, prediction, repair

# ------------------------------------------------------------------------------- a unit, a network

p_line = prediction(
    "01.p_line",
    "The best that one straight line can do with these 200 points: how many per cent of them lie on the right side?",
    unit="per cent",
    explain="A line cannot follow the bend.",
    hints=["Any number from 50 to 100 is a guess. Hold a pencil on the screen and count the points on its wrong side."],
)


@exercise(
    "01.unit",
    cases=[
        ([3, 1], [2, -1], -3),
        ([3, 1], [-2, 1], 1),
        (np.array([0.5, -1.0]), np.array([1.0, 1.0]), 0.25),
        ([3, 1], [1, 1], 0),
        (np.array([1.0, 2.0, 3.0]), [0.5, 0.0, 2.0], -0.5),
        ([4], [0.5], 1),
    ],
    hints=[
        "First the sum: a loop over the pairs of an input and its weight (zip gives them), then the bias.",
        "ReLU of the sum: max(0, total).",
    ],
)
def unit(inputs, weights, bias):
    """What one unit gives: inputs times weights, plus the bias, through ReLU."""
    total = bias
    for x, w in zip(inputs, weights, strict=True):
        total = total + w * x
    return max(0, total)


@unit.mistake("The sum is right. ReLU is missing: a sum below zero becomes 0.")
def without_relu(inputs, weights, bias):
    return sum(w * x for x, w in zip(inputs, weights, strict=True)) + bias


@unit.mistake("The bias is missing: it is added to the sum, before ReLU.")
def without_bias(inputs, weights, bias):
    return max(0, sum(w * x for x, w in zip(inputs, weights, strict=True)))


@unit.mistake("You add the bias after ReLU. It belongs to the sum.")
def bias_after_relu(inputs, weights, bias):
    return max(0, sum(w * x for x, w in zip(inputs, weights, strict=True))) + bias


@unit.mistake("You add the bias once for each input. A unit has one bias.")
def bias_for_each(inputs, weights, bias):
    return max(0, sum(w * x + bias for x, w in zip(inputs, weights, strict=True)))


@unit.mistake("ReLU comes once, after the sum. You apply it to each product.")
def relu_of_each(inputs, weights, bias):
    return max(0, sum(max(0, w * x) for x, w in zip(inputs, weights, strict=True)) + bias)


@unit.mistake("You add weights and inputs. Each weight multiplies its input.")
def sums_of_pairs(inputs, weights, bias):
    return max(0, sum(w + x for x, w in zip(inputs, weights, strict=True)) + bias)


@unit.mistake("Only one product arrives. Add them all up: does the return stand inside the loop, or is there = for +=?")
def last_product_only(inputs, weights, bias):
    for x, w in zip(inputs, weights, strict=True):
        total = w * x
    return max(0, total + bias)


@unit.mistake("Only the first product arrives. Add them all up: does the return stand inside the loop?")
def first_product_only(inputs, weights, bias):
    total = bias
    for x, w in zip(inputs, weights, strict=True):
        total += w * x
        return max(0, total)


@unit.mistake("You take the smaller one of 0 and the sum. ReLU keeps what is above zero.")
def minimum(inputs, weights, bias):
    return min(0, sum(w * x for x, w in zip(inputs, weights, strict=True)) + bias)


@unit.mistake("You drop the sign. What is below zero becomes 0, not positive.")
def absolute(inputs, weights, bias):
    return abs(sum(w * x for x, w in zip(inputs, weights, strict=True)) + bias)


@unit.mistake("Only the first two inputs count in yours. A unit can have any number of them: go through all.")
def two_inputs_only(inputs, weights, bias):
    return max(0, inputs[0] * weights[0] + inputs[1] * weights[1] + bias)


@unit.right
def with_numpy(inputs, weights, bias):
    return np.maximum(0, np.dot(inputs, weights) + bias)


@unit.right
def with_an_if(inputs, weights, bias):
    total = bias
    for i in range(len(inputs)):
        total += inputs[i] * weights[i]
    if total < 0:
        return 0
    return total


q_no_relu = number(
    "01.q_no_relu",
    "Take ReLU away from the two hidden units of the drawing. Their values for the inputs 3 and 1 are then 2 and -2. "
    "What does the last unit give?",
    answer=0,
    wrong={
        2: "That is what it gives with ReLU. Without it, the second hidden unit has -2, and both are added.",
        4: "You subtract. Both weights of the last unit are 1: it adds.",
        -4: "One of the two hidden values is positive: 2 + (-2).",
        -2: "The first hidden unit has 2. Add both.",
    },
    explain="2 + (-2) = 0, for these and for all other inputs: sums of sums are one sum, and here its weights are 0.",
    hints=["The last unit multiplies each hidden value by 1 and adds them up."],
)

# -------------------------------------------------------------------------- training, validation, test


def overlapping(rows):
    """Training, validation, test: the first 60 %, the next 20 %, the last 20 %."""
    n = len(rows)
    training = rows[: int(0.8 * n)]
    validation = rows[int(0.6 * n) : int(0.8 * n)]
    test = rows[int(0.8 * n) :]
    return training, validation, test


@repair(
    "01.split",
    broken=overlapping,
    cases=[(list(range(10)),), (np.arange(5),), ([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9],), (list(range(100)),)],
    equivalent=["0.6 -> -0.4"],
    hints=[
        "Which rows are in two of the three parts? Compare where one part ends with where the next one begins.",
        "Training should be 60 % of the rows. How many does it have?",
    ],
)
def split(rows):
    """Training, validation, test: the first 60 %, the next 20 %, the last 20 %."""
    n = len(rows)
    training = rows[: int(0.6 * n)]
    validation = rows[int(0.6 * n) : int(0.8 * n)]
    test = rows[int(0.8 * n) :]
    return training, validation, test


@split.mistake("Validation and test have rows in common now, and training still has too many.")
def other_overlap(rows):
    n = len(rows)
    return rows[: int(0.8 * n)], rows[int(0.8 * n) :], rows[int(0.8 * n) :]


@split.mistake("No row is in two parts now. But the validation part has gone: 60 %, 20 % and 20 % are asked for.")
def no_validation(rows):
    n = len(rows)
    return rows[: int(0.8 * n)], rows[int(0.8 * n) : int(0.8 * n)], rows[int(0.8 * n) :]


@split.mistake("One row gets lost at each border. A slice ends before its second number, so the next one begins there.")
def rows_lost(rows):
    n = len(rows)
    return rows[: int(0.6 * n)], rows[int(0.6 * n) + 1 : int(0.8 * n)], rows[int(0.8 * n) + 1 :]


@split.mistake("The parts are right, in another order: training, validation, test is asked for.")
def order(rows):
    n = len(rows)
    return rows[: int(0.6 * n)], rows[int(0.8 * n) :], rows[int(0.6 * n) : int(0.8 * n)]


@split.mistake("No row is in two parts now. But the shares are others: 60 %, 20 % and 20 % are asked for.")
def other_shares(rows):
    n = len(rows)
    return rows[: int(0.8 * n)], rows[int(0.8 * n) : int(0.9 * n)], rows[int(0.9 * n) :]


@split.mistake("That is right for 100 rows only. Compute the borders from the number of rows.")
def for_a_hundred(rows):
    return rows[:60], rows[60:80], rows[80:]


@split.right
def with_two_borders(rows):
    first, second = int(0.6 * len(rows)), int(0.8 * len(rows))
    return rows[:first], rows[first:second], rows[second:]


q_which_set = choice(
    "01.q_which_set",
    "You train twenty networks and take the one that is best on the test set: 97 %. What will it do on new examples?",
    right="a little less than 97 %, because the test set was used to choose",
    wrong={
        "97 %, because the test examples were not trained on": (
            "They were not trained on, but they chose the network: the luckiest of twenty looks best."
        ),
        "more than 97 %, because there are more new examples": (
            "More examples make the estimate finer. They do not make the network better."
        ),
        "nothing can be said, because a test set says nothing about new examples": (
            "A test set that is used once, at the end, says a lot about them. How often was this one used?"
        ),
    },
    explain="Choose on the validation set. Then the test set, used once, tells what to expect.",
    hints=["Twenty networks that are equally good do not get the same score on one set. Which one do you take?"],
)


@functools.cache
def _new_moons():
    """Points that the notebook does not have."""
    from sklearn.datasets import make_moons

    points, side = make_moons(1000, noise=0.25, random_state=2024)
    return points.astype("float32"), side


def _judge_moons(network):
    """Share of 1,000 new points on their right side, or what keeps the network from being judged."""
    if not hasattr(network, "predict"):
        return (
            "Give the network itself. What fit returns is the history of the training: call fit on a line of its own."
        )
    points, side = _new_moons()
    answers = np.asarray(network.predict(points, verbose=0))
    if answers.shape != (len(points), 1):
        return (
            f"The answers have the shape {answers.shape}; one number for each point is asked for. End with one unit, "
            'Dense(1, activation="sigmoid").'
        )
    if not np.isfinite(answers).all():
        return "The answers are not numbers any more: the training went wrong. Take a smaller learning rate."
    share = float(np.mean((answers[:, 0] > 0.5) == side))
    if share < 0.7:
        return f"The network has not learned. Did you call compile and fit? {share:.3f} of 1,000 new points are right."
    if share < 0.89:
        return (
            'The border does not bend enough. Is there a hidden layer with "relu", and were there enough epochs? '
            f"{share:.3f} of 1,000 new points are right."
        )
    return share


@do(
    "01.moon_network",
    starter="moon_network = ...  # replace the dots, and add the lines that train it",
    judge=_judge_moons,
    at_least=0.91,
    what="of 1,000 new points are on the right side",
    hints=[
        "Copy the three statements from the cell above, with moon_network for line_network.",
        'Between the input and the last layer, add keras.layers.Dense(16, activation="relu").',
        "If it stays below: more epochs, such as 60.",
    ],
)
def moon_network():
    """A network with one hidden layer, trained on the 360 points of the training set."""
    import keras
    from sklearn.datasets import make_moons

    keras.utils.set_random_seed(0)
    points, side = make_moons(600, noise=0.25, random_state=42)
    hidden = keras.layers.Dense(16, activation="relu")
    moon_network = keras.Sequential([keras.Input((2,)), hidden, keras.layers.Dense(1, activation="sigmoid")])
    moon_network.compile(optimizer=keras.optimizers.Adam(0.03), loss="binary_crossentropy")
    moon_network.fit(points[:360], side[:360], epochs=60, batch_size=32, verbose=0)
    return moon_network


@moon_network.mistake("The border does not bend enough.")  # and the share of points that are right
def one_unit():
    import keras
    from sklearn.datasets import make_moons

    points, side = make_moons(600, noise=0.25, random_state=42)
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
    network.compile(optimizer=keras.optimizers.Adam(0.03), loss="binary_crossentropy")
    network.fit(points[:360], side[:360], epochs=40, batch_size=32, verbose=0)
    return network


@moon_network.mistake(
    "The network has not learned. Did you call compile and fit?"
)  # and the share of points that are right
def untrained():
    import keras

    keras.utils.set_random_seed(1)
    units = [keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros")]
    return keras.Sequential([keras.Input((2,)), *units])


@moon_network.mistake("The answers have the shape (1000, 2); one number for each point is asked for.")
def two_outputs():
    import keras

    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])


@moon_network.mistake(
    "Give the network itself. What fit returns is the history of the training: call fit on a line of its own."
)
def history():
    import keras

    return keras.callbacks.History()


@exercise(
    "01.only_one_right",
    cases=[
        (np.array([1, 2, 3, 4]), np.array([1, 2, 0, 4]), np.array([1, 0, 3, 0])),
        (np.array([7, 7, 7]), np.array([7, 7, 7]), np.array([7, 7, 7])),
        (np.array([0, 1, 2, 3, 4]), np.array([0, 1, 2, 3, 0]), np.array([0, 0, 0, 0, 0])),
        (np.array([5, 5]), np.array([1, 1]), np.array([5, 5])),
    ],
    hints=[
        "Go through the three together: for t, a, b in zip(truth, one, other).",
        "Count a picture for the first model if a == t and b != t.",
    ],
)
def only_one_right(truth, one, other):
    """How many examples only the first model has right, and how many only the other."""
    first = second = 0
    for t, a, b in zip(truth, one, other, strict=True):
        if a == t and b != t:
            first += 1
        if b == t and a != t:
            second += 1
    return first, second


@only_one_right.mistake("You count all that each model has right. Examples that both have right do not count.")
def all_right(truth, one, other):
    return (
        sum(a == t for t, a in zip(truth, one, strict=True)),
        sum(b == t for t, b in zip(truth, other, strict=True)),
    )


@only_one_right.mistake("The two numbers are exchanged: first those that only the first model has right.")
def exchanged(truth, one, other):
    first, second = only_one_right.reference(truth, one, other)
    return second, first


@only_one_right.mistake("You count where the two answers differ. Where they differ, both may be wrong.")
def where_they_differ(truth, one, other):
    different = sum(a != b for a, b in zip(one, other, strict=True))
    return different, different


@only_one_right.mistake("You count the errors of each model. Examples that both have wrong do not count.")
def all_wrong(truth, one, other):
    return (
        sum(b != t for t, b in zip(truth, other, strict=True)),
        sum(a != t for t, a in zip(truth, one, strict=True)),
    )


@only_one_right.mistake(
    "The other model also gets the examples that both have right. Ask: is the first one wrong there?"
)
def both_for_the_other(truth, one, other):
    first = second = 0
    for t, a, b in zip(truth, one, other, strict=True):
        if a == t and b != t:
            first += 1
        elif b == t:
            second += 1
    return first, second


@only_one_right.right
def with_sums(truth, one, other):
    first = sum(a == t and b != t for t, a, b in zip(truth, one, other, strict=True))
    second = sum(one[i] != truth[i] and other[i] == truth[i] for i in range(len(truth)))
    return first, second


@only_one_right.right
def with_arrays(truth, one, other):
    right, also = np.array(one) == np.array(truth), np.array(other) == np.array(truth)
    return int(np.sum(right & ~also)), int(np.sum(also & ~right))


# ------------------------------------------------------------------------------------ parameters


@exercise(
    "01.dense_parameters",
    cases=[([3, 2],), ([64, 128, 10],), ([5, 4, 3, 2],), ([7, 1],)],
    hints=[
        "Go through the layers: each has as many weights as there are pairs of an input and a unit.",
        "Each unit has one bias as well. The inputs are not units and have no bias.",
    ],
)
def dense_parameters(widths):
    """Parameters of a dense network; widths: inputs, then units of each layer."""
    return sum((inputs + 1) * units for inputs, units in zip(widths[:-1], widths[1:], strict=True))


@dense_parameters.mistake("You count the weights. Each unit has one more number that it adds at the end.")
def without_biases(widths):
    return sum(a * b for a, b in zip(widths[:-1], widths[1:], strict=True))


@dense_parameters.mistake("The inputs have no bias: they are given; nothing is computed there.")
def biases_for_inputs(widths):
    return sum(a * b for a, b in zip(widths[:-1], widths[1:], strict=True)) + sum(widths)


@dense_parameters.mistake("You multiply all widths with each other. Each layer is connected to the one before it only.")
def product(widths):
    result = 1
    for width in widths:
        result *= width
    return result + sum(widths[1:])


@dense_parameters.mistake("A layer has a bias for each of its units, not one in all.")
def one_bias_a_layer(widths):
    return sum(a * b + 1 for a, b in zip(widths[:-1], widths[1:], strict=True))


@dense_parameters.mistake("That is the number of units. The parameters sit on the connections between them.")
def units_only(widths):
    return sum(widths)


@dense_parameters.mistake("Each unit has one bias. You give a bias to each value that goes in.")
def biases_on_the_wrong_side(widths):
    return sum(inputs * (units + 1) for inputs, units in zip(widths[:-1], widths[1:], strict=True))


@dense_parameters.mistake("Only the last layer arrives. Do you write = where += adds up?")
def last_layer_only(widths):
    for inputs, units in zip(widths[:-1], widths[1:], strict=True):
        total = (inputs + 1) * units
    return total


@dense_parameters.mistake("Only the first layer arrives. Does the return stand inside the loop?")
def first_layer_only(widths):
    return (widths[0] + 1) * widths[1]


@dense_parameters.mistake("The last layer is missing. At which layer does your loop end?")
def without_last_layer(widths):
    return sum((a + 1) * b for a, b in zip(widths[:-2], widths[1:-1], strict=True))


@dense_parameters.mistake(
    "Your loop begins at 0, and widths[-1] is the LAST entry. The first layer with weights is number 1."
)
def wraps_around(widths):
    return sum((widths[layer - 1] + 1) * widths[layer] for layer in range(len(widths)))


@dense_parameters.mistake("You connect the inputs with the last layer. Each layer is connected to the one before it.")
def first_and_last(widths):
    return (widths[0] + 1) * widths[-1]


@dense_parameters.right
def with_a_loop(widths):
    total = 0
    for layer in range(1, len(widths)):
        total += widths[layer - 1] * widths[layer] + widths[layer]
    return total


@exercise(
    "01.transformer_parameters",
    cases=[(1, 4, 10), (12, 768, 50257), (96, 12288, 50257), (2, 8, 100)],
    hints=["Two terms: one for all blocks together, one for the table of tokens."],
)
def transformer_parameters(layers, width, vocabulary):
    """Parameters of a transformer: blocks L, numbers for each token d, tokens V."""
    return 12 * layers * width**2 + vocabulary * width


@transformer_parameters.mistake("You have the part with 4d². Each block has one with 8d² as well.")
def attention_only(layers, width, vocabulary):
    return 4 * layers * width**2 + vocabulary * width


@transformer_parameters.mistake("You have the part with 8d². Each block has one with 4d² as well.")
def feed_forward_only(layers, width, vocabulary):
    return 8 * layers * width**2 + vocabulary * width


@transformer_parameters.mistake("The table with a row for each token of the vocabulary is missing.")
def no_embedding(layers, width, vocabulary):
    return 12 * layers * width**2


@transformer_parameters.mistake(
    "A block has matrices of width by width. In yours the parameters grow with the width only."
)
def width_not_squared(layers, width, vocabulary):
    return 12 * layers * width + vocabulary * width


@transformer_parameters.mistake("You count one block. How often does it stand in the model?")
def one_block(layers, width, vocabulary):
    return 12 * width**2 + vocabulary * width


@transformer_parameters.mistake("The table has a row for each token, and each row has as many numbers as the width.")
def rows_without_width(layers, width, vocabulary):
    return 12 * layers * width**2 + vocabulary


@transformer_parameters.mistake("Only the width is squared. 12 and the number of blocks are factors.")
def all_squared(layers, width, vocabulary):
    return (12 * layers * width) ** 2 + vocabulary * width


@transformer_parameters.mistake("The table of tokens stands once, before the blocks. You count it in every block.")
def table_in_each_block(layers, width, vocabulary):
    return layers * (12 * width**2 + vocabulary * width)


@transformer_parameters.mistake("Blocks and width are exchanged: it is the width that is squared.")
def blocks_squared(layers, width, vocabulary):
    return 12 * width * layers**2 + vocabulary * layers


@transformer_parameters.right
def part_by_part(layers, width, vocabulary):
    attention, feed_forward = 4 * width * width, 2 * (width * 4 * width)
    return layers * (attention + feed_forward) + vocabulary * width


# ---------------------------------------------------------------------------------------- memory


@exercise(
    "01.training_memory",
    cases=[(1e9,), (33_333_000,), (7.5e9, 2, 2, 12), (175e9, 2, 0, 0), (3e8, 4, 4, 0), (19_210, 4, 0, 8)],
    equivalent=["1000000000.0 -> 1000000001.0", "1000000000.0 -> 999999999.0"],
    hints=["How many bytes does one parameter need in all? Then times the parameters, in units of a billion."],
)
def training_memory(parameters, weight=4, gradient=4, optimizer=8):
    """Gigabytes (1e9 bytes) in training; the other three: bytes for each parameter."""
    return parameters * (weight + gradient + optimizer) / 1e9


@training_memory.mistake("Times and divided come before plus: put parentheses around the three that you add.")
def no_parentheses(parameters, weight=4, gradient=4, optimizer=8):
    return parameters * weight + gradient + optimizer / 1e9


@training_memory.mistake("Sixteen is right for the defaults only. Use weight, gradient and optimizer.")
def always_sixteen(parameters, weight=4, gradient=4, optimizer=8):
    return 16 * parameters / 1e9


@training_memory.mistake("You round. Do not: a small network needs a small part of a gigabyte, and 0.0 says nothing.")
def rounded(parameters, weight=4, gradient=4, optimizer=8):
    return round(parameters * (weight + gradient + optimizer) / 1e9, 2)


@training_memory.mistake("// drops what is behind the point. Divide with /.")
def whole_gigabytes(parameters, weight=4, gradient=4, optimizer=8):
    return parameters * (weight + gradient + optimizer) // 1e9


@training_memory.mistake("That is in megabytes. A gigabyte is 1e9 bytes.")
def in_megabytes(parameters, weight=4, gradient=4, optimizer=8):
    return parameters * (weight + gradient + optimizer) / 1e6


@training_memory.mistake("The 8 bytes of the optimizer are for both of its numbers already. You count them twice.")
def optimizer_twice(parameters, weight=4, gradient=4, optimizer=8):
    return parameters * (weight + gradient + 2 * optimizer) / 1e9


@training_memory.mistake("That is in bits. The three numbers are bytes already.")
def in_bits(parameters, weight=4, gradient=4, optimizer=8):
    return 8 * parameters * (weight + gradient + optimizer) / 1e9


@training_memory.mistake("You have the bytes for one parameter. How many parameters are there?")
def one_parameter(parameters, weight=4, gradient=4, optimizer=8):
    return (weight + gradient + optimizer) / 1e9


@training_memory.mistake("The optimizer keeps numbers of its own for each parameter. They are missing.")
def no_optimizer(parameters, weight=4, gradient=4, optimizer=8):
    return parameters * (weight + gradient) / 1e9


@training_memory.mistake(
    "Only the weights count in yours. Is a part missing, or a pair of parentheses? Times comes before plus."
)
def weights_only(parameters, weight=4, gradient=4, optimizer=8):
    return parameters * weight / 1e9


@training_memory.mistake("You divide by 1024 three times: those are gibibytes. A gigabyte is a billion bytes here.")
def gibibytes(parameters, weight=4, gradient=4, optimizer=8):
    return parameters * (weight + gradient + optimizer) / 1024**3


@training_memory.mistake("Your answer is in bytes. How many of them are a gigabyte?")
def in_bytes(parameters, weight=4, gradient=4, optimizer=8):
    return parameters * (weight + gradient + optimizer)


@training_memory.mistake("You multiply the three with each other. Each is kept beside the others.")
def multiplied(parameters, weight=4, gradient=4, optimizer=8):
    return parameters * weight * gradient * optimizer / 1e9


@training_memory.right
def added_up(parameters, weight=4, gradient=4, optimizer=8):
    return sum(parameters * each for each in (weight, gradient, optimizer)) * 1e-9


# --------------------------------------------------------------------------------------- compute


@exercise(
    "01.training_days",
    cases=[(1e6, 1e8, 1e10), (174.6e9, 300e9, 1e17), (70e9, 1.4e12, 312e12, 1000, 0.4), (1e9, 2e10, 1e14, 8, 0.5)],
    hints=[
        "First the operations in all, then the operations that all processors really do in a second, then the seconds.",
        "A day has 86,400 seconds.",
    ],
)
def training_days(parameters, tokens, flops, processors=1, used=1.0):
    """Days; flops: operations of one processor in a second; used: part achieved."""
    return 6 * parameters * tokens / (flops * processors * used) / 86_400


@training_days.mistake("You count the forward pass only. The backward pass costs about twice as much again.")
def forward_only(parameters, tokens, flops, processors=1, used=1.0):
    return 2 * parameters * tokens / (flops * processors * used) / 86_400


@training_days.mistake("Your processors run at their full speed all the time. The part that is used is missing.")
def never_idle(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * parameters * tokens / (flops * processors) / 86_400


@training_days.mistake("More processors should need less time; yours need more.")
def the_more_the_slower(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * parameters * tokens * processors / (flops * used) / 86_400


@training_days.mistake("Your answer is in seconds.")
def in_seconds(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * parameters * tokens / (flops * processors * used)


@training_days.mistake("Your answer is in hours.")
def in_hours(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * parameters * tokens / (flops * processors * used) / 3600


@training_days.mistake("You use one processor, however many there are.")
def alone(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * parameters * tokens / (flops * used) / 86_400


@training_days.mistake("More processors should need less time: put parentheses around all that you divide by.")
def without_parentheses(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * parameters * tokens / flops * processors * used / 86_400


@training_days.mistake("A part is used: multiply the speed by it. You divide the speed by it.")
def faster_by_idling(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * parameters * tokens * used / (flops * processors) / 86_400


@training_days.mistake("used is the part that is achieved, not the part that is lost.")
def part_lost(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * parameters * tokens / (flops * processors * (1.0 - used + 1e-300)) / 86_400


@training_days.mistake("The 6 is missing: each parameter takes part in six operations for each token.")
def without_six(parameters, tokens, flops, processors=1, used=1.0):
    return parameters * tokens / (flops * processors * used) / 86_400


@training_days.mistake("You have the backward pass (4). The forward pass costs 2 more.")
def backward_only(parameters, tokens, flops, processors=1, used=1.0):
    return 4 * parameters * tokens / (flops * processors * used) / 86_400


@training_days.mistake("Every token meets every parameter: multiply the two, do not add them.")
def added(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * (parameters + tokens) / (flops * processors * used) / 86_400


@training_days.mistake("Your answer is in minutes.")
def in_minutes(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * parameters * tokens / (flops * processors * used) / 60


@training_days.mistake("Your answer is in years.")
def in_years(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * parameters * tokens / (flops * processors * used) / 86_400 / 365


@training_days.mistake("A day has 24 · 60 · 60 seconds. You take another number.")
def day_of_minutes(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * parameters * tokens / (flops * processors * used) / (24 * 60)


@training_days.mistake("To get days from seconds, divide by 86,400. You multiply.")
def times_a_day(parameters, tokens, flops, processors=1, used=1.0):
    return 6 * parameters * tokens / (flops * processors * used) * 86_400


@training_days.right
def step_by_step(parameters, tokens, flops, processors=1, used=1.0):
    operations = 6 * parameters * tokens
    in_a_second = flops * processors * used
    return operations / in_a_second / 60 / 60 / 24


# -------------------------------------------------------------------------------------- questions

p_years = prediction(
    "01.p_years",
    "GPT-3 has 1.75 · 10¹¹ parameters and has read 3 · 10¹¹ tokens. How many years would this computer alone need for "
    "that training?",
    unit="years",
    explain="Nobody trains such a model alone: a thousand graphics cards do it in days.",
    hints=["Guess the power of ten: 10, 1,000, 100,000? A processor does about 10¹¹ operations a second."],
)

q_use = choice(
    "01.q_use",
    "A large language model is asked for the distance from your home to the station, and gives a wrong number in a "
    "perfect sentence. What is the best explanation?",
    right="it continues text in a likely way, and nothing in it looked the distance up",
    wrong={
        "it has too few parameters": "More parameters store more facts. This fact was in no text that it has read.",
        "it was trained with the wrong loss function": (
            "The loss is the usual one: predict the next token. A likely number makes it small, true or not."
        ),
        "it needs more processors to compute the distance": (
            "More processors answer faster. The same model then gives the same answer, sooner."
        ),
    },
    explain="It predicts tokens. With a tool, a map service that it may call, it could look the distance up.",
    hints=["What has the model learned to do with a text? What would it need in order to know?"],
)

q_kinds = choice(
    "01.q_kinds",
    "Which of these is a task, and not a kind of model?",
    right="speech recognition",
    wrong={
        "a recurrent network": "That is a kind of network. It can be used for many tasks.",
        "a convolutional network": "That is a kind of network: it says how units are connected, not what for.",
        "a transformer": "That is a kind of network, too: large models are built of it. It is used for many tasks.",
    },
    explain="A task says what goes in and what comes out. Which model does it is open, and has changed several times.",
    hints=["A kind of model can be used for many tasks. Which of the four names what is done, and not how?"],
)

q_weights = number(
    "01.q_weights",
    "A graphics card has 80 GB. How many billion parameters can a model have, if its weights are to fit into it with "
    "two bytes each?",
    answer=40,
    wrong={
        160: "You multiply. Each parameter needs two bytes.",
        80: "That is with one byte each.",
        20: "That is with four bytes each.",
        5: "That is the state in training, sixteen bytes each. The question is about the weights alone.",
    },
    also=(40e9,),
    explain="80 billion bytes / 2 = 40 billion parameters; a model of 175 billion needs several cards.",
    hints=["80 GB are 80 billion bytes. How many bytes does one weight take?"],
)

q_experts = choice(
    "01.q_experts",
    "DeepSeek-V3 has more parameters than Llama 3.1 405B, and needed far fewer operations to train. How?",
    right="each token passes through a small part of its parameters only",
    wrong={
        "it read far fewer tokens": "Compare the two numbers in the table: they are nearly the same.",
        "its parameters are stored in fewer bytes": (
            "That saves memory and speeds up each operation. It does not change how many there are."
        ),
        "the formula 6 N D does not hold for it": "It holds, with the right N. Which parameters does a token meet?",
    },
    explain="In a mixture of experts, a token meets the experts chosen for it: 37 of 671 billion parameters here.",
    hints=["Compute is paid for the parameters that a token passes through, not for those that are stored."],
)

q_small = choice(
    "01.q_small",
    "You have 400 rows of a table with ten columns. What do you try first?",
    right="a linear model, and then perhaps trees and a small network",
    wrong={
        "the largest network that fits into memory": (
            "It has far more parameters than you have numbers. Look at the table of section 9."
        ),
        "a recurrent network, because rows come one after the other": (
            "Is there an order in the rows that means something?"
        ),
        "nothing, because 400 rows are too few for any model": "The models in section 9 learned from about that many.",
    },
    explain=(
        "A linear model takes a second and is hard to beat on small tables. Whatever comes next "
        "has something to be compared with."
    ),
    hints=["Few rows and few columns: what can be trained in a second, and is hard to beat here?"],
)
