"""Exercises that answer at once: right, or which mistake it is. Never a traceback.

For authors. Five kinds, all in ``course_utils/chapters/chNN.py``; in the notebook stands each task's ``starter``, word
for word, then its check. ``pytest tests/exercises`` proves the rest: every new task is covered by being there.

*complete*, a function to write::

    @exercise("02.step", cases=[(1.0, 8.0, 0.1), (np.array([1.0]), np.array([2.0]), 0.5)], hints=["Which way?"])
    def step(w, slope, learning_rate):
        '''The next weight.'''
        return w - learning_rate * slope

    @step.mistake("You walk uphill.")            # as a learner writes it; matched where it runs
    def uphill(w, slope, learning_rate):
        return w + learning_rate * slope

    @step.right                                  # at least one other right form
    def in_two_lines(w, slope, learning_rate): ...

``cases``: the smallest first; the kinds of argument with which the lesson calls the function are among them (numbers
and arrays, lists, empty, ties). ``rule=``: a function of (result, arguments) that returns what is wrong, where the
answer is not one value. ``equivalent=``: mutants of the reference that compute the same. ``@step.accept("...")``: a
form that is right and gives other results; the lesson goes on with the reference. Below it in the notebook:
``ex.step.check(step)``, and in the next cell ``step = ex.step.or_reference(step)``.

*repair*, code that runs and is wrong: ``@repair("03.backward", broken=overwrites, cases=[...], hints=[...])`` above the
right function; the starter is the source of ``overwrites``. Checked and used as above.

*do*, something to make, judged by what came out::

    @do("08.split", starter="split = ...  # replace the dots", judge=shared_threads, at_most=0.0, what="of the threads")
    def split():
        '''A thing that passes.'''

The judge returns a number, compared with ``at_least`` or ``at_most``, or a sentence on what is wrong (empty if nothing
is). ``ex.split.check(split)``, then ``split = ex.split.or_reference(split)``. A ``mistake`` makes a thing that fails,
and has the sentence with which it fails.

*predict*, a guess before the cell that shows the result: ``p = prediction("02.p_next", "...?", answer=0.2)``; in the
notebook ``ex.p_next.ask()``, ``ex.p_next.guess(...)  # replace the dots``, and after the result
``ex.p_next.reveal(measured)``.

*explain*: ``choice(...)`` and ``number(...)``, whose wrong options carry their sentence as mistakes do.

General mistakes (another sign, a factor, ``^``, the wrong axis, ...) are recognised for all: ``recognise``. A wrong
answer that a learner shows you becomes a new mistake: one function, one sentence.
"""

from course_utils.exercises import progress
from course_utils.exercises.define import Do, Exercise, Mistake, Repair, do, exercise, repair
from course_utils.exercises.judge import Verdict
from course_utils.exercises.quiz import Prediction, choice, number, prediction
from course_utils.exercises.register import registry

__all__ = [
    "Do",
    "Exercise",
    "Mistake",
    "Prediction",
    "Repair",
    "Verdict",
    "choice",
    "do",
    "exercise",
    "number",
    "prediction",
    "progress",
    "registry",
    "repair",
]
