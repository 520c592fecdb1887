"""What chapter 12 teaches: its own functions, taken out of the notebook, against TensorFlow and counting by hand."""

import functools
import math

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course_utils import data, display, session, training

tf = session.quiet_tensorflow()

import keras  # noqa: E402  (only after TensorFlow has been loaded quietly)

lesson = definitions("12_smaller_and_faster")
quick = settings(deadline=None, max_examples=60)
few = settings(deadline=None, max_examples=15)
seeds = st.integers(0, 2**32 - 1)
shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)


# -------------------------------------------------------------------------------- quantisation


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(["float64", "float32", "float16", "int32", "uint8"]).flatmap(
    lambda kind: arrays.arrays(kind, shapes)
))  # fmt: skip
def test_any_tensor_is_within_half_a_step_or_refused_in_words(x):
    """Random tensors: empty, constant, huge, with NaN and infinity, of every kind of number."""
    try:
        q, scale, zero = lesson.quantise(x)
    except ValueError as error:
        assert "quantise() needs" in str(error) or "NaN or infinite" in str(error) or "rescale x" in str(error)
        x = x.astype("float64")
        most = np.abs(x).max() if x.size else 0.0
        assert x.size == 0 or not np.isfinite(x).all() or not 1e-300 < most < 1e300
        return
    assert q.dtype == np.int8 and q.shape == x.shape and scale > 0 and -128 <= zero <= 127 and zero == int(zero)
    back = lesson.dequantise(q, scale, zero)
    x = x.astype("float64")
    assert back.shape == x.shape
    assert np.abs(back - x).max() <= scale / 2 * (1 + 1e-9)
    assert (back[x == 0] == 0).all(), "zero must be stored exactly"
    assert scale <= (max(x.max(), 0) - min(x.min(), 0)) / 255 * (1 + 1e-9) or not x.any(), "no step wider than needed"


@pytest.mark.parametrize("value", [0.0, 0.1, -7.0, 1e299, -1e299, 1e-299, 1.0])
@pytest.mark.parametrize("shape", [(), (1,), (3, 2), (2, 1, 4)])
def test_constant_tensors(value, shape):
    q, scale, zero = lesson.quantise(np.full(shape, value))
    np.testing.assert_allclose(lesson.dequantise(q, scale, zero), value, rtol=1e-12)


@pytest.mark.parametrize(
    "wrong, says",
    [
        (np.array([]), "at least one real number"),
        (np.zeros((3, 0)), r"shape \(3, 0\)"),
        ([1.0, math.nan, math.nan], "2 of 3 values"),
        ([math.inf], "NaN or infinite"),
        ([-math.inf, 1.0], "1 of 2 values"),
        ([1e301], "rescale x"),
        ([1e-305, 0.0], "rescale x"),
        (["a"], "at least one real number"),
        ([1j], "complex"),
    ],
)
def test_what_cannot_be_quantised_is_named(wrong, says):
    with pytest.raises(ValueError, match=says):
        lesson.quantise(wrong)


@quick
@given(seeds, st.floats(-5, 5), st.floats(0.01, 100))
def test_quantisation_is_tensorflows(seed, centre, spread):
    x = np.random.default_rng(seed).normal(centre, spread, 300).astype("float32")
    q, scale, zero = lesson.quantise(x)
    low, high = min(x.min(), 0), max(x.max(), 0)
    theirs = tf.quantization.fake_quant_with_min_max_vars(x, low, high, num_bits=8).numpy()
    away = np.abs((-128 - low / scale) % 1 - 0.5) > 1e-3  # a tie of the zero point moves the whole grid
    clear = (np.abs(np.abs(x / scale % 1) - 0.5) > 0.01) & away
    np.testing.assert_allclose(lesson.dequantise(q, scale, zero)[clear], theirs[clear], atol=scale / 50)


@quick
@given(seeds, st.integers(1, 60), st.integers(1, 5))
def test_whole_numbers_give_the_product_of_the_grid(seed, n, units):
    random = np.random.default_rng(seed)
    x, w = random.normal(size=n), random.normal(size=(n, units))
    (q, s_x, z_x), (k, s_w) = lesson.quantise(x), lesson.symmetric(w, axis=0)
    whole = s_x * s_w[0] * ((q.astype(int) - z_x) @ k.astype(int))
    np.testing.assert_allclose(whole, lesson.dequantise(q, s_x, z_x) @ (k * s_w), rtol=1e-9, atol=1e-9)
    bound = n * (s_x / 2 * np.abs(w).max() + s_w.max() / 2 * (np.abs(x).max() + s_x / 2))
    assert np.abs(whole - x @ w).max() <= bound


@quick
@given(seeds, st.integers(2, 8), st.booleans())
def test_rounded_weights_lie_on_their_grid(seed, bits, each_unit):
    w = np.random.default_rng(seed).normal(size=(3, 2, 5)).astype("float32")
    w[..., 3] = 0
    ours = lesson.rounded(w, bits, each_unit)
    most = 2 ** (bits - 1) - 1
    peak = np.abs(w).max(axis=(0, 1)) if each_unit else np.full(5, np.abs(w).max())
    scale = np.where(peak > 0, peak, 1) / most
    steps = ours / scale
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    assert np.abs(steps).max() <= most + 1e-3
    assert (np.abs(ours - w) <= scale / 2 * (1 + 1e-4)).all() and (ours[..., 3] == 0).all()


# -------------------------------------------------------------------------------------- LiteRT


@pytest.fixture(scope="module")
def small_network():
    keras.utils.set_random_seed(0)
    return lesson.dense_network(300, 16, 3)


@pytest.mark.parametrize("kind, apart", [("float32", 1e-4), ("int8 weights", 0.05), ("int8", 0.15)])
def test_a_converted_network_gives_the_same_logits(small_network, kind, apart, capfd):
    x = np.random.default_rng(0).random((20, 300)).astype("float32")
    file = lesson.convert(small_network, kind, x)
    lite = lesson.LiteModel(file)
    theirs = small_network(x).numpy()
    ours = np.concatenate([lite(x[i : i + 1]) for i in range(20)])
    assert np.abs(ours - theirs).max() <= apart * np.abs(theirs).max()
    assert capfd.readouterr() == ("", ""), "the converter must not be heard"
    if kind != "float32":
        assert len(file) < 0.6 * len(lesson.convert(small_network, "float32"))


# ------------------------------------------------------------------------- pruning, distillation


@quick
@given(seeds, arrays.array_shapes(min_dims=1, max_dims=3, max_side=7), st.floats(0, 1))
def test_the_mask_removes_the_share_and_the_smallest(seed, shape, sparsity):
    w = np.random.default_rng(seed).normal(size=shape).round(1)
    mask = lesson.magnitude_mask(w, sparsity)
    assert mask.shape == w.shape and set(np.unique(mask)) <= {0, 1}
    assert np.sum(mask == 0) == round(sparsity * w.size)
    if 0 < mask.sum() < w.size:
        assert np.abs(w[mask == 0]).max() <= np.abs(w[mask == 1]).min()


@quick
@given(seeds, st.integers(1, 7), st.integers(2, 5), st.floats(0.5, 10), st.floats(0.1, 300))
def test_the_distillation_loss_is_tensorflows_and_so_is_the_trainers(seed, n, classes, temperature, spread):
    student, teacher = np.random.default_rng(seed).normal(0, spread, (2, n, classes))
    soft = tf.nn.softmax(teacher / temperature)
    theirs = temperature**2 * tf.reduce_mean(
        tf.nn.softmax_cross_entropy_with_logits(soft, tf.constant(student / temperature))
    )
    np.testing.assert_allclose(lesson.distillation_loss(student, teacher, temperature), theirs, rtol=1e-6, atol=1e-9)


def test_its_gradient_hardly_depends_on_a_high_temperature():
    """The reason for T²: for high temperatures the gradient tends to the difference of the centred logits."""
    student, teacher = np.random.default_rng(0).normal(size=(2, 4, 3))
    z = tf.Variable(student)
    for temperature in (50.0, 500.0):
        with tf.GradientTape() as tape:
            soft = tf.nn.softmax(teacher / temperature)
            losses = tf.nn.softmax_cross_entropy_with_logits(soft, z / temperature)
            loss = temperature**2 * tf.reduce_mean(losses)
        centred = [a - a.mean(axis=1, keepdims=True) for a in (student, teacher)]
        np.testing.assert_allclose(tape.gradient(loss, z), (centred[0] - centred[1]) / (4 * 3), rtol=0.2, atol=0.01)


# ----------------------------------------------------------------------------------- training


def toy():
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 6)).astype("float32")
    return x, lesson.one_hot((x[:, 0] + x[:, 1] > 0).astype(int), 2)


def test_a_step_is_that_of_keras():
    x, targets = toy()
    trainer = lesson.Trainer(functools.partial(lesson.dense_network, 6, 8, 2, 0.0), rate=0.01)
    trainer.restart(3)
    theirs = lesson.dense_network(6, 8, 2, 0.0)
    theirs.set_weights(trainer.model.get_weights())
    theirs.compile(keras.optimizers.Adam(0.01), keras.losses.CategoricalCrossentropy(from_logits=True))
    for i in (0, 32):
        theirs.train_on_batch(x[i : i + 32], targets[i : i + 32])
        trainer.step(x[i : i + 32], targets[i : i + 32], tf.constant(1.0))
    for ours, other in zip(trainer.model.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(ours, other, atol=1e-5)


def test_a_restart_forgets_everything_and_repeats():
    x, targets = toy()
    trainer = lesson.Trainer(functools.partial(lesson.dense_network, 6, 8, 2, 0.0), rate=0.01)
    runs = []
    for _ in range(2):
        trainer.restart(5)
        runs.append([w.copy() for w in trainer.fit(x, targets, 3, 16, 5).get_weights()])
    for one, other in zip(*runs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    trainer.restart(5, runs[0])
    np.testing.assert_array_equal(trainer.model.get_weights()[0], runs[0][0])
    assert int(trainer.optimizer.iterations.numpy()) == 0


def test_sparse_rows_train_like_dense_ones():
    import scipy.sparse

    x, targets = toy()
    trainer = lesson.Trainer(functools.partial(lesson.dense_network, 6, 8, 2, 0.0), rate=0.01)
    found = []
    for rows in (x, scipy.sparse.csr_matrix(x)):
        trainer.restart(1)
        found.append(trainer.fit(rows, targets, 10, 16, 1).get_weights()[0].copy())
    np.testing.assert_allclose(*found, atol=1e-5)
    assert lesson.accuracy(trainer.model, x, targets.argmax(axis=1)) > 0.8


def test_pruned_weights_stay_zero_in_training():
    x, targets = toy()
    trainer = lesson.Trainer(functools.partial(lesson.dense_network, 6, 8, 2, 0.0), rate=0.01)
    trainer.restart(0)
    start = trainer.model.get_weights()
    mask = lesson.magnitude_mask(start[0], 0.5).astype("float32")
    after = lesson.fine_tuned(trainer, [start[0] * mask, *start[1:]], mask, x, targets, 0)
    assert (after[0][mask == 0] == 0).all() and (after[0][mask == 1] != start[0][mask == 1]).any()


# --------------------------------------------------------------------- separable convolution, cells


@few
@given(seeds, st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
def test_separable_convolution_is_keras_and_so_are_the_counts(seed, m, n, c, f):
    x = np.random.default_rng(seed).normal(size=(2, 5, 6, c)).astype("float32")
    layer = keras.layers.SeparableConv2D(f, (m, n), use_bias=False)
    theirs = layer(x).numpy()
    k, r = layer.get_weights()
    np.testing.assert_allclose(lesson.pointwise(lesson.depthwise(x, k[..., 0]), r[0, 0]), theirs, rtol=1e-4, atol=1e-5)
    weights, products = lesson.separable_cost(m, n, c, f, theirs.shape[1] * theirs.shape[2])
    assert weights == layer.count_params() and products == weights * (6 - m) * (7 - n)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
@pytest.mark.parametrize("inputs, units", [(1, 1), (8, 32), (5, 3)])
def test_cells_have_as_many_weights_as_the_formula_says(kind, inputs, units):
    cell = getattr(keras.layers, kind)(units)
    cell.build((None, 4, inputs))
    assert cell.count_params() == lesson.cell_weights(kind, inputs, units)


# ------------------------------------------------------------------------------ measuring, choosing


def test_latency_is_that_of_the_calls():
    import time

    slow = set(range(60, 70))
    count = iter(range(1000))

    def call(x):
        assert x.shape == (1, 3)
        if next(count) in slow:
            time.sleep(0.005)

    median, high = lesson.latency(call, np.zeros((20, 3)), 100)
    assert median < 2000 and high >= 4000, "ten slow calls in a hundred move the 95th percentile only"


def test_accuracy_one_by_one():
    x = np.eye(4)[[0, 1, 2, 3, 0]]
    assert lesson.judged(lambda row: row, x, [0, 1, 2, 3, 1]) == pytest.approx(0.8)


@quick
@given(arrays.arrays("int64", st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.integers(0, 4)))
def test_the_front_is_what_nothing_beats(costs):
    kept = lesson.pareto(costs.astype(float))
    assert kept.any()
    for i, row in enumerate(costs):
        beaten = any((other <= row).all() and (other < row).any() for other in costs)
        assert kept[i] == (not beaten)


@quick
@given(seeds, st.integers(1, 3), st.integers(0, 3))
def test_batches_are_the_rows_in_order(seed, size, rest):
    import scipy.sparse

    rows = scipy.sparse.random(3 * size + rest % size, 4, 0.5, random_state=np.random.default_rng(seed)).tocsr()
    found = list(lesson.batches(rows, np.arange(rows.shape[0]), size))
    assert len(found) == 3 and all(x.shape == (size, 4) for x, _ in found)
    np.testing.assert_allclose(np.vstack([x for x, _ in found]), rows[: 3 * size].toarray())


def test_words_on_a_gain():
    assert lesson.word_on(training.Repeats(np.array([0.1, 0.11, 0.12]))) == "more than chance"
    assert lesson.word_on(training.Repeats(-np.array([0.1, 0.11, 0.12]))) == "a loss beyond chance"
    assert lesson.word_on(training.Repeats(np.array([0.1, -0.11, 0.02]))) == "within chance"
    assert "one seed" in lesson.word_on(training.Repeats(np.array([0.1])))


# ------------------------------------------------------------------------------- what it leans on


def test_one_core_is_given_back():
    import os

    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system cannot keep a process on one core")
    before = os.sched_getaffinity(0)
    with pytest.raises(RuntimeError), training.one_core():
        assert len(os.sched_getaffinity(0)) == 1
        raise RuntimeError
    assert os.sched_getaffinity(0) == before


def test_quietly_holds_back_what_a_library_says(capfd):
    import os
    import warnings

    with session.quietly():
        print("loud")
        warnings.warn("louder", stacklevel=1)
        os.write(2, b"loudest\n")
    assert capfd.readouterr() == ("", "")
    with pytest.raises(KeyError), session.quietly():
        os.write(2, b"the reason\n")
        raise KeyError
    assert "the reason" in capfd.readouterr().err


def test_neighbours_are_other_classes_of_the_same_kind(monkeypatch, capsys):
    from course_utils.data import docstrings, newsgroups

    seen = []
    small = data.Bundle("docstrings", "embedded text: 2", ["a", "b"], np.array([0, 1]), ("scikit-learn", "SciPy"))
    monkeypatch.setattr(docstrings, "docstrings", lambda packages: seen.append(packages) or small)
    monkeypatch.setattr(newsgroups, "newsgroups", lambda names: seen.append(names) or small)
    data.neighbours(small, 3)
    assert list(seen[-1]) == list(docstrings.OTHERS)[:3] and not set(seen[-1]) & set(docstrings.PACKAGES)
    posts = data.Bundle("newsgroups", "posts", ["a", "b"], np.array([0, 1]), newsgroups.DEFAULT)
    data.neighbours(posts)
    assert len(seen[-1]) == 18 and not set(seen[-1]) & set(newsgroups.DEFAULT)
    assert "embedded text" in capsys.readouterr().out
    everything = data.Bundle("newsgroups", "posts", ["a", "b"], np.array([0, 1]), newsgroups.NAMES)
    with pytest.raises(ValueError, match="name fewer CATEGORIES"):
        data.neighbours(everything)


def test_docstrings_of_other_packages_do_not_name_themselves(capsys):
    from course_utils.data import docstrings

    bundle = docstrings.docstrings({"Jinja": "jinja2", "joblib": "joblib"})
    assert bundle.classes == ("Jinja", "joblib") and set(bundle.y) == {0, 1}
    assert not any("jinja" in text.lower() or "joblib" in text.lower() for text in bundle.x_clean)


def test_the_tradeoff_figure_marks_the_front():
    from course_utils.plots import style, tradeoffs

    rows = [(1, "large", 100.0, (0.9, 0.8, 0.95), True), (2, "beaten", 200.0, (0.85, 0.8, 0.9), False)]
    fig = tradeoffs.pareto({"text": rows, "digits": rows[:1]}, "size (kB)", "accuracy", "title")
    panels = [ax for ax in fig.axes if ax.get_title("left")]
    assert [ax.get_title("left") for ax in panels] == ["text", "digits"] and panels[0].get_xscale() == "log"
    dots = [line for line in panels[0].lines if line.get_marker() == "o"]
    assert [dot.get_markerfacecolor() for dot in dots] == [style.BLUE, "white"]
    texts = [text.get_text() for ax in fig.axes for text in ax.texts]
    assert "1  large" in texts and "2  beaten" in texts
    display.close(fig)
