"""What is done with notebooks as files: find, parameters, definitions, normalise, problems, hash."""

import nbformat
import pytest
from helpers import definitions
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils import course, display, paths
from course_utils.maintain import notebooks


def book(*sources, parameters=None):
    cells = [new_code_cell(parameters, metadata={"tags": ["parameters"]})] if parameters is not None else []
    return new_notebook(cells=cells + [new_code_cell(source) for source in sources])


# ------------------------------------------------------------------------------------ find, read


@pytest.mark.parametrize("name", ["8", 8, "08", "08_text_classifier", "notebooks/08_text_classifier.ipynb"])
def test_find_by_any_name(name):
    assert [path.stem for path in notebooks.find(name)] == ["08_text_classifier"]


def test_find_lists_what_there_is():
    with pytest.raises(FileNotFoundError, match="no notebook '99'.*08_text_classifier"):
        notebooks.find("99")


def test_a_chapter_is_what_the_plan_names():
    assert [path.stem for path in notebooks.find()] == [one.stem for one in course.CHAPTERS if one.available]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3}'])
def test_a_file_that_is_no_notebook(tmp_path, content):
    path = tmp_path / "broken.ipynb"
    path.write_text(content)
    with pytest.raises(ValueError, match="broken.ipynb is not a readable notebook"):
        notebooks.read(path)


COPIES = ["08_mine", "08_text_classifier-Copy1", "08_text_classifier (1)", "99_own", "scratch", "Ünï 08"]


@pytest.fixture
def with_copies(tmp_path, monkeypatch):
    """A chapter, and what learners put beside it."""
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path)
    for stem in ("08_text_classifier", *COPIES):
        nbformat.write(book("pass"), tmp_path / f"{stem}.ipynb")
    (tmp_path / "10_overfitting.ipynb").mkdir()
    (tmp_path / "notes.txt").write_text("mine")


@pytest.mark.parametrize("name", [(), ("8",), ("08", "8", "08_text_classifier")])
def test_a_copy_is_not_a_chapter(with_copies, name):
    assert [path.stem for path in notebooks.find(*name)] == ["08_text_classifier"]


@pytest.mark.parametrize("stem", COPIES)
def test_a_copy_is_found_by_its_name(with_copies, tmp_path, stem):
    for name in (stem, f"{stem}.ipynb", str(tmp_path / f"{stem}.ipynb"), f"elsewhere/{stem}.ipynb"):
        assert [path.stem for path in notebooks.find(name)] == [stem]


@pytest.mark.parametrize("name", ["notes.txt", "10_overfitting", "", ".", "8 8"])
def test_what_is_not_a_notebook_is_not_found(with_copies, name):
    with pytest.raises(FileNotFoundError, match="08_text_classifier"):
        notebooks.find(name)


def test_a_copy_gets_no_links(with_copies, tmp_path):
    with pytest.raises(ValueError, match="08_mine.ipynb is not a chapter"):
        notebooks.write_opening(tmp_path / "08_mine.ipynb")


def test_a_mark_at_the_beginning_and_other_line_ends_are_read(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_bytes(b"\xef\xbb\xbf" + nbformat.writes(book("a = 1\nb = 2")).replace("\n", "\r\n").encode())
    assert notebooks.read(path).cells[0].source == "a = 1\nb = 2"


# ------------------------------------------------------------------------------------ parameters


def test_parameters_in_both_profiles():
    nb = book(parameters="SEED = 42\nEPOCHS = 5  # passes # quick: 1\nSEEDS = [0, 1] # quick: [0]\nNAME = '# quick: 9'")
    assert notebooks.parameters(nb) == {"SEED": 42, "EPOCHS": 5, "SEEDS": [0, 1], "NAME": "# quick: 9"}
    assert notebooks.parameters(nb, quick=True) == {"SEED": 42, "EPOCHS": 1, "SEEDS": [0], "NAME": "# quick: 9"}


@pytest.mark.parametrize("source", ["import os", "A = f(3)", "A, B = 1, 2", "A += 1", "A = 1 # quick: f(2)"])
def test_parameters_are_literals(source):
    with pytest.raises(ValueError, match="literal value|assignments only"):
        notebooks.parameters(book(parameters=source), quick=True)


ODD = "SEED = 7 * 6  # quick: 1\nEPOCHS = round(2.5)\nimport os\nN = 3  # quick: f(2)\nSIZE = 9  # quick: 9"


def test_what_a_learner_has_written_there_does_not_stop_a_run():
    nb = book(parameters=ODD)
    assert notebooks.parameter_names(nb) == {"SEED", "EPOCHS", "N", "SIZE"}
    assert notebooks.quick_values(nb) == {"SEED": 1}
    for source in ("SEED = ", "%pip install x", "", "SEED = 1\x00"):
        assert notebooks.parameter_names(book(parameters=source)) == set() == set(notebooks.quick_values(book(source)))


@pytest.mark.parametrize("path", notebooks.find(), ids=lambda path: path.stem)
def test_the_quick_values_are_those_of_the_quick_profile(path):
    nb = notebooks.read(path)
    assert notebooks.parameters(nb) | notebooks.quick_values(nb) == notebooks.parameters(nb, quick=True)


# ----------------------------------------------------------------------------------- definitions


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of notebooks; returns a function that puts one there."""
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path)

    def put(nb, name="01_small"):
        nbformat.write(nb, tmp_path / f"{name}.ipynb")
        return tmp_path / f"{name}.ipynb"

    return put


def test_definitions_run_imports_and_definitions_only(folder):
    folder(
        book(
            "import math\nloud = 1 / 0\nLOUD = 1 / 0\nquiet = 3\nNOTES = [1, 'two']",
            "def area(r):\n    return math.pi * r**2 * FACTOR",
            "class Box:\n    def volume(self):\n        return area(1)",
            "raise SystemExit('a training loop')",
            parameters="FACTOR = 2",
        )
    )
    space = definitions("01_small")
    assert space.area(1) == pytest.approx(6.2831853) and space.Box().volume() == space.area(1)
    assert space.FACTOR == 2 and space.NOTES == [1, "two"]
    assert not {"loud", "LOUD", "quiet", "math"} & set(vars(space))


def test_a_definition_that_needs_more_is_named(folder):
    folder(book("def late(x=undefined):\n    return x"))
    with pytest.raises(RuntimeError, match="01_small: 'late' does not run by itself"):
        definitions("01_small")


# --------------------------------------------------------------------------- clean and inspect


def dirty():
    nb = book("a", "b")
    nb.metadata = nbformat.from_dict({"widgets": {"state": {}}, "kernelspec": {"name": "mine"}, "papermill": {}})
    one, two = nb.cells
    one.metadata = nbformat.from_dict({"execution": {"start": 1}, "tags": ["keep"], "scrolled": True})
    one.outputs = [
        new_output("stream", name="stdout", text="1"),
        new_output("display_data", {"text/html": "bar"}, metadata={"course": {"transient": True}}),
        new_output("stream", name="stdout", text="2"),
        new_output("display_data", {"text/plain": ""}),
    ]
    two.outputs = [new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "Box()"})]
    two.id = one.id
    return nb


def test_normalise_leaves_what_lasts():
    nb = notebooks.normalise(dirty())
    one, two = nb.cells
    assert set(nb.metadata) == {"kernelspec", "language_info", "course"} and nb.metadata.kernelspec.name == "python3"
    assert one.metadata == {"tags": ["keep"]}
    assert [out.text for out in one.outputs] == ["12"] and two.outputs == []
    assert one.id != two.id
    nbformat.validate(nb)


def test_normalising_twice_changes_nothing():
    once = nbformat.writes(notebooks.normalise(dirty()))
    assert nbformat.writes(notebooks.normalise(nbformat.reads(once, 4))) == once


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("f( 1,2 )  # why", "f(\n    1,\n    2,\n)\n", True),
        ("x = 'a' 'b'", 'x = "ab"', True),
        ("x = f'{a}' f'b{c!r:>{n}}' 'd'", 'x = f"{a}b{c!r:>{n}}d"', True),
        ("del a, b", "del (a, b)", True),
        ("x = (1 + 2)", "x = 1 + 2", True),
        ("x = 0", "x = False", False),
        ("x = 1", "x = 1.0", False),
        ("x = ''", "x = None", False),
        ("x = ''", "x = b''", False),
        ("f(a)", "f(*a)", False),
        ("x = a", "x: int = a", False),
        ("x = f'{a}'", "x = f'{a!r}'", False),
        ("from . import a", "from .. import a", False),
        ("def f(a, *, b): pass", "def f(a, b): pass", False),
        ("%pip install x", "%pip install y", False),
        ("a if b else c", "c if b else a", False),
    ],
)
def test_the_hash_is_of_what_the_code_does(one, other, same):
    assert (notebooks.code_hash(book(one)) == notebooks.code_hash(book(other))) is same


def test_the_hash_is_the_same_on_each_python():
    """Computed once, on Python 3.11; the syntax trees of the later ones have other fields."""
    source = (
        "async def f(a: int = 0, *b, **c) -> str:\n    return f'{a=} {b!r:>{c}}' if a else ...\nclass A(B): x = -1j"
    )
    assert notebooks.code_hash(book(source)) == "1479615a3e340dfb"


def test_the_hash_follows_the_code_and_nothing_else():
    nb = book("a", "b")
    before = notebooks.code_hash(nb)
    nb.cells.insert(0, new_markdown_cell("words"))
    nb.cells[1].outputs = [new_output("stream", name="stdout", text="x")]
    assert notebooks.code_hash(nb) == before
    nb.cells[1].source = "a2"
    assert notebooks.code_hash(nb) != before


@pytest.mark.parametrize("links", ["", "← [Gone](07_gone.ipynb)\n\n"])
def test_navigation_is_written_under_the_heading(tmp_path, links):
    path = tmp_path / "08_text_classifier.ipynb"
    nb = new_notebook(
        cells=[
            new_markdown_cell(
                f"# 8 · Title\n\n{links}**What you do.** A.\n\n**Time:** about 7 minutes (9 with all) to read; B."
            )
        ]
    )
    nbformat.write(nb, path)
    for _ in range(2):
        notebooks.write_opening(path)
        parts = notebooks.read(path).cells[0].source.split("\n\n")
        assert parts == [
            "# 8 · Title",
            course.navigation(path.stem),
            "**What you do.** A.",
            "**Time:** about 5 minutes to read; B.",
        ]


@pytest.mark.parametrize("text", ["", "It goes on where [chapter 7](07_speech_recognition.ipynb) ends."])
def test_a_new_chapter_gets_its_line_of_links_and_loses_nothing(tmp_path, text):
    path = tmp_path / "08_text_classifier.ipynb"
    below = [text] if text else []
    nbformat.write(new_notebook(cells=[new_markdown_cell("\n\n".join(["# 8 · Title", *below]))]), path)
    notebooks.write_opening(path)
    parts = notebooks.read(path).cells[0].source.split("\n\n")
    assert parts == ["# 8 · Title", course.navigation(path.stem), *below]


@pytest.mark.parametrize(
    "output, found",
    [
        (new_output("stream", name="stderr", text="UserWarning: x"), "wrote to stderr: UserWarning"),
        (new_output("error", ename="KeyError", evalue="'k'", traceback=[]), "ended in KeyError"),
        (new_output("stream", name="stdout", text="saved in /home/me/x"), "/home/me/x"),
        (new_output("display_data", {"text/html": "<i>/tmp/abc/y.py</i>"}), "/tmp/abc/y.py"),
        (new_output("stream", name="stdout", text=r"in C:\Users\me\x"), r"C:\Users\me\x"),
    ],
)
def test_problems_are_found(output, found):
    nb = book("a")
    nb.cells[0].outputs = [output]
    assert len(notebooks.problems(nb)) == 1 and found in notebooks.problems(nb)[0]


def test_a_folded_cell_is_folded_for_both_readers():
    nb = book("# loads the posts\na = 1", "b = 2")
    nb.cells[0].metadata["tags"] = ["fold", "nbval-check-output"]
    for _ in range(2):
        nb = notebooks.normalise(nb)
        tags = ["fold", "nbval-check-output", "hide-input"]
        assert nb.cells[0].metadata == {"tags": tags, "jupyter": {"source_hidden": True}}
    nb.cells[0].metadata["tags"].remove("fold")
    assert notebooks.normalise(nb).cells[0].metadata == {"tags": ["nbval-check-output"]}


def test_what_is_no_problem():
    nb = book("a")
    nb.cells[0].outputs = [
        new_output("stream", name="stdout", text="see https://example.org/home/page and a/tmp/b, 3 /work"),
        new_output("display_data", {"image/png": "abc/tmp/def/"}),
    ]
    assert notebooks.problems(nb) == []


def test_metrics_are_collected_in_order():
    nb = book("a", "b")
    for cell, (name, value) in zip(nb.cells, [("z", 1.0), ("a", 2.0)], strict=True):
        cell.outputs = [new_output("display_data", {display.METRIC_MIME: {"name": name, "value": value}})]
    assert list(notebooks.metrics(nb).items()) == [("z", 1.0), ("a", 2.0)]
