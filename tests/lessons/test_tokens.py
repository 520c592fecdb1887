"""Byte pairs: nothing is lost, the most frequent pair comes first, and the tokens are those of chapter 6."""

from collections import Counter

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.lessons import tokens

TEXT = "the cat and the hat, the cart and the heart; aaaa aaa aaaaa bbb\n\n    the end\0" * 5


@pytest.fixture(scope="module")
def learned():
    return tokens.BytePairs.learn(TEXT, 40)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=80))
def test_every_text_comes_back(text):
    pairs = tokens.BytePairs.learn(TEXT, 20)
    assert pairs.decode(pairs.encode(text)) == text


@settings(deadline=None, max_examples=30)
@given(st.text(alphabet="ab ", min_size=1, max_size=60), st.integers(0, 12))
def test_learning_takes_the_most_frequent_pair_each_time(text, merges):
    """Against a slow count, step by step; among equals any is right."""
    pairs = tokens.BytePairs.learn(text, merges)
    words = {piece: list(piece.encode()) for piece in tokens._PIECES.findall(text)}
    counts = Counter(tokens._PIECES.findall(text))
    for (left, right), new in pairs.rules.items():
        found = Counter()
        for piece, ids in words.items():
            for pair in zip(ids, ids[1:], strict=False):
                found[pair] += counts[piece]
        assert found[left, right] == max(found.values()) >= 2
        for piece, ids in words.items():
            merged, i = [], 0
            while i < len(ids):
                hit = ids[i : i + 2] == [left, right]
                merged.append(new if hit else ids[i])
                i += 1 + hit
            words[piece] = merged
    for piece, ids in words.items():
        assert pairs.encode(piece).tolist() == ids


def test_encoding_is_that_of_chapter_6(learned):
    lesson = definitions("06_language_tasks")
    for text in ("the cat's heart", "aaaaaaa", "naïve 字 \t the\n", "bbb the and"):
        assert learned.encode(text).tolist() == lesson.encode_bpe(text, learned.rules)
        assert lesson.decode_bpe(learned.encode(text), learned.rules) == text


def test_the_end_of_a_text_is_one_token_of_its_own(learned):
    ids = learned.encode("the\0the\0\0")
    assert (ids == 0).sum() == 3 and all(b"\0" not in word for word in learned.table[1:])


def test_tokens_are_fewer_than_bytes(learned):
    assert len(learned.encode(TEXT)) < 0.6 * len(TEXT.encode())
    assert learned.encode(TEXT).dtype == np.int32 and learned.encode(TEXT).max() < len(learned)


def test_learning_stops_when_nothing_repeats():
    assert len(tokens.BytePairs.learn("abc", 100)) == 256
    assert len(tokens.BytePairs.learn("", 100)) == 256


def test_rules_out_of_order_are_refused():
    with pytest.raises(ValueError, match="Rule 0 must make the id 256"):
        tokens.BytePairs({(97, 98): 300})
    with pytest.raises(ValueError, match="from smaller ones"):
        tokens.BytePairs({(97, 256): 256})
