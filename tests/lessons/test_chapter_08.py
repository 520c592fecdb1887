"""What chapter 8 teaches: its own functions, taken out of the notebook, against the libraries."""

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_utils import session

session.quiet_tensorflow()
import keras  # noqa: E402

lesson = definitions("08_text_classifier")
quick = settings(deadline=None, max_examples=50)


@quick
@given(arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(1, 8)), elements=st.integers(0, 9)))
def test_tfidf_is_scikit_learns(counts):
    from sklearn.feature_extraction.text import TfidfTransformer

    np.testing.assert_allclose(lesson.tfidf(counts), TfidfTransformer().fit_transform(counts).toarray(), atol=1e-12)


@quick
@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(pair):
    from scipy.stats import binomtest

    theirs = binomtest(*pair).proportion_ci(method="wilson")
    low, high = lesson.wilson(*pair)
    np.testing.assert_allclose((low, high), (theirs.low, theirs.high), atol=1e-6)
    assert -1e-9 <= low <= pair[0] / pair[1] + 1e-9 <= high + 2e-9 <= 1 + 3e-9


@quick
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.floats(0.1, 80))
def test_cross_entropy_is_keras(seed, classes, scale):
    random = np.random.default_rng(seed)
    logits, label = random.normal(0, scale, classes), random.integers(0, classes)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    theirs = loss(np.array([label]), logits.astype("float32")[None])
    np.testing.assert_allclose(lesson.cross_entropy(logits, label), float(theirs), rtol=1e-4, atol=1e-5)


def test_cross_entropy_survives_large_logits():
    assert lesson.cross_entropy(np.array([1e4, 0.0]), 1) == pytest.approx(1e4)


@quick
@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=12), st.sets(st.sampled_from("abcde")))
def test_split_by_group_keeps_groups_together(groups, held_out):
    groups = np.array(groups)
    train, test = lesson.split_by_group(groups, sorted(held_out))
    assert sorted([*train, *test]) == list(range(len(groups)))
    assert not set(groups[train]) & set(groups[test]) and set(groups[test]) <= held_out


@quick
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 6))
def test_masked_mean_is_keras_pooling_and_zero_for_nothing(seed, texts, places):
    random = np.random.default_rng(seed)
    states = random.normal(size=(texts, places, 3)).astype("float32")
    mask = random.random((texts, places)) < 0.6
    ours = lesson.MaskedMean()(states, mask=mask).numpy()
    theirs = keras.layers.GlobalAveragePooling1D()(states, mask=mask).numpy()
    full = mask.any(axis=1)
    np.testing.assert_allclose(ours[full], theirs[full], atol=1e-5)
    np.testing.assert_allclose(ours, [lesson.masked_mean(s, m) for s, m in zip(states, mask, strict=True)], atol=1e-5)
    assert (ours[~full] == 0).all() and np.isnan(theirs[~full]).all(), "the trap that the lesson shows"


@quick
@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 5))
def test_batches_hand_out_every_row_once(n, size, seed):
    from scipy.sparse import csr_matrix

    rows = csr_matrix(np.arange(n)[:, None] + 1.0)
    batches = lesson.SparseBatches(rows, np.arange(n), size, seed)
    for _ in range(2):
        x, y = (np.concatenate(parts) for parts in zip(*(batches[i] for i in range(len(batches))), strict=True))
        assert sorted(y.tolist()) == list(range(n)) and (x[:, 0] == y + 1).all()
        batches.on_epoch_end()


def test_majority_looks_at_the_training_labels_only():
    assert lesson.majority_accuracy(np.array([0, 0, 1]), np.array([1, 1, 1, 0])) == 0.25


def test_share_with_sibling():
    groups = np.array(["a", "a", "b", "c"])
    assert lesson.share_with_sibling(groups, [0, 2], [1, 3]) == 0.5


def test_opening_hides_addresses_and_stays_short():
    text = "From: someone@host.edu (Some One)\n\n  \nsecond line " + "x" * 500 + "\nthird"
    shown = lesson.opening(text)
    assert "@" not in shown and len(shown.splitlines()) == 2 and max(map(len, shown.splitlines())) <= 90


@pytest.mark.parametrize("n, size", [(10, 32), (1436, 32), (4000, 88), (15000, 128)])
def test_batch_size(n, size):
    assert lesson.batch_size(n) == size


# ------------------------------------------------------------------- the served model


@pytest.fixture(scope="module")
def served():
    """A model as the lesson serves it, trained for a moment on eight texts."""
    texts = ["god prayed church", "pray in the church", "church on sunday", "god and prayer"]
    texts += ["evidence and proof", "claims need evidence", "proof of the claim", "what evidence"]
    labels = np.array([1] * 4 + [0] * 4)
    vectorizer = lesson.make_vectorizer(texts)
    network = lesson.train_lstm(lesson.encode(vectorizer, texts), labels, 2, seed=0)
    return lesson.serving_model(vectorizer, network)


def test_the_lstm_learns(served):
    judged = lesson.predict(["church and god"] * 2, served, ("no", "yes"))
    assert len(judged) == 2 and judged[0] == judged[1] and 0.5 <= judged[0][1] <= 1


@pytest.mark.parametrize("texts", ["a single string", [1], [None], ["fine", 2.0], [b"bytes"]])
def test_what_is_no_list_of_strings_gets_a_clear_word(served, texts):
    with pytest.raises(TypeError, match="takes a list of strings, such as"):
        lesson.predict(texts, served, ("no", "yes"))


@pytest.mark.parametrize("text", ["", "   \n", "...", "?! --"])
def test_a_text_without_a_word_is_not_judged(served, text):
    assert lesson.predict([text, "church"], served, ("no", "yes"))[0] == (None, 0.0)


def test_no_text_and_a_very_long_one(served):
    assert lesson.predict([], served, ("no", "yes")) == []
    assert lesson.predict(["church " * 150_000], served, ("no", "yes"))[0][0] in ("no", "yes")  # 1 MB


@settings(deadline=None, max_examples=20)
@given(st.text(max_size=60))
def test_any_text_is_judged_or_declined_but_never_fails(served, text):
    ((label, probability),) = lesson.predict([text], served, ("no", "yes"))
    assert label in ("no", "yes", None) and 0 <= probability <= 1 and np.isfinite(probability)


def test_saving_and_loading_changes_nothing(served, tmp_path):
    served.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", custom_objects={"MaskedMean": lesson.MaskedMean})
    own = ["a church", "some evidence", ""]
    assert lesson.predict(own, loaded, ("no", "yes")) == lesson.predict(own, served, ("no", "yes"))


def test_empty_texts_do_not_stop_training():
    ids = np.zeros((6, lesson.LENGTH), dtype=int)
    ids[:3, :2] = [[2, 3], [4, 5], [2, 5]]
    model = lesson.train_lstm(ids, np.array([0, 1, 0, 1, 1, 1]), 2, seed=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert np.isfinite(model.predict(ids, verbose=0)).all()
