"""Figures about texts: how long they are, which words weigh most."""

from __future__ import annotations

import numpy as np

from course_utils.plots import style


def lengths(texts: list[str], title: str = ""):
    """A histogram of the number of words in each text, on a logarithmic axis.

    Args:
        texts: strings; a text without a word counts as length 0 and is drawn at the left edge.

    Returns:
        A Matplotlib figure.
    """
    words = np.array([len(text.split()) for text in texts])
    fig, ax = style.figure()
    top = max(10, words.max(initial=0))
    ax.hist(np.maximum(words, 0.8), bins=np.geomspace(0.7, top * 1.1, 40), color=style.BLUE)
    ax.axvline(np.median(words), color=style.RED, linestyle="--")
    ax.annotate(
        f"median {np.median(words):.0f}",
        (np.median(words), ax.get_ylim()[1]),
        xytext=(6, -10),
        textcoords="offset points",
        color=style.RED,
    )
    ax.set_xscale("log")
    ticks = [1, 10, 100, 1_000, 10_000]
    ax.set_xticks([t for t in ticks if t <= top * 1.1], [f"{t:,}" for t in ticks if t <= top * 1.1])
    ax.set_xlabel("length (words, logarithmic)")
    ax.set_ylabel("number of texts")
    ax.set_title(title)
    return fig


def word_weights(words, weights, classes: tuple[str, str], title: str = ""):
    """Words with their weights in a linear model of two classes: left speaks for one, right for the other.

    Args:
        words: strings, shape (n,).
        weights: numbers, shape (n,); negative for ``classes[0]``, positive for ``classes[1]``.

    Returns:
        A Matplotlib figure.
    """
    order = np.argsort(weights)
    weights, words = np.asarray(weights)[order], np.asarray(words)[order]
    fig, ax = style.figure(7.0, 0.9 + 0.24 * len(words))
    ax.barh(range(len(words)), weights, color=[style.ORANGE if w < 0 else style.BLUE for w in weights])
    ax.set_yticks(range(len(words)), words)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_xlabel(f"weight (left: {classes[0]}, right: {classes[1]})")
    ax.set_title(title)
    return fig
