"""One deliberately broken loss for each promise."""

import pytest
import torch
from broken_plugin import ANYTHING, problems
from torch import nn

import zoo


def loss(function, tasks=("multiclass",)):
    spec = zoo.LossSpec(name="it", build=lambda ctx: function, tasks=set(tasks), **ANYTHING)
    return problems(spec)


def cross_entropy(logits, targets):
    return nn.functional.cross_entropy(logits, targets)


@pytest.mark.parametrize(
    "function, part",
    [
        (
            lambda x, y: nn.functional.cross_entropy(x, y, reduction="sum"),
            "expected the batch's mean",
        ),
        (
            lambda x, y: nn.functional.cross_entropy(x, y, reduction="none"),
            "expected a float scalar",
        ),
        (lambda x, y: cross_entropy(x, y).detach(), "it cannot be differentiated"),
        (lambda x, y: cross_entropy(x, y).item(), "it gives float; expected a float scalar"),
        (lambda x, y: -cross_entropy(x, y), "expected less for right ones"),
        (
            lambda x, y: nn.functional.nll_loss(x.softmax(1).log(), y),
            "not finite for logits of 200",
        ),
        (lambda x, y: cross_entropy(x, y) + x.sum() * float("nan"), "gradient is missing, zero or"),
    ],
)
def test_broken_losses(function, part):
    found = loss(function)
    assert any(part in problem for problem in found), found
    assert loss(cross_entropy) == []


def test_a_loss_is_tried_on_every_task_it_says_it_serves():
    assert loss(cross_entropy, ("multiclass",)) == []
    found = loss(cross_entropy, ("multiclass", "multilabel", "binary"))
    assert found
    assert all("multiclass" not in problem for problem in found)


def pixel_loss(context, counted=None, least=1):
    """Right for both forms of segmentation, unless told otherwise."""

    def measure(logits, targets):
        kept = targets != 255 if counted is None else torch.full_like(targets, counted) > 0
        if context.task.outputs == 1:
            each = nn.functional.binary_cross_entropy_with_logits(
                logits, targets * kept, reduction="none"
            )
        else:
            each = nn.functional.cross_entropy(logits, targets * (targets < 255), reduction="none")
        return (each * kept).sum() / kept.sum().clamp(min=least)

    return measure


def segmentation_loss(build):
    return problems(zoo.LossSpec(name="it", build=build, tasks={"segmentation"}, **ANYTHING))


def test_losses_of_both_forms_of_segmentation_leave_out_what_is_ignored():
    assert segmentation_loss(pixel_loss) == []
    found = segmentation_loss(lambda ctx: pixel_loss(ctx, counted=1))
    for form in ("segmentation task logits", "segmentation task with a positive class logits"):
        assert any(f"{form} at pixels of label 255 change it" in one for one in found), found
    found = segmentation_loss(lambda ctx: pixel_loss(ctx, least=0))
    assert len(found) == 2
    assert all("nothing but pixels of label 255 gives nan" in one for one in found)


def test_a_loss_may_refuse_one_form_of_segmentation_but_not_both():
    def refusing(*forms):
        def build(ctx):
            if (ctx.task.positive is None) in forms:
                raise zoo.ZooError("not this one, please")
            return pixel_loss(ctx)

        return segmentation_loss(build)

    assert refusing(True) == refusing(False) == []
    assert refusing(True, False) == ["for a segmentation task it refuses: not this one, please"]
