"""Exercises of notebook 04, convolution and pooling."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# ---------------------------------------------------------------------------- the document's sum

_SMALL = np.array([[1.0, 2.0, 0.0], [3.0, -1.0, 4.0], [0.5, 2.0, 1.0]])
_WIDE = np.array(
    [[2.0, 0.0, 1.0, 3.0, -2.0], [1.0, 5.0, -1.0, 0.5, 2.0], [0.0, 1.5, 2.0, -3.0, 1.0], [4.0, 1.0, 0.0, 2.0, 0.3]]
)
_CORNER = np.array([[1.0, -2.0], [0.5, 3.0]])
_TALL = np.array([[0.2, 1.0], [-1.0, 0.5], [2.0, 0.7]])


@exercise(
    "04.correlate",
    cases=[(_SMALL, _CORNER), (_WIDE, _TALL), (_WIDE, _WIDE[1:3, :3]), (_TALL, np.array([[2.5]]))],
    hints=[
        "How many places are there for the window? H - m + 1 from top to bottom, W - n + 1 from left to right.",
        "Two loops over the places i, j; inside them two loops over p, q that add up one product each.",
    ],
)
def correlate(x, k):
    """Sums of k (m, n) times each window of x (H, W): y of (H-m+1, W-n+1)."""
    (H, W), (m, n) = x.shape, k.shape
    y = np.zeros((H - m + 1, W - n + 1))
    for i, j in np.ndindex(y.shape):
        for p, q in np.ndindex(k.shape):
            y[i, j] += x[i + p, j + q] * k[p, q]
    return y


def _windows(x, k):
    return np.lib.stride_tricks.sliding_window_view(x, k.shape)


@correlate.mistake("Your kernel is turned by half a turn. In the formula p and q run the same way in x and in k.")
def turned(x, k):
    (H, W), (m, n) = x.shape, k.shape
    y = np.zeros((H - m + 1, W - n + 1))
    for i, j in np.ndindex(y.shape):
        for p, q in np.ndindex(k.shape):
            y[i, j] += x[i + p, j + q] * k[m - 1 - p, n - 1 - q]
    return y


@correlate.mistake("The last row and the last column are missing: count the places of a window of 2 on 3 pixels.")
def one_place_too_few(x, k):
    return (_windows(x, k) * k).sum(axis=(2, 3))[:-1, :-1]


@correlate.mistake("Your result is as large as the picture. Here the window must lie inside it everywhere.")
def as_large_as_the_picture(x, k):
    bigger = np.pad(x, [(0, k.shape[0] - 1), (0, k.shape[1] - 1)])
    return (_windows(bigger, k) * k).sum(axis=(2, 3))


@correlate.mistake("Every place gets the number of the first one: where do i and j enter?")
def always_the_first_place(x, k):
    y = _windows(x, k)
    return np.full(y.shape[:2], (y[0, 0] * k).sum())


@correlate.mistake("You keep only the last product of each place. They are added up.")
def only_the_last_product(x, k):
    return _windows(x, k)[:, :, -1, -1] * k[-1, -1]


@correlate.mistake("You divide by the number of entries of the kernel. The formula has a sum, not a mean.")
def mean_of_products(x, k):
    return (_windows(x, k) * k).mean(axis=(2, 3))


@correlate.mistake("First multiply, pixel by pixel, then add up. You multiply two sums.")
def product_of_sums(x, k):
    return _windows(x, k).sum(axis=(2, 3)) * k.sum()


@correlate.right
def with_a_slice(x, k):
    m, n = k.shape
    places = range(x.shape[0] - m + 1), range(x.shape[1] - n + 1)
    return np.array([[np.sum(x[i : i + m, j : j + n] * k) for j in places[1]] for i in places[0]])


@correlate.right
def by_scipy(x, k):
    from scipy.signal import correlate2d

    return correlate2d(x, k, mode="valid")


# ------------------------------------------------------------------------------ size of the result


@exercise(
    "04.output_size",
    cases=[(5, 3, 1, 0), (8, 3, 1, 1), (9, 3, 2, 1), (10, 4, 3, 0), (7, 7, 1, 0), (28, 5, 2, 2), (6, 2, 2, 0)],
    hints=[
        "How many pixels does the picture have once zeros stand on both sides of it?",
        "The first window stands at the edge. How far can it still move, and how many whole steps is that?",
    ],
)
def output_size(size, kernel, stride, padding):
    """Places along one side of size pixels, with padding zeros added at either end."""
    return (size + 2 * padding - kernel) // stride + 1


@output_size.mistake("One place is missing: the window also stands at the edge, before its first step.")
def without_the_first(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) // stride


@output_size.mistake("The zeros stand at both ends. You count them once.")
def padded_once(size, kernel, stride, padding):
    return (size + padding - kernel) // stride + 1


@output_size.mistake("Your size has no zeros around it: where does the padding enter?")
def not_padded(size, kernel, stride, padding):
    return (size - kernel) // stride + 1


@output_size.mistake("You count a last step that does not fit: the window would stick out of the picture.")
def rounded_up(size, kernel, stride, padding):
    return -(-(size + 2 * padding - kernel) // stride) + 1


@output_size.mistake("That is right for steps of one pixel. What happens with longer steps?")
def without_stride(size, kernel, stride, padding):
    return size + 2 * padding - kernel + 1


@output_size.mistake("There is no such thing as part of a place: count whole steps only.")
def with_fractions(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) / stride + 1


@output_size.right
def by_counting(size, kernel, stride, padding):
    return len(range(0, size + 2 * padding - kernel + 1, stride))


# -------------------------------------------------------------------------------- average pooling

_SIX = np.array([[1.0, 3.0, 2.0, 0.0], [5.0, -1.0, 4.0, 2.0], [0.0, 2.5, 1.0, 1.5], [3.0, 0.5, -2.0, 6.0]])
_LONG = np.vstack([_SIX, [[7.0, 1.0, 0.0, -3.0], [2.0, 2.0, 9.0, 1.0]]])


@exercise(
    "04.average_pool",
    cases=[(_SIX[:2], 2), (_LONG, 2), (_LONG.T, 2), (np.hstack([_LONG, _LONG[:, :2] + 1]), 3)],
    hints=[
        "Windows of size by size pixels, side by side: how many of them are there in each direction?",
        "Cut each side in two: a picture (H, W) becomes (H // size, size, W // size, size). Over which axes do you go?",
    ],
)
def average_pool(x, size):
    """Means of size by size windows, side by side, of x (H, W): (H/size, W/size)."""
    H, W = x.shape
    return x.reshape(H // size, size, W // size, size).mean(axis=(1, 3))


def _blocks(x, size):
    return x.reshape(x.shape[0] // size, size, x.shape[1] // size, size)


@average_pool.mistake("That is the largest entry of each window, the document's one formula. Here the mean is asked.")
def the_largest(x, size):
    return x.reshape(x.shape[0] // size, size, x.shape[1] // size, size).max(axis=(1, 3))


@average_pool.mistake("That is the sum of each window. By what do you divide to have a mean?")
def the_sum(x, size):
    return _blocks(x, size).sum(axis=(1, 3))


@average_pool.mistake("You divide by the side of the window. How many pixels are in it?")
def divided_by_the_side(x, size):
    return _blocks(x, size).sum(axis=(1, 3)) / size


@average_pool.mistake("Your windows overlap: after each one move on by its whole size.")
def overlapping(x, size):
    return np.lib.stride_tricks.sliding_window_view(x, (size, size)).mean(axis=(2, 3))


@average_pool.mistake("Your windows are torn: the pixels that you average do not lie in one square of the picture.")
def torn(x, size):
    return x.reshape(x.shape[0] // size, x.shape[1] // size, size * size).mean(axis=2)


@average_pool.mistake("You take one pixel of each window and leave the others out.")
def one_of_each(x, size):
    return x[::size, ::size] + 0.0


@average_pool.right
def by_loops(x, size):
    rows, columns = range(0, x.shape[0], size), range(0, x.shape[1], size)
    return [[np.mean(x[i : i + size, j : j + size]) for j in columns] for i in rows]


# ----------------------------------------------------------------------- backward to the picture

_ABOVE = np.array([[1.0, 0.5, -1.0], [2.0, 0.3, 1.5]])


@exercise(
    "04.input_gradient",
    cases=[(_CORNER, np.array([[2.0]])), (_CORNER, _ABOVE), (_TALL, _ABOVE), (_SMALL, _ABOVE.T)],
    hints=[
        "Start with zeros of the picture's shape. Its sides follow from those of k and d_out.",
        "In the forward pass, x[i + p, j + q] entered y[i, j] with the factor k[p, q]. Send d_out[i, j] back that way.",
    ],
)
def input_gradient(k, d_out):
    """Gradient (H, W) of the picture: k (m, n), d_out (H - m + 1, W - n + 1)."""
    (m, n), (rows, columns) = k.shape, d_out.shape
    dx = np.zeros((rows + m - 1, columns + n - 1))
    for p, q in np.ndindex(k.shape):
        dx[p : p + rows, q : q + columns] += k[p, q] * d_out
    return dx


@input_gradient.mistake("Your kernel is turned: k[p, q] belongs to the pixel p rows below and q columns right of i, j.")
def kernel_turned(k, d_out):
    (m, n), (rows, columns) = k.shape, d_out.shape
    dx = np.zeros((rows + m - 1, columns + n - 1))
    for p, q in np.ndindex(k.shape):
        dx[p : p + rows, q : q + columns] += k[m - 1 - p, n - 1 - q] * d_out
    return dx


@input_gradient.mistake("A pixel lies in several windows, and feels all of them. Yours keeps only the last one.")
def overwritten(k, d_out):
    (m, n), (rows, columns) = k.shape, d_out.shape
    dx = np.zeros((rows + m - 1, columns + n - 1))
    for i, j in np.ndindex(d_out.shape):
        dx[i : i + m, j : j + n] = k * d_out[i, j]
    return dx


@input_gradient.mistake("The kernel is missing: each pixel reaches the result through one of its entries, as a factor.")
def without_the_kernel(k, d_out):
    (m, n), (rows, columns) = k.shape, d_out.shape
    dx = np.zeros((rows + m - 1, columns + n - 1))
    for p, q in np.ndindex(k.shape):
        dx[p : p + rows, q : q + columns] += d_out
    return dx


@input_gradient.mistake("What comes from above is missing: those are only the slopes of the result's sum.")
def without_the_upstream(k, d_out):
    (m, n), (rows, columns) = k.shape, d_out.shape
    dx = np.zeros((rows + m - 1, columns + n - 1))
    for p, q in np.ndindex(k.shape):
        dx[p : p + rows, q : q + columns] += k[p, q]
    return dx


@input_gradient.mistake("You return a gradient of the shape of d_out. It belongs to the picture, which is larger.")
def of_the_wrong_shape(k, d_out):
    return k.sum() * d_out


@input_gradient.right
def one_window_after_the_other(k, d_out):
    (m, n), (rows, columns) = k.shape, d_out.shape
    dx = np.zeros((rows + m - 1, columns + n - 1))
    for i, j in np.ndindex(d_out.shape):
        dx[i : i + m, j : j + n] += k * d_out[i, j]
    return dx


@input_gradient.right
def as_a_true_convolution(k, d_out):
    from scipy.signal import convolve2d

    return convolve2d(d_out, k)


# -------------------------------------------------------------------------------- receptive field


@exercise(
    "04.receptive_field",
    cases=[
        ([(3, 1)],),
        ([(3, 1), (3, 1)],),
        ([(3, 1), (2, 2), (3, 1)],),
        ([(5, 2), (3, 2), (3, 1)],),
        ([(7, 3), (1, 1), (2, 2), (5, 1), (2, 2)],),
    ],
    hints=[
        "Without any layer an output is a pixel and sees one pixel. A window of 3 lets it see one more on either side.",
        "After a stride of 2, neighbours lie two pixels of the picture apart: keep that distance in a variable.",
    ],
)
def receptive_field(layers):
    """Pixels along one side that one output sees; layers: [(kernel, stride), …]."""
    field, distance = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * distance
        distance *= stride
    return field


@receptive_field.mistake("Two windows of 3 see 5 pixels, not 6: neighbouring windows overlap.")
def sum_of_kernels(layers):
    return sum(kernel for kernel, _ in layers)


@receptive_field.mistake("Strides play no part in yours. After a stride of 2, neighbours are two pixels apart.")
def without_strides(layers):
    return 1 + sum(kernel - 1 for kernel, _ in layers)


@receptive_field.mistake("A layer's own stride does not widen its window. It counts for the layers after it.")
def stride_too_early(layers):
    field, distance = 1, 1
    for kernel, stride in layers:
        distance *= stride
        field += (kernel - 1) * distance
    return field


@receptive_field.mistake("The pixel in the middle is missing: a window of 3 sees three pixels.")
def without_the_pixel_itself(layers):
    field, distance = 0, 1
    for kernel, stride in layers:
        field += (kernel - 1) * distance
        distance *= stride
    return field


@receptive_field.mistake("The distances multiply: two strides of 2 set neighbours four pixels apart.")
def only_the_last_stride(layers):
    field, distance = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * distance
        distance = stride
    return field


@receptive_field.mistake("Fields do not multiply: each layer adds what its window reaches beyond the middle.")
def product_of_kernels(layers):
    field = 1
    for kernel, _ in layers:
        field *= kernel
    return field


@receptive_field.right
def from_the_last_layer(layers):
    field = 1
    for kernel, stride in layers[::-1]:
        field = (field - 1) * stride + kernel
    return field


# -------------------------------------------------------------------------------------- questions

q_flip = choice(
    "04.q_flip",
    "For which kernels do convolution and cross-correlation give the same result on every picture?",
    right="for those that look the same after half a turn",
    wrong={
        "for all: it is one operation with two names": "Look at the edge kernel above: what did the flip change?",
        "for those whose entries add up to 1": (
            "The sum decides how bright the result is, not where the entries stand."
        ),
        "for those that equal their own transpose": (
            "Transposing swaps rows and columns. Convolution reverses both of them."
        ),
    },
    explain="Convolution is cross-correlation with the kernel turned by half a turn. Blur kernels do not notice it.",
    hints=["Convolution turns the kernel by half a turn before it slides. When does that change nothing?"],
)

q_pool = choice(
    "04.q_pool",
    "A window of 2 × 2 holds 1, 5, 3 and 2. A gradient of 8 arrives from above at its maximum. Where does it go?",
    right="all 8 to the pixel with the 5",
    wrong={
        "2 to each of the four pixels": "That is what average pooling does.",
        "8 to each of the four pixels": "Would the maximum move if the pixel with the 1 moved a little?",
        "to all four, in proportion to their values": "Only a pixel that moves the result can get a gradient.",
    },
    explain="A small change of the 5 is the only one that changes the maximum; its slope is 1.",
    hints=["Only one of the four numbers had a say in the maximum."],
)

q_parameters = number(
    "04.q_parameters",
    "A layer has 32 filters of 3 × 3 with biases, on pictures of 8 × 8 pixels with 16 channels. How many weights, "
    "biases included?",
    answer=3 * 3 * 16 * 32 + 32,
    wrong={
        3 * 3 * 16 * 32: "Each filter has a bias, too.",
        3 * 3 * 32 + 32: "Each filter sees all channels of the input, with its own weight for each.",
        8 * 8 * (3 * 3 * 16 * 32 + 32): "The same weights serve at every place of the picture.",
        3 * 3 * 16 * 32 + 16: "There is one bias for each filter, not for each channel of the input.",
    },
    explain="3 · 3 · 16 weights and a bias for each of 32 filters: 145 · 32. The size of the picture plays no part.",
    tolerance=1e-4,
    hints=["How many numbers does one filter multiply in one window?"],
)

q_shift = choice(
    "04.q_shift",
    "What makes the answer of a network the same wherever the digit stands?",
    right="pooling over the whole picture, after the convolutions",
    wrong={
        "convolution alone": "Its maps move along with the digit. What reads them afterwards, and does it go by place?",
        "pooling over 2 × 2 pixels": "It forgets where in a window of two pixels something was, and no more.",
        "a dense layer with more units": "Each of its weights belongs to one place of the picture.",
    },
    explain="Convolution moves with the picture; a maximum over all places then no longer knows the place.",
    hints=["Which operation forgets where in the picture something was found?"],
)
