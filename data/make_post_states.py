"""Make ``post_states.npz``: what the published model of chapter 18 makes of each newsgroup post.

    python data/make_post_states.py      # about ten minutes on two cores; needs the posts and the published model

For each post of chapter 8 (headers, footers and quoted lines removed): the mean of the states after layer 26 over its
first 128 tokens, 576 numbers, kept in 8 bits with one scale for each column. The posts cannot be read back from it.
Chapter 18 computes some of the rows again before your eyes, to show that they are the same.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from course_utils.data import newsgroups  # noqa: E402
from course_utils.data.published import published_model  # noqa: E402
from course_utils.lessons import gguf, published  # noqa: E402

LAYER, TOKENS = 26, 128


def digest(texts) -> str:
    """A hash of all texts, in order: the rows belong to these and no others."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()


def main() -> None:
    posts = newsgroups.newsgroups()
    found = published_model()
    if not found.is_published:
        raise SystemExit("This needs the published model: python -m course_utils fetch")
    model = published.Model(gguf.File(found.path))
    states = np.zeros((len(posts), model.width), np.float32)
    for i, text in enumerate(posts.x_clean):
        ids = model.tokenizer.encode(text)[:TOKENS]
        if ids:
            states[i] = model.states(ids, layers=LAYER).mean(axis=0)
        if i % 100 == 0:
            print(f"{i} of {len(posts)}", flush=True)
    scale = np.abs(states).max(axis=0) / 127
    packed = np.rint(states / scale).astype(np.int8)
    path = ROOT / "data" / "post_states.npz"
    np.savez_compressed(path, states=packed, scale=scale, layer=LAYER, tokens=TOKENS, texts=digest(posts.x_clean))
    print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
