"""Nested states with tensors in them, as plain tensors and JSON: what a checkpoint may hold.

Tensors, numbers, text, None, and lists, tuples and dicts of these: no other object, so that nothing
has to be unpickled. Floats come back to the last bit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.errors import TrainingError
from zoo.storage import strict_json

TEXT = "state.json"  # the tensor of bytes that holds the JSON
_TEXT_BYTES, _KEYS = 256 << 20, 10**7
_TAG = "$"
_INF = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def pack(states: Mapping[str, Any]) -> dict[str, Tensor]:
    """Raises :class:`TrainingError` for a state that holds something else."""
    tensors: dict[str, Tensor] = {}
    plain = {name: _pack(state, name, tensors) for name, state in states.items()}
    text = json.dumps(plain, allow_nan=False).encode()
    return {**tensors, TEXT: torch.frombuffer(bytearray(text), dtype=torch.uint8)}


def unpack(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """What :func:`pack` was given. Raises ``ValueError``, ``TypeError``, ``KeyError`` or
    :class:`StorageError` for anything else."""
    text = tensors[TEXT]
    if text.dtype != torch.uint8 or text.ndim != 1:
        raise ValueError(f"{TEXT} is not bytes")
    states = _unpack(strict_json.loads(text.numpy().tobytes(), TEXT, _TEXT_BYTES, _KEYS), tensors)
    if not isinstance(states, dict):
        raise ValueError(f"{TEXT} holds no object")
    return states


def _pack(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        if path in tensors:
            raise TrainingError(f"the state holds two tensors that are both called {path!r}")
        tensors[path] = value
        return {_TAG: "tensor", "name": path}
    if isinstance(value, Mapping):
        items = [
            (key, _pack(one, f"{path}/{number if not isinstance(key, str) else key}", tensors))
            for number, (key, one) in enumerate(value.items())
        ]
        if all(isinstance(key, str) for key in value) and _TAG not in value:
            return dict(items)
        if all(isinstance(key, str | int) for key in value):
            return {_TAG: "items", "items": [list(item) for item in items]}
    elif isinstance(value, list | tuple):
        packed = [_pack(one, f"{path}/{i}", tensors) for i, one in enumerate(value)]
        return packed if isinstance(value, list) else {_TAG: "tuple", "items": packed}
    elif isinstance(value, np.generic):
        return _pack(value.item(), path, tensors)
    elif isinstance(value, float) and not math.isfinite(value):
        return {_TAG: "float", "value": str(float(value))}
    elif value is None or isinstance(value, bool | int | float | str):
        return value
    raise TrainingError(
        f"the state of {path!r} holds {type(value).__name__}, which no checkpoint can keep; "
        f"expected tensors, numbers, text, and lists or dicts of these"
    )


def _unpack(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_unpack(one, tensors) for one in value]
    if not isinstance(value, dict):
        return value
    match value.get(_TAG):
        case None:
            return {key: _unpack(one, tensors) for key, one in value.items()}
        case "tensor":
            return tensors[value["name"]]
        case "items":
            return {key: _unpack(one, tensors) for key, one in value["items"]}
        case "tuple":
            return tuple(_unpack(one, tensors) for one in value["items"])
        case "float":
            return _INF[value["value"]]
        case other:
            raise ValueError(f"unknown tag {other!r}")
