"""Drawings of ideas, in one style: a unit, a network, a computing graph with its numbers, a moving window, a tensor.

Blue is what goes forward, red what comes back (gradients), orange what is being looked at.
"""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from course_utils.plots import style

FORWARD, BACKWARD, FOCUS = style.BLUE, "#A63F00", style.ORANGE  # the palette's red is too light for small text
RADIUS = 0.34


def _canvas(width: float, height: float, title: str):
    fig, ax = style.figure(width, height)
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_title(title)
    return fig, ax


def _text(value) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"


def _circle(ax, x, y, text, colour=FORWARD, below=""):
    ax.add_patch(Circle((x, y), RADIUS, facecolor="white", edgecolor=colour, linewidth=1.8, zorder=3))
    ax.text(x, y, text, ha="center", va="center", fontsize=9, zorder=4)
    if below:
        ax.text(x, y - RADIUS - 0.16, below, ha="center", va="center", fontsize=9, color=BACKWARD, zorder=4)


def _arrow(ax, start, end, colour=style.GREY, gap=RADIUS):
    (x0, y0), (x1, y1) = start, end
    length = np.hypot(x1 - x0, y1 - y0)
    dx, dy = (x1 - x0) / length * gap, (y1 - y0) / length * gap
    arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (x1 - dx, y1 - dy), (x0 + dx, y0 + dy), arrowprops=arrow, zorder=2)


def _beside(ax, start, end, text, share, colour=style.BLACK):
    """A text on a line, ``share`` of the way along it, on a white ground."""
    x = start[0] + share * (end[0] - start[0])
    y = start[1] + share * (end[1] - start[1])
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    ax.text(x, y, text, fontsize=8, ha="center", va="center", color=colour, bbox=ground, zorder=2.5)


def unit(inputs, weights, bias, *, activation: str = "σ", output=None, names=None, title: str = ""):
    """One unit: inputs times weights, summed with the bias, through the activation.

    Args:
        inputs, weights: of equal length; numbers or texts such as ``"x₁"``.
        bias: a number or a text.
        activation: the name of the function at the end; empty for none.
        output: what comes out; computed texts are the caller's. With numbers, the sum is written too.
        names: of the inputs, left of them.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: inputs and weights differ in number.
    """
    if len(inputs) != len(weights):
        raise ValueError(f"Each input has one weight; there are {len(inputs)} inputs and {len(weights)} weights.")
    rows = len(inputs) + 1
    fig, ax = _canvas(7.0, 0.8 * rows + 0.4, title)
    middle = (rows - 1) / 2
    places = [(0.0, float(rows - 1 - i)) for i in range(rows)]
    total = (3.0, middle)
    for place, value, weight in zip(places, inputs, weights, strict=False):
        _circle(ax, *place, _text(value))
        _arrow(ax, place, total)
        _beside(ax, place, total, f"× {_text(weight)}", 0.45)
    _circle(ax, *places[-1], "1", style.GREY)
    _arrow(ax, places[-1], total)
    _beside(ax, places[-1], total, f"× {_text(bias)}", 0.45)
    ax.text(places[-1][0] - 0.55, places[-1][1], "bias", ha="right", va="center", fontsize=9, color=style.GREY)
    for place, name in zip(places, names or [], strict=False):
        ax.text(place[0] - 0.55, place[1], name, ha="right", va="center", fontsize=9)
    numbers = [value for value in (*inputs, *weights, bias) if isinstance(value, str)]
    summed = "" if numbers else _text(float(np.dot(inputs, weights) + bias))
    _circle(ax, *total, summed or "Σ")
    if summed:
        ax.text(total[0], total[1] + 0.55, "sum", ha="center", fontsize=9, color=style.GREY)
    end = total
    if activation:
        end = (4.6, middle)
        ax.add_patch(FancyBboxPatch((4.3, middle - 0.25), 0.6, 0.5, boxstyle="round,pad=0.06", facecolor="white",
                                    edgecolor=FORWARD, linewidth=1.8, zorder=3))  # fmt: skip
        ax.text(*end, activation, ha="center", va="center", fontsize=10, zorder=4)
        _arrow(ax, total, end, gap=0.38)
    if output is not None:
        _arrow(ax, end, (6.0, middle), gap=0.38)
        ax.text(6.0, middle, _text(output), ha="center", va="center", fontsize=11)
    ax.set_xlim(-1.6, 6.6)
    ax.set_ylim(-0.6, rows - 0.3)
    return fig


def network(sizes, *, values=None, weights=None, gradients=None, weight_gradients=None, names=None, title: str = ""):
    """A network of layers, with its numbers forward and, in red below them, the gradients backward.

    Args:
        sizes: units in each layer, such as ``[2, 2, 1]``.
        values: one list for each layer: what stands in its circles (numbers or texts).
        weights: one array (from, to) for each pair of layers; written on the lines.
        gradients: as ``values``; written below the circles in red.
        weight_gradients: as ``weights``; written in red beside the weights.
        names: one for each layer, below it.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: a list does not fit the sizes.
    """
    _check_layers("values", values, sizes)
    _check_layers("gradients", gradients, sizes)
    for what, arrays in (("weights", weights), ("weight_gradients", weight_gradients)):
        shapes = [np.shape(array) for array in arrays] if arrays is not None else None
        if shapes is not None and shapes != list(zip(sizes[:-1], sizes[1:], strict=True)):
            raise ValueError(f"{what} have the shapes {shapes}; layers of {list(sizes)} units need others.")
    tall = max(sizes)
    fig, ax = _canvas(2.4 * len(sizes), 1.3 * tall + 0.7, title)
    places = [
        [(2.6 * layer, 1.6 * ((tall - 1) / 2 + (size - 1) / 2 - i)) for i in range(size)]
        for layer, size in enumerate(sizes)
    ]
    for layer, (left, right) in enumerate(zip(places[:-1], places[1:], strict=True)):
        for i, start in enumerate(left):
            for j, end in enumerate(right):
                _arrow(ax, start, end)
                text = _text(weights[layer][i][j]) if weights is not None else ""
                if weight_gradients is not None:
                    text += f"\n({_text(weight_gradients[layer][i][j])})"
                if text:
                    _beside(ax, start, end, text, 0.27, BACKWARD if weights is None else style.BLACK)
    for layer, column in enumerate(places):
        for i, place in enumerate(column):
            text = _text(values[layer][i]) if values is not None else ""
            _circle(ax, *place, text, below=_text(gradients[layer][i]) if gradients is not None else "")
        if names:
            ax.text(2.6 * layer, -0.95, names[layer], ha="center", va="center", fontsize=9, color=style.GREY)
    ax.set_xlim(-0.7, 2.6 * (len(sizes) - 1) + 0.7)
    ax.set_ylim(-1.2, 1.6 * (tall - 1) + 0.6)
    return fig


def _check_layers(what: str, lists, sizes) -> None:
    if lists is not None and [len(layer) for layer in lists] != list(sizes):
        raise ValueError(f"{what} has {[len(layer) for layer in lists]} entries; the layers have {list(sizes)} units.")


def computing_graph(nodes: dict, edges, *, width: float = 8.0, height: float = 3.2, title: str = ""):
    """Operations as circles: the value that each computed above it, its gradient below it in red.

    Args:
        nodes: name → (x, y, sign, value, gradient); x and y at least 1.5 apart; value and gradient may be
            None; ``sign`` stands in the circle (``"+"``, ``"×"``, ``"w"``).
        edges: pairs (from, to), or (from, to, text) with a text such as the local derivative, in red beside the line.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: an edge names a node that is not there.
    """
    fig, ax = _canvas(width, height, title)
    for start, end, *text in edges:
        for name in (start, end):
            if name not in nodes:
                raise ValueError(f"There is no node {name!r}; the nodes are {', '.join(nodes)}.")
        _arrow(ax, nodes[start][:2], nodes[end][:2])
        if text:
            _beside(ax, nodes[start][:2], nodes[end][:2], text[0], 0.5, BACKWARD)
    for x, y, sign, value, gradient in nodes.values():
        _circle(ax, x, y, sign, below="" if gradient is None else _text(gradient))
        if value is not None:
            ax.text(x, y + RADIUS + 0.16, _text(value), ha="center", va="center", fontsize=9, color=FORWARD, zorder=4)
    spots = np.array([node[:2] for node in nodes.values()])
    ax.set_xlim(spots[:, 0].min() - 0.8, spots[:, 0].max() + 0.8)
    ax.set_ylim(spots[:, 1].min() - 0.8, spots[:, 1].max() + 0.8)
    return fig


def window(image, kernel_size, *, at=(0, 0), output=None, padding: int = 0, stride: int = 1, title: str = ""):
    """A window on a picture, and beside it the output with the place that the window gives.

    Args:
        image: numbers, shape (h, w).
        kernel_size: the side of the window.
        at: row and column of the output that is looked at.
        output: numbers of the shape that padding and stride give, or None: only the places.
        padding, stride: zeros around the picture; steps between windows.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: the output has another shape, or ``at`` lies outside it.
    """
    image = np.pad(np.asarray(image, float), padding)
    shape = tuple((side - kernel_size) // stride + 1 for side in image.shape)
    if output is not None and np.shape(output) != shape:
        raise ValueError(f"The output has the shape {np.shape(output)}; this window gives {shape}.")
    if not all(0 <= place < side for place, side in zip(at, shape, strict=True)):
        raise ValueError(f"The output has the shape {shape}; there is no place {at} in it.")
    rows = max(image.shape[0], shape[0])
    wide = image.shape[1] + 1.5 + shape[1]
    fig, ax = _canvas(min(8.0, 0.62 * wide), min(8.0, 0.62 * wide) * (rows + 1.2) / wide, title)
    inside = (slice(padding, image.shape[0] - padding), slice(padding, image.shape[1] - padding))
    border = np.ones(image.shape, bool)
    border[inside] = False
    _cells(ax, image, 0, dotted=border)
    right = image.shape[1] + 1.5
    _cells(ax, np.full(shape, np.nan) if output is None else np.asarray(output, float), right)
    top, left = at[0] * stride, at[1] * stride
    frame = {"fill": False, "edgecolor": FOCUS, "linewidth": 3, "zorder": 5}
    ax.add_patch(Rectangle((left, -top - kernel_size), kernel_size, kernel_size, **frame))
    ax.add_patch(Rectangle((right + at[1], -at[0] - 1), 1, 1, **frame))
    line = {"arrowstyle": "-|>", "color": FOCUS, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
    middle = (left + kernel_size, -top - kernel_size / 2)
    ax.annotate("", (right + at[1], -at[0] - 0.5), middle, arrowprops=line, zorder=6)
    ax.text(image.shape[1] / 2, 0.35, "input" + (f", {padding} zero around" if padding else ""), ha="center")
    ax.text(right + shape[1] / 2, 0.35, f"output {shape[0]} × {shape[1]}", ha="center")
    ax.set_xlim(-0.1, wide + 0.1)
    ax.set_ylim(-rows - 0.1, 1.0)
    return fig


def _cells(ax, numbers, left, dotted=None):
    """Squares with their numbers; NaN is an empty square; ``dotted`` squares (padding) have a broken edge."""
    size = 9 if numbers.shape[1] <= 8 else 7
    for (row, column), value in np.ndenumerate(numbers):
        outside = dotted is not None and dotted[row, column]
        square = Rectangle(
            (left + column, -row - 1), 1, 1, facecolor="white" if value == 0 or np.isnan(value) else "#DCEBF5",
            edgecolor=style.GREY, linewidth=0.8, linestyle=":" if outside else "-", zorder=1,
        )  # fmt: skip
        ax.add_patch(square)
        if not np.isnan(value):
            ax.text(left + column + 0.5, -row - 0.5, f"{value:g}", ha="center", va="center", fontsize=size, zorder=2)


def tensor(shape, names=None, *, values=None, title: str = ""):
    """The shape of a tensor as stacked sheets of cells: (layers,) rows × columns, with a name at each side.

    Args:
        shape: one to three sizes; those above eight are drawn as eight, with dots.
        names: what each axis counts, such as ``("texts", "tokens", "numbers")``.
        values: for one or two axes, what stands in the cells.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: more than three axes, or names that do not fit.
    """
    if not 1 <= len(shape) <= 3:
        raise ValueError(f"A tensor with 1 to 3 axes can be drawn, not one with {len(shape)}.")
    if names is not None and len(names) != len(shape):
        raise ValueError(f"There are {len(shape)} axes and {len(names)} names.")
    sheets, rows, columns = (1,) * (3 - len(shape)) + tuple(shape)
    drawn = [min(size, 8) for size in (sheets, rows, columns)]
    offset = 0.45
    depth = offset * drawn[0]
    fig, ax = _canvas(1.6 + 0.5 * (drawn[2] + depth), 1.0 + 0.5 * (drawn[1] + depth), title)
    for sheet in reversed(range(drawn[0])):
        for row in range(drawn[1]):
            for column in range(drawn[2]):
                place = (column + offset * sheet, -row - 1 + offset * sheet)
                ax.add_patch(Rectangle(place, 1, 1, facecolor="#DCEBF5", edgecolor=FORWARD, linewidth=0.8,
                                       zorder=10 - sheet))  # fmt: skip
                if values is not None and sheet == 0:
                    text = _text(np.asarray(values).reshape(rows, columns)[row, column])
                    ax.text(place[0] + 0.5, place[1] + 0.5, text, ha="center", va="center", fontsize=8, zorder=11)
    words = (["", "", *names] if len(shape) == 1 else ["", *names])[-3:] if names else ["", "", ""]
    ax.text(drawn[2] / 2, -drawn[1] - 0.3, f"{columns} {words[2]}".strip(), ha="center", va="top", fontsize=9)
    if len(shape) > 1:
        ax.text(-0.25, -drawn[1] / 2, f"{rows}\n{words[1]}".strip(), ha="right", va="center", fontsize=9)
    if len(shape) > 2:
        ax.text(drawn[2] + depth, depth, f" {sheets} {words[0]}".rstrip(), ha="left", va="center", fontsize=9)
    ax.set_xlim(-2.2, drawn[2] + depth + 2.4)
    ax.set_ylim(-drawn[1] - 1.0, depth + 0.6)
    return fig
