"""A person's own settings do not reach into a lesson: a hostile home gives the same outputs and figures as a clean."""

import json
import os
import re
import subprocess
import sys
import textwrap

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_utils import paths, settings
from course_utils.maintain import notebooks

ROGUE = "raise ImportError('this module is not the one that was meant')\n"


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content), encoding="utf-8")


START_UP = """
    import warnings
    import matplotlib.pyplot as plt, numpy as np, random, sklearn
    plt.style.use("dark_background")
    plt.rcParams.update({"figure.dpi": 30, "savefig.format": "svg", "font.size": 30, "axes.formatter.use_locale": True})
    np.set_printoptions(precision=1, linewidth=20, sign="+", formatter={"int": hex})
    np.seterr(all="raise")
    sklearn.set_config(display="text", print_changed_only=False, transform_output="pandas")
    warnings.simplefilter("error")
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The environment of somebody who has used each of these tools for other work."""
    home = tmp_path_factory.mktemp("a home")
    kernel = {"argv": ["/bin/false", "{connection_file}"], "display_name": "Python 3", "language": "python"}
    matplotlib = "text.color: white\nno.such.key: 1\nfigure.dpi: 30\nbackend: no_such_backend\n"
    jupyter = {"NotebookClient": {"timeout": 1}, "KernelManager": {"kernel_cmd": ["/bin/false"]}}
    write(home, {
        ".keras/keras.json": json.dumps({"backend": "torch", "image_data_format": "channels_first", "floatx": "float16",
                                         "epsilon": 0.5}),
        ".config/matplotlib/matplotlibrc": matplotlib,
        ".config/matplotlib/stylelib/broken.mplstyle": "axes.grid: maybe\n",
        ".ipython/profile_default/startup/00-mine.py": START_UP,
        ".ipython/profile_default/ipython_config.py":
            "c = get_config()\nc.InteractiveShell.ast_node_interactivity = 'all'\n"
            "c.InteractiveShellApp.exec_lines = ['x']\n"
            "c.InlineBackend.rc = {'text.color': 'white'}\nc.InlineBackend.figure_formats = {'svg'}\n",
        ".jupyter/jupyter_config.json": json.dumps(jupyter),
        ".local/share/jupyter/kernels/python3/kernel.json": json.dumps(kernel),
        "jupyter/kernels/python3/kernel.json": json.dumps(kernel),
        "modules/numpy/__init__.py": ROGUE, "modules/keras/__init__.py": ROGUE, "modules/sitecustomize.py": "",
        "start.py": ROGUE,
    })  # fmt: skip
    return os.environ | {
        "HOME": str(home), "USERPROFILE": str(home), "XDG_CONFIG_HOME": str(home / ".config"),
        "KERAS_BACKEND": "jax", "KERAS_MAX_EPOCHS": "1", "KERAS_NNX_ENABLED": "1", "KERAS_HOME": str(home / ".keras"),
        "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "0", "TF_CPP_VMODULE": "cpu_feature_guard=5",
        "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit", "TF_ENABLE_ONEDNN_OPTS": "0",
        "MPLBACKEND": "TkAgg", "MPLCONFIGDIR": str(home / ".config/matplotlib"),
        "MATPLOTLIBRC": str(home / ".config/matplotlib/matplotlibrc"),
        "JUPYTER_PATH": str(home / "jupyter"), "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
        "JUPYTER_CONFIG_PATH": str(home / ".jupyter"), "JUPYTER_PREFER_ENV_PATH": "0",
        "IPYTHONDIR": str(home / ".ipython"),
        "PYTHONPATH": str(home / "modules"), "PYTHONSTARTUP": str(home / "start.py"), "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2", "PYTHONHASHSEED": "1", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0",
        "SCIPY_ARRAY_API": "1", "LC_ALL": "C", "COLUMNS": "20",
    }  # fmt: skip


BESIDE = {"tensorflow.py": ROGUE, "random.py": ROGUE, "keras.py": ROGUE, "matplotlib.py": ROGUE, "string.py": ROGUE,
          "numpy/__init__.py": ROGUE, "matplotlibrc": "text.color: white\nno.such.key: 1\n"}  # fmt: skip


def python(code, environment, folder=paths.ROOT):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=environment, cwd=folder, capture_output=True, text=True
    )


# ------------------------------------------------------------------------------------ one process


def test_keras_and_matplotlib_are_as_the_lessons_expect(hostile, tmp_path):
    """All rc parameters, not some: what nobody has listed is compared as well."""
    code = """
        import json, os, sys
        import course_utils as cu
        cu.start(42)
        import keras, matplotlib, numpy as np, sklearn
        rc = {name: repr(value) for name, value in matplotlib.rcParams.items()}
        print(json.dumps([rc, repr(np.get_printoptions()), np.geterr(), sklearn.get_config(), keras.config.backend(),
                          keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format(),
                          keras.config.dtype_policy().name, keras.config.max_epochs(), keras.__version__]))
    """
    named = {name: value for name, value in hostile.items() if not name.startswith("PYTHON")}
    clean = python(code, os.environ)
    write(tmp_path, {"matplotlibrc": BESIDE["matplotlibrc"], "tensorflow.py": ROGUE})
    found = python(code, named, tmp_path)
    assert (clean.returncode, clean.stderr, found.returncode, found.stderr) == (0, "", 0, "")
    assert json.loads(found.stdout.splitlines()[-1]) == json.loads(clean.stdout.splitlines()[-1])


def test_a_style_that_was_chosen_before_does_not_stay():
    code = """
        import json, sys, matplotlib, matplotlib.pyplot as plt
        exec(sys.argv[1] if len(sys.argv) > 1 else "")
        from course_utils.plots import style
        style.apply()
        print({name: repr(value) for name, value in matplotlib.rcParams.items()})
    """
    chosen = [
        f"import matplotlib.pyplot as plt; plt.style.use({name!r})\n"
        for name in ("default", "dark_background", "grayscale", "seaborn-v0_8-poster", "fivethirtyeight")
    ]
    outputs = {python(line + textwrap.dedent(code), os.environ).stdout for line in chosen}
    assert len(outputs) == 1 and "text.color" in outputs.pop()


@pytest.mark.parametrize(
    "change",
    [{"HOME": "/proc/none"}, {"HOME": None, "USER": None, "LOGNAME": None}, {"HOME": ""}, {"TMPDIR": "/proc/none"}],
    ids=str,
)
def test_no_writable_home_is_needed(change):
    environment = {name: value for name, value in (os.environ | change).items() if value is not None}
    code = "import course_utils as cu; cu.start(1, tensorflow=False); cu.plots.style.figure()"
    done = python(code, environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_course_that_cannot_be_written_uses_a_temporary_folder():
    code = """
        import os
        from pathlib import Path
        from course_utils import paths
        paths.CACHE = Path("/proc/none")
        from course_utils import settings
        settings._folder = None
        settings.fix_environment()
        folder = os.environ["MPLCONFIGDIR"]
        assert Path(folder).is_dir() and "/proc" not in folder
        print(folder)
    """
    done = python(code, os.environ)
    assert (done.returncode, done.stderr) == (0, "") and not os.path.exists(done.stdout.strip()), (
        "nothing is left behind"
    )


def test_keras_that_was_loaded_on_another_backend_is_named():
    class Keras:
        class config:
            backend = staticmethod(lambda: "jax")

    class TensorFlow:
        keras = Keras

    with pytest.raises(RuntimeError, match="already loaded, on jax. Restart the kernel"):
        settings.fix_keras(TensorFlow)


def test_what_is_set_aside_is_told():
    done = python(
        "from course_utils import settings; print('\\n'.join(settings.notes()))",
        os.environ | {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--x", "PYTHONOPTIMIZE": "1"},
    )
    assert "KERAS_BACKEND='jax' is set aside" in done.stdout and "XLA_FLAGS='--x' is set aside" in done.stdout
    assert "skips the proofs of the lessons" in done.stdout


# ----------------------------------------------------------------------------- kernels of machines


def test_a_kernel_of_a_machine_is_this_python_and_gets_nothing_of_a_person(hostile, monkeypatch):
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with settings.clean_environment():
        inside = dict(os.environ)
    assert dict(os.environ) == before
    foreign = {name for name, value in inside.items() if hostile["HOME"] in value}
    assert foreign <= {"KERAS_HOME", "MPLCONFIGDIR", "MATPLOTLIBRC"}, "importing the course sets these"
    kept = {name for name in inside if name.startswith("PYTHON")}
    assert kept <= {"PYTHONUTF8", "PYTHONNOUSERSITE", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE"}


def outputs(path):
    """What the cells of an executed notebook show, without the times and numbers that differ from run to run."""
    shown = []
    for cell in notebooks.read(path).cells:
        for out in cell.get("outputs", []):
            data = out.get("data", {"text/plain": out.get("text", "")})
            data = {kind: text for kind, text in data.items() if isinstance(text, str)}
            if lasting(data.get("text/plain", "")) != data.get("text/plain", ""):
                data.pop("image/png", None)  # a picture of times is another one in each run
            shown.append({kind: lasting(text) for kind, text in data.items()})
    # The doctor names what it has found, as it should.
    return [data for data in shown if "your settings" not in data.get("text/plain", "")]


def lasting(text):
    return re.sub(r"\d+(\.\d+)?(e[+-]\d+)? (s|ms|µs|seconds|GB)\b|ipykernel_\d+", "…", text)


LESSON = [
    "SEED = 7",
    "import course_utils as cu\nimport numpy as np\ncu.start(SEED)",
    "import random\nprint(np.array([1.23456, 1e-9]), np.ones(2, int), random.random(), np.exp(np.float64(-999)))",
    "import warnings\nwarnings.warn('a remark', PendingDeprecationWarning)\nprint('it goes on')",
    "from sklearn.linear_model import LogisticRegression\nprint(LogisticRegression(C=2))",
    "import keras\nkeras.utils.set_random_seed(1)\nlayer = keras.layers.Conv2D(2, 3)\n"
    "print(layer(np.ones((1, 5, 5, 1))).numpy().ravel(), layer.dtype)",
    "import matplotlib.pyplot as plt\nfigure, ax = plt.subplots()\nax.plot([1, 2])\nax.set_title('a title')\n"
    "cu.show(figure, alt='A line that rises from one to two.')",
]


def lesson():
    return new_notebook(cells=[new_code_cell(source) for source in LESSON])


@pytest.mark.notebooks
@pytest.mark.parametrize(
    "names",
    [
        ("00_start_here", "lesson"),
        pytest.param(("02_gradient_descent", "10_overfitting"), marks=pytest.mark.full),
    ],
)
def test_a_hostile_home_gives_the_same_outputs_and_figures(hostile, tmp_path, copy_of_course, names):
    """`make run` in a folder with files that hide modules."""
    course = copy_of_course(tmp_path / "course")
    nbformat.write(lesson(), course / "notebooks" / "lesson.ipynb")
    environments = {"clean": os.environ | {"PYTHONPATH": str(course)}}
    environments["hostile"] = hostile | {"PYTHONPATH": f"{course}{os.pathsep}{hostile['PYTHONPATH']}"}
    for name, environment in environments.items():
        if name == "hostile":
            write(course / "notebooks", BESIDE)
        command = [sys.executable, "-m", "course_utils", "run", "--quick", *names, "--out", str(tmp_path / name)]
        done = subprocess.run(command, env=environment, cwd=course, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    for stem in names:
        clean, found = (outputs(tmp_path / name / f"{stem}.ipynb") for name in environments)
        assert len(clean) > 5 and found == clean, stem


@pytest.mark.notebooks
def test_a_start_up_file_does_not_reach_into_a_learner_s_lesson(hostile, tmp_path):
    """In the kernel that JupyterLab starts for a learner, whose start-up file runs first."""
    nbformat.write(lesson(), tmp_path / "lesson.ipynb")
    write(tmp_path, {name: content for name, content in BESIDE.items() if name not in ("random.py", "string.py")})
    for _ in range(2):  # threads that share a busy processor may add in another order, in the last digit
        shown = {}
        for name, environment in (("clean", os.environ), ("hostile", hostile)):
            command = [sys.executable, "-m", "jupyter", "execute", "lesson.ipynb", f"--output={name}"]
            done = subprocess.run(
                command, env=settings.for_jupyter(environment), cwd=tmp_path, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr[-2000:]
            shown[name] = outputs(tmp_path / f"{name}.ipynb")
        if [out for out in shown["hostile"] if out in shown["clean"]] == shown["clean"]:
            return
    # What else a cell shows (here: the value of every expression) is a learner's own choice.
    assert [out for out in shown["hostile"] if out in shown["clean"]] == shown["clean"]
