"""Read a model file in the GGUF format, version 3: its settings, its table of tensors, its blocks of few bits.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Chapter 18 writes the same reader step by step.
Every length in the file is compared with the file's size before anything is read or allocated.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MAGIC = b"GGUF"
VERSION = 3
MAX_DIMENSIONS = 4
MAX_LIST_DEPTH = 2
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
STRING, LIST = 8, 9


class NotReadable(ValueError):
    """The file is damaged, or of a kind that the course does not read; the text says which."""


# ------------------------------------------------------------------------------------- blocks of weights


def _float32(raw: np.ndarray) -> np.ndarray:
    return raw.view("<f4")


def _float16(raw: np.ndarray) -> np.ndarray:
    return raw.view("<f2").astype(np.float32)


def _q8_0(raw: np.ndarray) -> np.ndarray:
    """32 numbers in 34 bytes: a scale d (float16), then 32 signed bytes q. The number is d · q."""
    blocks = raw.reshape(-1, 34)
    d = blocks[:, :2].copy().view("<f2").astype(np.float32)
    return d * blocks[:, 2:].view(np.int8)


def _q4_0(raw: np.ndarray) -> np.ndarray:
    """32 numbers in 18 bytes: a scale d, then 16 bytes of two numbers q from 0 to 15. The number is d · (q - 8)."""
    blocks = raw.reshape(-1, 18)
    d = blocks[:, :2].copy().view("<f2").astype(np.float32)
    return d * (_halves(blocks[:, 2:]) - np.float32(8))


def _q4_1(raw: np.ndarray) -> np.ndarray:
    """32 numbers in 20 bytes: a scale d and a minimum m, then 16 bytes of two numbers q. The number is d · q + m."""
    blocks = raw.reshape(-1, 20)
    d, m = (blocks[:, i : i + 2].copy().view("<f2").astype(np.float32) for i in (0, 2))
    return d * _halves(blocks[:, 4:]) + m


def _halves(packed: np.ndarray) -> np.ndarray:
    """The low halves of 16 bytes, then the high halves: (blocks, 16) of bytes → (blocks, 32) of 0 to 15."""
    return np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)


@dataclass(frozen=True)
class Block:
    """How a kind of tensor is stored: so many numbers in so many bytes."""

    name: str
    numbers: int
    size: int
    decode: object


BLOCKS = {
    0: Block("F32", 1, 4, _float32),
    1: Block("F16", 1, 2, _float16),
    2: Block("Q4_0", 32, 18, _q4_0),
    3: Block("Q4_1", 32, 20, _q4_1),
    8: Block("Q8_0", 32, 34, _q8_0),
}


# ------------------------------------------------------------------------------------------- the file


@dataclass(frozen=True)
class Tensor:
    """One row of the file's table.

    Attributes:
        name: such as ``blk.0.attn_q.weight``.
        shape: as NumPy has it, rows first (the file has the last dimension first).
        block: how the numbers are stored.
        begin: where the first byte stands in the file.
    """

    name: str
    shape: tuple[int, ...]
    block: Block
    begin: int

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return math.prod(self.shape) // self.block.numbers * self.block.size


class File:
    """A model file: ``settings`` (name → value) and ``tensors`` (name → Tensor), read at once; weights on request.

    Args:
        path: the file.

    Raises:
        NotReadable: it is damaged or of another kind; the text says what is wrong.
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        size = self.path.stat().st_size
        if size < 24:
            raise NotReadable(f"{self.path.name} is too short to be a model file: {size} bytes.")
        with self.path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._at = 0
        self._header()

    def _header(self) -> None:
        if self._take(4) != MAGIC:
            raise NotReadable(f"{self.path.name} is no GGUF file: it does not begin with the letters GGUF.")
        version = self._scalar("<I")
        if version != VERSION:
            big_endian = struct.unpack(">I", struct.pack("<I", version))[0] == VERSION
            why = "its bytes are in the other order (big-endian)" if big_endian else f"it is of version {version}"
            raise NotReadable(f"{self.path.name} cannot be read: {why}; the course reads version {VERSION}.")
        tensors, settings = self._scalar("<Q"), self._scalar("<Q")
        self._enough(tensors, 24, "tensors")
        self._enough(settings, 13, "settings")
        self.settings = dict(self._setting() for _ in range(settings))
        if self.settings.get("split.count", 1) not in (0, 1):
            raise NotReadable(f"{self.path.name} is one part of several: join the parts into one file first.")
        self._table(tensors)

    def _setting(self) -> tuple[str, object]:
        name = self._string()
        return name, self._value(self._scalar("<I"))

    def _value(self, kind: int, depth: int = 0):
        if kind in SCALARS:
            return self._scalar(SCALARS[kind])
        if kind == STRING:
            return self._string()
        if kind == LIST and depth < MAX_LIST_DEPTH:
            inner, length = self._scalar("<I"), self._scalar("<Q")
            if inner in SCALARS:
                return list(struct.unpack(f"<{length}{SCALARS[inner][1]}", self._list_bytes(length, inner)))
            self._enough(length, 8, "entries of a list")
            return [self._value(inner, depth + 1) for _ in range(length)]
        raise NotReadable(f"{self.path.name} is damaged: a setting has the unknown type {kind}.")

    def _list_bytes(self, length: int, inner: int) -> bytes:
        self._enough(length, struct.calcsize(SCALARS[inner]), "entries of a list")
        return self._take(length * struct.calcsize(SCALARS[inner]))

    def _table(self, count: int) -> None:
        rows = [self._row() for _ in range(count)]
        align = self.settings.get("general.alignment", 32)
        if type(align) is not int or align < 1 or align > 2**16:
            raise NotReadable(f"{self.path.name} is damaged: its alignment is {align!r}.")
        begin = -(-self._at // align) * align  # rounded up to a multiple
        self.tensors = {}
        for name, shape, block, offset in rows:
            tensor = Tensor(name, shape, block, begin + offset)
            if tensor.begin + tensor.size > len(self._bytes):
                raise NotReadable(f"{self.path.name} is not complete: it ends before the tensor {name} does.")
            if name in self.tensors:
                raise NotReadable(f"{self.path.name} is damaged: the tensor {name} stands in it twice.")
            self.tensors[name] = tensor

    def _row(self):
        name, dimensions = self._string(), self._scalar("<I")
        if not 1 <= dimensions <= MAX_DIMENSIONS:
            raise NotReadable(f"{self.path.name} is damaged: the tensor {name} has {dimensions} dimensions.")
        shape = tuple(self._scalar("<Q") for _ in range(dimensions))[::-1]
        kind, offset = self._scalar("<I"), self._scalar("<Q")
        if kind not in BLOCKS:
            known = ", ".join(block.name for block in BLOCKS.values())
            raise NotReadable(
                f"The tensor {name} is stored in a form that the course does not read ({kind}; known: {known})."
            )
        if min(shape) < 1 or shape[-1] % BLOCKS[kind].numbers or offset > len(self._bytes):
            raise NotReadable(f"{self.path.name} is damaged: the tensor {name} has the shape {shape} at byte {offset}.")
        return name, shape, BLOCKS[kind], offset

    # ---------------------------------------------------------------------------- reading bytes

    def _take(self, count: int) -> bytes:
        if self._at + count > len(self._bytes):
            raise NotReadable(f"{self.path.name} is not complete: it ends within its header.")
        self._at += count
        return self._bytes[self._at - count : self._at]

    def _enough(self, count: int, least: int, what: str) -> None:
        """Refuse a count that the rest of the file cannot hold, before anything is made for it."""
        if count * least > len(self._bytes) - self._at:
            raise NotReadable(f"{self.path.name} is damaged: it announces {count:,} {what}, more than it has room for.")

    def _scalar(self, form: str):
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _string(self) -> str:
        length = self._scalar("<Q")
        self._enough(length, 1, "letters")
        try:
            return self._take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise NotReadable(f"{self.path.name} is damaged: a name in it is not readable text.") from None

    # --------------------------------------------------------------------------------- weights

    def raw(self, name: str) -> np.ndarray:
        """The bytes of a tensor, as they stand in the file.

        Raises:
            NotReadable: there is no tensor of this name.
        """
        if name not in self.tensors:
            raise NotReadable(
                f"{self.path.name} has no tensor {name}: it is not a model of the kind that is read here."
            )
        tensor = self.tensors[name]
        return np.frombuffer(self._bytes, np.uint8, tensor.size, tensor.begin)

    def weights(self, name: str) -> np.ndarray:
        """A tensor as float32, in its shape. Raises NotReadable as ``raw`` does."""
        tensor_bytes = self.raw(name)
        tensor = self.tensors[name]
        return tensor.block.decode(tensor_bytes).reshape(tensor.shape)


# ------------------------------------------------------------------------------------------ writing


def encode_q8_0(x: np.ndarray) -> bytes:
    """Numbers (their count a multiple of 32) as blocks of 8 bits: the largest of each block becomes ±127."""
    blocks = np.asarray(x, np.float32).reshape(-1, 32)
    d = (np.abs(blocks).max(axis=1, keepdims=True) / 127).astype("<f2")
    step = np.where(d == 0, 1, d.astype(np.float32))
    q = np.clip(np.rint(blocks / step), -127, 127).astype(np.int8)
    return np.concatenate([d.view(np.uint8), q.view(np.uint8)], axis=1).tobytes()


def encode_q4_1(x: np.ndarray) -> bytes:
    """Numbers (their count a multiple of 32) as blocks of 4 bits: the smallest of each block is 0, the largest 15."""
    blocks = np.asarray(x, np.float32).reshape(-1, 32)
    m = blocks.min(axis=1, keepdims=True)
    d = ((blocks.max(axis=1, keepdims=True) - m) / 15).astype("<f2")
    m = m.astype("<f2")
    step = np.where(d == 0, 1, d.astype(np.float32))
    q = np.clip(np.rint((blocks - m.astype(np.float32)) / step), 0, 15).astype(np.uint8)
    return np.concatenate([d.view(np.uint8), m.view(np.uint8), q[:, :16] | q[:, 16:] << 4], axis=1).tobytes()


ENCODERS = {
    "F32": (0, lambda x: np.asarray(x, "<f4").tobytes()),
    "F16": (1, lambda x: np.asarray(x, "<f2").tobytes()),
    "Q4_1": (3, encode_q4_1),
    "Q8_0": (8, encode_q8_0),
}


def to_bytes(settings: dict, tensors: dict[str, tuple[str, np.ndarray]]) -> bytes:
    """A model file.

    Args:
        settings: name → text, whole number, number, truth value, or a list of one of these.
        tensors: name → (form, array); forms are ``F32``, ``F16``, ``Q4_1`` and ``Q8_0``.
    """
    head = MAGIC + struct.pack("<IQQ", VERSION, len(tensors), len(settings))
    head += b"".join(_packed_string(name) + _packed(value) for name, value in settings.items())
    body = b""
    for name, (form, array) in tensors.items():
        kind, encode = ENCODERS[form]
        head += _packed_string(name) + struct.pack("<I", array.ndim)
        head += struct.pack(f"<{array.ndim}QIQ", *array.shape[::-1], kind, len(body))
        body += _padded(encode(array))
    return _padded(head) + body


def _padded(data: bytes, align: int = 32) -> bytes:
    return data + b"\0" * (-len(data) % align)


def _packed_string(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _packed(value, typed: bool = True) -> bytes:
    kinds = {bool: (7, "<?"), int: (4, "<I"), float: (6, "<f")}
    if isinstance(value, list):
        kind = STRING if isinstance(value[0], str) else kinds[type(value[0])][0]
        return struct.pack("<IIQ", LIST, kind, len(value)) + b"".join(_packed(entry, False) for entry in value)
    kind, data = (STRING, _packed_string(value)) if isinstance(value, str) else (None, b"")
    if kind is None:
        kind, form = kinds[type(value)]
        data = struct.pack(form, value)
    return (struct.pack("<I", kind) if typed else b"") + data
