"""Which part of a network is what: its head, its first convolution, its layers from below.

A part is named by a module: it holds the module's parameters and all below it.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from zoo.errors import TrainingError, nearest

BACKBONE = "backbone"
_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_WEIGHTED = (nn.Linear, _ConvNd)
_SHOWN = 12  # parts that a message names


def within(name: str, part: str) -> bool:
    """Whether the parameter or module ``name`` belongs to ``part``; all belong to ``""``."""
    return not part or name == part or name.startswith(f"{part}.")


def matcher(network: nn.Module, part: str, outputs: int, key: str) -> Callable[[str], bool]:
    """Whether a name belongs to ``part``; ``"backbone"``, where no module bears that name, is all
    but the head. Raises :class:`TrainingError`, naming the recipe's ``key``, for a part without
    parameters."""
    names = [name for name, _ in network.named_parameters()]
    if any(within(name, part) for name in names):
        return lambda name: within(name, part)
    if part == BACKBONE:
        top = head(network, outputs)
        return lambda name: not within(name, top)
    parts = [name for name, one in network.named_modules() if name and _trains(one)]
    tops = [name for name, one in network.named_children() if _trains(one)]
    more = ", ..." if len(tops) > _SHOWN else ""
    raise TrainingError(
        f"{key}: {part!r} is no part of the network that has parameters"
        f"{nearest(part, [*parts, *names])}; expected {BACKBONE} or a module, such as "
        f"{', '.join(tops[:_SHOWN])}{more}"
    )


def head(network: nn.Module, outputs: int) -> str:
    """The last linear or convolutional layer that has as many outputs as the network; where there
    is none, the last module with parameters. ``""``: the network itself is that layer."""
    owners: list[tuple[str, nn.Module]] = [
        (name, module)
        for name, module in network.named_modules()
        if isinstance(module, _WEIGHTED) or any(True for _ in module.parameters(recurse=False))
    ]
    fitting = [name for name, module in owners if _outputs(module) == outputs]
    return (fitting or [name for name, _ in owners] or [""])[-1]


def first_convolution(network: nn.Module, channels: int) -> str | None:
    """The name of the weight of the first convolution, where that sees the images' channels."""
    for name, module in network.named_modules():
        if isinstance(module, _ConvNd) and not isinstance(module, _ConvTransposeNd):
            fits = module.in_channels == channels and module.groups == 1
            return f"{name}.weight".removeprefix(".") if fits else None
    return None


def depths(network: nn.Module) -> dict[str, int]:
    """Of each parameter its layer, counted from 0 at the input, in the order of registration.

    A layer is a block: lists of modules are opened, and so is a module that holds more than half of
    all parameters. What has no matrix of its own, such as a normalization, belongs to the layer
    before it; parameters that an opened module holds itself, such as a class token, to the first.
    """
    half = sum(one.numel() for one in network.parameters()) / 2
    layers: list[list[str]] = [[]]
    begun = False

    def visit(module: nn.Module, name: str) -> None:
        nonlocal begun
        inside = dict(module.named_parameters(name))
        if not inside:
            return
        large = sum(one.numel() for one in inside.values()) > half
        inner = not isinstance(module, _WEIGHTED) and any(True for _ in module.children())
        if not name or isinstance(module, _CONTAINERS) or (large and inner):
            layers[0] += [key for key, _ in module.named_parameters(name, recurse=False)]
            for key, child in module.named_children():
                visit(child, f"{name}.{key}" if name else key)
            return
        if any(one.ndim > 1 for one in inside.values()):
            if begun:
                layers.append([])
            begun = True
        layers[-1] += inside

    visit(network, "")
    return {name: depth for depth, names in enumerate(layers) for name in names}


def _trains(module: nn.Module) -> bool:
    return any(True for _ in module.parameters())


def _outputs(module: nn.Module) -> int | None:
    if isinstance(module, nn.Linear):
        return module.out_features
    return module.out_channels if isinstance(module, _ConvNd) else None
