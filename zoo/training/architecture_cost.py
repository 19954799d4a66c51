"""What an architecture costs and which image sizes it takes, before anything is trained.

It is built on torch's meta device, where weights take neither memory nor time to draw.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from zoo.errors import ComponentError, PluginError, ZooError, reason
from zoo.plugins.catalog import Component
from zoo.plugins.contexts import ArchitectureContext
from zoo.tasks import BINARY, MULTICLASS, MULTILABEL, SEGMENTATION, Task
from zoo.training.layer_table import LayerTable, describe

SIDES = (28, 32, 64, 96, 128, 168, 224, 256, 299, 384)  # pixels, those that people train at
_SIDE = 224
_OUTPUTS = 10
_MASKS = 2  # outputs of a segmentation


@dataclass(frozen=True)
class Cost:
    """Of one image: ``output`` is the shape that comes out, without the batch."""

    layers: LayerTable
    output: tuple[int, ...]


def cost_of(
    component: Component,
    tasks: Collection[str],
    *,
    size: tuple[int, int] | None = None,
    made_for: tuple[int, int] | None = None,
    channels: int = 3,
    outputs: int | None = None,
) -> Cost:
    """The cost of ``component`` with its default options, for the first of ``tasks``.

    ``size``: (height, width) in pixels; without it the one it was ``made_for``, else 224, or where
    it refuses that the largest of ``SIDES`` below. ``outputs``: 10 by default, 2 for segmentation.
    Raises :class:`ZooError` when it cannot be built so, or fails for an image of that size.
    """
    task = _task(component, tasks, outputs)
    first = size or made_for or (_SIDE, _SIDE)
    tried = [first]
    if size is None:
        tried += [(side, side) for side in reversed(SIDES) if side < max(first)]
    context = ArchitectureContext(channels, first, task.outputs, task)
    network, context = _first_built(component, context, tried)
    layers = describe(network, (channels, *context.image_size))
    return Cost(layers, _output(component, network, context))


def sides_of(
    component: Component, tasks: Collection[str], channels: int = 3, outputs: int | None = None
) -> tuple[list[int], list[int]]:
    """Which of ``SIDES`` it takes and which it refuses, each tried with a square image."""
    task = _task(component, tasks, outputs)
    taken, refused = [], []
    for side in SIDES:
        try:
            _built(component, ArchitectureContext(channels, (side, side), task.outputs, task))
        except ZooError:
            refused.append(side)
        else:
            taken.append(side)
    return taken, refused


def _first_built(
    component: Component, context: ArchitectureContext, sizes: Sequence[tuple[int, int]]
) -> tuple[nn.Module, ArchitectureContext]:
    """At the first of ``sizes`` that it takes. Raises what it raised for the first of all."""
    refusal: ZooError | None = None
    for size in sizes:
        context = replace(context, image_size=size)
        try:
            return _built(component, context), context
        except ZooError as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal


def _task(component: Component, tasks: Collection[str], outputs: int | None) -> Task:
    """One that it serves, with classes named by number."""
    kind = next(one for one in (MULTICLASS, SEGMENTATION, MULTILABEL, BINARY) if one in tasks)
    if outputs == 1 and BINARY in tasks:
        kind = BINARY
    if kind == BINARY and outputs in (None, 1):
        return Task.binary(("0", "1"), positive="1")
    if kind == SEGMENTATION and outputs == 1:
        return Task.segmentation(("0", "1"), positive="1")
    if kind == BINARY or (kind == MULTICLASS and outputs == 1):
        expected = "1 output" if kind == BINARY else "2 outputs or more"
        raise ComponentError(
            f"{component.kind} {component.name!r} with outputs {outputs}: expected {expected}, for "
            f"it serves {kind} tasks"
        )
    default = _MASKS if kind == SEGMENTATION else _OUTPUTS
    return Task(kind, tuple(map(str, range(outputs or default))))


def _built(component: Component, context: ArchitectureContext) -> nn.Module:
    """Built, and tried with one image. One that needs values for that is built with them."""
    try:
        with torch.device("meta"):
            network = _module(component, component.build(context))
        _output(component, network, context)
    except PluginError as error:
        if "meta" not in str(error):  # torch names the device where there were no values
            raise
        with torch.random.fork_rng(devices=[]):
            network = _module(component, component.build(context))
        _output(component, network, context)
    return network


def _module(component: Component, made: object) -> nn.Module:
    if not isinstance(made, nn.Module):
        raise PluginError(f"{component} returned {type(made).__name__}; expected an nn.Module")
    return made.eval()


def _output(
    component: Component, network: nn.Module, context: ArchitectureContext
) -> tuple[int, ...]:
    """The shape given for one image. Raises :class:`PluginError` where there is none."""
    example = next(iter(network.parameters()), torch.zeros(0))
    image = torch.zeros(1, context.in_channels, *context.image_size, device=example.device)
    where = "x".join(map(str, image.shape[1:]))
    try:
        with torch.no_grad():
            logits = network(image)
    except Exception as error:
        raise PluginError(f"{component} fails for an image of {where}: {reason(error)}") from error
    if not isinstance(logits, Tensor):
        kind = type(logits).__name__
        raise PluginError(f"{component} gives {kind} for an image of {where}; expected a tensor")
    return tuple(logits.shape[1:])
