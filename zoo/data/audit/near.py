"""Near duplicates: the same picture re-encoded, resized, shifted a little, or made brighter.

Two stages, so that nothing compares every image with every other. A hash that shifting leaves alone
brings each image together with its :data:`NEIGHBOURS` likeliest others (``neighbours.py``). Then
each such pair is laid on top of each other and the part of the one that the other does not explain
is measured (``matching.py``).

How little is little depends on the set: one handwritten 1 differs less from the next than a
photograph does from its own copy. So a pair counts as the same picture only when its difference is
next to nothing, or small, and small beside those between either of the two and its other
neighbours. Two digits that merely look alike have many more such around them, a copy has not.

A simple picture on plain ground is no evidence once it may be shifted: any circle is a shifted copy
of any other. There a pair counts only where neither is shifted.

What this cannot find: copies cut, turned or mirrored, and copies shrunk to half the thumbnail; of a
picture with more copies than half its neighbours, only those that differ next to nothing; of one on
plain ground, those that were shifted.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from zoo.data.audit.matching import FLATTEST, differences, textures
from zoo.data.audit.neighbours import candidates, hashes

NEIGHBOURS = 8  # candidates an image
SURE = 0.003  # share of unexplained variance below which it is the same picture in any set
LARGEST = 0.03  # ... that may still count as the same picture
RATIO = 0.15  # ... then, of the median difference between either of the two and its neighbours
PLAIN = 0.55  # texture below which a picture may not be shifted to be the same
STILL = 0.25  # thumbnail pixels that are no shift: what resizing and encoding bring about
_CHUNK = 256  # pairs compared at once: their arrays stay in the processor's cache

Progress = Callable[[int, int], None]


def near_pairs(
    thumbs_NSS: np.ndarray, threads: int = 1, progress: Progress | None = None
) -> list[tuple[int, int, float]]:
    """(i, j, difference), i < j, of uint8 thumbnails (N, S, S). ``progress``: pairs done, of all.

    The answer does not depend on the threads. There are hardly more than ``NEIGHBOURS`` pairs
    an image.
    """
    rows = np.flatnonzero(deviations(thumbs_NSS) >= FLATTEST)
    if len(rows) < 2:
        return []
    thumbs = thumbs_NSS[rows]
    pairs_P2 = candidates(hashes(thumbs), NEIGHBOURS)
    apart_P, shifted_P = _apart(thumbs, pairs_P2, threads, progress)
    around_P = _surroundings(pairs_P2, apart_P, len(rows))
    plain_N = textures(thumbs) < PLAIN
    alike_P = (apart_P < SURE) | ((apart_P < LARGEST) & (apart_P < RATIO * around_P))
    same = alike_P & (~plain_N[pairs_P2].any(axis=1) | (shifted_P < STILL))
    more_P2 = _beyond_neighbours(pairs_P2[same])
    apart_M, shifted_M = _apart(thumbs, more_P2, threads, None)
    sure = (apart_M < SURE) & (~plain_N[more_P2].any(axis=1) | (shifted_M < STILL))
    found_P2 = np.concatenate([pairs_P2[same], more_P2[sure]])
    apart = np.concatenate([apart_P[same], apart_M[sure]])
    order = np.lexsort((found_P2[:, 1], found_P2[:, 0]))
    return [
        (int(rows[i]), int(rows[j]), float(far))
        for (i, j), far in zip(found_P2[order], apart[order], strict=True)
    ]


def _beyond_neighbours(pairs_P2: np.ndarray) -> np.ndarray:
    """int64 (P, 2), i < j: of images that hang together by pairs, the one with most with each that
    it was not compared with. Of many copies of one image, each has only some among its neighbours.
    """
    partners: dict[int, set[int]] = {}
    for i, j in pairs_P2.tolist():
        partners.setdefault(i, set()).add(j)
        partners.setdefault(j, set()).add(i)
    more, reached = [], set[int]()
    for one in sorted(partners, key=lambda one: (-len(partners[one]), one)):
        if one in reached:
            continue
        waiting, here = [one], {one}
        while waiting:
            fresh = partners[waiting.pop()] - here
            here |= fresh
            waiting += fresh
        reached |= here
        more += [sorted((one, other)) for other in here - partners[one] - {one}]
    return np.array(sorted(more), np.int64).reshape(-1, 2)


def _apart(
    thumbs_NSS: np.ndarray, pairs_P2: np.ndarray, threads: int, progress: Progress | None
) -> tuple[np.ndarray, np.ndarray]:
    """float32 (P,), twice: the difference of each pair, and how far it was shifted."""
    apart_P = np.empty(len(pairs_P2), np.float32)
    shifted_P = np.empty(len(pairs_P2), np.float32)

    def compare(start: int) -> int:
        i, j = pairs_P2[start : start + _CHUNK].T
        part = slice(start, start + len(i))
        apart_P[part], shifted_P[part] = differences(thumbs_NSS[i], thumbs_NSS[j])
        return start + len(i)

    with ThreadPoolExecutor(threads) as pool:
        for done in pool.map(compare, range(0, len(pairs_P2), _CHUNK)):
            if progress is not None:
                progress(done, len(pairs_P2))
    return apart_P, shifted_P


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
