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


def summing(
    groups: np.ndarray,
    count: int,
    samples: int,
    *,
    values: np.ndarray | None = None,
    sample: np.ndarray | None = None,
) -> Any:
    """A sparse matrix (count, N) that, times weights, gives for each group the sum of the weights
    of its entries, times their ``values``. ``groups``: the group (E,) of every entry; ``sample``:
    whose weight the entry has, by default the sample at its place.

    A product adds in the order of the samples, on one thread: equal input is equal to the last bit
    on any number of cores, which a product of dense matrices does not promise."""
    from scipy import sparse

    columns = np.arange(samples) if sample is None else sample
    given = np.ones(len(groups)) if values is None else np.asarray(values, np.float64)
    return sparse.csr_matrix((given, (groups, columns)), shape=(count, samples))
