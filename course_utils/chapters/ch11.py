"""Exercises of notebook 11, choosing an architecture."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# -------------------------------------------------------------------------------- image patches

_PICTURE = np.arange(16.0).reshape(1, 4, 4)
_TWO = np.arange(72.0).reshape(2, 6, 6) ** 1.5


@exercise(
    "11.patches",
    cases=[(_PICTURE, 2), (_TWO, 2), (_TWO, 3), (_PICTURE, 1), (_PICTURE, 4)],
    hints=[
        "Split both sides first: (n, rows of patches, size, columns of patches, size).",
        "The two axes of a patch must stand together at the end before you flatten it.",
    ],
    equivalent=["1 -> 2"],  # the images are square
)
def patches(images, size):
    """Square pieces (n, pieces, size · size) of images (n, side, side), left to right, then down; each row by row."""
    n, side = len(images), images.shape[1] // size
    split = images.reshape(n, side, size, side, size).swapaxes(2, 3)
    return split.reshape(n, side * side, size * size)


@patches.mistake("You cut each picture's row of numbers into equal parts. A piece has neighbours above and below too.")
def cut_the_row(images, size):
    return images.reshape(len(images), -1, size * size)


@patches.mistake("Your pieces are right, but they come column by column. Go left to right first.")
def downwards_first(images, size):
    n, side = len(images), images.shape[1] // size
    split = images.reshape(n, side, size, side, size).transpose(0, 3, 1, 2, 4)
    return split.reshape(n, side * side, size * size)


@patches.mistake("Your pieces are in the right order, but each is turned over: within a piece go row by row.")
def turned_over(images, size):
    n, side = len(images), images.shape[1] // size
    split = images.reshape(n, side, size, side, size).transpose(0, 1, 3, 4, 2)
    return split.reshape(n, side * side, size * size)


@patches.mistake("The pieces are right. Flatten each of them: a piece is one row of numbers here.")
def still_square(images, size):
    n, side = len(images), images.shape[1] // size
    split = images.reshape(n, side, size, side, size).swapaxes(2, 3)
    return split.reshape(n, side * side, size, size)


@patches.mistake("That takes pixels from all over the picture, at equal distances. A piece is made of neighbours.")
def every_so_many(images, size):
    n, side = len(images), images.shape[1] // size
    split = images.reshape(n, size, side, size, side).transpose(0, 2, 4, 1, 3)
    return split.reshape(n, side * side, size * size)


@patches.right
def piece_by_piece(images, size):
    steps = range(0, images.shape[1], size)
    pieces = [images[:, i : i + size, j : j + size].reshape(len(images), -1) for i in steps for j in steps]
    return np.stack(pieces, axis=1)


# ---------------------------------------------------------------------------------- the budget


@exercise(
    "11.mlp_width",
    cases=[(2, 1, 13), (2, 1, 15), (2, 1, 16), (64, 10, 5000), (30, 2, 2000), (100, 10, 121), (1, 3, 1003)],
    hints=[
        "How many numbers does one hidden unit bring with it: its weights, its bias, and its weights to the outputs?",
        "The biases of the outputs are there whatever the width. Take them from the budget first, and round down.",
    ],
)
def mlp_width(inputs, classes, budget):
    """Largest number of hidden units, in one hidden layer, with at most `budget` weights and biases in all."""
    return (budget - classes) // (inputs + 1 + classes)


@mlp_width.mistake("You count the weights only. The hidden units and the outputs have a bias each.")
def without_biases(inputs, classes, budget):
    return budget // (inputs + classes)


@mlp_width.mistake("The hidden layer alone fits into your budget. The output layer has weights too.")
def hidden_layer_only(inputs, classes, budget):
    return budget // (inputs + 1)


@mlp_width.mistake("Yours goes over the budget: a part of a unit cannot be had.")
def rounded_up(inputs, classes, budget):
    return -(-(budget - classes) // (inputs + 1 + classes))


@mlp_width.mistake("The biases of the outputs are missing. They do not depend on the width, but they count.")
def outputs_without_bias(inputs, classes, budget):
    return budget // (inputs + 1 + classes)


@mlp_width.mistake("Almost: the hidden units have a bias each as well.")
def hidden_without_bias(inputs, classes, budget):
    return (budget - classes) // (inputs + classes)


@mlp_width.mistake("The right size, but units come whole. Round it down.")
def not_rounded(inputs, classes, budget):
    return (budget - classes) / (inputs + 1 + classes)


@mlp_width.right
def by_trying(inputs, classes, budget):
    width = 0
    while (inputs + 1) * (width + 1) + (width + 2) * classes <= budget:
        width += 1
    return width


# ------------------------------------------------------------------------------------ the noise

_A = np.array([1, 1, 0, 1, 1, 1, 0, 1, 1, 1])
_B = np.array([1, 0, 0, 1, 1, 0, 1, 1, 1, 0])


@exercise(
    "11.paired_difference",
    cases=[
        (np.array([1, 1, 0, 1]), np.array([0, 1, 0, 0])),
        (_A, _B),
        (_B, _A),
        (np.array([1, 0, 1, 1, 0]), np.array([1, 0, 1, 1, 0])),
        (np.tile(_A, 5), np.repeat(_B, 5)),
    ],
    hints=[
        "Subtract example by example first: each difference is -1, 0 or 1.",
        "The standard error of a mean is the standard deviation (divide by N - 1) over the root of N.",
    ],
)
def paired_difference(a, b):
    """(mean of a - b, two standard errors of it); a, b (N,) are 1 where a model was right, on the same N examples."""
    d = np.asarray(a, dtype=float) - b
    return d.mean(), 2 * d.std(ddof=1) / np.sqrt(len(d))


@paired_difference.mistake("You treat the models as if each had its own examples. Subtract example by example first.")
def not_paired(a, b):
    spread = np.var(a, ddof=1) + np.var(b, ddof=1)
    return np.mean(a) - np.mean(b), 2 * np.sqrt(spread / len(a))


@paired_difference.mistake("That is how far single examples scatter. A mean of N of them is surer than one.")
def of_one_example(a, b):
    d = np.asarray(a, dtype=float) - b
    return d.mean(), 2 * d.std(ddof=1)


@paired_difference.mistake("One standard error, where two are asked for.")
def one_error(a, b):
    d = np.asarray(a, dtype=float) - b
    return d.mean(), d.std(ddof=1) / np.sqrt(len(d))


@paired_difference.mistake("The margin is right, the difference is turned around: a minus b.")
def turned_around(a, b):
    d = np.asarray(a, dtype=float) - b
    return -d.mean(), 2 * d.std(ddof=1) / np.sqrt(len(d))


@paired_difference.mistake("Nearly: the standard deviation of a sample divides by one less than their number.")
def divided_by_n(a, b):
    d = np.asarray(a, dtype=float) - b
    return d.mean(), 2 * d.std() / np.sqrt(len(d))


@paired_difference.mistake("A standard error divides by the root of the number of examples, not by the number.")
def without_the_root(a, b):
    d = np.asarray(a, dtype=float) - b
    return d.mean(), 2 * d.std(ddof=1) / len(d)


@paired_difference.right
def from_counts(a, b):
    n, only_a, only_b = len(a), np.sum(np.greater(a, b)), np.sum(np.greater(b, a))
    mean = (only_a - only_b) / n
    return mean, 2 * np.sqrt(((only_a + only_b) / n - mean**2) / (n - 1))


# ---------------------------------------------------------------------------------- permutation

_W = np.arange(12.0).reshape(4, 3) ** 2


@exercise(
    "11.permuted_weights",
    cases=[
        (np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([2, 0, 1])),
        (_W, np.array([1, 2, 3, 0])),
        (_W, np.array([3, 1, 2, 0])),
        (np.arange(25.0).reshape(5, 5), np.array([4, 2, 0, 1, 3])),
    ],
    hints=[
        "Input number i is now what input order[i] used to be. Which weights did that one have?",
        "Each input has a row of W. The rows have to move in the same way as the inputs.",
    ],
)
def permuted_weights(W, order):
    """Weights V with x[:, order] @ V equal to x @ W for every x (n, d); W is (d, units), order holds 0 to d - 1."""
    return np.take(W, order, axis=0)


@permuted_weights.mistake("You undo the permutation. The inputs were moved forwards: move their weights the same way.")
def undone(W, order):
    return W[np.argsort(order)]


@permuted_weights.mistake("Unchanged weights meet the wrong inputs now. Follow one input: which weights were its own?")
def unchanged(W, order):
    return W * 1.0


@permuted_weights.mistake("You turn the rows around, whatever the order is.")
def backwards(W, order):
    return W[::-1]


@permuted_weights.mistake("The units have moved, and the inputs not. Which axis of W belongs to the inputs?")
def columns_moved(W, order):
    return W[:, ::-1]


@permuted_weights.right
def rows_in_order(W, order):
    return W[order]


@permuted_weights.right
def by_a_matrix(W, order):
    return np.eye(len(W))[order] @ W


# ------------------------------------------------------------------------------------ the choice


@exercise(
    "11.simplest_good",
    cases=[
        (np.array([0.90, 0.95, 0.96]), np.array([0.02, 0.02, 0.0])),
        (np.array([0.97, 0.95, 0.96]), np.array([0.0, 0.01, 0.02])),
        (np.array([0.80, 0.86, 0.90, 0.95, 0.93]), np.array([0.05, 0.05, 0.06, 0.0, 0.03])),
        (np.array([0.94, 0.90, 0.95]), np.array([0.02, 0.02, 0.0])),
        (np.array([0.70, 0.80, 0.72, 0.90]), np.array([0.10, 0.05, 0.25, 0.0])),
    ],
    hints=[
        "How far is each model behind the best one? Compare that with its margin.",
        "Of those that are good enough, the first one in the list is the simplest.",
    ],
)
def simplest_good(accuracies, margins):
    """Index of the first model behind the best accuracy by at most its margin; both (models,), simplest first."""
    return int(np.argmax(accuracies.max() - accuracies <= margins))


@simplest_good.mistake("That is the most accurate model. Is there a simpler one that is behind by noise only?")
def the_best(accuracies, margins):
    return int(np.argmax(accuracies))


@simplest_good.mistake("That is the simplest of all. Is it really good enough?")
def the_first(accuracies, margins):
    return 0


@simplest_good.mistake("You take the last one that is good enough. They are sorted from simple to complicated.")
def the_last(accuracies, margins):
    return int(np.flatnonzero(accuracies.max() - accuracies <= margins)[-1])


@simplest_good.mistake("You take the first one that is clearly worse. Which side of the margin is good enough?")
def the_wrong_side(accuracies, margins):
    return int(np.argmax(accuracies.max() - accuracies > margins))


@simplest_good.mistake("You use the same margin for all. Each model has its own.")
def largest_margin(accuracies, margins):
    return int(np.argmax(accuracies.max() - accuracies <= margins.max()))


@simplest_good.right
def one_by_one(accuracies, margins):
    best = max(accuracies)
    return next(i for i in range(len(accuracies)) if best - accuracies[i] <= margins[i])


# ------------------------------------------------------------------------------------- questions

q_budget = number(
    "11.q_budget",
    "An MLP reads 100 numbers and has 20 hidden units and 10 outputs. How many weights and biases has it in all?",
    answer=2230,
    wrong={
        2200: "Those are the weights. Every unit, hidden or output, has a bias as well.",
        2220: "The outputs have biases too.",
        2020: "That is the hidden layer. The outputs follow.",
        20000: "Layers add up: the hidden layer and the output layer are not multiplied.",
    },
    tolerance=0.001,
    explain="101 numbers for each of 20 hidden units, and 21 for each of 10 outputs: 2,020 + 210 = 2,230.",
    hints=["Two layers: (inputs + 1) · hidden, and (hidden + 1) · outputs."],
)

q_fair = choice(
    "11.q_fair",
    "Somebody compares a CNN, tuned for a week, with a linear model at its defaults. What is wrong with that?",
    right="the effort differs: the gain may come from the tuning and not from the architecture",
    wrong={
        "nothing: the CNN needs the tuning, and a linear model does not": (
            "A linear model has a setting as well. What did it do to the accuracy here?"
        ),
        "a CNN must not be compared with a linear model at all": (
            "A comparison of unlike models is what you need in order to choose. What must be alike?"
        ),
        "the linear model has fewer weights, so it must lose": (
            "Fewer weights can be an advantage with few examples. Look at the other difference in the story."
        ),
    },
    explain="Give every candidate the same number of trials, chosen on the same validation examples.",
    hints=["What besides the architecture differs between the two?"],
)

q_noise = choice(
    "11.q_noise",
    "Model A is ahead of model B by 0.8 points, with a margin of 1.5 points. What do you say?",
    right="these examples cannot tell which of them is better",
    wrong={
        "A is better": "Other test examples could turn that around. Compare the lead with the margin.",
        "A and B are equally good": "Not to see a difference is not the same as seeing that they are equal.",
        "B is better": "The margin goes both ways, but the measurement itself points to A.",
    },
    explain="The interval from -0.7 to +2.3 points contains zero. Take the simpler one, or get more test examples.",
    hints=["Does the interval from 0.8 - 1.5 to 0.8 + 1.5 contain zero?"],
)

q_shuffle = choice(
    "11.q_shuffle",
    "You shuffle the pixels of all pictures, training and test alike, in one fixed way. Which model must get worse?",
    right="a CNN: its filters look for patterns among neighbours, and the neighbours are gone",
    wrong={
        "all of them: the pictures cannot be recognised any more": (
            "You cannot recognise them. But does an MLP know which pixels are neighbours?"
        ),
        "the linear model: each pixel has its own weight": (
            "Each weight may move along with its pixel. What does the sum do then?"
        ),
        "none of them: no pixel is lost": "Nothing is lost. But one of them can only use what lies close together.",
    },
    explain="Who treats all inputs alike cannot notice a permutation. A convolution relies on neighbours.",
    hints=["Which model looks at neighbouring pixels together?"],
)

q_text = choice(
    "11.q_text",
    "A thousand short texts, two topics. Which model do you try first, and why?",
    right="TF-IDF with a linear model: single words tell the topic, and it is trained in a moment",
    wrong={
        "attention: it is what large language models are made of": (
            "They learn what words mean from billions of words. How many do you have here?"
        ),
        "an RNN: a text is a sequence": "Is it the order of the words that tells the topic? Look at the shuffled ones.",
        "gradient-boosted trees: they win on tables": (
            "A word count table has thousands of columns, each nearly empty. How much does one split tell?"
        ),
    },
    explain="With few texts, a model that has little to learn is ahead. Keep it as the mark that others must beat.",
    hints=["What tells a topic: single words, or their order? And how many examples are there?"],
)
