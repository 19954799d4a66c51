"""What preprocessing did to an image is undone, to the pixel."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from zoo.data.decoding import upright_size
from zoo.data.preprocessing import Preprocessing
from zoo.data.restoring import restored


def plain(size, **changes):
    return Preprocessing(size, 1, (0.0,), (1.0,), **changes)


def test_stretching_is_undone_as_torch_enlarges():
    planes = torch.rand(3, 8, 12, generator=torch.Generator().manual_seed(0))
    for size in ((8, 12), (24, 31), (50, 12), (100, 100)):
        back, seen = restored(planes, plain((8, 12), store_size=(40, 40)), size)
        expected = functional.interpolate(planes[None], size, mode="bilinear", align_corners=False)
        assert torch.allclose(back, expected[0], atol=1e-5)
        assert back.dtype == torch.float32 and seen.all()


CASES = {
    "plain": {},
    "stored smaller": {"store_size": (60, 40)},
    "padded": {"store_size": (48, 64), "fit": "pad"},
    "padded, then cut": {"store_size": (80, 80), "fit": "pad", "center_crop": True},
    "cut": {"store_size": (48, 64), "fit": "crop"},
    "cut twice": {"store_size": (60, 90), "fit": "crop", "center_crop": True},
    "centre": {"store_size": (70, 90), "center_crop": True},
    "centre of the whole": {"center_crop": True},
    "filled up": {"store_size": (30, 40), "fit": "crop", "center_crop": True},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", [(120, 97), (96, 128), (75, 200), (64, 48)])
def test_where_a_pixel_was_it_comes_back(case, size):
    """A smooth image through preprocessing and back is itself, wherever the network saw it."""
    preprocessing = plain((48, 64), **CASES[case])
    rows, columns = np.mgrid[: size[0], : size[1]]
    for ramp in (rows / size[0], columns / size[1]):
        image = (ramp * 200 + 20).astype(np.uint8)
        stored = preprocessing.form.image(image, "it")
        shown = preprocessing.to_unit(torch.tensor(stored)[None])
        shown = preprocessing.finish(shown)[0] * 255
        back, seen = restored(shown, preprocessing, size)
        off = (back[0] - torch.from_numpy(image).float()).abs()
        assert back.shape == (1, *size) and seen.shape == size
        # At the borders of what was seen the interpolation takes in padding, or what is cut off.
        inside = -functional.max_pool2d(-seen.float()[None], 9, 1, 4)[0] > 0
        inside[:6], inside[-6:], inside[:, :6], inside[:, -6:] = False, False, False, False
        assert inside.any()
        assert float(off[inside].max()) < 6


def test_what_was_cut_off_is_not_seen():
    cut = plain((10, 10), store_size=(10, 10), fit="crop")
    planes, seen = restored(torch.ones(2, 10, 10), cut, (20, 40))
    assert torch.equal(planes, seen.float().expand(2, -1, -1))
    assert seen[:, 10:30].all() and not seen[:, :10].any() and not seen[:, 30:].any()
    filled = plain((20, 20), store_size=(10, 10), fit="crop", center_crop=True)
    assert torch.equal(restored(torch.ones(1, 20, 20), filled, (20, 40))[1], seen)
    padded = plain((10, 10), store_size=(10, 10), fit="pad")
    assert restored(torch.zeros(1, 10, 10), padded, (20, 40))[1].all()


def test_the_size_of_an_image_is_that_of_its_upright_view(tmp_path):
    turned = Image.new("L", (6, 4))
    turned.getexif()[0x0112] = 6
    turned.save(tmp_path / "x.jpg", exif=turned.getexif())
    for form in (tmp_path / "x.jpg", str(tmp_path / "x.jpg"), turned):
        assert upright_size(form) == (6, 4)
    assert upright_size(np.zeros((4, 6, 3), np.uint8)) == (4, 6)
