"""How a verdict looks: a word, a symbol and a border, readable on white and in a dark theme."""

from __future__ import annotations

import html

from course_utils import display

# status → (symbol, colour of the word and the border, ground). All are set together, so that a dark theme
# changes none of them; each pair is above 4.5:1. On a dark page it is the light ground that stands out.
LOOKS = {
    "correct": ("✓", "#0b5d1e", "#eaf6ec"),
    "not yet": ("✗", "#9b1c1c", "#fdeeee"),
    "not attempted": ("○", "#3d3d3d", "#f2f2f2"),
    "could not run": ("!", "#6b4300", "#fdf3e1"),
    "noted": ("✎", "#1c3f94", "#edf1fc"),
}
INK = "#111111"
MAX_CHARS = 900


def as_text(verdict) -> str:
    """A verdict for a terminal or a screen reader."""
    printed = f"\nYour code printed: {verdict.printed}" if verdict.printed else ""
    return f"{LOOKS[verdict.status][0]} {verdict.status}: {_cut(verdict.text)}{printed}"


def as_html(verdict) -> str:
    """A verdict as a box with its own colours."""
    symbol, colour, ground = LOOKS[verdict.status]
    box = (
        f"border:2px solid {colour};border-left-width:8px;background:{ground};color:{INK};padding:6px 12px;margin:4px 0"
    )
    head = f'<strong style="color:{colour}">{symbol} {verdict.status}</strong>'
    printed = ""
    if verdict.printed:
        style = f"margin:4px 0 0;color:{INK};background:{ground};white-space:pre-wrap"
        printed = f'<br>Your code printed:<pre style="{style}">{html.escape(verdict.printed)}</pre>'
    return f'<div style="{box}" role="status">{head}<br>{html.escape(_cut(verdict.text))}{printed}</div>'


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARS else text[: MAX_CHARS - 1] + "…"


def show_verdict(verdict) -> None:
    """Show a verdict under the cell."""
    display.display_data({"text/html": as_html(verdict), "text/plain": as_text(verdict)})


def show_text(text: str) -> None:
    """Show plain lines under the cell: a question, a hint, a notice."""
    lines = "<br>".join(html.escape(line) for line in text.splitlines())
    display.display_data({"text/html": f'<div style="padding:2px 12px">{lines}</div>', "text/plain": text})


def show_code(source: str) -> None:
    """Show a solution under the cell."""
    style = f"background:#f2f2f2;color:{INK};padding:8px 12px;border:1px solid #767676"
    display.display_data({"text/html": f'<pre style="{style}">{html.escape(source)}</pre>', "text/plain": source})
