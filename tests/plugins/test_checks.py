"""The contract check catches each broken promise: one deliberately broken component for each."""

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from zoo.errors import PluginError
from zoo.plugins.check_inputs import PositionDraws
from zoo.plugins.checks import ContractError, check_loaded
from zoo.plugins.loading import Loaded, Plugin

PLUGIN = Plugin("broken", "zoo-broken", "1.0")
ANYTHING: dict[str, Any] = {"summary": "for a test", "source": "a test"}


def problems(*specs, roots=None):
    """What the check says of these components, without their names."""
    try:
        check_loaded(Loaded(PLUGIN, specs), roots or {})
    except ContractError as error:
        for problem in error.problems:
            assert " of zoo-broken 1.0: " in problem
        return [problem.split(" of zoo-broken 1.0: ")[1] for problem in error.problems]
    return []


def test_an_unknown_plugin_is_named_with_the_nearest():
    with pytest.raises(PluginError) as caught:
        zoo.check_plugin("zoo-basic")
    assert str(caught.value) == (
        "plugin 'zoo-basic' is not installed (did you mean 'zoo-basics'?); see: zoo plugins list"
    )


def test_all_problems_come_at_once_each_naming_its_component():
    specs = [
        zoo.SamplerSpec(
            name="far", build=lambda ctx: lambda g: torch.tensor([ctx.length]), summary="s"
        ),
        zoo.SchedulerSpec(name="odd", build=lambda ctx: None, **ANYTHING),
    ]
    with pytest.raises(PluginError) as caught:
        check_loaded(Loaded(PLUGIN, tuple(specs)), {})
    lines = str(caught.value).splitlines()
    assert [line.partition(" of ")[0] for line in lines[:2]] == ["sampler 'far'"] * 2
    assert lines[0].endswith("no source: name the paper, book or library it comes from")
    assert lines[-1].startswith("scheduler 'odd' of zoo-broken 1.0: it gives None; expected (")


def test_what_a_build_raises_is_reported_and_the_rest_still_checked():
    def fails(ctx):
        raise KeyError("nope")

    def picky(ctx, *, needed: int):
        return None

    found = problems(
        zoo.LossSpec(name="fails", build=fails, **ANYTHING),
        zoo.LossSpec(name="missing", build="no_such_package:loss", **ANYTHING),
        zoo.LossSpec(name="picky", build=picky, **ANYTHING),
    )
    assert found == [
        "failed to build: KeyError: 'nope'",
        "'no_such_package:loss' cannot be imported: ModuleNotFoundError: No module named "
        "'no_such_package'",
        "needed: missing; expected int",
    ]


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


def sampler(draw):
    return problems(zoo.SamplerSpec(name="it", build=lambda ctx: draw, **ANYTHING))


@pytest.mark.parametrize(
    "draw, part",
    [
        (lambda g: torch.arange(500), "its indices leave 0 to 119"),
        (lambda g: torch.arange(5) - 1, "its indices leave 0 to 119"),
        (lambda g: torch.arange(0), "or there are none"),
        (lambda g: torch.randperm(100), "the same generator gives another order"),
        (lambda g: torch.arange(5).float(), "it gives a tensor torch.float32 (5,)"),
        (lambda g: [1, 2, 3], "it gives list; expected a tensor int64 (M,)"),
        (lambda g: torch.zeros(2, 2, dtype=torch.int64), "expected a tensor int64 (M,)"),
    ],
)
def test_broken_samplers(draw, part):
    found = sampler(draw)
    assert any(part in problem for problem in found), found
    assert sampler(lambda g: torch.randperm(100, generator=g)) == []


def augmentation(function):
    return problems(zoo.AugmentationSpec(name="it", build=lambda: function, **ANYTHING))


def own_flips(images, masks, draws):
    chosen = draws.chance(0.5)
    out = torch.where(chosen[:, None, None, None], images.flip(-1), images)
    return out, None if masks is None else torch.where(chosen[:, None, None], masks.flip(-1), masks)


def one_flip(images, masks, draws):
    if draws.chance(0.5)[0]:
        return images.flip(-1), None if masks is None else masks.flip(-1)
    return images, masks


def soft_masks(images, masks, draws):
    return images, None if masks is None else (masks * 2.5).long()


@pytest.mark.parametrize(
    "function, part",
    [
        (one_flip, "depends on the others of its batch"),
        (lambda x, m, d: (x + torch.rand(()) * 0, m), None),
        (
            lambda x, m, d: ((x + torch.rand(()) * 0.1).clamp(0, 1), m),
            "the same draws give another",
        ),
        (lambda x, m, d: (x * 1.5, m), "images leave [0, 1]"),
        (
            lambda x, m, d: (x[:, :1].repeat(1, 2, 1, 1), m),
            "images become a tensor torch.float32 (32, 2",
        ),
        (lambda x, m, d: (x.double(), m), "images become a tensor torch.float64"),
        (lambda x, m, d: (x, None), "masks become NoneType"),
        (
            lambda x, m, d: (x, torch.zeros(len(x), *x.shape[2:], dtype=torch.int64)),
            "it must give None",
        ),
        (lambda x, m, d: (x[..., :8], m), "masks become a tensor torch.int64 (32, 12, 16)"),
        (soft_masks, "masks hold classes that were not there"),
        (lambda x, m, d: (own_flips(x, None, d)[0], m), "masks did not go with their images"),
        (
            lambda x, m, d: (x - x.mean(0) * 0.1 + 0.1 * x.mean(0).mean(), m),
            "depends on the others",
        ),
    ],
)
def test_broken_augmentations(function, part):
    found = augmentation(function)
    if part is None:
        assert found == []
    else:
        assert any(part in problem for problem in found), found
    assert augmentation(own_flips) == []


def test_an_augmentation_may_refuse_gray_images_but_not_all():
    def coloured(images, masks, draws):
        if images.shape[1] == 1:
            raise zoo.ZooError("colour only")
        return images, masks

    def none(images, masks, draws):
        raise zoo.ZooError("no images, please")

    assert augmentation(coloured) == []
    assert augmentation(none) == ["it takes neither 1 nor 3 channels: no images, please"]


def test_the_draws_of_the_check_have_the_interface_of_zoos():
    def interface(kind):
        public = {name: one for name, one in vars(kind).items() if not name.startswith("_")}
        return {
            "__init__": inspect.signature(kind).parameters.keys(),
            "__len__": "__len__" in vars(kind),
            **{
                name: list(inspect.signature(one).parameters.values())
                for name, one in public.items()
            },
        }

    assert interface(PositionDraws) == interface(zoo.Draws)
    numbers = PositionDraws(torch.arange(2000)).uniform(2.0, 4.0)
    assert numbers.min() >= 2.0
    assert numbers.max() < 4.0
    assert numbers.mean().item() == pytest.approx(3.0, abs=0.05)


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


def test_trackers_must_be_callable():
    good = zoo.TrackerSpec(name="good", build=lambda ctx: print, **ANYTHING)
    bad = zoo.TrackerSpec(name="bad", build=lambda ctx: ctx.folder, **ANYTHING)
    assert problems(good) == []
    assert "expected a callable (event) -> None" in problems(bad)[0]


def tiny(**changes):
    split = zoo.ArraySplit(
        images=np.zeros((4, 5, 6), np.uint8),
        labels=np.array([0, 1, 1, 0]),
        ids=["a", "b", "c", "d"],
    )
    task = zoo.Task.multiclass(["x", "y"])
    return zoo.Dataset(task, {"all": replace(split, **changes)}, zoo.Provenance("cc0-1.0"))


def dataset(made, **options):
    spec = zoo.DatasetSpec(name="it", build=lambda ctx: made, **ANYTHING)
    return problems(replace(spec, **options))


@pytest.mark.parametrize(
    "made, part",
    [
        (tiny(labels=np.array([0, 1, 2, 0])), "split 'all': labels from 0 to 2; expected 0 to 1"),
        (tiny(labels=np.array([0, 1, -1, 0])), "labels from -1 to 1; expected 0 to 1"),
        (tiny(labels=np.array([0.0, 1.0, 1.0, 0.0])), "type float64; expected integers (4,)"),
        (tiny(ids=["a", "b", "b", "c"]), "3 different ids for 4 images"),
        (tiny(groups=["p"]), "1 groups for 4 images"),
        (tiny(images=np.zeros((4, 5, 6), np.float32)), "image 0 has type float32; expected uint8"),
        (tiny(images=np.zeros((4, 5), np.uint8)), "image 0 has shape (5,)"),
        (replace(tiny(), provenance=zoo.Provenance("")), "no licence in its provenance"),
        (replace(tiny(), splits={"holdout": tiny().splits["all"]}), "no split called 'train'"),
        (tiny(), None),
        (tiny(labels=None), None),
    ],
)
def test_broken_datasets(made, part):
    found = dataset(made)
    if part is None:
        assert found == []
    else:
        assert any(part in problem for problem in found), found


def test_a_dataset_of_another_task_than_its_spec():
    assert dataset(tiny(), tasks={"binary"}) == ["its task is multiclass; its spec says ['binary']"]


def test_a_dataset_that_needs_files_is_noted_and_must_say_so():
    def build(ctx):
        if ctx.root is None:
            raise zoo.DataError("give --root")
        return tiny()

    spec = zoo.DatasetSpec(name="it", build=build, needs_root=True, **ANYTHING)
    (checked,) = check_loaded(Loaded(PLUGIN, (spec,)), {})
    assert "give check_plugin roots={'it': folder}" in checked.note
    silent = replace(spec, build=lambda ctx: tiny())
    assert problems(silent) == ["needs_root is True, but it builds without one"]
    careless = replace(spec, build=lambda ctx: ctx.root / "file")
    assert "must raise a zoo.DataError that says what to give" in problems(careless)[0]


def test_with_its_root_it_is_checked(tmp_path):
    spec = zoo.DatasetSpec(
        name="it", build=lambda ctx: tiny(ids=[]), needs_root=True, files="f", **ANYTHING
    )
    assert problems(spec, roots={"it": tmp_path}) == ["split 'all': 0 different ids for 4 images"]
