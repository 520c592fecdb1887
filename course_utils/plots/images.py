"""Small pictures side by side: photographs, kernels with their numbers, feature maps."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import to_hex

from course_utils.plots import colour, style

_SIGNED = "PuOr"  # orange below zero, white at zero, purple above: told apart by the colour-blind too


def grid(pictures, titles=(), columns: int = 4, size: float = 1.5, title: str = "", signed=False, numbers=None):
    """Pictures in rows, each with its own name above it.

    Args:
        pictures: arrays (H, W) of grey values, or (H, W, 3) of colours from 0 to 1. Bright is large.
        titles: one for each picture, or none.
        columns: pictures in a row.
        size: width of one picture in inches; its height follows from the first picture.
        title: of the whole figure.
        signed: True if values may be negative: zero is white, and below and above have their own colours. Or one
            answer for each picture.
        numbers: a format such as ``".0f"``: the values are written into the pixels of pictures (H, W).

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: there is no picture, one is not of such a shape, or the titles are not as many.
    """
    import matplotlib.pyplot as plt

    pictures = [np.asarray(picture, dtype=float) for picture in pictures]
    if not pictures:
        raise ValueError("There is no picture to show.")
    for picture in pictures:
        if picture.ndim != 2 and (picture.ndim != 3 or picture.shape[2] != 3):
            raise ValueError(f"A picture has the shape (H, W) or (H, W, 3), not {picture.shape}.")
    if len(titles) not in (0, len(pictures)):
        raise ValueError(f"{len(pictures)} pictures need as many titles, not {len(titles)}.")
    signed = [signed] * len(pictures) if isinstance(signed, bool) else list(signed)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    height = size * pictures[0].shape[0] / pictures[0].shape[1]
    style.apply()
    tall = rows * (height + (0.28 if titles else 0.06)) + (0.35 if title else 0.05)
    fig, axes = plt.subplots(rows, columns, figsize=(columns * size, tall), layout="constrained", squeeze=False)
    fig.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax in axes.flat[: len(pictures)]:  # a thin frame: white pixels would run into the page
        ax.set_axis_on()
        ax.set(xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set(visible=True, color=style.GREY, linewidth=0.6)
    for number, (ax, picture) in enumerate(zip(axes.flat, pictures, strict=False)):
        _draw(ax, picture, signed[number], numbers)
        if titles:
            ax.set_title(titles[number], fontsize=8, loc="center", pad=3)
    if title:
        fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def _draw(ax, picture: np.ndarray, signed: bool, numbers: str | None) -> None:
    reach = max(np.abs(picture).max(), 1e-12)
    look = {"cmap": _SIGNED, "vmin": -reach, "vmax": reach} if signed else {"cmap": "gray"}
    image = ax.imshow(picture, interpolation="nearest", **look)
    if numbers is None or picture.ndim != 2:
        return
    for (row, column), value in np.ndenumerate(picture):
        ink = colour.ink(to_hex(image.cmap(image.norm(value))))
        text = format(value + 0.0, numbers)  # + 0.0: no minus in front of a zero
        ax.text(column, row, text, ha="center", va="center", fontsize=7, color=ink)
