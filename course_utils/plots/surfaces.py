"""A function of two parameters seen from above, and the ways that optimizers take on it."""

from __future__ import annotations

import numpy as np

from course_utils.plots import style


def paths(
    function, ways: dict, xlabel: str, ylabel: str, title: str = "", minimum=None, panels: bool = False, reach=None
):
    """Contour lines of a function of two parameters with one or more ways on it.

    Args:
        function: takes an array of shape (2,), returns a number.
        ways: name → points visited, shape (steps + 1, 2). Points far outside are not drawn.
        minimum: where the function is lowest, shape (2,): marked with a star.
        panels: one panel a way, side by side in rows of three, instead of all in one.
        reach: (left, right, bottom, top) of the picture; without it, what the ways cover, with a margin.

    Returns:
        A Matplotlib figure.
    """
    import matplotlib.pyplot as plt

    ways = {name: np.asarray(way, dtype=float) for name, way in ways.items()}
    left, right, bottom, top = reach or _reach(ways, minimum)
    x, y = np.meshgrid(np.linspace(left, right, 120), np.linspace(bottom, top, 120))
    heights = np.array([function(point) for point in np.column_stack([x.ravel(), y.ravel()])]).reshape(x.shape)
    lowest = heights.min() if minimum is None else min(function(np.asarray(minimum)), heights.min())
    levels = lowest + np.geomspace(1e-3, 1, 12) * max(heights.max() - lowest, 1e-12)
    style.apply()
    columns = min(3, len(ways)) if panels else 1
    rows = -(-len(ways) // columns) if panels else 1
    size = (3.0 * columns, 2.7 * rows) if panels else (7.0, 4.2)
    fig, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False, sharex=True, sharey=True)
    for number, ax in enumerate(axes.flat):
        ax.contour(x, y, heights, levels=levels, colors=style.GREY, linewidths=0.6, alpha=0.6)
        shown = list(ways.items())[number : number + 1] if panels else ways.items()
        for name, way in shown:
            near = np.isfinite(way).all(axis=1) & (np.abs(way) < 1e6).all(axis=1)
            ax.plot(*way[near].T, "-o", markersize=2.5, linewidth=1, label=name)
            ax.plot(*way[0], "s", color="black", markersize=4)
            if panels:
                ax.set_title(name, fontsize=9)
        if minimum is not None:
            ax.plot(*minimum, "*", color=style.RED, markersize=11)
        ax.set_xlim(left, right)
        ax.set_ylim(bottom, top)
        ax.set_xlabel(xlabel)
        ax.set_ylabel(ylabel)
    if not panels:
        axes[0, 0].legend(loc="upper left")
    fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def _reach(ways: dict, minimum) -> tuple[float, float, float, float]:
    points = [way[0] for way in ways.values()] + ([np.asarray(minimum)] if minimum is not None else [])
    points += [way[np.isfinite(way).all(axis=1)] for way in ways.values()]
    points = np.vstack(points)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.15 * np.maximum(high - low, 1e-9)
    return low[0] - margin[0], high[0] + margin[0], low[1] - margin[1], high[1] + margin[1]
