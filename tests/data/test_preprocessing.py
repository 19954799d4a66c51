"""One rule from an image to a network's input."""

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.data.decoding import open_image, pixels
from zoo.data.fitting import Form
from zoo.data.preprocessing import Preprocessing
from zoo.errors import DataError

GRAY = Preprocessing((4, 6), 1, (0.25,), (0.5,))


def test_values_are_scaled_then_normalized():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 4, 6, 1)
    out = GRAY(images)
    assert out.shape == (3, 1, 4, 6) and out.dtype == torch.float32
    assert out[:, 0, 0, 0].tolist() == pytest.approx([-0.5, -0.1, 1.5], abs=1e-6)


def test_the_buffer_changes_nothing_and_is_used():
    images = torch.randint(0, 256, (2, 4, 6, 1), dtype=torch.uint8)
    buffer = torch.empty(5, 4, 6, 1)
    with_buffer = GRAY(images, buffer)
    assert torch.equal(with_buffer, GRAY(images))
    assert torch.allclose(with_buffer, GRAY.finish(GRAY.to_unit(images)), atol=1e-6)
    assert with_buffer.untyped_storage().data_ptr() == buffer.untyped_storage().data_ptr()


def test_input_is_channels_last():
    rgb = Preprocessing((8, 8), 3, (0.0,) * 3, (1.0,) * 3)
    out = rgb(torch.zeros(2, 8, 8, 3, dtype=torch.uint8))
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_resize_reaches_the_size_and_antialiases():
    shrunk = Preprocessing((2, 2), 1, (0.0,), (1.0,))
    stripes = torch.zeros(1, 8, 8, 1, dtype=torch.uint8)
    stripes[:, :, ::2] = 255
    out = shrunk(stripes)
    assert out.shape == (1, 1, 2, 2)
    assert (out - 0.5).abs().max() < 0.1  # without antialiasing it would be 0 or 1


def test_json_round_trip_and_its_refusals():
    assert Preprocessing.from_json(GRAY.as_json()) == GRAY
    for change in (
        {"channels": 2},
        {"size": [0, 4]},
        {"size": [4]},
        {"size": "4"},
        {"mean": [float("nan")]},
        {"std": [0.0]},
        {"std": [1.0, 1.0]},
        {"resize": "nearest"},
        {"channels": True and "1"},
    ):
        with pytest.raises(DataError):
            Preprocessing.from_json({**GRAY.as_json(), **change})


def test_pixels_of_every_form():
    gray = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert pixels(gray, 1, "x").shape == (3, 4, 1)
    assert np.array_equal(pixels(gray, 3, "x")[..., 2], gray)
    assert pixels(Image.fromarray(gray), 1, "x")[1, 2, 0] == 6
    assert pixels(np.zeros((3, 4, 3), np.uint8), 1, "x").shape == (3, 4, 1)
    with pytest.raises(DataError, match=r"x: 2 channels; expected 1 or 3"):
        pixels(np.zeros((3, 4, 2), np.uint8), 1, "x")
    with pytest.raises(DataError, match=r"type float64; expected uint8"):
        pixels(np.zeros((3, 4)), 1, "x")


def test_sixteen_bits_are_scaled_not_clipped():
    deep = Image.fromarray(np.array([[0, 0x8000, 0xFFFF]], dtype=np.uint16))
    assert pixels(deep, 1, "x")[0, :, 0].tolist() == [0, 128, 255]


def test_exif_rotation_is_applied(tmp_path):
    image = Image.fromarray(np.array([[255, 0, 0]], dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    image.save(tmp_path / "turned.png", exif=exif)
    assert pixels(tmp_path / "turned.png", 1, "x").shape == (3, 1, 1)


def test_bad_files_are_named(tmp_path):
    broken = tmp_path / "broken.jpg"
    Image.new("RGB", (64, 64), (200, 10, 10)).save(broken)
    broken.write_bytes(broken.read_bytes()[:400])
    page = tmp_path / "page.jpg"
    page.write_text("<html>not an image</html>")
    for path in (broken, page):
        with pytest.raises(DataError, match=r"^image '.*' cannot be decoded: "):
            open_image(path)
    with pytest.raises(DataError, match=r"no such file or folder"):
        open_image(tmp_path / "none.png")


@pytest.mark.parametrize("rule", ["stretch", "crop", "pad"])
def test_a_mask_is_shrunk_onto_the_very_pixels_of_its_image(rule):
    """Nearest neighbour, which takes the pixel behind the centre, does not."""
    rows, columns = np.mgrid[:96, :128]
    disc = ((rows - 40) ** 2 + (columns - 70) ** 2 < 30**2).astype(np.uint8)
    form = Form(1, (48, 64) if rule != "crop" else (48, 48), rule)
    shown = form.image(disc * 255, "disc")[:, :, 0]
    wanted = shown > 127
    assert (form.mask(disc) != wanted).sum() == 0
    nearest = form._fitted(disc[:, :, None], Image.Resampling.NEAREST)[:, :, 0]
    assert (nearest != wanted).sum() > 10


def test_a_shrunk_mask_keeps_ids_and_what_is_ignored():
    ids = np.zeros((40, 40), np.uint8)
    ids[:, 10:25], ids[:, 25:] = 3, 255
    small = Form(1, (20, 20)).mask(ids)
    assert np.unique(small).tolist() == [0, 3, 255]
    assert small.dtype == np.uint8 and (small[:, 6:12] == 3).all()


@pytest.mark.parametrize(("given", "size"), [((40, 30), (15, 20)), ((9, 12), (18, 24))])
@pytest.mark.parametrize("resize", ["bilinear", "bicubic"])
def test_images_are_resized_as_pillow_does_it(given, size, resize):
    rng = np.random.default_rng(0)
    # Far from black and white, where Pillow cuts off after the first of its two passes.
    array = rng.integers(60, 196, (*given, 3), dtype=np.uint8)
    one = Preprocessing(size, 3, (0.0,) * 3, (1.0,) * 3, resize)
    found = one(torch.from_numpy(array)[None])[0].permute(1, 2, 0) * 255
    by_pillow = Image.fromarray(array).resize(size[::-1], Image.Resampling[resize.upper()])
    assert (found - torch.from_numpy(np.array(by_pillow)).float()).abs().max() < 1.01
    stored = Form(3, size, resize=resize).image(array, "x", enlarge=True)
    assert np.array_equal(stored, np.asarray(by_pillow))


def test_bicubic_values_stay_between_black_and_white():
    """The negative control: an edge goes beyond both where nobody minds."""
    edge = torch.zeros(1, 4, 4, 1, dtype=torch.uint8)
    edge[:, :, 2:] = 255
    one = Preprocessing((16, 16), 1, (0.0,), (1.0,), "bicubic")
    free = torch.nn.functional.interpolate(edge[..., 0][None].float(), (16, 16), mode="bicubic")
    assert float(free.max()) > 256
    for found in (one(edge), one.finish(one.to_unit(edge))):
        assert (float(found.min()), float(found.max())) == (0.0, pytest.approx(1.0))


def test_the_filter_is_part_of_what_is_written():
    one = Preprocessing((4, 4), 1, (0.0,), (1.0,), "bicubic", store_size=(8, 8))
    assert Preprocessing.from_json(one.as_json()) == one
    assert one.form.resize == "bicubic"
    with pytest.raises(DataError) as caught:
        Preprocessing((4, 4), 1, (0.0,), (1.0,), "nearest")
    assert str(caught.value) == "resize rule 'nearest': expected one of bilinear, bicubic"
