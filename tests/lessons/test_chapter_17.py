"""What chapter 17 teaches: its own functions, taken out of the notebook, against closed forms and libraries."""

import html
import re

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import spearmanr

from course_utils import session
from course_utils.plots import colour, words

tf = session.quiet_tensorflow()

lesson = definitions("17_interpretability")
quick = settings(deadline=None, max_examples=20)
few = settings(deadline=None, max_examples=8)
seeds = st.integers(0, 2**32 - 1)


def a_network(seed):
    """A digit network with random weights and biases, and its functions."""
    net = lesson.explainable(lesson.digit_network())
    random = np.random.default_rng(seed)
    net.model.set_weights([w + random.normal(0, 0.1, w.shape) for w in lesson.fresh_weights(net.model, seed)])
    return net


NET = a_network(0)


def some_pictures(seed, n):
    random = np.random.default_rng(seed)
    pictures = np.maximum(random.normal(0, 0.6, (n, 8, 8)), 0).clip(0, 1)
    return pictures.astype("float32"), random.integers(0, 10, n).astype("int32")


# ---------------------------------------------------------------------------------- linear models


@quick
@given(seeds, st.integers(1, 20))
def test_attributions_of_a_linear_model_add_up(seed, d):
    w, x, baseline = np.random.default_rng(seed).normal(size=(3, d))
    parts = lesson.linear_attribution(w, x, baseline)
    assert parts.shape == (d,)
    np.testing.assert_allclose(parts.sum(), w @ x - w @ baseline, atol=1e-12)
    assert not lesson.linear_attribution(w, baseline, baseline).any()


def test_centred_logits_do_not_feel_what_all_classes_share():
    random = np.random.default_rng(0)
    logits, shift = random.normal(size=(4, 7)), random.normal(size=7)
    np.testing.assert_allclose(lesson.centred(logits), lesson.centred(logits + shift), atol=1e-12)
    np.testing.assert_allclose(lesson.centred(logits).mean(axis=0), 0, atol=1e-12)


@quick
@given(seeds, st.integers(1, 12))
def test_the_smallest_flip_is_on_the_boundary_and_nothing_is_nearer(seed, d):
    random = np.random.default_rng(seed)
    w, x, b = random.normal(size=d), random.normal(size=d), random.normal()
    point = lesson.smallest_flip(w, b, x)
    assert w @ point + b == pytest.approx(0, abs=1e-9)
    others = random.normal(size=(200, d))
    others -= ((others @ w + b) / (w @ w))[:, None] * w  # any other points on the boundary
    assert (np.linalg.norm(others - x, axis=1) >= np.linalg.norm(point - x) - 1e-9).all()


@quick
@given(seeds, st.integers(2, 6), st.integers(1, 8))
def test_the_nearest_flip_among_several_classes(seed, k, d):
    random = np.random.default_rng(seed)
    W, b, x = random.normal(size=(k, d)), random.normal(size=k), random.normal(size=d)
    point, first = lesson.linear_flip(W, b, x), np.argmax(W @ x + b)
    reach = point - x
    assert np.argmax(W @ (x + 1.001 * reach) + b) != first
    shorter = random.normal(size=(300, d))
    shorter *= 0.999 * np.linalg.norm(reach) / np.linalg.norm(shorter, axis=1, keepdims=True)
    assert (np.argmax((x + shorter) @ W.T + b, axis=1) == first).all()


# ------------------------------------------------------------------------- permutation importance


@few
@given(st.integers(0, 10_000), st.integers(5, 40), st.integers(1, 4), st.integers(1, 5))
def test_permutation_importance_is_scikit_learns(seed, rows, columns, repeats):
    from sklearn.inspection import permutation_importance
    from sklearn.linear_model import LinearRegression

    random = np.random.default_rng(seed)
    X, y = random.normal(size=(rows, columns)), random.normal(size=rows)
    model = LinearRegression().fit(X, y)
    orders = lesson.sklearn_orders(seed, rows, repeats)
    assert orders.shape == (repeats, rows) and (np.sort(orders, axis=1) == np.arange(rows)).all()
    before = X.copy()
    ours = lesson.permutation_importance(model.score, X, y, orders)
    theirs = permutation_importance(model, X, y, n_repeats=repeats, random_state=seed).importances_mean
    np.testing.assert_allclose(ours, theirs, atol=1e-10)
    assert (before == X).all()


def test_a_copy_takes_three_quarters_of_the_importance_and_together_they_have_it_all():
    from sklearn.linear_model import Ridge

    random = np.random.default_rng(3)
    X = random.normal(size=(400, 3))
    y = X @ [2.0, 1.0, 0.0] + random.normal(0, 0.5, 400)
    orders = np.array([random.permutation(400) for _ in range(20)])
    alone = lesson.permutation_importance(Ridge(1e-3).fit(X, y).score, X, y, orders)
    double = lesson.with_copy(X, 0)
    assert double.shape == (400, 4) and (double[:, 3] == X[:, 0]).all()
    score = Ridge(1e-3).fit(double, y).score
    after = lesson.permutation_importance(score, double, y, orders)
    assert after[[0, 3]] == pytest.approx(alone[0] / 4, rel=0.1)
    assert lesson.joint_importance(score, double, y, orders, [0, 3]) == pytest.approx(alone[0], rel=0.02)
    part, model = (double[:60], y[:60]), Ridge(1e-3).fit(double, y)
    rotations = np.array([np.roll(np.arange(60), k) for k in range(60)])
    many = lesson.permutation_importance(model.score, *part, rotations)
    for column in range(4):  # over all rotations every row meets every other once: the formula is exact
        assert many[column] == pytest.approx(lesson.expected_importance(model, *part, column), abs=1e-9)
    assert lesson.joint_importance(score, double, y, orders, [1]) == pytest.approx(after[1])


# ------------------------------------------------------------------------------------ the network


def test_score_gradient_and_probability_are_those_of_the_model():
    x, classes = some_pictures(1, 6)
    logits = NET.model(x).numpy()
    picked = logits[np.arange(6), classes]
    np.testing.assert_allclose(NET.score(x, classes), picked - logits.mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(NET.probability(x, classes), tf.nn.softmax(logits).numpy()[np.arange(6), classes], 1e-5)
    assert (lesson.verdicts(NET, x) == logits.argmax(axis=1)).all()
    slopes, h = NET.gradient(x, classes), 1e-2
    for r, c in [(0, 0), (3, 4), (7, 7)]:
        up, down = x.copy(), x.copy()
        up[:, r, c] += h
        down[:, r, c] -= h
        numeric = (NET.score(up, classes) - NET.score(down, classes)) / (2 * h)
        np.testing.assert_allclose(slopes[:, r, c], numeric, atol=0.02)


@quick
@given(seeds, st.integers(3, 7), st.integers(3, 7), st.integers(1, 3), st.floats(0, 1))
def test_occlusion_is_the_plain_loop(seed, height, width, size, fill):
    random = np.random.default_rng(seed)
    weights, pictures = random.normal(size=(height, width)), random.random((4, height, width))

    def score(x, classes):
        return np.sum(np.tanh(x) * weights, axis=(1, 2)) * (1 + classes)

    classes = np.arange(4)
    fast = lesson.occlusion(score, pictures, classes, size, fill)
    for i in range(4):
        slow = lesson.occlusion_map(lambda x, i=i: score(x[None], classes[i])[0], pictures[i], size, fill)
        np.testing.assert_allclose(fast[i], slow, atol=1e-5)
    spread = lesson.per_pixel(fast, size)
    assert spread.shape == pictures.shape
    r, c = int(random.integers(height)), int(random.integers(width))
    over = [fast[:, i, j] for i, j in np.ndindex(fast.shape[1:]) if i <= r < i + size and j <= c < j + size]
    np.testing.assert_allclose(spread[:, r, c], np.mean(over, axis=0), atol=1e-5)


def test_smoothgrad_without_noise_is_the_gradient_and_with_noise_is_a_mean():
    x, classes = some_pictures(2, 3)
    still = lesson.smoothgrad(NET.gradient, x, classes, 0.0, 3, np.random.default_rng(0))
    np.testing.assert_allclose(still, NET.gradient(x, classes), atol=1e-5)
    square = lesson.smoothgrad(lambda x, _: 2 * x, x, classes, 0.5, 4000, np.random.default_rng(0))
    np.testing.assert_allclose(square, 2 * x, atol=0.08)


# --------------------------------------------------------------------------- integrated gradients


@quick
@given(seeds, st.integers(1, 6), st.integers(1, 9))
def test_integrated_gradients_of_linear_and_quadratic_models_have_closed_forms(seed, d, steps):
    random = np.random.default_rng(seed)
    A, (b, x, base) = random.normal(size=(d, d)), random.normal(size=(3, d))
    A = A + A.T
    quadratic = lesson.integrated_gradients(lambda p: 2 * p @ A + b, x, base, steps)
    np.testing.assert_allclose(quadratic, (x - base) * (A @ (x + base) + b), atol=1e-9)
    np.testing.assert_allclose(quadratic.sum(), (x @ A @ x + b @ x) - (base @ A @ base + b @ base), atol=1e-9)
    linear = lesson.integrated_gradients(lambda p: np.tile(b, (len(p), 1)), x, base, steps)
    np.testing.assert_allclose(linear, lesson.linear_attribution(b, x, base), atol=1e-12)


@few
@given(seeds)
def test_integrated_gradients_are_scipys_integral(seed):
    x, base = np.random.default_rng(seed).uniform(-1, 1, (2, 4))
    ours = lesson.integrated_gradients(lesson.bumpy_slope, x, base, 400)
    for i in range(4):
        integral = quad(lambda t, i=i: lesson.bumpy_slope((base + t * (x - base))[None])[0, i], 0, 1)[0]
        assert ours[i] == pytest.approx((x[i] - base[i]) * integral, abs=1e-4)


def test_the_batch_is_the_single_one_and_complete():
    x, classes = some_pictures(3, 4)
    baseline = np.full((8, 8), 0.3, "float32")
    batch = lesson.path_gradients(NET.gradient, x, classes, baseline, 96)
    one = lesson.integrated_gradients(lambda p: NET.gradient(p, np.repeat(classes[:1], len(p))), x[0], baseline, 96)
    np.testing.assert_allclose(batch[0], one, atol=1e-4)
    ends = NET.score(x, classes) - NET.score(np.tile(baseline, (4, 1, 1)), classes)
    np.testing.assert_allclose(batch.sum(axis=(1, 2)), ends, atol=0.02 * np.abs(ends).max())
    error = lesson.completeness_error(NET, x, classes, baseline, batch)
    np.testing.assert_allclose(error, np.abs(batch.sum(axis=(1, 2)) - ends) / np.abs(ends), rtol=1e-2, atol=1e-6)
    assert (lesson.completeness_error(NET, x, classes, baseline, 2 * batch) > 0.9).all()


def test_what_equals_the_baseline_gets_nothing():
    x, classes = some_pictures(4, 3)
    maps = lesson.path_gradients(NET.gradient, x, classes, 0.0, 8)
    assert (maps[x == 0] == 0).all() and (maps[x > 0] != 0).any()


# ------------------------------------------------------------------------------ deletion, sanity


@quick
@given(seeds, st.integers(2, 5))
def test_deletion_curves_are_the_plain_loop(seed, side):
    random = np.random.default_rng(seed)
    x, maps = random.random((2, 3, side, side))
    weights = random.normal(size=(side, side))

    def chance(x, classes):
        return tf.constant(np.sum(x * weights, axis=(1, 2))).numpy()

    fast = lesson.deletion_curves(chance, x, maps, np.zeros(3, int), np.full_like(x, 0.2))
    assert fast.shape == (3, side * side + 1)
    for i in range(3):
        slow = lesson.deletion_curve(
            lambda rows: rows @ weights.ravel(), x[i].ravel(), maps[i].ravel(), np.full(side * side, 0.2)
        )
        np.testing.assert_allclose(fast[i], slow, atol=1e-9)
    np.testing.assert_allclose(fast[:, 0], chance(x, None))
    np.testing.assert_allclose(fast[:, -1], 0.2 * weights.sum(), atol=1e-9)


def test_the_best_order_has_the_smallest_area():
    weights = np.array([[3.0, 1.0], [2.0, 0.0]])

    def chance(x, classes):
        return np.sum(x * weights, axis=(1, 2)) / 6

    ones, none = np.ones((1, 2, 2)), np.zeros((1, 2, 2))
    best = lesson.area(lesson.deletion_curves(chance, ones, weights[None], [0], none))
    worst = lesson.area(lesson.deletion_curves(chance, ones, -weights[None], [0], none))
    assert best[0] == pytest.approx((0.5 + 3 / 6 + 1 / 6 + 0 + 0) / 4) and worst[0] > best[0]
    inserted = lesson.area(lesson.deletion_curves(chance, none, weights[None], [0], ones))
    assert inserted[0] == pytest.approx(1 - best[0])


def test_gains_are_paired():
    areas = {"method": np.array([[0.1, 0.3, 0.2]]), "control": np.array([[0.2, 0.4, 0.31]])}
    mean, low, high = lesson.gain(areas, "method", "control")
    assert mean == pytest.approx(0.31 / 3) and 0 < low < mean < high


@quick
@given(seeds, st.booleans())
def test_rank_correlation_is_spearmans(seed, ties):
    a, b = np.random.default_rng(seed).normal(size=(2, 3, 4, 4))
    if ties:
        a, b = np.round(a), np.round(b)
    theirs = [spearmanr(one.ravel(), other.ravel()).statistic for one, other in zip(a, b, strict=True)]
    np.testing.assert_allclose(lesson.rank_correlation(a, b), theirs, atol=1e-9)
    assert lesson.rank_correlation(a, np.ones_like(a)) == pytest.approx(0)


def test_randomising_begins_at_the_output():
    kept, fresh = list(range(8)), list(range(10, 18))
    assert lesson.top_randomised(kept, fresh, 0) == kept
    assert lesson.top_randomised(kept, fresh, 1) == [0, 1, 2, 3, 4, 5, 16, 17]
    assert lesson.top_randomised(kept, fresh, 4) == fresh


def test_guided_backpropagation_lets_only_the_positive_pass():
    z = tf.constant([-1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(z)
        total = tf.reduce_sum(lesson.guided_relu(z) * tf.constant([1.0, -1.0, 2.0]))
    np.testing.assert_allclose(lesson.guided_relu(z), [0, 2, 3])
    np.testing.assert_allclose(tape.gradient(total, z), [0, 0, 2])


def test_edges_never_ask_the_network():
    ramp = np.tile(np.arange(8.0), (2, 8, 1))
    np.testing.assert_allclose(lesson.edges(ramp), 1)
    assert not lesson.edges(np.ones((1, 8, 8))).any()


def test_erased_pictures_lose_the_most_important_pixels():
    x = np.arange(64.0).reshape(8, 8) + 1
    gone = lesson.erased(x, x, 3)
    assert sorted(x[gone == 0]) == [62, 63, 64] and (lesson.erased(x, x, 0) == x).all()


def test_flips_of_a_network():
    x, _ = some_pictures(5, 3)
    for picture in x:
        first = lesson.verdicts(NET, picture[None])[0]
        near, few_pixels = lesson.nearest_flip(NET, picture), lesson.fewest_pixels(NET, picture)
        assert lesson.verdicts(NET, near[None])[0] != first and lesson.verdicts(NET, few_pixels[None])[0] != first
        assert near.min() >= 0 and near.max() <= 1
        changed = few_pixels[few_pixels != picture]
        assert np.isin(changed, [0, 1]).all() and np.linalg.norm(near - picture) <= np.linalg.norm(few_pixels - picture)


# ------------------------------------------------------------------------------------------ words

TEXTS = ["good bread, good cheese", "bad soup and bad wine", "good wine", "bad bread"]


def test_words_of_a_linear_model_add_up_and_occurrences_share():
    model = lesson.word_model(TEXTS, np.array([1, 0, 1, 0]))
    for text in TEXTS:
        found = lesson.words_of(text)
        parts = lesson.linear_words(model, found)
        score = model.decision_function([text])[0]
        np.testing.assert_allclose(parts.sum() + model[1].intercept_[0], score, atol=1e-9)
    parts = lesson.linear_words(model, ["good", "unheard", "good"])
    assert parts[0] == parts[2] > 0 and parts[1] == 0


def test_numbers_of_words():
    vocabulary = {"a": 0, "b": 1}
    assert lesson.numbered(vocabulary, ["a", "c", "b", "a"], 3) == [2, 1, 3]
    assert lesson.padded({"aa": 0}, ["aa bb", ""], 3).tolist() == [[2, 1, 0], [0, 0, 0]]


def test_the_head_begins_where_the_network_has_its_vectors():
    bag, table, tail = lesson.bag_network(12, 5, size=4)
    bag.set_weights(lesson.fresh_weights(bag, 3))
    vectors = table.get_weights()[0]
    np.testing.assert_allclose(bag(np.array([[3, 4, 3, 0, 0]])), tail(vectors[[3, 4, 3]][None]), atol=1e-6)
    assert np.isfinite(bag(np.zeros((1, 5), int))).all(), "a text without a word"
    head, vocabulary = lesson.explainable(tail), {f"w{i}": i for i in range(10)}
    parts = lesson.network_words(head, vectors, vocabulary, ["w1", "w2", "w1"], 64)
    one, given_vectors = np.ones(1, "int32"), vectors[[3, 4, 3]][None]
    ends = head.score(given_vectors, one) - head.score(np.zeros_like(given_vectors), one)
    assert parts.sum() == pytest.approx(float(ends[0]), rel=0.02, abs=1e-4) and parts[0] == pytest.approx(parts[2])
    assert lesson.network_words(head, vectors, vocabulary, [], 4).shape == (0,)


POST = "From: someone here\nLines: 12\n\n> quoted words here\nplain words there\n"


def test_lines_and_their_kinds():
    rows = lesson.lines_of(POST)
    assert [row[:2] for row in rows] == [
        ("From:", True), ("Lines:", True), ("> …", False), ("other lines", False)
    ]  # fmt: skip
    assert rows[0][2] == ["from", "someone", "here"]
    assert lesson.line_kind("a: b") == "a:" and lesson.line_kind("see http://x: y") == "other lines"
    answers = ["In article <1@a.edu> someone says", "Ann Example (ann@a.edu) writes:", "You wrote"]
    assert {lesson.line_kind(line) for line in answers} == {lesson.ANSWERED}
    assert lesson.line_kind("He writes: a lot") == "other lines"


def test_shares_of_lines_add_up_to_one_and_even_attributions_give_a_ratio_of_one():
    rows = lesson.account([POST, "one line only"], lambda found: np.ones(len(found)))
    for number in (0, 1):
        mine = np.array([row[4:] for row in rows if row[0] == number])
        np.testing.assert_allclose(mine.sum(axis=0), 1)
    groups = lesson.by_group(rows, lambda row: row[2])
    assert all(ratio == pytest.approx(1) for ratio, *_ in groups.values())
    assert groups["From:"][3] == 1 and sum(group[2] for group in groups.values()) == pytest.approx(1)
    heavy = lesson.account([POST], lambda found: np.array([w == "from" for w in found]) * 2.0)
    np.testing.assert_allclose(lesson.block_share(heavy), [[5 / 11, 1]])
    assert lesson.by_group(heavy, lambda row: row[2])["From:"] == pytest.approx((11 / 3, 3 / 11, 1, 1))


def test_ratios_of_the_first_lines():
    ratios = lesson.first_lines({0: (1.5, 0.1, 0.15, 3), 2: (0.5, 0.1, 0.05, 2)})
    assert ratios.shape == (20,) and ratios[0] == 1.5 and ratios[2] == 0.5
    assert np.isnan(ratios[[1, *range(3, 20)]]).all()
    fig = lesson.line_figure({"a model": ratios}, "title")
    assert fig.axes[0].get_xlabel() and fig.axes[0].get_ylabel() and len(fig.axes[0].lines) == 2


def test_what_was_not_read_does_not_count():
    rows = lesson.account([POST], lambda found: np.ones(min(len(found), 4)))
    assert sum(row[4] for row in rows) == pytest.approx(1) and len(rows) == 2


def test_names_of_senders_are_found_and_common_words_are_not():
    texts = [f"From: person{i}@place.edu (Ann Example)\n\nhello" for i in range(12)]
    texts += ["From: rare@place.edu\n\nhello"] * 5 + ["Reply-To: other@seldom.org\n\nhello"]
    hidden = lesson.likely_names(texts)
    assert {"rare", "other", "person3"} <= hidden and not {"edu", "ann", "hello", "seldom"} & hidden


def test_a_text_is_cut_at_its_first_empty_line():
    assert lesson.cut("a\nb\n\nc\n\nd") == ("a\nb", "c\n\nd") and lesson.cut("a") == ("a", "")
    sizes = lesson.word_sizes([POST, "here"], lambda found: -np.ones(len(found)))
    assert sizes["here"][0].tolist() == [2, 1] and sizes["here"][1:] == (3, 2)
    assert sizes["plain"][0].tolist() == [0, 1] and sizes["plain"][1:] == (1, 1)


# ------------------------------------------------------------------------------------ marked words


@quick
@given(st.floats(-1, 1))
def test_every_shade_can_be_read(value):
    ground = words.shade(value)
    assert colour.contrast(ground, colour.ink(ground)) >= 4.5


def test_marked_words_carry_ground_ink_and_sign():
    pieces = ["good", " & ", "<b>bad</b>", "\nfaint"]
    markup = words.highlighted(pieces, [1.0, 0.0, -0.5, 0.001], "a < b")
    assert "<b>" not in markup and "&lt;b&gt;bad" in markup and "a &lt; b" in markup and "<br>faint" in markup
    for style in re.findall(r'style="([^"]*)"', markup):
        ground, ink = re.search(r"background:(#\w{6})", style), re.search(r"(?<![-\w])color:(#\w{6})", style)
        if ground or ink:
            assert colour.contrast(ground[1], ink[1]) >= 4.5
    good, bad = re.findall(r"<span style=\"([^\"]*)\">(.*?)</span>", markup)
    assert "solid" in good[0] and good[1] == "good<sup>+</sup>"
    assert "dashed" in bad[0] and bad[1].endswith("<sup>\u2212</sup>")
    plain = html.unescape(re.sub(r"<br>", "\n", re.sub(r"<sup>.</sup>|</?(?:span|div)[^>]*>", "", markup)))
    assert plain == "a < b" + "".join(pieces)


def test_the_reach_is_the_largest_or_given():
    assert words.shade(1.0) in words.highlighted(["x"], [0.3], "c")
    assert words.shade(0.25) in words.highlighted(["x"], [0.5], "c", reach=2.0)
    assert "<span" not in words.highlighted(["x", "y"], [0.0, 0.0], "c")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((["a"], [1.0, 2.0], "c"), "1 pieces need as many weights, not 2"),
        ((["a"], [float("nan")], "c"), "finite"),
        ((["a"], [1.0], "c", -1.0), "reach must be a positive"),
        ((["a"], [1.0], "c", 0.0), "reach must be a positive"),
    ],
)
def test_wrong_weights_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        words.highlighted(*arguments)


def test_a_shade_outside_is_refused():
    with pytest.raises(ValueError, match="from -1 to 1"):
        words.shade(1.5)
