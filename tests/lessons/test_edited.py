"""`make test` after somebody has worked in the notebooks: about the course, with a word on what was edited."""

import json
import os
import re
import subprocess
import sys

import nbformat
import pytest
from helpers import fill
from nbformat.v4 import new_code_cell

from course_utils.maintain import notebooks

TESTS = "tests/lessons/test_structure.py", "tests/maintain/test_notebooks.py"


def git(folder, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.autocrlf=false"]
    return subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def pytest_in(folder, *more):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "--committed", *TESTS]
    command += more or ["-k", "not definitions"]  # these load TensorFlow
    return subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)}, capture_output=True, text=True
    )


def work_in(folder):
    """What learners do: solve, change SEED, install, run again and save, copy, delete, break, change line ends."""
    books = {path.stem[:2]: path for path in (folder / "notebooks").glob("*.ipynb")}
    solved = fill(notebooks.read(books["02"]), "02_gradient_descent", "solved")
    notebooks.write(solved, books["02"])
    nb = notebooks.read(books["00"])
    nb.cells.append(new_code_cell("%pip install something"))
    nb.cells[1].source = "SEED = 7 * 6"
    notebooks.write(nb, books["00"])
    nb = notebooks.read(books["03"])
    nb.metadata["widgets"] = {"state": {}}
    nb.cells[2].metadata["collapsed"] = False
    nbformat.write(nb, books["03"])
    (folder / "notebooks" / "08_mine.ipynb").write_bytes(books["08"].read_bytes())
    (folder / "notebooks" / "scratch.py").write_text("import   os\n")
    books["05"].unlink()
    books["06"].write_text("{")
    books["07"].write_bytes(books["07"].read_bytes().replace(b"\n", b"\r\n"))
    return books


@pytest.fixture
def course_with_git(tmp_path, copy_of_course):
    folder = copy_of_course(tmp_path / "a course")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "the course")
    return folder


def test_the_tests_are_about_the_course_and_say_what_was_edited(course_with_git):
    before = pytest_in(course_with_git)
    books = work_in(course_with_git)
    mine = {path.name: path.read_bytes() for path in (course_with_git / "notebooks").iterdir()}
    done = pytest_in(course_with_git)
    assert "You have worked in" not in before.stdout and " passed" in before.stdout, before.stdout
    assert summary(done) == summary(before), done.stdout[-3000:]
    edited = ", ".join(books[number].stem for number in ("00", "02", "03", "06", "05"))
    assert f"You have worked in {edited}: your notebooks are left alone" in done.stdout
    assert {path.name: path.read_bytes() for path in (course_with_git / "notebooks").iterdir()} == mine


def summary(done):
    """The failures and the counts of a run, without its time."""
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAILED") or " passed" in line]
    return [line.partition(" in ")[0].partition(" - ")[0] for line in lines]


def test_without_git_a_failure_says_that_the_notebook_was_edited(tmp_path, copy_of_course):
    folder = copy_of_course(tmp_path / "a course")
    nb = notebooks.read(folder / "notebooks" / "02_gradient_descent.ipynb")
    nb.cells[1].source += "\nx = 1"
    notebooks.write(nb, folder / "notebooks" / "02_gradient_descent.ipynb")
    done = pytest_in(folder, "-k", "outputs_are_those_of_this_code and gradient")
    assert done.returncode == 1
    assert re.search(r"You have worked in [^:]*02_gradient_descent.*, and there is no Git", done.stdout), done.stdout
    assert "02_gradient_descent.ipynb has been edited" in done.stdout


def test_what_make_execute_writes_is_tested_as_it_is(course_with_git):
    """An author's new outputs are not set aside: they are what the tests are for."""
    path = course_with_git / "notebooks" / "00_start_here.ipynb"
    nb = notebooks.read(path)
    nb.cells[0].source = nb.cells[0].source.replace("# 0 · ", "# 0: ")
    notebooks.write(notebooks.normalise(nb), path)
    assert json.loads(path.read_text())["cells"]
    done = pytest_in(course_with_git, "-k", "opens_with_one_heading and 00")
    assert done.returncode == 1 and "You have worked in" not in done.stdout
