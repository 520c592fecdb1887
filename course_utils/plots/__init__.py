"""Figures of the course, one module a family. A function takes data and returns a ``Figure``.

``style`` holds the palette and the defaults; the others hold the figures: ``curves`` over training or any axis,
``scores`` of models, ``text`` collections, ``surfaces`` with paths on them, ``graphs`` of boxes and arrows.
Show what they return with ``cu.show(figure, alt=…)``.
"""

import importlib

_MODULES = ("curves", "graphs", "scores", "style", "surfaces", "text")


def __getattr__(name: str):
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
