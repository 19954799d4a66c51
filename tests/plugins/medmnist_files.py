"""MedMNIST's files, small, in the published layout."""

from __future__ import annotations

import numpy as np
import pytest
from zoo_medical import medmnist

import zoo
from zoo.plugins.catalog import catalog

SMALL = {"train": 12, "val": 4, "test": 5}
MD5 = {str(size): "0" * 32 for size in (28, 64, 128, 224)}


def arrays_of(name, size=28, counts=SMALL):
    facts = medmnist.table()[name]
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in counts.items():
        shape = (count, size, size, *((3,) if facts["channels"] == 3 else ()))
        arrays[f"{split}_images"] = rng.integers(0, 256, shape, dtype=np.uint8)
        classes = len(facts["classes"])
        labels = np.arange(count, dtype=np.uint8)[:, None] % classes
        if facts["task"] == "multilabel":
            labels = rng.integers(0, 2, (count, classes), dtype=np.uint8)
        arrays[f"{split}_labels"] = labels
    return arrays


def write(folder, name, size=28, save=np.savez_compressed, **changed):
    path = folder / medmnist.file_name(name, size)
    save(path, **{**arrays_of(name, size), **changed})
    return path


def build(root, name="breastmnist", **options):
    component = catalog().get("dataset", f"medmnist/{name}")
    return component.build(zoo.DatasetContext(root), options)


def refusal(root, name="breastmnist", **options):
    with pytest.raises(zoo.DataError) as caught:
        build(root, name, **options)
    return str(caught.value)
