"""Make ``model_states.npz``: what the published model of chapter 18 makes of the posts and of the reviews.

    python data/make_model_states.py      # about ten minutes on two cores; needs the posts and the published model

For each post of chapter 8 (headers, footers and quoted lines removed) the mean of the states after layer 26 over its
first 128 tokens, for each review the state of its last token after layer 24: 576 numbers, kept in 8 bits with one
scale for each column. The texts cannot be read back from them. Chapter 18 computes some of the rows again before your
eyes, to show that they are the same.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from course_utils import data  # noqa: E402
from course_utils.data import newsgroups  # noqa: E402
from course_utils.data.published import published_model  # noqa: E402
from course_utils.lessons import gguf, published  # noqa: E402
from course_utils.progress_bar import ProgressBar  # noqa: E402

POSTS_LAYER, POSTS_TOKENS, REVIEWS_LAYER = 26, 128, 24


def digest(texts) -> str:
    """A hash of all texts, in order: the rows belong to these and no others."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()


def packed(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns as signed bytes, and the scale of each column."""
    scale = np.abs(states).max(axis=0) / 127
    return np.rint(states / scale).astype(np.int8), scale.astype(np.float32)


def main() -> None:
    posts, reviews = newsgroups.newsgroups().x_clean, data.reviews().x
    found = published_model()
    if not found.is_published:
        raise SystemExit("This needs the published model: python -m course_utils fetch")
    model = published.Model(gguf.File(found.path))
    of_posts, of_reviews = (np.zeros((len(texts), model.width), np.float32) for texts in (posts, reviews))
    bar = ProgressBar("states")
    for i, text in enumerate(reviews):
        of_reviews[i] = model.states(model.tokenizer.encode(text), layers=REVIEWS_LAYER)[-1]
    for i, text in enumerate(posts):
        ids = model.tokenizer.encode(text)[:POSTS_TOKENS]
        if ids:
            of_posts[i] = model.states(ids, layers=POSTS_LAYER).mean(axis=0)
        bar.update(i / len(posts))
    bar.close()
    arrays = dict(zip(("posts", "posts_scale"), packed(of_posts), strict=True))
    arrays |= dict(zip(("reviews", "reviews_scale"), packed(of_reviews), strict=True))
    path = ROOT / "data" / "model_states.npz"
    np.savez_compressed(path, **arrays, posts_hash=digest(posts), reviews_hash=digest(reviews))
    print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
