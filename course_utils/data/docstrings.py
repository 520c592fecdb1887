"""The embedded text: docstrings of scikit-learn and SciPy, read from their source files.

It stands in where the newsgroup posts cannot be had, and teaches the same lessons on real text: the
first line of each text names its file and package as a mail header names its newsgroup, and texts of
one subpackage resemble each other as posts of one thread do.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import json
import re
import zlib
from pathlib import Path

import numpy as np

from course_utils import paths
from course_utils.data.bundle import Bundle
from course_utils.files import write_whole

PACKAGES = {"scikit-learn": "sklearn", "SciPy": "scipy"}
# Others that the course installs, the quickest to read first: what a network may see before it learns the two above.
OTHERS = {
    "Jinja": "jinja2", "joblib": "joblib", "Tornado": "tornado", "Pillow": "PIL", "IPython": "IPython",
    "NumPy": "numpy", "Matplotlib": "matplotlib",
}  # fmt: skip
_NAMES = re.compile(r"scikit[-_ ]?learn|sklearn|scikits?|scipy", re.IGNORECASE)
_SKIPPED = {"tests", "externals", "_external", "_lib", "conftest"}
MIN_WORDS = 10  # a shorter docstring says too little to be classified
TEST_PERCENT = 30  # of the subpackages


def docstrings(packages: dict[str, str] = PACKAGES) -> Bundle:
    """About 5,000 docstrings of scikit-learn (class 0) and SciPy (class 1), shuffled with a fixed seed.

    Args:
        packages: name → importable name, one class each, if not those two.

    The honest split holds out whole subpackages. ``x_clean`` has neither file names nor package names.
    Nothing is imported: the files are parsed.
    """
    rows = [(label, module, text) for label, package in enumerate(packages.values()) for module, text in _read(package)]
    order = np.random.default_rng(0).permutation(len(rows))
    rows = [rows[i] for i in order]
    groups = np.array([_subpackage(module) for _, module, _ in rows])
    names = re.compile("|".join([_NAMES.pattern, *map(re.escape, (*packages, *packages.values()))]), re.IGNORECASE)
    return Bundle(
        name="docstrings",
        source=f"embedded text: {len(rows):,} docstrings of {' and '.join(packages)}, as installed here",
        x=[f"File: {module}.py\n\n{text}" for _, module, text in rows],
        x_clean=[names.sub(" ", text) for _, _, text in rows],
        give_away="file names and package names",
        y=np.array([label for label, _, _ in rows]),
        classes=tuple(packages),
        groups=groups,
        # A hash and not a draw: the same subpackages are held out in every release of the packages.
        in_test=np.array([zlib.crc32(group.encode()) % 100 < TEST_PERCENT for group in groups]),
    )


def _subpackage(module: str) -> str:
    return "/".join(module.split("/")[:2])


def _read(package: str) -> list[tuple[str, str]]:
    """(module path, docstring) of a package's own files, each text once.

    Parsing takes seconds, so the result is kept in the course's cache, under a name that changes with the files.
    """
    root = Path(importlib.util.find_spec(package).origin).parent
    files = [file for file in sorted(root.rglob("*.py")) if not _SKIPPED & set(_parts(file, root))]
    state = [(str(file.relative_to(root)), file.stat().st_size) for file in files]
    name = hashlib.sha256(repr((CACHE_VERSION, state)).encode()).hexdigest()[:16]
    kept = paths.CACHE / f"docstrings-{package}-{name}.json"
    with contextlib.suppress(OSError, ValueError, TypeError):
        found = [(module, text) for module, text in json.loads(kept.read_text(encoding="utf-8"))]
        if found:
            return found
    found = list(_parsed(files, root))
    with contextlib.suppress(OSError):  # a folder that cannot be written to: parse again next time
        kept.parent.mkdir(parents=True, exist_ok=True)
        for old in kept.parent.glob(f"docstrings-{package}-*.json"):
            old.unlink(missing_ok=True)
        write_whole(kept, json.dumps(found).encode("utf-8"))
    return found


CACHE_VERSION = 1  # a change of what is read gets another number


def _parts(file: Path, root: Path) -> tuple[str, ...]:
    return file.relative_to(root.parent).with_suffix("").parts


def _parsed(files: list[Path], root: Path):
    """Yield (module path, docstring) of these files, each text once."""
    seen = set()
    for file in files:
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):  # a template, or a file for another Python
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text and len(text.split()) >= MIN_WORDS and text not in seen:
                    seen.add(text)
                    yield "/".join(_parts(file, root)), text
