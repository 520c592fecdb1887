"""Curves over training: loss and accuracy, epoch by epoch."""

from __future__ import annotations

import itertools

from course_utils.plots import style


def learning_curves(history: dict[str, list[float]], title: str = ""):
    """Loss on the left, accuracy on the right, training and validation in each.

    Args:
        history: as in Keras's ``History.history``: lists of equal length, one number an epoch, under
            ``loss``, ``val_loss``, ``accuracy``, ``val_accuracy`` (any of them may be missing).

    Returns:
        A Matplotlib figure.
    """
    fig, axes = style.figure(8.0, 3.2, columns=2)
    for ax, name in zip(axes, ("loss", "accuracy"), strict=True):
        for key, label, line in ((name, "training", "-o"), (f"val_{name}", "validation", "--s")):
            values = history.get(key) or []
            if values:
                ax.plot(range(1, len(values) + 1), values, line, label=label, markersize=4)
        ax.set_xlabel("epoch")
        ax.set_ylabel(name + (" (nats)" if name == "loss" else " (share correct)"))
        ax.xaxis.get_major_locator().set_params(integer=True)
        if ax.lines:
            ax.legend()
    if title:
        fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def lines(
    series: dict, xlabel: str, ylabel: str, title: str = "", xscale="linear", yscale="linear", theory=(), marks=()
):
    """Several curves in one figure, told apart by colour and by marker.

    Args:
        series: name → (x, y), both of shape (n,); y may hold NaN or infinity, which are not drawn.
        xscale, yscale: ``"linear"`` or ``"log"``.
        theory: names that are drawn thin, dashed and black, behind the measured ones of the same order.
        marks: (x, text) pairs: a dashed vertical line with a note.

    Returns:
        A Matplotlib figure.
    """
    fig, ax = style.figure()
    shapes = itertools.cycle("os^DvXP*")
    for number, (name, (x, y)) in enumerate(series.items()):
        if name in theory:
            ax.plot(x, y, "--", color="black", linewidth=1, label=name, zorder=1)
        else:
            step = len(x) // 8  # a long curve gets a marker now and then, each curve at places of its own
            every = None if len(x) <= 20 else (step * number // len(series), step)
            ax.plot(x, y, f"-{next(shapes)}", label=name, markersize=4, markevery=every, zorder=2)
    if xscale != "linear":  # would throw a date axis away
        ax.set_xscale(xscale)
    ax.set_yscale(yscale)
    for x, note in marks:
        ax.axvline(x, color=style.GREY, linestyle="--", linewidth=1)
        place = {"xycoords": ("data", "axes fraction"), "xytext": (4, 0), "textcoords": "offset points"}
        ax.annotate(note, (x, 0.96), va="top", **place)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.set_title(title)
    if len(series) > 1:
        ax.legend()
    return fig
