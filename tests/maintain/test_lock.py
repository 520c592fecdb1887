"""The pins: the lock, environment.yml and what renews them."""

import re
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

from course_utils import paths, pins
from course_utils.maintain import lock, setup

LOCK = (paths.ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = pins.read_lock(LOCK)


def requirements():
    import tomllib

    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(line) for line in project["dependencies"]]


def test_what_the_course_imports_is_declared():
    import ast
    import sys

    known = {
        "sklearn": "scikit-learn",
        "PIL": "pillow",
        "yaml": "pyyaml",
        "dp_accounting": "dp-accounting",
        "IPython": "ipykernel",
        "cycler": "matplotlib",
    }
    direct = set(pins.direct_packages()) | {"keras"}  # keras comes with tensorflow
    for path in (paths.ROOT / "course_utils").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for name in {name.split(".")[0] for name in names} - {"course_utils"} - set(sys.stdlib_module_names):
                package = pins.canonical(known.get(name, name))
                maintain = "maintain" in path.parts and package in PINS
                assert package in direct or maintain, f"{path.name} imports {name}, which pyproject.toml does not name"


# ------------------------------------------------------------------------------------- the pins


def test_the_lock_is_pins_and_nothing_else():
    for line in LOCK.splitlines():
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*==[^\s;]+( ; .+)?", line), f"no plain pin: {line}"
    assert "://" not in LOCK and "index" not in LOCK.replace("index-url", "index")


SYSTEMS = [
    {"sys_platform": "linux", "platform_machine": "x86_64", "os_name": "posix", "platform_system": "Linux"},
    {"sys_platform": "linux", "platform_machine": "aarch64", "os_name": "posix", "platform_system": "Linux"},
    {"sys_platform": "darwin", "platform_machine": "arm64", "os_name": "posix", "platform_system": "Darwin"},
    {"sys_platform": "win32", "platform_machine": "AMD64", "os_name": "nt", "platform_system": "Windows"},
]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: f"{s['sys_platform']}-{s['platform_machine']}")
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_each_system_gets_each_direct_package_once_and_within_its_range(system, python):
    where = {**system, "python_version": python, "python_full_version": f"{python}.5", "extra": ""}
    for wanted in requirements():
        if wanted.marker and not wanted.marker.evaluate(where):
            continue
        fit = [v for v, marker in PINS[wanted.name.lower()] if not marker or Marker(marker).evaluate(where)]
        assert len(fit) == 1, f"{wanted.name}: {fit}"
        assert Version(fit[0]) in wanted.specifier
    tensorflows = [
        name for name in ("tensorflow", "tensorflow-cpu") for _, marker in PINS[name] if Marker(marker).evaluate(where)
    ]
    assert len(tensorflows) == 1


def test_environment_yml_is_what_the_lock_says():
    text = (paths.ROOT / "environment.yml").read_text(encoding="utf-8")
    assert text == lock.environment_yml(), "run: make lock"
    content = yaml.safe_load(text)
    assert content["dependencies"][0] == "python=3.12", "repo2docker reads the version in this form only"
    assert content["channels"] == ["conda-forge", "nodefaults"]
    listed = content["dependencies"][-1]["pip"]
    assert listed[0] == "-c requirements.lock" and listed[-1] == "-e ."


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose resolver answers with ``project.text``; ``project.tried`` collects the trials."""
    (tmp_path / "requirements.lock").write_text("numpy==1.0\n")
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["NumPy>=2"]\n')
    made = type(
        "Project", (), {"root": tmp_path, "text": "numpy==2.1\n", "tried": [], "without_wheel": "no such system"}
    )

    def run(root, label, command):
        words = [str(part) for part in command]
        if "--universal" in words:
            Path(words[words.index("-o") + 1]).write_text(made.text)
        elif "--python-platform" in words:
            made.tried.append(" ".join(words))
            if made.without_wheel in made.tried[-1]:
                raise setup.SetupError("no", "numpy==2.1 has no usable wheels")

    monkeypatch.setattr(setup, "run", run)
    monkeypatch.setattr(setup, "make_venv", lambda root: None)
    monkeypatch.setattr(setup, "add_uv", lambda root: None)
    return made


def test_both_files_are_written_and_every_system_and_python_is_tried(project):
    project.text = "numpy==2.1 ; os_name == 'nt'\n"
    lock.lock(project.root)
    assert (project.root / "requirements.lock").read_text() == project.text
    assert """- "numpy==2.1 ; os_name == 'nt'\"""" in (project.root / "environment.yml").read_text()
    assert len(project.tried) == 12 and all("--no-build" in text for text in project.tried)


def test_the_old_pins_stay_when_a_new_one_has_no_wheel_somewhere(project):
    project.without_wheel = "windows --python-version 3.13"
    with pytest.raises(setup.SetupError, match=r"windows with Python 3\.13"):
        lock.lock(project.root)
    assert (project.root / "requirements.lock").read_text() == "numpy==1.0\n"


@pytest.mark.parametrize("line", ["--index-url http://x.invalid", "numpy @ file:///home/me/numpy", "-e .", "# from x"])
def test_a_line_that_is_not_a_pin_is_refused(project, line):
    project.text = f"numpy==2.1\n{line}\n"
    with pytest.raises(setup.SetupError, match="not a pin"):
        lock.lock(project.root)


def test_a_direct_package_that_the_lock_lacks_is_named(project):
    (project.root / "pyproject.toml").write_text('[project]\ndependencies = ["Other_Thing"]\n')
    with pytest.raises(setup.SetupError, match="lacks other-thing: run make lock"):
        lock.environment_yml(project.root)


def test_the_pins_for_this_machine_are_those_that_are_installed():
    from importlib import metadata

    here = pins.pins_here()
    assert ("tensorflow" in here) != ("tensorflow-cpu" in here)
    assert here["numpy"] == metadata.version("numpy")
