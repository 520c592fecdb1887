"""Sphinx's settings of the book. ``make book`` stages the pages and calls Sphinx; nothing is executed."""

import base64
import hashlib
import importlib.util
from pathlib import Path

from docutils import nodes
from sphinx.util.fileutil import copy_asset_file

from course_utils.maintain import notebooks, repository

project = html_title = "Your first large model"
html_show_copyright = html_show_sphinx = html_use_index = False
language = "en"
extensions = ["myst_nb"]

# -- the notebooks, as they were saved ------------------------------------------------------------------
nb_execution_mode = "off"
nb_render_markdown_format = "myst"  # what a cell says may have formulas and tables too
nb_ipywidgets_js = {}  # saved notebooks have no widgets, and these scripts would come from another server
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_dmath_double_inline = True
myst_heading_anchors = 3
smartquotes = False  # quotation marks and dashes as they were written

# -- formulas, with no network --------------------------------------------------------------------------
# The package holds all of MathJax; one file of it is enough. It draws formulas as SVG: that needs no fonts, which
# Firefox would refuse to a page opened from a file. The menu is off because it would load what is left out.
_mathjax = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static/mathjax/tex-svg-full.js"
mathjax_path = "mathjax/tex-svg-full.js"
mathjax3_config = {"options": {"enableMenu": False}, "svg": {"fontCache": "global"}}

# -- the look -------------------------------------------------------------------------------------------
html_theme = "sphinx_book_theme"
html_static_path = ["static"]
html_css_files = ["custom.css"]
html_js_files = ["scroll.js"]
html_theme_options = {
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],
    "footer_content_items": [],
}
html_context = {"default_mode": "auto"}

NOTEBOOK = "notebooks/{}.ipynb"
URL = repository.address()
if URL.startswith(("https://github.com/", "https://gitlab.com/")):
    html_theme_options |= {"repository_url": URL, "use_repository_button": True, "use_issues_button": True}


def header_buttons(app, page, template, context, doctree):
    """The rocket (Binder, your computer) on every chapter; the printed chapter in the place of the print dialogue."""
    if not str(context.get("page_source_suffix", "")).endswith("ipynb"):
        context["header_buttons"] = [one for one in context["header_buttons"] if one["label"] != "download-buttons"]
        return
    pathto = context["pathto"]
    in_browser = repository.binder(URL, NOTEBOOK.format(page)) if URL else pathto("run")
    launch = [
        {"type": "link", "url": in_browser, "text": "Binder", "icon": "_static/images/logo_binder.svg",
         "tooltip": "Run this chapter in the browser"},
        {"type": "link", "url": pathto("run"), "text": "Your computer", "icon": "fas fa-laptop",
         "tooltip": "How to run this chapter on your computer"},
    ]  # fmt: skip
    context["header_buttons"].insert(0, {
        "type": "group", "label": "launch-buttons", "icon": "fas fa-rocket", "buttons": launch,
        "tooltip": "Run this chapter",
    })  # fmt: skip
    for group in context["header_buttons"]:
        for number, button in enumerate(group.get("buttons", [])):
            if app.config.with_pdf and button.get("label") == "download-pdf-button":
                group["buttons"][number] = {
                    "type": "link", "url": pathto(f"pdf/{page}.pdf", 1), "text": ".pdf", "icon": "fas fa-file-pdf",
                    "tooltip": "The chapter to print", "label": "download-pdf-button",
                }  # fmt: skip


def alt_texts(app, doctree):
    """Give each figure the text that it was saved with: MyST-NB takes its size from there, and leaves the text.

    It names a picture after the hash of its bytes.
    """
    source = Path(app.env.doc2path(app.env.docname))
    if source.suffix != ".ipynb":
        return
    alts = {}
    for cell in notebooks.read(source).cells:
        for output in cell.get("outputs", []):
            if picture := output.get("data", {}).get("image/png"):
                name = hashlib.sha256(base64.b64decode(picture)).hexdigest()
                alts[name] = output.metadata.get("image/png", {}).get("alt", "")
    for image in doctree.findall(nodes.image):
        image.setdefault("alt", alts.get(Path(image["uri"]).stem, ""))


def copy_mathjax(app):
    """Put MathJax's one file into the site."""
    target = Path(app.outdir, "_static", "mathjax")
    target.mkdir(parents=True, exist_ok=True)
    copy_asset_file(_mathjax, target)


def setup(app):
    app.add_config_value("with_pdf", False, "html", bool)
    app.connect("doctree-read", alt_texts)
    app.connect("html-page-context", header_buttons, priority=900)
    app.connect("builder-inited", copy_mathjax)
