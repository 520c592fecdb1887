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
