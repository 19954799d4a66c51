"""mask_folder: pairs by stem, split lists, and what has no partner."""

import numpy as np
import pytest
from layout_files import picture, pictures, refused
from zoo_basics.datasets import mask_folder

import zoo

STEMS = ("a.1", "b", "c", "d")


def build(root, **options):
    return mask_folder.build(zoo.DatasetContext(root), **options)


def message(root, **options):
    return refused(mask_folder.build, root, **options)


@pytest.fixture
def root(tmp_path):
    """Four images and their masks, as Kvasir-Instrument has them."""
    for i, stem in enumerate(STEMS):
        picture(tmp_path / f"images/{stem}.jpg", i, mode="RGB")
        picture(tmp_path / f"masks/{stem}.png", 10 * i)
    return tmp_path


def lists(root, **parts):
    for part, names in parts.items():
        (root / f"{part}.txt").write_text("\n".join(names) + "\n")


def test_without_lists_there_is_one_split(root):
    made = build(root)
    assert made.task == zoo.Task.segmentation(["background", "foreground"], positive="foreground")
    split = made.splits["all"]
    assert split.ids == ["images/a.1.jpg", "images/b.jpg", "images/c.jpg", "images/d.jpg"]
    assert (split.labels, split.groups) == (None, None)
    assert [np.asarray(split.mask(i))[0, 0] for i in range(4)] == [0, 10, 20, 30]
    assert split.image(1).size == (8, 8)


def test_lists_name_splits_with_suffix_or_without(root):
    lists(root, train=["c", "", " a.1 "], valid=["b.jpg"], notes=["nothing"])
    (root / "masks/list.txt").write_text("")
    made = build(root)
    assert {name: split.ids for name, split in made.splits.items()} == {
        "train": ["images/c.jpg", "images/a.1.jpg"],
        "val": ["images/b.jpg"],
    }
    assert np.asarray(made.splits["train"].mask(0))[0, 0] == 20
    assert made.notes == {
        "other files": "1 files are no images, the first is 'masks/list.txt'",
        "images in no split": "1 images, the first is 'images/d.jpg'",
    }


def test_classes_and_the_positive_one(root):
    assert build(root, classes=["tool", "rest"], positive="tool").task.positive == "tool"
    three = build(root, classes=["none", "organ", "tool"]).task
    assert (three.positive, three.outputs) == (None, 3)
    assert message(root, positive="tool") == (
        "dataset 'mask_folder': positive 'tool': expected one of two classes, given are "
        "'background', 'foreground'"
    )
    assert "too few for a segmentation task" in message(root, classes=["tool"])


def test_masks_beside_their_images_and_in_subfolders(tmp_path):
    for stem in ("x/1", "x/2", "y/1"):
        picture(tmp_path / f"data/{stem}.png", 1)
        picture(tmp_path / f"data/{stem}_mask.png", 2)
    split = build(tmp_path, images="data", masks="data", mask_suffix="_mask").splits["all"]
    assert split.ids == ["data/x/1.png", "data/x/2.png", "data/y/1.png"]
    assert [str(path.relative_to(tmp_path)) for path in split.masks] == [
        "data/x/1_mask.png", "data/x/2_mask.png", "data/y/1_mask.png",
    ]  # fmt: skip
    assert message(tmp_path, images="data", masks="data") == (
        "dataset 'mask_folder': images and masks are both in 'data'; set dataset.mask_suffix to "
        "what a mask's name has behind its image's, as '_mask'"
    )


def test_test_images_without_any_mask_are_unlabeled(root):
    lists(root, train=["a.1", "b"], test=["c", "d"])
    (root / "masks/c.png").unlink()
    assert message(root) == (
        "dataset 'mask_folder': 1 of 4 images have no mask, the first is 'images/c.jpg'; add the "
        "masks, or set dataset.mask_suffix"
    )
    (root / "masks/d.png").unlink()
    test = build(root).splits["test"]
    assert (test.ids, test.masks) == (["images/c.jpg", "images/d.jpg"], None)


def test_what_has_no_partner_or_two(root):
    picture(root / "masks/e.png")
    picture(root / "masks/f.png")
    assert message(root) == (
        "dataset 'mask_folder': 2 of 6 masks have no image, the first is 'masks/e.png'; add the "
        "images, or take the masks away"
    )
    assert "4 of 4 images have no mask, the first is 'images/a.1.jpg'" in message(
        root, mask_suffix="_mask"
    )
    picture(root / "images/b.png")
    assert message(root) == (
        "dataset 'mask_folder': 1 images share a stem, the first are images/b.jpg and "
        "images/b.png; keep one of each"
    )


def test_a_mask_that_lacks_the_suffix_is_nobodys(tmp_path):
    picture(tmp_path / "images/a.png")
    picture(tmp_path / "masks/a_mask.png")
    picture(tmp_path / "masks/a.png")
    assert "1 of 2 masks have no image, the first is 'masks/a.png'" in message(
        tmp_path, mask_suffix="_mask"
    )


LISTS = {
    "no such image": (
        {"train": ["b", "z", "../b"]},
        "split list 'train.txt': 2 of 3 names have no image, the first is 'z'; expected names as "
        "below the folder of images",
    ),
    "empty": ({"train": [""]}, "split list 'train.txt' is empty; name its images, one a line"),
    "in two": (
        {"train": ["b", "c"], "test": ["c.jpg"]},
        "dataset 'mask_folder': 'c' is listed in 'train' and in 'test'; each image may be listed "
        "once",
    ),
    "in one twice": (
        {"train": ["b", "b.jpg"]},
        "dataset 'mask_folder': 'b' is listed in 'train' and in 'train'; each image may be listed "
        "once",
    ),
    "no train": (
        {"test": ["b"]},
        "dataset 'mask_folder': 'ROOT' has test.txt and no train.txt; add it, or take them away to "
        "have the splits made",
    ),
    "two of one": (
        {"train": ["b"], "val": ["c"], "valid": ["c"]},
        "dataset 'mask_folder': 'val.txt' and 'valid.txt' would both list the split 'val'; keep "
        "one",
    ),
}


@pytest.mark.parametrize("parts, what", LISTS.values(), ids=LISTS)
def test_wrong_lists(root, parts, what):
    lists(root, **parts)
    assert message(root) == what


def test_a_list_that_is_no_text(root):
    (root / "train.txt").write_bytes(b"\xff\xfe\xfa")
    assert message(root) == "split list 'train.txt' cannot be read as UTF-8 text"


def test_folders_that_are_not_there(root, tmp_path):
    assert message(None) == (
        "dataset 'mask_folder' needs the folder of its images and masks: give --root FOLDER"
    )
    assert message(root, masks="labels") == (
        "dataset 'mask_folder': masks 'labels': no such folder in 'ROOT'; make it, or set "
        "dataset.masks"
    )
    (root / "labels").mkdir()
    assert message(root, masks="labels") == (
        "dataset 'mask_folder': masks 'labels': no images in that folder; name the right one in "
        "dataset.masks"
    )
    for outside in ("..", "/", "../masks"):
        assert "expected a folder's path below the root" in message(root, masks=outside)
    pictures(root / "flat", 2)
    (root / "flat/2.png").symlink_to("gone")
    assert "1 images are links that lead nowhere" in message(root, images="flat")
