"""What a network is made of: its layers in calling order, with shapes, parameters and FLOPs."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

MOST_ROWS = 60


@dataclass(frozen=True)
class Layer:
    """``kind``: the class; ``output``: the shape it gives for one image, without the batch; None
    where that is no tensor, or where it is not called. ``parameters``: those not counted with an
    earlier layer; ``flops``: of one image's forward pass, two a multiply-add; ``calls``: how often
    it is called, of which ``output`` is the last."""

    name: str
    kind: str
    output: tuple[int, ...] | None
    parameters: int
    flops: int
    calls: int = 1


@dataclass(frozen=True)
class LayerTable:
    """``image``: (channels, height, width); ``rows`` sum up to the totals. Only matrix products and
    convolutions count as FLOPs. A training step costs about three times the forward pass: the
    backward pass computes two gradients, of weights and of inputs, where that computes one output.
    """

    image: tuple[int, int, int]
    rows: tuple[Layer, ...]
    parameters: int
    trainable: int
    flops: int

    @property
    def training_flops(self) -> int:
        return 3 * self.flops


@dataclass
class _Call:
    """What hooks saw of a module, over all its calls."""

    output: tuple[int, ...] | None = None
    flops: int = 0
    inner: int = 0  # of the modules it called
    number: int = 0


def describe(network: nn.Module, image: tuple[int, int, int], most: int = MOST_ROWS) -> LayerTable:
    """One row a module that computes by itself; where these are more than ``most``, one row a block
    of them. One made-up image goes through a copy of the network, in evaluation mode."""
    network = getattr(network, "_orig_mod", network)  # the module behind a compiled one
    calls = _calls(network, image)
    seen: set[nn.Parameter] = set()
    rows = []
    for name in dict.fromkeys((*calls, *(name for name, _ in network.named_modules()))):
        module = network.get_submodule(name)
        own = [one for one in module.parameters(recurse=False) if one not in seen]
        seen.update(own)
        call = calls.get(name, _Call())
        leaf = next(module.children(), None) is None
        if own or call.flops > call.inner or (leaf and name in calls):
            parameters = sum(one.numel() for one in own)
            flops = call.flops - call.inner
            kind = type(module).__name__
            rows.append(Layer(name, kind, call.output, parameters, flops, call.number))
    parameters = list(network.parameters())
    return LayerTable(
        image,
        tuple(_collapsed(rows, network, calls, most)),
        sum(one.numel() for one in parameters),
        sum(one.numel() for one in parameters if one.requires_grad),
        sum(row.flops for row in rows),
    )


def _calls(network: nn.Module, image: tuple[int, int, int]) -> dict[str, _Call]:
    """By name, in the order in which modules are first called; the network itself is ``""``."""
    example = next(iter(network.parameters()), torch.zeros(0))
    trial = copy.deepcopy(network).eval()
    counter = FlopCounterMode(display=False)
    calls: dict[str, _Call] = {}
    stack: list[tuple[_Call, int]] = []

    def enter(name: str) -> Any:
        def before(module: nn.Module, given: Any) -> None:
            stack.append((calls.setdefault(name, _Call()), counter.get_total_flops()))

        return before

    def leave(module: nn.Module, given: Any, result: Any) -> None:
        call, began = stack.pop()
        flops = counter.get_total_flops() - began
        call.flops += flops
        call.output = _shape(result)
        call.number += 1
        if stack:
            stack[-1][0].inner += flops

    for name, module in trial.named_modules():
        module.register_forward_pre_hook(enter(name))
        module.register_forward_hook(leave)
    devices = [example.device.index or 0] if example.device.type == "cuda" else []
    with torch.no_grad(), torch.random.fork_rng(devices=devices), _countable(), counter:
        trial(torch.zeros(1, *image, device=example.device))
    return calls


@contextmanager
def _countable() -> Iterator[None]:
    """Attention as the plain matrix products that it stands for: fused kernels are not counted."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _shape(result: Any) -> tuple[int, ...] | None:
    """Of the first tensor in ``result``."""
    if isinstance(result, Tensor):
        return tuple(result.shape[1:])
    inner = result.values() if isinstance(result, Mapping) else result
    if isinstance(inner, str) or not hasattr(inner, "__iter__"):
        return None
    return next((shape for shape in map(_shape, inner) if shape is not None), None)


def _collapsed(
    rows: list[Layer], network: nn.Module, calls: Mapping[str, _Call], most: int
) -> list[Layer]:
    """At most ``most`` rows where blocks allow it, as little collapsed as can be."""
    depth = max((row.name.count(".") + 1 for row in rows), default=1)
    while len(rows) > most and depth > 1:
        depth -= 1
        blocks: dict[str, list[Layer]] = {}
        for row in rows:
            blocks.setdefault(".".join(row.name.split(".")[:depth]), []).append(row)
        rows = [_block(name, members, network, calls) for name, members in blocks.items()]
    return rows


def _block(
    name: str, members: list[Layer], network: nn.Module, calls: Mapping[str, _Call]
) -> Layer:
    if [one.name for one in members] == [name]:
        return members[0]
    call = calls.get(name)  # a list of modules is never called itself: its last member's then
    return Layer(
        name,
        type(network.get_submodule(name)).__name__,
        members[-1].output if call is None else call.output,
        sum(one.parameters for one in members),
        sum(one.flops for one in members),
        1 if call is None else call.number,
    )
