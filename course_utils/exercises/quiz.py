"""Questions: multiple choice, numbers, and guesses before a result. Wrong options are mistakes like any other."""

from __future__ import annotations

from course_utils.exercises import judge, present, progress, values
from course_utils.exercises.define import Mistake, Task


class Question(Task):
    """What all questions share: a text to ask, and an answer that is a value."""

    kind = "explain"
    verb = "check"

    def __init__(self, key, question, hints=()):
        super().__init__(key, hints)
        self.question = question

    def ask(self) -> None:
        """Show the question."""
        present.show_text(self.text)

    @property
    def text(self) -> str:
        """The question as the learner reads it."""
        return self.question

    @property
    def starter(self) -> str:
        """What stands in the notebook for the learner to complete."""
        return f"ex.{self.name}.{self.verb}(...)  # replace the dots"


class Choice(Question):
    """A question with lettered options, of which one is right."""

    def __init__(self, key, question, right, wrong, explain, hints=()):
        super().__init__(key, question, hints)
        # The order is fixed by the key: the right one is not always first, and never moves.
        self.options = _lettered(sorted([right, *wrong], key=lambda text: judge.digest(key + text)))
        letters = {text: letter for letter, text in self.options.items()}
        self.reference, self.explain = letters[right], explain
        self.mistakes = [Mistake(letters[text], says) for text, says in wrong.items()]

    @property
    def text(self) -> str:
        return _with_options(self.question, self.options)

    @property
    def solution_source(self) -> str:
        return f"{self.essence}\n{self.explain}"

    @property
    def essence(self) -> str:
        return f"{self.reference})  {self.options[self.reference]}"

    def verdict(self, answer, seconds: float = judge.SECONDS) -> judge.Verdict:
        return judge.choice(self, answer)


class Number(Question):
    """A question whose answer is a number."""

    def __init__(self, key, question, answer, wrong, explain, tolerance=None, hints=(), also=()):
        super().__init__(key, question, hints)
        self.reference, self.explain, self.also = float(answer), explain, also
        self.exact = tolerance is None and type(answer) is int and abs(answer) < 1000  # a count
        self.tolerance = 0.01 if tolerance is None else tolerance
        self.mistakes = [Mistake(value, says) for value, says in wrong.items()]

    def is_close(self, value: float, wanted: float) -> bool:
        """Whether a number counts as another one: a count exactly, a measurement within its tolerance."""
        if self.exact:
            return abs(value - wanted) < 1e-9
        return abs(value - wanted) <= self.tolerance * max(abs(wanted), 1e-12)

    @property
    def solution_source(self) -> str:
        return f"{self.essence}\n{self.explain}"

    @property
    def essence(self) -> str:
        return f"{self.reference:.6g}"

    def verdict(self, answer, seconds: float = judge.SECONDS) -> judge.Verdict:
        return judge.number(self, answer)


class Prediction(Question):
    """A guess before the cell that shows the result; it is never wrong."""

    kind = "predict"
    verb = "guess"

    def __init__(self, key, question, answer=None, options=None, unit="", explain="", hints=()):
        super().__init__(key, question, hints)
        self.options = _lettered(options) if options else None
        self.answer, self.unit, self.explain, self.guessed = answer, unit, explain, None
        self.reference = next(iter(self.options)) if options else 1.0 if answer is None else answer
        if options and answer is not None:
            self.reference = self.answer = next(letter for letter, text in self.options.items() if text == answer)

    @property
    def text(self) -> str:
        return _with_options(self.question, self.options or {})

    def verdict(self, answer, seconds: float = judge.SECONDS) -> judge.Verdict:
        return judge.guess(self, answer)

    def guess(self, *answer) -> None:
        """Note a guess, to be compared by ``reveal``."""
        given = answer[0] if len(answer) == 1 else answer or ...
        verdict = self.verdict(given)
        if verdict.status == judge.NOTED:
            self.guessed = judge._letter(given) if self.options else values.as_number(given)
        present.show_verdict(verdict)
        progress.note(self.key, self.fingerprint, verdict.status)

    def reveal(self, value=None) -> None:
        """Show what it is, and how far off the guess was.

        Args:
            value: what was measured, a number or the text of an option; without it, the answer that is known before.
        """
        present.show_text(self.result(self.answer if value is None else value))

    def result(self, value) -> str:
        """The sentence that ``reveal`` shows."""
        if self.options:
            letter = next((letter for letter, text in self.options.items() if value in (letter, text)), value)
            known = f"It is {letter}) {self.options.get(letter, '')}."
            own = f" You guessed {self.guessed}{', too' if self.guessed == letter else ''}." if self.guessed else ""
        else:
            unit = f" {self.unit}" if self.unit else ""
            known = f"It is {_readable(float(value))}{unit}."
            own = (
                ""
                if self.guessed is None
                else f" You guessed {_readable(self.guessed)}{unit}: {self._off(float(value))}."
            )
        return f"{known}{own} {self.explain}".strip()

    def _off(self, value: float) -> str:
        """How far off the guess was, in words."""
        off = self.guessed - value
        if abs(off) <= 0.02 * abs(value):
            return "very near"
        if value and self.guessed / value > 0 and not 0.4 < self.guessed / value < 2.5:
            ratio = max(self.guessed / value, value / self.guessed)
            return f"{values.show(round(ratio, 1), 4)} times too {'much' if off > 0 else 'little'}"
        return f"{values.show(abs(off), 3)} too {'much' if off > 0 else 'little'}"

    @property
    def solution_source(self) -> str:
        known = "Run the next cell: it shows the answer." if self.answer is None else self.result(self.answer)
        return known if self.answer is None else known

    @property
    def essence(self) -> str:
        return self.question


def _readable(value: float) -> str:
    """A number with four digits, and a large one with its thousands apart instead of a power of ten."""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e12 else values.show(value, 4)


def _lettered(texts) -> dict[str, str]:
    return dict(zip("ABCDEFGH", texts, strict=False))


def _with_options(question: str, options: dict) -> str:
    return "\n".join([question, *(f"{letter})  {text}" for letter, text in options.items())])


def choice(key: str, question: str, right: str, wrong: dict[str, str], explain: str, hints=()) -> Choice:
    """A multiple-choice question.

    Args:
        right: the text of the right option.
        wrong: text of each wrong option → the sentence that it earns.
        explain: why the right one is right; shown with the verdict and the solution.
    """
    return Choice(key, question, right, wrong, explain, hints)


def number(
    key: str, question: str, answer: float, wrong: dict[float, str], explain: str, tolerance=None, hints=(), also=()
):
    """A question whose answer is a number.

    Args:
        answer: a whole number below 1000 is a count, and exact; others are right within ``tolerance`` (relative, 0.01).
        wrong: a typical wrong number → the sentence that it earns.
        explain: how to get the right one.
        also: other right answers, where the question allows two readings.
    """
    return Number(key, question, answer, wrong, explain, tolerance, hints, also)


def prediction(key: str, question: str, answer=None, options=None, unit="", explain="", hints=()) -> Prediction:
    """A guess before the cell that shows the result.

    Args:
        answer: the result, where it is known before; else ``reveal`` is given what was measured.
        options: texts to choose from; without them a number is asked for.
        unit: what stands after the number.
        explain: what there is to learn, shown with the result.
    """
    return Prediction(key, question, answer, options, unit, explain, hints)
