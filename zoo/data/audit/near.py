"""Near duplicates: the same picture re-encoded, resized, shifted a little, or made brighter.

Two stages, so that nothing compares every image with every other. A hash that shifting leaves alone
brings each image together with its :data:`NEIGHBOURS` likeliest others (``neighbours.py``). Then
each such pair is laid on top of each other and the part of the one that the other does not explain
is measured (``matching.py``).

How little is little depends on the set: one handwritten 1 differs less from the next than a
photograph does from its own copy. So a pair counts as the same picture only when its difference is
next to nothing, or small, and small beside those between either of the two and its other
neighbours. Two digits that merely look alike have many more such around them, a copy has not.

What this cannot find: copies cut, turned or mirrored, and copies shrunk to half the thumbnail; of a
picture with more copies than half its neighbours, only those that differ next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from zoo.data.audit.matching import FLATTEST, differences
from zoo.data.audit.neighbours import candidates, hashes

NEIGHBOURS = 8  # candidates an image
SURE = 0.003  # share of unexplained variance below which it is the same picture in any set
LARGEST = 0.03  # ... that may still count as the same picture
RATIO = 0.15  # ... then, of the median difference between either of the two and its neighbours
_CHUNK = 256  # pairs compared at once: their arrays stay in the processor's cache

Progress = Callable[[int, int], None]


def near_pairs(
    thumbs_NSS: np.ndarray, threads: int = 1, progress: Progress | None = None
) -> list[tuple[int, int, float]]:
    """(i, j, difference), i < j, of uint8 thumbnails (N, S, S). ``progress``: pairs done, of all.

    The answer does not depend on the threads. There are at most ``NEIGHBOURS`` pairs an image.
    """
    rows = np.flatnonzero(deviations(thumbs_NSS) >= FLATTEST)
    if len(rows) < 2:
        return []
    thumbs = thumbs_NSS[rows]
    pairs_P2 = candidates(hashes(thumbs), NEIGHBOURS)
    apart_P = _apart(thumbs, pairs_P2, threads, progress)
    around_P = _surroundings(pairs_P2, apart_P, len(rows))
    same = (apart_P < SURE) | ((apart_P < LARGEST) & (apart_P < RATIO * around_P))
    return [
        (int(rows[i]), int(rows[j]), float(apart))
        for (i, j), apart in zip(pairs_P2[same], apart_P[same], strict=True)
    ]


def _apart(
    thumbs_NSS: np.ndarray, pairs_P2: np.ndarray, threads: int, progress: Progress | None
) -> np.ndarray:
    """float32 (P,): the difference of each pair."""
    apart_P = np.empty(len(pairs_P2), np.float32)

    def compare(start: int) -> int:
        i, j = pairs_P2[start : start + _CHUNK].T
        apart_P[start : start + len(i)] = differences(thumbs_NSS[i], thumbs_NSS[j])
        return start + len(i)

    with ThreadPoolExecutor(threads) as pool:
        for done in pool.map(compare, range(0, len(pairs_P2), _CHUNK)):
            if progress is not None:
                progress(done, len(pairs_P2))
    return apart_P


def deviations(thumbs_NSS: np.ndarray) -> np.ndarray:
    """float32 (N,): the standard deviation of each thumbnail, in gray levels."""
    found = np.empty(len(thumbs_NSS), np.float32)
    for start in range(0, len(thumbs_NSS), 4096):
        part = thumbs_NSS[start : start + 4096]
        found[start : start + len(part)] = part.std(axis=(1, 2), dtype=np.float32)
    return found


def _surroundings(pairs_P2: np.ndarray, apart_P: np.ndarray, count: int) -> np.ndarray:
    """float32 (P,): the median difference in the pairs that i is in, or that j is in, whichever is
    less. A pair of images that have no other neighbours has nothing beside it: 1."""
    ends = np.concatenate([pairs_P2[:, 0], pairs_P2[:, 1]])
    order = np.lexsort((np.tile(apart_P, 2), ends))
    ends, values = ends[order], np.tile(apart_P, 2)[order]
    first = np.searchsorted(ends, np.arange(count))
    held = np.searchsorted(ends, np.arange(count), side="right") - first
    median = np.where(held > 1, values[np.minimum(first + held // 2, len(values) - 1)], 1.0)
    return np.asarray(np.minimum(median[pairs_P2[:, 0]], median[pairs_P2[:, 1]]))
