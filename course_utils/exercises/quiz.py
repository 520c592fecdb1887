"""Questions: multiple choice and numbers. Wrong options are mistakes like any other."""

from __future__ import annotations

from course_utils.exercises import judge, present
from course_utils.exercises.define import Mistake, Task


class Question(Task):
    """What choices and numbers share: a text to ask, and an answer that is a value."""

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
        return f"ex.{self.name}.check(...)  # replace the dots"


class Choice(Question):
    """A question with lettered options, of which one is right."""

    def __init__(self, key, question, right, wrong, explain, hints=()):
        super().__init__(key, question, hints)
        # The order is fixed by the key: the right one is not always first, and never moves.
        texts = sorted([right, *wrong], key=lambda text: judge.digest(key + text))
        self.options = dict(zip("ABCDEFGH", texts, strict=False))
        letters = {text: letter for letter, text in self.options.items()}
        self.reference, self.explain = letters[right], explain
        self.mistakes = [Mistake(letters[text], says) for text, says in wrong.items()]

    @property
    def text(self) -> str:
        return "\n".join([self.question, *(f"{letter})  {text}" for letter, text in self.options.items())])

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

    def __init__(self, key, question, answer, wrong, explain, tolerance=0.01, hints=()):
        super().__init__(key, question, hints)
        self.reference, self.explain, self.tolerance = float(answer), explain, tolerance
        self.mistakes = [Mistake(value, says) for value, says in wrong.items()]

    @property
    def solution_source(self) -> str:
        return f"{self.essence}\n{self.explain}"

    @property
    def essence(self) -> str:
        return f"{self.reference:.6g}"

    def verdict(self, answer, seconds: float = judge.SECONDS) -> judge.Verdict:
        return judge.number(self, answer)


def choice(key: str, question: str, right: str, wrong: dict[str, str], explain: str, hints=()) -> Choice:
    """A multiple-choice question.

    Args:
        right: the text of the right option.
        wrong: text of each wrong option → the sentence that it earns.
        explain: why the right one is right; shown with the verdict and the solution.
    """
    return Choice(key, question, right, wrong, explain, hints)


def number(key: str, question: str, answer: float, wrong: dict[float, str], explain: str, tolerance=0.01, hints=()):
    """A question whose answer is a number, right within ``tolerance`` (relative).

    Args:
        wrong: a typical wrong number → the sentence that it earns.
        explain: how to get the right one.
    """
    return Number(key, question, answer, wrong, explain, tolerance, hints)
