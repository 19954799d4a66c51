"""What a run keeps: the best weights, the last, and checkpoints from which it goes on.

A file each, safetensors, committed durably: it is there whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.errors import DivergedError, TrainingError, ZooError, reason
from zoo.storage import commit, tensors
from zoo.training import checkpoint_form
from zoo.training.kept import BEST, LAST, weights_path
from zoo.training.state import pack, unpack

FOLDER = "checkpoints"
_NAME = re.compile(r"step-(\d{9})\.safetensors")
ABOUT = "about"


@dataclass
class Checkpoints:
    """``folder``: the run's; None: nothing is kept, as on every process but the first of several.
    ``every``: updates from one checkpoint to the next within an epoch, 0 for none there; ``keep``:
    how many stay; ``about``: what a resumed run must agree with."""

    folder: Path | None
    every: int = 0
    keep: int = 1
    last_weights: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)

    def due(self, step: int) -> bool:
        return self.every > 0 and step % self.every == 0

    def save(self, step: int, states: Mapping[str, Any], *, epoch_ended: bool = False) -> None:
        """Older checkpoints are removed once this one is durable. Weights that are not finite are
        never kept: raises :class:`DivergedError` and leaves what there was."""
        weights = states["network"]
        require_finite(weights, step)
        if self.folder is None:
            return
        if epoch_ended and self.last_weights:
            tensors.save(weights_path(self.folder, LAST), weights)
        folder = self.folder / FOLDER
        commit.make_folder(folder)
        packed = pack({ABOUT: dict(self.about), **states})
        path = folder / f"step-{step:09}.safetensors"
        commit.write(path, tensors.to_bytes(packed, f"checkpoint {path.name!r}"))
        for old in [one for one in found(self.folder) if one != path][: 1 - self.keep or None]:
            old.unlink(missing_ok=True)

    def save_best(self, weights: Mapping[str, Tensor], step: int) -> None:
        require_finite(weights, step)
        if self.folder is not None:
            tensors.save(weights_path(self.folder, BEST), weights)


def found(run: Path) -> list[Path]:
    """A run's checkpoints, the oldest first."""
    folder = run / FOLDER
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def read(path: Path) -> dict[str, Any]:
    """The states in a checkpoint, and under ``about`` what was kept with them. Raises
    :class:`TrainingError` when the file is damaged."""
    try:
        states = unpack(tensors.load(path))
        if not isinstance(states[ABOUT], dict):
            raise ValueError(f"{ABOUT!r} is no table")
    except (ZooError, ValueError, KeyError, TypeError) as error:
        what = str(error) if isinstance(error, ZooError) else reason(error)
        raise unusable(path, what) from error
    return states


def checked(path: Path) -> dict[str, Any]:
    """What :func:`read` gives, of the form that a run's checkpoint has: whether it fits a run is
    for :func:`zoo.training.checkpoint_fit.fitted` to say."""
    states = read(path)
    try:
        checkpoint_form.require_form(states)
        named, step = _NAME.fullmatch(path.name), states["position"]["step"]
        if named and int(named[1]) != step:
            raise ValueError(f"it is of step {step}")
    except ValueError as error:
        raise unusable(path, str(error)) from error
    return states


def unusable(path: Path, what: str) -> TrainingError:
    before = [one.name for one in found(path.parent.parent) if one.name < path.name]
    then = "it is the run's only one: train anew from its recipe.toml"
    if before:
        then = f"remove it to go on from {before[-1]!r}, or train anew"
    return TrainingError(f"checkpoint {str(path)!r} cannot be used: {what}; {then}")


def require_finite(weights: Mapping[str, Tensor], step: int) -> None:
    """Raises :class:`DivergedError` when some weight is not."""
    real = {
        name: torch.view_as_real(one) if one.is_complex() else one
        for name, one in weights.items()
        if one.is_floating_point() or one.is_complex()
    }
    # One flag is read, not one a tensor: each reading waits for the device.
    flags = [torch.isfinite(one).all() for one in real.values()]
    if not flags or bool(torch.stack(flags).all()):
        return
    broken = [name for name, flag in zip(real, flags, strict=True) if not bool(flag)]
    raise DivergedError(
        f"weights {broken[0]!r} and {len(broken) - 1} more are not finite after step {step}; the "
        f"last checkpoint is kept; lower optimizer.lr"
    )
