"""From a loss to new weights: scaling, clipping, averaging, and a guard against NaN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, empty_like
from torch.optim import SGD, Optimizer

from zoo.training.average import Average
from zoo.training.precision import Precision
from zoo.training.replicas import ALONE, Replicas


class Outcome(NamedTuple):
    """Of an update, on the device: the batch's mean loss, float (), NaN where ``skip`` left the
    update out; and whether anything did so, bool (), None where nothing could."""

    loss: Tensor
    left_out: Tensor | None


@dataclass
class Update:
    """``clip_norm``: the most that the norm of all gradients together may be, 0 for no limit
    (Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013);
    ``skip``: leave out an update whose loss or gradients are not finite; ``buffers``: the
    network's, which are then set back as well: a forward pass has changed them."""

    optimizer: Optimizer
    precision: Precision
    average: Average | None = None
    clip_norm: float = 0.0
    skip: bool = False
    replicas: Replicas = ALONE
    buffers: Sequence[Tensor] = ()
    _loss: Tensor | None = None

    def __post_init__(self) -> None:
        groups = self.optimizer.param_groups
        self._weights: list[Tensor] = [one for group in groups for one in group["params"]]
        self._before = [one.clone() for one in self.buffers] if self.skip else []
        _begin_momentum(self.optimizer)

    def backward(self, loss: Tensor, part: float, share: float) -> None:
        """Add the gradients of a part of the batch. ``part``: its share of this process's images;
        ``share``: the factor that makes the mean over processes one over the whole batch."""
        factor = part * share
        torch.autograd.backward(self.precision.scaled(loss if factor == 1.0 else loss * factor))
        loss = loss.detach() if part == 1.0 else loss.detach() * part
        self._loss = loss if self._loss is None else self._loss + loss

    def step(self) -> Outcome:
        """Change the weights by the gradients and forget them."""
        assert self._loss is not None
        loss, self._loss = self._loss, None
        if self.skip or self.clip_norm:
            loss, left_out = self._guarded_step(loss)
        else:
            left_out = self.precision.step(self.optimizer)
        for weight in self._weights:  # zero_grad does the same, at ten times the cost
            weight.grad = None
        if self._before:
            self._guard_buffers(loss)
        if self.average is not None:
            self.average.update(left_out)
        return Outcome(loss, left_out)

    def _guarded_step(self, loss: Tensor) -> Outcome:
        self.precision.unscale(self.optimizer)
        gradients = [one.grad for one in self._weights if one.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if self.clip_norm:
            factor = (self.clip_norm / (norm + 1e-6)).clamp(max=1.0)
            torch._foreach_mul_(gradients, factor)
        if not self.skip or self.precision.scales:  # a scaler leaves such a step out by itself
            return Outcome(loss, self.precision.step(self.optimizer))
        # One process's loss may be finite where another's is not.
        bad = self.replicas.any(~(norm.isfinite() & loss.isfinite()))
        self._step_unless(bad)
        return Outcome(torch.where(bad, torch.nan, loss), bad)

    def _step_unless(self, bad: Tensor) -> None:
        """torch's fused optimizers read such a flag on the device; for others it is read here."""
        optimizer: Any = self.optimizer
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            optimizer.grad_scale, optimizer.found_inf = None, bad.float()
            try:
                optimizer.step()
            finally:
                del optimizer.grad_scale, optimizer.found_inf
        elif not bool(bad):
            optimizer.step()

    def _guard_buffers(self, loss: Tensor) -> None:
        bad = ~loss.isfinite()
        for now, before in zip(self.buffers, self._before, strict=True):
            before.copy_(torch.where(bad, before, now))
            now.copy_(before)

    def state_dict(self) -> dict[str, Any]:
        return dict(self.optimizer.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Each loaded state gets the memory layout of its parameter. A checkpoint stores tensors
        contiguously; a fused kernel on the CPU walks memory without looking at strides, so beside a
        channels_last parameter it would silently update the wrong weights."""
        self.optimizer.load_state_dict(state)
        for before, now in zip(self._before, self.buffers, strict=False):
            before.copy_(now)  # the network's state was loaded before
        for parameter, held in self.optimizer.state.items():
            for name, value in held.items():
                alike = isinstance(value, Tensor) and value.shape == parameter.shape
                if alike and value.stride() != parameter.stride():
                    held[name] = empty_like(parameter, dtype=value.dtype).copy_(value)


def _begin_momentum(optimizer: Optimizer) -> None:
    """torch's fused SGD takes memory as it finds it for the momentum, and writes it in the first
    step. One that is left out writes nothing, and the next step would go on from garbage; nor does
    it take parameters that join later. From zeros, the first step is the same."""
    if not isinstance(optimizer, SGD):
        return
    for group in optimizer.param_groups:
        if group["fused"] and group["momentum"] and not group["dampening"]:
            for weight in group["params"]:
                optimizer.state[weight].setdefault("momentum_buffer", torch.zeros_like(weight))
