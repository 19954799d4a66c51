"""What every augmentation promises, then flips and crops, exact to the pixel."""

import importlib

import pytest
import torch
import zoo_basics
from torchvision.transforms.v2 import functional as reference
from zoo_basics import augmentations, augmentations_choosing

import zoo
from zoo.data.augmentation import is_mixing

B = 64
IMAGES = torch.rand(B, 3, 20, 26, generator=torch.Generator().manual_seed(0))
MASKS = torch.randint(0, 4, (B, 20, 26), generator=torch.Generator().manual_seed(1))
STRONG = {  # options that leave no pixel alone; those of others are their defaults
    "rotation": {"degrees": 360.0},
    "affine": {"degrees": 40.0, "translate": [0.2, 0.1], "scale": [0.6, 1.5], "shear": [20.0, 9.0]},
    "random_resized_crop": {"scale": [0.5, 0.8]},
    "color_jitter": {"brightness": 0.5, "contrast": 0.5, "saturation": 0.5, "hue": 0.2},
    "gaussian_blur": {"sigma": [0.5, 3.0]},
    "gaussian_noise": {"std": 0.2},
    "random_erasing": {"value": "noise"},
    "random_apply": {"augmentations": [{"name": "rotation"}, {"name": "gaussian_noise"}]},
    "rand_augment": {"num_ops": 3, "magnitude": 20},
}


def draws(count=B, start=0):
    return zoo.Draws(torch.arange(start, start + count), 7, "test")


def built(name, **options):
    spec = next(one for one in zoo_basics.register_augmentations() if one.name == name)
    module, _, function = spec.build.partition(":")
    return getattr(importlib.import_module(module), function)(**options)


def strong(name, **options):
    return built(name, **STRONG.get(name, {}), **options)


NAMES = [one.name for one in zoo_basics.register_augmentations() if not is_mixing(built(one.name))]
GEOMETRIC = [
    "horizontal_flip",
    "vertical_flip",
    "crop",
    "rotation",
    "affine",
    "random_resized_crop",
]


@pytest.mark.parametrize("name", NAMES)
def test_an_image_comes_out_the_same_in_any_batch(name):
    augment = strong(name)
    whole, masks = augment(IMAGES, MASKS, draws())
    assert not torch.equal(whole, IMAGES)
    for first, last in ((0, 1), (5, 12), (40, 64)):
        part, part_masks = augment(
            IMAGES[first:last], MASKS[first:last], draws(last - first, first)
        )
        assert torch.allclose(part, whole[first:last], atol=1e-6)
        assert torch.equal(part_masks, masks[first:last])
    again, _ = augment(IMAGES, MASKS, draws())
    assert torch.equal(again, whole)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("probability", [0.5, 1.0])
@pytest.mark.parametrize(
    "way, value", [("AT_ONCE", 20_000), ("AT_ONCE", 1), ("counts_freely", lambda images: False)]
)
def test_the_result_is_the_same_in_small_parts_and_on_a_device(
    name, probability, way, value, monkeypatch
):
    """6240 bytes an image: three at once, or one; or all, as where counting would mean waiting."""
    augment = strong(name, probability=probability)
    layouts = torch.channels_last, torch.contiguous_format
    given = [IMAGES.contiguous(memory_format=layout) for layout in layouts]
    expected = [augment(images, MASKS, draws()) for images in given]
    monkeypatch.setattr(augmentations_choosing, way, value)
    for images, layout, (whole, whole_masks) in zip(given, layouts, expected, strict=True):
        parts, masks = augment(images, MASKS, draws())
        assert torch.allclose(parts, whole, atol=1e-6)
        assert torch.equal(masks, whole_masks)
        assert parts.is_contiguous(memory_format=layout)


@pytest.mark.parametrize("name", NAMES)
def test_who_does_not_draw_it_stays_bit_for_bit(name):
    never, masks = strong(name, probability=0.0)(IMAGES, MASKS, draws())
    assert torch.equal(never, IMAGES)
    assert torch.equal(masks, MASKS)
    some, masks = strong(name, probability=0.5)(IMAGES, MASKS, draws())
    same = (some == IMAGES).flatten(1).all(1)
    # A policy may draw the identity, a crop the centre, a jitter of noise nothing at all.
    assert 16 < same.sum() < 50
    assert torch.equal(masks[same], MASKS[same])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_range_type_memory_format_and_the_input_are_kept(name, layout):
    augment = strong(name, probability=0.7)
    images = IMAGES.contiguous(memory_format=layout)
    given, masks = images.clone(), MASKS.to(torch.uint8)
    changed, changed_masks = augment(images, masks, draws())
    assert changed.is_contiguous(memory_format=layout)
    assert changed.dtype == torch.float32
    assert (changed.min() >= 0) & (changed.max() <= 1)
    assert torch.equal(images, given)
    assert torch.equal(masks, MASKS.to(torch.uint8))
    assert changed_masks.dtype == torch.uint8
    assert set(changed_masks.unique().tolist()) <= {0, 1, 2, 3}
    other, other_masks = augment(IMAGES, MASKS, draws())
    assert torch.allclose(changed, other, atol=1e-5)
    assert torch.equal(changed_masks.long(), other_masks)


@pytest.mark.parametrize("name", NAMES)
def test_copies_of_one_image_differ(name):
    copies = IMAGES[:1].expand(256, -1, -1, -1)
    changed, _ = strong(name)(copies, None, draws(256))
    different = changed.flatten(1).unique(dim=0)
    assert len(different) == 2 if "flip" in name else len(different) > 60


@pytest.mark.parametrize("name", GEOMETRIC)
def test_a_mask_goes_with_its_image(name):
    """A white block whose mask is 1: what is surely white is 1, what is surely black 0."""
    masks = torch.zeros(B, 20, 26, dtype=torch.uint8)
    for i in range(B):
        masks[i, i % 7 + 2 : i % 7 + 9, i % 11 + 3 : i % 11 + 12] = 1
    images = masks[:, None].float().repeat(1, 3, 1, 1)
    moved, moved_masks = strong(name)(images, masks, draws())
    white, black = (moved > 0.9999).all(1), (moved < 0.0001).all(1)
    assert (moved_masks[white] == 1).all()
    assert (moved_masks[black] == 0).all()
    assert (white | black).float().mean() > 0.75
    assert (moved_masks != masks).flatten(1).any(1).sum() > B // 3
    if name in GEOMETRIC[:3]:
        assert torch.equal(moved_masks.bool(), white)


def test_of_256_copies_half_are_flipped():
    copies = IMAGES[:1].expand(256, -1, -1, -1)
    for name, axis in (("horizontal_flip", -1), ("vertical_flip", -2)):
        flipped, _ = built(name)(copies, None, draws(256))
        turned = (flipped == IMAGES[0].flip(axis)).flatten(1).all(1)
        assert 100 < turned.sum() < 156
        assert (flipped[~turned] == IMAGES[0]).all()


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_certain_flips(layout, channels):
    images = IMAGES[:, :channels].contiguous(memory_format=layout)
    for name, axis in (("horizontal_flip", -1), ("vertical_flip", -2)):
        flipped, masks = built(name, probability=1.0)(images, MASKS, draws())
        assert torch.equal(flipped, images.flip(axis))
        assert torch.equal(masks, MASKS.flip(axis))


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
def test_a_crop_is_a_window_of_the_padded_image(mode, layout):
    images = IMAGES.contiguous(memory_format=layout)
    crop = augmentations.crop(padding=3, padding_mode=mode, fill=0.5, fill_class=255)
    cropped, masks = crop(images, MASKS, draws())
    padded = reference.pad(IMAGES, 3, fill=0.5, padding_mode=mode)
    padded_masks = reference.pad(MASKS, 3, fill=255, padding_mode=mode)
    places = set()
    for i in range(B):
        fits = [
            (top, left)
            for top in range(7)
            for left in range(7)
            if torch.equal(cropped[i], padded[i, :, top : top + 20, left : left + 26])
        ]
        assert len(fits) == 1
        top, left = fits[0]
        assert torch.equal(masks[i], padded_masks[i, top : top + 20, left : left + 26])
        places.add(fits[0])
    assert len(places) > 25
    assert {top for top, _ in places} == {left for _, left in places} == set(range(7))


def test_a_crop_to_another_size_gives_the_centre_to_those_who_do_not_draw_it():
    for options in ({"size": [10, 13]}, {"fraction": 0.5}):
        crop = augmentations.crop(padding=0, probability=0.0, **options)
        cropped, masks = crop(IMAGES, MASKS, draws())
        assert torch.equal(cropped, reference.center_crop(IMAGES, [10, 13]))
        assert masks.shape == (B, 10, 13)
    square, _ = augmentations.crop(padding=0, size=[8])(IMAGES, None, draws())
    assert square.shape == (B, 3, 8, 8)


def test_crops_that_cannot_be():
    with pytest.raises(zoo.ZooError) as caught:
        augmentations.crop(size=[1, 2, 3])
    assert str(caught.value) == (
        "crop: size [1, 2, 3]: expected [height, width] or [side], in pixels"
    )
    with pytest.raises(zoo.ZooError) as caught:
        augmentations.crop(size=[40], padding=2)(IMAGES, None, draws())
    assert str(caught.value) == (
        "crop: a window of 40 pixels does not fit into images of 20, padded by 2; lower size, or "
        "raise padding or data.store_size"
    )
