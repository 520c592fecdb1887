"""make run and execute: going on after a failure, measuring, refusing what is asked for wrongly."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils import course, paths
from course_utils.maintain import cli as command_line
from course_utils.maintain import notebooks, readme, runs


def write(folder, name, *sources):
    cells = [new_markdown_cell("# A"), new_code_cell("SEED = 42  # quick: 1\nN = 3", metadata={"tags": ["parameters"]})]
    nb = new_notebook(cells=cells + [new_code_cell(source) for source in sources])
    nb.metadata = nbformat.from_dict({"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}})
    nbformat.write(nb, folder / f"{name}.ipynb")
    course.CHAPTERS += (course.Chapter(name, "A", "", "", (), ""),)


RECORD = "import course_utils as cu\ncu.record('seed', SEED)\ncu.record('n', N)"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of notebooks, and a plan without chapters; ``write`` adds to both."""
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "my notebooks")
    monkeypatch.setattr(course, "CHAPTERS", ())
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
    result = runs.run(out=tmp_path / "out", cell_seconds=2)["notebooks"]["01_hangs"]
    assert result["status"] == "failed" and result["seconds"] < 30
    assert result["error"] == "A cell timed out while it was being executed, after 2 seconds."


@pytest.mark.parametrize(
    "text, value",
    [
        ("7", 7), ("1e-3", 0.001), ("0.5", 0.5), ("True", True), ("None", None), ("null", None), ("-3", -3),
        ("all", "all"), ("[alt.atheism, sci.space]", ["alt.atheism", "sci.space"]), ("[1, 2]", [1, 2]), ("", None),
        ("2020-01-01", "2020-01-01"), ("{1, 2}", "{1, 2}"), ("a: b: c", "a: b: c"), ("'all'", "all"), ("*", "*"),
        ("&x", "&x"), ("!!python/object:os.system", "!!python/object:os.system"), ("@", "@"), ("b'x'", "b'x'"),
    ],
)  # fmt: skip
def test_a_parameter_may_have_any_value(text, value):
    found = command_line._value(text)
    assert found == value and type(found) is type(value)


# -------------------------------------------------------------------------- a folder that was worked in


def test_damaged_notebooks_copies_and_odd_parameters_do_not_stop_the_others(folder, tmp_path, capsys):
    write(folder, "01_good", RECORD)
    write(folder, "02_odd", RECORD)
    nb = notebooks.read(folder / "02_odd.ipynb")
    nb.cells[1].source = "SEED = 7 * 6  # quick: 2\nN = len('abc')\nimport math"
    notebooks.write(nb, folder / "02_odd.ipynb")
    write(folder, "03_damaged", RECORD)
    (folder / "03_damaged.ipynb").write_text("{")
    shutil.copy(folder / "01_good.ipynb", folder / "01_mine.ipynb")
    write(folder, "04_untagged", "SEED = 1")
    nb = notebooks.read(folder / "04_untagged.ipynb")
    del nb.cells[1]
    notebooks.write(nb, folder / "04_untagged.ipynb")
    assert command_line.main(["run", "--quick", "-p", "N", "9", "--out", str(tmp_path / "out")]) == 1
    books = json.loads((tmp_path / "out" / "results.json").read_text())["notebooks"]
    assert {name: book["status"] for name, book in books.items()} == {
        "01_good": "ok", "02_odd": "ok", "03_damaged": "failed", "04_untagged": "ok",
    }  # fmt: skip
    assert books["02_odd"]["metrics"] == {"seed": 2, "n": 9}
    assert "03_damaged: 03_damaged.ipynb is not a readable notebook" in capsys.readouterr().out
    assert command_line.main(["execute", "3", "01_mine"]) == 1
    said = capsys.readouterr().out
    assert "03_damaged: NOT written" in said and "01_mine: written" in said


def test_the_openings_of_the_others_are_written(folder, tmp_path, capsys, monkeypatch):
    write(folder, "01_good", RECORD)
    write(folder, "02_damaged", RECORD)
    (folder / "02_damaged.ipynb").write_text("{")
    write(folder, "03_without_a_heading", RECORD)
    notebooks.write(nbformat.v4.new_notebook(), folder / "03_without_a_heading.ipynb")
    shutil.copy(folder / "01_good.ipynb", folder / "01_mine.ipynb")
    before = (folder / "01_mine.ipynb").read_bytes()
    monkeypatch.setattr(readme, "write_map", lambda: None)
    assert command_line.main(["map"]) == 1
    said = capsys.readouterr()
    assert "01_good: its opening is new" in said.out and "01_mine" not in said.out
    assert "02_damaged.ipynb is not a readable" in said.err and "03_without_a_heading.ipynb does not begin" in said.err
    assert "[A](02_damaged.ipynb)" in notebooks.read(folder / "01_good.ipynb").cells[0].source
    assert (folder / "01_mine.ipynb").read_bytes() == before


# ---------------------------------------------------------------------------------- the reason

KERAS = (
    "Exception encountered when calling MaxPooling2D.call().\n\n\x1b[1mComputed output size would be zero or negative. "
    "Received: `inputs.shape=(None, 8, 8, 1)`\x1b[0m\n\nArguments received by MaxPooling2D.call():\n  • args=('<x>',)\n"
    "  • kwargs=<class 'inspect._empty'>"
)


@pytest.mark.parametrize(
    "name, value, told",
    [
        ("ValueError", KERAS, 
         "ValueError: Exception encountered when calling MaxPooling2D.call(). Computed output size would be zero or "
         "negative. Received: `inputs.shape=(None, 8, 8, 1)`"),
        ("KeyError", "'x'", "KeyError: 'x'"),
        ("AssertionError", "", "AssertionError"),
        ("InvalidArgumentError", "Graph execution error:\n\nDetected at node add", 
         "InvalidArgumentError: Graph execution error: Detected at node add"),
        ("RuntimeError", "a\nb", "RuntimeError: a b"),
        ("ValueError", "x" * 999, "ValueError: " + "x" * 286 + " …"),
    ],
)  # fmt: skip
def test_the_reason_begins_with_the_name_of_the_error(name, value, told):
    from nbclient.exceptions import CellExecutionError

    assert runs.reason(CellExecutionError("a traceback\nits last line", name, value)) == told


def test_the_reason_of_a_layer_s_error_is_in_the_summary(folder, tmp_path, capsys):
    source = f"class Odd(ValueError):\n    pass\nraise Odd({KERAS!r})"
    write(folder, "01_layer", source)
    assert command_line.main(["run", "--out", str(tmp_path / "out")]) == 1
    assert "01_layer: Odd: Exception encountered when calling MaxPooling2D.call(). Computed" in capsys.readouterr().out


# ---------------------------------------------------------------------------- every cell a second time


@pytest.mark.parametrize(
    "cells, problem",
    [
        (["x = 1", "del x"], "NameError: name 'x' is not defined (when the cell ran a second time)"),
        (
            ["import sys\nn = 0", "n += 1\nprint(n, file=[sys.stdout, sys.stderr][n > 1])"],
            "cell 3, run a second time, wrote",
        ),
        (["n = 0", "n += 1", "print(n)"], None),
    ],
)
def test_a_cell_that_destroys_what_it_needs_is_found(folder, tmp_path, cells, problem):
    write(folder, "01_a", *cells)
    result = runs.run(out=tmp_path / "out", twice=True)["notebooks"]["01_a"]
    assert (result["status"] == "ok") == (problem is None) and (problem or "") in result.get("error", "")
    assert runs.run(out=tmp_path / "out")["notebooks"]["01_a"]["status"] == "ok"


def test_a_second_run_leaves_the_outputs_of_the_first(folder, tmp_path):
    write(folder, "01_a", "n = 0", "n += 1\nprint(n)")
    runs.run(out=tmp_path / "out", twice=True)
    assert notebooks.read(tmp_path / "out" / "01_a.ipynb").cells[-1].outputs[0].text == "1\n"


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["run", "--cores", "999"], "--cores"),
        (["run", "-p", "N", "[1, 2"], "-p: [1, 2 is neither Python nor YAML"),
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


@pytest.mark.skipif(os.name == "nt", reason="sends a signal of Unix")
def test_a_run_that_is_interrupted_stops_in_one_line(folder, tmp_path):
    write(folder, "01_waits", "import time\nopen('waits', 'w').close()\ntime.sleep(60)")
    write(folder, "02_next", RECORD)
    code = "from course_utils.maintain import cli; import sys; sys.exit(cli.main(['run', *sys.argv[1:]]))"
    names = [str(path) for path in sorted(folder.iterdir())]
    command = [sys.executable, "-c", code, *names, "--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    waits = paths.ROOT / "notebooks" / "waits"
    deadline = time.monotonic() + 60
    while not waits.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    waits.unlink()
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]  # the kernel may have its own word about being interrupted
    assert said.endswith("stopped\n") and "course_utils" not in said and process.returncode == 130
    assert not (tmp_path / "out" / "02_next.ipynb").exists()


@pytest.mark.parametrize("verb", ["run", "execute"])
def test_a_kernel_that_does_not_start_is_a_failure_of_its_notebook(folder, tmp_path, capsys, monkeypatch, verb):
    from nbclient import NotebookClient

    def dies(self, **_):
        raise RuntimeError("Kernel died before replying to kernel_info")

    write(folder, "01_good", RECORD)
    monkeypatch.setattr(NotebookClient, "async_start_new_kernel_client", dies)
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
        "from pathlib import Path; from course_utils import paths; from course_utils.maintain import cli; import sys;"
        "paths.NOTEBOOKS = Path(sys.argv[1]);"
        "names = sorted(path.stem for path in paths.NOTEBOOKS.iterdir());"
        "sys.exit(cli.main(['run', *names, '--cores', '1', '--memory', '300', '--out', sys.argv[2]]))"
    )
    # In a process of its own: the cores of this one are not to be taken away.
    done = subprocess.run([sys.executable, "-c", code, folder, tmp_path / "out"], capture_output=True, text=True)
    books = json.loads((tmp_path / "out" / "results.json").read_text())["notebooks"]
    assert done.returncode == 1, done.stderr
    assert [book["status"] for book in books.values()] == ["ok", "failed", "failed", "ok"], books
    for name in ("02_too_large", "03_with_a_child"):
        assert re.fullmatch(r"stopped: it took \d+ MB, and 300 are allowed", books[name]["error"])
