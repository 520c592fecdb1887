"""Figures of the course, one module a family. A function takes data and returns a ``Figure``.

``style`` holds the palette and the defaults; ``curves``, ``scores`` and ``text`` hold the figures.
Show what they return with ``cu.show(figure, alt=…)``.
"""

import importlib

_MODULES = ("curves", "scores", "style", "text")


def __getattr__(name: str):
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
