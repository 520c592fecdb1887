"""What every notebook begins with: a quiet start with known seeds."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
import tempfile
import warnings

from course_utils import settings

# ---------------------------------------------------------------------------------------- start


def start(seed: int, tensorflow: bool = True) -> None:
    """Prepare a notebook: seed every generator, load TensorFlow quietly, undo settings of your own that
    lessons do not expect (module ``settings``), set the figure style.

    Prints one line with the versions in use.

    Args:
        seed: a whole number from 0 to 2**32 - 1.
        tensorflow: False for a notebook that needs only NumPy and scikit-learn (it starts 7 s sooner).

    Raises:
        ValueError: the seed is not such a number.
        RuntimeError: Keras was loaded before, on another backend than TensorFlow.
    """
    with settings.in_own_folder():
        import matplotlib
    import numpy as np
    import sklearn

    from course_utils import display
    from course_utils.plots import style

    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"SEED must be a whole number from 0 to 4294967295; it is {seed!r}.")
    settings.fix_libraries(display.in_notebook())
    random.seed(seed)
    np.random.seed(seed)
    style.apply()
    versions = [("Python", sys.version.split()[0]), ("NumPy", np.__version__)]
    versions += [("scikit-learn", sklearn.__version__), ("Matplotlib", matplotlib.__version__)]
    if tensorflow:
        tf = quiet_tensorflow()
        settings.fix_keras(tf)
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
    with _stderr_held_back(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
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
