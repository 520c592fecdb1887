"""Set-up: the pins, the files made from them, and one clear line for whatever goes wrong."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

from course_utils import environment, paths

LOCK = (paths.ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = environment.read_lock(LOCK)
needs_bash = pytest.mark.skipif(os.name == "nt" or not shutil.which("make"), reason="needs bash and make")


def requirements():
    import tomllib

    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(line) for line in project["dependencies"]]


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
    assert text == environment.environment_yml(), "run: make lock"
    content = yaml.safe_load(text)
    assert content["dependencies"][0] == "python=3.12", "repo2docker reads the version in this form only"
    assert content["dependencies"][-1]["pip"][-1] == "-e ."


def test_nothing_overrides_environment_yml_on_binder():
    assert not (paths.ROOT / "Dockerfile").exists() and not (paths.ROOT / "binder").exists()


# ------------------------------------------------------------------------- what can go wrong


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 14), (4, 0)])
def test_a_wrong_python_gets_one_line_that_says_what_to_install(version):
    with pytest.raises(environment.SetupError) as error:
        environment.check_python(version)
    assert "3.11 to 3.13" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_a_right_python_passes(version):
    environment.check_python(version)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project in a folder with a space; commands are played by ``project.answers``."""
    root = tmp_path / "my course"
    root.mkdir()
    (root / "requirements.lock").write_text("numpy==1.0\n")
    (root / "pyproject.toml").write_text("[project]\n")
    calls, answers = [], {}

    def run(command, **_):
        calls.append(command)
        text = " ".join(map(str, command))
        if " -m venv" in text:
            python = environment._python(root)
            python.parent.mkdir(parents=True)
            python.write_text("")
        for part, (code, output) in answers.items():
            if part in text:
                return subprocess.CompletedProcess(command, code, output, "")
        return subprocess.CompletedProcess(command, 0, f"{sys.version_info[:2]} {root / '.venv'}", "")

    monkeypatch.setattr(environment.subprocess, "run", run)
    project = type("Project", (), {"root": root, "calls": calls, "answers": answers})
    return project


def test_a_second_setup_does_nothing(project):
    environment.setup(project.root)
    assert len(project.calls) == 3
    environment.setup(project.root)
    assert len(project.calls) == 3


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_changed_pins_install_again(project, name):
    environment.setup(project.root)
    (project.root / name).write_text("changed")
    before = len(project.calls)
    environment.setup(project.root)
    assert any("-r" in map(str, call) for call in project.calls[before:])


def test_a_moved_folder_is_set_up_again(project):
    environment.setup(project.root)
    stamp = (project.root / ".venv" / "course-stamp").read_text()
    moved = project.root.with_name("elsewhere")
    project.root.rename(moved)
    assert environment._fingerprint(moved) != stamp


FAILURES = [
    ("-m pip", "ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full"),
    ("-m uv", "error: failed to write: No space left on device (os error 28)", "disk is full"),
    ("-m pip", "WARNING: Retrying after NewConnectionError: Failed to establish a new connection", "cannot be reached"),
    ("-m pip", "ERROR: No matching distribution found for uv==0.13.9", "cannot be reached"),
    ("-m uv", "error: Failed to fetch: dns error: failed to lookup address", "cannot be reached"),
    (
        "-m uv",
        "error: distribution tensorflow==2.21.0 doesn't have a wheel for the current platform",
        "no build for this",
    ),
    ("-m venv", "The virtual environment was not created: ensurepip is not available", "python3-venv"),
    ("-m uv", "error: failed to create directory: Permission denied (os error 13)", "cannot be written to"),
    ("-m uv", "something nobody has seen before", "see the log"),
]


@pytest.mark.parametrize("step, output, advice", FAILURES)
def test_each_failure_is_one_line_and_leaves_no_finished_environment(project, step, output, advice):
    project.answers[step] = (1, f"a page\nof output\n{output}\nmore")
    with pytest.raises(environment.SetupError) as error:
        environment.setup(project.root)
    assert advice in str(error.value) and "\n" not in str(error.value)
    assert output in (project.root / "build" / "setup.log").read_text()
    assert not (project.root / ".venv" / "course-stamp").exists()
    project.answers.clear()
    environment.setup(project.root)  # and the next try goes on
    assert (project.root / ".venv" / "course-stamp").exists()


def test_a_full_disk_is_seen_before_anything_is_installed(project, monkeypatch):
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**8))
    with pytest.raises(environment.SetupError, match="0.1 GB are free"):
        environment.setup(project.root)
    assert project.calls == []


# ---------------------------------------------------------------------------------- make, CI


def make(*arguments, path=None):
    env = dict(os.environ, **({"PATH": path} if path else {}))
    env.pop("MAKEFLAGS", None)
    return subprocess.run(["make", *arguments], capture_output=True, text=True, cwd=paths.ROOT, env=env, timeout=60)


@needs_bash
def test_make_without_a_usable_python_says_one_line(tmp_path):
    for name in ("python3.12", "python3.13", "python3.11", "python3", "python"):
        shim = tmp_path / name  # as an empty pyenv shim: it is there, and fails
        shim.write_text("#!/bin/sh\nexit 127\n")
        shim.chmod(0o755)
    for tool in ("sh", "id", "make", "sed", "awk", "bash"):
        if found := shutil.which(tool):
            (tmp_path / tool).symlink_to(found)
    done = make("setup", path=str(tmp_path))
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make:")]
    assert len(lines) == 1 and "needs Python 3.11, 3.12 or 3.13" in lines[0]


@needs_bash
def test_make_help_lists_every_target():
    text = make("help").stdout
    for target in ("setup", "lab", "test", "test-fast", "test-full", "run", "lock"):
        assert f"make {target} " in text


@needs_bash
def test_jupyterlab_runs_as_root_only_for_root_and_keeps_its_token():
    command = make("--dry-run", "lab").stdout
    assert ("--allow-root" in command) == (os.geteuid() == 0)
    assert "token" not in command.lower() and "password" not in command.lower()


@pytest.mark.parametrize("script", [".ci/run", "postBuild"])
@needs_bash
def test_scripts_are_executable_and_sound(script):
    path = paths.ROOT / script
    assert path.stat().st_mode & stat.S_IXUSR
    assert subprocess.run(["bash", "-n", path]).returncode == 0


@pytest.mark.parametrize("path", sorted((paths.ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda p: p.name)
def test_workflows_call_only_targets_that_exist(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    steps = [step.get("run", "") for job in content["jobs"].values() for step in job["steps"]]
    targets = {target for run in steps for target in re.findall(r"\bmake ([a-z-]+)", run)}
    known = set(re.findall(r"^([a-z-]+):", (paths.ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets <= known


def test_the_fast_tests_run_on_every_system_and_python():
    content = yaml.safe_load((paths.ROOT / ".github" / "workflows" / "test.yml").read_text())
    matrix = content["jobs"]["fast"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "windows", "macos"}
    assert matrix["python"] == ["3.11", "3.12", "3.13"]


def tracked():
    done = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=paths.ROOT)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [paths.ROOT / name for name in done.stdout.splitlines() if (paths.ROOT / name).is_file()]


def test_the_repository_is_small_and_names_no_machine_and_no_registry():
    where = re.compile(r"(?<![\w.])/(?:work|root|farm)/[\w./-]+|p[y]pi\.org|files\.p[y]thonhosted")
    for path in tracked():
        assert path.stat().st_size < 5_000_000, f"{path.name} is too large"
        if path.suffix not in {".npz", ".png"}:
            found = where.search(path.read_text(encoding="utf-8", errors="ignore"))
            assert not found, f"{path.relative_to(Path(paths.ROOT))}: {found.group()}"
