"""What all tests share: no learner's progress is touched, nothing waits for a network, and no test has a deadline.

What a test needs and a machine may lack, such as a browser, is a fixture here: a test is skipped without it, with
the reason, and fails where it is demanded (``COURSE_REQUIRE_PROGRAMS``, ``COURSE_REQUIRE_NEWSGROUPS``).
"""

import os
import shutil
import subprocess
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("course", deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.load_profile("course")

os.environ["COURSE_PROGRESS"] = "off"
os.environ.setdefault("COURSE_OFFLINE", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from course_utils import paths  # noqa: E402
from course_utils.data import newsgroups  # noqa: E402
from course_utils.maintain import browser  # noqa: E402


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file or a class goes to one worker as a whole, but each run of a notebook by itself: they share nothing,
    and a class of them would keep one worker busy long after the other has finished."""
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return nodeid if "test_execution.py" in nodeid else super()._split_scope(nodeid)

    return Scheduling(config, log)


def _lacking(reason: str, demanded_by: str):
    """Skip the test, or fail it where the variable of this name is set."""
    if os.environ.get(demanded_by):
        pytest.fail(f"demanded by {demanded_by}, but {reason}")
    pytest.skip(reason)


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
    left = (".git", ".venv", "build", "cache", ".course_progress*", ".hypothesis", ".ipynb_checkpoints")
    ignore = shutil.ignore_patterns(*left, "*.egg-info", "__pycache__", ".*_cache")
    return lambda folder: Path(shutil.copytree(paths.ROOT, folder, ignore=ignore))


@pytest.fixture
def no_posts(monkeypatch, tmp_path):
    """A machine without the posts and without a network: an empty cache, an empty home. Returns the cache."""
    monkeypatch.delenv("SCIKIT_LEARN_DATA", raising=False)
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"
