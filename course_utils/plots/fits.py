"""Figures of models that fit too little or too much: fits to points, pairs of curves, paths of weights."""

from __future__ import annotations

import numpy as np

from course_utils.plots import style


def grid(panels, truth, columns: int = 3, ylim=(-2.2, 2.2)):
    """Points with the curve that was fitted to them and the truth behind them, panel by panel.

    Args:
        panels: list of (title, x, y, curve): x and y of shape (n,); curve is a function of places.
        truth: the function behind the points.
        columns: panels in a row.

    Returns:
        A Matplotlib figure.
    """
    import matplotlib.pyplot as plt

    style.apply()
    rows = -(-len(panels) // columns)
    size = (2.5 * columns, 2.0 * rows) if len(panels) > 1 else (5.0, 3.0)
    fig, axes = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained")
    for ax, (title, x, y, curve) in zip(axes.flat, panels, strict=True):
        places = np.linspace(min(x), max(x), 300)
        ax.plot(x, y, "o", markersize=3, color=style.GREY, label="points")
        ax.plot(places, truth(places), "--", color="black", linewidth=1, label="truth")
        ax.plot(places, curve(places), color=style.BLUE, label="fit")
        ax.set_ylim(*ylim)
        ax.set_title(title, fontsize=8)
    for ax in axes[-1]:
        ax.set_xlabel("x")
    for ax in axes[:, 0]:
        ax.set_ylabel("y")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    return fig


def accuracies(patients: dict, every: int = 1):
    """Accuracy on training and validation data over the steps, one panel a model.

    Args:
        patients: name → (training, validation), both of shape (checkpoints,), shares from 0 to 1.
        every: steps between two checkpoints.

    Returns:
        A Matplotlib figure.
    """
    fig, axes = style.figure(3.0 * len(patients) + 0.4, 3.0, columns=len(patients))
    for ax, (name, curves) in zip(np.atleast_1d(axes), patients.items(), strict=True):
        for curve, label, line in zip(curves, ("training", "validation"), ("-", "--"), strict=True):
            ax.plot(every * np.arange(len(curve)), 100 * np.asarray(curve), line, label=label)
        ax.set_title(name)
        ax.set_xlabel("step")
        ax.set_ylim(0, 103)
    np.atleast_1d(axes)[0].set_ylabel("accuracy (%)")
    np.atleast_1d(axes)[0].legend(loc="lower right")
    return fig


def learning_curve(sizes, errors, line, largest, measured):
    """Error against the number of examples on logarithmic axes, a line fitted to it, and what came out further right.

    Args:
        sizes: shape (k,); errors: (k, seeds), shares.
        line: a function of the number of examples: the fitted error.
        largest: a number of examples; measured: (seeds,), the errors there.

    Returns:
        A Matplotlib figure.
    """
    fig, ax = style.figure(6.5, 3.4)
    errors, measured = 100 * np.asarray(errors), 100 * np.asarray(measured)
    places = np.geomspace(min(sizes), largest, 50)
    ax.plot(places, 100 * line(places), "--", color="black", linewidth=1, label="line through the means")
    for column in errors.T:
        ax.plot(sizes, column, ".", color=style.SKY)
    ax.plot(sizes, errors.mean(axis=1), "o", color=style.BLUE, label="used for the line (dots: single seeds)")
    ax.plot([largest] * len(measured), measured, ".", color=style.ORANGE)
    ax.plot(largest, measured.mean(), "s", color=style.RED, label="measured afterwards")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ticks = [*sizes, largest]
    ax.set_xticks(ticks, [f"{n:,}" for n in ticks])
    ax.set_xticks([], minor=True)
    heights = [h for h in (3, 5, 7, 10, 15, 20, 30, 40, 50, 70) if errors.min() / 2 < h < errors.max() * 1.5]
    ax.set_yticks(heights, [str(h) for h in heights])
    ax.set_yticks([], minor=True)
    ax.set_xlabel("training pictures n (logarithmic)")
    ax.set_ylabel("test error (%, logarithmic)")
    ax.legend(fontsize=9)
    return fig


def paths(panels: dict, ylabel: str = "weight"):
    """How every weight moves while a strength grows, one panel a penalty.

    Args:
        panels: title → (strengths, weights), of shapes (k,) and (k, d).

    Returns:
        A Matplotlib figure.
    """
    fig, axes = style.figure(8.5, 3.2, columns=len(panels))
    for ax, (title, (strengths, weights)) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        ax.semilogx(strengths, weights, linewidth=1.3)
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set_title(title)
        ax.set_xlabel("strength of the penalty (logarithmic)")
    np.atleast_1d(axes)[0].set_ylabel(ylabel)
    return fig


def histograms(weights: dict, reach: float = 0.6, bins: int = 61):
    """How many weights have which value, one panel a model, counts on a logarithmic axis.

    Args:
        weights: title → values, of any shape.
        reach: the axis runs from -reach to reach.

    Returns:
        A Matplotlib figure.
    """
    fig, axes = style.figure(8.5, 2.8, columns=len(weights))
    for ax, (title, values) in zip(np.atleast_1d(axes), weights.items(), strict=True):
        ax.hist(np.ravel(values), np.linspace(-reach, reach, bins + 1), color=style.BLUE)
        ax.set_yscale("log")
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("weight")
    np.atleast_1d(axes)[0].set_ylabel("weights in a bin (log)")
    return fig


def training(seen, unseen, loss, every: int = 1):
    """One model while it learns: accuracy on training and validation data on the left, validation loss on the right.

    Args:
        seen, unseen, loss: shape (checkpoints,): two accuracies, shares from 0 to 1, and a loss in nats.
        every: steps between two checkpoints.

    Returns:
        A Matplotlib figure.
    """
    fig, (left, right) = style.figure(8.0, 3.0, columns=2)
    steps = every * np.arange(len(seen))
    left.plot(steps, 100 * np.asarray(seen), label="training")
    left.plot(steps, 100 * np.asarray(unseen), "--", label="validation")
    left.set(xlabel="step", ylabel="accuracy (%)", ylim=(0, 103))
    left.legend(loc="lower right")
    right.plot(steps, loss, "--", color=style.ORANGE)
    lowest = int(np.argmin(loss))
    right.plot(steps[lowest], loss[lowest], "o", color=style.ORANGE)
    right.annotate(
        "lowest", (steps[lowest], loss[lowest]), xytext=(8, -3), textcoords="offset points", va="top", fontsize=9
    )
    right.set(xlabel="step", ylabel="validation loss (nats)")
    right.margins(y=0.12)
    return fig
