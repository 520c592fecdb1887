"""Exercises of notebook 16, data privacy."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# ------------------------------------------------------------------------------------- the attack

_MEMBERS = np.array([3.0, 1.0, 4.0, 2.0, 0.5])
_OTHERS = np.array([2.0, 0.0, 2.0, 5.0])


@exercise(
    "16.attack_auc",
    cases=[
        (np.array([2.0, 0.0]), np.array([1.0])),
        (np.array([1.0, 1.0]), np.array([1.0, 0.0, 3.0])),
        (_MEMBERS, _OTHERS),
        (np.array([-1.0, -1.0, 0.5]), np.array([-1.0, -2.0])),
    ],
    hints=[
        "Compare every member with every other record: a column against a row gives all pairs at once.",
        "A win counts 1 and a tie one half. The AUC is the mean of these over all pairs.",
    ],
)
def attack_auc(members, others):
    """Share of all pairs in which one of members (m,) beats one of others (k,)."""
    wins, ties = members[:, None] > others, members[:, None] == others
    return np.mean(wins + ties / 2)


@attack_auc.mistake("A tie is neither a win nor a loss: it counts as half a win.")
def ties_lost(members, others):
    return np.mean(members[:, None] > others)


@attack_auc.mistake("You count ties as full wins. An attack that gives all records one score would look perfect.")
def ties_won(members, others):
    return np.mean(members[:, None] >= others)


@attack_auc.mistake("Turned around: a win is a member with the higher score.")
def turned(members, others):
    wins, ties = members[:, None] < others, members[:, None] == others
    return np.mean(wins + ties / 2)


@attack_auc.mistake("That is the number of pairs won. The AUC is a share of all pairs.")
def not_a_share(members, others):
    wins, ties = members[:, None] > others, members[:, None] == others
    return np.sum(wins + ties / 2)


@attack_auc.mistake("You compare with the mean of the others only. Each member meets each of the others.")
def against_the_mean(members, others):
    return np.mean(members > np.mean(others))


@attack_auc.right
def by_ranks(members, others):
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([members, others]))
    m, k = len(members), len(others)
    return (ranks[:m].sum() - m * (m + 1) / 2) / (m * k)


_SCORES = np.array([9.0, 8.5, 7.0, 6.0, 5.0, 4.0, 4.0, 3.0, 2.0, 1.0])


@exercise(
    "16.tpr_at_fpr",
    cases=[
        (np.array([3.0, 1.0]), np.array([2.0, 0.0, 0.5, 1.5]), 0.1),
        (np.array([9.5, 8.6, 8.5, 7.5, 6.5, 5.5, 1.0, 0.0]), _SCORES, 0.15),
        (np.array([9.5, 4.0, 3.5, 4.5, 0.0]), _SCORES, 0.55),
        (np.array([9.5, 8.6, 7.0, 0.5, 8.5]), _SCORES[::-1], 0.25),
        (np.array([1.0, 2.0, 10.0]), _SCORES, 0.0),
    ],
    hints=[
        "How many of the others may be above the threshold? Round that down to a whole number.",
        "Order the others from high to low. The first one that may no longer be above is the threshold.",
    ],
)
def tpr_at_fpr(members, others, fpr):
    """Share of members (m,) above the threshold for fpr < 1, from others (k,)."""
    allowed = int(fpr * len(others))
    threshold = np.sort(others)[::-1][allowed]
    return np.mean(members > threshold)


@tpr_at_fpr.mistake("The threshold is set by the others, who must not be accused. Yours comes from the members.")
def threshold_from_members(members, others, fpr):
    return np.mean(members > np.sort(members)[::-1][int(fpr * len(members))])


@tpr_at_fpr.mistake("You order from low to high: then most of the others lie above your threshold.")
def from_the_low_end(members, others, fpr):
    return np.mean(members > np.sort(others)[int(fpr * len(others))])


@tpr_at_fpr.mistake("Strictly above: a member with just the score of the threshold is not found.")
def at_or_above(members, others, fpr):
    return np.mean(members >= np.sort(others)[::-1][int(fpr * len(others))])


@tpr_at_fpr.mistake("Your threshold is one place too low: one more of the others is above it than is allowed.")
def one_too_low(members, others, fpr):
    return np.mean(members > np.sort(others)[::-1][min(int(fpr * len(others)) + 1, len(others) - 1)])


@tpr_at_fpr.mistake("That is how many members are found. What is asked for is their share.")
def not_a_share_of_members(members, others, fpr):
    return np.sum(members > np.sort(others)[::-1][int(fpr * len(others))])


@tpr_at_fpr.mistake("That is the threshold. Which share of the members is above it?")
def only_the_threshold(members, others, fpr):
    return np.sort(others)[::-1][int(fpr * len(others))]


@tpr_at_fpr.right
def by_counting(members, others, fpr):
    allowed = int(fpr * len(others))
    return np.mean([np.sum(others >= score) <= allowed for score in members])


# ----------------------------------------------------------------------------------------- DP-SGD

_GRADIENTS = np.array([[3.0, -4.0, 0.0], [0.3, 0.0, -0.4], [0.0, 0.0, 0.0], [1.0, 2.0, -2.0]])


@exercise(
    "16.clip",
    cases=[
        (np.array([[3.0, 4.0], [0.3, 0.4]]), 1.0),
        (_GRADIENTS, 2.0),
        (_GRADIENTS, 0.25),
        (np.array([[0.6, 0.0, 0.8, 0.0]]), 5.0),
    ],
    hints=[
        "First the length of each row: one number for each record. Keep it as a column.",
        "The factor is the limit over the length, but never more than 1. A length of zero must not be divided by.",
    ],
    equivalent=["1e-12 -> -0.999999999999"],
)
def clip(gradients, clip_norm):
    """Rows of gradients (n, d), those longer than clip_norm shortened to it."""
    lengths = np.linalg.norm(gradients, axis=1, keepdims=True)
    return gradients * np.minimum(1, clip_norm / np.maximum(lengths, 1e-12))


@clip.mistake("Short gradients become longer in yours. Clipping only shortens.")
def all_to_the_limit(gradients, clip_norm):
    lengths = np.linalg.norm(gradients, axis=1, keepdims=True)
    return gradients * clip_norm / np.maximum(lengths, 1e-12)


@clip.mistake("You clip each entry by itself, and the direction changes. What is limited is the length of a row.")
def entry_by_entry(gradients, clip_norm):
    return np.clip(gradients, -clip_norm, clip_norm)


@clip.mistake("You take the length of the whole batch. Then one long gradient shortens all the others.")
def whole_batch(gradients, clip_norm):
    return gradients * min(1, clip_norm / max(np.linalg.norm(gradients), 1e-12))


@clip.mistake("You divide by the squared length. The length has a square root.")
def squared_length(gradients, clip_norm):
    lengths = np.sum(gradients**2, axis=1, keepdims=True)
    return gradients * np.minimum(1, clip_norm / np.maximum(lengths, 1e-12))


@clip.mistake("You add up absolute values. The length is the root of the sum of squares.")
def absolute_values(gradients, clip_norm):
    lengths = np.sum(np.abs(gradients), axis=1, keepdims=True)
    return gradients * np.minimum(1, clip_norm / np.maximum(lengths, 1e-12))


@clip.mistake("Gradients above the limit disappear in yours. They are to be shortened, not dropped.")
def dropped(gradients, clip_norm):
    return gradients * (np.linalg.norm(gradients, axis=1, keepdims=True) <= clip_norm)


@clip.right
def divided_by_the_larger(gradients, clip_norm):
    lengths = np.sqrt(np.einsum("nd,nd->n", gradients, gradients))
    return gradients / np.maximum(1, lengths / clip_norm)[:, None]


@exercise(
    "16.noisy_mean",
    cases=[
        (np.array([[1.0, 0.0], [0.5, -0.5], [0.0, 0.2]]), np.array([0.0, 1.0]), 2.0, 0.5, 4),
        (np.array([[1.0, 0.0, -1.0], [0.5, 0.5, 0.0]]), np.array([0.3, -1.2, 0.7]), 1.5, 3.0, 5.0),
        (np.zeros((0, 2)), np.array([1.0, -2.0]), 0.5, 4.0, 10),
    ],
    hints=[
        "Add up the rows, add the noise with its standard deviation, and divide at the end.",
        "The standard deviation is the noise multiplier times the limit of the length.",
    ],
)
def noisy_mean(clipped, noise, clip_norm, sigma, expected):
    """Private gradient (d,) of clipped (n, d), with standard normal noise (d,)."""
    return (clipped.sum(axis=0) + sigma * clip_norm * noise) / expected


@noisy_mean.mistake("You add the noise after the division. It belongs to the sum and is divided with it.")
def noise_behind(clipped, noise, clip_norm, sigma, expected):
    return clipped.sum(axis=0) / expected + sigma * clip_norm * noise


@noisy_mean.mistake("The noise must grow with the limit of the length: it has to hide one whole gradient.")
def without_the_limit(clipped, noise, clip_norm, sigma, expected):
    return (clipped.sum(axis=0) + sigma * noise) / expected


@noisy_mean.mistake("You divide by the size that this batch happens to have. That size depends on the records.")
def by_actual_size(clipped, noise, clip_norm, sigma, expected):
    return (clipped.sum(axis=0) + sigma * clip_norm * noise) / max(len(clipped), 1)


@noisy_mean.mistake("You take the mean of the rows first, so the noise is too large against it. Start from their sum.")
def mean_then_noise(clipped, noise, clip_norm, sigma, expected):
    mean = clipped.sum(axis=0) / max(len(clipped), 1)
    return (mean + sigma * clip_norm * noise) / expected


@noisy_mean.mistake("There is no noise in yours, and so no privacy.")
def without_noise(clipped, noise, clip_norm, sigma, expected):
    return clipped.sum(axis=0) / expected


@noisy_mean.mistake("The noise multiplier is a standard deviation. You use its square.")
def variance_for_deviation(clipped, noise, clip_norm, sigma, expected):
    return (clipped.sum(axis=0) + sigma**2 * clip_norm * noise) / expected


@noisy_mean.mistake("That is the noisy sum. What is asked for is the mean over the expected batch.")
def only_the_sum(clipped, noise, clip_norm, sigma, expected):
    return clipped.sum(axis=0) + sigma * clip_norm * noise


@noisy_mean.right
def one_more_row(clipped, noise, clip_norm, sigma, expected):
    return np.vstack([clipped, sigma * clip_norm * noise]).sum(axis=0) / expected


# -------------------------------------------------------------------------------------- federation


@exercise(
    "16.federated_average",
    cases=[
        (np.array([[1.0, 0.0, 2.0], [5.0, 4.0, -2.0]]), np.array([3.0, 1.0])),
        (np.array([[1.0, 2.0], [0.0, -1.0], [4.0, 0.5]]), np.array([10.0, 30.0, 60.0])),
        (np.array([[0.5, 1.5, -2.0, 1.0]]), np.array([7.0])),
    ],
    hints=[
        "Each client counts with its share of all records.",
        "Multiply each row with its client's records, add up the rows, and divide by all records.",
    ],
)
def federated_average(parameters, sizes):
    """Parameters (d,) from those of k clients (k, d) that hold sizes (k,) records."""
    return sizes @ parameters / sizes.sum()


@federated_average.mistake("Every client counts the same in yours, however few records it holds.")
def unweighted(parameters, sizes):
    return parameters.mean(axis=0)


@federated_average.mistake("The weights do not add up to 1. By what are they divided?")
def by_number_of_clients(parameters, sizes):
    return sizes @ parameters / len(sizes)


@federated_average.mistake("That is a weighted sum, not yet an average.")
def weighted_sum(parameters, sizes):
    return sizes @ parameters


@federated_average.mistake("Clients with few records count more in yours: the weight grows with the records.")
def inverse_weights(parameters, sizes):
    return (1 / sizes) @ parameters / np.sum(1 / sizes)


@federated_average.mistake("That takes the largest client alone. All of them are to be averaged.")
def largest_only(parameters, sizes):
    return parameters[np.argmax(sizes)]


@federated_average.right
def by_numpy(parameters, sizes):
    return np.average(parameters, axis=0, weights=sizes)


# ------------------------------------------------------------------------------------ the gradient

_INPUT = np.array([0.0, 0.5, 1.0, 0.25])
_SLOPES = np.array([0.0, 0.5, -0.75, 0.25])  # they add up to zero, as those of a softmax do


@exercise(
    "16.reconstruct",
    cases=[
        (np.outer([1.0, 0.5, 0.0], [0.5, -2.0]), np.array([0.5, -2.0])),
        (np.outer(_INPUT, _SLOPES), _SLOPES),
        (np.outer(_INPUT, [0.0, -0.5]), np.array([0.0, -0.5])),
        (np.outer(_INPUT, [0.2, 0.6, -0.1]), np.array([0.2, 0.6, -0.1])),
    ],
    hints=[
        "Which unit has the slope that is largest without its sign?",
        "The column of that unit is the input times its slope.",
    ],
)
def reconstruct(d_weights, d_bias):
    """Input (in,) of a layer, from one record's gradients (in, out) and (out,)."""
    unit = np.argmax(np.abs(d_bias))
    return d_weights[:, unit] / d_bias[unit]


@reconstruct.mistake("That column is the input times a slope. Which number takes the slope away?")
def not_divided(d_weights, d_bias):
    return d_weights[:, np.argmax(np.abs(d_bias))]


@reconstruct.mistake("The sign of the slope belongs to it: with a negative one your picture comes out negative.")
def sign_lost(d_weights, d_bias):
    unit = np.argmax(np.abs(d_bias))
    return d_weights[:, unit] / np.abs(d_bias[unit])


@reconstruct.mistake("Unit 0 may be silent for this record. Choose a unit whose slope is not zero.")
def first_unit(d_weights, d_bias):
    return d_weights[:, 0] / d_bias[0]


@reconstruct.mistake("Slopes of both signs can add up to zero. Do not add up the units: choose one.")
def all_units(d_weights, d_bias):
    return d_weights.sum(axis=1) / d_bias.sum()


@reconstruct.mistake("You multiply with the slope once more instead of taking it away.")
def multiplied(d_weights, d_bias):
    unit = np.argmax(np.abs(d_bias))
    return d_weights[:, unit] * d_bias[unit]


@reconstruct.mistake("That is a row: one pixel's weights to all units. What belongs to one unit is a column.")
def a_row(d_weights, d_bias):
    unit = np.argmax(np.abs(d_bias))
    return d_weights[unit] / d_bias[unit]


@reconstruct.right
def least_squares(d_weights, d_bias):
    return d_weights @ d_bias / (d_bias @ d_bias)


# -------------------------------------------------------------------------------------- questions

q_average = choice(
    "16.q_average",
    "An attack on your model has an AUC of 0.52. What do you know about the safety of single members?",
    right="little: a few members may still be found with near certainty",
    wrong={
        "each member is exposed a little, by 2 percentage points": (
            "The AUC is a mean over all pairs. How the 0.02 is shared among the members, it does not say."
        ),
        "nobody can be found, because 0.52 is nearly guessing": (
            "Suppose 4 % of the members are found for certain, and all others look alike. What is the AUC then?"
        ),
        "at a false-positive rate of 1 % it finds about 2 % of the members": (
            "The AUC fixes no point of the curve. Compare the two attacks on the overfitted model."
        ),
    },
    explain="If 4 % are found for certain and the rest are indistinguishable, the AUC is only 0.52.",
    hints=["The AUC is an average over all members. What can hide in an average?"],
)

q_epsilon = number(
    "16.q_epsilon",
    "In randomised response people tell the truth with probability 3/4. What is ε?",
    answer=float(np.log(3)),
    wrong={
        3.0: "That is the ratio of the two chances. How does ε enter it?",
        0.75: "That is the probability. Divide it by the other one first.",
        float(np.log10(3)): "You took the logarithm to base 10. The formula has the base e.",
        0.28768: "You took the logarithm of 1 over the probability. The ratio is of 3/4 to 1/4.",
    },
    explain="The chances of a yes are 3/4 and 1/4: their ratio 3 is e to the ε, so ε = ln 3 = 1.10.",
    hints=["How likely is a yes from someone with each of the two true answers? Divide the chances."],
)

q_poisson = choice(
    "16.q_poisson",
    "Why does each record flip a coin in DP-SGD, instead of batches of equal size from a shuffled list?",
    right="the computed ε holds for independent coins; for shuffled batches it would be another one",
    wrong={
        "random batches make the network more accurate": (
            "Shuffled batches are random, too. The reason is in what the accountant assumes."
        ),
        "coins are faster than shuffling": "They are not, and the batches of unequal size are a nuisance.",
        "so that each record takes part equally often": (
            "With shuffled batches it would. With coins, some records come more often than others."
        ),
    },
    explain="A proof covers what it assumes. To shuffle and to report the ε of coins is a common fault.",
    hints=["For which way of choosing records was the bound proved?"],
)

q_federated = choice(
    "16.q_federated",
    "In federated averaging the data never leave the clients. What does the server see?",
    right="each client's new parameters, which depend on its data",
    wrong={
        "nothing that depends on the data": "Without any dependence on the data nothing could be learned from them.",
        "only the average of all clients, which no single record can change": (
            "The server computes the average from what each client sends. And each record changes it."
        ),
        "the labels of each client, but not the pictures": "Neither is sent. Look at what is averaged.",
    },
    explain="The change of the parameters is made of gradients, and the next section reads a picture from one.",
    hints=["What does a client send after its training?"],
)

q_group = number(
    "16.q_group",
    "A release is differentially private with ε = 0.5 and δ = 0. Which ε holds for a family of four records together?",
    answer=2.0,
    wrong={
        0.5: "That is the promise for one record. Remove four of them, one after the other.",
        0.125: "Four records are harder to hide than one, so ε becomes larger.",
        1.0: "Four records, not two: each one that is removed costs a factor.",
        0.0625: "The factors of e to the ε are multiplied, four of them. What does that do to ε?",
    },
    explain="Remove one record after the other: four factors of e to the 0.5 make e to the 2.",
    hints=["Each record adds its own ε."],
)
