"""The published model's parts: against formulas, against each other, and against reference logits and token ids."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import data, paths
from course_utils.data import published as files
from course_utils.lessons import gguf, published

REFERENCE = json.loads(Path(__file__).with_name("reference_published_model.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def toy():
    return published.Model(gguf.File(files.TOY))


@pytest.fixture(scope="module")
def real():
    found = files._own() or files._cached()
    if found is None or not found.is_published:
        pytest.skip("the published model is not on this machine (python -m course_utils fetch)")
    return published.Model(gguf.File(found.path))


# ------------------------------------------------------------------------------------------ the real one


def test_token_ids_are_those_of_the_reference(real):
    for text, ids in REFERENCE["ids"].items():
        assert real.tokenizer.encode(text, marks=True) == ids, repr(text)


def test_logits_and_greedy_tokens_are_those_of_the_reference(real):
    for case in REFERENCE["prompts"]:
        logits = real.logits(case["ids"])
        assert np.abs(logits[case["top"]] - case["top_logits"]).max() < 1e-2
        assert np.abs(logits[:: case["every"]] - case["every_logits"]).max() < 1e-2
        found = list(published.generate(real, case["ids"], None, most=len(case["greedy"])))
        assert found == case["greedy"][: len(found)] and len(found) >= 5


# ------------------------------------------------------------------------------------------- tokenizer


@given(st.text())
def test_a_text_comes_back(text):
    text = text.encode("utf-8", "replace").decode()
    tokenizer = published.Model(gguf.File(files.TOY)).tokenizer
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_posts_and_numerals_come_back(toy):
    for text in [*data.reviews().x[:50], *map(data.to_chinese, (7, 70_305, 123_456_789))]:
        assert toy.tokenizer.decode(toy.tokenizer.encode(text)) == text


def test_digits_stay_alone_and_marks_are_read_only_on_request(toy):
    tokenizer = toy.tokenizer
    assert len(tokenizer.encode("12345")) == 5
    end = tokenizer.marks["<|im_end|>"]
    assert tokenizer.encode("<|im_end|>", marks=True) == [end]
    assert end not in tokenizer.encode("<|im_end|>")
    typed = [{"role": "user", "content": "<|im_end|>"}]
    assert published.chat_ids(tokenizer, typed).count(end) == 1
    plain = [{"role": "user", "content": "What comes after 7?"}]
    assert published.chat_ids(tokenizer, plain, "Be brief.") == tokenizer.encode(
        published.chat_text(plain, "Be brief."), marks=True
    )


# --------------------------------------------------------------------------------------------- network


def test_scores_depend_on_the_distance_alone():
    random = np.random.default_rng(0)
    q, k = random.normal(size=(2, 1, 1, 64)).astype(np.float32)

    def score(i, j):
        at = [published.rotate(x, np.array([place]), 10_000.0)[0, 0] for x, place in ((q, i), (k, j))]
        return at[0] @ at[1]

    assert np.isclose(score(5, 2), score(105, 102), atol=1e-4)
    assert not np.isclose(score(5, 2), score(5, 3), atol=1e-2)


def test_shared_heads_are_repeated_heads():
    random = np.random.default_rng(1)
    q, k, v = random.normal(size=(7, 6, 8)), random.normal(size=(7, 2, 8)), random.normal(size=(7, 2, 8))
    shared = published.attend(q, k, v)
    whole = published.attend(q, np.repeat(k, 3, axis=1), np.repeat(v, 3, axis=1))
    np.testing.assert_allclose(shared, whole, atol=1e-12)


def test_nobody_looks_ahead(toy):
    ids = toy.tokenizer.encode("What comes after 41?")
    whole = toy.logits(ids, last=False)
    np.testing.assert_allclose(whole[:3], toy.logits(ids[:3], last=False), atol=1e-4)


@pytest.mark.parametrize("cut", [1, 3, 9])
def test_the_cache_changes_nothing(toy, cut):
    ids = toy.tokenizer.encode("Write 1234567 in Chinese: 1234567.")
    cache = published.Cache()
    toy.logits(ids[:cut], cache)
    np.testing.assert_allclose(toy.logits(ids[cut:], cache), toy.logits(ids), atol=1e-4)
    assert cache.length == len(ids)


def test_generation_ends_at_the_end_of_a_turn_and_of_the_context(toy):
    ids = published.chat_ids(toy.tokenizer, [{"role": "user", "content": "What is forty-two in digits?"}])
    answer = toy.tokenizer.decode(published.generate(toy, ids, None))
    assert answer.strip().isdigit()
    toy_context, toy.context = toy.context, len(ids) + 2
    try:
        assert len(list(published.generate(toy, ids, np.random.default_rng(0), temperature=5.0))) <= 3
    finally:
        toy.context = toy_context


def test_sampling_keeps_the_likeliest():
    logits = np.log([0.5, 0.3, 0.15, 0.05])
    random = np.random.default_rng(0)
    drawn = [published.sample(logits, 0.7, random) for _ in range(2000)]
    assert set(drawn) == {0, 1}
    assert abs(np.mean(drawn) - 0.375) < 0.05


def test_the_toy_answers_about_numbers_it_was_never_asked_about(toy):
    right = 0
    for n in (n for n in range(1000, 1300) if n * 7919 % 10 == 3):
        ids = published.chat_ids(
            toy.tokenizer, [{"role": "user", "content": f"What is {data.to_english(n)} in digits?"}]
        )
        right += toy.tokenizer.decode(published.generate(toy, ids, None, most=30)) == str(n)
    assert right >= 15, f"{right} of 30"


def test_the_toy_ships_and_is_small():
    assert files.TOY.stat().st_size < 600_000 and files.TOY.parent == paths.DATA
