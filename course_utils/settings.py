"""What the lessons rely on, set in one place, whatever a person has set for other work.

``fix_environment`` runs when ``course_utils`` is imported, before Matplotlib, Keras and TensorFlow read anything;
``fix_libraries`` runs in ``cu.start`` and undoes what a start-up file has done since. What is a matter of taste, such
as a theme or an editor, stays. ``clean_environment`` is for the kernels that machines start.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from course_utils import paths

# Read by Keras and TensorFlow when they are imported. A lesson that is silent, and equal on each machine, needs these.
REQUIRED = {
    "KERAS_BACKEND": "tensorflow",
    "TF_USE_LEGACY_KERAS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
# These change numbers, speed or output: Keras's other variables, compiler flags, oneDNN switched off, verbose logs.
REMOVED = (
    "KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED", "MATPLOTLIBRC", "SCIPY_ARRAY_API",
    "SKLEARN_ASSUME_FINITE", "TF_CPP_MAX_VLOG_LEVEL", "TF_CPP_MIN_VLOG_LEVEL", "TF_CPP_VMODULE",
    "TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS",
)  # fmt: skip
# Python's own variables that a kernel keeps: they change how it stores and shows things, not what it computes.
_PYTHON_KEPT = {"PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONUTF8", "PYTHONIOENCODING"}

overridden: dict[str, str] = {}  # variables that a person had set otherwise, and to what


# ------------------------------------------------------------------------------ this process


def fix_environment() -> None:
    """Set the variables that libraries read when they are imported, and prefer installed modules to files nearby."""
    for name, value in REQUIRED.items():
        if os.environ.get(name, value) != value:
            overridden[name] = os.environ[name]
        os.environ[name] = value
    os.environ |= {"MPLCONFIGDIR": _own_folder("matplotlib"), "KERAS_HOME": _own_folder("keras")}
    for name in REMOVED:
        if name in os.environ:
            overridden[name] = os.environ.pop(name)
    if "" in sys.path:  # a kernel looks beside the notebook first: a file random.py there would hide Python's own
        sys.path = [entry for entry in sys.path if entry] + [""]


_folder: Path | None = None


def _own_folder(name: str) -> str:
    """A folder for a library's settings and caches that no other program uses; in the course, or a temporary one."""
    global _folder
    if _folder is None:
        _folder = paths.CACHE / "settings"
        try:
            _folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=_folder):
                pass
        except OSError:  # the course lies where nothing can be written
            _folder = Path(tempfile.mkdtemp(prefix="course-"))
            atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    folder = _folder / name
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        (folder / "keras.json").unlink(missing_ok=True)  # Keras writes its defaults there
    return str(folder)


@contextlib.contextmanager
def in_own_folder() -> Iterator[None]:
    """For the import of Matplotlib, which reads a ``matplotlibrc`` in the working folder, too, faults and all."""
    try:
        here = os.getcwd()
        os.chdir(os.environ["MPLCONFIGDIR"])
    except OSError:  # the working folder was deleted: then nothing lies in it
        yield
        return
    try:
        yield
    finally:
        os.chdir(here)


def fix_libraries(in_notebook: bool) -> None:
    """Undo what start-up files and options have changed in the libraries that are loaded; the style comes after.

    Args:
        in_notebook: whether figures are for a notebook; elsewhere nothing opens a window.
    """
    import matplotlib
    import numpy as np
    import sklearn

    _let_warnings_be_warnings()
    matplotlib.use("module://matplotlib_inline.backend_inline" if in_notebook else "agg")
    if in_notebook:
        _drop_parameters_of_the_backend()
    # NumPy's documentation gives these as the way back to the defaults of printing and of errors.
    np.set_printoptions(
        edgeitems=3, infstr="inf", linewidth=75, nanstr="nan", precision=8, suppress=False, threshold=1000,
        formatter=None, sign="-", floatmode="maxprec", legacy=False,
    )  # fmt: skip
    np.seterr(divide="warn", over="warn", under="ignore", invalid="warn")
    sklearn.set_config(
        assume_finite=False, transform_output="default", array_api_dispatch=False, enable_metadata_routing=False,
        print_changed_only=True, display="diagram",
    )  # fmt: skip


def _drop_parameters_of_the_backend() -> None:
    """IPython's backend would set a person's rc parameters after the cell, over the style of the course."""
    from IPython import get_ipython

    shell = get_ipython()
    shell.config.InlineBackend.rc = {}
    for part in shell.configurables:
        if type(part).__name__ == "InlineBackend":
            part.rc = {}


def _let_warnings_be_warnings() -> None:
    """A filter that turns warnings into errors would stop a lesson at a library's remark."""
    if any(action == "error" for action, *_ in warnings.filters):
        warnings.resetwarnings()
        for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", kind)
        warnings.filterwarnings("default", category=DeprecationWarning, module="__main__")


def fix_keras(tf) -> None:
    """The settings of Keras that layers take when they are made.

    Raises:
        RuntimeError: Keras was loaded before the course, on another backend; the message says what to do.
    """
    keras = tf.keras
    if keras.config.backend() != "tensorflow":
        raise RuntimeError(
            f"Keras is already loaded, on {keras.config.backend()}. Restart the kernel, and let nothing import Keras "
            "before course_utils (a start-up file of IPython may do that)."
        )
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")
    tf.config.run_functions_eagerly(False)


def notes() -> list[str]:
    """What a person has set that the lessons set aside, a sentence each; for the doctor."""
    found = [f"{name}={value!r} is set aside" for name, value in sorted(overridden.items())]
    if not __debug__:
        found.append("Python runs with -O or PYTHONOPTIMIZE: it skips the proofs of the lessons; start it without")
    home = os.path.expanduser("~")
    for name in (".keras/keras.json", ".config/matplotlib/matplotlibrc", ".matplotlib/matplotlibrc"):
        with contextlib.suppress(OSError, ValueError):
            if (Path(home) / name).is_file():
                found.append(f"~/{name} is not read")
    return found


# ------------------------------------------------------------------------- kernels of machines


def for_jupyter(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with which Jupyter is started, for people and machines: no other kernel or module comes first.

    Args:
        environment: what a person has set; it is not changed.
    """
    cleaned = {
        name: value
        for name, value in environment.items()
        if name in _PYTHON_KEPT or not name.startswith("PYTHON") and name not in ("JUPYTER_PATH", "MPLBACKEND")
    }
    if not _is_installed():
        cleaned["PYTHONPATH"] = str(paths.ROOT)
    return cleaned | {"PYTHONNOUSERSITE": "1", "JUPYTER_PREFER_ENV_PATH": "1"}


@functools.cache
def _is_installed() -> bool:
    """Whether a kernel finds this very copy of the course by itself; a copy may use the environment of another."""
    code = "import importlib.util as util; spec = util.find_spec('course_utils'); print(spec.origin if spec else '')"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    return done.stdout.strip() == str(paths.ROOT / "course_utils" / "__init__.py")


@contextlib.contextmanager
def clean_environment() -> Iterator[None]:
    """While machines run notebooks, each kernel is this Python, and nothing of a person's settings reaches it.

    The kernels have an empty home, so that no file of Jupyter, IPython or another tool and no other kernel is found,
    and no learner's progress is recorded.
    """
    before = dict(os.environ)
    kept = {name: value for name, value in before.items() if not name.startswith(("JUPYTER_", "IPYTHON", "XDG_"))}
    posts = Path(os.path.expanduser("~"), "scikit_learn_data")
    with contextlib.suppress(OSError):
        if "SCIKIT_LEARN_DATA" not in kept and posts.is_dir():
            kept["SCIKIT_LEARN_DATA"] = str(posts)  # data are not settings
    with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as home:
        os.environ.clear()
        os.environ |= for_jupyter(kept) | {"HOME": home, "USERPROFILE": home, "JUPYTER_NO_CONFIG": "1"}
        os.environ |= {"PYTHONUTF8": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1", "COURSE_PROGRESS": "off"}
        try:
            yield
        finally:
            os.environ.clear()
            os.environ |= before
