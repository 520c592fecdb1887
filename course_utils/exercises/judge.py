"""Judge an answer: correct, or the most helpful thing that can be said about it."""

from __future__ import annotations

import ast
import functools
import hashlib
import unicodedata
from dataclasses import dataclass

import numpy as np

from course_utils.exercises import guard, recognise, values, variants

SECONDS = 5.0
CORRECT, NOT_YET, NOT_ATTEMPTED, COULD_NOT_RUN = "correct", "not yet", "not attempted", "could not run"
NOTED = "noted"  # a guess: neither right nor wrong
BLANK = "Nothing to judge yet: replace the dots with your own code and run the cell again."
UNCHANGED = "The code is as it was given, and it does not do what it should: find out where, and change it."
MAX_ERROR_CHARS = 160


@dataclass(frozen=True)
class Verdict:
    """What is said about an answer.

    Attributes:
        status: ``correct``, ``not yet``, ``not attempted``, ``could not run`` or, for a guess, ``noted``.
        text: what the learner reads.
        printed: what the answer printed on the case that is shown.
    """

    status: str
    text: str
    printed: str = ""


def digest(text: str) -> str:
    """A short hash that is the same on every machine."""
    return hashlib.sha256(text.encode()).hexdigest()


def never_raises(judge):
    """A fault of the checker itself is said to be one; only the learner's own interrupt passes through."""

    @functools.wraps(judge)
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


@never_raises
def function(exercise, answer, seconds: float) -> Verdict:
    """Judge a function. The order of the questions is the order of what helps most."""
    if answer is ...:
        return Verdict(NOT_ATTEMPTED, BLANK)
    if not guard.is_callable(answer):
        text = f"Pass the function itself, without calling it: check({exercise.name}). This is {values.kind(answer)}."
        return Verdict(COULD_NOT_RUN, text)
    if exercise.is_unchanged(answer):
        return Verdict(NOT_ATTEMPTED, UNCHANGED)
    runs = _runs(exercise, answer, seconds)
    wrong = [i for i, run in enumerate(runs) if _problem(exercise, exercise.cases[i], run)]
    if not wrong and any(run.changed for run in runs):
        return Verdict(NOT_YET, "The result is right, but your function changes its input in place: work on a copy.")
    if not wrong:
        return Verdict(CORRECT, "Right on every case.")
    for other in exercise.accepted:
        if not any(run.error or run.changed for run in runs) and _same_results(exercise, runs, other.answer, seconds):
            return Verdict(CORRECT, other.says)
    if runs[0].value is ... or _has_dots(answer):
        return Verdict(NOT_ATTEMPTED, BLANK)
    status, text = _diagnose(exercise, answer, runs, wrong[0], seconds)
    return Verdict(status, text, runs[wrong[0]].printed)


def _same_results(exercise, runs, other, seconds: float) -> bool:
    """Whether another function gives these results on every case."""
    pairs = zip(exercise.cases, runs, strict=False)
    return len(runs) == len(exercise.cases) and not any(
        values.difference(guard.run(other, case, seconds).value, run.value, exercise.tolerance) for case, run in pairs
    )


def _runs(exercise, answer, seconds: float) -> list[guard.Run]:
    """One run for each case, up to one that did not end in time."""
    runs = []
    for case in exercise.cases:
        runs.append(guard.run(answer, case, seconds))
        if runs[-1].timed_out:
            break
    return runs


def _problem(exercise, case, run) -> str:
    """What is wrong with one run, in words; empty if nothing is."""
    if run.error:
        return "an error"
    if exercise.rule:
        outcome = guard.run(exercise.rule, (run.value, case), SECONDS, copy_inputs=False)
        return outcome.value if not outcome.error else "The result is not of the kind that is asked for."
    return values.difference(expected(exercise, case), run.value, exercise.tolerance)


def expected(exercise, case):
    """What the reference gives for a case."""
    return guard.run(exercise.reference, case, SECONDS).value


def _has_dots(answer) -> bool:
    """Whether the code still has dots to replace; those inside a subscript (``w[..., 0]``) are no blank."""
    tree = recognise.syntax_tree(answer)
    if tree is None:
        return False
    inside = {id(n) for s in ast.walk(tree) if isinstance(s, ast.Subscript) for n in ast.walk(s.slice)}
    return any(isinstance(n, ast.Constant) and n.value is ... and id(n) not in inside for n in ast.walk(tree))


def _diagnose(exercise, answer, runs, first: int, seconds: float) -> tuple[str, str]:
    """Status and text for an answer that is wrong on the case number ``first``."""
    run, case = runs[first], exercise.cases[first]
    names = exercise.argument_names
    status = COULD_NOT_RUN if run.error else NOT_YET
    if run.timed_out:
        return status, f"Your code was stopped after {seconds:g} seconds: is there an endless loop?"
    if text := _known_mistake(exercise, runs, seconds):
        return NOT_YET, text
    if text := recognise.from_source(answer, run):
        return status, text
    if run.error:
        return status, _error_text(run, names, case)
    if exercise.rule:
        return NOT_YET, _problem(exercise, case, run)
    wanted = expected(exercise, case)
    arguments = values.show_arguments(names, case)
    if text := values.wrong_kind(wanted, run.value):
        return NOT_YET, f"{text} The arguments were {arguments}."
    text = _recognised(exercise, runs, names)
    if not text or text.startswith("Look at"):
        text = f"{text} {variants.explain(exercise, runs)}"
    return NOT_YET, f"{text} {_counterexample(wanted, run.value, arguments, exercise.tolerance)}".strip()


def _known_mistake(exercise, runs, seconds: float) -> str:
    """The sentence of the mistake that gives the same results wherever both run; empty if there is none."""
    for mistake in exercise.mistakes:
        alike = []
        for i, run in enumerate(runs):
            if run.error:
                continue
            theirs = guard.run(mistake.answer, exercise.cases[i], seconds)
            if not theirs.error:
                same = not values.difference(theirs.value, run.value, exercise.tolerance)
                alike.append((i, same))
        shows_it = any(_problem(exercise, exercise.cases[i], runs[i]) for i, _ in alike)
        if shows_it and all(same for _, same in alike):
            return mistake.says
    return ""


def _recognised(exercise, runs, names) -> str:
    ran = [i for i, run in enumerate(runs) if not run.error]
    wanted = [expected(exercise, exercise.cases[i]) for i in ran]
    return recognise.from_results(wanted, [runs[i].value for i in ran], names, [exercise.cases[i] for i in ran])


def _error_text(run, names, case) -> str:
    """An error in plain words, with its name, its line and the arguments."""
    try:
        message = " ".join(str(run.error).split())[:MAX_ERROR_CHARS]
    except BaseException:
        message = ""
    where = f" in line {run.line} of your function" if run.line else ""
    text = f"Your code stopped with {type(run.error).__name__[:60]}{where}{': ' + message if message else ''}."
    if plain := recognise.from_error(run.error, names, case):
        return f"{plain} ({text[:-1]})"
    return f"{text} The arguments were {values.show_arguments(names, case)}."


def _counterexample(wanted, got, arguments: str, tolerance: float) -> str:
    """The smallest thing that shows the difference: which result, which element, which letter."""
    got, part = values.conformed(wanted, got), ""
    if type(wanted) is tuple:
        i = next(i for i, pair in enumerate(zip(wanted, got, strict=True)) if values.difference(*pair, tolerance))
        wanted, got, part = wanted[i], got[i], f"result {i + 1} of {len(wanted)}, "
    if type(wanted) is str or values._is_texts(wanted):
        return f"For {arguments}: {part}{_text_difference(wanted, got)}"
    shapes = values.array(wanted).shape, values.array(got).shape
    if shapes[0] != shapes[1]:
        words = [values.shape_in_words(shape) for shape in shapes]
        return f"For {arguments}: {part}{words[0]} {shapes[0]} should come out; it is {words[1]} {shapes[1]}."
    return f"For {arguments}: {part}{_number_difference(wanted, got, tolerance)}"


def _number_difference(wanted, got, tolerance: float) -> str:
    e, g = values.array(wanted), values.array(got)
    with np.errstate(all="ignore"):
        wrong = np.argwhere(~np.isclose(g, e, rtol=tolerance, atol=tolerance, equal_nan=True))
    if not e.ndim:
        shown = values.show_pair(wanted, got)
        return _with_nan(f"the result is {shown[1]}; expected is {shown[0]}.", g)
    place = tuple(map(int, wrong[0]))
    if e.size <= values.MAX_SHOWN_NUMBERS:
        shown = values.show_pair(np.asarray(wanted), np.asarray(got))
        text = f"the result is {shown[1]}; expected is {shown[0]}."
    else:
        shown = values.show_pair(float(e[place]), float(g[place]))
        text = f"element {list(place)} of the result is {shown[1]}; expected is {shown[0]}."
        text += f" {len(wrong)} of {e.size} differ."
    return _with_nan(text, g[place])


def _with_nan(text: str, g) -> str:
    if np.isnan(g).any():
        return text + " NaN is not a number: it comes from 0 divided by 0, or a logarithm or root of a negative number."
    return text


def _text_difference(wanted, got) -> str:
    """Where two texts, or lists of texts, begin to differ."""
    shorter = min(len(wanted), len(got))
    i = next((i for i in range(shorter) if wanted[i] != got[i]), shorter)
    if type(wanted) is list:
        if i == shorter:
            return f"the result has {len(got)} entries; expected are {len(wanted)}."
        shown = values.show_pair(wanted[i], got[i])
        return f"entry {i} of the result is {shown[1]}; expected is {shown[0]}."
    if max(len(wanted), len(got)) <= 60:
        return f"the result is {got!r}; expected is {wanted!r}."
    begin = max(0, i - 15)
    return f"from letter {i} on, the result has {got[begin : i + 25]!r}; expected is {wanted[begin : i + 25]!r}."


# ------------------------------------------------------------------------------- what came out


@never_raises
def outcome(task, thing, seconds: float) -> Verdict:
    """Judge a thing that the learner has made, by what it does."""
    if thing is ...:
        return Verdict(NOT_ATTEMPTED, BLANK)
    run = guard.run(task.judge, (thing,), seconds, copy_inputs=False)
    if run.timed_out:
        return Verdict(COULD_NOT_RUN, f"Judging it took more than {seconds:g} seconds: is it too large, or too slow?")
    if run.error:
        return Verdict(COULD_NOT_RUN, f"It cannot be used as it is asked for. {_error_text(run, [], ())}"[:600])
    if isinstance(run.value, str):
        return Verdict(NOT_YET, run.value) if run.value else Verdict(CORRECT, "It does what is asked for.")
    return _measured(task, run.value)


def _measured(task, value) -> Verdict:
    number = values.as_number(value)
    if number is None:
        return Verdict(COULD_NOT_RUN, f"What came out is not a number to be judged; it is {values.kind(value)}.")
    enough = number <= task.bound if task.at_most else number >= task.bound
    word = "at most" if task.at_most else "at least"
    return Verdict(
        CORRECT if enough else NOT_YET, f"{values.show(number, 4)} {task.what}; {word} {task.bound:g} is asked for."
    )


# ---------------------------------------------------------------------------------- questions


def _is_blank(answer) -> bool:
    return answer is ... or type(answer) is tuple and any(part is ... for part in answer)


def _letter(answer) -> str | None:
    """The letter of an answer, written with or without quotes, small, or full-width."""
    if type(answer) is not str:
        return None
    return unicodedata.normalize("NFKC", answer).strip().strip("\"'()").strip().upper()


@never_raises
def choice(question, answer) -> Verdict:
    """Judge a letter."""
    letters = ", ".join(f'"{letter}"' for letter in question.options)
    if _is_blank(answer):
        return Verdict(NOT_ATTEMPTED, f"Replace the dots with a letter in quotes: {letters}.")
    if _letter(answer) not in question.options:
        return Verdict(COULD_NOT_RUN, f'Answer with one letter in quotes, such as "A". The letters are {letters}.')
    letter = _letter(answer)
    if letter == question.reference:
        return Verdict(CORRECT, question.explain)
    return Verdict(NOT_YET, next(m.says for m in question.mistakes if m.answer == letter))


UNITS = (
    (100, "per cent or a share"), (1000, "thousands"), (1024, "units of 1,024"), (1e6, "millions"), (1e9, "billions"),
    (8, "bits or bytes"), (60, "minutes or seconds"), (3600, "hours or seconds"), (24, "days or hours"),
)  # fmt: skip


@never_raises
def number(question, answer) -> Verdict:
    """Judge a number."""
    if _is_blank(answer):
        return Verdict(NOT_ATTEMPTED, "Replace the dots with a number.")
    if type(answer) is tuple and len(answer) == 2 and all(type(part) is int for part in answer):
        return Verdict(COULD_NOT_RUN, f"Write a decimal point, not a comma: {answer[0]}.{answer[1]}")
    value = values.as_number(answer)
    if value is None:
        return Verdict(COULD_NOT_RUN, f"The answer is a number; this is {values.kind(answer)}.")
    if any(question.is_close(value, right) for right in (question.reference, *question.also)):
        return Verdict(CORRECT, question.explain)
    for mistake in question.mistakes:
        if question.is_close(value, mistake.answer):
            return Verdict(NOT_YET, mistake.says)
    return Verdict(NOT_YET, _off(question, value))


def _off(question, value: float) -> str:
    """How far a number is from the right one, without giving it away."""
    right, shown = question.reference, values.show(value, 6)
    if question.is_close(-value, right):
        return f"{shown} has the wrong sign."
    if value and right:
        for factor, unit in UNITS:
            if question.is_close(value / factor, right) or question.is_close(value * factor, right):
                way = "times what is asked for" if question.is_close(value / factor, right) else "of what is asked for"
                share = f"{factor:,.0f}" if "times" in way else f"1/{factor:,.0f}"
                return f"{shown} is {share} {way}: look at the unit ({unit})."
    size = "too large" if value > right else "too small"
    near = " It is near: compute with more digits." if right and abs(value / right - 1) < 0.1 else ""
    return f"{shown} is {size}.{near} Work it out step by step, or ask for a hint."


@never_raises
def guess(question, answer) -> Verdict:
    """Note a guess: it is neither right nor wrong."""
    if _is_blank(answer):
        what = "a letter in quotes" if question.options else "your guess, a number"
        return Verdict(NOT_ATTEMPTED, f"Replace the dots with {what}. No guess is wrong: it is for you.")
    if question.options:
        letter = _letter(answer)
        if letter in question.options:
            return Verdict(NOTED, f"Noted: {letter}. The next cell shows what happens.")
        return Verdict(COULD_NOT_RUN, f'Guess with one letter in quotes, such as "A": {", ".join(question.options)}.')
    value = values.as_number(answer)
    if value is None:
        return Verdict(COULD_NOT_RUN, f"Guess a number; this is {values.kind(answer)}.")
    return Verdict(NOTED, f"Noted: {values.show(value, 6)}. The next cell shows what happens.")
