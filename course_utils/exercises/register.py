"""The register of all exercises and questions, by key."""

from __future__ import annotations

import importlib
import pkgutil

CHAPTERS = "course_utils.chapters"  # a layer above this one: imported only when all exercises are asked for
_tasks: dict[str, object] = {}


def add(task) -> None:
    """Enter a task; one that is defined again, as when its module is reloaded, takes the place of the old one."""
    _tasks[task.key] = task


def registry() -> list:
    """Every exercise and question of the course, by key. Imports all chapters."""
    for module in pkgutil.iter_modules(importlib.import_module(CHAPTERS).__path__):
        importlib.import_module(f"{CHAPTERS}.{module.name}")
    return [_tasks[key] for key in sorted(_tasks)]
