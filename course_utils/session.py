"""What every notebook begins with and leaves behind: a quiet start, figures, sentences and metrics."""

from __future__ import annotations

import contextlib
import io
import math
import os
import random
import sys
import tempfile
import warnings

METRIC_MIME = "application/vnd.course.metric+json"
_SHORTEST_ALT = 20
_COLOURS_OF_A_DRAWING = 8192
_DPI = 144  # a page has 96 dots an inch: stored with more, figures are sharp on dense screens


# ---------------------------------------------------------------------------------------- start


def start(seed: int, tensorflow: bool = True) -> None:
    """Prepare a notebook: seed every generator, load TensorFlow quietly, set the figure style.

    Prints one line with the versions in use.

    Args:
        seed: a whole number from 0 to 2**32 - 1.
        tensorflow: False for a notebook that needs only NumPy and scikit-learn (it starts 7 s sooner).

    Raises:
        ValueError: the seed is not such a number.
    """
    import matplotlib
    import numpy as np
    import sklearn

    from course_utils.plots import style

    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"SEED must be a whole number from 0 to 4294967295; it is {seed!r}.")
    random.seed(seed)
    np.random.seed(seed)
    style.apply()
    versions = [("Python", sys.version.split()[0]), ("NumPy", np.__version__)]
    versions += [("scikit-learn", sklearn.__version__), ("Matplotlib", matplotlib.__version__)]
    if tensorflow:
        tf = quiet_tensorflow()
        tf.keras.utils.set_random_seed(seed)
        versions += [("TensorFlow", tf.__version__), ("Keras", tf.keras.__version__)]
    print(" · ".join(f"{name} {version}" for name, version in versions), f"· seed {seed}")


def quiet_tensorflow():
    """Import TensorFlow without its start-up messages and return the module.

    The messages come from C++ before any Python setting counts, so the process's stderr itself is held
    back during the import and the first operation. If the import fails, what was held back is shown.
    oneDNN stays on: switching it off also silences TensorFlow, and makes an LSTM three times slower.
    """
    if "tensorflow" in sys.modules:
        return sys.modules["tensorflow"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _stderr_held_back():
        import tensorflow as tf

        tf.constant(0.0) + 1.0  # the first operation prints its own lines about the processor
        tf.get_logger().setLevel("ERROR")
    return tf


@contextlib.contextmanager
def _stderr_held_back():
    """Hold back everything written to file descriptor 2; show it if the block fails."""
    try:
        keep = os.dup(2)
    except OSError:  # no such descriptor: nothing to hold back
        yield
        return
    with tempfile.TemporaryFile() as held:
        with contextlib.suppress(io.UnsupportedOperation, ValueError):
            sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(keep, 2)
            held.seek(0)
            sys.stderr.write(held.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(keep, 2)
            os.close(keep)


@contextlib.contextmanager
def quietly():
    """Hold back all that a library says while it works: prints, warnings, and lines of its C++ part.

    What came from C++ is shown after all if the block fails; so is the exception, of course.
    """
    with _stderr_held_back(), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# --------------------------------------------------------------------------- what a cell shows


def in_notebook() -> bool:
    """Whether this code runs in a Jupyter kernel (and not in a terminal or a test)."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


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
        from IPython.display import display

        data = {"image/png": png, "text/plain": f"Figure: {alt}"}
        display(data, raw=True, metadata={"image/png": {"alt": alt, "width": width}})


def figure_html(figure, alt: str) -> str:
    """A Matplotlib figure as an HTML image with its text, for a control that draws anew; the figure is closed.

        view = ipywidgets.HTML()
        view.value = cu.figure_html(figure, alt="…")

    A widget's value is set at once and as a whole. (``ipywidgets.Output`` catches what a cell shows, by messages
    that can arrive late and in another order.)

    Args, errors: as for ``show``.
    """
    import html

    alt = _described(figure, alt, "figure_html")
    png, width = figure_png(figure)
    close(figure)
    return f'<img width="{width}" alt="{html.escape(alt)}" src="data:image/png;base64,{png}">'


def _described(figure, alt, function: str) -> str:
    """The text on one line; an error if it is none, or if there is no figure."""
    from matplotlib.figure import Figure

    if not isinstance(figure, Figure):
        raise TypeError(f"{function}() takes a Matplotlib figure, not {type(figure).__name__}.")
    if not isinstance(alt, str) or len(alt.strip()) < _SHORTEST_ALT:
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
    figure.savefig(drawn, format="png", dpi=_DPI, bbox_inches="tight", facecolor="white")
    picture = Image.open(drawn).convert("RGB")
    if picture.getcolors(_COLOURS_OF_A_DRAWING) is not None:
        picture = picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    picture.save(stored, format="png", optimize=True)
    return base64.b64encode(stored.getvalue()).decode(), picture.width * 96 // _DPI


def close(figure) -> None:
    """Forget a figure, so that the notebook does not draw it a second time."""
    import matplotlib.pyplot as plt

    plt.close(figure)


def say(text: str) -> None:
    """Show a sentence (Markdown) that a cell has put together from what it has just measured."""
    if in_notebook():
        from IPython.display import display

        display({"text/markdown": text, "text/plain": text}, raw=True)
    else:
        print(text)


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
    if not isinstance(text, str) or len(text.strip()) < _SHORTEST_ALT:
        raise ValueError("show_html() needs text='…': a sentence that says what is shown.")
    text = " ".join(text.split())
    if in_notebook():
        from IPython.display import display

        display({"text/html": markup, "text/plain": text}, raw=True)
    else:
        print(text)


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
    line = f"{name} = {number:.4g}"
    if in_notebook():
        from IPython.display import display

        data = {METRIC_MIME: {"name": name, "value": number}, "text/plain": line}
        display(data, raw=True)
    else:
        print(line)
