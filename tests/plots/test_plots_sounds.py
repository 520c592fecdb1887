"""Figures and players of sounds."""

import base64
import io
import re
import wave

import numpy as np
import pytest

from course_utils.plots import sounds


def test_spectrograms_share_one_scale_and_have_units():
    pictures = {"one": np.arange(12.0).reshape(4, 3), "two": np.full((4, 3), 20.0)}
    fig = sounds.spectrograms(pictures, 0.5, 4.0)
    drawn = [ax for ax in fig.axes if ax.images]
    assert [ax.get_title("left") for ax in drawn] == ["one", "two"]
    assert {ax.images[0].get_clim() for ax in drawn} == {(0.0, 20.0)}
    assert drawn[0].images[0].get_extent() == [0, 0.5, 0, 4.0]
    assert drawn[0].get_xlabel() == "time (s)" and drawn[0].get_ylabel() == "frequency (kHz)"
    np.testing.assert_array_equal(drawn[0].images[0].get_array()[0], [0, 3, 6, 9])  # the lowest band over time


def test_one_picture_will_do():
    fig = sounds.spectrograms({"one": np.eye(3)}, 1.0, 4.0)
    assert sum(bool(ax.images) for ax in fig.axes) == 1


def test_players_hold_the_sound_and_its_label():
    samples = np.sin(np.arange(800) * 0.1)
    page = sounds.players({'a "tone" & more': samples}, 8000)
    assert 'aria-label="a &quot;tone&quot; &amp; more"' in page and "autoplay" not in page and "http" not in page
    data = base64.b64decode(re.search(r"base64,([^\"]+)", page).group(1))
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        back = np.frombuffer(file.readframes(800), "<i2") / 32767
    np.testing.assert_allclose(back, samples, atol=1e-4)


def test_what_is_too_loud_is_cut_off_and_does_not_wrap_around():
    with wave.open(io.BytesIO(sounds.wav(np.array([3.0, -3.0]), 8000))) as file:
        assert np.frombuffer(file.readframes(2), "<i2").tolist() == [32767, -32767]


@pytest.mark.parametrize("bad", [np.zeros(0), np.zeros((2, 3)), np.array([np.nan]), np.zeros(40_000)])
def test_what_is_no_short_sound_is_refused(bad):
    with pytest.raises(ValueError, match="'it' must be a row"):
        sounds.players({"it": bad}, 8000)


def test_the_lattice_draws_a_dot_for_each_state_and_only_ways_that_are_allowed():
    names = list("–a–a–")
    fig = sounds.lattice(np.full((3, 5), 0.2), names)
    (ax,) = fig.axes
    assert len(ax.collections[0].get_offsets()) == 15
    ways = {(int(a), int(b)) for line in ax.lines for a, b in [line.get_ydata()]}
    assert (1, 3) not in ways, "two equal letters: no jump over the blank"
    assert ways == {(s, s + k) for s in range(5) for k in (0, 1) if s + k < 5}
    different = sounds.lattice(np.full((3, 5), 0.2), list("–a–b–")).axes[0]
    assert (1, 3) in {tuple(map(int, line.get_ydata())) for line in different.lines}
    with pytest.raises(ValueError, match="4 names"):
        sounds.lattice(np.zeros((3, 5)), list("abcd"))
