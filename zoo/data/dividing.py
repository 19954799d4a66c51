"""Divide samples by chance: shares and folds, stratified by label, groups kept whole, seeded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.data.datasets import Split, Subset


def held_out(split: Split, share: float, seed: int, part: str) -> tuple[Split, Split]:
    """(the rest, ``share`` of ``split``), each in the order of ``split``. ``part`` names the
    purpose: another purpose draws other samples."""
    rng = _generator(seed, part)
    strata = _strata(split)
    if split.groups is None:
        chosen = _by_sample(strata, share, rng)
    else:
        chosen = _by_group(strata, split.groups, share, rng)
    return Subset(split, np.flatnonzero(~chosen)), Subset(split, np.flatnonzero(chosen))


def folds(split: Split, number: int, seed: int) -> np.ndarray:
    """int64 (N,): the fold of each sample, 0 to ``number`` - 1; folds differ little in size and in
    their shares of labels."""
    rng = _generator(seed, "folds")
    strata = _strata(split)
    fold_of = np.empty(len(strata), np.int64)
    if split.groups is None:
        # Dealt out stratum by stratum, going on where the last one ended, so sizes stay level.
        order = np.concatenate(
            [rng.permutation(np.flatnonzero(strata == one)) for one in range(strata.max() + 1)]
        )
        fold_of[order] = np.arange(len(order)) % number
        return fold_of
    have = np.zeros((number, strata.max() + 1))
    ideal = np.bincount(strata) / number
    members_of = _members(split.groups)
    # The largest groups first: the small ones can then level what they left uneven.
    shuffled = rng.permutation(len(members_of))
    for group in sorted(shuffled, key=lambda group: -len(members_of[group])):
        members = members_of[group]
        more = np.bincount(strata[members], minlength=len(ideal))
        cost = (np.square(have + more - ideal) - np.square(have - ideal)).sum(axis=1)
        best = int(np.argmin(cost))
        have[best] += more
        fold_of[members] = best
    return fold_of


def _generator(seed: int, part: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, sum(part.encode())]))


def _strata(split: Split) -> np.ndarray:
    """int64 (N,): samples of equal number carry the same label (or the same set of labels)."""
    if split.labels is None:
        return np.zeros(len(split), np.int64)
    _, strata = np.unique(np.asarray(split.labels), axis=0, return_inverse=True)
    return np.asarray(strata).reshape(-1)


def _members(groups: Sequence[str]) -> list[np.ndarray]:
    """The samples of each group."""
    _, group_of = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(group_of, kind="stable")
    return np.split(order, np.cumsum(np.bincount(group_of))[:-1])


def _by_sample(strata: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """bool (N,): within each stratum, ``share`` of the samples. Counts are rounded so that the
    total is right as well (largest remainder)."""
    chosen = np.zeros(len(strata), bool)
    exact = np.bincount(strata) * share
    counts = np.floor(exact).astype(np.int64)
    missing = round(exact.sum()) - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    for stratum, count in enumerate(counts):
        members = np.flatnonzero(strata == stratum)
        chosen[rng.permutation(members)[:count]] = True
    return chosen


def _by_group(
    strata: np.ndarray, groups: Sequence[str], share: float, rng: np.random.Generator
) -> np.ndarray:
    """bool (N,): whole groups, in random order, each taken when that brings the counts per stratum
    nearer to ``share`` of them."""
    chosen = np.zeros(len(strata), bool)
    wanted = np.bincount(strata) * share
    have = np.zeros_like(wanted)
    members_of = _members(groups)
    for group in rng.permutation(len(members_of)):
        members = members_of[group]
        more = have + np.bincount(strata[members], minlength=len(wanted))
        if np.abs(wanted - more).sum() < np.abs(wanted - have).sum():
            have = more
            chosen[members] = True
    return chosen
