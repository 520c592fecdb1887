"""Figures of chapter 5: an LSTM cell with its numbers, and a text with what a network keeps while it reads it."""

from __future__ import annotations

import numpy as np

from course_utils.plots import drawings, style


def lstm_cell(forget=None, write=None, candidate=None, show=None, old=None, title: str = ""):
    """One LSTM cell: the old cell state times the forget gate, plus the candidate times the input gate.

    Args:
        forget, write, show: the gates f, i and o, between 0 and 1; with all five numbers what follows is computed.
        candidate, old: the candidate and the old cell state.

    Returns:
        A Matplotlib figure.
    """
    numbers = (forget, write, candidate, show, old)
    given = None not in numbers
    kept = forget * old if given else None
    added = write * candidate if given else None
    new = kept + added if given else None
    curved = float(np.tanh(new)) if given else None
    nodes = {
        "old": (0.0, 3.0, "old c", old, None),
        "keep": (2.0, 3.0, "×", kept, None),
        "sum": (4.0, 3.0, "+", None, None),
        "new": (6.0, 3.0, "new c", new, None),
        "forget": (2.0, 1.2, "f", forget, None),
        "add": (4.0, 1.5, "×", added, None),
        "write": (3.2, 0.0, "i", write, None),
        "candidate": (4.8, 0.0, "g", candidate, None),
        "tanh": (6.0, 1.5, "tanh", curved, None),
        "show": (7.7, 0.0, "o", show, None),
        "out": (7.7, 1.5, "×", None, None),
        "h": (9.4, 1.5, "new h", show * curved if given else None, None),
    }
    edges = [
        ("old", "keep"), ("forget", "keep"), ("keep", "sum"), ("write", "add"), ("candidate", "add"), ("add", "sum"),
        ("sum", "new"), ("new", "tanh"), ("tanh", "out"), ("show", "out"), ("out", "h"),
    ]  # fmt: skip
    fig = drawings.computing_graph(nodes, edges, width=8.0, height=3.6, title=title)
    moved = {"forget": 0.62, "show": 0.62, "add": -0.68, "tanh": -0.74}  # an arrow runs where their value would stand
    places = {(nodes[name][0], nodes[name][1] + drawings.RADIUS + 0.16): name for name in moved}
    for text in fig.axes[0].texts:
        if name := places.get(text.get_position()):
            text.set_position((nodes[name][0] + moved[name], nodes[name][1]))
    return fig


def reading(words, rows: dict, title: str = "", label: str = ""):
    """Words of a text from left to right, and below each word the value that each row has there.

    Args:
        words: what is read, shape (n,).
        rows: name → values from -1 to 1, shape (n,).
        label: what the colours mean.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: a row has another length than the words.
    """
    from matplotlib.colors import LinearSegmentedColormap

    values = [np.asarray(row, dtype=float) for row in rows.values()]
    if any(row.shape != (len(words),) for row in values):
        raise ValueError(f"There are {len(words)} words; the rows have {[len(row) for row in values]} values.")
    fig, ax = style.figure(8.6, 1.3 + 0.42 * len(rows))
    shades = LinearSegmentedColormap.from_list("sign", [style.RED, "#FFFFFF", style.BLUE])
    image = ax.imshow(np.array(values), cmap=shades, vmin=-1, vmax=1, aspect="auto")
    ax.set_xticks(range(len(words)), words, fontsize=9)
    for tick in ax.get_xticklabels():
        tick.set_rotation(60 if len(tick.get_text()) > 1 else 0)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.tick_params(length=0, top=True, bottom=False, labeltop=True, labelbottom=False)
    ax.set_xticks(np.arange(len(words) - 1) + 0.5, minor=True)
    ax.set_yticks(np.arange(len(rows) - 1) + 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=1.5)
    ax.tick_params(which="minor", length=0)
    ax.spines[:].set_visible(False)
    fig.colorbar(image, ax=ax, label=label, ticks=[-1, 0, 1])
    ax.set_title(title)
    return fig
