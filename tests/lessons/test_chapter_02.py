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


@quick
@given(seeds, st.integers(1, 30), st.integers(1, 6))
def test_mse_and_its_gradient_are_tensorflows(seed, n, d):
    X, y, w = problem(seed, n, d)
    variable = tf.Variable(w)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((tf.linalg.matvec(X, variable) - y) ** 2)
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


# ---------------------------------------------------------------------------------- the rules


@pytest.fixture
def double():
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


# As 64-bit numbers: Keras rounds a plain 0.999 to 32 bits.
RULES = {
    "sgd": (lesson.sgd, lambda **k: keras.optimizers.SGD(**k)),
    "momentum": (lesson.momentum, lambda **k: keras.optimizers.SGD(momentum=np.float64(0.9), **k)),
    "rmsprop": (lesson.rmsprop, lambda **k: keras.optimizers.RMSprop(**k)),
    "adam": (lesson.adam, lambda **k: keras.optimizers.Adam(beta_1=np.float64(0.9), beta_2=np.float64(0.999), **k)),
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


# ----------------------------------------------------------------------- limits and conditioning


@quick
@given(seeds, st.integers(2, 6))
def test_the_limit_is_where_it_turns_unstable(seed, d):
    X, y, _ = problem(seed, 30, d)
    limit = lesson.largest_rate(X.T @ X / 30)
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


@quick
@given(seeds)
def test_standardise(seed):
    values = lesson.standardise(np.random.default_rng(seed).normal(3, 9, size=(50, 3)))
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(values.std(axis=0), 1)
