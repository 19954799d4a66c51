"""Which tensors of other weights fit a network: by name, then by shape.

Shapes: a convolution's weight is (out, in, height, width).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zoo.training import layers

LOADED, ADAPTED, NEW, UNUSED = "loaded", "adapted", "new", "unused"
HEAD = "the head"  # why it is left new


@dataclass(frozen=True)
class Match:
    """What became of the tensor ``name``: loaded, adapted, left new, or unused because the network
    has none of that name. ``values``: how many numbers; ``why``: a reason, where there is one."""

    name: str
    values: int
    what: str
    why: str = ""


@dataclass(frozen=True)
class Part:
    """Neighbouring tensors of which the same became. ``name``: that of their module, or of the
    first and the last."""

    name: str
    tensors: int
    values: int
    what: str
    why: str


def match(
    network: nn.Module,
    weights: Mapping[str, Tensor],
    *,
    outputs: int,
    channels: int,
    new_head: bool = False,
) -> tuple[dict[str, Tensor], list[Match]]:
    """What of ``weights`` to load, in the network's types, and what became of every tensor.
    ``new_head``: leave the head as it is even where it fits, for its classes are others."""
    head, first = layers.head(network, outputs), layers.first_convolution(network, channels)
    chosen: dict[str, Tensor] = {}
    matches = []
    state = {name: one for name, one in network.state_dict().items() if isinstance(one, Tensor)}
    for name, own in state.items():
        found = weights.get(name)
        what, why = NEW, "the source has none"
        if found is not None and layers.within(name, head) and new_head:
            why = f"{HEAD}: the classes are others"
        elif found is not None and found.dtype != own.dtype and not _both_real(found, own):
            why = f"the source has {_dtype(found)}"
        elif found is not None and found.shape == own.shape:
            chosen[name] = found.to(own.dtype)
            what, why = LOADED, "" if found.dtype == own.dtype else f"from {_dtype(found)}"
        elif found is not None and name == first and _other_channels(found, own):
            chosen[name] = adapted(found.to(own.dtype), own.shape[1])
            what, why = ADAPTED, f"from {found.shape[1]} to {own.shape[1]} channels"
        elif found is not None and layers.within(name, head) and _other_outputs(found, own):
            why = f"{HEAD}: the source has {found.shape[0]} outputs"
        elif found is not None:
            why = f"of shape {tuple(own.shape)}, the source has {tuple(found.shape)}"
        matches.append(Match(name, own.numel(), what, why))
    left = [name for name in weights if name not in state]
    matches += [Match(name, weights[name].numel(), UNUSED, "not in the network") for name in left]
    return chosen, matches


def adapted(weight: Tensor, channels: int) -> Tensor:
    """A convolution's weight for another number of input channels, whose answer to grey images is
    the same: to one channel the sum; to more, the channels again in turn, scaled by old / new.
    After ``adapt_input_conv`` of Wightman 2019, timm."""
    given = weight.shape[1]
    if channels == 1:
        return weight.sum(1, keepdim=True)
    return weight[:, torch.arange(channels) % given] * (given / channels)


def parts(matches: Sequence[Match]) -> list[Part]:
    """The matches as few lines: what is one module's, or stands side by side, is told together."""
    of_network = [one for one in matches if one.what != UNUSED]
    unused = [one for one in matches if one.what == UNUSED]
    found: list[Part] = []
    for one in (*_by_module(of_network, 1), *_by_module(unused, 1)):
        if found and (found[-1].what, found[-1].why) == (one.what, one.why):
            before = found.pop()
            name = f"{before.name.partition(' … ')[0]} … {one.name}"
            tensors, values = before.tensors + one.tensors, before.values + one.values
            found.append(Part(name, tensors, values, one.what, one.why))
        else:
            found.append(one)
    return found


def _by_module(matches: Iterable[Match], depth: int) -> Iterable[Part]:
    """``depth``: how many components of their names are known to be the same, or to tell."""
    keyed = itertools.groupby(matches, key=lambda one: ".".join(one.name.split(".")[:depth]))
    for name, group in keyed:
        several = list(group)
        first = several[0]
        if all((one.what, one.why) == (first.what, first.why) for one in several):
            values = sum(one.values for one in several)
            yield Part(name, len(several), values, first.what, first.why)
        else:
            yield from _by_module(several, depth + 1)


def _other_channels(found: Tensor, own: Tensor) -> bool:
    """Whether two convolutions differ in their input channels alone."""
    return (
        found.ndim == own.ndim
        and found.shape[1] > 0
        and (found.shape[0], *found.shape[2:]) == (own.shape[0], *own.shape[2:])
    )


def _other_outputs(found: Tensor, own: Tensor) -> bool:
    """Whether two layers differ in their outputs alone."""
    return found.ndim == own.ndim and found.shape[1:] == own.shape[1:]


def _both_real(one: Tensor, other: Tensor) -> bool:
    return one.is_floating_point() and other.is_floating_point()


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
