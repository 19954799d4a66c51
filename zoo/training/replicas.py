"""One process, or several that share every batch."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class Replicas:
    """``rank`` of ``ranks`` processes. This one is alone."""

    rank: int = 0
    ranks: int = 1

    def wrapped(self, network: nn.Module) -> nn.Module:
        """What is called in training: it averages the gradients over the processes."""
        return network

    def gathering(self, *, last: bool) -> AbstractContextManager[Any]:
        """Around a forward and backward pass: gradients are exchanged in the ``last`` of a step."""
        return nullcontext()

    def sum(self, *tensors: Tensor) -> None:
        """Add up over the processes, in place."""

    def agree(self, reason: str | None) -> str | None:
        """The same answer on every process: that of the first which has one."""
        return reason
