"""Every notebook executed: once, with all answers a learner may give, in the quick profile; and, if asked, in full."""

import contextlib
import hashlib
import json
import math
import os
import subprocess
import sys
import tomllib

import nbformat
import pytest
from helpers import by_notebook, fill

from course_utils import paths
from course_utils.data import newsgroups
from course_utils.exercises import Prediction, registry
from course_utils.files import write_whole
from course_utils.maintain import notebooks, runs

pytestmark = pytest.mark.notebooks

# Two runs share the cores, and machines differ: these limits only end what hangs. What a notebook may take is asserted
# of the README's table, which comes from a run with nothing beside it (test_structure.py).
QUICK_SECONDS, SLOWER = 240, 3
TWICE_BELOW = 0.5  # seconds: cells that are faster run a second time right away; the others in test-full
RANGES = tomllib.loads((paths.ROOT / "tests" / "ranges.toml").read_text(encoding="utf-8"))
# Chapters that read the posts where they are on this machine; the others read the embedded text, as all do without.
WITH_POSTS = {"08", "13", "17"}
BY_NBVAL = {"00", "03"}  # in the quick profile; test-full takes all


def assert_fine(result, stem, seconds):
    assert result["status"] == "ok", result["error"]
    peak_mb = (RANGES | RANGES.get(stem, {}))["peak_mb"]
    assert result["seconds"] <= seconds and result["peak_mb"] <= peak_mb, result
    assert all(math.isfinite(value) for value in result["metrics"].values())


# ------------------------------------------------------------------------------ what passed before

GREEN = paths.ROOT / "build" / "green_notebooks.json"


def fingerprint(path):
    """A hash of all that the run of this notebook depends on: its code, the course's, the packages, Python."""
    folders = [paths.ROOT / "course_utils", paths.DATA]
    files = sorted(file for folder in folders for file in folder.rglob("*") if file.is_file())
    number = path.stem[:2]
    digest = hashlib.sha256(f"{sys.version}{notebooks.code_hash(notebooks.read(path))}{newsgroups.present()}".encode())
    for file in [*files, paths.ROOT / "requirements.lock", paths.ROOT / "tests" / "helpers.py", __file__]:
        file = paths.ROOT / file
        other = file.parent.name == "chapters" and number not in ("00", file.stem[2:])  # 00 lists all exercises
        if not other and not {"__pycache__", "cache"} & set(file.parts):
            digest.update(file.read_bytes())
    return digest.hexdigest()


@pytest.fixture
def skip_if_green(request):
    """A function that skips a test that passed on this machine with the same code; never where ``CI`` is set."""
    stem = request.node.callspec.params["path"].stem
    key = f"{request.node.originalname}[{stem}]"
    now = fingerprint(request.node.callspec.params["path"])
    remembers = not (os.environ.get("CI") or request.config.getoption("--fresh"))
    if remembers and _green().get(key) == now:
        pytest.skip("it passed here with the same code, course and packages (--fresh runs it again)")
    yield
    if remembers and request.node.stash.get(PASSED, False):
        GREEN.parent.mkdir(exist_ok=True)
        write_whole(GREEN, json.dumps(_green() | {key: now}, indent=1).encode())


PASSED = pytest.StashKey[bool]()


def _green():
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(GREEN.read_text()))
    return {}


# ------------------------------------------------------------------------------- quick, all answers


def answered(path):
    """The notebook with every exercise answered three times: blank, right, and with its first mistake, which stays."""
    nb = notebooks.read(path)
    right, wrong = (fill(nb, path.stem, how) for how in ("solved", "sabotaged"))
    cells = []
    for versions in zip(nb.cells, right.cells, wrong.cells, strict=True):
        cells.append(versions[0])
        if versions[0].source != versions[1].source:
            cells += [nbformat.v4.new_code_cell(version.source) for version in versions[1:]]
    nb.cells = cells
    return nb


@by_notebook
def test_every_cell_and_every_answer(path, tmp_path, skip_if_green, request):
    """No cell and no answer stops the lesson, each answer is told what it is, and a cell can be run again."""
    filled = tmp_path / "filled.ipynb"
    nbformat.write(answered(path), filled)
    embedded = "SOURCE" in notebooks.parameter_names(notebooks.read(path)) and path.stem[:2] not in WITH_POSTS
    values = {"SOURCE": "docstrings"} if embedded else {}
    result = runs.run_one(
        filled, tmp_path / path.name, values, quick=True, cell_seconds=120, twice_below=TWICE_BELOW
    )  # fmt: skip
    assert_fine(result, path.stem, QUICK_SECONDS)
    shown = texts_shown(notebooks.read(tmp_path / path.name))
    tasks = tasks_of(path)
    checked = [task for task in tasks if not isinstance(task, Prediction)]
    wrong = [task for task in checked if task.mistakes]
    for task in wrong:
        assert f"✗ not yet: {task.mistakes[0].says}" in shown, task.key
    for verdict, count in (("○ not attempted", len(tasks)), ("✓ correct", len(checked)), ("✗ not yet", len(wrong))):
        assert shown.count(verdict) == count, verdict
    assert not embedded or "embedded text:" in (tmp_path / path.name).read_text(encoding="utf-8")
    request.node.stash[PASSED] = True


def tasks_of(path):
    return [task for task in registry() if task.chapter == path.stem[:2]]


def texts_shown(nb):
    outputs = [out for cell in nb.cells for out in cell.get("outputs", [])]
    return "\n".join(str(out.get("data", {}).get("text/plain", "")) for out in outputs)


# ---------------------------------------------------------------------------------------- by nbval


def assert_nbval_passes(copy):
    """Run nbval (lax) over a notebook; a cell without the tag compares nothing."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--nbval-lax"]
    command += ["--nbval-current-env", "--nbval-cell-timeout=300", "--rootdir", str(copy.parent), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=paths.NOTEBOOKS, timeout=900)
    cells = sum(cell.cell_type == "code" for cell in notebooks.read(copy).cells)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert f"{cells} passed" in done.stdout and "warning" not in done.stdout, done.stdout[-500:]


@pytest.mark.parametrize("number", sorted(BY_NBVAL))
def test_blank_by_nbval(number, tmp_path):
    (path,) = notebooks.find(number)
    nb = notebooks.read(path)
    notebooks.write(runs.with_parameters(nb, notebooks.quick_values(nb)), tmp_path / path.name)
    assert_nbval_passes(tmp_path / path.name)


@pytest.mark.full
@by_notebook
def test_as_committed_by_nbval(path):
    assert_nbval_passes(path)


# ----------------------------------------------------------------------------------- at the defaults


@pytest.mark.full
@by_notebook
def test_every_cell_twice(path, tmp_path):
    result = runs.run_one(path, tmp_path / path.name, {}, quick=True, twice_below=math.inf)
    assert result["status"] == "ok", result["error"]


@pytest.mark.full
@by_notebook
def test_the_lesson_runs_with_right_answers_in_another_form(path, tmp_path):
    """Accepted means that the next cells run: each exercise is answered by its first other right form."""
    filled = tmp_path / "filled.ipynb"
    nbformat.write(fill(notebooks.read(path), path.stem, "in another form"), filled)
    result = runs.run_one(filled, tmp_path / path.name, {}, quick=True)
    assert result["status"] == "ok", result["error"]


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
