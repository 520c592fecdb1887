"""The reading copy: built once, without a warning, then walked through: links, pictures, formulas, search, PDF."""

import functools
import itertools
import re
import shutil
import subprocess
import sys
import zlib
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from course_utils import course, paths
from course_utils.maintain import book, browser, notebooks, repository
from course_utils.plots import colour

pytestmark = pytest.mark.notebooks  # executes none, but takes a minute or two: not in test-fast
CHAPTERS = [one for one in course.CHAPTERS if one.available]
PAGES = ["index", "run", "data", *[one.stem for one in CHAPTERS]]
by_page = pytest.mark.parametrize("page", PAGES)
by_chapter = pytest.mark.parametrize("stem", [one.stem for one in CHAPTERS])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the pages, of the whole course. A warning of Sphinx makes it fail."""
    out = tmp_path_factory.mktemp("a book")
    assert book.make(out=out, pdf=False, say=lambda line: None) == 0, "Sphinx has warned; see what it wrote"
    return out / "html"


def opened(chromium, site, page, **options):
    """(a page with its formulas set, what it asked of the network, what it complained of)."""
    tab = chromium.new_page(**options)
    outside, complaints = browser.block_network(tab), []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
    address, mark, question = page.partition("?")
    tab.goto((site / f"{address}.html").as_uri() + mark + question)
    tab.evaluate("async () => { if (window.MathJax) await MathJax.startup.promise }")
    return tab, outside, complaints


@dataclass
class Seen:
    """A page in the browser, and what it did when it was opened."""

    name: str
    tab: object
    outside: list[str]  # what it asked of the network
    complaints: list[str]


@pytest.fixture(scope="module", params=PAGES)
def seen(request, chromium, site):
    """Each page, opened once for all tests that only look at it: setting its formulas takes seconds."""
    tab, outside, complaints = opened(chromium, site, request.param, color_scheme="light")
    yield Seen(request.param, tab, outside, complaints)
    tab.close()


class Page(HTMLParser):
    """What a page points to and what it shows; ``main`` is the part with the chapter itself."""

    def __init__(self, path: Path):
        super().__init__()
        self.targets, self.loaded, self.ids, self.pictures, self.text = [], [], set(), [], []
        self._quiet = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found[name] for name in ("id", "name") if found.get(name)}
        self._quiet += tag in ("script", "style")
        if tag == "img":
            self.pictures.append(found)
        if tag == "a" and found.get("href"):
            self.targets.append(found["href"])
        elif found.get("src") or (tag == "link" and found.get("href")):
            self.loaded.append(found.get("src") or found["href"])

    def handle_endtag(self, tag):
        self._quiet -= tag in ("script", "style")

    def handle_data(self, data):
        if not self._quiet:
            self.text.append(data)


@functools.cache
def read(path: Path) -> Page:
    """A page, parsed once."""
    return Page(path)


# ------------------------------------------------------------------------------- what the pages hold


@by_page
def test_every_link_leads_somewhere_and_every_file_is_there(site, page):
    path = site / f"{page}.html"
    for target in read(path).targets + read(path).loaded:
        parts = urlsplit(target)
        if parts.scheme in ("http", "https", "data", "mailto", "javascript"):
            continue
        assert not parts.scheme and not parts.netloc, target
        file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        assert file.is_file() and file.is_relative_to(site.resolve()), target
        if parts.fragment and file.suffix == ".html":
            assert unquote(parts.fragment) in read(file).ids, target


@by_page
def test_nothing_is_loaded_from_elsewhere(site, page):
    assert not [one for one in read(site / f"{page}.html").loaded if re.match(r"(https?:)?//", one)]


@by_page
def test_no_page_knows_this_machine(site, page):
    text = (site / f"{page}.html").read_text(encoding="utf-8")
    assert str(paths.ROOT) not in text and str(site.parent) not in text and "file:/" not in text


def test_the_contents_are_those_of_the_course(site):
    targets = [target for target in read(site / "index.html").targets if re.fullmatch(r"\d\d_\w+\.html", target)]
    once = list(dict.fromkeys(targets))
    assert once == [f"{one.stem}.html" for one in CHAPTERS]
    assert all(targets.count(target) >= 2 for target in once), "each in the sidebar and in the table"
    text = "".join(read(site / "index.html").text)
    for one in course.CHAPTERS:
        assert (one.heading in text) == one.available and (one.builds in text) == one.available


@by_chapter
def test_links_between_chapters_are_links_between_pages(site, stem):
    """No link to a notebook is left but the one that downloads it; the neighbours are linked."""
    targets = read(site / f"{stem}.html").targets
    assert [target for target in targets if ".ipynb" in target] == [f"_sources/{stem}.ipynb"]
    for one in course.neighbours(stem):
        assert one is None or f"{one.stem}.html" in targets


@by_chapter
def test_the_notebook_to_download_is_the_one_of_the_course(site, stem):
    ours = paths.NOTEBOOKS / f"{stem}.ipynb"
    assert (site / "_sources" / ours.name).read_bytes() == ours.read_bytes()


@by_chapter
def test_every_figure_has_its_alt_text(site, stem):
    outputs = [
        out for cell in notebooks.read(paths.NOTEBOOKS / f"{stem}.ipynb").cells for out in cell.get("outputs", [])
    ]
    alts = [out.metadata["image/png"]["alt"] for out in outputs if "image/png" in out.get("data", {})]
    shown = [picture.get("alt") for picture in read(site / f"{stem}.html").pictures]
    assert [alt for alt in shown if alt in alts] == alts
    assert all(shown)


@by_chapter
def test_the_saved_outputs_are_shown_and_none_is_said_to_load(site, stem):
    text = "".join(read(site / f"{stem}.html").text)
    nb = notebooks.read(paths.NOTEBOOKS / f"{stem}.ipynb")
    verdicts = 0
    for name, value in notebooks.metrics(nb).items():
        assert f"{name} = {value:.4g}" in text
    for cell in nb.cells:
        for out in cell.get("outputs", []):
            if out.output_type == "stream":
                assert out.text.strip() in text
            elif out.get("data", {}).get("text/plain", "").startswith("○ not attempted"):
                verdicts += 1
    assert text.count("○ not attempted") == verdicts
    assert "Loading widget" not in text and "application/vnd" not in text


def test_the_search_index_knows_words_of_the_lessons(site):
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert '"perceptron"' in index and "A memory of one number" in index


def has_formulas(page: str) -> bool:
    """Whether the prose of a chapter has formulas; other pages have none."""
    if not page[0].isdigit():
        return False
    return any(cell.cell_type == "markdown" and "$" in cell.source
               for cell in notebooks.read(paths.NOTEBOOKS / f"{page}.ipynb").cells)  # fmt: skip


# ----------------------------------------------------------------------- what a reader sees, no network


def test_a_page_is_whole_without_a_network(seen):
    """Formulas set, pictures loaded, nothing asked of the network."""
    assert (seen.outside, seen.complaints) == ([], [])
    formulas = seen.tab.locator(".math").count()
    assert seen.tab.locator(".math > mjx-container").count() == formulas
    assert (formulas > 0) == has_formulas(seen.name)
    assert seen.tab.locator("[data-mml-node=merror], mjx-merror").count() == 0
    assert seen.tab.evaluate("[...document.images].filter(one => !one.complete || !one.naturalWidth).length") == 0


def test_the_keyboard_reaches_every_control(seen):
    """Links, buttons, players and what scrolls: all take the focus, and none is taken out of the order of Tab."""
    out_of_reach = seen.tab.locator("article :is(a[href], button, audio, input, select, summary)").evaluate_all(
        "all => all.filter(one => one.checkVisibility() && (one.tabIndex < 0 || one.disabled))"
        ".map(one => one.outerHTML)"
    )
    assert out_of_reach == []


def violations(tab, options, exclude=()) -> list[str]:
    """What axe-core finds in the part of a page that the course wrote."""
    from axe_playwright_python.sync_playwright import Axe

    context = {"include": [["article"]], "exclude": [[selector] for selector in exclude]}
    found = Axe().run(tab, context=context, options={"resultTypes": ["violations"]} | options).response
    assert found["passes"] or found["inapplicable"], "nothing was looked at"
    return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]


def test_axe_finds_nothing_to_fix(seen):
    """No violation of WCAG 2.1, A or AA; the contrast comes below."""
    wcag = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
    assert violations(seen.tab, {"runOnly": wcag, "rules": {"color-contrast": {"enabled": False}}}) == []


# Each word of code is an element of its own, and axe takes half a minute for ten thousand of them.
CODE = ".highlight pre"
# A question takes the page's ink and ground; a verdict, a shaded table and code set their own.
WORDS = f".text_html :is(div, strong, td, th, figcaption, span), .output p, {CODE}, {CODE} span"
INKS_AND_GROUNDS = """elements => {
    const found = {};
    for (const element of elements) {
        let at = element, clear = "rgba(0, 0, 0, 0)";
        while (at.parentElement && getComputedStyle(at).backgroundColor == clear) at = at.parentElement;
        const ground = getComputedStyle(at).backgroundColor, ink = getComputedStyle(element).color;
        found[[ink, ground].join("/")] = [ink, ground == clear ? "rgb(255, 255, 255)" : ground, element.textContent];
    }
    return Object.values(found);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_words_can_be_read(seen, theme):
    """Contrast of at least 4.5, in both themes: axe-core's verdict, and our own on code and outputs."""
    seen.tab.emulate_media(color_scheme=theme)
    seen.tab.wait_for_function(f"document.documentElement.dataset.theme == '{theme}'")
    found = seen.tab.locator(WORDS).evaluate_all(INKS_AND_GROUNDS)
    assert [each for each in found if colour.contrast(*each[:2]) < 4.5] == []
    assert found or seen.name in ("index", "data")
    # Prose has the colours of one style sheet on all pages; these have every kind of output.
    if seen.name[:2] in ("in", "00", "06", "08", "17"):
        assert violations(seen.tab, {"runOnly": ["color-contrast"]}, exclude=[CODE]) == []


def test_a_page_fits_a_telephone(seen):
    before = seen.tab.viewport_size
    seen.tab.set_viewport_size({"width": 390, "height": 800})
    try:
        assert seen.tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    finally:
        seen.tab.set_viewport_size(before)


@by_chapter
def test_headings_are_in_order(site, stem):
    article = (site / f"{stem}.html").read_text(encoding="utf-8").partition("<article")[2].partition("</article>")[0]
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", article)]
    assert levels[0] == levels.count(1) == 1 and all(
        after <= before + 1 for before, after in itertools.pairwise(levels)
    )


def test_the_switch_changes_the_theme_and_it_stays(chromium, site):
    tab, _, _ = opened(chromium, site, "index", color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    before = tab.evaluate(ground)
    tab.locator(".theme-switch-button:visible").first.click()
    tab.locator(".dropdown-menu.show [data-mode=dark]:visible").first.click()
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    assert colour.luminance(before) > 0.8 and colour.luminance(tab.evaluate(ground)) < 0.05
    tab.goto((site / f"{CHAPTERS[1].stem}.html").as_uri())
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    tab.close()


@pytest.mark.parametrize("words", ["backpropagation", "反向传播"])
def test_search_finds_a_chapter(chromium, site, words):
    tab, outside, _ = opened(chromium, site, f"search?q={words}")
    tab.locator("#search-results li a").first.wait_for()
    found = [link.get_attribute("href") for link in tab.locator("#search-results li a").all()]
    assert any("03_backpropagation.html" in target for target in found[:3]) and outside == []
    tab.close()


# ------------------------------------------------------------------------------------------ the PDF


def pdf_text_is_there(content: bytes) -> bool:
    """Whether text is drawn on the pages, as characters and not as pictures (operators Tj and TJ)."""
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, flags=re.DOTALL):
        try:
            if re.search(rb"T[jJ]\s", zlib.decompress(packed)):
                return True
        except zlib.error:
            continue
    return False


def test_a_chapter_is_printed(chromium, site, tmp_path):
    copy = shutil.copytree(site, tmp_path / "html")
    (made,) = book.print_pdfs(copy, tmp_path / "pdf", ["03_backpropagation"])
    content = made.read_bytes()
    assert content == (copy / "pdf" / made.name).read_bytes()
    pages = [tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox ?\[([^\]]*)\]", content)]
    assert len(pages) > 3
    for _, _, width, height in pages:
        assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (210, 297), "A4"
    assert pdf_text_is_there(content) and b"/ToUnicode" in content, "its words can be searched and copied"
    assert "3 · Backpropagation".encode("utf-16-be").hex().encode() in content.lower() or b"Backpropagation" in content
    assert b"file:" not in content, "a link leads into this machine"
    assert len(content) < 5_000_000


def test_printing_needs_the_formulas(chromium, site, tmp_path):
    """A page that asks for something outside is not printed as if it were whole."""
    copy = shutil.copytree(site, tmp_path / "html")
    page = copy / "run.html"
    page.write_text(page.read_text(encoding="utf-8").replace("</body>", '<img src="https://example.org/a.png"></body>'))
    with pytest.raises(RuntimeError, match="asks for https://example.org/a.png"):
        book.print_pdfs(copy, tmp_path / "pdf", ["run"])


def test_without_a_chromium_the_site_is_made_and_the_rest_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(browser, "find_chromium", lambda: None)
    monkeypatch.setattr(book, "_sphinx", lambda out, with_pdf: (out / "html" / "_sources").mkdir(parents=True) or 0)
    said = []
    assert book.make(["00"], out=tmp_path, say=said.append) == 0
    assert len(said) == 2 and "PDFs were left out" in said[1] and browser.VARIABLE in said[1]


def test_the_browser_that_is_named_must_be_there(monkeypatch):
    monkeypatch.setenv(browser.VARIABLE, "no-such-program")
    with pytest.raises(ValueError, match="no-such-program"):
        browser.find_chromium()


# ---------------------------------------------------------------------------------- another repository


def test_the_command_and_the_buttons(chromium, tmp_path):
    """`make book` of one chapter, in a copy that has a public address: site, PDF, Binder, download."""
    copy = tmp_path / "a copy"
    wanted = ("course_utils", "book", "README.md", "pyproject.toml", "LICENSE", "data/README.md",
              "notebooks/00_start_here.ipynb", "notebooks/01_core_concepts.ipynb")  # fmt: skip
    for name in wanted:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        source = paths.ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    address = "https://github.com/a-reader/a-copy"
    repository.change(address, copy)
    done = subprocess.run([sys.executable, "-m", "course_utils", "book", "0"], cwd=copy, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert re.fullmatch(
        r"build.book.html.index\.html: 1 chapters?, \d+ s\nbuild.book.pdf: 1 PDFs?, \d+ s\n", done.stdout
    )
    html = copy / "build" / "book" / "html"
    targets = Page(html / "00_start_here.html").targets
    assert repository.binder(address, "notebooks/00_start_here.ipynb") in targets
    assert {"run.html", "pdf/00_start_here.pdf", "_sources/00_start_here.ipynb", address} <= set(targets)
    assert (html / "pdf" / "00_start_here.pdf").is_file() and (copy / "build/book/pdf/00_start_here.pdf").is_file()
    assert "01_core_concepts.html" not in targets, "a chapter that is not in this book is not linked"
    assert "badge" not in (html / "run.html").read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------------- links


def test_links_to_files_of_the_repository_lead_into_the_book(tmp_path):
    pages = book._Pages(tmp_path, {"notebooks/01_core_concepts.ipynb": "01_core_concepts.ipynb"})
    asked = {
        "[a](01_core_concepts.ipynb)": "[a](01_core_concepts.ipynb)",
        "[a](01_core_concepts.ipynb#memory)": "[a](01_core_concepts.ipynb#memory)",
        "see [the *next* one](02_gradient_descent.ipynb).": "see the *next* one.",
        "[cards](../data/README.md)": "[cards](data.md)",
        "[licence](../LICENSE)": "[licence](files/LICENSE)",
        "[web](https://example.org/a)": "[web](https://example.org/a)",
        "[here](#top)": "[here](#top)",
        "[no file](../nothing.md)": "[no file](../nothing.md)",  # Sphinx will warn
    }
    for text, wanted in asked.items():
        assert pages.relink(text, "notebooks") == wanted
    assert (tmp_path / "files" / "LICENSE").read_bytes() == (paths.ROOT / "LICENSE").read_bytes()


def test_an_unknown_chapter_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no notebook '99'"):
        book.make(["99"], out=tmp_path)
