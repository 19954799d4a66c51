"""Faults of lists, labels, classes and groups, which are found without decoding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audit_sets import THREE, Splits, folder_splits, report_on, scene

import zoo
from zoo.data.audit.cheap import cheap_checks
from zoo.data.datasets import Subset


@pytest.fixture
def plain(tmp_path: Path) -> Splits:
    return folder_splits(tmp_path, {"train": 9, "val": 6, "test": 6})


Change = Callable[[Splits], None]


def other_labels(split: str, labels: object) -> Change:
    return lambda splits: splits.update(
        {split: replace(splits[split], labels=None if labels is None else np.array(labels))}
    )


def other(split: str, **changes: object) -> Change:
    return lambda splits: splits.update({split: replace(splits[split], **changes)})


LISTS: dict[str, tuple[Change, list[tuple[str, str]]]] = {
    "a label too high": (
        other_labels("val", [0, 1, 2, 0, 3, 1]),
        [("label_outside", "val")],
    ),
    "a label below zero": (
        other_labels("test", [0, -1, 2, 0, 1, 1]),
        [("label_outside", "test")],
    ),
    "labels of floats": (
        other_labels("val", [0.0, 1, 2, 0, 1, 2]),
        [("label_outside", "val")],
    ),
    "labels for too few": (other_labels("val", [0, 1, 2]), [("lengths", "val")]),
    "groups for too few": (other("test", groups=["a"]), [("lengths", "test")]),
    "ids for too few": (other("test", ids=["a", "b"]), [("lengths", "test")]),
    "an id twice": (
        other("val", ids=["a", "b", "c", "d", "e", "a"]),
        [("duplicate_id", "val")],
    ),
    "an id in two splits": (
        other("val", ids=["train/00.png", "b", "c", "d", "e", "f"]),
        [("duplicate_id", "train, val")],
    ),
    "a group in two splits": (
        other("val", groups=["a", "b", "patient train/03.png", "d", "e", "f"]),
        [("group_straddles", "train, val")],
    ),
    "no labels to train on": (other_labels("train", None), [("no_labels", "train")]),
    "no labels to measure by": (other_labels("test", None), [("unlabeled", "test")]),
    "a class that is not trained": (
        other_labels("train", [0, 1, 0, 1, 0, 1, 0, 1, 0]),
        [("never_trained", "train")],
    ),
    "a class absent from a split": (
        other_labels("val", [0, 1, 0, 1, 0, 1]),
        [("class_absent", "val")],
    ),
    "no samples": (lambda splits: splits.update(val=Subset(splits["val"], np.array([], int))),
        [("empty_split", "val")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LISTS)
def test_a_fault_of_lists_is_found_without_decoding(case, plain):
    change, expected = LISTS[case]
    change(plain)
    found = cheap_checks(THREE, plain)
    assert [(one.kind, one.split) for one in found] == expected
    assert {(one.kind, one.split) for one in report_on(THREE, plain).findings} == set(expected)


def test_a_single_class_and_unequal_classes():
    def counts(*labels: int) -> list[tuple[str, str]]:
        images = np.stack([scene(one, 16) for one in range(len(labels))])
        ids = [str(one) for one in range(len(labels))]
        split = zoo.ArraySplit(images, np.array(labels), ids)
        return [(one.kind, one.message) for one in cheap_checks(task, {"all": split})]

    task = zoo.Task.binary(["no", "yes"], positive="yes")
    assert [kind for kind, _ in counts(0, 0, 0)] == ["class_absent", "one_class"]
    assert counts(*[0] * 9, 1) == []
    assert counts(*[0] * 10, 1) == [("imbalance", "10 of 'no', 1 of 'yes': 10.0 to 1")]


def test_multilabel_columns():
    task = zoo.Task.multilabel(["red", "round"])
    images = np.stack([scene(one, 16) for one in range(4)])
    labels = np.array([[1, 0], [0, 0], [1, 2], [0, 1]], np.uint8)
    split = zoo.ArraySplit(images, labels, list("abcd"))
    assert [(one.kind, one.ids) for one in cheap_checks(task, {"train": split})] == [
        ("label_outside", ("c",))
    ]
    narrow = replace(split, labels=labels[:, :1])
    assert [one.kind for one in cheap_checks(task, {"train": narrow})] == ["label_outside"]


def test_notes_of_the_dataset_are_told(plain):
    report = report_on(THREE, plain, md5="is not the published one")
    assert [(one.kind, one.message) for one in report.findings] == [
        ("note", "md5: is not the published one")
    ]
