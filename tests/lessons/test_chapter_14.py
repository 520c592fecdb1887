"""What notebook 14 teaches, taken out of it: the law, the counting, rounding, the exchange; and its transformer."""

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import session

tf = session.quiet_tensorflow()

from course_utils.lessons import transformer  # noqa: E402  (TensorFlow is loaded quietly first)

lesson = definitions("14_scaling_up")
language = definitions("13_language_model")

few = settings(max_examples=12, deadline=None)
seeds = st.integers(0, 10_000)


def small_model(seed, width=16, layers=2, vocabulary=11):
    counts = np.random.default_rng(seed).integers(0, 50, vocabulary)
    weights = transformer.start_weights(counts, width, layers, seed)
    random = np.random.default_rng(seed + 1)
    return {name: value + random.normal(0, 0.1, value.shape).astype("float32") for name, value in weights.items()}


# --------------------------------------------------------------------------------- the transformer


@given(seed=seeds, width=st.sampled_from([8, 16, 24]), heads=st.sampled_from([1, 2, 4]), length=st.integers(1, 9))
@few
def test_the_transformer_is_that_of_chapter_13(seed, width, heads, length):
    weights = small_model(seed, width)
    ids = np.random.default_rng(seed).integers(0, 11, (3, length + 1))
    theirs = language.model(weights, tf.constant(ids), language.position_bias(length + 1, heads))
    np.testing.assert_allclose(transformer.logits(weights, ids, heads), theirs, atol=2e-4)
    nats = language.surprise(theirs[:, :-1], ids[:, 1:]) * np.log(2)
    np.testing.assert_allclose(transformer.loss(weights, ids, heads), nats, rtol=1e-4)


@given(seed=seeds)
@few
def test_it_starts_like_chapter_13(seed):
    counts = np.random.default_rng(seed).integers(0, 50, 11)
    ours, theirs = transformer.start_weights(counts, 16, 2, seed), language.initial_weights(counts, 16, 2, seed)
    assert {name: value.shape for name, value in ours.items()} == {n: v.shape for n, v in theirs.items()}
    for name, value in ours.items():
        assert value.dtype == np.float32
        np.testing.assert_allclose(value, theirs[name], rtol=1e-6)


def test_no_place_sees_a_later_one():
    weights, ids = small_model(0), np.arange(10)[None] % 11
    changed = ids.copy()
    changed[0, 6] = 9
    before, after = (transformer.logits(weights, each, 2).numpy()[0] for each in (ids, changed))
    np.testing.assert_array_equal(before[:6], after[:6])
    assert (np.abs(before - after).max(axis=1)[6:] > 1e-6).all()


def test_recomputation_changes_neither_loss_nor_gradient():
    weights = {name: tf.Variable(value) for name, value in small_model(1).items()}
    ids, found = tf.constant(np.arange(24).reshape(2, 12) % 11), []
    for recompute in (False, True):
        with tf.GradientTape() as tape:
            loss = transformer.loss(weights, ids, 2, recompute=recompute)
        gradients = tape.gradient(loss, list(weights.values()))
        found.append([loss.numpy(), *(tf.convert_to_tensor(g).numpy() for g in gradients)])
    for plain, again in zip(*found, strict=True):
        np.testing.assert_allclose(plain, again, atol=1e-6)


def test_bfloat16_is_near_and_not_equal():
    weights, ids = small_model(2), np.arange(24).reshape(2, 12) % 11
    full, half = (float(transformer.loss(weights, ids, 2, compute=kind)) for kind in ("float32", "bfloat16"))
    assert 0 < abs(half / full - 1) < 0.02


def test_heads_must_fit():
    with pytest.raises(ValueError, match="width of 16 cannot be split among 3 heads"):
        transformer.logits(small_model(0), np.zeros((1, 4), int), 3)


# ------------------------------------------------------------------------------------ the lesson


@given(seed=seeds, vocabulary=st.integers(2, 40), length=st.integers(2, 9), width=st.sampled_from([8, 16]))
@few
def test_flops_of_the_graph_are_those_of_the_formula(seed, vocabulary, length, width):
    weights = {n: tf.Variable(v) for n, v in small_model(seed, width, 2, vocabulary).items()}
    ids = np.random.default_rng(seed).integers(0, vocabulary, (3, length + 1))
    forward, everything = lesson.traced(weights, ids, lambda W, x: transformer.loss(W, x, 2))
    expected = 3 * length * lesson.forward_flops(vocabulary, length, width, 2)
    assert lesson.graph_flops(forward) == expected
    assert lesson.graph_flops(everything) == 3 * expected


def test_kept_bytes_of_a_small_graph_counted_by_hand():
    w = {"a": tf.Variable(np.ones((5, 7), "float32")), "b": tf.Variable(np.ones((7, 2), "float32"))}

    def loss(weights, x):
        return tf.reduce_sum(tf.nn.relu(tf.cast(x, tf.float32) @ weights["a"]) @ weights["b"])

    forward, everything = lesson.traced(w, np.ones((3, 5), np.int32), loss)
    cast, relu = 3 * 5 * 4, 3 * 7 * 4  # the input, for a's gradient; the output of ReLU, for b's and for its own
    assert cast + relu <= lesson.kept_bytes(forward, everything) <= cast + 2 * relu + 64


def test_recomputation_keeps_less_and_computes_more():
    weights = {n: tf.Variable(v) for n, v in small_model(0, 16, 4).items()}
    ids = np.zeros((4, 13), np.int32)
    plain = lesson.traced(weights, ids, lambda W, x: transformer.loss(W, x, 2))
    lean = lesson.traced(weights, ids, lambda W, x: transformer.loss(W, x, 2, recompute=True))
    assert lesson.kept_bytes(*lean) < 0.6 * lesson.kept_bytes(*plain)
    assert 1.1 < lesson.graph_flops(lean[1]) / lesson.graph_flops(plain[1]) < 1.4


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_bfloat16_from_scratch(values):
    x = np.array(values, np.float32)
    np.testing.assert_array_equal(lesson.to_bfloat16(x), tf.cast(tf.cast(x, tf.bfloat16), tf.float32))


@given(
    constants=st.tuples(st.floats(-1, 0.5), st.floats(2, 6), st.floats(0.2, 0.6), st.floats(3, 7), st.floats(0.2, 0.6)),
)
@settings(max_examples=8, deadline=None)
def test_the_law_finds_what_made_its_losses(constants):
    N, D = (part.ravel() for part in np.meshgrid([8e3, 2e4, 5e4, 1e5], [1e5, 2e5, 4e5]))
    losses = lesson.law(constants, N, D)
    found = lesson.fit_law(N, D, losses)
    np.testing.assert_allclose(lesson.law(found, N, D), losses, rtol=0.01)
    np.testing.assert_allclose(lesson.law(found, 2e5, 8e5), lesson.law(constants, 2e5, 8e5), rtol=0.03)


def test_ids_of_characters():
    assert lesson.encode("A\n ~é").tolist() == [34, 0, 1, 95, 32]
    assert lesson.encode("").size == 0 and lesson.encode("日").tolist() == [32]


def test_stream_reads_each_record_once_in_another_order(tmp_path):
    rows = np.arange(60).reshape(20, 3) % 96
    files = [tmp_path / "a.bin", tmp_path / "b.bin"]
    for file, part in zip(files, np.split(rows.astype(np.uint8), 2), strict=True):
        file.write_bytes(part.tobytes())
    read = np.concatenate(list(lesson.stream(files, 3, 4, 100, 0).as_numpy_iterator()))
    assert sorted(map(tuple, read)) == sorted(map(tuple, rows)) and (read != rows).any()
