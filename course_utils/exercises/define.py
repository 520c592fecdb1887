"""Define an exercise: a reference, its mistakes, other right forms, hints."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from course_utils.exercises import judge, present, progress, recognise, register, values


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer and the one or two sentences that it earns.

    Attributes:
        answer: the wrong answer itself: a function, an option's letter, or a number.
        says: what the learner should look at.
    """

    answer: object
    says: str


class Task:
    """What all kinds share. ``verdict`` judges; ``check`` shows the verdict and records it."""

    kind = ""  # predict, complete, repair, do or explain

    def __init__(self, key: str, hints=()):
        if not re.fullmatch(r"\d\d\.[a-z][a-z0-9_]*", key):
            raise ValueError(f"A key is a chapter and a name, such as '08.tfidf_weight'; not {key!r}.")
        self.key, self.hints, self.mistakes = key, list(hints), []
        register.add(self)

    @property
    def name(self) -> str:
        """The name in the notebook: the key without its chapter."""
        return self.key.split(".")[1]

    @property
    def chapter(self) -> str:
        return self.key.split(".")[0]

    def verdict(self, answer, seconds: float = judge.SECONDS) -> judge.Verdict:
        """Judge an answer without showing or recording anything. Raises only the learner's own KeyboardInterrupt."""
        raise NotImplementedError

    def check(self, *answer) -> None:
        """Judge an answer, show the verdict and record it."""
        verdict = self.verdict(answer[0] if len(answer) == 1 else answer or ...)
        present.show_verdict(verdict)
        progress.note(self.key, self.fingerprint, verdict.status)

    def hint(self) -> None:
        """Show the next hint; after the last one they start again."""
        if not self.hints:
            present.show_text("There is no hint for this one. Read the sentence above it again.")
            return
        given = progress.count_hint(self.key, self.fingerprint)
        number = (given - 1) % len(self.hints)
        present.show_text(f"Hint {number + 1} of {len(self.hints)}: {self.hints[number]}")

    def solution(self) -> None:
        """Show the solution. The progress keeps that it was seen."""
        progress.note_solution(self.key, self.fingerprint)
        present.show_code(self.solution_source)

    @property
    def solution_source(self) -> str:
        """What ``solution`` shows."""
        raise NotImplementedError

    @property
    def essence(self) -> str:
        """What makes an answer right, without the words around it."""
        raise NotImplementedError

    @property
    def fingerprint(self) -> str:
        """Changes when what is right does: what was solved before then counts as another exercise."""
        return hashlib.sha256(self.essence.encode()).hexdigest()[:8]


class Exercise(Task):
    """A function to write. Made with ``@exercise``; see the package for how to add one."""

    kind = "complete"

    def __init__(self, key, reference, cases, hints=(), rule=None, tolerance=1e-6, equivalent=()):
        super().__init__(key, hints)
        self.reference, self.cases, self.rule, self.tolerance = reference, list(cases), rule, tolerance
        self.equivalent, self.rights, self.accepted = list(equivalent), [], []
        if reference.__name__ != self.name:
            raise ValueError(f"The reference of {key!r} must be called {self.name!r}.")

    @property
    def argument_names(self) -> list[str]:
        """The names of the arguments, in order."""
        return list(inspect.signature(self.reference).parameters)

    def mistake(self, says: str) -> Callable:
        """Decorator: a typical wrong answer, and the sentence that it earns."""

        def keep(function):
            self.mistakes.append(Mistake(function, says))
            return function

        return keep

    def right(self, function: Callable) -> Callable:
        """Decorator: another correct form."""
        self.rights.append(function)
        return function

    def accept(self, says: str) -> Callable:
        """Decorator: a form with other results that is right, too; the lesson goes on with the reference."""

        def keep(function):
            self.accepted.append(Mistake(function, says))
            return function

        return keep

    def is_unchanged(self, answer) -> bool:
        """Whether an answer is the code that was given, where code was given."""
        return False

    def verdict(self, answer, seconds: float = judge.SECONDS) -> judge.Verdict:
        return judge.function(self, answer, seconds)

    def or_reference(self, answer):
        """The learner's own function if it is right, else the reference, with a line that says so.

        A right answer that returns a list where the lesson goes on with an array, an array for two things, or an array
        of one number for a number, is wrapped, so that the next cells run.
        """
        verdict = self.verdict(answer)
        if verdict.status != "correct" or any(verdict.text == other.says for other in self.accepted):
            present.show_text(f"The lesson goes on with the course's own {self.name}.")
            return self.reference
        wanted = judge.expected(self, self.cases[0])
        got = judge.guard.run(answer, self.cases[0], judge.SECONDS).value
        if self.rule or _same_form(values.conformed(wanted, got), got):
            return answer

        @functools.wraps(answer)
        def conforming(*arguments, **named):
            return values.conformed(wanted, answer(*arguments, **named))

        return conforming

    @property
    def solution_source(self) -> str:
        return source_of(self.reference)

    @property
    def essence(self) -> str:
        return _without_docstring(self.solution_source)

    @property
    def starter(self) -> str:
        """What stands in the notebook for the learner to complete."""
        signature = f"def {self.name}{inspect.signature(self.reference)}:"
        doc = textwrap.indent(f'"""{inspect.getdoc(self.reference)}"""', "    ")
        return f"{signature}\n{doc}\n    return ...  # replace the dots"


class Repair(Exercise):
    """Code that runs and is wrong. Made with ``@repair``; the learner finds the fault."""

    kind = "repair"

    def __init__(self, key, reference, broken, cases, **settings):
        super().__init__(key, reference, cases, **settings)
        self.broken = broken

    def is_unchanged(self, answer) -> bool:
        tree = recognise.syntax_tree(answer)
        return (
            answer is self.broken
            or tree is not None
            and ast.dump(_core(tree)) == ast.dump(_core(ast.parse(self.starter)))
        )

    @property
    def starter(self) -> str:
        return re.sub(r"\Adef \w+", f"def {self.name}", source_of(self.broken))


class Do(Task):
    """Something to make, judged by what came out. Made with ``@do``."""

    kind = "do"

    def __init__(self, key, reference, starter, judge, hints=(), at_least=None, at_most=None, what="", seconds=60.0):
        super().__init__(key, hints)
        self.reference, self.starter, self.judge, self.what, self.seconds = reference, starter, judge, what, seconds
        self.at_most, self.bound = at_most is not None, at_most if at_most is not None else at_least
        if "..." not in starter:
            raise ValueError(f"The starter of {key!r} needs dots to replace.")

    mistake = Exercise.mistake

    def verdict(self, answer, seconds: float | None = None) -> judge.Verdict:
        return judge.outcome(self, answer, self.seconds if seconds is None else seconds)

    def or_reference(self, thing):
        """The learner's own thing if it does what is asked for, else the course's own, with a line that says so."""
        if self.verdict(thing).status == "correct":
            return thing
        present.show_text("The lesson goes on with the course's own.")
        return self.reference()

    @property
    def solution_source(self) -> str:
        return textwrap.dedent(source_of(self.reference).partition("\n")[2])

    @property
    def essence(self) -> str:
        return _without_docstring(source_of(self.reference))


def exercise(key: str, cases, **settings) -> Callable[[Callable], Exercise]:
    """Decorator: make this function the reference of an exercise.

    Args:
        key: chapter and name, such as ``08.tfidf_weight``.
        cases: tuples of arguments, the smallest first.
        settings: ``hints``, ``rule``, ``tolerance``, ``equivalent``; see the package.
    """
    return lambda reference: Exercise(key, reference, cases, **settings)


def repair(key: str, broken: Callable, cases, **settings) -> Callable[[Callable], Repair]:
    """Decorator: make this function the reference of a repair.

    Args:
        broken: a function that runs and is wrong; its source is what the learner is given.
        cases, settings: as for ``exercise``; at least one case must show the fault.
    """
    return lambda reference: Repair(key, reference, broken, cases, **settings)


def do(key: str, starter: str, judge: Callable, **settings) -> Callable[[Callable], Do]:
    """Decorator: make this function, which makes a passing thing, the reference of something to do.

    Args:
        starter: the lines that stand in the notebook, with dots; they give the thing the exercise's name.
        judge: takes the thing; returns a sentence on what is wrong (empty if nothing), or a number.
        settings: ``hints``; ``at_least`` or ``at_most``, the bound for a number; ``what``, what the number is, such as
            "right on texts that you have not"; ``seconds``.
    """
    return lambda reference: Do(key, reference, starter, judge, **settings)


def source_of(function: Callable) -> str:
    """A function's source without its decorators, as a learner would write it."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("def "))
    return "\n".join(lines[first:]).rstrip()


def _same_form(one, other) -> bool:
    """Whether two results are of one type, and so are their parts, where they are several things."""
    if type(one) is not type(other):
        return False
    return type(one) is not tuple or all(map(_same_form, one, other))


def _core(tree):
    """A definition without its docstring."""
    definition = tree.body[0]
    if isinstance(definition, ast.FunctionDef) and ast.get_docstring(definition):
        del definition.body[0]
    return tree


def _without_docstring(source: str) -> str:
    return ast.unparse(_core(ast.parse(source)))  # no comments, no layout
