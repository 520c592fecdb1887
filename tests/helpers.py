"""What several test files share: the chapters as they were committed, their functions, their exercises filled in."""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import inspect
import io
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from course_utils import course, paths, session
from course_utils.exercises import Do, Exercise, registry
from course_utils.exercises.define import source_of
from course_utils.maintain import notebooks


def by_notebook(test):
    """Run a test for each chapter that is here; its argument is ``path``."""
    return pytest.mark.parametrize("path", notebooks.find(), ids=lambda path: path.stem)(test)


# -------------------------------------------------------------------- what a learner has edited


@functools.cache
def committed(name: str) -> bytes | None:
    """A file of the last commit; None where there is no Git, or no such file."""
    command = ["git", "-C", str(paths.ROOT), "show", f"HEAD:./{name}"]
    with contextlib.suppress(OSError):
        done = subprocess.run(command, capture_output=True)
        return done.stdout if done.returncode == 0 else None
    return None


def edited(path: Path) -> bool:
    """Whether somebody has worked in this notebook and saved it: it differs from the commit, and is not what
    ``make execute`` writes either (outputs of this very code, in a fixed form)."""
    original = committed(f"notebooks/{path.name}")
    with contextlib.suppress(OSError):
        if original is not None and original.replace(b"\r\n", b"\n") == path.read_bytes().replace(b"\r\n", b"\n"):
            return False
    try:
        nb = notebooks.read(path)
        as_written = path.read_text(encoding="utf-8")
        return (
            nb.metadata.get("course", {}).get("outputs_of") != notebooks.code_hash(nb)
            or notebooks.text(notebooks.normalise(nb)) != as_written
        )
    except (ValueError, OSError, KeyError, TypeError, AttributeError):  # not even a notebook any more
        return True


def set_edited_aside(folder: Path) -> tuple[list[str], list[str]]:
    """Let this process read the committed form of the chapters that somebody has edited.

    Args:
        folder: an empty one; it gets the chapters, and links to what lies beside them.

    Returns:
        The stems of the chapters that are tested in their committed form, and of those for which there is none.
    """
    changed = [one.path for one in course.CHAPTERS if one.available and edited(one.path)]
    missing = [one.path for one in course.CHAPTERS if not one.available and committed(f"notebooks/{one.path.name}")]
    restored = [path for path in changed + missing if committed(f"notebooks/{path.name}") is not None]
    if restored:
        chapters = [one.path for one in course.CHAPTERS if one.available or one.path in missing]
        for entry in paths.ROOT.iterdir():
            if entry.name not in ("notebooks", "build") and not entry.name.startswith("."):
                _link(entry, folder / entry.name)
        (folder / "notebooks").mkdir()
        for path in chapters:
            content = committed(f"notebooks/{path.name}") if path in restored else path.read_bytes()
            (folder / "notebooks" / path.name).write_bytes(content)
        paths.NOTEBOOKS = folder / "notebooks"
    return [path.stem for path in restored], [path.stem for path in changed if path not in restored]


def _link(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source, target_is_directory=source.is_dir())
    except OSError:  # links need a right of their own on Windows
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)


# -------------------------------------------------------------------------------- exercises


def fill(nb, stem: str, how: str):
    """A copy of a notebook with every exercise ``"solved"`` or ``"sabotaged"`` (its first mistake).

    Args:
        nb: a notebook of version 4.
        stem: its name; the first two digits are its chapter.

    Raises:
        ValueError: an exercise of the chapter does not stand in the notebook as its starter has it.
    """
    nb = copy.deepcopy(nb)
    for task in registry():
        if task.chapter != Path(stem).stem[:2]:
            continue
        places = [
            (cell, place) for cell in nb.cells if cell.cell_type == "code" if (place := _place(cell.source, task))
        ]
        if len(places) != 1:
            raise ValueError(f"The starter of {task.key} must stand in {stem} once, word for word:\n{task.starter}")
        ((cell, (begin, end)),) = places
        cell.source = cell.source[:begin] + _answer(task, how) + cell.source[end:]
    return nb


def _place(source: str, task) -> tuple[int, int] | None:
    """Where the starter of an exercise stands in a cell; a function may be laid out in another way."""
    if (begin := source.find(task.starter)) >= 0:
        return begin, begin + len(task.starter)
    if not isinstance(task, Exercise):
        return None
    try:
        statements, starter = ast.parse(source).body, ast.parse(task.starter)
    except SyntaxError:
        return None
    for node in statements:
        if ast.unparse(node) == ast.unparse(starter):
            lines = source.splitlines(keepends=True)
            begin = sum(map(len, lines[: node.lineno - 1]))
            return begin, begin + len("".join(lines[node.lineno - 1 : node.end_lineno]).rstrip())
    return None


def _answer(task, how: str) -> str:
    wrong = how == "sabotaged" and task.mistakes  # a guess is never wrong
    answer = task.mistakes[0].answer if wrong else task.reference
    if how == "in another form":
        forms = [form for form in getattr(task, "rights", []) if not set(inspect.getclosurevars(form).globals) - {"np"}]
        answer = forms[0] if forms else answer
    if isinstance(task, Exercise):
        return re.sub(r"\Adef \w+", f"def {task.name}", source_of(answer))
    if isinstance(task, Do):
        return f"{task.name} = ex.{task.name}.{'mistakes[0].answer' if wrong else 'reference'}()"
    return task.starter.replace("(...)  # replace the dots", f"({answer!r})")


# ------------------------------------------------------------------------------- definitions


def definitions(name: str) -> types.SimpleNamespace:
    """The functions and classes that a notebook defines, ready to use.

    Runs only its imports, its parameters and other literals with a name in capitals (functions may read
    them), its definitions, and the lines that put the course's own function in the place of an exercise:
    no data are loaded and nothing is trained.

    Args:
        name: as for ``notebooks.find``.

    Returns:
        A namespace with one attribute for each top-level function, class, parameter and such literal.

    Raises:
        FileNotFoundError: no such notebook.
        RuntimeError: a definition cannot be run by itself; the message names it.
    """
    (path,) = notebooks.find(name)
    nb = notebooks.read(path)
    module = types.ModuleType(f"notebook_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # pickling and dataclasses look their module up
    space = module.__dict__
    space.update(notebooks.parameters(nb))
    public = set(space) & notebooks.parameter_names(nb)
    for cell in nb.cells:
        if cell.cell_type != "code":
            continue
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                public.add(node.name)
            elif _is_constant(node):
                public.add(node.targets[0].id)
            elif not isinstance(node, ast.Import | ast.ImportFrom) and not _takes_reference(node):
                continue
            if _takes_reference(node):
                space.setdefault(node.targets[0].id, ...)  # what is made there, as long as nobody has made it
            if re.match(r"(import|from) (tensorflow|keras)", ast.unparse(node)):
                session.quiet_tensorflow()
            code = compile(ast.Module([node], []), f"{path.stem} [{getattr(node, 'name', 'import')}]", "exec")
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(code, space)
            except Exception as error:
                definition = getattr(node, "name", None) or ast.unparse(node)
                raise RuntimeError(f"{path.stem}: {definition!r} does not run by itself: {error!r}") from error
    return types.SimpleNamespace(**{key: space[key] for key in public})


def _is_constant(node) -> bool:
    """Whether a statement gives a name in capitals a literal value."""
    if not (isinstance(node, ast.Assign) and len(node.targets) == 1):
        return False
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper()


def _takes_reference(node) -> bool:
    """Whether a statement is ``name = ex.name.or_reference(name)``."""
    call = getattr(node, "value", None)
    return isinstance(node, ast.Assign) and isinstance(call, ast.Call) and "or_reference" in ast.unparse(call.func)
