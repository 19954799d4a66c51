"""The best and the last weights of a run, as safetensors and JSON, each committed durably."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from zoo.errors import TrainingError
from zoo.storage import commit, tensors

BEST, LAST = "best", "last"
WEIGHTS = "model.safetensors"
STATE = "state.json"


@dataclass(frozen=True)
class Checkpoints:
    """``folder/best`` and ``folder/last``, each with the weights and what they were worth."""

    folder: Path

    def save(self, which: str, network: nn.Module, state: dict[str, Any]) -> None:
        """Weights first, then the state that names their epoch. Weights that are not finite are
        never kept: raises :class:`TrainingError` and leaves the previous ones."""
        weights = network.state_dict()
        broken = [
            name
            for name, value in weights.items()
            if value.is_floating_point() and not bool(torch.isfinite(value).all())
        ]
        if broken:
            raise TrainingError(
                f"weights {broken[0]!r} and {len(broken) - 1} more are not finite in epoch "
                f"{state['epoch']}; the checkpoints of the epochs before are kept; lower the "
                f"learning rate"
            )
        place = self.folder / which
        commit.make_folder(place)
        tensors.save(place / WEIGHTS, weights)
        text = json.dumps(state, sort_keys=True, indent=1, allow_nan=False) + "\n"
        commit.write(place / STATE, text.encode())

    def weights(self, which: str) -> Path:
        return self.folder / which / WEIGHTS
