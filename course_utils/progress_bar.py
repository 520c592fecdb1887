"""A progress bar that vanishes: seen while something runs, absent from what is saved."""

from __future__ import annotations

import html
import shutil
import sys
import time

from course_utils import display

# Marks an output that the saved notebook leaves out, should the kernel die before it is cleared.
MARK = {"course": {"transient": True}}
_EMPTY = {"text/plain": ""}


def clock(seconds: float) -> str:
    """Seconds as people say them: ``"8 s"``, ``"2 min 5 s"``."""
    seconds = max(0, round(seconds))
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min {seconds % 60} s"


class ProgressBar:
    """A bar with a note and the time left, in a notebook or on a terminal.

    Args:
        label: what is going on.
    """

    def __init__(self, label: str):
        self.label = label
        self._begin = time.monotonic()
        self._picture = ""
        self._handle = None
        self._width = 0

    def update(self, share: float, note: str = "") -> None:
        """Show that this share (0 to 1) of the work is done."""
        share = min(max(share, 0.0), 1.0)
        passed = time.monotonic() - self._begin
        left = f"about {clock(passed * (1 - share) / share)} left" if share > 0.02 and passed > 1 else ""
        self._put(share, " · ".join(part for part in (self.label, note, left) if part))

    def draw(self, figure) -> None:
        """Show a figure under the bar from now on (notebook only) and close it."""
        self._picture = display.figure_html(figure, alt="The curves of the training so far.")

    def close(self) -> None:
        """Take the bar away."""
        if self._handle is not None:
            self._handle.update(_EMPTY, raw=True)
            self._handle = None
        elif self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0

    def _put(self, share: float, text: str) -> None:
        if display.in_notebook():
            page = f'<progress value="{share:.3f}" max="1"></progress> {html.escape(text)}<br>{self._picture}'
            data = {"text/html": page, "text/plain": f"{share:.0%} {text}"}
            if self._handle is None:
                self._handle = display.display_data(data, MARK, handle=True)
            else:
                self._handle.update(data, raw=True, metadata=MARK)
        elif sys.stderr.isatty():
            filled = round(20 * share)
            line = f"[{'#' * filled}{'.' * (20 - filled)}] {text}"[: shutil.get_terminal_size().columns - 1]
            sys.stderr.write("\r" + line.ljust(self._width))
            sys.stderr.flush()
            self._width = len(line)
