"""Pictures of what decided: written, readable, and of what was asked."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from zoo.data.preprocessing import Preprocessing
from zoo.errors import DataError, MissingError
from zoo.reports import explaining, style
from zoo.reports.explaining import explain
from zoo.runs.subjects import Subject
from zoo.tasks import Task

pytest.importorskip("captum", reason="needs: pip install 'zoo[explain]'")

CATS = Task.multiclass(["cat", "dog", "cow"])
THING = Task.segmentation(["ground", "thing"], positive="thing")
AREAS = Task.segmentation(["ground", "tree", "house"])


class Quarters(nn.Module):
    """Cat is what is bright in the upper left, dog in the upper right, cow in the lower half."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        nn.init.ones_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)

    def forward(self, images):
        planes = self.conv(images)
        height, width = planes.shape[2] // 2, planes.shape[3] // 2
        parts = (
            planes[:, 0, :height, :width], planes[:, 0, :height, width:], planes[:, 0, height:]
        )  # fmt: skip
        return 9 * torch.stack([part.mean((1, 2)) for part in parts], 1)


class Pixels(nn.Module):
    """Of each pixel the class by its brightness."""

    def __init__(self, outputs):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1)
        nn.init.ones_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)
        self.outputs = outputs

    def forward(self, images):
        planes = self.conv(images)
        if self.outputs == 1:
            return 20 * (planes - 0.5)
        places = torch.linspace(0, 1, self.outputs)[None, :, None, None]
        return -20 * (planes - places).abs()


@pytest.fixture
def known(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def use(task=CATS, network=None, **changes):
        form = {"size": (16, 16), "channels": 1, "mean": (0.0,), "std": (1.0,)}
        net = network or (Quarters() if task is CATS else Pixels(task.outputs))
        preprocessing = Preprocessing(**{**form, **changes})
        made = Subject("known", task, preprocessing, net, None, {}, "0" * 64)
        monkeypatch.setattr(explaining, "open_subject", lambda *_: made)
        return made

    use()
    return use


@pytest.fixture
def drawn(monkeypatch):
    """What was handed to the functions that draw."""
    calls = []

    def noted(function, real):
        def draw(*given, **named):
            calls.append((function, given, named))
            return real(*given, **named)

        return draw

    for function in ("draw_attention", "draw_errors", "draw_mask"):
        monkeypatch.setattr(explaining, function, noted(function, getattr(explaining, function)))
    return calls


def write(name, array):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array.astype(np.uint8)).save(name)


def bright(rows, columns, size=(16, 16)):
    array = np.zeros(size)
    array[rows, columns] = 255
    return array


UP, DOWN, LEFT, RIGHT = slice(0, 8), slice(8, 16), slice(0, 8), slice(8, 16)


def test_a_picture_for_each_image_half_a_page_wide(known, drawn):
    write("in/a.png", bright(UP, LEFT))
    write("in/deep/b.png", bright(DOWN, slice(0, 16)))
    paths = explain("m", "in")
    assert [str(path) for path in paths] == [
        "explained/a.gradcam.png", "explained/deep/b.gradcam.png"
    ]  # fmt: skip
    for path in paths:
        with Image.open(path) as picture:
            assert abs(picture.width - style.WIDTH / 25.4 * 300) <= 1
            assert 300 < picture.height < 1000
    (_, first, named), (_, second, _) = drawn
    assert first[2][0] == "a.png"
    assert first[2][1] == "decided: cat, probability >0.999"
    assert first[2][2] == "Grad-CAM at conv"
    assert second[2][1] == "decided: cow, probability >0.999"
    assert named == {"name": "Grad-CAM", "unit": "share of the largest"}
    np.testing.assert_array_equal(first[0][:, :, 0], bright(UP, LEFT))
    assert (first[1].max(), first[1].min()) == (1, 0)
    assert first[1][:8, :8].min() > first[1][8:].max()


def test_the_map_is_of_the_class_that_is_named(known, drawn):
    write("a.png", bright(UP, slice(0, 16)))
    (path,) = explain("m", "a.png", "out", target="dog", method="occlusion", window=4)
    assert path == Path("out/a.occlusion.png")
    (_, (_, heat, lines), named) = drawn[0]
    assert lines[1] == "for dog, probability 0.500; decided: cat"
    assert lines[2] == "squares of 4 x 4 hidden in 16 x 16 pixels"
    assert named == {"name": "occlusion", "unit": "fall of the probability"}
    assert heat[:8, 8:].min() > 0.02 and heat[:8, :8].max() < 0.0


def test_what_the_network_was_not_shown_is_told_from_nothing(known, drawn):
    known(store_size=(16, 16), fit="crop")
    write("wide.png", np.full((16, 32), 200))
    explain("m", "wide.png")
    heat = drawn[0][1][1]
    assert heat.shape == (16, 32)
    assert np.isnan(heat[:, :8]).all() and np.isnan(heat[:, 24:]).all()
    assert not np.isnan(heat[:, 8:24]).any()


def test_equal_pictures_are_equal_bytes(known):
    write("a.png", bright(UP, LEFT))
    (first,) = explain("m", "a.png", "one")
    (second,) = explain("m", "a.png", "two")
    assert first.read_bytes() == second.read_bytes()


def test_a_photograph_is_shrunk_before_it_is_drawn(known):
    rng = np.random.default_rng(0)
    write("large.png", rng.integers(0, 256, (1500, 2000, 3)))
    (path,) = explain("m", "large.png")
    assert path.stat().st_size < 1_000_000


def colours(picture):
    """How many pixels have exactly each colour."""
    with Image.open(io.BytesIO(picture)) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    values, counted = np.unique(pixels, axis=0, return_counts=True)
    return {tuple(map(int, one)): int(n) for one, n in zip(values, counted, strict=True)}


def painted(colour, gray):
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return tuple(round((1 - 0.7) * gray + 0.7 * part) for part in parts)


def test_errors_have_their_colours(known, drawn):
    known(THING)
    write("in/a.png", bright(UP, slice(0, 16)))
    write("masks/a.png", bright(slice(0, 16), LEFT) / 255)
    (path,) = explain("m", "in", mask="masks")
    assert path == Path("explained/a.errors.png")
    assert drawn[0][1][4] == ["a.png", "thing: Dice 0.500, 50.0% of pixels wrong"]
    found = colours(path.read_bytes())
    quarter = found[painted(style.GREEN, 255)]
    assert quarter > 10_000  # a quarter of a panel of 40 mm
    assert found[painted(style.VERMILLION, 255)] == pytest.approx(quarter, rel=0.05)
    assert found[painted(style.BLUE, 0)] == pytest.approx(quarter, rel=0.05)
    assert found[(128, 128, 128)] == pytest.approx(quarter, rel=0.05)
    assert painted(style.PURPLE, 255) not in found


def test_right_ground_is_faint_and_white_stays_white(known):
    known(THING)
    write("a.png", np.full((16, 16), 255))
    write("mask.png", np.ones((16, 16)))
    (path,) = explain("m", "a.png", mask="mask.png", target="ground")
    found = colours(path.read_bytes())
    assert found[(255, 255, 255)] > 4 * 10_000
    assert found.get((0, 0, 0), 0) == 0


def test_one_class_taken_for_another_has_a_colour_of_its_own(known, drawn):
    known(AREAS)
    write("a.png", bright(UP, slice(0, 16)))  # house above, ground below
    truth = np.zeros((16, 16))
    truth[:8, :8], truth[:8, 8:] = 1, 2
    write("mask.png", truth)
    (path,) = explain("m", "a.png", mask="mask.png")
    assert drawn[0][1][4][1] == "all classes but the first: Dice 0.500, 25.0% of pixels wrong"
    assert colours(path.read_bytes())[painted(style.PURPLE, 255)] > 10_000
    explain("m", "a.png", mask="mask.png", target="tree", force=True)
    assert drawn[1][1][4][1] == "tree: Dice 0.000, 25.0% of pixels wrong"


def test_without_a_true_mask_the_decided_one_is_drawn(known, drawn, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)  # none of it is needed
    known(THING)
    write("a.png", bright(UP, LEFT))
    (path,) = explain("m", "a.png")
    assert path == Path("explained/a.mask.png")
    (name, given, _) = drawn[0]
    assert (name, given[3][1]) == ("draw_mask", "thing: 25.0% of the image")


def test_gradcam_of_a_segmentation_is_of_where_it_was_decided(known, drawn):
    known(THING)
    write("a.png", bright(UP, LEFT))
    explain("m", "a.png", method="gradcam")
    assert drawn[0][1][2][1] == "for thing, where that was decided"
    assert drawn[0][1][1][:7, :7].min() > 0.9
    write("b.png", bright(UP, LEFT) * 0)
    explain("m", "b.png", method="occlusion")
    assert drawn[1][1][2][1] == "for thing, decided nowhere: of all pixels"


def test_what_is_there_is_kept_unless_forced(known):
    for name in ("a", "b"):
        write(f"in/{name}.png", bright(UP, LEFT))
    Path("explained").mkdir()
    Path("explained/b.gradcam.png").write_text("mine")
    with pytest.raises(DataError) as error:
        explain("m", "in")
    assert str(error.value) == (
        "output 'explained/b.gradcam.png' exists already; add --force to replace it"
    )
    assert [path.name for path in Path("explained").iterdir()] == ["b.gradcam.png"]
    explain("m", "in", force=True)
    assert len(list(Path("explained").iterdir())) == 2


@pytest.mark.parametrize(
    ("task", "given", "message"),
    [
        (CATS, {"method": "gradcm"},
         "method 'gradcm' (did you mean 'gradcam'?); expected one of gradcam, occlusion, mask"),
        (CATS, {"target": "cats"},
         "class 'cats' (did you mean 'cat'?); expected one of cat, dog, cow"),
        (CATS, {"method": "mask"}, "masks are of segmentation; the model's task is multiclass"),
        (CATS, {"mask": "m"}, "masks are of segmentation; the model's task is multiclass"),
        (CATS, {"window": 4}, "window 4: only for the method 'occlusion', not for 'gradcam'"),
        (CATS, {"window": 0, "method": "occlusion"}, "window 0: expected 1 pixel or more"),
        (CATS, {"window": 17, "method": "occlusion"},
         "window 17: the network's input has 16 x 16 pixels; expected at most 16"),
        (THING, {"layer": "conv"}, "layer 'conv': only for the method 'gradcam', not for 'mask'"),
        (THING, {"mask": "m", "method": "gradcam"},
         "mask 'm': only for the method 'mask', not for 'gradcam'"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_told(task, given, message, known):
    known(task)
    write("a.png", bright(UP, LEFT))
    with pytest.raises(DataError) as error:
        explain("m", "a.png", **given)
    assert str(error.value) == message
    assert not Path("explained").exists()


def test_a_missing_captum_is_told_before_anything(known, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    write("a.png", bright(UP, LEFT))
    with pytest.raises(MissingError) as error:
        explain("m", "a.png")
    assert "pip install 'zoo[explain]'" in str(error.value)
