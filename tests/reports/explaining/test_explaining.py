"""Pictures of what decided: written, readable, and of what was asked."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from looked_at import CATS, DOWN, LEFT, THING, UP, Quarters, bright, write
from PIL import Image

from zoo.errors import DataError, MissingError
from zoo.predictions.combining.rules import Mean
from zoo.registry.calibrated import Calibrated
from zoo.registry.ensemble import Combined
from zoo.reports import style
from zoo.reports.explaining import explain

pytest.importorskip("captum", reason="needs: pip install 'zoo[explain]'")


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


def test_an_ensemble_has_nothing_to_look_into_but_its_masks_are_drawn(known, drawn):
    for task in (CATS, THING):
        members = [known(task).predictor(torch.device("cpu"))] * 2
        combined = Combined(task, members, Mean.of(2), "known")
        known(task, combined.network, combined)
        write("a.png", bright(UP, LEFT))
        with pytest.raises(DataError) as error:
            explain("m", "a.png", method="occlusion")
        assert str(error.value) == (
            "'known' is an ensemble, and has no network of its own; explain its members"
        )
    explain("m", "a.png")
    assert drawn[0][1][3][1] == "thing: 25.0% of the image"


def test_layers_of_a_calibrated_network_have_their_own_names(known, drawn):
    known(network=Calibrated(Quarters(), 3.0).eval())
    write("a.png", bright(UP, LEFT))
    explain("m", "a.png")
    explain("m", "a.png", layer="conv", force=True)
    assert [call[1][2][2] for call in drawn] == ["Grad-CAM at conv"] * 2


def test_a_missing_captum_is_told_before_anything(known, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    write("a.png", bright(UP, LEFT))
    with pytest.raises(MissingError) as error:
        explain("m", "a.png")
    assert "pip install 'zoo[explain]'" in str(error.value)
