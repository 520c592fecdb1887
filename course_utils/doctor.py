"""Check the machine that the course runs on, and say for each finding what to do.

It looks at health, not at presence: where a package really comes from, whether its files are whole, which of the user's
settings the lessons override. Standard library where possible, so that it works where packages are missing or broken.
"""

from __future__ import annotations

import contextlib
import html
import importlib.util
import json
import os
import re
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from course_utils import machine, paths, pins, settings

SYMBOLS = {"ok": "✓", "note": "·", "warning": "!", "problem": "✗"}
# Text and ground of each word: all at least 4.5:1, and set together, so that a dark theme changes neither.
COLOURS = {"ok": "#0b5d1e", "note": "#333333", "warning": "#7a4b00", "problem": "#9b1c1c"}
GROUND = "#ffffff"
NEEDED_MEMORY, NEEDED_DISK = 1.5, 1.0  # GB
RELIED_ON = ("numpy", "scipy", "sklearn", "matplotlib", "tensorflow", "keras", "IPython", "ipykernel", "ipywidgets")
CHINESE_FONT = re.compile(
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
    checks = (_python, _packages, _origins, _kernel, _settings, _home, _memory, _cores, _disk, _fonts, _posts)
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
    if problem := machine.python_problem(sys.version_info):
        return Finding("Python", "problem", version, problem)
    if sys.flags.optimize:
        advice = "Unset PYTHONOPTIMIZE, and restart: without its assertions a notebook proves nothing."
        return Finding("Python", "problem", f"{version}, with assertions switched off", advice)
    return Finding("Python", "ok", version)


def _packages() -> Finding:
    lock = paths.ROOT / "requirements.lock"
    if not lock.is_file():
        return Finding("packages", "warning", "requirements.lock is not here", "Work in a full copy of the course.")
    command = "conda env update -f environment.yml" if _conda() else "make setup"
    site = Path(sysconfig.get_path("purelib"))
    try:
        needed, wanted = _needed(), pins.pins_here(paths.ROOT)
    except ImportError as error:
        return Finding("packages", "problem", f"missing: {error.name} and perhaps more", f"Run: {command}")
    whole, recorded = pins.installed(site), set(pins.recorded(site))
    if not recorded & set(wanted):  # another Python without a site-packages of its own: judge by what loads
        whole = {d.name and pins.canonical(d.name): d.version for d in metadata.distributions()}
        recorded = set(whole)
    missing = [name for name in wanted if name not in recorded and name in needed]
    damaged = [name for name in wanted if name in recorded and name not in whole]
    other = [f"{name} {whole[name]} instead of {v}" for name, v in wanted.items() if whole.get(name, v) != v]
    if missing or damaged:
        lists = [
            f"{word}: {_shortened(names, ', ')}"
            for word, names in (("missing", missing), ("damaged", damaged))
            if names
        ]
        return Finding("packages", "problem", "; ".join(lists), f"Run: {command}")
    if other:
        return Finding(
            "packages", "warning", _shortened(other, "; "), f"Numbers may differ. To get the pins: {command}"
        )
    if (site / "course_utils").exists():
        return Finding("packages", "problem", "a copy of the course is installed beside this folder", f"Run: {command}")
    return Finding("packages", "ok", "all as pinned")


def _origins() -> Finding:
    """Where the packages that lessons rely on would really be loaded from."""
    foreign = []
    for name in RELIED_ON:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            spec = None
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin and not origin.is_relative_to(Path(sys.prefix).resolve()):
            foreign.append((name, origin))
    hiding = sorted(path.name for path in paths.NOTEBOOKS.glob("*") if _hides_a_module(path))
    if hiding:
        advice = "Give them other names: Python takes them for the modules of the same name."
        return Finding("modules", "problem", f"beside the notebooks: {_shortened(hiding, ', ')}", advice)
    if foreign:
        names = _shortened([name for name, _ in foreign], ", ")
        where = "PYTHONPATH" if os.environ.get("PYTHONPATH") else "another folder"
        advice = "Unset PYTHONPATH, stop JupyterLab, and start it with: make lab"
        return Finding("modules", "problem", f"{names} would come from {where}, not from this environment", advice)
    return Finding("modules", "ok", "each comes from this environment")


def _hides_a_module(path: Path) -> bool:
    """Whether a file or folder beside the notebooks would be imported instead of a module of that name."""
    name = path.stem if path.suffix == ".py" else path.name
    if path.suffix != ".py" and not (path.is_dir() and (path / "__init__.py").is_file()):
        return False
    site = Path(sysconfig.get_path("purelib"))
    return (
        name in sys.stdlib_module_names
        or name == "course_utils"
        or (site / name).exists()
        or (site / f"{name}.py").exists()
    )


# Variables that reach into a lesson, and what they change; those that the lessons fix themselves stand in ``settings``.
REACHING = {
    "PYTHONPATH": "where modules come from",
    "PYTHONHOME": "where Python comes from",
    "PYTHONSTARTUP": "what runs before your code",
    "PYTHONWARNINGS": "which warnings are shown or raised",
    "JUPYTER_PATH": "which kernels are found",
    "JUPYTER_CONFIG_DIR": "JupyterLab's settings",
    "JUPYTER_CONFIG_PATH": "JupyterLab's settings",
    "IPYTHONDIR": "IPython's settings and start-up files",
    "TF_DETERMINISTIC_OPS": "how fast TensorFlow is",
    "OMP_NUM_THREADS": "how many cores are used",
}


def _settings() -> Finding:
    """Settings of the user that the lessons override, and those that they cannot."""
    overridden = sorted(settings.overridden) + _files_overridden()
    if "inline" not in os.environ.get("MPLBACKEND", "inline"):
        overridden.append("MPLBACKEND")
    reaching = [f"{name} ({what})" for name, what in REACHING.items() if os.environ.get(name)] + _start_up_files()
    if reaching:
        detail = f"these reach into the lessons: {_shortened(reaching, ', ')}"
        advice = "If a result surprises you, unset them, and start again with: make lab"
        return Finding("your settings", "warning", detail, advice)
    if overridden:
        return Finding("your settings", "note", f"the lessons use their own instead of: {_shortened(overridden, ', ')}")
    return Finding("your settings", "ok", "none that reaches into the lessons")


def _files_overridden() -> list[str]:
    """Files of the user's that would change Keras or the look of figures."""
    found = []
    home = _home_folder()
    keras = (home or Path("/nowhere")) / ".keras" / "keras.json"
    with contextlib.suppress(OSError, ValueError):
        settings = json.loads(keras.read_text(encoding="utf-8"))
        ours = {"backend": "tensorflow", "floatx": "float32", "image_data_format": "channels_last", "epsilon": 1e-07}
        if any(settings.get(name, value) != value for name, value in ours.items()):
            found.append("keras.json (Keras's settings)")
    candidates = [
        Path("matplotlibrc"),
        *([home / ".config/matplotlib/matplotlibrc", home / ".matplotlib/matplotlibrc"] if home else []),
    ]
    if any(path.is_file() for path in candidates):
        found.append("matplotlibrc (the look of figures)")
    return found


def _start_up_files() -> list[str]:
    """IPython's files that run before each lesson."""
    home = _home_folder()
    profile = Path(os.environ.get("IPYTHONDIR") or (home / ".ipython" if home else "/nowhere")) / "profile_default"
    files = [path.name for path in (profile / "startup").glob("*.*py")]
    files += [name for name in ("ipython_config.py", "ipython_kernel_config.py") if (profile / name).is_file()]
    return [f"{name} (IPython's, run before each lesson)" for name in sorted(files)]


def _home_folder() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # no such user
        return None


def _home() -> Finding:
    home = _home_folder()
    if home and home.is_dir() and os.access(home, os.W_OK):
        return Finding("home folder", "ok", "can be written to")
    detail = "unknown" if home is None else "cannot be written to"
    return Finding(
        "home folder", "note", detail, "Nothing to do: the lessons keep their settings in a temporary folder."
    )


def _needed() -> set[str]:
    """Names of the packages that a learner needs: those that the course asks for, and what these ask for in turn."""
    from packaging.requirements import Requirement

    found, ahead = set(), [(name, "") for name in pins.direct_packages(paths.ROOT)]
    while ahead:
        name, extra = ahead.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        with contextlib.suppress(metadata.PackageNotFoundError):
            for wanted in map(Requirement, metadata.requires(name) or ()):
                if not wanted.marker or wanted.marker.evaluate({"extra": extra}):
                    ahead += [(pins.canonical(wanted.name), one) for one in ("", *wanted.extras)]
    return {name for name, _ in found}


def _shortened(words: list[str], comma: str) -> str:
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


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    total, free = memory.total, memory.available
    limit = machine.memory_limit()
    if limit and limit < total:
        total, free = limit, max(0, min(free, limit - machine.memory_in_use()))
    detail = f"{total / 1e9:.1f} GB, {free / 1e9:.1f} GB free"
    if free / 1e9 < NEEDED_MEMORY:
        advice = f"A notebook needs up to {NEEDED_MEMORY:g} GB: close other programs and kernels."
        return Finding("memory", "warning", detail, advice)
    return Finding("memory", "ok", detail)


def _cores() -> Finding:
    count = machine.cores()
    detail = f"{count:g} core" + ("" if count == 1 else "s")
    if count < 2:
        return Finding("processor", "note", detail, "The lessons take up to twice the time they state.")
    return Finding("processor", "ok", detail)


def _disk() -> Finding:
    free = shutil.disk_usage(paths.ROOT).free / 1e9
    if free < NEEDED_DISK:
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
    home = _home_folder() or Path("/nowhere")
    folders = [Path(name) for name in ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts")]
    folders += [Path("/System/Library/Fonts"), home / ".fonts", home / ".local/share/fonts", home / "Library/Fonts"]
    folders.append(Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts")
    files = (file for folder in folders for _, _, names in os.walk(folder) for file in names)
    return any(CHINESE_FONT.match(file) for file in files)


def _posts() -> Finding:
    from course_utils.data import newsgroups

    where, damaged = newsgroups.present(), newsgroups.damaged()
    if damaged:
        advice = "Delete that copy: the next chapter that reads the posts gets them again."
        return Finding("newsgroup posts", "warning", f"the copy {damaged} is damaged", advice)
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
