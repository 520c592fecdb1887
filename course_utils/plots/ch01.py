"""Figures of chapter 1: borders that models draw, three parts of the data, the growth of models, their memory."""

from __future__ import annotations

import numpy as np

from course_utils.plots import style

_GROUNDS = ["#FBE6C8", "#CFE3F2"]  # behind the points of side 0 and of side 1


def borders(points, side, models: dict, size=(2.6, 2.5)):
    """Points of two sides, and which side a model gives each place: one panel a model.

    Args:
        points: shape (n, 2).
        side: 0 or 1 for each point, shape (n,).
        models: title of the panel → a function of places (m, 2) that returns numbers (m,); above 0.5 means side 1.
        size: inches of one panel.

    Returns:
        A Matplotlib figure.
    """
    fig, axes = style.figure(size[0] * len(models), size[1], columns=len(models))
    low, high = points.min(axis=0) - 0.3, points.max(axis=0) + 0.3
    x, y = np.meshgrid(np.linspace(low[0], high[0], 90), np.linspace(low[1], high[1], 70))
    places = np.column_stack([x.ravel(), y.ravel()]).astype("float32")
    for ax, (title, model) in zip(np.atleast_1d(axes), models.items(), strict=True):
        answers = np.clip(np.asarray(model(places), float), 0, 1).reshape(x.shape)
        ax.contourf(x, y, answers, levels=[-0.01, 0.5, 1.01], colors=_GROUNDS)
        for which, colour, marker in [(0, style.ORANGE, "o"), (1, style.BLUE, "s")]:
            ax.plot(*points[side == which].T, marker, color=colour, markersize=3, markeredgewidth=0)
        ax.set_title(title, fontsize=9)
        ax.set(xticks=[], yticks=[])
    return fig


def parts(names_and_shares: dict, title: str = ""):
    """A row of boxes whose widths are the shares of the data: name → (share, what it is for).

    Returns:
        A Matplotlib figure.
    """
    fig, ax = style.figure(7.0, 1.3)
    left = 0.0
    for (name, (share, purpose)), colour in zip(names_and_shares.items(), style.PALETTE, strict=False):
        ax.barh(0, share, left=left, height=0.8, color=colour, alpha=0.25, edgecolor=colour, linewidth=1.5)
        ax.text(left + share / 2, 0, f"{name}\n{purpose}", ha="center", va="center", fontsize=9)
        left += share
    ax.set_axis_off()
    ax.set_xlim(-0.01, left + 0.01)
    ax.set_title(title)
    return fig


def growth(models, named: dict[str, int]):
    """Parameters of models over the years, on a logarithmic axis.

    Args:
        models: with ``year``, ``parameters``, ``kind`` and ``name``.
        named: name of a model that is written beside its mark → points to the right (negative: to the left).

    Returns:
        A Matplotlib figure.
    """
    fig, ax = style.figure(7.6, 4.2)
    kinds = list(dict.fromkeys(m.kind for m in models))
    for kind, marker in zip(kinds, "o^sDvPX", strict=False):
        chosen = [m for m in models if m.kind == kind]
        ax.plot([m.year for m in chosen], [m.parameters for m in chosen], marker, label=kind)
    for m in models:
        if m.name in named:
            side = "left" if named[m.name] > 0 else "right"
            ax.annotate(
                m.name, (m.year, m.parameters), (named[m.name], 0), textcoords="offset points",
                ha=side, va="center", fontsize=8,
            )  # fmt: skip
    ax.set(xlabel="year", ylabel="parameters (logarithmic)", yscale="log", xlim=(1938, 2037))
    ax.set_title("From thousands to trillions of parameters")
    ax.legend(loc="upper left")
    return fig


def memory(parameters: float, limits: dict[str, float]):
    """Gigabytes of a model's weights, stored in three ways, and of its training, beside what machines have.

    Args:
        limits: name of a machine → its gigabytes.

    Returns:
        A Matplotlib figure.
    """
    fig, ax = style.figure(7.0, 2.4)
    ways = {"training, 16 bytes": 16, "weights, 4 bytes": 4, "weights, 2 bytes": 2, "weights, 1 byte": 1}
    ax.barh(list(ways), [parameters * each / 1e9 for each in ways.values()], color=style.BLUE)
    for (name, gigabytes), colour in zip(limits.items(), (style.GREEN, style.RED), strict=False):
        ax.axvline(gigabytes, color=colour, linestyle="--", label=f"{name}, {gigabytes:g} GB")
    ax.set(xscale="log", xlim=(0.1, 1e5), xlabel="gigabytes (logarithmic)")
    ax.set_title(f"A model with {parameters / 1e9:,.1f} billion parameters")
    ax.legend(loc="lower right")
    return fig


def text_for_each_parameter(models):
    """Training tokens for each active parameter and for each parameter of all, a pair of bars a model.

    Returns:
        A Matplotlib figure.
    """
    fig, ax = style.figure(7.0, 0.34 * len(models) + 1.2)
    rows = np.arange(len(models))
    ax.barh(rows - 0.2, [m.tokens / m.active for m in models], 0.38, color=style.BLUE, label="active parameters")
    ax.barh(rows + 0.2, [m.tokens / m.parameters for m in models], 0.38, color=style.ORANGE, label="all parameters")
    ax.axvline(20, color=style.RED, linestyle="--", label="20 tokens for each parameter")
    ax.set(xscale="log", xlabel="training tokens for each parameter (logarithmic)", xlim=(0.8, 3000))
    ax.set_yticks(rows, [f"{m.name} ({m.year})" for m in models])
    ax.invert_yaxis()
    ax.legend(loc="upper right", fontsize=8)
    return fig
