"""Figures of chapter 2: a ball on a curve, two ways into a valley, the sigmoid and the surprise."""

from __future__ import annotations

import numpy as np

from course_utils.plots import style


def balls(function, walks: dict, reach, top: float, xlabel: str = "weight w", columns: int = 4, size=(2.3, 2.4)):
    """A curve with the places that a walk visits on it, one panel a walk; the places get darker with time.

    Args:
        function: takes an array of places, returns their heights.
        walks: title of the panel → places, shape (steps + 1,). Places outside the picture are not drawn.
        reach: (left, right) of the picture.
        top: highest value of the vertical axis.
        size: inches of one panel.

    Returns:
        A Matplotlib figure.
    """
    import matplotlib.pyplot as plt

    style.apply()
    columns = min(columns, len(walks))
    rows = -(-len(walks) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(size[0] * columns, size[1] * rows), layout="constrained", squeeze=False, sharey=True
    )
    line = np.linspace(*reach, 300)
    bottom = float(np.min(function(line)))
    for ax, (name, places) in zip(axes.flat, walks.items(), strict=False):
        places = np.asarray(places, dtype=float)
        inside = np.isfinite(places) & (places >= reach[0]) & (places <= reach[1])
        if not inside.all():  # the walk has left the picture: what comes later is not drawn
            places = places[: int(np.argmin(inside)) + 1]
            places = places[np.isfinite(places)]
        ax.plot(line, function(line), color=style.GREY, linewidth=1.2)
        heights = function(places)
        ax.plot(places, heights, color=style.BLUE, linewidth=0.8, alpha=0.6, clip_on=True)
        shades = np.linspace(0.25, 1, len(places))
        ax.scatter(places, heights, s=42, color=[(*_rgb(style.BLUE), shade) for shade in shades], zorder=3)
        ax.plot(places[0], heights[0], "o", markersize=9, markerfacecolor="none", color=style.RED, zorder=4)
        ax.set(xlim=reach, ylim=(bottom - 0.06 * (top - bottom), top), xlabel=xlabel)
        ax.set_title(name, fontsize=9)
    for ax in axes[:, 0]:
        ax.set_ylabel("loss J")
    return figure


def ways(function, paths: dict, minimum, xlabel: str, ylabel: str, reach, title: str = ""):
    """Left: paths on the contour lines of a function of two parameters. Right: how far each is from the minimum.

    Args:
        function: takes an array of shape (2,), returns a number.
        paths: name → points visited, shape (steps + 1, 2).
        minimum: where the function is lowest, shape (2,): marked with a star.
        reach: (left, right, bottom, top) of the left picture.

    Returns:
        A Matplotlib figure.
    """
    figure, (left, right) = style.figure(8.6, 3.5, columns=2)
    x, y = np.meshgrid(np.linspace(*reach[:2], 120), np.linspace(*reach[2:], 120))
    points = np.column_stack([x.ravel(), y.ravel()])
    heights = np.array([function(point) for point in points]).reshape(x.shape)
    lowest = function(np.asarray(minimum))
    levels = lowest + np.geomspace(1e-3, 1, 12) * (heights.max() - lowest)
    left.contour(x, y, heights, levels=levels, colors=style.GREY, linewidths=0.6, alpha=0.6)
    for (name, path), mark in zip(paths.items(), "o^sDvX", strict=False):
        near = np.isfinite(path).all(axis=1) & (np.abs(path) < 1e6).all(axis=1)
        left.plot(*path[near].T, f"-{mark}", markersize=3, linewidth=1, label=name)
        away = np.linalg.norm(path[near] - minimum, axis=1)
        right.plot(np.flatnonzero(near), away, f"-{mark}", markersize=3, linewidth=1, label=name)
    left.plot(*next(iter(paths.values()))[0], "s", color="black", markersize=5)
    left.plot(*minimum, "*", color=style.RED, markersize=12)
    left.set(xlim=reach[:2], ylim=reach[2:], xlabel=xlabel, ylabel=ylabel)
    right.set(xlabel="step", ylabel="distance to the lowest point", yscale="log")
    right.legend()
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure


def sigmoid_and_surprise():
    """Left: the sigmoid, from a score to a probability. Right: the surprise -ln p at something with probability p."""
    figure, (left, right) = style.figure(8.0, 3.0, columns=2)
    score, p = np.linspace(-6, 6, 200), np.linspace(0.005, 1, 200)
    left.plot(score, 1 / (1 + np.exp(-score)))
    left.axhline(0.5, color=style.GREY, linewidth=0.7, linestyle="--")
    for place in (-2, 0, 2):
        height = 1 / (1 + np.exp(-place))
        left.plot(place, height, "o", color=style.RED, markersize=5)
        left.annotate(f"{height:.2f}", (place, height), xytext=(6, -12), textcoords="offset points")
    left.set(xlabel="score z", ylabel="probability σ(z)", title="The sigmoid: from a score to a probability")
    right.plot(p, -np.log(p))
    for place in (0.01, 0.1, 0.5, 1.0):
        right.plot(place, -np.log(place), "o", color=style.RED, markersize=5)
        note = f"{-np.log(place) + 0:.1f} at p = {place:g}"
        side = {"xytext": (7, 3)} if place < 1 else {"xytext": (4, 8), "ha": "right"}
        right.annotate(note, (place, -np.log(place)), textcoords="offset points", **side)
    right.set(xlabel="probability p of what happened", ylabel="surprise −ln p (nats)", title="The surprise")
    return figure


def _rgb(colour: str) -> tuple:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)
