"""Write a file whole or not at all; write one part of it anew."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Put content under this name at once; what stood there stays until the new content is complete on the disk.

    The file keeps its permissions, and a link stays a link.

    Raises:
        OSError: it cannot be written; the old file, if there was one, is as it was.
    """
    path = path.resolve()
    # In the same folder, so that the last step is a renaming, which happens at once or not at all.
    number, draft = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        # A draft is private; a new file gets what the others in its folder have.
        os.chmod(draft, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def between(text: str, name: str, content: str) -> str:
    """The text of a README with this content between the markers of this name.

    Raises:
        ValueError: the markers are missing, or there more than once.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"The README needs the markers {begin} and {end}, once each.")
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{content}\n{end}{rest.partition(end)[2]}"


def rewrite(path: Path, name: str, content: str) -> None:
    """Put content between the markers of this name in a file. Raises ValueError as ``between`` does."""
    write_whole(path, between(path.read_text(encoding="utf-8"), name, content).encode("utf-8"))
