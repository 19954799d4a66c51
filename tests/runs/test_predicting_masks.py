"""Masks on disk: of each image's own size, in files that lie inside their folder and apart."""

from __future__ import annotations

import numpy as np
import pytest
from asked import THING
from PIL import Image

from zoo.data.datasets import ArraySplit
from zoo.errors import DataError
from zoo.runs import predicting
from zoo.runs.asked_images import AskedImages
from zoo.runs.predicting import predict


def half(path, size=(12, 20)):
    """Bright on the left."""
    array = np.zeros(size, np.uint8)
    array[:, : size[1] // 2] = 250
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def test_masks_are_gray_class_ids_of_the_images_own_size(here, known):
    known(THING)
    half(here / "in/a.jpg", (16, 32))
    half(here / "in/deep/b.png")
    done = predict("m", "in", "masks", overlay=True)
    assert done.images == 2
    names = ["a.overlay.png", "a.png", "deep", "deep/b.overlay.png", "deep/b.png"]
    found = sorted((here / "masks").rglob("*"))
    assert [path.relative_to(here / "masks").as_posix() for path in found] == names
    for name, shape in (("a", (16, 32)), ("deep/b", (12, 20))):
        with Image.open(here / f"masks/{name}.png") as mask:
            ids = np.asarray(mask)
            assert (mask.mode, ids.shape, set(np.unique(ids))) == ("L", shape, {0, 1})
        middle = shape[1] // 2
        assert ids[:, : middle - 1].all() and not ids[:, middle + 1 :].any()
        with Image.open(here / f"masks/{name}.overlay.png") as overlay:
            assert (overlay.mode, overlay.size) == ("RGB", shape[::-1])
            left, right = (overlay.getpixel(at) for at in ((2, 2), (shape[1] - 3, 2)))
        assert len(set(left)) > 1 and len(set(right)) == 1


def test_pixels_that_were_never_shown_are_255(here, known):
    known(THING, fit="crop")
    half(here / "in.png", (8, 16))
    predict("m", "in.png", "masks")
    ids = np.asarray(Image.open(here / "masks/in.png"))
    np.testing.assert_array_equal(ids[0], [255] * 4 + [1] * 4 + [0] * 4 + [255] * 4)


def test_masks_of_two_formats_do_not_fall_together(here, known):
    known(THING)
    half(here / "in/a.jpg")
    half(here / "in/a.png")
    predict("m", "in", "masks")
    assert sorted(path.name for path in (here / "masks").iterdir()) == ["a.jpg.png", "a.png.png"]


def test_a_folder_with_something_in_it_is_only_added_to_by_force(here, known):
    known(THING)
    half(here / "in.png")
    (here / "masks").mkdir()
    predict("m", "in.png", "masks")
    (here / "masks/mine.txt").write_text("x")
    (here / "masks/in.png").write_text("old")
    with pytest.raises(DataError) as error:
        predict("m", "in.png", "masks")
    assert str(error.value) == (
        "output 'masks' is a folder with something in it; give another, or add --force to replace "
        "the files of the same names"
    )
    predict("m", "in.png", "masks", force=True)
    assert (here / "masks/mine.txt").read_text() == "x"
    assert np.asarray(Image.open(here / "masks/in.png")).shape == (12, 20)


def test_no_mask_goes_through_a_link_out_of_the_folder(here, known):
    known(THING)
    half(here / "in/a/x.png")
    half(here / "in/y.png")
    (here / "out").mkdir()
    (here / "masks").mkdir()
    (here / "masks/a").symlink_to(here / "out")
    with pytest.raises(DataError, match="is a link out of the folder; remove it"):
        predict("m", "in", "masks", force=True)
    assert list((here / "out").iterdir()) == []


def test_masks_of_a_dataset_whose_ids_lead_out(here, known, monkeypatch):
    known(THING)
    images = np.zeros((3, 8, 8), np.uint8)
    ids = ["../../out", "/tmp/x.png", "plain/y.png"]
    split = ArraySplit(images, None, ids)
    monkeypatch.setattr(
        predicting.asked_images, "images_of", lambda *_: AskedImages(ids, ids, split=split)
    )
    predict("m", output="deep/masks", dataset="d")
    files = sorted(here.rglob("*.png"))
    assert [path.relative_to(here / "deep/masks").as_posix() for path in files] == [
        "%/tmp/x.png", "%2E%2E/%2E%2E/out.png", "plain/y.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "masks are written to a folder; name it with --output"),
        ({"output": "o", "id_column": "x"}, "id column 'x': a model for segmentation has none"),
        ({"output": "in.png"}, "output 'in.png' is a file; give a folder"),
    ],
)
def test_masks_go_to_a_folder(given, message, here, known):
    known(THING)
    half(here / "in.png")
    with pytest.raises(DataError) as error:
        predict("m", "in.png", **given)
    assert str(error.value) == message
