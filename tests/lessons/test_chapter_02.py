"""What chapter 2 teaches: its own functions, taken out of the notebook, against TensorFlow and Keras."""

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import session

tf = session.quiet_tensorflow()
import keras  # noqa: E402

lesson = definitions("02_gradient_descent")
quick = settings(deadline=None, max_examples=30)
seeds = st.integers(0, 2**32 - 1)


def problem(seed, n=20, d=4):
    random = np.random.default_rng(seed)
    return random.normal(size=(n, d)), random.normal(size=n), random.normal(size=d)


# ------------------------------------------------------------------------------- losses and gradients


@quick
@given(st.floats(0.001, 0.24), st.integers(1, 30))
def test_the_walk_on_the_bowl_is_the_one_worked_out(rate, steps):
    places = lesson.walk(lesson.bowl_slope, 1.0, rate, steps)
    np.testing.assert_allclose(places, (1 - 8 * rate) ** np.arange(steps + 1), atol=1e-12)
    np.testing.assert_allclose(lesson.roll(rate, steps), places, atol=1e-12)


@quick
@given(st.floats(-3, 3))
def test_the_slope_of_the_curve_with_a_dip(w):
    measured = (lesson.dip(w + 1e-5) - lesson.dip(w - 1e-5)) / 2e-5
    assert lesson.dip_slope(w) == pytest.approx(measured, abs=1e-6)


@quick
@given(seeds, st.integers(1, 30), st.integers(1, 6))
def test_mse_and_its_gradient_are_tensorflows(seed, n, d):
    X, y, w = problem(seed, n, d)
    variable = tf.Variable(w)
    with tf.GradientTape() as tape:
        loss = keras.losses.mean_squared_error(y, tf.linalg.matvec(X, variable))
    np.testing.assert_allclose(lesson.mse(X, y, w), loss.numpy(), rtol=1e-9)
    theirs = tape.gradient(loss, variable).numpy()
    np.testing.assert_allclose(lesson.mse_gradient(X, y, w), theirs, rtol=1e-9, atol=1e-12)


@quick
@given(seeds, st.floats(0, 3), st.floats(0.1, 300))
def test_logistic_loss_and_gradient_are_tensorflows(seed, l2, scale):
    X, y, theta = problem(seed)
    X, y = lesson.with_ones(scale * X[:, 1:]), (y > 0).astype(float)
    variable = tf.Variable(theta)
    with tf.GradientTape() as tape:
        logits = tf.linalg.matvec(X, variable)
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, logits)) + l2 * tf.nn.l2_loss(variable[:-1])
    np.testing.assert_allclose(lesson.logistic_loss(theta, X, y, l2), loss.numpy(), rtol=1e-9)
    with np.errstate(over="ignore"):
        ours = lesson.logistic_gradient(theta, X, y, l2)
    np.testing.assert_allclose(ours, tape.gradient(loss, variable).numpy(), rtol=1e-7, atol=1e-9)


@quick
@given(seeds)
def test_numerical_gradient(seed):
    X, y, w = problem(seed)
    measured = lesson.numerical_gradient(lambda w: lesson.mse(X, y, w), w)
    np.testing.assert_allclose(measured, lesson.mse_gradient(X, y, w), atol=1e-7)


@quick
@given(seeds)
def test_standardise(seed):
    values = lesson.standardise(np.random.default_rng(seed).normal(3, 9, size=(50, 3)))
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(values.std(axis=0), 1)


@quick
@given(seeds)
def test_the_gradients_of_the_small_network_are_tensorflows(seed):
    random = np.random.default_rng(seed)
    x, classes = random.normal(size=(9, 7)), np.eye(10)[random.integers(0, 10, 9)]
    weights = [random.normal(size=shape) for shape in ((7, 6), (6, 5), (5, 10))]
    variables = [tf.Variable(w) for w in weights]
    with tf.GradientTape() as tape:
        hidden = tf.nn.relu(tf.nn.relu(x @ variables[0]) @ variables[1])
        logits = hidden @ variables[2]
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(classes, logits))
    ours, height = lesson.network_gradients(weights, x, classes)
    assert height == pytest.approx(float(loss))
    for mine, theirs in zip(ours, tape.gradient(loss, variables), strict=True):
        np.testing.assert_allclose(mine, theirs.numpy(), atol=1e-9)


# ---------------------------------------------------------------------------------- the rules


@pytest.fixture
def double():
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


# As 64-bit numbers: Keras rounds a plain 0.999 to 32 bits.
BETAS = {"beta_1": np.float64(0.9), "beta_2": np.float64(0.999)}
RULES = {
    "sgd": (lesson.sgd, lambda **k: keras.optimizers.SGD(**k)),
    "momentum": (lesson.momentum, lambda **k: keras.optimizers.SGD(momentum=np.float64(0.9), **k)),
    "rmsprop": (lesson.rmsprop, lambda **k: keras.optimizers.RMSprop(**k)),
    "adam": (lesson.adam, lambda **k: keras.optimizers.Adam(**BETAS, **k)),
    "adamw": (lesson.adamw, lambda **k: keras.optimizers.AdamW(**BETAS, **k)),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("learning_rate", [None, 0.003])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_hundred_steps_are_those_of_keras(name, learning_rate, seed, double):
    X, y, theta = problem(seed, 40, 7)
    gradient = lambda w: lesson.mse_gradient(X * np.geomspace(0.1, 3, 7), y, w)  # noqa: E731
    rule, optimizer = RULES[name]
    given = {} if learning_rate is None else {"learning_rate": learning_rate}
    ours = lesson.run(rule, gradient, theta, 100, **given)
    theirs = lesson.run_keras(optimizer(**given), gradient, theta, 100)
    assert ours.shape == (101, 7) and np.abs(ours[-1] - theta).max() > 1e-3
    apart = np.linalg.norm(ours - theirs, axis=1) / np.linalg.norm(theirs, axis=1)
    assert apart.max() <= 1e-9


@pytest.mark.parametrize("shape", [(20, 12), (6, 15), (8, 8)])
@pytest.mark.parametrize("learning_rate, decay", [(0.001, 0.004), (0.02, 0.1)])
def test_a_hundred_steps_of_muon_are_those_of_keras(shape, learning_rate, decay, double):
    random = np.random.default_rng(sum(shape))
    inputs, start = random.normal(size=(50, shape[0])), random.normal(size=shape)
    targets = random.normal(size=(50, shape[1]))
    gradient = lambda W: 2 * inputs.T @ (inputs @ W - targets) / 50  # noqa: E731
    W, average, ours = start, np.zeros(shape), [start]
    for _ in range(100):
        W, average = lesson.muon(W, gradient(W), average, learning_rate, decay=decay)
        ours.append(W)
    optimizer = keras.optimizers.Muon(learning_rate, momentum=np.float64(0.95), weight_decay=decay)
    theirs = lesson.run_keras(optimizer, gradient, start, 100)
    assert np.abs(ours[-1] - start).max() > 1e-2
    assert np.abs(np.array(ours) - theirs).max() / np.abs(theirs).max() <= 1e-5


@quick
@given(seeds, st.integers(1, 12), st.integers(1, 12))
def test_orthogonalise_keeps_directions_and_evens_out_their_lengths(seed, rows, columns):
    U, _, V = np.linalg.svd(np.random.default_rng(seed).normal(size=(rows, columns)), full_matrices=False)
    values = np.geomspace(1, 0.05, len(V))
    found = U.T @ lesson.orthogonalise(U @ np.diag(values) @ V) @ V.T
    np.testing.assert_allclose(found, np.diag(np.diag(found)), atol=1e-9)
    assert (np.diag(found) > 0.3).all() and (np.diag(found) < 1.3).all()


def test_the_rules_leave_their_inputs_alone():
    for rule, _ in RULES.values():
        theta, gradient, state = np.ones(3), np.arange(3.0), np.ones((2, 3))
        rule(theta, gradient, state, 3)
        assert (theta == 1).all() and (gradient == np.arange(3)).all() and (state == 1).all()


def test_gradient_descent_is_the_plain_rule():
    gradient = lambda w: np.array([1.0, 10.0]) * w  # noqa: E731
    start = np.array([1.0, -1.0])
    path = lesson.gradient_descent(gradient, start, 0.05, 25)
    np.testing.assert_allclose(path, lesson.run(lesson.sgd, gradient, start, 25, learning_rate=0.05))
    np.testing.assert_allclose(path[:, 1], -(0.5 ** np.arange(26)))
    heavy = lesson.momentum_descent(gradient, start, 0.05, 0.5, 25)
    np.testing.assert_allclose(heavy, lesson.run(lesson.momentum, gradient, start, 25, learning_rate=0.05, mu=0.5))
    np.testing.assert_allclose(lesson.momentum_descent(gradient, start, 0.05, 0.0, 25), path)


# --------------------------------------------------------------------------------------- the race


def test_a_best_value_at_an_end_of_its_list_is_an_error():
    settings = [(rate, second) for rate in (0.1, 1.0, 10.0) for second in (0.0, 0.5, 0.9)]
    inside = [abs(rate - 1) + abs(second - 0.5) for rate, second in settings]
    assert settings[lesson.best_inside(settings, inside)] == (1.0, 0.5)
    for rate, second in ((0.1, 0.5), (10.0, 0.5), (1.0, 0.9)):
        scores = [abs(np.log(r / rate)) + abs(s - second) for r, s in settings]
        with pytest.raises(ValueError, match="is the end of its list"):
            lesson.best_inside(settings, scores)
    natural = [abs(rate - 1) + second for rate, second in settings]
    assert settings[lesson.best_inside(settings, natural)] == (1.0, 0.0), "momentum cannot be below 0"


def test_all_settings_at_once_take_the_steps_of_each_alone():
    X, y, _ = problem(3, 30, 5)
    X, y = lesson.with_ones(X), (y > 0).astype(float)
    for name, rule in (("momentum", lesson.momentum), ("Adam", lesson.adam)):
        tried = [(0.1, 0.5), (0.02, 0.9), (0.3, 0.0)]
        batch = {"momentum": lesson.momentum_rule, "Adam": lesson.adam}[name]
        gaps = lesson.race(batch, tried, X, y, 0.1, 0.0, 12)
        for number, (rate, second) in enumerate(tried):
            named = {"momentum": "mu", "Adam": "beta1"}[name]
            path = lesson.run(rule, lambda t: lesson.logistic_gradient(t, X, y, 0.1), np.zeros(6), 12,
                              learning_rate=rate, **{named: second})  # fmt: skip
            alone = [lesson.logistic_loss(theta, X, y, 0.1) for theta in path[1:]]
            np.testing.assert_allclose(gaps[:, number], alone, rtol=1e-9)


def test_the_first_step_that_is_near_enough():
    gaps = np.array([[1.0, 1.0, np.inf], [0.1, 0.5, np.inf], [0.2, 0.04, np.inf]])
    score = lesson.steps_to(gaps, 0.1)
    assert [int(s) for s in score] == [2, 3, 10**6] and np.argmin(score) == 0


# ----------------------------------------------------------------------- limits and conditioning


@quick
@given(seeds, st.integers(2, 6))
def test_the_limit_is_where_it_turns_unstable(seed, d):
    X, y, _ = problem(seed, 30, d)
    limit = lesson.largest_rate(2 * X.T @ X / 30)
    gradient = lambda w: lesson.mse_gradient(X, y, w)  # noqa: E731
    assert not lesson.is_stable(gradient, np.zeros(d), 1.01 * limit, 600)
    assert np.isfinite(lesson.gradient_descent(gradient, np.zeros(d), 0.99 * limit, 600)).all()


@quick
@given(st.floats(0.02, 9.9))
def test_bisection_finds_a_border(border):
    assert lesson.bisect(0.01, 10.0, lambda rate: rate < border) == pytest.approx(border, rel=2e-3)


@quick
@given(st.floats(1.5, 1e4), st.floats(0.1, 10))
def test_the_best_settings_reach_the_factors_of_theory(kappa, low):
    best = lesson.best_settings(low, kappa * low)
    rate = best["sgd"]["learning_rate"]
    assert max(abs(1 - rate * low), abs(1 - rate * kappa * low)) == pytest.approx((kappa - 1) / (kappa + 1))
    rate, mu = best["momentum"]["learning_rate"], best["momentum"]["mu"]
    for eigenvalue in (low, kappa * low, low * np.sqrt(kappa)):
        step = np.array([[mu, -rate * eigenvalue], [mu, 1 - rate * eigenvalue]])  # (velocity, distance) → next
        factor = np.abs(np.linalg.eigvals(step)).max()
        assert factor == pytest.approx((np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1), rel=1e-4, abs=1e-6)


def test_momentum_needs_fewer_steps_and_a_hopeless_run_says_so():
    assert lesson.steps_needed(lesson.momentum, 400) < lesson.steps_needed(lesson.sgd, 400) / 5
    with pytest.raises(RuntimeError, match="not there after 10 steps"):
        lesson.steps_needed(lesson.sgd, 400, most=10)


# ------------------------------------------------------------------------- batches and schedules


def test_noise_falls_with_the_root_of_the_batch():
    X, y, _ = problem(0, 200, 5)
    random = np.random.default_rng(0)
    one, four = (lesson.batch_noise(X, (y > 0).astype(float), batch, 4000, random) for batch in (4, 16))
    assert 1.85 < one / four < 2.15


@quick
@given(st.integers(2, 500), st.floats(0, 0.9), st.floats(1e-4, 10))
def test_schedules_are_those_of_keras(steps, share, top):
    warmup = int(share * steps)
    theirs = keras.optimizers.schedules.CosineDecay(0.0, steps - warmup, warmup_target=top, warmup_steps=warmup)
    if warmup == 0:
        theirs = keras.optimizers.schedules.CosineDecay(top, steps)
    for step in np.linspace(0, steps, 9).astype(int):
        ours = lesson.warmup_cosine(step, steps, warmup, top)
        assert ours == pytest.approx(float(theirs(int(step))), abs=2e-5 * top)
    shares = [lesson.step_decay(s, 8, top) / top for s in (0, 3, 4, 5, 6, 7)]
    assert shares == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
