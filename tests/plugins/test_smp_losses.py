"""The losses of zoo-smp give the numbers of their formulas; ignored pixels; gradients."""

import subprocess
import sys

import pytest
import torch

import zoo

pytest.importorskip("segmentation_models_pytorch")
from zoo_smp import losses

TOOL = zoo.Task.segmentation(["tissue", "tool"], positive="tool")
THREE = zoo.Task.segmentation(["a", "b", "c"])
EVERY = [losses.dice, losses.bce_dice, losses.jaccard, losses.tversky, losses.lovasz]


def built(build, task=TOOL, **options):
    return build(zoo.LossContext(task, (1,) * len(task.classes), 1), **options)


def by_hand():
    """Two images of two pixels: p = 0.8, 0.4 and 0.5, 0.1; the first of each is the tool.

    TP = 0.8 + 0.5, FP = 0.4 + 0.1, FN = 0.2 + 0.5.
    """
    probabilities = torch.tensor([[0.8, 0.4], [0.5, 0.1]]).view(2, 1, 1, 2)
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0]]).view(2, 1, 1, 2)
    return probabilities.logit(), targets


@pytest.mark.parametrize(
    "build, options, expected",
    [
        (losses.dice, {}, 1 - 1.3 / (1.3 + 0.25 + 0.35)),
        (losses.dice, {"smooth": 2.0}, 1 - 3.3 / (3.3 + 0.25 + 0.35)),
        (losses.jaccard, {}, 1 - 1.3 / (1.3 + 0.5 + 0.7)),
        (losses.jaccard, {"smooth": 2.0}, 1 - 3.3 / (3.3 + 0.5 + 0.7)),
        (losses.tversky, {}, 1 - 1.3 / (1.3 + 0.3 * 0.5 + 0.7 * 0.7)),
        (losses.tversky, {"alpha": 1.0, "beta": 0.0}, 1 - 1.3 / (1.3 + 0.5)),
    ],
)
def test_by_hand(build, options, expected):
    """Over the batch: the mean of the two images' own scores would be another number."""
    logits, targets = by_hand()
    loss = built(build, **options)
    assert loss(logits, targets).item() == pytest.approx(expected, rel=1e-5)
    of_each = torch.stack([loss(logits[i : i + 1], targets[i : i + 1]) for i in (0, 1)])
    assert of_each.mean().item() != pytest.approx(expected, rel=1e-3)


def test_bce_dice_by_hand():
    logits, targets = by_hand()
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)
    overlap = built(losses.dice)(logits, targets)
    mixed = built(losses.bce_dice, dice_weight=0.3)(logits, targets)
    assert torch.allclose(mixed, 0.7 * entropy + 0.3 * overlap)
    three = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(32).view(2, 4, 4) % 3
    entropy = torch.nn.functional.cross_entropy(three, labels)
    overlap = built(losses.dice, THREE)(three, labels)
    mixed = built(losses.bce_dice, THREE, dice_weight=0.3)(three, labels)
    assert torch.allclose(mixed, 0.7 * entropy + 0.3 * overlap)


def test_lovasz_by_hand():
    """Two pixels, of which the first is the tool: errors m = 1 - logit * sign. Sorted, the second
    comes first, where the intersection over union of being wrong in it alone is lost, 1/2; then the
    rest of it."""
    logits = torch.tensor([0.5, 0.8]).view(1, 1, 1, 2)
    targets = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    value = built(losses.lovasz)(logits, targets)
    assert value.item() == pytest.approx(1.8 * (1 - 1 / 2) + 0.5 * (1 - (1 - 1 / 2)), rel=1e-5)


def test_several_classes_are_averaged_and_absent_ones_count_0():
    probabilities = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]]).t().reshape(1, 3, 1, 2)
    labels = torch.tensor([[[0, 1]]])
    of_a = 1 - 0.7 / (0.7 + 0.1 / 2 + 0.3 / 2)
    of_b = 1 - 0.6 / (0.6 + 0.2 / 2 + 0.4 / 2)
    value = built(losses.dice, THREE)(probabilities.log(), labels)
    assert value.item() == pytest.approx((of_a + of_b + 0) / 3, rel=1e-5)


def test_only_two_see_false_alarms_where_nothing_is():
    logits, nothing = torch.full((1, 1, 2, 2), 5.0), torch.zeros(1, 1, 2, 2)
    values = {build.__name__: built(build)(logits, nothing).item() for build in EVERY}
    assert {name for name, value in values.items() if value} == {"bce_dice", "lovasz"}


@pytest.mark.parametrize("build", EVERY)
@pytest.mark.parametrize("task", [TOOL, THREE])
def test_ignored_pixels_are_as_if_they_were_not_there(build, task):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, task.outputs, 6, 6, generator=generator).requires_grad_()
    labels = torch.randint(0, len(task.classes), (2, 6, 6), generator=generator)
    labels[..., 1::2] = 255
    targets = task.targets(labels)
    loss = built(build, task)
    value = loss(logits, targets)
    assert torch.allclose(value, loss(logits[..., ::2], targets[..., ::2]))
    value.backward()
    assert not logits.grad[..., 1::2].any()
    of_each = logits.grad[..., ::2] != 0
    assert of_each.any() if build is losses.lovasz else of_each.all()  # a hinge is flat beyond 1
    logits.grad = None
    value = loss(logits, task.targets(torch.full_like(labels, 255)))
    value.backward()
    assert value == 0 and not logits.grad.any()


@pytest.mark.parametrize("build", EVERY)
def test_none_says_how_it_weighs(build):
    """What a class counts for does not follow from the number of its pixels."""
    assert not hasattr(built(build), "class_weights")


@pytest.mark.parametrize("build", EVERY)
def test_sums_over_pixels_do_not_overflow_half_precision(build):
    """300 x 300 pixels are more than float16 can count."""
    logits = torch.full((1, 1, 300, 300), -1.0)
    targets = torch.ones_like(logits)
    value, half = (built(build)(one, targets) for one in (logits, logits.half()))
    assert torch.allclose(half, value, rtol=1e-3)


@pytest.mark.parametrize("build", EVERY)
def test_the_gradient_is_that_of_the_numbers(build):
    logits = torch.randn(1, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([1.0, 0.0, 0.0, 1.0]).view(1, 1, 2, 2)
    loss = built(build)
    logits.requires_grad_()
    loss(logits, targets).backward()
    step = 1e-2
    for place in range(4):
        moved = torch.zeros(4)
        moved[place] = step
        moved = moved.view(1, 1, 2, 2)
        with torch.no_grad():
            slope = (loss(logits + moved, targets) - loss(logits - moved, targets)) / (2 * step)
        assert logits.grad.view(-1)[place].item() == pytest.approx(slope.item(), abs=1e-4)


def test_every_component_keeps_the_contract():
    found = {(one.kind, one.name) for one in zoo.check_plugin("zoo-smp")}
    every = ("dice", "bce_dice", "jaccard", "tversky", "lovasz")
    assert found == {("architecture", "smp/deeplabv3"), *(("loss", name) for name in every)}


def test_listing_imports_nothing_heavy():
    code = (
        "import sys, zoo_smp\n"
        "zoo_smp.register_losses()\n"
        "print([n for n in ('torch', 'segmentation_models_pytorch') if n in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
