"""Exercises of notebook 08, the text classifier."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# ------------------------------------------------------------------------------------- TF-IDF


@exercise(
    "08.tfidf_weight",
    cases=[(1, 9, 9), (2, 9, 4), (3, 100, 1), (0, 50, 7), (1, 1796, 42)]
    + [(np.array([[1, 0], [2, 3]]), 2, np.array([2, 1]))],
    hints=[
        "Three steps: a fraction, its logarithm, a product.",
        "Both numbers of texts get one added before they are divided; after the logarithm one is added as well.",
    ],
)
def tfidf_weight(count, texts, containing):
    """Weight of a word: times it stands in the text, texts in all, texts that contain it. No normalisation."""
    return count * (np.log((1 + texts) / (1 + containing)) + 1)


@tfidf_weight.mistake(
    "A word that stands in every text should still count a little. What does your formula give for it?"
)
def no_floor(count, texts, containing):
    return count * np.log((1 + texts) / (1 + containing))


@tfidf_weight.mistake(
    "Compare with the formula: as if one more text held every word. Which two numbers does that change?"
)
def not_smoothed(count, texts, containing):
    return count * (np.log(texts / containing) + 1)


@tfidf_weight.mistake("Rare words should weigh more, and yours weigh less: look at the fraction.")
def upside_down(count, texts, containing):
    return count * (np.log((1 + containing) / (1 + texts)) + 1)


@tfidf_weight.mistake("The weight does not grow with the number of times that the word stands in the text.")
def no_term_frequency(count, texts, containing):
    return np.log((1 + texts) / (1 + containing)) + 1


@tfidf_weight.mistake("The logarithm in the formula is the natural one. Which base does yours have?")
def base_ten(count, texts, containing):
    return count * (np.log10((1 + texts) / (1 + containing)) + 1)


@tfidf_weight.mistake("Where does the last 1 belong: inside the product with the count, or after it?")
def floor_outside(count, texts, containing):
    return count * np.log((1 + texts) / (1 + containing)) + 1


@tfidf_weight.right
def two_logarithms(count, texts, containing):
    rarity = np.log(1 + texts) - np.log(1 + containing)
    return count * rarity + count


# ---------------------------------------------------------------------------- Wilson's interval


@exercise(
    "08.wilson",
    cases=[(5, 10), (0, 10), (353, 360), (360, 360), (597, 717)],
    tolerance=1e-4,  # 1.96 is right, too
    hints=[
        "Name the parts: p is correct / n; then the centre, the half width, and what both are divided by.",
        "The denominator 1 + z²/n divides the centre and the half width alike.",
    ],
)
def wilson(correct, n, z=1.959964):
    """95 % interval (low, high) for a rate of correct out of n. Wilson (1927)."""
    p = correct / n
    centre = p + z**2 / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)


@wilson.mistake(
    "That is the textbook interval. Try it on 10 of 10: it has no width at all. Read the formula above again."
)
def textbook(correct, n, z=1.959964):
    p = correct / n
    half = z * np.sqrt(p * (1 - p) / n)
    return p - half, p + half


@wilson.mistake("Both ends are still too far out. What is the whole numerator divided by?")
def no_denominator(correct, n, z=1.959964):
    p = correct / n
    centre = p + z**2 / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return centre - half, centre + half


@wilson.mistake(
    "Your interval lies around the measured rate. Wilson's is pulled towards one half: look at the first term."
)
def not_pulled(correct, n, z=1.959964):
    p = correct / n
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (p - half) / (1 + z**2 / n), (p + half) / (1 + z**2 / n)


@wilson.mistake("The numbers are right and stand in the wrong order: the lower end comes first.")
def high_first(correct, n, z=1.959964):
    low, high = wilson.reference(correct, n, z)
    return high, low


@wilson.mistake("Under the root, the second term has n squared below it. What has yours?")
def n_not_squared(correct, n, z=1.959964):
    p = correct / n
    centre = p + z**2 / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n))
    return (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)


@wilson.right
def with_counts(correct, n, z=1.959964):
    wrong = n - correct
    root = z * np.sqrt(correct * wrong / n + z**2 / 4)
    return (correct + z**2 / 2 - root) / (n + z**2), (correct + z**2 / 2 + root) / (n + z**2)


# -------------------------------------------------------------------------------- cross-entropy


@exercise(
    "08.cross_entropy",
    cases=[
        (np.array([0.0, 0.0]), 0),
        (np.array([2.0, -1.0, 0.5]), 1),
        (np.array([-3.0, 4.0]), 1),
        (np.array([1000.0, 0.0]), 0),
        (np.array([1000.0, 0.0]), 1),
        (np.array([-1000.0, -1000.0]), 1),
    ],
    hints=[
        "Write the second form of the formula: minus the logit of the true class, plus the logarithm of a sum.",
        "Adding the same number to every logit changes nothing. Which number keeps the largest exponential at 1?",
    ],
)
def cross_entropy(logits, label):
    """Cross-entropy of one text: logits of shape (classes,), number of the true class. Safe for large logits."""
    shifted = logits - logits.max()
    return np.log(np.exp(shifted).sum()) - shifted[label]


@cross_entropy.mistake(
    "Right for small logits. For a logit of 1000 the exponential is infinite: what can you subtract first?"
)
def overflows(logits, label):
    return np.log(np.exp(logits).sum()) - logits[label]


@cross_entropy.mistake("A loss of a certain, right answer should be 0 and never below it. Check the sign.")
def wrong_sign(logits, label):
    shifted = logits - logits.max()
    return shifted[label] - np.log(np.exp(shifted).sum())


@cross_entropy.mistake("You return the probability of the true class. The loss is its surprise: minus its logarithm.")
def probability(logits, label):
    weights = np.exp(logits - logits.max())
    return weights[label] / weights.sum()


@cross_entropy.mistake("Is it the true class that you look at, or the one with the largest logit?")
def of_the_largest(logits, label):
    shifted = logits - logits.max()
    return np.log(np.exp(shifted).sum()) - shifted.max()


@cross_entropy.mistake("You subtract the largest logit in one of the two terms only; it has to leave both.")
def shifted_once(logits, label):
    return np.log(np.exp(logits - logits.max()).sum()) - logits[label]


@cross_entropy.right
def by_scipy(logits, label):
    from scipy.special import logsumexp

    return logsumexp(logits) - logits[label]


# ----------------------------------------------------------------------------------- masked mean

_STATES = np.array([[1.0, 2.0], [3.0, 6.0], [100.0, -100.0]])


@exercise(
    "08.masked_mean",
    cases=[
        (_STATES, np.array([True, True, False])),
        (_STATES, np.array([True, True, True])),
        (_STATES, np.array([False, True, False])),
        (_STATES, np.array([False, False, False])),
    ],
    hints=[
        "Keep the states where the mask is True, add them up, divide by how many there are.",
        "How many are there in an empty text? Do not divide by that.",
    ],
)
def masked_mean(states, mask):
    """Mean over time of states (places, numbers) where mask (places,) is True; zeros for an empty text."""
    return states[mask].sum(axis=0) / np.maximum(mask.sum(), 1)


@masked_mean.mistake("Right, except for the text without a word: there you divide by zero.")
def not_guarded(states, mask):
    return states[mask].sum(axis=0) / mask.sum()


@masked_mean.mistake("You divide by all places, the padding among them. By how many words should it be?")
def by_all_places(states, mask):
    return (states * mask[:, None]).sum(axis=0) / len(mask)


@masked_mean.mistake("The padding is still in your mean: the mask has no effect.")
def mask_ignored(states, mask):
    return states.mean(axis=0)


@masked_mean.mistake("You keep the padding and leave out the words: turn the mask around.")
def mask_inverted(states, mask):
    return states[~mask].sum(axis=0) / np.maximum((~mask).sum(), 1)


@masked_mean.mistake("That is the sum over the words. For the mean, one division is missing.")
def only_the_sum(states, mask):
    return states[mask].sum(axis=0)


@masked_mean.right
def by_weights(states, mask):
    weights = mask.astype(float)
    return weights @ states / max(weights.sum(), 1.0)


# ---------------------------------------------------------------------- a split that keeps threads


@exercise(
    "08.split_by_group",
    cases=[
        (np.array(["a", "b"]), ["b"]),
        (np.array(["a", "b", "a", "c", "b"]), ["b"]),
        (np.array(["x", "y", "z", "x", "x", "y"]), ["x", "z"]),
        (np.array(["a", "a", "b"]), []),
    ],
    hints=[
        "np.isin(groups, test_groups) tells for each text whether its group is held out.",
        "np.flatnonzero gives positions.",
    ],
)
def split_by_group(groups, test_groups):
    """Positions of the texts: (train, test). A text is in test if its group is among test_groups."""
    held_out = np.isin(groups, test_groups)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


@split_by_group.mistake("The two sides are swapped: the training positions come first.")
def swapped(groups, test_groups):
    held_out = np.isin(groups, test_groups)
    return np.flatnonzero(held_out), np.flatnonzero(~held_out)


@split_by_group.mistake("You return True and False for each text. What is asked for are positions.")
def masks(groups, test_groups):
    held_out = np.isin(groups, test_groups)
    return ~held_out, held_out


@split_by_group.mistake("Only one text of each held-out group is in your test; the others stay in training and leak.")
def first_of_each(groups, test_groups):
    chosen = [list(groups).index(name) for name in test_groups]
    return np.setdiff1d(np.arange(len(groups)), chosen), np.sort(np.array(chosen, dtype=int))


@split_by_group.mistake("Your training side still holds every text, those of the test as well.")
def train_on_everything(groups, test_groups):
    return np.arange(len(groups)), np.flatnonzero(np.isin(groups, test_groups))


@split_by_group.right
def with_lists(groups, test_groups):
    train = [i for i, group in enumerate(groups) if group not in test_groups]
    test = [i for i, group in enumerate(groups) if group in test_groups]
    return train, test


# -------------------------------------------------------------------------------------- questions

q_dense = number(
    "08.q_dense",
    "All twenty newsgroups hold 18,846 posts. How many MB would their TF-IDF matrix need, written out in full with "
    "10,000 columns and 4 bytes a number? (1 MB is a million bytes.)",
    answer=753.84,
    wrong={
        1507.68: "That is with 8 bytes a number. How many bytes does the question give?",
        188.46: "That is how many million numbers there are. How many bytes has each?",
        753840: "Your unit is the kilobyte. A megabyte is a million bytes.",
    },
    explain="18,846 × 10,000 × 4 bytes are 754 million bytes, and the network's weights come on top of it.",
    hints=["Rows times columns times bytes of a number, divided by a million."],
)

q_interval = choice(
    "08.q_interval",
    "Two models reach 0.983 and 0.989 on the same 360 texts. What can you say?",
    right="the difference is two texts: another test set could turn it around",
    wrong={
        "the second is better, because its number is larger": "How many texts are 0.006 of 360?",
        "they are equally good": "Not shown to be different is not the same as shown to be equal.",
        "nothing, because the test set has to be as large as the training set": (
            "The test set needs no such size. Its own size sets the width of the interval, and that says a lot."
        ),
    },
    explain="0.006 × 360 is about two texts. Each interval is several texts wide on either side.",
    hints=["0.006 of 360 texts: how many texts is that?"],
)

q_leak = choice(
    "08.q_leak",
    "Which of these would NOT be a leak in a classifier of newsgroup posts?",
    right="the word 'church' is frequent in one of the groups",
    wrong={
        "each header names the newsgroup's moderator": "Will the posts of next year name that person?",
        "an answer in the test quotes a training post in full": "Then the model has read the test before.",
        "the vocabulary was learned from training and test texts together": (
            "The test texts have then shaped the input of the model: a small leak, but one."
        ),
    },
    explain="A word about the subject is what the model should use: new posts will have it too.",
    hints=["A leak is something that will be missing in new texts. Which of these will still be there?"],
)

q_lstm = choice(
    "08.q_lstm",
    "Why does the LSTM fall behind a linear model on the honest split?",
    right="it has to learn what each word means from about a thousand texts",
    wrong={
        "an LSTM cannot read more than a few words": "Its score on the first split shows that it can.",
        "it has fewer weights than the linear model": "It has many more: a vector for each word alone.",
        "the order of words never matters in texts": "It can (not good, not bad). What does it take to learn it?",
    },
    explain="A linear model learns one number a word; the LSTM learns a vector a word and how to read them in order.",
    hints=["How many texts does it learn from, and what does it have to find out about each word?"],
)
