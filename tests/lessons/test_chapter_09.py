"""What chapter 9 teaches: each call of the document's listing has its row; its functions are the libraries'."""

import ast
import re

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import display, plots, session
from course_utils.lessons.snippets import Attempt, attempt, error_in_short, in_short, markdown_table
from course_utils.maintain import notebooks

tf = session.quiet_tensorflow()
import keras  # noqa: E402

(PATH,) = notebooks.find("09")
BOOK = notebooks.read(PATH)
lesson = definitions("09")
quick = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 2**32 - 1)


def assigned(name):
    """The literal that a cell of the notebook gives this name."""
    for cell in BOOK.cells:
        for node in ast.parse(cell.source).body if cell.cell_type == "code" else []:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
                if isinstance(node.value, ast.Call):  # a text with .format(…)
                    words = {word.arg: ast.literal_eval(word.value) for word in node.value.keywords}
                    return ast.literal_eval(node.value.func.value).format(**words)
                return ast.literal_eval(node.value)
    raise KeyError(name)


KEPT, GONE, LISTING, BECAME = map(assigned, ("KEPT", "GONE", "LISTING", "BECAME"))

# ------------------------------------------------------------------------------ the listing's calls

# All that the source document's listing calls, in the order of its text.
CALLS = [
    "fetch_20newsgroups", "TfidfVectorizer", "fit_transform", "train_test_split", "get_feature_names",
    "tf.constant", "toarray", "tf.placeholder", "tf.Variable", "tf.random_uniform", "tf.nn.embedding_lookup",
    "tf.nn.rnn_cell.BasicLSTMCell", "tf.nn.dynamic_rnn", "tf.reshape", "tf.transpose", "tf.reduce_mean",
    "tf.matmul", "tf.nn.sparse_softmax_cross_entropy_with_logits", "tf.train.AdamOptimizer", "minimize",
    "tf.Session", "Session.run", "tf.global_variables_initializer", "tf.cast", "tf.equal", "tf.argmax",
]  # fmt: skip

# Statements (from 1) of the listing as it ran on TensorFlow 2.21: with an AttributeError, and with a NameError.
ATTRIBUTE_ERRORS = [11, 19, 20, 21, 23, 24, 28, 29, 32, 33]
NAME_ERRORS = [22, 25, 26, 27, 30, 31, 34, 35, 36, 37]


@pytest.fixture(scope="module")
def world():
    import inspect

    from scipy.sparse import csr_matrix
    from sklearn.datasets import fetch_20newsgroups
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.model_selection import train_test_split

    return {
        "tf": tf, "keras": keras, "np": np, "inspect": inspect, "csr_matrix": csr_matrix,
        "fetch_20newsgroups": fetch_20newsgroups, "train_test_split": train_test_split,
        "TfidfVectorizer": TfidfVectorizer, "vectorizer": TfidfVectorizer().fit(["a red house", "a blue house"]),
    }  # fmt: skip


def test_every_call_of_the_listing_has_its_row():
    assert sorted(CALLS) == sorted([row[0] for row in KEPT] + [row[0] for row in GONE])
    outputs = [out for cell in BOOK.cells for out in cell.get("outputs", [])]
    shown = "\n".join(out.get("data", {}).get("text/markdown", "") for out in outputs)
    for call in CALLS:
        assert re.search(rf"^\| `{re.escape(call)}` \|", shown, re.MULTILINE), f"{call} has no row in the tables"


def test_every_row_tries_its_own_call():
    for call, line, *_ in [*KEPT, *GONE]:
        assert call.split(".")[-1] in line and ("tf." not in call or call in line), call


@pytest.mark.parametrize("row", KEPT, ids=lambda row: row[0])
def test_what_is_said_to_work_works(row, world):
    assert attempt(row[1], world).works


@pytest.mark.parametrize("row", GONE, ids=lambda row: row[0])
def test_what_is_said_to_have_gone_raises_and_its_replacement_works(row, world):
    _, line, why, new = row
    gone = attempt(line, world)
    assert not gone.works and gone.says.startswith("AttributeError")
    assert attempt(new, world).works and len(why.split()) >= 4


def test_no_name_is_used_in_the_description_that_is_neither_tried_nor_a_result():
    given = {name for line in LISTING.strip().splitlines() for name in line.split("|")[2].strip().split(", ")}
    for line in LISTING.strip().splitlines():
        for name in filter(None, line.split("|")[1].strip().split(", ")):
            assert name in CALLS or name in given, name


def test_the_walk_finds_the_statements_that_really_raise(world):
    works = {call: attempt(line, world).works for call, line, *_ in [*KEPT, *GONE]}
    found = lesson.walk(LISTING, works)
    assert [i for i, (_, lacks) in enumerate(found, 1) if lacks in works] == ATTRIBUTE_ERRORS
    assert [i for i, (_, lacks) in enumerate(found, 1) if lacks and lacks not in works] == NAME_ERRORS
    assert len(BECAME.strip().splitlines()) == len(found) == 37


def test_the_walk_follows_a_failure_to_its_end():
    listing = "one | f | a\ntwo | g, a | b\nthree | b | c\nfour | a |\nfive | c |"
    assert [lacks for _, lacks in lesson.walk(listing, {"f": True, "g": True})] == [""] * 5
    assert [lacks for _, lacks in lesson.walk(listing, {"f": True, "g": False})] == ["", "g", "b", "", "c"]
    assert [lacks for _, lacks in lesson.walk(listing, {"f": False, "g": False})] == ["f", "g", "b", "a", "c"]


def test_the_bridge(world):
    lines = {call: line for call, line, _, _ in GONE}
    eager, graph = lesson.over_the_bridge(lines["tf.placeholder"], world)
    assert not eager.works and graph.works
    for call in ("tf.nn.rnn_cell.BasicLSTMCell", "tf.nn.dynamic_rnn"):
        assert not any(one.works for one in lesson.over_the_bridge(lines[call], world))
    assert lesson.converted(lines["tf.Session"]) == "tf.compat.v1.Session()"
    assert lesson.converted("tf.reshape(x, [2, 3])") == "tf.reshape(x, [2, 3])"


# ---------------------------------------------------------------------------------- tf.function


def test_the_print_appears_once_for_each_shape(capsys):
    lesson.cubed(tf.constant([[1.0]]))
    lesson.cubed(tf.constant([[2.0]]))
    assert capsys.readouterr().out.count("Python runs") == 1
    lesson.cubed(tf.constant([[1.0, 2.0]]))
    assert capsys.readouterr().out.count("Python runs") == 1


@settings(deadline=None, max_examples=8)
@given(seeds, st.integers(1, 5), st.integers(1, 6))
def test_a_compiled_step_is_the_eager_step_and_that_of_keras(seed, texts, T):
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(texts, T, 3)).astype("float32"), random.normal(size=(texts, 1)).astype("float32")
    plain, compiled = lesson.small_weights(seed, 3, 4), lesson.small_weights(seed, 3, 4)
    layer = keras.layers.SimpleRNN(4, use_bias=False)
    layer.build((None, T, 3))
    layer.set_weights([part.numpy() for part in plain[:2]])
    theirs = np.mean((layer(x).numpy() @ plain[2].numpy() - y) ** 2)
    one, other = lesson.make_step(plain), tf.function(lesson.make_step(compiled))
    losses = [(float(one(x, y)), float(other(x, y))) for _ in range(3)]
    assert losses[0][0] == pytest.approx(theirs, rel=1e-4, abs=1e-6)
    np.testing.assert_allclose(*np.transpose(losses), rtol=1e-4, atol=1e-6)
    for a, b in zip(plain, compiled, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_step_goes_downhill():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(8, 4, 8)).astype("float32"), random.normal(size=(8, 1)).astype("float32")
    step = lesson.make_step(lesson.small_weights(0))
    losses = [float(step(x, y)) for _ in range(30)]
    assert losses[-1] < 0.8 * losses[0]


# --------------------------------------------------------------------------------- the five bugs


WORDS = st.lists(st.sampled_from(["the", "cat", "sat", "on", "a", "mat", "and", "dog"]), min_size=1, max_size=9)


@settings(deadline=None, max_examples=12)
@given(WORDS, WORDS, st.integers(1, 7))
def test_word_ids_are_keras_text_vectorization(known, words, length):
    layer = keras.layers.TextVectorization(output_sequence_length=length)
    layer.adapt([" ".join(known)])
    theirs = layer([" ".join(words)])[0]
    np.testing.assert_array_equal(lesson.word_ids(words, layer.get_vocabulary()[2:], length), theirs)


@quick
@given(seeds, st.integers(1, 4), st.integers(1, 5), st.integers(1, 4))
def test_mean_over_time_is_keras_pooling(seed, texts, T, units):
    states = np.random.default_rng(seed).normal(size=(texts, T, units)).astype("float32")
    theirs = keras.layers.GlobalAveragePooling1D()(states)
    np.testing.assert_allclose(lesson.mean_over_time(states), theirs, atol=1e-5)


@quick
@given(seeds, st.integers(1, 30), st.integers(2, 5))
def test_accuracy_is_scikit_learns(seed, texts, classes):
    from sklearn.metrics import accuracy_score

    random = np.random.default_rng(seed)
    logits, labels = random.normal(size=(texts, classes)), random.integers(0, classes, texts)
    assert lesson.accuracy(logits, labels) == pytest.approx(accuracy_score(labels, logits.argmax(axis=1)))


@quick
@given(seeds, st.integers(1, 40), st.integers(1, 12))
def test_batches_are_those_of_tf_data(seed, rows, size):
    order = np.random.default_rng(seed).permutation(rows)
    theirs = [part.numpy() for part in tf.data.Dataset.from_tensor_slices(order).batch(size)] * 2
    for step, part in enumerate(theirs):
        np.testing.assert_array_equal(lesson.batch_rows(order, size, step), part)


@quick
@given(seeds, st.integers(3, 40), st.data())
def test_three_way_split_deals_every_row_once(seed, rows, data):
    order = np.random.default_rng(seed).permutation(rows)
    test = data.draw(st.integers(1, rows - 2))
    validation = data.draw(st.integers(0, rows - test - 1))
    parts = lesson.three_way_split(order, test, validation)
    assert [len(part) for part in parts] == [rows - test - validation, validation, test]
    assert sorted(np.concatenate(parts)) == list(range(rows))


def test_the_quick_repairs_are_wrong_as_the_lesson_says():
    random = np.random.default_rng(0)
    assert (lesson.rounded_ids(random.random((4, 9)) * 0.99) == 0).all()
    outputs = random.normal(size=(2, 3, 4))
    assert lesson.mean_after_merging(outputs).shape == (6,)
    logits, labels = np.eye(2)[random.integers(0, 2, 900)], random.integers(0, 2, 300)
    assert 0.35 < lesson.accuracy_cut_to_fit(logits, labels) < 0.65
    fed = np.concatenate([lesson.batch_too_near(np.arange(12), 4, step) for step in range(3)])
    assert len(set(fed)) == 6 and np.bincount(fed).max() == 3
    training, validation, _ = lesson.split_with_overlap(np.arange(12), 3, 2)
    assert set(validation) <= set(training)


# -------------------------------------------------------------------------- cost, and the mended network


@quick
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_operations_are_those_of_the_matrix_products(texts, columns, embedding, units):
    forward = sum(2 * rows * columns for rows, columns in [(embedding, 4 * units), (units, 4 * units)])
    assert lesson.step_operations(texts, columns, embedding, units) == 3 * forward * texts * columns


def test_a_slice_is_timed_and_the_document_network_has_its_shape():
    model = lesson.document_network(50, 2, 8, 16)
    assert lesson.slice_seconds(model, 4, 5, 50, 2, seed=0) > 0
    assert model(np.zeros((3, 7), dtype=int)).shape == (3, 2)
    assert model.layers[0].embeddings.shape == (50, 8) and model.layers[1].units == 16


def test_the_repaired_network_leaves_the_padding_out_and_learns():
    keras.utils.set_random_seed(0)
    model = lesson.repaired_network(30, 8, 2, 8, 8)
    ids = np.zeros((40, 8), dtype=int)
    labels = np.arange(40) % 2
    ids[:, :3] = np.random.default_rng(0).integers(4, 30, (40, 3))
    ids[:, 1] = 2 + labels
    longer = lesson.repaired_network(30, 12, 2, 8, 8)
    longer.set_weights(model.get_weights())
    padded = np.pad(ids, [(0, 0), (0, 4)])
    np.testing.assert_allclose(model(ids), longer(padded), atol=1e-5)
    assert np.isfinite(model(np.zeros((2, 8), dtype=int))).all(), "a text without a word"
    model.optimizer.learning_rate = 0.05
    model.fit(ids, labels, epochs=10, verbose=0)
    assert lesson.accuracy(model(ids).numpy(), labels) > 0.9


def test_encode_goes_batch_by_batch():
    layer = keras.layers.TextVectorization(output_sequence_length=4)
    texts = ["the cat", "a dog sat", "the", "the cat sat on"]
    layer.adapt(texts)
    np.testing.assert_array_equal(lesson.encode(layer, texts, size=3), layer(texts))


def test_median_ms_does_not_count_the_first_call():
    import time

    calls = []

    def step(x, y):
        time.sleep(0.0 if calls else 0.3)
        calls.append(1)

    assert lesson.median_ms(step, None, None, repeats=5) < 100 and len(calls) == 6


# ------------------------------------------------------------------------------- attempts and strips


def test_an_attempt_reports_instead_of_raising():
    names = {"np": np}
    assert attempt("np.ones((2, 3))", names) == Attempt(True, "shape (2, 3)")
    assert str(attempt("1 + 1", names)) == "works: 2"
    assert str(attempt("1 / 0", names)) == "raises ZeroDivisionError: division by zero"
    assert not attempt("1 +", names).works and not attempt("missing", names).works
    assert set(names) == {"np"}, "the names are not changed"


def test_values_in_short():
    assert in_short(tf.constant(2.5)) == "the number 2.5" and in_short(tf.ones([2])) == "shape (2,)"
    assert in_short([1]) == "list" and in_short("x") == "'x'"
    with tf.Graph().as_default():
        assert in_short(tf.constant(1.0)) == "shape ()"


def test_errors_in_short():
    assert error_in_short(ValueError("")) == "ValueError: "
    message = "Graph execution error:\n\nDetected at node 'a'\n  File \"x\"\nNode: 'a'\nFeed it\n\t [[{{node a}}]]"
    assert error_in_short(RuntimeError(message)) == "RuntimeError: Feed it"
    assert error_in_short(ValueError("{{function_node f}} wrong [Op:Add] name: ")) == "ValueError: wrong"
    assert len(error_in_short(ValueError("word " * 100))) < 160


def test_a_table_has_rows_of_equal_length():
    assert markdown_table(["a", "b"], [(1, "x|y")]).splitlines()[2] == "| 1 | x\\|y |"
    with pytest.raises(ValueError, match="has 2 cells, not 1"):
        markdown_table(["a", "b"], [(1,)])


def test_a_strip_has_a_lane_for_each_kind():
    figure = plots.strips.strip([0, 1, 1, 0, 2], ["x", "y", "z"], "place")
    (ax,) = figure.axes
    assert [list(line.get_xdata()) for line in ax.lines] == [[1, 4], [2, 3], [5]]
    display.close(figure)
    with pytest.raises(ValueError, match="at most"):
        plots.strips.strip([0], list("abcde"), "place")
    with pytest.raises(ValueError, match="from 0 to 0"):
        plots.strips.strip([1], ["x"], "place")
