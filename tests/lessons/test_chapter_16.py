"""What chapter 16 teaches: its own functions, taken out of the notebook, against TensorFlow, SciPy and scikit-learn."""

import numpy as np
import pytest
from helpers import definitions
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score, roc_curve

from course_utils import session

tf = session.quiet_tensorflow()

lesson = definitions("16_privacy")
quick = settings(deadline=None, max_examples=30)
seeds = st.integers(0, 2**32 - 1)


def network(random, sizes, models=()):
    """Random weights [W, b, …] of a network with these layer sizes, biases not zero."""
    parts = []
    for before, after in zip(sizes[:-1], sizes[1:], strict=True):
        parts += [random.normal(0, 0.7, (*models, before, after)), random.normal(0, 0.3, (*models, 1, after))]
    return parts


def batch(random, n, sizes):
    return random.normal(size=(n, sizes[0])), random.integers(0, sizes[-1], n)


layers = st.lists(st.integers(2, 6), min_size=2, max_size=4)


# -------------------------------------------------------------------------- gradients, one by one


@quick
@given(seeds, st.integers(1, 7), layers)
def test_example_gradients_are_those_of_a_loop_over_the_examples(seed, n, sizes):
    random = np.random.default_rng(seed)
    weights, (x, labels) = network(random, sizes), batch(random, n, sizes)
    variables = [tf.Variable(part) for part in weights]
    rows = []
    for i in range(n):
        with tf.GradientTape() as tape:
            a = tf.constant(x[[i]])
            for W, b in zip(variables[:-2:2], variables[1:-2:2], strict=True):
                a = tf.nn.relu(a @ W + b)
            logits = a @ variables[-2] + variables[-1]
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels[[i]], logits)
        found = tape.gradient(loss, variables)
        rows.append(np.concatenate([np.ravel(part) for part in found]))
    ours = lesson.example_gradients(weights, x, labels)
    assert ours.shape == (n, sum(part.size for part in weights))
    np.testing.assert_allclose(ours, rows, rtol=1e-8, atol=1e-11)


def test_the_lessons_own_reference_is_the_jacobian():
    random = np.random.default_rng(0)
    weights, (x, labels) = network(random, [5, 4, 3]), batch(random, 6, [5, 4, 3])
    theirs = lesson.tape_example_gradients(weights, x, labels)
    np.testing.assert_allclose(lesson.example_gradients(weights, x, labels), theirs, rtol=1e-9, atol=1e-12)


@quick
@given(seeds, st.integers(0, 7), layers, st.integers(1, 3))
def test_a_stack_is_its_models_one_by_one(seed, n, sizes, models):
    random = np.random.default_rng(seed)
    weights = network(random, sizes, (models,))
    x, labels = random.normal(size=(models, n, sizes[0])), random.integers(0, sizes[-1], (models, n))
    together = lesson.summed(*lesson.slopes(weights, x, labels))
    for k in range(models):
        one = [part[k] for part in weights]
        alone = lesson.example_gradients(one, x[k], labels[k]).sum(axis=0)
        np.testing.assert_allclose(np.concatenate([p[k].ravel() for p in together]), alone, rtol=1e-9, atol=1e-12)


@quick
@given(seeds, st.integers(1, 8), layers)
def test_norms_without_the_gradients(seed, n, sizes):
    random = np.random.default_rng(seed)
    weights, (x, labels) = network(random, sizes), batch(random, n, sizes)
    lengths = np.linalg.norm(lesson.example_gradients(weights, x, labels), axis=1)
    np.testing.assert_allclose(lesson.example_norms(*lesson.slopes(weights, x, labels)), lengths, rtol=1e-9)


def test_training_is_keras_adam():
    import keras

    random = np.random.default_rng(3)
    weights = network(random, [5, 4, 3], (1,))
    x, labels = random.normal(size=(1, 20, 5)), random.integers(0, 3, (1, 20))
    variables = [keras.Variable(part[0].copy(), dtype="float64") for part in weights]
    adam = keras.optimizers.Adam(0.01, beta_1=np.float64(0.9), beta_2=np.float64(0.999), epsilon=1e-8)
    for _ in range(4):
        with tf.GradientTape() as tape:
            W1, b1, W2, b2 = (variable.value for variable in variables)
            logits = tf.nn.relu(tf.constant(x[0]) @ W1 + b1) @ W2 + b2
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels[0], logits))
            loss += 0.05 * (tf.reduce_sum(W1**2) + tf.reduce_sum(W2**2)) / 2
        adam.apply(tape.gradient(loss, variables), variables)
    lesson.train(weights, x, labels, 4, decay=0.05)
    for ours, theirs in zip(weights, variables, strict=True):
        np.testing.assert_allclose(ours[0], theirs.numpy(), atol=1e-5)


# ------------------------------------------------------------------------------------- DP-SGD


@quick
@given(seeds, st.integers(1, 9), st.integers(1, 6), st.floats(0.05, 5))
def test_clipping_is_tensorflows(seed, n, d, limit):
    gradients = np.random.default_rng(seed).normal(0, 2, (n, d))
    gradients[0] = 0
    ours = lesson.clip(gradients, limit)
    theirs = [tf.clip_by_global_norm([tf.constant(row)], limit)[0][0] for row in gradients]
    np.testing.assert_allclose(ours, np.array(theirs), rtol=1e-6, atol=1e-9)
    assert (np.linalg.norm(ours, axis=1) <= limit * (1 + 1e-9)).all()


@quick
@given(seeds, st.integers(0, 9), layers, st.floats(0.05, 3))
def test_a_private_step_is_clip_and_noisy_mean(seed, n, sizes, limit):
    random = np.random.default_rng(seed)
    weights, (x, labels) = network(random, sizes), batch(random, n, sizes)
    fast = lesson.private_gradient(weights, x, labels, limit, 1.7, 5.0, np.random.default_rng(seed))
    draws = np.random.default_rng(seed)
    noise = np.concatenate([draws.standard_normal(part.size) for part in weights])
    slow = lesson.noisy_mean(lesson.clip(lesson.example_gradients(weights, x, labels), limit), noise, limit, 1.7, 5.0)
    np.testing.assert_allclose(np.concatenate([part.ravel() for part in fast]), slow, rtol=1e-8, atol=1e-11)


@quick
@given(seeds, st.integers(2, 8), layers)
def test_one_record_moves_the_sum_by_no_more_than_the_limit(seed, n, sizes):
    random = np.random.default_rng(seed)
    weights, (x, labels) = network(random, sizes), batch(random, n, sizes)
    sums = [lesson.private_gradient(weights, x[:k], labels[:k], 0.3, 0.0, 1.0, random) for k in (n, n - 1)]
    moved = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(*sums, strict=True)))
    assert moved <= 0.3 * (1 + 1e-9)


def test_the_noise_has_the_deviation_that_the_accountant_is_told():
    weights = network(np.random.default_rng(0), [40, 30, 20])
    nothing = np.zeros((0, 40)), np.zeros(0, int)
    found = lesson.private_gradient(weights, *nothing, 2.0, 3.0, 8.0, np.random.default_rng(1))
    values = np.concatenate([part.ravel() for part in found])
    assert np.std(values) == pytest.approx(2.0 * 3.0 / 8.0, rel=0.05) and abs(np.mean(values)) < 0.1


def test_poisson_sampling_takes_each_record_by_itself():
    random = np.random.default_rng(0)
    taken = np.zeros((4000, 6), bool)
    for row in taken:
        row[lesson.poisson_sample(6, 0.3, random)] = True
    assert taken.mean(axis=0) == pytest.approx(np.full(6, 0.3), abs=0.04)
    assert np.abs(np.corrcoef(taken.T) - np.eye(6)).max() < 0.07, "fixed batch sizes would correlate by -0.2"
    assert len(np.unique(taken.sum(axis=1))) >= 6


def test_private_training_learns_and_repeats():
    x = np.random.default_rng(0).normal(size=(200, 64))
    labels = (x[:, 0] > 0) * 1
    runs = []
    for _ in range(2):
        weights = [part[0] for part in lesson.start_weights(1, 0, np.random.default_rng(1), "float64")]
        lesson.train_privately(weights, x, labels, 60, 0.5, 1.0, 0.5, 1.0, np.random.default_rng(2))
        runs.append(weights)
    np.testing.assert_array_equal(runs[0][0], runs[1][0])
    assert np.mean(lesson.forward(runs[0], x)[-1].argmax(axis=1) == labels) > 0.85


# ---------------------------------------------------------------------------------- accounting


@settings(deadline=None, max_examples=5)
@given(st.floats(1.5, 8), st.integers(1, 30))
def test_the_accountant_agrees_with_the_formula(sigma, steps):
    epsilon = lesson.epsilon_of(sigma, 1.0, steps, 1e-4)
    assert lesson.gaussian_delta(epsilon, np.sqrt(steps) / sigma) == pytest.approx(1e-4, rel=0.05)


def test_the_formula_is_the_integral():
    """δ(ε) is the mass by which one normal distribution exceeds e^ε times the other."""
    x = np.linspace(-12, 12, 400_001)
    over = np.maximum(norm.pdf(x, 1.3) - np.exp(0.8) * norm.pdf(x), 0)
    assert lesson.gaussian_delta(0.8, 1.3) == pytest.approx(np.sum(over) * (x[1] - x[0]), rel=1e-6)


def test_sampling_and_noise_save_and_steps_cost():
    base = lesson.epsilon_of(4.0, 0.25, 20, 1e-4)
    assert lesson.epsilon_of(4.0, 1.0, 20, 1e-4) > base > lesson.epsilon_of(8.0, 0.25, 20, 1e-4)
    assert lesson.epsilon_of(4.0, 0.25, 40, 1e-4) > base > lesson.epsilon_of(4.0, 0.25, 20, 1e-2)


@quick
@given(st.floats(0.1, 3), st.floats(0.001, 0.999))
def test_no_attack_on_a_gaussian_mechanism_beats_the_bound(mu, fpr):
    """The best attack on it is known (Neyman and Pearson): a threshold. For every ε its curve stays below."""
    best = norm.cdf(norm.ppf(fpr) + mu)
    bounds = [lesson.best_tpr(fpr, e, lesson.gaussian_delta(e, mu)) for e in np.linspace(0, 8, 161)]
    assert (np.array(bounds) >= best - 1e-9).all()
    assert min(bounds) <= best + 0.02, "over all ε the bound is tight"


@quick
@given(st.floats(0.01, 5))
def test_randomised_response_meets_the_bound(epsilon):
    p = np.exp(epsilon) / (1 + np.exp(epsilon))
    assert lesson.best_tpr(1 - p, epsilon, 0.0) == pytest.approx(p)
    assert 0 <= lesson.best_tpr(0.0, epsilon, 1e-3) <= 1e-3 + 1e-12 and lesson.best_tpr(1.0, epsilon, 0.0) == 1


def test_the_share_behind_randomised_answers():
    random = np.random.default_rng(0)
    truths = (np.arange(200_000) < 60_000) * 1
    answers = lesson.randomised_response(truths, 0.6, random)
    assert set(np.unique(answers)) == {0, 1}
    assert np.mean(answers == truths) == pytest.approx(0.6, abs=0.01)
    assert lesson.share_of_yes(answers, 0.6) == pytest.approx(0.3, abs=0.02)


# ------------------------------------------------------------------------------------ the attack

scores = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=30).map(np.array)


@quick
@given(scores, scores)
def test_the_auc_is_scikit_learns(members, others):
    truth = np.r_[np.ones(len(members)), np.zeros(len(others))]
    expected = roc_auc_score(truth, np.r_[members, others])
    assert lesson.attack_auc(members, others) == pytest.approx(expected, abs=1e-12)


@quick
@given(scores, scores, st.sampled_from([0.0, 0.013, 0.11, 0.37, 0.62, 0.93]))
def test_the_true_positive_rate_is_scikit_learns(members, others, fpr):
    truth = np.r_[np.ones(len(members)), np.zeros(len(others))]
    false, true, _ = roc_curve(truth, np.r_[members, others], drop_intermediate=False)
    assert lesson.tpr_at_fpr(members, others, fpr) == pytest.approx(true[false <= fpr].max())


@quick
@given(seeds, st.integers(2, 6), st.integers(1, 5))
def test_the_reference_score_is_the_likelihood_ratio(seed, references, records):
    random = np.random.default_rng(seed)
    phi, known = random.normal(size=(3, records)), random.normal(size=(references, records))
    seen = random.random((references, records)) < 0.5
    seen[0], seen[1] = True, False
    inside = [known[seen[:, i], i].mean() for i in range(records)]
    outside = [known[~seen[:, i], i].mean() for i in range(records)]
    spread = 1.7
    ratio = norm.logpdf(phi, inside, spread) - norm.logpdf(phi, outside, spread)
    ours = lesson.reference_scores(phi, known, seen)
    np.testing.assert_allclose(ours / spread**2, ratio, rtol=1e-8, atol=1e-10)


@quick
@given(seeds, st.integers(1, 9))
def test_confidence_is_the_logit_of_the_probability(seed, n):
    random = np.random.default_rng(seed)
    weights, (x, labels) = network(random, [4, 5, 3], (2,)), batch(random, n, [4, 5, 3])
    p = lesson.softmax(lesson.forward(weights, x)[-1])[:, np.arange(n), labels]
    np.testing.assert_allclose(lesson.confidence(weights, x, labels), np.log(p / (1 - p)), rtol=1e-6, atol=1e-8)


def test_members_are_dealt_evenly():
    hands = lesson.deal(7, 30, np.random.default_rng(0))
    assert hands.shape == (7, 10)
    for group in (hands[:3], hands[3:6]):
        assert sorted(group.ravel()) == list(range(30))


def test_typos_change_the_label_and_only_a_share():
    labels = np.random.default_rng(0).integers(0, 10, 20_000)
    changed = lesson.with_typos(labels, 0.1, np.random.default_rng(1))
    assert np.mean(changed != labels) == pytest.approx(0.1, abs=0.01)
    assert changed.min() == 0 and changed.max() == 9


# ------------------------------------------------------------------- federation and the gradient


@quick
@given(seeds, st.integers(1, 5), layers)
def test_one_full_step_of_each_client_is_the_central_step(seed, clients, sizes):
    random = np.random.default_rng(seed)
    like, (x, labels) = network(random, sizes), batch(random, 20, sizes)
    owner = random.integers(0, clients, 20)
    groups = [np.flatnonzero(owner == k) for k in range(clients) if np.any(owner == k)]
    start = lesson.flat(like)
    results = [lesson.local_training(start, like, x[g], labels[g], 1, 0.3) for g in groups]
    central = lesson.local_training(start, like, x, labels, 1, 0.3)
    ours = lesson.federated_average(np.array(results), np.array([len(g) for g in groups]))
    np.testing.assert_allclose(ours, central, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(start, lesson.flat(like), "the sent parameters stay as they were")


@quick
@given(seeds, layers)
def test_flat_and_shaped_undo_each_other(seed, sizes):
    like = network(np.random.default_rng(seed), sizes)
    for part, back in zip(like, lesson.shaped(lesson.flat(like), like), strict=True):
        np.testing.assert_array_equal(part, back)


@quick
@given(seeds, st.integers(1, 6), st.floats(0.1, 100))
def test_every_record_has_one_client(seed, clients, evenness):
    random = np.random.default_rng(seed)
    groups = lesson.deal_to_clients(random.integers(0, 10, 50), clients, evenness, random)
    assert sorted(np.concatenate(groups)) == list(range(50)) and 1 <= len(groups) <= clients
    assert all(len(group) for group in groups)


@quick
@given(seeds, st.integers(1, 8), st.integers(2, 30))
def test_a_record_is_read_from_its_gradient(seed, inputs, units):
    random = np.random.default_rng(seed)
    sizes = [inputs, units, 4]
    weights, (x, labels) = network(random, sizes), batch(random, 1, sizes)
    dW, db, _, last = lesson.summed(*lesson.slopes(weights, x, labels))
    assert np.argmin(last[0]) == labels[0] and np.sum(last[0] < 0) == 1
    if np.abs(db).max() > 1e-6:
        np.testing.assert_allclose(lesson.reconstruct(dW, db[0]), x[0], rtol=1e-6, atol=1e-8)
        assert lesson.laid_bare(weights, x, labels) == 1


def test_a_batch_of_the_same_unit_is_a_mixture():
    """One unit that fires for both records gives neither; a second one that fires for one gives that one."""
    x, labels = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 0])
    out = np.array([[1.0, -1.0], [1.0, -1.0]])
    both = [np.array([[1.0, 0.0], [1.0, 0.0]]), np.zeros((1, 2)), out, np.zeros((1, 2))]
    assert lesson.laid_bare(both, x, labels) == 0
    one = [np.array([[1.0, 1.0], [1.0, -1.0]]), np.zeros((1, 2)), out, np.zeros((1, 2))]
    assert lesson.laid_bare(one, x, labels) == 0.5


def test_noise_destroys_the_picture_and_clipping_does_not():
    random = np.random.default_rng(0)
    x = random.random(64)
    slopes = random.normal(size=32)
    dW = np.outer(x, slopes)
    np.testing.assert_allclose(lesson.reconstruct(0.01 * dW, 0.01 * slopes), x, rtol=1e-9)
    noisy = lesson.with_noise(dW, slopes, 4.0, 10.0, random)
    assert abs(np.corrcoef(lesson.reconstruct(*noisy), x)[0, 1]) < 0.5
