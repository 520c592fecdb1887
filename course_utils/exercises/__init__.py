"""Exercises that answer at once: right, or which mistake it is. Never a traceback.

For authors: how to add an exercise. In ``course_utils/chapters/chNN.py``:

1. Write the reference: a plain function under ``@exercise("NN.its_name", cases=[…], hints=[…])``; its
   signature and docstring become the starter, its source is what ``.solution()`` shows.
2. ``cases`` are tuples of arguments, the smallest first: the first one that fails is shown to the learner.
3. Write each mistake that learners make under ``@its_name.mistake("What to look at, not what to type.")``.
4. Write other correct forms under ``@its_name.right``.
5. If the answer is not one value, pass ``rule=``: a function of (result, arguments) that returns what is
   wrong in a sentence, or an empty string; it then replaces the comparison with the reference.
6. Questions: ``choice(…)`` and ``number(…)``, whose wrong options carry their sentence as mistakes do.
7. Mutants of the reference that compute the same can be declared: ``equivalent=["x + 1 -> 1 + x"]``.
8. In the notebook: the starter word for word (print ``its_name.starter``), ``ex.its_name.check(its_name)``
   in the same cell, and ``its_name = ex.its_name.or_reference(its_name)`` in the next.
9. ``pytest tests/exercises/test_registry.py`` proves the rest: every new exercise is covered by being there.
10. A wrong answer that a learner shows you becomes a new mistake: one function, one sentence.
"""

from course_utils.exercises import progress
from course_utils.exercises.define import Exercise, Mistake, exercise, registry
from course_utils.exercises.judge import Verdict
from course_utils.exercises.quiz import choice, number

__all__ = ["Exercise", "Mistake", "Verdict", "choice", "exercise", "number", "progress", "registry"]
