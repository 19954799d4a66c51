"""RandAugment and TrivialAugment: torchvision's operations, drawn image by image; random_apply."""

import math

import pytest
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as reference
from zoo_basics import augmentations_policies as policies
from zoo_basics import augmentations_tones as tones
from zoo_basics.augmentations_apply import random_apply
from zoo_basics.augmentations_policies import OPERATIONS, RAND_SPACE, WIDE_SPACE

import zoo

B = 40
BYTES = torch.randint(0, 256, (B, 3, 30, 33), generator=torch.Generator().manual_seed(0)).byte()
BYTES[::2] = BYTES[::2] // 3 + 40  # of low contrast
IMAGES = BYTES / 255
MASKS = torch.randint(0, 4, (B, 30, 33), generator=torch.Generator().manual_seed(1))
BILINEAR = InterpolationMode.BILINEAR


def draws(count=B):
    return zoo.Draws(torch.arange(count), 7, "test")


def theirs(name, image, strength, wide):
    """The operation as torchvision's policies carry it out, by their published magnitudes."""
    shear = math.degrees(math.atan(strength * (0.99 if wide else 0.3)))
    down, right = (int((32 if wide else 150 / 331 * side) * strength) for side in image.shape[1:])
    blend = 1 + strength * (0.99 if wide else 0.9)

    def affine(translate=(0, 0), shear=(0.0, 0.0), center=None):
        given = {"angle": 0.0, "scale": 1.0, "translate": list(translate), "shear": list(shear)}
        return reference.affine(image, **given, center=center, interpolation=BILINEAR)

    return {
        "identity": lambda: image,
        "shear_x": lambda: affine(shear=(shear, 0.0), center=[0, 0]),
        "shear_y": lambda: affine(shear=(0.0, shear), center=[0, 0]),
        "translate_x": lambda: affine(translate=(right, 0)),
        "translate_y": lambda: affine(translate=(0, down)),
        "rotate": lambda: reference.rotate(image, strength * (135 if wide else 30), BILINEAR),
        "brightness": lambda: reference.adjust_brightness(image, blend),
        "color": lambda: reference.adjust_saturation(image, blend),
        "contrast": lambda: reference.adjust_contrast(image, blend),
        "sharpness": lambda: reference.adjust_sharpness(image, blend),
        "solarize": lambda: reference.solarize(image, 1 - abs(strength)),
        "auto_contrast": lambda: reference.autocontrast(image),
    }[name]()


@pytest.mark.parametrize("name", policies.MOVES)
def test_a_mask_goes_with_its_image(name):
    """A white block whose mask is 1: what is surely white is 1, what is surely black 0."""
    masks = torch.zeros(B, 30, 33, dtype=torch.uint8)
    masks[:, 4:17, 6:20] = 1
    images = masks[:, None].float().repeat(1, 3, 1, 1)
    ops = torch.full((B,), OPERATIONS.index(name))
    moved, moved_masks = policies.operate(
        images, masks, ops, torch.linspace(-1, 1, B), RAND_SPACE, fill=0.5, fill_class=255
    )
    white, black = (moved > 0.9999).all(1), (moved < 0.0001).all(1)
    assert (moved_masks[white] == 1).all()
    assert (moved_masks[black] == 0).all()
    assert ((moved_masks == 255) == ~(white | black))[:, 1:-1].float().mean() > 0.8
    assert set(moved_masks.unique().tolist()) == {0, 1, 255}


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(
    "name", [one for one in OPERATIONS if one not in ("posterize", "equalize")]
)
def test_an_operation_is_torchvisions(name, wide):
    strengths = torch.arange(-19, 21) / 30
    ops = torch.full((B,), OPERATIONS.index(name))
    space = WIDE_SPACE if wide else RAND_SPACE
    changed, masks = policies.operate(IMAGES, MASKS, ops, strengths, space)
    for i in range(B):
        expected = theirs(name, IMAGES[i], float(strengths[i]), wide)
        assert torch.allclose(changed[i], expected, atol=2e-4), i
    assert (name in policies.MOVES) == (not torch.equal(masks, MASKS))


@pytest.mark.parametrize("wide, lost", [(False, 4), (True, 6)])
def test_posterize_is_torchvisions_on_bytes(wide, lost):
    levels = torch.arange(B) % 31
    ops = torch.full((B,), OPERATIONS.index("posterize"))
    space = WIDE_SPACE if wide else RAND_SPACE
    changed, _ = policies.operate(IMAGES, None, ops, levels / 30, space)
    for i in range(B):
        bits = int((8 - levels[i] / (30 / lost)).round())
        assert torch.equal((changed[i] * 255).round().byte(), reference.posterize(BYTES[i], bits))


def test_equalize_is_torchvisions_on_bytes():
    some = BYTES.clone()
    some[0], some[1, 0] = 7, 200  # flat ones, which stay
    some[2] = some[2] // 100
    changed = tones.equalize(some / 255)
    for i in range(B):
        assert torch.equal((changed[i] * 255).round().byte(), reference.equalize(some[i]))


def test_flat_and_tiny_images_are_left_alone():
    flat = torch.full((2, 3, 5, 5), 0.3)
    assert torch.equal(tones.autocontrast(flat), flat)
    tiny = IMAGES[:, :, :2]
    assert torch.equal(tones.adjust_sharpness(tiny, torch.zeros(B, 1, 1, 1)), tiny)


def test_every_operation_is_drawn_equally_often(monkeypatch):
    seen = []
    whole = policies.operate

    def watched(images, masks, ops, strengths, *rest):
        seen.append((ops, strengths))
        return whole(images, masks, ops, strengths, *rest)

    monkeypatch.setattr(policies, "operate", watched)
    many = IMAGES[:1, :, :6, :6].expand(2800, -1, -1, -1)
    policies.rand_augment(num_ops=2, magnitude=15)(many, None, draws(2800))
    first, second = (ops for ops, _ in seen)
    for ops, strengths in seen:
        counts = torch.bincount(ops, minlength=14)
        assert ((counts - 200.0) ** 2 / 200).sum() < 30  # 13 degrees of freedom: 95 % below 22.4
        assert strengths.unique().tolist() == [-0.5, 0.5]
    assert (first == second).float().mean() < 0.12
    seen.clear()
    policies.trivial_augment()(many, None, draws(2800))
    ((ops, strengths),) = seen
    assert len(ops.unique()) == 14
    assert (strengths.abs() * 30).round().unique().tolist() == list(range(31))


def test_policies_need_gray_or_colour():
    with pytest.raises(zoo.ZooError) as caught:
        policies.rand_augment()(IMAGES[:, :2], None, draws())
    assert str(caught.value) == (
        "rand_augment and trivial_augment need images of 1 or 3 channels, given 2"
    )
    gray, _ = policies.rand_augment(num_ops=4, magnitude=25)(IMAGES[:, :1], None, draws())
    assert gray.shape == (B, 1, 30, 33)


FLIPS = [
    {"name": "horizontal_flip", "probability": 1.0},
    {"name": "vertical_flip", "probability": 1.0},
]


@pytest.mark.parametrize("choose", ["all", "one"])
def test_random_apply_sends_images_through_all_or_one(choose):
    images, masks = random_apply(augmentations=FLIPS, choose=choose)(IMAGES, MASKS, draws())
    across, down, both = IMAGES.flip(-1), IMAGES.flip(-2), IMAGES.flip(-1).flip(-2)
    outcomes = {"none": IMAGES, "across": across, "down": down, "both": both}
    counts = {name: int((images == one).flatten(1).all(1).sum()) for name, one in outcomes.items()}
    assert sum(counts.values()) == B
    assert 10 < counts["none"] < 30
    if choose == "all":
        assert counts["both"] == B - counts["none"]
    else:
        assert counts["both"] == 0
        assert min(counts["across"], counts["down"]) >= 4
    flipped = (images == across).flatten(1).all(1)
    assert torch.equal(masks[flipped], MASKS[flipped].flip(-1))


@pytest.mark.parametrize(
    "table, message",
    [
        ({"name": "rotate"}, "random_apply: 'rotate': expected the name of an augmentation of zoo"),
        ({}, "random_apply: None: expected the name of an augmentation of zoo-basics: "),
        ({"name": "rotation", "degree": 3.0}, "random_apply: rotation.degree 3.0: unexpected"),
        (
            {"name": "rotation", "degrees": -1.0},
            "random_apply: rotation.degrees -1.0: input should",
        ),
        ({"name": "rotation", "degrees": "3"}, "random_apply: rotation.degrees '3': input should"),
        ({"name": "mixup"}, "random_apply: mixup mixes images; put it into the recipe by itself"),
    ],
)
def test_random_apply_names_what_is_wrong(table, message):
    with pytest.raises(zoo.ZooError) as caught:
        random_apply(augmentations=[table])
    assert str(caught.value).startswith(message)
    random_apply(augmentations=[{"name": "rotation", "degrees": 3}])


def test_random_apply_refuses_nothing_and_other_sizes():
    with pytest.raises(zoo.ZooError, match="random_apply: augmentations is empty; give one table"):
        random_apply(augmentations=[])
    smaller = random_apply(augmentations=[{"name": "crop", "fraction": 0.5, "padding": 0}])
    with pytest.raises(zoo.ZooError, match="random_apply: 'crop' changes the size of images"):
        smaller(IMAGES, None, draws())
