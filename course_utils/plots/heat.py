"""Heat maps: a grid of cells, shaded by one number each, with words of its own in every cell."""

from __future__ import annotations

import numpy as np

from course_utils.plots import style
from course_utils.plots.colour import ink as readable_ink


def cells(values: np.ndarray, texts, rows, columns, label: str, title: str = "", colour: str = style.BLUE, bold=None):
    """A grid of shaded cells: white at the lowest value, the full colour at the highest.

    The ink of each cell is black or white, whichever can be read better on its ground.

    Args:
        values: finite numbers, shape (rows, columns).
        texts: what stands in each cell, (rows, columns); lines are split by ``\\n``.
        rows, columns: their names.
        label: what the shade means, with its unit: the name of the colour bar.
        colour: of the highest value, ``#RRGGBB``.
        bold: True where a cell is to stand out, (rows, columns): bold letters and a frame.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: values, texts or bold do not fit the names, or a value is not finite.
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle

    values, texts = np.asarray(values, dtype=float), np.asarray(texts, dtype=object)
    bold = np.zeros(values.shape, dtype=bool) if bold is None else np.asarray(bold, dtype=bool)
    for given in (values, texts, bold):
        if given.shape != (len(rows), len(columns)):
            raise ValueError(f"{len(rows)} rows and {len(columns)} columns do not fit the shape {given.shape}.")
    if not np.isfinite(values).all():
        raise ValueError("The values of a heat map must be finite numbers.")
    low, high = values.min(), max(values.max(), values.min() + 1e-9)
    shades = LinearSegmentedColormap.from_list("shade", ["#FFFFFF", colour])
    fig, ax = style.figure(2.6 + 1.35 * len(columns), 0.9 + 0.52 * len(rows))
    image = ax.imshow(values, cmap=shades, vmin=low, vmax=high, aspect="auto")
    for row, column in np.ndindex(values.shape):
        red, green, blue = (round(255 * part) for part in shades((values[row, column] - low) / (high - low))[:3])
        ink, weight = readable_ink(f"#{red:02X}{green:02X}{blue:02X}"), "bold" if bold[row, column] else "normal"
        ax.text(column, row, texts[row, column], ha="center", va="center", color=ink, fontsize=9, fontweight=weight)
        if bold[row, column]:
            ax.add_patch(Rectangle((column - 0.47, row - 0.44), 0.94, 0.88, fill=False, edgecolor=ink, linewidth=1.4))
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    fig.colorbar(image, ax=ax, label=label)
    ax.set_title(title)
    return fig
