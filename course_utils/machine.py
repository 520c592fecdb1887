"""What this machine offers: its Python, cores and memory, within the limits of a container. Standard library only."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

FIRST_PYTHON, LAST_PYTHON = (3, 11), (3, 13)  # those that have wheels for everything


def python_problem(version: tuple) -> str:
    """A sentence if this Python cannot carry the course; else empty."""
    if FIRST_PYTHON <= tuple(version[:2]) <= LAST_PYTHON:
        return ""
    first, last, this = (".".join(map(str, v[:2])) for v in (FIRST_PYTHON, LAST_PYTHON, version))
    return (
        f"The course needs Python {first} to {last}; this is {this}. Install one of those (python.org or your "
        "system's packages), or name it: make setup PYTHON=/path/to/python3.12"
    )


def cores() -> float:
    """Processor cores that this process may use: its affinity, and a container's share (which may be 0.5)."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for folder in _control_groups("cpu"):
        with contextlib.suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            count = min(count, int(quota) / int(period))  # "max" is a ValueError: no limit
        quota, period = _read_number(folder / "cpu.cfs_quota_us"), _read_number(folder / "cpu.cfs_period_us")
        if quota and period:
            count = min(count, quota / period)
    return count


def memory_limit() -> int | None:
    """Bytes that a container allows this process, or None if there is no such limit."""
    names = ("memory.max", "memory.limit_in_bytes")
    limits = [_read_number(folder / name) for folder in _control_groups("memory") for name in names]
    return min((limit for limit in limits if limit and limit < 2**60), default=None)


def memory_in_use() -> int:
    """Bytes that the container has in use, without files that memory only holds for rereading; 0 where unknown."""
    names = ("memory.current", "memory.usage_in_bytes")
    folders = _control_groups("memory")[:1]
    used = max((_read_number(folder / name) or 0 for folder in folders for name in names), default=0)
    return max(0, used - max(map(_cached_file_bytes, folders), default=0))


def _cached_file_bytes(folder: Path) -> int:
    with contextlib.suppress(OSError):
        found = re.findall(r"^(?:total_)?inactive_file (\d+)$", (folder / "memory.stat").read_text(), re.MULTILINE)
        return max(map(int, found), default=0)
    return 0


def _control_groups(controller: str) -> list[Path]:
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


def _read_number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdigit() else None
