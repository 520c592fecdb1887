"""Whether colours can be read on each other (WCAG 2)."""

from __future__ import annotations

import re


def luminance(colour: str) -> float:
    """Relative luminance, from 0 (black) to 1 (white), of ``#RRGGBB`` or of ``rgb(r, g, b)`` as browsers write it.

    Raises:
        ValueError: the text is neither.
    """
    if re.fullmatch("#[0-9a-fA-F]{6}", colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    elif found := re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", colour):
        parts = [int(part) / 255 for part in found.groups()]
    else:
        raise ValueError(f"{colour!r} is no colour that can be read here: write it as #RRGGBB.")
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """How well one colour stands out on another: from 1 to 21. Text needs 4.5, large text and graphics 3."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def ink(ground: str) -> str:
    """Black or white, whichever stands out more on a ground."""
    return max("#000000", "#FFFFFF", key=lambda colour: contrast(colour, ground))


def tint(full: str, value: float) -> str:
    """The colour between white (0) and a full one (1), as ``#RRGGBB``."""
    parts = [int(full[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 + value * (part - 255)):02X}" for part in parts)
