"""One deliberately broken architecture, optimizer or scheduler for each promise."""

from dataclasses import replace

import pytest
import torch
from broken_plugin import ANYTHING, PLUGIN, problems
from torch import nn

import zoo
from zoo.plugins.checks import check_loaded
from zoo.plugins.loading import Loaded


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
        "it refuses 1 and 3 channels at sides of 28, 32, 64 and 224 pixels: no images, please"
    ]


def test_a_network_for_large_images_is_tried_on_larger_ones():
    sizes = []

    def large(ctx):
        if ctx.image_size[0] < 60:
            raise zoo.ZooError("larger, please")
        sizes.append(ctx.image_size)
        return plain(ctx)

    assert architecture(large) == []
    assert set(sizes) == {(64, 64)}


class Wasteful(nn.Module):
    """More parameters than a check can overfit, most of them unused."""

    def __init__(self, ctx, factor):
        super().__init__()
        self.plain = plain(ctx)
        self.unused = nn.Parameter(torch.zeros(5_000_001))
        self.factor = factor

    def forward(self, images):
        return self.plain(images) * self.factor


def test_a_large_network_is_not_overfitted_but_has_a_gradient():
    assert architecture(lambda ctx: Wasteful(ctx, 1.0)) == []
    assert architecture(lambda ctx: Wasteful(ctx, 0.0)) == [
        "its gradient is zero, or there is none"
    ]


def test_a_segmentation_network_is_tried_with_a_single_output_too():
    outputs = set()

    def by_pixel(ctx):
        outputs.add(ctx.outputs)
        return nn.Conv2d(ctx.in_channels, ctx.outputs, 1)

    assert architecture(by_pixel, tasks={"segmentation"}) == []
    assert outputs == {1, 2}


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


def test_of_a_family_a_small_member_for_small_images_is_checked():
    facts = {
        "large": zoo.Facts(parameters=10**9),
        "for_large_images": zoo.Facts(parameters=10, image_size=(256, 256)),
        "small": zoo.Facts(parameters=10, image_size=(224, 224)),
    }
    family = zoo.ArchitectureFamily(
        prefix="them", names=list(facts), build=lambda ctx, name: plain(ctx),
        facts=lambda name: facts[name], tasks={"multiclass"}, **ANYTHING,
    )  # fmt: skip
    checked = check_loaded(Loaded(PLUGIN, (family,)), {})
    assert [one.name for one in checked] == ["them/small"]


def optimizer(build):
    return problems(zoo.OptimizerSpec(name="it", build=build, **ANYTHING))


class Forgetful(torch.optim.SGD):
    """Counts outside of its state."""

    steps = 0

    def step(self, closure=None):
        self.steps += 1
        self.param_groups[0]["lr"] = 0.01 / self.steps
        return super().step(closure)


class Switching(torch.optim.SGD):
    def step(self, closure=None):
        self.param_groups[0]["nesterov"] = True
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
        (lambda ctx: torch.optim.Adam(ctx.parameters, lr=0.01, fused=True), None),
        (lambda ctx: Forgetful(ctx.parameters, lr=0.01), "goes another way"),
        (lambda ctx: Switching(ctx.parameters, lr=0.01), "'nesterov' changes from False to True"),
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
