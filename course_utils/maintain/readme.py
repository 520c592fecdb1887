"""What is written into README.md and RESULTS.md: the map of the chapters and the results of a run."""

from __future__ import annotations

from pathlib import Path

from course_utils import course, paths
from course_utils.files import write_whole
from course_utils.maintain import notebooks
from course_utils.progress_bar import clock

README, RESULTS = paths.ROOT / "README.md", paths.ROOT / "RESULTS.md"


def between(text: str, name: str, content: str) -> str:
    """The text of a README with this content between the markers of this name; its line ends stay as they are.

    Raises:
        ValueError: the markers are missing, or there more than once.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"The README needs the markers {begin} and {end}, once each.")
    before, _, rest = text.partition(begin)
    new = f"{begin}\n{content}\n{end}"
    if "\r\n" in text:
        new = new.replace("\n", "\r\n")
    return before + new + rest.partition(end)[2]


def rewrite(path: Path, name: str, content: str) -> None:
    """Put content between the markers of this name in a file. Raises ValueError as ``between`` does."""
    write_whole(path, between(path.read_bytes().decode("utf-8"), name, content).encode("utf-8"))


# ---------------------------------------------------------------------------------------- the map


def map_markdown() -> str:
    """The table of the chapters, and under it the chart of what leads to what."""
    return f"{course.map_markdown('notebooks/')}\n\nWhat leads to what:\n\n{course.map_mermaid()}"


def write_map(readme: Path = README) -> None:
    """Put the map of the chapters between its markers in the README. Raises ValueError if they are missing."""
    rewrite(readme, "map", map_markdown())


# ------------------------------------------------------------------------------------ the results


def _machine(results: dict) -> str:
    versions = results["versions"]
    tensorflow = versions.get("tensorflow-cpu") or versions.get("tensorflow", "?")
    return (
        f"{results['machine']}; Python {versions['python']}, TensorFlow {tensorflow}, "
        f"Keras {versions.get('keras', '?')}"
    )


def summary_table(results: dict) -> str:
    """One row a chapter, for the README: what a run costs."""
    lines = [
        f"Each row is a run of the full lesson on {_machine(results)}. [RESULTS.md](RESULTS.md) has what it measured.",
        "",
        "| notebook | time | peak memory |",
        "|---|---:|---:|",
    ]
    for name, entry in results["notebooks"].items():
        lines.append(f"| {name} | {clock(entry['seconds'])} | {entry['peak_mb']} MB |")
    return "\n".join(lines)


def results_page(results: dict) -> str:
    """RESULTS.md: each metric of each chapter in a line of its own."""
    lines = ["# What a run measured", "",
             f"Each chapter at its defaults on {_machine(results)}. `make run` and `make results` write this page.", "",
             "| chapter | metric | value |", "|---|---|---:|"]  # fmt: skip
    for name, entry in results["notebooks"].items():
        lines += [f"| {name[:2]} | `{key}` | {value:.4g} |" for key, value in entry["metrics"].items()]
    return "\n".join(lines) + "\n"


def write_results(results: dict, readme: Path = README, page: Path = RESULTS) -> None:
    """Put the results table between its markers in the README, and write the page of all metrics.

    Raises:
        ValueError: the run was not of the full lessons, not of all, failed somewhere, or the markers are missing.
    """
    if results["profile"] != "full" or results["parameters"]:
        raise ValueError("The README shows full lessons at their defaults; this run was another one.")
    failed = [name for name, entry in results["notebooks"].items() if entry["status"] != "ok"]
    if failed:
        raise ValueError(f"The README shows finished runs only; these failed: {', '.join(failed)}.")
    missing = [path.stem for path in notebooks.find() if path.stem not in results["notebooks"]]
    if missing:
        raise ValueError(f"The README shows the whole course; this run does not have: {', '.join(missing)}.")
    chapters = {name: results["notebooks"][name] for name in (path.stem for path in notebooks.find())}
    results = results | {"notebooks": chapters}  # a learner's own notebook may have run along
    rewrite(readme, "results", summary_table(results))
    write_whole(page, results_page(results).encode("utf-8"))
