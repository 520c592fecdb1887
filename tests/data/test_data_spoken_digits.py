"""The spoken digits that ship, and the script that made them."""

import importlib
import importlib.util

import numpy as np
import pytest

from course_utils import data, paths

loader = importlib.import_module("course_utils.data.spoken_digits")  # the package has a function of that name
FILE = paths.ROOT / "data" / "spoken_digits.npz"


@pytest.fixture(scope="module")
def script():
    """data/make_spoken_digits.py as a module."""
    spec = importlib.util.spec_from_file_location("make_spoken_digits", paths.ROOT / "data" / "make_spoken_digits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def clips():
    return data.spoken_digits()


def test_the_file_is_small_and_holds_no_objects():
    assert FILE.stat().st_size <= 2_500_000
    with np.load(FILE, allow_pickle=False) as stored:
        assert all(stored[name].dtype != object for name in stored.files)


def test_ten_words_in_thirty_two_voices_twice(clips):
    assert len(clips) == 640 and clips.x.dtype == np.float32 and np.abs(clips.x).max() <= 1
    voices, counts = np.unique(clips.groups, return_counts=True)
    assert len(voices) == 32 and (counts == 20).all()
    for voice in voices:
        assert (np.bincount(clips.y[clips.groups == voice], minlength=10) == 2).all(), voice


def test_held_out_are_two_whole_speakers(clips):
    speakers = np.array([voice.split("+")[1] for voice in clips.groups])
    assert clips.in_test.sum() == 160 and len(set(speakers[clips.in_test])) == 2
    assert not set(speakers[clips.in_test]) & set(speakers[~clips.in_test])


def test_no_two_clips_are_alike(clips):
    assert len({clip.tobytes() for clip in clips.x}) == len(clips)


def test_mu_law_comes_back(script):
    samples = np.linspace(-1, 1, 1001)
    back = loader.mu_law_decode(script.mu_law(samples))
    assert np.abs(back - samples).max() < 0.025 and np.abs(back - samples)[480:520].max() < 0.001


def test_trimming_takes_silence_away_at_both_ends(script):
    word = np.sin(np.arange(500))
    trimmed = script.trim(np.concatenate([np.zeros(700), word, np.zeros(900)]))
    assert 500 <= len(trimmed) <= 500 + 2 * 80


def test_made_twice_it_has_the_same_bytes_as_what_ships(script, espeak):
    """Two voices stand for all; the same version of espeak-ng gives the very bytes of the file."""
    one, two = script.make(script.VOICES[:2]), script.make(script.VOICES[:2])
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    if "1.51" in espeak:
        with np.load(FILE, allow_pickle=False) as stored:
            np.testing.assert_array_equal(stored["codes"][: len(one["codes"])], one["codes"])
            np.testing.assert_array_equal(stored["lengths"][: len(one["lengths"])], one["lengths"])


def test_a_missing_file_says_how_to_make_it(monkeypatch, tmp_path):
    monkeypatch.setattr(loader, "_FILE", tmp_path / "none.npz")
    with pytest.raises(FileNotFoundError, match="make_spoken_digits.py"):
        data.spoken_digits()
