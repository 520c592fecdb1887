"""Exercises of notebook 00: the learner meets the checker, a guess and a question."""

import numpy as np

from course_utils.exercises import choice, exercise, prediction

p_shuffled = prediction(
    "00.p_shuffled",
    "The next cell puts the numbers of the model into a random order. None is added, none is lost. "
    "What will the model write then?",
    options=[
        "the same lines with a few small mistakes",
        "the same words in another order",
        "pieces of words and signs, without sense",
    ],
    answer="pieces of words and signs, without sense",
    explain="Some pieces are whole words, and no order is left. What the model has learned is not in the numbers "
    "alone, but in which number stands where.",
    hints=["No number says anything alone. Think of the letters of this sentence in a random order."],
)


@exercise(
    "00.mean",
    cases=[([2, 4],), ([1.0, 2.0, 6.0],), ([5],), ([0.5, 0.1, 0.2, 0.9],)],
    hints=["Python's own functions sum and len do both halves of the work.", "Divide with one slash: 7 / 2 is 3.5."],
)
def mean(numbers):
    """The mean of a list of numbers: their sum, divided by how many there are."""
    return sum(numbers) / len(numbers)


@mean.mistake("That is the sum. Divide it by how many numbers there are.")
def only_the_sum(numbers):
    return sum(numbers)


@mean.mistake("You always divide by 2. How many numbers are in the list?")
def halved(numbers):
    return sum(numbers) / 2


@mean.mistake("You have exchanged the two: the sum belongs above the line.")
def upside_down(numbers):
    return len(numbers) / sum(numbers)


@mean.mistake("Two slashes cut off everything behind the decimal point. One slash keeps it.")
def whole_numbers(numbers):
    return sum(numbers) // len(numbers)


@mean.mistake("That is the middle between the smallest and the largest. The others count too.")
def middle_of_the_range(numbers):
    return (min(numbers) + max(numbers)) / 2


@mean.mistake("That is the number in the middle of the sorted list, the median. The mean uses the sum.")
def median(numbers):
    return sorted(numbers)[len(numbers) // 2]


@mean.mistake("You go once through the loop only: return stands inside it. Move it to the left.")
def return_in_the_loop(numbers):
    total = 0
    for number in numbers:
        total += number
        return total / len(numbers)


@mean.mistake("You keep the last number only: with = each new number replaces the total. Add it.")
def overwritten_total(numbers):
    total = 0
    for number in numbers:
        total = number
    return total / len(numbers)


@mean.right
def with_a_loop(numbers):
    total = 0
    for number in numbers:
        total += number
    return total / len(numbers)


@mean.right
def with_numpy(numbers):
    return np.mean(numbers)


p_width = prediction(
    "00.p_width",
    "Nine in ten of the single numbers lie between 0.05 and 0.95: a width of 0.9. Now take means of 100 numbers each. "
    "How wide is the range of the middle nine in ten of these means (5 % lie below it, 5 % above)?",
    explain="A hundred numbers in each mean give a tenth of the width of single numbers.",
    hints=["Can a mean of 100 numbers be near 0 or near 1? Almost all numbers would have to be."],
)

q_half = choice(
    "00.q_half",
    "You want the width to be half of what it is. How many numbers must each mean have? Find it in the table.",
    right="four times as many",
    wrong={
        "twice as many": "Compare two rows of the table: n = 1 and n = 4.",
        "half as many": "Fewer numbers make the means less steady: the width grows.",
        "a hundred times as many": "That makes it a tenth. Compare the rows n = 1 and n = 100 of the table.",
    },
    explain="The width falls with the square root of n: four times as many numbers, half the width.",
    hints=["Find two rows of the table in which the second width is about half of the first."],
)

q_name_error = choice(
    "00.q_name_error",
    "You open a notebook, go to its middle and run one cell. Python says: NameError: name 'model' is not defined. "
    "What is the best thing to do?",
    right="run the cells above it first",
    wrong={
        "install a package that is called model": "model is a name of this notebook. Which cell makes it?",
        "write model = 0 above it": "Then the name exists, and it is not the model that the cell needs.",
        "delete the notebook and get a new copy": "The new copy has the same cell, and it has not run either.",
    },
    explain="A cell above makes the name, and it has not run since the kernel was started. "
    "The menu Run → Run All Above Selected Cell does it.",
    hints=["Where does a name come from? Which cells have run since you opened the notebook?"],
)

q_map = choice(
    "00.q_map",
    "You want to train the language model of chapter 13. Look at the row of chapter 13 in the table of the map: "
    "which chapters stand under “builds on”?",
    right="2, 3, 6 and 8",
    wrong={
        "all chapters from 1 to 12": "Look at the column that says what a chapter builds on.",
        "12 only": "12 comes just before it. The map says what it needs: the column 'builds on'.",
        "none": "Look at the row of chapter 13, in the column 'builds on'.",
    },
    explain="These have the ideas that it takes up: steps, gradients, tokens and attention, and a classifier of texts.",
    hints=["Find the row with the number 13 in the table, then the column 'builds on'."],
)
