"""Set-up: the pins, the files made from them, and one clear line for whatever goes wrong."""

import importlib.util
import json
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

from course_utils import paths
from course_utils.maintain import setup

LOCK = (paths.ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = setup.read_lock(LOCK)
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
    assert text == setup.environment_yml(), "run: make lock"
    content = yaml.safe_load(text)
    assert content["dependencies"][0] == "python=3.12", "repo2docker reads the version in this form only"
    assert content["channels"] == ["conda-forge", "nodefaults"]
    listed = content["dependencies"][-1]["pip"]
    assert listed[0] == "-c requirements.lock" and listed[-1] == "-e ."


def test_what_builds_the_project_is_in_the_lock():
    """It is installed without build isolation, so that nothing is fetched beside the pins."""
    import tomllib

    build = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    for wanted in map(Requirement, build["requires"]):
        assert all(Version(version) in wanted.specifier and not marker for version, marker in PINS[wanted.name])


def test_nothing_overrides_environment_yml_on_binder():
    assert not (paths.ROOT / "Dockerfile").exists() and not (paths.ROOT / "binder").exists()


# ------------------------------------------------------------------------- what can go wrong


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 14), (4, 0)])
def test_a_wrong_python_gets_one_line_that_says_what_to_install(version):
    with pytest.raises(setup.SetupError) as error:
        setup.check_python(version)
    assert "3.11 to 3.13" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_a_right_python_passes(version):
    setup.check_python(version)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project in a folder with a space; commands are played by ``project.answers``."""
    root = tmp_path / "my course"
    root.mkdir()
    (root / "requirements.lock").write_text("numpy==1.0\n")
    (root / "pyproject.toml").write_text("[project]\n")
    calls, answers = [], {}

    def call(words, out, where, ticker):
        text = " ".join(words)
        calls.append(text)
        assert where == root
        if " -m venv" in text:
            python = setup.venv_python(root)
            shutil.rmtree(root / ".venv", ignore_errors=True)
            python.parent.mkdir(parents=True)
            python.write_text("")
        for part, (code, said) in answers.items():
            if part in text:
                out.write(said.encode())
                return code
        return 0

    def answer(command):
        text = " ".join(map(str, command))
        if "version_info" in text:
            return answers.get("minor", ".".join(map(str, sys.version_info[:2])))
        return "pip 1" if "-m pip --version" in text else ""

    monkeypatch.setattr(setup, "_call", call)
    monkeypatch.setattr(setup, "_answer", answer)
    return type("Project", (), {"root": root, "calls": calls, "answers": answers})


def steps(project):
    """The steps that were run since the last look, in short."""
    short = []
    for text in project.calls:
        short += [name for name in ("-m venv", "-m pip", "--no-build -r", "-e .", "-m compileall") if name in text]
    project.calls.clear()
    return short


EVERY_STEP = ["-m venv", "-m pip", "--no-build -r", "-e .", "-m compileall"]


def test_a_second_setup_does_nothing(project):
    assert setup.setup(project.root) is True
    assert steps(project) == EVERY_STEP
    assert setup.setup(project.root) is False
    assert steps(project) == []


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
def test_changed_pins_are_installed_into_the_same_environment(project, name):
    setup.setup(project.root)
    steps(project)
    (project.root / name).write_text("changed")
    setup.setup(project.root)
    assert steps(project) == EVERY_STEP[1:]


def test_another_python_or_a_broken_one_gets_a_new_environment(project):
    setup.setup(project.root)
    steps(project)
    (project.root / "requirements.lock").write_text("changed")
    for inside in ("3.99", None):
        project.answers["minor"] = inside
        assert setup.stale_reason(project.root)
    del project.answers["minor"]
    assert setup.stale_reason(project.root) is None


def test_a_moved_folder_is_set_up_from_nothing(project, monkeypatch):
    setup.setup(project.root)
    moved = project.root.with_name("elsewhere")
    project.root.rename(moved)
    assert not setup.is_ready(moved)
    assert setup.stale_reason(moved) == "the folder was moved"


def test_an_environment_without_a_stamp_is_kept_where_it_was_made_for_this_folder(project):
    setup.setup(project.root)
    (project.root / ".venv" / "course-setup.json").unlink()
    home = project.root.resolve() / ".venv"
    (home / "pyvenv.cfg").write_text(f"home = x\ncommand = python -m venv {home}\n", encoding="utf-8")
    assert setup.stale_reason(project.root) is None
    (home / "pyvenv.cfg").write_text("home = x\ncommand = python -m venv /other/.venv\n", encoding="utf-8")
    assert setup.stale_reason(project.root) == "the folder was moved"


@pytest.mark.parametrize("step", range(5))
def test_a_killed_setup_is_resumed_at_any_step(project, step):
    class Killed(BaseException):
        pass

    real, count = setup._call, []

    def call(*arguments):
        if len(count) == step:
            raise Killed
        count.append(1)
        return real(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setup, "_call", call)
        with pytest.raises(Killed):
            setup.setup(project.root)
    assert not setup.is_ready(project.root)
    steps(project)
    setup.setup(project.root)
    again = steps(project)
    # Packages may lie there in part once their installation began: then all of it is made anew.
    assert again == EVERY_STEP if step >= 2 else again[-3:] == EVERY_STEP[2:]
    assert setup.is_ready(project.root)


def test_what_cannot_be_compiled_is_no_failure(project):
    project.answers["-m compileall"] = (1, "SyntaxError: in a package's own test")
    assert setup.setup(project.root) and setup.is_ready(project.root)


def test_the_installed_packages_are_compiled():
    """Else each start of TensorFlow takes three times as long where Python may write nothing."""
    package = Path(importlib.util.find_spec("sklearn").origin).parent  # its own tests, for one, nobody imports
    missing = [path for path in package.rglob("*.py") if not Path(importlib.util.cache_from_source(path)).is_file()]
    assert missing == []


def test_an_environment_of_before_the_packages_were_compiled_is_brought_up_to_date(project):
    setup.setup(project.root)
    stamp = project.root / ".venv" / "course-setup.json"
    old = json.loads(stamp.read_text())
    del old["compiled"]
    stamp.write_text(json.dumps(old))
    steps(project)
    setup.setup(project.root)
    assert steps(project) == EVERY_STEP[1:]


def test_without_network_an_environment_that_worked_is_kept(project):
    setup.setup(project.root)
    (project.root / "requirements.lock").write_text("numpy==2.0\n")
    project.answers["--no-build"] = (1, "error: Failed to fetch: dns error")
    with pytest.raises(setup.SetupError, match="cannot be reached"):
        setup.setup(project.root)
    assert not setup.is_ready(project.root)
    assert setup.stale_reason(project.root) is None


FAILURES = [
    ("-m pip", "ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full"),
    ("-m uv", "error: failed to write: No space left on device (os error 28)", "disk is full"),
    ("-m pip", "WARNING: Retrying after NewConnectionError: Failed to establish a new connection", "cannot be reached"),
    (
        "-m pip",
        "ERROR: Could not find a version that satisfies the requirement uv==9 (from versions: 1)",
        "offer uv==9",
    ),
    ("-m uv", "error: Failed to fetch: dns error: failed to lookup address", "cannot be reached"),
    ("-m uv", "cause: invalid peer certificate: UnknownIssuer", "SSL_CERT_FILE"),
    ("-m uv", "cause: Because tensorflow==2.21.0 has no usable wheels and you require it", "tensorflow==2.21.0 has no"),
    ("-m uv", "error: tensorflow==2.21.0 has no wheels with a matching platform tag", "tensorflow==2.21.0 has no"),
    ("-m venv", "The virtual environment was not created: ensurepip is not available", "python3-venv"),
    ("-m uv", "error: failed to create directory: Permission denied (os error 13)", "cannot be written to"),
    ("-m uv", "something nobody has seen before", "read the end of the output"),
]


@pytest.mark.parametrize("step, output, advice", FAILURES)
def test_each_failure_is_one_line_and_leaves_no_finished_environment(project, step, output, advice):
    project.answers[step] = (1, f"a page\nof output\n{output}\nmore")
    with pytest.raises(setup.SetupError) as error:
        setup.setup(project.root)
    assert advice in str(error.value) and "\n" not in str(error.value)
    assert "build/setup.log" in str(error.value)
    assert output in (project.root / "build" / "setup.log").read_text()
    assert not setup.is_ready(project.root)
    project.answers.clear()
    setup.setup(project.root)  # and the next try goes on
    assert setup.is_ready(project.root)


def test_pips_warnings_on_the_way_to_a_full_disk_do_not_hide_it():
    said = "WARNING: Retrying after connection broken by 'NewConnectionError'\nERROR: No space left on device"
    assert "disk is full" in setup.explain(said)


def test_the_command_line_turns_a_failure_into_one_line_and_status_1(project, monkeypatch, capsys):
    monkeypatch.setattr(setup, "setup", lambda: (_ for _ in ()).throw(setup.SetupError("do this")))
    assert setup.main(["setup"]) == 1
    monkeypatch.setattr(setup, "setup", lambda: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert setup.main(["setup"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and "do this" in lines[0] and "disk is full" in lines[1]


def test_a_real_tool_that_fails_is_explained(tmp_path):
    command = [sys.executable, "-c", "import sys; print('Permission denied'); sys.exit(3)"]
    with pytest.raises(setup.SetupError, match="cannot be written to"):
        setup.run(tmp_path, command)
    with pytest.raises(setup.SetupError):
        setup.run(tmp_path, [tmp_path / "no such program"])
    setup.run(tmp_path, [sys.executable, "-c", "pass"])


def test_uv_gets_the_mirror_that_pip_is_set_to_unless_it_has_its_own(project, monkeypatch):
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_OFFLINE", "UV_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    setup.setup(project.root)
    listed = "global.index-url='http://a.invalid/simple'\n:env:.index-url='http://b.invalid/simple'\nglobal.timeout='9'"
    monkeypatch.setattr(setup, "_answer", lambda command: listed)
    assert setup.tool_environment(project.root)["UV_DEFAULT_INDEX"] == "http://b.invalid/simple"
    monkeypatch.setenv("UV_INDEX_URL", "http://c.invalid/simple")
    assert "UV_DEFAULT_INDEX" not in setup.tool_environment(project.root)
    monkeypatch.delenv("UV_INDEX_URL")
    monkeypatch.setattr(setup, "_answer", lambda command: "")
    assert "UV_DEFAULT_INDEX" not in setup.tool_environment(project.root)


# ------------------------------------------------------------------------------ renewing the pins


def write_lock(project, text):
    """Let the resolver answer with ``text``."""
    real = setup._call

    def call(words, *rest):
        if "--universal" in words:
            Path(words[words.index("-o") + 1]).write_text(text)
        return real(words, *rest)

    return call


def lock_project(project, monkeypatch, text):
    (project.root / "pyproject.toml").write_text('[project]\ndependencies = ["NumPy>=2"]\n')
    monkeypatch.setattr(setup, "_call", write_lock(project, text))


def test_lock_writes_both_files_and_tries_every_system_and_python(project, monkeypatch):
    lock_project(project, monkeypatch, "numpy==2.1 ; os_name == 'nt'\n")
    setup.lock(project.root)
    assert (project.root / "requirements.lock").read_text() == "numpy==2.1 ; os_name == 'nt'\n"
    assert """- "numpy==2.1 ; os_name == 'nt'\"""" in (project.root / "environment.yml").read_text()
    tried = [text for text in project.calls if "--python-platform" in text]
    assert len(tried) == 12 and all("--no-build" in text for text in tried)
    assert any("windows" in text and "3.13" in text for text in tried)


def test_lock_keeps_the_old_pins_when_a_new_one_has_no_wheel_somewhere(project, monkeypatch):
    lock_project(project, monkeypatch, "numpy==2.1\n")
    project.answers["windows --python-version 3.13"] = (1, "numpy==2.1 has no usable wheels")
    with pytest.raises(setup.SetupError, match=r"windows with Python 3\.13"):
        setup.lock(project.root)
    assert (project.root / "requirements.lock").read_text() == "numpy==1.0\n"


@pytest.mark.parametrize("line", ["--index-url http://x.invalid", "numpy @ file:///home/me/numpy", "-e .", "# from x"])
def test_lock_refuses_a_line_that_is_no_pin(project, monkeypatch, line):
    lock_project(project, monkeypatch, f"numpy==2.1\n{line}\n")
    with pytest.raises(setup.SetupError, match="not a pin"):
        setup.lock(project.root)
    assert (project.root / "requirements.lock").read_text() == "numpy==1.0\n"


def test_a_direct_package_that_the_lock_lacks_is_named(project):
    (project.root / "pyproject.toml").write_text('[project]\ndependencies = ["Other_Thing"]\n')
    with pytest.raises(setup.SetupError, match="lacks other-thing: run make lock"):
        setup.environment_yml(project.root)


def test_the_pins_for_this_machine_are_those_that_are_installed():
    from importlib import metadata

    here = setup.pins_here()
    assert ("tensorflow" in here) != ("tensorflow-cpu" in here)
    assert here["numpy"] == metadata.version("numpy")


def test_a_full_disk_is_seen_before_anything_is_installed(project, monkeypatch):
    monkeypatch.setattr(setup.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**8))
    with pytest.raises(setup.SetupError, match="0.1 GB are free"):
        setup.setup(project.root)
    assert project.calls == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user who is not root")
def test_a_folder_that_may_not_be_written_is_seen_before_anything_is_installed(project):
    project.root.chmod(0o500)
    with pytest.raises(setup.SetupError, match="cannot be written to"):
        setup.setup(project.root)
    project.root.chmod(0o700)
    assert project.calls == []


@pytest.mark.parametrize("name", ["the project folder", "the folder .venv"])
def test_a_folder_of_somebody_else_is_named(project, monkeypatch, name):
    (project.root / ".venv").mkdir()
    forbidden = project.root / ".venv" if ".venv" in name else project.root
    monkeypatch.setattr(setup.os, "access", lambda path, _: path != forbidden)
    with pytest.raises(setup.SetupError, match=name):
        setup.setup(project.root)
    assert project.calls == []


# ---------------------------------------------------------------------------------- make, CI


def make(*arguments, path=None, folder=paths.ROOT):
    env = dict(os.environ, **({"PATH": str(path)} if path else {}))
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON", "ARGS"):
        env.pop(name, None)
    return subprocess.run(["make", *arguments], capture_output=True, text=True, cwd=folder, env=env, timeout=60)


def ours(text):
    """The lines that are not make's own."""
    return [line for line in text.splitlines() if not line.startswith("make")]


@pytest.fixture
def bare(tmp_path):
    """A folder "with a space" that holds the Makefile and a set-up that only says who runs it; tools in ``bin``."""
    folder = tmp_path / "with a space"
    (folder / "course_utils").mkdir(parents=True)
    shutil.copy(paths.ROOT / "Makefile", folder)
    (folder / "course_utils" / "maintain" / "setup.py").write_text("import os; print('set up by', os.environ['NAME'])")
    (folder / "bin").mkdir()
    for tool in ("sh", "id", "make"):
        (folder / "bin" / tool).symlink_to(shutil.which(tool))
    return folder


def python_called(path, works=True):
    """A stand-in for a Python: one that works, or one that is there and fails as an empty pyenv shim does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    real = f'NAME={path.name} exec "{sys.executable}" "$@"'
    path.write_text(f"#!/bin/sh\n{real if works else 'echo no such version >&2; exit 127'}\n")
    path.chmod(0o755)


@needs_bash
def test_make_without_a_usable_python_says_one_line(bare):
    for name in ("python3.12", "python3.13", "python3.11", "python3", "python"):
        python_called(bare / "bin" / name, works=False)
    done = make("setup", path=bare / "bin", folder=bare)
    assert done.returncode != 0 and ours(done.stdout) == []
    assert len(ours(done.stderr)) == 1 and "needs Python 3.11, 3.12 or 3.13: install one" in ours(done.stderr)[0]


@needs_bash
def test_make_passes_over_a_shim_that_fails(bare):
    python_called(bare / "bin" / "python3.12", works=False)
    python_called(bare / "bin" / "python3", works=True)
    done = make("setup", path=bare / "bin", folder=bare)
    assert (done.stdout, done.stderr, done.returncode) == ("set up by python3\n", "", 0)


@needs_bash
def test_make_takes_the_python_that_is_named_and_no_other(bare):
    python_called(bare / "bin" / "python3.12")
    python_called(bare / "my pythons" / "mine")
    done = make("setup", "PYTHON=my pythons/mine", path=bare / "bin", folder=bare)
    assert done.stdout == "set up by mine\n"
    python_called(bare / "my pythons" / "mine", works=False)
    done = make("setup", "PYTHON=my pythons/mine", path=bare / "bin", folder=bare)
    assert done.returncode != 0 and done.stdout == ""
    assert len(ours(done.stderr)) == 1 and "my pythons/mine is none of them" in ours(done.stderr)[0]


@needs_bash
def test_make_keeps_the_python_that_the_environment_was_made_with(bare):
    python_called(bare / "bin" / "python3.12")
    python_called(bare / "base")
    venv = bare / ".venv" / "bin" / "python"
    venv.parent.mkdir(parents=True)
    venv.write_text("#!/bin/sh\necho ./base\n")
    venv.chmod(0o755)
    assert make("setup", path=bare / "bin", folder=bare).stdout == "set up by base\n"
    venv.write_text("#!/bin/sh\nexit 1\n")  # the system's Python has gone
    assert make("setup", path=bare / "bin", folder=bare).stdout == "set up by python3.12\n"


@needs_bash
def test_make_help_lists_every_target():
    text = make("help").stdout
    for target in ("setup", "lab", "test", "test-fast", "test-full", "run", "results", "lock"):
        assert f"make {target} " in text


@needs_bash
def test_jupyterlab_runs_as_root_only_for_root_and_keeps_its_token():
    command = make("--dry-run", "lab").stdout
    assert ("--allow-root" in command) == (os.geteuid() == 0)
    assert "root_dir=. " in command, "else JupyterLab shows the notebooks' folder only"
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


def test_an_answer_in_any_encoding_is_read(monkeypatch):
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("LC_ALL", "C")
    assert setup._answer([sys.executable, "-c", "print('C:/Users/J\\u00fcrgen')"]) == "C:/Users/J\u00fcrgen"
    odd = "import sys; sys.stdout.buffer.write(bytes([255, 65]))"
    assert setup._answer([sys.executable, "-c", odd]) == "\ufffdA"
    assert setup._answer([sys.executable, "-c", "raise SystemExit(1)"]) is None
