"""Curves over training: loss and accuracy, epoch by epoch."""

from __future__ import annotations

from course_utils.plots import style


def learning_curves(history: dict[str, list[float]], title: str = ""):
    """Loss on the left, accuracy on the right, training and validation in each.

    Args:
        history: as in Keras's ``History.history``: lists of equal length, one number an epoch, under
            ``loss``, ``val_loss``, ``accuracy``, ``val_accuracy`` (any of them may be missing).

    Returns:
        A Matplotlib figure.
    """
    fig, axes = style.figure(8.0, 3.2, columns=2)
    for ax, name in zip(axes, ("loss", "accuracy"), strict=True):
        for key, label, line in ((name, "training", "-o"), (f"val_{name}", "validation", "--s")):
            values = history.get(key) or []
            if values:
                ax.plot(range(1, len(values) + 1), values, line, label=label, markersize=4)
        ax.set_xlabel("epoch")
        ax.set_ylabel(name + (" (nats)" if name == "loss" else " (share correct)"))
        ax.xaxis.get_major_locator().set_params(integer=True)
        if ax.lines:
            ax.legend()
    if title:
        fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig
