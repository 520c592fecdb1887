"""Progress callbacks and repeats over seeds."""

import math

import numpy as np
import pytest

from course_utils import training
from course_utils.training import keras


def fit(callback, epochs=3):
    x = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, (x[:, 0] > 0).astype(int), epochs=epochs, verbose=0, validation_split=0.2, callbacks=[callback])


def test_live_curve_keeps_every_epoch(capfd):
    live = training.LiveCurve("a small network")
    fit(live)
    assert {len(values) for values in live.values.values()} == {3}
    axes = live.figure().axes
    assert [len(ax.lines) for ax in axes] == [2, 2]
    assert all(ax.get_xlabel() == "epoch" and ax.get_ylabel() for ax in axes)
    assert capfd.readouterr() == ("", "")


def test_a_bar_vanishes_and_no_epoch_is_over_the_end(monkeypatch):
    seen = []
    monkeypatch.setattr(training.ProgressBar, "update", lambda self, share, note="": seen.append((share, note)))
    monkeypatch.setattr(training.ProgressBar, "close", lambda self: seen.append("closed"))
    fit(training.Progress("x"))
    assert seen[-1] == "closed"
    assert seen[-2][0] == 1.0 and "epoch 3 of 3" in seen[-2][1]


def test_over_seeds_is_reproducible_and_knows_its_interval():
    runs = [training.over_seeds(lambda seed: float(keras.random.normal(())), [1, 2, 3]) for _ in range(2)]
    np.testing.assert_array_equal(runs[0].values, runs[1].values)
    repeats = training.Repeats(np.array([1.0, 2.0, 3.0]))
    low, high = repeats.interval()
    # Student's t with two degrees of freedom: 4.302653 times the standard error.
    assert (low, high) == pytest.approx((2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3)))
    assert training.Repeats(np.array([1.0])).interval() == (-math.inf, math.inf)
    assert str(repeats) == "2.000 (from 1.000 to 3.000), 3 seeds"


def test_over_seeds_keeps_what_else_a_run_returns():
    repeats = training.over_seeds(lambda seed: (seed / 2, f"model {seed}"), [2, 4])
    assert repeats.values.tolist() == [1.0, 2.0] and repeats.outputs == [("model 2",), ("model 4",)]


def test_no_seed_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        training.over_seeds(lambda seed: 0.0, [])


def test_stopwatch_also_stops_after_an_error():
    with pytest.raises(KeyError), training.stopwatch() as watch:
        raise KeyError
    assert 0 <= watch.seconds < 1


# ------------------------------------------------------------------------------------------ reset

OPTIMIZERS = sorted(
    name
    for name, kind in vars(keras.optimizers).items()
    if isinstance(kind, type)
    and issubclass(kind, keras.optimizers.Optimizer)
    and name not in ("Optimizer", "MultiOptimizer")  # the second has no rate of its own
)
X = np.random.default_rng(1).normal(size=(48, 5)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype("int32")


def network(optimizer, seed):
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((5,)), keras.layers.Dense(8, "relu"), keras.layers.BatchNormalization()]
    model = keras.Sequential([*layers, keras.layers.Dropout(0.3), keras.layers.Dense(2)])
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def trained(model, seed):
    keras.utils.set_random_seed(seed)
    model.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    return model.get_weights()


def assert_same(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_forgets_its_steps_and_keeps_its_rate(name):
    settings = (
        {"inner_optimizer": keras.optimizers.Adam(0.02)} if name == "LossScaleOptimizer" else {"learning_rate": 0.02}
    )
    optimizer = getattr(keras.optimizers, name)(**settings)
    weights = [keras.Variable(np.ones((3, 2), "float32")), keras.Variable(np.ones(2, "float32"))]
    optimizer.build(weights)

    def steps():
        for factor in (1.0, -0.3, 0.5):
            optimizer.apply([keras.ops.full(variable.shape, factor) for variable in weights], weights)
        return [variable.numpy() for variable in weights]

    first = steps()
    for variable in weights:
        variable.assign(keras.ops.ones_like(variable))
    training.reset_optimizer(optimizer, weights)
    assert int(optimizer.iterations.numpy()) == 0 and float(optimizer.learning_rate.numpy()) == np.float32(0.02)
    assert_same(steps(), first)


def test_a_model_after_a_reset_learns_like_a_new_one():
    model = network(keras.optimizers.SGD(0.05, momentum=0.9), 3)
    first = trained(model, 4)
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(first, trained(model, 4), strict=True)), "it has a memory"
    training.reset(model, seed=3)
    assert_same(trained(model, 4), first)


def test_a_rate_that_was_changed_stays_and_a_schedule_starts_again():
    model = network(keras.optimizers.SGD(0.1, momentum=0.9), 3)
    trained(model, 4)
    model.optimizer.learning_rate = 0.0123
    training.reset(model)
    assert float(model.optimizer.learning_rate.numpy()) == np.float32(0.0123)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 100)
    model = network(keras.optimizers.Adam(schedule), 3)
    first = trained(model, 4)
    assert float(model.optimizer.learning_rate.numpy()) < 0.1
    training.reset(model, seed=3)
    assert float(model.optimizer.learning_rate.numpy()) == np.float32(0.1)
    assert_same(trained(model, 4), first)


def test_a_loss_scale_and_averages_of_weights_start_again():
    model = network(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.02, use_ema=True)), 3)
    first = trained(model, 4)
    training.reset(model, seed=3)
    assert_same(trained(model, 4), first)


def test_weights_stay_are_taken_or_are_drawn():
    model = network("adam", 3)
    start = model.get_weights()
    after = trained(model, 4)
    training.reset(model)
    assert_same(model.get_weights(), after)
    training.reset(model, weights=start)
    assert_same(model.get_weights(), start)
    training.reset(model, seed=5)
    assert_same(model.get_weights(), network("adam", 5).get_weights())
    kernels = [weights for weights in model.get_weights() if weights.ndim == 2]
    assert np.abs(np.corrcoef(kernels[0].ravel()[:16], kernels[1].ravel())[0, 1]) < 0.9, "layers are independent"


def test_a_model_without_an_optimizer_or_before_its_first_step():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    training.reset(model, seed=3)
    model.compile("adam", "mse")
    training.reset(model, seed=3)


def test_one_optimizer_of_two_models():
    one, two = network("sgd", 1), network("sgd", 2)
    optimizer = keras.optimizers.Adam(0.05)
    variables = one.trainable_variables + two.trainable_variables
    optimizer.build(variables)
    optimizer.apply([keras.ops.ones_like(variable) for variable in variables], variables)
    training.reset_optimizer(optimizer, variables)
    for variable in optimizer.variables:
        value = np.float32(0.05) if variable.path.endswith("learning_rate") else 0
        assert np.all(variable.numpy() == value), variable.path


def test_a_class_of_its_own_needs_its_weights():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Own()
    model(X)
    with pytest.raises(ValueError, match="pass weights="):
        training.reset(model, seed=3)
    training.reset(model, weights=model.get_weights())
