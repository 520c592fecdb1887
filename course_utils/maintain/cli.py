"""The course on the command line: ``python -m course_utils COMMAND``; ``--help`` lists the commands."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from course_utils import paths


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.command(arguments)
    except (ValueError, OSError) as error:
        print(f"course_utils: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m course_utils", description="Tools of the course.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    doctor = commands.add_parser("doctor", help="check this machine and say what to mend")
    doctor.set_defaults(command=_doctor)

    run = commands.add_parser("run", help="run notebooks through papermill and measure them")
    run.add_argument("names", nargs="*", metavar="NN", help="numbers or names of notebooks; none means all")
    run.add_argument("--quick", action="store_true", help="small sizes: every cell, little time")
    run.add_argument("-p", dest="given", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
                     help="set a parameter; the value as in YAML: 7, 0.5, all, [alt.atheism, sci.space]")  # fmt: skip
    run.add_argument("--out", type=Path, default=paths.RUNS, help="folder for the executed notebooks")
    run.add_argument("--cores", type=int, metavar="N", help="use only so many cores (Binder gives 1)")
    run.add_argument("--memory", type=int, metavar="MB", help="stop a notebook that takes more (Binder gives 2000)")
    run.set_defaults(command=_run)

    execute = commands.add_parser("execute", help="run notebooks at their defaults and write them back")
    execute.add_argument("names", nargs="+", metavar="NN")
    execute.set_defaults(command=_execute)

    results = commands.add_parser("results", help="write the README's results table from a run")
    results.add_argument("--from", dest="source", type=Path, default=paths.RUNS / "results.json", metavar="FILE")
    results.set_defaults(command=_results)

    map_ = commands.add_parser("map", help="write the map of the chapters and the links between notebooks")
    map_.set_defaults(command=_map)

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
    import yaml

    from course_utils.maintain import runs

    given = {name: yaml.safe_load(value) for name, value in arguments.given}
    results = runs.run(
        arguments.names, quick=arguments.quick, given=given, out=arguments.out,
        cores=arguments.cores, memory_mb=arguments.memory,
    )  # fmt: skip
    print(runs.as_table(results))
    return int(any(entry["status"] != "ok" for entry in results["notebooks"].values()))


def _execute(arguments) -> int:
    from course_utils.maintain import notebooks, runs

    failed = False
    for path in notebooks.find(*arguments.names):
        found = runs.execute(path)
        print(f"{path.stem}: " + ("written" if not found else "NOT written"))
        for problem in found:
            print(f"  {problem}")
        failed = failed or bool(found)
    return int(failed)


def _results(arguments) -> int:
    from course_utils.maintain import runs

    runs.write_results(json.loads(arguments.source.read_text(encoding="utf-8")), paths.ROOT / "README.md")
    return 0


def _map(_) -> int:
    from course_utils.maintain import notebooks, runs

    runs.write_map(paths.ROOT / "README.md")
    for path in notebooks.find():
        notebooks.write_navigation(path)
    return 0


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
