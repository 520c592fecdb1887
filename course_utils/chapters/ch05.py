"""Exercises of notebook 05, recurrent networks."""

import numpy as np

from course_utils.exercises import choice, do, exercise, number, prediction, repair

p_bracket = prediction(
    "05.p_bracket",
    "A text so far: the {old [red (big dog) hen   Which closing bracket has to come first from here?",
    options=[")", "]", "}", "any of the three"],
    answer="]",
    explain="The last bracket that is still open closes first. The round one is closed already.",
    hints=["Cross out the pair that is already closed. Which open bracket stands last?"],
)

p_window = prediction(
    "05.p_window",
    "In the longer texts: of 100 closing brackets, how many does the best model with a window get right? Guessing "
    "gives 33.",
    unit="of 100",
    explain="It gets most of the near ones, whose opening bracket is inside its window. The far ones it has to guess.",
    hints=["Any number from 33 to 100 is fine. How many opening brackets stand near their closing one?"],
)

# ------------------------------------------------------------------------------------- one step

_X = np.array([[1.0, -0.5], [0.3, 0.8], [-1.2, 0.1]])
_H = np.array([[0.2, -0.4, 0.1], [0.0, 0.5, -0.3], [-0.6, 0.2, 0.9]])
_W_XH = np.array([[0.5, -0.2, 0.1], [0.3, 0.7, -0.4]])
_W_HH = np.array([[0.1, 0.8, -0.3], [-0.5, 0.2, 0.6], [0.4, -0.1, 0.9]])
_B = np.array([0.1, -0.2, 0.3])


@exercise(
    "05.rnn_step",
    cases=[
        (_X[:1, :1], _H[:1, :1], _W_XH[:1, :1], _W_HH[:1, :1], _B[:1]),
        (_X, _H, _W_XH, _W_HH, _B),
        (3 * _X[:2], _H[1:], _W_XH, _W_HH, -_B),
        (_X, np.zeros((3, 3)), _W_XH, _W_HH, _B),
    ],
    hints=[
        "Two products, one for the input and one for the old state, and the bias: all of it inside one tanh.",
        "The shapes say which side each matrix stands on: (n, features) times (features, units) is (n, units).",
    ],
)
def rnn_step(x, h, W_xh, W_hh, b):
    """New state (n, units) from the input x (n, features) and the old h (n, units).

    W_xh (features, units), W_hh (units, units), b (units,)."""
    return np.tanh(x @ W_xh + h @ W_hh + b)


@rnn_step.mistake("Your new state does not depend on the old one: then nothing is remembered.")
def without_memory(x, h, W_xh, W_hh, b):
    return np.tanh(x @ W_xh + b)


@rnn_step.mistake("The sum still has to pass through tanh, which keeps every state between -1 and 1.")
def without_tanh(x, h, W_xh, W_hh, b):
    return x @ W_xh + h @ W_hh + b


@rnn_step.mistake("The two products are added first, and tanh is taken once of the whole sum.")
def tanh_of_each(x, h, W_xh, W_hh, b):
    return np.tanh(x @ W_xh) + np.tanh(h @ W_hh + b)


@rnn_step.mistake("The recurrent matrix is turned around: in row-vector code it stands to the right, as it is.")
def transposed(x, h, W_xh, W_hh, b):
    return np.tanh(x @ W_xh + h @ W_hh.T + b)


@rnn_step.mistake("The bias is missing.")
def without_bias(x, h, W_xh, W_hh, b):
    return np.tanh(x @ W_xh + h @ W_hh)


@rnn_step.mistake("The old state enters as it is in yours. It has a matrix of its own.")
def state_without_weights(x, h, W_xh, W_hh, b):
    return np.tanh(x @ W_xh + h + b)


@rnn_step.mistake("The bias belongs inside tanh, with the two products.")
def bias_outside(x, h, W_xh, W_hh, b):
    return np.tanh(x @ W_xh + h @ W_hh) + b


@rnn_step.mistake("Add the two products and the bias first, then take one tanh: yours takes two and adds them.")
def two_tanh_and_bias(x, h, W_xh, W_hh, b):
    return np.tanh(x @ W_xh) + np.tanh(h @ W_hh) + b


@rnn_step.mistake("That is the sigmoid, from 0 to 1. This state may be negative: which function does the formula have?")
def with_the_sigmoid(x, h, W_xh, W_hh, b):
    return 1 / (1 + np.exp(-(x @ W_xh + h @ W_hh + b)))


@rnn_step.mistake("The two matrices have changed places: W_xh belongs to the input x, W_hh to the old state h.")
def matrices_swapped(x, h, W_xh, W_hh, b):
    return np.tanh(x @ W_hh + h @ W_xh + b)


@rnn_step.right
def one_product_with_both(x, h, W_xh, W_hh, b):
    return np.tanh(np.concatenate([x, h], axis=1) @ np.concatenate([W_xh, W_hh]) + b)


# --------------------------------------------------------------------------- one step, backwards

_H_NEXT = np.array([[0.3, -0.7, 0.5], [0.9, 0.1, -0.2], [-0.4, 0.6, 0.8]])
_D = np.array([[1.0, 0.0, -1.0], [0.5, 2.0, 0.1], [-0.3, 0.7, 0.2]])


@exercise(
    "05.rnn_step_backward",
    cases=[
        (_X[:1, :1], _H[:1, :1], _H_NEXT[:1, :1], _W_XH[:1, :1], _W_HH[:1, :1], _D[:1, :1]),
        (_X, _H, _H_NEXT, _W_XH, _W_HH, _D),
        (_X[:2], _H[:2], _H_NEXT[1:], _W_XH, _W_HH, _D[1:]),
    ],
    hints=[
        "First go back through tanh: its slope is 1 minus the square of its own result, which is h_next.",
        "Behind tanh stand two dense layers with one bias: chapter 3 has the gradients of a dense layer.",
        "Each gradient has the shape of what it belongs to.",
    ],
)
def rnn_step_backward(x, h, h_next, W_xh, W_hh, d_next):
    """The gradients (dx, dh, dW_xh, dW_hh, db) of one step from h to h_next.

    d_next (n, units) is the gradient of the loss with respect to h_next."""
    d_z = d_next * (1 - h_next**2)
    return d_z @ W_xh.T, d_z @ W_hh.T, x.T @ d_z, h.T @ d_z, d_z.sum(axis=0)


@rnn_step_backward.mistake("You forget tanh: how steep is it where the new state is?")
def through_no_tanh(x, h, h_next, W_xh, W_hh, d_next):
    return d_next @ W_xh.T, d_next @ W_hh.T, x.T @ d_next, h.T @ d_next, d_next.sum(axis=0)


@rnn_step_backward.mistake("You take the slope of tanh from the old state. Which state did this tanh make?")
def slope_at_the_old_state(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next * (1 - h**2)
    return d_z @ W_xh.T, d_z @ W_hh.T, x.T @ d_z, h.T @ d_z, d_z.sum(axis=0)


@rnn_step_backward.mistake("The new state is already a tanh: you take the tanh of it once more.")
def tanh_twice(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next * (1 - np.tanh(h_next) ** 2)
    return d_z @ W_xh.T, d_z @ W_hh.T, x.T @ d_z, h.T @ d_z, d_z.sum(axis=0)


@rnn_step_backward.mistake("The recurrent weights met the old state in this step. Yours meet the new one.")
def weights_met_the_new_state(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next * (1 - h_next**2)
    return d_z @ W_xh.T, d_z @ W_hh.T, x.T @ d_z, h_next.T @ d_z, d_z.sum(axis=0)


@rnn_step_backward.mistake("On the way back to the old state the recurrent matrix has to be transposed.")
def not_transposed(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next * (1 - h_next**2)
    return d_z @ W_xh.T, d_z @ W_hh, x.T @ d_z, h.T @ d_z, d_z.sum(axis=0)


@rnn_step_backward.mistake("The bias serves all rows, so its gradient is a sum over them. Yours is a mean.")
def bias_averaged(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next * (1 - h_next**2)
    return d_z @ W_xh.T, d_z @ W_hh.T, x.T @ d_z, h.T @ d_z, d_z.mean(axis=0)


@rnn_step_backward.right
def by_einsum(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next - d_next * h_next * h_next
    to_inputs = [np.einsum("nu,fu->nf", d_z, part) for part in (W_xh, W_hh)]
    to_weights = [np.einsum("nf,nu->fu", part, d_z) for part in (x, h)]
    return *to_inputs, *to_weights, np.ones(len(x)) @ d_z


@rnn_step_backward.mistake("The slope of tanh is 1 minus the *square* of h_next.")
def slope_without_square(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next * (1 - h_next)
    return d_z @ W_xh.T, d_z @ W_hh.T, x.T @ d_z, h.T @ d_z, d_z.sum(axis=0)


@rnn_step_backward.mistake("The bias has one gradient for each unit: add up over the rows of the batch, axis 0.")
def bias_not_summed(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next * (1 - h_next**2)
    return d_z @ W_xh.T, d_z @ W_hh.T, x.T @ d_z, h.T @ d_z, d_z


@rnn_step_backward.mistake("Your db is one number. Each unit has a bias of its own: add up over axis 0 only.")
def bias_one_number(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next * (1 - h_next**2)
    return d_z @ W_xh.T, d_z @ W_hh.T, x.T @ d_z, h.T @ d_z, d_z.sum()


@rnn_step_backward.mistake("The two weight gradients have changed places: dW_xh comes before dW_hh.")
def weights_swapped(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next * (1 - h_next**2)
    return d_z @ W_xh.T, d_z @ W_hh.T, h.T @ d_z, x.T @ d_z, d_z.sum(axis=0)


@rnn_step_backward.mistake("The order is dx, dh, then the weights: the first two have changed places.")
def states_swapped(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next * (1 - h_next**2)
    return d_z @ W_hh.T, d_z @ W_xh.T, x.T @ d_z, h.T @ d_z, d_z.sum(axis=0)


@rnn_step_backward.mistake("The gradients of the weights are transposed: dW_xh has the shape of W_xh.")
def weight_gradients_transposed(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next * (1 - h_next**2)
    return d_z @ W_xh.T, d_z @ W_hh.T, d_z.T @ x, d_z.T @ h, d_z.sum(axis=0)


@rnn_step_backward.mistake("The old state reaches the new one only through W_hh: d_next is not added to dh again.")
def direct_path_added(x, h, h_next, W_xh, W_hh, d_next):
    d_z = d_next * (1 - h_next**2)
    return d_z @ W_xh.T, d_next + d_z @ W_hh.T, x.T @ d_z, h.T @ d_z, d_z.sum(axis=0)


# ------------------------------------------------------------------------- a layer, backwards, to repair


def keeps_the_last(x, h, W_xh, W_hh, b, d_h):
    """Gradients (dx, dW_xh, dW_hh, db); h (n, time + 1, units) are the states,

    d_h (n, time, units) is what the loss says about each of them directly."""
    d_x, from_later = np.zeros_like(x), 0
    d_W_xh, d_W_hh, d_b = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros_like(b)
    for t in reversed(range(x.shape[1])):
        d_z = (d_h[:, t] + from_later) * (1 - h[:, t + 1] ** 2)
        d_x[:, t] = d_z @ W_xh.T
        from_later = d_z @ W_hh.T
        d_W_xh = x[:, t].T @ d_z
        d_W_hh = h[:, t].T @ d_z
        d_b = d_z.sum(axis=0)
    return d_x, d_W_xh, d_W_hh, d_b


def _sequences(n, time, features, units, seed):
    random = np.random.default_rng(seed)
    W_xh, W_hh = random.normal(size=(features, units)), random.normal(size=(units, units))
    h = np.tanh(random.normal(size=(n, time + 1, units)))
    d_h = random.normal(size=(n, time, units))
    x = random.normal(size=(n, time, features))
    return tuple(np.round(part, 1) for part in (x, h, W_xh, W_hh, random.normal(size=units), d_h))


@repair(
    "05.rnn_backward",
    broken=keeps_the_last,
    cases=[_sequences(1, 2, 1, 1, 0), _sequences(1, 1, 1, 2, 1), _sequences(2, 3, 2, 3, 2)],
    hints=[
        "With one step the answer is right, with two it is wrong. Which results are wrong, and which are not?",
        "The same weights serve at every step. What does the loop do with the share of the step before?",
        "Three lines replace what they should add to.",
    ],
)
def rnn_backward(x, h, W_xh, W_hh, b, d_h):
    """Gradients (dx, dW_xh, dW_hh, db); h (n, time + 1, units) are the states,

    d_h (n, time, units) is what the loss says about each of them directly."""
    d_x, from_later = np.zeros_like(x), 0
    d_W_xh, d_W_hh, d_b = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros_like(b)
    for t in reversed(range(x.shape[1])):
        d_z = (d_h[:, t] + from_later) * (1 - h[:, t + 1] ** 2)
        d_x[:, t] = d_z @ W_xh.T
        from_later = d_z @ W_hh.T
        d_W_xh += x[:, t].T @ d_z
        d_W_hh += h[:, t].T @ d_z
        d_b += d_z.sum(axis=0)
    return d_x, d_W_xh, d_W_hh, d_b


@rnn_backward.mistake("The two matrices add up now; the bias is still that of the first step only.")
def bias_still_replaced(x, h, W_xh, W_hh, b, d_h):
    d_x, from_later = np.zeros_like(x), 0
    d_W_xh, d_W_hh, d_b = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros_like(b)
    for t in reversed(range(x.shape[1])):
        d_z = (d_h[:, t] + from_later) * (1 - h[:, t + 1] ** 2)
        d_x[:, t] = d_z @ W_xh.T
        from_later = d_z @ W_hh.T
        d_W_xh += x[:, t].T @ d_z
        d_W_hh += h[:, t].T @ d_z
        d_b = d_z.sum(axis=0)
    return d_x, d_W_xh, d_W_hh, d_b


@rnn_backward.mistake("The recurrent matrix adds up now. W_xh and the bias are shared by all steps as well.")
def only_the_recurrent(x, h, W_xh, W_hh, b, d_h):
    d_x, from_later = np.zeros_like(x), 0
    d_W_xh, d_W_hh, d_b = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros_like(b)
    for t in reversed(range(x.shape[1])):
        d_z = (d_h[:, t] + from_later) * (1 - h[:, t + 1] ** 2)
        d_x[:, t] = d_z @ W_xh.T
        from_later = d_z @ W_hh.T
        d_W_xh = x[:, t].T @ d_z
        d_W_hh += h[:, t].T @ d_z
        d_b = d_z.sum(axis=0)
    return d_x, d_W_xh, d_W_hh, d_b


@rnn_backward.mistake("from_later was right: only the step just after feeds back into it. The weights have to add up.")
def adds_the_arriving(x, h, W_xh, W_hh, b, d_h):
    d_x, from_later = np.zeros_like(x), 0
    d_W_xh, d_W_hh, d_b = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros_like(b)
    for t in reversed(range(x.shape[1])):
        d_z = (d_h[:, t] + from_later) * (1 - h[:, t + 1] ** 2)
        d_x[:, t] = d_z @ W_xh.T
        from_later = from_later + d_z @ W_hh.T
        d_W_xh += x[:, t].T @ d_z
        d_W_hh += h[:, t].T @ d_z
        d_b += d_z.sum(axis=0)
    return d_x, d_W_xh, d_W_hh, d_b


@rnn_backward.right
def in_products_over_all_steps(x, h, W_xh, W_hh, b, d_h):
    d_z, later = np.zeros_like(d_h), np.zeros_like(h[:, 0])
    for t in range(x.shape[1] - 1, -1, -1):
        d_z[:, t] = (d_h[:, t] + later) * (1 - h[:, t + 1] ** 2)
        later = d_z[:, t] @ W_hh.T
    d_W_xh = np.einsum("ntf,ntu->fu", x, d_z)
    return d_z @ W_xh.T, d_W_xh, np.einsum("ntv,ntu->vu", h[:, :-1], d_z), d_z.sum(axis=(0, 1))


# ------------------------------------------------------------------------------------- clipping


@exercise(
    "05.clip_by_norm",
    cases=[
        ((np.array([3.0, -4.0]),), 1.0),
        ((np.array([3.0, -4.0]),), 10.0),
        ((np.array([[1.0, -2.0], [0.5, 2.0]]), np.array([4.0, -1.0, 0.3])), 2.5),
        ((np.array([0.2]), np.array([[0.1, -0.3]])), 1.0),
        ((np.zeros(3), np.zeros((1, 2))), 1.0),
    ],
    hints=[
        "One length for all arrays together: the root of the sum of all squares.",
        "Multiply every array with the same number: 1 if the length is within the limit, else limit / length.",
        "Zeros have the length 0. Dividing by the larger of length and limit takes care of both.",
    ],
)
def clip_by_norm(gradients, limit):
    """The gradients, a tuple of arrays, shortened to a length of at most limit."""
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return tuple(g * (limit / max(norm, limit)) for g in gradients)


@clip_by_norm.mistake("You cut every number on its own: that bends the direction. Scale all of them alike.")
def number_by_number(gradients, limit):
    return tuple(np.clip(g, -limit, limit) for g in gradients)


@clip_by_norm.mistake("You scale each array on its own. The limit is for the length of all of them together.")
def array_by_array(gradients, limit):
    return tuple(g * (limit / max(np.sqrt(np.sum(g**2)), limit)) for g in gradients)


@clip_by_norm.mistake("Short gradients become longer in yours. Within the limit nothing should change.")
def always_scaled(gradients, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return tuple(g * (limit / norm if norm else 1.0) for g in gradients)


@clip_by_norm.mistake("That is the square of the length: a root is missing.")
def without_root(gradients, limit):
    norm = sum(np.sum(g**2) for g in gradients)
    return tuple(g * (limit / max(norm, limit)) for g in gradients)


@clip_by_norm.mistake("Too long gradients become zero in yours. They should keep their direction.")
def dropped(gradients, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return tuple(g * float(norm <= limit) for g in gradients)


@clip_by_norm.mistake("You take the larger of 1 and the ratio. To make long gradients shorter, take the smaller.")
def larger_factor(gradients, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return tuple(g * max(1.0, limit / norm if norm else 1.0) for g in gradients)


@clip_by_norm.mistake("You add the lengths of the arrays. Add their squares, and take the root of the sum.")
def lengths_added(gradients, limit):
    norm = sum(np.sqrt(np.sum(g**2)) for g in gradients)
    return tuple(g * (limit / max(norm, limit)) for g in gradients)


@clip_by_norm.mistake("The factor is turned around: limit divided by length makes a long gradient shorter.")
def ratio_turned(gradients, limit):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return tuple(g * (max(norm, limit) / limit) for g in gradients)


@clip_by_norm.mistake("You take the mean of the squares. A length is the root of their sum.")
def mean_of_squares(gradients, limit):
    norm = np.sqrt(np.mean(np.concatenate([np.ravel(g) for g in gradients]) ** 2))
    return tuple(g * (limit / max(norm, limit)) for g in gradients)


@clip_by_norm.right
def all_in_one_row(gradients, limit):
    norm = np.linalg.norm(np.concatenate([np.ravel(g) for g in gradients]))
    return tuple(g / norm * limit if norm > limit else g + 0.0 for g in gradients)


# ----------------------------------------------------------------------------------------- LSTM

p_gates = prediction(
    "05.p_gates",
    "One memory cell reads five candidates: 0.9, -0.3, 0.7, -0.8, 0.2. Its input gate is 1, 0, 0, 1, 0 and its forget "
    "gate 0, 1, 1, 0, 1. What does the cell hold after the five steps?",
    answer=-0.8,
    explain="Step 1 writes 0.9, steps 2 and 3 keep it, step 4 throws it away and writes -0.8, step 5 keeps that.",
    hints=["Each step: forget gate times what is held, plus input gate times the candidate."],
)

_Z = np.array(
    [
        [0.5, -1.0, 1.5, 0.2, -0.7, 0.9, 1.1, -0.3],
        [-0.4, 0.3, -2.0, 1.0, 0.8, -1.2, 0.1, 0.6],
        [2.0, 0.1, 0.4, -0.9, 1.3, 0.5, -1.5, 0.7],
    ]
)
_C = np.array([[1.5, -0.5], [0.2, 2.0], [-1.0, 0.8]])


@exercise(
    "05.lstm_update",
    cases=[
        (np.array([[0.5, 1.5, -0.7, 1.1]]), np.array([[1.2]])),
        (_Z, _C),
        (2 * _Z[:2], -_C[1:]),
        (_Z, np.zeros((3, 2))),
    ],
    hints=[
        "np.split(z, 4, axis=1) gives the four parts in their order: input, forget, candidate, output.",
        "Three parts are gates and go through the sigmoid; the candidate goes through tanh.",
        "First the new cell state; the hidden state is made from the new one.",
    ],
)
def lstm_update(z, c):
    """The new (h, c), each (n, units), from the old c.

    z (n, 4 units) holds the sums of i, f, g (the candidate), o, in this order."""
    from scipy.special import expit as sigmoid

    i, f, g, o = np.split(z, 4, axis=1)
    c_new = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c_new), c_new


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


@lstm_update.mistake("The last two parts have changed places: the candidate comes before the output gate.")
def output_before_candidate(z, c):
    i, f, o, g = np.split(z, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-part)) for part in (i, f, o))
    c_new = f * c + i * np.tanh(g)
    return o * np.tanh(c_new), c_new


@lstm_update.mistake("Input and forget gate have changed places: which one stands before the old cell state?")
def forget_and_input_swapped(z, c):
    i, f, g, o = np.split(z, 4, axis=1)
    c_new = _sigmoid(i) * c + _sigmoid(f) * np.tanh(g)
    return _sigmoid(o) * np.tanh(c_new), c_new


@lstm_update.mistake("The candidate is not a gate: it may be negative. Through which function does it go?")
def candidate_as_a_gate(z, c):
    i, f, g, o = np.split(z, 4, axis=1)
    c_new = _sigmoid(f) * c + _sigmoid(i) * _sigmoid(g)
    return _sigmoid(o) * np.tanh(c_new), c_new


@lstm_update.mistake("The hidden state is made from the new cell state. Yours looks at the old one.")
def output_of_the_old(z, c):
    i, f, g, o = np.split(z, 4, axis=1)
    return _sigmoid(o) * np.tanh(c), _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)


@lstm_update.mistake("The cell state passes through tanh before the output gate lets it out.")
def output_without_tanh(z, c):
    i, f, g, o = np.split(z, 4, axis=1)
    c_new = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * c_new, c_new


@lstm_update.mistake("Nothing is ever forgotten in yours: the old cell state has a gate of its own.")
def without_forget_gate(z, c):
    i, _, g, o = np.split(z, 4, axis=1)
    c_new = c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(c_new), c_new


@lstm_update.mistake("Two right results in another order: the hidden state comes first.")
def cell_first(z, c):
    i, f, g, o = np.split(z, 4, axis=1)
    c_new = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    return c_new, _sigmoid(o) * np.tanh(c_new)


@lstm_update.mistake("The three gates need the sigmoid: so far they can be negative, or larger than 1.")
def gates_without_sigmoid(z, c):
    i, f, g, o = np.split(z, 4, axis=1)
    c_new = f * c + i * np.tanh(g)
    return o * np.tanh(c_new), c_new


@lstm_update.mistake("The gates go through the sigmoid, from 0 to 1. Yours go through tanh and can be negative.")
def gates_by_tanh(z, c):
    i, f, g, o = (np.tanh(part) for part in np.split(z, 4, axis=1))
    c_new = f * c + i * g
    return o * np.tanh(c_new), c_new


@lstm_update.mistake("The candidate goes through tanh before it is written.")
def candidate_as_it_is(z, c):
    i, f, g, o = np.split(z, 4, axis=1)
    c_new = _sigmoid(f) * c + _sigmoid(i) * g
    return _sigmoid(o) * np.tanh(c_new), c_new


@lstm_update.mistake("You write with 1 - f. That is another network: here the input gate i decides what is written.")
def coupled(z, c):
    i, f, g, o = np.split(z, 4, axis=1)
    c_new = _sigmoid(f) * c + (1 - _sigmoid(f)) * np.tanh(g)
    return _sigmoid(o) * np.tanh(c_new), c_new


@lstm_update.right
def by_slices(z, c):
    u = c.shape[1]
    gates = (1 + np.tanh(z / 2)) / 2
    c_new = gates[:, u : 2 * u] * c + gates[:, :u] * np.tanh(z[:, 2 * u : 3 * u])
    return gates[:, 3 * u :] * np.tanh(c_new), c_new


# ------------------------------------------------------------------------- a network to train


def _remembered(network):
    """Share of new sequences whose first sign the network says."""
    random, lag = np.random.default_rng(2026), 10
    y, x = random.integers(0, 2, 1000), np.zeros((1000, lag + 1, 2), "float32")
    x[:, :, 0] = random.normal(size=(1000, lag + 1))
    x[:, 0] = np.stack([2 * y - 1, np.ones(1000)], axis=1)
    if not callable(network):
        return "Give the network itself, a keras.Sequential that you have fitted."
    found = np.asarray(network(x), dtype=float)
    if found.shape != (1000, 1):
        return (
            f"One number for each sequence is needed, the shape (1000, 1). It gives {found.shape}: is there a layer "
            "with return_sequences=True, or a Dense layer with more than one unit?"
        )
    right = np.mean((found[:, 0] > 0.5) == (y > 0))
    if right < 0.95:
        return f"It is right on too few new sequences. {100 * right:.0f} % are right; guessing gives 50 %."
    return ""


@do(
    "05.network",
    starter="network = ...  # replace the dots",
    judge=_remembered,
    hints=[
        "Build it: keras.Sequential([keras.layers.LSTM(16), keras.layers.Dense(1, activation='sigmoid')]).",
        "Then network.compile(...) with the optimizer and the loss above, and network.fit(signs_x, signs_y, ...).",
        "Near 0.5? Give it more epochs, or another layer: LSTM, GRU and SimpleRNN start differently.",
    ],
)
def network():
    """A network that says the sign of the first of eleven steps."""
    import keras

    random = np.random.default_rng(0)
    signs_y, signs_x = random.integers(0, 2, 2000), np.zeros((2000, 11, 2), "float32")
    signs_x[:, :, 0] = random.normal(size=(2000, 11))
    signs_x[:, 0] = np.stack([2 * signs_y - 1, np.ones(2000)], axis=1)
    network = keras.Sequential([keras.layers.SimpleRNN(16), keras.layers.Dense(1, activation="sigmoid")])
    network.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy")
    network.fit(signs_x, signs_y, epochs=6, batch_size=32, verbose=0)
    return network


@network.mistake("It is right on too few new sequences.")  # and how many
def always_yes():
    return lambda x: np.ones((len(x), 1))


@network.mistake("One number for each sequence is needed, the shape (1000, 1).")  # and which shape it gives
def one_for_each_step():
    return lambda x: np.ones((len(x), 11, 1))


@network.mistake("Give the network itself, a keras.Sequential that you have fitted.")
def the_history():
    return {"loss": [0.7, 0.1]}


# ------------------------------------------------------------------------------------------ GRU

_A = np.array([[0.5, -1.0, 1.5, 0.2, -0.7, 0.9], [-0.4, 0.3, -2.0, 1.0, 0.8, -1.2], [1.1, 0.6, -0.3, 0.4, 2.0, 0.1]])
_S = np.array([[-0.6, 0.8, 0.3, -1.1, 1.2, 0.5], [0.7, -0.2, 0.9, 0.1, -1.5, 0.6], [0.2, 1.4, -0.8, 0.5, 0.3, -0.9]])


@exercise(
    "05.gru_update",
    cases=[
        (np.array([[0.5, 1.5, -0.7]]), np.array([[-0.6, 0.3, 1.2]]), np.array([[0.8]])),
        (_A, _S, _H[:, :2]),
        (2 * _A[:2], -_S[1:], _H[1:, 1:]),
    ],
    hints=[
        "Split both a and s into three parts in the order z, r, candidate.",
        "The gates see the sum of both parts. In the candidate, r multiplies the part of the state only.",
        "The new state is a mixture: z says how much of the old one stays.",
    ],
)
def gru_update(a, s, h):
    """New state from the old one, h (n, units).

    a (n, 3 units) comes from the input, s from h; in the order z, r, candidate."""
    from scipy.special import expit as sigmoid

    (a_z, a_r, a_g), (s_z, s_r, s_g) = np.split(a, 3, axis=1), np.split(s, 3, axis=1)
    z, r = sigmoid(a_z + s_z), sigmoid(a_r + s_r)
    return z * h + (1 - z) * np.tanh(a_g + r * s_g)


def _thirds(a, s):
    return *np.split(a, 3, axis=1), *np.split(s, 3, axis=1)


@gru_update.mistake("Old and new have changed places: with z near 1 the old state should stay.")
def mixture_turned(a, s, h):
    (a_z, a_r, a_g), (s_z, s_r, s_g) = np.split(a, 3, axis=1), np.split(s, 3, axis=1)
    z, r = 1 / (1 + np.exp(-a_z - s_z)), 1 / (1 + np.exp(-a_r - s_r))
    return (1 - z) * h + z * np.tanh(a_g + r * s_g)


@gru_update.mistake("Your candidate is never reset. What does r multiply?")
def never_reset(a, s, h):
    a_z, _, a_g, s_z, _, s_g = _thirds(a, s)
    z = _sigmoid(a_z + s_z)
    return z * h + (1 - z) * np.tanh(a_g + s_g)


@gru_update.mistake("You reset the input as well. The gate r is there to hide the old state only.")
def input_reset_too(a, s, h):
    a_z, a_r, a_g, s_z, s_r, s_g = _thirds(a, s)
    z, r = _sigmoid(a_z + s_z), _sigmoid(a_r + s_r)
    return z * h + (1 - z) * np.tanh(r * (a_g + s_g))


@gru_update.mistake("The first part is the update gate, the second the reset gate. In yours they have changed places.")
def gates_swapped(a, s, h):
    a_r, a_z, a_g, s_r, s_z, s_g = _thirds(a, s)
    z, r = _sigmoid(a_z + s_z), _sigmoid(a_r + s_r)
    return z * h + (1 - z) * np.tanh(a_g + r * s_g)


@gru_update.mistake("The old state is added in full. Old and new share the whole between them, z and the rest.")
def not_a_mixture(a, s, h):
    a_z, a_r, a_g, s_z, s_r, s_g = _thirds(a, s)
    z, r = _sigmoid(a_z + s_z), _sigmoid(a_r + s_r)
    return h + (1 - z) * np.tanh(a_g + r * s_g)


@gru_update.mistake("r multiplies the state's part of the sum, not the old state itself: that has met U already.")
def old_state_reset(a, s, h):
    a_z, a_r, a_g, s_z, s_r, _ = _thirds(a, s)
    z, r = _sigmoid(a_z + s_z), _sigmoid(a_r + s_r)
    return z * h + (1 - z) * np.tanh(a_g + r * h)


@gru_update.mistake("The gates need the sigmoid: so far they can be negative, or larger than 1.")
def gru_gates_without_sigmoid(a, s, h):
    a_z, a_r, a_g, s_z, s_r, s_g = _thirds(a, s)
    z, r = a_z + s_z, a_r + s_r
    return z * h + (1 - z) * np.tanh(a_g + r * s_g)


@gru_update.mistake("The gates go through the sigmoid, from 0 to 1. Yours go through tanh and can be negative.")
def gru_gates_by_tanh(a, s, h):
    a_z, a_r, a_g, s_z, s_r, s_g = _thirds(a, s)
    z, r = np.tanh(a_z + s_z), np.tanh(a_r + s_r)
    return z * h + (1 - z) * np.tanh(a_g + r * s_g)


@gru_update.mistake("The candidate is not a gate: it may be negative. Through which function does it go?")
def gru_candidate_as_a_gate(a, s, h):
    a_z, a_r, a_g, s_z, s_r, s_g = _thirds(a, s)
    z, r = _sigmoid(a_z + s_z), _sigmoid(a_r + s_r)
    return z * h + (1 - z) * _sigmoid(a_g + r * s_g)


@gru_update.mistake("You reset the input's part. r hides the old state from the candidate.")
def input_reset_only(a, s, h):
    a_z, a_r, a_g, s_z, s_r, s_g = _thirds(a, s)
    z, r = _sigmoid(a_z + s_z), _sigmoid(a_r + s_r)
    return z * h + (1 - z) * np.tanh(r * a_g + s_g)


@gru_update.mistake("Your gates see the input only. They look at the old state too: add both parts.")
def gates_of_the_input(a, s, h):
    a_z, a_r, a_g, _, _, s_g = _thirds(a, s)
    z, r = _sigmoid(a_z), _sigmoid(a_r)
    return z * h + (1 - z) * np.tanh(a_g + r * s_g)


@gru_update.right
def from_old_towards_new(a, s, h):
    a_z, a_r, a_g, s_z, s_r, s_g = _thirds(a, s)
    candidate = np.tanh(a_g + s_g / (1 + np.exp(-a_r - s_r)))
    return candidate + (h - candidate) * (1 + np.tanh((a_z + s_z) / 2)) / 2


# ----------------------------------------------------------------------------------- masked mean

_VALUES = np.array(
    [
        [[1.0, 2.0], [3.0, -1.0], [7.0, 7.0]],
        [[0.5, -2.0], [9.0, 9.0], [9.0, 9.0]],
        [[4.0, 4.0], [5.0, 5.0], [6.0, 6.0]],
    ]
)


@exercise(
    "05.masked_mean",
    cases=[
        (np.array([[[2.0], [4.0], [100.0]]]), np.array([[True, True, False]])),
        (_VALUES, np.array([[True, True, False], [True, False, False], [True, True, True]])),
        (_VALUES[:2], np.array([[False, True, True], [False, False, False]])),
    ],
    hints=[
        "Multiply the values with the mask before you add them up: the mask needs a third axis for that.",
        "Divide by the number of steps that count, row by row.",
        "An empty row has the sum 0. Divide it by 1 instead of 0.",
    ],
)
def masked_mean(values, mask):
    """Mean (n, units) of values (n, time, units) over the steps where mask is True.

    mask (n, time); a row in which no step counts gets zeros."""
    counts = mask.sum(axis=1)[:, None]
    return (values * mask[:, :, None]).sum(axis=1) / np.maximum(counts, 1)


@masked_mean.mistake("An empty row gives 0/0 in yours. Which number can you divide by instead?")
def nothing_by_nothing(values, mask):
    return (values * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1)[:, None]


@masked_mean.mistake("The padding is in your mean: the mask is not used.")
def with_the_padding(values, mask):
    return values.mean(axis=1)


@masked_mean.mistake("You divide by all steps. Only those that count should count.")
def divided_by_all(values, mask):
    return (values * mask[:, :, None]).mean(axis=1)


@masked_mean.mistake("Your divisor is one too large: that guards the empty row, and bends all others.")
def one_too_many(values, mask):
    return (values * mask[:, :, None]).sum(axis=1) / (mask.sum(axis=1)[:, None] + 1)


@masked_mean.mistake("That is a sum. A mean divides by how many there are.")
def only_the_sum(values, mask):
    return (values * mask[:, :, None]).sum(axis=1)


@masked_mean.mistake("You average over all rows together. Each row of the batch has a mean of its own.")
def over_all_rows(values, mask):
    return values[mask].mean(axis=0)


@masked_mean.right
def row_by_row(values, mask):
    return np.array([v[m].mean(axis=0) if m.any() else np.zeros(v.shape[1]) for v, m in zip(values, mask, strict=True)])


# -------------------------------------------------------------------------------------- questions

q_parameters = number(
    "05.q_parameters",
    "A plain recurrent layer has 32 units and reads sequences of 100 steps with 10 features each. How many "
    "parameters does it have?",
    answer=32 * (10 + 32 + 1),
    wrong={
        100 * 32 * 43: "You count every step separately. The same weights serve at each of them.",
        32 * (10 + 1): "The old state has weights too: how large is their matrix?",
        32 * (10 + 32): "Each unit has a bias as well.",
        4 * 32 * 43: "That is an LSTM, with four such sets. The plain layer has one.",
    },
    explain="10 · 32 for the input, 32 · 32 for the state, 32 biases: 1,376, however long the sequences are.",
    hints=[
        "Three parts: input to units, units to units, and one bias for each unit. The number of steps plays no part."
    ],
)

q_shared = choice(
    "05.q_shared",
    "The loss looks at the last step only. Why is the gradient of the recurrent weights still a sum over all time "
    "steps?",
    right="the same weights are used in every step, and each use adds its share",
    wrong={
        "the loss is a sum over time steps": "Here it is not: it looks at the last step only.",
        "to make the gradient larger, so that it does not vanish": "Nobody chose the sum: the chain rule asks for it.",
        "each step has weights of its own, which are added up": "There is one matrix, however long the sequence is.",
    },
    explain="Chapter 3: the sum runs over the nodes that a value feeds directly, and W_hh feeds every step.",
    hints=["In how many places of the unrolled network does the same weight stand?"],
)

q_lag = number(
    "05.q_lag",
    "The recurrent matrix is 0.9 times an orthogonal one, and tanh works where its slope is 1. What part of a "
    "gradient is left after 100 steps? You may write a formula in Python; two digits are enough.",
    answer=0.9**100,
    tolerance=0.03,
    wrong={
        0.9: "That is one step. Each step multiplies once more.",
        0.009: "You divide by the number of steps. A hundred steps multiply a hundred times.",
        90.0: "You multiply by the number of steps. Each step shrinks the gradient.",
        0.1**100: "0.1 is what gets lost in a step. What is left in each?",
    },
    explain="0.9 to the hundredth is about 0.0000266: one part in forty thousand.",
    hints=["Each step multiplies by 0.9 once more: a power."],
)

q_gates = choice(
    "05.q_gates",
    "Why does the gradient survive longer in an LSTM than in a plain network, if its gates are open?",
    right="the old cell state is only multiplied by a gate near 1 and added to",
    wrong={
        "an LSTM has four times as many parameters": "More weights do not lengthen a path. What does a step multiply?",
        "tanh is not used in an LSTM": "It is used twice. Does the way from cell state to cell state pass it?",
        "the gates clip gradients that are too large": "Clipping is another thing, against the opposite fault.",
    },
    explain="From one cell state to the next the direct slope is the forget gate: no matrix, and no tanh.",
    hints=[
        "Write the cell state as old state times gate plus something. What is its slope with respect to the old state?"
    ],
)

q_persistence = choice(
    "05.q_persistence",
    "A forecast of tomorrow's price correlates with the true price at 0.98. What do you ask first?",
    right="how well does the forecast that tomorrow's price is today's do",
    wrong={
        "how many layers does the network have": "The score says nothing yet, so its network does not matter yet.",
        "was it trained long enough": "Longer training does not tell whether 0.98 is much.",
        "is the correlation significant": "It is, for any curve that follows the price. Compare with a simple one.",
    },
    explain="Prices move little from day to day, so any copy of yesterday's curve correlates highly.",
    hints=["A price moves little in a day. Which forecast needs no model at all?"],
)

p_price = prediction(
    "05.p_price",
    "The squared error of the best network on the test days, divided by that of the rule 'tomorrow as today'. Below 1 "
    "the network is better. What will it be?",
    explain="Yesterday's price is hard to beat: what can be read from past prices is very little.",
    hints=["0.5 means: half the error of the rule. 1 means: no better than the rule. Any guess is fine."],
)

q_linear = choice(
    "05.q_linear",
    "Recurrent layers of large models compute h(t) = a(t) h(t-1) + b(t) today, with a(t) and b(t) made from the input "
    "of step t only. What is gained by that?",
    right="the steps need not wait for each other: a few rounds give all states, because no gate needs a state",
    wrong={
        "the layer has no gates any more": "a(t) is a gate: the forget gate of this chapter.",
        "the memory never fades": "It fades as a(t) says. With a(t) = 0.9 little is left after a hundred steps.",
        "the state needs no memory": "The state is still kept, with as many numbers as before.",
    },
    explain="Sums and products over all steps can be split among many cores. With tanh around the state they cannot.",
    hints=["Which numbers have to be known before step t can be computed? Which of them need no state?"],
)
