"""How far the boundaries of two masks lie apart: the 95th percentile of the Hausdorff distance.

Shapes: H by W pixels, K classes. Distances are in pixels, between centres of pixels.
"""

from __future__ import annotations

import numpy as np

from zoo.tasks import IGNORE

PERCENTILE = 95


def hd95(truth: np.ndarray, decided: np.ndarray, classes: int) -> np.ndarray:
    """Float64 (K,), of class ids (H, W), uint8; 255 in either counts for nothing, and belongs to
    no class in both.

    From each boundary pixel of a class in one mask the distance to the nearest one in the other:
    the 95th percentile of these (interpolated linearly), in the direction in which it is larger. A
    boundary pixel is one of the class with a pixel above, below, left or right that is not, or that
    lies outside the image. Where the class is in neither mask, NaN; where it is in one alone, the
    image's diagonal, the largest distance there could be, so that what was missed does not leave
    the mean. The usual definition: Maier-Hein et al. 2024 (doi:10.1038/s41592-023-02151-z)."""
    ignored = (truth == IGNORE) | (decided == IGNORE)
    masks = [np.where(ignored, IGNORE, mask) for mask in (truth, decided)]
    found = np.full(classes, np.nan)
    there = [np.bincount(mask.reshape(-1), minlength=256)[:classes] > 0 for mask in masks]
    edges = [_edges(mask) for mask in masks]
    for number in np.flatnonzero(there[0] | there[1]):
        if there[0][number] and there[1][number]:
            points = [
                np.argwhere(edge & (mask == number))
                for edge, mask in zip(edges, masks, strict=True)
            ]
            found[number] = max(_percentile(*points), _percentile(*reversed(points)))
        else:
            found[number] = np.hypot(*(side - 1 for side in truth.shape))
    return found


def _edges(mask: np.ndarray) -> np.ndarray:
    """Bool (H, W): the pixels with a neighbour of another class, or outside."""
    padded = np.pad(mask.astype(np.int16), 1, constant_values=-1)
    inner = padded[1:-1, 1:-1]
    edge: np.ndarray = (inner != padded[:-2, 1:-1]) | (inner != padded[2:, 1:-1])
    edge |= (inner != padded[1:-1, :-2]) | (inner != padded[1:-1, 2:])
    return edge


def _percentile(points: np.ndarray, others: np.ndarray) -> float:
    """Of the distances from ``points`` to the nearest of ``others``, both (., 2)."""
    from scipy.spatial import cKDTree

    distances, _ = cKDTree(others).query(points)
    return float(np.percentile(distances, PERCENTILE))
