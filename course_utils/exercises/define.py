"""Define an exercise: a reference, its mistakes, other right forms, hints. And the register of them all."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from course_utils.exercises import judge, present, progress

_CHAPTERS = "course_utils.chapters"  # a layer above this one: imported only when all exercises are asked for
_REGISTER: dict[str, Task] = {}


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
    """What exercises and questions share. ``verdict`` judges; ``check`` shows the verdict and records it."""

    def __init__(self, key: str, hints=()):
        if not re.fullmatch(r"\d\d\.[a-z][a-z0-9_]*", key):
            raise ValueError(f"A key is a chapter and a name, such as '08.tfidf_weight'; not {key!r}.")
        # An import that was interrupted halfway is begun again with a new module, which may use its keys again.
        self._module = sys.modules.get(f"{_CHAPTERS}.ch{key[:2]}")
        if key in _REGISTER and _REGISTER[key]._module is self._module:
            raise ValueError(f"The key {key!r} is used twice.")
        self.key, self.hints, self.mistakes = key, list(hints), []
        _REGISTER[key] = self

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

    def check(self, answer=...) -> None:
        """Judge an answer, show the verdict and record it."""
        verdict = self.verdict(answer)
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

    def __init__(self, key, reference, cases, hints=(), rule=None, tolerance=1e-6, equivalent=()):
        super().__init__(key, hints)
        self.reference, self.cases, self.rule, self.tolerance = reference, list(cases), rule, tolerance
        self.equivalent, self.rights = list(equivalent), []
        if reference.__name__ != self.name:
            raise ValueError(f"The reference of {key!r} must be called {self.name!r}.")

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

    def verdict(self, answer, seconds: float = judge.SECONDS) -> judge.Verdict:
        return judge.function(self, answer, seconds)

    def or_reference(self, answer):
        """The learner's own function if it is right, else the reference, with a line that says so."""
        if self.verdict(answer).status == "correct":
            return answer
        present.show_text(f"The lesson goes on with the course's own {self.name}.")
        return self.reference

    @property
    def solution_source(self) -> str:
        return source_of(self.reference)

    @property
    def essence(self) -> str:
        tree = ast.parse(self.solution_source)
        if ast.get_docstring(tree.body[0]):
            del tree.body[0].body[0]
        return ast.unparse(tree)  # no comments, no layout

    @property
    def starter(self) -> str:
        """What stands in the notebook for the learner to complete."""
        signature = f"def {self.name}{inspect.signature(self.reference)}:"
        doc = textwrap.indent(f'"""{inspect.getdoc(self.reference)}"""', "    ")
        return f"{signature}\n{doc}\n    return ...  # replace the dots"


def exercise(key: str, cases, **settings) -> Callable[[Callable], Exercise]:
    """Decorator: make this function the reference of an exercise.

    Args:
        key: chapter and name, such as ``08.tfidf_weight``.
        cases: tuples of arguments, the smallest first.
        settings: ``hints``, ``rule``, ``tolerance``, ``equivalent``; see the package.
    """
    return lambda reference: Exercise(key, reference, cases, **settings)


def source_of(function: Callable) -> str:
    """A function's source without its decorators, as a learner would write it."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("def "))
    return "\n".join(lines[first:]).rstrip()


def registry() -> list[Task]:
    """Every exercise and question of the course, by key. Imports all chapters."""
    for module in pkgutil.iter_modules(importlib.import_module(_CHAPTERS).__path__):
        importlib.import_module(f"{_CHAPTERS}.{module.name}")
    return [_REGISTER[key] for key in sorted(_REGISTER)]
