"""The one shape in which every data set arrives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Bundle:
    """A data set of n examples, and where it came from.

    Attributes:
        name: its short name.
        source: one sentence: where these very examples came from.
        x: the inputs: a list of n strings, or an array of shape (n, …).
        y: the targets, shape (n,): class numbers from 0; where ``classes`` is empty, real values, or a list of n
            strings.
        classes: the name of each class.
        x_clean: the same inputs without what gives the class away (texts only, else None).
        give_away: what ``x_clean`` leaves out, in words.
        groups: shape (n,): examples of one group are near-copies of each other and belong on the same
            side of a split (the thread of a post, the module of a docstring, the voice of a clip), or share a
            domain (reviews); or None.
        in_test: shape (n,), True for the test examples of the honest split, or None.
        marked: shape (n,), True for the examples that need word order, or None.
        features: names of the columns of ``x``, where it is a table.
    """

    name: str
    source: str
    x: list[str] | np.ndarray
    y: np.ndarray | list[str]
    classes: tuple[str, ...] = ()
    x_clean: list[str] | None = None
    give_away: str = ""
    groups: np.ndarray | None = None
    in_test: np.ndarray | None = None
    features: tuple[str, ...] = ()
    marked: np.ndarray | None = None

    def __post_init__(self):
        n = len(self.y)
        for field in ("x", "x_clean", "groups", "in_test", "marked"):
            values = getattr(self, field)
            if values is not None and len(values) != n:
                raise ValueError(f"{self.name}: {field} has {len(values)} entries for {n} targets.")

    def __len__(self) -> int:
        return len(self.y)
