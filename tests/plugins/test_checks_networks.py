"""One deliberately broken architecture, loss, optimizer or scheduler for each promise."""

from dataclasses import replace

import pytest
import torch
from broken_plugin import ANYTHING, PLUGIN, problems
from torch import nn

import zoo
from zoo.plugins.checks import check_loaded
from zoo.plugins.loading import Loaded


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
    assert loss(cross_entropy, ("multiclass", "segmentation")) == []
    found = loss(cross_entropy, ("multiclass", "multilabel", "binary"))
    assert found
    assert all("multiclass" not in problem for problem in found)


def architecture(build, **options):
    spec = zoo.ArchitectureSpec(name="it", build=build, tasks={"multiclass"}, **ANYTHING)
    return problems(replace(spec, **options))


def pixels(ctx):
    return ctx.in_channels * ctx.image_size[0] * ctx.image_size[1]


def plain(ctx):
    return nn.Sequential(nn.Flatten(), nn.Linear(pixels(ctx), ctx.outputs))


def nan_state(ctx):
    network = plain(ctx)
    network.register_buffer("odd", torch.tensor([float("nan")]))
    return network


class ByRows(nn.Module):
    """Reads memory instead of positions."""

    def __init__(self, ctx):
        super().__init__()
        self.out = nn.Linear(pixels(ctx), ctx.outputs)

    def forward(self, images):
        return self.out(
            images.as_strided((len(images), self.out.in_features), (self.out.in_features, 1))
        )


@pytest.mark.parametrize(
    "build, part",
    [
        (
            lambda ctx: nn.Sequential(nn.Flatten(), nn.Linear(pixels(ctx), 7)),
            "gives (2, 7); expected",
        ),
        (lambda ctx: lambda images: images, "expected a torch.nn.Module"),
        (
            lambda ctx: nn.Sequential(nn.Flatten(), nn.Linear(1024, ctx.outputs)),
            "cannot be multiplied",
        ),
        (nan_state, "'odd' of its state is not finite"),
        (ByRows, "other logits in channels_last"),
        (lambda ctx: nn.Sequential(plain(ctx), nn.Threshold(1e9, 0.0)), "cannot be learnt"),
        (lambda ctx: nn.Sequential(plain(ctx), nn.Identity()), None),
    ],
)
def test_broken_architectures(build, part):
    found = architecture(build)
    if part is None:
        assert found == []
    else:
        assert any(part in problem for problem in found), found


def test_an_architecture_may_refuse_some_sizes_but_not_all():
    def only_coloured(ctx):
        if ctx.in_channels != 3:
            raise zoo.ZooError("three channels, please")
        return plain(ctx)

    def none(ctx):
        raise zoo.ZooError("no images, please")

    assert architecture(only_coloured) == []
    assert architecture(none) == [
        "it refuses 1 and 3 channels at 32 x 32 and 28 x 28 pixels: no images, please"
    ]


def test_a_segmentation_network_gives_a_logit_for_every_pixel():
    def by_pixel(ctx):
        return nn.Conv2d(ctx.in_channels, ctx.outputs, 1)

    assert architecture(by_pixel, tasks={"segmentation"}) == []
    assert any("(2, 2, 32, 32)" in one for one in architecture(plain, tasks={"segmentation"}))


def test_of_a_family_one_member_is_checked():
    built = []

    def build(ctx, name):
        built.append(name)
        return plain(ctx)

    family = zoo.ArchitectureFamily(
        prefix="them", names=["a", "b"], build=build, tasks={"multiclass"}, **ANYTHING
    )
    checked = check_loaded(Loaded(PLUGIN, (family,)), {})
    assert [one.name for one in checked] == ["them/a"]
    assert set(built) == {"a"}


def optimizer(build):
    return problems(zoo.OptimizerSpec(name="it", build=build, **ANYTHING))


class Forgetful(torch.optim.SGD):
    """Counts outside of its state."""

    steps = 0

    def step(self, closure=None):
        self.steps += 1
        self.param_groups[0]["lr"] = 0.01 / self.steps
        return super().step(closure)


@pytest.mark.parametrize(
    "build, part",
    [
        (lambda ctx: "sgd", "it builds str; expected a torch.optim.Optimizer"),
        (lambda ctx: torch.optim.SGD(ctx.parameters, lr=0.01, maximize=True), "expected lower"),
        (
            lambda ctx: torch.optim.SGD([p for g in ctx.parameters for p in g["params"]], lr=0.01),
            "drops what a parameter group sets",
        ),
        (lambda ctx: torch.optim.Adam(ctx.parameters, lr=0.01, fused=True), "goes another way"),
        (lambda ctx: Forgetful(ctx.parameters, lr=0.01), "goes another way"),
        (lambda ctx: torch.optim.Adam(ctx.parameters, lr=0.01), None),
    ],
)
def test_broken_optimizers(build, part):
    found = optimizer(build)
    if part is None:
        assert found == []
    else:
        assert any(part in problem for problem in found), found


def scheduler(build):
    return problems(zoo.SchedulerSpec(name="it", build=build, **ANYTHING))


def below_zero(ctx):
    torch_schedules = torch.optim.lr_scheduler
    return torch_schedules.LambdaLR(ctx.optimizer, lambda epoch: 1 - epoch), "epoch"


@pytest.mark.parametrize(
    "build, part",
    [
        (lambda ctx: (None, "batch"), "expected (a scheduler or None, 'step' or 'epoch')"),
        (below_zero, "expected finite ones, 0 or above"),
        (lambda ctx: (torch.optim.lr_scheduler.StepLR(ctx.optimizer, 1), "step"), None),
        (lambda ctx: (torch.optim.lr_scheduler.ReduceLROnPlateau(ctx.optimizer), "epoch"), None),
    ],
)
def test_broken_schedulers(build, part):
    found = scheduler(build)
    if part is None:
        assert found == []
    else:
        assert any(part in problem for problem in found), found
