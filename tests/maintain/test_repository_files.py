"""What the repository holds: commands, scripts, workflows, and nothing that names a machine or a registry."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from course_utils import paths

needs_make = pytest.mark.skipif(os.name == "nt" or not shutil.which("make"), reason="needs make")


def make(*arguments):
    env = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "PYTHON", "ARGS")
    }
    return subprocess.run(["make", *arguments], capture_output=True, text=True, cwd=paths.ROOT, env=env).stdout


@needs_make
def test_make_help_lists_every_target():
    text = make("help")
    for target in re.findall(r"^\.PHONY: (.*)$", (paths.ROOT / "Makefile").read_text(), re.MULTILINE)[0].split():
        assert f"make {target} " in text


@needs_make
def test_jupyterlab_runs_as_root_only_for_root_and_keeps_its_token():
    command = make("--dry-run", "lab")
    assert ("--allow-root" in command) == (os.geteuid() == 0)
    assert "root_dir=. " in command, "else JupyterLab shows the notebooks' folder only"
    assert "token" not in command.lower() and "password" not in command.lower()


@pytest.mark.parametrize("script", [".ci/run", "postBuild", "tools/find_python.sh"])
@needs_make
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
