"""Each layout trains and is evaluated; real data too, where ZOO_TEST_DATA names a folder."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from layout_files import noise
from PIL import Image
from zoo_basics.datasets import mask_folder, npz

import zoo

REAL = os.environ.get("ZOO_TEST_DATA", "")
PER_CLASS = 12


def real(name):
    return pytest.mark.skipif(
        not REAL or not (Path(REAL) / name).is_dir(),
        reason=f"ZOO_TEST_DATA names no folder with {name}/",
    )


def shades():
    """Dark and bright images, uint8 (N, 8, 8), and labels 0 and 1: a linear network learns it."""
    images = noise(2 * PER_CLASS) // 4
    images[PER_CLASS:] += 180
    return images, np.repeat([0, 1], PER_CLASS)


def as_image_folder(root):
    for i, (image, label) in enumerate(zip(*shades(), strict=True)):
        folder = root / ("dark", "bright")[label]
        folder.mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f"{i}.png")
    return {"positive": "bright"}


def as_csv(root):
    lines = ["name,kind,patient"]
    (root / "img").mkdir()
    for i, (image, label) in enumerate(zip(*shades(), strict=True)):
        Image.fromarray(image).save(root / f"img/{i}.png")
        lines.append(f"{i},{('dark', 'bright')[label]},{i // 2}")
    (root / "labels.csv").write_text("\n".join(lines))
    named = {"path": "name", "label": "kind", "group": "patient"}
    return {**named, "images": "img", "suffix": ".png", "positive": "bright"}


def as_multilabel_csv(root):
    as_csv(root)
    lines = (root / "labels.csv").read_text().splitlines()
    text = [f"{line.rpartition(',')[0]},{(i + 1) % 2}" for i, line in enumerate(lines)]
    text[0] = "name,kind,odd"
    changed = "\n".join(text).replace(",dark,", ",0,").replace(",bright,", ",1,")
    (root / "labels.csv").write_text(changed)
    return {"path": "name", "labels": ["kind", "odd"], "images": "img", "suffix": ".png"}


def as_npz(root):
    images, labels = shades()
    arrays = {"images": images, "labels": labels}
    np.savez(root / "data.npz", **{f"{p}_{w}": one for p in ("train", "val", "test")
                                   for w, one in arrays.items()})  # fmt: skip
    return {"classes": ["dark", "bright"], "positive": "bright"}


def as_idx(root):
    for name, array in zip(("x", "y"), shades(), strict=True):
        start = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
        (root / name).write_bytes(start + array.astype(np.uint8).tobytes())
    return {"images": "x", "labels": "y", "task": "multiclass"}


def as_parquet(root):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    as_image_folder(root)
    paths = sorted(root.glob("*/*.png"))
    columns = {"image": [{"bytes": path.read_bytes()} for path in paths],
               "label": [path.parent.name for path in paths]}  # fmt: skip
    parquet.write_table(pyarrow.table(columns), root / "train.parquet", row_group_size=5)
    parquet.write_table(pyarrow.table(columns), root / "test.parquet", row_group_size=5)
    return {"positive": "bright"}


LAYOUTS = {
    "image_folder": ("image_folder", as_image_folder),
    "csv": ("csv", as_csv),
    "csv, several labels": ("csv", as_multilabel_csv),
    "npz": ("npz", as_npz),
    "idx": ("idx", as_idx),
    "parquet": ("parquet", as_parquet),
}


@pytest.mark.parametrize("name, write", LAYOUTS.values(), ids=LAYOUTS)
def test_each_layout_trains_and_is_evaluated(name, write, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "data"
    root.mkdir()
    options = write(root)
    recipe = {
        "dataset": {"name": name, "root": str(root), **options},
        "architecture": {"name": "linear"},
        "optimizer": {"name": "adam", "lr": 0.05},
        "split": {"val": 0.25, "test": 0.25},
        "training": {"epochs": 8, "batch_size": 8, "threads": 1, "device": "cpu"},
    }
    run = zoo.train(recipe, folder=tmp_path / "run")
    assert run.info["status"] == "finished"
    metrics = zoo.evaluate(tmp_path / "run", device="cpu").metrics
    assert metrics["samples"] >= 4
    if "labels" not in options or name == "idx":
        assert metrics["accuracy"] == 1.0


@pytest.mark.parametrize("name, write", LAYOUTS.values(), ids=LAYOUTS)
def test_each_layout_keeps_the_contract(name, write, tmp_path):
    """What ``zoo.check_plugin`` asks of a dataset, with the options that these files need."""
    from zoo.plugins.catalog import catalog
    from zoo.plugins.check_inputs import dataset

    component = catalog().get("dataset", name)
    options = write(tmp_path)

    class Bound:
        spec = component.spec

        def build(self, context):
            return component.build(context, options)

    assert list(dataset(Bound(), tmp_path)) == []


@real("pneumoniamnist")
def test_pneumoniamnist_is_the_published_one():
    made = npz.build(
        zoo.DatasetContext(Path(REAL) / "pneumoniamnist"),
        file="pneumoniamnist.npz", classes=["normal", "pneumonia"], positive="pneumonia",
    )  # fmt: skip
    counts = {name: np.bincount(split.labels).tolist() for name, split in made.splits.items()}
    assert counts == {"train": [1214, 3494], "val": [135, 389], "test": [234, 390]}
    assert made.splits["train"].images.shape == (4708, 28, 28)


@real("nuclei")
def test_nuclei_are_paired_and_split_as_listed():
    made = mask_folder.build(zoo.DatasetContext(Path(REAL) / "nuclei"))
    assert {name: len(split) for name, split in made.splits.items()} == {"train": 267, "test": 67}
    for split in made.splits.values():
        for i in (0, len(split) - 1):
            assert split.paths[i].stem == split.masks[i].stem
            assert set(np.unique(np.asarray(split.mask(i)))) <= {0, 255}
            assert split.image(i).size == split.mask(i).size == (256, 256)
