"""Checkpoints: what is saved comes back; what is damaged is refused; nothing is ever half written."""

import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_utils.lessons import checkpoints

ARRAYS = {"w": np.arange(12, dtype="float32").reshape(3, 4), "step": np.array(7), "empty": np.zeros((0, 3))}
FACTS = {"seed": 42, "text": "newsgroups", "widths": [1, 2], "naïve": "字"}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "run.checkpoint"
    checkpoints.save(path, ARRAYS, FACTS)
    return path


def test_what_is_saved_comes_back(saved):
    arrays, facts = checkpoints.load(saved)
    assert facts == FACTS and set(arrays) == set(ARRAYS)
    for name, value in ARRAYS.items():
        assert arrays[name].dtype == value.dtype and arrays[name].shape == value.shape
        np.testing.assert_array_equal(arrays[name], value)


@settings(deadline=None, max_examples=40)
@given(hnp.arrays(st.sampled_from(["float32", "float64", "int32", "bool"]), hnp.array_shapes(min_dims=0, min_side=0)))
def test_any_array_of_numbers_comes_back(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("any") / "x"
    checkpoints.save(path, {"value": value})
    np.testing.assert_array_equal(checkpoints.load(path)[0]["value"], value)


@pytest.mark.parametrize("keep", [0, 1, 50, 0.3, 0.9, -1])
def test_a_file_that_was_cut_short_is_refused(saved, keep):
    whole = saved.read_bytes()
    keep = int(keep * len(whole)) if isinstance(keep, float) else keep
    saved.write_bytes(whole[:keep])
    with pytest.raises(checkpoints.Damaged, match="cut short|no checkpoint") as error:
        checkpoints.load(saved)
    assert "Delete it to start anew" in str(error.value) and str(saved.parent) not in str(error.value)


@pytest.mark.parametrize("name", ["__facts__", "file", "allow_pickle"])
def test_names_that_the_format_keeps_for_itself_are_refused(saved, name):
    before = saved.read_bytes()
    with pytest.raises(ValueError, match=f"can be called '{name}'"):
        checkpoints.save(saved, {name: np.zeros(2)})
    assert saved.read_bytes() == before


def test_every_changed_byte_is_noticed(saved):
    whole = saved.read_bytes()
    begin = whole.index(b"\n") + 1
    for place in range(begin, len(whole), 17):
        changed = bytearray(whole)
        changed[place] ^= 1
        saved.write_bytes(bytes(changed))
        with pytest.raises(checkpoints.Damaged, match="hash"):
            checkpoints.load(saved)


def test_what_is_appended_is_noticed(saved):
    saved.write_bytes(saved.read_bytes() + b"x")
    with pytest.raises(checkpoints.Damaged, match="hash"):
        checkpoints.load(saved)


OTHERS = [b"", b"hello\n", b"{}\n", b"[1]\n", b"\xff\xfe" * 900, b'{"form": 3, "bytes": "x"}\n']


@pytest.mark.parametrize("content", OTHERS)
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(checkpoints.Damaged, match="no checkpoint"):
        checkpoints.load(path)


def test_a_newer_form_is_refused_by_name(saved):
    first, body = saved.read_bytes().split(b"\n", 1)
    saved.write_bytes(json.dumps(json.loads(first) | {"form": "course checkpoint 9"}).encode() + b"\n" + body)
    with pytest.raises(checkpoints.Damaged, match="course checkpoint 9"):
        checkpoints.load(saved)


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        checkpoints.load(tmp_path / "nothing")


@pytest.mark.parametrize("value", [np.array(["text"]), np.array([object()]), np.array([1j])])
def test_only_numbers_are_saved(saved, value):
    before = saved.read_bytes()
    with pytest.raises(ValueError, match="arrays of numbers"):
        checkpoints.save(saved, {"x": value})
    assert saved.read_bytes() == before


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_failure_while_writing_leaves_the_old_file_and_no_draft(saved, monkeypatch, where):
    before = saved.read_bytes()

    def fails(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, where, fails)
    with pytest.raises(OSError, match="disk full"):
        checkpoints.save(saved, {"w": np.zeros(9)})
    assert saved.read_bytes() == before and os.listdir(saved.parent) == [saved.name]


def test_an_interrupt_while_writing_leaves_the_old_file(saved, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(saved, {"w": np.zeros(9)})
    assert checkpoints.load(saved)[1] == FACTS and os.listdir(saved.parent) == [saved.name]


def test_saving_again_replaces_the_file(saved):
    checkpoints.save(saved, {"w": np.ones(2)}, {"step": 2})
    assert checkpoints.load(saved)[1] == {"step": 2} and os.listdir(saved.parent) == [saved.name]


def test_a_checkpoint_of_another_model_is_refused():
    checkpoints.require(ARRAYS, {"w": np.zeros((3, 4))})
    with pytest.raises(ValueError, match=r"'w'.*\(3, 4\).*needs \(3, 5\)"):
        checkpoints.require(ARRAYS, {"w": np.zeros((3, 5))})
    with pytest.raises(ValueError, match="no 'v'.*another model"):
        checkpoints.require(ARRAYS, {"v": np.zeros(1)})
