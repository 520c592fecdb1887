"""What chapter 11 teaches: its own functions, taken out of the notebook, against Keras, SciPy and scikit-learn."""

import types

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_rel
from sklearn.feature_extraction.text import TfidfTransformer

from course_utils import display, plots, session

tf = session.quiet_tensorflow()
import keras  # noqa: E402

lesson = definitions("11_choosing_an_architecture")
quick = settings(deadline=None, max_examples=30)
few = settings(deadline=None, max_examples=4)
seeds = st.integers(0, 2**32 - 1)


def draw(seed, *shape):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


def weights_of(shapes, seed):
    return [draw(seed + i, *shape) / np.sqrt(np.prod(shape[:-1])) for i, shape in enumerate(shapes)]


def assert_same_with_gradients(ours, theirs, weights, twin, x, loose=1e-4):
    """Outputs, the slope to the input and the sum of each weight's slopes are the same."""
    factors = draw(1, *ours(weights, x).shape)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, *weights])
        mine, other = tf.reduce_sum(ours(weights, x) * factors), tf.reduce_sum(theirs(x) * factors)
    np.testing.assert_allclose(ours(weights, x), theirs(x), atol=loose)
    np.testing.assert_allclose(tape.gradient(mine, x), tape.gradient(other, x), atol=loose)
    total = sum(float(tf.reduce_sum(slope)) for slope in tape.gradient(mine, weights))
    variables = twin.trainable_variables
    other_total = sum(float(tf.reduce_sum(slope)) for slope in tape.gradient(other, [v.value for v in variables]))
    assert total == pytest.approx(other_total, abs=1e-2, rel=1e-3)


# ----------------------------------------------------------------------------------- networks


@few
@given(seeds, st.integers(1, 6), st.integers(1, 5), st.integers(2, 4), st.integers(0, 3))
def test_networks_are_keras_s(seed, channels, k, classes, which):
    model, shape = [("mlp", (3, channels)), ("cnn", (9, channels)), ("cnn", (6, 7, channels)), ("rnn", (5, channels))][
        which
    ]
    forward, shapes_at = lesson.blueprint("image" if len(shape) == 3 else "sequence", model)
    shapes = shapes_at(shape, k, classes)
    weights, twin = weights_of(shapes, seed % 1000), lesson.keras_twin(model, shape, k, classes)
    assert twin.count_params() == lesson.count(shapes)
    given_to_keras = [part.numpy() for part in weights]
    if model == "rnn":
        given_to_keras[1:4] = [given_to_keras[2], np.stack([given_to_keras[1], given_to_keras[3]])]
    twin.set_weights(given_to_keras)
    assert_same_with_gradients(forward, twin, weights, twin, draw(seed, 3, *shape))


@few
@given(seeds, st.integers(2, 6), st.integers(2, 8))
def test_attend_is_keras_s_attention(seed, tokens, k):
    x = draw(seed, 2, tokens, k)
    weights = weights_of([(k, 3 * k), (3 * k,), (k, k), (k,)], seed % 1000)
    layer = keras.layers.MultiHeadAttention(1, k)
    layer(x, x)
    W, b, V, c = weights
    inner = []
    for i in range(3):
        part = slice(i * k, (i + 1) * k)
        inner += [tf.reshape(W[:, part], [k, 1, k]), tf.reshape(b[part], [1, k])]
    layer.set_weights([*inner, tf.reshape(V, [1, k, k]), c])
    assert_same_with_gradients(lambda w, x: lesson.attend(x, *w), lambda x: layer(x, x), weights, layer, x)


@quick
@given(seeds, st.integers(2, 9))
def test_normalised_tokens_have_mean_0_and_variance_1(seed, k):
    x = lesson.normalised(10 * draw(seed, 3, 4, k) + 5)
    np.testing.assert_allclose(np.mean(x, axis=-1), 0, atol=1e-4)
    layer = keras.layers.LayerNormalization(epsilon=1e-3, center=False, scale=False)
    np.testing.assert_allclose(lesson.normalised(draw(seed, 3, 4, k)), layer(draw(seed, 3, 4, k)), atol=1e-4)


@pytest.mark.parametrize("model", ["mlp", "cnn", "rnn", "attention"])
@pytest.mark.parametrize("kind", ["table", "image", "sequence", "text"])
def test_every_network_reads_every_kind_of_data(kind, model):
    random = np.random.default_rng(0)
    if kind == "text":
        x = random.integers(0, lesson.WORDS, (4, lesson.LENGTH)).astype("int32")
    else:
        shape = {"table": (4, 30), "image": (4, 10, 10), "sequence": (4, 19, 16)}[kind]
        x = random.normal(size=shape).astype("float32")
    ready = lesson.as_input(kind, model, x, x)
    budget = lesson.BUDGET[kind]
    width, shapes = lesson.plan_within(budget, kind, model, ready.shape[1:], 3)
    forward, shapes_at = lesson.blueprint(kind, model)
    assert lesson.count(shapes) <= budget < lesson.count(shapes_at(ready.shape[1:], width + 1, 3))
    logits = forward(lesson.initial(shapes, 0), ready)
    assert logits.shape == (4, 3) and np.isfinite(logits).all()


def test_a_budget_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="Even width 1 has 40 weights; the budget is 30"):
        lesson.widest(lambda k: [(40, k)], 30)


@quick
@given(st.integers(1, 50), st.integers(1, 12), st.integers(100, 5000))
def test_the_width_of_an_mlp_is_the_widest_that_fits(inputs, classes, budget):
    width = lesson.mlp_width(inputs, classes, budget)
    assert width == lesson.widest(lambda k: lesson.mlp_shapes((inputs,), k, classes), budget)


@quick
@given(seeds, st.sampled_from([(4, 2), (6, 3), (6, 2), (5, 5), (3, 1)]))
def test_patches_are_tensorflow_s(seed, sides):
    side, size = sides
    images = np.random.default_rng(seed).normal(size=(3, side, side)).astype("float32")
    strides = [1, size, size, 1]
    theirs = tf.image.extract_patches(images[..., None], strides, strides, [1] * 4, "VALID")
    np.testing.assert_array_equal(lesson.patches(images, size), tf.reshape(theirs, [3, -1, size * size]))


def test_first_weights_have_the_variance_that_keeps_a_signal():
    first, bias = lesson.initial([(400, 300), (300,)], 3)
    assert np.std(first) == pytest.approx(1 / 20, rel=0.02) and not np.any(bias)
    np.testing.assert_array_equal(first, lesson.initial([(400, 300)], 3)[0])
    assert np.any(first != lesson.initial([(400, 300)], 4)[0])


# ----------------------------------------------------------------------------------- training


@few
@given(seeds, st.floats(1e-4, 0.1))
def test_adam_is_keras_s(seed, rate):
    x, y = draw(seed, 8, 5), tf.constant(np.random.default_rng(seed).integers(0, 3, 8), tf.int32)
    weights = lesson.initial(lesson.mlp_shapes((5,), 4, 3), 0)
    variables, zeros = [keras.Variable(part) for part in weights], [tf.zeros_like(part) for part in weights]
    optimizer, state = keras.optimizers.Adam(rate), (weights, zeros, zeros, tf.constant(0.0))
    for _ in range(4):
        state = lesson.adam_step(lesson.mlp, state, x, y, rate)
        with tf.GradientTape() as tape:
            logits = lesson.mlp([v.value for v in variables], x)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
    for mine, other in zip(state[0], variables, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-4)
    assert float(state[3]) == 4


def test_a_network_learns_and_the_compiled_steps_are_the_single_ones():
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 6)).astype("float32")
    y = (x[:, 0] * x[:, 1] > 0).astype("int32")
    network = lesson.Network(lesson.mlp, lesson.mlp_shapes((6,), 16, 2))
    parts = [(x[:250], y[:250]), (x[250:300], y[250:300]), (x[300:], y[300:])]
    valid, right, seconds = network.fit(parts, 0.03, 0)
    assert right.mean() > 0.85 and valid > 0.85 and seconds > 0 and right.shape == (100,)
    zeros = [tf.zeros_like(part) for part in lesson.initial(network.shapes, 0)]
    start = (lesson.initial(network.shapes, 0), zeros, zeros, tf.constant(0.0))
    batches = tf.constant(random.integers(0, 250, (lesson.EVERY, lesson.BATCH)), tf.int32)
    xs, ys, rate = tf.constant(x[:250]), tf.constant(y[:250]), tf.constant(0.01)
    together, single = network.run(start, xs, ys, batches, rate), start
    for rows in batches:
        single = lesson.adam_step(lesson.mlp, single, tf.gather(xs, rows), tf.gather(ys, rows), rate)
    np.testing.assert_allclose(together[0][0], single[0][0], atol=1e-4)


@pytest.mark.parametrize("contestant, trial", [("Linear", 1.0), ("Trees", 0.3)])
def test_the_classic_models_learn_and_tell_their_size(contestant, trial):
    random = np.random.default_rng(0)
    x = random.normal(size=(300, 5))
    y = (x[:, 0] + 0.1 * random.normal(size=300) > 0).astype("int32")
    parts = [(x[:200], y[:200]), (x[200:240], y[200:240]), (x[240:], y[240:])]
    model = getattr(lesson, contestant)()
    valid, right, seconds = model.fit(parts, trial, 0)
    assert right.mean() > 0.85 and 0.8 < valid <= 1 and seconds > 0 and right.shape == (60,)
    assert model.size == 6 if contestant == "Linear" else model.size > 2
    assert model.bytes > 100


def test_the_trial_is_chosen_by_the_first_seed_s_validation_and_never_by_the_test():
    seen = []

    def fit(parts, trial, seed):
        seen.append((parts, trial, seed))
        return {1: 0.7, 2: 0.9, 3: 0.8}[trial], np.full(5 + seed, trial == 1), 0.5

    chosen, valid, right, seconds = lesson.compete(types.SimpleNamespace(fit=fit), "abc", [1, 2, 3], [0, 1, 2])
    assert (chosen, valid, seconds) == (2, pytest.approx(0.9), 0.5)
    assert right.shape == (3, 5) and not right.any()
    assert seen == [("a", 1, 0), ("a", 2, 0), ("a", 3, 0), ("b", 2, 1), ("c", 2, 2)]


# --------------------------------------------------------------------------------------- data


@quick
@given(st.integers(60, 200), st.integers(0, 2))
def test_parts_do_not_share_examples_and_seeds_do_not_share_tests(n, seed):
    order = np.random.default_rng(0).permutation(n)
    train, valid, test = lesson.three_ways(order, seed, n // 3, 10, 20)
    assert len(set(train) | set(valid) | set(test)) == 30 + n // 3
    others = [lesson.three_ways(order, other, n // 3, 10, 20)[2] for other in range(3) if other != seed]
    assert not set(test) & set(np.concatenate(others))


@quick
@given(seeds, st.integers(2, 12))
def test_tfidf_is_scikit_learn_s(seed, n):
    random = np.random.default_rng(seed)
    known, numbers = (random.integers(0, 40, (rows, lesson.LENGTH)).astype("int32") for rows in (n, 4))
    numbers[0] = 0  # a text without a known word
    model = TfidfTransformer().fit(lesson.word_counts(known))
    theirs = 5 * model.transform(lesson.word_counts(numbers)).toarray()
    np.testing.assert_allclose(lesson.tfidf(known, numbers), theirs, atol=1e-4)


def test_words_are_numbered_by_frequency_in_the_known_texts():
    texts = ["The cat. THE dog", "the cat unseen", "new the"]
    numbers = lesson.number_words(texts, [0, 1])
    assert numbers.shape == (3, lesson.LENGTH)
    np.testing.assert_array_equal(numbers[:, :4], [[2, 3, 2, 4], [2, 3, 5, 0], [1, 2, 0, 0]])


def test_a_tone_sounds_in_its_band():
    times = np.arange(7712) / 8000
    low, high = lesson.log_mel(np.sin(2 * np.pi * np.array([[200.0], [3000.0]]) * times).astype("float32"))
    assert low.shape == (19, 16)
    assert low.mean(axis=0).argmax() < 4 and high.mean(axis=0).argmax() > 11


def test_speakers_of_the_parts_are_apart():
    voices = np.array([f"en+{name}" for name in ("m1", "f2", "m3", "f5", "m7", "linda", "m8", "f4") for _ in range(3)])
    bundle = types.SimpleNamespace(groups=voices, y=np.arange(24))
    tests = []
    for seed in range(3):
        train, valid, test = (set(part[1]) for part in lesson.sequence_parts(bundle, np.arange(24.0), seed))
        assert not train & valid and not train & test and not valid & test and len(train | valid | test) == 24
        tests.append(test)
    assert not tests[0] & tests[1] and not tests[1] & tests[2] and not tests[0] & tests[2]


@quick
@given(seeds, st.sampled_from([(4, 30), (3, 10, 10), (2, 19, 16)]))
def test_a_shuffle_moves_places_and_loses_nothing(seed, shape):
    random = np.random.default_rng(seed)
    x, n = random.normal(size=shape), 100 if shape == (3, 10, 10) else shape[1]
    order = random.permutation(n)
    ((moved, y),) = lesson.shuffled([(x, "y")], order)
    ((back, _),) = lesson.shuffled([(moved, "y")], np.argsort(order))
    np.testing.assert_array_equal(back, x)
    assert y == "y" and (n == 1 or np.any(moved != x) or (order == np.arange(n)).all())
    if len(shape) == 3 and n == 19:
        np.testing.assert_array_equal(moved, x[:, order])


# ------------------------------------------------------------------------- noise and assumptions


@quick
@given(seeds, st.integers(20, 400))
def test_the_paired_difference_is_scipy_s(seed, n):
    a, b = np.random.default_rng(seed).integers(0, 2, (2, n))
    mean, margin = lesson.paired_difference(a, b)
    theirs = ttest_rel(a, b)
    assert mean == pytest.approx(np.mean(a) - np.mean(b))
    assert 2 * mean / margin == pytest.approx(theirs.statistic, rel=1e-6, abs=1e-9)


def test_two_standard_errors_cover_the_truth_about_as_often_as_promised():
    random, hits = np.random.default_rng(0), 0
    for _ in range(500):
        hard = random.random(300)
        a, b = ((hard + 0.3 * random.normal(size=300)) < level for level in (0.8, 0.7))
        mean, margin = lesson.paired_difference(a, b * 1.0)
        hits += abs(mean - 0.0792) <= margin  # the difference with ten million examples
    assert 0.92 <= hits / 500 <= 0.98


def test_the_best_is_not_behind_and_the_others_are():
    answers = np.array([[1, 1, 0, 0, 1], [1, 1, 1, 0, 1], [0, 0, 0, 0, 1]]) * 1.0
    behind, margins = lesson.against_best(answers)
    np.testing.assert_allclose(behind, [0.2, 0, 0.6])
    assert margins[1] == 0 and margins[0] > 0


@quick
@given(seeds, st.integers(2, 9), st.integers(1, 5))
def test_permuted_weights_undo_a_permutation_of_the_inputs(seed, d, units):
    random = np.random.default_rng(seed)
    x, W, order = random.normal(size=(4, d)), random.normal(size=(d, units)), random.permutation(d)
    np.testing.assert_allclose(x[:, order] @ lesson.permuted_weights(W, order), x @ W)


@few
@given(seeds)
def test_an_mlp_does_not_notice_a_shuffle_and_a_cnn_does(seed):
    random = np.random.default_rng(seed)
    x, order = draw(seed, 4, 12, 1), np.roll(random.permutation(12), 1)
    shapes = lesson.mlp_shapes((12, 1), 5, 3)
    weights = lesson.initial(shapes, 0)
    partner = [tf.constant(lesson.permuted_weights(weights[0].numpy(), order)), *weights[1:]]
    moved = tf.gather(x, order, axis=1)
    np.testing.assert_allclose(lesson.mlp(weights, x), lesson.mlp(partner, moved), atol=1e-5)
    filters = lesson.initial(lesson.cnn_shapes((12, 1), 5, 3), 0)
    if (order != np.arange(12)).any():
        assert np.abs(lesson.cnn(filters, x) - lesson.cnn(filters, moved)).max() > 1e-6


@few
@given(seeds)
def test_attention_follows_a_shuffle_of_whole_tokens_when_its_places_move_along(seed):
    x, order = draw(seed, 2, 6, 3), np.random.default_rng(seed).permutation(6)
    weights = lesson.initial(lesson.attention_shapes((6, 3), 4, 2), 0)
    moved = [*weights[:2], tf.gather(weights[2], order), *weights[3:]]
    ours = lesson.attention(moved, tf.gather(x, order, axis=1))
    np.testing.assert_allclose(lesson.attention(weights, x), ours, atol=1e-4)


def test_bent_columns_keep_the_order_of_their_values():
    ((x, y),) = lesson.bent([(np.array([[-2.0], [-0.5], [0.0], [3.0]]), "y")])
    assert (np.diff(x[:, 0]) > 0).all() and y == "y" and x[-1, 0] == 27


@pytest.mark.parametrize(
    "names, text", [([], "none"), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_in_a_sentence(names, text):
    assert lesson.listed(names) == text


# ------------------------------------------------------------------------------------ the figure


def test_a_heat_map_has_a_text_in_each_cell_and_readable_ink():
    figure = plots.heat.cells(np.array([[0.0, 1.0]]), [["low", "high"]], ["row"], ["a", "b"], "shade", bold=[[0, 1]])
    low, high = figure.axes[0].texts
    assert (low.get_text(), high.get_text()) == ("low", "high")
    assert low.get_color() == "#000000" and high.get_fontweight() == "bold" and low.get_fontweight() == "normal"
    assert len(figure.axes[0].patches) == 1
    display.close(figure)


def test_a_heat_map_of_one_value_is_drawn():
    figure = plots.heat.cells(np.ones((2, 1)), [["x"], ["y"]], "ab", "c", "shade")
    figure.canvas.draw()
    display.close(figure)


@pytest.mark.parametrize(
    "values, texts, message",
    [(np.ones((2, 2)), [["a", "b"]], "do not fit"), (np.array([[1.0, np.nan]]), [["a", "b"]], "finite")],
)
def test_a_heat_map_refuses_what_does_not_fit(values, texts, message):
    with pytest.raises(ValueError, match=message):
        plots.heat.cells(values, texts, ["row"], ["a", "b"], "shade")
