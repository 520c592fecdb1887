"""Exercises of notebook 09, from TensorFlow 1 to 2: each repairs a bug of the TensorFlow 1 listing."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# ------------------------------------------------------------------- bug 1: weights used as numbers of words


@exercise(
    "09.word_ids",
    cases=[
        (["the", "dog"], ["the", "cat"], 3),
        (["cat", "the", "cat", "sat", "on"], ["the", "cat", "sat"], 4),
        (["a", "mat", "the"], ["the", "on", "mat"], 5),
        ([], ["the"], 2),
    ],
    hints=[
        "One number for each of the first `length` words, in the order of the text.",
        "vocabulary.index(word) gives a word's position; ask first whether the word is in the vocabulary.",
        "Fill the list up with zeros at its end until it has the length.",
    ],
)
def word_ids(words, vocabulary, length):
    """Numbers (length,) of a text's words, a list of strings. The word at position i of vocabulary, a list
    without repeats, has the number i + 2; a word that is not in it has 1. Longer texts are cut after
    `length` words; shorter ones are filled up with 0 at the end."""
    ids = [vocabulary.index(word) + 2 if word in vocabulary else 1 for word in words[:length]]
    return np.array(ids + [0] * (length - len(ids)))


@word_ids.mistake("An unknown word gets 0 in yours. That number means: here is no word at all.")
def unknown_as_padding(words, vocabulary, length):
    ids = [vocabulary.index(word) + 2 if word in vocabulary else 0 for word in words[:length]]
    return np.array(ids + [0] * (length - len(ids)))


@word_ids.mistake("Two kinds of place get the same number: where do the numbers of known words begin?")
def begins_at_one(words, vocabulary, length):
    ids = [vocabulary.index(word) + 1 if word in vocabulary else 1 for word in words[:length]]
    return np.array(ids + [0] * (length - len(ids)))


@word_ids.mistake("The first word of the vocabulary has the number 0 in yours, the number of the padding.")
def begins_at_zero(words, vocabulary, length):
    ids = [vocabulary.index(word) if word in vocabulary else 1 for word in words[:length]]
    return np.array(ids + [0] * (length - len(ids)))


@word_ids.mistake("Your padding stands before the text. It belongs after it.")
def padded_in_front(words, vocabulary, length):
    ids = [vocabulary.index(word) + 2 if word in vocabulary else 1 for word in words[:length]]
    return np.array([0] * (length - len(ids)) + ids)


@word_ids.mistake("Of a long text you keep the end. Keep its beginning.")
def keeps_the_end(words, vocabulary, length):
    ids = [vocabulary.index(word) + 2 if word in vocabulary else 1 for word in words[-length:]]
    return np.array(ids + [0] * (length - len(ids)))


@word_ids.mistake("You leave unknown words out. The words after them move up, and the text reads differently.")
def unknown_left_out(words, vocabulary, length):
    ids = [vocabulary.index(word) + 2 for word in words if word in vocabulary][:length]
    return np.array(ids + [0] * (length - len(ids)))


@word_ids.mistake("You sort the numbers. The order of the words is what the network is to read.")
def sorted_ids(words, vocabulary, length):
    ids = sorted(vocabulary.index(word) + 2 if word in vocabulary else 1 for word in words[:length])
    return np.array(ids + [0] * (length - len(ids)))


@word_ids.right
def by_dictionary(words, vocabulary, length):
    number_of = {word: i for i, word in enumerate(vocabulary, start=2)}
    ids = np.zeros(length, dtype=int)
    for place, word in enumerate(words[:length]):
        ids[place] = number_of.get(word, 1)
    return ids


# -------------------------------------------------------------------------- bug 2: the lost time axis

_OUTPUTS = np.array([[[1.0, 5.0], [3.0, 9.0], [8.0, -2.0]], [[0.0, 1.0], [2.0, 2.0], [10.0, 0.0]]])


@exercise(
    "09.mean_over_time",
    cases=[
        (_OUTPUTS[:1],),
        (_OUTPUTS,),
        (np.arange(24.0).reshape(2, 3, 4) ** 2,),
        (np.array([[[2.0, -1.0, 0.5]], [[4.0, 0.0, 1.0]]]),),
    ],
    hints=[
        "Which axis has to vanish: that of the texts, that of the time, or that of the units?",
        "No reshape is needed: the mean can be told its axis.",
    ],
)
def mean_over_time(outputs):
    """What an LSTM said at every time step, (texts, time, units), averaged over time: (texts, units)."""
    return outputs.mean(axis=1)


@mean_over_time.mistake("Your mean goes over the texts: all texts are mixed into one. Which axis is the time?")
def over_texts(outputs):
    return outputs.mean(axis=0)


@mean_over_time.mistake("Your mean goes over the units: what each unit has to say is lost.")
def over_units(outputs):
    return outputs.mean(axis=2)


@mean_over_time.mistake("You merge texts and time before the mean, as the listing does. Keep the three axes apart.")
def merged(outputs):
    return outputs.reshape(-1, outputs.shape[-1]).mean(axis=1)


@mean_over_time.mistake("You sum. A text twice as long would count twice as much: what is missing for a mean?")
def summed(outputs):
    return outputs.sum(axis=1)


@mean_over_time.mistake("That is the last time step alone. The mean listens to all of them.")
def last_step(outputs):
    return outputs[:, -1]


@mean_over_time.mistake("The mean goes over texts and time at once. Each text keeps its own row.")
def over_both(outputs):
    return outputs.mean(axis=(0, 1))


@mean_over_time.mistake("That is the largest value over time, not the mean.")
def largest(outputs):
    return outputs.max(axis=1)


@mean_over_time.right
def by_einsum(outputs):
    return np.einsum("ntu->nu", outputs) / outputs.shape[1]


# -------------------------------------------------------------------- bug 3: labels that are not numbers of columns

_LOGITS = np.array([[2.0, 1.5], [0.3, 0.1], [-3.0, -1.0], [0.2, 0.9], [5.0, -5.0]])


@exercise(
    "09.accuracy",
    cases=[
        (np.array([[2.0, 1.0], [0.5, 3.0], [4.0, -1.0]]), np.array([0, 1, 1])),
        (_LOGITS, np.array([0, 1, 1, 0, 0])),
        (np.array([[0.1, 0.2, 0.9], [3.0, 1.0, 2.0], [-1.0, -2.0, -3.0], [0.0, 7.0, 1.0]]), np.array([2, 0, 1, 1])),
        (_LOGITS[:4], np.array([1, 1, 0, 0])),
    ],
    hints=[
        "The class that the model names is the place of the largest logit in each row.",
        "The labels are class numbers already. Compare, then take the mean.",
    ],
)
def accuracy(logits, labels):
    """Share of texts, 0 to 1, whose largest logit is at the true class: logits (n, classes), labels (n,)."""
    return np.mean(logits.argmax(axis=1) == labels)


@accuracy.mistake("You look for the largest label, as the listing does. The labels are class numbers already.")
def largest_label(logits, labels):
    return np.mean(logits.argmax(axis=1) == labels.argmax())


@accuracy.mistake("That is how many are right. Of how many?")
def count(logits, labels):
    return np.sum(logits.argmax(axis=1) == labels)


@accuracy.mistake("That is the share of errors.")
def error_rate(logits, labels):
    return np.mean(logits.argmax(axis=1) != labels)


@accuracy.mistake("You compare the largest logit itself with the label. Compare its place.")
def values_compared(logits, labels):
    return np.mean(logits.max(axis=1) == labels)


@accuracy.mistake("You look for the smallest logit of each row.")
def smallest(logits, labels):
    return np.mean(logits.argmin(axis=1) == labels)


@accuracy.mistake("You ask whether the second logit is above zero. A logit counts only against the others of its row.")
def above_zero(logits, labels):
    return np.mean((logits[:, 1] > 0) == labels)


@accuracy.mistake("You compare a per cent with a share: the result runs from 0 to 1.")
def per_cent(logits, labels):
    return 100 * np.mean(logits.argmax(axis=1) == labels)


@accuracy.right
def in_a_loop(logits, labels):
    right = 0
    for row, label in zip(logits, labels, strict=True):
        right += list(row).index(max(row)) == label
    return right / len(labels)


# ------------------------------------------------------------------------------- bug 4: everything in every step

_ORDER = np.array([4, 0, 6, 2, 5, 1, 3])


@exercise(
    "09.batch_rows",
    cases=[
        (_ORDER, 3, 0),
        (_ORDER, 3, 1),
        (_ORDER, 3, 2),
        (_ORDER, 3, 3),
        (_ORDER, 3, 8),
        (_ORDER[:6], 2, 4),
        (_ORDER[:2], 5, 3),
        (_ORDER[:5], 1, 12),
    ],
    hints=[
        "Batches in one pass: the number of texts, divided by size and rounded up.",
        "The remainder of step by that number tells which batch of its pass it is.",
        "A slice that reaches beyond the end gives what is there.",
    ],
)
def batch_rows(order, size, step):
    """Row numbers that training step `step` (from 0) is fed with. order (n,) has all of them, shuffled.
    Each step takes the next `size`; the last batch of a pass may be smaller, and the step after it
    starts again at the first."""
    batches = int(np.ceil(len(order) / size))
    start = size * (step % batches)
    return order[start : start + size]


@batch_rows.mistake("Every step gets all rows: that is the listing's own bug.")
def all_rows(order, size, step):
    return order


@batch_rows.mistake("Your batches overlap: step 1 begins one row later, not one batch later.")
def sliding(order, size, step):
    start = step % len(order)
    return order[start : start + size]


@batch_rows.mistake("After the last batch yours are empty. What should the step after the last one be fed with?")
def runs_out(order, size, step):
    return order[size * step : size * (step + 1)]


@batch_rows.mistake("You never feed the small rest at the end of a pass: those texts are not learned from.")
def rest_dropped(order, size, step):
    batches = max(len(order) // size, 1)
    start = size * (step % batches)
    return order[start : start + size]


@batch_rows.mistake("You return places in the order. What is asked for are the row numbers that stand there.")
def places(order, size, step):
    batches = int(np.ceil(len(order) / size))
    start = size * (step % batches)
    return np.arange(len(order))[start : start + size]


@batch_rows.mistake("Your first step gets the second batch: steps are counted from 0.")
def from_one(order, size, step):
    batches = int(np.ceil(len(order) / size))
    start = size * ((step + 1) % batches)
    return order[start : start + size]


@batch_rows.mistake("Your last batch is filled up from the front: some texts come twice in one pass.")
def wraps_around(order, size, step):
    return np.take(order, np.arange(size * step, size * (step + 1)), mode="wrap")


@batch_rows.right
def by_counting(order, size, step):
    start = 0
    for _ in range(step):
        start = start + size if start + size < len(order) else 0
    return order[start : start + size]


# -------------------------------------------------------------------------------- bug 5: nothing held back


@exercise(
    "09.three_way_split",
    cases=[
        (np.array([3, 0, 4, 1, 2]), 1, 1),
        (np.array([5, 2, 0, 6, 1, 4, 3]), 2, 1),
        (np.array([7, 2, 0, 6, 1, 4, 3, 5]), 2, 3),
        (np.array([2, 0, 1, 3]), 1, 0),
    ],
    hints=[
        "The first test places of order are the test. Where does the validation begin, and where does it end?",
        "Everything that is left is for training. No row number may stand on two sides.",
    ],
)
def three_way_split(order, test, validation):
    """(training, validation, test): row numbers, in the order given. order (n,) has all of them, shuffled:
    the first `test` are the test, the next `validation` the validation, the rest the training."""
    held_out = test + validation
    return order[held_out:], order[test:held_out], order[:test]


@three_way_split.mistake("Your validation texts are in training as well: they cannot warn you of overfitting.")
def validation_in_training(order, test, validation):
    return order[test:], order[test : test + validation], order[:test]


@three_way_split.mistake("Your validation is part of the test. If you choose by the test, you have no test left.")
def validation_from_the_test(order, test, validation):
    return order[test:], order[:validation], order[:test]


@three_way_split.mistake("The first two sides are swapped: training comes first.")
def first_two_swapped(order, test, validation):
    return order[test : test + validation], order[test + validation :], order[:test]


@three_way_split.mistake("Test and validation are swapped.")
def last_two_swapped(order, test, validation):
    return order[test + validation :], order[:test], order[test : test + validation]


@three_way_split.mistake("You cut places instead of row numbers: nothing is shuffled any more.")
def not_shuffled(order, test, validation):
    rows = np.arange(len(order))
    return rows[test + validation :], rows[test : test + validation], rows[:test]


@three_way_split.mistake("You train on everything, the test as well.")
def trains_on_all(order, test, validation):
    return order, order[test : test + validation], order[:test]


@three_way_split.mistake("Nothing is left for validation: that is the listing's own split.")
def no_validation(order, test, validation):
    return order[test:], order[:0], order[:test]


@three_way_split.right
def by_split(order, test, validation):
    test_rows, validation_rows, training_rows = np.split(order, [test, test + validation])
    return training_rows, validation_rows, test_rows


# -------------------------------------------------------------------------------------- questions

q_placeholder = choice(
    "09.q_placeholder",
    "In a graph of TensorFlow 1, the line c = a + b has run, and a is a placeholder. What is c now?",
    right="a description of an addition that has not happened",
    wrong={
        "the sum, hidden until it is printed": "Printing showed no number. Has anyone said yet what a is?",
        "the sum of b and zero": "A placeholder has no value at all, not even zero.",
        "an error, because a has no value": "Nothing was raised. When does a value become necessary?",
    },
    explain="Building a graph only writes down what to do. Numbers come into being when a session runs it.",
    hints=["Nothing has been fed yet. Can a sum have a value?"],
)

q_trace = number(
    "09.q_trace",
    "A function under tf.function has a Python print in it. You call it three times with a tensor of shape (2,), then "
    "twice with one of shape (3,). How many times does it print?",
    answer=2,
    wrong={
        5: "That would be plain Python. What is left of the print when the compiled graph runs?",
        1: "Is one graph enough for two shapes?",
        3: "The repeated calls with the same shape use a graph that is already there.",
        0: "The Python code has to run at least once, to be written down.",
    },
    explain="Once for each tracing, and there is one tracing for each new shape.",
    hints=["Python runs only while a graph is being written down. When is a new one needed?"],
)

q_bridge = choice(
    "09.q_bridge",
    "For which purpose is tf.compat.v1 the right tool today?",
    right="to keep an old program running for the days in which you rewrite it",
    wrong={
        "for new programs, because it has both versions": "What will nobody fix there any more?",
        "to run any TensorFlow 1 program unchanged": "Look at the table: does every name in it work?",
        "to make a TensorFlow 2 program faster": "What does a session have that tf.function has not?",
    },
    explain="It is a bridge: parts of it are gone already, and nothing new is built there.",
    hints=["It brings old names back, for a while. Who needs old names?"],
)

q_memory = number(
    "09.q_memory",
    "Take 1,436 texts and 23,000 columns. Each entry is looked up as 128 numbers of 4 bytes. How many GB do these "
    "numbers need? (1 GB is 10⁹ bytes.)",
    answer=16.91,
    wrong={
        0.1321: "That is the matrix before the lookup. How many numbers does each of its entries become?",
        4.228: "That is how many billion numbers there are. How many bytes has each?",
        33.82: "That is with 8 bytes a number. How many does the question give?",
        16910: "Your unit is the megabyte.",
    },
    explain="1,436 × 23,000 × 128 × 4 bytes. And a training step has to keep it for the backward pass.",
    hints=["Multiply: texts, columns, numbers for an entry, bytes for a number."],
)
