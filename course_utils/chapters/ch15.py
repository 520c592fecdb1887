"""Exercises of notebook 15, fusing modalities."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# ------------------------------------------------------------------------------- late fusion

_SEEN = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.25, 0.5, 0.25], [0.05, 0.05, 0.9]])
_HEARD = np.array([[0.4, 0.5, 0.1], [0.2, 0.2, 0.6], [0.6, 0.3, 0.1], [0.8, 0.1, 0.1]])
_PRIOR = np.array([0.6, 0.3, 0.1])
_FAINT = np.array([[1.0, 1e-200], [1e-250, 1e-200]])


@exercise(
    "15.late_fusion",
    cases=[
        (np.array([[0.6, 0.4]]), np.array([[0.8, 0.2]]), np.array([0.5, 0.5])),
        (_SEEN, _HEARD, _PRIOR),
        (_SEEN[:2], _HEARD[2:], np.array([0.2, 0.3, 0.5])),
        (_FAINT, np.array([[1e-200, 1e-150], [1e-200, 1e-249]]), np.array([0.3, 0.7])),
        (np.array([[1e-300, 1e-280], [0.5, 0.5]]), np.array([[1e-300, 1e-290], [0.6, 0.4]]), np.array([0.3, 0.7])),
    ],
    hints=[
        "Add the logarithms of the two answers, and subtract the logarithm of the prior.",
        "Then it is a softmax: subtract each row's largest score, exponentiate, divide by the row's sum.",
    ],
)
def late_fusion(seen, heard, prior):
    """Fused probabilities (n, k) of answers seen and heard (n, k), none 0; prior (k,).

    Each row adds up to 1, also where the products are too small for a float."""
    scores = np.log(seen) + np.log(heard) - np.log(prior)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@late_fusion.mistake("The prior is in both answers, so it counts twice in yours. How often should it count?")
def prior_twice(seen, heard, prior):
    scores = np.log(seen) + np.log(heard)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _from_scores(scores):
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@late_fusion.mistake("You multiply by the prior. It is in both answers already: once too often.")
def prior_thrice(seen, heard, prior):
    return _from_scores(np.log(seen) + np.log(heard) + np.log(prior))


@late_fusion.mistake("You divide the prior out of both answers. Once it has to stay.")
def prior_gone(seen, heard, prior):
    return _from_scores(np.log(seen) + np.log(heard) - 2 * np.log(prior))


@late_fusion.mistake("That is the mean of the two answers. Bayes' rule multiplies them.")
def averaged(seen, heard, prior):
    return (seen + heard) / 2


@late_fusion.mistake("Right where the products are large. In the last case they are too small for a float.")
def underflowing(seen, heard, prior):
    with np.errstate(all="ignore"):
        products = seen * heard / prior
        return products / products.sum(axis=1, keepdims=True)


@late_fusion.mistake("Each row has to add up to 1. Along which axis do you sum?")
def wrong_axis(seen, heard, prior):
    scores = np.log(seen) + np.log(heard) - np.log(prior)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=0)


@late_fusion.mistake("The proportions are right, but your rows do not add up to 1.")
def not_normalised(seen, heard, prior):
    scores = np.log(seen) + np.log(heard) - np.log(prior)
    return np.exp(scores - scores.max(axis=1, keepdims=True))


@late_fusion.right
def by_scipy(seen, heard, prior):
    from scipy.special import softmax

    return softmax(np.log(seen) - np.log(prior) + np.log(heard), axis=1)


# ------------------------------------------------------------------------------ gated mixture

_ONE = np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.0]])
_OTHER = np.array([[0.2, 4.0], [-0.5, 1.0], [2.0, -3.0]])


@exercise(
    "15.gated_mixture",
    cases=[
        (_ONE[:1], _OTHER[:1], np.array([0.25])),
        (_ONE, _OTHER, np.array([0.9, 0.3, 0.6])),
        (_ONE[:2], _OTHER[:2], np.array([1.0, 0.1])),
    ],
    hints=[
        "The gate has one number for each row: give it a second axis of length 1.",
        "What the picture does not get belongs to the sound.",
    ],
)
def gated_mixture(seen, heard, gate):
    """Mixed features (n, d): seen (n, d) counts with gate (n,), heard with the rest."""
    return gate[:, None] * seen + (1 - gate[:, None]) * heard


@gated_mixture.mistake("The sides are swapped: with a gate of 1 only the picture should count.")
def swapped(seen, heard, gate):
    return (1 - gate[:, None]) * seen + gate[:, None] * heard


@gated_mixture.mistake("The sound counts in full in yours. It gets what the gate leaves over.")
def sound_in_full(seen, heard, gate):
    return gate[:, None] * seen + heard


@gated_mixture.mistake("Both get the same weight in yours. When one counts more, the other has to count less.")
def same_weight(seen, heard, gate):
    return gate[:, None] * (seen + heard)


@gated_mixture.mistake("Your result does not depend on the gate: that is the plain mean of both.")
def plain_mean(seen, heard, gate):
    return (seen + heard) / 2


@gated_mixture.mistake("All rows are mixed with the same number in yours. Each row has a gate of its own.")
def one_for_all(seen, heard, gate):
    return gate.mean() * seen + (1 - gate.mean()) * heard


@gated_mixture.right
def from_the_sound(seen, heard, gate):
    return heard + gate.reshape(-1, 1) * (seen - heard)


# ------------------------------------------------------------------------------ modality mask


@exercise(
    "15.modality_mask",
    cases=[
        (np.array([0.1, 0.5, 0.9]), 0.25),
        (np.array([0.25, 0.75, 0.0, 0.2499, 0.7499, 0.6, 0.4]), 0.25),
        (np.array([0.3, 0.7, 0.55, 0.45]), 0.5),
        (np.array([0.05, 0.95, 0.12, 0.88]), 0.1),
        (np.array([0.0, 0.99, 0.5]), 0.0),
    ],
    hints=[
        "Two comparisons: one says where the picture stays, one where the sound does.",
        "Put the two rows of answers side by side as columns, and make numbers of them.",
    ],
)
def modality_mask(draws, rate):
    """Mask (n, 2) of ones and zeros: column 0 for the picture, column 1 for the sound.

    draws (n,) lie in [0, 1): below rate the picture goes, from one minus rate on
    the sound."""
    return np.stack([draws >= rate, draws < 1 - rate], axis=1).astype(float)


@modality_mask.mistake("Where the picture goes the sound goes too in yours. Nothing would be left to learn from.")
def both_at_once(draws, rate):
    return np.stack([draws >= rate, draws >= rate], axis=1).astype(float)


@modality_mask.mistake("Your ones and zeros are exchanged: a 1 keeps the modality.")
def inverted(draws, rate):
    return np.stack([draws < rate, draws >= 1 - rate], axis=1).astype(float)


@modality_mask.mistake("The columns are exchanged: column 0 belongs to the picture.")
def columns_exchanged(draws, rate):
    return np.stack([draws < 1 - rate, draws >= rate], axis=1).astype(float)


@modality_mask.mistake("Only the picture is ever missing in yours.")
def picture_only(draws, rate):
    return np.stack([draws >= rate, draws >= 0], axis=1).astype(float)


@modality_mask.mistake("Each loses half of its rate in yours: the rate counts for the picture and for the sound.")
def half_the_rate(draws, rate):
    return np.stack([draws >= rate / 2, draws < 1 - rate / 2], axis=1).astype(float)


@modality_mask.mistake("Your mask lies on its side: one row for each pair, two columns.")
def on_its_side(draws, rate):
    return np.stack([draws >= rate, draws < 1 - rate]).astype(float)


@modality_mask.right
def by_where(draws, rate):
    mask = np.ones((len(draws), 2))
    mask[draws < rate, 0] = 0
    mask[draws >= 1 - rate, 1] = 0
    return mask


# --------------------------------------------------------------------------- contrastive loss

_SIMILARITY = np.array([[0.8, -0.3, 0.5, 0.1], [0.2, 0.6, -0.9, 0.4], [0.7, 0.3, 0.1, -0.2], [-0.6, 0.9, 0.0, 0.3]])


@exercise(
    "15.contrastive_loss",
    cases=[
        (np.array([[0.5, 0.1], [-0.3, 0.8]]), 1.0),
        (_SIMILARITY, 0.5),
        (_SIMILARITY[:3, :3], 0.1),
        (_SIMILARITY[1:, 1:], 0.0005),
    ],
    hints=[
        "Divide by the temperature. For each row: its diagonal score minus the logarithm of its summed exponentials.",
        "Subtract the largest score of a row before the exponential: it changes nothing but keeps numbers finite.",
        "Do the same for the columns, that is for the transposed matrix, and take the mean of both.",
    ],
)
def contrastive_loss(similarity, temperature):
    """Symmetric contrastive loss, one number: similarity (n, n), pictures in rows,
    sounds in columns, true pairs on the diagonal. Finite for a small temperature."""
    scores = similarity / temperature
    rows = scores - scores.max(axis=1, keepdims=True)
    columns = scores - scores.max(axis=0, keepdims=True)
    rows = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
    columns = columns - np.log(np.exp(columns).sum(axis=0, keepdims=True))
    return -(np.diag(rows).mean() + np.diag(columns).mean()) / 2


@contrastive_loss.mistake("You ask only which sound belongs to a picture. The other direction, by columns, is missing.")
def rows_only(similarity, temperature):
    scores = similarity / temperature
    scores = scores - scores.max(axis=1, keepdims=True)
    return -np.diag(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))).mean()


def _log_softmax(scores, axis):
    scores = scores - scores.max(axis=axis, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=axis, keepdims=True))


def _mean_of_both(scores):
    rows, columns = _log_softmax(scores, 1), _log_softmax(scores, 0)
    return -(np.diag(rows).mean() + np.diag(columns).mean()) / 2


@contrastive_loss.mistake("You ask only which picture belongs to a sound. The other direction, by rows, is missing.")
def columns_only(similarity, temperature):
    return -np.diag(_log_softmax(similarity / temperature, 0)).mean()


@contrastive_loss.mistake("You multiply by the temperature. A low one has to make differences larger.")
def times_temperature(similarity, temperature):
    return _mean_of_both(similarity * temperature)


@contrastive_loss.mistake("The temperature does not count in yours.")
def without_temperature(similarity, temperature):
    return _mean_of_both(similarity)


@contrastive_loss.mistake("The sign is turned around: a loss is large where the true pair has a small probability.")
def wrong_sign(similarity, temperature):
    return -_mean_of_both(similarity / temperature)


@contrastive_loss.mistake("You add both directions up. The loss is their mean.")
def not_halved(similarity, temperature):
    return 2 * _mean_of_both(similarity / temperature)


@contrastive_loss.mistake("The loss is a mean over the pairs. Yours is a sum.")
def summed(similarity, temperature):
    return len(similarity) * _mean_of_both(similarity / temperature)


@contrastive_loss.mistake("All entries count as true pairs in yours. The true ones lie on the diagonal.")
def everywhere(similarity, temperature):
    scores = similarity / temperature
    return -(_log_softmax(scores, 1).mean() + _log_softmax(scores, 0).mean()) / 2


@contrastive_loss.mistake("Right while the scores are small. For a low temperature the exponential is infinite.")
def overflowing(similarity, temperature):
    with np.errstate(all="ignore"):
        scores = np.exp(similarity / temperature)
        rows = np.diag(scores) / scores.sum(axis=1)
        columns = np.diag(scores) / scores.sum(axis=0)
        return -(np.log(rows).mean() + np.log(columns).mean()) / 2


@contrastive_loss.right
def by_scipy_logsumexp(similarity, temperature):
    from scipy.special import logsumexp

    scores = similarity / temperature
    both = logsumexp(scores, axis=1) + logsumexp(scores, axis=0) - 2 * np.diag(scores)
    return both.mean() / 2


# ---------------------------------------------------------------------------------- recall at k

_RANKED = np.array(
    [
        [0.9, 0.1, 0.5, 0.3, 0.2],
        [0.2, 0.8, 0.6, 0.1, 0.4],
        [0.3, 0.4, 0.1, 0.7, 0.6],
        [0.7, 0.6, 0.2, 0.5, 0.1],
    ]
)
_RELEVANT = np.array(
    [
        [True, False, True, False, False],
        [False, False, True, False, False],
        [True, False, False, False, False],
        [False, True, False, True, False],
    ]
)


@exercise(
    "15.recall_at_k",
    cases=[
        (np.array([[0.2, 0.9, 0.4]]), np.array([[False, False, True]]), 2),
        (_RANKED, _RELEVANT, 1),
        (_RANKED, _RELEVANT, 2),
        (_RANKED, _RELEVANT, 3),
        (_RANKED[:3], _RELEVANT[:3], 4),
    ],
    hints=[
        "Sort each row from the largest similarity to the smallest and keep the first k places.",
        "A query is a hit if any of its k places is relevant; the recall is the share of hits.",
    ],
)
def recall_at_k(similarity, relevant, k):
    """Share of the queries with a relevant item among their k most similar ones:
    similarity (queries, items), relevant (queries, items), True or False."""
    best = np.argsort(-similarity, axis=1)[:, :k]
    return np.take_along_axis(relevant, best, axis=1).any(axis=1).mean()


@recall_at_k.mistake("You look at the least similar items: which end of the sorted row do you keep?")
def the_farthest(similarity, relevant, k):
    worst = np.argsort(similarity, axis=1)[:, :k]
    return np.take_along_axis(relevant, worst, axis=1).any(axis=1).mean()


@recall_at_k.mistake("You count how many of the k places are relevant. One is enough for a hit.")
def precision(similarity, relevant, k):
    best = np.argsort(-similarity, axis=1)[:, :k]
    return np.take_along_axis(relevant, best, axis=1).mean()


@recall_at_k.mistake("Only the very first place counts in yours, whatever k is.")
def first_only(similarity, relevant, k):
    return relevant[np.arange(len(similarity)), similarity.argmax(axis=1)].mean()


@recall_at_k.mistake("Only the place number k counts in yours. All places before it count as well.")
def the_last_place(similarity, relevant, k):
    place = np.argsort(-similarity, axis=1)[:, k - 1]
    return relevant[np.arange(len(similarity)), place].mean()


@recall_at_k.mistake("That is the number of hits. The recall is their share of the queries.")
def hits(similarity, relevant, k):
    best = np.argsort(-similarity, axis=1)[:, :k]
    return np.take_along_axis(relevant, best, axis=1).any(axis=1).sum()


@recall_at_k.right
def by_ranks(similarity, relevant, k):
    better = (similarity[:, None, :] > similarity[:, :, None]).sum(axis=2)
    return np.mean([(row_rank[row] < k).any() for row_rank, row in zip(better, relevant, strict=True)])


# -------------------------------------------------------------------------------------- questions

q_prior = choice(
    "15.q_prior",
    "A picture is pure noise, and so is the sound: both networks answer with the prior. What does late fusion answer, "
    "and what would it answer without dividing?",
    right="the prior; without dividing, the squared prior made to add up to 1",
    wrong={
        "the same number for every class, in both cases": (
            "Put the prior in for both answers in the formula, and see what is left."
        ),
        "the prior, in both cases": "Put the prior in for both answers, and leave out the division.",
        "the squared prior made to add up to 1; without dividing, the prior": (
            "Which of the two has one factor of the prior left over?"
        ),
    },
    explain="Two answers that know nothing must not make you surer of the frequent class.",
    hints=["Multiply prior by prior, with and without dividing by the prior, and make it add up to 1."],
)

q_gate = choice(
    "15.q_gate",
    "Both inputs of a gated network are pure noise. What can its gate do about it?",
    right="nothing: it shares out weight, and takes it away from neither as a whole",
    wrong={
        "it goes to 0, so that neither counts": "With a gate of 0, which of the two counts in full?",
        "it goes to 1, so that neither counts": "With a gate of 1, which of the two counts in full?",
        "it goes to one half, which cancels both": "Half of one noise and half of the other: is that nothing?",
    },
    explain="The weights g and 1 - g always add up to 1. To be unsure is the task of the features behind it.",
    hints=["The gate's two shares add up to 1. Can both be small?"],
)

q_independent = number(
    "15.q_independent",
    "Given the digit, one judge errs in 20 % of the cases and the other in 30 %, independently. In what share of the "
    "cases do both err?",
    answer=0.06,
    wrong={
        0.5: "You add. Both have to happen at once.",
        0.25: "That is the mean of the two. Both have to happen at once.",
        0.2: "Then the second judge would err whenever the first does. They are independent.",
        0.44: "That is how often at least one of them errs.",
    },
    explain="0.2 times 0.3. If they always erred in the same cases it would be 0.2; if never in the same, 0.",
    hints=["Independent: the probabilities are multiplied."],
)

q_missing = choice(
    "15.q_missing",
    "The sound is missing. Why does late fusion need no modality dropout for that?",
    right="leaving out one factor leaves the other network's answer, for which it was trained",
    wrong={
        "its networks were trained on zeros": "Neither was. Look at what each of them takes in.",
        "a zero has no effect in a product": "A factor of zero makes everything zero. What is left out is not zero.",
        "the prior replaces the missing picture": "The sound is missing, not the picture. And what is left to join?",
    },
    explain="Each network has only ever seen one modality, so it cannot miss the other.",
    hints=["Which networks does late fusion train, and on what?"],
)

q_floor = number(
    "15.q_floor",
    "A batch has 2 pairs, the temperature is 1. The model is perfect: true pairs have the cosine 1, all others -1. "
    "How large is the contrastive loss?",
    answer=float(np.log1p(np.exp(-2.0))),
    wrong={
        0.0: "The probability of the right answer is not 1: the other one has a score, too.",
        float(np.log1p(np.exp(-1.0))): "How far apart are the two scores, 1 and -1?",
        float(np.log(2)): "That is the loss of a model that cannot tell the two apart.",
        float(1 / (1 + np.exp(-2.0))): "That is the probability of the right one. The loss is minus its logarithm.",
        float(2 * np.log1p(np.exp(-2.0))): "Both directions give this number. The loss is their mean.",
    },
    explain="ln(1 + exp(-2)), about 0.127. At temperature 0.1 it would be ln(1 + exp(-20)), next to nothing.",
    hints=["In each row the scores are 1 and -1. What is minus the logarithm of the softmax at the 1?"],
)

q_false_negatives = number(
    "15.q_false_negatives",
    "A batch has 21 pairs with random digits, all ten equally frequent. How many false negatives does a picture have "
    "on average?",
    answer=2,
    wrong={
        2.1: "Its own partner is no negative: how many others are there?",
        1: "One in ten of the others has the same digit. How many others are there?",
        20: "Those are all negatives. How many of them have the same digit?",
        18: "Those are the true negatives.",
    },
    explain="A tenth of the 20 others. The larger the batch, the more there are.",
    hints=["There are 20 other pairs. How many of them show the same digit, on average?"],
)
