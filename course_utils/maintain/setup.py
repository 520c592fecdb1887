"""Make ``.venv`` and install the pins into it, or repair it.

Run by path with any Python from 3.11 to 3.13, before anything is installed: ``python course_utils/maintain/setup.py``.
Standard library only. Every failure is one line that says what to do, and exit status 1; what the tools said is kept
in ``build/setup.log``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import locale
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # this file is run by its path

from course_utils import machine, pins  # noqa: E402

UV = "0.13.9"  # the one place that pins the installer
NEEDED_GB = 2.9  # the packages take 2.4 GB; the rest is room for unpacking
DOWNLOAD_MB = 580
LOG = Path("build") / "setup.log"  # relative to the root: the messages name it so
LINK = "course_of_this_folder.pth"  # what makes ``import course_utils`` find this folder
SETTINGS = Path(__file__).with_name("environment_files")  # settings of JupyterLab, copied into .venv alone
COURSE = "first-large-model"


class SetupError(Exception):
    """A set-up that cannot go on; the text is one line that says what to do. ``output``: what the tool printed."""

    def __init__(self, message: str, output: str = ""):
        super().__init__(message)
        self.output = output


# -- is it ready? ---------------------------------------------------------------------------------------


def venv_python(root: Path = ROOT) -> Path:
    """The interpreter inside .venv (there or not)."""
    return root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def site_packages(root: Path = ROOT) -> Path:
    """Where .venv keeps its packages (there or not)."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return root / ".venv" / ("Lib/site-packages" if os.name == "nt" else f"lib/{version}/site-packages")


def recipe(root: Path = ROOT) -> dict:
    """What a finished environment is made from."""
    settings = sorted(path for path in SETTINGS.rglob("*") if path.is_file())
    return {
        "lock": _digest(root / "requirements.lock"),
        "project": _digest(root / "pyproject.toml"),
        "settings": hashlib.sha256(b"".join(path.read_bytes() for path in settings)).hexdigest(),
        "uv": UV,
        "python": platform.python_version(),
        "location": str(root.resolve()),
    }


def is_ready(root: Path = ROOT) -> bool:
    """True when .venv was finished from the files that are here now, and nothing in it was changed since.

    Packages that a learner added do not count; pinned ones that were moved, removed or damaged do.
    """
    stamp = _read_stamp(root)
    if not venv_python(root).exists() or {key: stamp.get(key) for key in recipe(root)} != recipe(root):
        return False
    found, wanted = pins.installed(site_packages(root)), stamp.get("packages", {})
    return bool(wanted) and all(found.get(name) == version for name, version in wanted.items()) and _is_linked(root)


def _is_linked(root: Path) -> bool:
    """Whether ``import course_utils`` finds this folder and no copy of it."""
    site = site_packages(root)
    with contextlib.suppress(OSError):
        return (site / LINK).read_bytes() == _link_text(root) and not (site / "course_utils").exists()
    return False


def _link_text(root: Path) -> bytes:
    encoding = "utf-8" if sys.version_info >= (3, 13) else locale.getpreferredencoding(False)
    return str(root.resolve()).encode(encoding, "surrogateescape") + b"\n"


def stale_reason(root: Path = ROOT) -> str | None:
    """Why .venv has to be made from nothing, or None when repairing it is enough."""
    if not venv_python(root).exists():
        return "new"
    inside = _output([venv_python(root), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    if inside != "{}.{}".format(*sys.version_info):
        return f"it held Python {inside}" if inside else "its Python no longer runs"
    # The programs inside carry the folder's absolute name: in a moved folder they point to the old place.
    if _read_stamp(root).get("location") != str(root.resolve()):
        return "it was not made by this set-up in this folder"
    # A package may lie there in part, and the installer would take it for whole.
    if "packages" not in _read_stamp(root):
        return "the last set-up was interrupted"
    if _output([venv_python(root), "-m", "pip", "--version"]) is None:
        return "it has no working pip"
    return None


def _read_stamp(root: Path) -> dict:
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((root / ".venv" / "course-setup.json").read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def _write_stamp(root: Path, content: dict) -> None:
    path = root / ".venv" / "course-setup.json"
    path.with_suffix(".new").write_text(json.dumps(content, indent=1), encoding="utf-8")
    path.with_suffix(".new").replace(path)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        raise SetupError(f"{path.name} is missing: get the whole project again (git checkout {path.name})") from None


# -- running the tools ----------------------------------------------------------------------------------


def _output(command: list) -> str | None:
    """What a short command prints, or None when it fails."""
    env = {name: value for name, value in os.environ.items() if name not in FOREIGN_PYTHON} | {"PYTHONUTF8": "1"}
    try:
        done = subprocess.run([*map(str, command)], capture_output=True, timeout=60, env=env)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


def run(root: Path, label: str, command: list) -> None:
    """Run a command with its output in the log, and print the label with the seconds that it took.

    Raises:
        SetupError: it failed; the text is the log's meaning.
    """
    words, begin = [str(part) for part in command], time.monotonic()
    print(f"{label} ...", end="", flush=True)
    try:
        with (root / LOG).open("ab") as out:
            out.write(("\n$ " + " ".join(words) + "\n").encode("utf-8", "replace"))
            out.flush()
            start = out.tell()
            status = _call(words, out, root, lambda: print(f"\r{label} ... {time.monotonic() - begin:.0f} s", end=""))
        output = (root / LOG).read_bytes()[start:].decode("utf-8", "replace")
    except OSError as error:
        status, output = 1, f"{error.strerror} (os error {error.errno})"
    print(f" {time.monotonic() - begin:.0f} s" if not sys.stdout.isatty() else "", flush=True)
    if status:
        raise SetupError(explain(output), output)


def _call(words: list[str], out, root: Path, each_second) -> int:
    """The exit status of a command whose output goes to ``out``."""
    env = tool_environment(root)[0]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=root, env=env)
    try:
        while process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
            if sys.stdout.isatty():
                each_second()
        return process.returncode
    finally:
        process.kill()


FOREIGN_PYTHON = {"VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONSAFEPATH"}
# Of the settings of pip and uv, only these say where packages come from; all others are left out, so that none can
# say where they go or which are taken. pip's name → pip's variable and uv's variables.
HANDED_ON = {
    "index-url": ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
    "extra-index-url": ("PIP_EXTRA_INDEX_URL", "UV_INDEX"),
    "find-links": ("PIP_FIND_LINKS", "UV_FIND_LINKS"),
    "no-index": ("PIP_NO_INDEX", "UV_NO_INDEX"),
    "trusted-host": ("PIP_TRUSTED_HOST", "UV_INSECURE_HOST"),
    "cert": ("PIP_CERT", "SSL_CERT_FILE"),
    "proxy": ("PIP_PROXY", "HTTPS_PROXY", "HTTP_PROXY"),
    "timeout": ("PIP_DEFAULT_TIMEOUT", "UV_HTTP_TIMEOUT"),
    "default-timeout": ("PIP_DEFAULT_TIMEOUT", "UV_HTTP_TIMEOUT"),
}
UV_KEPT = {"UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX",
           "UV_OFFLINE", "UV_INSECURE_HOST", "UV_CACHE_DIR", "UV_HTTP_TIMEOUT", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS",
           "UV_LINK_MODE", "UV_CONFIG_FILE", "UV_KEYRING_PROVIDER", "UV_CONCURRENT_DOWNLOADS"}  # fmt: skip
HARMLESS = {
    "disable-pip-version-check",
    "no-input",
    "user",
    "cache-dir",
    "progress-bar",
    "require-virtualenv",
    "retries",
}


def tool_environment(root: Path = ROOT) -> tuple[dict, list[str]]:
    """The variables for pip and uv, and the names of the user's settings of pip that are left out.

    A mirror, a proxy or a certificate that is set for pip is meant for uv too, which does not read pip's settings;
    uv's own variables come first.
    """
    foreign = re.compile(r"PIP_\w+|UV_\w+")
    env = {name: value for name, value in os.environ.items()
           if name not in FOREIGN_PYTHON and (name in UV_KEPT or not foreign.fullmatch(name))}  # fmt: skip
    env.update(PIP_CONFIG_FILE=os.devnull, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    env.update(UV_NO_PROGRESS="1", UV_PYTHON_DOWNLOADS="never", NO_COLOR="1", PYTHONUTF8="1")
    if "UV_CONFIG_FILE" not in env:
        env["UV_NO_CONFIG"] = "1"
    if not os.access(os.path.expanduser("~"), os.W_OK):  # a container with a made-up user
        env["UV_NO_CACHE"] = env["PIP_NO_CACHE_DIR"] = "1"
    own_index = {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(env)
    left_out = []
    for name, value in _pip_settings(root).items():
        for variable in HANDED_ON.get(name, ()):
            if not (variable == "UV_DEFAULT_INDEX" and own_index):
                env.setdefault(variable, " ".join(value.split()))
        if name == "extra-index-url":
            env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")  # all indexes count alike, as for pip
        if name not in HANDED_ON and name not in HARMLESS:
            left_out.append(name)
    return env, sorted(left_out)


def _pip_settings(root: Path) -> dict[str, str]:
    """pip's settings, from its files and variables; later sources win, as in pip."""
    python = venv_python(root) if venv_python(root).exists() else Path(sys.executable)
    listed, found = _output([python, "-m", "pip", "config", "list"]) or "", {}
    for rank in ("global", "install", ":env:"):
        for name, value in re.findall(rf"^{rank}\.([\w-]+)='(.*)'$", listed, flags=re.MULTILINE):
            found[name] = value.replace("\\n", " ")
    return found


def explain(output: str) -> str:
    """One line for what a tool said: the cause as far as it can be told, and what to do."""
    known = (text for pattern, text in CAUSES if re.search(pattern, output, flags=re.IGNORECASE))
    text = next(known, "the reason is not one that set-up knows: read the end of the output, and run it again")
    package = re.search(r"([\w.-]+==[\w.+!-]+)", output)
    here = f"{platform.system()} on {platform.machine()}, Python {platform.python_version()}"
    text = text.replace("PACKAGE", package[1] if package else "a pinned package").replace("HERE", here)
    return f"{text}; the whole output is in {LOG.as_posix()}"


# What went wrong, how the tools put it, and what to do. In this order: a full disk breaks connections
# too, and pip calls a registry that it cannot reach one that has no such version.
CAUSES = (
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
        r"http status (server error|client error \((401|403|407|429))|[45]\d\d (client|server) error",
        "the package registry cannot be reached: check the network (or proxy, or the mirror that pip is set to) and "
        "run it again; what has come is kept",
    ),
    (
        r"could not find a version that satisfies|no matching distribution|there is no version of|was not found in the",
        "the package registry does not offer PACKAGE: if pip is set to a mirror, use another (see: pip config list)",
    ),
)


# -- setup ----------------------------------------------------------------------------------------------


def check(root: Path = ROOT) -> None:
    """Raise SetupError where set-up cannot work: another Python, or folders that this user may not write."""
    if problem := machine.python_problem(sys.version_info):
        raise SetupError(problem)
    for folder, name in ((root, "the project folder"), (root / ".venv", "the folder .venv"),
                         (root / "build", "the folder build")):  # fmt: skip
        if folder.exists() and not os.access(folder, os.W_OK):
            raise SetupError(
                f"{name} cannot be written to: make it yours (chown), or copy the course to a folder of your own"
            )


def setup(root: Path = ROOT) -> bool:
    """Make .venv, or repair it. Returns False when there was nothing to do.

    A set-up that was interrupted at any point is picked up by the next one: the stamp lists the packages only after
    the last step.

    Raises:
        SetupError: it cannot go on; the text says what to do.
    """
    if problem := machine.python_problem(sys.version_info):
        raise SetupError(problem)
    if is_ready(root):
        return False
    check(root)
    with alone(root):
        if is_ready(root):  # another set-up did it while this one waited
            return False
        begin = time.monotonic()
        (root / LOG).write_bytes(b"")
        make_venv(root)
        add_uv(root)
        _install_pins(root)
        _connect(root)
        _write_stamp(root, {**recipe(root), "packages": _pinned_packages(root)})
    print(f"ready, in {time.monotonic() - begin:.0f} s")
    return True


def make_venv(root: Path) -> None:
    """The first step: .venv with this Python."""
    reason = stale_reason(root)
    if reason is None:
        print("1. .venv is there", flush=True)
        return
    free = shutil.disk_usage(root).free / 1e9
    if free < NEEDED_GB:
        raise SetupError(f"set-up needs about {NEEDED_GB} GB of disk, and {free:.1f} GB are free: make room first")
    note = "" if reason == "new" else f" again ({reason})"
    # The base interpreter: this one may live in the .venv that is about to be cleared.
    base = getattr(sys, "_base_executable", None) or sys.executable
    label = f"1. making .venv{note} with Python {platform.python_version()}"
    run(root, label, [base, "-m", "venv", "--clear", root / ".venv"])
    _write_stamp(root, {"location": str(root.resolve()), "packages": {}})


def add_uv(root: Path) -> None:
    """The second step: the pinned installer."""
    python = venv_python(root)
    if _has_uv(python):
        print(f"2. its installer is there (uv {UV})", flush=True)
        return
    if left_out := tool_environment(root)[1]:
        print(f"   settings of pip that set-up does not use: {', '.join(left_out)}", flush=True)
    install = [python, "-m", "pip", "install", "--quiet", "--retries", "2", f"uv=={UV}"]
    run(root, f"2. fetching its installer (uv {UV})", install)
    if not _has_uv(python):
        raise SetupError(f"pip says that it installed uv, and it is not in .venv: see {LOG.as_posix()}")


def _has_uv(python: Path) -> bool:
    return (_output([python, "-m", "uv", "--version"]) or "").split()[1:2] == [UV]


def _install_pins(root: Path) -> None:
    """Install and compile the lock; the stamp tells that this was begun.

    Compiled, because where Python may keep nothing each start of TensorFlow would take three times as long.
    """
    python, before = venv_python(root), _read_stamp(root)
    wanted = pins.read_lock((root / "requirements.lock").read_text(encoding="utf-8"))
    whole, site = pins.installed(site_packages(root)), site_packages(root)
    damaged = [name for name in pins.recorded(site) if name in wanted and name not in whole]
    # Wheels only: without --no-build, a missing one means a compiler's errors instead of a plain word.
    options = ["--no-build", "--compile-bytecode", *(f"--reinstall-package={name}" for name in damaged)]
    command = [python, "-m", "uv", "pip", "install", "--python", python, *options, "-r", "requirements.lock"]
    _write_stamp(root, {key: value for key, value in before.items() if key != "packages"})
    try:
        run(root, f"3. installing the pinned packages ({DOWNLOAD_MB} MB the first time)", command)
    except SetupError as error:
        # uv fetches everything before it changes anything: offline, an environment that worked goes on working.
        if not re.search(r"^(prepared|uninstalled|installed) |failed to (un)?install", error.output, flags=re.I | re.M):
            _write_stamp(root, before)
        raise


def _connect(root: Path) -> None:
    """Let .venv find the course in this folder, and give JupyterLab its settings."""
    if (
        COURSE in pins.recorded(site_packages(root)) or (site_packages(root) / "course_utils").exists()
    ):  # a copy, or another link
        python = venv_python(root)
        uninstall = [python, "-m", "uv", "pip", "uninstall", "--python", python, COURSE]
        run(root, "4. removing another copy of the course", uninstall)
        shutil.rmtree(site_packages(root) / "course_utils", ignore_errors=True)
    (site_packages(root) / LINK).write_bytes(_link_text(root))
    shutil.copytree(SETTINGS, root / ".venv", dirs_exist_ok=True)


def _pinned_packages(root: Path) -> dict[str, str]:
    """Name → version of what the lock has put into .venv."""
    wanted = pins.read_lock((root / "requirements.lock").read_text(encoding="utf-8"))
    return {name: version for name, version in pins.installed(site_packages(root)).items() if name in wanted}


@contextlib.contextmanager
def alone(root: Path):
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


def main(task=setup, name: str = "setup") -> int:
    """Run a task; returns the exit status: 0, 1 after a failure, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a folder's name that the console cannot show
    try:
        task()
    except SetupError as error:
        print(f"{name} stopped: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{name} stopped: {explain(f'{error.strerror} (os error {error.errno})')}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{name} stopped: run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
