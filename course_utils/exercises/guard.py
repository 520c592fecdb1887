"""Run code that may do anything: bounded in time and output, on copies of its inputs, never raising.

What cannot be stopped: a loop inside one call into C, such as ``sum(itertools.count())``; and, on Windows or
outside the main thread, one long ``time.sleep``.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import io
import random
import signal
import sys
import threading
import time
import types
import warnings
from dataclasses import dataclass

from course_utils.exercises import values

_LONGEST = 200  # characters of an error's own message
_AGAIN = 0.05  # seconds between two attempts to stop what does not stop


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
    library = callable(answer) and type(answer).__module__.startswith(("numpy", "tensorflow"))
    return isinstance(answer, kinds) or library


def run(function, arguments: tuple, seconds: float, copy_inputs: bool = True) -> Run:
    """Call a function within its limits. Raises only KeyboardInterrupt, and only if the learner pressed it."""
    given = copy.deepcopy(arguments) if copy_inputs else arguments
    result = Run()
    with _quiet(), _state_kept(), _interrupts() as pressed, _Limit(seconds) as limit:
        try:
            try:
                result.value = function(*given)
            finally:
                limit.over = True  # no call here: a call could itself be hit
        except BaseException as error:
            limit.over = True
            result.error = _sentence(error, function)
    if limit.stopped:
        result.value = None
        result.error = f"Your code was stopped after {seconds:g} seconds: is there an endless loop?"
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


class _Limit:
    """Stops what runs too long, again and again until it has stopped.

    One exception is not enough: a bare ``except:`` in a loop swallows it. So a trace function watches the
    clock and throws at the next line. Python takes it away once it has raised, so an alarm signal throws again
    and again, and puts it back; it also wakes what sleeps. Where there is no such signal, on Windows and outside
    the main thread, another thread throws instead.
    """

    def __init__(self, seconds: float):
        self.seconds, self.stopped, self.over = seconds, False, False
        self._alarm = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        self._end = time.monotonic() + seconds

    def __enter__(self):
        self._trace = sys.gettrace()
        if self._alarm:
            self._handler = signal.signal(signal.SIGALRM, self._on_alarm)
            signal.setitimer(signal.ITIMER_REAL, self.seconds, _AGAIN)
        else:
            self._done, self._of = threading.Event(), threading.get_ident()
            self._thread = threading.Thread(target=self._throw_again, daemon=True)
            self._thread.start()
        sys.settrace(self._on_line)
        return self

    def __exit__(self, *_):
        self.over = True
        sys.settrace(self._trace)
        if self._alarm:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler)
            return
        while True:
            try:
                self._done.set()
                self._thread.join()
                for _ in range(100):  # what was thrown as the answer ended arrives here, and not later
                    pass
                return
            except TimeUp:
                continue

    def _throw_again(self):
        again = self._done.wait(self.seconds)
        while not again and not self.over:
            self.stopped = True
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._of), ctypes.py_object(TimeUp))
            again = self._done.wait(_AGAIN)

    def _on_alarm(self, number, frame):
        if self.over or frame is None or frame.f_code is run.__code__:
            return  # the answer has not begun, or has just ended
        self.stopped = True
        sys.settrace(self._on_line)
        while frame is not None and frame.f_code is not run.__code__:
            frame.f_trace = self._on_line
            frame = frame.f_back
        raise TimeUp

    def _on_line(self, frame, event, argument):
        if event == "call" and frame.f_code.co_filename == __file__:
            return None  # what swallows the answer's output is no line of the answer
        # Not at the event "exception": that is the first throw on its way, still inside the answer's try.
        if event == "line" and not self.over and frame.f_code is not run.__code__:
            self.stopped = self.stopped or time.monotonic() > self._end
            if self.stopped:
                raise TimeUp
        return self._on_line


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
