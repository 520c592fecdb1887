"""Figures of chapter 4: one pixel with the windows that see it, and pictures of digits with their places."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle

from course_utils.plots import style
from course_utils.plots.drawings import BACKWARD, FOCUS, FORWARD


def windows_on_pixel(side: int, kernel, pixel, title: str = ""):
    """All windows that contain one pixel of a square picture, a panel each, with the weight that meets the pixel.

    Args:
        side: of the picture, in pixels.
        kernel: weights, shape (m, n).
        pixel: its row and column.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: no window contains the pixel.
    """
    import matplotlib.pyplot as plt

    kernel = np.asarray(kernel, dtype=float)
    (m, n), (u, v) = kernel.shape, pixel
    rows = range(max(0, u - m + 1), min(u, side - m) + 1)
    columns = range(max(0, v - n + 1), min(v, side - n) + 1)
    places = [(i, j) for i in rows for j in columns]
    if not places or not (0 <= u < side and 0 <= v < side):
        raise ValueError(f"No window of {m} × {n} on {side} × {side} pixels contains the pixel {(u, v)}.")
    style.apply()
    fig, axes = plt.subplots(1, len(places), figsize=(1.95 * len(places), 2.6), layout="constrained", squeeze=False)
    for ax, (i, j) in zip(axes.flat, places, strict=True):
        ax.set(xlim=(-0.1, side + 0.1), ylim=(-side - 0.75, 0.1))
        ax.set_aspect("equal")
        ax.set_axis_off()
        ax.set_title(f"window at ({i}, {j})", fontsize=9)
        for row, column in np.ndindex(side, side):
            here = (row, column) == (u, v)
            ax.add_patch(Rectangle((column, -row - 1), 1, 1, facecolor="#DCEBF5" if here else "white",
                                   edgecolor=style.GREY, linewidth=0.7))  # fmt: skip
        for p, q in np.ndindex(m, n):
            here = (i + p, j + q) == (u, v)
            ax.text(j + q + 0.5, -i - p - 0.5, f"{kernel[p, q]:g}", ha="center", va="center", fontsize=9,
                    color=FORWARD if here else style.GREY, fontweight="bold" if here else "normal")  # fmt: skip
        ax.add_patch(Rectangle((j, -i - m), n, m, fill=False, edgecolor=FOCUS, linewidth=2.5))
        ax.text(side / 2, -side - 0.45, f"adds {kernel[u - i, v - j]:g} · D({i}, {j})", ha="center", va="center",
                fontsize=9, color=BACKWARD)  # fmt: skip
    if title:
        fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig
