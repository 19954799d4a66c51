"""``compile = true``: the network's forward and backward pass through torch's compiler."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from zoo.errors import TrainingError, reason


class Compiled:
    """What is called in place of ``network``. On CUDA the compiled passes are replayed as CUDA
    graphs, which pays where launching kernels takes longer than running them: small images, small
    batches. Every shape of a batch is compiled once, which takes 15 to 60 s."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self._graphs = device.type == "cuda"
        mode = "reduce-overhead" if self._graphs else None
        self._call: Callable[[Tensor], Tensor] = torch.compile(network, mode=mode, dynamic=False)

    def __call__(self, images: Tensor) -> Tensor:
        """Raises :class:`TrainingError` when the compiler cannot take the network."""
        if self._graphs:
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        try:
            logits = self._call(images)
        except torch._dynamo.exc.TorchDynamoException as error:
            raise TrainingError(
                f"torch's compiler cannot take this network: {reason(error)}; leave "
                f"training.compile out"
            ) from error
        # A graph writes its next output over this one, which the tally still has to count.
        return logits.clone() if self._graphs else logits
