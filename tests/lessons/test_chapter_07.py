"""What chapter 7 teaches: its own functions, taken out of the notebook, against TensorFlow and by enumeration."""

import itertools

import numpy as np
import pytest
from helpers import definitions
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from course_utils import session

tf = session.quiet_tensorflow()

lesson = definitions("07_speech_recognition")
quick = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 2**32 - 1)


# ----------------------------------------------------------------------------- sound to picture


@quick
@given(st.floats(0, 50_000), st.floats(100, 20_000))
def test_a_tone_and_its_alias_have_the_same_samples(tone, rate):
    heard = lesson.alias_frequency(tone, rate)
    assert 0 <= heard <= rate / 2 * (1 + 1e-9)
    n = np.arange(20)
    np.testing.assert_allclose(np.cos(2 * np.pi * tone / rate * n), np.cos(2 * np.pi * heard / rate * n), atol=1e-6)


@quick
@given(st.integers(1, 60), st.integers(1, 70), st.integers(0, 300), seeds)
def test_frames_are_those_of_tf_signal(size, step, more, seed):
    sound = np.random.default_rng(seed).normal(size=size + more)
    np.testing.assert_array_equal(lesson.cut_frames(sound, size, step), tf.signal.frame(sound, size, step))


@quick
@given(st.integers(2, 400))
def test_the_window_is_that_of_tf_signal_and_of_scipy(size):
    from scipy.signal import get_window

    np.testing.assert_allclose(lesson.hann_window(size), get_window("hann", size), atol=1e-12)
    if size % 2 == 0:  # of odd ones, tf.signal makes a symmetric window
        np.testing.assert_allclose(lesson.hann_window(size), tf.signal.hann_window(size), atol=1e-5)


@quick
@given(st.integers(2, 90), st.integers(1, 60), st.integers(0, 200), seeds)
def test_the_spectra_are_those_of_tf_signal(size, step, more, seed):
    """Even frame lengths: for odd ones, tf.signal's window is another one."""
    size *= 2
    sound = np.random.default_rng(seed).normal(size=size + more)
    ours, theirs = lesson.stft(sound, size, step), tf.signal.stft(tf.constant(sound), size, step).numpy()
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


@quick
@given(st.integers(1, 60), st.integers(6, 300), st.floats(0, 900), st.floats(1000, 4000))
def test_the_mel_matrix_is_that_of_tf_signal(bands, bins, lowest, highest):
    ours = lesson.mel_matrix(bands, bins, 8000, lowest, highest)
    theirs = tf.signal.linear_to_mel_weight_matrix(bands, bins, 8000, lowest, highest, dtype=tf.float64)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert ours.min() >= 0 and ours.max() <= 1 and not ours[0].any()


@pytest.mark.parametrize("lowest, highest", [(0, 5000), (-1, 4000), (3000, 2000), (1000, 1000)])
def test_bands_beyond_what_is_there_are_refused(lowest, highest):
    with pytest.raises(ValueError, match="between 0 and 4000 Hz"):
        lesson.mel_matrix(20, 129, 8000, lowest, highest)


@settings(deadline=None, max_examples=10)
@given(seeds, st.floats(0.01, 100))
def test_the_input_of_the_networks_is_the_chain_by_hand_and_forgets_loudness(seed, gain):
    sound = np.random.default_rng(seed).normal(size=2000)
    picture = lesson.log_mel(sound[None])[0]
    np.testing.assert_allclose(picture, lesson.log_mel_by_hand(sound), atol=2e-3)
    assert abs(picture.mean()) < 1e-3 and abs(picture.std() - 1) < 1e-3
    if gain > 0.3:  # a quiet sound sinks below the constant inside the logarithm
        np.testing.assert_allclose(lesson.log_mel(gain * sound[None])[0], picture, atol=0.05)


# ----------------------------------------------------------------------------------- recordings


@quick
@given(seeds, st.integers(2, 50), st.integers(2, 90), st.floats(-30, 60))
def test_the_gain_gives_the_ratio_that_was_asked_for(seed, n, m, snr):
    random = np.random.default_rng(seed)
    sound, noise = random.normal(size=n), 5 * random.normal(size=m)
    scaled = lesson.noise_gain(sound, noise, snr) * noise
    assert 10 * np.log10(np.mean(sound**2) / np.mean(scaled**2)) == pytest.approx(snr)


@quick
@given(seeds, st.integers(50, 300), st.floats(-5, 50))
def test_a_recording_is_the_clip_somewhere_plus_noise_of_that_ratio(seed, length, snr):
    sound = np.sin(np.arange(300) * 0.3)
    made = lesson.recordings([sound], [length], 500, np.random.default_rng(seed), (snr, snr))[0]
    noise = np.random.default_rng(seed).standard_normal((1, 500), dtype="float32")[0]
    noise = noise * lesson.noise_gain(sound[:length], noise, snr)
    places = [made - noise - np.pad(sound[:length], (b, 500 - length - b)) for b in range(501 - length)]
    assert min(np.abs(rest).max() for rest in places) < 1e-4 * (1 + np.abs(noise).max())


def test_another_speed_makes_the_clip_longer_or_shorter_and_never_too_long():
    sound, random = np.sin(np.arange(400) * 0.2), np.random.default_rng(0)
    made = lesson.recordings([sound] * 40, [400] * 40, 420, random, (90, 90), 0.3)
    assert made.shape == (40, 420)
    there = [np.ptp(np.flatnonzero(np.abs(row) > 0.02)) for row in made]
    assert min(there) < 330 and max(there) > 410


def test_noise_lies_where_it_was_asked_for():
    sound = np.sin(np.arange(300) * 0.3)
    power = {}
    for where in ("on", "around", "everywhere"):
        made = lesson.partly_noisy([sound], [300], 900, np.random.default_rng(1), 0, where)[0]
        made[300:600] -= sound
        power[where] = np.mean(made[300:600] ** 2), np.mean(np.r_[made[:300], made[600:]] ** 2)
    loud, soft = pytest.approx(0.5, rel=0.35), pytest.approx(0.5e-4, rel=0.35)
    assert power == {"on": (loud, soft), "around": (soft, loud), "everywhere": (loud, loud)}
    with pytest.raises(ValueError, match="nowhere"):
        lesson.partly_noisy([sound], [300], 900, np.random.default_rng(1), 0, "nowhere")


def test_an_echo_begins_with_the_sound_and_has_the_power_asked_for():
    click = np.zeros(2000)
    click[0] = 1.0
    heard = lesson.with_echo(click, 8000, np.random.default_rng(0), 0.4, 0.5)
    assert len(heard) == 2000 + 3200 - 1
    assert np.sum(heard[1:] ** 2) == pytest.approx(0.5, rel=0.05)
    assert np.sum(heard[1:800] ** 2) > 5 * np.sum(heard[1600:] ** 2)


# ------------------------------------------------------------------------------------ splits


@quick
@given(seeds, st.integers(2, 30), st.integers(1, 4))
def test_the_nearest_is_the_nearest_of_those_allowed(seed, n, groups):
    random = np.random.default_rng(seed)
    x, names = random.normal(size=(n, 3, 2)), random.integers(0, groups, n).astype(str)
    barred = lesson.same(names)
    assume(not barred.all(axis=1).any())
    found = lesson.nearest(x, barred)
    distances = ((x[:, None] - x) ** 2).sum(axis=(2, 3))
    for i in range(n):
        allowed = np.flatnonzero(names != names[i])
        assert found[i] == allowed[distances[i, allowed].argmin()]


def test_a_random_split_holds_out_a_quarter_by_its_seed():
    one = lesson.random_split(640, 3)
    assert one.sum() == 160 and (one == lesson.random_split(640, 3)).all()
    assert (one != lesson.random_split(640, 4)).any()


# ---------------------------------------------------------------------------------- networks


@pytest.mark.parametrize("kind", ["CNN", "GRU"])
def test_networks_give_ten_numbers_start_from_their_weights_and_learn(kind):
    random = np.random.default_rng(0)
    model = lesson.network(kind, 30, 16, 60)
    labels = np.arange(40) % 10
    copies = 0.1 * random.normal(size=(2, 40, 30, 16)).astype("float32")
    copies[:, np.arange(40), :, labels] += 2
    rows = np.arange(40) < 30
    start = lesson.first_weights(model, 0)
    lesson.train(model, start, copies, labels, rows, 0, 30, "test")
    once = model.get_weights()
    found = lesson.predict(model, copies[0])
    assert found.shape == (40, 10) and np.allclose(found.sum(axis=1), 1, atol=1e-5)
    assert np.mean(found.argmax(axis=1)[rows] == labels[rows]) > 0.9
    lesson.train(model, start, copies, labels, rows, 0, 0, "test")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), start, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(once, start, strict=True))


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="CNN and GRU, not 'RNN'"):
        lesson.network("RNN", 54, 32, 10)


# ---------------------------------------------------------------------------------------- CTC


def random_case(seed, frames, symbols, letters, blank):
    random = np.random.default_rng(seed)
    others = [s for s in range(symbols) if s != blank]
    return random.normal(0, 2, (frames, symbols)), [int(s) for s in random.choice(others, letters)]


def frames_needed(label):
    return len(label) + sum(a == b for a, b in itertools.pairwise(label))


cases = st.tuples(seeds, st.integers(1, 12), st.integers(2, 6), st.integers(0, 5), st.integers(0, 5))


@quick
@given(cases)
def test_the_loss_is_tensorflows(case):
    seed, frames, symbols, letters, blank = case
    blank %= symbols
    logits, label = random_case(seed, frames, symbols, letters, blank)
    ours = lesson.ctc_loss(logits, label, blank)
    if frames < frames_needed(label):
        assert ours == np.inf
    else:
        assert ours == pytest.approx(float(lesson.tensorflow_ctc(logits, label, blank)), rel=1e-4, abs=1e-4)


@quick
@given(cases)
def test_the_gradient_is_tensorflows_and_the_shares_add_up(case):
    seed, frames, symbols, letters, blank = case
    blank %= symbols
    logits, label = random_case(seed, frames, symbols, letters, blank)
    assume(frames >= frames_needed(label))
    shares = lesson.ctc_shares(logits, label, blank)
    assert shares.shape == (frames, 2 * len(label) + 1)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-9)
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = lesson.tensorflow_ctc(variable, label, blank)
    np.testing.assert_allclose(lesson.ctc_gradient(logits, label, blank), tape.gradient(loss, variable), atol=1e-4)


@settings(deadline=None, max_examples=15)
@given(seeds, st.integers(1, 6))
def test_all_paths_together_give_every_label_its_loss(seed, frames):
    logits, _ = random_case(seed, frames, 3, 0, 0)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    total = {}
    for path in itertools.product(range(3), repeat=frames):
        label = tuple(lesson.collapse_path(list(path), 0))
        total[label] = total.get(label, 0) + np.prod(p[np.arange(frames), path])
    assert sum(total.values()) == pytest.approx(1)
    for label, probability in total.items():
        assert lesson.ctc_loss(logits, list(label)) == pytest.approx(-np.log(probability), rel=1e-9)


def test_a_long_recording_does_not_vanish():
    logits, label = random_case(0, 2000, 5, 40, 0)
    assert 100 < lesson.ctc_loss(logits, label) < 1e5
    np.testing.assert_allclose(lesson.ctc_shares(logits, label).sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "logits, label, blank, says",
    [
        (np.zeros(3), [1], 0, "shape"),
        (np.zeros((0, 3)), [1], 0, "shape"),
        (np.zeros((4, 3)), [0], 0, "never the blank"),
        (np.zeros((4, 3)), [3], 0, "from 0 to 2"),
        (np.zeros((4, 3)), [1], 3, "blank is one of the 3"),
    ],
)
def test_bad_input_is_named(logits, label, blank, says):
    with pytest.raises(ValueError, match=says):
        lesson.ctc_forward(logits, label, blank)


def test_shares_of_what_cannot_be_are_refused():
    with pytest.raises(ValueError, match="needs more frames"):
        lesson.ctc_shares(np.zeros((3, 3)), [1, 2, 2])
