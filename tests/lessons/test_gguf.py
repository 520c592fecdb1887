"""Model files: blocks of few bits, round trips, and twenty kinds of damage that get a sentence each."""

import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_utils import paths
from course_utils.lessons import gguf, published

TOY = paths.DATA / "toy_model.gguf"
rows = hnp.arrays(np.float32, st.integers(1, 4).map(lambda n: (n, 32)), elements=st.floats(-1e3, 1e3, width=32))


def saved(tmp_path, settings, tensors, name="model.gguf"):
    path = tmp_path / name
    path.write_bytes(gguf.to_bytes(settings, tensors))
    return path


@given(rows)
def test_eight_bits_err_by_at_most_half_a_step(x):
    raw = np.frombuffer(gguf.encode_q8_0(x), np.uint8)
    step = np.abs(x).max(axis=1, keepdims=True) / 127
    assert np.all(np.abs(gguf._q8_0(raw) - x) <= 0.5 * step + 1e-3 * np.abs(x).max() + 1e-4)


@given(rows)
def test_four_bits_err_by_at_most_half_a_step(x):
    raw = np.frombuffer(gguf.encode_q4_1(x), np.uint8)
    step = np.ptp(x, axis=1)[:, None] / 15
    assert np.all(np.abs(gguf._q4_1(raw) - x) <= 0.5 * step + 3e-3 * np.abs(x).max() + 1e-4)


@pytest.mark.parametrize("form", ["Q4_0", "Q4_1", "Q8_0", "F16", "F32"])
def test_blocks_are_decoded_as_the_maintained_package_does(form):
    package = pytest.importorskip("gguf", reason="the package gguf is not installed")
    kind, block = next((k, b) for k, b in gguf.BLOCKS.items() if b.name == form)
    raw = np.random.default_rng(1).integers(0, 256, (50, block.size), dtype=np.uint8)
    raw[:, 1] &= 0x3B  # no infinite or undefined scale
    raw[:, 3] &= 0x3B
    ours = block.decode(raw.ravel()).ravel()
    theirs = package.quants.dequantize(raw, package.GGMLQuantizationType(kind)).ravel()
    np.testing.assert_array_equal(ours, theirs)


def test_settings_and_tensors_come_back(tmp_path):
    settings = {"a.text": "Größe", "a.number": 7, "a.real": 0.5, "a.yes": True, "a.list": ["x", ""], "a.bytes": [1, 2]}
    x = np.random.default_rng(0).normal(size=(3, 64)).astype(np.float32)
    file = gguf.File(saved(tmp_path, settings, {"w": ("F32", x), "h": ("F16", x), "n": ("F32", x[0])}))
    assert file.settings == settings
    np.testing.assert_array_equal(file.weights("w"), x)
    np.testing.assert_array_equal(file.weights("h"), x.astype(np.float16))
    assert file.weights("n").shape == (64,)
    with pytest.raises(gguf.NotReadable, match="no tensor nonsense"):
        file.weights("nonsense")


# ------------------------------------------------------------------------------------------- damage


def put(data: bytes, at: int, form: str, value) -> bytes:
    size = struct.calcsize(form)
    return data[:at] + struct.pack(form, value) + data[at + size :]


def toy() -> bytes:
    return TOY.read_bytes()


def at(name: str) -> int:
    """Where the value of a setting, or the row of a tensor after its name, begins in the toy."""
    return toy().index(name.encode()) + len(name)


def replaced(name, form, value):
    return lambda: put(toy(), at(name) + 4, form, value)


ROW = "token_embd.weight"
DAMAGE = {
    "empty": lambda: b"",
    "ten bytes": lambda: toy()[:10],
    "another format": lambda: b"PK\3\4" + toy()[4:],
    "a web page": lambda: b"<!DOCTYPE html>" * 100,
    "big-endian": lambda: put(toy(), 4, ">I", 3),
    "version 1": lambda: put(toy(), 4, "<I", 1),
    "version 9": lambda: put(toy(), 4, "<I", 9),
    "too many tensors": lambda: put(toy(), 8, "<Q", 2**60),
    "one tensor too many": lambda: put(toy(), 8, "<Q", 10_000),
    "too many settings": lambda: put(toy(), 16, "<Q", 2**40),
    "a name of many letters": lambda: put(toy(), 24, "<Q", 2**50),
    "a name that is no text": lambda: toy()[:32] + b"\xff\xfe" + toy()[34:],
    "an unknown type of setting": lambda: put(toy(), at("general.name"), "<I", 77),
    "a list of many tokens": lambda: put(toy(), at("tokenizer.ggml.tokens") + 8, "<Q", 2**44),
    "cut in the header": lambda: toy()[:3000],
    "cut in the weights": lambda: toy()[:-5000],
    "an unknown block": lambda: put(toy(), at(ROW) + 4 + 16, "<I", 12),
    "nine dimensions": lambda: put(toy(), at(ROW), "<I", 9),
    "no dimension": lambda: put(toy(), at(ROW), "<I", 0),
    "a huge shape": lambda: put(toy(), at(ROW) + 4 + 8, "<Q", 2**40),
    "a shape that no blocks fill": lambda: put(toy(), at(ROW) + 4, "<Q", 33),
    "an offset outside": lambda: put(toy(), at(ROW) + 4 + 16 + 4, "<Q", 2**50),
    "another architecture": lambda: toy().replace(b"general.architecture\x08\0\0\0\5\0\0\0\0\0\0\0llama",
                                                  b"general.architecture\x08\0\0\0\5\0\0\0\0\0\0\0gptxx"),
    "heads that do not fit": replaced("llama.attention.head_count", "<I", 7),
    "no heads": replaced("llama.attention.head_count", "<I", 0),
    "more layers than it has": replaced("llama.block_count", "<I", 99),
    "another tokenizer": lambda: toy().replace(b"\4\0\0\0\0\0\0\0gpt2", b"\4\0\0\0\0\0\0\0bert"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_gets_a_sentence_and_takes_no_memory(kind, tmp_path):
    data = DAMAGE[kind]()
    assert data != toy()
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(gguf.NotReadable) as error:
            _ = published.Model(gguf.File(path)).tokenizer
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 30 < len(str(error.value)) < 250 and str(error.value).endswith((".", ")."))
    assert peak < len(data) + 100e6


@given(st.data())
def test_bytes_at_random_never_give_another_error(data):
    content = bytearray(toy()[:60_000])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, 40_000))] = data.draw(st.integers(0, 255))
    path = TOY.with_name("cache") / "fuzz.gguf"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(content))
    try:
        _ = published.Model(gguf.File(path)).tokenizer
    except gguf.NotReadable:
        pass
    finally:
        path.unlink()


def test_a_part_of_a_split_file_is_refused(tmp_path):
    with pytest.raises(gguf.NotReadable, match="one part of several"):
        gguf.File(saved(tmp_path, {"split.count": 3}, {}))
