"""The notebooks as files: find them, read them, take their functions out, clean and inspect them."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import re
import sys
import tokenize
import types
from pathlib import Path

import nbformat

from course_utils import course, display, paths, session
from course_utils.files import write_whole

_PATH_OF_A_MACHINE = re.compile(
    r"(?<![\w.])(?:/(?:home|Users|root|tmp|work|private|var|opt|mnt)/|[A-Z]:\\{1,2}Users)[\w.\\/-]+"
)
_WIDGET = "application/vnd.jupyter.widget-view+json"
_NAVIGATION = re.compile(r"(?:(?:← )?\[[^\]]*\]\([^)\s]*\.ipynb\)(?: →)?(?: · )?)+")
FOLD, READING_COPY_FOLD = "fold", "hide-input"  # tags; the second is the one that MyST-NB knows
_QUICK = re.compile(r"#\s*quick:\s*(.+?)\s*$")


# ------------------------------------------------------------------------------------- find, read


def find(*names: str) -> list[Path]:
    """The notebooks of the course in reading order, or those that are named.

    Args:
        names: numbers (``8``, ``"08"``), stems (``"08_text_classifier"``) or paths; none means all. A copy made in
            JupyterLab (``08_text_classifier-Copy1``) is only found by its stem.

    Raises:
        FileNotFoundError: no notebook is called so; the message lists those there are.
    """
    files = sorted(paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    every = [p for p in files if re.fullmatch(r"\w+", p.stem)]
    if not names:
        return every
    found = []
    for name in map(str, names):
        wanted = name.zfill(2) if name.isdigit() else Path(name).stem
        match = [p for p in every if wanted == p.stem[:2]] + [p for p in files if wanted == p.stem]
        if not match:
            known = ", ".join(p.stem for p in every)
            raise FileNotFoundError(f"There is no notebook {name!r}. There are: {known}.")
        found += match
    return found


def read(path: Path | str) -> nbformat.NotebookNode:
    """A notebook in the current format.

    Raises:
        ValueError: the file is no notebook.
    """
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises several kinds, and JSON its own
        raise ValueError(f"{Path(path).name} is not a readable notebook: {error}") from None


def write(nb, path: Path) -> None:
    """Write a notebook whole, or not at all."""
    write_whole(path, (nbformat.writes(nb) + "\n").encode("utf-8"))


def tags(cell) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def title(nb) -> str:
    """The first heading of a notebook, without its mark."""
    for cell in nb.cells:
        for line in cell.source.splitlines():
            if cell.cell_type == "markdown" and line.startswith("# "):
                return line[2:].strip()
    return ""


# ------------------------------------------------------------------------------------ parameters


def parameters(nb, quick: bool = False) -> dict:
    """The parameters of a notebook and their values.

    They are the assignments of the cell tagged ``parameters``. A comment ``# quick: VALUE`` after one
    gives its value in the quick profile, which runs every cell in little time.

    Raises:
        ValueError: the cell holds anything but assignments of literals, or there are two such cells.
    """
    cells = [cell for cell in nb.cells if "parameters" in tags(cell)]
    if not cells:
        return {}
    if len(cells) > 1:
        raise ValueError("A notebook has one cell tagged 'parameters', not several.")
    source = cells[0].source
    comments = _comments(source)
    values = {}
    for node in ast.parse(source).body:
        if not (isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)):
            raise ValueError(f"The parameters cell holds assignments only, not: {ast.unparse(node)}")
        try:
            value = ast.literal_eval(node.value)
            mark = _QUICK.search(comments.get(node.end_lineno, ""))
            if quick and mark:
                value = ast.literal_eval(mark.group(1))
        except (ValueError, SyntaxError):
            raise ValueError(f"A parameter is a literal value, not: {ast.unparse(node)}") from None
        values[node.targets[0].id] = value
    return values


def _comments(source: str) -> dict[int, str]:
    """Line number → the comment on that line."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}


# ----------------------------------------------------------------------------------- definitions


def definitions(name: str) -> types.SimpleNamespace:
    """The functions and classes that a notebook defines, ready to use.

    Runs only its imports, its parameters and other literals with a name in capitals (functions may read
    them), its definitions, and the lines that put the course's own function in the place of an exercise:
    no data are loaded and nothing is trained.

    Args:
        name: as for ``find``.

    Returns:
        A namespace with one attribute for each top-level function, class, parameter and such literal.

    Raises:
        FileNotFoundError: no such notebook.
        RuntimeError: a definition cannot be run by itself; the message names it.
    """
    (path,) = find(name)
    nb = read(path)
    module = types.ModuleType(f"notebook_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # pickling and dataclasses look their module up
    space = module.__dict__
    space.update(parameters(nb))
    wanted = set(parameters(nb))
    for cell in nb.cells:
        if cell.cell_type != "code":
            continue
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                wanted.add(node.name)
            elif _is_constant(node):
                wanted.add(node.targets[0].id)
            elif not isinstance(node, ast.Import | ast.ImportFrom) and not _takes_reference(node):
                continue
            if re.match(r"(import|from) (tensorflow|keras)", ast.unparse(node)):
                session.quiet_tensorflow()
            code = compile(ast.Module([node], []), f"{path.stem} [{getattr(node, 'name', 'import')}]", "exec")
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(code, space)
            except Exception as error:
                what = getattr(node, "name", None) or ast.unparse(node)
                raise RuntimeError(f"{path.stem}: {what!r} does not run by itself: {error!r}") from error
    return types.SimpleNamespace(**{key: space[key] for key in wanted})


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


# ------------------------------------------------------------------------------- clean and inspect


def code_hash(nb) -> str:
    """A hash of all code cells: the outputs of a notebook belong to the code with this hash."""
    source = "\n\0\n".join(_canonical(cell.source) for cell in nb.cells if cell.cell_type == "code")
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _canonical(source: str) -> str:
    """Code without its layout and comments; the text itself where it does not parse."""
    try:
        return ast.unparse(ast.parse(source))
    except SyntaxError:
        return source


def normalise(nb):
    """Bring an executed notebook into the form in which it is committed, and return it.

    Fixed kernel and language, no timings, no widget state, no progress bars, stream output in one piece,
    every cell with an id, and the hash of the code that made the outputs.
    """
    nb.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "course": {"outputs_of": code_hash(nb)},
        }
    )
    nb.nbformat, nb.nbformat_minor = 4, 5
    seen = set()
    for number, cell in enumerate(nb.cells):
        cell.metadata = nbformat.from_dict(_cell_metadata(tags(cell)))
        if not cell.get("id") or cell.id in seen:
            cell.id = hashlib.sha256(f"{number}{cell.source}".encode()).hexdigest()[:8]
        seen.add(cell.id)
        if cell.cell_type == "code":
            cell.outputs = _merge_streams([out for out in map(_clean, cell.outputs) if out is not None])
    return nb


def _cell_metadata(marks: list[str]) -> dict:
    """The metadata of a cell with these tags. JupyterLab folds what is tagged ``fold``, and the reading copy too."""
    marks = [mark for mark in marks if mark != READING_COPY_FOLD]
    if FOLD not in marks:
        return {"tags": marks} if marks else {}
    return {"tags": [*marks, READING_COPY_FOLD], "jupyter": {"source_hidden": True}}


def write_navigation(path: Path) -> None:
    """Write the line of links under a notebook's heading anew, for the chapters that are here now.

    Raises:
        ValueError: the file is no notebook.
    """
    nb = read(path)
    heading, *rest = nb.cells[0].source.split("\n\n")
    if rest and _NAVIGATION.fullmatch(rest[0]):
        rest = rest[1:]
    nb.cells[0].source = "\n\n".join([heading, course.navigation(path.stem), *rest])
    write(nb, path)


def _clean(out):
    """An output without what does not outlive its kernel, or None if nothing is left."""
    if out.output_type == "stream":
        return out
    if out.output_type in ("display_data", "execute_result"):
        transient = out.metadata.get("course", {}).get("transient")
        # A widget is dead without its kernel; a static figure with the same message stands next to it.
        if transient or _WIDGET in out.data or not any(out.data.values()):
            return None
    return out


def _merge_streams(outputs):
    merged = []
    for out in outputs:
        last = merged[-1] if merged else None
        if last is not None and out.output_type == last.output_type == "stream" and out.name == last.name:
            last.text += out.text
        else:
            merged.append(out)
    return merged


def problems(nb) -> list[str]:
    """What must not be in the outputs of a notebook, a sentence each: errors, stderr, paths of a machine."""
    found = []
    for number, cell in enumerate(nb.cells):
        for out in cell.get("outputs", []):
            if out.output_type == "error":
                found.append(f"cell {number} ended in {out.ename}: {out.evalue}")
            elif out.output_type == "stream" and out.name == "stderr":
                found.append(f"cell {number} wrote to stderr: {out.text.strip()[:200]}")
            text = out.get("text", "") + "".join(
                str(value) for kind, value in out.get("data", {}).items() if not kind.startswith("image/")
            )
            if path := _PATH_OF_A_MACHINE.search(text):
                found.append(f"cell {number} shows a path of this machine: {path.group()}")
    return found


def metrics(nb) -> dict[str, float]:
    """What the cells left with ``cu.record``, in order."""
    found = {}
    for cell in nb.cells:
        for out in cell.get("outputs", []):
            entry = out.get("data", {}).get(display.METRIC_MIME)
            if entry:
                found[entry["name"]] = entry["value"]
    return found
