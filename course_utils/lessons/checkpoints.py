"""Save a training run and go on with it later: one file, written whole or not at all, and checked when it is read.

A file is one line of JSON (its form, the length and the SHA-256 of what follows), then the arrays as NumPy writes
them (``.npz``). No pickle: reading a file never runs code from it.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np

from course_utils.files import write_whole

_FORM = "course checkpoint 1"
_LONGEST_HEADER = 1000  # bytes; a real one has about 150
_FACTS = "__facts__"
_KEPT = (_FACTS, "file", "allow_pickle")  # the last two are parameters of np.savez


class Damaged(ValueError):
    """A file that is no whole checkpoint; the message says what is wrong with it, and what to do."""


def save(path, arrays: dict[str, np.ndarray], facts: dict | None = None) -> None:
    """Write a checkpoint. What stood under this name stays until the new one is complete on the disk.

    Args:
        path: the file; its folder must exist.
        arrays: name → array of numbers, of any shape.
        facts: what else belongs to the run: numbers, texts, lists of them (whatever JSON can hold).

    Raises:
        ValueError: an array that is not made of numbers, or a name that NumPy's format or this one keeps for itself:
            ``file``, ``allow_pickle``, ``__facts__``.
        TypeError: a fact that JSON cannot hold.
        OSError: the file cannot be written; the old one, if there was one, is as it was.
    """
    path, content = Path(path), io.BytesIO()
    arrays = {name: np.asarray(value) for name, value in arrays.items()}
    for name, value in arrays.items():
        if name in _KEPT:
            raise ValueError(f"No array of a checkpoint can be called {name!r}: give it another name.")
        if value.dtype.kind not in "biuf":
            raise ValueError(f"A checkpoint holds arrays of numbers; {name!r} ({value.dtype}) is none.")
    np.savez(content, **arrays, **{_FACTS: np.frombuffer(json.dumps(facts or {}).encode(), dtype=np.uint8)})
    body = content.getvalue()
    header = {"form": _FORM, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    write_whole(path, json.dumps(header).encode() + b"\n" + body)


def load(path) -> tuple[dict[str, np.ndarray], dict]:
    """Read a checkpoint that ``save`` wrote: (arrays, facts).

    Raises:
        FileNotFoundError: there is no such file.
        Damaged: it was cut short, changed, or is something else; nothing of it is used.
    """
    path = Path(path)
    with path.open("rb") as file:
        first, body = file.readline(_LONGEST_HEADER), file.read()
    advice = "Delete it to start anew, or put an earlier copy in its place."
    try:
        header = json.loads(first)
        form, length, digest = header["form"], int(header["bytes"]), header["sha256"]
    except (ValueError, KeyError, TypeError):
        raise Damaged(f"{path.name} is no checkpoint of this course, or its beginning is lost. {advice}") from None
    if form != _FORM:
        raise Damaged(f"{path.name} has the form {form!r}; this course reads {_FORM!r}. {advice}")
    if len(body) < length:
        share = f"{len(body):,} of {length:,} bytes are there"
        raise Damaged(f"The checkpoint {path.name} was cut short: {share}. {advice}")
    if len(body) > length or hashlib.sha256(body).hexdigest() != digest:
        raise Damaged(f"The checkpoint {path.name} is damaged: its content does not match its own hash. {advice}")
    with np.load(io.BytesIO(body), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    return arrays, json.loads(arrays.pop(_FACTS).tobytes())


def require(arrays: dict[str, np.ndarray], like: dict[str, np.ndarray]) -> None:
    """Make sure that a checkpoint fits the model that is to be filled from it.

    Args:
        arrays: as ``load`` gave them.
        like: name → something with the shape that is needed. Further names in ``arrays`` are allowed.

    Raises:
        ValueError: a name is missing or has another shape; the message names the first one.
    """
    for name, value in like.items():
        wanted = tuple(value.shape)
        if name not in arrays:
            raise ValueError(f"The checkpoint has no {name!r}: it belongs to another model. Use its own parameters.")
        if arrays[name].shape != wanted:
            raise ValueError(
                f"The checkpoint has {name!r} with the shape {arrays[name].shape}; this model needs {wanted}. "
                "Use the parameters of the run that wrote it."
            )
