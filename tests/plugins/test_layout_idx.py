"""idx: two or four files of any names."""

import gzip
import struct

import numpy as np
import pytest
from layout_files import noise, refused
from zoo_basics.datasets import idx_files

import zoo

LABELS = np.array([0, 2, 1, 2], np.uint8)
FOUR = {"images": "a", "labels": "b", "test_images": "sub/c", "test_labels": "sub/d"}


def write(path, array):
    path.parent.mkdir(exist_ok=True)
    content = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(content + array.tobytes()))


@pytest.fixture
def root(tmp_path):
    for name, array in (("a", noise(4, 6)), ("b", LABELS), ("c", noise(2, 6)), ("d", LABELS[:2])):
        write(tmp_path / ("" if name in "ab" else "sub") / name, array)
    return tmp_path


def build(root, **options):
    return idx_files.build(zoo.DatasetContext(root), **options)


def message(root, **options):
    return refused(idx_files.build, root, **options)


def test_two_files_are_one_split(root):
    made = build(root, images="a", labels="b", classes=["x", "y", "z"])
    assert made.task == zoo.Task.multiclass(["x", "y", "z"])
    split = made.splits["all"]
    assert np.array_equal(split.images, noise(4, 6))
    assert (split.labels.tolist(), split.labels.dtype) == ([0, 2, 1, 2], np.int64)


def test_four_files_are_train_and_test_and_test_labels_may_be_missing(root):
    made = build(root, **FOUR)
    assert {name: len(split) for name, split in made.splits.items()} == {"train": 4, "test": 2}
    assert made.splits["test"].ids == ["test-00000", "test-00001"]
    assert build(root, **{**FOUR, "test_labels": ""}).splits["test"].labels is None


def test_two_classes_need_a_positive_one(root):
    write(root / "b", LABELS // 2)
    assert "dataset.positive) 'no' or 'yes'" in message(
        root, images="a", labels="b", classes=["no", "yes"]
    )
    made = build(root, images="a", labels="b", classes=["no", "yes"], positive="no")
    assert made.task == zoo.Task.binary(["no", "yes"], positive="no")


@pytest.mark.parametrize(
    "options, what",
    [
        ({}, "dataset 'idx': name the file of the images: dataset.images"),
        ({"images": "a"}, "dataset 'idx': name the file of the labels: dataset.labels"),
        (
            {"images": "a", "labels": "b", "test_labels": "d"},
            "dataset 'idx': test_labels 'd' without images; set dataset.test_images",
        ),
        (
            {"images": "a", "labels": "e"},
            "dataset 'idx': labels 'e': no such file in 'ROOT'; put it there, or set "
            "dataset.labels",
        ),
        (
            {"images": "../a", "labels": "b"},
            "dataset 'idx': images '../a': expected a file's path below the root, 'ROOT'",
        ),
        (
            {"images": "a", "labels": "sub/d"},
            "idx files 'a' and 'sub/d': 4 images and 2 labels; expected one each: do they belong "
            "together?",
        ),
        (
            {"images": "a", "labels": "b", "classes": ["x", "y"]},
            "dataset 'idx': dataset.classes has 2 names, 'x', 'y', and there is a label 2; "
            "expected a name for each class, in the order of the labels",
        ),
        (
            {"images": "b", "labels": "a"},
            "idx file 'ROOT/b': it has 1 dimensions; expected 3: is it another one?; get the file "
            "again",
        ),
    ],
)
def test_what_is_refused(root, options, what):
    assert message(root, **options) == what


def test_a_class_that_is_only_in_test(root):
    write(root / "sub/d", np.array([0, 4], np.uint8))
    assert "class '4' has 1 images in 'test' and none in 'train'" in message(root, **FOUR)
