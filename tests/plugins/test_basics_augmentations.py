"""Flips, rotation and colour: exact against torch and torchvision, each image with its own draw."""

import pytest
import torch
from torchvision.transforms.v2 import functional as reference
from zoo_basics import augmentations, color

import zoo

B = 64
IMAGES = torch.rand(B, 3, 9, 13, generator=torch.Generator().manual_seed(0))
MASKS = torch.randint(0, 4, (B, 9, 13), generator=torch.Generator().manual_seed(1))


def draws(count=B):
    return zoo.Draws(torch.arange(count), 7, "test")


@pytest.mark.parametrize("name, axis", [("horizontal_flip", -1), ("vertical_flip", -2)])
def test_flips_take_each_image_or_leave_it_with_its_mask(name, axis):
    images, masks = getattr(augmentations, name)()(IMAGES, MASKS, draws())
    flipped = 0
    for i in range(B):
        turned = torch.equal(images[i], IMAGES[i].flip(axis))
        flipped += turned
        assert torch.equal(images[i], IMAGES[i].flip(axis) if turned else IMAGES[i])
        assert torch.equal(masks[i], MASKS[i].flip(axis) if turned else MASKS[i])
    assert 16 < flipped < 48


@pytest.mark.parametrize("probability, flipped", [(0.0, False), (1.0, True)])
def test_certain_flips(probability, flipped):
    images, masks = augmentations.horizontal_flip(probability=probability)(IMAGES, None, draws())
    assert torch.equal(images, IMAGES.flip(-1) if flipped else IMAGES)
    assert masks is None


@pytest.mark.parametrize("quarter", [-1, 1, 2])
def test_rotation_by_quarters_is_rot90(quarter):
    square, masks = IMAGES[:, :, :, :9].contiguous(), MASKS[:, :, :9].contiguous()
    angles = torch.full((B,), 90.0 * quarter)
    turned, turned_masks = augmentations.rotate(square, masks, angles)
    assert torch.allclose(turned, square.rot90(quarter, (2, 3)), atol=1e-5)
    assert torch.equal(turned_masks, masks.rot90(quarter, (1, 2)))


def test_rotation_is_torchvisions_also_where_images_are_not_square():
    """Each image by itself, padded with the fill first: torchvision's own fill dims the border."""
    angles = torch.linspace(-61, 63, B)
    turned, turned_masks = augmentations.rotate(IMAGES, MASKS, angles, fill=0.25)
    for i in range(B):
        angle, padded = float(angles[i]), reference.pad(IMAGES[i], 8, fill=0.25)
        expected = reference.rotate(padded, angle, reference.InterpolationMode.BILINEAR)
        assert torch.allclose(turned[i], expected[:, 8:-8, 8:-8], atol=1e-5)
        expected = reference.rotate(MASKS[i : i + 1], angle)[0]
        assert torch.equal(turned_masks[i], expected)


def test_rotation_fills_images_with_gray_and_masks_with_class_0():
    ones, ids = torch.ones(1, 3, 20, 20), torch.full((1, 20, 20), 3)
    turned, masks = augmentations.rotate(ones, ids, torch.tensor([45.0]), fill=0.5)
    assert turned[0, :, 0, 0].tolist() == pytest.approx([0.5] * 3)
    assert turned[0, :, 10, 10].tolist() == pytest.approx([1.0] * 3)
    assert sorted(masks.unique().tolist()) == [0, 3]
    assert masks[0, 0, 0] == 0


def test_rotation_draws_an_angle_for_each_image():
    images = IMAGES[:1].expand(B, -1, -1, -1)
    turned, _ = augmentations.rotation(degrees=30.0, probability=0.5)(images, None, draws())
    kept = [torch.equal(one, IMAGES[0]) for one in turned]
    assert 16 < sum(kept) < 48
    different = {
        round(one.sum().item(), 5) for one, same in zip(turned, kept, strict=True) if not same
    }
    assert len(different) == B - sum(kept)


def test_no_degrees_change_nothing():
    turned, _ = augmentations.rotation(degrees=0.0)(IMAGES, None, draws())
    assert torch.allclose(turned, IMAGES, atol=1e-5)


@pytest.mark.parametrize(
    "adjust, theirs, factors",
    [
        (color.adjust_brightness, reference.adjust_brightness, (0.0, 0.6, 1.7)),
        (color.adjust_contrast, reference.adjust_contrast, (0.0, 0.6, 1.7)),
        (color.adjust_saturation, reference.adjust_saturation, (0.0, 0.6, 1.7)),
        (color.shift_hue, reference.adjust_hue, (-0.5, -0.2, 0.35)),
    ],
)
def test_colour_means_what_torchvision_means(adjust, theirs, factors):
    images = IMAGES[:3].clone()
    images[1] = images[1, :1]  # one without any colour
    changed = adjust(images, torch.tensor(factors)[:, None, None, None])
    for i, factor in enumerate(factors):
        assert torch.allclose(changed[i], theirs(images[i], factor), atol=1e-5)


def test_colour_jitter_stays_within_its_strength_and_differs_by_image():
    gray = torch.full((B, 3, 4, 4), 0.5)
    jitter = color.color_jitter(brightness=0.4, contrast=0.0)
    changed, masks = jitter(gray, MASKS, draws())
    factors = changed[:, 0, 0, 0] / 0.5
    assert factors.min() >= 0.6
    assert factors.max() <= 1.4
    assert factors.max() - factors.min() > 0.6
    assert len(factors.unique()) > B // 2
    assert masks is MASKS


def test_colour_jitter_of_strength_0_is_off():
    jitter = color.color_jitter(brightness=0.0, contrast=0.0)
    assert torch.equal(jitter(IMAGES, None, draws())[0], IMAGES)


def test_colour_on_gray_images():
    gray = IMAGES[:, :1]
    jitter = color.color_jitter(brightness=0.3, contrast=0.3)
    assert jitter(gray, None, draws())[0].shape == gray.shape
    with pytest.raises(zoo.ZooError) as caught:
        color.color_jitter(hue=0.1)(gray, None, draws())
    assert str(caught.value) == (
        "color_jitter: saturation 0.0 and hue 0.1 need images of 3 channels, given 1; set both to 0"
    )


@pytest.mark.parametrize(
    "augment",
    [
        augmentations.horizontal_flip(),
        augmentations.vertical_flip(),
        augmentations.rotation(degrees=20.0, fill=0.5),
        color.color_jitter(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.2),
    ],
)
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_the_memory_format_is_kept_and_the_input_untouched(augment, layout):
    images = IMAGES.contiguous(memory_format=layout)
    changed, _ = augment(images, None, draws())
    assert changed.is_contiguous(memory_format=layout)
    assert changed.dtype == torch.float32
    assert (changed.min() >= 0) & (changed.max() <= 1)
    assert torch.equal(images, IMAGES)
    other, _ = augment(IMAGES, None, draws())
    assert torch.allclose(changed, other, atol=1e-6)
