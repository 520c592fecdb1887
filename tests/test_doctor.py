"""The doctor: each fault of a machine is found, advice is given, and nothing makes it fail."""

import collections
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from course_utils import doctor, machine, paths, pins, settings
from course_utils.data import newsgroups
from course_utils.plots import colour

SITE = Path(sysconfig.get_path("purelib"))

Usage = collections.namedtuple("Usage", "total used free")
Memory = collections.namedtuple("Memory", "total available")


def finding(name):
    return next(f for f in doctor.check() if f.name == name)


def test_this_machine_can_run_the_course():
    assert not [f for f in doctor.check() if f.status == "problem"]


def test_whatever_is_not_ok_says_what_to_do(no_posts):
    for one in doctor.check():
        assert one.status in doctor.SYMBOLS
        assert one.advice or one.status in ("ok", "note")
    assert finding("newsgroup posts").status == "note"


def test_wrong_python(monkeypatch):
    monkeypatch.setattr(machine, "FIRST_PYTHON", (3, 98))
    assert finding("Python").status == "problem" and "3.98" in finding("Python").advice


def test_switched_off_assertions_are_a_problem():
    code = "from course_utils import doctor; print(doctor._python())"
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, cwd=paths.ROOT)
    assert "status='problem'" in done.stdout and "PYTHONOPTIMIZE" in done.stdout


@pytest.fixture
def site(monkeypatch):
    """Play what is installed: set ``site.whole`` (name → version) and ``site.records``."""
    played = type("Site", (), {"whole": pins.installed(SITE), "records": pins.recorded(SITE)})
    monkeypatch.setattr(pins, "installed", lambda folder: played.whole)
    monkeypatch.setattr(pins, "recorded", lambda folder: played.records)
    return played


def without(site, *names):
    site.whole = {name: version for name, version in site.whole.items() if name not in names}
    site.records = [name for name in site.records if name not in names]


def test_missing_damaged_and_other_packages(site):
    whole = site.whole
    site.whole = whole | {"numpy": "0.0.1", "traitlets": "0.0.2"}
    assert finding("packages").status == "warning" and "numpy 0.0.1 instead of" in finding("packages").detail
    assert "traitlets 0.0.2 instead of" in finding("packages").detail, "what comes along is looked at too"
    site.whole = {name: version for name, version in whole.items() if name != "scipy"}
    assert (finding("packages").status, finding("packages").detail) == ("problem", "damaged: scipy")
    without(site, "numpy")
    assert finding("packages").status == "problem" and "missing: numpy" in finding("packages").detail


def test_packages_that_only_maintain_the_course_need_not_be_there(site):
    without(site, "sphinx", "playwright", "alabaster")
    assert finding("packages").status == "ok"
    without(site, "sphinx", "traitlets")  # what comes along with a package that is needed
    assert finding("packages").detail == "missing: traitlets"


def test_a_long_list_is_cut(site):
    site.whole = dict.fromkeys(site.whole, "0.0.1")
    assert " more" in finding("packages").detail and len(finding("packages").detail) < 300


# ---------------------------------------------------------------------- settings that reach into a lesson


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in (*doctor.REACHING, "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(settings, "overridden", {})
    return tmp_path


@pytest.mark.parametrize("name", doctor.REACHING)
def test_each_variable_that_reaches_into_a_lesson_is_named(home, monkeypatch, name):
    assert finding("your settings").status == "ok"
    monkeypatch.setenv(name, "x")
    assert name in finding("your settings").detail and finding("your settings").status == "warning"


@pytest.mark.parametrize("name", ["KERAS_BACKEND", "TF_USE_LEGACY_KERAS", "XLA_FLAGS", "MPLBACKEND", "MATPLOTLIBRC"])
def test_what_the_lessons_override_is_said(name, tmp_path):
    code = "from course_utils import doctor; print(doctor._settings())"
    env = {k: v for k, v in os.environ.items() if k not in doctor.REACHING} | {name: "other", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.ROOT, env=env)
    assert "status='note'" in done.stdout and name in done.stdout, done.stdout + done.stderr


def test_files_that_reach_into_a_lesson_are_named(home):
    (home / ".keras").mkdir()
    (home / ".keras" / "keras.json").write_text('{"backend": "tensorflow", "floatx": "float32"}')
    assert finding("your settings").status == "ok", "that is what the lessons use"
    (home / ".keras" / "keras.json").write_text('{"image_data_format": "channels_first"}')
    assert "keras.json" in finding("your settings").detail
    (home / ".ipython" / "profile_default" / "startup").mkdir(parents=True)
    (home / ".ipython" / "profile_default" / "startup" / "50-dark.py").write_text("")
    assert finding("your settings").status == "warning" and "50-dark.py" in finding("your settings").detail


def test_a_home_that_is_unknown_or_locked_is_a_note(monkeypatch, tmp_path):
    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", lambda: tmp_path / "nothing")
    assert finding("home folder").status == "note"
    monkeypatch.setattr(Path, "home", unknown)
    assert finding("home folder").detail == "unknown"
    assert not any("could not be checked" in one.detail for one in doctor.check())


def test_a_module_from_elsewhere_is_a_problem(tmp_path):
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("__version__ = '1.21.5'")
    code = "from course_utils import doctor; print(doctor._origins())"
    env = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{paths.ROOT}"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.ROOT, env=env)
    assert "status='problem'" in done.stdout and "numpy would come from PYTHONPATH" in done.stdout, done.stderr


@pytest.mark.parametrize("name", ["tensorflow.py", "random.py", "keras/__init__.py"])
def test_a_file_beside_the_notebooks_that_hides_a_module_is_named(monkeypatch, tmp_path, name):
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path)
    (tmp_path / "my_notes.py").write_text("")
    assert finding("modules").status == "ok"
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("")
    assert finding("modules").status == "problem" and name.split("/")[0] in finding("modules").detail


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"\x78\x9c cut off"])
def test_a_damaged_copy_of_the_posts_is_a_warning(no_posts, content):
    no_posts.mkdir(parents=True)
    (no_posts / newsgroups._FILE).write_bytes(content)
    assert finding("newsgroup posts").status == "warning" and "damaged" in finding("newsgroup posts").detail


def test_conda_has_its_own_command(monkeypatch, tmp_path, site):
    without(site, "numpy")
    assert finding("packages").advice == "Run: make setup"
    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(doctor.sys, "prefix", str(tmp_path))
    assert finding("packages").advice == "Run: conda env update -f environment.yml"


def test_little_memory_also_inside_a_container(monkeypatch):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(64e9, 60e9))
    monkeypatch.setattr(machine, "memory_limit", lambda: None)
    assert finding("memory").status == "ok"
    monkeypatch.setattr(machine, "memory_limit", lambda: 1_000_000_000)
    assert finding("memory").status == "warning"
    monkeypatch.setattr(machine, "memory_limit", lambda: 8_000_000_000)
    monkeypatch.setattr(machine, "memory_in_use", lambda: 7_500_000_000)
    assert finding("memory").detail == "8.0 GB, 0.5 GB free" and finding("memory").status == "warning"


@pytest.fixture
def groups(monkeypatch, tmp_path):
    """A control group inside another one; write the system's files into them."""
    outer, inner = tmp_path / "outer", tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    monkeypatch.setattr(machine, "_control_groups", lambda _: [inner, outer])
    return inner, outer


def test_the_tightest_limit_of_a_container_counts(groups):
    inner, outer = groups
    (inner / "memory.max").write_text("max\n")
    assert machine.memory_limit() is None
    (outer / "memory.max").write_text("2147483648\n")
    (inner / "memory.current").write_text("1048576\n")
    assert machine.memory_limit() == 2**31 and machine.memory_in_use() == 2**20
    (inner / "memory.stat").write_text("anon 4096\ninactive_file 1000000\nactive_file 7\n")
    assert machine.memory_in_use() == 2**20 - 1_000_000, "files that are kept to be read again can go at any time"


def test_limits_of_the_older_kind(groups):
    inner, _ = groups
    (inner / "memory.limit_in_bytes").write_text(str(2**63 - 4096))
    assert machine.memory_limit() is None, "that number means no limit"
    (inner / "memory.limit_in_bytes").write_text(str(10**9))
    assert machine.memory_limit() == 10**9
    (inner / "cpu.cfs_quota_us").write_text("50000")
    (inner / "cpu.cfs_period_us").write_text("100000")
    assert machine.cores() == 0.5


def test_half_a_core_is_noted(groups, monkeypatch):
    inner, _ = groups
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    (inner / "cpu.max").write_text("max 100000\n")
    assert finding("processor").detail == "3 cores" and finding("processor").status == "ok"
    (inner / "cpu.max").write_text("50000 100000\n")
    assert finding("processor").detail == "0.5 cores" and finding("processor").status == "note"


def test_a_system_without_control_groups_has_no_limit(monkeypatch):
    monkeypatch.setattr(machine, "_control_groups", lambda _: [])
    assert machine.memory_limit() is None and machine.memory_in_use() == 0 and machine.cores() >= 1


def test_chinese_fonts_are_told_by_their_files(monkeypatch):
    monkeypatch.setattr(doctor.os, "walk", lambda folder: [(folder, [], ["DejaVuSans.ttf", "fonts.dir"])])
    assert finding("fonts").status == "note" and "Optional" in finding("fonts").advice
    for name in ("NotoSansCJK-Regular.ttc", "wqy-microhei.ttc", "PingFang.ttc", "msyh.ttc"):
        monkeypatch.setattr(doctor.os, "walk", lambda folder, name=name: [(folder, [], [name])])
        assert finding("fonts").status == "ok", name


def test_another_python_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.sys, "prefix", str(tmp_path))
    assert finding("kernel").status == "warning"
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda _: None)
    assert finding("kernel").status == "problem" and "make lab" in finding("kernel").advice
    (tmp_path / "conda-meta").mkdir()
    assert finding("kernel").status == "ok"


def test_it_works_where_nothing_is_installed():
    """A Python without any package, and the checks that need one say so."""
    code = (
        "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]; sys.path.insert(0, sys.argv[1]);"
        "from course_utils import doctor; sys.exit(doctor.main())"
    )
    command = [sys.executable, "-S", "-c", code, str(paths.ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert done.returncode == 1 and done.stderr == ""
    assert "missing:" in done.stdout and "make setup" in done.stdout


def test_little_disk(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(1, 1, 5e8))
    assert finding("disk").status == "warning"


def test_no_network_is_no_problem(no_posts, monkeypatch):
    monkeypatch.setenv("COURSE_OFFLINE", "0")

    def unreachable(patience):
        raise newsgroups.Unavailable("no")

    monkeypatch.setattr(newsgroups, "require_network", unreachable)
    found = finding("newsgroup posts")
    assert found.status == "note" and "cannot be reached" in found.detail


def test_a_check_that_fails_is_a_finding(monkeypatch):
    monkeypatch.setattr(doctor, "machine", None)
    assert any("could not be checked" in f.detail for f in doctor.check())


def test_details_name_no_path():
    assert not any(re.search(r"/\w+/\w+", f.detail) for f in doctor.check())


def test_html_is_escaped_and_text_is_complete():
    findings = [doctor.Finding("<i>", "problem", "a & b", '"x"')]
    page = doctor.as_html(findings)
    assert "<i>" not in page and "&lt;i&gt;" in page and "a &amp; b" in page
    assert all(part in doctor.as_text(findings) for part in ("problem", "<i>", "a & b", '"x"'))


@pytest.mark.parametrize("status", doctor.COLOURS)
def test_contrast(status):
    assert colour.contrast(doctor.COLOURS[status], doctor.GROUND) >= 4.5


def test_exit_status(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "check", lambda: [doctor.Finding("x", "problem", "y", "z")])
    assert doctor.main() == 1
    monkeypatch.setattr(doctor, "check", lambda: [doctor.Finding("x", "ok", "y")])
    assert doctor.main() == 0
