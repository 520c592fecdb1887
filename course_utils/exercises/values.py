"""Values that a learner's code returns: compare them, name them and show them, whatever they are."""

from __future__ import annotations

import math

_MOST = 2_000_000  # numbers in one answer
_DEEP = 12
_WIDE = 160  # characters of a shown value
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


class Unusable(Exception):
    """A value that cannot be compared; the message says what it is."""


_NAMES = {
    "NoneType": "nothing (None)",
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "ellipsis": "the three dots",
    "type": "a class",
    "generator": "a generator",
    "dict": "a dictionary",
}


def kind(value) -> str:
    """What a value is, in words, without asking the value itself."""
    name = type(value).__name__
    return _NAMES.get(name, f"of the type {name[:60]}")


def array(value):
    """A value as a float64 array: number, list, NumPy or TensorFlow.

    Raises:
        Unusable: it is none of these, ragged, too large, or its conversion fails.
    """
    import numpy as np

    home = type(value).__module__.split(".")[0]
    if type(value) is range:
        if len(value) > _MOST:
            raise Unusable("far too long")
        value = list(value)
    if type(value) in (list, tuple):
        _count(value)
    elif (
        not isinstance(value, np.ndarray | np.generic)
        and type(value) not in (bool, int, float)
        and home
        not in (
            "tensorflow",
            "keras",
        )
    ):
        raise Unusable(kind(value))
    try:
        result = np.asarray(value)
        if result.size > _MOST:
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
    if depth > _DEEP:
        raise Unusable("nested too deeply")
    total = 0
    for entry in value:
        total += _count(entry, depth + 1) if type(entry) in (list, tuple) else 1
        if total > _MOST:
            raise Unusable("far too long")
    return total


def as_number(value) -> float | None:
    """A finite number, or None if the value is none."""
    if type(value) is bool:
        return None
    try:
        number = array(value)
    except Unusable:
        return None
    return float(number) if number.shape == () and math.isfinite(number) else None


def difference(expected, got, tolerance: float) -> str:
    """How a value differs from the expected one, in a word; empty if it does not, within the tolerance."""
    import numpy as np

    if type(expected) is str:
        return "" if type(got) is str and got == expected else "another text"
    if type(expected) is tuple:
        if type(got) not in (tuple, list) or len(got) != len(expected):
            return "another number of parts"
        parts = (difference(e, g, tolerance) for e, g in zip(expected, got, strict=True))
        return next((part for part in parts if part), "")
    try:
        wanted, found = array(expected), array(got)
    except Unusable as reason:
        return str(reason)
    if wanted.shape != found.shape:
        return "another shape"
    with np.errstate(all="ignore"):
        return "" if np.allclose(found, wanted, rtol=tolerance, atol=tolerance, equal_nan=True) else "another value"


def wrong_type(expected, got) -> str:
    """A sentence if the value is of another kind than expected; else empty."""
    if type(expected) is tuple:
        if type(got) not in (tuple, list):
            return f"Your function should return {len(expected)} things; it returns one, {kind(got)}."
        if len(got) != len(expected):
            return f"Your function should return {len(expected)} things; it returns {len(got)}."
        return next((text for e, g in zip(expected, got, strict=True) if (text := wrong_type(e, g))), "")
    if type(expected) is str:
        return "" if type(got) is str else f"The result should be a text; it is {kind(got)}."
    try:
        array(got)
    except Unusable as reason:
        wanted = "a number" if array(expected).ndim == 0 else "an array of numbers"
        return f"The result should be {wanted}; it is {reason}."
    return ""


def wrong_shape(expected, got) -> str:
    """A sentence if the shape is another than expected; else empty."""
    if type(expected) in (str, tuple):
        return ""
    wanted, found = array(expected).shape, array(got).shape
    return "" if wanted == found else f"The result has the shape {found}; expected is {wanted}."


def has_nan(expected, got) -> str:
    """A sentence if there is a NaN where none is expected; else empty."""
    import numpy as np

    if type(expected) in (str, tuple):
        return ""
    nan = np.isnan(array(got)) & ~np.isnan(array(expected))
    return "The result is not a number (NaN): look for a division by zero or a logarithm of zero." if nan.any() else ""


def show(value) -> str:
    """A short text for a value; asks only types whose ``repr`` is known to be harmless."""
    import numpy as np

    if type(value) in (list, tuple):
        shown = ", ".join(show(entry) for entry in value[:8]) + (", …" if len(value) > 8 else "")
        shown = f"[{shown}]" if type(value) is list else f"({shown})"
    elif type(value) in _PLAIN:
        shown = f"{value:.6g}" if type(value) is float else repr(value if type(value) is not str else value[:_WIDE])
    else:
        try:
            shown = np.array2string(array(value), precision=4, threshold=12, separator=", ").replace("\n", "")
        except Unusable:
            shown = kind(value)
    return shown if len(shown) <= _WIDE else shown[:_WIDE] + "…"


def show_arguments(case) -> str:
    """The arguments of a case, as they would stand in a call."""
    return "(" + ", ".join(show(argument) for argument in case) + ")"
