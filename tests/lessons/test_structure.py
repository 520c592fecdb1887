"""The anatomy of every notebook, as assertions. A new notebook is covered by being there."""

import ast
import io
import math
import re
import statistics
import tokenize
import tomllib

import pytest

from course_utils import course, paths
from course_utils.exercises import registry
from course_utils.maintain import notebooks

BOOKS = notebooks.find()
by_notebook = pytest.mark.parametrize("path", BOOKS, ids=lambda p: p.stem)
RANGES = tomllib.loads((paths.ROOT / "tests" / "ranges.toml").read_text(encoding="utf-8"))
README = (paths.ROOT / "README.md").read_text(encoding="utf-8")


def code_cells(nb):
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def prose(nb):
    return "\n\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")


def lines(cell):
    return [line for line in cell.source.splitlines() if line.strip() and not line.strip().startswith("#")]


def statements(cell):
    """The lines that a cell says: one laid out over several lines, to fit on the page, counts once."""
    tokens = tokenize.generate_tokens(io.StringIO(cell.source).readline)
    return [token for token in tokens if token.type == tokenize.NEWLINE]


@by_notebook
def test_it_opens_with_one_heading_navigation_and_what_to_expect(path):
    nb = notebooks.read(path)
    headings = re.findall(r"^# .+$", prose(nb), re.MULTILINE)
    assert headings == [f"# {course.chapter(path.stem).heading}"]
    opening = nb.cells[0].source
    assert course.navigation(path.stem) in opening, "run: make map"
    for part in ("**What you do.**", "**Afterwards you can**", "**You need**", "**Time:**"):
        assert part in opening
    assert 3 <= len(re.findall(r"^\d\. ", opening, re.MULTILINE)) <= 5, "three to five checkable points"
    sections = course.chapter(path.stem).sections
    assert not sections or f"section{'s' if ',' in sections else ''} {sections}" in opening


@by_notebook
def test_it_ends_with_recap_questions_and_reading(path):
    text = prose(notebooks.read(path))
    assert "**Further reading" in text
    assert "What you can do now" in text or not course.chapter(path.stem).sections


@by_notebook
def test_parameters_then_setup(path):
    first, second = code_cells(notebooks.read(path))[:2]
    assert notebooks.tags(first) == ["parameters"] and "SEED" in notebooks.parameters(notebooks.read(path))
    assert "import course_utils as cu" in second.source and "cu.start(SEED" in second.source
    assert len(lines(second)) <= 4


@by_notebook
def test_sizes(path):
    nb = notebooks.read(path)
    count = [len(statements(cell)) for cell in code_cells(nb)]
    lesson = [cell for cell in nb.cells if not re.search(r"^ex\.|\*\*Exercise\.\*\*", cell.source, re.MULTILINE)]
    assert len(lesson) <= 110 and len(nb.cells) <= 125, "a hundred and ten cells without the exercises"
    assert path.stat().st_size < 1_000_000
    assert 2 <= statistics.median(count) <= 8, f"median {statistics.median(count)} statements in a code cell"
    assert sum(n >= 20 for n in count) <= len(count) / 10, "nine in ten code cells have under 20 statements"
    assert max(len(lines(cell)) for cell in code_cells(nb)) <= 60, "a cell fits on a page"
    words = len(prose(nb).split())
    assert words / sum(count) >= 5, f"{words / sum(count):.1f} words of prose to a statement"


@by_notebook
def test_outputs_are_those_of_this_code(path):
    nb = notebooks.read(path)
    assert nb.metadata.course.outputs_of == notebooks.code_hash(nb), f"run: make execute ARGS={path.stem[:2]}"
    counts = [cell.execution_count for cell in code_cells(nb)]
    assert counts == list(range(1, len(counts) + 1)), "top to bottom, from a fresh kernel"


@by_notebook
def test_outputs_are_clean_and_normalised(path):
    import nbformat

    nb = notebooks.read(path)
    assert notebooks.problems(nb) == []
    nbformat.validate(nb)
    text = path.read_text(encoding="utf-8")
    assert nbformat.writes(notebooks.normalise(nb)) + "\n" == text


@by_notebook
def test_every_picture_has_alt_text(path):
    for number, cell in enumerate(notebooks.read(path).cells):
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                alt = output.metadata.get("image/png", {}).get("alt", "")
                assert len(alt) >= 20, f"the figure of cell {number} has no alt text"
        assert "](attachment:" not in cell.source and not re.search(r"!\[\s*\]\(", cell.source)


@by_notebook
def test_no_shell_no_magic_no_installation(path):
    for cell in code_cells(notebooks.read(path)):
        ast.parse(cell.source)  # a magic or a shell line is no Python
        assert not re.search(r"\b(os\.system|subprocess|get_ipython)\b", cell.source)


@by_notebook
def test_words(path):
    """House style: no exclamation marks, no "simply", no hype; nothing is loaded from elsewhere."""
    text = re.sub(r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`", " ", prose(notebooks.read(path)), flags=re.DOTALL)
    assert "!" not in text.replace("![", "")
    for word in ("simply", "amazing", "incredibl", "powerful", "just works", "magic", "obviously", "trivial"):
        assert not re.search(rf"\b{word}", text, re.IGNORECASE), word
    assert not re.search(r"<(img|script|iframe)\b", text)


@by_notebook
def test_formulas_are_closed(path):
    for cell in notebooks.read(path).cells:
        if cell.cell_type == "markdown":
            assert cell.source.count("$$") % 2 == 0
            assert cell.source.replace("$$", "").count("$") % 2 == 0
            assert cell.source.count("{") == cell.source.count("}")


@by_notebook
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)\)", prose(notebooks.read(path))):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@by_notebook
def test_definitions_can_be_taken_out(path):
    assert vars(notebooks.definitions(path.stem))


def test_names_are_never_used_before_a_cell_defines_them():
    """No hidden state: what a top-level statement reads, an earlier cell (or this one) has written."""
    import builtins

    for path in BOOKS:
        known = set(dir(builtins)) | {"__name__"}
        for cell in code_cells(notebooks.read(path)):
            tree = ast.parse(cell.source)
            known |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
            known |= {a.asname or a.name.split(".")[0] for n in ast.walk(tree)
                      if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}  # fmt: skip
            known |= {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
            known |= {n.name for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler) and n.name}
            known |= {a.arg for n in ast.walk(tree) if isinstance(n, ast.arguments)
                      for a in [*n.args, *n.kwonlyargs, *filter(None, [n.vararg, n.kwarg])]}  # fmt: skip
            read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
            assert read <= known, f"{path.stem}: {sorted(read - known)}"


def test_the_ranges_are_of_notebooks_and_their_metrics():
    """In the ranges there is nothing that no notebook records; the committed outputs lie within them."""
    for stem, expected in RANGES.items():
        if stem in ("seconds", "peak_mb"):
            continue
        recorded = notebooks.metrics(notebooks.read(paths.NOTEBOOKS / f"{stem}.ipynb"))
        for name, (low, high) in expected.get("metrics", {}).items():
            assert low <= recorded.get(name, math.nan) <= high, (stem, name, recorded.get(name))


@by_notebook
def test_the_opening_says_what_the_map_says(path):
    """How long the chapter takes, and which chapters it builds on."""
    opening = notebooks.read(path).cells[0].source
    chapter = course.chapter(path.stem)
    assert re.search(rf"\*\*Time:\*\* (about )?{chapter.minutes} minutes", opening), "course.py has another time"
    needs = re.search(r"\*\*You need\*\*(.*)", opening)[1]
    named = {int(number) for number in re.findall(r"\d+", needs)}
    for first, last in re.findall(r"(\d+) to (\d+)", needs):
        named |= set(range(int(first), int(last) + 1))
    for number in chapter.needs:
        assert number < chapter.number and int(number) in named, f"it says that it builds on {number}; the opening not"


def test_what_leads_to_what_says_nothing_twice():
    edges = course.edges()
    assert ("03", "04") in edges and ("02", "05") not in edges, "05 needs 03, which needs 02"
    follow = {one.number: {start for start, end in edges if end == one.number} for one in course.CHAPTERS}
    for one in course.CHAPTERS:  # following the arrows backwards, all that a chapter needs is met
        reached, ahead = set(), list(follow[one.number])
        while ahead:
            number = ahead.pop()
            reached.add(number)
            ahead += follow[number]
        assert set(one.needs) <= reached


def test_the_readme_shows_the_map_and_real_results():
    from course_utils import files

    assert course.map_for_readme() in README, "run: make map"
    for one in course.CHAPTERS:
        if one.here:
            assert f"| {one.stem} |" in README, f"{one.stem} has no row in the results table: make run, make results"
    assert files.between(README, "results", "") != README


@by_notebook
def test_the_run_in_the_readme_kept_to_its_limits(path):
    row = re.search(rf"^\| {path.stem} \| (?:(\d+) min )?(\d+) s \| (\d+) MB \|", README, re.MULTILINE)
    minutes, seconds, megabytes = (int(part or 0) for part in row.groups())
    limit = RANGES | RANGES.get(path.stem, {})
    assert 60 * minutes + seconds <= 1.5 * limit["seconds"] and megabytes <= limit["peak_mb"]


@by_notebook
def test_a_blank_notebook_runs_and_says_so(path):
    """As committed, nothing is answered: each exercise and question says that it has not been attempted."""
    outputs = [out for cell in code_cells(notebooks.read(path)) for out in cell.outputs]
    shown = "\n".join(str(out.get("data", {}).get("text/plain", "")) for out in outputs)
    assert shown.count("○ not attempted") == sum(task.chapter == path.stem[:2] for task in registry())


def test_the_first_notebook_shows_the_course_as_it_is():
    """Its map and its list of progress come from the chapters: run `make execute ARGS=00` after a new one."""
    (path,) = notebooks.find("00")
    outputs = [out for cell in code_cells(notebooks.read(path)) for out in cell.outputs]
    maps, lists = (
        "\n".join(str(out.get("data", {}).get(kind, "")) for out in outputs) for kind in ("text/markdown", "text/plain")
    )
    assert course.map_markdown() in maps
    for chapter in {task.chapter for task in registry()}:
        assert f"chapter {chapter}: 0 of " in lists
