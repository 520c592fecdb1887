"""What all tests share: no learner's progress is touched, nothing waits for a network, and no test has a deadline.

What a test needs and a machine may lack, such as a browser, is a fixture here: a test is skipped without it, with
the reason, and fails where it is demanded (``COURSE_REQUIRE_PROGRAMS``, ``COURSE_REQUIRE_NEWSGROUPS``).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("course", deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.load_profile("course")

os.environ["COURSE_PROGRESS"] = "off"
os.environ.setdefault("COURSE_OFFLINE", "1")

import helpers  # noqa: E402

from course_utils import paths  # noqa: E402
from course_utils.data import newsgroups  # noqa: E402
from course_utils.maintain import browser  # noqa: E402

# ------------------------------------------------------------------------------------- the run


def pytest_addoption(parser):
    group = parser.getgroup("course")
    group.addoption(
        "--committed", action="store_true",
        help="test the committed form of the chapters in which somebody has worked (make test does)",
    )  # fmt: skip
    group.addoption(
        "--fresh", action="store_true", help="execute all notebooks, also those that passed here with the same code"
    )


def pytest_configure(config):
    config.course_folder, config.course_restored, config.course_edited = None, [], []
    if config.getoption("--committed"):
        config.course_folder = Path(tempfile.mkdtemp(prefix="course-committed-"))
        config.course_restored, config.course_edited = helpers.set_edited_aside(config.course_folder)


def pytest_unconfigure(config):
    if config.course_folder:
        shutil.rmtree(config.course_folder, ignore_errors=True)


def pytest_report_header(config):
    return _about_edited(config)


def pytest_terminal_summary(terminalreporter, config):
    for line in _about_edited(config):
        terminalreporter.write_line(line, yellow=True)


def _about_edited(config):
    lines = []
    if config.course_restored:
        lines.append(
            f"You have worked in {', '.join(config.course_restored)}: your notebooks are left alone, and the tests "
            "read the course's own form of them. (Authors: make execute first.)"
        )
    if config.course_edited:
        lines.append(
            f"You have worked in {', '.join(config.course_edited)}, and there is no Git that has the course's own "
            "form: tests of these may fail because of your edits."
        )
    return lines


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure of a chapter in which somebody has worked says so: it may be no fault of the course."""
    report = yield
    path = getattr(item, "callspec", None) and item.callspec.params.get("path")
    if report.failed and isinstance(path, Path) and path.suffix == ".ipynb" and helpers.edited(path):
        report.sections.append(("about this notebook", f"{path.name} has been edited since the last commit."))
    return report


# Files that take longest come first, so that no worker is left alone with one at the end (processor seconds).
LONGEST_FIRST = ("test_execution", "test_book", "test_browser", "test_registry", "test_engine", "test_chapter_13",
                 "test_chapter_12", "test_chapter_06", "test_chapter_10", "test_chapter_15")  # fmt: skip


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file goes to one worker as a whole, because its tests share fixtures and some tell a story; but each run of a
    notebook goes by itself: these share nothing."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::")[0]
            return nodeid if file.endswith("test_execution.py") else file

    return ByFile(config, log)


def pytest_collection_modifyitems(items):
    """The longest first, for ``--no-loadscope-reorder``."""
    order = {stem: number for number, stem in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


# ------------------------------------------------------------------------------------- fixtures


def _lacking(reason: str, demanded_by: str):
    """Skip the test, or fail it where the variable of this name is set."""
    if os.environ.get(demanded_by):
        pytest.fail(f"demanded by {demanded_by}, but {reason}")
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def close_figures():
    """Figures that a test leaves open are closed; Matplotlib warns when they become many."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(scope="session")
def posts():
    """The real newsgroup posts of chapter 8."""
    if not newsgroups.present():
        reason = "the newsgroup posts are not on this machine (python -m course_utils fetch)"
        _lacking(reason, "COURSE_REQUIRE_NEWSGROUPS")
    return newsgroups.newsgroups()


@pytest.fixture(scope="module")
def chromium():
    """A browser, driven by Playwright."""
    if browser.find_chromium() is None:
        _lacking(browser.MISSING, "COURSE_REQUIRE_PROGRAMS")
    with browser.chromium() as program:
        yield program


@pytest.fixture(scope="session")
def espeak():
    """The version of espeak-ng."""
    if shutil.which("espeak-ng") is None:
        _lacking("espeak-ng is not on this machine (Debian's package of that name)", "COURSE_REQUIRE_PROGRAMS")
    return subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="session")
def copy_of_course():
    """A function: copy the course to a folder, without what set-up, runs and learners left beside it."""
    names = (".git", ".venv", "build", "cache", ".course_progress*", ".hypothesis", ".ipynb_checkpoints")
    ignore = shutil.ignore_patterns(*names, "*.egg-info", "__pycache__", ".*_cache")

    def copy(folder):
        folder = Path(shutil.copytree(paths.ROOT, folder, ignore=ignore))
        for path in paths.NOTEBOOKS.glob("*.ipynb"):  # in their committed form, where that is tested
            shutil.copy(path, folder / "notebooks" / path.name)
        return folder

    return copy


@pytest.fixture
def no_posts(monkeypatch, tmp_path):
    """A machine without the posts and without a network: an empty cache, an empty home. Returns the cache."""
    monkeypatch.delenv("SCIKIT_LEARN_DATA", raising=False)
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"
