"""The kinds of exercise beside the function to write: repair, do, predict; and what is accepted in which form."""

import functools
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import paths
from course_utils.exercises import guard, judge, progress, quiz, register, values
from course_utils.exercises.define import do, exercise, repair


@pytest.fixture(autouse=True)
def own_register(monkeypatch):
    monkeypatch.setattr(register, "_tasks", {})


# --------------------------------------------------------------------------------------------- repair


def overwrites(slopes):
    total = 0.0
    for slope in slopes:
        total = slope
    return total


@pytest.fixture
def task():
    @repair("99.accumulate", broken=overwrites, cases=[([1.0],), ([1.0, 2.0],)], hints=["Print total in the loop."])
    def accumulate(slopes):
        """The sum of the slopes of all paths."""
        total = 0.0
        for slope in slopes:
            total += slope
        return total

    @accumulate.mistake("That subtracts them.")
    def subtracts(slopes):
        return -sum(slopes)

    return accumulate


def test_code_that_was_given_is_not_an_attempt_however_it_is_laid_out(task, tmp_path):
    assert task.kind == "repair" and task.starter.startswith("def accumulate(slopes):\n    total = 0.0")
    file = tmp_path / "given.py"
    file.write_text(task.starter.replace("total = slope", "total = (slope)  # a comment"))
    space = {}
    exec(compile(file.read_text(), str(file), "exec"), space)
    for answer in (overwrites, space["accumulate"]):
        verdict = task.verdict(answer)
        assert verdict.status == "not attempted" and "as it was given" in verdict.text


def test_a_repair_is_judged_like_any_exercise(task):
    assert task.verdict(task.reference).status == "correct"
    assert task.verdict(sum).status == "correct"
    assert task.verdict(lambda slopes: -sum(slopes)).text == "That subtracts them."
    assert task.verdict(lambda slopes: 2 * sum(slopes)).status == "not yet"
    assert task.or_reference(overwrites) is task.reference


# ------------------------------------------------------------------------------------------------- do


@pytest.fixture
def small():
    @do("99.small", starter="small = ...  # replace the dots", judge=len, at_most=3, what="letters", hints=["Shorter."])
    def small():
        """A short text."""
        return "abc"

    @small.mistake("5 letters; at most 3 is asked for.")
    def long():
        return "abcde"

    return small


def test_a_thing_is_judged_by_what_came_out(small):
    assert small.kind == "do" and small.verdict(...).status == "not attempted"
    assert small.verdict(small.reference()).text == "3 letters; at most 3 is asked for."
    assert small.verdict(small.reference()).status == "correct"
    for mistake in small.mistakes:
        verdict = small.verdict(mistake.answer())
        assert (verdict.status, verdict.text) == ("not yet", mistake.says)
    assert small.verdict(3.5).status == "could not run" and "cannot be used" in small.verdict(3.5).text
    assert small.or_reference("ab") == "ab" and small.or_reference("abcdef") == "abc"
    assert small.solution_source.strip().endswith('return "abc"')


def test_a_judge_may_say_what_is_wrong():
    @do(
        "99.even", starter="even = ...", judge=lambda n: "" if n % 2 == 0 else "It is odd.", hints=["Two, for example."]
    )
    def even():
        return 2

    assert even.verdict(4).status == "correct" and even.verdict(5).text == "It is odd."
    for hostile in (None, float("nan"), [], "x", print, lambda: 1):
        assert even.verdict(hostile).status in ("not yet", "could not run")
    with pytest.raises(ValueError, match="needs dots"):
        do("99.odd", starter="odd = 1", judge=len)(lambda: 1)


def test_a_judge_that_takes_too_long_is_stopped():
    @do("99.slow", starter="slow = ...", judge=lambda thing: [None for _ in iter(int, 1)], hints=["?"], seconds=0.3)
    def slow():
        return 1

    assert "more than 0.3 seconds" in slow.verdict(1).text


# -------------------------------------------------------------------------------------------- predict


def test_a_guess_is_noted_and_compared(capsys):
    p = quiz.prediction("99.p", "Where is it next?", answer=0.2, unit="m", explain="One step down.", hints=["?"])
    p.reveal()
    p.guess(0.5)
    p.reveal()
    p.guess(np.array([0.2]))
    p.reveal(0.2)
    p.guess(20)
    p.reveal()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("It is")]
    assert lines == [
        "It is 0.2 m. One step down.",
        "It is 0.2 m. You guessed 0.5 m: 2.5 times too much. One step down.",
        "It is 0.2 m. You guessed 0.2 m: very near. One step down.",
        "It is 0.2 m. You guessed 20 m: 100 times too much. One step down.",
    ]


def test_a_guess_of_a_letter(capsys):
    p = quiz.prediction("99.p", "Who wins?", options=["a line", "a network"], hints=["?"])
    assert p.text.splitlines()[1:] == ["A)  a line", "B)  a network"]
    p.guess("b")
    p.reveal("a line")
    assert "It is A) a line. You guessed B." in capsys.readouterr().out


@pytest.mark.parametrize(
    "answer, status",
    [
        (..., "not attempted"),
        ("x", "could not run"),
        (None, "could not run"),
        (float("nan"), "could not run"),
        (-3, "noted"),
        (1e9, "noted"),
    ],
)
def test_no_guess_is_wrong(answer, status):
    assert quiz.prediction("99.p", "?", answer=1.0, hints=["?"]).verdict(answer).status == status


def test_a_guess_counts_as_solved(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "p.json"))
    monkeypatch.setattr(register, "registry", lambda: list(register._tasks.values()))
    p = quiz.prediction("99.p", "?", answer=1.0, hints=["?"])
    quiz.number("99.q", "?", 2, {}, "", hints=["?"]).check(3)
    p.guess(7)
    text = progress.chapter_text("99")
    assert text.splitlines() == ["1 of 2 solved: predict 1 of 1, explain 0 of 1", "to try again: q"]


# ------------------------------------------------------------------------------------ right forms


@pytest.fixture
def two():
    @exercise("99.two", cases=[(np.array([1.0, 3.0]),), (np.array([2.0, 2.0, 5.0]),)], hints=["?"])
    def two(x):
        """Mean and largest."""
        return x.mean(), x.max()

    return two


@pytest.mark.parametrize("form", [tuple, list, np.array])
def test_two_things_in_any_form_are_right_and_the_lesson_can_use_them(two, form):
    def answer(x):
        return form([x.mean(), x.max()])

    assert two.verdict(answer).status == "correct"
    mean, largest = two.or_reference(answer)(np.array([1.0, 3.0]))
    assert type(two.or_reference(answer)(np.array([1.0, 3.0]))) is tuple and (mean, largest) == (2.0, 3.0)


def test_a_list_and_an_array_of_one_number_are_converted_for_the_lesson():
    @exercise("99.double", cases=[(np.array([1.0, 2.0]),)], hints=["?"])
    def double(x):
        return 2 * x

    @exercise("99.total", cases=[(np.array([1.0, 2.0]),)], hints=["?"])
    def total(x):
        return x.sum()

    assert isinstance(double.or_reference(lambda x: [2 * v for v in x])(np.ones(3)), np.ndarray)
    assert total.verdict(lambda x: x.sum(keepdims=True)).status == "correct"
    assert np.ndim(total.or_reference(lambda x: x.sum(keepdims=True))(np.ones(3))) == 0


def test_a_list_within_two_things_is_converted_too():
    @exercise("99.both", cases=[(np.array([1.0, 2.0]),)], hints=["?"])
    def both(x):
        return 2 * x, x.sum()

    twice, total = both.or_reference(lambda x: ([2 * v for v in x], sum(x)))(np.ones(3))
    assert isinstance(twice, np.ndarray) and total == 3


def test_every_callable_that_works_is_right(two):
    @functools.lru_cache
    def cached(x):
        return x * 2

    @exercise("99.twice", cases=[(1.0,), (2.5,)], hints=["?"])
    def twice(x):
        return 2 * x

    class Callable:
        def __call__(self, x):
            return x + x

    for answer in (cached, functools.partial(lambda a, x: a * x, 2), Callable(), np.vectorize(lambda x: 2.0 * x)):
        assert twice.verdict(answer).status == "correct"


def test_letters_and_numbers_as_people_type_them():
    c = quiz.choice("99.c", "?", "yes", {"no": "No.", "maybe": "Hm."}, "Because.", hints=["?"])
    right = c.reference
    for form in (right, right.lower(), f" {right} ", f"'{right}'", f"({right})", chr(ord(right) + 0xFEE0)):
        assert c.verdict(form).status == "correct", form
    n = quiz.number("99.n", "?", 0.25, {}, "", hints=["?"])
    assert "decimal point, not a comma: 0.25" in n.verdict((0, 25)).text
    assert "wrong sign" in n.verdict(-0.25).text and "per cent" in n.verdict(25).text
    count = quiz.number("99.k", "?", 12, {}, "", hints=["?"])
    assert count.verdict(12.0).status == "correct" and count.verdict(12.04).status == "not yet"
    assert quiz.number("99.l", "?", 4.0**-10, {}, "", also=(4**10,), hints=["?"]).verdict(1_048_576).status == "correct"


# ----------------------------------------------------------------------------------- what is shown


@given(st.floats(-1e6, 1e6), st.floats(1e-15, 1e-2))
def test_two_numbers_that_differ_look_different(x, share):
    other = x * (1 + share) + share
    if other != x:
        first, second = values.show_pair(x, other)
        assert first != second


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30), st.integers(0, 29))
def test_two_lists_or_texts_that_differ_look_different(numbers, place):
    other = list(numbers)
    other[place % len(other)] += 1
    for form in (list, np.array, lambda v: "".join(map(chr, np.array(v) + 100)), lambda v: [str(n) for n in v]):
        first, second = values.show_pair(form(numbers), form(other))
        assert first != second
    assert values.show_pair(1, "1")[0] != values.show_pair(1, "1")[1]


def test_what_the_code_prints_is_shown_bounded(two):
    def talks(x):
        print("x is", x)
        print("y" * 10_000)
        return x.mean(), x.min()

    verdict = two.verdict(talks)
    assert verdict.printed.startswith("x is [1. 3.]") and len(verdict.printed) <= guard.MAX_PRINTED_CHARS
    assert "min in place of max" in verdict.text and "Look at result 2 of 2; the others are right." in verdict.text


def test_arguments_are_shown_by_name_and_functions_by_their_source():
    @exercise("99.slope", cases=[(lambda x: x**3, 2.0, 0.5)], hints=["?"])
    def slope(f, x, h):
        return (f(x + h) - f(x)) / h

    text = slope.verdict(lambda f, x, h: 7.77).text
    assert "f = lambda x: x ** 3, x = 2, h = 0.5" in text


# -------------------------------------------------------------------------------------------- guard


def test_an_import_inside_an_answer_is_not_cut_off():
    code = (
        "from course_utils.exercises import guard\n"
        "def answer():\n    import sklearn.linear_model\n    return 1.0\n"
        "print(guard.run(answer, (), 0.2).value)\n"
        "import sklearn.linear_model; print(sklearn.linear_model.LinearRegression.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.ROOT)
    assert done.stdout.split() == ["1.0", "LinearRegression"], done.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs a system that can stop a process")
def test_a_computer_that_sleeps_costs_the_answer_nothing():
    code = (
        "import time\nfrom course_utils.exercises import guard\nprint('begin', flush=True)\n"
        "def answer():\n    time.sleep(0.6)\n    return 1.0\n"
        "print(guard.run(answer, (), 2.0).value)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=paths.ROOT)
    assert process.stdout.readline().strip() == "begin"
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(3)
    os.kill(process.pid, signal.SIGCONT)
    assert process.communicate(timeout=30)[0].strip() == "1.0"


def test_async_and_exit_are_a_sentence(two, recwarn):
    async def waits(x):
        return x.mean(), x.max()

    assert "async" in two.verdict(waits).text and not recwarn.list

    def leaves(x):
        raise SystemExit

    assert two.verdict(leaves).status == "could not run"


def test_exit_inside_an_answer_does_not_end_the_kernel(two, monkeypatch):
    asked = []

    class Shell:
        kernel = None

        def ask_exit(self):
            asked.append(1)

    shell = Shell()
    with guard._exit_is_an_error(shell), pytest.raises(SystemExit):
        shell.ask_exit()
    shell.ask_exit()
    assert asked == [1], "afterwards it works again"


def test_a_lock_with_a_time_to_come_is_old(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "p.json"))
    lock = tmp_path / "p.json.lock"
    lock.touch()
    os.utime(lock, (time.time() + 7200,) * 2)
    begin = time.monotonic()
    progress.note("99.x", "ref", "correct")
    assert time.monotonic() - begin < 3 and progress.entries()["99.x"]["solved"]


def test_judging_in_another_thread_works_too(two):
    found = []
    thread = threading.Thread(target=lambda: found.append(two.verdict(two.reference).status))
    thread.start()
    thread.join(20)
    assert found == ["correct"] and judge.SECONDS == 5.0
