"""What chapter 1 teaches: its counts against Keras, its sums against published figures."""

import math

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import data, session

session.quiet_tensorflow()
import keras  # noqa: E402

lesson = definitions("01_core_concepts")


# ---------------------------------------------------------------------------------- the table


@pytest.fixture(scope="module")
def models():
    return data.large_models()


def test_the_table_of_models_is_whole(models):
    assert len(models) >= 15 and len({m.name for m in models}) == len(models)
    assert [m.year for m in models] == sorted(m.year for m in models)
    assert models[0].year <= 1960 and models[-1].year >= 2025
    for m in models:
        assert len(m.source) > 20 and m.kind, m.name
        assert 0 < m.active <= m.parameters, m.name
        assert math.isnan(m.tokens) or m.tokens > 0
        assert ("mixture" in m.kind) == (m.active < m.parameters), m.name


def test_published_compute_is_six_times_parameters_times_tokens(models):
    """Within a quarter, but for the encoder-decoder, of which each token passes one half."""
    checked = [m for m in models if math.isfinite(m.compute) and math.isfinite(m.tokens)]
    assert len(checked) >= 5
    for m in checked:
        passes = 0.5 if m.name.startswith("T5") else 1
        assert 6 * passes * m.active * m.tokens == pytest.approx(m.compute, rel=0.25), m.name


@given(st.floats(1, 1e30))
def test_short_numbers_read_back(number):
    digits, power = lesson.short(number).split(" · 10")
    read = float(digits) * 10.0 ** int(power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))
    assert read == pytest.approx(number, rel=0.051) and 1 <= float(digits) < 10


def test_short_says_what_is_not_published():
    assert lesson.short(math.nan) == "not published"


# -------------------------------------------------------------------------------- parameters


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 40), min_size=2, max_size=5))
def test_dense_parameters_are_those_of_keras(widths):
    assert lesson.dense_parameters(widths) == lesson.dense_network(widths).count_params()


@settings(deadline=None, max_examples=8)
@given(st.integers(1, 3), st.sampled_from([4, 8, 20]), st.integers(5, 60))
def test_transformer_parameters_are_those_of_kerass_layers(blocks, width, vocabulary):
    tokens = keras.Input((6,), dtype="int32")
    rows = keras.layers.Embedding(vocabulary, width)(tokens)
    for _ in range(blocks):
        rows += keras.layers.MultiHeadAttention(2, width // 2, use_bias=False)(rows, rows)
        wide = keras.layers.Dense(4 * width, use_bias=False)(rows)
        rows += keras.layers.Dense(width, use_bias=False)(wide)
    assert keras.Model(tokens, rows).count_params() == lesson.transformer_parameters(blocks, width, vocabulary)


# --------------------------------------------------------------------------- memory and time


def test_memory_is_what_adam_keeps():
    network = lesson.dense_network([32, 64, 8])
    network.compile("adam", "mse")
    network.fit(np.zeros((4, 32)), np.zeros((4, 8)), verbose=0)
    kept = lesson.bytes_of(network.weights) + lesson.bytes_of(network.optimizer.variables)
    computed = 1e9 * lesson.training_memory(network.count_params(), 4, 0, 8)
    assert kept == pytest.approx(computed, rel=0.01)


def test_a_million_processor_hours():
    """10⁹ parameters, 2 · 10¹⁰ tokens: 1.2 · 10²⁰ operations are 10⁶ seconds at 1.2 · 10¹⁴ a second."""
    assert lesson.training_days(1e9, 2e10, 1.2e14) == pytest.approx(1e6 / 86_400)
    assert lesson.training_days(1e9, 2e10, 1.2e14, 4, 0.5) == pytest.approx(1e6 / 86_400 / 2)


def test_the_speed_of_this_machine_is_a_speed():
    assert 1e8 < lesson.flops_of_this_machine(256, repeats=3) < 1e14


# ------------------------------------------------------------------------------ what is heard


@pytest.mark.parametrize("tone", [300.0, 1000.0, 2500.0])
def test_a_tone_is_loudest_in_its_own_row_of_the_spectrogram(tone):
    sound = np.sin(2 * np.pi * tone * np.arange(6000) / 8000)[None]
    picture = lesson.spectrogram(sound)
    assert picture.shape == (1, 50, 32, 1) and picture.dtype == np.float32
    low, high = (8000 / 256 * 4 * (picture[0, 5, :, 0].argmax() + i) for i in (-0.2, 1.2))
    assert low <= tone <= high


def test_rivals_learn_classes_and_numbers():
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 3))
    for classify, y in [(True, x[:, 0] > 0), (False, x[:, 0] + 0.1 * random.normal(size=60))]:
        models = lesson.rivals(classify)
        assert list(models) == list(lesson.rivals(not classify))
        for name in ("linear", "random forest", "boosted trees"):
            assert models[name].fit(x, y).score(x, y) > 0.8, name
