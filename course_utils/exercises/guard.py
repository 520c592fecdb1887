"""Run code that may do anything: bounded in time and output, on copies of its inputs, never raising.

What cannot be stopped: a loop inside one call into C, such as ``sum(itertools.count())``; and, on Windows or
outside the main thread, one long ``time.sleep``.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import inspect
import io
import random
import signal
import sys
import threading
import warnings
from dataclasses import dataclass

from course_utils.exercises import values

TICK_SECONDS = 0.05  # how often the time is counted
MAX_IMPORT_SECONDS = 120
MAX_PRINTED_CHARS = 300


class TimeUp(BaseException):
    """The time of the answer is over. Not an Exception: ``except Exception`` must not swallow it."""


@dataclass
class Run:
    """What one call gave.

    Attributes:
        value: the result, or None.
        error: the exception that stopped it, or None.
        line: the line of the answer in which it was raised, from 1; 0 if unknown.
        timed_out: whether it was stopped because its time was over.
        changed: whether an argument was changed in place.
        printed: the first lines that it printed.
    """

    value: object = None
    error: BaseException | None = None
    line: int = 0
    timed_out: bool = False
    changed: bool = False
    printed: str = ""


def is_callable(answer) -> bool:
    """Whether an answer can be called as a function is; a class cannot."""
    try:
        return callable(answer) and not isinstance(answer, type)
    except BaseException:
        return False


def run(function, arguments: tuple, seconds: float, copy_inputs: bool = True) -> Run:
    """Call a function within its limits. Raises only KeyboardInterrupt, and only if the learner pressed it."""
    given = copy.deepcopy(arguments) if copy_inputs else arguments
    result, output = Run(), _Bounded()
    with _quiet(output), _state_kept(), _interrupts() as pressed, _Limit(seconds) as limit:
        try:
            try:
                result.value = function(*given)
            finally:
                limit.over = True  # no call here: a call could itself be hit
        except BaseException as error:
            limit.over = True
            result.error, result.line = error, _line_of(error, function)
    if inspect.iscoroutine(result.value):
        result.value.close()
        result.value, result.error = None, TypeError("an async function gives no result; write def, without async")
    if limit.stopped:
        result.value, result.error, result.timed_out = None, TimeUp(), True
    if pressed:
        raise KeyboardInterrupt
    if copy_inputs:
        result.changed = any(_differs(a, b) for a, b in zip(arguments, given, strict=True))
    result.printed = output.text.strip()
    return result


def _differs(before, after) -> bool:
    if isinstance(before, list) and (type(after) is not list or len(before) != len(after)):
        return True
    return bool(values.difference(before, after, 0.0)) and not _equal(before, after)


def _equal(before, after) -> bool:
    """Texts and other things that are not numbers: equal if NumPy finds them equal."""
    import numpy as np

    try:
        return before is after or np.array_equal(before, after)
    except Exception:
        return callable(before)


def _line_of(error: BaseException, function) -> int:
    line, code, trace = 0, getattr(function, "__code__", None), error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is code:
            line = trace.tb_lineno - code.co_firstlineno + 1
        trace = trace.tb_next
    return line


# ------------------------------------------------------------------------------------- limits


class _Limit:
    """Stops what runs too long, again and again until it has stopped.

    Time is counted in ticks that this process has lived through, so a computer that slept costs the answer nothing;
    an import counts nothing, and is never cut off halfway. One exception is not enough to stop a loop: a bare
    ``except:`` in it swallows it. So an alarm signal throws at each tick, and lets a trace function throw at each line.
    Where there is no such signal, on Windows and outside the main thread, another thread throws instead.
    """

    def __init__(self, seconds: float):
        self.left = max(1, round(seconds / TICK_SECONDS))
        self.imports_left = MAX_IMPORT_SECONDS / TICK_SECONDS
        self.stopped = self.over = False
        self._alarm = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()

    def __enter__(self):
        self._trace = sys.gettrace()
        if self._alarm:
            self._handler = signal.signal(signal.SIGALRM, self._on_alarm)
            signal.setitimer(signal.ITIMER_REAL, TICK_SECONDS, TICK_SECONDS)
        else:
            self._done, self._of = threading.Event(), threading.get_ident()
            self._thread = threading.Thread(target=self._throw_again, daemon=True)
            self._thread.start()
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

    def _tick(self, frame) -> bool:
        """Count one tick; whether the answer has to be stopped now."""
        if self.over or frame is None or frame.f_code is run.__code__:
            return False  # the answer has not begun, or has just ended
        if self.imports_left > 0 and _is_importing(frame):
            self.imports_left -= 1
            return False
        self.left -= 1
        self.stopped = self.stopped or self.left <= 0
        return self.stopped

    def _throw_again(self):
        while not self._done.wait(TICK_SECONDS):
            if self._tick(sys._current_frames().get(self._of)):
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._of), ctypes.py_object(TimeUp))

    def _on_alarm(self, number, frame):
        if not self._tick(frame):
            return
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
            raise TimeUp
        return self._on_line


def _is_importing(frame) -> bool:
    while frame is not None and frame.f_code is not run.__code__:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


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
    """Takes any amount of text and keeps the beginning of it."""

    def __init__(self):
        super().__init__()
        self.text = ""

    def write(self, text):
        if not isinstance(text, str):
            return 0
        if len(self.text) < MAX_PRINTED_CHARS:
            self.text += text[: MAX_PRINTED_CHARS - len(self.text)]
        return len(text)


@contextlib.contextmanager
def _quiet(output):
    """Nothing that the code prints, shows or warns about reaches the notebook; ``exit()`` ends no kernel."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.enter_context(contextlib.redirect_stderr(_Bounded()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        if shell is not None:
            from IPython.utils.capture import capture_output

            stack.enter_context(capture_output(stdout=False, stderr=False, display=True))
            stack.enter_context(_exit_is_an_error(shell))
        yield


@contextlib.contextmanager
def _exit_is_an_error(shell):
    def refuse(*_):
        raise SystemExit

    shell.ask_exit = refuse
    try:
        yield
    finally:
        del shell.ask_exit  # the class's own method is back


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
