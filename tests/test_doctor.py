"""The doctor: each fault of a machine is found, advice is given, and nothing makes it fail."""

import collections
import re
import subprocess
import sys

import pytest

from course_utils import doctor, paths
from course_utils.data import newsgroups
from course_utils.maintain import setup
from course_utils.plots import colour

Usage = collections.namedtuple("Usage", "total used free")
Memory = collections.namedtuple("Memory", "total available")


def finding(name):
    return next(f for f in doctor.check() if f.name == name)


def test_this_machine_can_run_the_course():
    assert not [f for f in doctor.check() if f.status == "problem"]


def test_whatever_is_not_ok_says_what_to_do(no_posts):
    for one in doctor.check():
        assert one.status in doctor.SYMBOLS
        assert bool(one.advice) == (one.status != "ok")
    assert finding("newsgroup posts").status == "note"


def test_wrong_python(monkeypatch):
    monkeypatch.setattr(setup, "SUPPORTED", ((3, 98), (3, 99)))
    assert finding("Python").status == "problem" and "3.98" in finding("Python").advice


def test_missing_and_other_packages(monkeypatch):
    real = doctor.metadata.version

    def version(name):
        if name == "numpy":
            raise doctor.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    assert finding("packages").status == "problem" and "numpy" in finding("packages").detail
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "0.0.1" if name == "numpy" else real(name))
    assert finding("packages").status == "warning" and "numpy 0.0.1 instead of" in finding("packages").detail


def without(monkeypatch, *names):
    real = doctor.metadata.version

    def version(name):
        if name in names:
            raise doctor.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)


def test_packages_that_only_maintain_the_course_need_not_be_there(monkeypatch):
    without(monkeypatch, "sphinx", "playwright", "alabaster")
    assert finding("packages").status == "ok"
    without(monkeypatch, "sphinx", "traitlets")  # what comes along with a package that is needed
    assert finding("packages").detail == "missing: traitlets"


def test_conda_has_its_own_command(monkeypatch, tmp_path):
    without(monkeypatch, "numpy")
    assert finding("packages").advice == "Run: make setup"
    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(doctor.sys, "prefix", str(tmp_path))
    assert finding("packages").advice == "Run: conda env update -f environment.yml"


def test_packages_that_come_along_are_looked_at_too_and_a_long_list_is_cut(monkeypatch):
    real = doctor.metadata.version
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "0.0.1" if name == "traitlets" else real(name))
    assert "traitlets 0.0.1 instead of" in finding("packages").detail
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "0.0.1")
    assert " more" in finding("packages").detail and len(finding("packages").detail) < 300


def test_little_memory_also_inside_a_container(monkeypatch):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(64e9, 60e9))
    monkeypatch.setattr(doctor, "memory_limit", lambda: None)
    assert finding("memory").status == "ok"
    monkeypatch.setattr(doctor, "memory_limit", lambda: 1_000_000_000)
    assert finding("memory").status == "warning"
    monkeypatch.setattr(doctor, "memory_limit", lambda: 8_000_000_000)
    monkeypatch.setattr(doctor, "_memory_used", lambda: 7_500_000_000)
    assert finding("memory").detail == "8.0 GB, 0.5 GB free" and finding("memory").status == "warning"


@pytest.fixture
def groups(monkeypatch, tmp_path):
    """A control group inside another one; write the system's files into them."""
    outer, inner = tmp_path / "outer", tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    monkeypatch.setattr(doctor, "_groups", lambda _: [inner, outer])
    return inner, outer


def test_the_tightest_limit_of_a_container_counts(groups):
    inner, outer = groups
    (inner / "memory.max").write_text("max\n")
    assert doctor.memory_limit() is None
    (outer / "memory.max").write_text("2147483648\n")
    (inner / "memory.current").write_text("1048576\n")
    assert doctor.memory_limit() == 2**31 and doctor._memory_used() == 2**20
    (inner / "memory.stat").write_text("anon 4096\ninactive_file 1000000\nactive_file 7\n")
    assert doctor._memory_used() == 2**20 - 1_000_000, "files that are kept to be read again can go at any time"


def test_limits_of_the_older_kind(groups):
    inner, _ = groups
    (inner / "memory.limit_in_bytes").write_text(str(2**63 - 4096))
    assert doctor.memory_limit() is None, "that number means no limit"
    (inner / "memory.limit_in_bytes").write_text(str(10**9))
    assert doctor.memory_limit() == 10**9
    (inner / "cpu.cfs_quota_us").write_text("50000")
    (inner / "cpu.cfs_period_us").write_text("100000")
    assert doctor.cores() == 0.5


def test_half_a_core_is_noted(groups, monkeypatch):
    inner, _ = groups
    monkeypatch.setattr(doctor.os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    (inner / "cpu.max").write_text("max 100000\n")
    assert finding("processor").detail == "3 cores" and finding("processor").status == "ok"
    (inner / "cpu.max").write_text("50000 100000\n")
    assert finding("processor").detail == "0.5 cores" and finding("processor").status == "note"


def test_a_system_without_control_groups_has_no_limit(monkeypatch):
    monkeypatch.setattr(doctor, "_groups", lambda _: [])
    assert doctor.memory_limit() is None and doctor._memory_used() == 0 and doctor.cores() >= 1


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
    monkeypatch.setattr(doctor, "environment", None)
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
