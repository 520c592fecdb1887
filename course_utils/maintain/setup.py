"""The project's own environment: makes ``.venv``, installs the pins into it, and renews the pins.

Run by path with any Python from 3.11 to 3.13, before anything is installed::

    python course_utils/maintain/setup.py setup          # make .venv, or bring it up to date
    python course_utils/maintain/setup.py lock           # renew requirements.lock and environment.yml
    python course_utils/maintain/setup.py lock --keep    # the same, keeping every pin that still fits

It uses the standard library only. Every failure is one line that says what to do, and exit status 1;
what the tools said is kept in ``build/setup.log``.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

UV = "0.13.9"  # the one place that pins the installer
SUPPORTED = ((3, 11), (3, 13))  # the first and the last Python that has wheels for everything
CONDA_PYTHON = "3.12"
NEEDED_GB = 2.9  # the packages take 2.4 GB; the rest is room for unpacking
DOWNLOAD_MB = 580

ROOT = Path(__file__).resolve().parents[2]
LOG = Path("build") / "setup.log"  # relative to the root: the messages name it so

# The lock is tried on all of these before it replaces the old one.
SYSTEMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "windows", "aarch64-apple-darwin")
PYTHONS = ("3.11", "3.12", "3.13")


class SetupError(Exception):
    """A set-up that cannot go on; the text is one line that says what to do.

    ``said`` is what the failing tool printed, if one did.
    """

    def __init__(self, message: str, said: str = ""):
        super().__init__(message)
        self.said = said


# -- what must be true beforehand ---------------------------------------------------------------------


def check_python(version: tuple = tuple(sys.version_info[:2])) -> None:
    """Raise SetupError unless this Python can carry the course."""
    first, last = SUPPORTED
    if not first <= tuple(version[:2]) <= last:
        raise SetupError(
            f"The course needs Python {_dotted(first)} to {_dotted(last)}; this is {_dotted(version[:2])}. Install one "
            f"of those (python.org or your system's packages), or name it: make setup PYTHON=/path/to/python3.12"
        )


def _dotted(version) -> str:
    return ".".join(str(part) for part in version)


def check_writable(root: Path = ROOT) -> None:
    """Raise SetupError when this user may not write the project folder or its .venv."""
    for folder, name in (
        (root, "the project folder"),
        (root / ".venv", "the folder .venv"),
        (root / "build", "the folder build"),
    ):
        if folder.exists() and not os.access(folder, os.W_OK):
            raise SetupError(
                f"{name} cannot be written to: make it yours (chown), or copy the course to a folder of your own"
            )


def check_disk(root: Path = ROOT) -> None:
    """Raise SetupError when the disk cannot hold a new environment."""
    free = shutil.disk_usage(root).free / 1e9
    if free < NEEDED_GB:
        raise SetupError(
            f"set-up needs about {NEEDED_GB} GB of disk, and {free:.1f} GB are free: make room and run it again"
        )


# -- the environment and its stamp ----------------------------------------------------------------------


def venv_python(root: Path = ROOT) -> Path:
    """The interpreter inside .venv (there or not)."""
    return root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def wanted(root: Path = ROOT) -> dict:
    """What a finished environment was made from, and how: an older one that differs is brought up to date."""
    return {
        "lock": _digest(root / "requirements.lock"),
        "project": _digest(root / "pyproject.toml"),
        "uv": UV,
        "python": platform.python_version(),
        "location": str(root.resolve()),
        "compiled": True,
    }


def is_ready(root: Path = ROOT) -> bool:
    """True when .venv was finished from exactly the files that are here now."""
    return venv_python(root).exists() and _read_stamp(root) == {**wanted(root), "finished": True}


def stale_reason(root: Path = ROOT) -> str | None:
    """Why .venv has to be made from nothing, or None when bringing it up to date is enough."""
    if not venv_python(root).exists():
        return "new"
    minor = ".".join(platform.python_version_tuple()[:2])
    inside = _answer([venv_python(root), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    if inside != minor:
        return f"it held Python {inside}" if inside else "its Python no longer runs"
    # The programs inside carry the folder's absolute name: in a moved folder they point to the old place.
    if _made_at(root) != str(root.resolve()):
        return "the folder was moved"
    # A package may lie there in part, and the installer would take it for whole.
    if _read_stamp(root).get("finished") is False:
        return "the last set-up was interrupted"
    if _answer([venv_python(root), "-m", "pip", "--version"]) is None:
        return "it has no working pip"
    return None


def _stamp(root: Path) -> Path:
    return root / ".venv" / "course-setup.json"


def _read_stamp(root: Path) -> dict:
    try:
        found = json.loads(_stamp(root).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_stamp(root: Path, content: dict) -> None:
    new = _stamp(root).with_suffix(".new")
    new.write_text(json.dumps(content, indent=1), encoding="utf-8")
    new.replace(_stamp(root))


def _made_at(root: Path) -> str | None:
    """The project folder that .venv was made for: our stamp knows it, or the line that venv itself leaves."""
    location = _read_stamp(root).get("location")
    if location:
        return location
    with contextlib.suppress(OSError):
        for line in (root / ".venv" / "pyvenv.cfg").read_text(encoding="utf-8").splitlines():
            if line.startswith("command =") and line.endswith(str(root.resolve() / ".venv")):
                return str(root.resolve())
    return None


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        raise SetupError(f"{path.name} is missing: get the whole project again (git checkout {path.name})") from None


def _answer(command: list) -> str | None:
    """What a short command prints, or None when it fails."""
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, timeout=60, encoding="utf-8", errors="replace",
            env=os.environ | {"PYTHONUTF8": "1"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


# -- running the tools ----------------------------------------------------------------------------------


def run(root: Path, command: list, ticker=None) -> None:
    """Run ``command`` with its output in the log; raise SetupError with the log's meaning when it fails."""
    log = root / LOG
    log.parent.mkdir(exist_ok=True)
    words = [str(part) for part in command]
    with log.open("ab") as out:
        out.write(("\n$ " + " ".join(words) + "\n").encode())
        out.flush()
        begin = out.tell()
        try:
            status = _call(words, out, root, ticker)
        except OSError as error:
            raise SetupError(explain(f"{error.strerror} (os error {error.errno})")) from None
    if status:
        with log.open("rb") as text:
            text.seek(begin)
            said = text.read().decode("utf-8", "replace")
        raise SetupError(explain(said), said)


def _call(words: list[str], out, root: Path, ticker) -> int:
    """The exit status of a command whose output goes to ``out``; ``ticker`` is called every second."""
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=root, env=tool_environment(root)
    )
    try:
        while True:
            try:
                return process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                if ticker:
                    ticker()
    except BaseException:
        process.terminate()
        process.wait()
        raise


def tool_environment(root: Path = ROOT) -> dict:
    """The variables for pip and uv: the user's own, and pip's choice of a mirror handed on to uv.

    uv does not read pip's settings. Whoever has set a mirror for pip means it, so uv gets it too,
    unless uv has settings of its own.
    """
    settings = dict(os.environ)
    settings.pop("VIRTUAL_ENV", None)  # of another project, perhaps
    settings.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_USER="0", PIP_NO_INPUT="1")
    settings.update(UV_NO_PROGRESS="1", UV_PYTHON_DOWNLOADS="never", NO_COLOR="1", PYTHONUTF8="1")
    own = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_OFFLINE", "UV_CONFIG_FILE")
    if not any(settings.get(name) for name in own):
        pip = _pip_settings(root)
        if pip.get("index-url"):
            settings["UV_DEFAULT_INDEX"] = pip["index-url"]
        if pip.get("cert"):
            settings.setdefault("SSL_CERT_FILE", pip["cert"])
    return settings


def _pip_settings(root: Path) -> dict:
    """pip's index-url and cert, from its files and variables; later sources win, as in pip."""
    if not venv_python(root).exists():
        return {}
    found = {}
    listed = _answer([venv_python(root), "-m", "pip", "config", "list"]) or ""
    for rank in ("global", "install", ":env:"):
        for name, value in re.findall(rf"^{rank}\.(index-url|cert)='(.*)'$", listed, flags=re.M):
            found[name] = value
    return found


def explain(said: str) -> str:
    """One line for what a tool said: the cause as far as it can be told, and what to do."""
    known = (what for pattern, what in _CAUSES if re.search(pattern, said, flags=re.IGNORECASE))
    what = next(known, "this fault is new to the set-up: read the end of the output, mend it and run it again")
    package = re.search(r"([\w.-]+==[\w.+!-]+)", said)
    what = what.replace("PACKAGE", package[1] if package else "a pinned package").replace("HERE", _here())
    return f"{what}; the whole output is in {LOG.as_posix()}"


def _here() -> str:
    return f"{platform.system()} on {platform.machine()}, Python {_dotted(sys.version_info[:2])}"


# What went wrong, how the tools put it, and what to do. In this order: a full disk breaks connections
# too, and pip calls a registry that it cannot reach one that has no such version.
_CAUSES = (
    (
        r"no space left|os error (28|112|122)\b|errno (28|122)\b|not enough (free )?space|disk quota exceeded",
        f"the disk is full: free about {NEEDED_GB} GB and run it again",
    ),
    (
        r"ensurepip is not available|no module named '?(ensurepip|venv)\b",
        "this Python has no venv module: install it (on Debian and Ubuntu: python3-venv), or another Python",
    ),
    (
        r"permission denied|os error (5|13|30)\b|errno (13|30)\b|access is denied|read-only file system",
        "the folder cannot be written to: close what uses .venv (JupyterLab), or copy the course to your own place",
    ),
    (
        r"certificate_verify_failed|invalid peer certificate|unknownissuer|self[- ]signed certificate",
        "the package registry's certificate is not trusted here: set SSL_CERT_FILE to the certificates of your network",
    ),
    (
        r"has no (usable )?wheels|doesn't have a (source distribution or )?wheel",
        "PACKAGE has no build for this computer (HERE): the course needs 64-bit Linux with glibc, 64-bit Windows or "
        "Apple silicon with an arm64 Python (TensorFlow has left Intel Macs); or open it on Binder",
    ),
    (
        r"failed to establish a new connection|connection (refused|reset|broken|aborted)|network is unreachable|"
        r"name resolution|name or service not known|nodename nor servname|getaddrinfo|dns error|timed out|tunnel|"
        r"proxyerror|error sending request|request failed after|tcp connect error|network connectivity is disabled|"
        r"http status (server error|client error \((401|403|407|429))",
        "the package registry cannot be reached: check the network (or proxy, or the mirror that pip is set to) and "
        "run it again; what has come is kept",
    ),
    (
        r"could not find a version that satisfies|no matching distribution|there is no version of|was not found in the",
        "the package registry does not offer PACKAGE: if pip is set to a mirror, use another (see: pip config list)",
    ),
)


# -- setup ----------------------------------------------------------------------------------------------


def setup(root: Path = ROOT) -> bool:
    """Make .venv, or bring it up to date. Returns False when there was nothing to do.

    Raises SetupError. A set-up that was interrupted at any point is picked up by the next one: the
    stamp says "finished" only after the last step.
    """
    check_python()
    if is_ready(root):
        return False
    check_writable(root)
    with _alone(root):
        if is_ready(root):  # another set-up did it while this one waited
            return False
        begin = time.monotonic()
        (root / LOG).write_bytes(b"")
        _make_venv(root)
        _add_uv(root)
        _install_pins(root)
        _compile(root)
        _write_stamp(root, {**wanted(root), "finished": True})
    print(f"ready, in {time.monotonic() - begin:.0f} s")
    return True


def _make_venv(root: Path) -> None:
    reason = stale_reason(root)
    if reason is None:
        print("1. .venv is there", flush=True)
        return
    check_disk(root)
    note = "" if reason == "new" else f" anew ({reason})"
    with _step("1.", f"making .venv{note} with Python {platform.python_version()}") as ticker:
        # The base interpreter: this one may live in the .venv that is about to be cleared.
        base = getattr(sys, "_base_executable", None) or sys.executable
        run(root, [base, "-m", "venv", "--clear", root / ".venv"], ticker)


def _add_uv(root: Path) -> None:
    python = venv_python(root)
    if (_answer([python, "-m", "uv", "--version"]) or "").split()[1:2] == [UV]:
        print(f"2. its installer is there (uv {UV})", flush=True)
        return
    with _step("2.", f"fetching its installer (uv {UV})") as ticker:
        run(root, [python, "-m", "pip", "install", "--quiet", "--retries", "2", f"uv=={UV}"], ticker)


def _install_pins(root: Path) -> None:
    """Install the lock and the project itself; the stamp tells that this was begun."""
    python = venv_python(root)
    install = [python, "-m", "uv", "pip", "install", *_cache_option(root), "--python", python]
    before = _read_stamp(root)
    _write_stamp(root, {**wanted(root), "finished": False})
    try:
        with _step("3.", f"installing the pinned packages ({DOWNLOAD_MB} MB the first time)") as ticker:
            # Wheels only: without this, a missing one means a compiler's errors instead of a plain word.
            run(root, [*install, "--no-build", "-r", "requirements.lock"], ticker)
            run(root, [*install, "--no-deps", "--no-build-isolation", "-e", "."], ticker)
    except SetupError as error:
        # uv fetches everything before it changes anything: offline, an environment that worked goes on working.
        if not re.search(r"^(prepared|uninstalled|installed) |failed to (un)?install", error.said, flags=re.I | re.M):
            _write_stamp(root, before)
        raise


def _compile(root: Path) -> None:
    """Compile what was installed, which uv leaves as source.

    Where Python may keep nothing (PYTHONDONTWRITEBYTECODE, a .venv of somebody else), each start of TensorFlow
    would compile it anew, and take three times as long. A file that cannot be compiled is no failure.
    """
    command = [venv_python(root), "-m", "compileall", "-q", "-j", "4", root / ".venv" / "lib"]
    with _step("4.", "compiling them, for quick starts") as ticker, (root / LOG).open("ab") as out:
        _call([str(part) for part in command], out, root, ticker)


def _cache_option(root: Path) -> list[str]:
    """``--no-cache`` where the home folder cannot be written (containers with a made-up user)."""
    folder = _answer([venv_python(root), "-m", "uv", "cache", "dir"])
    if not folder:
        return []
    place = Path(folder)
    while not place.exists() and place != place.parent:
        place = place.parent
    return [] if os.access(place, os.W_OK) else ["--no-cache"]


@contextlib.contextmanager
def _step(number: str, text: str):
    """Print a step and the seconds that it took; on a terminal the seconds count while it runs."""
    begin = time.monotonic()
    print(f"{number} {text} ...", end="", flush=True)

    def ticker():
        if sys.stdout.isatty():
            print(f"\r{number} {text} ... {time.monotonic() - begin:.0f} s", end="", flush=True)

    try:
        yield ticker
    except BaseException:
        print(flush=True)
        raise
    end = f"{time.monotonic() - begin:.0f} s"
    print(f"\r{number} {text} ... {end}" if sys.stdout.isatty() else f" {end}", flush=True)


@contextlib.contextmanager
def _alone(root: Path):
    """Keep a second set-up of the same folder waiting. The system frees the lock if this process dies."""
    (root / LOG.parent).mkdir(exist_ok=True)
    with (root / LOG.parent / "setup.lock").open("w") as handle:
        try:
            import fcntl
        except ImportError:  # Windows: files in use are locked there anyway
            yield
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("another set-up of this folder is running: waiting for it", flush=True)
            with contextlib.suppress(OSError):  # a file system without locks: go on
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# -- lock -----------------------------------------------------------------------------------------------


def lock(root: Path = ROOT, keep: bool = False) -> None:
    """Resolve the pins again for every system and Python, then write requirements.lock and environment.yml.

    ``keep`` leaves each present pin that still fits. The old files stay when a new pin has no wheel
    for one of the systems. Raises SetupError.
    """
    check_python()
    check_writable(root)
    with _alone(root):
        (root / LOG).write_bytes(b"")
        _make_venv(root)
        _add_uv(root)
        new = root / "build" / "requirements.lock"
        if keep:
            shutil.copyfile(root / "requirements.lock", new)  # uv reads its output file for preferences
        tool = [venv_python(root), "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
        with _step("3.", "resolving the pins, and trying them on every system") as ticker:
            universal = ["--universal", "--all-extras", "--fork-strategy", "fewest", "--python-version", PYTHONS[0]]
            run(root, [*tool, *universal, *([] if keep else ["--upgrade"]), "pyproject.toml", "-o", new], ticker)
            for system in SYSTEMS:
                for version in PYTHONS:
                    _try_pins(root, [*tool, "--no-build"], system, version, ticker)
    check_lock_text(new.read_text(encoding="utf-8"))
    new.replace(root / "requirements.lock")
    (root / "environment.yml").write_text(environment_yml(root), encoding="utf-8", newline="\n")
    print("requirements.lock and environment.yml are written: run make setup, then make test")


def _try_pins(root: Path, tool: list, system: str, version: str, ticker) -> None:
    where = ["--python-platform", system, "--python-version", version]
    try:
        run(root, [*tool, *where, root / "build" / "requirements.lock", "-o", root / "build" / "tried.txt"], ticker)
    except SetupError as error:
        if "wheel" not in error.said:
            raise
        raise SetupError(
            f"a new pin has no wheel for {system} with Python {version}: bound it in pyproject.toml and run it "
            f"again (the old lock stays); the whole output is in {LOG.as_posix()}"
        ) from None


def check_lock_text(text: str) -> None:
    """Raise SetupError unless every line of a lock is ``name==version`` with or without a marker.

    So no host, no path and no option of the machine that made it can slip in.
    """
    for line in text.splitlines():
        if not re.fullmatch(r"[a-z0-9-]+==[0-9][\w.!+]*( ; [^#/@]+)?", line):
            raise SetupError(f"requirements.lock has a line that is not a pin: {line!r}")


# -- reading the lock -----------------------------------------------------------------------------------


def read_lock(text: str) -> dict[str, list[tuple[str, str]]]:
    """The pins of a lock: package name -> (version, marker); the marker is empty if it always holds."""
    found = {}
    for line in text.splitlines():
        pin = re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+?)(?:\s*;\s*(.+))?", line.strip())
        if pin:
            found.setdefault(canonical(pin[1]), []).append((pin[2], pin[3] or ""))
    return found


def canonical(name: str) -> str:
    """A package's name as the lock writes it: lower case, hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins_here(root: Path = ROOT, environment: dict | None = None) -> dict[str, str]:
    """name -> version of the pins whose marker is true here, or for ``environment``.

    Needs the package ``packaging`` for pins with a marker; raises ImportError where it is missing.
    """
    found = {}
    for name, versions in read_lock((root / "requirements.lock").read_text(encoding="utf-8")).items():
        for version, marker in versions:
            if marker:
                from packaging.markers import Marker

                if not Marker(marker).evaluate(environment):
                    continue
            found[name] = version
    return found


def direct_packages(root: Path = ROOT) -> list[str]:
    """Names of the packages that pyproject.toml asks for, in its order, as the lock writes them."""
    import tomllib  # not in the Pythons that check_python() turns away

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [canonical(re.match(r"[A-Za-z0-9._-]+", line)[0]) for line in project["dependencies"]]


def environment_yml(root: Path = ROOT) -> str:
    """The text of environment.yml: the direct packages at the versions of the lock.

    Its line ``-c`` holds all that comes along with them at the lock's versions too (conda and mamba
    write their list for pip beside the file, so the name is found). Raises SetupError when the lock
    lacks a direct package.
    """
    pins = read_lock((root / "requirements.lock").read_text(encoding="utf-8"))
    missing = [name for name in direct_packages(root) if name not in pins]
    if missing:
        raise SetupError(f"requirements.lock lacks {', '.join(missing)}: run make lock")
    packages = [
        f'      - "{name}=={version}' + (f' ; {marker}"' if marker else '"')
        for name in direct_packages(root)
        for version, marker in pins[name]
    ]
    lines = [
        "# For conda and Binder. Generated by `make lock` from requirements.lock; do not edit by hand.",
        "name: first-large-model",
        "channels:",
        "  - conda-forge",
        "  - nodefaults",
        "dependencies:",
        f"  - python={CONDA_PYTHON}",
        "  - pip",
        "  - pip:",
        "      - -c requirements.lock",
        *packages,
        "      - -e .",
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 1 after a failure, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(description="Set up the course's own environment.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="make .venv, or bring it up to date")
    commands.add_parser("lock", help="renew requirements.lock and environment.yml").add_argument(
        "--keep", action="store_true", help="keep every pin that still fits"
    )
    given = parser.parse_args(arguments)
    try:
        if given.command == "lock":
            lock(keep=given.keep)
        else:
            setup()
    except SetupError as error:
        print(f"{given.command} stopped: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{given.command} stopped: {explain(f'{error.strerror} (os error {error.errno})')}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{given.command} stopped: run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
