"""Exercises of notebook 13, your first language model."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# --------------------------------------------------------------------------- bits per character


@exercise(
    "13.bits_per_character",
    cases=[
        (np.array([0.5]), 1),
        (np.array([0.5, 0.25, 0.125]), 6),
        (np.array([1.0, 1.0, 0.3]), 3),
        (np.full(400, 1e-3), 900),
    ],
    hints=[
        "The bits of one token are minus the logarithm, to the base 2, of the probability that it was given.",
        "Add up the bits of all tokens first. Only then comes the number of characters.",
    ],
)
def bits_per_character(probabilities, characters):
    """Bits per character: probabilities (n,) given to the true tokens of a text with so many characters."""
    return -np.sum(np.log2(probabilities)) / characters


@bits_per_character.mistake("Those are nats: the logarithm of a bit has the base 2.")
def in_nats(probabilities, characters):
    return -np.sum(np.log(probabilities)) / characters


@bits_per_character.mistake("Bits are never below zero: a logarithm of a probability is. Check the sign.")
def negative(probabilities, characters):
    return np.sum(np.log2(probabilities)) / characters


@bits_per_character.mistake("That is bits per token. A token may hold several characters.")
def per_token(probabilities, characters):
    return -np.mean(np.log2(probabilities))


@bits_per_character.mistake("You average the probabilities first. It is the surprise of each token that is added up.")
def of_the_mean(probabilities, characters):
    return -np.log2(np.mean(probabilities)) * len(probabilities) / characters


@bits_per_character.mistake("Right for short texts. For a long one the product is too small for the computer to hold.")
def of_the_product(probabilities, characters):
    return -np.log2(np.prod(probabilities)) / characters


@bits_per_character.mistake("Those are the bits of the whole text: the number of characters is not used.")
def of_the_whole_text(probabilities, characters):
    return -np.sum(np.log2(probabilities))


@bits_per_character.right
def by_scalar_product(probabilities, characters):
    return np.log2(1 / np.asarray(probabilities)) @ np.full(len(probabilities), 1 / characters)


# ------------------------------------------------------------------------------ n-grams, smoothed


@exercise(
    "13.witten_bell",
    cases=[
        (np.array([3.0]), np.array([10.0]), np.array([4.0]), np.array([0.25])),
        (np.array([3.0, 0.0, 1.0]), np.array([10.0, 10.0, 1.0]), np.array([4.0, 4.0, 1.0]), np.array([0.2, 0.1, 0.01])),
        (np.array([0.0, 0.0]), np.array([0.0, 7.0]), np.array([0.0, 7.0]), np.array([0.3, 0.05])),
        (np.array([3, 0]), np.array([10, 0]), np.array([4, 0]), np.array([0.25, 0.5])),
    ],
    hints=[
        "Multiply the two fractions out: count / total times the trust, and shorter times what is left of it.",
        "A context that was never seen has total 0 and kinds 0: then the shorter context must have all the say.",
    ],
    equivalent=["1 -> 2", "1 -> 0"],
)
def witten_bell(count, total, kinds, shorter):
    """Probabilities (n,), all arguments (n,): times seen here, times the context was seen, different tokens after
    it, and what the shorter context says."""
    mixed = (count + kinds * shorter) / np.maximum(total + kinds, 1)
    return np.where(total > 0, mixed, shorter)


@witten_bell.mistake("What was never seen here gets the probability 0, and its surprise is infinite. Mix.")
def unsmoothed(count, total, kinds, shorter):
    return np.where(total > 0, count / np.maximum(total, 1), shorter)


@witten_bell.mistake("Right, except after a context that was never seen: there you divide by zero.")
def unguarded(count, total, kinds, shorter):
    return (count + kinds * shorter) / (total + kinds)


@witten_bell.mistake("After a context that was never seen yours gives 0. What can still be said there?")
def silent_when_unseen(count, total, kinds, shorter):
    return (count + kinds * shorter) / np.maximum(total + kinds, 1)


@witten_bell.mistake("The shorter context has the weight of one sighting. How many surprises were there?")
def weight_of_one(count, total, kinds, shorter):
    return (count + shorter) / (total + 1)


@witten_bell.mistake("Your probabilities add up to more than 1: what is added above has to be added below as well.")
def not_in_the_denominator(count, total, kinds, shorter):
    return np.where(total > 0, (count + kinds * shorter) / np.maximum(total, 1), shorter)


@witten_bell.mistake("The two weights are swapped: many different followers should make you trust the context less.")
def swapped(count, total, kinds, shorter):
    trust = kinds / np.maximum(total + kinds, 1)
    return np.where(total > 0, trust * count / np.maximum(total, 1) + (1 - trust) * shorter, shorter)


@witten_bell.right
def with_trust(count, total, kinds, shorter):
    trust = total / np.maximum(total + kinds, 1)
    return trust * count / np.maximum(total, 1) + (1 - trust) * shorter


# ------------------------------------------------------------------------------ causal attention

_Q = np.array([[1.0, 0.0], [0.5, -1.0], [2.0, 1.0], [0.0, 0.3]])
_K = np.array([[0.2, 1.0], [1.0, 1.0], [-1.0, 0.5], [0.7, -0.7]])
_V = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0], [5.0, 5.0, 5.0], [-3.0, 0.5, 0.0]])


@exercise(
    "13.causal_attention",
    cases=[
        (np.array([[1.0], [2.0]]), np.array([[1.0], [-1.0]]), np.array([[1.0], [3.0]])),
        (_Q, _K, _V),
        (_Q[:3] * 60, _K[:3] * 60, _V[:3, :2]),
        (_Q[:1], _K[:1], _V[:1]),
    ],
    hints=[
        "Scores first: every query with every key, divided by the square root of d.",
        "A place that must not be seen gets the score minus infinity, before the softmax. np.tri(t) has the ones "
        "where a place may be seen.",
        "Subtract each row's largest score before the exponential; divide each row by its sum; multiply with v.",
    ],
)
def causal_attention(q, k, v):
    """Results (t, e) of one head: queries q (t, d), keys k (t, d), values v (t, e). No place sees a later one."""
    scores = q @ k.T / np.sqrt(q.shape[1])
    scores = np.where(np.tri(len(q)) > 0, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) @ v


@causal_attention.mistake("Your first place knows the second one: nothing hides what comes later.")
def sees_all(q, k, v):
    scores = q @ k.T / np.sqrt(q.shape[1])
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) @ v


@causal_attention.mistake("The division by the square root of d is missing.")
def unscaled(q, k, v):
    scores = np.where(np.tri(len(q)) > 0, q @ k.T, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) @ v


@causal_attention.mistake("You divide by d. The formula has its square root.")
def divided_by_d(q, k, v):
    scores = np.where(np.tri(len(q)) > 0, q @ k.T / q.shape[1], -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) @ v


@causal_attention.mistake("A score of zero hides nothing: its exponential is 1. Which score has the exponential 0?")
def hidden_by_zero(q, k, v):
    scores = q @ k.T / np.sqrt(q.shape[1]) * np.tri(len(q))
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) @ v


@causal_attention.mistake("You hide the weights after the softmax: those that are left do not add up to 1 in each row.")
def hidden_too_late(q, k, v):
    scores = q @ k.T / np.sqrt(q.shape[1])
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) * np.tri(len(q)) @ v


@causal_attention.mistake("Your places see what is later and not what is earlier: the triangle is the wrong one.")
def sees_the_future(q, k, v):
    scores = np.where(np.tri(len(q)).T > 0, q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) @ v


@causal_attention.mistake("A place may see itself as well as what is earlier. Yours does not.")
def not_itself(q, k, v):
    scores = np.where(np.tri(len(q), k=-1) > 0, q @ k.T / np.sqrt(q.shape[1]), -1e9)
    scores[0, 0] = 0.0
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True) @ v


@causal_attention.mistake("Right for small scores. For large ones the exponential is infinite: subtract first.")
def overflowing(q, k, v):
    weights = np.exp(np.where(np.tri(len(q)) > 0, q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    return weights / weights.sum(axis=1, keepdims=True) @ v


@causal_attention.mistake("Each query shares out its weights among the keys: along which axis do they add up to 1?")
def wrong_axis(q, k, v):
    scores = np.where(np.tri(len(q)) > 0, q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    weights = np.exp(scores - scores.max())
    return weights / weights.sum(axis=0, keepdims=True) @ v


@causal_attention.right
def row_by_row(q, k, v):
    from scipy.special import softmax

    return np.array([softmax(k[: i + 1] @ q[i] / q.shape[1] ** 0.5) @ v[: i + 1] for i in range(len(q))])


# ------------------------------------------------------------------------------------ layer norm

_ROWS = np.array([[1.0, 2.0, 6.0], [0.0, -4.0, 1.0], [3.0, 3.0, 3.0]])


@exercise(
    "13.layer_norm",
    cases=[
        (np.array([[1.0, 3.0]]), np.array([1.0, 1.0]), np.array([0.0, 0.0]), 1e-5),
        (_ROWS, np.array([1.0, 2.0, -1.0]), np.array([0.5, 0.0, 1.0]), 1e-5),
        (_ROWS, np.array([1.0, 1.0, 1.0]), np.array([0.0, 0.0, 0.0]), 0.5),
        (np.stack([_ROWS, 10 * _ROWS + 1]), np.array([1.0, 1.0, 3.0]), np.array([0.0, 1.0, 0.0]), 1e-3),
    ],
    hints=[
        "Mean and variance over the last axis, with keepdims=True, so that they fit to x again.",
        "Where does ε stand: under the root, or outside? Gain and shift come last.",
    ],
)
def layer_norm(x, gain, shift, epsilon=1e-05):
    """Each vector along the last axis of x (…, d) to mean 0 and variance 1; then times gain (d,), plus shift (d,)."""
    mean = x.mean(axis=-1, keepdims=True)
    variance = x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * gain + shift


@layer_norm.mistake("You take mean and variance over the rows, as batch normalisation does. Each row is on its own.")
def over_the_batch(x, gain, shift, epsilon=1e-05):
    mean, variance = x.mean(axis=0, keepdims=True), x.var(axis=0, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * gain + shift


@layer_norm.mistake("You divide by the variance. What brings the spread to 1 is its square root.")
def by_the_variance(x, gain, shift, epsilon=1e-05):
    return (x - x.mean(axis=-1, keepdims=True)) / (x.var(axis=-1, keepdims=True) + epsilon) * gain + shift


@layer_norm.mistake("In yours the mean stays where it was: it has to be subtracted before you divide.")
def not_centred(x, gain, shift, epsilon=1e-05):
    return x / np.sqrt(x.var(axis=-1, keepdims=True) + epsilon) * gain + shift


@layer_norm.mistake("Your ε is added to the root. In the formula it stands under it.")
def epsilon_outside(x, gain, shift, epsilon=1e-05):
    return (x - x.mean(axis=-1, keepdims=True)) / (x.std(axis=-1, keepdims=True) + epsilon) * gain + shift


@layer_norm.mistake("A vector of equal numbers has the variance 0, and you divide by it: what is ε for?")
def without_epsilon(x, gain, shift, epsilon=1e-05):
    return (x - x.mean(axis=-1, keepdims=True)) / x.std(axis=-1, keepdims=True) * gain + shift


@layer_norm.mistake("Your variance divides by d - 1. The layer divides by d.")
def of_a_sample(x, gain, shift, epsilon=1e-05):
    variance = x.var(axis=-1, keepdims=True, ddof=1)
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(variance + epsilon) * gain + shift


@layer_norm.mistake("Gain and shift are not used: the layer could not learn a spread of its own.")
def without_gain(x, gain, shift, epsilon=1e-05):
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)


@layer_norm.right
def from_the_squares(x, gain, shift, epsilon=1e-05):
    centred = x - np.mean(x, axis=-1)[..., None]
    return shift + gain * centred * (np.mean(centred**2, axis=-1)[..., None] + epsilon) ** -0.5


# ----------------------------------------------------------------------------------------- top-p

_FIVE = np.array([0.1, 0.4, 0.05, 0.3, 0.15])


@exercise(
    "13.top_p",
    cases=[
        (np.array([0.7, 0.2, 0.1]), 0.8),
        (_FIVE, 0.6),
        (_FIVE, 0.8),
        (_FIVE, 0.3),
        (_FIVE, 1.0),
        (np.array([0.001, 0.998, 0.001]), 0.5),
        (np.array([0.5, 0.25, 0.25]), 0.5),
    ],
    hints=[
        "Sort the probabilities, the largest first (np.argsort of the negative ones), and add them up with np.cumsum.",
        "A token stays if the tokens before it do not reach p yet: so the one that reaches it is still in.",
        "Put the kept probabilities back to their places, and divide by their sum.",
    ],
)
def top_p(probabilities, p):
    """The fewest, most probable tokens of (n,) that hold at least p together; they sum to 1, all others are 0."""
    order = np.argsort(-probabilities, kind="stable")
    before = np.cumsum(probabilities[order]) - probabilities[order]
    kept = np.zeros(len(probabilities))
    kept[order] = np.where(before < p, probabilities[order], 0)
    return kept / kept.sum()


@top_p.mistake("Your kept tokens hold less than p together: the one that reaches p belongs to them.")
def stops_before(probabilities, p):
    order = np.argsort(-probabilities, kind="stable")
    inside = np.cumsum(probabilities[order]) < p
    inside[0] = True
    kept = np.zeros(len(probabilities))
    kept[order] = np.where(inside, probabilities[order], 0)
    return kept / kept.sum()


@top_p.mistake("What you keep does not sum to 1 any more.")
def not_normalised(probabilities, p):
    order = np.argsort(-probabilities, kind="stable")
    before = np.cumsum(probabilities[order]) - probabilities[order]
    kept = np.zeros(len(probabilities))
    kept[order] = np.where(before < p, probabilities[order], 0)
    return kept


@top_p.mistake("You begin with the least probable tokens. The most probable ones come first.")
def from_below(probabilities, p):
    order = np.argsort(probabilities, kind="stable")
    before = np.cumsum(probabilities[order]) - probabilities[order]
    kept = np.zeros(len(probabilities))
    kept[order] = np.where(before < p, probabilities[order], 0)
    return kept / kept.sum()


@top_p.mistake("You compare each probability with p. It is their sum, from the largest down, that has to reach it.")
def each_by_itself(probabilities, p):
    kept = np.where(probabilities >= min(p, probabilities.max()), probabilities, 0)
    return kept / kept.sum()


@top_p.mistake("You add up in the order of the vocabulary: sort by probability first.")
def unsorted(probabilities, p):
    before = np.cumsum(probabilities) - probabilities
    kept = np.where(before < p, probabilities, 0)
    return kept / kept.sum()


@top_p.mistake("The right numbers at the wrong places: each probability has to return to its own token.")
def stays_sorted(probabilities, p):
    falling = np.sort(probabilities)[::-1]
    kept = np.where(np.cumsum(falling) - falling < p, falling, 0)
    return kept / kept.sum()


@top_p.mistake("All tokens that you keep are equally probable in yours. They keep their proportions.")
def made_equal(probabilities, p):
    order = np.argsort(-probabilities, kind="stable")
    before = np.cumsum(probabilities[order]) - probabilities[order]
    kept = np.zeros(len(probabilities))
    kept[order] = np.where(before < p, 1.0, 0)
    return kept / kept.sum()


@top_p.right
def with_a_loop(probabilities, p):
    kept, total = np.zeros_like(probabilities), 0.0
    for i in np.argsort(-probabilities, kind="stable"):
        if total >= p - 1e-9:
            break
        kept[i] = probabilities[i]
        total += probabilities[i]
    return kept / total


# -------------------------------------------------------------------------------------- questions

q_bits = number(
    "13.q_bits",
    "A model gives each of the 96 characters of a text's alphabet the same probability. How many bits per character?",
    answer=float(np.log2(96)),
    wrong={
        96: "That is the number of choices. How often can you halve it until one is left?",
        float(np.log(96)): "Those are nats: take the logarithm to the base 2.",
        8: "That is the computer's byte, which has room for 256 choices.",
        1 / 96: "That is the probability of one character. Its surprise is minus the logarithm of it.",
    },
    explain="log2(96) is about 6.58. A model that knows anything about the text needs fewer bits.",
    hints=["The probability of each is 1/96. Bits are the logarithm to base 2 of 1 over the probability."],
)

q_mask = choice(
    "13.q_mask",
    "You train a model without the causal mask. What do you see?",
    right="a training loss near zero, and nonsense when it writes",
    wrong={
        "an error, because the shapes no longer fit": "The mask changes no shape: it only sets scores.",
        "a training loss that does not fall": "It falls, and faster than before. What can each place look at?",
        "a slower model that writes as well as before": "When it writes, the next token is not there to be looked at.",
    },
    explain="Each place copies the next token from its input. When it writes there is nothing to copy from.",
    hints=["Without the mask, what can a place see of the token that it should predict?"],
)

q_temperature = choice(
    "13.q_temperature",
    "What happens to the samples when the temperature goes towards zero?",
    right="they become greedy: always the most probable token",
    wrong={
        "all tokens become equally probable": "That is the other end, a very high temperature.",
        "they become random": "Dividing by a small number pulls the logits apart. What does softmax make of that?",
        "nothing: softmax does not depend on the scale": "It does not depend on a shift. A scale changes it.",
    },
    explain="The gaps between the logits grow without bound, and softmax gives everything to the largest.",
    hints=["Divide two different scores by a very small number. What happens to their difference?"],
)

q_cache = choice(
    "13.q_cache",
    "A model has written t tokens. With a cache of keys and values, what does the next token still cost?",
    right="the work on one place, and a look at t stored keys in each layer",
    wrong={
        "nothing but a look into the cache": "The new token's own query, key, value and MLP are not in there yet.",
        "the work on t places, as without a cache": "Which of those results could have changed since the last token?",
        "t times t scores in each layer": "Scores of earlier queries are done. How many queries are new?",
    },
    explain="Causality makes it possible: nothing earlier can depend on the new token, so nothing earlier changes.",
    hints=["Which parts of the work for the earlier tokens are kept, and what does the new token do with them?"],
)

q_compare = choice(
    "13.q_compare",
    "Model A has 4.0 bits per token, model B has 4.5, on the same text, with different vocabularies. Which is better?",
    right="unknown: their tokens differ; compare bits per character",
    wrong={
        "A, because its surprise is smaller": "Smaller for each token. Whose tokens hold more characters?",
        "B, because it has the larger vocabulary": "That may be so, and still its total may be the larger one.",
        "they cannot be compared at all": "Both give a probability to the same text. What unit do the texts share?",
    },
    explain="With 2 characters a token A needs 2.0 bits per character; with 2.5, B needs only 1.8.",
    hints=["How many characters does one token of A stand for, and one of B?"],
)
