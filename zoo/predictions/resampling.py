"""Which samples a draw of the bootstrap or of the jackknife holds, as columns of weights.

Shapes: N samples, U units, D draws. A unit is a sample, or a group of samples (a patient's images)
that is drawn or left out whole: samples of a group are alike, and as single ones would make every
interval too narrow (Field and Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

TOGETHER = 64  # draws whose weights exist at the same time
LEFT_OUT = 500  # parts of the jackknife: more units than this are left out several at a time


@dataclass(frozen=True)
class Units:
    """``member``: int64 (N,), the unit of each sample; ``count``: U; ``grouped``: whether some
    unit holds several samples."""

    member: np.ndarray
    count: int
    grouped: bool

    @classmethod
    def of(cls, samples: int, groups: np.ndarray | None = None) -> Units:
        """``groups``: (N,) of anything that can be sorted."""
        if groups is None:
            return cls(np.arange(samples), samples, False)
        names, member = np.unique(groups, return_inverse=True)
        if len(names) == samples:  # nobody shares one: the samples are independent
            return cls(np.arange(samples), samples, False)
        return cls(member, len(names), True)

    @property
    def name(self) -> str:
        return "groups" if self.grouped else "samples"

    def draws(self, count: int, seed: int) -> Iterator[np.ndarray]:
        """Blocks of int64 (N, at most 64), ``count`` columns in all: how often each sample is in a
        draw of U units with replacement. Equal for equal units, count and seed."""
        random = np.random.default_rng(seed)
        for start in range(0, count, TOGETHER):
            wide = min(TOGETHER, count - start)
            drawn = random.integers(0, self.count, (wide, self.count))
            drawn += self.count * np.arange(wide)[:, None]
            often = np.bincount(drawn.reshape(-1), minlength=wide * self.count)
            yield often.reshape(wide, self.count).T[self.member]

    def without(self) -> Iterator[np.ndarray]:
        """Blocks of int64 (N, at most 64): 1 for each sample but those of the part left out.

        A part is a unit. Of more than 500 units a part is a random U / 500 of them: the skew of
        sums over parts is that of single units over the root of the part's size, and the root of
        the number of parts makes up for it, so that the acceleration is the same to first order
        (the delete-d jackknife; Efron and Tibshirani 1993, chapter 11)."""
        parts = min(self.count, LEFT_OUT)
        place = np.arange(self.count)
        if parts < self.count:
            place = np.random.default_rng(0).permutation(self.count) % parts
        part = place[self.member]
        for start in range(0, parts, TOGETHER):
            columns = np.arange(start, min(start + TOGETHER, parts))
            yield (part[:, None] != columns).astype(np.int64)
