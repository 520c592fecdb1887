"""What all tests share: no learner's progress is touched, and nothing waits for a network."""

import os
from pathlib import Path

import pytest

os.environ["COURSE_PROGRESS"] = "off"
os.environ.setdefault("COURSE_OFFLINE", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from course_utils import paths  # noqa: E402
from course_utils.data import newsgroups  # noqa: E402


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


@pytest.fixture(scope="session")
def posts():
    """The real newsgroup posts of chapter 8, or a skip; an error where they are demanded."""
    if not newsgroups.present():
        reason = "the newsgroup posts are not on this machine (python -m course_utils fetch)"
        if os.environ.get("COURSE_REQUIRE_NEWSGROUPS"):
            pytest.fail(f"demanded, but {reason}")
        pytest.skip(reason)
    return newsgroups.newsgroups()


@pytest.fixture
def no_posts(monkeypatch, tmp_path):
    """A machine without the posts and without a network: an empty cache, an empty home. Returns the cache."""
    monkeypatch.delenv("SCIKIT_LEARN_DATA", raising=False)
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"
