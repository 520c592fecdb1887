"""Maps: named points on a plane, the names placed so that few overlap."""

from __future__ import annotations

import numpy as np

from course_utils.plots import style

_WIDTH, _HEIGHT = 6.0, 4.4  # inches of the plane, about
_LETTER, _LINE, _GAP = 0.066, 0.14, 0.07  # inches: width of a letter, height of a line, space around a point


def named(places: np.ndarray, names, groups: np.ndarray, classes, title: str = ""):
    """Points with their names, coloured and shaped by group. The axes have no unit: only nearness counts.

    Args:
        places: shape (n, 2).
        names: n short texts.
        groups: whole numbers from 0, shape (n,).
        classes: the name of each group, for the legend.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: places, names and groups are not of one length.
    """
    places, groups = np.asarray(places, dtype=float), np.asarray(groups)
    if places.shape != (len(names), 2) or len(groups) != len(names):
        raise ValueError(f"{len(names)} names need places of shape ({len(names)}, 2), not {places.shape}.")
    fig, ax = style.figure(8.5, _HEIGHT + 0.6)
    for number, name in enumerate(classes):
        mine = groups == number
        ax.plot(*places[mine].T, "osD^v"[number % 5], color=style.PALETTE[number % 7], markersize=5, label=name)
    look = {"textcoords": "offset points", "fontsize": 8, "va": "center"}
    for (x, y), name, (dx, dy, align) in zip(places, names, _sides(places, names), strict=True):
        ax.annotate(name, (x, y), xytext=(72 * dx, 72 * dy), ha=align, **look)
    ax.margins(0.08)
    ax.set(xticks=[], yticks=[], xlabel="first direction of the map (no unit)", ylabel="second direction (no unit)")
    ax.set_title(title)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return fig


def _sides(places: np.ndarray, names) -> list[tuple[float, float, str]]:
    """For each name its offset in inches and its alignment: of four sides, the one that covers least."""
    span = np.maximum(np.ptp(places, axis=0), 1e-9)
    points = (places - places.min(axis=0)) / span * [_WIDTH, _HEIGHT]
    taken = [np.array([x - _GAP, y - _GAP, x + _GAP, y + _GAP]) for x, y in points]
    chosen = []
    for (x, y), name in zip(points, names, strict=True):
        wide, high = _LETTER * len(name), _LINE
        options = []
        for dx, dy, align, left in (
            (_GAP, 0, "left", x + _GAP),
            (-_GAP, 0, "right", x - _GAP - wide),
            (0, _LINE, "center", x - wide / 2),
            (0, -_LINE, "center", x - wide / 2),
        ):
            box = np.array([left, y + dy - high / 2, left + wide, y + dy + high / 2])
            options.append((sum(_overlap(box, other) for other in taken), len(options), box, (dx, dy, align)))
        _, _, box, side = min(options, key=lambda option: option[:2])
        taken.append(box)
        chosen.append(side)
    return chosen


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    """The area that two boxes (left, bottom, right, top) share."""
    width, height = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    return float(max(width, 0) * max(height, 0))
