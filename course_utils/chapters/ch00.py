"""Exercises of notebook 00: a warm-up, so that the learner meets the mechanism."""

from course_utils.exercises import choice, exercise


@exercise(
    "00.variance_of_mean",
    cases=[(1.0, 1), (4.0, 2), (1 / 12, 100), (9.0, 3)],
    hints=["The formula stands above: it has one division.", "Variance is already a square: no root, no square."],
    equivalent=[],
)
def variance_of_mean(variance, n):
    """The variance of the mean of n independent numbers, each with this variance."""
    return variance / n


@variance_of_mean.mistake(
    "You multiply. Averaging more numbers makes the mean steadier: should the variance grow or shrink?"
)
def grows(variance, n):
    return variance * n


@variance_of_mean.mistake("That is how the standard deviation shrinks. The question is about the variance, its square.")
def root(variance, n):
    return variance / n**0.5


@variance_of_mean.mistake("You divide twice: once for each factor of a square, but variance is a square already.")
def twice(variance, n):
    return variance / n**2


@variance_of_mean.mistake("The result does not depend on n yet. Which of the two arguments is still unused?")
def unchanged(variance, n):
    return variance


@variance_of_mean.right
def as_product(variance, n):
    return (1 / n) * variance


q_four_times = choice(
    "00.q_four_times",
    "You average four times as many numbers as before. What happens to the standard deviation of the mean?",
    right="it is halved",
    wrong={
        "it is a quarter of what it was": "That is the variance. The standard deviation is its square root.",
        "it stays the same": "Look at the three histograms again: the one with n = 12 is narrower than the first.",
        "it doubles": "More numbers make the mean steadier, not less steady. Look at the histograms again.",
    },
    explain="The variance is divided by four, and the standard deviation, its square root, by two.",
    hints=["The variance of a mean is divided by the count. The standard deviation is its root."],
)
