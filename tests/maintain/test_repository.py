"""The address of the repository: one place, and all that derives from it follows."""

import re
import subprocess
import sys

import pytest

from course_utils import paths
from course_utils.maintain import repository

SOMEBODY = "somebody-else/their-fork"


@pytest.fixture
def copy(tmp_path, copy_of_course):
    """The project as it is tracked, somewhere else; nothing in it leads back here."""
    return copy_of_course(tmp_path / "a copy")


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def command(folder, *words):
    return subprocess.run(
        [sys.executable, "-B", "-m", "course_utils", "repository", *words], cwd=folder, capture_output=True, text=True
    )


def between(text):
    return text.partition("<!-- binder: begin -->")[2].partition("<!-- binder: end -->")[0]


def test_another_address_changes_all_that_derives_from_it_and_back_again(copy):
    before, ours = contents(copy), repository.address(copy)
    done = command(copy, f"https://github.com/{SOMEBODY}.git")
    assert (done.returncode, done.stdout) == (0, "written: pyproject.toml, README.md\n"), done.stderr
    after = contents(copy)
    named = {name for name, content in after.items() if SOMEBODY.encode() in content}
    assert named - {"tests/maintain/test_repository.py"} == {"pyproject.toml", "README.md"}
    assert {name for name in after if after[name] != before.get(name)} == {"pyproject.toml", "README.md"}
    readme = after["README.md"].decode()
    assert readme.count(SOMEBODY) == between(readme).count(SOMEBODY) == 1
    assert f"/v2/gh/{SOMEBODY}/HEAD?urlpath=lab%2Ftree%2Fnotebooks%2F00_start_here.ipynb)" in readme
    assert command(copy).stdout == f"https://github.com/{SOMEBODY}\n"
    assert command(copy, ours).returncode == 0
    assert contents(copy) == before


def test_the_address_stands_nowhere_else(copy):
    """Neither this one nor a link to Binder that somebody has written by hand."""
    ours = repository.address(copy).removeprefix("https://")
    for name, content in contents(copy).items():
        text = content.decode(errors="ignore")
        if name == "README.md":
            text = text.replace(between(text), "")
        if name == "pyproject.toml":
            text = re.sub(r'^repository = ".*"$', "", text, flags=re.MULTILINE)
        assert not ours or ours not in text, name
        assert "mybinder.org" + "/v2" not in text, name


def test_the_readme_shows_the_address_that_is_set():
    text = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    assert between(text).strip() == repository.binder_markdown(repository.address()), "run: make repository URL=…"


def test_where_none_is_set_the_way_is_told_and_no_link_is_broken():
    text = repository.binder_markdown("")
    assert "(https://mybinder.org)" in text and "badge" not in text


@pytest.mark.parametrize(
    "url, source",
    [
        ("https://github.com/you/fork", "gh/you/fork"),
        ("https://gitlab.com/group/you/fork", "gl/group%2Fyou%2Ffork"),
        ("https://codeberg.org/you/fork", "git/https%3A%2F%2Fcodeberg.org%2Fyou%2Ffork"),
    ],
)
def test_binder_knows_each_kind_of_server(url, source):
    wanted = f"{repository.BINDER}/v2/{source}/HEAD?urlpath=lab%2Ftree%2Fnotebooks%2F08_text_classifier.ipynb"
    assert repository.binder(url, "notebooks/08_text_classifier.ipynb") == wanted


@pytest.mark.parametrize("url", ["https://github.com/you/fork/", " https://github.com/you/fork.git "])
def test_an_address_has_one_form(url):
    assert repository.checked(url) == "https://github.com/you/fork"


@pytest.mark.parametrize(
    "url",
    ["github.com/you/fork", "http://github.com/you/fork", "git@github.com:you/fork", "https://github.com/you",
     "https://name:word@github.com/you/fork", 'https://github.com/you/fo"rk', "https://github.com/you/fork?a=b"],
)  # fmt: skip
def test_what_is_no_address_is_refused_and_nothing_is_written(copy, url):
    before = contents(copy)
    with pytest.raises(ValueError, match="looks like https://github.com/you/fork"):
        repository.change(url, copy)
    assert contents(copy) == before


def test_a_readme_without_the_markers_is_left_alone(copy):
    readme = copy / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace("<!-- binder: end -->", ""), encoding="utf-8")
    before = contents(copy)
    done = command(copy, f"https://github.com/{SOMEBODY}")
    assert done.returncode == 2 and "needs the markers" in done.stderr
    assert contents(copy) == before
