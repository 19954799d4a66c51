"""Sums over samples that each count so many times: a bootstrap draw is a column of weights.

Shapes: N samples, D draws. Weights are integers from 0, (N,) or (N, D), how often each sample was
drawn; what is computed from (N, D) has a last axis of D, and no copy of a sample is made.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.errors import PredictionsError


def checked(weights: np.ndarray | None, samples: int) -> np.ndarray:
    """As float64, ones where None is given. Raises :class:`PredictionsError` for what are no
    integers from 0, one a sample."""
    if weights is None:
        return np.ones(samples)
    if (
        weights.ndim not in (1, 2)
        or len(weights) != samples
        or weights.dtype.kind not in "iu"
        or weights.size == 0
        or weights.min() < 0
    ):
        raise PredictionsError(
            f"weights of shape {weights.shape} and type {weights.dtype}: expected integers from 0, "
            f"({samples},) or ({samples}, draws)"
        )
    return np.ascontiguousarray(weights, np.float64)


def summing(groups: np.ndarray, count: int, values: np.ndarray | None = None) -> Any:
    """A sparse matrix (count, N) that, times weights, gives for each group the sum of the weights
    of its entries, times their ``values``. ``groups`` and ``values``: of the one entry of every
    sample, (N,), or of several, (N, E).

    A product adds in the order of the samples, on one thread: equal input is equal to the last bit
    on any number of cores, which a product of dense matrices does not promise."""
    from scipy import sparse

    given = np.ones(groups.size) if values is None else values.reshape(-1).astype(np.float64)
    each = groups.shape[1] if groups.ndim == 2 else 1
    ends = np.arange(0, groups.size + 1, each)
    # By columns: nothing is sorted, and an entry is in place as it comes.
    return sparse.csc_matrix((given, groups.reshape(-1), ends), shape=(count, len(groups)))
