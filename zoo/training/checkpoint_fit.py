"""Whether the states in a checkpoint are ones that the run's own parts could have.

Names, shapes, types and finite numbers are compared with what the built parts say of themselves,
all of it before any part is given its state: a part left half loaded would be neither.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from zoo.errors import clipped
from zoo.training import loop, optimizer_fit
from zoo.training.checkpoint_form import LARGEST, is_number, is_plain, require_keys
from zoo.training.tally import Tally

_LARGEST_SUM = 2**53  # up to which a float counts


def fitted(run: loop.Trainee, states: Mapping[str, Any]) -> dict[str, Any]:
    """``states``, to be loaded into ``run.parts()``; they have the form that ``checkpoint_form``
    asks for. Raises ``ValueError``."""
    parts = run.parts()
    require_keys(states, parts, "the checkpoint")
    for name in ("network", "precision", "average", "schedule"):
        if name in parts:
            require_alike(parts[name].state_dict(), states[name], name)
    scale = states["precision"].get("scale", 1.0)
    if not scale > 0:
        raise ValueError(f"precision.scale is {scale!r}; expected more than 0")
    _require_tally(run, states["tally"])
    done, (_, steps) = states["position"]["done"], run.loader.size_of(states["position"]["epoch"])
    # Where fewer processes began it, the last batch may have been two.
    if done > steps + 1:
        raise ValueError(f"position.done is {done}, of {steps} steps an epoch")
    return {**states, "optimizer": optimizer_fit.fitted(run.update.optimizer, states["optimizer"])}


def _require_tally(run: loop.Trainee, kept: dict[str, Any]) -> None:
    # One of its own: the run's would ask the other processes for their sums.
    own = Tally(run.task, torch.device("cpu")).state_dict()
    require_keys(kept, own, "tally")
    for name in own.keys() - {"seen"}:
        require_alike(own[name], kept[name], f"tally.{name}")
    if kept["cells"].min() < 0 or kept["cells"].max() > _LARGEST_SUM:
        raise ValueError("tally.cells holds counts out of range")
    rows = kept["seen"]
    if not isinstance(rows, list) or not rows:
        raise ValueError("tally.seen is no list of rows")
    for row in rows:
        require_alike(own["seen"][0], row, "tally.seen")
        if not (0 <= row[0] < _LARGEST_SUM and 0 <= row[1] < _LARGEST_SUM):
            raise ValueError("tally.seen holds counts out of range")


def require_alike(own: Any, kept: Any, where: str) -> None:
    """Raise ``ValueError`` unless ``kept`` can stand for ``own``, which a built part says: tensors
    of the same shape and type; tables of the same keys; lists as long; a number for a number."""
    if isinstance(own, Tensor):
        if not isinstance(kept, Tensor) or (own.shape, own.dtype) != (kept.shape, kept.dtype):
            raise ValueError(f"{where} is {_told(kept)}; expected {_told(own)}")
    elif isinstance(own, Mapping):
        if not isinstance(kept, Mapping):
            raise ValueError(f"{where} is {_told(kept)}; expected a table")
        require_keys(kept, own, where)
        for key, value in own.items():
            require_alike(value, kept[key], f"{where}.{key}")
    elif isinstance(own, list | tuple) and own:
        if not isinstance(kept, list | tuple) or len(kept) != len(own):
            raise ValueError(f"{where} is {_told(kept)}; expected {len(own)} values")
        for place, (value, other) in enumerate(zip(own, kept, strict=True)):
            require_alike(value, other, f"{where}.{place}")
    elif is_number(own):
        _require_number(own, kept, where)
    elif not (is_plain(kept) if own is None or own in ([], ()) else type(kept) is type(own)):
        raise ValueError(f"{where} is {_told(kept)}; expected {_told(own)}")


def _require_number(own: float, kept: Any, where: str) -> None:
    """What begins at infinity, as the best loss so far, may still stand there."""
    good = is_number(kept) and not math.isnan(kept)
    if good and isinstance(kept, int):
        below = isinstance(own, int) and own >= 0 > kept
        good = (abs(kept) < LARGEST and not below) or kept == own
    elif good:
        good = math.isfinite(kept) or math.isinf(own)
    if not good:
        raise ValueError(f"{where} is {_told(kept)}; expected a number such as {own!r}")


def _told(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"a list of {len(value)}"
    return clipped(repr(value))
