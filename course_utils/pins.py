"""The pins in requirements.lock, and what pyproject.toml asks for. Standard library only, but for markers."""

from __future__ import annotations

import os
import re
from pathlib import Path

from course_utils import paths


def canonical(name: str) -> str:
    """A package's name as the lock writes it: lower case, hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(text: str) -> dict[str, list[tuple[str, str]]]:
    """The pins of a lock: package name → (version, marker) for each; the marker is empty if it always holds."""
    found = {}
    for line in text.splitlines():
        pin = re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+?)(?:\s*;\s*(.+))?", line.strip())
        if pin:
            found.setdefault(canonical(pin[1]), []).append((pin[2], pin[3] or ""))
    return found


def pins_here(root: Path = paths.ROOT) -> dict[str, str]:
    """Name → version of the pins whose marker holds on this machine.

    Raises:
        ImportError: the package ``packaging``, which evaluates markers, is missing.
    """
    from packaging.markers import Marker

    text = (root / "requirements.lock").read_text(encoding="utf-8")
    return {
        name: version
        for name, versions in read_lock(text).items()
        for version, marker in versions
        if not marker or Marker(marker).evaluate()
    }


def direct_packages(root: Path = paths.ROOT) -> list[str]:
    """Names of the packages that a learner needs, in the order of pyproject.toml, as the lock writes them."""
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [canonical(re.match(r"[A-Za-z0-9._-]+", line)[0]) for line in project["dependencies"]]


def installed(site: Path) -> dict[str, str]:
    """Name → version of the packages in a site-packages folder that are whole: each Python file and library is there,
    in its recorded size. A package that was damaged is left out; ``recorded`` has it."""
    found = {}
    for record in site.glob("*.dist-info/RECORD"):
        name, _, version = record.parent.name.removesuffix(".dist-info").partition("-")
        try:
            lines = record.read_text(encoding="utf-8").splitlines()
            if all(_is_whole(site, line) for line in lines):
                found[canonical(name)] = version
        except (OSError, ValueError):
            continue
    return found


def recorded(site: Path) -> list[str]:
    """The names of all packages that have a record in a site-packages folder, whole or not."""
    return [canonical(path.name.partition("-")[0]) for path in site.glob("*.dist-info")]


def _is_whole(site: Path, line: str) -> bool:
    """Whether the file of a line of a RECORD (``path,hash,size``) is there; only code counts."""
    path, _, size = line.rsplit(",", 2)
    if not path.endswith((".py", ".so", ".pyd", ".dll", ".dylib")) or path.startswith(".."):
        return True
    try:
        return not size or os.stat(site / path.strip('"')).st_size == int(size)
    except OSError:
        return False
