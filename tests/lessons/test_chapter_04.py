"""What chapter 4 teaches: its own functions, taken out of the notebook, against TensorFlow, SciPy and Keras."""

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from course_utils import session
from course_utils.plots import images

tf = session.quiet_tensorflow()

lesson = definitions("04_convolution_and_pooling")
quick = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 2**32 - 1)
precisions = st.sampled_from(["float32", "float64"])


def close(ours, theirs):
    """Within 1e-5 of the largest value, and of the same shape and kind."""
    theirs = np.asarray(theirs)
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    assert np.abs(ours - theirs).max() <= 1e-5 * max(np.abs(theirs).max(), 1e-30)


@st.composite
def layers(draw):
    """(x, k, stride, padding) that fit."""
    b, c, f, m, n, stride = (draw(st.integers(1, 4)) for _ in range(6))
    padding = draw(st.integers(0, 3))
    H, W = (draw(st.integers(max(1, side - 2 * padding), 9)) for side in (m, n))
    random = np.random.default_rng(draw(seeds))
    kind = draw(precisions)
    return random.normal(size=(b, H, W, c)).astype(kind), random.normal(size=(m, n, c, f)).astype(kind), stride, padding


@st.composite
def pools(draw):
    """(x, size, stride) that fit; half of the pictures are of small whole numbers, so that maxima are tied."""
    b, c, size, stride = (draw(st.integers(1, 4)) for _ in range(4))
    H, W = draw(st.integers(size, 9)), draw(st.integers(size, 9))
    random = np.random.default_rng(draw(seeds))
    tied = draw(st.booleans())
    x = random.integers(0, 3, (b, H, W, c)) if tied else random.normal(size=(b, H, W, c))
    return x.astype(draw(precisions)), size, stride


def theirs_conv(x, k, stride, padding):
    return tf.nn.conv2d(x, k, stride, [(0, 0), (padding, padding), (padding, padding), (0, 0)])


def tape(function, *inputs):
    """(gradients by TensorFlow, what came from above)."""
    variables = [tf.Variable(part) for part in inputs]
    with tf.GradientTape() as watcher:
        y = function(*variables)
        above = np.random.default_rng(y.shape.num_elements()).normal(size=y.shape).astype(inputs[0].dtype)
        loss = tf.reduce_sum(y * above)
    return watcher.gradient(loss, variables), above


# ---------------------------------------------------------------------------------- convolution


@quick
@given(seeds, st.integers(1, 4), st.integers(1, 4), st.integers(0, 4), st.integers(0, 4))
def test_correlate_is_scipys_and_not_its_convolution(seed, m, n, more, wider):
    random = np.random.default_rng(seed)
    x, k = random.normal(size=(m + more, n + wider)), random.normal(size=(m, n))
    np.testing.assert_allclose(lesson.correlate(x, k), signal.correlate2d(x, k, "valid"), atol=1e-10)
    np.testing.assert_allclose(lesson.correlate(x, k[::-1, ::-1]), signal.convolve2d(x, k, "valid"), atol=1e-10)
    if m * n > 1:
        assert not np.allclose(lesson.correlate(x, k), signal.convolve2d(x, k, "valid"))


@quick
@given(layers())
def test_conv2d_is_tensorflows(layer):
    close(lesson.conv2d(*layer), theirs_conv(*layer))


@settings(deadline=None, max_examples=25)
@given(layers())
def test_the_naive_form_is_tensorflows(layer):
    close(lesson.conv2d_naive(*layer), theirs_conv(*layer))


@quick
@given(layers())
def test_its_backward_pass_is_tensorflows(layer):
    x, k, stride, padding = layer
    gradients, above = tape(lambda x, k: theirs_conv(x, k, stride, padding), x, k)
    for ours, theirs in zip(lesson.conv2d_backward(x, k, above, stride, padding), gradients, strict=True):
        close(ours, theirs)


@quick
@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 4), st.integers(0, 3))
def test_output_size_is_the_number_of_places(size, kernel, stride, padding):
    if kernel <= size + 2 * padding:
        y = theirs_conv(np.zeros((1, size, size, 1)), np.zeros((kernel, kernel, 1, 1)), stride, padding)
        assert lesson.output_size(size, kernel, stride, padding) == y.shape[1]


@pytest.mark.parametrize("side", [5, 8])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_padding_by_half_a_kernel_is_same(side, kernel):
    x, k = np.random.default_rng(0).normal(size=(2, side, side, 3)), np.ones((kernel, kernel, 3, 2))
    close(lesson.conv2d(x, k, padding=kernel // 2), tf.nn.conv2d(x, k, 1, "SAME"))


@quick
@given(seeds, st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5))
def test_input_gradient_is_a_true_convolution(seed, m, n, rows, columns):
    random = np.random.default_rng(seed)
    k, above = random.normal(size=(m, n)), random.normal(size=(rows, columns))
    np.testing.assert_allclose(lesson.input_gradient(k, above), signal.convolve2d(above, k), atol=1e-10)
    x = np.zeros((1, rows + m - 1, columns + n - 1, 1))
    dx, _ = lesson.conv2d_backward(x, k[:, :, None, None], above[None, :, :, None])
    np.testing.assert_allclose(lesson.input_gradient(k, above), dx[0, :, :, 0], atol=1e-10)


def test_the_inputs_stay_as_they_are():
    x, k = np.ones((1, 4, 4, 2)), np.ones((2, 2, 2, 3))
    above = np.ones((1, 3, 3, 3))
    lesson.conv2d_backward(x, k, above)
    lesson.max_pool2d_backward(x, 2, 2, np.ones((1, 2, 2, 2)))
    assert (x == 1).all() and (k == 1).all() and (above == 1).all()


# -------------------------------------------------------------------------------------- pooling


@quick
@given(pools())
def test_poolings_are_tensorflows(pool):
    x, size, stride = pool
    close(lesson.max_pool2d(x, size, stride), tf.nn.max_pool2d(tf.constant(x), size, stride, "VALID"))
    close(lesson.average_pool2d(x, size, stride), tf.nn.avg_pool2d(tf.constant(x), size, stride, "VALID"))


@quick
@given(pools())
def test_their_backward_passes_are_tensorflows_ties_included(pool):
    x, size, stride = pool
    (theirs,), above = tape(lambda x: tf.nn.max_pool2d(x, size, stride, "VALID"), x)
    close(lesson.max_pool2d_backward(x, size, stride, above), theirs)
    (theirs,), above = tape(lambda x: tf.nn.avg_pool2d(x, size, stride, "VALID"), x)
    close(lesson.average_pool2d_backward(x, size, stride, above), theirs)


@quick
@given(seeds, st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_average_pool_is_the_case_of_windows_side_by_side(seed, rows, columns, size):
    x = np.random.default_rng(seed).normal(size=(rows * size, columns * size))
    theirs = lesson.average_pool2d(x[None, :, :, None], size, size)[0, :, :, 0]
    np.testing.assert_allclose(lesson.average_pool(x, size), theirs, atol=1e-12)


@quick
@given(seeds, st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_max_pool_is_the_case_of_windows_side_by_side(seed, rows, columns, size):
    x = np.random.default_rng(seed).normal(size=(rows * size, columns * size))
    theirs = lesson.max_pool2d(x[None, :, :, None], size, size)[0, :, :, 0]
    np.testing.assert_array_equal(lesson.max_pool(x, size), theirs)


@quick
@given(pools())
def test_average_pooling_is_a_convolution(pool):
    x, size, stride = pool
    kernel = np.full((size, size, 1, 1), 1 / size**2, x.dtype)
    one = x[..., :1]
    np.testing.assert_allclose(
        lesson.average_pool2d(one, size, stride), lesson.conv2d(one, kernel, stride), rtol=1e-4, atol=1e-5
    )


# ------------------------------------------------------------------------------------ bad shapes

X, K = np.zeros((2, 6, 7, 3)), np.zeros((3, 3, 3, 4))


@pytest.mark.parametrize(
    "arguments, says",
    [
        ((X, np.zeros((7, 3, 3, 4))), r"window \(7, 3\) is larger than x \(2, 6, 7, 3\) with padding 0"),
        ((X, np.zeros((3, 10, 3, 4)), 1, 1), r"window \(3, 10\) is larger than x \(2, 6, 7, 3\) with padding 1"),
        ((X, K, 0), r"stride must be .* at least 1, not 0: x \(2, 6, 7, 3\), window \(3, 3\)"),
        ((X, K, -2), r"stride must be .* not -2"),
        ((X, K, 1.5), r"stride must be a whole number"),
        ((X, K, 1, -1), r"padding must be .* at least 0, not -1: x \(2, 6, 7, 3\), window \(3, 3\)"),
        ((X, np.zeros((3, 3, 2, 4))), r"\(3, 3, 2, 4\) do not fit x \(2, 6, 7, 3\): k needs \(height, width, 3, fil"),
        ((X, np.zeros((3, 3, 3))), r"\(3, 3, 3\) do not fit x \(2, 6, 7, 3\)"),
        ((X, np.zeros((0, 3, 3, 4))), r"window must be .* at least 1, not 0"),
        ((X[0], K), r"x needs the shape \(batch, height, width, channels\), not \(6, 7, 3\)"),
    ],
)
def test_what_does_not_fit_says_so_and_names_the_shapes(arguments, says):
    with pytest.raises(ValueError, match=says):
        lesson.conv2d(*arguments)


@pytest.mark.parametrize("pool", [lesson.max_pool2d, lesson.average_pool2d])
def test_pooling_refuses_too(pool):
    with pytest.raises(ValueError, match=r"window \(7, 7\) is larger than x \(2, 6, 7, 3\)"):
        pool(X, 7, 1)
    with pytest.raises(ValueError, match="stride must be"):
        pool(X, 2, 0)
    with pytest.raises(ValueError, match="window must be"):
        pool(X, 0, 1)


# ------------------------------------------------------------------------- counting and looking


def test_costs_are_those_of_keras():
    import keras

    for H, W, C, F in [(8, 8, 1, 16), (5, 4, 3, 2)]:
        conv = keras.Sequential([keras.Input((H, W, C)), keras.layers.Conv2D(F, 3, padding="same")])
        flat = keras.Sequential([keras.Input((H * W * C,)), keras.layers.Dense(H * W * F)])
        weights, weights_dense, products, products_dense = lesson.costs(H, W, C, F)
        assert (weights, weights_dense) == (conv.count_params(), flat.count_params())
        assert products == H * W * conv.layers[0].kernel.shape.num_elements()
        assert products_dense == flat.layers[0].kernel.shape.num_elements()


@quick
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3)), min_size=1, max_size=4))
def test_the_receptive_field_is_what_the_gradient_reaches(stack):
    field = lesson.receptive_field(stack)
    last = 1
    for kernel, stride in stack[::-1]:  # a picture just large enough for one output
        last = (last - 1) * stride + kernel
    seen = lesson.seen_by_one(stack, last)
    reached = np.flatnonzero(seen.any(axis=0))
    assert reached[-1] - reached[0] + 1 == field == last


def test_moving_pictures():
    x = np.arange(18.0).reshape(1, 3, 6, 1)
    np.testing.assert_array_equal(lesson.moved_by(x, 1, 0)[0, 1:], x[0, :-1])
    np.testing.assert_array_equal(lesson.moved_by(x, 0, 2)[:, :, 2:], x[:, :, :-2])


# ---------------------------------------------------------------------------------- the network


def test_the_network_run_by_hand_is_keras():
    model = lesson.digit_cnn(8)
    random = np.random.default_rng(0)
    # Positive numbers, because batch normalisation takes the root of one of its weights.
    model.set_weights([random.uniform(0.1, 0.9, part.shape).astype("float32") for part in model.get_weights()])
    for layer in model.layers:
        if "conv" in layer.name:
            layer.set_weights([random.normal(0, 0.3, part.shape).astype("float32") for part in layer.get_weights()])
    x = random.random((20, 8, 8, 1)).astype("float32")
    logits, maps = lesson.own_forward(lesson.folded(model), x)
    assert lesson.apart(logits, model(x).numpy()) < 1e-5
    assert [part.shape for part in maps] == [(20, 8, 8, 16), (20, 8, 8, 16), (20, 4, 4, 32)]


def test_the_networks_are_of_about_equal_size():
    assert lesson.size(lesson.digit_cnn(8)) == pytest.approx(lesson.size(lesson.digit_dense(8, 111)), rel=0.01)
    reading = lesson.digit_cnn(14, (16, 24, 24), pools=(0,), whole=True)
    assert lesson.size(reading) == pytest.approx(lesson.size(lesson.digit_dense(14, 43)), rel=0.05)
    shifted = [lesson.digit_cnn(14), lesson.digit_cnn(14, pools=(), whole=True), lesson.digit_dense(14, 43)]
    sizes = [lesson.size(model) for model in [*shifted, lesson.digit_cnn(14, (16, 16, 3), pools=())]]
    assert max(sizes) < 1.5 * min(sizes)


@pytest.mark.parametrize(
    "pools, whole, shape", [((1, 2), False, 3 * 3 * 32), ((), False, 14 * 14 * 32), ((), True, 32), ((0,), True, 32)]
)
def test_what_the_last_layer_reads(pools, whole, shape):
    assert lesson.digit_cnn(14, pools=pools, whole=whole).layers[-1].kernel.shape == (shape, 10)


def test_pooling_over_the_whole_picture_forgets_the_place():
    model = lesson.digit_cnn(14, pools=(), whole=True)
    x = np.zeros((3, 14, 14, 1), "float32")
    x[:, 5:8, 5:8] = np.random.default_rng(0).random((3, 3, 3, 1))
    moved = lesson.moved_by(x, 1, -1)
    assert lesson.apart(model(moved).numpy(), model(x).numpy()) < 1e-5
    flat = lesson.digit_cnn(14, (16, 16, 3), pools=())
    assert lesson.apart(flat(moved).numpy(), flat(x).numpy()) > 1e-3


def test_training_learns_and_a_seed_repeats_it():
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, 64)
    x = random.normal(0, 0.1, (64, 8, 8, 1)).astype("float32")
    x[np.arange(64), labels % 8, labels // 8 + 3] += 3
    model, weights = lesson.digit_dense(8, 32), []
    for seed in (1, 1, 2):  # each time it starts again, its optimizer too
        history = lesson.train(model, x, labels, 40, seed)
        assert len(history["accuracy"]) == 40 and np.mean(lesson.answers(model, x) == labels) > 0.9
        weights.append(model.get_weights()[0])
    assert np.allclose(weights[0], weights[1], atol=1e-4) and not np.allclose(weights[0], weights[2], atol=1e-2)


def test_another_number_of_passes_gets_its_own_falling_rate():
    random = np.random.default_rng(0)
    x, labels = random.random((64, 8, 8, 1)).astype("float32"), random.integers(0, 10, 64)
    model = lesson.digit_dense(8, 8)
    for epochs in (1, 3):
        lesson.train(model, x, labels, epochs)
        assert model.optimizer.get_config()["learning_rate"]["config"]["decay_steps"] == 3 * epochs


def test_only_with_residual_connections_a_gradient_arrives_below():
    assert lesson.way_back(20, residual=False) < 0.02 and lesson.way_back(20, residual=True) > 1


# -------------------------------------------------------------------------------------- figures


def test_grids_of_pictures(tmp_path):
    fig = images.grid([np.eye(3), np.eye(3) - 1, np.zeros((3, 3, 3))], ["a", "b", "c"], 2, signed=True, numbers=".0f")
    fig.savefig(tmp_path / "figure.png")
    assert [ax.get_title(loc="center") for ax in fig.axes] == ["a", "b", "c", ""]
    texts = [text.get_text() for text in fig.axes[1].texts]
    assert texts == ["0", "-1", "-1", "-1", "0", "-1", "-1", "-1", "0"]
    shown = fig.axes[1].images[0]
    assert shown.norm.vmin == -shown.norm.vmax, "white must be zero"


@pytest.mark.parametrize(
    "pictures, titles, says",
    [
        ([], (), "no picture"),
        ([np.zeros(3)], (), r"not \(3,\)"),
        ([np.zeros((3, 3, 2))], (), r"not \(3, 3, 2\)"),
        ([np.zeros((3, 3))], ("a", "b"), "as many titles, not 2"),
    ],
)
def test_grids_refuse(pictures, titles, says):
    with pytest.raises(ValueError, match=says):
        images.grid(pictures, titles)
