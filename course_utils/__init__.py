"""Helpers of the course: what would distract from the lesson.

A notebook starts with ``import course_utils as cu``. The names below load on first use, so that the
import itself stays fast and TensorFlow is only loaded where a notebook asks for it.

The layers. Each imports only its own line and the lines below it (``tests/test_package.py`` checks this):

    1  __main__
    2  maintain                                 # keeps the course in order; no lesson imports it
    3  doctor                                   # checks the learner's machine
    4  chapters                                 # the exercises of each chapter
    5  exercises                                # the engine that judges answers
    6  lessons                                  # what chapters hand on to each other
    7  training data                            # training loops and data sets
    8  progress_bar session                     # what every notebook starts with
    9  display plots                            # what a cell shows
    0  course pins machine settings paths files # the plan of the course, the shared ground
"""

from __future__ import annotations

import importlib

from course_utils import settings

settings.fix_environment()  # before a library reads its variables

__version__ = "0.2.0"

# name -> module that defines it (None: the name is itself a submodule)
_LAZY = {
    "start": "session",
    "show": "display",
    "show_html": "display",
    "figure_html": "display",
    "say": "display",
    "table": "display",
    "explore": "display",
    "record": "display",
    "data": None,
    "plots": None,
    "training": None,
    "doctor": None,
    "exercises": None,
    "session": None,
}

__all__ = sorted(_LAZY)


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _LAZY[name]
    module = importlib.import_module(f"{__name__}.{home or name}")
    return module if home is None else getattr(module, name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
