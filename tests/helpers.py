"""Fill in the exercises of a notebook, right or wrong: how machines try every path a learner can take."""

from __future__ import annotations

import copy
import re
from pathlib import Path

from course_utils.exercises.define import Exercise, registry, source_of


def fill(nb, stem: str, how: str):
    """A copy of a notebook with every exercise ``"solved"`` or ``"sabotaged"`` (its first mistake).

    Args:
        nb: a notebook of version 4.
        stem: its name; the first two digits are its chapter.

    Raises:
        ValueError: an exercise of the chapter does not stand in the notebook as its starter has it.
    """
    nb = copy.deepcopy(nb)
    for task in registry():
        if task.chapter != Path(stem).stem[:2]:
            continue
        cells = [cell for cell in nb.cells if cell.cell_type == "code" and task.starter in cell.source]
        if len(cells) != 1:
            raise ValueError(f"The starter of {task.key} must stand in {stem} once, word for word:\n{task.starter}")
        cells[0].source = cells[0].source.replace(task.starter, _answer(task, how))
    return nb


def _answer(task, how: str) -> str:
    answer = task.reference if how == "solved" else task.mistakes[0].answer
    if not isinstance(task, Exercise):
        return f"ex.{task.name}.check({answer!r})"
    return re.sub(r"\Adef \w+", f"def {task.name}", source_of(answer))
