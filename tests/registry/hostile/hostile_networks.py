"""Architectures whose options ask for more than they should: records name them, as they name any
that is installed."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from zoo.plugins.catalog import Catalog
from zoo.plugins.loading import Loaded, Plugin
from zoo.plugins.specs import ArchitectureSpec


def tiny(context: Any, *, hidden: int = 3) -> nn.Module:
    height, width = context.image_size
    return nn.Sequential(
        nn.Conv2d(context.in_channels, hidden, 1),
        nn.BatchNorm2d(hidden),
        nn.Flatten(),
        nn.Linear(hidden * height * width, context.outputs),
    )


def deep(context: Any, *, hidden: int = 3) -> nn.Module:
    """As many layers as one asks for, without an end."""
    network = nn.Sequential()
    for i in range(hidden):
        network.append(nn.BatchNorm2d(1) if i % 2 else nn.Linear(1, 1))
    return network


def hollow(context: Any, *, hidden: int = 3) -> nn.Module:
    """As many layers as one asks for, none with a weight."""
    return nn.Sequential(*(nn.ReLU() for _ in range(hidden)))


def nested(context: Any, *, hidden: int = 3) -> nn.Module:
    """Layers in layers, deeper than Python calls functions."""
    network: nn.Module = nn.Linear(1, 1)
    for _ in range(hidden):
        network = nn.Sequential(network)
    return network


def heavy(context: Any, *, hidden: int = 3) -> nn.Module:
    """Large layers that cannot be built on the meta device."""
    torch.zeros(1).item()
    layers = []
    for _ in range(hidden):
        layer = nn.Module()
        layer.weight = nn.Parameter(torch.empty(16 << 20))
        nn.init.ones_(layer.weight)
        layers.append(layer)
    return nn.Sequential(*layers)


def failing(context: Any, *, hidden: int = 3) -> nn.Module:
    raise RuntimeError("no \x1b[31mluck\nat all")


def nothing(context: Any, *, hidden: int = 3) -> Any:
    return hidden


_BUILDS = (tiny, deep, hollow, nested, heavy, failing, nothing)
CATALOG = Catalog(
    [
        Loaded(
            Plugin("fake", "zoo-fake", "1.2"),
            tuple(
                ArchitectureSpec(name=build.__name__, build=build, summary="for tests")
                for build in _BUILDS
            ),
        )
    ]
)
