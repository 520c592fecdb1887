"""What chapter 5 teaches: its own layers, taken out of the notebook, against Keras and TensorFlow."""

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import display, session
from course_utils.plots import ch05 as figures
from course_utils.plots import sequences

tf = session.quiet_tensorflow()
import keras  # noqa: E402  (only after TensorFlow has been loaded quietly)

lesson = definitions("05_recurrent_networks")
some = settings(deadline=None, max_examples=12)
seeds = st.integers(0, 2**32 - 1)
shapes = st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(1, 5), st.integers(1, 6))
KINDS = {
    "SimpleRNN": (lesson.rnn_forward, lesson.rnn_backward),
    "LSTM": (lesson.lstm_forward, lesson.lstm_backward),
    "GRU": (lesson.gru_forward, lesson.gru_backward),
}
GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}


def layer_and_input(kind, seed, shape, scale=0.7, **given):
    """A Keras layer in double precision with random weights, these weights, and sequences."""
    random, (n, time, features, units) = np.random.default_rng(seed), shape
    layer = getattr(keras.layers, kind)(units, return_sequences=True, dtype="float64", **given)
    layer.build((None, None, features))
    weights = [random.normal(0, scale, w.shape) for w in layer.get_weights()]
    layer.set_weights(weights)
    return layer, weights, random.normal(size=(n, time, features)), random


def close(ours, theirs, relative=1e-5):
    """Equal up to a part of the largest number in them."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=relative * max(np.abs(theirs).max(initial=0), 1e-12))


# ---------------------------------------------------------------------- layers, there and back


@pytest.mark.parametrize("kind", KINDS)
@some
@given(seeds, shapes)
def test_states_and_gradients_are_tensorflows(kind, seed, shape):
    layer, weights, x, random = layer_and_input(kind, seed, shape)
    forward, backward = KINDS[kind]
    rest = random.normal(size=(*x.shape[:2], shape[3]))
    variable = tf.Variable(x)
    with tf.GradientTape() as tape:
        theirs = layer(variable)
        loss = tf.reduce_sum(theirs * rest)
    states = forward(x, *weights)
    assert not np.any(lesson.hidden(states)[:, 0]), "the first state is zero"
    close(lesson.hidden(states)[:, 1:], theirs)
    ours = backward(x, states, *weights, rest)
    for mine, their in zip(ours, tape.gradient(loss, [variable, *layer.trainable_variables]), strict=True):
        close(mine, their)


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_stays_single(kind):
    forward, backward = KINDS[kind]
    *weights, _, _ = lesson.start_weights(GATES[kind], 2, 5, np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(3, 9, 2)).astype("float32")
    layer = getattr(keras.layers, kind)(5, return_sequences=True)
    layer.build(x.shape)
    layer.set_weights(weights)
    states = forward(x, *weights)
    assert lesson.hidden(states).dtype == np.float32
    close(lesson.hidden(states)[:, 1:], layer(x))
    assert all(g.dtype == np.float32 for g in backward(x, states, *weights, np.ones((3, 9, 5), "float32")))


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_without_steps_leaves_the_zero_state(kind):
    forward, backward = KINDS[kind]
    weights = [w.astype(float) for w in lesson.start_weights(GATES[kind], 2, 5, np.random.default_rng(0))[:3]]
    x = np.zeros((3, 0, 2))
    states = forward(x, *weights)
    assert np.array_equal(lesson.hidden(states), np.zeros((3, 1, 5)))
    gradients = backward(x, states, *weights, np.zeros((3, 0, 5)))
    assert [g.shape for g in gradients] == [x.shape, *(w.shape for w in weights)]
    assert not any(np.any(g) for g in gradients)


@some
@given(seeds, shapes)
def test_one_product_with_the_connected_rows(seed, shape):
    n, _, features, units = shape
    random = np.random.default_rng(seed)
    x, h, b = random.normal(size=(n, features)), random.normal(size=(n, units)), random.normal(size=units)
    W_xh, W_hh = random.normal(size=(features, units)), random.normal(size=(units, units))
    close(lesson.rnn_step(x, h, W_xh, W_hh, b), np.tanh(np.hstack([x, h]) @ np.vstack([W_xh, W_hh]) + b), 1e-12)


# ------------------------------------------------------------------------------- single steps


@some
@given(seeds, shapes)
def test_the_update_of_an_lstm_is_a_step_of_keras(seed, shape):
    layer, weights, x, random = layer_and_input("LSTM", seed, shape)
    h, c = random.normal(size=(2, len(x), shape[3]))
    theirs_h, theirs_c = layer.cell(x[:, 0], [h, c])[1]
    W, U, b = weights
    ours = lesson.lstm_update(x[:, 0] @ W + h @ U + b, c)
    close(ours[0], theirs_h)
    close(ours[1], theirs_c)


@some
@given(seeds, shapes)
def test_both_forms_of_the_gru_are_those_of_keras(seed, shape):
    layer, weights, x, random = layer_and_input("GRU", seed, shape)
    close(lesson.gru_forward(x, *weights)[:, 1:], layer(x))
    before, weights, x, random = layer_and_input("GRU", seed, shape, reset_after=False)
    h = random.normal(size=(len(x), shape[3]))
    close(lesson.gru_step_reset_before(x[:, 0], h, *weights), before.cell(x[:, 0], [h])[0])


def test_large_sums_do_not_overflow():
    z = np.array([[800.0, -800.0, 800.0, -800.0]])
    with np.errstate(all="raise", under="ignore"):
        h, c = lesson.lstm_update(z, np.array([[0.5]]))
        new = lesson.gru_update(np.array([[800.0, -800.0, 3.0]]), np.zeros((1, 3)), np.array([[0.5]]))
    close([h, c, new], [[[0.0]], [[1.0]], [[0.5]]], 1e-9)


# ---------------------------------------------------------------------------------- bad shapes

FIVE = [np.ones((3, 5)), np.ones((5, 5)), np.ones(5)]
FOUR_TIMES = [np.ones((3, 20)), np.ones((5, 20)), np.ones(20)]
THREE_TIMES = [np.ones((3, 15)), np.ones((5, 15)), np.ones((2, 15))]
X, H = np.ones((4, 7, 3)), np.ones((4, 5))
BAD = {
    "no features": (lesson.rnn_forward, [X[:, :, 0], *FIVE], ["x needs", "(4, 7)"]),
    "no feature at all": (lesson.rnn_forward, [X[:, :, :0], *FIVE], ["x needs", "(4, 7, 0)"]),
    "one sequence, no batch": (lesson.lstm_forward, [X[0], *FOUR_TIMES], ["x needs", "(7, 3)"]),
    "another number of features": (lesson.rnn_forward, [X, np.ones((2, 5)), *FIVE[1:]], ["W needs", "(2, 5)"]),
    "weights of other units": (lesson.rnn_forward, [X, np.ones((3, 6)), *FIVE[1:]], ["W needs", "(3, 5)", "(3, 6)"]),
    "not square": (lesson.rnn_forward, [X, FIVE[0], np.ones((5, 6)), FIVE[2]], ["U needs", "(5, 5)", "(5, 6)"]),
    "another bias": (lesson.rnn_forward, [X, *FIVE[:2], np.ones(6)], ["b needs", "(5,)", "(6,)"]),
    "no units": (lesson.rnn_forward, [X, np.ones((3, 0)), np.ones((0, 0)), np.ones(0)], ["(3, 0)"]),
    "plain weights in an LSTM": (lesson.lstm_forward, [X, *FIVE], ["U needs", "(5, 20)", "(5, 5)"]),
    "plain weights in a GRU": (lesson.gru_forward, [X, *FIVE], ["U needs", "(5, 15)", "(5, 5)"]),
    "one bias in a GRU": (lesson.gru_forward, [X, *THREE_TIMES[:2], np.ones(15)], ["b needs", "(2, 15)", "(15,)"]),
    "a mask of another length": (lesson.masked_states, [None, X, np.ones((4, 6)), 5], ["(4, 7)", "(4, 6)"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_shapes_are_named(name):
    function, arguments, parts = BAD[name]
    with pytest.raises(ValueError) as caught:
        function(*arguments)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


# ----------------------------------------------------------------------- gradients and their reach


@some
@given(seeds, st.integers(1, 20), st.integers(1, 20))
def test_orthogonal(seed, rows, columns):
    q = lesson.orthogonal(rows, columns, np.random.default_rng(seed))
    assert q.shape == (rows, columns)
    small = q @ q.T if rows <= columns else q.T @ q
    close(small, np.eye(min(rows, columns)), 1e-10)


@pytest.mark.parametrize("radius", [0.7, 1.0, 1.3])
def test_in_the_straight_part_of_tanh_the_law_is_a_power(radius):
    random = np.random.default_rng(0)
    W_hh = radius * lesson.orthogonal(8, 8, random)
    h = lesson.rnn_forward(1e-9 * random.normal(size=(5, 30, 2)), random.normal(size=(2, 8)), W_hh, np.zeros(8))
    lengths = lesson.gradient_by_lag(h, W_hh, random.normal(size=(5, 8)))
    np.testing.assert_allclose(lengths, radius ** np.arange(30), rtol=1e-6)


def test_gradient_by_lag_is_the_tapes():
    """Two of the lengths by TensorFlow: the gradient of the last state with respect to earlier states."""
    layer, weights, x, random = layer_and_input("SimpleRNN", 5, (3, 8, 2, 4))
    h, d = lesson.rnn_forward(x, *weights), random.normal(size=(3, 4))
    lengths = lesson.gradient_by_lag(h, weights[1], d)
    for lag in (1, 5):
        start = tf.Variable(h[:, 8 - lag])
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(tf.constant(x[:, 8 - lag :]), initial_state=start)[:, -1] * d)
        assert lengths[lag] == pytest.approx(np.linalg.norm(tape.gradient(loss, start)) / np.linalg.norm(d), rel=1e-6)


@some
@given(seeds, st.floats(0.01, 100))
def test_clipping_is_tensorflows(seed, limit):
    random = np.random.default_rng(seed)
    parts = tuple(random.normal(size=s) for s in [(3, 2), (4,), (1, 1, 2)])
    ours, (theirs, norm) = lesson.clip_by_norm(parts, limit), tf.clip_by_global_norm(parts, limit)
    for mine, their in zip(ours, theirs, strict=True):
        close(mine, their, 1e-6)
    assert np.sqrt(sum(np.sum(g**2) for g in ours)) <= min(limit, float(norm)) * (1 + 1e-9)


def test_gate_biases_that_fit_a_lag():
    random = np.random.default_rng(0)
    lstm, gru = (lesson.open_gates(lesson.start_weights(g, 2, 50, random), g, 60, random) for g in (4, 3))
    forget = lstm[2][50:100]
    assert (forget >= 0).all() and (forget <= np.log(60)).all() and forget.std() > 0.3
    np.testing.assert_array_equal(lstm[2][:50], -forget)
    assert not lstm[2][100:].any() and (gru[2][0, :50] >= 0).all() and not gru[2][1].any()
    plain = lesson.start_weights(1, 2, 5, random)
    for before, after in zip(plain, lesson.open_gates(plain, 1, 60, random), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("kind", KINDS)
def test_starts_have_the_shapes_and_the_spread_of_keras(kind):
    gates, layer = GATES[kind], getattr(keras.layers, kind)(40)
    layer.build((None, None, 7))
    ours = lesson.start_weights(gates, 7, 40, np.random.default_rng(0))[:3]
    for mine, theirs in zip(ours, layer.get_weights(), strict=True):
        assert mine.shape == theirs.shape
        assert mine.std() == pytest.approx(theirs.std(), rel=0.2, abs=1e-9)
    np.testing.assert_array_equal(ours[2], layer.get_weights()[2])


@pytest.mark.parametrize("kind", KINDS)
@some
@given(st.integers(1, 8), st.integers(1, 20))
def test_parameters_are_counted_as_by_keras(kind, features, units):
    layer = getattr(keras.layers, kind)(units)
    layer.build((None, None, features))
    assert lesson.count(GATES[kind], features, units) == layer.count_params()
    assert lesson.equal_units(GATES[kind], features, layer.count_params()) == units


# ------------------------------------------------------------------------------------- training


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_a_whole_network_are_tensorflows(kind):
    random, layer = np.random.default_rng(2), KINDS[kind]
    weights = lesson.start_weights(GATES[kind], 2, 6, random)
    x, y = lesson.memory_batch(8, 5, random)
    inner = getattr(keras.layers, kind)(6)
    inner.build(x.shape)
    inner.set_weights(weights[:3])
    readout = [tf.Variable(w) for w in weights[3:]]
    with tf.GradientTape() as tape:
        logit = (inner(x) @ readout[0] + readout[1])[:, 0]
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, logit))
    theirs = tape.gradient(loss, [*inner.trainable_variables, *readout])
    for mine, their in zip(lesson.loss_gradients(layer, weights, x, y, lesson.sign_slope), theirs, strict=True):
        close(mine, their)


def test_training_is_that_of_keras():
    """Three steps of Adam with clipping, on the same batches."""
    random, layer = np.random.default_rng(3), KINDS["GRU"]
    weights = lesson.start_weights(3, 2, 5, random)
    batches = [lesson.memory_batch(6, 4, random) for _ in range(3)]
    ours, lengths = lesson.train(layer, weights, batches, lesson.sign_slope, limit=0.05)
    variables = [keras.Variable(w) for w in weights]
    optimizer = keras.optimizers.Adam(0.01, global_clipnorm=0.05)
    for x, y in batches:
        current = [v.numpy() for v in variables]
        gradients = lesson.loss_gradients(layer, current, x, y, lesson.sign_slope)
        optimizer.apply([tf.constant(g) for g in gradients], variables)
    for mine, theirs in zip(ours, variables, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=2e-5)
    assert len(lengths) == 3 and min(lengths) > 0.05, "the limit was at work"


def test_the_memory_task():
    x, y = lesson.memory_batch(2000, 6, np.random.default_rng(0))
    assert x.shape == (2000, 7, 2) and set(y) == {0, 1}
    np.testing.assert_array_equal(x[:, 0, 0], 2 * y - 1)
    assert (x[:, 0, 1] == 1).all() and not x[:, 1:, 1].any()
    assert abs(np.corrcoef(x[:, 1:, 0].sum(axis=1), y)[0, 1]) < 0.1, "nothing else tells the sign"


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_lag_is_learned(kind):
    accuracy, left = lesson.remember((*KINDS[kind], GATES[kind]), 3, True, 120, 0)
    assert accuracy > 0.9 and 0 < left < 10


# ------------------------------------------------------------------------ masks and mean over time


@some
@given(seeds, shapes)
def test_masked_states_are_those_behind_masking(seed, shape):
    layer, weights, x, random = layer_and_input("SimpleRNN", seed, shape)
    mask = np.arange(x.shape[1]) < random.integers(0, x.shape[1] + 1, len(x))[:, None]
    ours = lesson.masked_states(lambda x_t, h: lesson.rnn_step(x_t, h, *weights), x, mask, shape[3])
    close(ours[:, 1:], layer(x, mask=tf.constant(mask)))
    for row in np.flatnonzero(~mask.any(axis=1)):
        assert not ours[row].any()


@some
@given(seeds, shapes)
def test_the_guarded_mean(seed, shape):
    n, time, _, units = shape
    random = np.random.default_rng(seed)
    values, mask = random.normal(size=(n, time, units)), random.random((n, time)) < 0.5
    with np.errstate(all="raise"):
        ours = lesson.masked_mean(values, mask)
    close(ours, lesson.SafeMean(dtype="float64")(values, mask=tf.constant(mask)), 1e-9)
    some_steps = mask.any(axis=1)
    theirs = keras.layers.GlobalAveragePooling1D(dtype="float64")(values, mask=tf.constant(mask)).numpy()
    close(ours[some_steps], theirs[some_steps], 1e-6)
    assert not ours[~some_steps].any() and np.isnan(theirs[~some_steps]).all()


def test_features_of_a_sound():
    time = np.arange(4000) / 8000
    low, high = (lesson.band_loudness(np.sin(2 * np.pi * f * time)) for f in (200, 2500))
    assert low.shape == high.shape == (10, 12)
    assert (low.argmax(axis=1) < high.argmax(axis=1)).all()
    clip = np.arange(15.0).reshape(5, 3)
    np.testing.assert_allclose(lesson.stretched(clip, 5), clip.T.ravel())
    assert lesson.stretched(clip[:1]).shape == (24,)


def test_persistence_has_the_error_one():
    truth = np.random.default_rng(0).normal(size=50)
    assert lesson.relative_error(0.0, truth) == pytest.approx(1)
    assert lesson.relative_error(truth, truth) == 0


# ------------------------------------------------------------------------- texts with brackets


def test_texts_have_their_lengths_and_their_brackets_are_right():
    random = np.random.default_rng(0)
    short = lesson.bracket_texts(50, random)
    longer = lesson.bracket_texts(20, random, words=(6, 16), share=0.12, length=(41, 100))
    assert max(map(len, short)) <= 40 and min(map(len, longer)) >= 41 and max(map(len, longer)) <= 100
    for text in short + longer:
        assert lesson.is_balanced(text) and text[-1] == "." and set(text) & set("([{")
        closings = lesson.closings(text)
        assert len(closings) == sum(sign in ")]}" for sign in text)
        for place, distance in closings:
            assert text[place - distance] == "([{"[")]}".index(text[place])]
    assert not lesson.is_balanced(["[", "the", ")"]) and not lesson.is_balanced(["("])
    assert not lesson.is_balanced(["(", "[", ")", "]"])


def test_texts_as_numbers():
    text = ["(", "cat", ")", "."]
    x, y = lesson.as_numbers([text, ["."]])
    assert x.shape == y.shape == (2, lesson.LENGTH)
    assert [lesson.SIGNS[n] for n in y[0, :4]] == text and (y[0, 4:] == -1).all()
    assert [lesson.SIGNS[n] for n in x[0, :4]] == ["start", *text[:3]] and x[1, 0] == 0


def test_what_is_inside_a_bracket():
    text = ["the", "[", "cat", "(", "dog", ")", "hen", "]", "."]
    assert lesson.inside(text, "[").astype(int).tolist() == [0, 1, 1, 0, 0, 1, 1, 0, 0]
    assert lesson.inside(text, "(").astype(int).tolist() == [0, 0, 0, 1, 1, 0, 0, 0, 0]


def test_counting_gives_probabilities_and_prefers_what_it_has_seen():
    texts = lesson.bracket_texts(200, np.random.default_rng(1))
    model = lesson.Counting(texts, 3)
    for context in [("start",) * 3, tuple(texts[0][:3]), (".", ".", ".")]:
        p = model.after(context)
        assert p.sum() == pytest.approx(1) and (p > 0).all()
    only = lesson.Counting([["cat", "."]] * 20, 1)
    assert only.after(("cat",)).argmax() == lesson.number(".")
    scores = model.scores(texts[:5])
    right, distances, bits = lesson.judge(scores, texts[:5])
    assert len(right) == len(distances) == sum(len(lesson.closings(t)) for t in texts[:5]) and 0 < bits < 4


def test_a_judge_that_knows_gets_everything_right():
    texts = lesson.bracket_texts(20, np.random.default_rng(2))
    _, y = lesson.as_numbers(texts)
    scores = np.where(np.arange(len(lesson.SIGNS)) == y[:, :, None], 0.0, -30.0)
    right, _, bits = lesson.judge(scores, texts)
    assert right.all() and bits == 0
    right, _, bits = lesson.judge(-30 - scores, texts)
    assert not right.any() and bits > 40


# -------------------------------------------------------------------- recurrences without tanh


@some
@given(seeds, st.integers(1, 70), st.integers(1, 3))
def test_in_rounds_and_one_by_one_are_the_same(seed, time, units):
    random = np.random.default_rng(seed)
    a, b = random.uniform(-1, 1, (time, units)), random.normal(size=(time, units))
    before = a.copy(), b.copy()
    states, rounds = lesson.in_rounds(a, b)
    close(states, lesson.one_by_one(a, b), 1e-9)
    assert rounds == int(np.ceil(np.log2(time)))
    np.testing.assert_array_equal(before, (a, b))


# --------------------------------------------------------------------------------------- figures


def test_figures_of_sequences():
    fig = sequences.unrolled(3)
    assert sum("tanh" in text.get_text() for text in fig.axes[0].texts) == 3
    fig = sequences.fading({"a": {"one": [1, 0.5]}, "b": {"one": [1, 0.1]}}, "lag", "length", {"a": [[1, 0.4]]})
    assert [len(ax.lines) for ax in fig.axes] == [2, 1] and fig.axes[0].get_yscale() == "log"
    fig = sequences.by_category({"a": {"one": np.ones((2, 3))}}, [5, 20, 60], "lag", "accuracy", chance=0.5)
    assert [label.get_text() for label in fig.axes[0].get_xticklabels()] == ["5", "20", "60"]
    four = np.ones((2, 2))
    fig = sequences.clouds({("one", "x"): (four, four), ("one", "y"): ([1], [2])}, "left", "accuracy")
    assert len(fig.axes[0].lines) == 2 and fig.axes[0].lines[1].get_markerfacecolor() == "white"
    for number in range(1, 5):
        display.close(number)


def test_the_plan_of_a_cell_has_the_numbers_of_the_lesson():
    fig = figures.lstm_cell(0.9, 0.5, -0.4, 0.8, 0.6)
    shown = {text.get_text() for text in fig.axes[0].texts}
    h, c = lesson.lstm_update(
        np.array([[0.0, np.log(9), np.arctanh(-0.4), np.log(4)]]), np.array([[0.6]])
    )  # the sums that give these gates
    assert {f"{c[0, 0]:.3g}", f"{h[0, 0]:.3g}", "0.54", "-0.2"} <= shown
    assert not any(text[:1].isdigit() for text in {t.get_text() for t in figures.lstm_cell().axes[0].texts})
    display.close(1)
    display.close(2)


def test_a_text_with_its_rows():
    fig = figures.reading(["[", "cat", "]"], {"cell": [0.5, 1, -1], "gate": [0, 1, 0]}, "t", "value")
    assert [t.get_text() for t in fig.axes[0].get_xticklabels()][:3] == ["[", "cat", "]"]
    assert fig.axes[0].images[0].get_array().shape == (2, 3)
    with pytest.raises(ValueError, match="3 words"):
        figures.reading(["[", "cat", "]"], {"cell": [0.5, 1]})
    display.close(1)
