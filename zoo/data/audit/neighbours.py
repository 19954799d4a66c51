"""Which images may be the same picture: a hash that shifting leaves alone, and a search by cells.

Shapes: N thumbnails of S by S pixels, D numbers a hash, P pairs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_FREQUENCIES = 6  # of the hash, in each direction
_CELL = 256  # images around a pivot, on average
_PROBES = 4  # cells in which an image looks for its neighbours
_ROWS = 2048  # images compared with a cell, or hashed, at once


def hashes(thumbs_NSS: np.ndarray) -> np.ndarray:
    """float32 (N, D) of unit length: roots of the strengths of the low frequencies.

    A shift changes only phases, brightness and contrast only the length. A window takes off the
    edges, where a shift brings in what was not there.
    """
    side = thumbs_NSS.shape[1]
    window = np.hanning(side + 2)[1:-1].astype(np.float32)
    found = []
    for start in range(0, len(thumbs_NSS), _ROWS):
        images = thumbs_NSS[start : start + _ROWS].astype(np.float32)
        images -= images.mean(axis=(1, 2), keepdims=True)
        strengths = np.abs(np.fft.rfft2(images * window[:, None] * window))
        falling = strengths[:, : _FREQUENCIES + 1, : _FREQUENCIES + 1].reshape(len(images), -1)
        rising = strengths[:, -_FREQUENCIES:, 1 : _FREQUENCIES + 1].reshape(len(images), -1)
        found.append(np.sqrt(np.concatenate([falling, rising], axis=1), dtype=np.float32))
    codes = np.concatenate(found)
    return np.asarray(codes / np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), 1e-6))


def candidates(codes_ND: np.ndarray, neighbours: int, seed: int = 0) -> np.ndarray:
    """int64 (P, 2), i < j: each image with the ``neighbours`` nearest that it was compared with.

    Cells are the surroundings of pivots, which are images drawn at random. Each image lies in the
    nearest and looks for its neighbours in the nearest few, so the work grows as N, not as N².
    """
    count = len(codes_ND)
    scores = np.full((count, neighbours), -2.0, np.float32)
    others = np.zeros((count, neighbours), np.int64)
    for members, seekers in _cells(codes_ND, np.random.Generator(np.random.PCG64(seed))):
        near = codes_ND[seekers] @ codes_ND[members].T
        near[seekers[:, None] == members] = -2.0
        all_scores = np.concatenate([scores[seekers], near], axis=1)
        best = np.argpartition(-all_scores, neighbours - 1, axis=1)[:, :neighbours]
        met = np.concatenate(
            [others[seekers], np.broadcast_to(members, near.shape)], axis=1, dtype=np.int64
        )
        scores[seekers] = np.take_along_axis(all_scores, best, axis=1)
        others[seekers] = np.take_along_axis(met, best, axis=1)
    i, rank = np.nonzero(scores > -1.5)
    pairs = np.stack([i, others[i, rank]], axis=1)
    pairs.sort(axis=1)
    return np.unique(pairs, axis=0)


def _cells(
    codes_ND: np.ndarray, random: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Indices of (the images that lie in a cell, images that look there), in parts of a size that
    memory holds, however many images crowd into one cell."""
    count = len(codes_ND)
    cells = max(1, count // _CELL)
    pivots = codes_ND[np.sort(random.choice(count, cells, replace=False))]
    probes = min(_PROBES, cells)
    near = np.empty((count, probes), np.int32)
    for start in range(0, count, _ROWS):
        scores = codes_ND[start : start + _ROWS] @ pivots.T
        best = np.argpartition(-scores, probes - 1, axis=1)[:, :probes]
        rank = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
        near[start : start + _ROWS] = np.take_along_axis(best, rank, axis=1)
    lies_in = np.argsort(near[:, 0], kind="stable")
    seekers = np.argsort(near.ravel(), kind="stable") // probes
    edges = np.arange(cells + 1)
    lies = np.searchsorted(near[lies_in, 0], edges)
    seeks = np.searchsorted(np.sort(near.ravel()), edges)
    for cell in range(cells):
        for a in range(lies[cell], lies[cell + 1], _ROWS):
            for b in range(seeks[cell], seeks[cell + 1], _ROWS):
                yield (
                    lies_in[a : min(a + _ROWS, lies[cell + 1])],
                    seekers[b : min(b + _ROWS, seeks[cell + 1])],
                )
