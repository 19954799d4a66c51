"""Make the splits a dataset does not bring: by fraction, stratified, respecting groups, seeded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.data.datasets import Dataset, Split, Subset
from zoo.errors import DataError, nearest

ALL, TRAIN, VAL, TEST = "all", "train", "val", "test"


@dataclass(frozen=True)
class Fractions:
    """``test``: the share of ``all`` held out for testing, where the dataset has no test split;
    ``val``: the share of what is left for training held out for validation, likewise."""

    val: float = 0.1
    test: float = 0.2
    seed: int = 0


def complete_splits(name: str, dataset: Dataset, fractions: Fractions) -> dict[str, Split]:
    """``train``, ``val`` and ``test`` (where it can be had): the dataset's own, else made.

    A dataset that brings only ``all`` is divided into the three; one that brings ``train`` but no
    ``val`` has it taken from ``train``; one that brings ``train`` but no ``test`` gets none: what
    was meant for training is not silently made a test set.
    """
    splits = dict(dataset.splits)
    if TRAIN not in splits:
        if ALL not in splits:
            raise DataError(
                f"dataset {name!r} has the splits {', '.join(splits)}; expected {TRAIN!r} or "
                f"{ALL!r}"
            )
        whole = splits.pop(ALL)
        if TEST not in splits:
            splits[TRAIN], splits[TEST] = _divide(whole, fractions.test, fractions.seed, TEST)
        else:
            splits[TRAIN] = whole
    if VAL not in splits:
        splits[TRAIN], splits[VAL] = _divide(splits[TRAIN], fractions.val, fractions.seed, VAL)
    for part, split in splits.items():
        if len(split) == 0:
            raise DataError(
                f"dataset {name!r}: split {part!r} would be empty; give a larger split.{part}"
            )
    return splits


def pick(name: str, splits: Mapping[str, Split], wanted: str) -> Split:
    """The split of that name. Raises :class:`DataError` listing those there are."""
    if wanted not in splits:
        raise DataError(
            f"dataset {name!r} has no split {wanted!r}{nearest(wanted, splits)}; "
            f"expected one of {', '.join(splits)}"
        )
    return splits[wanted]


def ids_fingerprint(split: Split) -> str:
    """sha256 over the sorted ids: two splits of equal fingerprint hold the same samples."""
    return hashlib.sha256("\n".join(sorted(split.ids)).encode()).hexdigest()


def _divide(split: Split, fraction: float, seed: int, part: str) -> tuple[Split, Split]:
    """(the rest, ``fraction`` of ``split``), each in the order of ``split``."""
    rng = np.random.Generator(np.random.PCG64([seed, sum(part.encode())]))
    strata = _strata(split)
    if split.groups is None:
        held_out = _by_sample(strata, fraction, rng)
    else:
        held_out = _by_group(strata, split.groups, fraction, rng)
    return Subset(split, np.flatnonzero(~held_out)), Subset(split, np.flatnonzero(held_out))


def _strata(split: Split) -> np.ndarray:
    """int64 (N,): samples of equal number carry the same label (or the same set of labels)."""
    if split.labels is None:
        return np.zeros(len(split), np.int64)
    _, strata = np.unique(np.asarray(split.labels), axis=0, return_inverse=True)
    return np.asarray(strata).reshape(-1)


def _by_sample(strata: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """bool (N,): within each stratum, ``fraction`` of the samples. Shares are rounded so that the
    total is right as well (largest remainder)."""
    held_out = np.zeros(len(strata), bool)
    exact = np.bincount(strata) * fraction
    counts = np.floor(exact).astype(np.int64)
    missing = round(exact.sum()) - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    for stratum, count in enumerate(counts):
        members = np.flatnonzero(strata == stratum)
        held_out[rng.permutation(members)[:count]] = True
    return held_out


def _by_group(
    strata: np.ndarray, groups: Sequence[str], fraction: float, rng: np.random.Generator
) -> np.ndarray:
    """bool (N,): whole groups, in random order, each taken when that brings the counts per stratum
    nearer to ``fraction`` of them."""
    _, group_of = np.unique(np.asarray(groups), return_inverse=True)
    held_out = np.zeros(len(strata), bool)
    wanted = np.bincount(strata) * fraction
    have = np.zeros_like(wanted)
    order = np.argsort(group_of, kind="stable")
    members_of = np.split(order, np.cumsum(np.bincount(group_of))[:-1])
    for group in rng.permutation(len(members_of)):
        members = members_of[group]
        more = have + np.bincount(strata[members], minlength=len(wanted))
        if np.abs(wanted - more).sum() < np.abs(wanted - have).sum():
            have = more
            held_out[members] = True
    return held_out
