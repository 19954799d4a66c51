"""torchvision's datasets as small files of the layout that torchvision expects."""

from __future__ import annotations

import hashlib
import pickle
import struct

import numpy as np
import pytest
import torchvision.datasets
from PIL import Image

import zoo
from zoo.data.datasets import check_dataset
from zoo.plugins.catalog import catalog

RNG = np.random.default_rng(0)


def build(root, name, **options):
    component = catalog().get("dataset", f"torchvision/{name}")
    dataset = component.build(zoo.DatasetContext(root), options)
    check_dataset(name, dataset)
    return dataset


def refusal(root, name, **options):
    with pytest.raises(zoo.DataError) as caught:
        build(root, name, **options)
    return str(caught.value)


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def write_idx(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.tobytes())


def write_mnist(root, name, prefixes=("train", "t10k"), highest=10, lowest=0):
    images = {}
    for prefix, count in zip(prefixes, (20, 10), strict=True):
        images[prefix] = RNG.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (lowest + np.arange(count) % (highest - lowest)).astype(np.uint8)
        write_idx(root / name / "raw" / f"{prefix}-images-idx3-ubyte", images[prefix])
        write_idx(root / name / "raw" / f"{prefix}-labels-idx1-ubyte", labels)
    return images


def draw(path, shape=(6, 4), value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*shape, 3), value, np.uint8)).save(path)


def write_cifar(root, name, monkeypatch):
    """Batches as published, pickled; their md5 is made the published one."""
    cls = getattr(torchvision.datasets, name)
    folder = root / cls.base_folder
    folder.mkdir(parents=True)
    key, classes = ("labels", 10) if name == "CIFAR10" else ("fine_labels", 100)
    pixels = RNG.integers(0, 256, (4, 3072), dtype=np.uint8)
    for attribute in ("train_list", "test_list"):
        names = [file for file, _ in getattr(cls, attribute)]
        for file in names:
            (folder / file).write_bytes(pickle.dumps({"data": pixels, key: [0, 1, 2, 9]}))
        monkeypatch.setattr(cls, attribute, [[file, md5(folder / file)] for file in names])
    meta = folder / cls.meta["filename"]
    meta.write_bytes(pickle.dumps({cls.meta["key"]: [f"class {i}" for i in range(classes)]}))
    monkeypatch.setattr(cls, "meta", {**cls.meta, "md5": md5(meta)})
    return pixels


def write_pets(root):
    folder = root / "oxford-iiit-pet"
    trimap = np.array([[1, 1, 3, 2]] * 6, np.uint8)
    lists = {"trainval": ("Abyssinian_1 1 1 1", "beagle_2 2 2 1"), "test": ("beagle_3 2 2 1",)}
    (folder / "annotations" / "trimaps").mkdir(parents=True)
    for split, lines in lists.items():
        (folder / "annotations" / f"{split}.txt").write_text("\n".join(lines) + "\n")
        for line in lines:
            name = line.split()[0]
            draw(folder / "images" / f"{name}.jpg")
            Image.fromarray(trimap).save(folder / "annotations" / "trimaps" / f"{name}.png")
    return root
