"""Boxes and arrows: maps of ideas, and the graphs along which derivatives flow."""

from __future__ import annotations

import itertools
import textwrap

import numpy as np

from course_utils.plots import style


def boxes(nodes: dict, edges, title: str = "", width: float = 8.0, height: float = 3.6):
    """Named boxes joined by arrows.

    Args:
        nodes: name → (x, y, text, colour) with x and y between 0 and 1; lines of the text are split by ``\\n``.
        edges: (from, to, text) or (from, to, text, bend) with names of nodes; the text stands beside the arrow and
            may be empty; ``bend`` curves the arrow.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: an edge names a node that is not there.
    """
    fig, ax = style.figure(width, height)
    drawn = {}
    for name, (x, y, text, colour) in nodes.items():
        look = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": colour, "linewidth": 1.8}
        drawn[name] = ax.text(x, y, text, ha="center", va="center", fontsize=9, bbox=look, zorder=3)
    for start, end, text, *bend in edges:
        for name in (start, end):
            if name not in nodes:
                raise ValueError(f"There is no node {name!r}; the nodes are {', '.join(nodes)}.")
        arrow = {"arrowstyle": "-|>", "color": style.GREY, "linewidth": 1.2, "patchA": drawn[start].get_bbox_patch()}
        arrow |= {"patchB": drawn[end].get_bbox_patch(), "shrinkA": 0, "shrinkB": 2}
        arrow |= {"connectionstyle": f"arc3,rad={bend[0] if bend else 0}"}
        (x0, y0), (x1, y1) = nodes[start][:2], nodes[end][:2]
        ax.annotate("", (x1, y1), (x0, y0), arrowprops=arrow, zorder=2)
        if text:
            curve = bend[0] if bend else 0
            middle = ((x0 + x1) / 2 + curve * (y1 - y0) / 2, (y0 + y1) / 2 - curve * (x1 - x0) / 2)
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
            ax.text(*middle, text, fontsize=8, color=style.GREY, ha="center", va="center", bbox=ground, zorder=2.5)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    ax.set_axis_off()
    ax.set_title(title)
    return fig


def layers(texts: dict[str, str], edges, title: str = ""):
    """Boxes in columns from left to right: each stands right of all that lead to it, and no line runs under a box.

    Args:
        texts: name → text of the box, which is broken into short lines.
        edges: pairs (from, to) of names, without a circle.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: the edges go in a circle, or name a box that is not there.
    """
    column = _columns(texts, edges)
    # A line that passes a column gets a place of its own there, as if it were a box.
    steps, ways = [], []
    for start, end in edges:
        way = [start, *((start, end, place) for place in range(column[start] + 1, column[end])), end]
        column |= {stop: place for place, stop in enumerate(way, column[start])}
        steps += itertools.pairwise(way)
        ways.append(way)
    heights = _heights(column, steps)
    last = max(column.values(), default=0)
    spot = {stop: (0.06 + 0.88 * place / max(last, 1), heights[stop]) for stop, place in column.items()}
    lines = {name: textwrap.fill(text, 16, break_long_words=False) for name, text in texts.items()}
    nodes = {name: (*spot[name], text, style.BLUE) for name, text in lines.items()}
    fig = boxes(nodes, [], title, width=9.0, height=5.0)
    ax = fig.axes[0]
    fig.canvas.draw()  # only now do the boxes have a width
    sides = {}
    for name, drawn in zip(nodes, ax.texts, strict=True):
        box = drawn.get_bbox_patch().get_window_extent().transformed(ax.transData.inverted())
        sides[name] = (box.x0, box.x1)
    half = max(right - left for left, right in sides.values()) / 2  # a passing line is level along the widest box
    for way in ways:
        (start, y0), (end, y1) = (sides[way[0]][1], spot[way[0]][1]), (sides[way[-1]][0], spot[way[-1]][1])
        passed = [(spot[stop][0] + side, spot[stop][1]) for stop in way[1:-1] for side in (-half, half)]
        x, y = _smooth([(start, y0), *passed, (end, y1)])
        ax.plot(x, y, color=style.GREY, linewidth=1.2, zorder=1)
        arrow = {"arrowstyle": "-|>", "color": style.GREY, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (end, y1), (end - 0.01, y1), arrowprops=arrow, zorder=2)
    return fig


def _columns(names, edges) -> dict:
    """Name → how many boxes lie, at most, on a way to it."""
    if unknown := {name for pair in edges for name in pair} - set(names):
        raise ValueError(f"There is no box {sorted(unknown)[0]!r}; the boxes are {', '.join(names)}.")
    column: dict = {}
    while len(column) < len(names):
        before = {name: [start for start, end in edges if end == name] for name in names if name not in column}
        ready = [name for name, starts in before.items() if all(one in column for one in starts)]
        if not ready:
            raise ValueError("These boxes lead to each other in a circle: take one arrow out.")
        column |= {name: 1 + max((column[one] for one in before[name]), default=-1) for name in ready}
    return column


def _heights(column: dict, steps) -> dict:
    """Where each stands in its column, from 0 to 1: near the mean of its neighbours, so that few lines cross."""
    rows = [[stop for stop in column if column[stop] == place] for place in range(max(column.values(), default=0) + 1)]
    heights = {stop: 1 - (row + 0.5) / len(rows[0]) for row, stop in enumerate(rows[0])}
    for sweep in range(8):  # from left to right and back, as in Sugiyama, Tagawa and Toda, 1981
        for stops in rows[1:] if sweep % 2 == 0 else rows[-2::-1]:
            wish = {}
            for stop in stops:
                near = [one for pair in steps for one in pair if stop in pair and one != stop and one in heights]
                ahead = [one for one in near if (column[one] < column[stop]) == (sweep % 2 == 0)] or near
                wish[stop] = sum(heights[one] for one in ahead) / max(len(ahead), 1)
            for row, stop in enumerate(sorted(stops, key=lambda one: -wish[one])):  # noqa: B023  (used at once)
                heights[stop] = 1 - (row + 0.5) / len(stops)
    return heights


def _smooth(points, many: int = 24):
    """A curve through points from left to right, level at each of them: x and y."""
    x, y = [], []
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        share = np.linspace(0, 1, many)
        x += list(x0 + (x1 - x0) * share)
        y += list(y0 + (y1 - y0) * (3 * share**2 - 2 * share**3))
    return x, y
