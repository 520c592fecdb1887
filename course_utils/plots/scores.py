"""Scores of models: accuracy with intervals, confusion matrices, class balance."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_hex

from course_utils.plots import colour, style


def intervals(rows: dict[str, tuple[float, float, float]], xlabel: str, title: str = "", mark: float | None = None):
    """One dot with its interval for each row, the first row on top.

    Args:
        rows: name → (value, low, high), all in the unit of ``xlabel``.
        mark: draw a dashed line here (a baseline, say).

    Returns:
        A Matplotlib figure.
    """
    fig, ax = style.figure(7.0, 1.0 + 0.42 * len(rows))
    for height, (_name, (value, low, high)) in enumerate(reversed(rows.items())):
        ax.plot([low, high], [height, height], color=style.BLUE, linewidth=2)
        ax.plot(value, height, "o", color=style.BLUE)
        ax.annotate(f"{value:.3f}", (value, height), xytext=(0, 6), textcoords="offset points", ha="center")
    if mark is not None:
        ax.axvline(mark, color=style.GREY, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(rows)), list(reversed(rows)))
    ax.set_ylim(-0.6, len(rows) - 0.3)
    ax.set_xlabel(xlabel)
    ax.set_title(title)
    return fig


def confusion(matrix: np.ndarray, classes, title: str = ""):
    """A confusion matrix with its counts: rows are the truth, columns the prediction.

    Args:
        matrix: whole numbers, shape (classes, classes).
        classes: the names, in the order of the rows.

    Returns:
        A Matplotlib figure.
    """
    matrix = np.asarray(matrix)
    n = len(classes)
    if matrix.shape != (n, n):
        raise ValueError(f"{n} classes need a matrix of shape ({n}, {n}), not {matrix.shape}.")
    size = 2.2 + 0.45 * n
    fig, ax = style.figure(size + 1.6, size)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(n, n):
        ink = colour.ink(to_hex(image.cmap(image.norm(shares[row, column]))))
        ax.text(column, row, int(matrix[row, column]), ha="center", va="center", color=ink, fontsize=10 if n < 8 else 6)
    ax.set_xticks(range(n), classes, rotation=30 if n < 8 else 90, ha="right" if n < 8 else "center")
    ax.set_yticks(range(n), classes)
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class")
    ax.spines[:].set_visible(False)
    ax.set_title(title)
    return fig


def counts(values: dict[str, int], xlabel: str, title: str = ""):
    """Horizontal bars with their counts, the first on top.

    Returns:
        A Matplotlib figure.
    """
    fig, ax = style.figure(7.0, 0.9 + 0.34 * len(values))
    bars = ax.barh(list(values), list(values.values()), color=style.BLUE)
    ax.bar_label(bars, padding=4)
    ax.invert_yaxis()
    ax.set_xlabel(xlabel)
    ax.margins(x=0.12)
    ax.set_title(title)
    return fig
