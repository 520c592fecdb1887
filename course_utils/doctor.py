"""Check the machine that the course runs on, and say for each finding what to do.

Uses the standard library where it can, so that it also works where packages are missing or broken.
"""

from __future__ import annotations

import html
import importlib.util
import os
import re
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from course_utils import environment, paths

SYMBOLS = {"ok": "✓", "note": "·", "warning": "!", "problem": "✗"}
# Text and ground of each word: all at least 4.5:1, and set together, so that a dark theme changes neither.
COLOURS = {"ok": "#0b5d1e", "note": "#333333", "warning": "#7a4b00", "problem": "#9b1c1c"}
GROUND = "#ffffff"
_NEEDED_MEMORY, _NEEDED_DISK = 1.5, 1.0  # GB


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what.
        status: ``ok``, ``note`` (nothing to do), ``warning`` (works, with limits) or ``problem``.
        detail: what was found; no path of the machine, for it is saved with the notebook.
        advice: what to do; empty if nothing.
    """

    name: str
    status: str
    detail: str
    advice: str = ""


def check() -> list[Finding]:
    """Look at everything. Never raises: a check that fails is a finding itself."""
    checks = (_python, _packages, _kernel, _memory, _cores, _disk, _fonts, _posts)
    findings = []
    for one in checks:
        try:
            findings.append(one())
        except Exception as error:
            name = one.__name__.strip("_")
            findings.append(Finding(name, "warning", f"could not be checked: {type(error).__name__}", "Report this."))
    return findings


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    try:
        environment.check_python(sys.version_info[:2])
    except environment.SetupError as error:
        return Finding("Python", "problem", version, str(error))
    return Finding("Python", "ok", version)


def _packages() -> Finding:
    lock = paths.ROOT / "requirements.lock"
    if not lock.is_file():
        return Finding("packages", "warning", "requirements.lock is not here", "Work in a full copy of the course.")
    pins = environment.read_lock(lock.read_text(encoding="utf-8"))
    missing, other = [], []
    for name in environment.direct_packages():
        versions = [version for version, marker in pins.get(name, []) if _holds(marker)]
        if not versions:
            continue  # the lock has it for other systems only
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if found not in versions:
            other.append(f"{name} {found} instead of {versions[0]}")
    if missing:
        return Finding("packages", "problem", "missing: " + ", ".join(missing), "Run: make setup")
    if other:
        return Finding("packages", "warning", "; ".join(other), "Numbers may differ. To get the pins: make setup")
    return Finding("packages", "ok", "all as pinned")


def _holds(marker: str) -> bool:
    if not marker:
        return True
    from packaging.markers import Marker

    return Marker(marker).evaluate()


def _kernel() -> Finding:
    own = Path(sys.prefix).resolve() == (paths.ROOT / ".venv").resolve()
    if own:
        return Finding("kernel", "ok", "the course's own environment (.venv)")
    if os.environ.get("CONDA_PREFIX") or os.environ.get("BINDER_SERVICE_HOST"):
        return Finding("kernel", "ok", "a conda environment")
    if importlib.util.find_spec("tensorflow") is None:
        advice = "Stop JupyterLab and start it with: make lab. Then Kernel → Change Kernel → Python 3 (ipykernel)."
        return Finding("kernel", "problem", "another Python, without TensorFlow", advice)
    return Finding("kernel", "warning", "another Python than the course's own", "To be sure of the pins: make lab")


def memory_limit() -> int | None:
    """Bytes that a container allows this process, or None if there is no such limit."""
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(file).read_text().strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < 2**60:
            return int(text)
    return None


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    total, free = memory.total, memory.available
    limit = memory_limit()
    if limit and limit < total:
        total, free = limit, min(free, limit)
    detail = f"{total / 1e9:.1f} GB, {free / 1e9:.1f} GB free"
    if free / 1e9 < _NEEDED_MEMORY:
        return Finding("memory", "warning", detail, "A notebook needs up to 1.2 GB: close other programs and kernels.")
    return Finding("memory", "ok", detail)


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores < 2:
        return Finding("processor", "note", "1 core", "The lessons take up to twice the time they state.")
    return Finding("processor", "ok", f"{cores} cores")


def _disk() -> Finding:
    free = shutil.disk_usage(paths.ROOT).free / 1e9
    if free < _NEEDED_DISK:
        return Finding("disk", "warning", f"{free:.1f} GB free", "Make room: data and saved models need up to 1 GB.")
    return Finding("disk", "ok", f"{free:.0f} GB free")


def _fonts() -> Finding:
    import matplotlib

    data = Path(matplotlib.get_data_path())
    if not (data / "fonts" / "ttf" / "DejaVuSans.ttf").is_file():
        return Finding("fonts", "problem", "Matplotlib's own font is missing", "Remove .venv and run: make setup")
    return Finding("fonts", "ok", "Matplotlib's own")


def _posts() -> Finding:
    from course_utils.data import newsgroups

    where = newsgroups.present()
    if where:
        return Finding("newsgroup posts", "ok", where)
    if newsgroups.offline():
        advice = "Nothing to do: the lessons use the embedded text, and say so."
        return Finding("newsgroup posts", "note", "not here, and downloads are switched off", advice)
    try:
        newsgroups.require_network()
    except newsgroups.Unavailable:
        advice = "Nothing to do: the lessons use the embedded text. Once online: python -m course_utils fetch"
        return Finding("newsgroup posts", "note", "not here, and their server cannot be reached", advice)
    return Finding("newsgroup posts", "note", "not here yet", "Nothing to do: chapter 8 downloads them (14 MB).")


# ------------------------------------------------------------------------------------- showing it


def as_text(findings: list[Finding]) -> str:
    """The findings for a terminal, a line each, with the advice below."""
    lines = []
    for finding in findings:
        lines.append(f"{SYMBOLS[finding.status]} {finding.status:8} {finding.name:16} {finding.detail}")
        if finding.advice:
            lines.append(f"{'':11}→ {finding.advice}")
    return "\n".join(lines)


def as_html(findings: list[Finding]) -> str:
    """The findings as a table with its own colours, readable on white and on a dark theme."""
    cell = f"padding:4px 10px;border:1px solid #767676;text-align:left;color:#111111;background:{GROUND}"
    head = "".join(f'<th style="{cell}" scope="col">{name}</th>' for name in ("", "checked", "found", "what to do"))
    rows = []
    for finding in findings:
        colour = f"{cell};color:{COLOURS[finding.status]};font-weight:bold;white-space:nowrap"
        rest = "".join(
            f'<td style="{cell}">{html.escape(text)}</td>' for text in (finding.name, finding.detail, finding.advice)
        )
        rows.append(f'<tr><td style="{colour}">{SYMBOLS[finding.status]} {finding.status}</td>{rest}</tr>')
    return f'<table style="border-collapse:collapse"><tr>{head}</tr>{"".join(rows)}</table>'


def show() -> None:
    """Show the findings under a notebook's cell."""
    from course_utils import session

    findings = check()
    if session.in_notebook():
        from IPython.display import display

        display({"text/html": as_html(findings), "text/plain": as_text(findings)}, raw=True)
    else:
        print(as_text(findings))


def main() -> int:
    """Print the findings; returns 1 if one of them is a problem."""
    findings = check()
    print(re.sub(r"\s+$", "", as_text(findings)))
    return int(any(finding.status == "problem" for finding in findings))
