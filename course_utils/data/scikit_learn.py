"""Small data sets that are installed with scikit-learn: nothing is downloaded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from course_utils.data.bundle import Bundle

QUARTERS = 4  # contiguous parts of the handwritten digits
DIGIT_SIDE = 8  # pixels


def _bundle(name: str, loader: str, numeric: bool = False) -> Bundle:
    from sklearn import datasets

    raw = getattr(datasets, loader)()
    source = f"{name}: installed with scikit-learn ({len(raw.target)} examples)"
    print(source)
    return Bundle(
        name=name,
        source=source,
        x=raw.data,
        y=raw.target,
        classes=() if numeric else tuple(str(c) for c in raw.target_names),
        features=tuple(raw.feature_names),
    )


def digits() -> Bundle:
    """Handwritten digits (Alpaydin and Kaynak, 1998): x (1797, 64), grey values 0 to 16; y is 0 to 9.

    Neighbours in the file are probably by one hand, so a random split tests on writers that were trained on. Here
    ``groups`` numbers four contiguous quarters of the file, 0 to 3, and ``in_test`` marks the last one.
    """
    bundle = _bundle("handwritten digits", "load_digits")
    quarter = np.arange(len(bundle)) * QUARTERS // len(bundle)
    return replace(bundle, groups=quarter, in_test=quarter == QUARTERS - 1)


def moved_digits(side: int = 14, seed: int = 0) -> Bundle:
    """The handwritten digits, each at a random place of an empty square: x (1797, side, side), grey values 0 to 16.

    The order, ``groups`` and ``in_test`` are those of ``digits``; every place is equally likely.

    Args:
        side: of the square, in pixels; at least 8, the side of a digit.
        seed: of the places. Another seed puts the same digits elsewhere.

    Raises:
        ValueError: a digit does not fit into the square.
    """
    bundle = digits()
    room = side - DIGIT_SIDE + 1
    if room < 1:
        raise ValueError(f"A digit has {DIGIT_SIDE} × {DIGIT_SIDE} pixels; it does not fit on {side} × {side}.")
    down, right = np.random.default_rng(seed).integers(0, room, (2, len(bundle)))
    x = np.zeros((len(bundle), side, side))
    for ground, digit, i, j in zip(x, bundle.x.reshape(-1, DIGIT_SIDE, DIGIT_SIDE), down, right, strict=True):
        ground[i : i + DIGIT_SIDE, j : j + DIGIT_SIDE] = digit
    return replace(bundle, name="moved digits", x=x, features=())


def wine() -> Bundle:
    """Wines of three growers (Aeberhard and Forina, 1991): x (178, 13), mixed units; y is 0 to 2."""
    return _bundle("wine", "load_wine")


def breast_cancer() -> Bundle:
    """Breast cancer, Wisconsin (Wolberg and others, 1993): x (569, 30), mixed units; y 0 malignant, 1 benign."""
    return _bundle("breast cancer", "load_breast_cancer")


def diabetes() -> Bundle:
    """Diabetes (Efron and others, 2004): x (442, 10), standardised; y is disease progression, 25 to 346."""
    return _bundle("diabetes", "load_diabetes", numeric=True)


def photographs() -> dict[str, np.ndarray]:
    """Two photographs, each uint8 of shape (427, 640, 3): ``"china"`` (a temple) and ``"flower"``."""
    from sklearn.datasets import load_sample_image

    print("photographs: installed with scikit-learn (2 pictures)")
    return {name: load_sample_image(f"{name}.jpg") for name in ("china", "flower")}
