"""The 20 Newsgroups posts (Lang, 1995), "by date" collection, through scikit-learn.

Looked for in this order: the learner's folder (``SCIKIT_LEARN_DATA``), the course's cache, scikit-learn's
own folder, then the official source, which scikit-learn verifies by hash. ``COURSE_OFFLINE=1`` leaves
the last one out.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import io
import os
import re
import socket
import ssl
import tarfile
import tempfile
import threading
import urllib.error
import urllib.request
import warnings
import zlib
from pathlib import Path
from urllib.parse import urlparse

import numpy as np

from course_utils import paths
from course_utils.data.bundle import Bundle

NAMES = (
    "alt.atheism", "comp.graphics", "comp.os.ms-windows.misc", "comp.sys.ibm.pc.hardware",
    "comp.sys.mac.hardware", "comp.windows.x", "misc.forsale", "rec.autos", "rec.motorcycles",
    "rec.sport.baseball", "rec.sport.hockey", "sci.crypt", "sci.electronics", "sci.med", "sci.space",
    "soc.religion.christian", "talk.politics.guns", "talk.politics.mideast", "talk.politics.misc",
    "talk.religion.misc",
)  # fmt: skip
DEFAULT = ("alt.atheism", "soc.religion.christian")
_GIVE_AWAYS = ("headers", "footers", "quotes")
_FILE = "20news-bydate_py3.pkz"  # the name that scikit-learn gives its cache
MIN_BYTES = 10_000_000  # of the file; the real one has 15 million
PATIENCE_SECONDS = 20  # seconds without an answer before a download counts as failed
_SUBJECT = re.compile(r"^Subject:[ \t]*((?:re|fwd?)\s*:\s*)*(.*)$", re.IGNORECASE | re.MULTILINE)


class Unavailable(OSError):
    """The posts are not here and cannot be fetched; the message says why."""


def check_categories(categories) -> tuple[str, ...]:
    """The newsgroups asked for, in the order of the collection.

    Args:
        categories: two or more names, or ``"all"``.

    Raises:
        ValueError: an unknown name, a name twice, or fewer than two; the message lists the twenty.
    """
    known = "\n  ".join(NAMES)
    if categories == "all":
        return NAMES
    if isinstance(categories, str) or not all(isinstance(name, str) for name in categories):
        raise ValueError(f'CATEGORIES is a list of newsgroups, or "all"; not {categories!r}. They are:\n  {known}')
    unknown = [name for name in categories if name not in NAMES]
    if unknown:
        raise ValueError(f"No newsgroup is called {', '.join(map(repr, unknown))}. The twenty are:\n  {known}")
    chosen = set(categories)
    if len(chosen) < 2 or len(chosen) < len(categories):
        raise ValueError(f"CATEGORIES needs two or more different newsgroups. The twenty are:\n  {known}")
    return tuple(name for name in NAMES if name in chosen)


def newsgroups(categories=DEFAULT) -> Bundle:
    """The posts of these newsgroups, in the order of ``fetch_20newsgroups(subset="all")``.

    ``x_clean`` has no headers, footers and quoted lines, as scikit-learn's ``remove=`` takes them out;
    some posts are empty then. ``groups`` is the thread (the subject line without "Re:"). The honest
    split is the collection's own, by date.

    Raises:
        ValueError: see ``check_categories``.
        Unavailable: the posts are nowhere, and cannot be downloaded.
    """
    chosen = check_categories(categories)
    home, where = _find()
    as_posted = _load(home, chosen)
    cleaned = _load(home, chosen, remove=_GIVE_AWAYS)
    return Bundle(
        name="newsgroups",
        source=f"newsgroup posts: {len(as_posted.data):,} posts of {len(chosen)} groups, {where}",
        x=as_posted.data,
        x_clean=cleaned.data,
        give_away="headers, footers and quoted lines",
        y=np.asarray(as_posted.target),
        classes=tuple(as_posted.target_names),
        groups=np.array([thread(post) for post in as_posted.data]),
        in_test=np.array(["bydate-test" in str(name) for name in as_posted.filenames]),
    )


def thread(post: str) -> str:
    """The thread of a post: its subject in lower case, without "Re:"; empty if it has none."""
    found = _SUBJECT.search(post)
    return " ".join(found.group(2).lower().split()) if found else ""


def fetch() -> str:
    """Make sure that the posts are here, and say where they are.

    Raises:
        Unavailable: they are not, and cannot be downloaded.
    """
    return f"newsgroup posts: {_find()[1]}"


def present() -> str:
    """Where a copy of the posts lies, in words; empty if there is none. It is not read."""
    return next((where for home, where in _places() if (home / _FILE).is_file()), "")


def damaged() -> str:
    """Which copy of the posts is no posts at all (empty, cut off, a web page), in words; empty if there is none."""
    for home, where in _places():
        with contextlib.suppress(OSError), (home / _FILE).open("rb") as file:
            if file.read(1) != b"\x78" or (home / _FILE).stat().st_size < MIN_BYTES:  # it is compressed by zlib
                return where
    return ""


def offline() -> bool:
    """Whether ``COURSE_OFFLINE`` forbids downloads."""
    return os.environ.get("COURSE_OFFLINE", "") not in ("", "0")


def require_network(patience: float = 3.0) -> None:
    """Find out within ``patience`` seconds that there is no network, rather than in a minute.

    Raises:
        Unavailable: the server of the posts does not answer.
    """
    from sklearn.datasets import _twenty_newsgroups

    if {"http", "https", "all"} & set(urllib.request.getproxies()):
        return  # a proxy resolves and connects for us: only the download itself can tell
    host, answers = urlparse(_twenty_newsgroups.ARCHIVE.url).hostname, []

    def ask():
        with contextlib.suppress(OSError):
            socket.create_connection((host, 443), timeout=patience).close()
            answers.append(True)

    asking = threading.Thread(target=ask, daemon=True)  # the look-up of a name keeps to no time limit
    asking.start()
    asking.join(patience)
    if not answers:
        raise Unavailable("The newsgroup posts are not on this machine, and their server cannot be reached.")


# ------------------------------------------------------------------------------- where they are


def _find() -> tuple[Path, str]:
    """The folder that holds readable posts, and in words where that is; downloads as a last resort."""
    damaged = []
    for home, where in _places():
        if not (home / _FILE).is_file():
            continue
        try:
            _load(home, DEFAULT)
            return home, where
        except Exception:  # whatever a damaged pickle raises
            damaged.append(where)
    try:
        return _download(), "downloaded now and verified by hash"
    except Unavailable as reason:
        if damaged:
            raise Unavailable(f"The copy of the posts {damaged[0]} is damaged. {reason}") from None
        raise


def _places():
    if os.environ.get("SCIKIT_LEARN_DATA"):
        yield Path(os.environ["SCIKIT_LEARN_DATA"]), "from the folder that SCIKIT_LEARN_DATA names"
    yield paths.CACHE, "from the course's cache"
    with contextlib.suppress(RuntimeError):  # a user without a home
        yield Path.home() / "scikit_learn_data", "from scikit-learn's folder"


def _load(home: Path, categories, remove=()):
    from sklearn.datasets import fetch_20newsgroups

    # scikit-learn prints about a cache that it cannot read; we say it in our own words.
    with contextlib.redirect_stdout(io.StringIO()):
        return fetch_20newsgroups(
            data_home=home, subset="all", categories=list(categories), remove=remove, download_if_missing=False
        )


def _download() -> Path:
    """Fetch the posts into the cache and return its folder.

    scikit-learn works in a folder of its own, so that two kernels may download at once and an
    interrupted download leaves nothing behind; only the finished file is moved to its place.
    """
    if offline():
        raise Unavailable("The newsgroup posts are not on this machine, and COURSE_OFFLINE forbids a download.")
    require_network()
    from sklearn.datasets import fetch_20newsgroups

    patience = socket.getdefaulttimeout()
    try:
        paths.CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=paths.CACHE, prefix="download-") as folder:
            print("Downloading the newsgroup posts (14 MB), once …")
            socket.setdefaulttimeout(PATIENCE_SECONDS)
            with warnings.catch_warnings():  # scikit-learn warns on stderr before it tries again
                warnings.simplefilter("ignore")
                fetch_20newsgroups(data_home=folder, subset="all", n_retries=1)
            os.replace(Path(folder) / _FILE, paths.CACHE / _FILE)
    except Exception as error:  # the network, a proxy, the disk and a damaged archive raise very different ones
        own = f"If you have the file {_FILE}, name its folder in SCIKIT_LEARN_DATA."
        raise Unavailable(f"The newsgroup posts could not be downloaded: {reason(error)}. {own}") from None
    finally:
        socket.setdefaulttimeout(patience)
    return paths.CACHE


def reason(error: BaseException) -> str:
    """Why a download failed, in words: what the server, the network, the proxy or the disk said."""
    if isinstance(error, urllib.error.HTTPError):
        return HTTP_REASONS.get(error.code, f"the server answered with the error {error.code}")
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        return reason(error.reason)
    text = str(error)
    if "SHA256" in text or "checksum" in text:
        return "the file that came is not the right one (its hash differs)"
    if found := re.search(r"Tunnel connection failed: (\d+)", text):
        return f"the proxy refuses the connection ({found[1]}): check the variables HTTP_PROXY and HTTPS_PROXY"
    if isinstance(error, http.client.InvalidURL) or "unknown url type" in text:
        return "the address of the proxy is not one: check the variables HTTP_PROXY and HTTPS_PROXY"
    if isinstance(error, http.client.HTTPException):
        return "what answered is not a web server: a proxy, or a sign-in page of the network, may stand between"
    return _reason_of_the_system(error)


HTTP_REASONS = {
    401: "the server asks for a password (401)",
    403: "the server refuses the download (403), as it does at times: try again tomorrow",
    404: "the file is no longer where it was (404)",
    407: "the proxy asks for a password (407): check the variables HTTP_PROXY and HTTPS_PROXY",
    429: "the server has had too many requests (429): try again later",
    500: "the server has a fault (500): try again later",
    502: "the server cannot be reached behind its gateway (502): try again later",
    503: "the server is overloaded (503): try again later",
}


def _reason_of_the_system(error: BaseException) -> str:
    number = getattr(error, "errno", None)
    if isinstance(error, ssl.SSLError):
        return "the server's certificate is not trusted here: set SSL_CERT_FILE to the certificates of your network"
    if isinstance(error, PermissionError) or number == errno.EROFS:
        return "the folder data/cache cannot be written to"
    if number in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return "the disk is full"
    if isinstance(error, socket.gaierror):
        return "the server's name cannot be looked up: is there a network?"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused (by a proxy that is switched off, perhaps)"
    if isinstance(error, ConnectionError | EOFError | zlib.error | tarfile.TarError):
        return "the connection broke off"
    return f"{type(error).__name__}: {str(error)[:120]}" if str(error) else type(error).__name__
