"""Sounds: spectrograms side by side, players for the page, and the lattice of CTC."""

from __future__ import annotations

import base64
import html
import io
import wave

import numpy as np

from course_utils.plots import style


def spectrograms(
    pictures: dict, seconds: float, top: float, ylabel: str = "frequency (kHz)", label: str = "loudness (dB)", title=""
):
    """Pictures of loudness over time and frequency, side by side on one scale of colours.

    Args:
        pictures: title → values of shape (frames, bands), low bands first.
        seconds: how long each picture lasts.
        top: the value at the upper end of the vertical axis, in the unit of ``ylabel``.
        label: what the colour means, with its unit.

    Returns:
        A Matplotlib figure.
    """
    fig, axes = style.figure(1.2 + 2.5 * len(pictures), 2.7, columns=len(pictures))
    axes = np.atleast_1d(axes)
    low = min(np.min(values) for values in pictures.values())
    high = max(np.max(values) for values in pictures.values())
    for ax, (name, values) in zip(axes, pictures.items(), strict=True):
        look = {"origin": "lower", "aspect": "auto", "vmin": low, "vmax": high, "interpolation": "nearest"}
        shown = ax.imshow(np.asarray(values).T, extent=(0, seconds, 0, top), **look)
        ax.set_title(name, fontsize=10)
        ax.set_xlabel("time (s)")
    axes[0].set_ylabel(ylabel)
    fig.colorbar(shown, ax=axes[-1], label=label)
    fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def players(sounds: dict, rate: int) -> str:
    """Players for the page, in a row, as HTML for ``cu.show_html``: each is a WAV file inside the page.

    A screen reader hears each player's label; nothing plays by itself.

    Args:
        sounds: label → samples between -1 and 1, shape (n,); 16 bits are kept of each.
        rate: samples a second.

    Raises:
        ValueError: a sound is empty, not a row of finite numbers, or longer than four seconds (the file would grow).
    """
    boxes = []
    for label, samples in sounds.items():
        samples = np.asarray(samples, dtype=float)
        if samples.ndim != 1 or not 0 < len(samples) <= 4 * rate or not np.isfinite(samples).all():
            raise ValueError(f"{label!r} must be a row of finite samples, at most four seconds; got {samples.shape}.")
        name, source = html.escape(label, quote=True), base64.b64encode(wav(samples, rate)).decode()
        boxes.append(
            '<figure style="margin:4px 12px 4px 0"><audio controls preload="metadata" style="width:230px" '
            f'aria-label="{name}" title="{name}" src="data:audio/wav;base64,{source}"></audio>'
            f'<figcaption style="font-size:90%">{name}</figcaption></figure>'
        )
    return f'<div style="display:flex;flex-wrap:wrap">{"".join(boxes)}</div>'


def wav(samples: np.ndarray, rate: int) -> bytes:
    """A WAV file, one channel, 16 bits a sample; what is beyond -1 and 1 is cut off.

    Args:
        samples: shape (n,).
        rate: samples a second.
    """
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.round(32767 * np.clip(samples, -1, 1)).astype("<i2").tobytes())
    return file.getvalue()


def lattice(shares: np.ndarray, names, title: str = ""):
    """The states of CTC over the frames, as a lattice: the larger a dot, the more of the probability passes there.

    Args:
        shares: numbers from 0 to 1, shape (frames, states).
        names: the name of each state, the first on top.

    Returns:
        A Matplotlib figure.

    Raises:
        ValueError: there is not one name for each state.
    """
    shares = np.asarray(shares, dtype=float)
    if shares.ndim != 2 or shares.shape[1] != len(names):
        raise ValueError(f"{len(names)} names need shares of shape (frames, {len(names)}), not {shares.shape}.")
    frames, states = shares.shape
    fig, ax = style.figure(1.6 + 0.9 * frames, 0.9 + 0.42 * states)
    for frame, state in np.ndindex(frames - 1, states):
        for step in range(3):
            after = state + step
            if after >= states or (step == 2 and (names[after] == names[state] or after % 2 == 0)):
                continue
            passes = min(shares[frame, state], shares[frame + 1, after])
            if passes > 0:
                ax.plot([frame + 1, frame + 2], [state, after], color=style.GREY, linewidth=0.4 + 3 * passes, zorder=1)
    times, places = np.meshgrid(np.arange(frames) + 1, np.arange(states), indexing="ij")
    colours = [style.BLUE if state % 2 else style.ORANGE for state in range(states)] * frames
    ax.scatter(times.ravel(), places.ravel(), s=10 + 330 * shares.ravel(), c=colours, zorder=2)
    ax.set_xticks(range(1, frames + 1))
    ax.set_yticks(range(states), names)
    ax.invert_yaxis()
    ax.margins(0.1)
    ax.set_xlabel("frame")
    ax.set_ylabel("state: symbol or blank (–)")
    ax.set_title(title)
    return fig
