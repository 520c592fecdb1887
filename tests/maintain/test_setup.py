"""Set-up: an environment that is repaired, settings of other tools that stay outside, one line for each failure."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import machine, paths, pins
from course_utils.maintain import setup

needs_make = pytest.mark.skipif(os.name == "nt" or not shutil.which("make"), reason="needs make")
ORDER = ["-m venv", "-m pip", "-m uv pip install"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """An empty project in a folder with a space and a dollar; commands are played by ``project.answers``."""
    root = tmp_path / "my $course"
    root.mkdir()
    (root / "requirements.lock").write_text("numpy==1.0\n")
    (root / "pyproject.toml").write_text("[project]\n")
    calls, answers, has_uv = [], {}, []

    def package(name, version):
        site = setup.site_packages(root)
        for old in site.glob(f"{name}-*.dist-info"):
            shutil.rmtree(old)
        (site / f"{name}-{version}.dist-info").mkdir(parents=True)
        (site / name).mkdir(exist_ok=True)
        (site / name / "__init__.py").write_text("# whole")
        (site / f"{name}-{version}.dist-info" / "RECORD").write_text(f"{name}/__init__.py,sha256=x,7\n")

    def call(words, out, where, each_second):
        text = " ".join(words)
        calls.append(next((part for part in (*ORDER, "uninstall") if part in text), text))
        if part := next((part for part in answers if part in text), None):
            out.write(answers[part].encode())
            return 1
        if "-m venv" in text:
            shutil.rmtree(root / ".venv", ignore_errors=True)
            setup.venv_python(root).parent.mkdir(parents=True)
            setup.venv_python(root).write_text("")
        elif "-m pip install" in text:
            has_uv.append(1)
        elif "uv pip install" in text:
            for name, versions in pins.read_lock((root / "requirements.lock").read_text()).items():
                package(name, versions[0][0])
        return 0

    def output(command):
        text = " ".join(map(str, command))
        if "version_info" in text:
            return answers.get("minor", "{}.{}".format(*sys.version_info))
        return f"uv {setup.UV}" if "uv --version" in text and has_uv else "pip 1" if "pip --version" in text else ""

    monkeypatch.setattr(setup, "_call", call)
    monkeypatch.setattr(setup, "_output", output)
    return type("Project", (), {"root": root, "calls": calls, "answers": answers, "package": staticmethod(package)})


def steps(project):
    """The commands since the last look."""
    done = list(project.calls)
    project.calls.clear()
    return done


def test_a_second_setup_does_nothing_and_changed_pins_are_installed(project):
    assert setup.setup(project.root) is True and steps(project) == ORDER
    assert setup.setup(project.root) is False and steps(project) == []
    (project.root / "requirements.lock").write_text("numpy==2.0\n")
    assert setup.setup(project.root) is True and steps(project) == ORDER[2:]


def remove_a_file(root):
    (setup.site_packages(root) / "numpy" / "__init__.py").unlink()


def cut_a_file(root):
    (setup.site_packages(root) / "numpy" / "__init__.py").write_text("")


def remove_a_package(root):
    for path in setup.site_packages(root).glob("numpy*"):
        shutil.rmtree(path)


def install_a_copy(root):
    (setup.site_packages(root) / "course_utils").mkdir()


def remove_the_link(root):
    (setup.site_packages(root) / setup.LINK).unlink()


@pytest.mark.parametrize("harm", [remove_a_file, cut_a_file, remove_a_package, install_a_copy, remove_the_link])
def test_what_was_changed_afterwards_is_seen_and_repaired(project, harm):
    setup.setup(project.root)
    harm(project.root)
    assert not setup.is_ready(project.root)
    setup.setup(project.root)
    assert setup.is_ready(project.root)


def test_a_moved_version_is_put_back_and_an_added_package_is_left_alone(project):
    setup.setup(project.root)
    project.package("numpy", "1.1")
    project.package("pandas", "3.0")
    assert not setup.is_ready(project.root)
    setup.setup(project.root)
    assert pins.installed(setup.site_packages(project.root)) == {"numpy": "1.0", "pandas": "3.0"}


def test_another_python_a_moved_folder_or_a_hand_made_environment_is_made_again(project):
    setup.setup(project.root)
    for inside in ("3.99", None):
        project.answers["minor"] = inside
        assert setup.stale_reason(project.root)
    del project.answers["minor"]
    moved = project.root.with_name("elsewhere")
    project.root.rename(moved)
    assert not setup.is_ready(moved) and "this folder" in setup.stale_reason(moved)


@pytest.mark.parametrize("step", range(3))
def test_a_killed_setup_is_picked_up_at_any_step(project, step, monkeypatch):
    real, count = setup._call, []

    def call(*arguments):
        count.append(1)
        if len(count) == step + 1:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(setup, "_call", call)
        setup.setup(project.root)
    assert not setup.is_ready(project.root)
    steps(project)
    setup.setup(project.root)
    # Packages may lie there in part once their installation has begun: then all of it is made again.
    assert steps(project) == {0: ORDER, 1: ORDER[1:], 2: [ORDER[0], ORDER[2]]}[step]
    assert setup.is_ready(project.root)


FAILURES = [
    ("-m pip", "ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full"),
    ("-m pip", "WARNING: Retrying: NewConnectionError\nERROR: No space left on device", "disk is full"),
    ("-m pip", "Retrying after NewConnectionError: Failed to establish a new connection", "cannot be reached"),
    ("-m pip", "ERROR: Could not find a version that satisfies the requirement uv==9", "offer uv==9"),
    ("-m uv", "error: Failed to fetch: dns error: failed to lookup address", "cannot be reached"),
    ("-m uv", "cause: invalid peer certificate: UnknownIssuer", "SSL_CERT_FILE"),
    ("-m uv", "error: tensorflow==2.21.0 has no wheels with a matching platform tag", "tensorflow==2.21.0 has no"),
    ("-m venv", "The virtual environment was not created: ensurepip is not available", "python3-venv"),
    ("-m uv", "error: failed to create directory: Permission denied (os error 13)", "cannot be written to"),
    ("-m uv", "something nobody has seen before", "read the end of the output"),
]


@pytest.mark.parametrize("step, output, advice", FAILURES)
def test_each_failure_is_one_line_and_the_next_try_goes_on(project, step, output, advice, capsys, monkeypatch):
    project.answers[step] = f"a page\nof output\n{output}\nmore"
    assert setup.main(lambda: setup.setup(project.root)) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and advice in said[0] and "build/setup.log" in said[0]
    assert output in (project.root / "build" / "setup.log").read_text()
    assert not setup.is_ready(project.root)
    project.answers.clear()
    assert setup.setup(project.root) and setup.is_ready(project.root)


def test_without_network_an_environment_that_worked_is_kept(project):
    setup.setup(project.root)
    (project.root / "requirements.lock").write_text("numpy==2.0\n")
    project.answers["uv pip install"] = "error: Failed to fetch: dns error"
    with pytest.raises(setup.SetupError, match="cannot be reached"):
        setup.setup(project.root)
    assert setup.stale_reason(project.root) is None


def test_a_pip_that_installs_elsewhere_is_noticed(project, monkeypatch):
    monkeypatch.setattr(setup, "_has_uv", lambda python: False)
    with pytest.raises(setup.SetupError, match="it is not in .venv"):
        setup.setup(project.root)


def test_a_full_disk_a_wrong_python_and_a_locked_folder_stop_it_before_anything_is_installed(project, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(setup.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**8))
        with pytest.raises(setup.SetupError, match="0.1 GB are free"):
            setup.setup(project.root)
    with monkeypatch.context() as patch:
        patch.setattr(setup.os, "access", lambda path, _: path != project.root)
        with pytest.raises(setup.SetupError, match="the project folder cannot be written to"):
            setup.setup(project.root)
    monkeypatch.setattr(machine, "LAST_PYTHON", (3, 5))
    with pytest.raises(setup.SetupError, match="needs Python 3.11 to 3.5"):
        setup.setup(project.root)
    assert project.calls == []


# --------------------------------------------------------------------------- settings of other tools

FOREIGN = ["PIP_TARGET", "PIP_PREFIX", "PIP_CONSTRAINT", "PIP_REQUIRE_HASHES", "PIP_NO_BINARY",
           "PIP_DRY_RUN", "PIP_ANYTHING_NEW", "UV_TARGET", "UV_CONSTRAINT", "UV_REQUIRE_HASHES", "PYTHONHOME",
           "PYTHONPATH"]  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_no_setting_of_pip_or_uv_says_where_packages_go(name, monkeypatch):
    monkeypatch.setenv(name, "x")
    assert name not in setup.tool_environment()[0]


def test_mirrors_proxies_and_certificates_reach_uv_and_the_rest_is_named(monkeypatch):
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_", "HTTP", "SSL_"))]:
        monkeypatch.delenv(name)
    listed = ("global.index-url='http://a.invalid/simple'\n:env:.index-url='http://b.invalid/simple'\n"
              "global.proxy='http://p.invalid:8'\nglobal.cert='c.pem'\nglobal.extra-index-url='http://e.invalid'\n"
              "global.target='/x'\nglobal.timeout='9'\n")  # fmt: skip
    monkeypatch.setattr(setup, "_output", lambda command: listed)
    env, left_out = setup.tool_environment()
    assert env["UV_DEFAULT_INDEX"] == env["PIP_INDEX_URL"] == "http://b.invalid/simple"
    assert env["HTTPS_PROXY"] == env["HTTP_PROXY"] == env["PIP_PROXY"] == "http://p.invalid:8"
    assert (env["SSL_CERT_FILE"], env["UV_INDEX"], left_out) == ("c.pem", "http://e.invalid", ["target"])
    monkeypatch.setenv("UV_INDEX_URL", "http://own.invalid")
    assert "UV_DEFAULT_INDEX" not in setup.tool_environment()[0], "uv's own setting comes first"


def test_the_output_of_a_command_is_read_in_any_encoding(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    assert setup._output([sys.executable, "-c", "print('J\\u00fcrgen')"]) == "Jürgen"
    odd = "import sys; sys.stdout.buffer.write(bytes([255, 65]))"
    assert setup._output([sys.executable, "-c", odd]) == "\ufffdA"
    assert setup._output([sys.executable, "-c", "raise SystemExit(1)"]) is None


# ----------------------------------------------------------------------------------------- for real


def test_this_environment_is_ready_and_compiled():
    if Path(sys.prefix).resolve() != (paths.ROOT / ".venv").resolve():
        pytest.skip("these tests run in another environment than .venv")
    assert setup.is_ready()
    package = setup.site_packages() / "sklearn"  # its own tests, for one, nobody imports
    version = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"
    sources = list(package.rglob("*.py"))
    assert all((path.parent / "__pycache__" / f"{path.stem}.{version}.pyc").is_file() for path in sources)
    assert (Path(sys.prefix) / "share/jupyter/lab/settings/overrides.json").is_file()


@pytest.fixture
def bare(tmp_path):
    """A folder with a space that holds the Makefile and a set-up that only says who runs it; tools in ``bin``."""
    folder = tmp_path / "with a space"
    for part in ("course_utils/maintain", "bin", "tools"):
        (folder / part).mkdir(parents=True)
    shutil.copy(paths.ROOT / "Makefile", folder)
    shutil.copy(paths.ROOT / "tools" / "find_python.sh", folder / "tools")
    (folder / "course_utils/maintain/setup.py").write_text("import os; print('set up by', os.environ['NAME'])")
    for tool in ("sh", "id", "make"):
        (folder / "bin" / tool).symlink_to(shutil.which(tool))
    return folder


def stand_in(path, works=True):
    """A Python that works, or one that fails as an empty pyenv shim does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    real = f'NAME={path.name} exec "{sys.executable}" "$@"'
    path.write_text(f"#!/bin/sh\n{real if works else 'echo no such version >&2; exit 127'}\n")
    path.chmod(0o755)


def make(folder, *arguments, **variables):
    env = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "PYTHON", "ARGS")
    }
    done = subprocess.run(["make", *arguments], capture_output=True, text=True, cwd=folder, timeout=60,
                          env={**env, "PATH": str(folder / "bin"), **variables})  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if not line.startswith("make")]


@needs_make
def test_make_chooses_a_python_that_works(bare):
    for name in ("python3.12", "python3.13", "python3.11", "python3", "python"):
        stand_in(bare / "bin" / name, works=False)
    said = make(bare, "setup")
    assert said[0] == "" and len(said[1]) == 1 and "needs Python 3.11, 3.12 or 3.13: install one" in said[1][0]
    stand_in(bare / "bin" / "python3")
    assert make(bare, "setup", PYTHONHOME="/of/another/program") == ("set up by python3\n", [])
    stand_in(bare / "base")
    stand_in(bare / ".venv/bin/python")
    (bare / ".venv/bin/python").write_text("#!/bin/sh\necho ./base\n")
    assert make(bare, "setup")[0] == "set up by base\n", "the one that .venv was made with comes first"
    stand_in(bare / "my pythons/mine")
    assert make(bare, "setup", "PYTHON=my pythons/mine")[0] == "set up by mine\n"
    stand_in(bare / "my pythons/mine", works=False)
    assert "my pythons/mine is not one of them" in make(bare, "setup", "PYTHON=my pythons/mine")[1][0]
