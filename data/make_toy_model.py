"""Make ``toy_model.gguf``: a tiny model of the kind that chapter 18 reads, for where the large one cannot be had.

    python data/make_toy_model.py        # about four minutes on two cores; writes data/toy_model.gguf

It is trained on two kinds of text: the prose of the course's own notebooks, and small conversations about numbers
("What is forty-two in digits?" "42"). Their answers are exact, so a program can judge what the model says.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from course_utils import data, session  # noqa: E402
from course_utils.files import write_whole  # noqa: E402
from course_utils.lessons import gguf, published  # noqa: E402

tf = session.quiet_tensorflow()

SEED = 18
MERGES = 509
WIDTH, LAYERS, HEADS, KEY_HEADS, HIDDEN = 96, 3, 6, 2, 256
CONTEXT, BATCH, STEPS, LEARNING_RATE = 128, 24, 4000, 4e-3
EPSILON, BASE = 1e-5, 10_000.0
MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MAX_NUMBER = 9_999
QUESTIONS = {  # how it is asked → the answer, of a number n in English words
    "What is {words} in digits?": lambda n: str(n),
    "Write {n} in words.": lambda n: data.to_english(n),
    "What comes after {n}?": lambda n: str(n + 1),
    "Write {words} in Chinese.": lambda n: data.to_chinese(n),
}


def prose() -> str:
    """The Markdown of the notebooks, without formulas, tables and links."""
    texts = []
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                text = "".join(cell["source"])
                text = re.sub(r"\$\$.*?\$\$|\$[^$]*\$|^\|.*$", " ", text, flags=re.DOTALL | re.MULTILINE)
                texts.append(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text))
    return "\n".join(texts)


def conversation(n: int, kind: str) -> list[dict]:
    """A question about a number and its answer."""
    question = kind.format(n=n, words=data.to_english(n))
    return [{"role": "user", "content": question}, {"role": "assistant", "content": QUESTIONS[kind](n)}]


def learn_merges(texts: list[str], count: int) -> list[tuple[str, str]]:
    """The pairs that are joined most often, one after the other (chapter 6)."""
    letters = published._byte_letters()
    words = Counter(piece for text in texts for piece in published._pieces().findall(text))
    words = [("".join(letters[b] for b in piece.encode()), n) for piece, n in words.items()]
    words, merges = [(list(word), n) for word, n in words], []
    for _ in range(count):
        pairs = Counter()
        for word, n in words:
            for pair in zip(word, word[1:], strict=False):
                pairs[pair] += n
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for word, _ in words:
            i = 0
            while i < len(word) - 1:
                if (word[i], word[i + 1]) == best:
                    word[i : i + 2] = ["".join(best)]
                i += 1
    return merges


def start_weights(vocabulary: int) -> dict[str, np.ndarray]:
    """Random weights under the names of the format."""
    random = np.random.default_rng(SEED)
    d = WIDTH // HEADS

    def matrix(rows, columns, scale=1.0):
        return (random.normal(size=(rows, columns)) * scale / np.sqrt(columns)).astype(np.float32)

    weights = {"token_embd.weight": matrix(vocabulary, WIDTH), "output_norm.weight": np.ones(WIDTH, np.float32)}
    for i in range(LAYERS):
        shapes = {
            "attn_q": (WIDTH, WIDTH), "attn_k": (KEY_HEADS * d, WIDTH), "attn_v": (KEY_HEADS * d, WIDTH),
            "attn_output": (WIDTH, WIDTH),
            "ffn_gate": (HIDDEN, WIDTH), "ffn_up": (HIDDEN, WIDTH), "ffn_down": (WIDTH, HIDDEN),
        }  # fmt: skip
        for name, shape in shapes.items():
            weights[f"blk.{i}.{name}.weight"] = matrix(*shape, 0.3 if name in ("attn_output", "ffn_down") else 1.0)
        weights |= {f"blk.{i}.{name}_norm.weight": np.ones(WIDTH, np.float32) for name in ("attn", "ffn")}
    return weights


def logits_of(w: dict, ids):
    """The same network as ``published.Model``, in TensorFlow: ids (B, T) → logits (B, T, vocabulary)."""
    T, d = ids.shape[1], WIDTH // HEADS
    angles = np.arange(T)[:, None] * BASE ** (-np.arange(0, d, 2) / d)
    cos, sin = (f(angles)[:, None].astype(np.float32) for f in (np.cos, np.sin))
    mask = np.triu(np.full((T, T), -1e9, np.float32), k=1)

    def norm(x, weight):
        return x * tf.math.rsqrt(tf.reduce_mean(x * x, -1, keepdims=True) + EPSILON) * weight

    def rotate(x):
        a, b = x[..., ::2], x[..., 1::2]
        return tf.reshape(tf.stack([a * cos - b * sin, a * sin + b * cos], -1), tf.shape(x))

    def heads(x, count):
        return tf.reshape(x, (-1, T, count, d))

    x = tf.gather(w["token_embd.weight"], ids)
    for i in range(LAYERS):
        get = lambda name, i=i: w[f"blk.{i}.{name}.weight"]  # noqa: E731
        h = norm(x, get("attn_norm"))
        q = rotate(heads(h @ tf.transpose(get("attn_q")), HEADS))
        k = rotate(heads(h @ tf.transpose(get("attn_k")), KEY_HEADS))
        v = heads(h @ tf.transpose(get("attn_v")), KEY_HEADS)
        k, v = (tf.repeat(z, HEADS // KEY_HEADS, axis=2) for z in (k, v))
        scores = tf.einsum("bthd,bshd->bhts", q, k) / np.sqrt(d).astype(np.float32) + mask
        mixed = tf.reshape(tf.einsum("bhts,bshd->bthd", tf.nn.softmax(scores), v), (-1, T, WIDTH))
        x += mixed @ tf.transpose(get("attn_output"))
        h = norm(x, get("ffn_norm"))
        hidden = tf.nn.silu(h @ tf.transpose(get("ffn_gate"))) * (h @ tf.transpose(get("ffn_up")))
        x += hidden @ tf.transpose(get("ffn_down"))
    return norm(x, w["output_norm.weight"]) @ tf.transpose(w["token_embd.weight"])


def pieces_of_training(tokenizer, random):
    """An endless stream of batches (B, T + 1): half prose, half conversations."""
    text = np.array(tokenizer.encode(prose()))
    kinds, end = list(QUESTIONS), tokenizer.marks[MARKS[2]]
    newline = tokenizer.encode("\n")
    while True:
        rows = []
        for i in range(BATCH):
            if i % 2:
                begin = random.integers(len(text) - CONTEXT - 1)
                rows.append(text[begin : begin + CONTEXT + 1])
                continue
            row = []
            while len(row) <= CONTEXT:
                turns = conversation(draw_number(random), kinds[random.integers(len(kinds))])
                answer = tokenizer.encode(turns[1]["content"])
                row += [*published.chat_ids(tokenizer, turns[:1]), *answer, end, *newline]
            rows.append(np.array(row[: CONTEXT + 1]))
        yield np.stack(rows).astype(np.int32)


def is_held_out(n: int) -> bool:
    """One number in ten is never asked in training."""
    return n * 7919 % 10 == 3


def draw_number(random) -> int:
    """A number with one to four digits, each length as likely as the others, that is not held out."""
    while True:
        n = int(random.integers(10 ** random.integers(1, 5)))
        if n <= MAX_NUMBER and not is_held_out(n):
            return n


def train(w: dict, batches) -> None:
    """Adam with a warm-up and a cosine; changes the variables."""
    first = {name: tf.Variable(tf.zeros_like(v)) for name, v in w.items()}
    second = {name: tf.Variable(tf.zeros_like(v)) for name, v in w.items()}

    @tf.function(jit_compile=True)
    def step(batch, rate, t):
        with tf.GradientTape() as tape:
            logits = logits_of(w, batch[:, :-1])
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(batch[:, 1:], logits))
        for name, g in zip(w, tape.gradient(loss, list(w.values())), strict=True):
            g = tf.clip_by_norm(tf.convert_to_tensor(g), 1.0)
            first[name].assign(0.9 * first[name] + 0.1 * g)
            second[name].assign(0.99 * second[name] + 0.01 * g * g)
            change = first[name] / (1 - 0.9**t) / (tf.sqrt(second[name] / (1 - 0.99**t)) + 1e-8)
            w[name].assign_sub(rate * change)
        return loss

    for t in range(1, STEPS + 1):
        rate = LEARNING_RATE * min(t / 100, 1) * (1 + np.cos(np.pi * t / STEPS)) / 2
        loss = step(next(batches), tf.constant(rate, tf.float32), tf.constant(t, tf.float32))
        if t % 200 == 0:
            print(f"step {t} of {STEPS}: loss {float(loss):.3f}", flush=True)


def main() -> None:
    random = np.random.default_rng(SEED)
    kinds = list(QUESTIONS)
    talk = [turn["content"] for _ in range(3000)
            for turn in conversation(draw_number(random), kinds[random.integers(len(kinds))])]  # fmt: skip
    merges = learn_merges([prose(), *talk, "user assistant system"], MERGES)
    tokens = MARKS + sorted(published._byte_letters()) + ["".join(pair) for pair in merges]
    kinds_of_tokens = [3] * len(MARKS) + [1] * (len(tokens) - len(MARKS))
    tokenizer = published.Tokenizer(tokens, merges, list(range(len(MARKS))))
    w = {name: tf.Variable(value) for name, value in start_weights(len(tokens)).items()}
    train(w, pieces_of_training(tokenizer, random))
    settings = {
        "general.architecture": "llama", "general.name": "Toy of the course", "general.license": "mit",
        "llama.block_count": LAYERS, "llama.context_length": 512, "llama.embedding_length": WIDTH,
        "llama.feed_forward_length": HIDDEN, "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KEY_HEADS, "llama.attention.layer_norm_rms_epsilon": EPSILON,
        "llama.rope.freq_base": BASE, "llama.vocab_size": len(tokens), "llama.rope.dimension_count": WIDTH // HEADS,
        "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm", "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": kinds_of_tokens, "tokenizer.ggml.merges": [" ".join(pair) for pair in merges],
        "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2,
    }  # fmt: skip
    # As in the published file: the embedding in 8 bits, the other matrices in 4, the short rows of the norms whole.
    form = {"token_embd.weight": "Q8_0"}
    tensors = {
        name: (form.get(name, "F32" if value.shape.ndims == 1 else "Q4_1"), value.numpy()) for name, value in w.items()
    }
    path = ROOT / "data" / "toy_model.gguf"
    write_whole(path, gguf.to_bytes(settings, tensors))
    print(f"{path.name}: {path.stat().st_size:,} bytes")
    judge(published.Model(gguf.File(path)))


def judge(model) -> None:
    """How many questions about held-out numbers the written file answers exactly."""
    random = np.random.default_rng(1)
    for kind in QUESTIONS:
        numbers = [n for n in random.permutation(MAX_NUMBER) if is_held_out(n)][:50]
        right = 0
        for n in map(int, numbers):
            question, answer = conversation(n, kind)
            ids = published.chat_ids(model.tokenizer, [question])
            said = model.tokenizer.decode(published.generate(model, ids, random, most=60))
            right += said == answer["content"]
        print(f"{kind:30} {right} of {len(numbers)}")


if __name__ == "__main__":
    main()
