"""Run code that may do anything: bounded in time and output, on copies of its inputs, never raising.

What cannot be stopped: a loop inside one call into C, such as ``sum(itertools.count())``.
"""

from __future__ import annotations

import contextlib
import copy
import io
import random
import signal
import sys
import sysconfig
import threading
import time
import types
import warnings
from dataclasses import dataclass

from course_utils.exercises import values

_LIBRARY = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})
_LONGEST = 200  # characters of an error's own message


class TimeUp(BaseException):
    """The time of the answer is over. Not an Exception: ``except Exception`` must not swallow it."""


@dataclass
class Run:
    """What one call gave.

    Attributes:
        value: the result, or None.
        error: a sentence if it stopped with an error; else empty.
        changed: whether an argument was changed in place.
    """

    value: object = None
    error: str = ""
    changed: bool = False


def is_function(answer) -> bool:
    """Whether an answer can be called as a function; a class, or an object that says so itself, is none."""
    import functools

    kinds = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, functools.partial)
    return isinstance(answer, kinds) or type(answer).__module__.startswith(("numpy", "tensorflow"))


def run(function, arguments: tuple, seconds: float, copy_inputs: bool = True) -> Run:
    """Call a function within its limits. Raises only KeyboardInterrupt, and only if the learner pressed it."""
    given = copy.deepcopy(arguments) if copy_inputs else arguments
    result = Run()
    with _quiet(), _state_kept(), _time_limit(seconds) as clock, _interrupts() as pressed:
        try:
            result.value = function(*given)
        except TimeUp:
            result.error = (
                f"Your code was still running after {seconds:g} seconds and was stopped: is there an endless loop?"
            )
        except BaseException as error:
            if not clock.stopped:
                result.error = _sentence(error, function)
        if clock.stopped and not result.error:
            result.error = (
                f"Your code was still running after {seconds:g} seconds and was stopped: is there an endless loop?"
            )
    if pressed:
        raise KeyboardInterrupt
    if copy_inputs:
        result.changed = any(_differs(a, b) for a, b in zip(arguments, given, strict=True))
    return result


def _differs(before, after) -> bool:
    if isinstance(before, list) and (type(after) is not list or len(before) != len(after)):
        return True
    return bool(values.difference(before, after, 0.0)) and not _both_text(before, after)


def _both_text(before, after) -> bool:
    """Texts and other things that are not numbers: equal if NumPy finds them equal."""
    import numpy as np

    try:
        return np.array_equal(before, after)
    except Exception:
        return False


def _sentence(error: BaseException, function) -> str:
    """An error as a sentence: its name, its message, and the line of the learner's code."""
    try:
        message = str(error)
    except BaseException:
        message = ""
    message = " ".join(message.split())[:_LONGEST]
    line, code = None, getattr(function, "__code__", None)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is code:
            line = trace.tb_lineno - code.co_firstlineno + 1
        trace = trace.tb_next
    where = f" in line {line} of your function" if line else ""
    return f"Your code stopped with {type(error).__name__[:60]}{where}{': ' + message if message else ''}."


# ------------------------------------------------------------------------------------- limits


class _Clock:
    stopped = False


@contextlib.contextmanager
def _time_limit(seconds: float):
    """Stop what runs too long.

    A trace function raises at every further line once the time is over: an exception raised only once would
    be swallowed by a bare ``except:`` in a loop. Where there is an alarm signal, it wakes what sleeps.
    """
    clock, end, skipped = _Clock(), time.monotonic() + seconds, {}

    def in_frame(frame, event, argument):
        if time.monotonic() > end:
            clock.stopped = True
            raise TimeUp
        return in_frame

    def on_call(frame, event, argument):
        file = frame.f_code.co_filename
        if file not in skipped:
            skipped[file] = file.startswith(_LIBRARY) or file == __file__
        # Libraries run at full speed; after the end even they are stopped.
        return None if skipped[file] and time.monotonic() <= end else in_frame(frame, event, argument)

    def on_alarm(number, frame):
        clock.stopped = True
        raise TimeUp

    before = sys.gettrace()
    alarm = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if alarm:
        handler = signal.signal(signal.SIGALRM, on_alarm)
        signal.setitimer(signal.ITIMER_REAL, seconds + 0.1)
    sys.settrace(on_call)
    try:
        yield clock
    finally:
        sys.settrace(before)
        if alarm:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, handler)


@contextlib.contextmanager
def _interrupts():
    """Tell the learner's own interrupt from a KeyboardInterrupt that the code raises itself."""
    pressed: list[bool] = []
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return

    def on_interrupt(number, frame):
        pressed.append(True)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)


class _Bounded(io.StringIO):
    """Takes any amount of text and keeps none of it."""

    def write(self, text):
        return len(text) if isinstance(text, str) else 0


@contextlib.contextmanager
def _quiet():
    """Nothing that the code prints, shows or warns about reaches the notebook."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(_Bounded()))
        stack.enter_context(contextlib.redirect_stderr(_Bounded()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        ipython = sys.modules.get("IPython")
        if ipython and ipython.get_ipython() is not None:
            from IPython.utils.capture import capture_output

            stack.enter_context(capture_output(stdout=False, stderr=False, display=True))
        yield


@contextlib.contextmanager
def _state_kept():
    """Whatever the code does to random generators, NumPy's error handling or the recursion limit is undone."""
    import numpy as np

    state, numpy_state, depth = random.getstate(), np.random.get_state(), sys.getrecursionlimit()
    with np.errstate(all="ignore"):
        try:
            yield
        finally:
            sys.setrecursionlimit(depth)
            random.setstate(state)
            np.random.set_state(numpy_state)
