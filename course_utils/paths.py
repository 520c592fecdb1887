"""Where things are: the repository and its folders, found from this file."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
DATA = ROOT / "data"
CACHE = DATA / "cache"
RUNS = ROOT / "build" / "run"
