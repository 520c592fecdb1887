"""What chapter 3 teaches: its own functions, taken out of the notebook, against TensorFlow."""

import ast
import inspect
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import session
from course_utils.chapters import ch03
from course_utils.maintain import notebooks
from course_utils.plots import ch03 as figures

tf = session.quiet_tensorflow()

lesson = definitions("03_backpropagation")
Value = lesson.Value
quick = settings(deadline=None, max_examples=50)
seeds = st.integers(0, 2**32 - 1)
numbers = st.floats(-3, 3, allow_subnormal=False)  # TensorFlow takes subnormal numbers for zero


# -------------------------------------------------------------------------------------- Value


def slopes_by_tape(function, *numbers):
    variables = [tf.Variable(x, dtype="float64") for x in numbers]
    with tf.GradientTape() as tape:
        result = function(*variables)
    return float(result), [0.0 if g is None else float(g) for g in tape.gradient(result, variables)]


def slopes_by_value(function, *numbers):
    values = [Value(x) for x in numbers]
    result = function(*values)
    result.backward()
    return result.data, [value.grad for value in values]


def assert_same(function, *numbers):
    ours, theirs = slopes_by_value(function, *numbers), slopes_by_tape(function, *numbers)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-9, atol=1e-12)


OPERATIONS = {
    "p + q": lambda p, q: p + q,
    "p - q": lambda p, q: p - q,
    "p * q": lambda p, q: p * q,
    "p / (q² + 1)": lambda p, q: p / (q * q + 1),
    "p ** 3": lambda p, q: p**3 + q,
    "p ** -2": lambda p, q: (p * p + 1) ** -2 * q,
    "(p² + 1) ** q": lambda p, q: (p * p + 1) ** q,
    "2 ** p": lambda p, q: 2**p - q,
    "2 - p": lambda p, q: 2 - p * q,
    "2 / p": lambda p, q: 2 / (p * p + 1) + q,
    "2 + p": lambda p, q: 2 + p * q,
    "2 * p": lambda p, q: 2 * p * q,
    "-p": lambda p, q: -p * q,
    "p used four times": lambda p, q: (p + p) * (p * q) + p,
    "a shared node": lambda p, q: (p * q) * (p * q) + (p * q),
}


@pytest.mark.parametrize("name", OPERATIONS)
@quick
@given(numbers, numbers)
def test_operations_and_their_slopes_are_tensorflows(name, p, q):
    assert_same(OPERATIONS[name], p, q)


@pytest.mark.parametrize("name", ["exp", "tanh", "relu"])
@quick
@given(numbers)
def test_functions_are_tensorflows(name, p):
    theirs = {"exp": tf.exp, "tanh": tf.tanh, "relu": tf.nn.relu}[name]
    ours = slopes_by_value(lambda p: getattr(p, name)(), p)
    np.testing.assert_allclose(np.hstack(ours), np.hstack(slopes_by_tape(theirs, p)), rtol=1e-9, atol=1e-12)


@quick
@given(st.floats(1e-3, 1e3))
def test_the_logarithm_is_tensorflows(p):
    ours, theirs = slopes_by_value(lambda p: p.log(), p), slopes_by_tape(tf.math.log, p)
    np.testing.assert_allclose(np.hstack(ours), np.hstack(theirs), rtol=1e-9, atol=1e-12)


@quick
@given(seeds, st.integers(1, 30))
def test_random_graphs(seed, size):
    """Nodes made from random earlier nodes, so that many are shared and some lead nowhere."""
    kinds, picks = np.random.default_rng(seed).integers(0, 5, size), np.random.default_rng(seed + 1).random((size, 2))
    operations = (
        lambda a, b, tanh: a + b,
        lambda a, b, tanh: tanh(a * b),
        lambda a, b, tanh: a - 2 * b,
        lambda a, b, tanh: a / (1 + b * b),
        lambda a, b, tanh: tanh(a),
    )

    def build(p, q, tanh):
        nodes = [p, q]
        for kind, (one, other) in zip(kinds, picks, strict=True):
            nodes.append(operations[kind](nodes[int(one * len(nodes))], nodes[int(other * len(nodes))], tanh))
        return sum(nodes)

    ours = slopes_by_value(lambda p, q: build(p, q, Value.tanh), 0.7, -1.2)
    theirs = slopes_by_tape(lambda p, q: build(p, q, tf.tanh), 0.7, -1.2)
    np.testing.assert_allclose(np.hstack(ours), np.hstack(theirs), rtol=1e-8, atol=1e-10)


def test_to_the_power_of_nothing_is_one_everywhere():
    assert slopes_by_value(lambda p: p**0, 0.0) == (1.0, [0.0])  # TensorFlow's slope is NaN there


def test_backward_twice_gives_the_same():
    p = Value(3.0)
    result = p * p
    result.backward()
    result.backward()
    assert p.grad == 6.0


def test_two_results_of_one_value_do_not_disturb_each_other():
    p = Value(3.0)
    square, triple = p * p, 3 * p
    square.backward()
    triple.backward()
    assert p.grad == 3.0


def test_a_graph_of_ten_thousand_and_more():
    p = total = Value(1.0)
    for _ in range(30_000):
        total = (total + p) * 1.0
    total.backward()
    assert p.grad == pytest.approx(30_001)
    text = repr(total)
    assert len(text) < 100
    del total  # taking a long chain apart must not overflow the stack either


def test_numpy_numbers_on_either_side():
    p = Value(2.0)
    for result in (np.float64(3) * p, p * np.float64(3), np.float32(3) * p):
        assert isinstance(result, Value) and result.data == 6


@pytest.mark.parametrize("wrong", ["x", None, [1.0]])
def test_what_is_no_number_is_refused(wrong):
    with pytest.raises((TypeError, ValueError)):
        Value(1.0) + wrong


def test_value_is_built_in_small_visible_cells_with_one_def_an_operator():
    code = [cell for cell in notebooks.read(notebooks.find("03")[0]).cells if cell.cell_type == "code"]
    cells = [cell for cell in code if "class Value" in cell.source]
    visible = [cell for cell in cells if "fold" not in notebooks.tags(cell)]
    assert len(visible) == 4 and all(len(cell.source.splitlines()) <= 25 for cell in visible)
    for cell in cells:
        (made,) = (node for node in ast.parse(cell.source).body if isinstance(node, ast.ClassDef))
        assert not [node for node in ast.walk(made) if isinstance(node, ast.Lambda)]
    assert inspect.isclass(Value)


def test_the_fault_of_the_repair_is_seen_by_the_gradient_check_and_only_where_a_value_is_used_twice(
    monkeypatch, capsys
):
    seen = {}
    for name, walk in [("right", lesson.sweep), ("broken", ch03.overwrites)]:
        monkeypatch.setitem(Value.backward.__globals__, "sweep", walk)
        seen[name] = [
            lesson.gradient_check(lesson.long_chain, 0.4),
            *(lesson.gradient_check(f, 3.0) for f in (lesson.chain_graph, lesson.small_graph_of_w, lesson.cube_graph)),
        ]
    assert seen == {"right": [True] * 4, "broken": [True, False, False, False]}
    assert capsys.readouterr().out.count("not the same") == 3


@quick
@given(numbers)
def test_the_learners_tanh_and_product_are_in_the_machine(p):
    assert Value(p).tanh().slopes == (pytest.approx(1 - math.tanh(p) ** 2),)
    assert (Value(p) * 3).slopes == (3, p)


# -------------------------------------------------------------------------------- small pieces


def test_the_small_graph_as_the_lesson_tells_it():
    w, x = Value(3.0), Value(2.0)
    lesson.small_graph(w, x).backward()
    assert (w.grad, x.grad) == (36, 45)
    assert slopes_by_tape(lesson.small_graph, 3.0, 2.0) == (54, [36, 45])


@quick
@given(st.floats(-3, 3), st.floats(-3, 3))
def test_the_drawing_has_the_gradients_of_the_small_graph(w, x):
    figure = figures.small_graph(w, x)
    shown = {text.get_text() for text in figure.axes[0].texts}
    plt.close(figure)
    for slope in slopes_by_value(lesson.small_graph, w, x)[1]:
        assert f"gradient {slope + 0.0:.3g}" in shown  # a minus before a zero is not drawn


@quick
@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(-5, 5))
def test_the_gates_have_the_gradients_of_tensorflow(p, q, gradient):
    if p == q:
        return
    figure = figures.gates(float(p), float(q), float(gradient))
    shown = [text.get_text() for text in figure.axes[0].texts]
    plt.close(figure)
    for function in (lambda p, q: p + q, tf.maximum, lambda p, q: p * q):
        for slope in slopes_by_tape(function, float(p), float(q))[1]:
            assert f"{slope * gradient + 0.0:.3g}" in shown


@pytest.mark.parametrize("seed", range(3))
def test_the_first_sight_compares_the_same_slopes(seed):
    random = np.random.default_rng(seed)
    parts = [random.normal(0, 0.3, shape) for shape in [(5, 4), (4,), (4, 10), (10,)]]
    x, labels = random.random((6, 5)), random.integers(0, 10, 6)
    tries, sweep = lesson.small_tries(parts, x, labels), lesson.small_sweep(parts, x, labels)
    for one, other, theirs in zip(tries, sweep, lesson.tape_gradients(parts, x, labels), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)
        np.testing.assert_allclose(other, theirs, rtol=1e-9, atol=1e-12)


@quick
@given(st.floats(-2, 2, allow_subnormal=False))
def test_central_difference(x):
    assert lesson.central_difference(math.exp, x, 1e-5) == pytest.approx(math.exp(x), rel=1e-8)


def test_the_tiny_network_learns():
    points, sides = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), [-1, 1, 1, -1]
    network = lesson.TinyNetwork(6, np.random.default_rng(0))
    losses = lesson.train_tiny(network, points, sides, 150)
    assert losses[-1] < losses[0] / 5
    assert [np.sign(network(*point).data) for point in points] == sides


# ----------------------------------------------------------------------------------- on arrays


@quick
@given(seeds, st.integers(1, 8), st.integers(2, 6), st.floats(0.1, 50))
def test_softmax_gradient_is_tensorflows(seed, n, classes, scale):
    random = np.random.default_rng(seed)
    logits, labels = random.normal(0, scale, (n, classes)), random.integers(0, classes, n)
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, variable))
    theirs = tape.gradient(loss, variable)
    ours = lesson.softmax(logits)
    np.testing.assert_allclose(ours, tf.nn.softmax(logits), rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(lesson.softmax_gradient(ours, labels), theirs, rtol=1e-7, atol=1e-12)


@quick
@given(seeds, st.integers(1, 6), st.integers(1, 5), st.integers(1, 4))
def test_dense_and_relu_are_tensorflows(seed, n, inputs, outputs):
    random = np.random.default_rng(seed)
    x, w, b, above = (random.normal(size=s) for s in [(n, inputs), (inputs, outputs), (outputs,), (n, outputs)])
    variables = [tf.Variable(part) for part in (x, w, b)]
    with tf.GradientTape(persistent=True) as tape:
        z = variables[0] @ variables[1] + variables[2]
        loss = tf.reduce_sum(z * above)
        relu_loss = tf.reduce_sum(tf.nn.relu(z) * above)
    for ours, theirs in zip(lesson.dense_backward(x, w, above), tape.gradient(loss, variables), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(lesson.relu_backward(above, z.numpy()), tape.gradient(relu_loss, z), rtol=1e-9)


@quick
@given(seeds, st.integers(1, 12), st.integers(1, 40))
def test_the_whole_network_is_tensorflows(seed, n, units):
    random = np.random.default_rng(seed)
    start = lesson.initial_weights(units, seed)
    weights = [part + random.normal(0, 0.1, part.shape).astype("float32") for part in start]
    x, labels = random.random((n, 64)).astype("float32"), random.integers(0, 10, n)
    for ours, theirs, part in zip(
        lesson.backward(weights, x, labels), lesson.tape_gradients(weights, x, labels), weights, strict=True
    ):
        assert ours.shape == part.shape and ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=2e-6)


def test_an_epoch_visits_every_batch_and_lowers_the_loss():
    random = np.random.default_rng(0)
    x, labels = random.random((70, 64)).astype("float32"), random.integers(0, 10, 70)
    weights = lesson.initial_weights(16, 0)
    before = lesson.accuracy(weights, x, labels)
    for _ in range(400):
        lesson.train_epoch(weights, x, labels, random.permutation(70))
    assert lesson.accuracy(weights, x, labels) > max(before, 0.9)


def test_an_epoch_is_tensorflows_gradient_descent():
    random = np.random.default_rng(1)
    x, labels = random.random((50, 64)).astype("float32"), random.integers(0, 10, 50)
    weights = lesson.initial_weights(8, 1)
    theirs = [part.copy() for part in weights]
    order = random.permutation(50)
    lesson.train_epoch(weights, x, labels, order)
    for rows in (order[:32], order[32:]):
        gradients = lesson.tape_gradients(theirs, x[rows], labels[rows])
        theirs = [part - 0.1 * gradient for part, gradient in zip(theirs, gradients, strict=True)]
    for one, other in zip(weights, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


# -------------------------------------------------------------------------- vanishing gradients


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu"])
def test_slopes_of_activations_are_tensorflows(name):
    z = tf.Variable(np.linspace(-6, 6, 41) + 0.01)
    with tf.GradientTape() as tape:
        result = getattr(tf.nn, name)(z)
    np.testing.assert_allclose(lesson.slope_of(name, z.numpy()), tape.gradient(result, z), rtol=1e-9, atol=1e-12)
    if name == "sigmoid":
        np.testing.assert_allclose(lesson.sigmoid(z.numpy()), result, rtol=1e-9)


@pytest.mark.parametrize("gain", [1.0, 2.0, 4.0])
def test_gradients_grow_or_shrink_as_the_theory_says(gain):
    relu, slope = lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0
    norms, theory = lesson.gradient_norms(relu, slope, gain, 12, np.random.default_rng(0))
    assert norms.shape == theory.shape == (13,)
    assert norms[0] / norms[-1] == pytest.approx((gain / 2) ** 6, rel=0.5)
    np.testing.assert_allclose(np.log(norms / norms[-1]), np.log(theory / theory[-1]), atol=0.5)
