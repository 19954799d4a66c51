"""Made splits are seeded, stratified, disjoint, complete, and keep groups together."""

import numpy as np
import pytest

from zoo.data.datasets import ArraySplit, Dataset, Provenance
from zoo.data.splits import Fractions, complete_splits, ids_fingerprint
from zoo.errors import DataError
from zoo.tasks import Task


def split_of(labels, groups=None, start=0):
    labels = np.asarray(labels, dtype=np.int64)
    ids = [f"s{start + i}" for i in range(len(labels))]
    return ArraySplit(np.zeros((len(labels), 2, 2), np.uint8), labels, ids, groups)


def dataset_of(**splits):
    return Dataset(Task.multiclass(["a", "b", "c"]), splits, Provenance("cc0-1.0"))


def test_all_is_divided_in_three_stratified_and_disjoint():
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    made = complete_splits("d", dataset_of(all=split_of(labels)), Fractions(0.1, 0.2, 0))
    assert {name: len(split) for name, split in made.items()} == {
        "train": 720, "test": 200, "val": 80,
    }  # fmt: skip
    assert np.bincount(made["test"].labels).tolist() == [120, 60, 20]
    assert np.bincount(made["val"].labels).tolist() == [48, 24, 8]
    ids = [set(made[name].ids) for name in ("train", "val", "test")]
    assert len(set.union(*ids)) == 1000 == sum(map(len, ids))


def test_the_seed_decides_and_repeats():
    data = dataset_of(all=split_of([0, 1, 2] * 50))
    first, again, other = (
        ids_fingerprint(complete_splits("d", data, Fractions(seed=seed))["test"])
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_named_splits_stay_as_they_are():
    given = {name: split_of([0, 1, 2], start=i) for i, name in enumerate(("train", "val", "test"))}
    made = complete_splits("d", dataset_of(**given), Fractions())
    assert all(made[name] is given[name] for name in given)


def test_val_comes_from_train_and_no_test_is_invented():
    made = complete_splits("d", dataset_of(train=split_of([0, 1] * 50)), Fractions(val=0.2))
    assert {name: len(split) for name, split in made.items()} == {"train": 80, "val": 20}


def test_groups_never_straddle():
    rng = np.random.default_rng(0)
    groups = [f"patient{g}" for g in rng.integers(0, 60, 500)]
    data = dataset_of(all=split_of(rng.integers(0, 3, 500), groups))
    made = complete_splits("d", data, Fractions(0.15, 0.2, 3))
    seen = [set(made[name].groups) for name in ("train", "val", "test")]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
    assert abs(len(made["test"]) - 100) <= 15
    assert np.abs(np.bincount(made["test"].labels) / len(made["test"]) - 1 / 3).max() < 0.1


def test_an_empty_split_and_unknown_names_are_refused():
    with pytest.raises(DataError, match=r"dataset 'd': split 'val' would be empty"):
        complete_splits("d", dataset_of(train=split_of([0, 1])), Fractions(val=0.1))
    with pytest.raises(DataError, match=r"has the splits validation; expected 'train' or 'all'"):
        complete_splits("d", dataset_of(validation=split_of([0, 1])), Fractions())
