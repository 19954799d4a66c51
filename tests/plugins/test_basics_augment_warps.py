"""Rotation, affine maps and resized crops, against torchvision image by image."""

import math

import pytest
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as reference
from zoo_basics import augmentations_warps as warps

import zoo

B = 64
IMAGES = torch.rand(B, 3, 9, 13, generator=torch.Generator().manual_seed(0))
MASKS = torch.randint(0, 4, (B, 9, 13), generator=torch.Generator().manual_seed(1))


def draws(count=B):
    return zoo.Draws(torch.arange(count), 7, "test")


@pytest.mark.parametrize("quarter", [-1, 1, 2, 4])
def test_rotation_by_quarters_is_rot90(quarter):
    square, masks = IMAGES[:, :, :, :9].contiguous(), MASKS[:, :, :9].contiguous()
    turned, turned_masks = warps.rotate(square, masks, torch.full((B,), 90.0 * quarter))
    assert torch.allclose(turned, square.rot90(quarter, (2, 3)), atol=1e-5)
    assert torch.equal(turned_masks, masks.rot90(quarter, (1, 2)))


def test_rotation_is_torchvisions_also_where_images_are_not_square():
    """Padded with the fill first: torchvision's own fill dims the border."""
    angles = torch.linspace(-361, 363, B)
    turned, turned_masks = warps.rotate(IMAGES, MASKS, angles, fill=0.25, fill_class=255)
    for i in range(B):
        angle, padded = float(angles[i]), reference.pad(IMAGES[i], 8, fill=0.25)
        expected = reference.rotate(padded, angle, InterpolationMode.BILINEAR)
        assert torch.allclose(turned[i], expected[:, 8:-8, 8:-8], atol=1e-5)
        expected = reference.rotate(MASKS[i : i + 1], angle, fill=255)[0]
        assert torch.equal(turned_masks[i], expected)


def test_rotation_fills_images_with_gray_and_masks_with_a_class():
    ones, ids = torch.ones(1, 3, 20, 20), torch.full((1, 20, 20), 3, dtype=torch.uint8)
    turned, masks = warps.rotate(ones, ids, torch.tensor([45.0]), fill=0.5, fill_class=255)
    assert turned[0, :, 0, 0].tolist() == pytest.approx([0.5] * 3)
    assert turned[0, :, 10, 10].tolist() == pytest.approx([1.0] * 3)
    assert sorted(masks.unique().tolist()) == [3, 255]
    assert masks[0, 0, 0] == 255


def test_affine_is_torchvisions():
    generator = torch.Generator().manual_seed(3)
    angles = torch.rand(B, generator=generator) * 400 - 200
    right, down = (torch.randint(-4, 5, (B,), generator=generator).float() for _ in range(2))
    scales = torch.rand(B, generator=generator) + 0.5
    shear_x, shear_y = (torch.rand(B, generator=generator) * 50 - 25 for _ in range(2))
    inverses = warps.inverse_affine(angles, right, down, scales, shear_x, shear_y)
    moved, moved_masks = warps.warp(IMAGES, MASKS, inverses)
    agree = 0.0
    for i in range(B):
        given = (
            -float(angles[i]), [int(right[i]), int(down[i])], float(scales[i]),
            [float(shear_x[i]), float(shear_y[i])],
        )  # fmt: skip
        expected = reference.affine(IMAGES[i], *given, InterpolationMode.BILINEAR)
        assert torch.allclose(moved[i], expected, atol=2e-5)
        expected = reference.affine(MASKS[i : i + 1].float(), *given)[0]
        agree += (moved_masks[i] == expected).float().mean().item() / B
    assert agree > 0.999  # a pixel right between two may go either way


def test_a_pure_translation_moves_whole_pixels():
    shift = warps.affine(translate=[0.5, 0.5])
    moved, masks = shift(IMAGES, MASKS, draws())
    for i in range(B // 4):
        fits = []
        for down in range(-5, 6):
            for right in range(-7, 8):
                padded = reference.pad(IMAGES[i], [7, 5])[:, 5 - down : 14 - down]
                if torch.allclose(moved[i], padded[:, :, 7 - right : 20 - right], atol=1e-5):
                    fits.append((down, right))
        assert len(fits) == 1
        down, right = fits[0]
        padded = reference.pad(MASKS[i : i + 1], [7, 5])[0, 5 - down : 14 - down]
        assert torch.equal(masks[i], padded[:, 7 - right : 20 - right])


def test_enlarging_a_box_is_cropping_and_resizing():
    generator = torch.Generator().manual_seed(4)
    heights = torch.randint(1, 10, (B,), generator=generator)
    widths = torch.randint(1, 14, (B,), generator=generator)
    tops = (torch.rand(B, generator=generator) * (10 - heights)).long()
    lefts = (torch.rand(B, generator=generator) * (14 - widths)).long()
    large, masks = warps.enlarge(IMAGES, MASKS, tops, lefts, heights, widths)
    for i in range(B):
        box = [int(each[i]) for each in (tops, lefts, heights, widths)]
        expected = reference.resized_crop(IMAGES[i], *box, [9, 13])
        assert torch.allclose(large[i], expected, atol=1e-5)
        nearest = InterpolationMode.NEAREST_EXACT
        expected = reference.resized_crop(MASKS[i : i + 1], *box, [9, 13], nearest)[0]
        assert torch.equal(masks[i], expected)


@pytest.mark.parametrize("scale, ratio", [((0.5, 0.8), (0.75, 4 / 3)), ((0.08, 1.0), (0.5, 2.0))])
def test_boxes_have_the_areas_and_ratios_asked_for(scale, ratio):
    heights, widths, fits = warps.draw_boxes(224, 200, scale, ratio, draws(5000))
    assert fits.float().mean() > 0.999
    assert (widths <= 200).all()
    assert (heights <= 224).all()
    shares, ratios = heights * widths / (224 * 200), widths / heights
    assert (shares > scale[0] - 0.01).all()
    assert (shares < scale[1] + 0.01).all()
    assert (ratios > ratio[0] - 0.03).all()
    assert (ratios < ratio[1] + 0.03).all()
    low = [each.quantile(0.05) for each in (shares, ratios.log())]
    high = [each.quantile(0.95) for each in (shares, ratios.log())]
    assert low[0] < scale[0] + 0.1 * (scale[1] - scale[0])
    assert high[0] > scale[0] + 0.75 * (scale[1] - scale[0])
    assert high[1] - low[1] > 0.6 * math.log(ratio[1] / ratio[0])


def test_a_box_that_never_fits_becomes_the_largest_in_the_middle():
    thin = IMAGES[:, :, :3].contiguous()  # 3 by 13: no square of all its area
    crop = warps.random_resized_crop(scale=[1.0, 1.0], ratio=[1.0, 1.0])
    large, _ = crop(thin, None, draws())
    middle = reference.resized_crop(thin, 0, 5, 3, 3, [3, 13])
    assert torch.allclose(large, middle, atol=1e-5)


def test_places_at_random_reach_both_ends():
    places = warps.at_random(torch.full((1000,), 5), draws(1000))
    assert places.unique().tolist() == [0, 1, 2, 3, 4, 5]
    assert (torch.bincount(places) > 120).all()
    assert (warps.at_random(torch.zeros(1000, dtype=torch.int64), draws(1000)) == 0).all()


@pytest.mark.parametrize(
    "nothing",
    [
        warps.rotation(degrees=0.0),
        warps.affine(),
        warps.random_resized_crop(scale=[1.0, 1.0], ratio=[13 / 9, 13 / 9]),
    ],
)
def test_no_strength_changes_nothing(nothing):
    same, masks = nothing(IMAGES, MASKS, draws())
    assert torch.equal(same, IMAGES)
    assert torch.equal(masks, MASKS)


@pytest.mark.parametrize(
    "build, options, message",
    [
        (
            warps.affine, {"scale": [1.2, 0.8]},
            "affine: scale [1.2, 0.8]: expected [lowest, highest], both from 0.01 to 100",
        ),
        (
            warps.affine, {"translate": [0.1, 3.0]},
            "affine: translate [0.1, 3.0]: expected [x, y], both from 0 to 1",
        ),
        (warps.affine, {"shear": [5.0]}, "affine: shear [5.0]: expected [x, y], in degrees"),
        (
            warps.random_resized_crop, {"scale": [0.5]},
            "random_resized_crop: scale [0.5]: expected [lowest, highest], both from 0.0001 to 1",
        ),
    ],
)  # fmt: skip
def test_ranges_that_are_none(build, options, message):
    with pytest.raises(zoo.ZooError) as caught:
        build(**options)
    assert str(caught.value) == message
