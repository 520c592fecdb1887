"""Exercises of notebook 01, core concepts."""

from course_utils.exercises import choice, exercise, number

# ------------------------------------------------------------------------------------ parameters


@exercise(
    "01.dense_parameters",
    cases=[([3, 2],), ([64, 128, 10],), ([5, 4, 3, 2],), ([7, 1],)],
    hints=[
        "Go through the layers: each has as many weights as there are pairs of an input and a unit.",
        "Each unit has one bias besides. The inputs are no units and have none.",
    ],
)
def dense_parameters(widths):
    """Parameters of a dense network: widths are the inputs and then the units of each layer, such as [64, 32, 10]."""
    return sum((inputs + 1) * units for inputs, units in zip(widths[:-1], widths[1:], strict=True))


@dense_parameters.mistake("You count the weights. Each unit has one more number that it adds at the end.")
def without_biases(widths):
    return sum(a * b for a, b in zip(widths[:-1], widths[1:], strict=True))


@dense_parameters.mistake("The inputs have no bias: they are given, nothing is computed there.")
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
    """Parameters of a transformer, without biases: blocks, numbers for each token, tokens in the vocabulary."""
    return 12 * layers * width**2 + vocabulary * width


@transformer_parameters.mistake("You have the four matrices of attention. The block has a feed-forward part as well.")
def attention_only(layers, width, vocabulary):
    return 4 * layers * width**2 + vocabulary * width


@transformer_parameters.mistake("You have the feed-forward part. Where are the four matrices of attention?")
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


@transformer_parameters.right
def part_by_part(layers, width, vocabulary):
    attention, feed_forward = 4 * width * width, 2 * (width * 4 * width)
    return layers * (attention + feed_forward) + vocabulary * width


# ---------------------------------------------------------------------------------------- memory


@exercise(
    "01.training_memory",
    cases=[(1e9,), (33_333_000,), (7.5e9, 2, 2, 12), (175e9, 2, 0, 0), (3e8, 4, 4, 0)],
    equivalent=["1000000000.0 -> 1000000001.0", "1000000000.0 -> 999999999.0"],
    hints=["How many bytes does one parameter need in all? Then times the parameters, in units of a billion."],
)
def training_memory(parameters, weight=4, gradient=4, optimizer=8):
    """Gigabytes for a model's state in training; the other three are bytes for each parameter. 1 GB is 1e9 bytes."""
    return parameters * (weight + gradient + optimizer) / 1e9


@training_memory.mistake("The optimizer keeps numbers of its own for each parameter. They are missing.")
def no_optimizer(parameters, weight=4, gradient=4, optimizer=8):
    return parameters * (weight + gradient) / 1e9


@training_memory.mistake("You have the weights alone. Training keeps more than that for each parameter.")
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
    """Days of training: flops is what one processor can do in a second, used is the part of it that is achieved."""
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


@training_days.right
def step_by_step(parameters, tokens, flops, processors=1, used=1.0):
    operations = 6 * parameters * tokens
    in_a_second = flops * processors * used
    return operations / in_a_second / 60 / 60 / 24


# -------------------------------------------------------------------------------------- questions

q_kinds = choice(
    "01.q_kinds",
    "Which of these is a task, and not a kind of model?",
    right="speech recognition",
    wrong={
        "a recurrent network": "That is a kind of network. It can be used for many tasks.",
        "a convolutional network": "That is a kind of network: it says how units are connected, not what for.",
        "a large model": "That says how big a model is. What it is for is another question.",
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
    explain="80 billion bytes / 2 = 40 billion parameters; a model of 175 billion needs several cards.",
    hints=["80 GB are 80 billion bytes. How many bytes does one weight take?"],
)

q_experts = choice(
    "01.q_experts",
    "DeepSeek-V3 has more parameters than Llama 3.1 405B, and cost far less compute. How?",
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
    right="a linear model, and then a forest of trees",
    wrong={
        "the largest network that fits into memory": (
            "It has far more parameters than you have numbers. Look at the table of section 8."
        ),
        "a recurrent network, because rows come one after the other": (
            "Is there an order in the rows that means something?"
        ),
        "nothing, because 400 rows are too few for any model": "The models in section 8 learned from about that many.",
    },
    explain=(
        "They take a second, and on small tables they are hard to beat. A network then "
        "has something to be compared with."
    ),
    hints=["Few rows and few columns: what can be trained in a second, and is hard to beat here?"],
)
