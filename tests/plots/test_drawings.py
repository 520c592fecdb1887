"""Drawings: the numbers that are given stand in them, nothing lies on something else, and misfits are refused."""

import itertools

import numpy as np
import pytest
from matplotlib.patches import Circle, Rectangle

from course_utils.plots import colour, drawings

NETWORK = {
    "values": [[1, 2], [0.7, 0.1], [0.6]],
    "weights": [[[0.1, 0.2], [0.3, -0.4]], [[0.5], [0.9]]],
    "gradients": [[0.11, 0.21], [0.31, -0.41], [1]],
}
DRAWINGS = {
    "unit": lambda: drawings.unit([2.0, -1.0], [0.5, 1.0], 0.3, output=0.574, names=["hours", "sleep"]),
    "unit in letters": lambda: drawings.unit(["x₁", "x₂"], ["w₁", "w₂"], "b", output="y"),
    "network": lambda: drawings.network([2, 2, 1], **NETWORK, names=["input", "hidden", "output"]),
    "larger network": lambda: drawings.network([4, 5, 3]),
    "graph": lambda: drawings.computing_graph(
        {"w": (0, 1.6, "w", 2, 3.0), "x": (0, 0, "x", 3, 2), "m": (2, 0.8, "×", 6, None)}, [("w", "m", "3"), ("x", "m")]
    ),
    "window": lambda: drawings.window(np.arange(25).reshape(5, 5), 3, at=(1, 2), padding=1),
    "tensor": lambda: drawings.tensor((2, 3, 5), ("texts", "tokens", "numbers")),
    "table": lambda: drawings.tensor((3, 2), values=[[1, 2], [3, 4], [5, 6]]),
    "row": lambda: drawings.tensor((12,), ("words",)),
}


def texts(fig):
    return [text.get_text() for text in fig.axes[0].texts if text.get_text()]


@pytest.mark.parametrize("name", DRAWINGS)
def test_texts_do_not_lie_on_each_other_and_stay_inside(name):
    fig = DRAWINGS[name]()
    fig.canvas.draw()
    boxes = [text.get_window_extent() for text in fig.axes[0].texts if text.get_text()]
    for one, other in itertools.combinations(boxes, 2):
        assert not (one.x0 < other.x1 and other.x0 < one.x1 and one.y0 < other.y1 and other.y0 < one.y1)
    page = fig.bbox
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1 for box in boxes)


def test_a_unit_shows_its_sum():
    assert "0.3" in texts(DRAWINGS["unit"]())  # 2 · 0.5 - 1 · 1 + 0.3
    assert "Σ" in texts(DRAWINGS["unit in letters"]())


def test_a_network_shows_all_that_it_is_given():
    fig = DRAWINGS["network"]()
    given = [*NETWORK["values"], *NETWORK["gradients"], *(row for layer in NETWORK["weights"] for row in layer)]
    assert {f"{value:.3g}" for row in given for value in row} <= set(texts(fig))
    assert sum(isinstance(patch, Circle) for patch in fig.axes[0].patches) == 5


def test_the_window_and_its_place_are_framed():
    fig = drawings.window(np.ones((6, 6)), 3, at=(1, 0), stride=2, padding=1)
    frames = [patch for patch in fig.axes[0].patches if isinstance(patch, Rectangle) and not patch.get_fill()]
    assert [(frame.get_x(), frame.get_y(), frame.get_width()) for frame in frames] == [(0, -5, 3), (9.5, -2, 1)]


def test_gradients_can_be_read():
    assert colour.contrast(drawings.BACKWARD, "#FFFFFF") >= 4.5


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: drawings.unit([1], [1, 2], 0), "1 inputs and 2 weights"),
        (lambda: drawings.network([2, 1], values=[[1], [1]]), r"\[1, 1\] entries"),
        (lambda: drawings.network([2, 1], weights=[[[1]]]), r"\(1, 1\)"),
        (lambda: drawings.computing_graph({"a": (0, 0, "a", 1, None)}, [("a", "b")]), "no node 'b'"),
        (lambda: drawings.window(np.ones((4, 4)), 3, output=np.ones((3, 3))), r"gives \(2, 2\)"),
        (lambda: drawings.window(np.ones((4, 4)), 3, at=(2, 0)), r"no place \(2, 0\)"),
        (lambda: drawings.tensor((1, 2, 3, 4)), "1 to 3 axes"),
        (lambda: drawings.tensor((1, 2), ("a",)), "2 axes and 1 names"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
