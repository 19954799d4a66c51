"""One deliberately broken sampler, augmentation or dataset for each promise."""

import inspect
from dataclasses import replace

import numpy as np
import pytest
import torch
from broken_plugin import ANYTHING, PLUGIN, problems

import zoo
from zoo.plugins.check_inputs import PositionDraws
from zoo.plugins.checks import check_loaded
from zoo.plugins.loading import Loaded


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
