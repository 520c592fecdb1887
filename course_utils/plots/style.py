"""The look of every figure: a colour-blind-safe palette on an opaque white ground."""

from __future__ import annotations

# Okabe and Ito's palette (2008), without its yellow, which is hard to see on white.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, BLACK, GREY = "#CC79A7", "#56B4E9", "#000000", "#6B6B6B"
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK)


def apply() -> None:
    """Make the course's figure style the default of this session, over Matplotlib's own and nothing else."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcdefaults()  # a dark style of the user would leave white text on the white ground
    mpl.rcParams.update(
        {
            "figure.figsize": (7.0, 3.6),
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "axes.facecolor": "white",
            "axes.prop_cycle": cycler(color=PALETTE),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 11,
            "axes.labelsize": 10,
            "font.size": 10,
            "legend.frameon": False,
            "image.cmap": "cividis",
        }
    )


def figure(width: float = 7.0, height: float = 3.6, columns: int = 1):
    """A new figure with ``columns`` axes side by side.

    Args:
        width, height: inches.

    Returns:
        ``(figure, axes)``; ``axes`` is one ``Axes``, or an array of shape (columns,) if there are more.
    """
    import matplotlib.pyplot as plt

    apply()
    return plt.subplots(1, columns, figsize=(width, height), layout="constrained")
