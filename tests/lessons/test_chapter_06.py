"""What chapter 6 teaches: its own functions, taken out of the notebook, against scikit-learn, SciPy and Keras."""

import re
from collections import Counter

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st

import course_utils as cu
from course_utils import session
from course_utils.plots import colour, tables

tf = session.quiet_tensorflow()
import keras  # noqa: E402  (only after TensorFlow has been loaded quietly)

lesson = definitions("06_language_tasks")
quick = settings(deadline=None, max_examples=50)
few = settings(deadline=None, max_examples=15)
seeds = st.integers(0, 2**32 - 1)
ENGLISH = ["", *sorted({word for n in [*range(1001), 10**6] for word in lesson.words(cu.data.to_english(n))})]
CHINESE = ["", "start", "end", *"零一二三四五六七八九十百千万亿"]

# ------------------------------------------------------------------------------------ tokens


def test_words():
    assert lesson.words("The doctor's 2 cats, isn't it? Naïve!") == ["the", "doctor's", "cats", "isn't", "it", "naïve"]
    assert lesson.words("长江大桥 -- 'quoted'") == ["长江大桥", "quoted"] and lesson.words("") == []


def test_cuts_are_all_ways_and_nothing_else():
    assert lesson.cuts("aab", {"a", "aa", "ab", "b"}) == [["a", "a", "b"], ["a", "ab"], ["aa", "b"]]
    assert lesson.cuts("abc", {"a", "b"}) == [] and lesson.cuts("", {"a"}) == [[]]


@given(st.text(max_size=40))
def test_pieces_lose_nothing(text):
    assert "".join(lesson.pieces(text)) == text


# -------------------------------------------------------------------------------- byte pairs


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(0, 3), st.integers(0, 3))
def test_a_merge_is_a_replacement_in_a_text(ids, a, b):
    text = bytes(ids).replace(bytes([a, b]), bytes([9]))  # bytes.replace goes from left to right as well
    assert lesson.merge_pair(ids, (a, b), 9) == list(text)


def learned(texts, merges=60):
    return lesson.learn_bpe(Counter(piece for text in texts for piece in lesson.pieces(text)), merges)


RULES = {
    "English": learned(["the cat sat on the mat and the hat is that of the cat " * 3, "another thing, then"]),
    "Chinese": learned([cu.data.to_chinese(n) for n in range(0, 9000, 13)]),
    "none": {},
}


@pytest.mark.parametrize("name", RULES)
@quick
@given(
    st.text(st.characters(codec="utf-8"), max_size=60)
    | st.lists(st.sampled_from(["the ", "cat", "七", "零三", " "])).map("".join)
)
def test_any_text_comes_back(name, text):
    ids = lesson.encode_bpe(text, RULES[name])
    assert lesson.decode_bpe(ids, RULES[name]) == text
    assert len(ids) <= len(text.encode())


@given(st.lists(st.text("abc ", max_size=12), min_size=1, max_size=6), st.integers(0, 12))
@quick
def test_learning_is_counting_again_after_each_merge(texts, merges):
    """Against a slow form that never groups equal pieces."""
    pieces = [list(piece.encode()) for text in texts for piece in lesson.pieces(text)]
    rules = learned(texts, merges)
    for pair, new in rules.items():
        counts = Counter(two for piece in pieces for two in zip(piece, piece[1:], strict=False))
        assert counts[pair] == max(counts.values())
        pieces = [lesson.merge_pair(piece, pair, new) for piece in pieces]
    assert list(rules.values()) == list(range(256, 256 + len(rules)))
    if len(rules) < merges:
        assert all(len(piece) == 1 for piece in pieces), "it may stop early only when nothing is left to merge"


@given(st.text("thecasonmd ", max_size=40))
def test_encoding_is_applying_the_rules_in_order(text):
    ids = []
    for piece in lesson.pieces(text):
        part = list(piece.encode())
        for pair, new in RULES["English"].items():
            part = lesson.merge_pair(part, pair, new)
        ids += part
    assert lesson.encode_bpe(text, RULES["English"]) == ids


# ------------------------------------------------------------------------------------ TF-IDF

texts = st.lists(st.text("ab cd'e", max_size=20), min_size=1, max_size=8)


@quick
@given(texts, st.booleans(), st.booleans())
def test_tfidf_is_scikit_learns(texts, smooth, normalise):
    from sklearn.feature_extraction.text import TfidfVectorizer

    vocabulary = sorted({word for text in texts for word in lesson.words(text)})
    if not vocabulary:
        return
    theirs = TfidfVectorizer(
        tokenizer=lesson.words, token_pattern=None, smooth_idf=smooth, norm="l2" if normalise else None
    )
    expected = theirs.fit_transform(texts).toarray()
    assert list(theirs.get_feature_names_out()) == vocabulary
    counts = lesson.count_matrix(texts, vocabulary)
    np.testing.assert_allclose(lesson.tfidf(counts, smooth, normalise), expected, atol=1e-12)


@quick
@given(texts)
def test_counts_are_scikit_learns(texts):
    from sklearn.feature_extraction.text import CountVectorizer

    vocabulary = ["a", "b", "ab", "d'e", "zz"]
    theirs = CountVectorizer(tokenizer=lesson.words, token_pattern=None, vocabulary=vocabulary)
    np.testing.assert_array_equal(lesson.count_matrix(texts, vocabulary), theirs.fit_transform(texts).toarray())


# -------------------------------------------------------------------------------- embeddings


@quick
@given(seeds, st.integers(1, 6), st.integers(1, 6), st.sampled_from([1.0, 0.75, 0.5]))
def test_ppmi_is_scipys(seed, rows, columns, power):
    from scipy.special import rel_entr

    counts = np.random.default_rng(seed).integers(0, 4, (rows, columns)) + np.eye(rows, columns)
    counts += (counts.sum(axis=1, keepdims=True) == 0) + (counts.sum(axis=0) == 0)  # no empty row or column
    share, context = counts / counts.sum(), counts.sum(axis=0) ** power
    chance = share.sum(axis=1, keepdims=True) * context / context.sum()
    theirs = np.divide(rel_entr(share, chance), share, out=np.zeros_like(share), where=share > 0)
    np.testing.assert_allclose(lesson.ppmi(counts.astype(float), power), np.maximum(theirs, 0), atol=1e-12)


def test_the_plain_mean_of_pmi_is_scikit_learns_mutual_information():
    from sklearn.metrics import mutual_info_score

    counts = np.array([[30.0, 2.0, 1.0], [3.0, 20.0, 4.0], [1.0, 1.0, 9.0]])
    share = counts / counts.sum()
    pmi = np.log(share / share.sum(axis=0) / share.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(lesson.ppmi(counts, 1.0), np.maximum(pmi, 0), atol=1e-12)
    assert np.sum(share * pmi) == pytest.approx(mutual_info_score(None, None, contingency=counts))


@quick
@given(st.lists(st.lists(st.sampled_from("abcx"), max_size=8), min_size=1, max_size=4), st.integers(1, 5))
def test_neighbours_are_counted_within_their_text(rows, reach):
    expected = np.zeros((3, 3))
    for row in rows:
        for i, one in enumerate(row):
            for other in row[i + 1 : i + 1 + reach]:
                if one != "x" and other != "x":
                    expected["abc".index(one), "abc".index(other)] += 1
                    expected["abc".index(other), "abc".index(one)] += 1
    found = lesson.neighbour_counts([" ".join(row) for row in rows], ["a", "b", "c"], reach)
    np.testing.assert_array_equal(found, expected)


@few
@given(seeds)
def test_vectors_span_what_the_exact_decomposition_spans(seed):
    matrix = np.random.default_rng(seed).random((12, 12)) ** 4
    u, s, _ = np.linalg.svd(matrix)
    exact = u[:, :12] * np.sqrt(s)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    vectors = lesson.embed(matrix, 12, 0)
    np.testing.assert_allclose(vectors @ vectors.T, exact @ exact.T, atol=1e-6)


def test_nearest_and_agreement():
    angles = np.radians([0, 10, 90, 95])
    vectors = np.c_[np.cos(angles), np.sin(angles)]
    assert lesson.nearest("b", vectors, ["a", "b", "c", "d"], 2) == ["a", "c"]
    assert lesson.agreement(vectors, np.array([0, 0, 1, 1])) == 1.0
    assert lesson.agreement(vectors, np.array([0, 1, 0, 1])) == 0.0


def test_typical_words_are_those_of_their_class():
    bags = np.array([[1, 0, 1, 0], [1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 0]])
    ranked = lesson.typical(bags, np.array([0, 0, 1, 1]), 2)
    assert ranked[0][0] == 0 and ranked[1][0] == 1 and ranked.shape == (2, 4)


# --------------------------------------------------------------------------------- sentiment


@quick
@given(seeds, st.integers(2, 60))
def test_the_paired_interval_is_scipys(seed, n):
    from scipy.stats import norm, sem

    first, second = np.random.default_rng(seed).random((2, n))
    mean, low, high = lesson.paired_interval(first, second)
    assert mean == pytest.approx(first.mean() - second.mean(), abs=1e-12)
    expected = norm.interval(0.95, loc=mean, scale=sem(first - second))
    np.testing.assert_allclose((low, high), expected, atol=1e-4)


def test_every_text_is_judged_once_by_a_model_that_has_not_seen_it():
    y = np.arange(50) % 2
    judged = np.zeros(50)

    def predict(train, test):
        assert not set(train) & set(test) and len(train) + len(test) == 50
        judged[test] += 1
        return np.zeros(len(test))

    right = lesson.cross_validate(predict, y, y, 3)
    assert (judged == 3).all()
    np.testing.assert_array_equal(right, 1 - y)


def test_the_network_is_set_back_completely():
    model = lesson.review_network(20, 8)
    start = lesson.snapshot(model)
    ids = np.random.default_rng(0).integers(0, 20, (16, 8))
    losses = []
    for _ in range(2):
        lesson.restore(model, start)
        losses.append(model.fit(ids, ids[:, 0] % 2, shuffle=False, verbose=0, epochs=2).history["loss"])
    assert losses[0] == losses[1], "the second training must repeat the first"


def test_word_ids_fill_up_cut_and_mark_the_unknown():
    ids = lesson.word_ids(["a b c", "b zzz", ""], ["a", "b"], 2)
    assert ids.tolist() == [[2, 3], [3, 1], [0, 0]]


# ------------------------------------------------------------------------------- translation


@quick
@given(seeds, st.integers(1, 5), st.integers(2, 6), st.integers(1, 4))
def test_attention_is_kerass(seed, steps, words, units):
    random = np.random.default_rng(seed)
    states, memory = random.normal(size=(steps, units)) * 3, random.normal(size=(words, units))
    mask = np.arange(words) < random.integers(1, words + 1)
    contexts, weights = lesson.attend(states, memory, mask)
    layer = keras.layers.Attention(dtype="float64")
    theirs = layer([states[None], memory[None]], mask=[None, mask[None]], return_attention_scores=True)
    ours = lesson.Attend(dtype="float64")(states[None], memory[None], mask[None])
    for one, batch, expected in zip((contexts, weights), ours, theirs, strict=True):
        np.testing.assert_allclose(one, expected[0], atol=1e-6)
        np.testing.assert_allclose(batch[0], expected[0], atol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert (weights[:, ~mask] == 0).all()


def test_a_single_word_gets_all_the_weight_without_a_warning(recwarn):
    contexts, weights = lesson.Attend()(np.ones((2, 3, 4)), np.full((2, 1, 4), 0.5), np.ones((2, 1), bool))
    assert (weights == 1).numpy().all() and (contexts == 0.5).numpy().all() and not recwarn.list


def test_gradients_of_the_layer_are_kerass():
    random = np.random.default_rng(1)
    states, memory = (tf.Variable(random.normal(size=(2, n, 4))) for n in (3, 5))
    mask, wanted = np.arange(5) < np.array([[5], [2]]), random.normal(size=(2, 3, 4))
    found = []
    theirs = keras.layers.Attention(dtype="float64")
    ours = lesson.Attend(dtype="float64")
    for layer in (
        lambda: ours(1 * states, 1 * memory, mask)[0],
        lambda: theirs([1 * states, 1 * memory], mask=[None, mask]),
    ):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer() * wanted)
        found.append(tape.gradient(loss, [states, memory]))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@given(st.lists(st.integers(0, 999_999_999), min_size=1, max_size=5))
def test_ids_are_texts_and_back(numbers):
    chinese = [cu.data.to_chinese(n) for n in numbers]
    ids = lesson.target_ids(chinese, CHINESE)
    assert (ids[:, 0] == 1).all() and lesson.target_texts(ids, CHINESE).tolist() == chinese
    english = [cu.data.to_english(n) for n in numbers]
    source = lesson.source_ids(english, ENGLISH)
    assert [[ENGLISH[i] for i in row if i] for row in source] == [re.split("[ -]", text) for text in english]


@pytest.mark.parametrize("entry, word", [("twelve apples", "apples"), ("", ""), ("3.5", "3.5"), ("!", "!")])
def test_an_unknown_word_is_named(entry, word):
    with pytest.raises(ValueError, match=re.escape(f"{word!r} is no word")):
        lesson.source_ids([entry], ENGLISH)


@pytest.fixture(scope="module")
def small():
    """A translator that has learned the numbers below 30."""
    keras.utils.set_random_seed(0)
    encoder, decoder, both = lesson.translator(len(ENGLISH), len(CHINESE), 24)
    source = lesson.source_ids([cu.data.to_english(n) for n in range(30)], ENGLISH)
    target = lesson.target_ids([cu.data.to_chinese(n) for n in range(30)], CHINESE)
    both.compile(keras.optimizers.Adam(0.03), keras.losses.SparseCategoricalCrossentropy(True, ignore_class=0))
    both.fit([source, target[:, :-1]], target[:, 1:], epochs=90, batch_size=30, verbose=0)
    encode, step = tf.function(encoder, reduce_retracing=True), tf.function(decoder, reduce_retracing=True)
    return both, encode, step, source, target


def test_it_learns_and_greedy_decoding_repeats_what_training_sees(small):
    both, encode, step, source, target = small
    ids, weights = lesson.greedy(encode, step, source, steps=5)
    right = lesson.target_texts(ids, CHINESE) == lesson.target_texts(target, CHINESE)
    assert right.mean() > 0.8
    # Where the characters before are the true ones, one call on all of them gives the same next ones.
    together = both.predict([source, target[:, :-1]], verbose=0).argmax(axis=-1)
    for row in np.flatnonzero(right):
        length = np.count_nonzero(target[row, 1:])
        np.testing.assert_array_equal(ids[row, :length], together[row, :length])
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
    assert (weights[:, 0][source == 0] == 0).all()


def test_padding_changes_nothing(small):
    _, encode, step, source, _ = small
    wider = np.pad(source, ((0, 0), (0, 3)))
    np.testing.assert_array_equal(lesson.greedy(encode, step, wider, 5)[0], lesson.greedy(encode, step, source, 5)[0])


def test_a_beam_of_one_is_greedy_and_wider_ones_are_no_less_probable(small):
    both, encode, step, source, _ = small
    greedy = lesson.target_texts(lesson.greedy(encode, step, source, 6)[0], CHINESE)
    alone, alone_score = lesson.beam(encode, step, source, 1, 6)
    assert (lesson.target_texts(alone, CHINESE) == greedy).all()
    wide, wide_score = lesson.beam(encode, step, source, 5, 6)
    assert (wide_score >= alone_score - 1e-4).mean() > 0.9  # a beam may lose the best one, but rarely
    ended = [row for row in range(30) if 2 in wide[row]]
    assert len(ended) > 20
    for row in ended:  # the score is the log probability that the joint model gives to the whole answer
        length = list(wide[row]).index(2) + 1
        before = np.r_[1, wide[row, : length - 1]][None]
        logits = both.predict([source[row][None], before], verbose=0)[0]
        steps = tf.nn.log_softmax(logits).numpy()[np.arange(length), wide[row, :length]]
        assert wide_score[row] == pytest.approx(steps.sum(), abs=1e-3)


def test_exact_match_by_digits():
    truth = np.array(["五", "十五", "二十", "一百"])
    assert lesson.by_digits(np.array([True, True, False, False]), truth) == {1: 1.0, 2: 0.5, 3: 0.0}


def test_what_is_said_to_an_entry(small):
    _, encode, step, _, _ = small
    tools = encode, step, ENGLISH, CHINESE
    said = {entry: lesson.answer(entry, *tools) for entry in ("7", "seven", " 21 ", "twenty-one")}
    assert said["7"] == said["seven"] and said[" 21 "] == said["twenty-one"]
    assert said["7"] == "七" or said["7"].endswith("(wrong: it is 七)")
    for entry, text in {
        "3.5": "must be whole, not 3.5",
        "-7": "from 0 to 999,999,999, not -7",
        "1,000,000,000": "not 1,000,000,000",
        "twelve apples": "'apples' is no word",
        "three hundred five": "is not how a number is written",
        "?": "'?' is no word",
    }.items():
        assert text in lesson.answer(entry, *tools)


def test_the_attention_table_names_what_it_shows(small):
    _, encode, step, _, _ = small
    markup, text, weights, numeral = lesson.attention_table("twenty-one", encode, step, ENGLISH, CHINESE)
    assert weights.shape == (len(numeral), 2) and markup.count("<tr>") == len(numeral) + 1
    assert "twenty-one" in text and all(f"{c} on" in text for c in numeral)


# --------------------------------------------------------------------------------- figures


def test_the_map_labels_every_point_and_refuses_what_does_not_fit():
    from course_utils.plots import maps

    places = np.array([[0.0, 0.0], [0.01, 0.0], [5.0, 1.0]])
    fig = maps.named(places, ["moon", "lunar", "game"], np.array([0, 0, 1]), ["space", "sport"], "title")
    ax = fig.axes[0]
    assert [text.get_text() for text in ax.texts] == ["moon", "lunar", "game"]
    assert ax.texts[0].xyann != ax.texts[1].xyann, "two names at one place go to different sides"
    assert ax.get_xlabel() and ax.get_ylabel() and len(ax.get_legend().get_texts()) == 2
    with pytest.raises(ValueError, match="3 names need places"):
        maps.named(places[:2], ["a", "b", "c"], np.zeros(3, int), ["x"])


# --------------------------------------------------------------------------------- the table


@given(st.floats(0, 1))
def test_every_shade_can_be_read(value):
    ground = tables.shade(value)
    assert colour.contrast(ground, colour.ink(ground)) >= 4.5


def test_the_table_sets_both_colours_escapes_names_and_shows_its_values():
    page = tables.heat([[0.25, 1.0], [0.0, 0.004]], ["七", "<b>"], ["a & b", "c"], "caption", "x \\ y", "zh-Hans")
    cells = re.findall(r"<(?:td|th)[^>]*>", page)
    assert len(cells) == 9 and all("background:#" in cell and ";color:#" in cell for cell in cells)
    assert "&lt;b&gt;" in page and "a &amp; b" in page and 'lang="zh-Hans"' in page and 'scope="row"' in page
    assert re.findall(r">([\d.]+)</td>", page) == ["0.25", "1.00", "0", "0"]


@pytest.mark.parametrize(
    "values, says", [([[0.5]], "do not fit"), ([[0.5, 1.5]], "between 0 and 1"), ([[0.5, np.nan]], "between")]
)
def test_the_table_refuses_what_it_cannot_shade(values, says):
    with pytest.raises(ValueError, match=says):
        tables.heat(values, ["a"], ["b", "c"], "caption")
