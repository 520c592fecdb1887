"""What training needs besides the model: progress, a live curve, time, a reset, and repeats over seeds."""

from __future__ import annotations

import gc
import math
import os
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import numpy as np

from course_utils import session
from course_utils.progress_bar import ProgressBar

session.quiet_tensorflow()

import keras  # noqa: E402  (only after TensorFlow has been loaded quietly)

REDRAW_SECONDS = 0.5  # a bar that redraws more often only costs time
FIGURE_SECONDS = 2.0  # between two drawings of a live curve


class Progress(keras.callbacks.Callback):
    """A progress bar with the time left, for ``model.fit(…, verbose=0, callbacks=[Progress("LSTM")])``.

    It vanishes when training ends. If training is interrupted, the bar stays where it stopped, and
    ``python -m course_utils execute`` leaves it out of the notebook all the same.

    Args:
        label: what is being trained.
    """

    def __init__(self, label: str = "training"):
        super().__init__()
        self.label = label

    def on_train_begin(self, logs=None):
        self._bar = ProgressBar(self.label)
        self._done, self._next = 0.0, 0.0

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REDRAW_SECONDS
        steps = self.params.get("steps") or 0
        within = (batch + 1) / steps if steps else 0.0
        self._show(self._done + within, logs or {})

    def on_epoch_end(self, epoch, logs=None):
        self._done = epoch + 1
        self._show(self._done, logs or {})

    def _show(self, done: float, logs: dict):
        epochs = self.params.get("epochs") or 1
        loss = logs.get("loss")
        note = f"epoch {min(int(done) + 1, epochs)} of {epochs}" + ("" if loss is None else f", loss {float(loss):.3f}")
        self._bar.update(done / epochs, note)

    def on_train_end(self, logs=None):
        self._bar.close()


class LiveCurve(Progress):
    """A progress bar that also draws loss and accuracy while the model learns.

    After training, ``figure()`` gives the finished curves, to be shown with ``cu.show(…, alt=…)``.
    """

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.values: dict[str, list[float]] = {}
        self._drawn = 0.0

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            self.values.setdefault(name, []).append(float(value))
        if time.monotonic() - self._drawn > FIGURE_SECONDS and epoch + 1 < (self.params.get("epochs") or 1):
            self._bar.draw(self.figure())
            self._drawn = time.monotonic()
        super().on_epoch_end(epoch, logs)

    def figure(self):
        """Loss and accuracy so far, as a Matplotlib figure."""
        from course_utils.plots import curves

        return curves.learning_curves(self.values, title=self.label)


@dataclass
class Stopwatch:
    """Seconds that passed inside ``with stopwatch() as watch:``."""

    seconds: float = math.nan


@contextmanager
def stopwatch():
    """Measure wall time: ``with stopwatch() as watch: …``, then ``watch.seconds``."""
    watch, begin = Stopwatch(), time.perf_counter()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - begin


@contextmanager
def one_core():
    """Keep all threads of this process on one core, to time what a single core can do.

    Works on Linux; elsewhere the block runs on all cores, because the system offers no such call.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    _keep_on({min(before)})
    try:
        yield
    finally:
        _keep_on(before)


def _keep_on(cores: set[int]) -> None:
    for thread in os.listdir("/proc/self/task"):
        with suppress(OSError):  # the thread has ended meanwhile
            os.sched_setaffinity(int(thread), cores)


def reset(model, seed: int | None = None, weights: list | None = None) -> None:
    """Put a model back to its start, so that it can be trained again without being built again.

    The optimizer forgets its steps and its averages and keeps its learning rate; a schedule starts again.

    Args:
        model: a Keras model; where it is compiled, its optimizer is reset too.
        seed: draw new weights with this seed, as a model that was built just now has them, and start dropout with it.
        weights: take these, as from ``model.get_weights()``. Without seed and weights the weights stay as they are.

    Raises:
        ValueError: the model is a class of its own, so that Keras cannot draw its weights again: pass ``weights``.
    """
    if seed is not None:
        keras.utils.set_random_seed(seed)
        try:
            fresh = keras.models.clone_model(model).variables
        except (ValueError, TypeError, NotImplementedError) as error:
            raise ValueError(f"Keras cannot draw the weights of {model.name!r} again; pass weights=…") from error
        for variable, new in zip(model.variables, fresh, strict=True):
            variable.assign(new)
    if weights is not None:
        model.set_weights(weights)
    if getattr(model, "optimizer", None) is not None:
        reset_optimizer(model.optimizer, model.trainable_variables)


def reset_optimizer(optimizer, variables: list) -> None:
    """Let an optimizer forget its steps and its averages; it keeps its learning rate.

    Setting all of its variables to zero would also set the rate to zero, and not every average starts at zero
    (Adagrad's, Nadam's): so they are copied from a new optimizer with the same settings.

    Args:
        optimizer: a Keras optimizer; one that has not been built yet is left alone.
        variables: the variables that it trains, in the order in which it was built.
    """
    if not optimizer.built:
        return
    new = type(optimizer).from_config(optimizer.get_config())
    new.build(variables)
    for variable, start in zip(optimizer.variables, new.variables, strict=True):
        if not variable.path.endswith("learning_rate"):  # as it is now, to the last digit
            variable.assign(start)


@dataclass(frozen=True)
class Repeats:
    """One number a seed, and what they say together.

    Attributes:
        values: shape (seeds,).
        outputs: whatever else each run returned.
    """

    values: np.ndarray
    outputs: list = field(default_factory=list)

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Student's interval for the mean over seeds; with one seed it is (-inf, inf): nothing is known."""
        n = len(self.values)
        if n < 2:
            return -math.inf, math.inf
        from scipy.stats import t

        half = t.ppf(0.5 + confidence / 2, n - 1) * np.std(self.values, ddof=1) / math.sqrt(n)
        return self.mean - half, self.mean + half

    def __str__(self) -> str:
        n = len(self.values)
        spread = f" (from {self.values.min():.3f} to {self.values.max():.3f})" if n > 1 else ""
        return f"{self.mean:.3f}{spread}, {n} seed{'s' if n != 1 else ''}"


def over_seeds(train: Callable[[int], float | tuple], seeds: Iterable[int], label: str = "seeds") -> Repeats:
    """Run ``train(seed)`` for every seed, each with fresh generators, and collect the scores.

    Args:
        train: returns a score, or a tuple whose first entry is the score and whose rest is kept.
        seeds: whole numbers, at least one.

    Raises:
        ValueError: there is no seed.
    """
    seeds = list(seeds)
    if not seeds:
        raise ValueError("SEEDS must hold at least one whole number.")
    values, outputs = [], []
    bar = ProgressBar(label)
    try:
        for i, seed in enumerate(seeds):
            bar.update(i / len(seeds), f"seed {i + 1} of {len(seeds)}")
            keras.utils.set_random_seed(seed)
            result = train(seed)
            score, *rest = result if isinstance(result, tuple) else (result,)
            values.append(float(score))
            outputs.append(tuple(rest))
            gc.collect()  # a Keras model is a knot of references: without this the next one comes on top of it
    finally:
        bar.close()
    return Repeats(np.array(values), outputs)
