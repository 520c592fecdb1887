"""The package as a whole: imports that are fast and run one way, one style, honest exports."""

import ast
import re
import subprocess
import sys
import time

import pytest

import course_utils as cu
from course_utils import course, paths

MODULES = sorted((paths.ROOT / "course_utils").rglob("*.py"))
# Each layer may import itself and what stands below it; the package's own page has the same list.
LAYERS = [line.split("#")[0].split() for line in re.findall(r"^    \d  (.*)$", cu.__doc__, re.MULTILINE)]


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.ROOT)


def test_import_is_fast_and_loads_no_tensorflow():
    code = (
        "import sys, time; t = time.perf_counter(); import course_utils; t = time.perf_counter() - t; "
        "print(t, sorted({'tensorflow', 'keras', 'numpy', 'matplotlib', 'sklearn'} & set(sys.modules)))"
    )
    best = 9.0
    for _ in range(3):  # the machine may be busy: the best of three is what the import costs
        seconds, _, loaded = python(code).stdout.partition(" ")
        assert loaded.strip() == "[]"
        best = min(best, float(seconds))
    assert best < 0.2


def test_every_exported_name_is_there():
    for name in cu.__all__:
        assert getattr(cu, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = cu.nonsense


def layer_of(module):
    part = module.split(".")[1] if "." in module else "__init__"
    return next((i for i, names in enumerate(LAYERS) if part in names), None)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(paths.ROOT)))
def test_imports_run_downwards(path):
    module = ".".join(path.relative_to(paths.ROOT).with_suffix("").parts)
    own = layer_of(module)
    if module == "course_utils.__init__":
        return  # it only names the others
    assert own is not None, f"{module} stands in no layer"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports by a relative name"
            targets = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in (name for name in targets if name.startswith("course_utils")):
            assert layer_of(target) is not None, f"{target} stands in no layer"
            assert layer_of(target) >= own, f"{module} imports upwards: {target}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(paths.ROOT)))
def test_public_functions_and_modules_say_what_they_do(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            answers = path.parent.name == "chapters" and node.decorator_list  # what a mistake does, its sentence says
            assert answers or ast.get_docstring(node), f"{node.name} has no docstring"


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_style(command):
    """The course's own files; a learner may lay out a scratch file as they like."""
    chapters = [str(one.path) for one in course.CHAPTERS if one.available]
    files = ["course_utils", "tests", "data", "book", *(chapters if command == ["check"] else [])]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", "--config", "pyproject.toml", *files],
        capture_output=True, text=True, cwd=paths.ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_tensorflow_starts_without_noise_and_with_onednn():
    begin = time.perf_counter()
    done = python(
        "import os; os.environ.pop('TF_CPP_MIN_LOG_LEVEL', None)\n"
        "from course_utils import session; tf = session.quiet_tensorflow()\n"
        "print(tf.reduce_sum(tf.ones((3, 3))).numpy(), os.environ.get('TF_ENABLE_ONEDNN_OPTS'))"
    )
    assert (done.stdout.strip(), done.stderr) == ("9.0 None", ""), time.perf_counter() - begin
