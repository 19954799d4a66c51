"""Number formats: what the network computes in, and what that asks of the gradients."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from zoo.errors import TrainingError

FP32, BF16, FP16, AUTO = "fp32", "bf16", "fp16", "auto"
_TYPES = {BF16: torch.bfloat16, FP16: torch.float16}


def choose_precision(name: str, device: torch.device) -> str:
    """``auto`` as the device would have it: bf16 on CUDA where the chip has it, else fp32. Raises
    :class:`TrainingError` for what the device cannot do."""
    if name == AUTO:
        able = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return BF16 if able else FP32
    if device.type == "mps" and name == BF16:
        raise TrainingError("precision 'bf16' on mps: expected 'fp32' or 'fp16'")
    return name


def has_bf16_instructions() -> bool:
    """Whether this processor computes in bf16 itself (AVX-512 BF16 or AMX)."""
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


@dataclass
class Precision:
    """``fp16`` scales the loss, so that small gradients do not vanish, and leaves a step out, with
    a lower scale after it, when one overflows (Micikevicius et al., "Mixed Precision Training",
    ICLR 2018). Weights and optimizer stay float32."""

    name: str
    device: torch.device
    scaler: Any = field(init=False)

    def __post_init__(self) -> None:
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.name == FP16)
        self._one = torch.ones((), device=self.device) if self.scales else torch.empty(0)

    def autocast(self) -> AbstractContextManager[Any]:
        if self.name == FP32:
            return nullcontext()
        return torch.autocast(self.device.type, _TYPES[self.name])

    @property
    def scales(self) -> bool:
        return self.name == FP16

    def scaled(self, loss: Tensor) -> Tensor:
        scaled: Tensor = self.scaler.scale(loss) if self.scales else loss
        return scaled

    def unscale(self, optimizer: Optimizer) -> None:
        if self.scales:
            self.scaler.unscale_(optimizer)

    def step(self, optimizer: Optimizer) -> Tensor | None:
        """Whether the scaler left the step out: bool (), on the device; None without a scaler. The
        scale tells: it is lowered then, and only then. One that has come to 0 stays there."""
        if not self.scales:
            optimizer.step()
            return None
        before = self.scaled(self._one)
        self.scaler.step(optimizer)
        self.scaler.update()
        after = self.scaled(self._one)
        return (after < before) | (after == 0)

    def state_dict(self) -> dict[str, Any]:
        return dict(self.scaler.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.scaler.load_state_dict(state)
