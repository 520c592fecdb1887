"""Figures: labelled axes, units, colours that can be told apart, and no crash at the edges."""

import itertools

import matplotlib.colors as mc
import numpy as np
import pytest

from course_utils.plots import colour, curves, graphs, images, scores, style, text

FIGURES = {
    "learning curves": lambda: curves.learning_curves({"loss": [1.0, 0.5], "val_accuracy": [0.5, 0.6]}),
    "learning curves, empty": lambda: curves.learning_curves({}),
    "intervals": lambda: scores.intervals({"a": (0.5, 0.4, 0.6), "b": (0.7, 0.6, 0.8)}, "accuracy", mark=0.5),
    "confusion": lambda: scores.confusion(np.array([[5, 1], [0, 0]]), ["a", "b"]),
    "confusion of twenty": lambda: scores.confusion(np.eye(20, dtype=int), [str(i) for i in range(20)]),
    "counts": lambda: scores.counts({"a": 3, "b": 0}, "number of texts"),
    "lengths": lambda: text.lengths(["", "one", "two words " * 4000]),
    "word weights": lambda: text.word_weights(["x", "y"], [-1.0, 2.0], ("a", "b")),
}


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled_and_the_figure_can_be_drawn(name, tmp_path):
    fig = FIGURES[name]()
    fig.savefig(tmp_path / "figure.png")
    for ax in fig.axes:
        assert ax.get_xlabel(), "the horizontal axis has no label"
        assert ax.get_ylabel() or ax.get_yticklabels(), "the vertical axis says nothing"


def test_curves_are_told_apart_without_colour_and_gaps_are_left_out(tmp_path):
    x = np.arange(100.0)
    series = {"falls": (x, np.exp(-x)), "gap": (x, np.where(x < 50, np.nan, x)), "nothing": (x, x * np.nan)}
    fig = curves.lines(series | {"short": (x[:5], x[:5]), "theory": (x, x)}, "x", "y", yscale="log", theory=["theory"])
    fig.savefig(tmp_path / "a.png")
    *measured, theory = fig.axes[0].lines
    assert len({line.get_marker() for line in measured}) == len(measured) and theory.get_marker() == "None"
    assert {line.get_markevery() for line in measured} == {(0, 12), (2, 12), (4, 12), None}


@pytest.mark.parametrize("kind", ["confusion", "plain", "signed"])
def test_numbers_in_pictures_can_be_read_on_every_shade(kind):
    shares = np.linspace(0, 1, 16)
    if kind == "confusion":
        counts = np.zeros((16, 16), int)
        counts[:, 0] = np.round(1000 * shares)
        counts[:, 1] = 1000 - counts[:, 0]
        fig = scores.confusion(counts, [str(i) for i in range(16)])
    else:
        signed = kind == "signed"
        fig = images.grid([(2 * shares - signed).reshape(4, 4)], signed=signed, numbers=".1f")
    (picture,) = fig.axes[0].images
    shown = picture.get_array()
    for label in fig.axes[0].texts:
        column, row = map(int, label.get_position())
        ground = mc.to_hex(picture.cmap(picture.norm(shown[row, column])))
        assert colour.contrast(mc.to_hex(label.get_color()), ground) >= 4.5
    assert len(fig.axes[0].texts) == shown.size


def test_confusion_refuses_another_shape():
    with pytest.raises(ValueError, match=r"shape \(3, 3\), not \(2, 2\)"):
        scores.confusion(np.eye(2), ["a", "b", "c"])


# Machado, Oliveira and Fernandes, A physiologically-based model for simulation of color vision deficiency, 2009:
# the full deficiency, on linear RGB.
SEEN_WITH = {
    "all three cones": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


def lab(name, seen):
    """CIELAB of a colour as it is seen, shape (3,): equal distances look about equally different."""
    rgb = np.array(mc.to_rgb(name))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(seen @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = to_xyz @ linear / to_xyz.sum(axis=1)
    x, y, z = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", SEEN_WITH)
def test_colours_of_the_palette_can_be_told_apart_by_everyone(eyes):
    for one, other in itertools.combinations(style.PALETTE, 2):
        distance = np.linalg.norm(lab(one, SEEN_WITH[eyes]) - lab(other, SEEN_WITH[eyes]))
        assert distance > 15, f"{one} and {other} look alike with {eyes}"  # 2.3 is just noticeable side by side


def test_contrast_is_that_of_the_standard():
    assert colour.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert colour.contrast("#FFFFFF", "rgb(119, 119, 119)") == pytest.approx(4.48, abs=0.01)
    assert (colour.ink("#FFFFFF"), colour.ink("#000080")) == ("#000000", "#FFFFFF")
    with pytest.raises(ValueError, match="write it as #RRGGBB"):
        colour.luminance("red")


def test_layers_put_each_box_right_of_all_that_lead_to_it():
    texts = {"a": "one", "b": "two", "c": "three"}
    edges = [("a", "b"), ("b", "c"), ("a", "c")]
    fig = graphs.layers(texts, edges)
    place = {name: box.get_position() for name, box in zip(texts, fig.axes[0].texts, strict=False)}
    assert all(place[start][0] < place[end][0] for start, end in edges)
    assert len(fig.axes[0].lines) == len(edges)
    passing = fig.axes[0].lines[2]  # from a over b's column to c
    at_b = np.interp(place["b"][0], passing.get_xdata(), passing.get_ydata())
    assert abs(at_b - place["b"][1]) > 0.4, "the line does not go round the box b"


def test_layers_refuse_a_circle_and_a_box_that_is_not_there():
    with pytest.raises(ValueError, match="in a circle"):
        graphs.layers({"a": "", "b": ""}, [("a", "b"), ("b", "a")])
    with pytest.raises(ValueError, match="no box 'x'; the boxes are a"):
        graphs.layers({"a": ""}, [("a", "x")])
