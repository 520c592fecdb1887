"""A published language model of the Llama family in NumPy: tokenizer, network, cache, chat.

Chapter 18 builds it piece by piece; this is the finished form, which the chapter talks to before it takes it apart.
Sources: Touvron and others (2023), https://arxiv.org/abs/2302.13971; RMSNorm, https://arxiv.org/abs/1910.07467;
rotary positions, https://arxiv.org/abs/2104.09864; grouped queries, https://arxiv.org/abs/2305.13245.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from course_utils.lessons.gguf import File, NotReadable

NEEDED = ("block_count", "embedding_length", "attention.head_count", "attention.layer_norm_rms_epsilon")
CONTROL = 3  # the type of a token that is a mark and no text


# ------------------------------------------------------------------------------------------ tokenizer


@lru_cache(1)
def _byte_letters() -> list[str]:
    """A printable letter for each byte: the byte's own where it is printable, else one from 256 on (GPT-2's table)."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = iter(range(256, 512))
    return [chr(byte if byte in own else next(rest)) for byte in range(256)]


@lru_cache(1)
def _pieces() -> re.Pattern:
    """Where byte pairs may not join: each digit alone; a word with the space before it; signs; white space."""
    digits = "".join(map(chr, (c for c in range(sys.maxunicode) if unicodedata.category(chr(c))[0] == "N")))
    number = f"[{re.escape(digits)}]"
    letter, sign = rf"(?!{number})[^\W_]", rf"(?!{number})(?:[^\s\w]|_)"
    space = rf"\s+(?=$|{number})|\s+(?!\S)|\s+"
    return re.compile(rf"{number}|'(?:s|t|re|ve|m|ll|d)| ?(?:{letter})+| ?(?:{sign})+|{space}")


class Tokenizer:
    """Text → token ids and back, by byte pairs.

    Args:
        tokens: the text of each token, its bytes written as printable letters.
        merges: pairs of tokens in the order in which they were learned.
        marks: ids of the tokens that are marks of the chat and no text.
    """

    def __init__(self, tokens: list[str], merges: list[tuple[str, str]], marks: list[int]):
        self.tokens, self.marks = tokens, {tokens[i]: i for i in marks}
        self._ids = {token: i for i, token in enumerate(tokens)}
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._bytes = {letter: byte for byte, letter in enumerate(_byte_letters())}
        self._split = re.compile("|".join(map(re.escape, self.marks)) or r"(?!)")
        self._join = lru_cache(50_000)(self._joined)

    def encode(self, text: str, marks: bool = False) -> list[int]:
        """The ids of a text.

        Args:
            marks: read ``<|im_start|>`` and the like as the marks that they are; without it they are text, so that
                nobody who types them can end his own turn of a chat.
        """
        if not marks:
            return self._plain(text)
        ids, begin = [], 0
        for mark in self._split.finditer(text):
            ids += [*self._plain(text[begin : mark.start()]), self.marks[mark.group()]]
            begin = mark.end()
        return ids + self._plain(text[begin:])

    def _plain(self, text: str) -> list[int]:
        letters = _byte_letters()
        pieces = ("".join(letters[b] for b in piece.encode("utf-8", "replace")) for piece in _pieces().findall(text))
        return [i for piece in pieces for i in self._join(piece)]

    def _joined(self, piece: str) -> tuple[int, ...]:
        """Join the pair that was learned first, again and again, until no known pair is left."""
        parts = list(piece)
        while len(parts) > 1:
            ranks = [self._ranks.get(pair, len(self._ranks)) for pair in zip(parts, parts[1:], strict=False)]
            best = min(ranks)
            if best == len(self._ranks):
                break
            i = ranks.index(best)
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        return tuple(self._ids[part] for part in parts)

    def bytes_of(self, i: int) -> bytes:
        """The bytes that a token stands for; none for a mark."""
        token = self.tokens[i]
        return b"" if token in self.marks else bytes(self._bytes[letter] for letter in token if letter in self._bytes)

    def decode(self, ids) -> str:
        """The text of ids, without marks; bytes that are no whole letter become �."""
        return b"".join(map(self.bytes_of, map(int, ids))).decode("utf-8", "replace")


# -------------------------------------------------------------------------------------------- network


def rms_norm(x: np.ndarray, weight: np.ndarray, epsilon: float) -> np.ndarray:
    """x (..., d) divided by its root mean square over d, times weight (d,)."""
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + epsilon) * weight


def rotate(x: np.ndarray, positions: np.ndarray, base: float) -> np.ndarray:
    """Rotary positions: turn each pair of neighbouring numbers of x (T, heads, d) by its position times a speed."""
    d = x.shape[-1]
    angles = positions[:, None] * base ** (-np.arange(0, d, 2) / d)
    cos, sin = (f(angles)[:, None].astype(np.float32) for f in (np.cos, np.sin))
    turned = np.empty_like(x)
    turned[..., ::2] = x[..., ::2] * cos - x[..., 1::2] * sin
    turned[..., 1::2] = x[..., ::2] * sin + x[..., 1::2] * cos
    return turned


def softmax(x: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attend(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Causal attention in which several query heads share a key head.

    Args:
        q: (T, heads, d), the last T of S positions.
        k, v: (S, key heads, d); the number of heads is a multiple of the number of key heads.

    Returns:
        (T, heads · d).
    """
    T, heads, d = q.shape
    S, groups = k.shape[:2]
    q = q.reshape(T, groups, heads // groups, d).transpose(1, 2, 0, 3)  # groups, share, T, d
    scores = q @ k.transpose(1, 2, 0)[:, None] / np.float32(np.sqrt(d))
    scores += np.triu(np.full((T, S), -np.inf, np.float32), k=S - T + 1)
    mixed = softmax(scores) @ v.transpose(1, 0, 2)[:, None]
    return mixed.transpose(2, 0, 1, 3).reshape(T, heads * d)


def silu(x: np.ndarray) -> np.ndarray:
    """x times its sigmoid."""
    return x / (1 + np.exp(-np.clip(x, -80, 80)))


@dataclass
class Cache:
    """The keys and values of all positions that the network has read, a pair (S, key heads, d) for each layer."""

    layers: list = field(default_factory=list)

    @property
    def length(self) -> int:
        """How many positions are in it."""
        return len(self.layers[0][0]) if self.layers else 0

    def extend(self, layer: int, k: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Append the keys and values of new positions; returns all of the layer."""
        if layer == len(self.layers):
            self.layers.append((k, v))
        else:
            before = self.layers[layer]
            self.layers[layer] = tuple(np.concatenate(pair) for pair in zip(before, (k, v), strict=True))
        return self.layers[layer]


class Model:
    """A model of the Llama family, its weights in float32.

    Args:
        file: the opened model file.

    Raises:
        NotReadable: the file holds another kind of model, or tensors that do not fit its settings.
    """

    def __init__(self, file: File):
        self.file = file
        kind = file.settings.get("general.architecture")
        if kind != "llama":
            raise NotReadable(
                f"{file.path.name} holds a model of the kind {kind!r}; the course reads the kind 'llama'."
            )
        missing = [name for name in NEEDED if f"llama.{name}" not in file.settings]
        if missing:
            raise NotReadable(f"{file.path.name} does not say its {missing[0].replace('_', ' ')}.")
        get = lambda name, default=None: file.settings.get(f"llama.{name}", default)  # noqa: E731
        self.layers, self.width = get("block_count"), get("embedding_length")
        self.heads = get("attention.head_count")
        self.key_heads = get("attention.head_count_kv", self.heads)
        self.epsilon, self.base = get("attention.layer_norm_rms_epsilon"), get("rope.freq_base", 10_000.0)
        self.context = get("context_length", 2048)
        self._check()
        self.embedding = file.weights("token_embd.weight")
        self.blocks = [self._block(i) for i in range(self.layers)]
        self.norm = file.weights("output_norm.weight")
        self.head = file.weights("output.weight") if "output.weight" in file.tensors else self.embedding

    def _check(self) -> None:
        whole = all(type(n) is int and n > 0 for n in (self.layers, self.width, self.heads, self.key_heads))
        if not whole or self.width % self.heads or self.heads % self.key_heads:
            raise NotReadable(f"{self.file.path.name} is damaged: its sizes do not fit each other.")
        d = self.width // self.heads
        expected = {"attn_q": (self.width, self.width), "attn_k": (self.key_heads * d, self.width)}
        for i in range(self.layers):
            for name, shape in expected.items():
                found = self.file.tensors.get(f"blk.{i}.{name}.weight")
                if found is None or found.shape != shape:
                    raise NotReadable(
                        f"{self.file.path.name} is damaged: layer {i} has no {name} of the shape {shape}."
                    )

    def _block(self, i: int) -> dict[str, np.ndarray]:
        names = ("attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down")
        return {name: self.file.weights(f"blk.{i}.{name}.weight") for name in names}

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that the file carries. Raises NotReadable where it is of another kind."""
        get = self.file.settings.get
        tokens, merges = get("tokenizer.ggml.tokens"), get("tokenizer.ggml.merges")
        if get("tokenizer.ggml.model") != "gpt2" or not tokens or merges is None or len(tokens) != len(self.embedding):
            raise NotReadable(f"{self.file.path.name} has no tokenizer of byte pairs that fits its embedding.")
        kinds = get("tokenizer.ggml.token_type") or [1] * len(tokens)
        marks = [i for i, kind in enumerate(kinds) if kind == CONTROL]
        return Tokenizer(tokens, [tuple(pair.split(" ", 1)) for pair in merges], marks)

    def states(self, ids, cache: Cache | None = None, layers: int | None = None) -> np.ndarray:
        """What the network makes of tokens: (T, width) after so many layers, before the last norm.

        Args:
            ids: T token ids, which follow what is in the cache.
            cache: read and extended in place.
            layers: stop after this layer; None means all.
        """
        cache = Cache() if cache is None else cache
        begin = cache.length
        x = self.embedding[np.asarray(ids, int)]
        positions = np.arange(begin, begin + len(x))
        for i, block in enumerate(self.blocks[:layers]):
            x = x + self._attention(rms_norm(x, block["attn_norm"], self.epsilon), block, i, positions, cache)
            h = rms_norm(x, block["ffn_norm"], self.epsilon)
            x = x + (silu(h @ block["ffn_gate"].T) * (h @ block["ffn_up"].T)) @ block["ffn_down"].T
        return x

    def _attention(self, h, block, layer, positions, cache):
        T, d = len(h), self.width // self.heads
        q = rotate((h @ block["attn_q"].T).reshape(T, self.heads, d), positions, self.base)
        k = rotate((h @ block["attn_k"].T).reshape(T, self.key_heads, d), positions, self.base)
        v = (h @ block["attn_v"].T).reshape(T, self.key_heads, d)
        return attend(q, *cache.extend(layer, k, v)) @ block["attn_output"].T

    def logits(self, ids, cache: Cache | None = None, last: bool = True) -> np.ndarray:
        """Scores of the next token: (vocabulary,) after the last of the ids, or (T, vocabulary) after each.

        Raises:
            ValueError: there are no ids, so nothing to continue.
        """
        if len(ids) == 0:
            raise ValueError("The model continues a text: give it at least one token.")
        x = self.states(ids, cache)
        return rms_norm(x[-1] if last else x, self.norm, self.epsilon) @ self.head.T


# ----------------------------------------------------------------------------------------------- chat


def chat_text(messages: list[dict], system: str = "") -> str:
    """A conversation as the model was trained to read it, up to where its answer begins.

    Args:
        messages: dictionaries with ``role`` ("user" or "assistant") and ``content``, in order.
        system: what the model is told first; may be empty.
    """
    turns = ([{"role": "system", "content": system}] if system else []) + messages
    text = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in turns)
    return text + "<|im_start|>assistant\n"


def chat_ids(tokenizer: Tokenizer, messages: list[dict], system: str = "") -> list[int]:
    """``chat_text`` as ids; marks that somebody has typed into a message stay text."""
    newline = tokenizer.encode("\n")
    start, end = (tokenizer.marks[mark] for mark in ("<|im_start|>", "<|im_end|>"))
    ids = []
    for turn in ([{"role": "system", "content": system}] if system else []) + messages:
        ids += [start, *tokenizer.encode(f"{turn['role']}\n{turn['content']}"), end, *newline]
    return [*ids, start, *tokenizer.encode("assistant\n")]


def generate(model: Model, ids: list[int], random, temperature: float = 0.0, p: float = 1.0, most: int = 200,
             cache: Cache | None = None) -> Iterator[int]:  # fmt: skip
    """Token after token, until the model ends its turn, or ``most`` tokens, or a full context.

    Args:
        ids: what the model reads first; at least one.
        random: a NumPy generator.
        temperature: 0 takes the likeliest token each time.
        p: sample among the likeliest tokens that have this probability together.
        cache: continue after what is in it.
    """
    cache = Cache() if cache is None else cache
    ends = {model.tokenizer.marks.get(mark) for mark in ("<|im_end|>", "<|endoftext|>")}
    for _ in range(most):
        if cache.length + len(ids) > model.context:
            return
        logits = model.logits(ids, cache)
        token = int(logits.argmax()) if temperature == 0 else sample(logits / temperature, p, random)
        if token in ends:
            return
        yield token
        ids = [token]


def sample(logits: np.ndarray, p: float, random) -> int:
    """One token of the likeliest ones that have the probability p together."""
    order = np.argsort(-logits)
    probability = softmax(logits[order].astype(np.float64))
    kept = int(np.searchsorted(np.cumsum(probability), p)) + 1
    return int(order[random.choice(kept, p=probability[:kept] / probability[:kept].sum())])
