"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Put content under this name at once; the old content stays until the new content is complete on the disk.

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
