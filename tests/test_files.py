"""A file is written whole or not at all, and stays what it was: its permissions, its place behind a link."""

import os

import pytest

from course_utils import files


def test_a_new_file_can_be_read_by_others_and_an_old_one_keeps_its_permissions(tmp_path):
    path = tmp_path / "a file"
    files.write_whole(path, b"one")
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o644
        path.chmod(0o640)
    files.write_whole(path, b"two")
    assert path.read_bytes() == b"two" and [p.name for p in tmp_path.iterdir()] == ["a file"]
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own on Windows")
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "link"
    target.write_bytes(b"one")
    link.symlink_to(target)
    files.write_whole(link, b"two")
    assert link.is_symlink() and target.read_bytes() == b"two"
