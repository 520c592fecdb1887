"""The loaders: every way in which data can be missing, damaged or asked for wrongly."""

import errno
import http.client
import io
import multiprocessing
import os
import shutil
import socket
import ssl
import tarfile
import threading
import time
import urllib.error
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils import data, paths
from course_utils.data import docstrings, newsgroups

FILE = newsgroups._FILE


# ----------------------------------------------------------------------- asked for wrongly


@given(st.lists(st.sampled_from(newsgroups.NAMES), min_size=2, unique=True))
def test_categories_come_in_the_order_of_the_collection(names):
    chosen = newsgroups.check_categories(names)
    assert set(chosen) == set(names)
    assert list(chosen) == sorted(chosen, key=newsgroups.NAMES.index)


@given(st.text().filter(lambda name: name not in newsgroups.NAMES))
def test_an_unknown_category_gets_a_list_of_the_known_ones(name):
    with pytest.raises(ValueError) as error:
        newsgroups.check_categories(["sci.space", name])
    assert repr(name) in str(error.value)
    assert all(known in str(error.value) for known in newsgroups.NAMES)


@pytest.mark.parametrize(
    "names", [[], ["sci.space"], ["sci.space", "sci.space"], "sci.space", [1, 2], [None, "sci.med"]]
)
def test_too_few_or_no_names(names):
    with pytest.raises(ValueError, match="The twenty are|They are"):
        newsgroups.check_categories(names)


def test_all_means_all_twenty():
    assert newsgroups.check_categories("all") == newsgroups.NAMES and len(newsgroups.NAMES) == 20


def test_an_unknown_source_is_named():
    with pytest.raises(ValueError, match="auto, newsgroups, docstrings; not 'web'"):
        data.texts("web")


# ------------------------------------------------------------------- missing or damaged


@pytest.fixture
def small_text(monkeypatch):
    """The embedded text without reading thousands of files."""
    bundle = data.Bundle("docstrings", "embedded text: 2 docstrings", ["a", "b"], np.array([0, 1]), ("x", "y"))
    monkeypatch.setattr(docstrings, "docstrings", lambda: bundle)
    return bundle


def test_offline_falls_back_and_says_so(no_posts, small_text, capsys):
    assert data.texts() is small_text
    out = capsys.readouterr().out
    assert "not on this machine" in out and "Its numbers differ" in out and "embedded text" in out


def test_offline_is_an_error_where_the_posts_are_demanded(no_posts, small_text):
    with pytest.raises(newsgroups.Unavailable, match="not on this machine"):
        data.texts("newsgroups")


def test_a_truncated_cache_is_named_and_falls_back(no_posts, small_text, capsys):
    no_posts.mkdir()
    (no_posts / FILE).write_bytes(zlib.compress(b"x" * 10_000)[:20])
    assert data.texts() is small_text
    out = capsys.readouterr().out
    assert "is damaged" in out and "Cache loading failed" not in out


def test_the_search_goes_on_behind_a_damaged_copy(posts, no_posts, monkeypatch):
    source = next(home for home, _ in original_places() if (home / FILE).is_file())
    no_posts.mkdir()
    (no_posts / FILE).write_bytes(b"")
    theirs = Path.home() / "scikit_learn_data"
    theirs.mkdir(parents=True)
    shutil.copy(source / FILE, theirs)
    assert newsgroups.fetch() == "newsgroup posts: from scikit-learn's folder"


def original_places():
    """The places as they are outside of the test that hides them."""
    if folder := os.environ.get("ORIGINAL_SCIKIT_LEARN_DATA"):
        yield Path(folder), ""
    yield paths.ROOT / "data" / "cache", ""
    yield Path(os.path.expanduser("~")) / "scikit_learn_data", ""


@pytest.fixture(autouse=True)
def remember_the_folder(monkeypatch):
    if folder := os.environ.get("SCIKIT_LEARN_DATA"):
        monkeypatch.setenv("ORIGINAL_SCIKIT_LEARN_DATA", folder)


def archive_of_two_posts():
    """A collection in the form of the official archive, with two posts in each group."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for part in ("train", "test"):
            for name in newsgroups.NAMES:
                post = f"Subject: Re: {part}\n\nbody about {name}\n".encode()
                info = tarfile.TarInfo(f"20news-bydate-{part}/{name}/1")
                info.size = len(post)
                tar.addfile(info, io.BytesIO(post))
    return buffer.getvalue()


@pytest.fixture
def server(monkeypatch):
    """A stand-in for the official server: ``server["content"]`` is what it sends."""
    import hashlib

    from sklearn.datasets import _base, _twenty_newsgroups

    state = {"content": archive_of_two_posts(), "requests": 0}
    right = hashlib.sha256(state["content"]).hexdigest()
    monkeypatch.setattr(_twenty_newsgroups, "ARCHIVE", _twenty_newsgroups.ARCHIVE._replace(checksum=right))

    def urlretrieve(url, filename):
        state["requests"] += 1
        if isinstance(state["content"], Exception):
            raise state["content"]
        Path(filename).write_bytes(state["content"])

    monkeypatch.setattr(_base, "urlretrieve", urlretrieve)
    monkeypatch.setattr(newsgroups, "require_network", lambda: None)
    monkeypatch.setenv("COURSE_OFFLINE", "0")
    return state


def test_a_network_that_hangs_is_given_up_soon(monkeypatch):
    monkeypatch.setattr(newsgroups.urllib.request, "getproxies", lambda: {"no": "localhost"})
    over = threading.Event()

    def hangs(*_, **__):
        over.wait(20)
        return io.StringIO()

    monkeypatch.setattr(newsgroups.socket, "create_connection", hangs)
    begin = time.monotonic()
    with pytest.raises(newsgroups.Unavailable, match="cannot be reached"):
        newsgroups.require_network(patience=0.1)
    assert time.monotonic() - begin < 10
    over.set()
    monkeypatch.setattr(newsgroups.socket, "create_connection", lambda *_, **__: io.StringIO())
    newsgroups.require_network()
    monkeypatch.setattr(newsgroups.urllib.request, "getproxies", lambda: {"https": "http://proxy"})
    monkeypatch.setattr(newsgroups.socket, "create_connection", lambda *_, **__: 1 / 0)
    newsgroups.require_network()  # behind a proxy nothing is asked


def test_a_download_is_cached_and_used_again(no_posts, server, monkeypatch):
    monkeypatch.setenv("COURSE_OFFLINE", "0")
    first = newsgroups.newsgroups()
    second = newsgroups.newsgroups()
    assert "verified by hash" in first.source and "course's cache" in second.source
    assert server["requests"] == 1
    assert [p.name for p in no_posts.iterdir()] == [FILE], "nothing else is left behind"
    assert set(first.groups) == {"train", "test"} and first.in_test.sum() == 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "content, reason",
    [(b"not the archive", "its hash differs"), (TimeoutError("slow"), "did not answer in time"),
     (OSError(28, "No space left on device"), "disk is full")],
)  # fmt: skip
def test_a_failed_download_leaves_nothing_and_says_why(
    no_posts, server, small_text, capsys, monkeypatch, content, reason
):
    monkeypatch.setenv("COURSE_OFFLINE", "0")
    server["content"] = content
    assert data.texts() is small_text
    assert reason in capsys.readouterr().out
    assert list(no_posts.iterdir()) == []


def test_an_unwritable_folder_is_named(no_posts, server, small_text, capsys, monkeypatch):
    monkeypatch.setenv("COURSE_OFFLINE", "0")
    no_posts.parent.mkdir(exist_ok=True)
    monkeypatch.setattr("tempfile.TemporaryDirectory", denied)
    assert data.texts() is small_text
    assert "cannot be written to" in capsys.readouterr().out


def denied(*_, **__):
    # root may write everywhere, so the refusal itself is played.
    raise PermissionError(13, "Permission denied")


def _one_kernel(cache, content, results):
    import hashlib

    from sklearn.datasets import _base, _twenty_newsgroups

    os.environ.pop("SCIKIT_LEARN_DATA", None)
    os.environ["COURSE_OFFLINE"] = "0"
    paths.CACHE = cache
    Path.home = lambda: cache / "no home"
    right = hashlib.sha256(content).hexdigest()
    _twenty_newsgroups.ARCHIVE = _twenty_newsgroups.ARCHIVE._replace(checksum=right)
    _base.urlretrieve = lambda url, filename: Path(filename).write_bytes(content)
    newsgroups.require_network = lambda: None
    results.put(len(newsgroups.newsgroups()))


def test_two_kernels_may_fetch_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    results, content = context.Queue(), archive_of_two_posts()
    both = [context.Process(target=_one_kernel, args=(tmp_path / "cache", content, results)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert [results.get(timeout=5), results.get(timeout=5)] == [4, 4]
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [FILE]


# ------------------------------------------------------------------------ what they return


def test_the_real_posts_are_the_documents_posts(posts):
    from sklearn.datasets import fetch_20newsgroups

    assert (len(posts), posts.in_test.sum()) == (1796, 717)
    assert sum(not text.strip() for text in posts.x_clean) == 42
    home, _ = newsgroups._find()
    theirs = fetch_20newsgroups(data_home=home, subset="all", categories=list(newsgroups.DEFAULT))
    assert theirs.data == posts.x and (theirs.target == posts.y).all(), "the same posts in the same order"


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
    st.lists(st.sampled_from(["Re: ", "RE:", "fwd: "])),
)
def test_a_thread_is_its_subject_without_re(subject, marks):
    if not newsgroups.thread(f"Subject: {subject}\n"):
        return  # a subject of nothing but marks
    plain, answered = f"From: a\nSubject: {subject}\n\nx", f"From: b\nSubject: {''.join(marks)}{subject}\n\ny"
    assert newsgroups.thread(plain) == newsgroups.thread(answered)


def test_a_post_without_a_subject_has_an_empty_thread():
    assert newsgroups.thread("no header at all") == ""


def test_embedded_text_is_real_balanced_and_clean():
    bundle = docstrings.docstrings()
    assert 4_000 < len(bundle) < 8_000 and len(set(bundle.x_clean)) > 0.98 * len(bundle)
    assert 0.3 < bundle.y.mean() < 0.7 and 0.1 < bundle.in_test.mean() < 0.4
    assert not any(name in text.lower() for text in bundle.x_clean for name in ("sklearn", "scikit-learn", "scipy"))
    assert all("sklearn" in text or "scipy" in text for text in bundle.x)
    assert not set(bundle.groups[bundle.in_test]) & set(bundle.groups[~bundle.in_test]), "a group on both sides"
    again = docstrings.docstrings()
    assert again.x == bundle.x, "the order must not depend on the run"


def test_embedded_text_teaches_the_same_lesson():
    """With the give-away nearly everything is right; without it, on held-out subpackages, clearly less."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    bundle = docstrings.docstrings()
    train, test = np.flatnonzero(~bundle.in_test), np.flatnonzero(bundle.in_test)
    scores = {}
    for name, texts in (("x", bundle.x), ("x_clean", bundle.x_clean)):
        vectorizer = TfidfVectorizer(max_features=5000)
        model = LogisticRegression(C=10).fit(vectorizer.fit_transform([texts[i] for i in train]), bundle.y[train])
        scores[name] = model.score(vectorizer.transform([texts[i] for i in test]), bundle.y[test])
    assert scores["x"] > scores["x_clean"] + 0.02
    assert 0.85 < scores["x_clean"] < 0.97


@pytest.mark.parametrize(
    "name, shape, classes", [("digits", (1797, 64), 10), ("wine", (178, 13), 3), ("breast_cancer", (569, 30), 2),
                             ("diabetes", (442, 10), 0)],
)  # fmt: skip
def test_sets_of_scikit_learn(name, shape, classes, capsys):
    bundle = getattr(data, name)()
    assert bundle.x.shape == shape and len(bundle.y) == shape[0]
    assert len(bundle.classes) == classes and len(bundle.features) == shape[1]
    assert "installed with scikit-learn" in capsys.readouterr().out


def test_photographs():
    assert {k: v.shape for k, v in data.photographs().items()} == {"china": (427, 640, 3), "flower": (427, 640, 3)}


def test_a_bundle_refuses_parts_of_different_length():
    with pytest.raises(ValueError, match="x_clean has 1 entries for 2 targets"):
        data.Bundle("b", "s", ["a", "b"], np.array([0, 1]), x_clean=["a"])


def test_the_digits_are_split_by_contiguous_quarters_of_the_file():
    """Neighbours are probably by one hand: each quarter is one stretch, and the last one is the test."""
    digits = data.digits()
    assert (np.diff(digits.groups) >= 0).all() and set(digits.groups) == {0, 1, 2, 3}
    assert (digits.in_test == (digits.groups == 3)).all() and 440 <= digits.in_test.sum() <= 460
    assert all(len(set(digits.y[digits.groups == quarter])) == 10 for quarter in range(4))


def test_moved_digits_are_the_digits_each_at_a_place_of_its_own():
    digits, moved = data.digits(), data.moved_digits(14, seed=3)
    assert moved.x.shape == (1797, 14, 14) and (moved.y == digits.y).all() and (moved.in_test == digits.in_test).all()
    places = set()
    for ground, digit in zip(moved.x, digits.x.reshape(-1, 8, 8), strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(ground, (8, 8))
        (found, *_) = np.argwhere((windows == digit).all(axis=(2, 3)) & (windows.sum(axis=(2, 3)) == ground.sum()))
        places.add(tuple(found))
    assert len(places) >= 45, "49 places; digits with an empty edge can look as if they stood one pixel further"


def test_the_places_follow_from_the_seed_and_the_square_has_to_hold_a_digit():
    assert (data.moved_digits(10, 1).x == data.moved_digits(10, 1).x).all()
    assert (data.moved_digits(10, 1).x != data.moved_digits(10, 2).x).any()
    assert (data.moved_digits(8).x.reshape(-1, 64) == data.digits().x).all()
    with pytest.raises(ValueError, match="does not fit on 7 × 7"):
        data.moved_digits(7)


# ------------------------------------------------------------------- every way in which a download fails


class Answer(urllib.error.HTTPError):
    """A server that answers with an error."""

    def __init__(self, code):
        super().__init__("https://server.invalid", code, "no", {}, io.BytesIO())


FAULTS = {
    "403": (Answer(403), "refuses the download (403)"),
    "404": (Answer(404), "(404)"),
    "407": (Answer(407), "the proxy asks for a password"),
    "418": (Answer(418), "the error 418"),
    "503": (Answer(503), "overloaded (503)"),
    "a refusing proxy": (OSError("Tunnel connection failed: 403 Forbidden"), "the proxy refuses the connection (403)"),
    "a proxy that is no address": (
        http.client.InvalidURL("nonnumeric port: 'port'"),
        "address of the proxy is not one",
    ),
    "a proxy that answers rubbish": (http.client.BadStatusLine("hello"), "not a web server"),
    "an answer that is cut off": (http.client.IncompleteRead(b"x"), "not a web server"),
    "no name": (urllib.error.URLError(socket.gaierror(-2, "Name or service not known")), "cannot be looked up"),
    "refused": (urllib.error.URLError(ConnectionRefusedError(111, "refused")), "the connection was refused"),
    "reset": (ConnectionResetError(104, "reset"), "the connection broke off"),
    "slow": (TimeoutError("slow"), "did not answer in time"),
    "certificate": (ssl.SSLError("CERTIFICATE_VERIFY_FAILED"), "certificate is not trusted"),
    "read-only": (OSError(errno.EROFS, "Read-only file system"), "cannot be written to"),
    "not allowed": (PermissionError(13, "Permission denied"), "cannot be written to"),
    "full": (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
    "quota": (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full"),
    "damaged archive": (tarfile.ReadError("not a gzip file"), "the connection broke off"),
    "another system error": (OSError(5, "Input/output error"), "Input/output error"),
    "something nobody has seen": (LookupError("odd"), "LookupError"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_download_gives_its_reason_and_the_lesson_goes_on(
    no_posts, small_text, monkeypatch, capsys, recwarn, fault
):
    error, says = FAULTS[fault]

    def fails(*_, **__):
        import warnings

        warnings.warn("Retry downloading from url: https://server.invalid", stacklevel=1)
        raise error

    monkeypatch.setenv("COURSE_OFFLINE", "0")
    monkeypatch.setattr(newsgroups, "require_network", lambda: None)
    monkeypatch.setattr("sklearn.datasets.fetch_20newsgroups", only_downloads(fails))
    assert data.texts() is small_text
    said = capsys.readouterr()
    assert says in said.out and "SCIKIT_LEARN_DATA" in said.out and said.err == "" and not recwarn.list
    assert list(no_posts.iterdir()) == []


def only_downloads(function):
    """Stand in for scikit-learn's function where it would download."""
    from sklearn.datasets import fetch_20newsgroups as real

    return lambda *a, **k: real(*a, **k) if k.get("download_if_missing") is False else function(*a, **k)


def test_a_user_without_a_home_can_read_texts(no_posts, small_text, monkeypatch):
    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    assert data.texts() is small_text


# ------------------------------------------------------------------------------ the cache of docstrings


def test_docstrings_are_parsed_once_and_a_damaged_cache_is_passed_over(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    first = docstrings._read("joblib")
    (kept,) = (tmp_path / "cache").glob("docstrings-joblib-*.json")
    monkeypatch.setattr(docstrings, "_parsed", lambda *_: pytest.fail("parsed again"))
    assert docstrings._read("joblib") == first and len(first) > 50
    monkeypatch.undo()
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    for content in ("", "[[1]]", "{}", "[]"):
        kept.write_text(content)
        assert docstrings._read("joblib") == first
    monkeypatch.setattr(docstrings, "write_whole", denied)
    kept.unlink()
    assert docstrings._read("joblib") == first
