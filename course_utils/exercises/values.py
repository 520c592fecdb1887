"""Values that a learner's code returns: compare them, name them and show them, whatever they are."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap

MAX_NUMBERS = 2_000_000  # in one answer
MAX_DEPTH = 12
MAX_SHOWN_CHARS = 160
MAX_SHOWN_NUMBERS = 12
PLAIN = (bool, int, float, complex, str, bytes, type(None))
KINDS = {
    "NoneType": "nothing (None)",
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "ellipsis": "the three dots",
    "type": "a class",
    "generator": "a generator",
    "dict": "a dictionary",
    "set": "a set",
    "function": "a function",
    "list": "a list",
    "tuple": "several things",
    "ndarray": "an array",
}


class Unusable(Exception):
    """A value that cannot be compared; the message says what it is."""


def kind(value) -> str:
    """What a value is, in words, without asking the value itself."""
    name = type(value).__name__
    return KINDS.get(name, f"of the type {name[:60]}")


def array(value):
    """A value as a float64 array: number, list, NumPy or TensorFlow.

    Raises:
        Unusable: it is none of these, ragged, too large, or its conversion fails.
    """
    import numpy as np

    home = type(value).__module__.split(".")[0]
    if type(value) is range:
        if len(value) > MAX_NUMBERS:
            raise Unusable("far too long")
        value = list(value)
    if type(value) in (list, tuple):
        _count(value)
    elif not isinstance(value, np.ndarray | np.generic | bool | int | float) and home not in ("tensorflow", "keras"):
        raise Unusable(kind(value))
    try:
        result = np.asarray(value)
        if result.size > MAX_NUMBERS:
            raise Unusable("far too large")
        if result.dtype.kind not in "biuf" and str(result.dtype) != "bfloat16":
            raise Unusable("not made of numbers")
        return result.astype(np.float64)
    except Unusable:
        raise
    except Exception:  # ragged lists, symbolic tensors, conversions that refuse
        raise Unusable("not numbers in rows of equal length") from None


def _count(value, depth: int = 0) -> int:
    """Count the entries of nested lists, and stop at what is too deep (a list within itself) or too long."""
    if depth > MAX_DEPTH:
        raise Unusable("nested too deeply")
    if len(value) > MAX_NUMBERS:
        raise Unusable("far too long")
    total = 0
    for entry in value:
        total += _count(entry, depth + 1) if type(entry) in (list, tuple) else 1
        if total > MAX_NUMBERS:
            raise Unusable("far too long")
    return total


def as_number(value) -> float | None:
    """A finite number as float; None for anything else. An array of one number counts as that number."""
    if type(value) is bool:
        return None
    try:
        number = array(value)
    except Unusable:
        return None
    return float(number.ravel()[0]) if number.size == 1 and math.isfinite(number.ravel()[0]) else None


# ---------------------------------------------------------------------------------------- comparing


def conform(expected, got):
    """A result in the form of the expected one, where it holds the same things in another form.

    An array or list of n for n things becomes a tuple; an array of one number, where a number is asked for, that
    number; a list, where an array is asked for, an array. Anything else stays as it is.
    """
    import numpy as np

    if type(expected) is tuple:
        if type(got) is not tuple and type(got) is not str and hasattr(got, "__len__") and len(got) == len(expected):
            got = tuple(got)
        if type(got) is tuple and len(got) == len(expected):
            return tuple(conform(e, g) for e, g in zip(expected, got, strict=True))
        return got
    if isinstance(expected, np.ndarray) and type(got) in (list, tuple):
        return np.asarray(got)
    if isinstance(expected, bool | int | float | np.generic) and not isinstance(got, bool | int | float | str):
        numbers = array(got)
        return numbers.ravel()[0] if numbers.size == 1 else got
    return got


def conformed(expected, got):
    """``conform``, or the value itself where that fails."""
    try:
        return conform(expected, got)
    except Exception:
        return got


def difference(expected, got, tolerance: float) -> str:
    """How a value differs from the expected one, in a word; empty if it does not, within the tolerance."""
    import numpy as np

    got = conformed(expected, got)
    if type(expected) is str:
        return "" if type(got) is str and got == expected else "another text"
    if type(expected) is tuple:
        if type(got) is not tuple or len(got) != len(expected):
            return "another number of parts"
        parts = (difference(e, g, tolerance) for e, g in zip(expected, got, strict=True))
        return next((part for part in parts if part), "")
    if _is_texts(expected):
        return "" if type(got) in (list, tuple) and list(got) == list(expected) else "other texts"
    try:
        wanted, found = array(expected), array(got)
    except Unusable as reason:
        return str(reason)
    if wanted.shape != found.shape:
        return "another shape"
    with np.errstate(all="ignore"):
        return "" if np.allclose(found, wanted, rtol=tolerance, atol=tolerance, equal_nan=True) else "another value"


def _is_texts(value) -> bool:
    return type(value) is list and bool(value) and all(type(entry) is str for entry in value)


def wrong_kind(expected, got) -> str:
    """A sentence if the value is of another kind than expected; else empty."""
    got = conformed(expected, got)
    if inspect.isgenerator(got):
        return "Your function returns a generator: put tuple(…) or list(…) around it."
    if type(expected) is tuple:
        if type(got) not in (tuple, list):
            return f"{len(expected)} things are asked for, as in: return a, b. Your function returns one, {kind(got)}."
        if len(got) != len(expected):
            return f"Your function should return {len(expected)} things; it returns {len(got)}."
        return next((text for e, g in zip(expected, got, strict=True) if (text := wrong_kind(e, g))), "")
    if type(expected) is str:
        return "" if type(got) is str else f"The result should be a text; it is {kind(got)}."
    if _is_texts(expected):
        return "" if type(got) in (list, tuple) else f"The result should be a list of texts; it is {kind(got)}."
    try:
        array(got)
    except Unusable as reason:
        wanted = "a number" if array(expected).ndim == 0 else "an array of numbers"
        return f"The result should be {wanted}; it is {reason}."
    return ""


# ------------------------------------------------------------------------------------------ showing


def show(value, digits: int = 5) -> str:
    """A short text for a value; asks only types whose ``repr`` is known to be harmless."""
    if type(value) in (list, tuple) and not _is_numeric(value):
        shown = ", ".join(show(entry, digits) for entry in value[:8]) + (", …" if len(value) > 8 else "")
        shown = f"[{shown}]" if type(value) is list else f"({shown})"
    elif type(value) in PLAIN:
        shown = f"{value:.{digits}g}" if type(value) is float else repr(value)
    elif inspect.isfunction(value):
        shown = _function_text(value)
    else:
        shown = _array_text(value, digits)
    return shown if len(shown) <= MAX_SHOWN_CHARS else shown[: MAX_SHOWN_CHARS - 1] + "…"


def _is_numeric(value) -> bool:
    try:
        return bool(array(value).ndim)
    except Unusable:
        return False


def _array_text(value, digits: int) -> str:
    import numpy as np

    try:
        numbers = array(value)
    except Unusable:
        return kind(value)
    original = np.asarray(value)
    if original.dtype.kind in "biu":
        numbers = original
    if numbers.ndim == 0:
        return str(numbers) if numbers.dtype.kind in "biu" else f"{float(numbers):.{digits}g}"
    with np.printoptions(threshold=MAX_SHOWN_NUMBERS, edgeitems=2, formatter={"float_kind": f"{{:.{digits}g}}".format}):
        text = np.array2string(numbers, separator=", ").replace("\n", "")
    size = " × ".join(map(str, numbers.shape))
    return " ".join(text.split()) + (f" ({size} numbers)" if numbers.size > MAX_SHOWN_NUMBERS else "")


def _function_text(function) -> str:
    """A function by its source on one line, where that is short; else by its name."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)).strip().rstrip(","))
    except (OSError, TypeError, SyntaxError):
        return f"the function {function.__name__}"
    if function.__name__ == "<lambda>":
        same = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
        return ast.unparse(same[0]) if len(same) == 1 else "a function"
    found = tree.body[0]
    body = [node for node in found.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    return f"{found.name}({ast.unparse(found.args)}): {'; '.join(map(ast.unparse, body))}"


def show_pair(expected, got) -> tuple[str, str]:
    """Both values as texts that differ, with as many digits as that takes, or with their kinds."""
    for digits in (5, 8, 12, 17):
        pair = show(expected, digits), show(got, digits)
        if pair[0] != pair[1]:
            return pair
    if kind(expected) != kind(got):
        return f"{pair[0]} ({kind(expected)})", f"{pair[1]} ({kind(got)})"
    return f"{pair[0]} (as expected up to where it is cut)", f"{pair[1]} (different after that)"


def show_arguments(names: list[str], case) -> str:
    """The arguments of a case by their names: ``x = [1, 2], n = 3``."""
    names = [*names, *(f"argument {i + 1}" for i in range(len(names), len(case)))]
    return ", ".join(f"{name} = {show(value)}" for name, value in zip(names, case, strict=False))


def shape_in_words(shape: tuple) -> str:
    """What a shape means: ``one number``, ``4 numbers in a row``, ``3 rows of 2``, ``an array of the shape …``."""
    if shape == ():
        return "one number"
    if len(shape) == 1:
        return f"{shape[0]} number" + ("" if shape[0] == 1 else "s") + " in a row"
    if len(shape) == 2:
        return f"{shape[0]} row" + ("" if shape[0] == 1 else "s") + f" of {shape[1]}"
    return f"an array of the shape {shape}"
