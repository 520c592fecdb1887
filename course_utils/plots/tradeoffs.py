"""Accuracy against cost: which models are beaten by another one in every respect, and which are not."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import LogLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from course_utils.plots import style


def pareto(panels: dict[str, list[tuple]], xlabel: str, ylabel: str, title: str = ""):
    """One panel a task, numbered dots for its models, and the names beside it.

    Args:
        panels: title → rows (number, name, cost, (value, low, high), on the front). A model on the front is drawn
            full, the others hollow; low and high are the ends of a thin interval. Dots that would cover each other
            stand side by side.
        xlabel: the cost and its unit; the axis is logarithmic.

    Returns:
        A Matplotlib figure.
    """
    fig, axes = style.figure(8.2, 0.7 + 2.9 * len(panels))
    axes.remove()
    grid = fig.add_gridspec(len(panels), 2, width_ratios=[3, 2])
    for row, (name, models) in enumerate(panels.items()):
        ax, names = fig.add_subplot(grid[row, 0]), fig.add_subplot(grid[row, 1])
        for (number, _, cost, (value, low, high), front), aside in zip(models, _aside(models), strict=True):
            place = ax.transData + ScaledTranslation(13 * aside / 72, 0, fig.dpi_scale_trans)
            ax.plot([cost, cost], [low, high], color=style.GREY, linewidth=0.8, zorder=1, transform=place)
            face, ink = (style.BLUE, "white") if front else ("white", style.BLUE)
            look = {"color": face, "markeredgecolor": style.BLUE, "markersize": 13}
            ax.plot(cost, value, "o", zorder=2, transform=place, **look)
            ax.text(cost, value, number, color=ink, ha="center", va="center_baseline", fontsize=8, transform=place)
        ax.set(xscale="log", ylabel=ylabel, title=name)
        ax.margins(x=0.2)
        ax.update_datalim([(cost, end) for _, _, cost, ends, _ in models for end in ends[1:]])
        ax.autoscale_view()
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter("{x:g}")
        if row == len(panels) - 1:
            ax.set_xlabel(xlabel)
        _list(names, models)
    fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def _aside(models) -> list[int]:
    """For each model, how many earlier ones it would cover."""
    costs = np.log([model[2] for model in models])
    values = np.array([model[3][0] for model in models])
    wide = max(np.ptp(costs), 1e-9)
    high = max(max(model[3][2] for model in models) - min(model[3][1] for model in models), 1e-9)
    near = (np.abs(costs[:, None] - costs) < 0.05 * wide) & (np.abs(values[:, None] - values) < 0.1 * high)
    return [int(near[i, :i].sum()) for i in range(len(models))]


def _list(ax, models) -> None:
    ax.axis("off")
    lines = [f"{number}  {name}" for number, name, *_ in models]
    step = 1 / max(len(lines), 8)
    for place, (line, model) in enumerate(zip(lines, models, strict=True)):
        weight = "bold" if model[-1] else "normal"
        ax.text(0, 1 - place * step, line, va="top", fontsize=9, fontweight=weight, transform=ax.transAxes)
