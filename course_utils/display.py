"""What a cell shows and leaves behind: figures with their text, tables, sentences, controls, metrics."""

from __future__ import annotations

import html
import io
import math
import sys

METRIC_MIME = "application/vnd.course.metric+json"
MIN_ALT_CHARS = 20
MAX_DRAWING_COLOURS = 8192
DOTS_PER_INCH = 144  # a page has 96 dots an inch: figures stored with more are sharp on dense screens


def in_notebook() -> bool:
    """Whether this code runs in a Jupyter kernel (and not in a terminal or a test)."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def display_data(data: dict, metadata: dict | None = None, handle: bool = False):
    """Send one output with several forms to the notebook; print its ``text/plain`` elsewhere.

    Args:
        data: MIME type → content, with ``text/plain`` among them.
        metadata: MIME type → its metadata.
        handle: return IPython's handle, through which the output can be updated later.
    """
    if not in_notebook():
        print(data["text/plain"])
        return None
    from IPython.display import display

    return display(data, raw=True, metadata=metadata or {}, display_id=True if handle else None)


def show(figure, alt: str) -> None:
    """Show a Matplotlib figure with a text that says what it shows, and close it.

    The text travels with the picture: into the saved notebook and into its exported page, where a
    screen reader finds it.

    Args:
        figure: a ``matplotlib.figure.Figure``.
        alt: one or two sentences: what a person who cannot see the figure should know.

    Raises:
        ValueError: ``alt`` is missing or too short to say anything.
        TypeError: ``figure`` is not a figure.
    """
    alt = _described(figure, alt, "show")
    png, width = figure_png(figure)
    close(figure)
    if in_notebook():
        display_data({"image/png": png, "text/plain": f"Figure: {alt}"}, {"image/png": {"alt": alt, "width": width}})


def figure_html(figure, alt: str) -> str:
    """A Matplotlib figure as an HTML image with its text, for a control that draws anew; the figure is closed.

        view = ipywidgets.HTML()
        view.value = cu.figure_html(figure, alt="…")

    A widget's value is set at once and as a whole. (``ipywidgets.Output`` catches what a cell shows, by messages
    that can arrive late and in another order.)

    Args, errors: as for ``show``.
    """
    alt = _described(figure, alt, "figure_html")
    png, width = figure_png(figure)
    close(figure)
    return f'<img width="{width}" alt="{html.escape(alt)}" src="data:image/png;base64,{png}">'


def _described(figure, alt, function: str) -> str:
    """The text on one line; an error if it is none, or if there is no figure."""
    from matplotlib.figure import Figure

    if not isinstance(figure, Figure):
        raise TypeError(f"{function}() takes a Matplotlib figure, not {type(figure).__name__}.")
    if not isinstance(alt, str) or len(alt.strip()) < MIN_ALT_CHARS:
        raise ValueError(f"{function}() needs alt='…': a sentence that says what the figure shows.")
    return " ".join(alt.split())


def figure_png(figure) -> tuple[str, int]:
    """A figure as base64 PNG on an opaque background, and its width in pixels on the page.

    Drawings are stored with a palette, which takes a third of the space and looks the same; a figure with more
    colours than a drawing has (a photograph) keeps them all.
    """
    import base64

    from PIL import Image

    drawn, stored = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight", facecolor="white")
    picture = Image.open(drawn).convert("RGB")
    if picture.getcolors(MAX_DRAWING_COLOURS) is not None:
        picture = picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    picture.save(stored, format="png", optimize=True)
    return base64.b64encode(stored.getvalue()).decode(), picture.width * 96 // DOTS_PER_INCH


def close(figure) -> None:
    """Forget a figure, so that the notebook does not draw it a second time."""
    import matplotlib.pyplot as plt

    plt.close(figure)


def say(text: str) -> None:
    """Show a sentence (Markdown) that a cell has put together from what it has just measured."""
    display_data({"text/markdown": text, "text/plain": text})


def table(head, rows, caption: str = "") -> None:
    """Show a table: a head and rows, as Markdown.

    A float is shown with three significant digits, a whole number with commas, a true or false value as yes or no;
    give a text where another form is wanted. Columns of numbers stand to the right.

    Args:
        head: the names of the columns.
        rows: for each row, as many entries as the head has.
        caption: one line above the table; Markdown.

    Raises:
        ValueError: a row has another number of entries than the head.
    """
    say(table_markdown(head, rows, caption))


def table_markdown(head, rows, caption: str = "") -> str:
    """The text that ``table`` shows. Arguments and errors as there."""
    head, rows = [str(name) for name in head], [list(row) for row in rows]
    for number, row in enumerate(rows):
        if len(row) != len(head):
            raise ValueError(f"Row {number} of the table has {len(row)} entries; the head has {len(head)}.")
    numeric = [bool(rows) and all(_is_number(row[i]) for row in rows) for i in range(len(head))]
    cells = [[_cell(name) for name in head], ["---:" if right else "---" for right in numeric]]
    cells += [[_cell(entry) for entry in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join(([caption, ""] if caption else []) + lines)


def _is_number(entry) -> bool:
    if isinstance(entry, str):
        return bool(entry) and (entry[0].isdigit() or entry[0] in "+-−±≈<>." and entry[1:2].isdigit())
    return hasattr(entry, "__float__") and not isinstance(entry, bool)


def _cell(entry) -> str:
    """One entry as text that cannot break the table."""
    if isinstance(entry, bool) or type(entry).__name__ in ("bool", "bool_"):
        entry = "yes" if entry else "no"
    elif hasattr(entry, "__index__"):
        entry = f"{int(entry):,}"
    elif hasattr(entry, "__float__") and not isinstance(entry, str):
        entry = f"{float(entry):.3g}"
    return " ".join(str(entry).split()).replace("|", "\\|")


def explore(draw, *controls, alt=""):
    """Controls over a view that is drawn anew at each change. Leave it as the last line of a cell.

        cu.explore(picture, slider, menu, alt="What the picture shows.")

    It stands beside a static figure with the same message: a saved notebook keeps no view.

    Args:
        draw: takes the controls' values, one after the other; returns a Matplotlib figure or HTML.
        controls: ipywidgets with a value and a description.
        alt: the figure's text, or a function of the values that returns it; not needed for HTML.

    Returns:
        An ``ipywidgets.VBox``: the controls, and the view below them.

    Raises:
        TypeError: ``draw`` returned neither a figure nor a text, or something without a value stands for a control.
        ValueError: the figure's text is missing.
    """
    import ipywidgets

    for control in controls:
        if not hasattr(control, "observe") or not hasattr(control, "value"):
            raise TypeError(f"explore() takes ipywidgets with a value as controls, not {type(control).__name__}.")
    view = ipywidgets.HTML()

    def redraw(_=None):
        values = [control.value for control in controls]
        drawn = draw(*values)
        if not isinstance(drawn, str):
            drawn = figure_html(drawn, alt(*values) if callable(alt) else alt)
        view.value = drawn

    for control in controls:
        control.observe(redraw, names="value")
    redraw()
    return ipywidgets.VBox([*controls, view])


def show_html(markup: str, text: str) -> None:
    """Show a piece of HTML (a shaded table, marked words) with a text that says what it shows.

    The text stands where no HTML is shown: in a terminal, in the tests, for whoever reads the file. Colours are
    the caller's: set ground and ink together in each cell, so that a dark theme changes neither.

    Args:
        markup: HTML whose own texts are escaped already.
        text: one or two sentences: what a person who cannot see the colours should know.

    Raises:
        TypeError: ``markup`` is no string.
        ValueError: ``text`` is missing or too short to say anything.
    """
    if not isinstance(markup, str):
        raise TypeError(f"show_html() takes HTML as a string, not {type(markup).__name__}.")
    if not isinstance(text, str) or len(text.strip()) < MIN_ALT_CHARS:
        raise ValueError("show_html() needs text='…': a sentence that says what is shown.")
    display_data({"text/html": markup, "text/plain": " ".join(text.split())})


def record(name: str, value: float) -> None:
    """Leave a metric: a line under the cell, and an entry in ``results.json`` of ``make run``.

    Args:
        name: letters, digits and underscores, such as ``accuracy_honest_lstm``.
        value: a finite number.

    Raises:
        ValueError: the name is not of that form, or the value is not a finite number.
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"A metric's name has letters, digits and underscores only, not {name!r}.")
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"Metric {name!r} must be a finite number, not {value!r}.")
    display_data({METRIC_MIME: {"name": name, "value": number}, "text/plain": f"{name} = {number:.4g}"})
