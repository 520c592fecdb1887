"""What chapter 10 teaches: its own functions, taken out of the notebook, against TensorFlow, Keras and scikit-learn."""

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats
from sklearn.linear_model import Lasso, Ridge

from course_utils import display, session

tf = session.quiet_tensorflow()
import keras  # noqa: E402

lesson = definitions("10_overfitting")
quick = settings(deadline=None, max_examples=30)
few = settings(deadline=None, max_examples=10)
seeds = st.integers(0, 2**32 - 1)


# ---------------------------------------------------------------------------------- polynomials


@quick
@given(seeds, st.integers(0, 8), st.sampled_from([0.0, 0.001, 0.3]))
def test_the_polynomial_is_numpys_and_its_penalty_scikit_learns(seed, degree, l2):
    x, y = lesson.draw_points(25, np.random.default_rng(seed))
    w = lesson.fit_polynomial(x, y, degree, l2)
    if l2:
        table = np.polynomial.legendre.legvander(x, degree)
        theirs = Ridge(alpha=25 * l2, fit_intercept=False).fit(table, y).coef_
    else:
        theirs = np.polynomial.Legendre.fit(x, y, degree, domain=[-1, 1]).coef
    np.testing.assert_allclose(w, theirs, atol=1e-7)


@pytest.mark.parametrize("degree, l2", [(-1, 0.0), (3, -0.1)])
def test_a_negative_degree_or_penalty_is_refused(degree, l2):
    with pytest.raises(ValueError, match="must not be negative"):
        lesson.fit_polynomial(np.zeros(3), np.zeros(3), degree, l2)


def test_the_points_lie_around_the_wave():
    x, y = lesson.draw_points(4000, np.random.default_rng(0))
    assert (x[0], x[-1]) == (-1, 1)
    assert np.std(y - lesson.wave(x)) == pytest.approx(0.3, rel=0.05)


def test_the_error_on_the_points_falls_and_on_new_ones_turns():
    on_points, on_new = np.array([lesson.median_errors(20, degree, 25) for degree in range(16)]).T
    assert (np.diff(on_points) < 0.02).all() and on_points[-1] < 0.2
    assert 3 <= np.argmin(on_new) <= 8 and on_new[-1] > 1.5 * on_new.min() and on_new[0] > 1.5 * on_new.min()


def test_one_fit_is_described():
    (title, x, y, curve), (inside, outside) = lesson.try_fit(20, 15, 0.0, 1)
    assert "degree 15" in title and len(x) == len(y) == 20 and inside < outside
    assert inside == pytest.approx(np.sqrt(np.mean((curve(x) - y) ** 2)))


# ----------------------------------------------------------------------------------- the network


def problem(seed, n=12, many=2, d=64):
    random = np.random.default_rng(seed)
    x = random.random((many, n, d)).astype("float32")
    labels = random.integers(0, 10, (many, n))
    return x, labels, np.eye(10, dtype="float32")[labels]


def test_the_deal_spoils_labels_and_keeps_the_truth():
    x, y = np.arange(3000.0)[:, None], np.arange(3000) % 10
    images, labels, truth = lesson.deal(x, y, 0.2, np.random.default_rng(0))
    assert (images[:, 0].astype(int) % 10 == truth).all()
    assert np.mean(labels != truth) == pytest.approx(0.2, abs=0.03)
    assert (np.sort(images[:, 0]) == x[:, 0]).all() and labels.min() >= 0 and labels.max() <= 9
    assert (lesson.deal(x, y, 0.0, np.random.default_rng(0))[1] == truth).all()


@few
@given(seeds, st.sampled_from([(64, 8, 10), (64, 5, 7, 10)]))
def test_networks_side_by_side_are_keras_one_by_one(seed, layers):
    weights = lesson.start_weights(layers, [seed, seed + 1])
    x, _, _ = problem(seed)
    together = lesson.network(weights, x)
    for s in range(2):
        hidden = tf.constant(x[s])
        for i in range(0, len(weights) - 2, 2):
            hidden = keras.ops.relu(hidden @ weights[i][s] + weights[i + 1][s])
        np.testing.assert_allclose(together[s], hidden @ weights[-2][s] + weights[-1][s], atol=1e-5)
    assert not np.allclose(weights[0][0], weights[0][1])


def test_he_start():
    weights = lesson.start_weights((64, 256, 10), [3])
    assert np.std(weights[0]) == pytest.approx(np.sqrt(2 / 64), rel=0.05) and not np.any(weights[1])


@few
@given(seeds, st.floats(0, 0.3))
def test_a_step_is_that_of_keras_with_its_regularizer(seed, l2):
    x, labels, targets = problem(seed)
    weights = lesson.start_weights((64, 64, 64, 10), [seed, seed + 1])
    model = keras_model()
    rows, keys = np.tile(np.arange(12, dtype="int32"), (1, 2, 1)), np.zeros((1, 2), "int32")
    moved = lesson.train_steps(weights, x, targets, rows, keys, tf.constant([0.2, 0.0, l2, 0.0]))
    regularizer = keras.regularizers.L2(l2 / 2)
    for s in range(2):
        model.set_weights([w[s] if i % 2 == 0 else w[s, 0] for i, w in enumerate(weights)])
        with tf.GradientTape() as tape:
            loss = model.loss(targets[s], model(x[s])) + sum(regularizer(w) for w in model.trainable_variables[::2])
        gradients = tape.gradient(loss, model.trainable_variables)
        for mine, theirs, g in zip(moved, model.trainable_variables, gradients, strict=True):
            np.testing.assert_allclose(np.reshape(mine[s], theirs.shape), theirs - 0.2 * g, atol=2e-5)


_MODELS = []


def keras_model():
    """One model for all examples: each that is built stays in memory."""
    if not _MODELS:
        _MODELS.append(lesson.keras_network())
    return _MODELS[0]


def test_the_keras_network_has_its_remedies():
    model = lesson.keras_network(l2=0.02, dropout=0.4, smoothing=0.1)
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert all(float(layer.kernel_regularizer.l2) == pytest.approx(0.01) for layer in dense)
    assert [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == [0.4, 0.4]
    assert model.loss.label_smoothing == 0.1


def test_the_step_of_l1_is_the_soft_threshold_on_weights_only():
    weights = lesson.start_weights((64, 6, 10), [0])
    still = [tf.zeros_like(w) for w in weights]
    moved = lesson.descend([w + 0.01 for w in weights], still, 0.5, 0.2)
    for i, (before, after) in enumerate(zip(weights, moved, strict=True)):
        wanted = before + 0.01 if i % 2 else lesson.soft_threshold(before.numpy() + 0.01, 0.1)
        np.testing.assert_allclose(after, wanted, atol=1e-6)
    assert np.mean(moved[0] == 0) > 0.2


def test_training_learns_by_heart_and_repeats():
    x, labels, targets = problem(1, n=20, many=len(lesson.SEEDS))
    checkpoints = lesson.train(x, targets, 20, steps=400, layers=(64, 32, 10))
    assert len(checkpoints) == 1 + 400 // lesson.EVERY
    assert (lesson.accuracy(lesson.last_checkpoint(checkpoints), x, labels) == 1).all(), "noise, learned by heart"
    again = lesson.train(x, targets, 20, steps=400, layers=(64, 32, 10))
    np.testing.assert_array_equal(again[-1][0], checkpoints[-1][0])
    curves = lesson.curves_of(checkpoints, x, labels, x, labels)
    assert curves.shape == (3, len(checkpoints), len(lesson.SEEDS)) and (curves[0] == curves[1]).all()
    picked = lesson.pick(checkpoints, [3, 0, 1, 2, 5][: len(lesson.SEEDS)])
    for s, k in enumerate([3, 0, 1, 2, 5][: len(lesson.SEEDS)]):
        np.testing.assert_array_equal(picked[2][s], checkpoints[k][2][s])


def test_seeds_do_not_touch_each_other():
    x, _, targets = problem(2, n=10, many=len(lesson.SEEDS))
    changed = targets.copy()
    changed[1] = np.roll(changed[1], 1, axis=0)
    one, other = (lesson.train(x, t, 10, steps=40, layers=(64, 8, 10))[-1] for t in (targets, changed))
    assert not np.allclose(one[0][1], other[0][1])
    np.testing.assert_array_equal(one[0][0], other[0][0])


def test_trying_and_choosing():
    x, labels, targets = problem(3, n=20, many=len(lesson.SEEDS))
    settings_ = {"little": {"x": x, "targets": targets, "n": 20, "steps": 20, "layers": (64, 16, 10)}}
    settings_["much"] = {**settings_["little"], "steps": 300}
    found = lesson.try_all(settings_)
    assert lesson.choose(found, x, labels) == "much"
    assert lesson.try_all(settings_, len) == {"little": 1 + 20 // lesson.EVERY, "much": 1 + 300 // lesson.EVERY}


# -------------------------------------------------------------------------------- learning curve


@quick
@given(seeds, st.integers(2, 6), st.floats(1.5, 5000))
def test_the_power_law_is_scipys_line(seed, k, n):
    random = np.random.default_rng(seed)
    sizes, errors = 10.0 * 2 ** np.arange(k), np.exp(random.normal(size=k))
    line = stats.linregress(np.log(sizes), np.log(errors))
    np.testing.assert_allclose(lesson.power_law(sizes, errors, n), np.exp(line.intercept) * n**line.slope, rtol=1e-7)


# -------------------------------------------------------------------------------------- penalties


@quick
@given(seeds, st.floats(0, 2), st.floats(0, 2), st.sampled_from([(3,), (2, 4), (2, 3, 2)]))
def test_penalty_gradients_are_tensorflows(seed, l1, l2, shape):
    variable = tf.Variable(np.random.default_rng(seed).normal(size=shape))
    with tf.GradientTape() as tape:
        loss = l1 * tf.reduce_sum(tf.abs(variable)) + l2 * tf.nn.l2_loss(variable)
    theirs = tape.gradient(loss, variable)
    np.testing.assert_allclose(lesson.penalty_gradient(variable.numpy(), l1, l2), theirs, rtol=1e-9, atol=1e-12)


@quick
@given(st.floats(-3, 3), st.floats(0, 2))
def test_the_soft_threshold_is_the_lowest_point_of_its_problem(w, threshold):
    """It solves: half the squared distance to w, plus threshold · |v|, as small as possible."""
    grid = np.append(np.linspace(-3, 3, 6001), 0.0)
    best = grid[np.argmin((grid - w) ** 2 / 2 + threshold * np.abs(grid))]
    assert lesson.soft_threshold(np.array([w]), threshold)[0] == pytest.approx(best, abs=1.1e-3)


@few
@given(seeds, st.floats(0.02, 0.6))
def test_the_lasso_is_scikit_learns(seed, l1):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(40, 5)), random.normal(size=40)
    ours = lesson.lasso(X, y, l1, 3000)
    theirs = Lasso(alpha=l1, fit_intercept=False, tol=1e-10, max_iter=50_000).fit(X, y).coef_
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert np.sum(ours == 0) == np.sum(theirs == 0)


def test_plain_gradient_steps_on_l1_make_no_zeros():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(400, 5)), random.normal(size=400)
    plain, exact = (lesson.lasso(X, y, 0.06, 2000, threshold) for threshold in (False, True))
    assert np.sum(exact == 0) >= 2 and np.sum(plain == 0) == 0 and np.abs(plain - exact).max() < 0.15


# --------------------------------------------------------------------------------------- dropout


@quick
@given(seeds, st.floats(0, 0.9))
def test_inverted_dropout_is_tensorflows_for_the_same_numbers(seed, rate):
    x = np.random.default_rng(seed).normal(size=(6, 5)).astype("float32")
    key = [seed % 2**31, 7]
    uniform = tf.random.stateless_uniform(x.shape, key).numpy()
    theirs = tf.nn.experimental.stateless_dropout(x, rate, key)
    np.testing.assert_allclose(lesson.inverted_dropout(x, np.float32(rate), uniform), theirs, rtol=1e-4, atol=1e-6)


def test_dropout_changes_nothing_on_average():
    uniform = np.random.default_rng(0).random((40_000, 3))
    x = np.tile([1.0, -2.0, 0.5], (40_000, 1))
    np.testing.assert_allclose(lesson.inverted_dropout(x, 0.3, uniform).mean(axis=0), x[0], rtol=0.02)


@few
@given(seeds, st.floats(0.1, 0.8), st.integers(1, 6))
def test_the_full_layer_is_the_geometric_mean_of_all_masks(seed, rate, units):
    random = np.random.default_rng(seed)
    a, W, b = random.normal(size=units), random.normal(size=(units, 4)), random.normal(size=4)
    np.testing.assert_allclose(lesson.geometric_mean_of_masks(a, W, b, rate), tf.nn.softmax(a @ W + b), atol=1e-9)


def test_the_network_drops_hidden_units_at_the_rate():
    x, labels, _ = problem(5, n=30, many=2)
    weights = lesson.start_weights((64, 32, 32, 10), [0, 1])
    keys = [tf.constant([1, k]) for k in (1, 1, 2)]
    same, again, other = (lesson.network(weights, x, 0.5, key).numpy() for key in keys)
    assert (same == again).all() and not np.allclose(same, other)
    np.testing.assert_allclose(lesson.network(weights, x, 0.0, keys[0]), lesson.network(weights, x), atol=1e-5)
    masked = [lesson.network(weights, x, 0.05, tf.constant([2, 100 * k])) for k in range(300)]
    np.testing.assert_allclose(np.mean(masked, axis=0), lesson.network(weights, x), atol=0.4)
    found = lesson.thinned_accuracies(weights, x, labels, 0.0, 3, 1)
    np.testing.assert_allclose(found, np.tile(lesson.accuracy(weights, x, labels), (3, 1)))


# -------------------------------------------------------------- early stopping, softer labels, copies


@quick
@given(st.lists(st.integers(0, 6), min_size=1, max_size=25), st.integers(1, 5))
def test_early_stopping_is_that_of_keras(losses, patience):
    assert lesson.early_stopping(losses, patience) == lesson.keras_early_stopping(losses, patience)


@quick
@given(seeds, st.integers(2, 8), st.floats(0, 0.9))
def test_label_smoothing_is_that_of_keras(seed, classes, epsilon):
    random = np.random.default_rng(seed)
    labels, logits = random.integers(0, classes, 5), random.normal(size=(5, classes))
    targets = lesson.smooth_labels(labels, classes, epsilon)
    ours = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=epsilon)
    np.testing.assert_allclose(ours, theirs(np.eye(classes)[labels], logits), rtol=1e-4)
    np.testing.assert_allclose(targets.sum(axis=1), 1)


def test_soft_targets_for_all_seeds():
    soft = lesson.softened(np.array([[1, 2], [0, 9]]), 0.2)
    assert soft.shape == (2, 2, 10) and soft.dtype == np.float32
    assert soft[1, 1, 9] == pytest.approx(0.82) and soft[0, 0, 0] == pytest.approx(0.02)


def test_a_wobble_of_nothing_is_nothing_and_a_whole_pixel_is_a_shift():
    images = np.random.default_rng(0).random((3, 64))
    np.testing.assert_allclose(lesson.wobble(images, 0, (0, 0)), images, atol=1e-9)
    moved = lesson.wobble(images, 0, (1, 0)).reshape(3, 8, 8)
    np.testing.assert_allclose(moved[:, 1:], images.reshape(3, 8, 8)[:, :-1], atol=1e-9)
    assert np.abs(moved[:, 0]).max() < 1e-9, "what comes in from outside is empty"


@few
@given(seeds, st.floats(-20, 20))
def test_a_turn_is_scipys(seed, degrees):
    image = np.zeros((8, 8))
    image[2:6, 2:6] = np.random.default_rng(seed).random((4, 4))
    ours = lesson.wobble(image.reshape(1, 64), degrees, (0, 0)).reshape(8, 8)
    one, other = (ndimage.rotate(image, sign * degrees, reshape=False, order=1) for sign in (1, -1))
    assert min(np.abs(ours - one).max(), np.abs(ours - other).max()) < 1e-6


def test_augmented_keeps_the_originals_first():
    images = np.random.default_rng(0).random((4, 64))
    copies = lesson.augmented(images, 3, np.random.default_rng(1))
    assert copies.shape == (16, 64) and (copies[:4] == images).all()
    assert not np.allclose(copies[4:8], images) and not np.allclose(copies[4:8], copies[8:12])
    every = lesson.augment_all(np.random.default_rng(2).random((len(lesson.SEEDS), 4, 64)).astype("float32"))
    assert every.shape == (len(lesson.SEEDS), 4 * (lesson.COPIES + 1), 64)


# --------------------------------------------------------------------------------------- figures


def test_figures():
    from course_utils import plots

    x = np.linspace(-1, 1, 9)
    drawn = [
        plots.fits.grid([(str(k), x, x**2, np.square) for k in range(3)], np.square),
        plots.fits.grid([("one", x, x**2, np.square)], np.square, columns=1),
        plots.fits.accuracies({"A": (x**2, x**2), "B": (x, x)}, 20),
        plots.fits.learning_curve([10, 20], np.full((2, 3), 0.2), np.reciprocal, 50, np.array([0.1, 0.2])),
        plots.fits.training(x**2, x, x**2, 20),
        plots.fits.paths({"L1": (np.arange(1, 4), np.ones((3, 2))), "L2": (np.arange(1, 4), np.ones((3, 2)))}),
        plots.fits.histograms({"none": x, "L1": x}),
    ]
    assert [len(fig.axes) for fig in drawn] == [3, 1, 2, 1, 2, 2, 2]
    assert drawn[2].axes[0].get_ylabel() == "accuracy (%)" and drawn[2].axes[0].lines[0].get_xdata()[-1] == 160
    for fig in drawn:
        assert all(ax.get_xlabel() for ax in fig.axes[-1:])
        display.close(fig)


# ------------------------------------------------------------------------------------- comparison


def comparison():
    from course_utils.lessons.comparison import Comparison

    base = np.array([[1.0, 1.0, 1.0], [0.6, 0.7, 0.8], [0.6, 0.7, 0.8]])
    models = {"none": base, "good": base + [[0], [0], [0.1]] + [[0], [0], [1e-3]] * np.array([-1, 0, 1])}
    models["unclear"] = base + [[0], [0], [0.1]] * np.array([-1, 0, 1])
    models["bad"] = base - [[0], [0], [0.05]] - [[0], [0], [1e-3]] * np.array([-1, 0, 1])
    return Comparison(models, "none")


def test_gains_are_paired():
    compared = comparison()
    others = ["good", "unclear", "bad"]
    assert compared.gains["good"].mean == pytest.approx(0.1) and compared.gap("none") == pytest.approx(0.3)
    assert (compared.better(others), compared.open(others), compared.worse(others)) == (["good"], ["unclear"], ["bad"])
    differences = compared.results["good"][2] - compared.results["none"][2]
    half = stats.t.ppf(0.975, 2) * stats.sem(differences)
    assert compared.interval("good") == pytest.approx((0.1 - half, 0.1 + half))
    assert list(compared.bars()) == others and "good +0.100" in str(compared)
    assert len(compared.table().splitlines()) == 6 and "| bad |" in compared.table()


def test_what_cannot_be_compared_is_refused():
    from course_utils.lessons.comparison import Comparison

    with pytest.raises(ValueError, match="There is no result named 'x'"):
        Comparison({"a": np.zeros((3, 2))}, "x")
    with pytest.raises(ValueError, match=r"'b' has the shape \(3, 4\)"):
        Comparison({"a": np.zeros((3, 2)), "b": np.zeros((3, 4))}, "a")
    one = Comparison({"a": np.zeros((3, 1)), "b": np.ones((3, 1))}, "a")
    assert one.interval("b") == (-1.0, 1.0), "one seed says nothing"
