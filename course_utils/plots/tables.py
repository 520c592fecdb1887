"""Tables whose cells are shaded: HTML, so that the browser's own fonts show every script."""

from __future__ import annotations

import html

import numpy as np

from course_utils.plots import colour, style

_INK = "#000000"
_GROUND = "#FFFFFF"


def heat(values: np.ndarray, rows, columns, caption: str, corner: str = "", language: str = "") -> str:
    """A table of weights between 0 and 1, the darker the larger; returns HTML for ``cu.show_html``.

    Each cell sets its ground and its ink, black or white, whichever can be read better: the contrast is above
    4.5:1 on every shade, in a light and in a dark theme.

    Args:
        values: shape (rows, columns), from 0 to 1.
        rows, columns: the names, as texts; they are escaped.
        caption: what stands above the table.
        corner: what stands in the first cell: what the rows and columns are.
        language: code of the language of the rows, such as ``zh-Hans``; it chooses the font.

    Raises:
        ValueError: the shape does not fit the names, or a value is not between 0 and 1.
    """
    values = np.asarray(values, dtype=float)
    if values.shape != (len(rows), len(columns)):
        raise ValueError(f"{len(rows)} rows and {len(columns)} columns do not fit the shape {values.shape}.")
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("The values of a heat table must be between 0 and 1.")
    of_row = ' scope="row"' + (f' lang="{html.escape(language)}"' if language else "")
    head = _cell("td", corner, _GROUND) + "".join(_cell("th", name, _GROUND, ' scope="col"') for name in columns)
    lines = [f"<tr>{head}</tr>"]
    for name, row in zip(rows, values, strict=True):
        cells = "".join(_cell("td", f"{value:.2f}" if value >= 0.005 else "0", shade(value)) for value in row)
        lines.append(f"<tr>{_cell('th', name, _GROUND, of_row)}{cells}</tr>")
    title = f'<caption style="background:{_GROUND};color:{_INK};padding:4px">{html.escape(caption)}</caption>'
    return f'<table style="border-collapse:collapse">{title}{"".join(lines)}</table>'


def shade(value: float) -> str:
    """The colour of a value from 0 (white) to 1 (the palette's blue), as ``#RRGGBB``."""
    return colour.tint(style.BLUE, value)


def _cell(tag: str, text: str, ground: str, attributes: str = "") -> str:
    look = f"background:{ground};color:{colour.ink(ground)};border:1px solid #767676;padding:2px 6px;text-align:center"
    return f'<{tag}{attributes} style="{look}">{html.escape(text)}</{tag}>'
