"""The public address of the repository: it stands in pyproject.toml alone; what derives from it is written here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import quote, urlsplit

from course_utils import paths
from course_utils.files import write_whole
from course_utils.maintain.readme import between

BINDER = "https://mybinder.org"
_LINE = re.compile(r'^(repository = )"[^"\n]*"', re.MULTILINE)
_FORM = re.compile(r"https://[\w.-]+\.[a-z]{2,}(?::\d+)?(?:/[\w.~-]+){2,}")


def address(root: Path = paths.ROOT) -> str:
    """The address in pyproject.toml, such as ``https://github.com/you/fork``; empty where none is set.

    Raises:
        ValueError: the entry is not such an address.
    """
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return checked(settings.get("tool", {}).get("course", {}).get("repository", ""))


def checked(url: str) -> str:
    """The address in its one form: no slash and no ``.git`` at the end; an empty one stays empty.

    Raises:
        ValueError: it is not an https address of a repository (server, owner, name).
    """
    url = url.strip().rstrip("/").removesuffix(".git")
    if url and not _FORM.fullmatch(url):
        raise ValueError(f"{url!r} is not the address of a repository; that looks like https://github.com/you/fork.")
    return url


def binder(url: str, notebook: str) -> str:
    """The address that opens a notebook of this repository on Binder, in JupyterLab.

    Args:
        url: as from ``address``; not empty.
        notebook: its path in the repository, such as ``notebooks/00_start_here.ipynb``.
    """
    parts = urlsplit(url)
    path = parts.path.strip("/")
    if parts.netloc == "github.com":
        source = f"gh/{path}"
    elif parts.netloc == "gitlab.com":
        source = f"gl/{quote(path, safe='')}"
    else:
        source = f"git/{quote(url, safe='')}"
    return f"{BINDER}/v2/{source}/HEAD?urlpath={quote('lab/tree/' + notebook, safe='')}"


def binder_markdown(url: str, badge: bool = True) -> str:
    """The paragraph that says how to run the course in the browser: a link where an address is set, else the way.

    Args:
        url: as from ``address``; may be empty.
        badge: whether the link is Binder's picture, which is loaded from its server, or words.
    """
    link = "put the address of this repository into the form at [mybinder.org](https://mybinder.org)"
    if url:
        words = f"![Start on Binder]({BINDER}/badge_logo.svg)" if badge else "start it on Binder"
        link = f"[{words}]({binder(url, 'notebooks/00_start_here.ipynb')})"
    return (
        f"**In the browser, nothing installed:** {link}. The first start takes some minutes. Binder gives up to 2 GB "
        "of memory and forgets your changes after ten idle minutes: download what you want to keep."
    )


def change(url: str, root: Path = paths.ROOT) -> list[str]:
    """Set another address, and write what derives from it again.

    Args:
        url: as for ``checked``; empty takes the address away.

    Returns:
        The names of the files that are different now.

    Raises:
        ValueError: it is not such an address, or a file lacks the place for it; then nothing is written.
    """
    url = checked(url)
    texts = {name: (root / name).read_bytes().decode() for name in ("pyproject.toml", "README.md")}
    settings, found = _LINE.subn(rf'\1"{url}"', texts["pyproject.toml"])
    if found != 1:
        raise ValueError('pyproject.toml needs one line repository = "…", under [tool.course].')
    new = {"pyproject.toml": settings, "README.md": between(texts["README.md"], "binder", binder_markdown(url))}
    changed = [name for name in new if new[name] != texts[name]]
    for name in changed:
        write_whole(root / name, new[name].encode())
    return changed
