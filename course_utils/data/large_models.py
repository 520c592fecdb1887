"""Published models from 1958 to today, with the papers that the numbers come from: ``data/large_models.csv``."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass

from course_utils import paths

_FILE = paths.ROOT / "data" / "large_models.csv"


@dataclass(frozen=True)
class Model:
    """One published model. What its paper does not say is NaN.

    Attributes:
        year: of the publication (of the machine, for the perceptron).
        name, kind: what it is called, and which family it belongs to.
        parameters: trained numbers in it.
        active: those that one token passes through; fewer than ``parameters`` in a mixture of experts.
        tokens: pieces of text that it read in training, counted as often as they were read.
        compute: published floating-point operations of the training.
        processor_hours: published hours of all processors together, for the training on ``tokens``.
        processor_peak: operations a second that the maker promises for one such processor, with 16-bit numbers.
        source: the paper.
    """

    year: int
    name: str
    kind: str
    parameters: float
    active: float
    tokens: float
    compute: float
    processor_hours: float
    processor_peak: float
    source: str


def large_models() -> list[Model]:
    """All rows of the table, in order of time."""
    numbers = ("parameters", "active", "tokens", "compute", "processor_hours", "processor_peak")
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    models = [
        Model(**{**row, "year": int(row["year"]), **{n: float(row[n]) if row[n] else math.nan for n in numbers}})
        for row in rows
    ]
    print(f"published models: shipped with the course ({len(models)} models, {models[0].year} to {models[-1].year})")
    return models
