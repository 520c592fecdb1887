"""Try a line of code and keep what came of it, in a few words: for lessons in which errors are the subject."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LONGEST = 130  # characters of an error that are shown
_AROUND = r"Graph execution|Detected at|Original stack|Node:|\s+File|\s*\[\["  # lines of TensorFlow around its message
_INSIDE = r"\{\{function_node[^}]*\}\} *|\s*\[Op:.*|\s*; NodeDef.*"  # its inner names, within the message


@dataclass(frozen=True)
class Attempt:
    """What came of a line.

    Attributes:
        works: whether it ran without an error.
        says: what it gave (its kind, shape or number), or the error's kind and first meaningful line.
    """

    works: bool
    says: str

    def __str__(self) -> str:
        return f"works: {self.says}" if self.works else f"raises {self.says}"


def attempt(line: str, names: dict) -> Attempt:
    """Run one expression with these names, and report instead of raising.

    Only for lines that the lesson itself has written: the line is evaluated.

    Args:
        line: a Python expression.
        names: the names that it may use; the mapping is not changed.
    """
    try:
        return Attempt(True, in_short(eval(line, dict(names))))
    except Exception as error:
        return Attempt(False, error_in_short(error))


def in_short(value) -> str:
    """A value in a few words: a number itself, the shape of an array or tensor, else the name of its type."""
    shape = getattr(value, "shape", None)
    if shape is None:
        return repr(value) if isinstance(value, bool | int | float | str) else type(value).__name__
    if len(shape) == 0 and hasattr(value, "__float__") and not hasattr(value, "graph"):
        return f"the number {float(value):.3g}"
    return f"shape {tuple(shape)}"


def error_in_short(error: BaseException) -> str:
    """Kind and first meaningful line of an error, without places in files and TensorFlow's inner names."""
    lines = [line for line in str(error).splitlines() if line.strip() and not re.match(_AROUND, line)]
    text = re.sub(_INSIDE, "", lines[0]) if lines else ""
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rsplit(" ", 1)[0] + " …"
    return f"{type(error).__name__}: {text}"


def markdown_table(head: list[str], rows) -> str:
    """A Markdown table for ``cu.say``.

    Args:
        head: the names of the columns.
        rows: one sequence of cells for each row, as long as the head.

    Raises:
        ValueError: a row has another number of cells.
    """
    lines = [head, ["---"] * len(head), *rows]
    for line in lines:
        if len(line) != len(head):
            raise ValueError(f"A row of this table has {len(head)} cells, not {len(line)}: {line!r}.")
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
