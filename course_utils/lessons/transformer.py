"""The decoder-only transformer of chapter 13, for chapters that build on it.

Weights are a dictionary: ``tokens`` (vocabulary, width), which serves at the entrance and, transposed, at the exit;
``frequency`` (vocabulary,), the bias of the scores; for each layer l ``l.qkv`` (width, 3 width), ``l.out``
(width, width), ``l.up`` (width, 4 width), ``l.down`` (4 width, width) and the gains and shifts of its two norms;
``gain`` and ``shift`` of the last norm. Places are told apart by a penalty on distance, a factor for each head (Press
and others, 2022).
"""

from __future__ import annotations

import numpy as np

from course_utils import session

tf = session.quiet_tensorflow()

_BLOCK = ("gain1", "shift1", "qkv", "out", "gain2", "shift2", "up", "down")


def start_weights(counts, width: int, layers: int, seed: int) -> dict[str, np.ndarray]:
    """Weights to start training from, float32; the same for the same seed.

    Args:
        counts: how often each token of the vocabulary occurs, (vocabulary,): the model begins with their frequencies.
    """
    random, counts = np.random.default_rng(seed), np.asarray(counts, float) + 0.5

    def draw(rows, columns, spread):
        return random.normal(0, spread, (rows, columns)).astype("float32")

    weights = {"tokens": draw(len(counts), width, 0.02)}
    weights["frequency"] = np.log(counts / counts.sum()).astype("float32")
    for layer in range(layers):
        new = {
            "qkv": draw(width, 3 * width, width**-0.5),
            "out": draw(width, width, (2 * layers * width) ** -0.5),
            "up": draw(width, 4 * width, width**-0.5),
            "down": draw(4 * width, width, (8 * layers * width) ** -0.5),
        }
        for number in (1, 2):
            new |= {f"gain{number}": np.ones(width, "float32"), f"shift{number}": np.zeros(width, "float32")}
        weights |= {f"{layer}.{name}": value for name, value in new.items()}
    return weights | {"gain": np.ones(width, "float32"), "shift": np.zeros(width, "float32")}


def norm(x, gain, shift):
    """Layer normalisation over the last axis."""
    x = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    return x * tf.math.rsqrt(tf.reduce_mean(x * x, axis=-1, keepdims=True) + 1e-5) * gain + shift


def distance_penalty(length: int, heads: int) -> np.ndarray:
    """What is added to the scores, (heads, length, length): -4^(-head) a step back; never a look ahead."""
    back = np.arange(length)[:, None] - np.arange(length)
    penalty = -(4.0 ** -np.arange(heads))[:, None, None] * back
    return np.where(back >= 0, penalty, -1e9).astype("float32")


def _block(x, parts, heads, product):
    gain1, shift1, qkv, out, gain2, shift2, up, down = parts
    length, width = x.shape[-2:]
    split = tf.split(product(norm(x, gain1, shift1), qkv), 3, axis=-1)
    split = [tf.transpose(tf.reshape(s, (-1, length, heads, width // heads)), (0, 2, 1, 3)) for s in split]
    queries, keys, values = split
    scores = product(queries, tf.transpose(keys, (0, 1, 3, 2))) * (width // heads) ** -0.5
    mixed = product(tf.nn.softmax(scores + distance_penalty(length, heads)), values)
    x = x + product(tf.reshape(tf.transpose(mixed, (0, 2, 1, 3)), (-1, length, width)), out)
    return x + product(tf.nn.relu(product(norm(x, gain2, shift2), up)) ** 2, down)


def logits(weights: dict, ids, heads: int, recompute: bool = False, compute: str = "float32"):
    """Scores of the next token, (batch, length, vocabulary), from ids (batch, length).

    Args:
        weights: as ``start_weights`` gives them, or variables of these shapes.
        heads: a divisor of the width.
        recompute: keep only what enters each block for the backward pass, and compute its inside again there.
        compute: the kind of number in matrix products, ``"float32"`` or ``"bfloat16"``; all else is float32.

    Raises:
        ValueError: the width is not a multiple of the heads.
    """
    width = weights["tokens"].shape[1]
    if width % heads:
        raise ValueError(f"A width of {width} cannot be split among {heads} heads: choose a divisor of the width.")

    def product(a, b):
        return tf.cast(tf.matmul(tf.cast(a, compute), tf.cast(b, compute)), tf.float32)

    def block(x, *parts):
        return _block(x, parts, heads, product)

    if recompute:
        block = tf.recompute_grad(block)
    x = tf.gather(weights["tokens"], ids)
    for layer in range(sum(name.endswith(".qkv") for name in weights)):
        x = block(x, *(tf.convert_to_tensor(weights[f"{layer}.{name}"]) for name in _BLOCK))
    x = norm(x, weights["gain"], weights["shift"])
    return product(x, tf.transpose(weights["tokens"])) + weights["frequency"]


def loss(weights: dict, ids, heads: int, recompute: bool = False, compute: str = "float32"):
    """Mean loss in nats of ids (batch, length + 1): each token but the first is predicted from those before it."""
    scores = logits(weights, ids[:, :-1], heads, recompute, compute)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(ids[:, 1:], scores))
