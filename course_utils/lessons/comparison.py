"""Compare models that were trained on the same seeds: tables and intervals, paired seed by seed."""

from __future__ import annotations

import numpy as np


class Comparison:
    """Accuracies of several models over the same seeds, each against one baseline.

    Attributes:
        results: name → array (3, seeds): training, validation and test accuracy, shares from 0 to 1.
        gains: name → ``Repeats`` of the differences in test accuracy to the baseline, seed by seed.

    Args:
        results: as above; every model with the same seeds in the same order.
        baseline: the name of the model that the others are compared with.

    Raises:
        ValueError: the baseline is missing, or a model has other shapes than it.
    """

    def __init__(self, results: dict[str, np.ndarray], baseline: str):
        from course_utils.training import Repeats

        if baseline not in results:
            raise ValueError(f"There is no result named {baseline!r}; there are: {', '.join(results)}.")
        self.results, self.baseline = {name: np.asarray(found) for name, found in results.items()}, baseline
        shape = self.results[baseline].shape
        for name, found in self.results.items():
            if found.shape != shape or len(shape) != 2 or shape[0] != 3:
                raise ValueError(f"{name!r} has the shape {found.shape}; needed is (3, seeds), as the baseline has.")
        self._test = {name: Repeats(found[2]) for name, found in self.results.items()}
        self.gains = {name: Repeats(found[2] - self.results[baseline][2]) for name, found in self.results.items()}

    def test(self, name: str) -> float:
        """Mean test accuracy."""
        return self._test[name].mean

    def gap(self, name: str) -> float:
        """Mean of training minus validation accuracy."""
        return float(np.mean(self.results[name][0] - self.results[name][1]))

    def interval(self, name: str) -> tuple[float, float]:
        """Student's 95 % interval of the mean gain, within what a difference of accuracies can be (-1 to 1)."""
        low, high = self.gains[name].interval()
        return max(low, -1.0), min(high, 1.0)

    def bars(self) -> dict[str, tuple[float, float, float]]:
        """Name → (gain, low, high) of all but the baseline, for ``plots.scores.intervals``."""
        return {name: (self.gains[name].mean, *self.interval(name)) for name in self.results if name != self.baseline}

    def better(self, names) -> list[str]:
        """Those whose interval lies above zero."""
        return [name for name in names if self.interval(name)[0] > 0]

    def worse(self, names) -> list[str]:
        """Those whose interval lies below zero."""
        return [name for name in names if self.interval(name)[1] < 0]

    def open(self, names) -> list[str]:
        """Those whose interval contains zero."""
        return [name for name in names if self.interval(name)[0] <= 0 <= self.interval(name)[1]]

    def table(self) -> str:
        """All of it as a Markdown table, in per cent and points."""
        lines = ["| | training | validation | gap | test (95 % interval) | change of test, paired |"]
        lines.append("|---|---|---|---|---|---|")
        for name, found in self.results.items():
            low, high = np.clip(self._test[name].interval(), 0, 1)
            less, more = self.interval(name)
            means = [100 * found[0].mean(), 100 * found[1].mean(), 100 * self.gap(name)]
            test = f"**{100 * self.test(name):.1f}** ({100 * low:.1f} to {100 * high:.1f})"
            change = f"{100 * self.gains[name].mean:+.1f} ({100 * less:+.1f} to {100 * more:+.1f})"
            cells = [f"{mean:.1f}" for mean in means] + [test, "" if name == self.baseline else change]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def __str__(self) -> str:
        """Every gain with its interval, in one sentence."""
        bars = self.bars().items()
        return "; ".join(f"{name} {mean:+.3f} ({low:+.3f} to {high:+.3f})" for name, (mean, low, high) in bars) + "."
