"""Whether an optimizer's state, as a file holds it, is one that the built optimizer could have.

torch believes such a state: a fused kernel takes what stands beside a parameter to be as long as
the parameter, and would read and write beyond the end of anything shorter.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from zoo.errors import clipped
from zoo.training.checkpoint_form import LARGEST, is_number, require_keys

_KERNELS = ("fused", "foreach", "capturable")
_BELOW_ONE = ("betas", "momentum")
_Held = Mapping[str, Any]


def fitted(optimizer: Optimizer, kept: Mapping[str, Any]) -> dict[str, Any]:
    """``kept``, with all options of its groups but numbers as they were built: the recipe says
    them, and which kernel runs, the machine. Raises ``ValueError``."""
    built = optimizer.state_dict()
    require_keys(kept, built, "optimizer")
    groups, own = kept["param_groups"], built["param_groups"]
    if not isinstance(groups, list) or len(groups) != len(own):
        raise ValueError(f"optimizer.param_groups is no list of {len(own)} groups")
    made = [
        _group(one, other, f"optimizer.param_groups.{place}")
        for place, (one, other) in enumerate(zip(own, groups, strict=True))
    ]
    numbers = [number for group in own for number in group["params"]]
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    state = kept["state"]
    if not isinstance(state, dict) or not state.keys() <= set(numbers):
        raise ValueError("optimizer.state belongs to other parameters")
    fresh = _after_a_step(optimizer)
    for number, weight in zip(numbers, weights, strict=True):
        if number in state:
            _require_held(state[number], fresh.get(weight), weight, f"optimizer.state.{number}")
        elif optimizer.state.get(weight):
            raise ValueError(f"optimizer.state lacks {number}")
    return {**kept, "param_groups": made}


def _group(own: Mapping[str, Any], kept: Any, where: str) -> dict[str, Any]:
    if not isinstance(kept, dict):
        raise ValueError(f"{where} is no table")
    params = kept.get("params")
    if not isinstance(params, list) or not all(type(one) is int for one in params):
        raise ValueError(f"{where}.params is no list of integers")
    if params != own["params"]:
        raise ValueError(f"{where}.params are other parameters")
    numbers = {name for name, value in own.items() if name != "params" and _numbers(value)}
    given = {name for name, value in kept.items() if name != "params" and _numbers(value)}
    require_keys(dict.fromkeys(given), numbers, where)
    for name in numbers:
        if isinstance(own[name], list | tuple) != isinstance(kept[name], list | tuple):
            raise ValueError(f"{where}.{name} is {clipped(repr(kept[name]))}")
        _require_range(_numbers(own[name]), _numbers(kept[name]), name, f"{where}.{name}")
    return {**own, **{name: _as(own[name], kept[name]) for name in numbers}}


def _as(own: Any, kept: Any) -> Any:
    values = _numbers(kept)
    if isinstance(own, Tensor):
        return torch.full_like(own, values[0])
    return type(own)(values) if isinstance(own, list | tuple) else values[0]


def _numbers(value: Any) -> list[float]:
    """Empty for anything else than a number or numbers."""
    if isinstance(value, Tensor):
        return [value.item()] if value.ndim == 0 and not value.is_complex() else []
    values = value if isinstance(value, list | tuple) else [value]
    return [*values] if all(map(is_number, values)) else []


def _require_range(own: list[float], kept: list[float], name: str, where: str) -> None:
    if len(own) != len(kept):
        raise ValueError(f"{where} holds {len(kept)} numbers; expected {len(own)}")
    for one, other in zip(own, kept, strict=True):
        good = math.isfinite(other) and not one >= 0 > other
        good = good and not (isinstance(other, int) and abs(other) >= LARGEST)
        if not good or (name in _BELOW_ONE and one < 1 <= other):
            raise ValueError(f"{where} is {clipped(repr(other))}, which is out of range")


def _require_held(held: Any, fresh: _Held | None, weight: Tensor, where: str) -> None:
    if not isinstance(held, dict):
        raise ValueError(f"{where} is no table")
    for name in fresh or {}:
        if name not in held:
            raise ValueError(f"{where} lacks {name!r}")
    for name, value in held.items():
        place = f"{where}.{clipped(str(name))}"
        expected = (fresh or {}).get(name)
        if isinstance(value, Tensor):
            if is_number(expected):
                raise ValueError(f"{place} is a tensor; expected a number")
            _require_tensor(value, expected, weight, place)
        elif isinstance(expected, Tensor) or not (value is None or is_number(value)):
            raise ValueError(f"{place} is {type(value).__name__}; expected a tensor")
        single = value.item() if isinstance(value, Tensor) and value.ndim == 0 else value
        if is_number(single) and (not math.isfinite(single) or (name == "step" and single < 0)):
            raise ValueError(f"{place} is {single!r}, which is out of range")


def _require_tensor(value: Tensor, expected: Any, weight: Tensor, where: str) -> None:
    """``expected``: None where it is not known, as of what an optimizer adds in a later step."""
    like = expected if isinstance(expected, Tensor) else None
    shapes = [weight.shape, torch.Size()] if like is None else [like.shape]
    real = weight.is_floating_point() if like is None else like.is_floating_point()
    if value.shape not in shapes or (value.is_floating_point() != real and value.ndim):
        raise ValueError(
            f"{where} is {str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}; expected "
            f"it to be of shape {tuple(shapes[0])}"
        )
    if value.is_complex() or (like is not None and value.is_floating_point() != real):
        raise ValueError(f"{where} is {str(value.dtype).removeprefix('torch.')}")


def _after_a_step(optimizer: Optimizer) -> dict[Tensor, _Held]:
    """What a first step puts beside each parameter. On tensors without memory; where its kernels
    want real ones, on copies. Empty where the optimizer cannot be tried like that: what it keeps is
    then expected to have its parameter's shape, or to be one number."""
    for device in (torch.device("meta"), None):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return dict(_tried(optimizer, device))
        except Exception:  # a plugin's code, where it was not meant to run
            continue
    return {}


def _tried(optimizer: Optimizer, device: torch.device | None) -> Iterator[tuple[Tensor, _Held]]:
    def twin(tensor: Tensor) -> Tensor:
        return torch.zeros_like(tensor.detach(), device=device)

    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    twins = [nn.Parameter(twin(weight), weight.is_floating_point()) for weight in weights]
    known: dict[int, Any] = {id(one): other for one, other in zip(weights, twins, strict=True)}
    for held in optimizer.state.values():
        large = (one for one in held.values() if isinstance(one, Tensor) and one.ndim)
        known.update({id(one): twin(one) for one in large})
    probe = object.__new__(type(optimizer))
    # A scheduler puts a step of its own on an optimizer, which would call the real one.
    own = {name: value for name, value in vars(optimizer).items() if name != "step"}
    vars(probe).update(copy.deepcopy(own, known))
    for group in probe.param_groups:
        group.update({name: False for name in _KERNELS if device is not None and name in group})
    for one in twins:
        one.grad = torch.zeros_like(one) if one.requires_grad else None
    type(optimizer).step(probe)
    for weight, one in zip(weights, twins, strict=True):
        yield weight, dict(probe.state[one]) if one in probe.state else {}
