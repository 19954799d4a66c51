"""Kvasir-Instrument: images, masks, lists, boxes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from zoo_medical import kvasir_instrument

import zoo
from zoo.data.datasets import check_dataset
from zoo.data.decoding import mask_ids
from zoo.plugins.catalog import catalog

NAMES = {"train": ["ckcu8", "ckcu9", "ckcua"], "test": ["ckcub"]}
BOXES = {
    "ckcu8": {
        "height": 6,
        "width": 8,
        "bbox": [{"label": "instrument", "xmin": 1, "ymin": 2, "xmax": 5, "ymax": 4}],
    },
    "ckcub": {"height": 6, "width": 8, "bbox": []},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for split, names in NAMES.items():
        (tmp_path / f"{split}.txt").write_text("\n".join(names) + "\n\n")
        for name in names:
            mask = np.zeros((6, 8, 3), np.uint8)
            mask[2:4, 1:5] = 255
            Image.fromarray(mask // 2).save(tmp_path / "images" / f"{name}.jpg")
            Image.fromarray(mask).save(tmp_path / "masks" / f"{name}.png")
    (tmp_path / "bboxes.json").write_text(json.dumps(BOXES))
    return tmp_path


def build(root):
    dataset = catalog().get("dataset", "kvasir_instrument").build(zoo.DatasetContext(root))
    check_dataset("kvasir_instrument", dataset)
    return dataset


def refusal(root):
    with pytest.raises(zoo.DataError) as caught:
        build(root)
    return str(caught.value)


def test_images_masks_and_boxes(root):
    dataset = build(root)
    assert dataset.task == zoo.Task.segmentation(
        ["background", "instrument"], positive="instrument"
    )
    assert {split: list(one.ids) for split, one in dataset.splits.items()} == NAMES
    train = dataset.splits["train"]
    assert train.labels is None
    assert train.image(0).size == (8, 6)
    ids = mask_ids(train.mask(0), dataset.task, (6, 8), "mask")
    assert ids.sum() == 8
    assert ids[2:4, 1:5].all()
    assert train.boxes == [[(1.0, 2.0, 5.0, 4.0)], [], []]
    assert dataset.notes["boxes"] == "bboxes.json has 1 boxes of 2 images; training uses none"
    assert dataset.provenance.licence == "other"
    assert "research" in dataset.notes["licence"]


def test_boxes_may_be_missing(root):
    (root / "bboxes.json").unlink()
    dataset = build(root)
    assert dataset.splits["train"].boxes is None
    assert "boxes" not in dataset.notes


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"a": {}}',
        '{"a": {"bbox": [{"xmin": 1}]}}',
        '{"a": {"bbox": [{"xmin": "left"}]}}',
        "[" * 100_000,
    ],
)
def test_boxes_of_another_form_are_refused(root, text):
    (root / "bboxes.json").write_text(text)
    said = refusal(root)
    assert said.startswith(f"{str(root / 'bboxes.json')!r} does not hold boxes (")
    assert said.endswith("get it again, or remove it")


def test_missing_files_are_counted_and_the_first_is_named(root):
    (root / "masks" / "ckcu9.png").unlink()
    (root / "masks" / "ckcua.png").unlink()
    assert refusal(root) == (
        f"dataset 'kvasir_instrument': 2 files are missing, the first is "
        f"{str(root / 'masks/ckcu9.png')!r}; get the dataset again"
    )


def test_the_lists_are_checked(root):
    path = root / "test.txt"
    path.write_text("ckcub\nckcu8\n")
    assert refusal(root) == (
        "dataset 'kvasir_instrument': 1 names stand in train.txt and in test.txt, the first is "
        "'ckcu8'; expected each in one of them"
    )
    path.write_text("ckcub\nckcub\n")
    assert refusal(root) == f"{str(path)!r}: 'ckcub' stands twice; expected each image's name once"
    path.write_text("")
    assert refusal(root) == (f"{str(path)!r}: it names no image; expected each image's name once")
    for name in ("../secret", "/etc/passwd", ".."):
        path.write_text(f"{name}\n")
        assert refusal(root) == (
            f"{str(path)!r}: name {name!r}: expected a file's name without suffix"
        )
    path.unlink()
    assert refusal(root) == (
        f"dataset 'kvasir_instrument': {str(path)!r} cannot be read (FileNotFoundError); "
        f"get the dataset again"
    )


def test_long_lists_take_no_longer_than_reading_them(tmp_path):
    path = tmp_path / "train.txt"
    names = [f"frame{number}" for number in range(40_000)]
    path.write_text("\n".join(names))
    began = time.process_time()
    assert kvasir_instrument._names(path) == names
    assert time.process_time() - began < 3  # comparing each with each takes half a minute


def test_without_a_folder_it_says_what_it_needs():
    assert refusal(None) == (
        "dataset 'kvasir_instrument' needs the folder of images, masks, train.txt and test.txt: "
        "give --root FOLDER"
    )


def test_the_contract(root):
    checked = zoo.check_plugin("zoo-medical", {"kvasir_instrument": root})
    assert {one.name: one.note for one in checked}["kvasir_instrument"] == ""


@pytest.mark.skipif("ZOO_TEST_DATA" not in os.environ, reason="ZOO_TEST_DATA names real data")
def test_real_nuclei_of_the_same_layout():
    dataset = build(Path(os.environ["ZOO_TEST_DATA"]) / "nuclei")
    assert {split: len(one) for split, one in dataset.splits.items()} == {"train": 267, "test": 67}
    train = dataset.splits["train"]
    shares = [mask_ids(train.mask(i), dataset.task, (256, 256), "mask").mean() for i in range(20)]
    assert 0.01 < np.mean(shares) < 0.3
