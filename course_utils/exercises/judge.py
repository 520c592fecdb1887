"""Judge an answer: correct, or the most helpful thing that can be said about it."""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from dataclasses import dataclass

from course_utils.exercises import guard, values

SECONDS = 5.0
CORRECT, NOT_YET, NOT_ATTEMPTED, COULD_NOT_RUN = "correct", "not yet", "not attempted", "could not run"
_BLANK = "Nothing to judge yet: replace the dots with your own code and run the cell again."


@dataclass(frozen=True)
class Verdict:
    """What is said about an answer.

    Attributes:
        status: ``correct``, ``not yet``, ``not attempted`` or ``could not run``.
        text: what the learner reads.
    """

    status: str
    text: str


def digest(text: str) -> str:
    """A short hash that is the same on every machine."""
    return hashlib.sha256(text.encode()).hexdigest()


def _own_fault(judge):
    """A fault of the checker itself is said to be one; only the learner's own interrupt passes through."""

    def judged(*arguments):
        try:
            return judge(*arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            text = f"The checker itself failed ({type(error).__name__}). This is not your fault; please report it."
            return Verdict(COULD_NOT_RUN, text)

    return judged


# ---------------------------------------------------------------------------------- functions


@_own_fault
def function(exercise, answer, seconds: float) -> Verdict:
    """Judge a function. The order of the questions is the order of what helps most."""
    if answer is ...:
        return Verdict(NOT_ATTEMPTED, _BLANK)
    if not guard.is_function(answer):
        kind = values.kind(answer)
        text = f"Pass the function itself, without calling it: check({exercise.name}). This is {kind}."
        return Verdict(COULD_NOT_RUN, text)
    runs = [guard.run(answer, case, seconds) for case in exercise.cases[:1]]
    if not runs[0].error:
        runs += [guard.run(answer, case, seconds) for case in exercise.cases[1:]]
    wrong = [i for i, run in enumerate(runs) if _wrong(exercise, exercise.cases[i], run)]
    changed = any(run.changed for run in runs)
    if not wrong and not changed:
        return Verdict(CORRECT, "Right on every case.")
    if not wrong:
        return Verdict(NOT_YET, "The result is right, but your function changes its input in place: work on a copy.")
    if _is_blank(answer, runs):
        return Verdict(NOT_ATTEMPTED, _BLANK)
    return _diagnose(exercise, runs, wrong[0], seconds)


def _wrong(exercise, case, run) -> str:
    """What is wrong with one run, in words; empty if nothing is."""
    if run.error:
        return run.error
    if exercise.rule:
        outcome = guard.run(exercise.rule, (run.value, case), SECONDS, copy_inputs=False)
        return outcome.value if not outcome.error else "The result is not of the kind that is asked for."
    return values.difference(_expected(exercise, case), run.value, exercise.tolerance)


def _expected(exercise, case):
    return guard.run(exercise.reference, case, SECONDS).value


def _is_blank(answer, runs) -> bool:
    return runs[0].value is ... or _has_dots(answer)


def _has_dots(answer) -> bool:
    """Whether the code still has dots to replace; those inside a subscript (``w[..., 0]``) are no blank."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(answer)))
    except (OSError, TypeError, SyntaxError):
        return False
    inside = {id(n) for s in ast.walk(tree) if isinstance(s, ast.Subscript) for n in ast.walk(s.slice)}
    return any(isinstance(n, ast.Constant) and n.value is ... and id(n) not in inside for n in ast.walk(tree))


def _diagnose(exercise, runs, first: int, seconds: float) -> Verdict:
    run, case = runs[first], exercise.cases[first]
    if run.error:
        return Verdict(COULD_NOT_RUN, f"{run.error} The arguments were {values.show_arguments(case)}.")
    if run.value is None:
        return Verdict(NOT_YET, "Your function returns nothing. Does it end with return and the result?")
    expected = None if exercise.rule else _expected(exercise, case)
    if not exercise.rule and (problem := values.wrong_type(expected, run.value)):
        return Verdict(NOT_YET, problem)
    if says := _known_mistake(exercise, runs, seconds):
        return Verdict(NOT_YET, says)
    if exercise.rule:
        return Verdict(NOT_YET, _wrong(exercise, case, run))
    if problem := values.wrong_shape(expected, run.value) or values.has_nan(expected, run.value):
        return Verdict(NOT_YET, f"{problem} The arguments were {values.show_arguments(case)}.")
    got, wanted = values.show(run.value), values.show(expected)
    return Verdict(NOT_YET, f"For {values.show_arguments(case)} the result is {got}; expected is {wanted}.")


def _known_mistake(exercise, runs, seconds: float) -> str:
    """The sentence of the mistake that gives the same results on every case; empty if there is none."""
    for mistake in exercise.mistakes:
        theirs = [guard.run(mistake.answer, case, seconds) for case in exercise.cases]
        if len(theirs) == len(runs) and all(_same(a, b, exercise.tolerance) for a, b in zip(runs, theirs, strict=True)):
            return mistake.says
    return ""


def _same(one, other, tolerance) -> bool:
    if one.error or other.error:
        return False
    return not values.difference(other.value, one.value, tolerance)


# ---------------------------------------------------------------------------------- questions


@_own_fault
def choice(question, answer) -> Verdict:
    """Judge a letter."""
    letters = ", ".join(question.options)
    if answer is ...:
        return Verdict(NOT_ATTEMPTED, f"Replace the dots with a letter: {letters}.")
    if type(answer) is not str or answer.strip().strip('"').upper() not in question.options:
        return Verdict(COULD_NOT_RUN, f'Answer with one letter in quotes, such as "A". The letters are {letters}.')
    letter = answer.strip().strip('"').upper()
    if letter == question.reference:
        return Verdict(CORRECT, question.explain)
    return Verdict(NOT_YET, next(m.says for m in question.mistakes if m.answer == letter))


@_own_fault
def number(question, answer) -> Verdict:
    """Judge a number."""
    if answer is ...:
        return Verdict(NOT_ATTEMPTED, "Replace the dots with a number.")
    value = values.as_number(answer)
    if value is None:
        return Verdict(COULD_NOT_RUN, f"The answer is a number; this is {values.kind(answer)}.")

    def close(wanted):
        return abs(value - wanted) <= question.tolerance * max(abs(wanted), 1e-12)

    if close(question.reference):
        return Verdict(CORRECT, question.explain)
    for mistake in question.mistakes:
        if close(mistake.answer):
            return Verdict(NOT_YET, mistake.says)
    size = "too large" if value > question.reference else "too small"
    return Verdict(NOT_YET, f"{values.show(value)} is {size}. Work it out step by step, or ask for a hint.")
