"""A learning rate for each part of a network: the optimizer's, times what the recipe says."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from zoo.errors import PluginError, TrainingError
from zoo.recipes.schema import Recipe, TransferSection
from zoo.training import layers


def parameter_groups(network: nn.Module, recipe: Recipe, outputs: int) -> list[dict[str, Any]]:
    """Torch parameter groups with all parameters, frozen ones too: one group, without a rate of its
    own, where all train at the optimizer's; else one for each rate, those nearest to the
    optimizer's first. Raises :class:`TrainingError` when the optimizer has no ``lr``, or a part is
    unknown."""
    transfer = recipe.transfer
    if transfer.head_lr == transfer.layer_decay == 1.0 and not transfer.rates:
        return [{"params": list(network.parameters())}]
    base = recipe.optimizer.options.get("lr")
    if not isinstance(base, int | float):
        raise TrainingError(
            f"optimizer {recipe.optimizer.name!r} has no option 'lr', so transfer.head_lr, "
            f"layer_decay and rates have nothing to multiply"
        )
    found: dict[float, list[nn.Parameter]] = {}
    parameters = dict(network.named_parameters())
    for name, factor in factors(network, transfer, outputs).items():
        found.setdefault(factor, []).append(parameters[name])
    nearest_first = sorted(found, key=lambda one: (abs(one - 1.0), one))
    return [{"params": found[one], "lr": float(base) * one} for one in nearest_first]


def factors(network: nn.Module, transfer: TransferSection, outputs: int) -> dict[str, float]:
    """By parameter. ``layer_decay`` is that of Clark et al. 2020, arXiv:2003.10555: once for each
    layer between a parameter's and the head, which has none; what a layer is, see
    :func:`zoo.training.layers.depths`."""
    head = layers.head(network, outputs)
    depths = layers.depths(network)
    last = max(depths.values())
    parts = {
        part: layers.matcher(network, part, outputs, f"transfer.rates.{part}")
        for part in sorted(transfer.rates, key=_special, reverse=True)
    }
    found = {}
    for name, _ in network.named_parameters():
        if layers.within(name, head):
            factor = transfer.head_lr
        else:
            factor = transfer.layer_decay ** (last - depths[name])
        part = next((one for one, holds in parts.items() if holds(name)), None)
        found[name] = factor * (1.0 if part is None else transfer.rates[part])
    return found


def _special(part: str) -> tuple[bool, int]:
    """How much a part goes before others that hold the same parameter."""
    return part != layers.BACKBONE, len(part)


def check_rates(
    optimizer: torch.optim.Optimizer, groups: list[dict[str, Any]], component: object
) -> None:
    """Raise :class:`PluginError` when an optimizer dropped the rates that it was given."""
    wanted = [group["lr"] for group in groups if "lr" in group]
    given = [float(group["lr"]) for group in optimizer.param_groups]
    if wanted and not (len(given) == len(wanted) and all(map(math.isclose, given, wanted))):
        raise PluginError(
            f"{component} ignores the rates of its parameter groups; take another optimizer, or "
            f"leave transfer.head_lr, layer_decay and rates as they are"
        )
