"""The course on the command line: ``python -m course_utils COMMAND``; ``--help`` lists the commands."""

from __future__ import annotations

import argparse
import ast
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

from course_utils import paths


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # a console that is not UTF-8 lacks some characters
    parser = _parser()
    arguments, more = parser.parse_known_args(argv)
    if more and arguments.command is not _lab:
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    arguments.more = more  # options of JupyterLab
    try:
        return arguments.command(arguments)
    except BrokenPipeError:  # the reader of the output has gone, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ImportError as error:
        print(f"course_utils: {error.name or error} is not installed: make setup installs it", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print(f"course_utils: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m course_utils", description="Tools of the course.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    doctor = commands.add_parser("doctor", help="check this machine and say what to fix")
    doctor.set_defaults(command=_doctor)

    run = commands.add_parser("run", help="run notebooks and measure them")
    run.add_argument("names", nargs="*", metavar="NN", help="numbers or names of notebooks; none means all")
    run.add_argument("--quick", action="store_true", help="small sizes: every cell, little time")
    run.add_argument("--twice", action="store_true", help="run every code cell twice in a row, as a learner may")
    run.add_argument("-p", dest="given", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
                     help="set a parameter; as in Python or YAML: 7, 1e-3, all, [alt.atheism, sci.space]")  # fmt: skip
    run.add_argument("--out", type=Path, default=paths.RUNS, help="folder for the executed notebooks")
    run.add_argument("--cores", type=int, metavar="N", help="use only so many cores (Binder gives 1)")
    run.add_argument("--memory", type=int, metavar="MB", help="stop a notebook that takes more (Binder gives 2000)")
    run.set_defaults(command=_run)

    execute = commands.add_parser("execute", help="run notebooks at their defaults and write them back")
    execute.add_argument("names", nargs="+", metavar="NN")
    execute.set_defaults(command=_execute)

    results = commands.add_parser("results", help="write the tables of results (README.md, RESULTS.md) from a run")
    results.add_argument("--from", dest="source", type=Path, default=paths.RUNS / "results.json", metavar="FILE")
    results.set_defaults(command=_results)

    map_ = commands.add_parser("map", help="write the map of the chapters, their times and the links between them")
    map_.add_argument("names", nargs="*", metavar="NN", help="only the openings of these; none means all and the map")
    map_.set_defaults(command=_map)

    budget = commands.add_parser("budget", help="how much code each chapter shows, and how long it takes")
    budget.add_argument("names", nargs="*", metavar="NN", help="numbers or names of notebooks; none means all")
    budget.set_defaults(command=_budget)

    format_ = commands.add_parser("format", help="lay out the code of notebooks with Ruff")
    format_.add_argument("names", nargs="*", metavar="NN", help="numbers or names of notebooks; none means all")
    format_.add_argument("--check", action="store_true", help="change nothing, and say what would change")
    format_.set_defaults(command=_format)

    lab = commands.add_parser(
        "lab", help="open JupyterLab, with its own options, and the settings that the course needs"
    )
    lab.set_defaults(command=_lab)

    book = commands.add_parser("book", help="make the site and the PDFs to read, from the saved outputs")
    book.add_argument("names", nargs="*", metavar="NN", help="numbers or names of notebooks; none means all")
    book.add_argument("--no-pdf", action="store_true", help="the site only")
    book.set_defaults(command=_book)

    repository = commands.add_parser("repository", help="show or set the public address of the repository")
    repository.add_argument("url", nargs="?", metavar="URL", help='https://github.com/you/fork; "" takes it away')
    repository.set_defaults(command=_repository)

    fetch = commands.add_parser("fetch", help="fetch the newsgroup posts ahead of the lesson")
    fetch.set_defaults(command=_fetch)

    progress = commands.add_parser("progress", help="what you have solved so far")
    progress.set_defaults(command=_progress)
    return parser


def _doctor(_) -> int:
    from course_utils import doctor

    return doctor.main()


def _run(arguments) -> int:
    from course_utils.maintain import runs

    given = {name: _value(text) for name, text in arguments.given}
    results = runs.run(
        arguments.names, quick=arguments.quick, given=given, out=arguments.out,
        cores=arguments.cores, memory_mb=arguments.memory, twice=arguments.twice,
    )  # fmt: skip
    print(runs.as_table(results))
    return int(any(entry["status"] != "ok" for entry in results["notebooks"].values()))


def _value(text: str):
    """A parameter's value: as Python writes it, else as YAML does, else the text itself.

    Raises:
        ValueError: it opens a bracket or a quote and does not close it.
    """
    import yaml

    for reads in (ast.literal_eval, yaml.safe_load):
        with contextlib.suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError, yaml.YAMLError):
            value = reads(text)
            if isinstance(value, bool | int | float | str | list) or text in ("None", "null", ""):
                json.dumps(value)  # a list of dates is not a value that results.json can hold
                return value
    if text[:1] in ("[", "'", '"'):
        raise ValueError(
            f"-p: {text} is neither Python nor YAML; a list looks like [1, 2] or [alt.atheism, sci.space]."
        )
    return text


def _execute(arguments) -> int:
    from course_utils.maintain import notebooks, runs

    failed = False
    for path in notebooks.find(*arguments.names):
        try:
            found = runs.execute(path)
        except ValueError as error:  # this one is not a notebook; the others go on
            found = [str(error)]
        print(f"{path.stem}: " + ("written" if not found else "NOT written"))
        for problem in found:
            print(f"  {problem}")
        failed = failed or bool(found)
    return int(failed)


def _results(arguments) -> int:
    from course_utils.maintain import readme

    try:
        results = json.loads(arguments.source.read_text(encoding="utf-8"))
    except json.JSONDecodeError:
        raise ValueError(f"{arguments.source} is not the results.json of a run: make run writes it") from None
    readme.write_results(results)
    return 0


def _map(arguments) -> int:
    from course_utils.maintain import notebooks, readme

    failed = False
    for path in notebooks.find(*arguments.names):
        try:
            if notebooks.write_opening(path):
                print(f"{path.stem}: its opening is new")
        except ValueError as error:
            print(f"course_utils: {error}", file=sys.stderr)
            failed = True
    if not arguments.names:
        readme.write_map()
    return int(failed)


def _budget(arguments) -> int:
    from course_utils.maintain import budget

    print(budget.as_table(arguments.names))
    return 0


def _format(arguments) -> int:
    from course_utils.maintain import budget

    return budget.format_notebooks(arguments.names, check=arguments.check)


def _lab(arguments) -> int:
    from course_utils import settings

    command = [sys.executable, "-m", "jupyterlab", *arguments.more]
    return subprocess.run(command, cwd=paths.ROOT, env=settings.for_jupyter(os.environ)).returncode


def _book(arguments) -> int:
    from course_utils.maintain import book

    return book.make(arguments.names, pdf=not arguments.no_pdf)


def _repository(arguments) -> int:
    from course_utils.maintain import repository

    if arguments.url is None:
        print(repository.address() or "no address is set: make repository URL=https://github.com/you/fork")
        return 0
    changed = repository.change(arguments.url)
    print(f"written: {', '.join(changed)}" if changed else "nothing to change")
    return 0


def _fetch(_) -> int:
    from course_utils.data import newsgroups

    print(newsgroups.fetch())
    return 0


def _progress(_) -> int:
    from course_utils.exercises import progress

    print(progress.as_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
