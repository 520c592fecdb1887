"""Strips: what became of each of a row of things, such as the statements of a program."""

from __future__ import annotations

from course_utils.plots import style

_MARKS = ("s", "X", "D", "o")
_COLOURS = (style.GREEN, style.RED, style.ORANGE, style.BLUE)


def strip(kinds, names, xlabel: str, title: str = ""):
    """One mark for each thing, in order, in the lane of its kind; colour and form both tell the kind.

    Args:
        kinds: whole numbers, shape (n,): the lane of each thing, from 0.
        names: the names of the lanes, the first on top; at most four.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: there are more lanes than marks, or a kind has no name.
    """
    if len(names) > len(_MARKS):
        raise ValueError(f"A strip has at most {len(_MARKS)} lanes, not {len(names)}.")
    if any(not 0 <= kind < len(names) for kind in kinds):
        raise ValueError(f"Every kind must be a number from 0 to {len(names) - 1}, the number of a lane.")
    fig, ax = style.figure(8.5, 0.9 + 0.4 * len(names))
    for lane in range(len(names)):
        places = [place for place, kind in enumerate(kinds, start=1) if kind == lane]
        ax.plot(places, [lane] * len(places), _MARKS[lane], color=_COLOURS[lane], markersize=8)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlim(0, len(kinds) + 1)
    ax.set_xlabel(xlabel)
    ax.set_title(title)
    ax.grid(axis="y", linewidth=0.5)
    ax.set_axisbelow(True)
    return fig
