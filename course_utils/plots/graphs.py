"""Boxes and arrows: maps of ideas, and the graphs along which derivatives flow."""

from __future__ import annotations

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
