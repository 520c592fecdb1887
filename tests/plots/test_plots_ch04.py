"""The figures of chapter 4 show what is asked for."""

import pytest

from course_utils.plots import ch04 as figures


def test_the_windows_that_see_a_pixel():
    fig = figures.windows_on_pixel(4, [[1, 2], [3, 4]], (1, 1), "A pixel")
    places = ((0, 0), (0, 1), (1, 0), (1, 1))
    assert [ax.get_title(loc="left") for ax in fig.axes] == [f"window at {place}" for place in places]
    lowest = [ax.texts[-1].get_text() for ax in fig.axes]
    assert lowest == ["adds 4 · D(0, 0)", "adds 3 · D(0, 1)", "adds 2 · D(1, 0)", "adds 1 · D(1, 1)"]


def test_a_pixel_in_the_corner_is_seen_once_and_one_outside_never():
    assert len(figures.windows_on_pixel(4, [[1, 2], [3, 4]], (0, 0)).axes) == 1
    with pytest.raises(ValueError, match="contains the pixel"):
        figures.windows_on_pixel(4, [[1, 2], [3, 4]], (4, 0))
