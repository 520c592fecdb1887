"""Chapter 00: its questions have the answers that the course itself gives."""

import numpy as np
from helpers import definitions

from course_utils import course
from course_utils.chapters import ch00


def test_the_map_answers_the_question_about_it():
    needs = [str(int(number)) for number in course.chapter("13_language_model").needs]
    right = ch00.q_map.options[ch00.q_map.reference]
    assert right == f"{', '.join(needs[:-1])} and {needs[-1]}"


def test_the_width_is_that_of_normal_means():
    lesson = definitions("00")
    for n, tolerance in ((1, 0.03), (4, 0.05), (25, 0.05), (100, 0.05)):
        normal = 2 * 1.645 * (1 / 12 / n) ** 0.5 if n > 1 else 0.9
        np.testing.assert_allclose(lesson.width(lesson.means(n)), normal, rtol=tolerance)
