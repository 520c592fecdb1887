"""Figures: labelled axes, units, colours that can be told apart, and no crash at the edges."""

import matplotlib.colors as mc
import numpy as np
import pytest

from course_utils.plots import curves, scores, style, text

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


def test_confusion_refuses_another_shape():
    with pytest.raises(ValueError, match=r"shape \(3, 3\), not \(2, 2\)"):
        scores.confusion(np.eye(2), ["a", "b", "c"])


def luminance(colour):
    rgb = np.array(mc.to_rgb(colour))
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_neighbouring_colours_of_the_palette_can_be_told_apart_by_brightness_or_hue():
    for one, other in zip(style.PALETTE, style.PALETTE[1:], strict=False):
        distance = np.abs(np.array(mc.to_rgb(one)) - np.array(mc.to_rgb(other))).sum()
        assert distance > 0.5 or abs(luminance(one) - luminance(other)) > 0.15
