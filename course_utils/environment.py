"""The course's environment: ``.venv``, the pinned packages in it, and the files that pin them.

Runs before anything is installed, so it uses the standard library alone:

    python course_utils/environment.py setup     make .venv and install requirements.lock
    python course_utils/environment.py lock      renew requirements.lock and environment.yml
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = "uv==0.13.9"
SUPPORTED = ((3, 11), (3, 13))  # the first and the last Python that has wheels for everything
CONDA_PYTHON = "3.12"
NEEDED_GB = 2.5
_EDITABLE = "-e ."

# What goes wrong, how its log reads, and what the reader can do about it.
_CAUSES = (
    (r"No space left|not enough (?:free )?space|os error 28|Errno 28",
     "the disk is full: free about 2.5 GB and run it again"),
    (r"os error 13|Errno 13|Permission denied",
     "this folder cannot be written to: copy the course to a folder of your own"),
    (r"dns error|resolve|[Cc]onnection|[Cc]onnect error|timed out|[Nn]etwork is unreachable|[Pp]roxy|"
     r"error sending request|Failed to fetch|certificate|No matching distribution found for uv",
     "the package registry cannot be reached: check your network (or proxy) and run it again; what has come is kept"),
    (r"no wheel|doesn't have a (?:source distribution or )?wheel|has no wheels|No solution found|not compatible with",
     "a pinned package has no build for this computer and Python (TensorFlow has none for Intel Macs, for one): "
     "try Python 3.12, or open the course on Binder"),
)  # fmt: skip


class SetupError(Exception):
    """Set-up cannot go on; the message is one line that says what to do."""


# ---------------------------------------------------------------------------------------- set-up


def setup(root: Path = ROOT) -> None:
    """Make ``.venv`` with everything the lock pins; returns at once if that is how it already is.

    Raises:
        SetupError: with one line that says what to do.
    """
    check_python()
    stamp, wanted = root / ".venv" / "course-stamp", _fingerprint(root)
    if stamp.is_file() and stamp.read_text() == wanted and _python(root).exists():
        return
    _check_disk(root)
    begin = time.monotonic()
    log = root / "build" / "setup.log"
    try:
        log.parent.mkdir(exist_ok=True)
        log.write_text("")
        stamp.unlink(missing_ok=True)  # from here until the end, this is no finished environment
    except OSError as error:
        raise SetupError(f"Set-up stopped: {_cause(str(error)) or error}.") from None
    print("Setting up the course in .venv (about a minute, once; 2 GB)", flush=True)
    if not _sound(root):
        _step("1/3 a fresh Python environment", [sys.executable, "-m", "venv", "--clear", root / ".venv"], log)
    _step("2/3 the installer", [_python(root), "-m", "pip", "install", "--quiet", UV], log)
    _step(
        "3/3 the packages, as pinned in requirements.lock",
        [*_uv(root), "pip", "install", "--python", _python(root), "-r", root / "requirements.lock", "-e", root],
        log,
    )
    stamp.write_text(wanted)
    print(f"Ready after {time.monotonic() - begin:.0f} s.", flush=True)


def check_python(version: tuple[int, ...] = sys.version_info[:2]) -> None:
    """Raise SetupError unless this Python can carry the course."""
    first, last = SUPPORTED
    if not first <= tuple(version[:2]) <= last:
        raise SetupError(
            f"The course needs Python {_dotted(first)} to {_dotted(last)}; this is {_dotted(version[:2])}. Install one "
            f"of those (python.org or your system's packages), or name it: make setup PYTHON=/path/to/python3.12"
        )


def _dotted(version) -> str:
    return ".".join(map(str, version))


def _fingerprint(root: Path) -> str:
    """Changes when the pins, this Python or the place of the folder change: .venv knows all three."""
    parts = [(root / name).read_bytes() for name in ("requirements.lock", "pyproject.toml")]
    parts += [sys.version.encode(), str(root).encode(), UV.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _python(root: Path) -> Path:
    return root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _uv(root: Path) -> list:
    return [_python(root), "-m", "uv"]


def _sound(root: Path) -> bool:
    """Whether .venv is there, runs, is of this Python, and was made at this place."""
    if not _python(root).exists():
        return False
    ask = "import pip, sys; print(sys.version_info[:2], sys.prefix)"
    answer = subprocess.run([_python(root), "-c", ask], capture_output=True, text=True)
    same_place = str((root / ".venv").resolve()) in str(answer.stdout) or str(root / ".venv") in str(answer.stdout)
    return answer.returncode == 0 and answer.stdout.startswith(str(sys.version_info[:2])) and same_place


def _check_disk(root: Path) -> None:
    free = shutil.disk_usage(root).free / 1e9
    if free < NEEDED_GB and not (root / ".venv").exists():
        raise SetupError(f"Set-up needs about {NEEDED_GB} GB of disk, and {free:.1f} GB are free: make room first.")


def _step(what: str, command: list, log: Path) -> None:
    """Run one command quietly; its output goes to the log, and a failure becomes one line."""
    print(f"  {what} …", flush=True)
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", UV_NO_PROGRESS="1")
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", env=environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"== {what}\n{done.stdout}\n")
    except OSError:
        pass  # a full disk: the cause is in done.stdout as well
    if done.returncode:
        raise SetupError(f"Set-up stopped at {what}: {_cause(done.stdout) or 'see the log'}. Log: build/setup.log")


def _cause(text: str) -> str:
    """What the reader can do about this output of an installer; empty if it is none of the known causes."""
    if "ensurepip is not available" in text or "No module named venv" in text:
        return "this Python has no venv module: install it (on Debian and Ubuntu: python3-venv)"
    return next((advice for pattern, advice in _CAUSES if re.search(pattern, text)), "")


# ------------------------------------------------------------------------------------ the pins


def read_lock(text: str) -> dict[str, list[tuple[str, str]]]:
    """The pins of a lock: package name → (version, marker); the marker is empty if it always holds."""
    pins: dict[str, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        found = re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+?)(?:\s*;\s*(.+))?", line.strip())
        if found:
            pins.setdefault(found[1].lower(), []).append((found[2], found[3] or ""))
    return pins


def direct_packages(root: Path = ROOT) -> list[str]:
    """Names of the packages that pyproject.toml asks for, in its order."""
    import tomllib  # not in the Pythons that check_python() turns away

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for line in project["dependencies"]]


def environment_yml(root: Path = ROOT) -> str:
    """The text of environment.yml: the direct packages at the versions of the lock."""
    pins = read_lock((root / "requirements.lock").read_text(encoding="utf-8"))
    lines = []
    for name in direct_packages(root):
        for version, marker in pins[name]:
            lines.append(f'      - "{name}=={version}{f" ; {marker}" if marker else ""}"')
    packages = "\n".join(lines)
    return f"""\
# For conda and Binder. Written by `make lock` from requirements.lock; do not edit by hand.
name: first-large-model
channels:
  - conda-forge
dependencies:
  - python={CONDA_PYTHON}
  - pip
  - pip:
{packages}
      - {_EDITABLE}
"""


def lock(root: Path = ROOT) -> None:
    """Renew requirements.lock (all platforms, no index or host in it) and environment.yml.

    Raises:
        SetupError: the packages cannot be resolved, or the registry cannot be reached.
    """
    (root / "build").mkdir(exist_ok=True)
    fresh = root / "build" / "requirements.lock"
    # "fewest": the same versions on every Python, so that numbers agree between learners.
    command = [
        *_uv(root), "pip", "compile", "--universal", "--upgrade", "--fork-strategy", "fewest", "--quiet",
        "--python-version", _dotted(SUPPORTED[0]), "--no-header", "--no-annotate", "--no-emit-index-url",
        root / "pyproject.toml", "-o", fresh,
    ]  # fmt: skip
    _step("resolving the packages", command, root / "build" / "lock.log")
    pins = [line for line in fresh.read_text(encoding="utf-8").splitlines() if "==" in line]
    (root / "requirements.lock").write_text("\n".join(pins) + "\n", encoding="utf-8")
    (root / "environment.yml").write_text(environment_yml(root), encoding="utf-8")
    print(f"requirements.lock: {len(pins)} pins; environment.yml written")


def main(argv: list[str]) -> int:
    """Run ``setup`` or ``lock``; returns the exit status."""
    commands = {"setup": setup, "lock": lock}
    if len(argv) != 1 or argv[0] not in commands:
        print("usage: python course_utils/environment.py setup | lock", file=sys.stderr)
        return 2
    try:
        commands[argv[0]]()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Set-up stopped; run it again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
