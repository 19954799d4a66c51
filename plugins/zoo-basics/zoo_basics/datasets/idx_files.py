"""Gray images and their labels in idx files of any names, the form of MNIST.

Shapes: N samples, H by W pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo import ArraySplit, DataError, Dataset, DatasetContext
from zoo_basics.datasets.idx import read_idx
from zoo_basics.datasets.labelling import NO_NAMES, TaskChoice, numbered_task
from zoo_basics.datasets.places import OWN_FILES, file_inside, root_folder

_LAYOUT = "idx"


def build(
    ctx: DatasetContext,
    *,
    images: str = "",
    labels: str = "",
    test_images: str = "",
    test_labels: str = "",
    classes: list[str] = NO_NAMES,
    positive: str = "",
    task: TaskChoice = "auto",
) -> Dataset:
    """Files of unsigned bytes, gzipped or not: images (N, H, W), labels (N,).

    ``images`` and ``labels`` alone are the split ``all``; with ``test_images`` they are ``train``.
    ``test_labels`` may be missing. ``classes``: a name for each label, from 0 on. Raises
    :class:`zoo.DataError` for missing, damaged or mismatched files.
    """
    root = root_folder(_LAYOUT, ctx.root, "its idx files")
    for option, name in (("images", images), ("labels", labels)):
        if not name:
            raise DataError(f"dataset {_LAYOUT!r}: name the file of the {option}: dataset.{option}")
    if test_labels and not test_images:
        raise DataError(
            f"dataset {_LAYOUT!r}: test_labels {test_labels!r} without images; set "
            f"dataset.test_images"
        )
    first = "train" if test_images else "all"
    splits = {first: _split(root, first, ("images", images), ("labels", labels))}
    if test_images:
        splits["test"] = _split(
            root, "test", ("test_images", test_images), ("test_labels", test_labels)
        )
    by_split = {name: split.labels for name, split in splits.items()}
    return Dataset(numbered_task(_LAYOUT, by_split, classes, positive, task), splits, OWN_FILES)


def _split(root: Path, part: str, images: tuple[str, str], labels: tuple[str, str]) -> ArraySplit:
    images_NHW = read_idx(file_inside(_LAYOUT, root, *images), dimensions=3)
    ids = [f"{part}-{i:05d}" for i in range(len(images_NHW))]
    if not labels[1]:
        return ArraySplit(images_NHW, None, ids)
    labels_N = read_idx(file_inside(_LAYOUT, root, *labels), dimensions=1)
    if len(labels_N) != len(images_NHW):
        raise DataError(
            f"idx files {images[1]!r} and {labels[1]!r}: {len(images_NHW)} images and "
            f"{len(labels_N)} labels; expected one each: do they belong together?"
        )
    return ArraySplit(images_NHW, labels_N.astype(np.int64), ids)
