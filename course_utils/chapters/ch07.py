"""Exercises of notebook 07, speech recognition."""

import numpy as np

from course_utils.exercises import choice, exercise, number

# ----------------------------------------------------------------------------------- sampling


@exercise(
    "07.alias_frequency",
    cases=[
        (5000.0, 8000.0),
        (3000.0, 8000.0),
        (8000.0, 8000.0),
        (9500.0, 8000.0),
        (13000.0, 8000.0),
        (30000.0, 44100.0),
    ],
    hints=[
        "Tones that differ by a multiple of the rate have the same samples: which multiple lies nearest?",
        "What is left may be negative. A tone of -3000 Hz sounds like one of 3000 Hz.",
    ],
)
def alias_frequency(frequency, rate):
    """Frequency heard, in hertz, of a tone that is sampled `rate` times a second."""
    return abs(frequency - rate * round(frequency / rate))


@alias_frequency.mistake("Right between half of the rate and the rate. Try a tone below, and one above the rate.")
def mirrored_once(frequency, rate):
    return rate - frequency


@alias_frequency.mistake("What is left can still lie above half of the rate: nothing there can be told from below.")
def only_the_remainder(frequency, rate):
    return frequency % rate


@alias_frequency.mistake("Your tones are heard as they are. Look at the two waves through the same dots.")
def unchanged(frequency, rate):
    return frequency + 0.0


@alias_frequency.mistake("You start again from zero at half of the rate. What happens there is a mirror.")
def remainder_of_half(frequency, rate):
    return frequency % (rate / 2)


@alias_frequency.mistake("A frequency is not negative: a wave that runs backwards sounds the same.")
def signed(frequency, rate):
    return frequency - rate * round(frequency / rate)


@alias_frequency.right
def smaller_of_two(frequency, rate):
    rest = frequency % rate
    return min(rest, rate - rest)


# ------------------------------------------------------------------------------------- frames


@exercise(
    "07.cut_frames",
    cases=[
        (np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 3, 2),
        (np.arange(11.0), 4, 3),
        (np.arange(8.0) ** 2, 4, 4),
        (np.sin(np.arange(30.0)), 8, 5),
        (np.array([2.0, -1.0, 0.5]), 3, 7),
    ],
    hints=["Frame i begins at sample step * i.", "The first frame needs size samples, each further one step more."],
)
def cut_frames(sound, size, step):
    """Frames (count, size) of sound (samples,), step samples apart; no short end."""
    count = 1 + (len(sound) - size) // step
    return np.array([sound[step * i : step * i + size] for i in range(count)])


@cut_frames.mistake("One frame is missing at the end: the first frame counts too.")
def one_too_few(sound, size, step):
    count = (len(sound) - size) // step
    return np.array([sound[step * i : step * i + size] for i in range(count)]).reshape(count, size)


@cut_frames.mistake("Your frames do not overlap: each begins where the last one ends. How far apart should they begin?")
def side_by_side(sound, size, step):
    count = len(sound) // size
    return sound[: count * size].reshape(count, size)


@cut_frames.mistake("Your frames begin one sample after the other: mind the step.")
def every_sample(sound, size, step):
    count = 1 + (len(sound) - size) // step
    return np.array([sound[i : i + size] for i in range(count)])


@cut_frames.mistake("You fill the end up with zeros to win one more frame. Here the rest is left out.")
def padded(sound, size, step):
    count = 1 + (len(sound) - size) // step
    longer = np.append(sound, np.zeros(size + step))
    return np.array([longer[step * i : step * i + size] for i in range(count + 1)])


@cut_frames.mistake("Rows and columns are exchanged: one frame is one row.")
def turned(sound, size, step):
    count = 1 + (len(sound) - size) // step
    return np.array([sound[step * i : step * i + size] for i in range(count)]).T


@cut_frames.right
def by_a_view(sound, size, step):
    return np.lib.stride_tricks.sliding_window_view(sound, size)[::step]


# ------------------------------------------------------------------------------------- window


@exercise(
    "07.hann_window",
    cases=[(4,), (8,), (5,), (256,)],
    hints=["The cosine runs through one whole period: its argument goes from 0 to almost 2 pi in `size` steps."],
)
def hann_window(size):
    """Periodic Hann window (size,): half minus half a cosine, over one whole period."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)


@hann_window.mistake("Yours ends in zero: it divides by one less. The periodic window reaches zero one sample later.")
def symmetric(size):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / (size - 1))


@hann_window.mistake("Yours is largest at the ends and zero in the middle: look at the sign.")
def upside_down(size):
    return 0.5 + 0.5 * np.cos(2 * np.pi * np.arange(size) / size)


@hann_window.mistake("Half of a period: yours rises to the end and does not come down again.")
def half_a_period(size):
    return 0.5 - 0.5 * np.cos(np.pi * np.arange(size) / size)


@hann_window.mistake("That is Hamming's window: it does not reach zero. The two halves are alike here.")
def hamming(size):
    return 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(size) / size)


@hann_window.mistake("That is the sine's arch. Its ends have a kink: square it, and you are there.")
def sine(size):
    return np.sin(np.pi * np.arange(size) / size)


@hann_window.right
def squared_sine(size):
    return np.sin(np.pi * np.arange(size) / size) ** 2


# --------------------------------------------------------------------------------------- noise

_TONE = np.sin(np.arange(40.0))
_HISS = np.array([0.3, -1.2, 0.8, 0.1, -0.6, 2.0, -0.4])


@exercise(
    "07.noise_gain",
    cases=[
        (np.array([2.0, -2.0]), np.array([1.0, 1.0]), 0.0),
        (np.array([2.0, -2.0]), np.array([1.0, -1.0]), 20.0),
        (_TONE, _HISS, 10.0),
        (_TONE[:9], 3 * _HISS, -6.0),
    ],
    hints=[
        "First the power of both, before any gain. Which power may the noise have?",
        "A gain of g multiplies the power by g squared.",
    ],
)
def noise_gain(sound, noise, snr):
    """Factor that brings noise (m,) snr decibels below sound (n,), in mean square."""
    return np.sqrt(np.mean(sound**2) / np.mean(noise**2) / 10 ** (snr / 10))


@noise_gain.mistake("That is the ratio of the powers. A gain acts on the samples, and power goes with its square.")
def without_root(sound, noise, snr):
    return np.mean(sound**2) / np.mean(noise**2) / 10 ** (snr / 10)


@noise_gain.mistake("The more decibels, the louder your noise. A high ratio means a quiet noise.")
def wrong_sign(sound, noise, snr):
    return np.sqrt(np.mean(sound**2) / np.mean(noise**2) * 10 ** (snr / 10))


@noise_gain.mistake("Ten decibels are a factor of ten in power. You take the rule for amplitudes, and the root too.")
def twenty(sound, noise, snr):
    return np.sqrt(np.mean(sound**2) / np.mean(noise**2) / 10 ** (snr / 20))


@noise_gain.mistake("You add up the squares. With sounds of different length, only their means can be compared.")
def sums(sound, noise, snr):
    return np.sqrt(np.sum(sound**2) / np.sum(noise**2) / 10 ** (snr / 10))


@noise_gain.mistake("The noise's own power is missing in yours: a loud noise needs a smaller gain.")
def noise_forgotten(sound, noise, snr):
    return np.sqrt(np.mean(sound**2) / 10 ** (snr / 10))


@noise_gain.mistake("Your ratio is upside down: it is the sound that stands above.")
def turned_ratio(sound, noise, snr):
    return np.sqrt(np.mean(noise**2) / np.mean(sound**2) / 10 ** (snr / 10))


@noise_gain.right
def by_amplitudes(sound, noise, snr):
    return np.linalg.norm(sound) / np.sqrt(len(sound)) / np.sqrt(np.mean(np.square(noise))) * 10 ** (-snr / 20)


# ----------------------------------------------------------------------------------------- CTC


@exercise(
    "07.collapse_path",
    cases=[
        ([1, 1, 0, 2], 0),
        ([1, 0, 1, 1], 0),
        ([0, 1, 2, 2, 0, 0, 2, 1], 0),
        ([3, 3, 1, 3, 1, 1, 2, 3, 1], 3),
        ([0, 0, 0], 0),
        ([2, 1, 1, 2], 0),
    ],
    hints=["Two steps: make one of neighbours that are equal, and drop the blanks.", "Mind the order of the two."],
)
def collapse_path(path, blank):
    """What a path reads as: a list, equal neighbours once, then without the blank."""
    merged = [s for i, s in enumerate(path) if i == 0 or s != path[i - 1]]
    return [s for s in merged if s != blank]


@collapse_path.mistake("You drop the blanks first. Then a double letter that a blank kept apart melts into one.")
def blanks_first(path, blank):
    kept = [s for s in path if s != blank]
    return [s for i, s in enumerate(kept) if i == 0 or s != kept[i - 1]]


@collapse_path.mistake("The blanks are gone, but a sound that lasts three frames still counts three times.")
def only_blanks(path, blank):
    return [s for s in path if s != blank]


@collapse_path.mistake("Neighbours are merged, but the blanks are still there.")
def only_repeats(path, blank):
    return [s for i, s in enumerate(path) if i == 0 or s != path[i - 1]]


@collapse_path.mistake("A symbol may come again later: only equal neighbours become one.")
def each_once(path, blank):
    return [s for s in dict.fromkeys(path) if s != blank]


@collapse_path.right
def by_groups(path, blank):
    import itertools

    return [s for s, _ in itertools.groupby(path) if s != blank]


# ----------------------------------------------------------------------------------- questions

q_frame = number(
    "07.q_frame",
    "A frame has 400 samples, at 16,000 samples a second. How many milliseconds does it last?",
    answer=25,
    wrong={
        40: "You divide the rate by the samples. Which of the two counts the samples of one second?",
        0.025: "Those are seconds.",
        50: "Half of the rate is the highest frequency; a second still has all of its samples.",
    },
    explain="400 / 16,000 = 0.025 s. Common recognisers use frames of about this length, every 10 ms.",
    hints=["400 samples are which part of a second? A second has 1,000 milliseconds."],
)

q_log = choice(
    "07.q_log",
    "The same word is spoken at half the amplitude. What happens to the logarithm of its power?",
    right="it falls by the same number in every band and frame",
    wrong={
        "it halves everywhere": "The logarithm turns factors into something else: what is log(x / 4)?",
        "loud bands fall more than quiet ones": "That is what the power itself does. Its logarithm treats all alike.",
        "nothing": "The power is a quarter of what it was. Its logarithm notices.",
    },
    explain="A factor becomes a shift, and a shift is easy to take away: subtract the clip's own mean.",
    hints=["The logarithm of a product is a sum: what does a constant factor become?"],
)

q_split = choice(
    "07.q_split",
    "You sell a recogniser to strangers. Which test tells what they will meet?",
    right="hold out whole speakers, each in turn",
    wrong={
        "hold out a random quarter of the clips": (
            "Then each voice of the test is also in the training. Strangers are not."
        ),
        "hold out the second take of every voice": "Those are the same voices once more.",
        "test on the training clips with noise on them": "Noise changes the clip, not who speaks.",
    },
    explain="Split along what will be new in use: here the speaker, in chapter 8 the date.",
    hints=["Which voices will your customers have, and are they in your training data?"],
)

q_blank = choice(
    "07.q_blank",
    'How many frames does CTC need at least for the word "see"?',
    right="four",
    wrong={
        "three": "With three frames the two e are neighbours and melt into one.",
        "two": "Each letter needs a frame of its own.",
        "seven": "Blanks at the ends are allowed and not required.",
    },
    explain="s, e, blank, e: equal neighbours need a blank between them.",
    hints=["Two equal letters in a row need a blank between them."],
)
