"""Weights that an architecture's plugin offers, and the images that they are for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from zoo.data import published_weights
from zoo.data.fitting import FILTERS
from zoo.data.preprocessing import Preprocessing
from zoo.errors import PluginError
from zoo.plugins.catalog import Catalog, Component
from zoo.plugins.contexts import ArchitectureContext
from zoo.plugins.facts import facts_of
from zoo.plugins.specs import Pretrained
from zoo.recipes.schema import PRETRAINED, Recipe
from zoo.tasks import Task
from zoo.training import events

_TICK = 0.5  # seconds between signs of life
_MOST_SIDE = 4096


def read(recipe: Recipe, installed: Catalog, task: Task, form: tuple[int, int, int]) -> Pretrained:
    """The weights that ``transfer.init`` of ``recipe`` asks for, fetched first where they are not
    there, for images of that (height, width, channels). Raises :class:`zoo.errors.ZooError` when
    there are none, or the plugin gives something else."""
    component = installed.get("architecture", recipe.architecture.name)
    tag = recipe.transfer.published or ""
    context = ArchitectureContext(form[2], form[:2], task.outputs, task, tag)
    with torch.random.fork_rng(devices=[]):  # a plugin may build a network to get at its weights
        found = component.pretrained(context, recipe.architecture.options)
    _check(component, found)
    return found


def with_size(
    recipe: Recipe,
    installed: Catalog,
    task: Task,
    native: Callable[[], tuple[tuple[int, int], int]],
    tell: events.Subscriber,
) -> Recipe:
    """``recipe`` with the weights' own size of images, where it follows them in ``normalize`` and
    names no other. ``native``: (height, width) and channels of the dataset's images."""
    data = recipe.data
    follows = recipe.transfer.published is not None and data.normalize == PRETRAINED
    if not follows or data.size != "native":
        return recipe
    sides, channels = native()
    facts = facts_of(installed.get("architecture", recipe.architecture.name))
    if facts is not None and facts.image_size is not None:
        sides = facts.image_size  # a network may refuse the dataset's own
    if data.channels != "native":
        channels = data.channels
    found = read(recipe, installed, task, (*sides, channels))
    if found.image_size is None:
        return recipe
    height, width = found.image_size
    whose = f"the published weights{f' {found.tag}' if found.tag else ''}"
    text = (
        f"data.size = [{height}, {width}]: that of the images on which {whose} were trained; for "
        f"another type --size N"
    )
    tell(events.Notice(text))
    size = data.model_copy(update={"size": (height, width)})
    return recipe.model_copy(update={"data": size})


@contextlib.contextmanager
def downloads_told(tell: events.Subscriber) -> Iterator[None]:
    """Weights that are downloaded inside are told of, as decoding is."""
    begun, told = time.perf_counter(), 0.0

    def report(name: str, done: int, total: int | None) -> None:
        nonlocal told
        now = time.perf_counter()
        if now - told > _TICK or done == total:
            told = now
            tell(events.Downloading(name, done, total, now - begun))

    with published_weights.reporting(report):
        yield


def _check(component: Component, found: Pretrained) -> None:
    weights: dict[Any, Any] = dict(found.weights)
    if not all(isinstance(one, Tensor) for one in weights.values()):
        raise PluginError(f"{component}: its pretrained weights are not all tensors")
    if found.mean is not None and found.std is not None:
        mean, std = tuple(map(float, found.mean)), tuple(map(float, found.std))
        Preprocessing((1, 1), len(mean), mean, std)  # raises unless they are sensible numbers
    if found.interpolation not in ("", *FILTERS):
        raise PluginError(
            f"{component}: interpolation {found.interpolation!r} of its pretrained weights: "
            f"expected one of {', '.join(FILTERS)}, or ''"
        )
    size = found.image_size
    if size is not None and not (
        len(size) == 2 and all(type(one) is int and 0 < one <= _MOST_SIDE for one in size)
    ):
        raise PluginError(
            f"{component}: image_size {size!r} of its pretrained weights: expected (height, width) "
            f"in 1 to {_MOST_SIDE}"
        )
