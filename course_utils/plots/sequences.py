"""Figures about sequences: a network unrolled over time, what fades with the lag, what is remembered over it."""

from __future__ import annotations

import numpy as np

from course_utils.plots import graphs, style


def unrolled(steps: int = 4, title: str = ""):
    """A recurrent network as a chain: one state and one input for each step.

    Args:
        steps: how many, from 1 to 6.

    Returns:
        A Matplotlib figure.
    """
    wide = 0.9 / steps
    nodes, arrows = {"h0": (0.03, 0.72, "$h_0$\nzeros", style.GREY)}, []
    for t in range(1, steps + 1):
        nodes[f"x{t}"] = (wide * t + 0.05, 0.15, f"$x_{t}$", style.ORANGE)
        nodes[f"h{t}"] = (wide * t + 0.05, 0.72, f"$h_{t}$\n= tanh(…)", style.BLUE)
        arrows += [(f"x{t}", f"h{t}", "$W_{xh}$"), (f"h{t - 1}", f"h{t}", "$W_{hh}$")]
    return graphs.boxes(nodes, arrows, title, height=2.6)


def fading(panels: dict, xlabel: str, ylabel: str, theory: dict | None = None, ylim=(1e-9, 1e7), title: str = ""):
    """Lengths of gradients over the lag, on a logarithmic axis, in one panel or several of the same scale.

    Args:
        panels: title of the panel → name → lengths, shape (lags,), for the lags 0, 1, 2, …
        theory: title of the panel → list of lengths, shape (lags,), drawn thin, dashed and black.

    Returns:
        A Matplotlib figure.
    """
    fig, axes = style.figure(7.0 if len(panels) == 1 else 8.6, 3.5, columns=len(panels))
    for ax, (name, series) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for label, lengths in series.items():
            ax.semilogy(range(len(lengths)), lengths, label=label)
        for lengths in (theory or {}).get(name, []):
            ax.semilogy(range(len(lengths)), lengths, "--", color="black", linewidth=0.8)
        ax.set(ylim=ylim, xlabel=xlabel, title=name)
    first = np.atleast_1d(axes)[0]
    first.set_ylabel(ylabel)
    first.legend(loc="lower left")
    if title:
        fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def by_category(panels: dict, categories, xlabel: str, ylabel: str, chance: float | None = None, ylim=None):
    """Means over seeds with bars from the lowest to the highest, by category, in panels of the same scale.

    Args:
        panels: title of the panel → name → values, shape (seeds, categories).
        categories: what stands under each group.
        chance: a dashed line for what guessing gives.

    Returns:
        A Matplotlib figure.
    """
    fig, axes = style.figure(8.6, 3.5, columns=len(panels))
    for ax, (title, series) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for number, (name, values) in enumerate(series.items()):
            values = np.asarray(values)
            mean = values.mean(axis=0)
            places = np.arange(len(categories)) + 0.08 * (number - (len(series) - 1) / 2)
            bars = [mean - values.min(axis=0), values.max(axis=0) - mean]
            ax.errorbar(places, mean, bars, fmt="-" + "os^Dv"[number % 5], label=name, capsize=3, alpha=0.85)
        if chance is not None:
            ax.axhline(chance, color=style.GREY, linestyle="--", linewidth=1)
        ax.set_xticks(range(len(categories)), categories)
        ax.set(xlabel=xlabel, title=title, ylim=ylim)
    np.atleast_1d(axes)[0].set_ylabel(ylabel)
    np.atleast_1d(axes)[0].legend(loc="lower left")
    return fig


def clouds(groups: dict, xlabel: str, ylabel: str, title: str = "", ylim=None):
    """Points of several groups over a logarithmic axis; a group may be filled or hollow.

    Args:
        groups: (name, variant) → (x, y), arrays of the same shape, a point for each entry. Each name has a colour and
            a mark; the first variant that occurs is filled, others are hollow.

    Returns:
        A Matplotlib figure.
    """
    fig, ax = style.figure(7.8, 3.6)
    names = list(dict.fromkeys(name for name, _ in groups))
    variants = list(dict.fromkeys(variant for _, variant in groups))
    for (name, variant), (x, y) in groups.items():
        number = names.index(name)
        colour = style.PALETTE[number % len(style.PALETTE)]
        face = colour if variant == variants[0] else "white"
        look = {"color": colour, "markerfacecolor": face, "alpha": 0.8, "label": f"{name}, {variant}"}
        ax.semilogx(np.ravel(x), np.ravel(y), "os^Dv"[number % 5], **look)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, ylim=ylim)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    return fig
