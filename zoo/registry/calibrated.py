"""A network whose probabilities are what they say: its logits, divided by a temperature.

Shapes: B images, O outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from zoo.registry.fields import Calibration


class Calibrated(nn.Module):
    """``network``, as the temperature has it answer: (B, O) -> float32 (B, O)."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images).float() / self.temperature
        return logits


def calibrated(
    network: nn.Module, calibration: Calibration | Mapping[str, Any] | None
) -> nn.Module:
    """``network`` as a record's ``calibration`` has it answer; itself without one."""
    if calibration is None:
        return network
    return Calibrated(network, float(calibration["temperature"])).train(network.training)
