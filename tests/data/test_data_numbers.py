"""Numbers to translate: the zero rules against a table written by hand, and by translating back."""

import pickle
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import data
from course_utils.data import from_chinese, from_english, numbers, to_chinese, to_english

LIMIT = 999_999_999

# Written by hand, number by number, from the rules; nothing here was computed.
TABLE = {
    0: ("zero", "零"),
    1: ("one", "一"),
    2: ("two", "二"),
    9: ("nine", "九"),
    10: ("ten", "十"),
    11: ("eleven", "十一"),
    12: ("twelve", "十二"),
    19: ("nineteen", "十九"),
    20: ("twenty", "二十"),
    21: ("twenty-one", "二十一"),
    22: ("twenty-two", "二十二"),
    90: ("ninety", "九十"),
    99: ("ninety-nine", "九十九"),
    100: ("one hundred", "一百"),
    101: ("one hundred and one", "一百零一"),
    110: ("one hundred and ten", "一百一十"),
    115: ("one hundred and fifteen", "一百一十五"),
    120: ("one hundred and twenty", "一百二十"),
    200: ("two hundred", "二百"),
    999: ("nine hundred and ninety-nine", "九百九十九"),
    1_000: ("one thousand", "一千"),
    1_001: ("one thousand and one", "一千零一"),
    1_010: ("one thousand and ten", "一千零一十"),
    1_012: ("one thousand and twelve", "一千零一十二"),
    1_100: ("one thousand one hundred", "一千一百"),
    1_101: ("one thousand one hundred and one", "一千一百零一"),
    1_110: ("one thousand one hundred and ten", "一千一百一十"),
    2_222: ("two thousand two hundred and twenty-two", "二千二百二十二"),
    9_090: ("nine thousand and ninety", "九千零九十"),
    10_000: ("ten thousand", "一万"),
    10_001: ("ten thousand and one", "一万零一"),
    10_010: ("ten thousand and ten", "一万零一十"),
    10_015: ("ten thousand and fifteen", "一万零一十五"),
    10_100: ("ten thousand one hundred", "一万零一百"),
    10_101: ("ten thousand one hundred and one", "一万零一百零一"),
    11_000: ("eleven thousand", "一万一千"),
    11_001: ("eleven thousand and one", "一万一千零一"),
    12_345: ("twelve thousand three hundred and forty-five", "一万二千三百四十五"),
    70_305: ("seventy thousand three hundred and five", "七万零三百零五"),
    100_000: ("one hundred thousand", "十万"),
    100_001: ("one hundred thousand and one", "十万零一"),
    105_000: ("one hundred and five thousand", "十万五千"),
    108_000: ("one hundred and eight thousand", "十万八千"),
    110_000: ("one hundred and ten thousand", "十一万"),
    150_000: ("one hundred and fifty thousand", "十五万"),
    200_300: ("two hundred thousand three hundred", "二十万零三百"),
    205_000: ("two hundred and five thousand", "二十万五千"),
    205_050: ("two hundred and five thousand and fifty", "二十万五千零五十"),
    1_000_000: ("one million", "一百万"),
    1_000_005: ("one million and five", "一百万零五"),
    1_005_000: ("one million five thousand", "一百万五千"),
    1_010_000: ("one million ten thousand", "一百零一万"),
    1_100_000: ("one million one hundred thousand", "一百一十万"),
    1_110_010: ("one million one hundred and ten thousand and ten", "一百一十一万零一十"),
    10_000_000: ("ten million", "一千万"),
    10_000_010: ("ten million and ten", "一千万零一十"),
    10_010_000: ("ten million ten thousand", "一千零一万"),
    10_100_000: ("ten million one hundred thousand", "一千零一十万"),
    20_002_000: ("twenty million two thousand", "二千万二千"),
    30_040_050: ("thirty million forty thousand and fifty", "三千零四万零五十"),
    99_999_999: (
        "ninety-nine million nine hundred and ninety-nine thousand nine hundred and ninety-nine",
        "九千九百九十九万九千九百九十九",
    ),
    100_000_000: ("one hundred million", "一亿"),
    100_000_001: ("one hundred million and one", "一亿零一"),
    100_000_500: ("one hundred million five hundred", "一亿零五百"),
    100_005_000: ("one hundred million five thousand", "一亿零五千"),
    100_010_000: ("one hundred million ten thousand", "一亿零一万"),
    100_050_000: ("one hundred million fifty thousand", "一亿零五万"),
    100_150_000: ("one hundred million one hundred and fifty thousand", "一亿零一十五万"),
    101_000_000: ("one hundred and one million", "一亿零一百万"),
    110_000_000: ("one hundred and ten million", "一亿一千万"),
    120_000_034: ("one hundred and twenty million and thirty-four", "一亿二千万零三十四"),
    120_005_000: ("one hundred and twenty million five thousand", "一亿二千万五千"),
    200_030_004: ("two hundred million thirty thousand and four", "二亿零三万零四"),
    500_000_000: ("five hundred million", "五亿"),
    101_010_101: ("one hundred and one million ten thousand one hundred and one", "一亿零一百零一万零一百零一"),
    999_999_999: (
        "nine hundred and ninety-nine million nine hundred and ninety-nine thousand nine hundred and ninety-nine",
        "九亿九千九百九十九万九千九百九十九",
    ),
}

whole = st.integers(0, LIMIT)
# Digits drawn one by one, most of them zero: where the rules bite.
full_of_zeros = st.lists(st.sampled_from("000012359"), min_size=1, max_size=9).map(lambda d: int("".join(d)))


@pytest.mark.parametrize("n", TABLE)
def test_the_table(n):
    assert (to_english(n), to_chinese(n)) == TABLE[n]
    assert from_english(TABLE[n][0]) == from_chinese(TABLE[n][1]) == n


@given(whole | full_of_zeros)
def test_translating_back(n):
    assert from_english(to_english(n)) == n
    assert from_chinese(to_chinese(n)) == n


def test_all_of_the_first_twenty_thousand_are_different_and_come_back():
    chinese = [to_chinese(n) for n in range(20_000)]
    assert len(set(chinese)) == 20_000 and [from_chinese(text) for text in chinese] == list(range(20_000))


@given(full_of_zeros)
def test_zeros_are_single_never_last_and_as_many_as_the_runs_that_are_read(n):
    text = to_chinese(n)
    if n:
        assert "零零" not in text and not text.startswith("零") and not text.endswith("零")
        assert not any("零" + unit in text for unit in "十百千万亿")
        assert text.count("零") == runs_of_zeros_that_are_read(n)


def runs_of_zeros_that_are_read(n):
    """Counted on the digits, group by group, in another way than the code goes."""
    groups = f"{n:012d}"
    groups = [groups[i : i + 4] for i in (0, 4, 8)]
    while groups and groups[0] == "0000":
        groups.pop(0)
    groups[0] = groups[0].lstrip("0")
    while groups[-1] == "0000":
        groups.pop()
    kept = "".join(group.rstrip("0") if group.strip("0") else "0" for group in groups)
    return sum(run != "" for run in "".join("0" if c == "0" else " " for c in kept).split())


@given(whole)
def test_only_known_words_and_characters(n):
    assert set(to_chinese(n)) <= set("零一二三四五六七八九十百千万亿")
    assert to_english(n) == to_english(n).strip() and "  " not in to_english(n)


# -------------------------------------------------------------------------------- wrong input


@pytest.mark.parametrize("translate", [to_english, to_chinese])
@pytest.mark.parametrize("n", [3.0, 1.5, "3", "three", None, True, False, [3], 3j, np.int64(3), float("nan")])
def test_what_is_no_int_is_named(translate, n):
    with pytest.raises(TypeError, match="must be a whole number of the type int") as error:
        translate(n)
    assert type(n).__name__ in str(error.value)


@pytest.mark.parametrize("translate", [to_english, to_chinese])
@pytest.mark.parametrize("n", [-1, -(10**9), LIMIT + 1, 10**30])
def test_what_is_out_of_range_is_named(translate, n):
    with pytest.raises(ValueError, match="must be from 0 to 999,999,999") as error:
        translate(n)
    assert f"{n:,}" in str(error.value)


@pytest.mark.parametrize("back", [from_english, from_chinese])
@pytest.mark.parametrize("text", [3, None, b"one", ["one"]])
def test_only_texts_are_translated_back(back, text):
    with pytest.raises(TypeError, match="takes a text"):
        back(text)


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "names no number"),
        ("seven apples", "'apples' is no word"),
        ("minus one", "'minus' is no word"),
        ("three hundred five", "would be 'three hundred and five'"),
        ("one thousand million", "would be .one thousand."),
        ("nine hundred hundred hundred hundred million", "names no number"),
        ("twelve hundred", "would be 'one thousand two hundred'"),
        ("one and", "would be 'one'"),
        ("million", "would be 'zero'"),
    ],
)
def test_what_is_no_english_number(text, says):
    with pytest.raises(ValueError, match=says):
        from_english(text)


def test_hyphens_and_capitals_do_not_matter():
    assert from_english("Twenty one") == from_english(" twenty-one ") == 21


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "names no number"),
        ("七x", "'x' is no character"),
        ("两百", "'两' is no character"),
        ("一百五", "would be '一百零五'"),
        ("一十五", "would be '十五'"),
        ("一百十五", "would be"),
        ("七万三百零五", "would be '七万零三百零五'"),
        ("二十万零五千", "would be '二十万五千'"),
        ("零零", "would be '零'"),
        ("十亿", "names no number"),
    ],
)
def test_what_is_no_chinese_number(text, says):
    with pytest.raises(ValueError, match=says):
        from_chinese(text)


@given(st.text("零一二三四五六七八九十百千万亿", max_size=12))
def test_a_chinese_text_is_read_as_written_or_refused(text):
    try:
        n = from_chinese(text)
    except ValueError:
        return
    assert to_chinese(n) == text


# -------------------------------------------------------------------------------------- pairs


def test_pairs_are_right_different_and_said_to_be_generated(capsys):
    pairs = numbers(3000, seed=5)
    assert "generated" in capsys.readouterr().out and pairs.source.startswith("numbers to translate")
    values = [from_english(text) for text in pairs.x]
    assert [from_chinese(text) for text in pairs.y] == values and len(set(values)) == 3000
    assert pairs.in_test.sum() == 600
    train = {value for value, held_out in zip(values, pairs.in_test, strict=True) if not held_out}
    assert len(train) == 2400 and not train & {v for v, h in zip(values, pairs.in_test, strict=True) if h}


def test_every_number_of_digits_is_drawn_equally_often():
    counts = Counter(len(str(from_chinese(text))) for text in numbers(9000, seed=1).y)
    assert counts[1] == 10 and counts[2] == 90 and set(counts) == set(range(1, 10))
    assert max(counts[d] for d in range(4, 10)) - min(counts[d] for d in range(4, 10)) <= 1


@given(st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_bytes(seed):
    first, second = numbers(40, seed=seed), numbers(40, seed=seed)
    assert pickle.dumps((first.x, first.y.tobytes(), first.in_test.tobytes())) == pickle.dumps(
        (second.x, second.y.tobytes(), second.in_test.tobytes())
    )
    assert numbers(40, seed=seed ^ 1).x != first.x


def test_nothing_depends_on_or_disturbs_the_global_generators():
    random.seed(3)
    np.random.seed(3)
    first = numbers(50).x
    after = random.random(), np.random.random()
    random.seed(3)
    np.random.seed(3)
    assert (random.random(), np.random.random()) == after and numbers(50).x == first


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(1, 60))
def test_numbers_stay_within_their_bounds(one, other, count):
    smallest, limit = sorted((one, other))
    if count > limit - smallest + 1:
        with pytest.raises(ValueError, match="count must be from 0 to"):
            numbers(count, limit, 1, smallest)
        return
    values = [from_english(text) for text in numbers(count, limit, 1, smallest).x]
    assert len(set(values)) == count and smallest <= min(values) and max(values) <= limit


def test_all_that_there_are():
    assert sorted(from_english(text) for text in numbers(1001, 1000).x) == list(range(1001))


@pytest.mark.parametrize(
    "arguments, error, says",
    [
        ({"count": 0}, ValueError, "count must be at least 1"),
        ({"count": -1}, ValueError, "count must be from 0"),
        ({"count": 2.0}, TypeError, "count must be a whole number"),
        ({"count": True}, TypeError, "count must be a whole number"),
        ({"count": 5, "limit": 3}, ValueError, "count must be from 0 to 4"),
        ({"limit": 10**9}, ValueError, "limit must be from 0 to 999,999,999"),
        ({"limit": "all"}, TypeError, "limit must be"),
        ({"seed": -1}, ValueError, "seed must be from 0"),
        ({"seed": None}, TypeError, "seed must be"),
        ({"smallest": 20, "limit": 10}, ValueError, "smallest must be from 0 to 10"),
    ],
)
def test_odd_arguments(arguments, error, says):
    with pytest.raises(error, match=says):
        numbers(**arguments)


def test_it_is_a_data_set_of_the_course():
    assert isinstance(data.numbers(5), data.Bundle)
