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
    weights, others copied: batch norm's statistics belong to the weights they came with."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        ours, theirs = self.network.state_dict(), network.state_dict()
        averaged = [name for name, one in theirs.items() if one.is_floating_point()]
        self._averages = [ours[name] for name in averaged]
        self._weights = [theirs[name].detach() for name in averaged]
        others = theirs.keys() - set(averaged)
        self._copied: list[tuple[Tensor, Tensor]] = [(ours[name], theirs[name]) for name in others]

    @torch.no_grad()
    def update(self) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (_WARMING + self.updates))
        torch._foreach_lerp_(self._averages, self._weights, 1.0 - decay)
        for ours, theirs in self._copied:
            ours.copy_(theirs)

    def state_dict(self) -> dict[str, Any]:
        return {"updates": self.updates, "network": self.network.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.updates = state["updates"]
        self.network.load_state_dict(state["network"])
