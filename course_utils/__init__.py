"""Helpers of the course: what would distract from the lesson.

A notebook starts with ``import course_utils as cu``. The names below load on first use, so that the
import itself stays fast and TensorFlow is only loaded where a notebook asks for it.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

# name -> module that defines it (None: the name is itself a submodule)
_LAZY = {
    "start": "session",
    "show": "session",
    "show_html": "session",
    "figure_html": "session",
    "record": "session",
    "say": "session",
    "data": None,
    "plots": None,
    "training": None,
    "notebooks": None,
    "doctor": None,
    "runs": None,
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
