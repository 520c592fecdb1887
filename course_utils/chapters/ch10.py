"""Exercises of notebook 10, overfitting."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# -------------------------------------------------------------------------------- learning curve

_SIZES = np.array([10.0, 20.0, 40.0])
_ERRORS = np.array([0.4, 0.31, 0.22])


@exercise(
    "10.power_law",
    cases=[
        (np.array([1.0, 10.0]), np.array([0.5, 0.05]), 100.0),
        (_SIZES, _ERRORS, 160.0),
        (_SIZES, 0.5 * _ERRORS**2, 15.0),
    ],
    hints=[
        "Take the logarithm of the sizes and of the errors. What is a power law then?",
        "NumPy's polyfit with degree 1 returns the slope and the intercept of the best line, in this order.",
        "The line gives the logarithm of the error. Undo it at the end.",
    ],
)
def power_law(sizes, errors, n):
    """Error at n examples on the best line through log errors (k,) against log sizes (k,)."""
    slope, intercept = np.polyfit(np.log(sizes), np.log(errors), 1)
    return np.exp(intercept + slope * np.log(n))


@power_law.mistake("You lay a straight line through the errors themselves: with enough examples it goes below zero.")
def without_logarithms(sizes, errors, n):
    slope, intercept = np.polyfit(sizes, errors, 1)
    return intercept + slope * n


@power_law.mistake("That is the logarithm of the error. Which function takes it back?")
def still_a_logarithm(sizes, errors, n):
    slope, intercept = np.polyfit(np.log(sizes), np.log(errors), 1)
    return intercept + slope * np.log(n)


@power_law.mistake("The line was fitted over the logarithm of the size. Where do you read it off?")
def read_at_n_itself(sizes, errors, n):
    slope, intercept = np.polyfit(np.log(sizes), np.log(errors), 1)
    return np.exp(intercept + slope * n)


@power_law.mistake("Only the errors are logarithms in yours: that is an exponential, which falls far too fast.")
def an_exponential(sizes, errors, n):
    slope, intercept = np.polyfit(sizes, np.log(errors), 1)
    return np.exp(intercept + slope * n)


@power_law.mistake("Only the sizes are logarithms in yours. The errors need theirs too.")
def sizes_only(sizes, errors, n):
    slope, intercept = np.polyfit(np.log(sizes), errors, 1)
    return intercept + slope * np.log(n)


@power_law.right
def as_a_product(sizes, errors, n):
    u, v = np.log10(sizes), np.log10(errors)
    slope = np.sum((u - u.mean()) * (v - v.mean())) / np.sum((u - u.mean()) ** 2)
    return 10 ** (v.mean() - slope * u.mean()) * n**slope


# -------------------------------------------------------------------------------------- penalties

_W = np.array([[0.5, -2.0, 0.0], [3.0, -0.1, 1.0]])


@exercise(
    "10.penalty_gradient",
    cases=[(np.array([3.0, -2.0]), 0.5, 0.1), (_W, 0.2, 0.0), (_W, 0.0, 0.3), (2 * _W, 1.5, 0.7)],
    hints=[
        "Two parts. What is the slope of l1 · |w| for a positive w, and for a negative one?",
        "The half in front of the square cancels the 2 that its slope brings.",
    ],
    equivalent=["l1 * np.sign(w) -> l1 / np.sign(w)"],
)
def penalty_gradient(w, l1, l2):
    """Gradient, of w's shape, of l1 · (sum of |w|) + l2 / 2 · (sum of w²); its L1 part is 0 where w is 0."""
    return l1 * np.sign(w) + l2 * w


@penalty_gradient.mistake("The L2 part is twice too large: the penalty has a half in front of the square.")
def square_without_half(w, l1, l2):
    return l1 * np.sign(w) + 2 * l2 * w


@penalty_gradient.mistake("The slope of |w| does not grow with the weight. How steep is it on either side of zero?")
def size_of_the_weight(w, l1, l2):
    return l1 * np.abs(w) + l2 * w


@penalty_gradient.mistake("Your L1 part pushes every weight in the same direction. For negative weights it must turn.")
def one_direction(w, l1, l2):
    return l1 + l2 * w


@penalty_gradient.mistake("The two strengths have changed places.")
def strengths_swapped(w, l1, l2):
    return l2 * np.sign(w) + l1 * w


@penalty_gradient.mistake("That points towards zero, as the step will. The gradient points to where the penalty grows.")
def the_step(w, l1, l2):
    return -(l1 * np.sign(w) + l2 * w)


@penalty_gradient.mistake("That is the penalty, one number. Its gradient has one number for each weight.")
def the_penalty(w, l1, l2):
    return l1 * np.sum(np.abs(w)) + l2 / 2 * np.sum(w**2)


@penalty_gradient.right
def by_cases(w, l1, l2):
    return np.where(w > 0, l1, 0.0) - np.where(w < 0, l1, 0.0) + w * l2


@exercise(
    "10.soft_threshold",
    cases=[
        (np.array([1.0, -0.25, 0.05, 0.0]), 0.1),
        (np.array([[2.0, -3.0], [0.5, -0.5]]), 0.5),
        (np.array([0.3, -0.2, 4.0]), 1.0),
        (np.array([0.3, -0.2]), 0.0),
    ],
    hints=[
        "How large is what is left of the weight? Its size minus the threshold, but never less than zero.",
        "Give the result the sign that the weight had.",
    ],
)
def soft_threshold(w, threshold):
    """Every weight moved towards zero by the threshold, and set to 0 where it would go past; shape of w."""
    return np.sign(w) * np.maximum(np.abs(w) - threshold, 0)


@soft_threshold.mistake("Small weights go past zero and come out on the other side. They should stop there.")
def past_zero(w, threshold):
    return np.sign(w) * (np.abs(w) - threshold)


@soft_threshold.mistake("Small weights are right. The large ones have to move towards zero too.")
def hard(w, threshold):
    return np.where(np.abs(w) > threshold, w, 0.0)


@soft_threshold.mistake("You shrink by a share of the weight, as L2 does. The threshold is the same step for all.")
def by_a_share(w, threshold):
    return w * (1 - threshold)


@soft_threshold.mistake("Negative weights are lost: towards zero means upwards for them.")
def positive_only(w, threshold):
    return np.maximum(w - threshold, 0)


@soft_threshold.mistake("That is how large the weights become. Where are their signs?")
def without_signs(w, threshold):
    return np.maximum(np.abs(w) - threshold, 0)


@soft_threshold.mistake("You clip the weights at the threshold. It is how far they move, not how large they may be.")
def clipped(w, threshold):
    return np.clip(w, -threshold, threshold)


@soft_threshold.right
def what_clipping_leaves(w, threshold):
    return w - np.clip(w, -threshold, threshold)


# ---------------------------------------------------------------------------------------- dropout

_A = np.array([[1.0, 2.0, -3.0], [0.5, 4.0, 1.0]])
_U = np.array([[0.1, 0.6, 0.9], [0.25, 0.3, 0.7]])


@exercise(
    "10.inverted_dropout",
    cases=[(np.array([[2.0, 4.0]]), 0.5, np.array([[0.2, 0.8]])), (_A, 0.25, _U), (_A, 0.6, _U), (_A, 0.0, _U)],
    hints=[
        "A comparison gives True where a unit stays; times x, True counts as 1 and False as 0.",
        "A share of (1 - rate) of the units is left. By what must they be multiplied, to keep the sum on average?",
    ],
)
def inverted_dropout(x, rate, uniform):
    """Units x (n, d) with those dropped where uniform (n, d), drawn from 0 to 1, is below rate; the rest scaled up."""
    return x * (uniform >= rate) / (1 - rate)


@inverted_dropout.mistake("The right units are dropped. But on average less arrives now: scale up what is left.")
def not_scaled(x, rate, uniform):
    return x * (uniform >= rate)


@inverted_dropout.mistake("You keep those that should go: a small rate must drop few units.")
def kept_the_wrong_ones(x, rate, uniform):
    return x * (uniform < rate) / (1 - rate)


@inverted_dropout.mistake("You make what is left smaller. It has to make up for the units that are gone.")
def scaled_down(x, rate, uniform):
    return x * (uniform >= rate) * (1 - rate)


@inverted_dropout.mistake("You scale by the share that is dropped. Which share is left?")
def by_the_dropped_share(x, rate, uniform):
    return x * (uniform >= rate) / rate if rate else x * 1.0


@inverted_dropout.mistake("Nothing is dropped in yours: all units are only scaled.")
def nothing_dropped(x, rate, uniform):
    return x / (1 - rate)


@inverted_dropout.right
def by_where(x, rate, uniform):
    return np.where(uniform < rate, 0.0, x / (1 - rate))


# --------------------------------------------------------------------------------- early stopping

_NOISY = np.array([1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.9, 0.6, 0.5])


@exercise(
    "10.early_stopping",
    cases=[
        (np.array([1.0, 0.5, 0.6, 0.7, 0.4]), 2),
        (_NOISY, 1),
        (_NOISY, 2),
        (_NOISY, 3),
        (_NOISY, 4),
        (np.array([0.5, 0.6, 0.7, 0.8]), 2),
        (np.array([0.5, 0.4, 0.4, 0.4, 0.4]), 3),
        (np.array([0.5, 0.5, 0.6, 0.7]), 2),
        (np.array([0.5, 0.4]), 5),
    ],
    hints=[
        "Walk through the losses and remember the epoch of the lowest so far.",
        "Training ends at the first epoch that is patience epochs away from the best one.",
        "If patience never runs out, the last epoch is the last of the list.",
    ],
)
def early_stopping(losses, patience):
    """Epochs (best, last), from 0: training ends after `patience` epochs in a row that are not below the best loss."""
    best = 0
    for epoch in range(len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        if epoch - best >= patience:
            return best, epoch
    return best, len(losses) - 1


@early_stopping.mistake("You compare each loss with the one before it. Compare it with the best one so far.")
def with_the_one_before(losses, patience):
    best, worse = 0, 0
    for epoch in range(1, len(losses)):
        best = epoch if losses[epoch] < losses[best] else best
        worse = 0 if losses[epoch] < losses[epoch - 1] else worse + 1
        if worse >= patience:
            return best, epoch
    return best, len(losses) - 1


@early_stopping.mistake("You look at the whole curve. When training has stopped, the later losses never happen.")
def sees_the_future(losses, patience):
    return int(np.argmin(losses)), early_stopping.reference(losses, patience)[1]


@early_stopping.mistake("You end at the first epoch that is worse: that is no patience at all.")
def at_the_first_rise(losses, patience):
    return early_stopping.reference(losses, 1)


@early_stopping.mistake("The first epoch is not the best one but the last: which weights do you want to keep?")
def keeps_the_last(losses, patience):
    last = early_stopping.reference(losses, patience)[1]
    return last, last


@early_stopping.mistake("You wait one epoch too long: count the epochs after the best one.")
def one_too_long(losses, patience):
    return early_stopping.reference(losses, patience + 1)


@early_stopping.mistake("You add up all epochs without progress. A new best loss gives the full patience back.")
def patience_used_up(losses, patience):
    best, worse = 0, 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        else:
            worse += 1
        if worse >= patience:
            return best, epoch
    return best, len(losses) - 1


@early_stopping.mistake("Right epochs in the other order: the best one comes first.")
def last_comes_first(losses, patience):
    best, last = early_stopping.reference(losses, patience)
    return last, best


@early_stopping.right
def with_a_counter(losses, patience):
    lowest, best, waited = float("inf"), 0, 0
    for epoch, loss in enumerate(losses):
        waited += 1
        if loss < lowest:
            lowest, best, waited = loss, epoch, 0
        if waited >= patience:
            return best, epoch
    return best, len(losses) - 1


# -------------------------------------------------------------------------------- label smoothing


@exercise(
    "10.smooth_labels",
    cases=[
        (np.array([1]), 2, 0.2),
        (np.array([2, 0, 1, 2]), 3, 0.3),
        (np.array([0, 3]), 4, 0.1),
        (np.array([0, 3]), 4, 0.0),
    ],
    hints=[
        "Begin with rows of zeros that have a 1 at the true class: the rows of a unit matrix.",
        "A share epsilon is taken from the 1 and given to all classes alike, the true one included.",
    ],
)
def smooth_labels(labels, classes, epsilon):
    """Targets (n, classes) for true classes labels (n,): a share epsilon of each is spread evenly over all classes."""
    return (1 - epsilon) * np.eye(classes)[labels] + epsilon / classes


@smooth_labels.mistake("You spread over the other classes only. In this form the true class gets its part as well.")
def over_the_others(labels, classes, epsilon):
    true = np.eye(classes)[labels]
    return (1 - epsilon) * true + epsilon / (classes - 1) * (1 - true)


@smooth_labels.mistake("Your rows add up to more than 1: what the classes get has to be taken from somewhere.")
def nothing_taken(labels, classes, epsilon):
    return np.eye(classes)[labels] + epsilon / classes


@smooth_labels.mistake("Your rows add up to less than 1: the share is taken away and given to nobody.")
def nothing_given(labels, classes, epsilon):
    return (1 - epsilon) * np.eye(classes)[labels]


@smooth_labels.mistake("Every class gets the whole share in yours. It is divided among them.")
def not_divided(labels, classes, epsilon):
    return (1 - epsilon) * np.eye(classes)[labels] + epsilon


@smooth_labels.mistake("Turned around: epsilon is the small share that is spread, and the rest stays where it was.")
def turned_around(labels, classes, epsilon):
    return epsilon * np.eye(classes)[labels] + (1 - epsilon) / classes


@smooth_labels.right
def by_filling(labels, classes, epsilon):
    targets = np.full((len(labels), classes), epsilon / classes)
    targets[np.arange(len(labels)), labels] += 1 - epsilon
    return targets


# -------------------------------------------------------------------------------------- questions

_THERAPY = {
    "overfits": "it overfits: more data, augmentation, dropout or a penalty",
    "too tight": "it underfits: weaken the penalty, or take a larger model",
    "too early": "it has not finished learning: more steps, or a larger learning rate",
}

q_patient_a = choice(
    "10.q_patient_a",
    "Patient A: what is the diagnosis, and what do you try first?",
    right=_THERAPY["overfits"],
    wrong={
        _THERAPY["too tight"]: "It cannot be too simple: how many of its training images does it get right?",
        _THERAPY["too early"]: "Look at the training curve: there is nothing left to learn from these images.",
        "it is healthy: leave it alone": "Compare the two curves at the end. How far are they apart?",
    },
    explain="Training accuracy is at the top, validation stays far below and no longer moves: that gap is overfitting.",
    hints=["Compare the training curve with the validation curve: which one is good?"],
)

q_patient_b = choice(
    "10.q_patient_b",
    "Patient B: what is the diagnosis, and what do you try first?",
    right=_THERAPY["too early"],
    wrong={
        _THERAPY["overfits"]: "Is there a gap? The two curves go side by side.",
        _THERAPY["too tight"]: "A model that is too tight stops getting better. Does this one?",
        "it is healthy: leave it alone": "Follow the curves to the right edge: in which direction do they go there?",
    },
    explain="Both curves are low, close together and still rising: do not judge a model before it has learned.",
    hints=["Are the curves flat at the end?"],
)

q_patient_c = choice(
    "10.q_patient_c",
    "Patient C: what is the diagnosis, and what do you try first?",
    right=_THERAPY["too tight"],
    wrong={
        _THERAPY["overfits"]: "It does not even know its training images. Would more of them help?",
        _THERAPY["too early"]: "Both curves have been flat for a long time. What would more of the same change?",
        "it is healthy: leave it alone": "The curves agree, but at what height? Compare with the others.",
    },
    explain="Both curves are low, close together and flat: it is held too tightly to follow even its training data.",
    hints=["Compare the training curve with what is possible: is it good itself?"],
)

q_power = number(
    "10.q_power",
    "A learning curve follows error = c · n to the power -0.5. With 100 examples the error is 0.20. "
    "How many examples halve it?",
    answer=400,
    wrong={
        200: "Twice the examples divide the error by the root of 2, not by 2.",
        141.42: "Turn it around: the error falls more slowly than the number of examples grows.",
        1000: "Ten times the examples divide the error by about 3.2. You need a factor of 2.",
    },
    explain="n to the power -0.5 halves when n grows by 2 squared: 400. The next halving needs 1600.",
    hints=["n to the power -0.5 is 1 over the root of n. By which factor must n grow to halve it?"],
)

q_zeros = choice(
    "10.q_zeros",
    "Why does L1 make weights exactly zero while L2 does not?",
    right="L1 pulls a small weight as hard as a large one; the pull of L2 fades with the weight",
    wrong={
        "L1 is always the stronger penalty": "For a weight above 1, at equal strengths, which one pulls harder?",
        "L1 rounds small weights down": "Nothing is rounded. Compare the two slopes near zero.",
        "L2 increases the small weights": "L2 makes every weight smaller. By how much, when it is small already?",
    },
    explain="A constant pull reaches zero in a finite number of steps; a pull in proportion to the weight never does.",
    hints=["Compare the slopes of |w| and w² near zero."],
)

q_test_time = choice(
    "10.q_test_time",
    "A network was trained with inverted dropout at rate 0.5. What happens to its units when it is used?",
    right="nothing is dropped and nothing is scaled",
    wrong={
        "half of the units are dropped, as in training": "Then the same input would get another answer each time.",
        "nothing is dropped, and all units are halved": (
            "That belongs to the older form, which does not scale in training. What did the inverted form do already?"
        ),
        "nothing is dropped, and all units are doubled": "In training the kept units were doubled already. Why?",
    },
    explain="The scaling is done in training, so that the full network already receives what it is used to.",
    hints=["Inverted dropout makes up for the missing units during training. What is left to do afterwards?"],
)

q_choose = choice(
    "10.q_choose",
    "You try twenty strengths of a penalty. By which number do you choose, and which one do you report?",
    right="choose by validation accuracy, report test accuracy of the chosen one",
    wrong={
        "choose by test accuracy, report it": (
            "The best of twenty test results is good by luck too. Who checks it then?"
        ),
        "choose by training accuracy, report test accuracy": (
            "Without any penalty the training accuracy is highest. What would you choose?"
        ),
        "choose by validation accuracy, report it": (
            "The winner was picked because its validation number was high. Is that number still fair?"
        ),
    },
    explain="A set that helped to choose flatters the choice. The test set is looked at once, at the end.",
    hints=["The number that you choose by looks better than it is. Which set must stay unseen until the end?"],
)
