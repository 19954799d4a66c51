"""What a dataset must hold, checked before anything is trained on it."""

import numpy as np
import pytest

from zoo.data.datasets import ArraySplit, Dataset, Provenance, Subset, check_dataset
from zoo.errors import DataError
from zoo.tasks import Task

IMAGES = np.zeros((3, 4, 4), np.uint8)


def check(labels, ids=("a", "b", "c"), task=None, groups=None, images=IMAGES):
    split = ArraySplit(images, np.asarray(labels), list(ids), groups)
    task = task or Task.multiclass(["x", "y"])
    check_dataset("d", Dataset(task, {"train": split}, Provenance("cc0-1.0")))


def test_a_coherent_dataset_passes():
    check([0, 1, 1])
    check([[0, 1], [1, 1], [0, 0]], task=Task.multilabel(["x", "y"]))
    check([1, 0, 1], task=Task.binary(["x", "y"], positive="x"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"labels": [0, 2, 1]},
            "dataset 'd', split 'train': 1 labels outside the classes, the first is 2 of sample 1; "
            "expected 0 to 1",
        ),
        (
            {"labels": [0, 1, -1]},
            "dataset 'd', split 'train': 1 labels outside the classes, the first is -1 of sample "
            "2; expected 0 to 1",
        ),
        (
            {"labels": [0.0, 1.0, 1.0]},
            "dataset 'd', split 'train': labels of shape (3,) and type float64; expected integers "
            "of shape (3,)",
        ),
        (
            {"labels": [0, 1]},
            "dataset 'd', split 'train': labels of shape (2,) and type int64; expected integers of "
            "shape (3,)",
        ),
        ({"labels": [0, 1, 1], "ids": "aab"}, "dataset 'd', split 'train': some ids stand twice"),
        ({"labels": [0, 1, 1], "ids": "ab"}, "dataset 'd', split 'train': 2 ids for 3 images"),
        (
            {"labels": [0, 1, 1], "groups": ["g"]},
            "dataset 'd', split 'train': 1 groups for 3 images",
        ),
        (
            {"labels": [], "ids": (), "images": IMAGES[:0]},
            "dataset 'd', split 'train': it is empty",
        ),
    ],
)
def test_what_is_wrong_is_named(arguments, message):
    with pytest.raises(DataError) as caught:
        check(**arguments)
    assert str(caught.value) == message


def test_a_subset_keeps_its_order():
    split = ArraySplit(IMAGES, np.array([5, 6, 7]), ["a", "b", "c"], ["g", "h", "i"])
    part = Subset(split, np.array([2, 0]))
    assert (list(part.ids), part.labels.tolist(), list(part.groups)) == (
        ["c", "a"], [7, 5], ["i", "g"],
    )  # fmt: skip
