"""Spoken digits that ship with the course: ``data/spoken_digits.npz``, made by ``data/make_spoken_digits.py``."""

from __future__ import annotations

import numpy as np

from course_utils import paths
from course_utils.data.bundle import Bundle

RATE = 8000  # samples a second
_FILE = paths.ROOT / "data" / "spoken_digits.npz"
_HELD_OUT = ("m8", "f4")  # two of the eight speakers, in all accents
_MU = 255


def spoken_digits() -> Bundle:
    """Ten English words, 32 synthetic voices: x (640, samples) float32 from -1 to 1 at 8 kHz; y is 0 to 9.

    Shorter clips are filled up with exact zeros after their end. ``groups`` has each clip's voice, such as
    ``en-us+f2`` (accent and speaker), and ``in_test`` marks the clips of two speakers to hold out.

    Raises:
        FileNotFoundError: the file is missing; the message says how to make it.
    """
    if not _FILE.is_file():
        raise FileNotFoundError(
            "data/spoken_digits.npz is missing. It is part of the repository; python "
            "data/make_spoken_digits.py makes it anew."
        )
    with np.load(_FILE, allow_pickle=False) as stored:
        sounds = mu_law_decode(stored["codes"])
        lengths, digits = stored["lengths"], stored["digits"].astype(int)
        voices = stored["voice_names"][stored["voices"]]
    x = np.zeros((len(lengths), lengths.max()), dtype=np.float32)
    x[np.arange(x.shape[1]) < lengths[:, None]] = sounds  # row by row, in the order in which the clips are stored
    source = (
        f"spoken digits: shipped with the course ({len(x)} clips, {len(set(voices))} voices, {RATE} samples a second)"
    )
    print(source)
    return Bundle(
        name="spoken digits",
        source=source,
        x=x,
        y=digits,
        classes=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
        groups=voices,
        in_test=np.array([voice.split("+")[1] in _HELD_OUT for voice in voices]),
    )


def mu_law_decode(codes: np.ndarray) -> np.ndarray:
    """8-bit mu-law codes, of any shape, as samples between -1 and 1, float32 (the curve of ITU-T G.711)."""
    curved = 2 * codes.astype(np.float32) / _MU - 1
    return np.sign(curved) * np.expm1(np.abs(curved) * np.log1p(_MU)).astype(np.float32) / _MU
