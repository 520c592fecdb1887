"""start, show, say and record: what they leave in a notebook and what they refuse."""

import io
import math
import os
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

import course_utils as cu
from course_utils import display, session
from course_utils.progress_bar import ProgressBar, clock


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would display, as a list of (data, metadata)."""
    calls = []
    monkeypatch.setattr(display, "in_notebook", lambda: True)

    class Handle:
        def update(self, data, raw, metadata=None):
            calls.append((data, metadata))

    def shows(data, raw, metadata=None, display_id=None):
        calls.append((data, metadata))
        return Handle()

    monkeypatch.setattr("IPython.display.display", shows)
    return calls


def test_start_seeds_numpy_and_names_versions(capsys):
    cu.start(7, tensorflow=False)
    first = np.random.rand(3)
    cu.start(7, tensorflow=False)
    assert (np.random.rand(3) == first).all()
    line = capsys.readouterr().out.splitlines()[0]
    assert "NumPy" in line and "seed 7" in line


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "7", None, True])
def test_start_refuses_what_is_no_seed(seed):
    with pytest.raises(ValueError, match="SEED must be a whole number"):
        cu.start(seed, tensorflow=False)


def test_show_carries_alt_text_on_an_opaque_ground(shown):
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    cu.show(fig, alt="A line that rises\n from one to two.")
    (data, metadata) = shown[0]
    assert metadata["image/png"]["alt"] == "A line that rises from one to two."
    assert "A line that rises" in data["text/plain"]
    assert not plt.fignum_exists(fig.number), "a figure left open is drawn twice"
    import base64
    import io

    corner = plt.imread(io.BytesIO(base64.b64decode(data["image/png"])))[0, 0]
    assert (corner == 1).all(), "the ground must be opaque white"


def test_a_figure_for_a_control_carries_its_text_escaped():
    figure = plt.figure()
    page = cu.figure_html(figure, alt='Loss < 1 after\n "three" steps, and flat.')
    assert 'alt="Loss &lt; 1 after &quot;three&quot; steps, and flat."' in page
    assert not plt.fignum_exists(figure.number)


in_both = pytest.mark.parametrize("show", [cu.show, cu.figure_html], ids=["show", "figure_html"])


@in_both
@pytest.mark.parametrize("alt", ["", "   ", "a plot", None])
def test_a_figure_wants_a_sentence(show, alt):
    with pytest.raises(ValueError, match=f"{show.__name__}.*a sentence that says what the figure shows"):
        show(plt.figure(), alt=alt)


@in_both
def test_show_wants_a_figure(show):
    with pytest.raises(TypeError, match=f"{show.__name__}.*not list"):
        show([1, 2], alt="A list is not a figure at all.")


def test_show_html_carries_its_text(shown, capsys):
    cu.show_html("<b>dark</b>", text="One word is dark,\n the others are light.")
    assert shown[0][0] == {"text/html": "<b>dark</b>", "text/plain": "One word is dark, the others are light."}
    assert capsys.readouterr().out == ""


def test_show_html_prints_its_text_outside_of_a_notebook(capsys):
    cu.show_html("<b>dark</b>", text="One word is dark, the others are light.")
    assert capsys.readouterr().out == "One word is dark, the others are light.\n"


@pytest.mark.parametrize("text", ["", "   ", "a table", None])
def test_show_html_wants_a_sentence(text):
    with pytest.raises(ValueError, match="a sentence that says what is shown"):
        cu.show_html("<b>dark</b>", text=text)


def test_show_html_wants_a_string():
    with pytest.raises(TypeError, match="not int"):
        cu.show_html(3, text="A number is no piece of HTML at all.")


@pytest.mark.parametrize("value", [0, -1.5, 1.7e308, 5e-324, 1 / 3, np.float32(0.5), np.int64(3)])
def test_record_keeps_every_finite_number_whole(value, shown):
    cu.record("some_metric", value)
    assert shown[0][0][display.METRIC_MIME] == {"name": "some_metric", "value": float(value)}


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "much", [1, 2]])
def test_record_refuses_what_is_no_finite_number(value):
    with pytest.raises(ValueError, match="must be a finite number"):
        cu.record("some_metric", value)


@pytest.mark.parametrize("name", ["", "two words", "a-b", "1st", None])
def test_record_refuses_odd_names(name):
    with pytest.raises(ValueError, match="letters, digits and underscores"):
        cu.record(name, 1.0)


def test_record_leaves_name_and_value(shown):
    cu.record("accuracy", 0.91234567)
    assert shown[0][0][display.METRIC_MIME] == {"name": "accuracy", "value": 0.91234567}
    assert shown[0][0]["text/plain"] == "accuracy = 0.9123"


def test_held_back_stderr_comes_out_when_the_block_fails(capfd):
    with session._stderr_held_back():
        os.write(2, b"noise")
    assert capfd.readouterr().err == ""
    with pytest.raises(ImportError), session._stderr_held_back():
        os.write(2, b"the reason")
        raise ImportError
    assert "the reason" in capfd.readouterr().err


def test_a_bar_is_escaped_marked_and_leaves_nothing(shown):
    bar = ProgressBar("<b>label</b>")
    bar.update(0.5, "half & half")
    bar.close()
    first, metadata = shown[0]
    assert "<b>label" not in first["text/html"] and "half &amp; half" in first["text/html"]
    assert metadata["course"]["transient"]
    assert shown[-1][0] == {"text/plain": ""}


@pytest.mark.parametrize(
    "seconds, text", [(0, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (125, "2 min 5 s"), (-3, "0 s")]
)
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_the_bar_in_a_terminal_stays_on_one_line(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out = Terminal()
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setenv("COLUMNS", "40")
    bar = ProgressBar("a label that is longer than the line " * 3)
    bar.update(0.5, "and what it is doing now")
    assert out.getvalue() and max(map(len, out.getvalue().split("\r"))) == 39
