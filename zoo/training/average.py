"""A running average of the weights, which often does better than the weights themselves."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

_WARMING = 10  # early weights are soon forgotten: decay is at most (1 + n) / (10 + n)


class Average:
    """Exponential moving average (Polyak and Juditsky 1992; in this form Tan and Le,
    "EfficientNet", ICML 2019): average = d average + (1 - d) weights, with d the smaller of
    ``decay`` and (1 + n) / (10 + n) after n updates. Floating-point buffers are averaged like
    weights, others copied: batch norm's statistics belong to the weights they came with. Tied
    weights, which have several names, are averaged once."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates: Any = 0  # int; or int64 () on the device, where only that one knows
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        ours, theirs = self.network.state_dict(), network.state_dict()
        once = {(one.data_ptr(), one.shape, one.stride()): name for name, one in theirs.items()}
        averaged = [name for name in once.values() if theirs[name].is_floating_point()]
        self._averages = [ours[name] for name in averaged]
        self._weights = [theirs[name].detach() for name in averaged]
        others = [name for name, one in theirs.items() if not one.is_floating_point()]
        self._copied: list[tuple[Tensor, Tensor]] = [(ours[name], theirs[name]) for name in others]

    @torch.no_grad()
    def update(self, left_out: Tensor | None = None) -> None:
        """After an update of the weights. ``left_out``: bool (), on the device, which is not waited
        for: there was none; neither the average nor its count moves then."""
        if left_out is None:
            self.updates += 1
            decay = min(self.decay, (1 + self.updates) / (_WARMING + self.updates))
            torch._foreach_lerp_(self._averages, self._weights, 1.0 - decay)
        else:
            self.updates = self.updates + ~left_out
            share = ((_WARMING - 1) / (_WARMING + self.updates)).clamp(min=1.0 - self.decay)
            moves = torch._foreach_sub(self._weights, self._averages)
            torch._foreach_mul_(moves, torch.where(left_out, 0.0, share))
            torch._foreach_add_(self._averages, moves)
        for ours, theirs in self._copied:
            ours.copy_(theirs)

    def state_dict(self) -> dict[str, Any]:
        return {"updates": int(self.updates), "network": self.network.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.updates = state["updates"]
        self.network.load_state_dict(state["network"])
