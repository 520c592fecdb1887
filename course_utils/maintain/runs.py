"""Run notebooks: the whole course through papermill, or one of them in place.

``run`` leaves executed copies and ``results.json``; ``execute`` writes a notebook back with its outputs.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import threading
import time
from importlib import metadata
from pathlib import Path

from course_utils import course, doctor, paths
from course_utils.files import rewrite, write_whole
from course_utils.maintain import notebooks
from course_utils.progress_bar import ProgressBar, clock

CELL_SECONDS = 1800  # a learner may ask for much more than the lesson does; a hung cell still ends
# The kernel's remarks about its own transport belong to no lesson.
_KERNEL_ARGUMENTS = ["--log-level=40"]
_VERSIONS = ("tensorflow", "tensorflow-cpu", "keras", "scikit-learn", "numpy", "scipy", "matplotlib")


# ------------------------------------------------------------------------------------ in place


def execute(path: Path) -> list[str]:
    """Run a notebook at its defaults and write it back, normalised, with its outputs.

    Returns:
        What is wrong with the outputs (see ``notebooks.problems``); the file is only written if nothing is, and if
        nobody else has written it meanwhile.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    before = path.read_bytes()
    nb = notebooks.read(path)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        nb, timeout=CELL_SECONDS, kernel_name="python3", record_timing=False, extra_arguments=_KERNEL_ARGUMENTS,
        resources={"metadata": {"path": str(path.parent)}},
    )  # fmt: skip
    bar = ProgressBar(path.stem)
    client.on_cell_start = lambda cell, cell_index: bar.update(cell_index / len(nb.cells), _cell(cell_index, nb))
    try:
        with _machine_run():
            client.execute()
    except (CellExecutionError, CellTimeoutError, RuntimeError) as error:  # RuntimeError: a kernel that died
        return [_last_line(error)]
    finally:
        bar.close()
    notebooks.normalise(nb)
    found = notebooks.problems(nb)
    if not found and path.read_bytes() != before:
        found = ["it was changed while it ran, so the outputs are not written: run it again"]
    if not found:
        notebooks.write(nb, path)
    return found


class _machine_run:
    """While machines run notebooks, no learner's progress is recorded, and each kernel is this Python."""

    def __enter__(self):
        self.before = dict(os.environ)
        os.environ["COURSE_PROGRESS"] = "off"
        os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
        os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")

    def __exit__(self, *_):
        os.environ.clear()
        os.environ.update(self.before)


# ------------------------------------------------------------------------------- the whole course


def run(names=(), quick: bool = False, given: dict | None = None, out: Path = paths.RUNS,
        cell_seconds: int = CELL_SECONDS, cores: int | None = None, memory_mb: int | None = None) -> dict:  # fmt: skip
    """Run notebooks one after the other, each in a fresh kernel, through papermill.

    Goes on after a failure. Writes each executed notebook and ``results.json`` to ``out``.

    Args:
        names: as for ``notebooks.find``; none means all.
        quick: use the parameters of the quick profile.
        given: parameters to set, in every notebook that has them.
        cores: let this process, and so the kernels, use only so many; Binder gives one.
        memory_mb: stop a notebook whose kernel, with all that it has started, takes more; Binder gives 2000 in all.

    Returns:
        The content of ``results.json``: profile, versions, and for each notebook its status (``ok`` or
        ``failed``), seconds, peak memory of the kernel in MB, and metrics.

    Raises:
        FileNotFoundError: no such notebook.
        ValueError: a parameter that none of the notebooks has, a notebook with a faulty cell, or more cores than there
            are (or a system that cannot hold a process to some of them).
    """
    given = given or {}
    if cores is not None:
        _use_cores(cores)
    chosen = notebooks.find(*names)
    plans = {path: _plan(path, quick, given) for path in chosen}
    unknown = set(given) - {name for values in plans.values() for name in values["known"]}
    if unknown:
        known = sorted({name for values in plans.values() for name in values["known"]})
        raise ValueError(f"No parameter is called {', '.join(sorted(unknown))}. There are: {', '.join(known)}.")
    out.mkdir(parents=True, exist_ok=True)
    results = {
        "profile": "quick" if quick else "full",
        "parameters": given,
        "machine": f"{platform.system()} {platform.machine()}, {min(cores or math.inf, doctor.cores()):g} cores",
        "versions": _versions(),
        "notebooks": {},
    }
    for number, path in enumerate(chosen, start=1):
        label = f"{number}/{len(chosen)} {path.stem}"
        results["notebooks"][path.stem] = run_one(
            path, out / path.name, plans[path]["set"], cell_seconds, label, memory_mb
        )
        content = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
        write_whole(out / "results.json", content.encode("utf-8"))
    return results


def _plan(path: Path, quick: bool, given: dict) -> dict:
    nb = notebooks.read(path)
    full, small = notebooks.parameters(nb), notebooks.parameters(nb, quick=True)
    values = {name: value for name, value in small.items() if value != full[name]} if quick else {}
    values |= {name: value for name, value in given.items() if name in full}
    return {"known": list(full), "set": values}


def _use_cores(many: int) -> None:
    """Hold this process, and all that it will start, to the first of the cores that it may use."""
    import psutil

    me = psutil.Process()
    if not hasattr(me, "cpu_affinity"):
        raise ValueError(f"{platform.system()} cannot hold a process to some of the cores: leave out --cores.")
    allowed = me.cpu_affinity()
    if not 1 <= many <= len(allowed):
        raise ValueError(f"--cores must be from 1 to {len(allowed)}, as many as there are here; it is {many}.")
    me.cpu_affinity(allowed[:many])


def run_one(source: Path, target: Path, values: dict, cell_seconds: int = CELL_SECONDS, label: str = "",
            memory_mb: int | None = None) -> dict:  # fmt: skip
    """Run one notebook through papermill and measure it.

    Returns:
        ``status``, ``seconds``, ``peak_mb`` (of the kernel), ``metrics``, and ``error`` where it failed.
    """
    import papermill
    from nbclient.exceptions import CellTimeoutError
    from papermill.exceptions import PapermillExecutionError

    _register_engine()
    result = {"status": "ok"}
    bar, begin = ProgressBar(label or source.stem), time.perf_counter()
    _Engine.bar = bar
    try:
        with _machine_run(), _PeakMemory(memory_mb) as memory:
            papermill.execute_notebook(
                str(source), str(target), parameters=values, engine_name="course", kernel_name="python3",
                cwd=str(paths.NOTEBOOKS), execution_timeout=cell_seconds, progress_bar=False, log_output=False,
                extra_arguments=_KERNEL_ARGUMENTS,
            )  # fmt: skip
    except (PapermillExecutionError, CellTimeoutError, RuntimeError) as error:  # RuntimeError: a kernel that died
        result = {"status": "failed", "error": memory.said or _last_line(error)}
    finally:
        bar.close()
    result |= {"seconds": round(time.perf_counter() - begin, 1), "peak_mb": memory.peak_mb}
    nb = notebooks.read(target)
    problems = notebooks.problems(nb)
    if problems and result["status"] == "ok":
        result |= {"status": "failed", "error": problems[0]}
    result["metrics"] = {name: float(f"{value:.6g}") for name, value in notebooks.metrics(nb).items()}
    return result


def _last_line(error: BaseException) -> str:
    """The line of an error that says what happened, without colours."""
    import re

    lines = [line for line in re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__).strip()[:300]


def _cell(index: int | None, nb) -> str:
    return f"cell {(index or 0) + 1} of {len(nb.cells)}"


class _Engine:
    """Filled in by ``_register_engine``; holds the bar of the run under way."""

    bar: ProgressBar | None = None


def _register_engine() -> None:
    """papermill's own engine with our progress bar. Registered on first use: papermill loads slowly."""
    from papermill.engines import NBClientEngine, papermill_engines

    class CourseEngine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, *args, **kwargs):
            start = nb_man.cell_start

            def cell_start(cell, cell_index=None, **more):
                if _Engine.bar:
                    _Engine.bar.update((cell_index or 0) / len(nb_man.nb.cells), _cell(cell_index, nb_man.nb))
                return start(cell, cell_index, **more)

            nb_man.cell_start = cell_start
            return super().execute_managed_notebook(nb_man, *args, **kwargs)

    papermill_engines.register("course", CourseEngine)


class _PeakMemory:
    """Watch the kernels below this process; ``peak_mb`` is the peak resident size of the largest one.

    Linux keeps the true peak of a process; elsewhere it is the largest of many looks. With a limit, all are killed
    as soon as they take more together, and ``said`` tells it.
    """

    def __init__(self, limit_mb: int | None = None):
        self.limit_mb = limit_mb

    def __enter__(self):
        self.peak_mb, self.said = 0, ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        import psutil

        me = psutil.Process()
        while not self._stop.wait(0.1):
            children = me.children(recursive=True)
            for child in children:
                with contextlib.suppress(psutil.Error, OSError):
                    self.peak_mb = max(self.peak_mb, round(_resident_peak(child) / 1e6))
            if self.limit_mb and (together := sum(map(_resident, children)) / 1e6) > self.limit_mb:
                self.said = f"stopped: it took {together:.0f} MB, and {self.limit_mb} are allowed"
                for child in children:
                    with contextlib.suppress(psutil.Error):
                        child.kill()


def _resident(process) -> int:
    """Bytes that a process holds now; what it shares with others counts in part, where the system tells it."""
    import psutil

    try:
        info = process.memory_full_info()
        return getattr(info, "pss", info.rss)
    except (psutil.Error, OSError):
        return 0


def _resident_peak(process) -> int:
    """Bytes. Not ``ru_maxrss``: a child inherits that from the process that started it."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return 0
    info = process.memory_info()
    return getattr(info, "peak_wset", info.rss)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


# ------------------------------------------------------------------------------------- tables


def as_table(results: dict) -> str:
    """The end of a run, for the terminal."""
    rows = [("notebook", "status", "time", "memory")]
    rows += [
        (name, entry["status"], clock(entry["seconds"]), f"{entry['peak_mb']} MB")
        for name, entry in results["notebooks"].items()
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += [f"{name}: {entry['error']}" for name, entry in results["notebooks"].items() if "error" in entry]
    return "\n".join(lines)


def results_table(results: dict) -> str:
    """The results as Markdown, for the README."""
    versions = results["versions"]
    tensorflow = versions.get("tensorflow-cpu") or versions.get("tensorflow", "?")
    lines = [
        f"Each row is a run of the full lesson on {results['machine']}; Python {versions['python']}, "
        f"TensorFlow {tensorflow}, Keras {versions.get('keras', '?')}.",
        "",
        "| notebook | time | peak memory | what it measured |",
        "|---|---|---|---|",
    ]
    for name, entry in results["notebooks"].items():
        shown = "<br>".join(f"`{key}` {value:.4g}" for key, value in entry["metrics"].items())
        lines.append(f"| {name} | {clock(entry['seconds'])} | {entry['peak_mb']} MB | {shown} |")
    return "\n".join(lines)


def write_results(results: dict, readme: Path) -> None:
    """Put the results table between its markers in the README.

    Raises:
        ValueError: the run was not of the full lessons, not of all, failed somewhere, or the markers are missing.
    """
    if results["profile"] != "full" or results["parameters"]:
        raise ValueError("The README shows full lessons at their defaults; this run was another one.")
    failed = [name for name, entry in results["notebooks"].items() if entry["status"] != "ok"]
    if failed:
        raise ValueError(f"The README shows finished runs only; these failed: {', '.join(failed)}.")
    left_out = [path.stem for path in notebooks.find() if path.stem not in results["notebooks"]]
    if left_out:
        raise ValueError(f"The README shows the whole course; this run has left out: {', '.join(left_out)}.")
    rewrite(readme, "results", results_table(results))


def write_map(readme: Path) -> None:
    """Put the map of the chapters between its markers in the README. Raises ValueError if they are missing."""
    rewrite(readme, "map", course.map_for_readme())
