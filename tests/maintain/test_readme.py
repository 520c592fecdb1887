"""What is written into README.md and RESULTS.md: at its place, from a full run of all chapters, and nothing else."""

import nbformat
import pytest
from nbformat.v4 import new_notebook

from course_utils import course, paths
from course_utils.maintain import readme

RESULTS = {
    "profile": "full",
    "parameters": {},
    "machine": "Linux x86_64, 2 cores",
    "versions": {"python": "3.12.1", "tensorflow-cpu": "2.21.0", "keras": "3.15.1"},
    "notebooks": {
        "01_core_concepts": {
            "status": "ok", "seconds": 61.2, "peak_mb": 700, "metrics": {"accuracy": 0.98765, "loss": 2},
        },
        "08_mine": {"status": "ok", "seconds": 1, "peak_mb": 2, "metrics": {"mine": 3}},
    },
}  # fmt: skip
README = "a\n<!-- map: begin -->\n<!-- map: end -->\nb\n<!-- results: begin -->\nold\n<!-- results: end -->\nc ü"


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A README beside a folder with one chapter and a learner's copy of another."""
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "notebooks")
    paths.NOTEBOOKS.mkdir()
    for stem in ("01_core_concepts", "08_mine"):
        nbformat.write(new_notebook(), paths.NOTEBOOKS / f"{stem}.ipynb")
    path = tmp_path / "README.md"
    path.write_bytes(README.encode())
    return path


def test_only_what_stands_between_the_markers_is_written_again(page):
    before = page.read_bytes()
    readme.rewrite(page, "results", "new")
    assert page.read_bytes() == before.replace(b"old", b"new")
    with pytest.raises(ValueError, match="y: begin"):
        readme.rewrite(page, "y", "new")
    assert page.read_bytes() == before.replace(b"old", b"new")


def test_line_ends_stay_as_they_are(page):
    page.write_bytes(README.replace("\n", "\r\n").encode())
    readme.rewrite(page, "results", "one\ntwo")
    assert page.read_bytes() == README.replace("old", "one\ntwo").replace("\n", "\r\n").encode()


def test_results_have_a_row_a_chapter_and_a_page_of_metrics(page, tmp_path):
    for _ in range(2):  # a second time replaces the first
        readme.write_results(RESULTS, page, tmp_path / "RESULTS.md")
        text = page.read_text(encoding="utf-8")
        assert text.count("| 01_core_concepts | 1 min 1 s | 700 MB |") == 1 and "08_mine" not in text
        assert "old" not in text and text.startswith("a\n") and text.endswith("\nc ü")
        rows = [line for line in (tmp_path / "RESULTS.md").read_text(encoding="utf-8").splitlines() if "`" in line[:9]]
        assert rows == ["| 01 | `accuracy` | 0.9877 |", "| 01 | `loss` | 2 |"]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"profile": "quick"}, "this run was another one"),
        ({"parameters": {"SEED": 7}}, "this run was another one"),
        ({"notebooks": {"01_core_concepts": {"status": "failed"}}}, "these failed: 01_core_concepts"),
        ({"notebooks": {}}, "does not have: 01_core_concepts"),
    ],
)
def test_only_full_finished_runs_of_all_reach_the_readme(page, tmp_path, change, message):
    before = page.read_bytes()
    with pytest.raises(ValueError, match=message):
        readme.write_results({**RESULTS, **change}, page, tmp_path / "RESULTS.md")
    assert page.read_bytes() == before and not (tmp_path / "RESULTS.md").exists()


def test_the_map_is_written_between_its_markers(page):
    for _ in range(2):
        readme.write_map(page)
        text = page.read_text(encoding="utf-8")
        assert text.count("[Core concepts](notebooks/01_core_concepts.ipynb) 核心概念 | 5 min |") == 1
        assert text.startswith("a\n") and "old" in text and text.endswith("\nc ü")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3}', '{"cells": [{"source": 3}]}', '{"cells": [7]}'])
def test_a_damaged_notebook_does_not_stop_the_map(page, content):
    (paths.NOTEBOOKS / "01_core_concepts.ipynb").write_text(content)
    readme.write_map(page)
    assert "[Core concepts](notebooks/01_core_concepts.ipynb)" in page.read_text(encoding="utf-8")
    assert course.CHAPTERS[1].time is None or content == '{"cells": 3}'


def test_missing_markers_are_named(page, tmp_path):
    page.write_text("nothing")
    with pytest.raises(ValueError, match="results: begin"):
        readme.write_results(RESULTS, page, tmp_path / "RESULTS.md")
