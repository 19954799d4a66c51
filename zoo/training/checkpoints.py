"""The best and the last weights of a run, as safetensors and JSON, each committed durably."""

from __future__ import annotations

import json
from collections.abc import Sequence
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

    def save(self, names: Sequence[str], network: nn.Module, state: dict[str, Any]) -> None:
        """The same weights under each name: weights first, then the state that names their epoch.
        Weights that are not finite are never kept: raises :class:`TrainingError` and leaves the
        previous ones."""
        weights = network.state_dict()
        checked = {name: one for name, one in weights.items() if one.is_floating_point()}
        # One flag is read, not one a tensor: each reading waits for the device.
        flags = [torch.isfinite(one).all() for one in checked.values()]
        if flags and not bool(torch.stack(flags).all()):
            broken = [name for name, flag in zip(checked, flags, strict=True) if not bool(flag)]
            raise TrainingError(
                f"weights {broken[0]!r} and {len(broken) - 1} more are not finite in epoch "
                f"{state['epoch']}; the checkpoints of the epochs before are kept; lower the "
                f"learning rate"
            )
        data = tensors.to_bytes(weights, "the network's weights")
        text = json.dumps(state, sort_keys=True, indent=1, allow_nan=False) + "\n"
        for name in names:
            place = self.folder / name
            commit.make_folder(place)
            commit.write(place / WEIGHTS, data)
            commit.write(place / STATE, text.encode())

    def weights(self, which: str) -> Path:
        return self.folder / which / WEIGHTS
