"""What chapter 13 teaches: its own functions, taken out of the notebook, against Keras, SciPy and definitions."""

import ast
import gzip
import lzma

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax as scipy_softmax

from course_utils import session
from course_utils.lessons import checkpoints
from course_utils.maintain import notebooks

tf = session.quiet_tensorflow()
import keras  # noqa: E402  (only after TensorFlow has been loaded quietly)

lesson = definitions("13_language_model")
quick = settings(deadline=None, max_examples=30)
seeds = st.integers(0, 2**32 - 1)

VOCABULARY, WIDTH, HEADS, LAYERS, CONTEXT = 20, 8, 2, 2, 12
BIAS = lesson.position_bias(CONTEXT, HEADS)
START = lesson.initial_weights(np.arange(VOCABULARY), WIDTH, LAYERS, 0)
START["tokens"] = START["tokens"] * 30  # so that the logits are not all alike
SMALL = lesson.initial_weights(np.arange(VOCABULARY), WIDTH, 1, 0)  # what is compiled with its gradient
SMALL["tokens"] = SMALL["tokens"] * 30


def random_ids(seed, *shape):
    return np.random.default_rng(seed).integers(0, VOCABULARY, shape).astype("int32")


# ----------------------------------------------------------------------------- bits and baselines


@quick
@given(seeds, st.integers(1, 40), st.integers(1, 100))
def test_bits_per_character_is_cross_entropy(seed, n, characters):
    random = np.random.default_rng(seed)
    logits, ids = random.normal(0, 3, (n, 7)), random.integers(0, 7, n)
    nats = float(keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")(ids, logits))
    p = scipy_softmax(logits, axis=1)[np.arange(n), ids]
    assert lesson.bits_per_character(p, characters) == pytest.approx(nats / np.log(2) / characters, rel=1e-5)


def slow_ngram(train, context, byte, n):
    """Witten and Bell's rule as the formula says it, by recursion over a plain string of bytes."""
    if n == 0:
        return 1 / 256
    history = context[len(context) - n + 1 :] if n > 1 else b""
    follow = [train[i + n - 1] for i in range(len(train) - n + 1) if train[i : i + n - 1] == history]
    shorter = slow_ngram(train, context, byte, n - 1)
    if not follow:
        return shorter
    return (follow.count(byte) + len(set(follow)) * shorter) / (len(follow) + len(set(follow)))


@quick
@given(st.binary(min_size=6, max_size=60), st.binary(min_size=1, max_size=8), st.integers(1, 4))
def test_ngrams_are_the_formula(train, text, longest):
    ids = (np.frombuffer(part, np.uint8).astype(np.int64) for part in (train, text))
    rows = lesson.ngram_probabilities(*ids, longest)
    assert rows.shape == (longest + 1, len(text))
    for n in range(longest + 1):
        for i, byte in enumerate(text):
            expected = slow_ngram(train, text[:i], byte, min(n, i + 1))
            assert rows[n, i] == pytest.approx(expected, rel=1e-9)


@quick
@given(seeds, st.integers(1, 5))
def test_ngrams_hand_out_exactly_one(seed, n):
    random = np.random.default_rng(seed)
    train = random.integers(0, 5, 80)
    context = random.integers(0, 6, n)
    asked = np.array([[*context, byte] for byte in range(256)]).ravel()
    rows = lesson.ngram_probabilities(train, asked, n)
    np.testing.assert_allclose(rows[:, n :: n + 1].sum(axis=1), 1, atol=1e-9)


def test_bits_of_several_texts_are_those_of_each():
    train, texts = "the cat sat on the mat\0" * 4, ["a cat\0", "the mät sat\0"]
    together = lesson.ngram_bits(train, texts, 2)
    for row, text in zip(together, texts, strict=True):
        uniform, unigram = len(text.encode()) * 8 / len(text), lesson.ngram_bits(train, [text], 1)[0][1]
        assert row[0] == pytest.approx(uniform) and row[1] == pytest.approx(unigram)


def test_a_compressor_that_has_read_the_text_needs_less():
    random = np.random.default_rng(0)
    text = "".join(random.choice(list("abcdefgh "), 3000))
    for compress in (gzip.compress, lzma.compress):
        alone = lesson.compressed_bits(compress, text)
        assert alone == 8 * len(compress(text.encode())) / 3000
        assert lesson.compressed_bits(compress, text, before=text) < 0.2 * alone


def test_the_bootstrap_covers_the_mean_and_shrinks_with_more_texts():
    random = np.random.default_rng(1)
    bits, length = random.normal(300, 60, 400), np.full(400, 100)
    low, high = lesson.bootstrap(bits, length, 0)
    assert low < bits.sum() / length.sum() < high
    assert high - low == pytest.approx(2 * 1.96 * 0.6 / 20, rel=0.2)
    few = lesson.bootstrap(bits[:25], length[:25], 0)
    assert few[1] - few[0] > 2 * (high - low)


def test_bits_go_to_the_text_they_belong_to():
    ids, p = np.array([3, 0, 0, 2, 2, 0]), np.array([0.5, 0.25, 0.5, 0.5, 0.5, 0.125])
    np.testing.assert_allclose(lesson.bits_of_texts(ids, p), [3, 1, 5])


def test_texts_that_share_ten_words_in_a_row_are_left_out():
    ten = "a b c d e f g h i j"
    assert len(lesson.phrases(ten)) == 1 and not lesson.phrases(ten[:-2])
    assert lesson.not_seen([f"x\n{ten}  y", "k l", ten[2:] + " z"], [f"{ten} m"]) == ["k l", ten[2:] + " z"]
    assert lesson.not_seen([f"x {ten}", "k", f"{ten} y"], []) == [f"x {ten}", "k"], "nor with an earlier one"


def test_texts_are_put_in_a_row_until_there_are_enough():
    texts = [c * 10 for c in "abcdef"]
    row = lesson.in_a_row(texts, 25, np.random.default_rng(0))
    assert len(row) == 33 and row.count("\0") == 3 and row.endswith("\0")
    assert sorted(lesson.in_a_row(texts, 1e9, np.random.default_rng(0)).split("\0"))[1:] == texts


# --------------------------------------------------------------------------------- attention


@quick
@given(seeds, st.floats(0.1, 1e4))
def test_softmax_is_scipys_for_any_size(seed, scale):
    scores = np.random.default_rng(seed).normal(0, scale, (3, 5)).astype("float32")
    scores[0, 1:] = -np.inf
    np.testing.assert_allclose(lesson.softmax(scores), scipy_softmax(scores.astype(float), axis=-1), atol=1e-5)


@quick
@given(seeds)
def test_the_gradient_of_softmax_is_tensorflows(seed):
    random = np.random.default_rng(seed)
    scores, above = tf.Variable(random.normal(0, 2, (4, 6))), random.normal(size=(4, 6))
    with tf.GradientTape(persistent=True) as tape:
        ours, theirs = (tf.reduce_sum(f(scores) * above) for f in (lesson.softmax, tf.nn.softmax))
    np.testing.assert_allclose(tape.gradient(ours, scores), tape.gradient(theirs, scores), atol=1e-9)


@settings(deadline=None, max_examples=10)
@given(seeds, st.integers(1, 9), st.integers(1, 3), st.integers(1, 5))
def test_attention_is_keras_with_its_gradients(seed, t, heads, size):
    random, d = np.random.default_rng(seed), heads * size
    x, qkv, out = (random.normal(size=s).astype("float32") for s in [(2, t, d), (d, 3 * d), (d, d)])
    layer = keras.layers.MultiHeadAttention(heads, size, use_bias=False)
    layer.build(x.shape, x.shape)
    parts = [part.reshape(d, heads, size) for part in np.split(qkv, 3, axis=1)]
    layer.set_weights([*parts, out.reshape(heads, size, d)])
    mask = tf.constant(np.where(np.tri(t) > 0, 0, -np.inf), tf.float32)
    x = tf.Variable(x)
    with tf.GradientTape(persistent=True) as tape:
        q, k, v = (lesson.split_heads(part, heads) for part in tf.split(x @ qkv, 3, axis=-1))
        ours, weights = lesson.attend(q, k, v, mask)
        ours = ours @ out
        theirs, their_weights = layer(x, x, use_causal_mask=True, return_attention_scores=True)
        losses = tf.reduce_sum(ours**2), tf.reduce_sum(theirs**2)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(weights, their_weights, rtol=1e-3, atol=1e-5)
    ours, theirs = (tape.gradient(loss, x).numpy() for loss in losses)
    np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-3 * np.abs(theirs).max() + 1e-5)


@quick
@given(seeds, st.integers(1, 8), st.integers(1, 4))
def test_heads_are_split_and_joined_without_loss(seed, t, heads):
    x = np.random.default_rng(seed).normal(size=(2, t, heads * 3))
    np.testing.assert_array_equal(lesson.join_heads(lesson.split_heads(x, heads)), x)


@quick
@given(seeds, st.integers(1, 7))
def test_layer_norm_is_keras(seed, d):
    random = np.random.default_rng(seed)
    x, gain, shift = (random.normal(size=s).astype("float32") for s in [(3, 2, d), (d,), (d,)])
    layer = keras.layers.LayerNormalization(epsilon=1e-5)
    layer.build(x.shape)
    layer.set_weights([gain, shift])
    np.testing.assert_allclose(lesson.layer_norm(x, gain, shift), layer(x), atol=2e-4)
    np.testing.assert_allclose(lesson.norm(x, gain, shift), layer(x), atol=2e-4)


def test_the_position_bias_is_minus_slope_times_distance():
    bias = lesson.position_bias(5, 3).numpy()
    for h, i, j in np.ndindex(3, 5, 5):
        assert bias[h, i, j] == (-(4.0**-h) * (i - j) if j <= i else -np.inf)


# --------------------------------------------------------------------------------- the model


@quick
@given(seeds, st.integers(1, CONTEXT - 1))
def test_no_place_sees_a_later_one(seed, place):
    ids = random_ids(seed, 1, CONTEXT)
    other = ids.copy()
    other[0, place:] = (other[0, place:] + 1) % VOCABULARY
    one, two = (lesson.model(START, tf.constant(each), BIAS).numpy() for each in (ids, other))
    np.testing.assert_array_equal(one[:, :place], two[:, :place])
    assert np.abs(one[:, place] - two[:, place]).max() > 0


def test_what_stands_before_matters_and_its_order_too():
    ids = random_ids(3, 1, CONTEXT)
    ids[0, :2] = 1, 2
    swapped = ids.copy()
    swapped[0, :2] = 2, 1
    one, two = (lesson.model(START, tf.constant(each), BIAS).numpy() for each in (ids, swapped))
    assert np.abs(one[0, -1] - two[0, -1]).max() > 1e-6


def test_the_model_as_a_plain_formula():
    """One text through all layers, in NumPy, place by place."""
    ids = random_ids(1, CONTEXT)
    W, size = {name: value.astype(float) for name, value in START.items()}, WIDTH // HEADS
    x = W["tokens"][ids]
    for i in range(LAYERS):
        y = lesson.layer_norm(x, W[f"{i}.gain1"], W[f"{i}.shift1"]) @ W[f"{i}.qkv"]
        found = np.zeros_like(x)
        for h in range(HEADS):
            q, k, v = (y[:, n * WIDTH + h * size :][:, :size] for n in range(3))
            for place in range(CONTEXT):
                scores = k[: place + 1] @ q[place] / np.sqrt(size) - 4.0**-h * np.arange(place, -1, -1)
                found[place, h * size : (h + 1) * size] = scipy_softmax(scores) @ v[: place + 1]
        x = x + found @ W[f"{i}.out"]
        y = lesson.layer_norm(x, W[f"{i}.gain2"], W[f"{i}.shift2"])
        x = x + np.maximum(y @ W[f"{i}.up"], 0) ** 2 @ W[f"{i}.down"]
    expected = lesson.layer_norm(x, W["gain"], W["shift"]) @ W["tokens"].T + W["frequency"]
    np.testing.assert_allclose(lesson.model(START, tf.constant(ids[None]), BIAS)[0], expected, rtol=1e-3, atol=1e-4)


def test_the_model_is_under_eighty_lines_of_plain_operations():
    wanted = "softmax split_heads join_heads attend position_bias norm queries_keys_values add_mlp block states model"
    cells = notebooks.read(notebooks.find("13")[0]).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    parts = {node.name: ast.get_source_segment(source, node)
             for source in sources for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}  # fmt: skip
    code = "\n".join(parts[name] for name in [*wanted.split(), "depth"])
    assert len([line for line in code.splitlines() if line.strip()]) < 80
    assert "keras" not in code and "nn." not in code


def test_the_start_is_a_unigram_of_the_right_size():
    counts = np.array([0, 5, 100, 1])
    W = lesson.initial_weights(counts, 16, 3, seed=1)
    np.testing.assert_allclose(np.exp(W["frequency"]), (counts + 0.5) / (counts + 0.5).sum(), rtol=1e-5)
    assert sum(value.size for value in W.values()) == 4 * 17 + 3 * (12 * 16**2 + 4 * 16) + 2 * 16
    assert lesson.depth(W) == 3 and all(value.dtype == np.float32 for value in W.values())
    again, other = lesson.initial_weights(counts, 16, 3, seed=1), lesson.initial_weights(counts, 16, 3, seed=2)
    assert (W["0.qkv"] == again["0.qkv"]).all() and (W["0.qkv"] != other["0.qkv"]).any()


def test_a_score_counts_each_token_once_with_enough_before_it():
    score, half = lesson.scorer(START, BIAS, size=3), CONTEXT // 2
    for n in (1, half, CONTEXT, 5 * half + 2):
        ids = random_ids(n, n)
        found = score(ids)
        assert found.shape == (n,)
        stream = np.r_[0, ids]
        for place in range(n):
            begin = 0 if place < half else (place // half - 1) * half
            part = tf.constant(stream[None, begin : place + 1], tf.int32)
            logits = lesson.model(START, part, _cut(place + 1 - begin))
            expected = scipy_softmax(logits[0, -1].numpy())[ids[place]]
            assert found[place] == pytest.approx(expected, rel=1e-3)


def _cut(t):
    return BIAS[:, :t, :t]


# -------------------------------------------------------------------------------- sampling


@quick
@given(seeds, st.integers(1, 12), st.floats(0.05, 1))
def test_top_p_is_the_smallest_set(seed, n, p):
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(n))
    kept = lesson.top_p(probabilities, p)
    inside = kept > 0
    assert kept.sum() == pytest.approx(1) and probabilities[inside].sum() >= p - 1e-9
    assert probabilities[inside].sum() - probabilities[inside].min() < p + 1e-9, "one token fewer would be too few"
    assert inside.all() or probabilities[inside].min() >= probabilities[~inside].max()
    np.testing.assert_allclose(kept[inside], probabilities[inside] / probabilities[inside].sum())


@quick
@given(seeds, st.integers(1, 12), st.integers(1, 15))
def test_top_k_keeps_the_k_largest_in_proportion(seed, n, k):
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(n))
    kept = lesson.top_k(probabilities, k)
    largest = np.sort(probabilities)[::-1][:k]
    np.testing.assert_allclose(np.sort(kept)[::-1][: len(largest)], largest / largest.sum())
    assert np.count_nonzero(kept) == min(k, n)


@quick
@given(seeds, st.floats(0.05, 20))
def test_temperature_is_the_softmax_of_divided_logits(seed, temperature):
    logits = np.random.default_rng(seed).normal(0, 5, 9)
    found = lesson.next_probabilities(logits, temperature)
    np.testing.assert_allclose(found, scipy_softmax(logits / temperature), atol=1e-9)


@quick
@given(seeds)
def test_temperature_orders_the_entropy_and_its_ends_are_greedy_and_uniform(seed):
    logits = np.random.default_rng(seed).normal(0, 2, 6)
    entropies = []
    for temperature in (0.3, 1, 3):
        p = lesson.next_probabilities(logits, temperature)
        entropies.append(-np.sum(p * np.log(p + 1e-300)))
    assert entropies == sorted(entropies)
    greedy = lesson.next_probabilities(logits, 0)
    assert greedy.argmax() == logits.argmax() and greedy.sum() == greedy.max() == 1
    np.testing.assert_allclose(lesson.next_probabilities(logits, 1e9), 1 / 6, atol=1e-6)


WAYS = [{}, {"temperature": 0.5}, {"k": 3}, {"p": 0.7}, {"temperature": 2.0, "k": 4, "p": 0.9}]


@pytest.mark.parametrize("how", WAYS)
def test_what_is_drawn_follows_the_probabilities(how):
    """Each share of 4,000 draws lies within five standard errors of what it should be."""
    logits = np.array([1.0, 0.5, 0.0, -1.0, 2.0])
    asked = lesson.next_probabilities(logits, **how)
    random = np.random.default_rng(0)
    drawn = [lesson.write(lambda ids: logits, [0], 1, random, **how)[-1] for _ in range(4000)]
    shares = np.bincount(drawn, minlength=5) / 4000
    assert (np.abs(shares - asked) <= 5 * np.sqrt(asked * (1 - asked) / 4000)).all()


@pytest.mark.parametrize("how", [{"temperature": -1}, {"k": -1}, {"p": 0}, {"p": 1.5}])
def test_a_wrong_setting_is_named(how):
    with pytest.raises(ValueError, match=str(*how.values())):
        lesson.next_probabilities(np.zeros(3), **how)


# --------------------------------------------------------------------------------- the cache


@pytest.fixture(scope="module")
def readers():
    variables = {name: tf.Variable(value) for name, value in START.items()}
    return lesson.plain_reader(variables, BIAS), lesson.CachedReader(variables, BIAS)


@settings(deadline=None, max_examples=15)
@given(seeds, st.integers(1, CONTEXT))
def test_the_cache_changes_no_logit(readers, seed, n):
    plain, cached = readers
    ids = [int(i) for i in random_ids(seed, n)]
    expected = lesson.model(START, tf.constant([ids]), _cut(n))[0, -1]
    for reader in (plain, cached):
        np.testing.assert_allclose(reader(ids), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("how", [{"temperature": 0}, {}, {"p": 0.8}, {"k": 3}])
def test_the_cache_changes_no_token(readers, how):
    texts = [lesson.write(reader, [1, 2], CONTEXT - 2, np.random.default_rng(5), **how) for reader in readers]
    assert (texts[0] == texts[1]).all() and len(texts[0]) == CONTEXT


def test_a_text_longer_than_the_context_is_refused_by_both(readers):
    for reader in readers:
        for ids in ([], [1] * (CONTEXT + 1)):
            with pytest.raises(ValueError, match=f"reads 1 to {CONTEXT} tokens, not {len(ids)}"):
                reader(ids)


# -------------------------------------------------------------------------------- training


@quick
@given(seeds)
def test_adam_is_keras(seed):
    random = np.random.default_rng(seed)
    begin = [random.normal(size=s).astype("float32") for s in [(3, 2), (4,)]]
    ours, theirs = ([tf.Variable(w) for w in begin] for _ in range(2))
    first, second = ([tf.Variable(tf.zeros_like(w)) for w in begin] for _ in range(2))
    optimizer = keras.optimizers.Adam(0.01, beta_1=0.9, beta_2=0.98, epsilon=1e-8, global_clipnorm=1.0)
    for t in range(1, 6):
        gradients = [random.normal(0, 0.7, w.shape).astype("float32") for w in begin]
        lesson.adam(ours, first, second, gradients, float(t), 0.01)
        optimizer.apply_gradients(zip(map(tf.constant, gradients), theirs, strict=True))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_the_learning_rate_rises_and_falls():
    rates = [lesson.learning_rate(t, 1000, 0.1) for t in range(1, 1001)]
    assert np.argmax(rates) == 49 and rates[49] == pytest.approx(0.1) and rates[-1] == 0
    np.testing.assert_allclose(np.diff(rates[:49]), 0.1 / 50)
    assert (np.diff(rates[50:]) < 0).all()
    assert all(np.isfinite(lesson.learning_rate(t, 1, 0.1)) for t in (1, 2))


def test_a_batch_depends_on_seed_and_step_alone():
    ids = np.arange(1000, dtype="int32")
    one, again, other = (lesson.batch(ids, 4, 10, 7, t) for t in (3, 3, 4))
    assert one.shape == (4, 11) and (np.diff(one) == 1).all()
    assert (one == again).all() and (one != other).any() and (one != lesson.batch(ids, 4, 10, 8, 3)).any()
    assert lesson.batch(ids[:11], 2, 10, 0, 1).tolist() == [list(range(11))] * 2


FACTS = {"SEED": 42, "text": "test"}


@pytest.fixture(scope="module")
def course():
    """A run, its text, and how it begins: the notebook's own loop on a small model."""
    space = lesson.train_run.__globals__
    kept = {name: space[name] for name in ("BATCH", "CONTEXT", "SAVE_EVERY", "RATE")}
    space.update(BATCH=4, CONTEXT=CONTEXT, SAVE_EVERY=3, RATE=0.02)
    run = lesson.Run(SMALL, BIAS)
    yield run, np.tile(random_ids(0, 7), 60), run.arrays()
    space.update(kept)


def test_training_learns_a_rhythm(course):
    run, ids, begin = course
    run.fill(begin)
    losses = []
    lesson.train_run(run, ids, 100, 100, lambda t, loss: losses.append(float(loss)))
    assert len(losses) == 100 and int(run.t.numpy()) == 100
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("stop", [1, 2, 5, 7])
def test_an_interrupted_run_resumes_without_loss(course, tmp_path, stop):
    run, ids, begin = course
    run.fill(begin)
    lesson.train_run(run, ids, 8, 20)
    whole = run.arrays()

    def interrupt(t, loss):
        if t == stop:
            raise KeyboardInterrupt

    path = tmp_path / "run"
    run.fill(begin)
    with pytest.raises(KeyboardInterrupt):
        lesson.train_run(run, ids, 8, 20, interrupt, path, FACTS)
    run.fill({name: np.zeros_like(value) for name, value in begin.items()})
    lesson.resume(run, path, FACTS)
    assert int(run.t.numpy()) == stop
    lesson.train_run(run, ids, 8, 20, None, path, FACTS)
    for name, value in run.arrays().items():
        np.testing.assert_allclose(value, whole[name], atol=1e-6)
    assert [file.name for file in tmp_path.iterdir()] == ["run"]


def test_a_damaged_or_foreign_checkpoint_is_refused_and_the_run_stays_as_it_was(course, tmp_path):
    run, ids, begin = course
    run.fill(begin)
    path = tmp_path / "run"
    lesson.train_run(run, ids, 2, 20, None, path, FACTS)
    before, content = run.arrays(), path.read_bytes()
    refused = {
        "cut short": (content[:-100], FACTS),
        "damaged": (content[:-1] + bytes([content[-1] ^ 1]), FACTS),
        "no checkpoint": (b"", FACTS),
        "written with SEED = 42, not 43": (content, FACTS | {"SEED": 43}),
    }
    for says, (stored, facts) in refused.items():
        path.write_bytes(stored)
        with pytest.raises(ValueError, match=says):
            lesson.resume(run, path, facts)
    checkpoints.save(path, {"t": np.array(3.0)}, FACTS)
    with pytest.raises(ValueError, match="another model"):
        lesson.resume(run, path, FACTS)
    for name, value in run.arrays().items():
        np.testing.assert_array_equal(value, before[name])


# ------------------------------------------------------------------------------ fine-tuning


@quick
@given(st.lists(st.integers(0, 30), min_size=1, max_size=5), st.floats(0, 1))
def test_pieces_are_parts_of_their_texts(lengths, share):
    texts = [np.arange(1, n + 1) for n in lengths]
    ids, mask = lesson.pieces(texts, 8, np.full(len(texts), share))
    assert ids.shape == mask.shape == (len(texts), 8)
    for row, kept, text in zip(ids, mask, texts, strict=True):
        part = row[kept > 0]
        assert len(part) == min(len(text), 8) and (row[kept == 0] == 0).all()
        assert not len(part) or (part == np.arange(part[0], part[0] + len(part))).all()
        if share == 1 and len(text):
            assert part[-1] == text[-1]


def test_padding_and_what_stands_in_it_do_not_matter():
    ids, mask = random_ids(2, 2, CONTEXT), np.ones((2, CONTEXT), "float32")
    mask[:, 7:] = 0
    head = {"weights": tf.random.stateless_normal((WIDTH, 2), [1, 2]), "shift": tf.zeros(2)}
    other = ids.copy()
    other[:, 7:] = 3
    one, two = (lesson.task_logits(START, head, each, mask, BIAS).numpy() for each in (ids, other))
    np.testing.assert_allclose(one, two, atol=1e-5)
    empty = lesson.task_logits(START, head, ids, np.zeros_like(mask), BIAS)
    np.testing.assert_array_equal(empty, np.zeros((2, 2)))


def test_a_task_is_learned_from_any_start():
    tuner = lesson.Tuner(SMALL, 2, BIAS)
    random = np.random.default_rng(0)
    labels = np.arange(64) % 2
    texts = [random.integers(1 + 9 * label, 10 + 9 * label, random.integers(4, 30)) for label in labels]
    lesson.fine_tune(tuner, SMALL, texts, labels, 10, 0.01, seed=0)
    assert lesson.task_accuracy(tuner, texts, labels) > 0.95
    tuner.fill(SMALL)
    np.testing.assert_array_equal(tuner.W["0.qkv"], SMALL["0.qkv"])
    assert lesson.task_accuracy(tuner, texts, labels) == 0.5, "the output layer starts from zero"
