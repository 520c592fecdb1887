"""Exercises of notebook 04, convolution and pooling."""

import contextlib
import functools
import io

import numpy as np

from course_utils.exercises import choice, do, exercise, number, prediction, repair

# ------------------------------------------------------------------------------ a window slides

p_window = prediction(
    "04.p_window",
    "The weights are -1, 0, 1. The last place of the window covers the pixels 8, 8, 0. Which number does it give?",
    answer=-8,
    explain="-1 times 8 + 0 times 8 + 1 times 0 = -8: from left to right it becomes darker by 8.",
    hints=["Multiply each pixel with the weight under it, then add up the three products."],
)

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


@correlate.mistake("Your result is as large as the picture. Make it (H - m + 1, W - n + 1): the places of the window.")
def as_large_as_the_picture(x, k):
    (H, W), (m, n) = x.shape, k.shape
    y = np.zeros((H, W))
    for i in range(H - m + 1):
        for j in range(W - n + 1):
            y[i, j] = np.sum(x[i : i + m, j : j + n] * k)
    return y


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


# ---------------------------------------------------------------------------------------- pooling

_FOUR = np.array([[1.0, 3.0, 2.0, 0.0], [5.0, -1.0, 4.0, 2.0], [0.0, 2.5, 1.0, 1.5], [3.0, 0.5, -2.0, 6.0]])


def overlapping_windows(x, size):
    """The largest of each size by size window, side by side: (H/size, W/size)."""
    rows, columns = x.shape[0] // size, x.shape[1] // size
    y = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            y[i, j] = x[i : i + size, j : j + size].max()
    return y


@repair(
    "04.max_pool",
    broken=overlapping_windows,
    cases=[(_FOUR[:2], 2), (_FOUR, 2), (np.hstack([_FOUR, _FOUR[:, :2] - 9]), 2), (np.tile(_FOUR, (3, 3)) - 5, 3)],
    hints=[
        "The shape is right. Which pixels does the second window of the first row cover, and which should it cover?",
        "Place i, j of the result belongs to the window that begins in row i * size. Where does yours begin?",
    ],
)
def max_pool(x, size):
    """The largest of each size by size window, side by side: (H/size, W/size)."""
    rows, columns = x.shape[0] // size, x.shape[1] // size
    y = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            y[i, j] = x[i * size : (i + 1) * size, j * size : (j + 1) * size].max()
    return y


@max_pool.mistake("The windows begin at the right places and are too long: each ends one size after its beginning.")
def too_long(x, size):
    rows, columns = x.shape[0] // size, x.shape[1] // size
    y = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            y[i, j] = x[i * size :, j * size :].max()
    return y


@max_pool.mistake("The rows are right now. The columns still overlap.")
def only_the_rows(x, size):
    rows, columns = x.shape[0] // size, x.shape[1] // size
    y = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            y[i, j] = x[i * size : (i + 1) * size, j : j + size].max()
    return y


@max_pool.mistake("The columns are right now. The rows still overlap.")
def only_the_columns(x, size):
    rows, columns = x.shape[0] // size, x.shape[1] // size
    y = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            y[i, j] = x[i : i + size, j * size : (j + 1) * size].max()
    return y


@max_pool.mistake("The windows are right; the largest entry is asked for, not the mean.")
def mean_instead(x, size):
    return x.reshape(x.shape[0] // size, size, x.shape[1] // size, size).mean(axis=(1, 3))


@max_pool.mistake("You look at one pixel of each window: a slice needs its end, too.")
def first_pixel_only(x, size):
    return x[: x.shape[0] // size * size : size, : x.shape[1] // size * size : size] + 0.0


@max_pool.right
def with_named_corners(x, size):
    result = []
    for top in range(0, x.shape[0] - size + 1, size):
        result.append([x[top : top + size, left : left + size].max() for left in range(0, x.shape[1] - size + 1, size)])
    return np.array(result)


@max_pool.right
def on_four_axes(x, size):
    return x.reshape(x.shape[0] // size, size, x.shape[1] // size, size).max(axis=(1, 3))


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


@average_pool.mistake("That is the largest entry of each window: maximum pooling. Here the mean is asked for.")
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


# ------------------------------------------------------------------------- a network of your own

MAX_READER_WEIGHTS, LEAST_READ = 6000, 0.85


@functools.cache
def _moved_test(seed: int):
    """The test digits at random places: pictures (n, 14, 14, 1) from 0 to 1, labels (n,)."""
    from course_utils import data

    with contextlib.redirect_stdout(io.StringIO()):
        moved = data.moved_digits(14, seed)
    return (moved.x[moved.in_test] / 16)[..., None].astype("float32"), moved.y[moved.in_test]


def _judge_reader(model):
    """What is wrong with a network that should read moved digits; empty if it reads enough of them."""
    if not hasattr(model, "count_params"):
        return "That is no network of Keras. Make one, give it the name reader, and train it."
    x, y = _moved_test(1)
    try:
        outputs = np.asarray(model(x))
    except Exception:
        outputs = None
    if outputs is None or outputs.shape != (len(y), 10):
        return "The network has to take pictures of 14 × 14 × 1 and give ten outputs for each."
    weights = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    if weights > MAX_READER_WEIGHTS:
        return f"Too many weights. It has {weights:,} that are trained; at most {MAX_READER_WEIGHTS:,} are asked for."
    read = float(np.mean(outputs.argmax(axis=1) == y))
    if read < LEAST_READ:
        return f"It does not read enough. On digits at new places it reads {100 * read:.0f} %; 85 % are asked for."
    return ""


@do(
    "04.reader",
    starter="reader = ...  # replace the dots",
    judge=_judge_reader,
    hints=[
        "First reader = digit_cnn(14, ...), then train(reader, X_train, y_train, epochs=10), both in the same cell.",
        "The last layer after Flatten needs many weights. Which other choice of digit_cnn reads the maps without it?",
        "digit_cnn(14, (8, 16, 24), pools=(0,), whole=True) has few enough weights. How many passes does it need?",
    ],
)
def reader():
    """A small network that reads digits wherever they stand."""
    import keras
    from keras import layers

    from course_utils import data

    moved = data.moved_digits(14)
    train = ~moved.in_test
    keras.utils.set_random_seed(0)
    reader = keras.Sequential([keras.Input((14, 14, 1))])
    for filters in (8, 16, 24):
        reader.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        reader.add(layers.BatchNormalization(momentum=0.9))
        reader.add(layers.ReLU())
        if filters == 8:
            reader.add(layers.MaxPooling2D(2))
    reader.add(layers.GlobalMaxPooling2D())
    reader.add(layers.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    falling = keras.optimizers.schedules.CosineDecay(0.01, 10 * 43)
    reader.compile(keras.optimizers.Adam(falling), loss, steps_per_execution=43)
    reader.fit((moved.x[train] / 16)[..., None], moved.y[train], 32, 10, verbose=0)
    return reader


@reader.mistake("It does not read enough.")  # and how much of it
def not_trained():
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    parts = [layers.Conv2D(8, 3), layers.ReLU(), layers.GlobalMaxPooling2D(), layers.Dense(10)]
    return keras.Sequential([keras.Input((14, 14, 1)), *parts])


@reader.mistake("Too many weights.")  # and how many
def too_large():
    import keras
    from keras import layers

    parts = [layers.Conv2D(16, 3), layers.ReLU(), layers.Flatten(), layers.Dense(10)]
    return keras.Sequential([keras.Input((14, 14, 1)), *parts])


@reader.mistake("The network has to take pictures of 14 × 14 × 1 and give ten outputs for each.")
def for_small_pictures():
    import keras
    from keras import layers

    return keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(10)])


@reader.mistake("That is no network of Keras. Make one, give it the name reader, and train it.")
def its_history():
    return {"accuracy": [0.5, 0.9], "loss": [1.2, 0.4]}


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
def receptive_field(stack):
    """Pixels along one side that one output sees; stack: [(kernel, stride), …]."""
    field, distance = 1, 1
    for kernel, stride in stack:
        field += (kernel - 1) * distance
        distance *= stride
    return field


@receptive_field.mistake("Two windows of 3 see 5 pixels, not 6: neighbouring windows overlap.")
def sum_of_kernels(stack):
    return sum(kernel for kernel, _ in stack)


@receptive_field.mistake("Strides play no part in yours. After a stride of 2, neighbours are two pixels apart.")
def without_strides(stack):
    return 1 + sum(kernel - 1 for kernel, _ in stack)


@receptive_field.mistake("A layer's own stride does not widen its window. It counts for the layers after it.")
def stride_too_early(stack):
    field, distance = 1, 1
    for kernel, stride in stack:
        distance *= stride
        field += (kernel - 1) * distance
    return field


@receptive_field.mistake("The pixel in the middle is missing: a window of 3 sees three pixels.")
def without_the_pixel_itself(stack):
    field, distance = 0, 1
    for kernel, stride in stack:
        field += (kernel - 1) * distance
        distance *= stride
    return field


@receptive_field.mistake("The distances multiply: two strides of 2 set neighbours four pixels apart.")
def only_the_last_stride(stack):
    field, distance = 1, 1
    for kernel, stride in stack:
        field += (kernel - 1) * distance
        distance = stride
    return field


@receptive_field.mistake("Fields do not multiply: each layer adds what its window reaches beyond the middle.")
def product_of_kernels(stack):
    field = 1
    for kernel, _ in stack:
        field *= kernel
    return field


@receptive_field.right
def from_the_last_layer(stack):
    field = 1
    for kernel, stride in stack[::-1]:
        field = (field - 1) * stride + kernel
    return field


# -------------------------------------------------------------------------------------- questions

p_moved = prediction(
    "04.p_moved",
    "Both networks train on digits at random places and read test digits at random places. By how many percentage "
    "points is the CNN ahead?",
    unit="points",
    explain="The CNN learns a stroke once, for all places.",
    hints=["Any number is fine. The dense network has to learn a 3 at each place separately."],
)

q_pairs = number(
    "04.q_pairs",
    "Suppose that two networks read the same digits, and on 66 of them only one of the two is right. If both were "
    "equally good, on how many of these 66 would you expect the first one to be right?",
    answer=33,
    wrong={
        66: "That would be all of them: then the first one is better, without any doubt.",
        0: "Then the second one would always win. Equally good means that chance decides.",
        50: "50 per cent is the right share. How many digits is that?",
        0.5: "That is the right share. How many digits is that?",
    },
    explain="Half of 66, as with a coin. A split far from 33 to 33 is hardly luck.",
    hints=["Toss a coin 66 times. How often do you expect heads?"],
)

p_shift = prediction(
    "04.p_shift",
    "The dense network learns digits in the middle and reads nearly all of them there. Now all test digits move by two "
    "pixels. How many per cent does it still read?",
    unit="%",
    explain="Guessing gives 10 %. Each weight of a dense layer belongs to one pixel.",
    hints=["Any number is fine. Each weight of a dense layer belongs to one pixel of the picture."],
)

q_separable = number(
    "04.q_separable",
    "16 channels become 32. First a depthwise convolution of 3 × 3, then a convolution of 1 × 1, both without biases. "
    "How many weights do the two have together?",
    answer=16 * 9 + 16 * 32,
    wrong={
        3 * 3 * 16 * 32: "That is the usual convolution of 3 × 3, which does both at once.",
        16 * 9: "That is the depthwise part. The 1 × 1 part mixes the channels, with weights of its own.",
        16 * 32: "That is the 1 × 1 part. The depthwise part has nine weights for each channel.",
        16 * 9 + 32 * 9: "The second part has windows of 1 × 1: one weight for each pair of channels.",
        9 + 16 * 32: "Each of the 16 channels has its own nine weights.",
    },
    explain="16 · 9 = 144 and 16 · 32 = 512, together 656; the usual convolution has 4,608, seven times as many.",
    hints=["Depthwise: nine weights for each channel. 1 × 1: one weight for each pair of an old and a new channel."],
)

q_flip = choice(
    "04.q_flip",
    "For which kernels do convolution and cross-correlation give the same result on every picture?",
    right="for those that look the same after half a turn",
    wrong={
        "for all: it is one operation with two names": "Look at the letter L above: one is turned.",
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
