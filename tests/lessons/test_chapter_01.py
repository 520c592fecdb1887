"""What chapter 1 teaches: its counts against Keras, its sums against published figures, its rules for comparing."""

import math

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from course_utils import data, session
from course_utils.plots import ch01 as figures

session.quiet_tensorflow()
import keras  # noqa: E402

lesson = definitions("01_core_concepts")
quick = settings(deadline=None, max_examples=30)
PUBLISHED_USE = (0.3, 0.5)  # part of their processors' speed that large trainings report


# ---------------------------------------------------------------------------------- the table


@pytest.fixture(scope="module")
def models():
    return data.large_models()


def test_the_table_of_models_is_whole(models):
    assert len(models) >= 20 and len({m.name for m in models}) == len(models)
    assert [m.year for m in models] == sorted(m.year for m in models)
    assert models[0].year <= 1960 and models[-1].year >= 2026
    for m in models:
        assert len(m.source) > 20 and m.kind, m.name
        assert 0 < m.active <= m.parameters, m.name
        assert math.isnan(m.tokens) or m.tokens > 0
        assert ("mixture" in m.kind) == (m.active < m.parameters), m.name
        assert math.isfinite(m.processor_hours) == math.isfinite(m.processor_peak), m.name


def test_processor_hours_agree_with_six_operations_for_each_active_parameter_and_token(models):
    """Hours and peaks are measured and promised by others: nothing here was computed with 6 N D."""
    checked = [m for m in models if math.isfinite(m.processor_hours)]
    assert len(checked) >= 4 and any(m.active < m.parameters for m in checked)
    for m in checked:
        possible = m.processor_hours * 3600 * m.processor_peak
        assert PUBLISHED_USE[0] < 6 * m.active * m.tokens / possible < PUBLISHED_USE[1], m.name
        if m.active < m.parameters:
            assert 6 * m.parameters * m.tokens / possible > 1, "with all parameters: more than the processors can do"


def test_stated_compute_is_that_of_the_formula_where_it_was_computed_with_it(models):
    """A check of the table for slips: within a quarter; T5's tokens pass through one half of it."""
    for m in models:
        if math.isfinite(m.compute) and math.isfinite(m.tokens):
            passes = 0.5 if m.name.startswith("T5") else 1
            assert 6 * passes * m.active * m.tokens == pytest.approx(m.compute, rel=0.25), m.name


@given(st.floats(1, 1e30))
def test_short_numbers_read_back(number):
    digits, power = lesson.short(number).split(" · 10")
    read = float(digits) * 10.0 ** int(power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))
    assert read == pytest.approx(number, rel=0.051) and 1 <= float(digits) < 10


def test_short_says_what_is_not_published():
    assert lesson.short(math.nan) == "not published"


# -------------------------------------------------------------------------- a unit, a network


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_a_unit_is_one_of_kerass_dense_layers(seed, n):
    random = np.random.default_rng(seed)
    inputs, weights, bias = random.normal(size=n), random.normal(size=n), random.normal()
    layer = keras.layers.Dense(1, activation="relu")
    layer.build((None, n))
    layer.set_weights([weights[:, None], np.array([bias])])
    assert lesson.unit(inputs, weights, bias) == pytest.approx(layer(inputs[None]).numpy().item(), abs=1e-5)


@given(st.integers(-99, 99), st.integers(-99, 99))
def test_the_small_network_gives_the_distance_of_two_numbers(a, b):
    assert lesson.small_network([a, b]) == abs(a - b)


@quick
@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2))
def test_a_line_divides_the_plane_by_the_sign_of_its_sum(w1, w2, b):
    places = np.array([[0.0, 0.0], [1.0, 2.0], [-3.0, 0.5]])
    assert lesson.one_line(w1, w2, b)(places).tolist() == [float(w1 * x + w2 * y + b > 0) for x, y in places]


# ------------------------------------------------------------------- parts of data, comparisons


@given(st.integers(5, 300))
def test_the_three_parts_have_all_rows_once(n):
    parts = lesson.split(list(range(n)))
    assert [row for part in parts for row in part] == list(range(n))
    assert [len(part) / n for part in parts] == pytest.approx([0.6, 0.2, 0.2], abs=1 / n + 1e-9)


@quick
@given(st.integers(0, 2**32 - 1))
def test_only_one_right_and_the_coin(seed):
    random = np.random.default_rng(seed)
    truth, one, other = random.integers(0, 3, size=(3, 40))
    first, second, p = lesson.luck(truth, one, other)
    right, also = one == truth, other == truth
    assert (first, second) == (np.sum(right & ~also), np.sum(also & ~right))
    tosses = first + second
    tail = sum(math.comb(tosses, k) for k in range(min(first, second) + 1)) / 2**tosses
    assert p == pytest.approx(min(1.0, 2 * tail))


def test_two_models_that_agree_are_no_evidence():
    assert lesson.luck([1, 2], [1, 0], [1, 0]) == (0, 0, 1.0)


def test_a_rival_chooses_model_and_input_on_the_validation_rows_and_learns_from_both_parts():
    random = np.random.default_rng(0)
    sense = random.normal(size=(120, 1))
    y = (sense[:, 0] > 0).astype(int)
    noise = random.normal(size=(120, 1))
    y[:60] = np.where(random.random(60) < 0.3, 1 - y[:60], y[:60])  # one neighbour repeats these slips
    candidates = [KNeighborsClassifier(k) for k in (1, 15)]
    parts = np.arange(60), np.arange(60, 90), np.arange(90, 120)
    found = lesson.rival_answers(candidates, [noise, sense], y, *parts)
    wanted = KNeighborsClassifier(15).fit(sense[:90], y[:90]).predict(sense[90:])
    np.testing.assert_array_equal(found, wanted)


def test_the_blocks_of_the_digits_are_tested_once_each_and_share_no_row(monkeypatch):
    digits = data.digits()
    monkeypatch.setitem(lesson.rows_of_block.__globals__, "digits", digits)
    tested = []
    for block in range(4):
        training, validation, test = lesson.rows_of_block(block)
        assert not set(test) & (set(training) | set(validation)) and not set(training) & set(validation)
        assert np.ptp(test) == len(test) - 1, "neighbours in the file stay together"
        tested += list(test)
    assert sorted(tested) == list(range(len(digits)))


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
    kept = sum(v.numpy().nbytes for v in network.weights + network.optimizer.variables)
    computed = 1e9 * lesson.training_memory(network.count_params(), 4, 0, 8)
    assert kept == pytest.approx(computed, rel=0.01)


def test_a_million_processor_hours():
    """10⁹ parameters, 2 · 10¹⁰ tokens: 1.2 · 10²⁰ operations are 10⁶ seconds at 1.2 · 10¹⁴ a second."""
    assert lesson.training_days(1e9, 2e10, 1.2e14) == pytest.approx(1e6 / 86_400)
    assert lesson.training_days(1e9, 2e10, 1.2e14, 4, 0.5) == pytest.approx(1e6 / 86_400 / 2)


def test_the_speed_of_this_computer_is_a_speed():
    assert 1e8 < lesson.flops_of_this_computer(256, repeats=3) < 1e14


# ------------------------------------------------------------------------------ what is heard


@pytest.mark.parametrize("tone", [300.0, 1000.0, 2500.0])
def test_a_tone_is_loudest_in_its_own_row_of_the_spectrogram(tone):
    sound = np.sin(2 * np.pi * tone * np.arange(6000) / 8000)[None]
    picture = lesson.spectrogram(sound)
    assert picture.shape == (1, 50, 32)
    low, high = (8000 / 256 * 4 * (picture[0, 5].argmax() + i) for i in (-0.2, 1.2))
    assert low <= tone <= high


def test_loudness_has_mean_zero_and_spread_one():
    loud = lesson.loudness(np.random.default_rng(0).random((3, 50, 32)))
    assert loud.dtype == np.float32 and abs(loud.mean()) < 1e-5 and loud.std() == pytest.approx(1, abs=1e-4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_models_for_tables_learn_classes_and_numbers():
    random = np.random.default_rng(0)
    x = random.normal(size=(80, 3))
    for classify, y in [(True, x[:, 0] > 0), (False, x[:, 0] + 0.1 * random.normal(size=80))]:
        found = lesson.table_models(classify)
        assert list(found) == list(lesson.table_models(not classify))
        for name, model in found.items():
            assert model.fit(x, y).score(x, y) > 0.8, name


# ----------------------------------------------------------------------------------- figures


def test_borders_show_which_side_a_place_is_given():
    points = np.array([[0.0, 0.0], [1.0, 1.0]])
    figure = figures.borders(points, np.array([0, 1]), {"left": lambda p: p[:, 0] > 0.5, "all": lambda p: p[:, 0] * 0})
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["left", "all"]
    assert all(len(ax.lines) == 2 for ax in figure.axes)


def test_the_parts_are_as_wide_as_their_shares():
    figure = figures.parts({"a": (0.6, "x"), "b": (0.4, "y")})
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0.6, 0.4]


def test_memory_bars_are_bytes_times_parameters():
    figure = figures.memory(2e9, {"a laptop": 16})
    assert [bar.get_width() for bar in figure.axes[0].patches] == [32.0, 8.0, 4.0, 2.0]


def test_bars_of_text_for_active_and_for_all_parameters(models):
    told = [m for m in models if math.isfinite(m.tokens)]
    bars = [bar.get_width() for bar in figures.text_for_each_parameter(told).axes[0].patches]
    assert bars == pytest.approx([m.tokens / m.active for m in told] + [m.tokens / m.parameters for m in told])


def test_growth_names_the_models_that_are_asked_for(models):
    axes = figures.growth(models, {"GPT-3": -6, "Kimi K3": 6}).axes[0]
    assert {text.get_text() for text in axes.texts} == {"GPT-3", "Kimi K3"}
    assert sum(len(line.get_xdata()) for line in axes.lines) == len(models)
