"""The proofs of every exercise and question. A new one is covered by being in a chapter's module."""

import ast
import contextlib
import io
import itertools
import re
import signal
import time

import numpy as np
import pytest
from helpers import fill

from course_utils import session
from course_utils.exercises import registry
from course_utils.exercises.define import Do, Exercise, Repair, source_of
from course_utils.exercises.quiz import Choice, Prediction
from course_utils.maintain import notebooks

TASKS = registry()
EXERCISES = [task for task in TASKS if isinstance(task, Exercise)]
QUESTIONS = [task for task in TASKS if not isinstance(task, Exercise | Do | Prediction)]
OTHERS = [task for task in TASKS if isinstance(task, Do | Prediction)]
LIMIT = 0.4  # seconds; what hangs is stopped after that

every_task = pytest.mark.parametrize("task", TASKS, ids=lambda t: t.key)
every_exercise = pytest.mark.parametrize("task", EXERCISES, ids=lambda t: t.key)


# ------------------------------------------------------------------------- right and wrong


@every_task
def test_the_reference_is_right_and_the_starter_not_attempted(task):
    right = task.reference() if isinstance(task, Do) else task.reference
    assert task.verdict(right).status == ("noted" if isinstance(task, Prediction) else "correct")
    assert task.verdict(...).status == "not attempted"


@every_exercise
def test_the_starter_as_it_stands_is_not_attempted(task, tmp_path):
    assert task.verdict(from_source(task.starter, tmp_path, task.name)).status == "not attempted"


def from_source(source, folder, name):
    """A function from its source, in a file, so that the source can be found again."""
    file = folder / f"{name}.py"
    file.write_text("import numpy as np\n" + source)
    space = {"__name__": "answer"}
    exec(compile(file.read_text(), str(file), "exec"), space)
    return space[name]


@every_exercise
def test_other_right_forms_are_right(task):
    assert task.rights, "write at least one other form"
    for other in task.accepted:
        verdict = task.verdict(other.answer)
        assert (verdict.status, verdict.text) == ("correct", other.says), other.answer.__name__
        assert task.or_reference(other.answer) is task.reference, "the next cells need the reference's results"
    for form in task.rights:
        assert task.verdict(form).status == "correct", form.__name__


@every_exercise
def test_the_displayed_solution_is_the_reference(task, tmp_path):
    assert task.solution_source == source_of(task.reference)
    assert task.verdict(from_source(task.solution_source, tmp_path, task.name)).status == "correct"


@every_task
def test_each_mistake_gets_exactly_its_own_sentence(task):
    says = [mistake.says for mistake in task.mistakes]
    least = 0 if isinstance(task, Prediction) else 1 if isinstance(task, Do | Repair) else 3
    assert len(says) >= least and len(set(says)) == len(says)
    for mistake in task.mistakes:
        verdict = task.verdict(mistake.answer() if isinstance(task, Do) else mistake.answer)
        assert verdict.status == "not yet"
        exact = not isinstance(task, Do)  # what came out may stand behind the sentence
        assert verdict.text == mistake.says if exact else verdict.text.startswith(mistake.says)


@every_exercise
@pytest.mark.parametrize("which", ["reference", "first mistake"])
def test_what_is_filled_into_a_notebook_stands_by_itself(task, which, tmp_path):
    """Nothing but NumPy and what it imports itself: a notebook knows no helper of the chapter's module."""
    answer = task.reference if which == "reference" else task.mistakes[0].answer
    source = re.sub(r"\Adef \w+", f"def {task.name}", source_of(answer))
    verdict = task.verdict(from_source(source, tmp_path, task.name))
    assert verdict.status == ("correct" if which == "reference" else "not yet"), verdict.text


@every_task
def test_sentences_are_short_and_no_recipe(task):
    for mistake in task.mistakes:
        sentences = re.findall(r"[^.?!:]+[.?!]", mistake.says)
        assert 1 <= len(sentences) <= 3 and len(mistake.says) <= 160, mistake.says
        assert "np." not in mistake.says and "`" not in mistake.says, "say what to look at, not what to type"


@every_task
def test_hints_are_there(task):
    assert task.hints and all(10 < len(hint) < 200 for hint in task.hints)


def test_keys_are_used_once_and_name_their_chapter():
    assert len({task.key for task in TASKS}) == len(TASKS)


# -------------------------------------------------------------------------------- mutants

SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
         ast.MatMult: ast.Mult, ast.Invert: ast.Not}  # fmt: skip


def mutants(source):
    """(what was changed, new source): each operator swapped, each term dropped, each number moved by one."""
    tree = ast.parse(source)
    nodes = [n for n in ast.walk(tree.body[0]) if not in_signature(n, tree.body[0])]
    for node in nodes:
        if isinstance(node, ast.BinOp):
            before, kept = ast.unparse(node), node.op
            if type(kept) in SWAPS:
                node.op = SWAPS[type(kept)]()
                yield f"{before} -> {ast.unparse(node)}", ast.unparse(tree)
                node.op = kept
            for side in (node.left, node.right):
                replaced = ast.unparse(tree).replace(before, f"({ast.unparse(side)})", 1)
                yield f"{before} -> {ast.unparse(side)}", replaced
        elif isinstance(node, ast.UnaryOp):
            before = ast.unparse(node)
            yield f"{before} -> without", ast.unparse(tree).replace(before, ast.unparse(node.operand), 1)
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            before = node.value
            for step in (1, -1):
                node.value = before + step
                yield f"{before} -> {node.value}", ast.unparse(tree)
            node.value = before


def in_signature(node, function):
    return any(node is inner for default in function.args.defaults for inner in ast.walk(default))


@every_exercise
def test_mutants_of_the_reference_are_rejected(task, tmp_path):
    count, seen = 0, set()
    for what, source in mutants(task.solution_source):
        seen.add(what)
        if source == ast.unparse(ast.parse(task.solution_source)) or what in task.equivalent:
            continue
        count += 1
        verdict = task.verdict(from_source(source, tmp_path, task.name), LIMIT)
        assert verdict.status in ("not yet", "could not run"), f"accepted, declare it if it is equivalent: {what}"
    assert count >= 1 or "isin" in task.solution_source
    assert set(task.equivalent) <= seen, "declared equivalent, but no mutant is called so"


# ---------------------------------------------------------------------------- the hostile zoo


class Evil:
    """Whatever is asked of it, it raises."""

    def __call__(self, *_):
        raise RuntimeError

    __repr__ = __str__ = __eq__ = __array__ = __len__ = __iter__ = __bool__ = __float__ = __call__
    __hash__ = None


class EvilMessage(Exception):
    def __str__(self):
        raise RuntimeError


class LooksLikeAList(list):
    def __iter__(self):
        raise RuntimeError

    __len__ = __iter__


def raises(error):
    def answer(*_):
        raise error

    return answer


def bare_except_loop(*_):
    while True:
        try:  # noqa: SIM105
            time.sleep(0.001)
        except:  # noqa: E722, SIM105
            pass


def flood(*_):
    while True:
        print("x" * 10_000)


def deep(*_):
    return deep()


def within_itself(*_):
    found = []
    found.append(found)
    return found


def ragged(*_):
    return [[1.0], [1.0, 2.0]]


def shows(*_):
    from IPython.display import display

    display("leak")
    print("leak")


def generator(*_):
    yield 1.0


def changes_settings(*_):
    import random
    import sys

    random.seed(0)
    np.random.seed(0)
    sys.setrecursionlimit(5000)
    np.seterr(all="raise")


def symbolic(*_):
    import keras

    return keras.Input((3,))


def warns(*_):
    import warnings

    warnings.warn("leak", stacklevel=1)


def empties_its_input(*arguments):
    for argument in arguments:
        with contextlib.suppress(Exception):
            argument[:] = 0


ZOO = {
    "None": None,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "a number": 3.0,
    "a text": "x",
    "dots": ...,
    "a class": Evil,
    "evil": Evil(),
    "returns None": lambda *_: None,
    "returns NaN": lambda *_: float("nan"),
    "returns infinity": lambda *_: float("inf"),
    "returns a text": lambda *_: "correct",
    "returns a wrong shape": lambda *_: np.zeros((7, 3, 2)),
    "returns an object array": lambda *_: np.array([Evil()]),
    "returns ragged lists": ragged,
    "returns evil": lambda *_: Evil(),
    "returns an evil list": lambda *_: LooksLikeAList(),
    "returns itself": within_itself,
    "returns a huge range": lambda *_: range(10**18),
    "generator": generator,
    "returns a function": lambda *_: print,
    "returns a dictionary": lambda *_: {"a": 1},
    "returns a class": lambda *_: int,
    "returns dots": lambda *_: ...,
    "returns complex": lambda *_: 1j,
    "returns True": lambda *_: True,
    "wrong arity": lambda: 1.0,
    "SystemExit": raises(SystemExit(3)),
    "KeyboardInterrupt": raises(KeyboardInterrupt()),
    "GeneratorExit": raises(GeneratorExit()),
    "MemoryError": raises(MemoryError()),
    "evil message": raises(EvilMessage()),
    "StopIteration": raises(StopIteration()),
    "recursion": deep,
    "endless loop": lambda *_: [None for _ in iter(int, 1)],
    "bare-except loop": bare_except_loop,
    "print flood": flood,
    "shows things": shows,
    "changes settings": changes_settings,
    "Keras tensor": symbolic,
    "warns": warns,
    "empties its input": empties_its_input,
    "long list": lambda *_: list(itertools.repeat(0, 3_000_000)),
}
if hasattr(signal, "setitimer"):  # elsewhere nothing wakes what sleeps
    ZOO["sleeps"] = lambda *_: time.sleep(60)


@pytest.fixture(scope="module", autouse=True)
def tensorflow_loaded():
    """The zoo's Keras tensors must not count the import of TensorFlow."""
    session.quiet_tensorflow()


# The engine ends these, whatever the task, and waits for the time limit: each meets one exercise of the course.
SLOW = {"endless loop", "bare-except loop", "sleeps", "print flood", "long list"} & set(ZOO)
# What the engine does before it looks at the task: these meet one exercise a chapter. All others meet every exercise.
EARLY = {"dots", "a class", "evil", "a number", "a text", "None", "NaN", "infinity", "wrong arity", "SystemExit",
         "KeyboardInterrupt", "GeneratorExit", "MemoryError", "evil message", "StopIteration", "recursion",
         "shows things", "changes settings", "warns"} & set(ZOO)  # fmt: skip
FIRST = list({task.chapter: task for task in reversed(EXERCISES)}.values())
MEETINGS = [(task, name) for task in EXERCISES for name in ZOO if name not in SLOW | EARLY]
MEETINGS += [(task, name) for task in FIRST for name in sorted(EARLY)] + [(FIRST[-1], name) for name in sorted(SLOW)]
# A question asks an answer only for its type: one of each class meets all.
MEETINGS += [(task, name) for task in {type(task): task for task in QUESTIONS + OTHERS}.values() for name in ZOO]


@pytest.mark.parametrize("task, name", MEETINGS, ids=lambda part: getattr(part, "key", part))
def test_hostile_answers(task, name, capfd):
    random, depth, numpy_errors = np.random.get_state()[1].copy(), __import__("sys").getrecursionlimit(), np.geterr()
    begin = time.monotonic()
    verdict = task.verdict(ZOO[name], LIMIT)
    assert time.monotonic() - begin < 30  # none hangs; the long list alone takes 3 s, and 6 on a busy machine
    noted = isinstance(task, Prediction) and name == "a number"  # no guess is wrong
    assert verdict.status in ("not yet", "not attempted", "could not run") or noted and verdict.status == "noted"
    assert 10 <= len(verdict.text) < 1000 and "Traceback" not in verdict.text
    assert "checker itself failed" not in verdict.text
    assert capfd.readouterr() == ("", "")
    assert (np.random.get_state()[1] == random).all()
    assert __import__("sys").getrecursionlimit() == depth and np.geterr() == numpy_errors


# ------------------------------------------------------------- right answers in other clothes


@every_exercise
@pytest.mark.parametrize("kind", ["list", "float32", "tensor", "variable"])
def test_a_right_answer_of_another_type_is_right(task, kind):
    import keras
    import tensorflow as tf

    dress = {
        "list": lambda v: np.asarray(v).tolist(),
        "float32": lambda v: np.asarray(v, dtype="float32"),
        "tensor": lambda v: tf.constant(np.asarray(v, dtype="float64")),
        "variable": lambda v: keras.Variable(np.asarray(v, dtype="float32"), dtype="float32"),
    }[kind]

    def answer(*arguments):
        value = task.reference(*arguments)
        return tuple(map(dress, value)) if type(value) is tuple else dress(value)

    assert task.verdict(answer).status == "correct"


# ---------------------------------------------------------------------------------- questions


@pytest.mark.parametrize("task", QUESTIONS, ids=lambda t: t.key)
def test_questions_explain_and_show_their_options(task):
    assert task.verdict(task.reference).text == task.explain
    assert task.question in task.text
    if isinstance(task, Choice):
        assert len(task.options) >= 3 and all(text in task.text for text in task.options.values())
        assert task.verdict(task.reference.lower()).status == "correct"
        for odd in ("Z", "AB", "", 1, None):
            assert task.verdict(odd).status == "could not run"
    else:
        assert task.verdict(task.reference * 1000 + 17).status == "not yet"


# ------------------------------------------------------------------------------- in notebooks


@pytest.mark.parametrize("path", notebooks.find(), ids=lambda p: p.stem)
def test_starters_stand_word_for_word_and_are_used(path):
    mine = [task for task in TASKS if task.chapter == path.stem[:2]]
    assert mine, "a chapter without an exercise"
    nb = notebooks.read(path)
    code = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "code")
    for how in ("solved", "sabotaged"):
        filled = fill(nb, path.stem, how)
        assert "# replace the dots" not in "\n".join(c.source for c in filled.cells if c.cell_type == "code")
    for task in mine:
        verb = "guess" if isinstance(task, Prediction) else "check"
        assert code.count(f"ex.{task.name}.{verb}(") == 1
        if isinstance(task, Prediction):
            assert f"ex.{task.name}.reveal(" in code, "the guess is compared with the result"
        if isinstance(task, Exercise | Do):
            used = f"{task.name}=ex.{task.name}.or_reference({task.name})"
            assert used in "".join(code.split()), "the next cells take it; a long name may stand on several lines"
        else:
            assert f"ex.{task.name}.ask()" in code


def test_a_notebook_without_a_starter_is_refused():
    nb = notebooks.read(notebooks.find("00")[0])
    nb.cells = [cell for cell in nb.cells if "ex.mean.check" not in cell.source]
    with pytest.raises(ValueError, match="must stand in 00_start_here once"):
        fill(nb, "00_start_here", "solved")


def test_nothing_is_printed_while_judging():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for task in TASKS:
            task.verdict(task.reference)
    assert out.getvalue() == ""
