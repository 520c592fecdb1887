"""Byte pairs (chapter 6), fast enough to cut millions of characters: the tokens of the language models.

The rules are learned from counts of pieces, as in the chapter's own ``learn_bpe``; here the count of all pairs is one
call of NumPy, and each different piece is encoded once.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

END = "\0"  # stands after each text; the byte 0, so its token is the id 0
_PIECES = re.compile(r"\0| ?\w+| ?[^\w\s\0]+|\s+")
FIRST_RULE = _BYTES = 256  # the id of the first merged pair


class BytePairs:
    """A vocabulary: the 256 bytes, then one token for each merged pair. Every text has an encoding.

    Args:
        rules: {(left id, right id): new id} in the order learned; the first new id is 256.
    """

    def __init__(self, rules: dict[tuple[int, int], int]):
        self.rules = dict(rules)
        self.table = [bytes([i]) for i in range(_BYTES)]
        for number, ((left, right), new) in enumerate(self.rules.items(), start=_BYTES):
            if new != number or max(left, right) >= number:
                raise ValueError(f"Rule {number - _BYTES} must make the id {number} from smaller ones.")
            self.table.append(self.table[left] + self.table[right])
        self._known: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self.table)

    @classmethod
    def learn(cls, text: str, merges: int, pieces: int = 10_000) -> BytePairs:
        """Learn so many merges from the most frequent pieces of a text (words with the space before them).

        Fewer are learned where no pair occurs twice any more. No pair holds the end of a text.
        """
        counts = Counter(_PIECES.findall(text))
        counts.pop(END, None)
        chosen = counts.most_common(pieces)
        size = _BYTES + merges
        ids = np.concatenate([[*piece.encode(), 0] for piece, _ in chosen] or [[0]]).astype(np.int64)
        times = np.repeat([n for _, n in chosen], [len(piece.encode()) + 1 for piece, _ in chosen])
        rules = {}
        for new in range(_BYTES, size):
            pairs = np.where(
                (ids[:-1] > 0) & (ids[1:] > 0), ids[:-1] * size + ids[1:], 0
            )  # 0 stands between two pieces
            found = np.bincount(pairs, weights=times[:-1], minlength=1)
            found[0] = 0
            best = int(found.argmax())
            if found[best] < 2:
                break
            rules[best // size, best % size] = new
            first = _from_left(np.flatnonzero(pairs == best), overlapping=best // size == best % size)
            ids[first] = new
            ids, times = np.delete(ids, first + 1), np.delete(times, first + 1)
        return cls(rules)

    def encode(self, text: str) -> np.ndarray:
        """The ids of a text, int32, shape (tokens,)."""
        parts = [self._known.get(piece) or self._encode_piece(piece) for piece in _PIECES.findall(text)]
        return np.array([i for part in parts for i in part], dtype=np.int32)

    def decode(self, ids) -> str:
        """The text that ids stand for; bytes that are no character become the replacement sign."""
        return b"".join(self.table[i] for i in ids).decode(errors="replace")

    def _encode_piece(self, piece: str) -> list[int]:
        ids = list(piece.encode())
        while len(ids) > 1:
            rank, place = min((self.rules.get(pair, len(self)), i) for i, pair in enumerate(zip(ids, ids[1:])))  # noqa: B905
            if rank == len(self):
                break
            ids[place : place + 2] = [rank]
        self._known[piece] = ids
        return ids


def _from_left(places: np.ndarray, overlapping: bool) -> np.ndarray:
    """Where pairs begin that do not overlap, taken from the left: in "aaa" the pair "aa" fits once."""
    if not overlapping or not len(places):
        return places
    begins = np.r_[True, np.diff(places) > 1]
    start = places[np.flatnonzero(begins)][np.cumsum(begins) - 1]
    return places[(places - start) % 2 == 0]
