"""The splits of a dataset: as it brings them, or made, stratified, respecting groups, seeded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from zoo.data import dividing
from zoo.data.datasets import Dataset, Joined, Split, Subset
from zoo.data.split_table import SplitTable
from zoo.errors import DataError, nearest

ALL, TRAIN, VAL, TEST = "all", "train", "val", "test"


@dataclass(frozen=True)
class SplitPlan:
    """``test``: the share of ``all`` held out for testing, where the dataset has no test split;
    ``val``: the share of what is left for training held out for validation, likewise.

    ``folds``: instead, training and validation samples together are cut into so many parts and part
    ``fold`` (from 0) validates. ``fraction``: how much of the training split is then used.
    ``file``: a table that says where each sample belongs (``zoo.data.split_table``)."""

    val: float = 0.1
    test: float = 0.2
    seed: int = 0
    folds: int = 0
    fold: int = 0
    fraction: float = 1.0
    file: str = ""


def complete_splits(name: str, dataset: Dataset, plan: SplitPlan) -> dict[str, Split]:
    """``train``, ``val`` and ``test`` (where it can be had): the dataset's own, else made.

    A dataset that brings only ``all`` is divided into the three; one that brings ``train`` but no
    ``val`` has it taken from ``train``; one that brings ``train`` but no ``test`` gets none: what
    was meant for training is not silently made a test set.
    """
    splits = dict(dataset.splits)
    if plan.file:
        splits = SplitTable.load(plan.file).applied(name, splits)
    if TRAIN not in splits:
        if ALL not in splits:
            raise DataError(
                f"dataset {name!r} has the splits {', '.join(splits)}; expected {TRAIN!r} or "
                f"{ALL!r}"
            )
        whole = splits.pop(ALL)
        if TEST not in splits:
            splits[TRAIN], splits[TEST] = dividing.held_out(whole, plan.test, plan.seed, TEST)
        else:
            splits[TRAIN] = whole
    if plan.folds:
        splits[TRAIN], splits[VAL] = _fold(name, splits, plan)
    elif VAL not in splits:
        splits[TRAIN], splits[VAL] = dividing.held_out(splits[TRAIN], plan.val, plan.seed, VAL)
    if plan.fraction < 1.0:
        _, splits[TRAIN] = dividing.held_out(splits[TRAIN], plan.fraction, plan.seed, "fraction")
    for part, split in splits.items():
        if len(split) == 0:
            raise DataError(
                f"dataset {name!r}: split {part!r} would be empty; give a larger split.{part}, or "
                f"more samples (groups stay whole)"
            )
    return splits


def _fold(name: str, splits: Mapping[str, Split], plan: SplitPlan) -> tuple[Split, Split]:
    if not plan.folds >= 2 or not 0 <= plan.fold < plan.folds:
        raise DataError(
            f"split.fold {plan.fold} of split.folds {plan.folds}: expected at least 2 folds, and a "
            f"fold from 0 to folds - 1"
        )
    whole: Split = splits[TRAIN]
    if VAL in splits:
        whole = Joined((whole, splits[VAL]))
    if plan.folds > len(whole):
        raise DataError(f"dataset {name!r}: {len(whole)} samples cannot make {plan.folds} folds")
    fold_of = dividing.folds(whole, plan.folds, plan.seed)
    return (
        Subset(whole, (fold_of != plan.fold).nonzero()[0]),
        Subset(whole, (fold_of == plan.fold).nonzero()[0]),
    )


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
    return fingerprint_of_ids(split.ids)


def fingerprint_of_ids(ids: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
