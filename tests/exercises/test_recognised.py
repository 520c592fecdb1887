"""How many of the wrong answers that learners write are named or explained."""

import math
import re

import numpy as np
import pytest
from wrong_answers import WRONG

from course_utils.exercises import registry

TASKS = {task.key: task for task in registry()}
ANSWERS = [(key, source) for key, sources in WRONG.items() for source in sources]
BARE = re.compile(r"^For .*(expected is|should come out|letter \d+ on)", re.DOTALL)  # nothing but two values


def made(source, folder, number):
    """An answer from its source, in a file of its own, so that the checker finds the source."""
    file = folder / f"answer_{number}.py"
    file.write_text(source if source.startswith("def ") else f"a = {source}", encoding="utf-8")
    space = {"np": np, "math": math}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), space)
    return space["a"]


def is_explained(verdict):
    """Whether a verdict says more than that the values differ, or repeats more than Python's own message."""
    bare = BARE.match(verdict.text) or verdict.text.startswith("Your code stopped with")
    return verdict.status in ("not yet", "could not run") and not bare


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers")
    return [(key, source, TASKS[key].verdict(made(source, folder, i))) for i, (key, source) in enumerate(ANSWERS)]


def test_no_wrong_answer_is_accepted(verdicts):
    accepted = [(key, source) for key, source, verdict in verdicts if verdict.status == "correct"]
    assert accepted == []


def test_four_in_five_are_named_or_explained(verdicts):
    unexplained = [(key, source, verdict.text) for key, source, verdict in verdicts if not is_explained(verdict)]
    share = 1 - len(unexplained) / len(verdicts)
    listing = "\n".join(f"{key}: {source}\n    {text}" for key, source, text in unexplained)
    print(f"{share:.3f} of {len(verdicts)} explained")
    assert share >= 0.8, f"{share:.2f} of {len(verdicts)} are explained; not these:\n{listing}"


def test_two_values_that_are_shown_never_look_alike(verdicts):
    for key, source, verdict in verdicts:
        found = re.search(r"(?:result is|of the result is) (.*); expected is (.*?)\.(?: |$)", verdict.text, re.DOTALL)
        assert not found or found[1] != found[2], (key, source, verdict.text)
