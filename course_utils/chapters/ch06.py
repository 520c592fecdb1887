"""Exercises of notebook 06, language tasks."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# ------------------------------------------------------------------------------------ byte pairs


@exercise(
    "06.merge_pair",
    cases=[
        ([1, 2, 3], (1, 2), 9),
        ([5, 1, 2, 1, 2, 4, 2, 1], (1, 2), 300),
        ([7, 7, 7, 7, 7], (7, 7), 256),
        ([1, 3, 2, 1, 2], (1, 2), 256),
        ([11, 2, 1, 21, 1, 2], (1, 2), 9),
    ],
    hints=[
        "Walk through the list with an index that you move yourself: by two after a merge, else by one.",
        "Look at two neighbours at a time, and take care at the end, where there is only one left.",
    ],
)
def merge_pair(ids, pair, new):
    """The list ids with each neighbouring pair (a, b) replaced by the id new, from left to right."""
    merged, place = [], 0
    while place < len(ids):
        if tuple(ids[place : place + 2]) == tuple(pair):
            merged.append(new)
            place += 2
        else:
            merged.append(ids[place])
            place += 1
    return merged


@merge_pair.mistake("The second half of each merged pair is still there: how far do you move on after a merge?")
def second_half_left(ids, pair, new):
    followers = [*ids[1:], None]
    return [new if (one, other) == tuple(pair) else one for one, other in zip(ids, followers, strict=True)]


@merge_pair.mistake("Only the first pair is merged in yours. The text may have many.")
def first_only(ids, pair, new):
    for place in range(len(ids) - 1):
        if tuple(ids[place : place + 2]) == tuple(pair):
            return [*ids[:place], new, *ids[place + 2 :]]
    return list(ids)


@merge_pair.mistake("You also merge the pair turned around: the order of the two ids counts.")
def either_order(ids, pair, new):
    merged, place = [], 0
    while place < len(ids):
        if tuple(ids[place : place + 2]) in (tuple(pair), tuple(pair)[::-1]):
            merged, place = [*merged, new], place + 2
        else:
            merged, place = [*merged, ids[place]], place + 1
    return merged


@merge_pair.mistake("The last id gets lost when it is not part of a pair: look at the end of the list.")
def last_lost(ids, pair, new):
    merged, place = [], 0
    while place < len(ids) - 1:
        if tuple(ids[place : place + 2]) == tuple(pair):
            merged, place = [*merged, new], place + 2
        else:
            merged, place = [*merged, ids[place]], place + 1
    return merged


@merge_pair.mistake("You replace each of the two wherever it stands. Only where both stand together is there a pair.")
def each_alone(ids, pair, new):
    return [new if one in pair else one for one in ids]


@merge_pair.right
def with_a_stack(ids, pair, new):
    merged, free = [], True
    for one in ids:
        if merged and free and (merged[-1], one) == tuple(pair):
            merged[-1], free = new, False
        else:
            merged.append(one)
            free = True
    return merged


# ---------------------------------------------------------------------------------------- TF-IDF

_COUNTS = np.array([[2.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 3.0, 1.0]])


@exercise(
    "06.tfidf",
    cases=[
        (np.array([[1.0, 0.0], [1.0, 2.0]]),),
        (_COUNTS, False),
        (_COUNTS, True, False),
        (np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0], [3.0, 1.0, 1.0]]),),
    ],
    hints=[
        "First the number of texts that contain each word, shape (words,): count the entries above zero, by columns.",
        "Then idf, then counts * idf, then the length of each row: the root of its sum of squares.",
        "A text without any word has length zero: keep its row at 0 instead of dividing.",
    ],
)
def tfidf(counts, smooth=True, normalise=True):
    """TF-IDF of counts (texts, words); smoothed, and rows of length 1, if asked; empty rows stay 0."""
    extra = 1 if smooth else 0
    containing = np.sum(counts > 0, axis=0)
    weights = counts * (np.log((len(counts) + extra) / (containing + extra)) + 1)
    if not normalise:
        return weights
    length = np.sqrt(np.sum(weights**2, axis=1, keepdims=True))
    return np.divide(weights, length, out=np.zeros_like(weights), where=length > 0)


def _weights(counts, smooth):
    extra = 1 if smooth else 0
    return counts * (np.log((len(counts) + extra) / (np.sum(counts > 0, axis=0) + extra)) + 1)


def _unit(weights):
    length = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.where(length == 0, 1, length)


@tfidf.mistake("A word that stands in every text should still count a little. What does your idf give for it?")
def no_floor(counts, smooth=True, normalise=True):
    extra = 1 if smooth else 0
    weights = counts * np.log((len(counts) + extra) / (np.sum(counts > 0, axis=0) + extra))
    length = np.linalg.norm(weights, axis=1, keepdims=True)
    return weights / np.where(length == 0, 1, length) if normalise else weights


@tfidf.mistake("You sum how often a word occurs. The formula asks in how many texts it occurs.")
def occurrences(counts, smooth=True, normalise=True):
    extra = 1 if smooth else 0
    weights = counts * (np.log((len(counts) + extra) / (counts.sum(axis=0) + extra)) + 1)
    return _unit(weights) if normalise else weights


@tfidf.mistake("A text without a single word gives 0/0 in yours. It must stay a row of zeros.")
def not_guarded(counts, smooth=True, normalise=True):
    weights = _weights(counts, smooth)
    return weights / np.linalg.norm(weights, axis=1, keepdims=True) if normalise else weights


@tfidf.mistake("Your rows sum to 1. Length 1 means that the squares sum to 1.")
def rows_sum_to_one(counts, smooth=True, normalise=True):
    weights = _weights(counts, smooth)
    total = weights.sum(axis=1, keepdims=True)
    return weights / np.where(total == 0, 1, total) if normalise else weights


@tfidf.mistake("You give the columns length 1. A text is a row.")
def columns_normalised(counts, smooth=True, normalise=True):
    weights = _weights(counts, smooth)
    return weights / np.linalg.norm(weights, axis=0) if normalise else weights


@tfidf.mistake("Your result does not depend on smooth: which two numbers does it change?")
def always_smoothed(counts, smooth=True, normalise=True):
    weights = _weights(counts, True)
    return _unit(weights) if normalise else weights


@tfidf.mistake("The rows are not brought to length 1, although that is asked for.")
def never_normalised(counts, smooth=True, normalise=True):
    return _weights(counts, smooth)


@tfidf.right
def by_scikit_learn(counts, smooth=True, normalise=True):
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer(smooth_idf=smooth, norm="l2" if normalise else None).fit_transform(counts).toarray()


# ------------------------------------------------------------------------------------------ PPMI

_PAIRS = np.array([[0.0, 4.0, 1.0], [4.0, 2.0, 0.0], [1.0, 0.0, 8.0]])


@exercise(
    "06.ppmi",
    cases=[
        (np.array([[2.0, 0.0], [0.0, 1.0]]), 1.0),
        (_PAIRS, 1.0),
        (_PAIRS, 0.75),
        (np.array([[1.0, 2.0, 0.0], [5.0, 0.0, 3.0]]), 0.5),
        (np.array([[3.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 2.0]]), 0.75),
    ],
    hints=[
        "Shares of all counts, the share of each word (row sums), the share of each context, the logarithm.",
        "The shares of contexts: column sums to the power, divided by the sum of these.",
        "Where a count is 0, return 0 (np.where). The logarithm is minus infinity there, or not a number; NumPy warns: "
        "mute it with np.errstate.",
    ],
    # Without the first division, shares and expected grow alike, and their ratio stays.
    equivalent=["counts / np.sum(counts) -> counts * np.sum(counts)", "counts / np.sum(counts) -> counts"],
)
def ppmi(counts, power):
    """Positive pointwise mutual information of counts (words, contexts); 0 where a count is 0."""
    shares = counts / np.sum(counts)
    of_word = np.sum(shares, axis=1, keepdims=True)
    of_context = np.sum(shares, axis=0, keepdims=True) ** power
    expected = of_word * (of_context / np.sum(of_context))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(counts > 0, np.maximum(0, np.log(shares / expected)), 0)


def _log_where_counted(ratio, counts):
    with np.errstate(all="ignore"):
        return np.where(counts > 0, np.log(ratio), 0)


def _ratio(counts, power):
    of_context = counts.sum(axis=0, keepdims=True) ** power
    with np.errstate(all="ignore"):
        return counts / (counts.sum(axis=1, keepdims=True) * of_context / of_context.sum())


@ppmi.mistake("There are negative values in your result. The first P of PPMI says what becomes of them.")
def not_positive(counts, power):
    of_context = counts.sum(axis=0, keepdims=True) ** power
    expected = counts.sum(axis=1, keepdims=True) * of_context / of_context.sum()
    with np.errstate(all="ignore"):
        return np.where(counts > 0, np.log(counts / expected), 0)


@ppmi.mistake("A word that stands beside no other gives 0/0 in yours. Where a count is 0, the result is 0.")
def not_guarded_against_absence(counts, power):
    with np.errstate(all="ignore"):
        return np.maximum(0, np.log(_ratio(counts, power)))


@ppmi.mistake("Your result does not depend on the power: it belongs to the column sums.")
def power_forgotten(counts, power):
    return np.maximum(0, _log_where_counted(_ratio(counts, 1.0), counts))


@ppmi.mistake("After raising the column sums to the power they must be divided by their new sum, to be shares again.")
def shares_not_renewed(counts, power):
    shares = counts / counts.sum()
    expected = shares.sum(axis=1, keepdims=True) * shares.sum(axis=0, keepdims=True) ** power
    with np.errstate(all="ignore"):
        return np.maximum(0, _log_where_counted(shares / expected, counts))


@ppmi.mistake("The logarithm is missing: you return how many times more often than expected a pair occurs.")
def ratio(counts, power):
    return np.where(counts > 0, _ratio(counts, power), 0)


@ppmi.mistake("The power belongs to the contexts, the columns. You raise the rows.")
def rows_raised(counts, power):
    return np.maximum(0, _log_where_counted(_ratio(counts.T, power).T, counts))


@ppmi.mistake("You compare counts with shares. Divide the counts by their total first, then compare.")
def counts_not_shares(counts, power):
    return np.maximum(0, _log_where_counted(counts.sum() * _ratio(counts, power), counts))


@ppmi.right
def sum_of_logarithms(counts, power):
    words, contexts = counts.sum(axis=1, keepdims=True), counts.sum(axis=0, keepdims=True) ** power
    with np.errstate(all="ignore"):
        values = np.log(counts) - np.log(words) - np.log(contexts / contexts.sum())
    return np.where(counts > 0, np.maximum(0, values), 0)


# ------------------------------------------------------------------------------ paired difference


@exercise(
    "06.paired_interval",
    cases=[
        (np.array([1.0, 0.0, 1.0, 1.0]), np.array([0.0, 0.0, 1.0, 0.0])),
        (np.array([1.0, 1.0, 0.0, 0.5, 0.2]), np.array([0.5, 1.0, 1.0, 0.0, 0.1])),
        (np.array([0.0, 0.3, 0.0, 1.0, 0.8, 0.6]), np.array([1.0, 0.3, 0.9, 0.0, 0.7, 0.9])),
    ],
    tolerance=1e-4,  # 1.96 and 1.959964 are both right
    hints=[
        "Everything is computed from the differences, one for each text.",
        "The half width is 1.96 times the standard deviation of the differences (ddof=1) over the root of n.",
    ],
)
def paired_interval(first, second):
    """(mean, low, high) of first minus second, each (n,): the 95 % interval, with 1.96 standard errors."""
    gaps = first - second
    half = 1.96 * np.std(gaps, ddof=1) / np.sqrt(len(gaps))
    return np.mean(gaps), np.mean(gaps) - half, np.mean(gaps) + half


@paired_interval.mistake("You treat the two as if they had judged different texts. What cancels when you pair them?")
def unpaired(first, second):
    gap = first.mean() - second.mean()
    half = 1.96 * np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / len(first))
    return gap, gap - half, gap + half


@paired_interval.mistake("Your interval says where single differences lie. The mean of n of them is known much better.")
def not_of_the_mean(first, second):
    gaps = first - second
    half = 1.96 * gaps.std(ddof=1)
    return gaps.mean(), gaps.mean() - half, gaps.mean() + half


@paired_interval.mistake("The sign is turned around: it is first minus second.")
def other_way(first, second):
    mean, low, high = paired_interval.reference(second, first)
    return mean, low, high


@paired_interval.mistake("The spread is divided by n in yours. A standard error has the root of n below it.")
def divided_by_n(first, second):
    gaps = first - second
    half = 1.96 * gaps.std(ddof=1) / len(gaps)
    return gaps.mean(), gaps.mean() - half, gaps.mean() + half


@paired_interval.mistake("A little too narrow: the standard deviation of a sample divides by n - 1.")
def divided_too_much(first, second):
    gaps = first - second
    half = 1.96 * gaps.std() / np.sqrt(len(gaps))
    return gaps.mean(), gaps.mean() - half, gaps.mean() + half


@paired_interval.mistake("That is one standard error to each side. For 95 % it takes more.")
def one_standard_error(first, second):
    gaps = first - second
    half = gaps.std(ddof=1) / np.sqrt(len(gaps))
    return gaps.mean(), gaps.mean() - half, gaps.mean() + half


@paired_interval.right
def by_scipy(first, second):
    from scipy.stats import sem

    gaps = first - second
    return gaps.mean(), gaps.mean() - 1.96 * sem(gaps), gaps.mean() + 1.96 * sem(gaps)


# ------------------------------------------------------------------------------------- attention

_QUERIES = np.array([[1.0, 0.0], [0.5, -2.0], [0.0, 0.3]])
_MEMORY = np.array([[1.0, 2.0], [-1.0, 0.5], [0.2, -0.7], [3.0, 1.0]])


@exercise(
    "06.attend",
    cases=[
        (np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([True, True])),
        (_QUERIES, _MEMORY, np.array([True, True, True, True])),
        (_QUERIES, _MEMORY, np.array([True, True, False, False])),
        (_QUERIES[:1] * 5000, _MEMORY, np.array([True, True, True, False])),
    ],
    hints=[
        "Scores (t, s): the scalar product of every query with every row of the memory is one matrix product.",
        "Put minus infinity where the mask is False, then softmax each row; subtract the row's largest first.",
        "The contexts are the weighted sums of the memory's rows: one more matrix product.",
    ],
)
def attend(queries, memory, mask):
    """(contexts (t, d), weights (t, s)) for queries (t, d), memory (s, d), mask (s,) True at words."""
    scores = np.where(mask, queries @ memory.T, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    return weights @ memory, weights


def _softmax(scores, axis=1):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


@attend.mistake("Places without a word get weight in yours: what should their score be before the softmax?")
def mask_forgotten(queries, memory, mask):
    scores = queries @ memory.T
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    return weights @ memory, weights


@attend.mistake("You set masked weights to zero after the softmax: the rest no longer sums to 1.")
def masked_afterwards(queries, memory, mask):
    weights = _softmax(queries @ memory.T) * mask
    return weights @ memory, weights


@attend.mistake("You set masked scores to zero. The exponential of zero is one, and so they still count.")
def masked_with_zero(queries, memory, mask):
    weights = _softmax(np.where(mask, queries @ memory.T, 0.0))
    return weights @ memory, weights


@attend.mistake("Your weights sum to 1 over the queries. Each query shares out 1 among the words.")
def over_the_queries(queries, memory, mask):
    scores = np.where(mask, queries @ memory.T, -1e9)
    weights = _softmax(scores, axis=0)
    return weights @ memory, weights


@attend.mistake("You divide the scores by a root. That is done in transformers; here the plain product is asked for.")
def scaled(queries, memory, mask):
    weights = _softmax(np.where(mask, queries @ memory.T / np.sqrt(memory.shape[1]), -np.inf))
    return weights @ memory, weights


@attend.mistake("Both results are right and stand in the wrong order: the contexts come first.")
def weights_first(queries, memory, mask):
    contexts, weights = attend.reference(queries, memory, mask)
    return weights, contexts


@attend.mistake("Fine for small scores; for large ones the exponential is infinite. What can you subtract first?")
def overflowing(queries, memory, mask):
    weights = np.exp(np.where(mask, queries @ memory.T, -np.inf))
    weights = weights / weights.sum(axis=1, keepdims=True)
    return weights @ memory, weights


@attend.right
def with_scipy(queries, memory, mask):
    from scipy.special import softmax

    weights = softmax(np.where(mask, np.einsum("td,sd->ts", queries, memory), -1e30), axis=1)
    return np.einsum("ts,sd->td", weights, memory), weights


# -------------------------------------------------------------------------------------- questions

q_bytes = number(
    "06.q_bytes",
    "A Chinese character of this chapter takes 3 bytes in UTF-8. How many ids is the numeral 七万零三百 before any "
    "byte pair is merged?",
    answer=15,
    wrong={
        5: "Those are its characters. The ids before any merge are bytes.",
        6: "One more than its characters. How many bytes has each of them?",
        3: "That is one character.",
    },
    explain="Five characters of three bytes each.",
    hints=["Count the characters, and multiply by the bytes of each."],
)

q_bag = choice(
    "06.q_bag",
    "Which pair of sentences is the same for a bag of single words?",
    right="'not good, it is bad' and 'it is not bad, good'",
    wrong={
        "'good' and 'very good'": "Count the words of each: one of the bags has a word that the other has not.",
        "'it is good' and 'it was good'": "They mean nearly the same, but a bag compares words, not meanings.",
        "'good film' and 'good, good film'": "A bag keeps how often a word occurs. Count 'good' in each.",
    },
    explain="The same words, each as often: only their order tells the two apart, and a bag has none.",
    hints=["Count the words of each pair. The order plays no part."],
)

q_marked = choice(
    "06.q_marked",
    "A model of single words scores far below one half on the marked reviews. What does that show?",
    right="it has learned what the words mean, and in these reviews they point the wrong way",
    wrong={
        "it has learned nothing from the reviews": "A model that knows nothing scores about a half. This one is worse.",
        "the marked reviews have wrong labels": "A reader agrees with the labels. Read two of them again.",
        "it would be right if its answers were turned around": (
            "On these, yes. And on the other three quarters of the reviews?"
        ),
    },
    explain="To be wrong so reliably takes knowledge: the words were learned, what turns them around was not.",
    hints=["A model without any knowledge would get one half. What does a score far below it need?"],
)

q_attention = choice(
    "06.q_attention",
    "What does attention give the decoder that the encoder's last state alone does not?",
    right="at each step, a fresh look at every word of the source",
    wrong={
        "a larger vocabulary": "The characters it can write stay the same. What does it read at each step?",
        "the right answer of the step before": "That is teacher forcing, and only in training.",
        "the order of the source words": "The last state knows order too. How much fits into it?",
    },
    explain="The last state has to hold the whole number at once; attention lets each character look up what it needs.",
    hints=["How much of the source does the decoder see without it, when it writes the last word?"],
)

q_longer = choice(
    "06.q_longer",
    "The translator fails on numbers longer than any that it was trained on. Why does it not use the rule?",
    right="training rewarded what works up to the trained length, and many other habits work there too",
    wrong={
        "its vocabulary lacks the English words": "Which word of nine-digit numbers never stands in those of seven?",
        "it has too few weights for long numbers": "Look at what a few hundred long examples do with as many weights.",
        "attention cannot read more words than in training": (
            "It takes a weighted sum over any number of words. What was never trained is how to use them."
        ),
    },
    explain="The rule is one of many functions that fit the training numbers. Nothing in the data asked for that one.",
    hints=["Training rewards what works on the training numbers. How many different habits do that?"],
)
