"""What an update needs in memory, measured on a few images before there are many.

Shapes: N images at once, C channels, H by W pixels.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from zoo.training.workload import Workload

_FULL = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")
_TRIED = 1 << 30  # bytes of weights up to which an optimizer is tried out to see what it keeps


@dataclass(frozen=True)
class Memory:
    """Bytes. ``image``: kept of each image for the backward pass; ``fixed``: kept whatever their
    number; ``passing``: of each image, gradients on their way through the largest layer;
    ``batch``: each image itself, as pixels, as numbers, and as the network's input."""

    weights: int
    gradients: int
    optimizer: int
    average: int
    image: int
    fixed: int
    passing: int
    batch: int

    def rows(self, images: int) -> dict[str, int]:
        """What takes how much with ``images`` at once."""
        rows = {
            "weights": self.weights,
            "gradients of the weights": self.gradients,
            "state of the optimizer": self.optimizer,
            "average of the weights": self.average,
            "activations": self.fixed + self.image * images,
            "gradients of activations": self.passing * images,
            "the images themselves": self.batch * images,
        }
        return {name: size for name, size in rows.items() if size}

    def needed(self, images: int) -> int:
        """What training takes beyond the weights, which are there already."""
        return sum(self.rows(images).values()) - self.weights


def estimate(work: Workload) -> Memory:
    """Sends two and then three images through a copy of the network, forth only."""
    with work.copied() as (network, optimizer):
        kept, largest = _kept(work, network, 2)
        more, _ = _kept(work, network, 3)
        image = max(0, more - kept)
        parameters = list(network.parameters())
        weights = _bytes(parameters) + _bytes(network.buffers())
        channels, height, width = work.image
        return Memory(
            weights=weights,
            gradients=_bytes(one for one in parameters if one.requires_grad),
            optimizer=state_bytes(optimizer),
            average=weights if work.averaged else 0,
            image=image,
            fixed=max(0, kept - 2 * image),
            # The gradient that comes in and the one that goes out.
            passing=2 * math.ceil(largest / 2),
            # uint8 rows of the store, float32 of them, and what augmentation makes of these.
            batch=channels * height * width * (1 + 4 + 4),
        )


def _kept(work: Workload, network: nn.Module, images: int) -> tuple[int, int]:
    """(bytes that autograd keeps of a batch, of these the largest tensor's)."""
    given, targets = work.batch(images)
    others = (*network.parameters(), *network.buffers(), given, targets)
    known = {one.untyped_storage().data_ptr() for one in others}
    found: dict[int, Tensor] = {}  # holds them, so that no address is used a second time

    def see(tensor: Tensor) -> Tensor:
        if tensor.device.type == work.device.type:
            address = tensor.untyped_storage().data_ptr()
            if address not in known:
                found.setdefault(address, tensor.detach())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(see, lambda tensor: tensor):
        loss = work.loss_of(network, given, targets)
    sizes = [one.untyped_storage().nbytes() for one in found.values()]
    del loss
    return sum(sizes), max(sizes, default=0)


def state_bytes(optimizer: Optimizer) -> int:
    """What the optimizer keeps from step to step: seen after a step of a copy; where that cannot be
    tried, two numbers a weight, as Adam keeps."""
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    if not _state(optimizer) and _bytes(parameters) <= _TRIED:
        # Somebody's optimizer may want a closure, or more than zeros.
        with contextlib.suppress(Exception):
            optimizer = copy.deepcopy(optimizer)
            for group in optimizer.param_groups:
                for one in group["params"]:
                    one.grad = torch.zeros_like(one) if one.requires_grad else None
            optimizer.step()
            return _state(optimizer)
    return _state(optimizer) or 2 * _bytes(parameters)


def _state(optimizer: Optimizer) -> int:
    return sum(
        value.numel() * value.element_size()
        for held in optimizer.state.values()
        for value in held.values()
        if isinstance(value, Tensor)
    )


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(one.numel() * one.element_size() for one in tensors)


def is_out_of_memory(error: BaseException) -> bool:
    """Of the device or of the host, in the several ways in which torch says so, also where a
    plugin's failure hides it."""
    for one in causes(error):
        if isinstance(one, torch.OutOfMemoryError | MemoryError):
            return True
        if isinstance(one, RuntimeError) and any(word in str(one) for word in _FULL):
            return True
    return False


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__


def bytes_text(size: float) -> str:
    """``1.4 GB``: three digits at most."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.{0 if size >= 100 * scale else 1}f} {unit}"
    return f"{size:.0f} bytes"
