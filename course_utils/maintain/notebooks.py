"""The notebooks as files: find them, read them, clean and inspect them."""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
from pathlib import Path

import nbformat

from course_utils import course, display, paths
from course_utils.files import write_whole

_PATH_OF_A_MACHINE = re.compile(
    r"(?<![\w.])(?:/(?:home|Users|root|tmp|work|private|var|opt|mnt)/|[A-Z]:\\{1,2}Users)[\w.\\/-]+"
)
_WIDGET = "application/vnd.jupyter.widget-view+json"
_NAVIGATION = re.compile(r"(?:(?:← )?\[[^\]]*\]\([^)\s]*\.ipynb\)(?: →)?(?: · )?)+")
_TIME = re.compile(r"(\*\*Time:\*\* )(?:about )?\d+ minutes(?: \([^)]*\))?")
READING_COPY_FOLD = "hide-input"  # the tag by which MyST-NB folds a cell
_QUICK = re.compile(r"#\s*quick:\s*(.+?)\s*$")


# ------------------------------------------------------------------------------------- find, read


def find(*names: str) -> list[Path]:
    """The notebooks of the course in reading order, or those that are named, each once.

    Args:
        names: numbers (``8``, ``"08"``), stems (``"08_text_classifier"``) or files; none means all chapters of the
            plan that are here. A learner's own notebook or copy is only found by its stem or as a file.

    Raises:
        FileNotFoundError: no notebook is called so; the message lists those there are.
    """
    chapters = [one.path for one in course.CHAPTERS if one.available]
    found = []
    for name in map(str, names):
        number = name.zfill(2) if name.isdigit() else None
        chosen = [path for path in chapters if path.stem[:2] == number]
        own = paths.NOTEBOOKS / f"{name.removesuffix('.ipynb')}.ipynb"  # of a path that is absolute, the path itself
        chosen = chosen or [path for path in (own, Path(name), paths.NOTEBOOKS / Path(name).name) if _is_file(path)][:1]
        if not chosen:
            known = ", ".join(path.stem for path in chapters)
            raise FileNotFoundError(f"There is no notebook {name!r}. There are: {known}.")
        found += [path for path in chosen if path not in found]
    return found if names else chapters


def _is_file(path: Path) -> bool:
    return path.suffix == ".ipynb" and path.is_file()


def read(path: Path | str) -> nbformat.NotebookNode:
    """A notebook in the current format.

    Raises:
        ValueError: the file is not a notebook.
    """
    try:  # utf-8-sig: some editors put a mark at the beginning
        return nbformat.reads(Path(path).read_text(encoding="utf-8-sig"), as_version=4)
    except OSError:
        raise
    except Exception as error:  # nbformat raises several kinds, and JSON its own
        raise ValueError(f"{Path(path).name} is not a readable notebook: {error}") from None


def text(nb) -> str:
    """A notebook as its file has it."""
    return nbformat.writes(nb) + "\n"


def write(nb, path: Path) -> None:
    """Write a notebook whole, or not at all."""
    write_whole(path, text(nb).encode("utf-8"))


def tags(cell) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


# ------------------------------------------------------------------------------------ parameters


def parameters(nb, quick: bool = False) -> dict:
    """The parameters of a notebook and their values.

    They are the assignments of the cell tagged ``parameters``. A comment ``# quick: VALUE`` after one
    gives its value in the quick profile, which runs every cell in little time.

    Raises:
        ValueError: the cell holds anything but assignments of literals, or there are two such cells.
    """
    cells = [cell for cell in nb.cells if "parameters" in tags(cell)]
    if len(cells) > 1:
        raise ValueError("A notebook has one cell tagged 'parameters', not several.")
    values = {}
    for node, mark in _parameter_lines(cells[0].source if cells else ""):
        if not _gives_a_name(node):
            raise ValueError(f"The parameters cell holds assignments only, not: {ast.unparse(node)}")
        try:
            value = ast.literal_eval(node.value)
            values[node.targets[0].id] = ast.literal_eval(mark) if quick and mark else value
        except (ValueError, SyntaxError):
            raise ValueError(f"A parameter is a literal value, not: {ast.unparse(node)}") from None
    return values


def parameter_names(nb) -> set[str]:
    """The names that the cells tagged ``parameters`` set, whatever else a learner has written there."""
    sources = [cell.source for cell in nb.cells if "parameters" in tags(cell)]
    return {node.targets[0].id for source in sources for node, _ in _parameter_lines(source) if _gives_a_name(node)}


def quick_values(nb) -> dict:
    """The values that the quick profile sets; a parameter that a learner has changed keeps its ``# quick:`` value."""
    values = {}
    for cell in nb.cells:
        for node, mark in _parameter_lines(cell.source) if "parameters" in tags(cell) else ():
            try:
                if mark and _gives_a_name(node) and ast.unparse(node.value) != ast.unparse(ast.parse(mark)):
                    values[node.targets[0].id] = ast.literal_eval(mark)
            except (ValueError, SyntaxError):
                continue
    return values


def _gives_a_name(node) -> bool:
    """Whether a statement is ``NAME = …``."""
    return isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)


def _parameter_lines(source: str) -> list[tuple[ast.stmt, str]]:
    """The statements of a cell with what ``# quick:`` says after each; nothing where the cell does not parse."""
    try:
        statements, comments = ast.parse(source).body, _comments(source)
    except (SyntaxError, ValueError, tokenize.TokenError):
        return []
    marks = [_QUICK.search(comments.get(node.end_lineno, "")) for node in statements]
    return [(node, mark[1] if mark else "") for node, mark in zip(statements, marks, strict=True)]


def _comments(source: str) -> dict[int, str]:
    """Line number → the comment on that line."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}


# ------------------------------------------------------------------------------- clean and inspect


def code_hash(nb) -> str:
    """A hash of all code cells: the outputs of a notebook belong to the code with this hash."""
    source = "\n\0\n".join(_canonical(cell.source) for cell in nb.cells if cell.cell_type == "code")
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _canonical(source: str) -> str:
    """Code without its layout and comments; the text itself where it does not parse."""
    try:
        return _syntax(ast.parse(source))
    except (SyntaxError, ValueError):  # ValueError: a null byte
        return source


def _syntax(node) -> str:
    """A syntax tree as text, the same on every Python: ``ast.dump`` and ``ast.unparse`` change with its version."""
    if isinstance(node, list):
        return "[" + " ".join(map(_syntax, node)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.Delete) and isinstance(node.targets[0], ast.Tuple):
        node.targets = node.targets[0].elts  # a formatter writes del (a, b)
    if isinstance(node, ast.JoinedStr):
        node.values = _joined(node.values)
    left_out = ("ctx", "kind", "type_comment", "type_ignores")
    fields = [f"{name}={_syntax(value)}" for name, value in ast.iter_fields(node) if name not in left_out and value]
    constant = repr(node.value) if isinstance(node, ast.Constant) else ""  # 0, False and "" count, too
    return f"{type(node).__name__}({constant or ' '.join(fields)})"


def _joined(parts: list) -> list:
    """The parts of an f-string, with neighbouring texts in one piece: where they are cut depends on the Python."""
    joined = []
    for part in parts:
        if isinstance(part, ast.Constant) and joined and isinstance(joined[-1], ast.Constant):
            part = ast.Constant(joined.pop().value + part.value)
        joined.append(part)
    return [part for part in joined if not isinstance(part, ast.Constant) or part.value]


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
    if course.FOLD not in marks:
        return {"tags": marks} if marks else {}
    return {"tags": [*marks, READING_COPY_FOLD], "jupyter": {"source_hidden": True}}


def write_opening(path: Path) -> bool:
    """Write the line of links under a notebook's heading, and how long the chapter takes.

    Returns:
        Whether the file is different now.

    Raises:
        ValueError: the file is not a notebook, or not a chapter of the plan, or has no text at its top.
    """
    nb = read(path)
    if path.stem not in {one.stem for one in course.CHAPTERS}:
        raise ValueError(f"{path.name} is not a chapter of the course, so it gets no links.")
    if not nb.cells or nb.cells[0].cell_type != "markdown":
        raise ValueError(f"{path.name} does not begin with its heading.")
    before = nb.cells[0].source
    heading, *rest = before.split("\n\n")
    if rest and _NAVIGATION.fullmatch(rest[0]):
        rest = rest[1:]
    time = course.working_time(nb.cells).sentence
    nb.cells[0].source = _TIME.sub(rf"\g<1>{time}", "\n\n".join([heading, course.navigation(path.stem), *rest]))
    if nb.cells[0].source != before:
        write(nb, path)
    return nb.cells[0].source != before


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
    return [
        f"cell {number} {problem}"
        for number, cell in enumerate(nb.cells)
        for problem in output_problems(cell.get("outputs", []))
    ]


def output_problems(outputs) -> list[str]:
    """The same for the outputs of one cell."""
    found = []
    for out in outputs:
        if out.output_type == "error":
            found.append(f"ended in {out.ename}: {out.evalue}")
        elif out.output_type == "stream" and out.name == "stderr":
            found.append(f"wrote to stderr: {out.text.strip()[:200]}")
        text = out.get("text", "") + "".join(
            str(value) for kind, value in out.get("data", {}).items() if not kind.startswith("image/")
        )
        if path := _PATH_OF_A_MACHINE.search(text):
            found.append(f"shows a path of this machine: {path.group()}")
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
