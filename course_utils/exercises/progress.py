"""What the learner has solved: one small file, written so that nothing saved before is ever lost.

``COURSE_PROGRESS`` names another file, or is ``off``. Where the file cannot be written, progress lives in
memory until the kernel ends, and one line says so.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import time
import zlib
from pathlib import Path

from course_utils import paths
from course_utils.files import write_whole

DONE = ("correct", "noted")  # statuses that count as solved
FIELDS = {"solved": bool, "solution_seen": bool, "tries": int, "hints": int, "reference": str}
_memory: dict[str, dict] = {}
_said: set[str] = set()


def file() -> Path | None:
    """Where progress is kept, or None if it is switched off."""
    setting = os.environ.get("COURSE_PROGRESS", "")
    if setting == "off":
        return None
    return Path(setting) if setting else paths.ROOT / ".course_progress.json"


def note(key: str, reference: str, status: str) -> None:
    """Record a verdict. A blank is no try."""
    if status != "not attempted":
        _change(key, reference, lambda e: e.update(tries=e["tries"] + 1, solved=e["solved"] or status in DONE))


def count_hint(key: str, reference: str) -> int:
    """Record that a hint was asked for; returns how many have been, with this one."""
    return _change(key, reference, lambda e: e.update(hints=e["hints"] + 1))["hints"]


def note_solution(key: str, reference: str) -> None:
    """Record that the solution was looked at."""
    _change(key, reference, lambda e: e.update(solution_seen=True))


def entries() -> dict[str, dict]:
    """Everything recorded so far: key → entry."""
    path = file()
    return _merge(_read(path) if path else {}, _memory)


# ------------------------------------------------------------------------- reading and writing


def _fresh(reference: str) -> dict:
    return {"solved": False, "solution_seen": False, "tries": 0, "hints": 0, "reference": reference}


def _change(key: str, reference: str, change) -> dict:
    """Change one entry: under a lock, on what the file holds now, so that two kernels lose nothing."""
    path = file()
    try:
        with _locked(path):
            all_entries = _merge(_read(path) if path else {}, _memory)
            entry = _changed(all_entries, key, reference, change)
            if path:
                _write(path, all_entries)
                _memory.clear()
            else:
                _memory[key] = entry
    except OSError:
        entry = _changed(_memory, key, reference, change)
        _say(
            "Your progress cannot be saved here; it is kept until this kernel ends. "
            "Take it with you: cu.exercises.progress.export()"
        )
    return entry


def _changed(where: dict, key: str, reference: str, change) -> dict:
    """Change one entry in there, and return it; an entry of another reference starts again."""
    entry = where.get(key)
    where[key] = entry = dict(entry) if entry and entry["reference"] == reference else _fresh(reference)
    change(entry)
    return entry


@contextlib.contextmanager
def _locked(path: Path | None):
    """Hold the lock file. One that is older than ten seconds, or has a time to come, was left by a kernel that died."""
    if path is None:
        yield
        return
    lock, end = path.with_name(path.name + ".lock"), time.monotonic() + 12
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            with contextlib.suppress(OSError):
                if not 0 <= time.time() - lock.stat().st_mtime + 1 <= 11:
                    lock.unlink()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _write(path: Path, content: dict) -> None:
    write_whole(path, json.dumps(content, indent=1, sort_keys=True).encode("utf-8"))


def _read(path: Path) -> dict[str, dict]:
    """The entries of the file. A file with anything else in it is set aside under another name, never overwritten."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        content = None
    found = {}
    for key, entry in content.items() if isinstance(content, dict) else ():
        with contextlib.suppress(ValueError):
            found[key] = _valid(entry)
    if content is None or not isinstance(content, dict) or len(found) < len(content):
        aside = next(p for i in range(1, 1000) if not (p := path.with_name(f"{path.name}.damaged-{i}")).exists())
        with contextlib.suppress(OSError):
            os.replace(path, aside)
            if found:
                _write(path, found)
        what, then = ("A part of your", "the rest still counts") if found else ("Your", "a new one is made")
        _say(f"{what} progress file could not be read. It is kept as {aside.name}; {then}.")
    return found


def _valid(entry) -> dict:
    """An entry with all fields; another version of the course may have some more, or not all of these.

    Raises:
        ValueError: it is not an entry.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("reference"), str):
        raise ValueError("not an entry")
    entry = _fresh(entry["reference"]) | entry
    if not all(type(entry[name]) is kind for name, kind in FIELDS.items()):
        raise ValueError("not an entry")
    return entry


def _merge(one: dict, other: dict) -> dict:
    """Both together; of an entry in both, the further one, or the other's if their references differ."""
    merged = {key: dict(entry) for key, entry in one.items()}
    for key, entry in other.items():
        mine = merged.get(key)
        if mine is None or mine["reference"] != entry["reference"]:
            merged[key] = dict(entry)
        else:
            merged[key] = mine | entry | {name: max(mine[name], entry[name]) for name in FIELDS}
    return merged


def _say(line: str) -> None:
    if line not in _said:
        _said.add(line)
        print(line)


# ---------------------------------------------------------------------------- export, restore


def export() -> str:
    """All progress as a short code, to be kept where Binder cannot forget it."""
    packed = zlib.compress(json.dumps(entries(), sort_keys=True).encode(), 9)
    return base64.urlsafe_b64encode(zlib.crc32(packed).to_bytes(4, "big") + packed).decode()


def restore(code: str) -> str:
    """Add the progress of a code to what there is; returns a sentence with the result.

    Where an exercise has changed since the code was made, what there is stays.

    Raises:
        ValueError: the code is damaged or incomplete. Nothing is changed then.
    """
    from course_utils.exercises.register import registry

    try:
        raw = base64.b64decode("".join(str(code).split()), altchars=b"-_", validate=True)
        if zlib.crc32(raw[4:]) != int.from_bytes(raw[:4], "big"):
            raise ValueError
        unpack = zlib.decompressobj()
        content = json.loads(unpack.decompress(raw[4:], 1_000_000))
        theirs = {str(key): _valid(entry) for key, entry in content.items()}
    except (ValueError, binascii.Error, zlib.error, AttributeError, TypeError):
        raise ValueError("This code is damaged or incomplete: copy it whole, from export(), and try again.") from None
    now = {task.key: task.fingerprint for task in registry()}

    def with_theirs(mine: dict) -> dict:
        news = {
            key: entry
            for key, entry in theirs.items()
            if key not in mine or entry["reference"] in (mine[key]["reference"], now.get(key))
        }
        return _merge(mine, news)

    path = file()
    try:
        with _locked(path):
            if path:
                _write(path, with_theirs(_merge(_read(path), _memory)))
    except OSError:
        path = None
        _say("Your progress cannot be saved here; it is kept until this kernel ends.")
    if not path:
        _memory.update(with_theirs(_memory))
    return f"Restored: {sum(entry['solved'] for entry in theirs.values())} solved exercises."


# ------------------------------------------------------------------------------------ summary


def _is_solved(task, done: dict) -> bool:
    entry = done.get(task.key)
    return bool(entry and entry["solved"] and entry["reference"] == task.fingerprint)


def summary() -> dict[str, tuple[int, int]]:
    """Chapter number → (solved, all) for every chapter that has exercises."""
    from course_utils.exercises.register import registry

    done, found = entries(), {}
    for task in registry():
        solved, total = found.get(task.chapter, (0, 0))
        found[task.chapter] = (solved + _is_solved(task, done), total + 1)
    return found


def as_text() -> str:
    """The whole course, a line a chapter."""
    lines = [f"chapter {number}: {solved} of {total} solved" for number, (solved, total) in summary().items()]
    return "\n".join(lines)


def chapter_text(number: str) -> str:
    """How far one chapter is, by kind, and what to try again."""
    from course_utils.exercises.register import registry

    done, tasks = entries(), [task for task in registry() if task.chapter == number]
    solved = {task.key: _is_solved(task, done) for task in tasks}
    kinds = [
        kind for kind in ("predict", "complete", "repair", "do", "explain") if kind in {task.kind for task in tasks}
    ]
    parts = []
    for kind in kinds:
        mine = [solved[task.key] for task in tasks if task.kind == kind]
        parts.append(f"{kind} {sum(mine)} of {len(mine)}")
    lines = [f"{sum(solved.values())} of {len(tasks)} solved: {', '.join(parts)}"]
    tried = [task.name for task in tasks if not solved[task.key] and done.get(task.key, {}).get("tries")]
    new = [task.name for task in tasks if not solved[task.key] and task.name not in tried]
    lines += [f"to try again: {', '.join(tried)}"] if tried else []
    lines += [f"still open: {', '.join(new)}"] if new else []
    return "\n".join(lines)


def chapter(number: str) -> None:
    """Show how far one chapter is: the last cell of a notebook."""
    from course_utils.exercises import present

    present.show_text(chapter_text(number))


def show() -> None:
    """Show the whole course: the last cell of the first notebook."""
    from course_utils.exercises import present

    present.show_text(as_text())
