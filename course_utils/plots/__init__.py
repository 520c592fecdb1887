"""Figures of the course, one module a family. A function takes data and returns a ``Figure``.

``style`` holds the palette and the defaults, ``colour`` tells whether colours can be read; the others hold the
figures: ``curves`` over training or any axis, ``drawings`` of units, networks, computing graphs, windows and tensors,
``scores`` of models, ``text`` collections, ``surfaces`` with paths on them, ``graphs`` of boxes and arrows, ``heat``
maps, ``maps`` of named points, ``images`` side by side, ``fits`` that are too stiff or too flexible, ``sequences``
over time and lag, ``strips`` of marks in lanes, ``tables`` of shaded cells (HTML), ``sounds`` with spectrograms and
players, ``tradeoffs`` of accuracy against cost, ``words`` marked by their weights (HTML).
Show what they return with ``cu.show(figure, alt=…)``.
"""

import importlib

_MODULES = (
    "colour", "curves", "drawings", "fits", "graphs", "heat", "images", "maps", "scores", "sequences", "sounds",
    "strips", "style", "surfaces", "tables", "text", "tradeoffs", "words",
)  # fmt: skip


def __getattr__(name: str):
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
