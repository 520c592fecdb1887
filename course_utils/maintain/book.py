"""The course as a book to read: a static site from the committed outputs, and a PDF of each chapter.

Nothing is executed. The pages are made by Sphinx from copies of the notebooks under ``build/book/source``, in which
only the links are changed, so that they lead to pages of the book. ``book/`` holds the settings and the style.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import nbformat

from course_utils import course, paths
from course_utils.display import METRIC_MIME
from course_utils.maintain import browser, notebooks, repository
from course_utils.maintain.readme import between

SETTINGS = paths.ROOT / "book"
OUT = paths.ROOT / "build" / "book"
REQUIRED_PACKAGES = ("sphinx", "myst_nb", "sphinx_book_theme", "sphinx-mathjax-offline")
CHAPTER_STEMS = {one.stem for one in course.CHAPTERS}
PRINTERS = 2  # Chromiums at once: each takes a core and some 300 MB
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")


def make(names=(), out: Path = OUT, pdf: bool = True, say: Callable[[str], None] = print) -> int:
    """Make the site in ``out/html`` and, where there is a Chromium, the PDFs in ``out/pdf``.

    Args:
        names: as for ``notebooks.find``; none means every chapter that is here.
        out: the folder; what an earlier run has read there saves time.
        pdf: False leaves the PDFs out.
        say: where the lines about the course of the work go.

    Returns:
        The exit status: 0, or Sphinx's own if the site could not be made without a warning.

    Raises:
        FileNotFoundError: no such notebook.
        ValueError: a package is missing, or ``COURSE_CHROMIUM`` names no program.
    """
    absent = [name for name in REQUIRED_PACKAGES if importlib.util.find_spec(name) is None]
    if absent:
        raise ValueError(f"the book needs {', '.join(absent)}: make setup installs what is missing")
    program = browser.find_chromium() if pdf else None
    begin = time.perf_counter()
    chapters = stage(out / "source", names)
    shutil.rmtree(out / "html", ignore_errors=True)  # no page of an earlier book; what was read is kept
    status = _sphinx(out, with_pdf=program is not None)
    if status:
        return status
    for one in chapters:  # what a reader downloads is the notebook of the course, with its own links
        shutil.copy(paths.NOTEBOOKS / f"{one.stem}.ipynb", out / "html" / "_sources")
    say(f"{_shown(out / 'html' / 'index.html')}: {_count(chapters, 'chapter')}, {time.perf_counter() - begin:.0f} s")
    if program:
        begin = time.perf_counter()
        made = print_pdfs(out / "html", out / "pdf", [one.stem for one in chapters])
        say(f"{_shown(out / 'pdf')}: {_count(made, 'PDF')}, {time.perf_counter() - begin:.0f} s")
    elif pdf:
        say(f"The PDFs were left out: {browser.MISSING}.")
    return 0


def _count(things: list, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _shown(path: Path) -> str:
    return str(path.relative_to(paths.ROOT) if path.is_relative_to(paths.ROOT) else path)


# ---------------------------------------------------------------------------------------- the pages


def stage(folder: Path, names=()) -> list[course.Chapter]:
    """Put the pages of the book into a folder, ready for Sphinx; what is up to date there stays untouched.

    Returns:
        The chapters, in the order of the plan.
    """
    wanted = {path.stem for path in notebooks.find(*names)}
    chapters = [one for one in course.CHAPTERS if one.stem in wanted and one.available]
    pages = _Pages(folder, {f"notebooks/{one.stem}.ipynb": f"{one.stem}.ipynb" for one in chapters})
    readme = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    # The badge is a picture on another server: the book has words in its place.
    readme = between(readme, "binder", repository.binder_markdown(repository.address(), badge=False))
    opening, start = _part(readme, "\n", "\n## Start\n"), _part(readme, "\n## Start\n", "\n## The chapters\n")
    pages.write("index.md", _template("index.md", opening=pages.relink(opening), chapters=_table(chapters),
                                      pages="\n".join(f"{one.heading} <{one.stem}>" for one in chapters)))  # fmt: skip
    pages.write("run.md", _template("run.md", start=pages.relink(start)))
    pages.write("data.md", pages.relink((paths.DATA / "README.md").read_text(encoding="utf-8"), "data"))
    for one in chapters:
        nb = notebooks.read(paths.NOTEBOOKS / f"{one.stem}.ipynb")
        for cell in nb.cells:
            if cell.cell_type == "markdown":
                cell.source = pages.relink(cell.source, "notebooks")
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                data.pop(METRIC_MIME, None)  # for programs; the line of text beside it stays
                if "text/markdown" in data:
                    data["text/markdown"] = pages.relink(data["text/markdown"], "notebooks")
        pages.write(f"{one.stem}.ipynb", nbformat.writes(nb))
    pages.remove_others()
    return chapters


class _Pages:
    """The folder of the pages: files are written only where they differ, so that Sphinx need not read them again."""

    def __init__(self, folder: Path, chapters: dict[str, str]):
        self.folder = folder
        self.pages = {**chapters, "data/README.md": "data.md"}  # a file of the repository → its page in the book
        self.written: set[Path] = set()

    def write(self, name: str, content: str | bytes) -> None:
        content = content.encode() if isinstance(content, str) else content
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)
        self.written.add(path)

    def relink(self, text: str, folder: str = "") -> str:
        """Markdown whose links to files of the repository lead to pages of the book.

        A chapter that is not in this book keeps its name and loses the link; any other file goes along, to be
        downloaded.

        Args:
            folder: where in the repository the text stands.
        """

        def other(match: re.Match) -> str:
            words, (target, mark, place) = match[1], match[2].partition("#")
            file = PurePosixPath(os.path.normpath(PurePosixPath(folder, target)).replace("\\", "/"))
            if page := self.pages.get(str(file)):
                return f"[{words}]({page}{mark}{place})"
            if str(file.parent) == "notebooks" and file.stem in CHAPTER_STEMS:
                return words
            if "://" in target or not target or not (paths.ROOT / file).is_file():
                return match[0]
            self.write(f"files/{file}", (paths.ROOT / file).read_bytes())
            return f"[{words}](files/{file})"

        return _LINK.sub(other, text)

    def remove_others(self) -> None:
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path not in self.written:
                path.unlink()


def _part(text: str, begin: str, end: str) -> str:
    """What stands between two lines of the README."""
    if begin not in text or end not in text:
        raise ValueError(f"README.md has no lines {begin.strip()!r} and {end.strip()!r}, which the book is made from.")
    return text.partition(begin)[2].partition(end)[0].strip()


def _template(name: str, **parts: str) -> str:
    """A page of ``book/`` with its slots filled: ``<!-- name -->`` stands for the part of that name."""
    text = (SETTINGS / name).read_text(encoding="utf-8")
    for part, content in parts.items():
        text = text.replace(f"<!-- {part} -->", content)
    return text


def _table(chapters) -> str:
    lines = ["| no. | chapter | what you build and find out |", "|---|---|---|"]
    for one in chapters:
        lines.append(f"| {one.number} | [{one.title}]({one.stem}.ipynb) {one.chinese} | {one.builds} |")
    return "\n".join(lines)


def _sphinx(out: Path, with_pdf: bool) -> int:
    """Run Sphinx over the staged pages; a warning is an error."""
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-n", "-W", "--keep-going", "-j", "2",
               "-c", SETTINGS, "-d", out / "doctrees", "-D", f"with_pdf={int(with_pdf)}",
               out / "source", out / "html"]  # fmt: skip
    return subprocess.run([*map(str, command)], cwd=paths.ROOT).returncode


# ----------------------------------------------------------------------------------------- the PDFs

# Formulas are set before the page is printed; links to other files of the site would carry this machine's path.
WAIT_UNTIL_DRAWN = """async () => {
    document.documentElement.dataset.theme = "light";
    if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
    await document.fonts.ready;
    await Promise.all([...document.images].map(image => image.decode().catch(() => 0)));
    for (const link of [...document.links])
        if (link.protocol === "file:" && link.pathname !== location.pathname) link.removeAttribute("href");
}"""
FOOTER = (
    '<div style="width:100%;margin:0 15mm;font:8px sans-serif;color:#555;display:flex;justify-content:space-between">'
    '<span class="title"></span><span><span class="pageNumber"></span> / <span class="totalPages"></span></span></div>'
)


def print_pdfs(site: Path, folder: Path, stems: list[str]) -> list[Path]:
    """Print chapters of a site that has been made, A4, and put a copy into the site, where its pages link to it.

    Args:
        site: the folder of the pages.
        folder: where the PDFs go.
        stems: the chapters.

    Returns:
        The files in ``folder``.

    Raises:
        FileNotFoundError: there is no Chromium.
        RuntimeError: a page asked for something outside this machine.
    """
    for place in (folder, site / "pdf"):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    # Playwright's objects belong to the thread that made them: each share of the chapters has its own Chromium.
    shares = [stems[start::PRINTERS] for start in range(min(PRINTERS, len(stems)))]
    with ThreadPoolExecutor(PRINTERS) as pool:
        list(pool.map(lambda share: _print_share(site, folder, share), shares))
    made = [folder / f"{stem}.pdf" for stem in stems]
    for path in made:
        shutil.copy(path, site / "pdf" / path.name)
    return made


def _print_share(site: Path, folder: Path, stems: list[str]) -> None:
    with browser.chromium() as program:
        for stem in stems:
            page = program.new_page(color_scheme="light")
            outside = browser.block_network(page)
            page.emulate_media(media="print", color_scheme="light")
            page.goto((site / f"{stem}.html").resolve().as_uri())
            page.evaluate(WAIT_UNTIL_DRAWN)
            if outside:
                raise RuntimeError(f"{stem} is not complete without a network; it asks for {outside[0]}")
            page.pdf(path=folder / f"{stem}.pdf", format="A4", print_background=True, outline=True, tagged=True,
                     display_header_footer=True, header_template="<span></span>", footer_template=FOOTER,
                     margin={"top": "15mm", "bottom": "16mm", "left": "15mm", "right": "15mm"})  # fmt: skip
            page.close()
