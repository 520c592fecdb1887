"""Check the machine that the course runs on, and say for each finding what to do.

Uses the standard library where it can, so that it also works where packages are missing or broken.
"""

from __future__ import annotations

import contextlib
import html
import importlib.util
import os
import re
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from course_utils import paths
from course_utils.maintain import setup

SYMBOLS = {"ok": "✓", "note": "·", "warning": "!", "problem": "✗"}
# Text and ground of each word: all at least 4.5:1, and set together, so that a dark theme changes neither.
COLOURS = {"ok": "#0b5d1e", "note": "#333333", "warning": "#7a4b00", "problem": "#9b1c1c"}
GROUND = "#ffffff"
_NEEDED_MEMORY, _NEEDED_DISK = 1.5, 1.0  # GB
_CHINESE_FONT = re.compile(
    r"(notosans(mono)?|notoserif)(cjk|sc|tc|hk)|sourcehan|wqy-|wenquanyi|droidsansfallback|ukai|uming|msyh|msjh|"
    r"simsun|simhei|deng|pingfang|hiragino sans gb|stheiti|songti|arial ?unicode",
    re.IGNORECASE,
)


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
        except ImportError as error:
            detail = f"could not be checked: {error.name or 'a package'} does not load"
            findings.append(Finding(one.__name__.strip("_"), "warning", detail, "Run: make setup"))
        except Exception as error:
            detail = f"could not be checked: {type(error).__name__}"
            findings.append(Finding(one.__name__.strip("_"), "warning", detail, "Report this."))
    return findings


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    try:
        setup.check_python(sys.version_info[:2])
    except setup.SetupError as error:
        return Finding("Python", "problem", version, str(error))
    return Finding("Python", "ok", version)


def _packages() -> Finding:
    lock = paths.ROOT / "requirements.lock"
    if not lock.is_file():
        return Finding("packages", "warning", "requirements.lock is not here", "Work in a full copy of the course.")
    command = "conda env update -f environment.yml" if _conda() else "make setup"
    try:
        needed, pins = _needed(), setup.pins_here(paths.ROOT)
    except ImportError as error:
        return Finding("packages", "problem", f"missing: {error.name} and perhaps more", f"Run: {command}")
    missing, other = [], []
    for name, version in pins.items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            if name in needed:  # conda and Binder have no packages that only maintain the course
                missing.append(name)
            continue
        if found != version:
            other.append(f"{name} {found} instead of {version}")
    if missing:
        return Finding("packages", "problem", f"missing: {_some(missing, ', ')}", f"Run: {command}")
    if other:
        return Finding("packages", "warning", _some(other, "; "), f"Numbers may differ. To get the pins: {command}")
    return Finding("packages", "ok", "all as pinned")


def _needed() -> set[str]:
    """Names of the packages that a learner needs: those that the course asks for, and what these ask for in turn."""
    from packaging.requirements import Requirement

    found, ahead = set(), [(name, "") for name in setup.direct_packages(paths.ROOT)]
    while ahead:
        name, extra = ahead.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        with contextlib.suppress(metadata.PackageNotFoundError):
            for wanted in map(Requirement, metadata.requires(name) or ()):
                if not wanted.marker or wanted.marker.evaluate({"extra": extra}):
                    ahead += [(setup.canonical(wanted.name), one) for one in ("", *wanted.extras)]
    return {name for name, _ in found}


def _some(words: list[str], comma: str) -> str:
    """The first few of a list that may be long."""
    return comma.join(words[:5]) + (f" and {len(words) - 5} more" if len(words) > 5 else "")


def _conda() -> bool:
    """Whether this Python belongs to a conda environment; Binder's is one too."""
    return (Path(sys.prefix) / "conda-meta").is_dir()


def _kernel() -> Finding:
    own = Path(sys.prefix).resolve() == (paths.ROOT / ".venv").resolve()
    if own:
        return Finding("kernel", "ok", "the course's own environment (.venv)")
    if _conda():
        return Finding("kernel", "ok", "a conda environment")
    if importlib.util.find_spec("tensorflow") is None:
        advice = "Stop JupyterLab and start it with: make lab. Then Kernel → Change Kernel → Python 3 (ipykernel)."
        return Finding("kernel", "problem", "another Python, without TensorFlow", advice)
    return Finding("kernel", "warning", "another Python than the course's own", "To be sure of the pins: make lab")


def memory_limit() -> int | None:
    """Bytes that a container allows this process, or None if there is no such limit."""
    names = ("memory.max", "memory.limit_in_bytes")
    limits = [_number(folder / name) for folder in _groups("memory") for name in names]
    return min((limit for limit in limits if limit and limit < 2**60), default=None)


def _memory_used() -> int:
    """Bytes that the container has in use, without files that are only kept in memory to be read again; 0 where that
    cannot be read."""
    names = ("memory.current", "memory.usage_in_bytes")
    folders = _groups("memory")[:1]
    used = max((_number(folder / name) or 0 for folder in folders for name in names), default=0)
    return max(0, used - max(map(_kept_files, folders), default=0))


def _kept_files(folder: Path) -> int:
    with contextlib.suppress(OSError):
        found = re.findall(r"^(?:total_)?inactive_file (\d+)$", (folder / "memory.stat").read_text(), re.MULTILINE)
        return max(map(int, found), default=0)
    return 0


def _groups(controller: str) -> list[Path]:
    """Folders of the control groups that hold this process, innermost first (cgroup version 2, then 1)."""
    roots = {"2": Path("/sys/fs/cgroup"), "1": Path("/sys/fs/cgroup") / controller}
    found = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, inside = line.split(":", 2)
            if controllers and controller not in controllers.split(","):
                continue
            root = roots["1" if controllers else "2"]
            folder = root / inside.strip("/")
            # Inside a container the name may be the host's: then only the root is there.
            found += [each for each in (folder, *folder.parents) if each.is_relative_to(root) and each.is_dir()]
    return found or [root for root in roots.values() if root.is_dir()]


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    total, free = memory.total, memory.available
    limit = memory_limit()
    if limit and limit < total:
        total, free = limit, max(0, min(free, limit - _memory_used()))
    detail = f"{total / 1e9:.1f} GB, {free / 1e9:.1f} GB free"
    if free / 1e9 < _NEEDED_MEMORY:
        advice = f"A notebook needs up to {_NEEDED_MEMORY:g} GB: close other programs and kernels."
        return Finding("memory", "warning", detail, advice)
    return Finding("memory", "ok", detail)


def cores() -> float:
    """Processor cores that this process may use: its affinity, and a container's share (which may be 0.5)."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for folder in _groups("cpu"):
        with contextlib.suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            count = min(count, int(quota) / int(period))  # "max": a ValueError, no limit
        quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
        if quota and period:
            count = min(count, quota / period)
    return count


def _cores() -> Finding:
    count = cores()
    detail = f"{count:g} core" + ("" if count == 1 else "s")
    if count < 2:
        return Finding("processor", "note", detail, "The lessons take up to twice the time they state.")
    return Finding("processor", "ok", detail)


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
    if not has_chinese_font():
        advice = "Optional: to draw Chinese words in figures, install Noto Sans CJK (fonts-noto-cjk)."
        return Finding("fonts", "note", "Matplotlib's own; none with Chinese characters", advice)
    return Finding("fonts", "ok", "Matplotlib's own; one with Chinese characters")


def has_chinese_font() -> bool:
    """Whether a well-known font with Chinese characters lies in a font folder.

    It goes by file names: Matplotlib's font list would tell more, and may take half a minute to build.
    """
    home = Path.home()
    folders = [Path(name) for name in ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts")]
    folders += [Path("/System/Library/Fonts"), home / ".fonts", home / ".local/share/fonts", home / "Library/Fonts"]
    folders.append(Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts")
    files = (file for folder in folders for _, _, names in os.walk(folder) for file in names)
    return any(_CHINESE_FONT.match(file) for file in files)


def _posts() -> Finding:
    from course_utils.data import newsgroups

    where = newsgroups.present()
    if where:
        return Finding("newsgroup posts", "ok", where)
    if newsgroups.offline():
        advice = "Nothing to do: the lessons use the embedded text, and say so."
        return Finding("newsgroup posts", "note", "not here, and downloads are switched off", advice)
    try:
        newsgroups.require_network(patience=2)
    except newsgroups.Unavailable:
        advice = "Nothing to do: the lessons use the embedded text. Once online: python -m course_utils fetch"
        return Finding("newsgroup posts", "note", "not here, and their server cannot be reached", advice)
    advice = "Nothing to do: the first chapter that reads them downloads them (14 MB)."
    return Finding("newsgroup posts", "note", "not here yet", advice)


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
    from course_utils import display

    findings = check()
    display.display_data({"text/html": as_html(findings), "text/plain": as_text(findings)})


def main() -> int:
    """Print the findings; returns 1 if one of them is a problem."""
    findings = check()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a Windows console may lack the symbols
    print(re.sub(r"\s+$", "", as_text(findings)))
    return int(any(finding.status == "problem" for finding in findings))
