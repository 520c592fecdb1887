"""The small language model that ships: the same network as chapter 13's, whole, and what it writes."""

import numpy as np
import pytest

from course_utils.lessons import checkpoints, tokens, transformer, writer


@pytest.fixture(scope="module")
def model():
    return writer.load()


def test_its_scores_are_those_of_the_transformer(model):
    ids = np.random.default_rng(0).integers(0, len(model.pairs), 40)
    expected = transformer.logits(model.weights, ids[None], model.facts["heads"])[0]
    np.testing.assert_allclose(model.logits(ids), expected, rtol=1e-3, atol=1e-3)


def test_later_tokens_do_not_change_earlier_scores(model):
    ids = np.random.default_rng(1).integers(0, len(model.pairs), 20)
    np.testing.assert_allclose(model.logits(ids)[:12], model.logits(ids[:12]), rtol=1e-4, atol=1e-4)


def test_it_goes_on_with_the_beginning_and_the_seed_decides(model):
    texts = [model.write("The mean of", seed) for seed in (1, 1, 2, 3)]
    assert all(text.startswith("The mean of") and len(text) > 15 for text in texts)
    assert texts[0] == texts[1] and len(set(texts)) > 1
    assert model.write("The mean of", 1, temperature=0) == model.write("The mean of", 2, temperature=0)


@pytest.mark.parametrize("beginning", ["", " ", "\0", "中文 😀", "word " * 500])
def test_any_beginning_is_taken(model, beginning):
    assert model.write(beginning, max_tokens=3).startswith(beginning.replace(tokens.END, " "))


def test_a_negative_temperature_is_refused(model):
    with pytest.raises(ValueError, match="0 or more"):
        model.write("The", temperature=-1)


def test_it_predicts_its_language_far_better_than_its_shuffled_numbers(model):
    ids = model.pairs.encode("The function returns the mean of the array along the given axis.")
    losses = []
    for one in (model, model.shuffled()):
        scores = one.logits(ids[:-1]).astype(float)
        chances = np.exp(scores - scores.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        losses.append(-np.log(chances[np.arange(len(ids) - 1), ids[1:]]).mean())
    assert losses[0] < 3 < np.log(len(model.pairs)) - 1 < losses[1]
    for name, value in model.weights.items():
        np.testing.assert_array_equal(np.sort(value.ravel()), np.sort(model.shuffled().weights[name].ravel()))


def test_its_words_are_mostly_english(model):
    text = " ".join(model.write(beginning, seed) for beginning in ("The", "If you") for seed in range(10))
    common = {"the", "of", "a", "is", "to", "and", "in", "for", "be", "are", "with", "that", "this", "by", "if"}
    words = [word.strip(".,()").lower() for word in text.split()]
    assert sum(word in common for word in words) > 0.25 * len(words)


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(writer.FILE.read_bytes()[:-1])
    with pytest.raises(checkpoints.Damaged):
        writer.load(tmp_path / "a")
    assert writer.FILE.stat().st_size < 1.5e6
