"""The anatomy of every notebook, as assertions. A new notebook is covered by being there."""

import ast
import io
import math
import re
import statistics
import tokenize
import tomllib

import pytest
from helpers import by_notebook, definitions

from course_utils import course, paths
from course_utils.exercises import registry
from course_utils.maintain import budget, notebooks, readme

# The chapters whose budgets are failures; `python -m course_utils budget` shows where the others stand.
REWORKED: set[str] = {"00", "01", "02", "03", "04", "05"}  # chapters that keep to the page's budgets
RANGES = tomllib.loads((paths.ROOT / "tests" / "ranges.toml").read_text(encoding="utf-8"))
README = readme.README.read_text(encoding="utf-8")
by_reworked = pytest.mark.parametrize(
    "path", [path for path in notebooks.find() if path.stem[:2] in REWORKED], ids=lambda path: path.stem
)


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
    count = [len(statements(cell)) for cell in code_cells(nb) if course.FOLD not in cell.metadata.get("tags", [])]
    lesson = [cell for cell in nb.cells if not re.search(r"^ex\.|\*\*Exercise\.\*\*", cell.source, re.MULTILINE)]
    assert len(lesson) <= 110 and len(nb.cells) <= 125, "a hundred and ten cells without the exercises"
    assert path.stat().st_size < 1_000_000
    assert 2 <= statistics.median(count) <= 8, f"median {statistics.median(count)} statements in a code cell"
    assert sum(n >= 20 for n in count) <= len(count) / 10, "nine in ten code cells have under 20 statements"
    longest = {True: 0, False: 0}
    for cell in code_cells(nb):
        folded = course.FOLD in cell.metadata.get("tags", [])
        longest[folded] = max(longest[folded], len(lines(cell)))
    assert longest[False] <= 60 and longest[True] <= 100, "a cell fits on a page, a folded one on two"
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
    assert vars(definitions(path.stem))


@by_notebook
def test_folded_cells_say_what_they_do(path):
    assert budget.measure(notebooks.read(path)).unnamed == ()


@by_reworked
def test_a_chapter_keeps_to_its_budget_of_code(path):
    assert budget.measure(notebooks.read(path)).excesses() == []


@by_reworked
def test_the_code_is_laid_out_by_ruff(path, capfd):
    assert budget.format_notebooks([path], check=True) == 0, f"run: python -m course_utils format {path.stem[:2]}"


@by_reworked
def test_the_opening_says_how_long_the_chapter_takes(path):
    nb = notebooks.read(path)
    sentence = course.working_time(nb.cells).sentence
    assert f"**Time:** {sentence}" in nb.cells[0].source, f"run: python -m course_utils map {path.stem[:2]}"


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
    """Which chapters it builds on, and how long it takes."""
    opening = notebooks.read(path).cells[0].source
    chapter = course.chapter(path.stem)
    assert re.search(r"\*\*Time:\*\* (about )?\d+ minutes", opening)
    needs = re.search(r"\*\*You need\*\*(.*)", opening)[1]
    named = {int(number) for number in re.findall(r"\d+", needs)}
    for first, last in re.findall(r"(\d+) to (\d+)", needs):
        named |= set(range(int(first), int(last) + 1))
    for number in chapter.needs:
        assert number < chapter.number and int(number) in named, f"it says that it builds on {number}; the opening not"


def lasting(table: str) -> str:
    """The map with the times of the chapters that are reworked; those of the others still change every day."""
    return re.sub(
        r"^(\| (\d\d) \|.*?\|) [^|]* \|",
        lambda row: row[0] if row[2] in REWORKED else f"{row[1]} |",
        table, flags=re.MULTILINE,
    )  # fmt: skip


def test_the_readme_shows_the_map_and_real_results():
    assert lasting(readme.map_markdown()) in lasting(README), "run: make map"
    for one in course.CHAPTERS:
        if one.available:
            assert f"| {one.stem} |" in README, f"{one.stem} has no row in the results table: make run, make results"
    assert readme.between(README, "results", "") != README


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
    assert lasting(course.map_markdown()) in lasting(maps)
    for chapter in {task.chapter for task in registry()}:
        assert f"chapter {chapter}: 0 of " in lists
