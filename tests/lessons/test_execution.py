"""Every notebook executed: by nbval and by papermill, in the quick profile and, if asked, in full."""

import math
import subprocess
import sys
import tomllib

import nbformat
import pytest
from helpers import fill

from course_utils import paths
from course_utils.data import newsgroups
from course_utils.exercises import registry
from course_utils.maintain import notebooks, runs

BOOKS = notebooks.find()
by_notebook = pytest.mark.parametrize("path", BOOKS, ids=lambda p: p.stem)
pytestmark = pytest.mark.notebooks

# Two runs share the cores, and machines differ: these limits only end what hangs. What a notebook may take is asserted
# of the README's table, which comes from a run with nothing beside it (test_structure.py).
QUICK_SECONDS, SLOWER = 180, 3
RANGES = tomllib.loads((paths.ROOT / "tests" / "ranges.toml").read_text(encoding="utf-8"))


def quick_values(path, **given):
    nb = notebooks.read(path)
    full, quick = notebooks.parameters(nb), notebooks.parameters(nb, quick=True)
    values = {name: value for name, value in quick.items() if value != full[name]}
    return values | {name: value for name, value in given.items() if name in full}


def assert_fine(result, stem, seconds):
    assert result["status"] == "ok", result["error"]
    peak_mb = (RANGES | RANGES.get(stem, {}))["peak_mb"]
    assert result["seconds"] <= seconds and result["peak_mb"] <= peak_mb, result
    assert all(math.isfinite(value) for value in result["metrics"].values())


def answered(path):
    """The notebook with every exercise answered twice: right, then with its first mistake, which stays."""
    nb = notebooks.read(path)
    right, wrong = (fill(nb, path.stem, how) for how in ("solved", "sabotaged"))
    right.cells = [
        cell
        for one, other in zip(right.cells, wrong.cells, strict=True)
        for cell in ([one] if one.source == other.source else [one, nbformat.v4.new_code_cell(other.source)])
    ]
    return right


@by_notebook
def test_answered_by_papermill(path, tmp_path):
    """No answer stops the lesson, and each is told what it is; on the embedded text where posts are read."""
    filled = tmp_path / "filled.ipynb"
    nbformat.write(answered(path), filled)
    values = quick_values(path, SOURCE="docstrings")
    result = runs.run_one(filled, tmp_path / path.name, values, cell_seconds=120)
    assert_fine(result, path.stem, QUICK_SECONDS)
    shown = texts_shown(notebooks.read(tmp_path / path.name))
    for task in tasks_of(path):
        assert f"✗ not yet: {task.mistakes[0].says}" in shown, task.key
    assert shown.count("✓ correct") == shown.count("✗ not yet") == len(tasks_of(path))
    assert "not attempted" not in shown
    if "SOURCE" in values:
        assert "embedded text:" in (tmp_path / path.name).read_text(encoding="utf-8")


def tasks_of(path):
    return [task for task in registry() if task.chapter == path.stem[:2]]


def texts_shown(nb):
    outputs = [out for cell in nb.cells for out in cell.get("outputs", [])]
    return "\n".join(str(out.get("data", {}).get("text/plain", "")) for out in outputs)


def nbval(copy):
    """Run nbval (lax) over a notebook and return its report; a cell without the tag compares nothing."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--nbval-lax"]
    command += ["--nbval-current-env", "--nbval-cell-timeout=300", "--rootdir", str(copy.parent), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=paths.NOTEBOOKS, timeout=900)
    return done


def assert_nbval(done, cells):
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert f"{cells} passed" in done.stdout, done.stdout[-500:]


@by_notebook
def test_blank_by_nbval(path, tmp_path):
    import papermill

    copy = tmp_path / path.name
    papermill.execute_notebook(str(path), str(copy), parameters=quick_values(path), prepare_only=True)
    nb = notebooks.read(copy)
    assert_nbval(nbval(copy), sum(cell.cell_type == "code" for cell in nb.cells))


@pytest.mark.full
@by_notebook
def test_as_committed_by_nbval(path):
    nb = notebooks.read(path)
    assert_nbval(nbval(path), sum(cell.cell_type == "code" for cell in nb.cells))


@pytest.mark.full
@by_notebook
@pytest.mark.parametrize("seed", [None, 7])
def test_full_lesson(path, seed, tmp_path):
    values = {} if seed is None else {"SEED": seed}
    result = runs.run_one(path, tmp_path / path.name, values)
    expected = RANGES.get(path.stem, {})
    assert_fine(result, path.stem, SLOWER * expected.get("seconds", RANGES["seconds"]))
    assert set(expected.get("metrics", {})) <= set(result["metrics"])
    if newsgroups.present() or "SOURCE" not in notebooks.parameters(notebooks.read(path)):
        for name, (low, high) in expected.get("metrics", {}).items():
            high *= SLOWER if "seconds" in name else 1
            assert low <= result["metrics"][name] <= high, (name, result["metrics"][name])


@pytest.mark.full
def test_the_honest_network_beats_the_linear_baseline_of_its_run(posts, tmp_path):
    (path,) = notebooks.find("08")
    found = runs.run_one(path, tmp_path / path.name, {})["metrics"]
    assert found["accuracy_honest_mlp"] > found["accuracy_honest_linear"]
