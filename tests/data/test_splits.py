"""Made splits are seeded, stratified, disjoint, complete, and keep groups together."""

import numpy as np
import pytest

from zoo.data.datasets import ArraySplit, Dataset, Provenance
from zoo.data.split_table import table_text
from zoo.data.splits import SplitPlan, complete_splits, ids_fingerprint
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
    made = complete_splits("d", dataset_of(all=split_of(labels)), SplitPlan(0.1, 0.2, 0))
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
        ids_fingerprint(complete_splits("d", data, SplitPlan(seed=seed))["test"])
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_named_splits_stay_as_they_are():
    given = {name: split_of([0, 1, 2], start=i) for i, name in enumerate(("train", "val", "test"))}
    made = complete_splits("d", dataset_of(**given), SplitPlan())
    assert all(made[name] is given[name] for name in given)


def test_val_comes_from_train_and_no_test_is_invented():
    made = complete_splits("d", dataset_of(train=split_of([0, 1] * 50)), SplitPlan(val=0.2))
    assert {name: len(split) for name, split in made.items()} == {"train": 80, "val": 20}


def test_groups_never_straddle():
    rng = np.random.default_rng(0)
    groups = [f"patient{g}" for g in rng.integers(0, 60, 500)]
    data = dataset_of(all=split_of(rng.integers(0, 3, 500), groups))
    made = complete_splits("d", data, SplitPlan(0.15, 0.2, 3))
    seen = [set(made[name].groups) for name in ("train", "val", "test")]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
    assert abs(len(made["test"]) - 100) <= 15
    assert np.abs(np.bincount(made["test"].labels) / len(made["test"]) - 1 / 3).max() < 0.1


def test_an_empty_split_and_unknown_names_are_refused():
    with pytest.raises(DataError, match=r"dataset 'd': split 'val' would be empty"):
        complete_splits("d", dataset_of(train=split_of([0, 1])), SplitPlan(val=0.1))
    with pytest.raises(DataError, match=r"has the splits validation; expected 'train' or 'all'"):
        complete_splits("d", dataset_of(validation=split_of([0, 1])), SplitPlan())


def test_folds_cover_everything_once_and_are_stratified():
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    data = dataset_of(all=split_of(labels))
    seen = []
    for fold in range(5):
        made = complete_splits("d", data, SplitPlan(folds=5, fold=fold, test=0.2))
        assert len(made["train"]) + len(made["val"]) == 80
        assert np.abs(np.bincount(made["val"].labels) - [8, 4.8, 3.2]).max() <= 1
        seen += list(made["val"].ids)
        assert not set(made["val"].ids) & set(made["train"].ids)
    assert len(seen) == len(set(seen)) == 80


def test_folds_keep_groups_and_take_in_a_val_that_was_given():
    rng = np.random.default_rng(1)
    groups = [f"g{g}" for g in rng.integers(0, 40, 300)]
    train = split_of(rng.integers(0, 3, 200), groups[:200])
    val = split_of(rng.integers(0, 3, 100), groups[200:], start=200)
    sizes = []
    for fold in range(4):
        made = complete_splits("d", dataset_of(train=train, val=val), SplitPlan(folds=4, fold=fold))
        assert not set(made["train"].groups) & set(made["val"].groups)
        sizes.append(len(made["val"]))
    assert sum(sizes) == 300 and max(sizes) - min(sizes) < 20


def test_a_fraction_is_stratified_and_leaves_val_and_test_alone():
    data = dataset_of(all=split_of(np.repeat([0, 1, 2], [600, 300, 100])))
    whole = complete_splits("d", data, SplitPlan())
    part = complete_splits("d", data, SplitPlan(fraction=0.25))
    assert len(part["train"]) == 180
    assert np.bincount(part["train"].labels).tolist() == [108, 54, 18]
    assert all(list(part[name].ids) == list(whole[name].ids) for name in ("val", "test"))


def test_a_table_gives_the_division_back(tmp_path):
    data = dataset_of(all=split_of(np.repeat([0, 1, 2], [60, 30, 10]), ["g"] * 100))
    data = dataset_of(all=split_of(np.repeat([0, 1, 2], [60, 30, 10])))
    made = complete_splits("d", data, SplitPlan(seed=5))
    path = tmp_path / "split.csv"
    path.write_text(table_text(made))
    again = complete_splits("d", data, SplitPlan(file=str(path)))
    assert {name: set(split.ids) for name, split in again.items()} == {
        name: set(split.ids) for name, split in made.items()
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", r"has the columns a, b; expected id and split"),
        ("id,split\ns0,train\ns0,val\n", r"csv:3: id 's0' stands twice"),
        ("id,split\ns0\n", r"csv:2: 1 fields; expected 2"),
        (
            "id,split\ns0,train\n",
            r"is not of dataset 'd': 5 samples are not in it and 0 of its ids",
        ),
        ("id,split\n" + "".join(f"s{i},train\n" for i in range(7)), r"1 of its ids are no samples"),
    ],
)
def test_a_table_that_does_not_fit_is_named(text, message, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        complete_splits("d", dataset_of(all=split_of([0, 1] * 3)), SplitPlan(file=str(path)))


def test_wrong_folds_are_refused():
    for plan in (SplitPlan(folds=1), SplitPlan(folds=3, fold=3)):
        with pytest.raises(DataError, match="expected at least 2 folds, and a fold from 0"):
            complete_splits("d", dataset_of(all=split_of([0, 1] * 30)), plan)
