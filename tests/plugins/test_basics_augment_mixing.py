"""mixup and cutmix: images and targets in the same shares; how zoo carries out and checks them."""

import math

import pytest
import scipy.special
import torch
from torch.nn import functional
from zoo_basics import augmentations, augmentations_mixing

import zoo
from zoo.data.augmentation import Augmentations
from zoo.errors import ContractError, PluginError, TrainingError
from zoo.plugins.checks import check_loaded
from zoo.plugins.loading import Loaded, Plugin

B, K = 64, 5
CLASSES = torch.arange(B) % K
TARGETS = functional.one_hot(CLASSES, K).float()
# Every image shows its class: all white in that channel.
IMAGES = TARGETS[:, :, None, None].expand(-1, -1, 16, 22).contiguous()
BOTH = [augmentations_mixing.mixup(alpha=1.0), augmentations_mixing.cutmix()]


def draws(count=B, seed=7):
    return zoo.Draws(torch.arange(count), seed, "test")


@pytest.mark.parametrize("mix", BOTH)
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_targets_are_the_shares_of_the_pixels(mix, layout):
    images = IMAGES.contiguous(memory_format=layout)
    mixed, targets = mix(images, TARGETS, draws())
    assert torch.allclose(mixed.mean(dim=(2, 3)), targets, atol=1e-5)
    assert torch.allclose(targets.sum(1), torch.ones(B), atol=1e-6)
    assert mixed.is_contiguous(memory_format=layout)
    assert torch.equal(images, IMAGES)
    own = targets.gather(1, CLASSES[:, None]).squeeze(1)
    assert len(own.unique()) > 20
    again = mix(images, TARGETS, draws())
    assert torch.equal(again[0], mixed)
    assert torch.equal(again[1], targets)


@pytest.mark.parametrize("mix", BOTH)
def test_binary_and_multilabel_targets_are_mixed_too(mix):
    labels = (torch.arange(B)[:, None] % torch.tensor([2, 3]) == 0).float()
    images = labels[:, :, None, None].expand(-1, -1, 16, 22).contiguous()
    mixed, targets = mix(images, labels, draws())
    assert torch.allclose(mixed.mean(dim=(2, 3)), targets, atol=1e-5)
    one, shares = mix(images[:, :1], labels[:, :1], draws())
    assert torch.allclose(one.mean(dim=(2, 3)), shares, atol=1e-5)


@pytest.mark.parametrize("build", [augmentations_mixing.mixup, augmentations_mixing.cutmix])
def test_who_does_not_draw_it_stays_bit_for_bit(build):
    images = torch.rand(B, 3, 16, 22, generator=torch.Generator().manual_seed(1)) - 0.3
    mixed, targets = build(alpha=1.0, probability=0.5)(images, TARGETS, draws())
    same = (mixed == images).flatten(1).all(1)
    assert 20 < same.sum() < 48
    assert torch.equal(targets[same], TARGETS[same])
    never, targets = build(probability=0.0)(images, TARGETS, draws())
    assert torch.equal(never, images)
    assert torch.equal(targets, TARGETS)
    alone, target = build()(images[:1], TARGETS[:1], draws(1))
    assert torch.equal(alone, images[:1])
    assert torch.equal(target, TARGETS[:1])


def test_cutmix_pastes_one_box_of_one_other_image():
    numbers = torch.arange(B, dtype=torch.float32)[:, None, None, None].expand(-1, 1, 16, 22)
    mixed, targets = augmentations_mixing.cutmix()(numbers, torch.eye(B), draws())
    pasted = 0
    for i, image in enumerate(mixed[:, 0]):
        other = image != i
        if not other.any():
            continue
        pasted += 1
        (partner,) = image[other].unique().long().tolist()
        rows, columns = other.any(1).nonzero(), other.any(0).nonzero()
        box = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
        assert other.sum() == box
        assert targets[i, i] == pytest.approx(1 - float(box) / 352, abs=1e-6)
        assert targets[i, partner] == pytest.approx(float(box) / 352, abs=1e-6)
    assert pasted > B * 0.8


def test_partners_are_every_other_image_and_never_oneself():
    numbers = torch.eye(B)
    seen = torch.zeros(B, B)
    for seed in range(40):
        mix = augmentations_mixing.mixup(alpha=50.0)
        _, targets = mix(numbers[:, :, None, None], numbers, draws(seed=seed))
        seen += targets > 0.1
    assert (seen.diagonal() == 40).all()
    assert (seen.sum(1) == 80).all()
    assert ((seen > 0).sum(1) > 20).all()


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5, 1.0, 2.0, 40.0])
def test_the_beta_distribution_is_beta(alpha):
    values = augmentations_mixing.symmetric_beta(alpha, draws(50_000)).double()
    assert torch.isfinite(values).all()
    assert (values.min() >= 0) & (values.max() <= 1)
    # Distance of the distribution functions (Kolmogorov and Smirnov); by 1.63 / sqrt(n) at 1 %.
    grid = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    ours = torch.searchsorted(values.sort().values, grid, right=True) / len(values)
    exact = torch.from_numpy(scipy.special.betainc(alpha, alpha, grid.numpy()))
    assert (ours - exact).abs().max() < 1.63 / math.sqrt(len(values))


def test_augmentations_keep_the_mixing_steps_apart():
    flip = augmentations.horizontal_flip(probability=1.0)
    steps = Augmentations([("mixup", BOTH[0]), ("flip", flip), ("cutmix", BOTH[1])])
    assert [name for name, _ in steps.mixing] == ["mixup", "cutmix"]
    images, masks = steps(IMAGES, None, draws())
    assert torch.equal(images, IMAGES.flip(-1))
    assert masks is None
    mixed, targets = steps.mix(IMAGES, TARGETS, draws())
    assert torch.allclose(mixed.mean(dim=(2, 3)), targets, atol=1e-5)
    assert ((targets > 1e-4).sum(1) > 2).any()  # two steps: of three images or more
    unmixed = Augmentations([("flip", flip)])
    assert not unmixed.mixing
    assert unmixed.mix(IMAGES, TARGETS, draws()) == (IMAGES, TARGETS)


@pytest.mark.parametrize("targets", [CLASSES, torch.zeros(B, 16, 22, dtype=torch.int64)])
def test_targets_that_cannot_be_mixed(targets):
    with pytest.raises(TrainingError) as caught:
        Augmentations([("mixup", BOTH[0])]).mix(IMAGES, targets, draws())
    assert str(caught.value) == (
        f"augmentation 'mixup' mixes targets: it needs float (B, outputs), given torch.int64 "
        f"{tuple(targets.shape)}; remove it from the recipe"
    )


class Broken:
    mixes = True

    def __init__(self, mix):
        self.mix = mix

    def __call__(self, images, targets, draws):
        return self.mix(images, targets, draws)


def test_a_step_that_changes_shapes_is_named():
    for mix, part in (
        (lambda x, t, d: (x[1:], t), "'it' made torch.float32"),
        (lambda x, t, d: (x, t[:, :2]), r"'it' made targets \(64, 2\) of \(64, 5\)"),
    ):
        with pytest.raises(PluginError, match=part):
            Augmentations([("it", Broken(mix))]).mix(IMAGES, TARGETS, draws())
    crooked = Augmentations([("it", lambda x, m, d: (x, m[:, 1:]))])
    with pytest.raises(
        PluginError, match=r"'it' made masks of \(15, 22\) for images of \(16, 22\)"
    ):
        crooked(IMAGES, torch.zeros(B, 16, 22), draws())


def problems(augment, **options):
    spec = zoo.AugmentationSpec(
        name="it",
        build=lambda: augment,
        summary="for a test",
        source="zoo-basics",
        tasks={"multiclass"},
    )
    spec = type(spec)(**{**vars(spec), **options})
    try:
        check_loaded(Loaded(Plugin("it", "it", "0"), (spec,)), {})
    except ContractError as error:
        return "\n".join(error.problems)
    return ""


def halved(images, targets):
    return images.roll(1, 0) * 0.5 + images * 0.5, targets.roll(1, 0) * 0.5 + targets * 0.5


@pytest.mark.parametrize(
    "mix, part",
    [
        (lambda x, t, d: (halved(x, t)[0], t), "targets are not mixed in the shares"),
        (lambda x, t, d: (x, t[:, :0]), "targets become a tensor torch.float32 (32, 0)"),
        (lambda x, t, d: (x.double(), t), "images become a tensor torch.float64"),
        (lambda x, t, d: (x + 1, t + 1), "images leave [0, 1]"),
        (
            lambda x, t, d: (
                tuple(torch.lerp(one, one.roll(1, 0), torch.rand(())) for one in (x, t))
                if torch.manual_seed(torch.seed())
                else None
            ),
            "the same draws give another result",
        ),
        (lambda x, t, d: halved(x, t), ""),
    ],
)
def test_the_contract_of_mixing(mix, part):
    found = problems(Broken(mix))
    assert part in found if part else not found, found


def test_a_mixing_augmentation_does_not_serve_segmentation():
    mix = Broken(lambda x, t, d: halved(x, t))
    assert "leave segmentation out of its tasks" in problems(mix, tasks={"segmentation", "binary"})
    assert not problems(mix, tasks={"binary"})
