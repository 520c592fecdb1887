"""The engine: what is said in which order, how it looks, and progress that is never lost."""

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.exercises import define, guard, judge, present, progress, quiz, register, values
from course_utils.plots import colour


@pytest.fixture
def task(monkeypatch):
    """An exercise of its own, outside of the course's register."""
    monkeypatch.setattr(register, "_tasks", {})

    @define.exercise("99.double", cases=[(np.array([1.0, 2.0]),), (np.array([3.0, -1.0, 0.5]),)], hints=["one", "two"])
    def double(x):
        """Twice x."""
        return 2 * x

    @double.mistake("You square.")
    def square(x):
        return x**2

    return double


def in_place(x):
    x *= 2
    return x


def one_value(x):
    return float(x[0])


def with_nan(x):
    return x * np.nan


def almost(x):
    return 2 * x + (x < 0)


@pytest.mark.parametrize(
    "answer, status, text",
    [
        (lambda x: x + x, "correct", "Right"),
        (lambda x: [2 * v for v in x], "correct", "Right"),
        (in_place, "not yet", "changes its input in place"),
        (lambda x: ..., "not attempted", "replace the dots"),
        (lambda x: None, "not yet", "returns nothing"),
        (lambda x: "two", "not yet", "should be an array of numbers; it is a text"),
        (lambda x: x * x, "not yet", "You square."),
        (one_value, "not yet", "2 numbers in a row (2,) should come out; it is one number ()"),
        (with_nan, "not yet", "NaN is not a number"),
        (almost, "not yet", "For x = [3, -1, 0.5]: the result is [6, -1, 1]; expected is [6, -2, 1]."),
        (lambda x: 1 / 0, "could not run", "ZeroDivisionError in line 1 of your function"),
        (lambda: 0, "could not run", "TypeError"),
        (2.0, "could not run", "Pass the function itself"),
        (np.array([1.0, 2.0]), "could not run", "Pass the function itself"),
        (np.float64(2), "could not run", "Pass the function itself"),
        (np.vectorize(lambda v: 2.0 * v), "correct", "Right"),
    ],
)
def test_the_order_of_judging(task, answer, status, text):
    verdict = task.verdict(answer)
    assert verdict.status == status and text in verdict.text, verdict.text


def test_dots_inside_a_subscript_are_no_blank(task):
    def last(x):
        return 2 * x[..., :]

    def wrong(x):
        return 3 * x[..., :]

    assert task.verdict(last).status == "correct"
    assert task.verdict(wrong).status == "not yet"


def test_half_written_code_with_dots_is_not_attempted(task):
    def half(x):
        y = ...
        return 2 * y

    assert task.verdict(half).status == "not attempted"


def test_a_fault_of_the_checker_is_said_to_be_one(task, monkeypatch):
    monkeypatch.setattr(values, "difference", lambda *_: 1 / 0)
    verdict = task.verdict(lambda x: 2 * x)
    assert verdict.status == "could not run" and "not your fault" in verdict.text


def test_a_rule_judges_what_has_no_single_answer(monkeypatch):
    monkeypatch.setattr(register, "_tasks", {})

    @define.exercise("99.even", cases=[(3,)], rule=lambda v, case: "" if v % 2 == 0 else "It is odd.")
    def even(n):
        """Any even number."""
        return 2 * n

    assert even.verdict(lambda n: 4).status == "correct"
    assert even.verdict(lambda n: 5).text == "It is odd."
    assert even.verdict(lambda n: "x").status == "not yet"


def test_or_reference(task, capsys):
    def right(x):
        return x + x

    assert task.or_reference(right) is right and capsys.readouterr().out == ""
    assert task.or_reference(lambda x: x) is task.reference
    assert capsys.readouterr().out == "The lesson goes on with the course's own double.\n"


def test_check_hint_and_solution_show(task, capsys):
    task.check(lambda x: x**2)
    task.hint(), task.solution()
    out = capsys.readouterr().out
    assert "✗ not yet: You square." in out and "Hint 1 of 2: one" in out and "return 2 * x" in out
    assert "@" not in out and "mistake" not in out


@pytest.mark.parametrize("key", ["double", "8.double", "99.Double", "99.", ""])
def test_odd_keys_are_refused(key):
    with pytest.raises(ValueError, match="A key is a chapter and a name"):
        define.Task(key)


def test_a_module_can_be_loaded_again(monkeypatch):
    monkeypatch.setattr(register, "_tasks", {})
    first, again = quiz.number("99.q", "?", 1, {}, ""), quiz.number("99.q", "?", 1, {}, "")
    assert register._tasks["99.q"] is again is not first


# -------------------------------------------------------------------------------------- guard


@pytest.mark.skipif(os.name == "nt", reason="on Windows os.kill ends the process: there is no sending of SIGINT")
def test_the_learners_own_interrupt_passes_and_a_raised_one_does_not():
    def waits():
        time.sleep(30)

    before = signal.getsignal(signal.SIGINT)  # a shell's background job ignores it
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        guard.run(waits, (), 20)
    assert signal.getsignal(signal.SIGINT) is before

    def pretends():
        raise KeyboardInterrupt

    assert isinstance(guard.run(pretends, (), 1).error, KeyboardInterrupt)


def plain_loop():
    n = 0
    while True:
        n += 1


def stubborn_loop():
    n = 0
    while True:
        try:
            n += 1
            n -= 1
            n += 2
            n -= 2
        except:  # noqa: E722
            pass


@pytest.mark.parametrize("loop", [plain_loop, stubborn_loop])
@pytest.mark.parametrize("where", ["another thread", "a system without alarms"])
def test_an_endless_loop_ends_without_an_alarm_too(loop, where, monkeypatch):
    found = []

    def judged():
        found.append(guard.run(loop, (), 0.3))
        found.append(guard.run(lambda: sum(range(10)), (), 0.3))

    if where == "another thread":
        thread = threading.Thread(target=judged, daemon=True)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    else:
        monkeypatch.delattr(signal, "setitimer", raising=False)
        judged()
    assert found[0].timed_out
    assert found[1].value == 45 and not found[1].error, "the next one is not hit"
    assert threading.active_count() < 10 and sys.gettrace() is None


def test_inputs_are_copies():
    given_list = [np.zeros(2), [1, 2]]

    def spoils(values):
        values[0][:] = 9
        values[1].clear()

    result = guard.run(spoils, (given_list,), 1)
    assert result.changed and given_list[1] == [1, 2] and (given_list[0] == 0).all()


@given(st.recursive(st.none() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4)))
def test_any_value_can_be_compared_and_shown(value):
    assert isinstance(values.show(value), str)
    assert isinstance(values.difference(1.0, value, 1e-6), str)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_a_value_equals_itself_in_every_form(numbers):
    for form in (numbers, tuple(numbers), np.array(numbers), np.array(numbers, dtype="float64")[::1]):
        assert values.difference(np.array(numbers), form, 1e-9) == ""


# ------------------------------------------------------------------------------- presentation


@pytest.mark.parametrize("status", present.LOOKS)
def test_contrast_of_every_verdict(status):
    symbol, word, ground = present.LOOKS[status]
    assert colour.contrast(word, ground) >= 4.5 and colour.contrast(present.INK, ground) >= 4.5
    page = present.as_html(judge.Verdict(status, "text"))
    assert ground in page and present.INK in page, "ink and ground are set together, so no theme can split them"
    assert symbol in page and status in page, "a word and a symbol, not a colour alone"


def test_verdicts_are_escaped_bounded_and_repeatable():
    verdict = judge.Verdict("not yet", "<script>&" * 500)
    page = present.as_html(verdict)
    assert "<script>" not in page and len(page) < 20_000
    assert page == present.as_html(verdict) and "id=" not in page
    assert present.as_text(verdict).startswith("✗ not yet: <script>")


# ----------------------------------------------------------------------------------- progress


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(progress, "_memory", {})
    monkeypatch.setattr(progress, "_said", set())
    return tmp_path / "progress.json"


def test_what_is_recorded(home):
    progress.note("08.a", "ref", "not attempted")
    progress.note("08.a", "ref", "not yet")
    progress.note("08.a", "ref", "correct")
    progress.note("08.a", "ref", "not yet")  # trying on does not undo it
    progress.count_hint("08.a", "ref")
    progress.note_solution("08.b", "ref")
    a, b = progress.entries()["08.a"], progress.entries()["08.b"]
    assert a == {"solved": True, "solution_seen": False, "tries": 3, "hints": 1, "reference": "ref"}
    assert b["solution_seen"] and not b["solved"]


def test_another_reference_is_another_exercise(home):
    progress.note("08.a", "old", "correct")
    progress.note("08.a", "new", "not yet")
    assert not progress.entries()["08.a"]["solved"]


def test_a_code_from_before_an_exercise_changed_takes_nothing_away(home):
    progress.note("08.a", "old", "not yet")
    code = progress.export()
    progress.note("08.a", "new", "correct")
    progress.restore(code)
    assert progress.entries()["08.a"]["reference"] == "new" and progress.entries()["08.a"]["solved"]


def test_a_newer_code_replaces_what_is_older_than_the_exercise(home, monkeypatch):
    task = next(t for t in register.registry() if t.key == "08.wilson")
    progress.note(task.key, task.fingerprint, "correct")
    code = progress.export()
    home.unlink()
    progress.note(task.key, "an older reference", "not yet")
    progress.restore(code)
    assert progress.entries()[task.key]["solved"]
    home.unlink()
    monkeypatch.setenv("COURSE_PROGRESS", "off")
    progress.restore(code)
    assert progress.entries()[task.key]["solved"], "in memory, where no file is written"


def test_a_new_sentence_does_not_make_another_exercise(monkeypatch):
    monkeypatch.setattr(register, "_tasks", {})

    def one():
        def twice(x):
            """Doubled."""
            return 2 * x

        return twice

    def reworded():
        def twice(x):
            """Twice x."""

            return (2 * x)  # fmt: skip

        return twice

    def other():
        def twice(x):
            """Doubled."""
            return 3 * x

        return twice

    def fingerprint(function):
        register._tasks.clear()
        return define.Exercise("99.twice", function, [(1,)]).fingerprint

    assert fingerprint(one()) == fingerprint(reworded()) != fingerprint(other())
    questions = []
    for explain in ("Becuase.", "Because."):
        register._tasks.clear()
        questions += [
            quiz.choice("99.which", "Which?", "this", {"that": "No."}, explain).fingerprint,
            quiz.number("99.many", "How many?", 3, {}, explain).fingerprint,
        ]
    assert questions[:2] == questions[2:] and questions[0] != questions[1]


def test_off_writes_nothing(home, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", "off")
    progress.note("08.a", "ref", "correct")
    assert not home.exists() and progress.entries()["08.a"]["solved"], "kept in memory for the chapter's last cell"


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", '"x"', '{"08.a": 3}', '{"08.a": {"solved": "yes"}}', "\x00\xff", "[" * 100_000]
)
def test_a_damaged_file_is_set_aside_and_kept(home, capsys, content):
    home.write_text(content)
    progress.note("08.a", "ref", "correct")
    assert progress.entries()["08.a"]["solved"]
    assert (home.with_name("progress.json.damaged-1")).read_text() == content
    assert "It is kept as progress.json.damaged-1" in capsys.readouterr().out
    home.write_text("again")
    progress.note("08.b", "ref", "correct")
    assert home.with_name("progress.json.damaged-2").read_text() == "again"


def test_of_a_file_with_one_odd_entry_the_rest_counts(home, capsys):
    progress.note("08.a", "ref", "correct")
    content = json.loads(home.read_text()) | {"08.b": 3}
    home.write_text(json.dumps(content))
    assert progress.entries()["08.a"]["solved"] and json.loads(home.read_text()) == {"08.a": content["08.a"]}
    assert json.loads(home.with_name("progress.json.damaged-1").read_text()) == content
    assert "A part of your progress file" in capsys.readouterr().out
    progress.note("08.c", "ref", "correct")
    assert set(progress.entries()) == {"08.a", "08.c"} and not home.with_name("progress.json.damaged-2").exists()


def test_fields_of_another_version_are_kept(home):
    newer = {"solved": True, "solution_seen": False, "tries": 1, "hints": 0, "reference": "ref", "seconds": 9}
    home.write_text(json.dumps({"08.a": newer, "08.b": {"solved": True, "reference": "ref"}}))
    progress.note("08.a", "ref", "not yet")
    assert progress.entries()["08.a"] == newer | {"tries": 2}
    assert progress.entries()["08.b"]["solved"] and progress.entries()["08.b"]["tries"] == 0
    home.write_text(home.read_text())
    progress.restore(progress.export())
    assert json.loads(home.read_text())["08.a"]["seconds"] == 9


def test_a_file_with_a_wrong_encoding_is_set_aside(home):
    home.write_bytes(b"\xff\xfe\xfa")
    progress.note("08.a", "ref", "correct")
    assert home.with_name("progress.json.damaged-1").exists()


@pytest.mark.parametrize("step", ["mkstemp", "fsync", "replace"])
def test_a_disk_that_fails_loses_nothing_that_was_saved(home, monkeypatch, capsys, step):
    progress.note("08.a", "ref", "correct")
    before = home.read_text()

    def fails(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile if step == "mkstemp" else os, step, fails)
    progress.note("08.b", "ref", "correct")
    assert home.read_text() == before
    assert progress.entries()["08.a"]["solved"] and progress.entries()["08.b"]["solved"]
    assert capsys.readouterr().out.count("cannot be saved here") == 1
    monkeypatch.undo()


def test_what_waited_in_memory_is_written_when_it_can_be(home, monkeypatch):
    real = progress.os.replace
    monkeypatch.setattr(progress.os, "replace", lambda *_: (_ for _ in ()).throw(OSError(30, "read-only")))
    progress.note("08.a", "ref", "correct")
    monkeypatch.setattr(progress.os, "replace", real)
    progress.note("08.b", "ref", "correct")
    assert set(json.loads(home.read_text())) == {"08.a", "08.b"}
    assert [p.name for p in home.parent.iterdir()] == ["progress.json"], "no temporary file, no lock is left"


def test_a_lock_of_a_dead_kernel_does_not_block(home):
    lock = home.with_name("progress.json.lock")
    lock.write_text("")
    os.utime(lock, (time.time() - 60,) * 2)
    progress.note("08.a", "ref", "correct")
    assert json.loads(home.read_text())["08.a"]["solved"]


def _kernel(path, name, count):
    os.environ["COURSE_PROGRESS"] = path
    for i in range(count):
        progress.note(f"08.{name}{i}", "ref", "correct")


def test_two_kernels_at_once_lose_nothing(home):
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_kernel, args=(str(home), name, 15)) for name in "ab"]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert len(json.loads(home.read_text())) == 30


def test_a_killed_process_leaves_a_whole_file(home):
    progress.note("08.first", "ref", "correct")
    process = multiprocessing.get_context("spawn").Process(target=_kernel, args=(str(home), "x", 100_000))
    process.start()
    deadline = time.monotonic() + 20
    while len(progress._read(home)) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.join()
    found = json.loads(home.read_text())
    assert found["08.first"]["solved"] and len(found) >= 5


def test_export_and_restore(home, monkeypatch):
    progress.note("08.a", "ref", "correct")
    progress.count_hint("08.a", "ref")
    code = progress.export()
    assert len(code) < 300
    home.unlink()
    progress.note("08.b", "ref", "correct")
    assert progress.restore(f"  {code[:20]}\n{code[20:]} ") == "Restored: 1 solved exercises."
    assert progress.entries()["08.a"]["hints"] == 1 and progress.entries()["08.b"]["solved"]


@given(st.integers(0, 10_000), st.sampled_from("AZaz09-_"))
def test_a_damaged_code_is_refused_and_changes_nothing(place, letter):
    os.environ["COURSE_PROGRESS"] = "off"
    progress._memory.clear()
    progress.note("08.a", "ref", "correct")
    code = progress.export()
    progress._memory.clear()
    damaged = list(code.rstrip("="))
    place %= len(damaged)
    if damaged[place] == letter:
        damaged.pop(place)
    else:
        damaged[place] = letter
    try:
        progress.restore("".join(damaged) + "=" * (-len(damaged) % 4))
    except ValueError as error:
        assert "copy it whole" in str(error) and not progress._memory
    else:  # the last letter holds two bits that mean nothing
        assert progress.entries()["08.a"]["solved"] and place >= len(damaged) - 2
    finally:
        progress._memory.clear()


@pytest.mark.parametrize("code", ["", "x", None, 3, "AAAA", "é"])
def test_what_is_no_code_is_refused(home, code):
    with pytest.raises(ValueError, match="damaged or incomplete"):
        progress.restore(code)


def test_the_summary_counts_what_is_solved_now(home):
    task = next(t for t in register.registry() if t.key == "08.wilson")
    progress.note(task.key, "an older reference", "correct")
    assert progress.summary()["08"][0] == 0
    progress.note(task.key, task.fingerprint, "correct")
    solved, total = progress.summary()["08"]
    assert solved == 1 and total >= 7 and f"chapter 08: 1 of {total} solved" in progress.as_text()


# ---------------------------------------------------------------------------- in a real kernel

HOSTILE = """
from course_utils.exercises import present
from course_utils.chapters import ch00 as ex

def loop(numbers):
    while True:
        try:
            print("leak")
        except:
            pass

def shows(numbers):
    import os, sys
    from IPython.display import display
    display("leak"); print("leak"); print("leak", file=sys.stderr)
    raise KeyboardInterrupt

for answer in (loop, shows, ..., lambda numbers: sum(numbers) / len(numbers)):
    present.show_verdict(ex.mean.verdict(answer, 0.5))
"""


def test_verdicts_in_a_kernel(tmp_path):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    from course_utils.maintain import notebooks, runs

    nb = new_notebook(cells=[new_code_cell(HOSTILE), new_code_cell("print('still alive')")])
    nb.metadata = nbformat.from_dict({"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}})
    nbformat.write(nb, tmp_path / "hostile.ipynb")
    result = runs.run_one(tmp_path / "hostile.ipynb", tmp_path / "out.ipynb", {}, cell_seconds=30)
    assert result["status"] == "ok", result
    hostile, alive = notebooks.read(tmp_path / "out.ipynb").cells
    assert all(out.output_type == "display_data" for out in hostile.outputs), "something leaked"
    said = [out.data["text/plain"].split(":")[0] for out in hostile.outputs]
    assert said == ["! could not run", "! could not run", "○ not attempted", "✓ correct"]
    assert all(out.data["text/html"].startswith("<div style=") for out in hostile.outputs)
    assert alive.outputs[0].text == "still alive\n"
