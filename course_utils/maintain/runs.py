"""Run notebooks: the whole course or some of it, or one of them in place.

``run`` leaves executed copies and ``results.json``; ``execute`` writes a notebook back with its outputs. Both set
parameters as papermill does and execute the cells with nbclient, in a fresh kernel of this Python.
"""

from __future__ import annotations

import contextlib
import json
import math
import platform
import re
import threading
import time
from importlib import metadata
from pathlib import Path

from course_utils import machine, paths, settings
from course_utils.files import write_whole
from course_utils.maintain import notebooks
from course_utils.progress_bar import ProgressBar, clock

CELL_SECONDS = 1800  # a learner may ask for much more than the lesson does; a hung cell still ends
MAX_REASON_CHARS = 300
# The kernel's remarks about its own transport belong to no lesson; a file beside the notebooks hides no module.
_KERNEL_ARGUMENTS = ["--log-level=40", "--InteractiveShellApp.ignore_cwd=True"]
_VERSIONS = ("tensorflow", "tensorflow-cpu", "keras", "scikit-learn", "numpy", "scipy", "matplotlib")


class Failed(Exception):
    """A notebook did not run to its end; the message is the reason in one line."""


# ------------------------------------------------------------------------------ one notebook


def run_cells(nb, folder: Path, label: str, cell_seconds: float = CELL_SECONDS, twice_below: float = 0.0) -> None:
    """Execute all cells of a notebook in a fresh kernel, with a progress bar; the outputs are put into it.

    Args:
        nb: the notebook; what ran before a failure is kept.
        folder: the kernel's working folder.
        label: for the progress bar.
        cell_seconds: a cell that takes longer is stopped.
        twice_below: run a code cell a second time, right after the first, if the first took fewer seconds. A learner
            may run any cell again: it must not destroy what it needs. The outputs are those of the first time.

    Raises:
        Failed: a cell ended in an error or took too long, or the kernel died or did not start.
        KeyboardInterrupt: somebody has stopped it.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    class Client(NotebookClient):
        again = False  # whether a cell is run for the second time

        async def async_execute_cell(self, cell, cell_index, **more):
            bar.update(cell_index / len(nb.cells), f"cell {cell_index + 1} of {len(nb.cells)}")
            begin = time.perf_counter()
            await super().async_execute_cell(cell, cell_index, **more)
            if cell.cell_type == "code" and time.perf_counter() - begin < twice_below:
                first, self.again = (cell.outputs, cell.execution_count), True
                await super().async_execute_cell(cell, cell_index, **more)
                if found := notebooks.output_problems(cell.outputs):
                    raise Failed(f"cell {cell_index}, run a second time, {found[0]}")
                (cell.outputs, cell.execution_count), self.again = first, False
            return cell

    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = Client(
        nb, timeout=cell_seconds, kernel_name="python3", record_timing=False, extra_arguments=list(_KERNEL_ARGUMENTS),
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    bar = ProgressBar(label)
    try:
        with settings.clean_environment():
            client.execute()
    except (CellExecutionError, CellTimeoutError, RuntimeError) as error:  # RuntimeError: a kernel that died
        raise Failed(reason(error) + (" (when the cell ran a second time)" if client.again else "")) from None
    except AssertionError:
        if client.km is None:  # nbclient has ended the kernel, because somebody pressed Ctrl-C
            raise KeyboardInterrupt from None
        raise
    finally:
        bar.close()


def reason(error: BaseException) -> str:
    """What happened, in one line that begins with the error's name, without colours.

    Keras ends its messages with the arguments of the call, TensorFlow with places in its graph: the beginning tells.
    """
    if hasattr(error, "ename"):  # an error of a cell; str(error) is the whole traceback
        text = f"{error.ename}: {error.evalue}".rstrip(": ")
    else:
        text = str(error).partition("\n")[0] or type(error).__name__
    text = re.sub(r"\x1b\[[0-9;]*m", "", text).partition("Arguments received by")[0]
    text = " ".join(text.split())
    return text if len(text) <= MAX_REASON_CHARS else text[: MAX_REASON_CHARS - 2] + " …"


def execute(path: Path) -> list[str]:
    """Run a notebook at its defaults and write it back, normalised, with its outputs.

    Returns:
        What is wrong with the outputs (see ``notebooks.problems``); the file is only written if nothing is, and if
        nobody else has written it meanwhile.

    Raises:
        ValueError: the file is not a notebook.
    """
    before = path.read_bytes()
    nb = notebooks.read(path)
    try:
        run_cells(nb, path.parent, path.stem)
    except Failed as error:
        return [str(error)]
    notebooks.normalise(nb)
    found = notebooks.problems(nb)
    if not found and path.read_bytes() != before:
        found = ["it was changed while it ran, so the outputs are not written: run it again"]
    if not found:
        notebooks.write(nb, path)
    return found


# ------------------------------------------------------------------------------- the whole course


def run(names=(), quick: bool = False, given: dict | None = None, out: Path = paths.RUNS,
        cell_seconds: float = CELL_SECONDS, cores: int | None = None, memory_mb: int | None = None,
        twice: bool = False) -> dict:  # fmt: skip
    """Run notebooks one after the other, each in a fresh kernel.

    Goes on after a failure. Writes each executed notebook and ``results.json`` to ``out``.

    Args:
        names: as for ``notebooks.find``; none means all chapters.
        quick: use the parameters of the quick profile.
        given: parameters to set, in every notebook that has them.
        cores: let this process, and so the kernels, use only so many; Binder gives one.
        memory_mb: stop a notebook whose kernel, with all that it has started, takes more; Binder gives 2000 in all.
        twice: run every code cell twice in a row.

    Returns:
        The content of ``results.json``: profile, versions, and for each notebook its status (``ok`` or
        ``failed``), seconds, peak memory of the kernel in MB, and metrics.

    Raises:
        FileNotFoundError: no such notebook.
        ValueError: a parameter that none of the notebooks has, or more cores than there are (or a system that cannot
            hold a process to some of them).
    """
    given = given or {}
    if cores is not None:
        _use_cores(cores)
    chosen = notebooks.find(*names)
    known = {path: _parameter_names(path) for path in chosen}
    unknown = set(given) - set().union(*known.values())
    if unknown:
        there = ", ".join(sorted(set().union(*known.values())))
        raise ValueError(f"No parameter is called {', '.join(sorted(unknown))}. There are: {there}.")
    out.mkdir(parents=True, exist_ok=True)
    results = {
        "profile": "quick" if quick else "full",
        "parameters": given,
        "machine": f"{platform.system()} {platform.machine()}, {min(cores or math.inf, machine.cores()):g} cores",
        "versions": _versions(),
        "notebooks": {},
    }
    for number, path in enumerate(chosen, start=1):
        values = {name: value for name, value in given.items() if name in known[path]}
        results["notebooks"][path.stem] = run_one(
            path, out / path.name, values, quick, cell_seconds, f"{number}/{len(chosen)} {path.stem}", memory_mb,
            twice_below=math.inf if twice else 0.0,
        )  # fmt: skip
        content = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
        write_whole(out / "results.json", content.encode("utf-8"))
    return results


def _parameter_names(path: Path) -> set[str]:
    try:
        return notebooks.parameter_names(notebooks.read(path))
    except ValueError:  # not a notebook: its own run will say so
        return set()


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


def run_one(source: Path, target: Path, values: dict, quick: bool = False, cell_seconds: float = CELL_SECONDS,
            label: str = "", memory_mb: int | None = None, twice_below: float = 0.0) -> dict:  # fmt: skip
    """Run one notebook and measure it. The executed notebook goes to ``target``, also after a failure.

    Args:
        values: parameters to set; they come before those of the quick profile.
        twice_below: as for ``run_cells``.

    Returns:
        ``status``, ``seconds``, ``peak_mb`` (of the kernel), ``metrics``, and ``error`` where it failed.
    """
    try:
        nb = notebooks.read(source)
    except ValueError as error:
        return {"status": "failed", "error": str(error), "seconds": 0.0, "peak_mb": 0, "metrics": {}}
    nb = with_parameters(nb, (notebooks.quick_values(nb) if quick else {}) | values)
    result, begin = {"status": "ok"}, time.perf_counter()
    with _PeakMemory(memory_mb) as memory:
        try:
            run_cells(nb, paths.NOTEBOOKS, label or source.stem, cell_seconds, twice_below)
        except Failed as error:
            result = {"status": "failed", "error": memory.said or str(error)}
    result |= {"seconds": round(time.perf_counter() - begin, 1), "peak_mb": memory.peak_mb}
    notebooks.write(nb, target)
    problems = notebooks.problems(nb)
    if problems and result["status"] == "ok":
        result |= {"status": "failed", "error": problems[0]}
    result["metrics"] = {name: float(f"{value:.6g}") for name, value in notebooks.metrics(nb).items()}
    return result


def with_parameters(nb, values: dict):
    """The notebook with a cell that sets these parameters, below the one that is tagged so, as papermill puts it."""
    if not values:
        return nb
    from papermill.parameterize import parameterize_notebook

    nb.metadata.setdefault("papermill", {})  # papermill's own reader adds what is missing here
    for cell in nb.cells:
        cell.metadata.setdefault("tags", [])
    return parameterize_notebook(nb, values, kernel_name="python3", language="python")


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
