"""What chapter 15 teaches: its own functions, taken out of the notebook, against TensorFlow, SciPy and definitions."""

import linecache

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import session
from course_utils.maintain import notebooks

tf = session.quiet_tensorflow()

lesson = definitions("15_fusing_modalities")
quick = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 2**32 - 1)
temperatures = st.sampled_from([0.05, 0.1, 0.5, 1.0, 3.0])


def answers(random, n, k):
    return random.dirichlet(np.full(k, 0.5), n) * 0.999 + 0.001 / k


# -------------------------------------------------------------------------------------- pairs


@quick
@given(seeds, st.integers(1, 60), st.integers(1, 9))
def test_partners_have_the_same_label(seed, n, kinds):
    random = np.random.default_rng(seed)
    others = random.permutation(np.r_[np.arange(kinds), random.integers(kinds, size=20)])
    labels = random.integers(kinds, size=n)
    found = lesson.partners(labels, others, random)
    assert found.shape == (n,)
    np.testing.assert_array_equal(others[found], labels)


def test_every_partner_is_drawn_equally_often():
    others = np.array([1, 0, 1, 1, 0, 2])
    found = lesson.partners(np.ones(6000, dtype=int), others, np.random.default_rng(0))
    counts = np.bincount(found, minlength=6)
    assert counts[[1, 4, 5]].sum() == 0
    np.testing.assert_allclose(counts[[0, 2, 3]], 2000, atol=200)


def test_a_digit_without_a_partner_is_named():
    with pytest.raises(ValueError, match=r"\[7\]"):
        lesson.partners(np.array([3, 7]), np.array([3, 3]), np.random.default_rng(0))


# ------------------------------------------------------------------------------------- inputs


@quick
@given(seeds, st.floats(-15, 40))
def test_the_noise_has_the_stated_strength(seed, snr):
    random = np.random.default_rng(seed)
    sound = np.sin(np.arange(4000) * 0.3)[None].astype("float32")
    made = lesson.recordings(sound, np.array([4000]), np.array([snr]), random)[0]
    assert made.shape == (lesson.RATE,)
    noise = made[5000:]  # behind the word, which ends by 4800 at the latest
    assert 10 * np.log10(np.mean(sound**2) / np.mean(noise**2)) == pytest.approx(snr, abs=0.6)


def test_a_recording_holds_the_whole_word_and_never_more_than_there_is():
    sounds = np.zeros((3, lesson.RATE), dtype="float32")
    lengths = np.array([10, 4000, lesson.RATE])
    for row, length in zip(sounds, lengths, strict=True):
        row[:length] = 1.0
    quiet = lesson.recordings(sounds, lengths, np.full(3, 80.0), np.random.default_rng(0))
    np.testing.assert_allclose((quiet > 0.5).sum(axis=1), lengths)
    assert ((quiet > 0.5).argmax(axis=1) <= lesson.RATE // 10).all()


@quick
@given(seeds, st.integers(1, 3), st.sampled_from([8, 20]))
def test_mel_features_are_tensorflows(seed, n, bands):
    made = np.random.default_rng(seed).standard_normal((n, lesson.RATE), dtype="float32")
    power = tf.abs(tf.signal.stft(made, 256, 160))[:, :48] ** 2
    mel = tf.math.log(power @ tf.signal.linear_to_mel_weight_matrix(bands, 129, 8000, 60, 4000) + 1e-3)
    theirs = tf.reshape(tf.reduce_mean(tf.reshape(mel, (n, 12, 4, bands)), axis=2), (n, -1)).numpy()
    theirs = (theirs - theirs.mean(axis=1, keepdims=True)) / theirs.std(axis=1, keepdims=True)
    ours = lesson.mel_features(made, bands)
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
    np.testing.assert_allclose(ours.mean(axis=1), 0, atol=1e-4)


def test_recordings_in_pieces_are_all_there():
    sounds = np.random.default_rng(0).standard_normal((901, 500), dtype="float32")
    found = lesson.hear(sounds, np.full(901, 500), np.full(901, 20.0), np.random.default_rng(1), 4)
    assert found.shape == (901, 48) and np.isfinite(found).all()


@quick
@given(seeds, st.floats(0.1, 2))
def test_pixel_noise_has_its_spread(seed, spread):
    random = np.random.default_rng(seed)
    clean = random.random((2, 64)).astype("float32")
    seen = lesson.look(clean.repeat(40, axis=0), np.repeat([0.0, spread], 40), random)
    np.testing.assert_array_equal(seen[:40], clean[:1].repeat(40, axis=0))
    assert np.std(seen[40:] - clean[1]) == pytest.approx(spread, rel=0.1)


# ------------------------------------------------------------------------------------- fusion


@quick
@given(seeds, st.integers(1, 12), st.integers(2, 6))
def test_late_fusion_is_bayes_rule(seed, n, k):
    random = np.random.default_rng(seed)
    prior, one, other = random.dirichlet(np.ones(k)) * 0.99 + 0.01 / k, answers(random, n, k), answers(random, n, k)
    products = one * other / prior
    ours = lesson.late_fusion(one, other, prior)
    np.testing.assert_allclose(ours, products / products.sum(axis=1, keepdims=True), rtol=1e-9)
    np.testing.assert_allclose(lesson.late_fusion(other, one, prior), ours, rtol=1e-9)
    nothing = np.tile(prior, (n, 1))
    np.testing.assert_allclose(lesson.late_fusion(one, nothing, prior), one, rtol=1e-9)  # the prior tells nothing


@quick
@given(seeds, st.floats(-0.9, 0.9))
def test_late_fusion_is_exact_if_and_only_if_independent(seed, correlation):
    random = np.random.default_rng(seed)
    means, prior = random.normal(0, 2, (3, 2)), random.dirichlet(np.ones(3)) * 0.9 + 0.1 / 3
    points = random.normal(0, 2, (30, 2))
    for covariance in (np.eye(2), np.array([[1, correlation], [correlation, 1]])):
        one, other, both = lesson.gaussian_posteriors(points, means, covariance, prior)
        # The definition, without SciPy: densities up to a factor that all classes share.
        distance = points[:, None] - means
        squared = np.einsum("nki,ij,nkj->nk", distance, np.linalg.inv(covariance), distance)
        direct = np.exp(-squared / 2) * prior
        np.testing.assert_allclose(both, direct / direct.sum(axis=1, keepdims=True), rtol=1e-6, atol=1e-12)
        if covariance[0, 1] == 0:
            np.testing.assert_allclose(lesson.late_fusion(one, other, prior), both, atol=1e-9)
        elif abs(correlation) > 0.3:
            assert np.abs(lesson.late_fusion(one, other, prior) - both).max() > 1e-4


@quick
@given(seeds, st.integers(1, 9), st.integers(1, 7))
def test_gated_mixture(seed, n, d):
    random = np.random.default_rng(seed)
    seen, heard, gate = random.normal(size=(n, d)), random.normal(size=(n, d)), random.random(n)
    ours = lesson.gated_mixture(seen, heard, gate)
    np.testing.assert_allclose(ours, [g * a + (1 - g) * b for a, b, g in zip(seen, heard, gate, strict=True)])
    np.testing.assert_array_equal(lesson.gated_mixture(seen, heard, np.ones(n)), seen)
    np.testing.assert_array_equal(lesson.gated_mixture(seen, heard, np.zeros(n)), heard)


def test_networks_take_what_they_should_and_the_gated_one_is_as_written():
    random = np.random.default_rng(0)
    seen, heard = (random.normal(size=(5, size)).astype("float32") for size in (64, 24))
    for kind in ("image", "sound", "early", "gated"):
        model = lesson.network(kind, 24)
        p = lesson.probabilities(model, lesson.inputs_of(kind, seen, heard))
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-9)
        changed = lesson.probabilities(model, lesson.inputs_of(kind, seen + 1, heard))
        assert np.allclose(p, changed) == (kind == "sound")
    gate, logits = lesson.gated_by_hand(model, seen, heard)
    assert ((gate > 0) & (gate < 1)).all()
    np.testing.assert_allclose(logits, model([seen, heard]), atol=1e-4)
    np.testing.assert_allclose(p, tf.nn.softmax(logits), atol=1e-4)
    first, again, other = (lesson.fresh_weights(model, np.random.default_rng(s)) for s in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    limits = [np.sqrt(6 / sum(w.shape)) if w.ndim == 2 else 0 for w in first]
    assert all(np.abs(w).max() <= limit for w, limit in zip(first, limits, strict=True))


@quick
@given(seeds, st.integers(1, 8), st.floats(0.5, 6))
def test_softened_answers_are_those_of_smaller_logits(seed, n, t):
    logits = np.random.default_rng(seed).normal(0, 4, (n, 5))
    theirs = tf.nn.softmax(logits / t).numpy()
    np.testing.assert_allclose(lesson.softened(tf.nn.softmax(logits).numpy(), t), theirs, rtol=1e-7)


def test_the_best_softening_finds_what_was_done_to_the_logits():
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 6))
    labels = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)  # drawn from the softmax
    assert lesson.best_softening(tf.nn.softmax(3 * logits).numpy(), labels) == pytest.approx(3, rel=0.1)
    assert lesson.best_softening(tf.nn.softmax(logits).numpy(), labels) == pytest.approx(1, rel=0.1)


# ------------------------------------------------------------------------------- independence


@quick
@given(seeds, st.integers(40, 120))
def test_re_pairings_are_the_lottery_that_scipy_knows(seed, n):
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    one, other = random.random(n) < 0.3, random.random(n) < 0.4
    counted, dealt = lesson.both_wrong(one, other, labels, random, 400)
    assert counted == sum(a and b for a, b in zip(one, other, strict=True))
    mean, spread = lesson.hypergeometric(one, other, labels)
    variance = 0.0
    for c in range(4):
        size, a, b = (labels == c).sum(), one[labels == c].sum(), other[labels == c].sum()
        variance += b * a / size * (1 - a / size) * (size - b) / (size - 1)
    assert spread == pytest.approx(np.sqrt(variance), abs=1e-6)
    assert mean == pytest.approx(
        sum(one[labels == c].sum() * other[labels == c].sum() / (labels == c).sum() for c in set(labels))
    )
    assert abs(dealt.mean() - mean) <= 6 * spread / 20 + 1e-9
    assert dealt.max() <= min(one.sum(), other.sum())


def test_dependence_is_seen():
    random = np.random.default_rng(0)
    labels, one = random.integers(4, size=400), random.random(400) < 0.3
    counted, dealt = lesson.both_wrong(one, one, labels, random, 500)
    assert counted > dealt.max()
    counted, dealt = lesson.both_wrong(one, ~one, labels, random, 500)
    assert counted < dealt.min()


@quick
@given(seeds, st.integers(20, 80))
def test_re_pairing_stays_within_the_digit_and_does_as_it_is_called(seed, n):
    random = np.random.default_rng(seed)
    labels, noisy = random.integers(3, size=n), random.random(n) < 0.5
    met = {}
    for how in ("independent", "together", "apart"):
        order = lesson.re_pair(labels, noisy, how, random)
        np.testing.assert_array_equal(np.sort(order), np.arange(n))
        np.testing.assert_array_equal(labels[order], labels)
        met[how] = np.sum(noisy & noisy[order])
    assert met["together"] == noisy.sum()
    sizes = [(np.sum(noisy & (labels == c)), np.sum(labels == c)) for c in range(3)]
    assert met["apart"] == sum(max(0, 2 * bad - all_of) for bad, all_of in sizes)
    assert met["apart"] <= met["independent"] <= met["together"]


def test_an_unknown_pairing_is_refused():
    with pytest.raises(ValueError, match="'anyhow'"):
        lesson.re_pair(np.zeros(2, dtype=int), np.array([True, False]), "anyhow", np.random.default_rng(0))


@quick
@given(seeds, st.integers(1, 200), st.floats(0, 0.5))
def test_modality_mask_never_takes_both(seed, n, rate):
    draws = np.random.default_rng(seed).random(n)
    mask = lesson.modality_mask(draws, rate)
    assert mask.shape == (n, 2) and set(np.unique(mask)) <= {0.0, 1.0}
    assert (mask.sum(axis=1) >= 1).all()
    np.testing.assert_array_equal(mask[:, 0] == 0, draws < rate)
    np.testing.assert_array_equal(mask[:, 1] == 0, draws >= 1 - rate)


# -------------------------------------------------------------------------------- contrastive


@quick
@given(seeds, st.integers(1, 12), temperatures)
def test_the_contrastive_loss_is_the_plain_one_and_tensorflows(seed, n, temperature):
    similarity = np.random.default_rng(seed).uniform(-1, 1, (n, n))
    ours = lesson.contrastive_loss(similarity, temperature)
    scores, own = tf.constant(similarity / temperature), np.arange(n)
    theirs = tf.nn.sparse_softmax_cross_entropy_with_logits
    mean = tf.reduce_mean(theirs(own, scores) + theirs(own, tf.transpose(scores))) / 2
    np.testing.assert_allclose(ours, mean, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours, lesson.contrastive_plain(similarity.tolist(), temperature), rtol=1e-9, atol=1e-12)
    general = lesson.matching_loss(similarity, np.eye(n), np.full((n, n), True), temperature)
    np.testing.assert_allclose(ours, general, rtol=1e-9, atol=1e-12)


@quick
@given(seeds, st.integers(2, 12), temperatures)
def test_properties_of_the_contrastive_loss(seed, n, temperature):
    random = np.random.default_rng(seed)
    similarity = random.uniform(-1, 1, (n, n))
    loss = lesson.contrastive_loss(similarity, temperature)
    assert loss > 0
    np.testing.assert_allclose(lesson.contrastive_loss(similarity.T, temperature), loss, rtol=1e-9)
    order = random.permutation(n)
    np.testing.assert_allclose(lesson.contrastive_loss(similarity[np.ix_(order, order)], temperature), loss, rtol=1e-9)
    np.testing.assert_allclose(lesson.contrastive_loss(similarity + 5, temperature), loss, rtol=1e-9)
    np.testing.assert_allclose(lesson.contrastive_loss(np.zeros((n, n)), temperature), np.log(n), rtol=1e-9)
    perfect = lesson.contrastive_loss(2 * np.eye(n) - 1, temperature)
    np.testing.assert_allclose(perfect, np.log1p((n - 1) * np.exp(-2 / temperature)), rtol=1e-7, atol=1e-15)
    assert perfect <= loss + 1e-12


def test_the_contrastive_loss_stays_finite():
    assert np.isfinite(lesson.contrastive_loss(np.random.default_rng(0).uniform(-1, 1, (20, 20)), 1e-4))


@quick
@given(seeds, st.integers(1, 10), temperatures)
def test_the_gradient_is_tensorflows(seed, n, temperature):
    variable = tf.Variable(np.random.default_rng(seed).uniform(-1, 1, (n, n)))
    with tf.GradientTape() as tape:
        loss = lesson.matching_loss(variable, np.eye(n), np.full((n, n), True), temperature)
    ours = lesson.contrastive_gradient(variable.numpy(), temperature)
    np.testing.assert_allclose(ours, tape.gradient(loss, variable), rtol=1e-7, atol=1e-10)
    assert abs(ours.sum()) < 1e-9  # pull and push are in balance


@quick
@given(seeds, st.integers(2, 15))
def test_the_three_forms_of_the_quiz(seed, n):
    random = np.random.default_rng(seed)
    labels, similarity = random.integers(4, size=n), random.uniform(-1, 1, (n, n))
    same, losses = labels[:, None] == labels, {}
    for form in ("as it is", "left out", "partners"):
        targets, allowed = lesson.quiz(labels, form)
        np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_array_equal(targets, targets.T)
        assert allowed.diagonal().all() and not targets[~same].any()
        losses[form] = float(lesson.matching_loss(similarity, targets.astype(float), allowed, 0.3))
    assert losses["left out"] <= losses["as it is"] + 1e-12
    left = []
    for i in range(n):
        for row in (similarity[i], similarity[:, i]):
            stay = [row[i], *row[~same[i]]]
            left.append(np.log(np.exp(np.array(stay) / 0.3).sum()) - row[i] / 0.3)
    np.testing.assert_allclose(losses["left out"], np.mean(left), rtol=1e-6, atol=1e-9)
    # A model that sees the digit only, and sees it perfectly, reaches the floor of the first form.
    best = lesson.contrastive_loss(np.where(same, 1.0, -1.0), 0.01)
    np.testing.assert_allclose(lesson.lowest_loss(labels), best, rtol=1e-6, atol=1e-9)


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="'half'"):
        lesson.quiz(np.array([1, 2]), "half")


@quick
@given(seeds, st.integers(1, 8), st.integers(1, 12))
def test_recall_at_k(seed, queries, items):
    random = np.random.default_rng(seed)
    similarity, relevant = random.random((queries, items)), random.random((queries, items)) < 0.3
    before = 0.0
    for k in range(1, items + 1):
        hits = [any(relevant[q, sorted(range(items), key=similarity[q].__getitem__)[-k:]]) for q in range(queries)]
        found = lesson.recall_at_k(similarity, relevant, k)
        assert found == pytest.approx(np.mean(hits)) and found >= before
        before = found
    assert before == pytest.approx(relevant.any(axis=1).mean())


def with_its_source(name):
    """A function of the notebook, run from its cell under a name that inspect knows: a compiled loop reads its own
    source."""
    cells = notebooks.read(notebooks.find("15")[0]).cells
    source = next(c.source for c in cells if c.cell_type == "code" and f"def {name}(" in c.source)
    linecache.cache[f"cell of {name}"] = (len(source), None, source.splitlines(True), f"cell of {name}")
    tools = {"np": np, "tf": tf, "keras": tf.keras, "layers": tf.keras.layers, "__name__": "lesson"}
    space = vars(lesson) | tools
    exec(compile(source, f"cell of {name}", "exec"), space)
    return space[name]


def test_encoders_end_on_the_unit_sphere_and_a_step_lowers_the_loss():
    random = np.random.default_rng(0)
    labels = random.integers(5, size=60)
    centres = random.normal(size=(2, 5, 12))
    seen, heard = ((c[labels] + random.normal(0, 0.3, (60, 12))).astype("float32") for c in centres)
    eye, ear = lesson.encoder(12), lesson.encoder(12)
    np.testing.assert_allclose(np.linalg.norm(eye(seen), axis=1), 1, rtol=1e-5)
    run = with_its_source("contrastive_training")(eye, ear, tf.keras.optimizers.Adam(3e-3))
    rows = random.integers(60, size=(80, 20)).astype("int32")
    quizzes = [np.array(part) for part in zip(*(lesson.quiz(labels[r], "partners") for r in rows), strict=True)]
    losses = run(seen, heard, rows, rows, *quizzes, tf.constant(0.2)).numpy()
    assert losses.shape == (80,) and losses[-10:].mean() < losses[:10].mean() - 0.3
