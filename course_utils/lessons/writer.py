"""A small trained language model that continues a text: what chapter 13 builds, ready to use, in NumPy alone.

``data/make_small_language_model.py`` has trained it and written its file.
"""

from __future__ import annotations

import functools

import numpy as np

from course_utils import paths
from course_utils.lessons import checkpoints, tokens

FILE = paths.ROOT / "data" / "small_language_model.checkpoint"
MAX_TOKENS = 60
BLOCK = ("gain1", "shift1", "qkv", "out", "gain2", "shift2", "up", "down")


@functools.cache
def load(path=FILE) -> Writer:
    """The model that ships with the course.

    Raises:
        FileNotFoundError, Damaged: its file is not there or not whole; the message says what to do.
    """
    arrays, facts = checkpoints.load(path)
    rules = {tuple(map(int, pair)): tokens.FIRST_RULE + i for i, pair in enumerate(arrays.pop("rules"))}
    weights = {name: value.astype("float32") for name, value in arrays.items()}
    return Writer(weights, tokens.BytePairs(rules), facts)


class Writer:
    """A decoder-only transformer with its tokens; the weights are named as in ``lessons.transformer``.

    Args:
        weights: name → float32 array.
        pairs: the byte pairs that the model was trained with.
        facts: what is known of its training; ``heads`` and ``context`` are needed.
    """

    def __init__(self, weights: dict, pairs: tokens.BytePairs, facts: dict):
        self.weights, self.pairs, self.facts = weights, pairs, facts

    @property
    def parameters(self) -> int:
        """How many numbers it has learned."""
        return sum(value.size for value in self.weights.values())

    def logits(self, ids) -> np.ndarray:
        """Scores of the next token after each of the ids, (length,) → (length, vocabulary)."""
        w, heads = self.weights, self.facts["heads"]
        ids = np.asarray(ids)
        x = w["tokens"][ids]
        back = np.arange(len(ids))[:, None] - np.arange(len(ids))
        penalty = -(4.0 ** -np.arange(heads))[:, None, None] * back
        penalty = np.where(back >= 0, penalty, -1e9).astype("float32")
        for layer in range(sum(name.endswith(".qkv") for name in w)):
            gain1, shift1, qkv, out, gain2, shift2, up, down = (w[f"{layer}.{name}"] for name in BLOCK)
            q, k, v = (_norm(x, gain1, shift1) @ qkv).reshape(len(ids), 3, heads, -1).transpose(1, 2, 0, 3)
            attention = _softmax(q @ k.transpose(0, 2, 1) * q.shape[-1] ** -0.5 + penalty)
            x = x + (attention @ v).transpose(1, 0, 2).reshape(x.shape) @ out
            x = x + np.maximum(_norm(x, gain2, shift2) @ up, 0) ** 2 @ down
        return _norm(x, w["gain"], w["shift"]) @ w["tokens"].T + w["frequency"]

    def write(self, beginning: str, seed: int = 1, temperature: float = 0.4, max_tokens: int = MAX_TOKENS) -> str:
        """The beginning and what the model writes after it, up to the end of its text.

        Args:
            beginning: any text; only its last ``context`` tokens are read.
            seed: of the draws.
            temperature: 0 takes the likeliest token each time; larger is bolder.

        Raises:
            ValueError: the temperature is negative.
        """
        if temperature < 0:
            raise ValueError("The temperature is 0 or more: 0 takes the likeliest token each time.")
        random = np.random.default_rng(seed)
        ids = [0, *self.pairs.encode(beginning.replace(tokens.END, " "))]
        for _ in range(max_tokens):
            scores = self.logits(ids[-self.facts["context"] :])[-1].astype(float)
            if temperature == 0:
                new = int(scores.argmax())
            else:
                new = int(random.choice(len(scores), p=_softmax(scores / temperature)))
            if new == 0:  # the end of a text
                break
            ids.append(new)
        return self.pairs.decode(ids[1:])

    def shuffled(self, seed: int = 0) -> Writer:
        """The same model with the numbers of each array in a random order."""
        random = np.random.default_rng(seed)
        mixed = {name: random.permutation(value.ravel()).reshape(value.shape) for name, value in self.weights.items()}
        return Writer(mixed, self.pairs, self.facts)


def _norm(x, gain, shift):
    """Layer normalisation over the last axis."""
    x = x - x.mean(axis=-1, keepdims=True)
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5) * gain + shift


def _softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
