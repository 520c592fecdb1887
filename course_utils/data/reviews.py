"""Short reviews written for the course: ``data/reviews.csv``."""

from __future__ import annotations

import csv

import numpy as np

from course_utils import paths
from course_utils.data.bundle import Bundle

_FILE = paths.ROOT / "data" / "reviews.csv"
_COLUMNS = ["text", "label", "domain", "marked"]
_CLASSES = ("negative", "positive")


def reviews() -> Bundle:
    """400 short reviews: x is a list of texts; y is 0 for negative and 1 for positive, 200 of each.

    ``groups`` has the domain of each review: films, restaurants, books or gadgets. ``marked`` is True where
    the single words point the wrong way, so that word order, negation, irony or contrast decide.

    Raises:
        FileNotFoundError: the file is missing; the message says where it comes from.
        ValueError: a row is malformed; the message names its line.
    """
    if not _FILE.is_file():
        raise FileNotFoundError(
            "data/reviews.csv is missing. It is part of the repository; git restore data/reviews.csv brings it back."
        )
    texts, labels, domains, marks = [], [], [], []
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, strict=True)
        try:
            if next(rows, None) != _COLUMNS:
                raise ValueError(f"the columns must be {', '.join(_COLUMNS)}")
            for row in rows:
                text, label, domain, mark = _checked(row)
                texts.append(text)
                labels.append(_CLASSES.index(label))
                domains.append(domain)
                marks.append(mark == "yes")
            if not texts:
                raise ValueError("no review follows")
        except (ValueError, csv.Error) as error:
            raise ValueError(f"data/reviews.csv, line {max(rows.line_num, 1)}: {error}.") from None
    source = (
        f"reviews: shipped with the course ({len(texts)} reviews in {len(set(domains))} domains, {sum(marks)} marked)"
    )
    print(source)
    return Bundle(
        name="reviews",
        source=source,
        x=texts,
        y=np.array(labels, dtype=int),
        classes=_CLASSES,
        groups=np.array(domains, dtype=str),
        marked=np.array(marks, dtype=bool),
    )


def _checked(row: list[str]) -> list[str]:
    """The row itself, if it is a review."""
    if len(row) != len(_COLUMNS):
        raise ValueError(f"it has {len(row)} of {len(_COLUMNS)} columns")
    text, label, domain, mark = row
    if not text.strip():
        raise ValueError("its text is empty")
    if label not in _CLASSES:
        raise ValueError(f"its label is {label!r}, neither negative nor positive")
    if not domain.strip():
        raise ValueError("its domain is empty")
    if mark not in ("yes", "no"):
        raise ValueError(f"marked is {mark!r}, neither yes nor no")
    return row
