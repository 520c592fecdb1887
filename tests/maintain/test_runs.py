"""make run and execute: going on after a failure, measuring, refusing what is asked for wrongly."""

import json
import os
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils import paths
from course_utils.maintain import cli as command_line
from course_utils.maintain import notebooks, runs


def write(folder, name, *sources):
    cells = [new_markdown_cell("# A"), new_code_cell("SEED = 42  # quick: 1\nN = 3", metadata={"tags": ["parameters"]})]
    nb = new_notebook(cells=cells + [new_code_cell(source) for source in sources])
    nb.metadata = nbformat.from_dict({"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}})
    nbformat.write(nb, folder / f"{name}.ipynb")


RECORD = "import course_utils as cu\ncu.record('seed', SEED)\ncu.record('n', N)"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "my notebooks")
    paths.NOTEBOOKS.mkdir()
    return paths.NOTEBOOKS


def test_a_run_goes_on_measures_and_reports(folder, tmp_path, capsys):
    write(folder, "01_good", RECORD, "memory = bytearray(150_000_000)\nmemory[::4096] = b'x' * len(memory[::4096])")
    write(folder, "02_bad", RECORD, "raise RuntimeError('the reason')", "cu.record('after', 1)")
    write(folder, "03_dead", "import os\nos._exit(1)")
    write(folder, "04_noisy", "import sys\nprint('a warning', file=sys.stderr)")
    write(folder, "05_good", "import os\nassert os.environ['COURSE_PROGRESS'] == 'off'")
    status = command_line.main(["run", "-p", "N", "7", "--out", str(tmp_path / "out")])
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    books = results["notebooks"]
    assert status == 1 and results["profile"] == "full" and results["parameters"] == {"N": 7}
    assert [book["status"] for book in books.values()] == ["ok", "failed", "failed", "failed", "ok"]
    assert books["01_good"]["metrics"] == {"seed": 42, "n": 7}
    assert books["02_bad"]["error"] == "RuntimeError: the reason" and "after" not in books["02_bad"]["metrics"]
    assert "a warning" in books["04_noisy"]["error"]
    assert books["01_good"]["peak_mb"] > books["05_good"]["peak_mb"] + 100, "the peak of its own kernel"
    assert all(book["seconds"] > 0 for book in books.values())
    table = capsys.readouterr().out
    assert "01_good   ok" in table and "02_bad: RuntimeError: the reason" in table
    nb = notebooks.read(tmp_path / "out" / "01_good.ipynb")
    assert notebooks.metrics(nb) == {"seed": 42, "n": 7}
    assert not notebooks.problems(nb)


def test_the_quick_profile_and_what_is_given_on_top(folder, tmp_path):
    write(folder, "01_good", RECORD)
    results = runs.run(quick=True, given={"N": 9}, out=tmp_path / "out")
    assert results["notebooks"]["01_good"]["metrics"] == {"seed": 1, "n": 9} and results["profile"] == "quick"


def test_a_hanging_cell_ends(folder, tmp_path):
    write(folder, "01_hangs", "import time\ntime.sleep(60)")
    results = runs.run(out=tmp_path / "out", cell_seconds=2)
    assert results["notebooks"]["01_hangs"]["status"] == "failed"
    assert results["notebooks"]["01_hangs"]["seconds"] < 30


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["run", "--cores", "999"], "--cores"),
        (["run", "-p", "EPOCH", "3"], "No parameter is called EPOCH. There are: N, SEED."),
        (["run", "77"], "There is no notebook '77'. There are: 01_good."),
        (["execute", "x"], "There is no notebook 'x'"),
        (["results", "--from", "nothing.json"], "nothing.json"),
    ],
)
def test_what_is_asked_for_wrongly_gets_one_line(folder, tmp_path, capsys, arguments, message):
    write(folder, "01_good", RECORD)
    assert command_line.main([*arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and len(error.strip().splitlines()) == 1


def test_execute_writes_back_what_is_clean(folder, capsys):
    write(folder, "01_good", RECORD)
    assert command_line.main(["execute", "1"]) == 0
    nb = notebooks.read(folder / "01_good.ipynb")
    assert nb.metadata.course.outputs_of == notebooks.code_hash(nb)
    assert notebooks.metrics(nb) == {"seed": 42, "n": 3}
    first = (folder / "01_good.ipynb").read_bytes()
    assert command_line.main(["execute", "1"]) == 0
    assert (folder / "01_good.ipynb").read_bytes() == first, "executing twice changes nothing"


def test_execute_does_not_write_over_what_was_saved_meanwhile(folder, capsys):
    write(folder, "01_good", "import pathlib\npath = pathlib.Path('01_good.ipynb')\n"
                             "path.write_bytes(path.read_bytes().replace(b'# A', b'# B'))")  # fmt: skip
    assert command_line.main(["execute", "1"]) == 1
    assert "# B" in (folder / "01_good.ipynb").read_text() and "changed while it ran" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["run", "execute"])
def test_a_kernel_that_does_not_start_is_a_failure_of_its_notebook(folder, tmp_path, capsys, monkeypatch, verb):
    from nbclient import NotebookClient

    def dies(self, **_):
        raise RuntimeError("Kernel died before replying to kernel_info")

    write(folder, "01_good", RECORD)
    for name in ("start_new_kernel_client", "async_start_new_kernel_client"):  # papermill's way, and nbclient's
        monkeypatch.setattr(NotebookClient, name, dies)
    more = ["--out", str(tmp_path / "out")] if verb == "run" else ["1"]
    assert command_line.main([verb, *more]) == 1
    assert "Kernel died before replying" in capsys.readouterr().out


@pytest.mark.parametrize(
    "source, problem",
    [("1 / 0", "ZeroDivisionError"), ("import warnings\nwarnings.warn('old')", "wrote to stderr"),
     ("print('/home/' + 'me/file')", "a path of this machine")],
)  # fmt: skip
def test_execute_refuses_to_write_what_is_not(folder, capsys, source, problem):
    write(folder, "01_bad", source)
    before = (folder / "01_bad.ipynb").read_bytes()
    assert command_line.main(["execute", "1"]) == 1
    assert (folder / "01_bad.ipynb").read_bytes() == before
    out = capsys.readouterr().out
    assert "NOT written" in out and problem in out


# -------------------------------------------------------------------------------- the README

RESULTS = {
    "profile": "full",
    "parameters": {},
    "machine": "Linux x86_64, 2 cores",
    "versions": {"python": "3.12.1", "tensorflow-cpu": "2.21.0", "keras": "3.15.1"},
    "notebooks": {"01_a": {"status": "ok", "seconds": 61.2, "peak_mb": 700, "metrics": {"accuracy": 0.98765}}},
}
README = "a\n<!-- map: begin -->\n<!-- map: end -->\nb\n<!-- results: begin -->\nold\n<!-- results: end -->\nc"


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot hold a process to one core")
def test_a_run_under_the_limits_of_a_small_machine(folder, tmp_path, capsys):
    fill = "memory = bytearray({} * 1_000_000)\nmemory[::4096] = b'x' * len(memory[::4096])\nimport time\ntime.sleep(1)"
    write(folder, "01_fits", "import os\nassert len(os.sched_getaffinity(0)) == 1", fill.format(50))
    write(folder, "02_too_large", fill.format(400), RECORD)
    write(
        folder,
        "03_with_a_child",
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {fill.format(400)!r}])",
    )
    write(folder, "04_fits", RECORD)
    code = (
        "from pathlib import Path; from course_utils import __main__, paths; import sys;"
        "paths.NOTEBOOKS = Path(sys.argv[1]);"
        "sys.exit(__main__.main(['run', '--cores', '1', '--memory', '300', '--out', sys.argv[2]]))"
    )
    # In a process of its own: the cores of this one are not to be taken away.
    done = subprocess.run([sys.executable, "-c", code, folder, tmp_path / "out"], capture_output=True, text=True)
    books = json.loads((tmp_path / "out" / "results.json").read_text())["notebooks"]
    assert done.returncode == 1, done.stderr
    assert [book["status"] for book in books.values()] == ["ok", "failed", "failed", "ok"], books
    for name in ("02_too_large", "03_with_a_child"):
        assert re.fullmatch(r"stopped: it took \d+ MB, and 300 are allowed", books[name]["error"])


def test_results_are_written_between_the_markers(folder, tmp_path):
    write(folder, "01_a", RECORD)
    readme = tmp_path / "README.md"
    readme.write_text(README)
    for _ in range(2):  # a second time replaces the first
        runs.write_results(RESULTS, readme)
        text = readme.read_text()
        assert text.count("| 01_a | 1 min 1 s | 700 MB | `accuracy` 0.9877 |") == 1
        assert "old" not in text and text.startswith("a\n") and text.endswith("\nc")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"profile": "quick"}, "this run was another one"),
        ({"parameters": {"SEED": 7}}, "this run was another one"),
        ({"notebooks": {"01_a": {"status": "failed"}}}, "these failed: 01_a"),
        ({"notebooks": {}}, "has left out: 01_a"),
    ],
)
def test_only_full_finished_runs_of_all_reach_the_readme(folder, tmp_path, change, message):
    write(folder, "01_a", RECORD)
    readme = tmp_path / "README.md"
    readme.write_text(README)
    with pytest.raises(ValueError, match=message):
        runs.write_results({**RESULTS, **change}, readme)
    assert readme.read_text() == README


def test_the_map_is_written_between_its_markers(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(README)
    for _ in range(2):
        runs.write_map(readme)
        text = readme.read_text()
        assert text.count("[The text classifier](notebooks/08_text_classifier.ipynb)") == 1
        assert text.startswith("a\n") and "old" in text and text.endswith("\nc")


def test_missing_markers_are_named(folder, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("nothing")
    with pytest.raises(ValueError, match="results: begin"):
        runs.write_results(RESULTS, readme)
