"""The doctor: each fault of a machine is found, advice is given, and nothing makes it fail."""

import collections
import re

import pytest

from course_utils import doctor, environment
from course_utils.data import newsgroups

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
    monkeypatch.setattr(environment, "SUPPORTED", ((3, 98), (3, 99)))
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


def test_little_memory_also_inside_a_container(monkeypatch):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(64e9, 60e9))
    monkeypatch.setattr(doctor, "memory_limit", lambda: None)
    assert finding("memory").status == "ok"
    monkeypatch.setattr(doctor, "memory_limit", lambda: 1_000_000_000)
    assert finding("memory").status == "warning"


def test_little_disk(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(1, 1, 5e8))
    assert finding("disk").status == "warning"


def test_no_network_is_no_problem(no_posts, monkeypatch):
    monkeypatch.setenv("COURSE_OFFLINE", "0")

    def unreachable():
        raise newsgroups.Unavailable("no")

    monkeypatch.setattr(newsgroups, "require_network", unreachable)
    found = finding("newsgroup posts")
    assert found.status == "note" and "cannot be reached" in found.detail


def test_a_check_that_fails_is_a_finding(monkeypatch):
    def broken():
        raise RuntimeError("<b>")

    monkeypatch.setattr(doctor, "environment", None)
    assert any("could not be checked" in f.detail for f in doctor.check())


def test_details_name_no_path():
    assert not any(re.search(r"/\w+/\w+", f.detail) for f in doctor.check())


def test_html_is_escaped_and_text_is_complete():
    findings = [doctor.Finding("<i>", "problem", "a & b", '"x"')]
    page = doctor.as_html(findings)
    assert "<i>" not in page and "&lt;i&gt;" in page and "a &amp; b" in page
    assert all(part in doctor.as_text(findings) for part in ("problem", "<i>", "a & b", '"x"'))


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(c * w for c, w in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


@pytest.mark.parametrize("status", doctor.COLOURS)
def test_contrast(status):
    light, dark = luminance(doctor.GROUND), luminance(doctor.COLOURS[status])
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_exit_status(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "check", lambda: [doctor.Finding("x", "problem", "y", "z")])
    assert doctor.main() == 1
    monkeypatch.setattr(doctor, "check", lambda: [doctor.Finding("x", "ok", "y")])
    assert doctor.main() == 0
