"""Numbers to translate: English words into Chinese numerals, from 0 to 999,999,999, generated and exact.

English is British and without commas: *one hundred and five*, *two thousand and twenty-one*, *one million five
thousand*. "and" stands before the last one or two digits of a group of three, where that group has hundreds, and
before the last two digits of the whole number, where something larger stands in front.

Chinese numerals (中文数字) group by ten thousand: 个, 万, 亿. The rules, as Chinese primary schools teach them for
reading whole numbers:

* each digit is followed by its unit 千, 百 or 十, each group by 万 or 亿;
* zeros at the end of a group are not read: 205,000 is 二十万五千;
* any other run of zeros, within a group, at its head, or a group of nothing but zeros between two others, is read
  as one 零: 70,305 is 七万零三百零五, and 100,005,000 is 一亿零五千;
* 10 to 19 at the very start drop their 一: 15 is 十五 and 150,000 is 十五万; elsewhere it stays: 10,010 is 一万零一十;
* 2 is always 二, never 两, and zero alone is 零.
"""

from __future__ import annotations

import random

import numpy as np

from course_utils.data.bundle import Bundle

LIMIT = 999_999_999
_HOW_MANY_IN_TEST = 5  # one in five

_SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_SMALL += ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = {word: n for n, word in enumerate(_SMALL)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_DIGITS = "零一二三四五六七八九"
_UNITS = {"千": 1000, "百": 100, "十": 10, "": 1}
_GROUPS = {"亿": 10**8, "万": 10**4, "": 1}


def _whole(n, name: str = "A number to translate", limit: int = LIMIT) -> int:
    """The number itself, if it is a whole one from 0 to the limit."""
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"{name} must be a whole number of the type int, not {n!r} ({type(n).__name__}).")
    if not 0 <= n <= limit:
        raise ValueError(f"{name} must be from 0 to {limit:,}, not {n:,}.")
    return n


# ------------------------------------------------------------------------------------ English


def to_english(n: int) -> str:
    """A number in British English words: 70305 → ``seventy thousand three hundred and five``.

    Args:
        n: a whole number from 0 to 999,999,999.

    Raises:
        TypeError: ``n`` is no int (a float, a text, True), the message says what it is.
        ValueError: ``n`` is negative or above the limit.
    """
    if _whole(n) == 0:
        return "zero"
    words = []
    for unit, value in (("million", n // 10**6), ("thousand", n // 1000 % 1000), ("", n % 1000)):
        if value:
            words += ["and"] if words and not unit and value < 100 else []
            words += [*_below_1000(value), *([unit] if unit else [])]
    return " ".join(words)


def _below_1000(n: int) -> list[str]:
    """The words of 1 to 999."""
    words = [_SMALL[n // 100], "hundred"] if n >= 100 else []
    rest = n % 100
    if not rest:
        return words
    if words:
        words.append("and")
    if rest < 20:
        return [*words, _SMALL[rest]]
    return [*words, _TENS[rest // 10 - 2] + (f"-{_SMALL[rest % 10]}" if rest % 10 else "")]


def from_english(text: str) -> int:
    """The number that English words name, the way back from ``to_english``. Hyphens may be spaces, capitals small.

    Raises:
        TypeError: ``text`` is no string.
        ValueError: a word is unknown, or the words are not how a number from 0 to 999,999,999 is written; the message
            says what is wrong or how it is written.
    """
    if not isinstance(text, str):
        raise TypeError(f"from_english() takes a text, not {text!r} ({type(text).__name__}).")
    words = text.lower().replace("-", " ").split()
    total, group = 0, 0
    for word in words:
        if word in _VALUES:
            group += _VALUES[word]
        elif word == "hundred":
            group *= 100
        elif word in ("thousand", "million"):
            total, group = total + group * (1000 if word == "thousand" else 10**6), 0
        elif word != "and":
            raise ValueError(f"{word!r} is no word of an English number.")
    number = total + group
    if not words or number > LIMIT:
        raise ValueError(f"{text!r} names no number from 0 to {LIMIT:,}.")
    written = to_english(number)
    if words != written.replace("-", " ").split():
        raise ValueError(f"{text!r} is not how a number is written; {number:,} would be {written!r}.")
    return number


# ------------------------------------------------------------------------------------ Chinese


def to_chinese(n: int) -> str:
    """A number in Chinese numerals: 70305 → ``七万零三百零五``. The rules stand at the head of this module.

    Args:
        n: a whole number from 0 to 999,999,999.

    Raises:
        TypeError: ``n`` is no int (a float, a text, True), the message says what it is.
        ValueError: ``n`` is negative or above the limit.
    """
    if _whole(n) == 0:
        return "零"
    text, gap = "", False
    for unit, size in _GROUPS.items():
        value = n // size % 10**4
        if value == 0:
            gap = True  # counts only if something stands before it and something comes behind it
            continue
        if text and (gap or value < 1000):
            text += "零"
        text, gap = text + _below_10000(value) + unit, False
    return text.removeprefix("一") if text.startswith("一十") else text


def _below_10000(n: int) -> str:
    """The numeral of 1 to 9999 within a larger one."""
    text, gap = "", False
    for unit, size in _UNITS.items():
        digit = n // size % 10
        if digit == 0:
            gap = bool(text)
            continue
        text, gap = text + ("零" if gap else "") + _DIGITS[digit] + unit, False
    return text


def from_chinese(text: str) -> int:
    """The number that a Chinese numeral names, the way back from ``to_chinese``.

    Raises:
        TypeError: ``text`` is no string.
        ValueError: a character is unknown, or the numeral is not how a number from 0 to 999,999,999 is written; the
            message says what is wrong or how it is written.
    """
    if not isinstance(text, str):
        raise TypeError(f"from_chinese() takes a text, not {text!r} ({type(text).__name__}).")
    total, group, digit = 0, 0, 0
    for place, character in enumerate(text):
        if character in _DIGITS:
            digit = _DIGITS.index(character)
        elif character in _UNITS:
            group, digit = group + (digit or place == 0) * _UNITS[character], 0
        elif character in _GROUPS:
            total, group, digit = total + (group + digit) * _GROUPS[character], 0, 0
        else:
            raise ValueError(f"{character!r} is no character of a Chinese numeral.")
    number = total + group + digit
    if not text or number > LIMIT:
        raise ValueError(f"{text!r} names no number from 0 to {LIMIT:,}.")
    if text != (written := to_chinese(number)):
        raise ValueError(f"{text!r} is not how a number is written; {number:,} would be {written!r}.")
    return number


# -------------------------------------------------------------------------------------- pairs


def numbers(count: int = 10_000, limit: int = LIMIT, seed: int = 0, smallest: int = 0) -> Bundle:
    """Different numbers in random order: x is a list of English texts, y an array (count,) of Chinese numerals.

    Every number of digits is drawn equally often, as far as there are so many numbers, so that short ones occur; drawn
    evenly, nine numbers in ten would have nine digits. ``in_test`` marks one in five, to be held out. No number
    occurs twice. The same arguments give the same pairs, to the byte.

    Args:
        count: how many pairs.
        limit: the largest number that may occur, at most 999,999,999.
        seed: a whole number from 0 to 4294967295.
        smallest: the smallest number that may occur.

    Raises:
        TypeError: an argument is no int.
        ValueError: an argument is out of its range, or there are not so many different numbers.
    """
    _whole(limit, "limit")
    _whole(smallest, "smallest", limit)
    _whole(seed, "seed", 2**32 - 1)
    spans = []
    for digits in range(1, len(str(LIMIT)) + 1):
        span = range(max(smallest, 10 ** (digits - 1) if digits > 1 else 0), min(limit, 10**digits - 1) + 1)
        spans += [span] if span else []
    there = sum(map(len, spans))
    if _whole(count, "count", there) == 0:
        raise ValueError("count must be at least 1.")
    chooser, chosen = random.Random(seed), []
    spans.sort(key=len)
    for place, span in enumerate(spans):  # what a short length cannot give, the longer ones share
        wanted = (count - len(chosen)) // (len(spans) - place)
        chosen += chooser.sample(span, min(wanted, len(span)))
    chooser.shuffle(chosen)
    source = f"numbers to translate: generated ({count:,} pairs from {smallest:,} to {limit:,}, seed {seed})"
    print(source)
    return Bundle(
        name="numbers to translate",
        source=source,
        x=[to_english(n) for n in chosen],
        y=np.array([to_chinese(n) for n in chosen]),
        in_test=np.arange(count) < count // _HOW_MANY_IN_TEST,
    )
