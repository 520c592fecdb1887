"""How much code stands on the page of a chapter, and how long the chapter takes: where each stands, and the limits."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass

from course_utils import course, paths
from course_utils.maintain import notebooks

MAX_LINES = 300  # visible lines of code in a chapter
MAX_CELL_LINES = 30
USUAL_CELL_LINES, USUAL_SHARE = 15, 0.9  # nine in ten visible cells have at most so many lines
MAX_WIDTH = 88


@dataclass(frozen=True)
class Budget:
    """What a learner sees of a notebook's code. A cell tagged ``fold`` is not seen.

    Attributes:
        lines: of all visible code cells, blank lines and comments too.
        longest: lines of the longest visible cell; ``longest_cell`` is its number in the notebook.
        usual: share of the visible cells that have at most ``USUAL_CELL_LINES`` lines.
        width: characters of the widest line of code, folded cells included.
        unnamed: numbers of the folded cells whose first line is not a comment that says what they do.
        time: minutes of work.
    """

    lines: int
    longest: int
    longest_cell: int
    usual: float
    width: int
    unnamed: tuple[int, ...]
    time: course.Time

    def excesses(self) -> list[str]:
        """What is over a limit, a sentence each."""
        found = []
        if self.lines > MAX_LINES:
            found.append(f"{self.lines} visible lines of code; at most {MAX_LINES}")
        if self.longest > MAX_CELL_LINES:
            found.append(f"cell {self.longest_cell} shows {self.longest} lines; at most {MAX_CELL_LINES}")
        if self.usual < USUAL_SHARE:
            found.append(
                f"{self.usual:.0%} of the visible cells have at most {USUAL_CELL_LINES} lines; {USUAL_SHARE:.0%} must"
            )
        if self.width > MAX_WIDTH:
            found.append(f"a line of code has {self.width} characters; at most {MAX_WIDTH}")
        if self.unnamed:
            found.append(
                f"folded cells whose first line does not say what they do: {', '.join(map(str, self.unnamed))}"
            )
        return found


def measure(nb) -> Budget:
    """The budget of a notebook."""
    code = [(number, cell) for number, cell in enumerate(nb.cells) if cell.cell_type == "code"]
    visible = [
        (len(cell.source.splitlines()), number) for number, cell in code if course.FOLD not in notebooks.tags(cell)
    ]
    folded = [(number, cell) for number, cell in code if course.FOLD in notebooks.tags(cell)]
    longest, number = max(visible, default=(0, 0))
    return Budget(
        lines=sum(lines for lines, _ in visible),
        longest=longest,
        longest_cell=number,
        usual=sum(lines <= USUAL_CELL_LINES for lines, _ in visible) / max(1, len(visible)),
        width=max((len(line) for _, cell in code for line in cell.source.splitlines()), default=0),
        unnamed=tuple(number for number, cell in folded if not cell.source.startswith("# ")),
        time=course.working_time(nb.cells),
    )


def as_table(names=()) -> str:
    """Where the chapters stand, for a terminal; a value over its limit has an exclamation mark.

    Args:
        names: as for ``notebooks.find``; none means all.
    """
    rows = [("chapter", "lines", "longest cell", f"cells of ≤ {USUAL_CELL_LINES} lines", "width", "time")]
    limits = ("limit", MAX_LINES, MAX_CELL_LINES, f"{USUAL_SHARE:.0%}", MAX_WIDTH, "")
    rows.append(tuple(map(str, limits)))
    for path in notebooks.find(*names):
        found = measure(notebooks.read(path))
        shown = [_marked(found.lines, MAX_LINES), _marked(found.longest, MAX_CELL_LINES)]
        shown.append(f"{math.floor(100 * found.usual)}%" + ("!" if found.usual < USUAL_SHARE else ""))
        rows.append((path.stem, *shown, _marked(found.width, MAX_WIDTH), str(found.time)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _marked(value: int, limit: int) -> str:
    return f"{value}" + ("!" if value > limit else "")


def format_notebooks(names=(), check: bool = False) -> int:
    """Lay the code of notebooks out with Ruff, as ``notebooks/ruff.toml`` says; no output becomes stale by it.

    Args:
        names: as for ``notebooks.find``; none means all chapters.
        check: change nothing, and say which would change.

    Returns:
        Ruff's exit status: 0 where all is well.
    """
    settings = paths.ROOT / "notebooks" / "ruff.toml"
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--no-cache",
        "--config",
        settings,
        *(["--check"] if check else []),
    ]
    return subprocess.run([*map(str, command), *map(str, notebooks.find(*names))], cwd=paths.ROOT).returncode
