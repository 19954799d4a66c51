"""The traps of image files and masks, each with what a careless reader would have made of it."""

import warnings

import numpy as np
import pytest
from PIL import Image

from zoo.data.decoding import aligned_mask, mask_ids, open_image, pixels, upright_size
from zoo.data.fitting import Form
from zoo.errors import DataError
from zoo.tasks import Task

THREE = Task.segmentation(["background", "tool", "tissue"])
TWO = Task.segmentation(["background", "tool"], positive="tool")
TURNED = 6  # EXIF: to be turned by a quarter


def saved(tmp_path, image, name, **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def test_exif_rotation_is_applied(tmp_path):
    image = Image.fromarray(np.array([[255, 0, 0]], dtype=np.uint8))
    path = saved(tmp_path, image, "a.png", exif=turned(TURNED))
    assert pixels(path, 1, "x")[:, 0, 0].tolist() == [255, 0, 0]
    assert upright_size(open_image(path)) == (3, 1)
    assert np.asarray(Image.open(path)).shape == (1, 3)  # what a careless reader sees


@pytest.mark.parametrize("orientation", [3, TURNED])
def test_a_mask_turns_with_its_image(tmp_path, orientation):
    image = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    image = open_image(saved(tmp_path, image, "i.png", exif=turned(orientation)))
    stored = np.zeros((3, 4), np.uint8)
    stored[0, 1] = 1  # where the image is 1
    mask = open_image(saved(tmp_path, Image.fromarray(stored), "m.png"))
    ids = mask_ids(aligned_mask(mask, image), TWO, upright_size(image), "x")
    assert (ids == (pixels(image, 1, "x")[:, :, 0] == 1)).all()
    own = open_image(saved(tmp_path, Image.fromarray(stored), "o.png", exif=turned(orientation)))
    assert (mask_ids(aligned_mask(own, image), TWO, upright_size(image), "x") == ids).all()


def test_a_mask_drawn_upright_stays():
    image = Image.fromarray(np.zeros((3, 4), np.uint8))
    image.getexif()[0x0112] = TURNED
    upright = Image.fromarray(np.eye(4, 3, dtype=np.uint8))
    ids = mask_ids(aligned_mask(upright, image), TWO, upright_size(image), "x")
    assert (ids == np.eye(4, 3)).all()


def test_palette_masks_are_read_as_indices(tmp_path):
    mask = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8), mode="P") if False else None
    mask = Image.new("P", (3, 1))
    mask.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    mask.putdata([0, 1, 2])
    path = saved(tmp_path, mask, "m.png")
    assert mask_ids(open_image(path), THREE, (1, 3), "x").tolist() == [[0, 1, 2]]
    assert np.asarray(Image.open(path).convert("L")).tolist() != [[0, 1, 2]]


def test_sixteen_bits_are_scaled(tmp_path):
    deep = Image.fromarray(np.array([[0, 0x8000, 0xFFFF]], dtype=np.uint16))
    path = saved(tmp_path, deep, "d.png")
    assert pixels(path, 1, "x")[0, :, 0].tolist() == [0, 128, 255]
    assert pixels(path, 3, "x")[0, 1].tolist() == [128, 128, 128]


def test_a_lossy_mask_is_cut_at_its_middle(tmp_path):
    ids = np.zeros((16, 16), np.uint8)
    ids[4:12, 4:12] = 255
    path = saved(tmp_path, Image.fromarray(ids), "m.jpg", quality=60)
    assert set(np.unique(np.asarray(Image.open(path)))) - {0, 255}  # lossy indeed
    found = mask_ids(open_image(path), TWO, (16, 16), "x")
    assert set(np.unique(found)) == {0, 1} and (found == (ids > 0)).mean() > 0.95
    with pytest.raises(DataError, match="a lossy format changes ids, use PNG"):
        mask_ids(open_image(path), THREE, (16, 16), "x")


def test_transparency_print_colours_and_gifs_become_plain(tmp_path):
    see_through = Image.new("RGBA", (2, 2), (200, 100, 50, 0))
    assert pixels(saved(tmp_path, see_through, "a.png"), 3, "x")[0, 0].tolist() == [200, 100, 50]
    printed = saved(tmp_path, Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "c.jpg")
    red, green, blue = pixels(printed, 3, "x")[0, 0]
    assert red > 200 and green < 60 and blue < 60
    palette = Image.new("RGB", (4, 4), (0, 0, 255)).convert("P")
    assert pixels(saved(tmp_path, palette, "g.gif"), 3, "x")[0, 0].tolist() == [0, 0, 255]
    assert pixels(Image.new("LA", (2, 2), (7, 0)), 1, "x")[0, 0, 0] == 7


def test_an_animation_is_refused(tmp_path):
    frames = [Image.new("L", (4, 4), shade) for shade in (0, 200)]
    path = saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match=r"has 2 frames; expected one"):
        open_image(path)


def test_a_truncated_file_is_an_error_though_it_verifies(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    path = saved(tmp_path, Image.fromarray(noise), "t.jpg")
    path.write_bytes(path.read_bytes()[:-2000])
    Image.open(path).verify()
    with pytest.raises(DataError, match=r"cannot be decoded: OSError"):
        open_image(path)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    path = saved(tmp_path, Image.new("1", (20000, 20000)), "b.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match=r"expected at most 89,478,485 pixels"):
            open_image(path)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((4, 5), np.uint8), "mask is 4x5, its image 4x4; expected the same size"),
        (np.full((4, 4), 3, np.uint8), "mask holds the id 3; expected 0 to 2, or 255"),
        (np.zeros((4, 4)), "type float64; expected integers"),
        (np.zeros((4, 4, 3), np.uint8), r"mask of shape \(4, 4, 3\)"),
        (Image.new("RGB", (4, 4), (255, 0, 0)), "mask of colours; expected class ids"),
    ],
)
def test_wrong_masks_are_named(mask, message):
    with pytest.raises(DataError, match=f"here: .*{message}|here: {message}"):
        mask_ids(mask, THREE, (4, 4), "here")


def test_what_two_valued_masks_may_hold():
    def ids(values, task=TWO):
        return mask_ids(np.array([values], np.uint8), task, (1, len(values)), "x").tolist()[0]

    assert ids([0, 1, 1]) == [0, 1, 1]
    assert ids([0, 255, 255]) == [0, 1, 1]
    assert ids([0, 1, 255]) == [0, 1, 255]  # ignored
    assert ids([3, 250, 120]) == [0, 1, 0]
    with pytest.raises(DataError, match="holds the id 2; expected 0 to 1"):
        ids([0, 1, 2])
    assert ids([0, 2, 255], THREE) == [0, 2, 255]
    assert mask_ids(Image.new("1", (2, 1), 1), TWO, (1, 2), "x").tolist() == [[1, 1]]
    assert mask_ids(Image.new("RGB", (2, 1), (255,) * 3), TWO, (1, 2), "x").tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("rule", "shape"), [("stretch", (8, 8)), ("crop", (8, 8)), ("pad", (8, 8))]
)
def test_images_and_masks_are_fitted_alike(rule, shape):
    image = np.zeros((16, 32), np.uint8)
    image[:, 12:20] = 255
    form = Form(1, shape, rule)
    fitted = form.image(image, "x")
    assert fitted.shape == (8, 8, 1)
    bright = {"stretch": 2, "crop": 4, "pad": 2}[rule]  # columns, of 8
    assert int((fitted[4, :, 0] > 127).sum()) == bright
    mask = form.mask((image > 0).astype(np.uint8))
    assert mask.shape == (8, 8) and int(mask[4].sum()) == bright
    rows = int((fitted[:, 4, 0] > 127).sum())
    assert rows == (4 if rule == "pad" else 8)


def test_a_form_never_enlarges_what_is_stretched():
    small = np.zeros((4, 6), np.uint8)
    assert Form(1, (8, 8)).image(small, "x").shape == (4, 6, 1)
    assert Form(1, (8, 8)).image(small, "x", enlarge=True).shape == (8, 8, 1)


def test_a_jpeg_decoded_smaller_differs_by_few_levels(tmp_path):
    smooth = np.add.outer(np.arange(256), np.arange(256))[:, :, None] // 2 * np.ones(3, int)
    image = Image.fromarray(smooth.astype(np.uint8))
    path = saved(tmp_path, image, "s.jpg", quality=95)
    small = Form(3, (64, 64))
    difference = small.image(path, "x").astype(int) - small.image(open_image(path), "x")
    assert np.abs(difference).max() <= 6
    assert open_image(path, shrink_to=(64, 64)).size == (64, 64)
