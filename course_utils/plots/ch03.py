"""Figures of chapter 3: a graph with its numbers, three gates, a border that is learned, lengths of gradients."""

from __future__ import annotations

import numpy as np

from course_utils.plots import drawings, style


def chain(values, slopes, gradients=None, title: str = ""):
    """The chain x → u → L with a number at each place.

    Args:
        values: of x, u and L.
        slopes: of the two steps; written on the arrows.
        gradients: of x, u and L, below the circles; None leaves them out.

    Returns:
        A Matplotlib figure.
    """
    gradients = gradients or (None, None, None)
    nodes = {
        name: (2.6 * i, 0.0, name, f"{value:g}", None if gradient is None else f"gradient {gradient:g}")
        for i, (name, value, gradient) in enumerate(zip("xuL", values, gradients, strict=True))
    }
    edges = [("x", "u", f"slope {slopes[0]:g}"), ("u", "L", f"slope {slopes[1]:g}")]
    return drawings.computing_graph(nodes, edges, width=6.0, height=1.7, title=title)


def small_graph(w, x, gradients: bool = True, title: str = ""):
    """The graph a = w · x, b = a + w, L = a · b: values above, local slopes on the arrows, gradients below.

    Args:
        w, x: numbers.
        gradients: whether those are written.

    Returns:
        A Matplotlib figure.
    """
    a = w * x
    b = a + w
    found = {"w": a + (a + b) * x, "x": (a + b) * w, "a": a + b, "b": a, "L": 1.0}
    places = {"w": (0, 0), "x": (0, 2.2), "a": (2.6, 2.2), "b": (5.2, 0), "L": (7.8, 1.4)}
    signs = {"w": "w", "x": "x", "a": "×", "b": "+", "L": "×"}
    values = {"w": w, "x": x, "a": a, "b": b, "L": a * b}
    nodes = {
        name: (
            *places[name],
            signs[name],
            f"{name} = {values[name] + 0.0:.3g}",
            f"gradient {found[name] + 0.0:.3g}" if gradients else None,
        )
        for name in places
    }
    slopes = [("x", "a", w), ("w", "a", x), ("w", "b", 1), ("a", "b", 1), ("a", "L", b), ("b", "L", a)]
    edges = [(start, end, f"{slope + 0.0:.3g}") for start, end, slope in slopes]
    return drawings.computing_graph(nodes, edges, width=8.0, height=3.6, title=title)


def gates(p=4.0, q=2.0, gradient=3.0):
    """Three gates with the same two inputs, and the same gradient from the right: sum, max, product.

    Returns:
        A Matplotlib figure.
    """
    results = {"+": p + q, "max": max(p, q), "×": p * q}
    back = {"+": (gradient, gradient), "×": (q * gradient, p * gradient)}
    back["max"] = (gradient, 0.0) if p > q else (0.0, gradient)
    nodes, edges = {}, []
    for i, (sign, result) in enumerate(results.items()):
        left = 4.6 * i
        nodes |= {
            f"p{i}": (left, 2.0, "p", p, back[sign][0] + 0.0),
            f"q{i}": (left, 0.0, "q", q, back[sign][1] + 0.0),
            f"gate{i}": (left + 2.0, 1.0, sign, result, gradient),
        }
        edges += [(f"p{i}", f"gate{i}"), (f"q{i}", f"gate{i}")]
    return drawings.computing_graph(
        nodes, edges, width=8.4, height=2.6, title="A sum shares, a max routes, a product swaps"
    )


def borders(points, sides, heights: dict, reach=(-2.0, 3.0)):
    """Points of two classes, and the border of a network between them, one panel for each time.

    Args:
        points: shape (n, 2).
        sides: shape (n,), -1 or 1.
        heights: title of the panel → outputs of the network on a square grid, shape (k, k), rows from below.
        reach: of both axes.

    Returns:
        A Matplotlib figure.
    """
    figure, axes = style.figure(8.8, 2.6, columns=len(heights))
    for ax, (title, height) in zip(np.atleast_1d(axes), heights.items(), strict=True):
        grid = np.linspace(*reach, len(height))
        ax.contourf(grid, grid, height, levels=[-1e9, 0, 1e9], colors=["#FBE6C8", "#CFE3F2"])
        for side, colour, marker in [(-1, style.ORANGE, "o"), (1, style.BLUE, "s")]:
            ax.plot(*points[sides == side].T, marker, color=colour, markersize=3.5)
        ax.set(xlim=(-1.6, 2.6), ylim=(-1.2, 1.7), xticks=[], yticks=[])
        ax.set_title(title, fontsize=9)
    return figure


def pictures(rows, titles):
    """Small grey pictures side by side, each with a title.

    Args:
        rows: shape (k, 64): pictures of 8 × 8.
        titles: k texts.

    Returns:
        A Matplotlib figure.
    """
    figure, axes = style.figure(7.5, 1.7, columns=len(rows))
    for ax, row, title in zip(np.atleast_1d(axes), rows, titles, strict=True):
        ax.set_axis_off()
        ax.imshow(np.reshape(row, (8, 8)), cmap="gray_r")
        ax.set_title(title, fontsize=9)
    return figure


def gradient_lengths(panels: dict):
    """Length of the gradient behind each layer, relative to the output's.

    Args:
        panels: title → {name: lengths from input to output, or (lengths, those of a theory, drawn dashed)}.

    Returns:
        A Matplotlib figure.
    """
    figure, axes = style.figure(3.0 * len(panels) + (2.6 if len(panels) == 1 else 0), 3.2, columns=len(panels))
    axes = np.atleast_1d(axes)
    for ax, (title, curves) in zip(axes, panels.items(), strict=True):
        for name, found in curves.items():
            lengths, theory = found if isinstance(found, tuple) else (found, None)
            ax.semilogy(lengths / lengths[-1], label=name)
            if theory is not None:
                ax.semilogy(theory / theory[-1], "--", color="black", linewidth=0.8)
        ax.set(title=title, xlabel="layer (0 = input)")
        ax.xaxis.get_major_locator().set_params(integer=True)
        if len(panels) > 1:
            ax.set_ylim(1e-15, 1e11)
    axes[0].set_ylabel("gradient, relative to the output")
    axes[0].legend(loc="lower right")
    return figure
