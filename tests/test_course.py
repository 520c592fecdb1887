"""The plan: how long chapters take, what leads to what."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from course_utils import course


def words(n):
    return new_markdown_cell("word " * n)


def code(lines, *tags):
    return new_code_cell("\n".join(["x = 1"] * lines), metadata={"tags": list(tags)})


@pytest.mark.parametrize(
    "cells, minutes",
    [
        ([words(1500)], 10),
        ([code(200)], 20),
        ([code(200, "fold"), words(1500)], 10),
        ([new_code_cell("def f(x):\n    return ...\n\n\nex.f.check(f)")] * 3, 15),  # 1.5 minutes of code
        ([new_code_cell("ex.q_a.check(...)")] * 5 + [new_code_cell("ex.p_a.guess(...)")] * 5, 10),
        ([new_code_cell("", outputs=[new_output("display_data", {"text/markdown": "word " * 3000})])], 20),
        ([new_markdown_cell("[word](" + "x" * 50 + ") " * 1500)], 10),
        ([], 5),
    ],
)
def test_minutes(cells, minutes):
    time = course.working_time(cells)
    assert time.route == time.whole == minutes and str(time) == f"{minutes} min"


def test_sections_that_go_deeper_are_not_on_the_route():
    deeper = [new_markdown_cell("## 3 · Going deeper: proofs"), words(1500), new_markdown_cell("### A part"), code(100)]
    after = [new_markdown_cell("## 4 · The route again"), words(1500)]
    time = course.working_time([words(1500), *deeper, *after])
    assert (time.route, time.whole) == (20, 40)
    assert str(time) == "20 min (40 with all)"
    assert time.sentence == "about 20 minutes (40 with what goes deeper)"


def test_what_leads_to_what_says_nothing_twice():
    edges = course.edges()
    assert ("03", "04") in edges and ("02", "05") not in edges, "05 needs 03, which needs 02"
    before = {one.number: {start for start, end in edges if end == one.number} for one in course.CHAPTERS}
    for one in course.CHAPTERS:  # following the arrows backwards, all that a chapter needs is met
        reached, ahead = set(), list(before[one.number])
        while ahead:
            number = ahead.pop()
            reached.add(number)
            ahead += before[number]
        assert set(one.needs) <= reached


@pytest.mark.parametrize("stem", ["08_mine", "", "08"])
def test_a_copy_is_not_in_the_plan(stem):
    with pytest.raises(KeyError):
        course.navigation(stem)
