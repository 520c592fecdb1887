"""What a cell shows and leaves behind: figures with their text, tables, sentences, controls, metrics."""

from __future__ import annotations

import html
import io
import math
import numbers
import re
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
    """A Matplotlib figure as an HTML image with its text, for a control that draws again; the figure is closed.

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
    """The text on one line; raises where text or figure is missing."""
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


def table(head, rows, caption: str = "", align: str | None = None) -> None:
    """Show a table: a head and rows, as Markdown.

    A float is shown with three significant digits, a whole number with commas, a true or false value as yes or no;
    give a text where another form is wanted. Columns of numbers stand to the right.

    Args:
        head: the names of the columns.
        rows: for each row, as many entries as the head has: texts, numbers, or arrays and tensors of one number.
        caption: one line above the table; Markdown.
        align: one letter for each column, ``l``, ``c`` or ``r``, where the choice above does not suit.

    Raises:
        ValueError: a row, or ``align``, has another number of entries than the head.
        TypeError: an entry is an array of several numbers.
    """
    say(table_markdown(head, rows, caption, align))


def table_markdown(head, rows, caption: str = "", align: str | None = None) -> str:
    """The text that ``table`` shows. Arguments and errors as there."""
    head, rows = [str(name) for name in head], [list(row) for row in rows]
    for number, row in enumerate(rows):
        if len(row) != len(head):
            raise ValueError(f"Row {number} of the table has {len(row)} entries; the head has {len(head)}.")
    columns = [[_scalar(row[i]) for row in rows] for i in range(len(head))]
    if align is None:
        align = "".join("r" if _is_numeric(column) else "l" for column in columns)
    if len(align) != len(head) or not set(align) <= set(_MARKDOWN_ALIGN):
        raise ValueError(f"align needs one of l, c and r for each of the {len(head)} columns, not {align!r}.")
    columns = [[_escaped(text) for text in _texts(column)] for column in columns]
    lines = [[_escaped(name) for name in head], [_MARKDOWN_ALIGN[letter] for letter in align]]
    lines += zip(*columns, strict=True)
    return "\n".join(([caption, ""] if caption else []) + ["| " + " | ".join(line) + " |" for line in lines])


_MARKDOWN_ALIGN = {"l": "---", "c": ":---:", "r": "---:"}
# A number as a table shows it: a sign, digits, a short unit, an interval or a spread after it.
_NUMBER_TEXT = re.compile(
    r"\W{0,4}\d[\d.,\s]*(e[+-]?\d+)?\W{0,3}[A-Za-zµ]{0,3}(/s)?((±|to|\(|–)[\W\d]*(to [\W\d]*)?)?\W*"
)


def _scalar(entry):
    """An entry as Python's own text, bool, int or float where it is one, also inside an array or a tensor."""
    if hasattr(entry, "numpy"):
        entry = entry.numpy()
    if hasattr(entry, "item") and hasattr(entry, "shape"):
        if math.prod(entry.shape) != 1:
            raise TypeError(f"An entry of a table is a text or one number, not an array of shape {entry.shape}.")
        entry = entry.item()
    return entry


def _is_numeric(column: list) -> bool:
    """Whether a column holds numbers; empty entries and dashes say nothing."""
    told = [entry for entry in column if not isinstance(entry, str) or entry.strip(" -–—")]
    return bool(told) and all(
        bool(_NUMBER_TEXT.fullmatch(entry)) if isinstance(entry, str) else _is_number(entry) for entry in told
    )


def _is_number(entry) -> bool:
    return isinstance(entry, numbers.Real) and not isinstance(entry, bool)


def _texts(column: list) -> list[str]:
    """The entries of a column as texts; measured numbers all get three digits, settings such as 0.1 stay short."""
    floats = [entry for entry in column if isinstance(entry, float)]
    short = all(float(f"{entry:.3g}") == entry for entry in floats if math.isfinite(entry))
    return [_float_text(entry, short) if isinstance(entry, float) else _text(entry) for entry in column]


def _float_text(value: float, short: bool) -> str:
    if not math.isfinite(value):
        return "–" if math.isnan(value) else f"{value:.0f}".replace("inf", "∞")
    if 1000 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.3g}" if short else f"{value:#.3g}".rstrip(".")


def _text(entry) -> str:
    if isinstance(entry, bool):
        return "yes" if entry else "no"
    return f"{entry:,}" if isinstance(entry, int) else str(entry)


def _escaped(text: str) -> str:
    """A text on one line whose bars do not end a cell."""
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def explore(draw, *controls, alt=""):
    """Controls over a view that is drawn again at each change. Leave it as the last line of a cell.

        cu.explore(picture, slider, menu, alt="What the picture shows.")

    It stands beside a static figure with the same message: a saved notebook keeps no view. An error of the first
    drawing is raised; a later one is written into the view, because nobody sees what a control's callback raises.

    Args:
        draw: takes the controls' values, one after the other; returns a Matplotlib figure or HTML.
        controls: ipywidgets with a value and a description.
        alt: the figure's text, or a function of the values that returns it; not needed for HTML.

    Returns:
        An ``ipywidgets.VBox``: the controls, and the view below them.

    Raises:
        TypeError: ``draw`` returned neither a figure nor a text, or something without a value stands for a control.
        ValueError: the figure's text is missing, or there is no control.
    """
    import ipywidgets

    if not controls:
        raise ValueError("explore() needs at least one control, such as ipywidgets.FloatSlider(description='rate').")
    for control in controls:
        if not isinstance(control, ipywidgets.ValueWidget):
            raise TypeError(f"explore() takes ipywidgets with a value as controls, not {type(control).__name__}.")
    view = ipywidgets.HTML()

    def page() -> str:
        values = [control.value for control in controls]
        drawn = draw(*values)
        return drawn if isinstance(drawn, str) else figure_html(drawn, alt(*values) if callable(alt) else alt)

    def redraw(_):
        try:
            view.value = page()
        except Exception as error:
            view.value = f"<pre>{html.escape(f'{type(error).__name__}: {error}')}</pre>"

    view.value = page()
    for control in controls:
        control.observe(redraw, names="value")
    return ipywidgets.VBox([*controls, view])


def show_html(markup: str, text: str) -> None:
    """Show a piece of HTML (a shaded table, marked words) with a text that says what it shows.

    The text stands where no HTML is shown: in a terminal, in the tests, in the file. Colours are
    the caller's: set ground and ink together in each cell, so that a dark theme changes neither.

    Args:
        markup: HTML whose own texts are escaped already.
        text: one or two sentences: what a person who cannot see the colours should know.

    Raises:
        TypeError: ``markup`` is not a string.
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
