"""Words marked by what they say to a model: HTML that can be read in every theme, and without colour."""

from __future__ import annotations

import html

from course_utils.plots import colour, style

_GROUND = "#FFFFFF"
_INK = "#000000"
_MINUS = "\u2212"  # a minus of the width of the plus
_FAINT = 0.05  # of the reach: below that a word counts as unmarked


def shade(value: float) -> str:
    """The colour of a value from -1 (the palette's orange) over 0 (white) to 1 (its blue), as ``#RRGGBB``.

    Raises:
        ValueError: the value is not between -1 and 1.
    """
    if not -1 <= value <= 1:
        raise ValueError(f"A shade is a number from -1 to 1, not {value!r}.")
    return colour.tint(style.BLUE if value > 0 else style.ORANGE, abs(value))


def highlighted(pieces, weights, caption: str, reach: float | None = None) -> str:
    """A text whose pieces are marked by weights; returns HTML for ``cu.show_html``.

    Blue, a solid line below and a small plus: a positive weight; orange, a dashed line and a small minus: a
    negative one; the stronger the shade, the larger the weight. Each piece sets its ground and its ink, black or
    white, whichever can be read better: the contrast is at least 4.5:1 on every shade, in each theme.

    Args:
        pieces: words, and what stands between them; put together they are the text. They are escaped.
        weights: a number for each piece; 0 for what is not to be marked.
        caption: what stands above the text.
        reach: the weight of the full colour, if not the largest of these; larger ones are drawn as that.

    Raises:
        ValueError: there are not as many weights as pieces, a weight is not finite, or the reach is not positive.
    """
    weights = [float(weight) for weight in weights]
    if len(weights) != len(pieces):
        raise ValueError(f"{len(pieces)} pieces need as many weights, not {len(weights)}.")
    if not all(abs(weight) < float("inf") for weight in weights):
        raise ValueError("The weights of words must be finite numbers.")
    reach = max(map(abs, weights), default=0.0) if reach is None else float(reach)
    if reach < 0 or (reach == 0 and any(weights)):
        raise ValueError(f"The reach must be a positive number, not {reach:g}.")
    shares = [max(-1.0, min(1.0, weight / reach)) if reach else 0.0 for weight in weights]
    body = "".join(map(_marked, pieces, shares))
    look = f"background:{_GROUND};color:{_INK};border:1px solid #767676;padding:6px 10px;line-height:2"
    title = f'<div style="font-size:90%;line-height:1.4">{html.escape(caption)}</div>'
    return f'<div style="{look}">{title}{body}</div>'


def _marked(piece: str, share: float) -> str:
    text = html.escape(piece).replace("\n", "<br>")
    if abs(share) < _FAINT or not piece.strip():
        return text
    ground = shade(share)
    line, sign = ("solid", "+") if share > 0 else ("dashed", _MINUS)
    look = f"background:{ground};color:{colour.ink(ground)};border-bottom:2px {line} {_INK};padding:1px 2px"
    return f'<span style="{look}">{text}<sup>{sign}</sup></span>'
