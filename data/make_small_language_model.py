"""Train ``small_language_model.checkpoint``: a transformer of chapter 13's form that writes lines of documentation.

    python data/make_small_language_model.py [FILE] [STEPS]

It reads prose from the documentation strings of the packages that the course installs, and takes about half an hour
on two cores. The model is stored with 16 bits a weight, with its rules for byte pairs and with what it was given;
``course_utils.lessons.writer`` loads it.
"""

import itertools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from course_utils import session
from course_utils.data import docstrings
from course_utils.lessons import checkpoints, tokens, transformer
from course_utils.progress_bar import ProgressBar

tf = session.quiet_tensorflow()
import keras  # noqa: E402  (only after TensorFlow has been loaded quietly)

PACKAGES = docstrings.PACKAGES | docstrings.OTHERS | {"Keras": "keras", "TensorFlow": "tensorflow"}
SHORTEST, LONGEST = 30, 400  # characters of a text
LETTERS_SHARE = 0.93  # of what is not a space
VALIDATION_SHARE = 0.05
MERGES, WIDTH, LAYERS, HEADS, CONTEXT = 512, 128, 2, 4, 128
BATCH, STEPS, WARMUP_STEPS, RATE, DECAY = 16, 6000, 200, 4e-3, 0.1
SEED = 0
_WORD = re.compile(r"[A-Za-z][a-z]+")
_ROLE = re.compile(r":\w+:`~?([^`<]*?)(?: <[^`]*>)?`")  # :class:`Figure` is written as Figure
_NO_PROSE = re.compile(r"https?:|>>>|::|\.\.|--|[=\\|_{}<>\[\]#@^]|:\w+:|\bpp\.|\bet al|\bdoi\b|\w\.\w")


def prose(text: str) -> Iterator[str]:
    """Sentences of a documentation string, a block of equal indentation at a time; no code, no lists, no references."""
    for indent, lines in itertools.groupby(text.splitlines(), key=_indent):
        line = _ROLE.sub(r"\1", " ".join(" ".join(lines).split())).replace("`", "").replace("*", "")
        if indent is None or not SHORTEST <= len(line) <= LONGEST or not line.isascii() or _NO_PROSE.search(line):
            continue
        letters = sum(map(len, _WORD.findall(line))) / len(line.replace(" ", ""))
        if re.match(r"[A-Z][a-z]* [a-z]", line) and line.endswith(".") and letters >= LETTERS_SHARE:
            yield line


def _indent(line: str) -> int | None:
    return len(line) - len(line.lstrip()) if line.strip() else None


def texts() -> list[str]:
    """All texts, each once, in an order drawn with a fixed seed."""
    found = dict.fromkeys(
        line for package in PACKAGES.values() for _, text in docstrings._read(package) for line in prose(text)
    )
    found = list(found)
    return [found[i] for i in np.random.default_rng(SEED).permutation(len(found))]


def bits_per_character(weights: dict, ids: np.ndarray, characters: int) -> float:
    """Mean over pieces of a text, cut one after the other."""
    pieces = ids[: len(ids) // (CONTEXT + 1) * (CONTEXT + 1)].reshape(-1, CONTEXT + 1)
    nats = float(np.mean([transformer.loss(weights, part, HEADS) for part in np.array_split(pieces, 8)]))
    return nats / np.log(2) * len(ids) / characters


def train(ids: np.ndarray, vocabulary: int, steps: int) -> dict[str, np.ndarray]:
    """Weights after so many steps of AdamW; the rate rises for a while and then falls along a cosine."""
    start = transformer.start_weights(np.bincount(ids, minlength=vocabulary), WIDTH, LAYERS, SEED)
    weights = {name: tf.Variable(value) for name, value in start.items()}
    schedule = keras.optimizers.schedules.CosineDecay(0.0, steps - WARMUP_STEPS, 0.0, "cosine", RATE, WARMUP_STEPS)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=DECAY, beta_2=0.98, global_clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_list=[v for v in weights.values() if len(v.shape) < 2])
    optimizer.build(list(weights.values()))

    @tf.function(jit_compile=True)
    def step(batch):
        with tf.GradientTape() as tape:
            loss = transformer.loss(weights, batch, HEADS)
        gradients = tape.gradient(loss, list(weights.values()))
        optimizer.apply_gradients(zip(gradients, weights.values(), strict=True))
        return loss

    random, bar, mean = np.random.default_rng(SEED), ProgressBar("small language model"), 0.0
    for done in range(steps):
        begins = random.integers(0, len(ids) - CONTEXT, BATCH)
        mean += (float(step(tf.constant(ids[begins[:, None] + np.arange(CONTEXT + 1)]))) - mean) / min(done + 1, 100)
        if done % 50 == 0:
            bar.update(done / steps, f"step {done:,}, loss {mean:.3f}")
    bar.close()
    return {name: value.numpy() for name, value in weights.items()}


def main(file: Path, steps: int) -> None:
    lines = texts()
    held_out = round(VALIDATION_SHARE * len(lines))
    validation, training = (tokens.END.join(["", *part, ""]) for part in (lines[:held_out], lines[held_out:]))
    pairs = tokens.BytePairs.learn(training, MERGES)
    ids = pairs.encode(training)
    weights = train(ids, len(pairs), steps)
    stored = {name: value.astype("float16") for name, value in weights.items()}
    measured = bits_per_character(
        {name: value.astype("float32") for name, value in stored.items()}, pairs.encode(validation), len(validation)
    )
    facts = {
        "heads": HEADS,
        "context": CONTEXT,
        "packages": list(PACKAGES),
        "texts": len(lines) - held_out,
        "characters": len(training),
        "steps": steps,
        "tokens_read": steps * BATCH * CONTEXT,
        "bits_per_character": round(float(measured), 3),
    }
    rules = np.array([pair for pair in pairs.rules], dtype="uint16")
    checkpoints.save(file, stored | {"rules": rules}, facts)
    print(facts, f"{file.stat().st_size:,} bytes")


if __name__ == "__main__":
    chosen = sys.argv[1:] + [Path(__file__).with_name("small_language_model.checkpoint"), STEPS][len(sys.argv) - 1 :]
    main(Path(chosen[0]), int(chosen[1]))
