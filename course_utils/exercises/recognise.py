"""Mistakes that can happen in any exercise, recognised from the answer's results, errors and source.

Each sentence says what was seen ("every number is twice what is asked for"), so that it is true even where the cause is
another one. Nothing is guessed: where two readings fit, the sentence says what both have in common.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
import textwrap

import numpy as np

from course_utils.exercises import values

TOLERANCE = 1e-6
FACTORS = {  # a constant ratio of result to expected: what it is
    math.log(2): "the factor between logarithms of base e and base 2",
    math.log(10): "the factor between logarithms of base e and base 10",
    math.log2(10): "the factor between logarithms of base 2 and base 10",
    math.pi / 180: "the factor between degrees and radians",
    2 * math.pi: "2 π",
    math.pi: "π",
    math.e: "e",
    math.sqrt(2): "the root of 2",
}


def syntax_tree(answer):
    """The syntax tree of an answer's source; None where it cannot be found."""
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(answer))))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None


# ------------------------------------------------------------------------------------------- errors


def from_source(answer, run) -> str:
    """What the source alone shows: ``^`` for a power, a result that is printed and not returned."""
    tree = syntax_tree(answer)
    nodes = list(ast.walk(tree)) if tree else []
    if any(isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor) for node in nodes):
        return "In Python, ^ is not a power: write ** for it."
    if run.value is None and not run.error:
        if any(isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print" for node in nodes):
            return "Your function prints its result and returns nothing. End it with return and the result."
        return "Your function returns nothing. Does it end with return and the result?"
    return ""


def from_error(error: BaseException, names: list[str], case) -> str:
    """An error of Python or NumPy in plain words; empty where its own message is plain enough."""
    try:
        message = str(error)
    except BaseException:
        return ""
    for kind, pattern, text in _ERRORS:
        found = re.search(pattern, message) if isinstance(error, kind) else None
        if found:
            return text.format(*found.groups(), shapes=_shapes(names, case))
    return ""


def _shapes(names: list[str], case) -> str:
    """The arrays among the arguments with their shapes: ``X (3, 2), w (2,)``."""
    pairs = zip(names, case, strict=False)
    found = [f"{name} {value.shape}" for name, value in pairs if isinstance(value, np.ndarray) and value.ndim]
    return f" The arguments are {', '.join(found)}." if found else ""


_ERRORS = (
    (TypeError, r"only (?:length-1|0-dimensional|size-1) arrays can be converted|"
     r"must be real number, not (?:ndarray|list)|only integer scalar arrays can be converted",
     "One number was needed where an array or a list stands: the functions of math, int and float take one number. "
     "NumPy has them for arrays, too."),
    (ValueError, r"truth value of an array",
     "An array stands where one True or False is needed: in an if, a while, and, or, not, max or min. "
     "NumPy's where, maximum and minimum, or a loop, decide for each number."),
    (ValueError, r"matmul: .*\(?size (\d+) is different from (\d+)",
     "The product of two matrices does not fit: one side has {1} columns, the other {0} rows.{shapes}"),
    (ValueError, r"shapes (\(.*?\)) and (\(.*?\)) not aligned",
     "The product of two matrices does not fit: their shapes are {0} and {1}.{shapes}"),
    (ValueError, r"matmul: Input operand (\d) does not have enough dimensions",
     "One side of @ is a single number: a number is multiplied with *.{shapes}"),
    (ValueError, r"operands could not be broadcast together with (?:remapped )?shapes (\(.*?\)) (\(.*?\))",
     "Two arrays of the shapes {0} and {1} do not go together number by number.{shapes}"),
    (ValueError, r"all the input arrays? dimensions|must match exactly|must have same shape|same number of dimensions",
     "Arrays that are put together do not have matching shapes.{shapes}"),
    (ValueError, r"inhomogeneous shape|setting an array element with a sequence",
     "The rows of an array have different lengths, or a list stands where one number is needed."),
    (ValueError, r"too many values to unpack|not enough values to unpack",
     "The names on the left of = are not as many as the values on the right."),
    (NameError, r"name '(\w+)' is not defined",
     "The name {0} is not known inside your function. Is it spelled as above, and made before it is used?"),
    (UnboundLocalError, r"variable '(\w+)'", "The name {0} is used in your function before it gets a value."),
    (TypeError, r"takes (\d+) positional arguments? but (\d+) w",
     "Your function takes {0} arguments and is called with {1}: keep the line with def as it is given."),
    (TypeError, r"missing (\d+) required positional arguments?: (.*)",
     "Your function asks for more arguments than it is called with ({1}): keep the line with def as it is given."),
    (TypeError, r"unsupported operand type\(s\) for (\S+): '(\w+)' and '(\w+)'",
     "The sign {0} does not work between {1} and {2}. A list has to become an array first; None is the result of a "
     "function without return."),
    (TypeError, r"can't multiply sequence by non-int|can only concatenate list|bad operand type for unary",
     "A list does not calculate: make it an array first, or go through it in a loop.{shapes}"),
    (TypeError, r"'(\w+)' object is not iterable|object of type '(\w+)' has no len|'(\w+)' object is not subscriptable",
     "A single value stands where a list or an array is needed.{shapes}"),
    (TypeError, r"'(\w+)' object is not callable",
     "Something that is no function stands before a pair of brackets. Is a * missing?"),
    (TypeError, r"(?:list indices|slice indices|only integers).*", "An index has to be a whole number."),
    (IndexError, r"only integers, slices", "An index has to be a whole number."),
    (IndexError, r"index (-?\d+) is out of bounds for axis \d+ with size (\d+)",
     "There is no place {0}: counting begins at 0, so the places of {1} numbers end at {1} - 1."),
    (IndexError, r"(?:list|tuple|string) index out of range|too many indices",
     "An index goes beyond what is there: counting begins at 0.{shapes}"),
    (AttributeError, r"'(?:list|tuple|int|float)' object has no attribute '(\w+)'",
     "A list or a plain number has no .{0}: NumPy's arrays have it."),
    (AttributeError, r"module '(\w+)' has no attribute '(\w+)'", "There is no {1} in {0}. Is it spelled right?"),
    (ZeroDivisionError, r"", "There is a division by zero.{shapes}"),
    (RecursionError, r"", "Your function calls itself without end."),
    (OverflowError, r"", "A number becomes too large: look at powers and exp."),
)  # fmt: skip


# ------------------------------------------------------------------------------------------ numbers


def from_results(expected: list, got: list, names: list[str], cases: list) -> str:
    """What all results have in common, seen over all cases that ran; empty if it is nothing known.

    Args:
        expected, got: one value for each case; those that are right are among them.
        names: of the arguments.
        cases: the arguments.
    """
    if type(expected[0]) is tuple:
        return _several(expected, got, names, cases)
    try:
        pairs = [(values.array(e), values.array(values.conformed(e, g))) for e, g in zip(expected, got, strict=True)]
    except values.Unusable:
        return ""
    same = all(e.shape == g.shape for e, g in pairs)
    with np.errstate(all="ignore"):
        for look in _SAME_SHAPE if same else _OTHER_SHAPE:
            if text := look(pairs, names, cases):
                return text
    return ""


def _several(expected, got, names, cases) -> str:
    """Several results: which one is wrong, and in what way."""
    count = len(expected[0])
    parts = [values.conformed(e, g) for e, g in zip(expected, got, strict=True)]
    if not all(type(part) is tuple and len(part) == count for part in parts):
        return ""
    right = [
        all(not values.difference(e[i], p[i], TOLERANCE) for e, p in zip(expected, parts, strict=True))
        for i in range(count)
    ]
    if count == 2 and all(
        not values.difference(e, p[::-1], TOLERANCE) for e, p in zip(expected, parts, strict=True)
    ):  # fmt: skip
        return "The two results are right, in the other order."
    wrong = [i for i in range(count) if not right[i]]
    if not wrong or len(wrong) == count and count > 1 and not _one_reason(expected, parts, wrong, names, cases):
        return ""
    reason = from_results([e[wrong[0]] for e in expected], [p[wrong[0]] for p in parts], names, cases)
    which = (
        f"result {wrong[0] + 1} of {count}" if len(wrong) == 1 else f"results {', '.join(str(i + 1) for i in wrong)}"
    )
    rest = "; the others are right" if any(right) else ""
    return f"Look at {which}{rest}. {reason}".strip() if any(right) or reason else ""


def _one_reason(expected, parts, wrong, names, cases) -> bool:
    reasons = {from_results([e[i] for e in expected], [p[i] for p in parts], names, cases) for i in wrong}
    return len(reasons) == 1 and "" not in reasons


def _close(a, b) -> bool:
    return np.allclose(a, b, rtol=TOLERANCE, atol=1e-12, equal_nan=True)


def _all(pairs, change) -> bool:
    """Whether the change, applied to what is expected, gives each result; and is a change at all."""
    try:
        changed = [change(e) for e, _ in pairs]
    except (ValueError, IndexError):
        return False
    told = any(not _close(e, c) and np.isfinite(c).all() for (e, _), c in zip(pairs, changed, strict=True))
    return told and all(c.shape == g.shape and _close(c, g) for (_, g), c in zip(pairs, changed, strict=True))


def _sign(pairs, names, cases) -> str:
    return "Every number has the opposite sign." if _all(pairs, np.negative) else ""


def _function(pairs, names, cases) -> str:
    changes = (
        ("the square of what is asked for", np.square),
        ("the root of what is asked for", np.sqrt),
        ("1 divided by what is asked for", np.reciprocal),
        ("1 minus what is asked for", lambda e: 1 - e),
        ("the natural logarithm of what is asked for", np.log),
        ("minus the logarithm of what is asked for", lambda e: -np.log(e)),
        ("e to the power of what is asked for", np.exp),
        ("what is asked for without its sign", np.abs),
        ("what is asked for, with its digits after the point cut off", np.floor),
        ("what is asked for, with its digits after the point cut off", np.trunc),
    )
    return next((f"Every number is {text}." for text, change in changes if _all(pairs, change)), "")


def _rounded(pairs, names, cases) -> str:
    for digits in range(1, 7):
        if _all(pairs, lambda e, digits=digits: np.round(e, digits)):
            return f"Your result is rounded to {digits} digits. Return it with all its digits."
    return ""


def _ratio(pairs, names, cases) -> str:
    ratios = []
    for e, g in pairs:
        use = (np.abs(e) > 1e-12) & np.isfinite(g)
        if not np.all(np.abs(g[~use]) < 1e-9):
            return ""
        found = g[use] / e[use]
        if found.size and not np.allclose(found, found[0], rtol=1e-5, atol=0):
            return ""
        ratios.append(found[0] if found.size else None)
    known = [ratio for ratio in ratios if ratio is not None]
    if not known or all(np.isclose(ratio, 1) for ratio in known) or sum(e.size for e, _ in pairs) < 2 or 0 in known:
        return ""
    if np.allclose(known, known[0], rtol=1e-5):
        return _constant_ratio(float(known[0])) if len(known) > 1 or pairs[0][0].size > 1 else ""
    return _size_ratio(ratios, names, cases)


def _constant_ratio(ratio: float) -> str:
    size, sign = abs(ratio), "minus " if ratio < 0 else ""
    for factor, text in FACTORS.items():
        for value, way in ((factor, f"{text}"), (1 / factor, f"1 divided by: {text}")):
            if np.isclose(size, value, rtol=1e-5):
                return f"Every number is {sign}{size:.4g} times what is asked for: {way}."
    if np.isclose(size, 2) or np.isclose(size, 0.5):
        return f"Every number is {sign}{'twice' if size > 1 else 'half of'} what is asked for."
    if np.isclose(size, 100) or np.isclose(size, 0.01):
        unit = "per cent, and a share from 0 to 1 is asked for" if size > 1 else "a share, and per cent are asked for"
        return f"Every number is {sign}{size:g} times what is asked for: it is in {unit}."
    return f"Every number is {sign}{size:.4g} times what is asked for."


SIZES = (  # how a ratio may depend on a count n: in words, as a function
    ("", lambda n: n),
    ("1 divided by ", lambda n: 1 / n),
    ("the root of ", np.sqrt),
    ("1 divided by the root of ", lambda n: n**-0.5),
    ("n / (n - 1), for n ", lambda n: n / (n - 1) if n > 1 else np.nan),
    ("(n - 1) / n, for n ", lambda n: (n - 1) / n),
)


def _size_ratio(ratios, names, cases) -> str:
    """A ratio that differs from case to case, and is a count of something in the arguments."""
    for text, counts in _counts(names, cases):
        pairs = [(abs(r), n) for r, n in zip(ratios, counts, strict=True) if r is not None and n > 0]
        for way, change in SIZES:
            if len(pairs) > 1 and all(np.isclose(r, change(n), rtol=1e-5) for r, n in pairs):
                return f"Every number is what is asked for, times {way}{text}."
    return ""


def _counts(names, cases):
    """What can be counted in the arguments: (in words, one number for each case)."""
    for place, name in enumerate(names):
        column = [case[place] for case in cases if place < len(case)]
        if len(column) < len(cases):
            continue
        if all(hasattr(value, "__len__") and not isinstance(value, dict) for value in column):
            yield f"the length of {name}", [len(value) for value in column]
        if all(isinstance(value, np.ndarray) and value.ndim == 2 for value in column):
            yield f"the number of columns of {name}", [value.shape[1] for value in column]
            yield f"the number of entries of {name}", [value.size for value in column]
        if all(
            isinstance(value, int | float | np.number) and not isinstance(value, bool) and value > 0 for value in column
        ):
            yield f"{name}", [float(value) for value in column]


def _shift(pairs, names, cases) -> str:
    shifts = {round(float(d), 9) for e, g in pairs for d in np.ravel(g - e)}
    if len(shifts) == 1 and sum(e.size for e, _ in pairs) > 1:
        shift = shifts.pop()
        if shift and math.isfinite(shift):
            return f"Every number is {abs(shift):.4g} too {'large' if shift > 0 else 'small'}."
    return ""


def _order(pairs, names, cases) -> str:
    if not any(e.size > 1 and not _close(e, g) for e, g in pairs):
        return ""
    if all(e.ndim and _close(e[::-1], g) for e, g in pairs):
        return "The numbers are right, in the reverse order."
    if all(e.ndim == 2 and e.shape[0] == e.shape[1] and _close(e.T, g) for e, g in pairs):
        return "Rows and columns are swapped: your result is the transposed one."
    if all(np.isfinite(g).all() and _close(np.sort(e, None), np.sort(g, None)) for e, g in pairs):
        return "The numbers are right, in another order."
    return ""


def _constant(pairs, names, cases) -> str:
    flat = [g.ravel() for _, g in pairs]
    if all(g.size > 1 and np.ptp(g) == 0 for g in flat) and any(np.ptp(e) > 0 for e, _ in pairs):
        return "All numbers of your result are equal, and they should differ."
    if (
        len(pairs) > 2
        and all(np.array_equal(g, flat[0]) for g in flat)
        and not all(_close(e, pairs[0][0]) for e, _ in pairs if e.shape == pairs[0][0].shape)
    ):
        return "Your function returns the same for different arguments."
    return ""


def _argument(pairs, names, cases) -> str:
    """The result is one of the arguments, unchanged."""
    for place, name in enumerate(names):
        try:
            column = [values.array(case[place]) for case in cases]
        except (IndexError, values.Unusable):
            continue
        if all(a.shape == g.shape and _close(a, g) for a, (_, g) in zip(column, pairs, strict=True)):
            return f"Your result is {name}, unchanged."
    return ""


def _transposed_shape(pairs, names, cases) -> str:
    if all(e.ndim == 2 and g.shape == e.shape[::-1] for e, g in pairs):
        right = all(_close(e.T, g) for e, g in pairs)
        return "Rows and columns are swapped" + (
            ": your result is the transposed one." if right else " in the shape of your result."
        )
    return ""


def _length(pairs, names, cases) -> str:
    """One entry too many or too few at an end."""
    if not all(e.ndim >= 1 and g.ndim == e.ndim and e.shape[1:] == g.shape[1:] for e, g in pairs):
        return ""
    excess = {len(g) - len(e) for e, g in pairs}
    if excess == {1} or excess == {-1}:
        word = "many" if excess == {1} else "few"
        for place, cut in (("last", slice(None, -1)), ("first", slice(1, None))):
            longer = [(g[cut], e) if word == "many" else (e[cut], g) for e, g in pairs]
            if all(_close(a, b) for a, b in longer):
                missing = f"the {place} one is too much" if word == "many" else f"the {place} one is missing"
                return f"There is one entry too {word}: {missing}."
        return f"There is one entry too {word}."
    return ""


def _reduced(pairs, names, cases) -> str:
    """A number where one for each row or column is asked for, or the other way round."""
    if all(g.ndim == 0 and e.ndim > 0 for e, g in pairs):
        for word, change in (("sum", np.sum), ("mean", np.mean), ("largest", np.max), ("product", np.prod)):
            if all(_close(change(e), g) for e, g in pairs):
                wanted = values.shape_in_words(pairs[0][0].shape)
                return f"Your result is one number, the {word} of what is asked for: {wanted}."
    if all(e.ndim == 0 and g.ndim > 0 for e, g in pairs):
        for word, change in (("mean", np.mean), ("sum", np.sum)):
            if all(_close(e, change(g)) for e, g in pairs):
                return f"One number is asked for, the {word} of what your function returns."
        return f"One number is asked for; your function returns {values.shape_in_words(pairs[0][1].shape)}."
    return ""


def _axis(pairs, names, cases) -> str:
    """One number for each column where one for each row is asked for, or the other way round."""
    if not all(e.ndim == g.ndim == 1 for e, g in pairs):
        return ""
    for place, name in enumerate(names):
        column = [case[place] for case in cases if place < len(case)]
        if len(column) < len(pairs) or not all(isinstance(v, np.ndarray) and v.ndim == 2 for v in column):
            continue
        for asked, other, axis in (("row", "column", 0), ("column", "row", 1)):
            sizes = [(len(e), len(g)) for e, g in pairs]
            if sizes == [(v.shape[axis], v.shape[1 - axis]) for v in column]:
                text = f"One number for each {asked} of {name} is asked for; you give one for each {other}."
                return f"{text} Look at the axis."
    return ""


def _kept_dimension(pairs, names, cases) -> str:
    if all(
        g.size == e.size and g.squeeze().shape == np.squeeze(e).shape and _close(g.ravel(), e.ravel()) for e, g in pairs
    ):
        e, g = pairs[0]
        return f"The numbers are right; the shape should be {e.shape}, and it is {g.shape}."
    return ""


_SAME_SHAPE = (_sign, _rounded, _ratio, _function, _order, _shift, _argument, _constant)
_OTHER_SHAPE = (_kept_dimension, _transposed_shape, _length, _axis, _reduced)
