"""Tables and controls: how numbers are written, what cannot break a table, and a view that follows its controls."""

import html

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest

import course_utils as cu
from course_utils import display


def rows_of(markdown):
    """The cells of a Markdown table, row by row, without the line under its head."""
    lines = [line.strip("|").split(" | ") for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in [lines[0], *lines[2:]]]


def column(entries, **more):
    return [row[0] for row in rows_of(display.table_markdown(["a"], [[entry] for entry in entries], **more))[1:]]


def alignment(entries):
    return display.table_markdown(["a"], [[entry] for entry in entries]).splitlines()[1].strip("| ")


@pytest.mark.parametrize(
    "entries, texts",
    [
        ([0.1, 0.01, 3.0], ["0.1", "0.01", "3"]),  # settings stay as they were written
        ([0.95, 0.9, 0.91234], ["0.950", "0.900", "0.912"]),  # measurements all have three digits
        ([12345.6, 1234567.0], ["12,346", "1,234,567"]),
        ([1 / 3e6, 2e12], ["3.33e-07", "2.00e+12"]),
        ([99.96, 0.0], ["100", "0.00"]),
        ([float("nan"), float("inf"), -float("inf")], ["–", "∞", "-∞"]),
        ([1234567, np.int64(-5), np.uint8(7)], ["1,234,567", "-5", "7"]),
        ([True, np.False_], ["yes", "no"]),
        ([np.float32(0.25), np.array(0.5), np.array([0.125])], ["0.25", "0.5", "0.125"]),
        (["1,024 bytes", "a | b", "two\nlines", r"a \| b"], ["1,024 bytes", r"a \| b", "two lines", r"a \| b"]),
        ([None], ["None"]),
        ([], []),
    ],
)
def test_entries_are_written_as_people_read_them(entries, texts):
    assert column(entries) == texts


def test_an_array_of_half_is_not_cut_to_an_integer():
    tf = pytest.importorskip("course_utils.session").quiet_tensorflow()
    assert column([tf.constant(0.5), tf.Variable(0.25)]) == ["0.5", "0.25"]
    assert column([tf.constant(3)]) == ["3"]


@pytest.mark.parametrize(
    "entries",
    [[1, 2.5], ["0.91 ± 0.02"], ["12 MB", "–"], ["**0.5**"], ["≈ 3"], ["+0.2 (-0.1 to +0.5)"], ["98 %", ""],
     ["0.8 to 0.9"], ["1.2 µs"], ["5 kB/s"], ["2e-3"]],
)  # fmt: skip
def test_numbers_stand_to_the_right(entries):
    assert alignment(entries) == "---:"


@pytest.mark.parametrize(
    "entries", [["3-gram", "5"], ["2 layers of 128"], ["CNN", 0.5], [True], ["v2"], ["–"], [""], [], ["4 × 4 filters"]]
)
def test_words_stand_to_the_left(entries):
    assert alignment(entries) == "---"


def test_a_table_has_a_head_a_caption_and_the_alignment_that_was_asked_for():
    text = display.table_markdown(["model", "n"], [["CNN", 3]], caption="**Sizes**", align="cl")
    assert text == "**Sizes**\n\n| model | n |\n| :---: | --- |\n| CNN | 3 |"


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: cu.table(["a", "b"], [[1, 2], [1]]), ValueError, "Row 1 of the table has 1 entries; the head has 2"),
        (lambda: cu.table(["a"], [[1]], align="x"), ValueError, "one of l, c and r"),
        (lambda: cu.table(["a"], [[1]], align="ll"), ValueError, "each of the 1 columns"),
        (lambda: cu.table(["a"], [[np.ones(3)]]), TypeError, r"array of shape \(3,\)"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_the_reason(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_table_is_printed_outside_of_a_notebook(capsys):
    cu.table(["a"], [[1]])
    assert capsys.readouterr().out == "| a |\n| ---: |\n| 1 |\n"


# ------------------------------------------------------------------------------------- controls


def slider(**more):
    return ipywidgets.IntSlider(**{"value": 2, "min": 0, "max": 5, "description": "n"} | more)


def figure(n):
    fig, ax = plt.subplots()
    ax.bar(range(n), range(n))
    return fig


def test_a_view_follows_its_controls():
    one, two = slider(), ipywidgets.Dropdown(options=["a", "b"], description="name")
    box = cu.explore(lambda n, name: f"<b>{name * n}</b>", one, two)
    *controls, view = box.children
    assert controls == [one, two] and view.value == "<b>aa</b>"
    one.value, two.value = 3, "b"
    assert view.value == "<b>bbb</b>"


def test_a_figure_gets_its_text_and_is_closed():
    before = plt.get_fignums()
    control = slider()
    view = cu.explore(figure, control, alt=lambda n: f"A staircase of {n} bars, rising.").children[-1]
    assert 'alt="A staircase of 2 bars, rising."' in view.value
    control.value = 4
    assert "staircase of 4 bars" in view.value and plt.get_fignums() == before


def test_an_error_while_a_control_moves_is_seen():
    control = slider(value=1)
    view = cu.explore(lambda n: f"{1 / n}", control).children[-1]
    control.value = 0
    assert html.unescape(view.value) == "<pre>ZeroDivisionError: division by zero</pre>"
    control.value = 2
    assert view.value == "0.5"


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: cu.explore(figure, slider()), ValueError, "a sentence that says what the figure shows"),
        (lambda: cu.explore(lambda n: None, slider()), TypeError, "not NoneType"),
        (lambda: cu.explore(lambda n: 1 / 0, slider()), ZeroDivisionError, "division"),
        (lambda: cu.explore(figure), ValueError, "at least one control"),
        (lambda: cu.explore(figure, 3), TypeError, "not int"),
        (lambda: cu.explore(figure, ipywidgets.VBox()), TypeError, "not VBox"),
    ],
)
def test_what_cannot_be_explored_is_refused_with_the_reason(call, error, message):
    with pytest.raises(error, match=message):
        call()
