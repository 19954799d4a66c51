"""What the contract asks of optimizers, schedulers and trackers."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from zoo.plugins.catalog import Component
from zoo.plugins.contexts import OptimizerContext, SchedulerContext, TrackerContext

_STEPS = 25
_RATE = 0.1


def optimizer(component: Component) -> Iterator[str]:
    parameters = _parameters()
    made = _built(component, parameters)
    if not isinstance(made, Optimizer):
        yield f"it builds {type(made).__name__}; expected a torch.optim.Optimizer"
        return
    if [group.get("weight_decay") for group in made.param_groups][1:] != [0.0]:
        yield "it drops what a parameter group sets for itself, here weight_decay = 0.0"
    before = _distance(parameters)
    _descend(made, parameters, _STEPS)
    after = _distance(parameters)
    if not after < before:
        yield f"{_STEPS} steps bring a quadratic from {before:.4g} to {after:.4g}; expected lower"
    for state in made.state.values():
        for name, value in state.items():
            if not isinstance(value, Tensor | int | float | None):
                yield f"{name!r} of its state is {type(value).__name__}; expected tensors, numbers"
                return
    yield from _resume_problems(component, made, parameters)


def _resume_problems(
    component: Component, made: Optimizer, parameters: list[nn.Parameter]
) -> Iterator[str]:
    """A checkpoint keeps values, not strides: a resumed run must go on from contiguous state."""
    twins = [nn.Parameter(one.detach().clone()) for one in parameters]
    stored = made.state_dict()
    stored["state"] = {key: _contiguous(state) for key, state in stored["state"].items()}
    resumed = _built(component, twins)
    resumed.load_state_dict(stored)
    _descend(made, parameters, 3)
    _descend(resumed, twins, 3)
    if not all(map(torch.allclose, twins, parameters)):
        yield (
            "resumed from its saved state it goes another way; give loaded state the memory "
            "format of its parameter, and keep nothing outside of state_dict"
        )


def _contiguous(state: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.clone(memory_format=torch.contiguous_format)
        if isinstance(value, Tensor)
        else value
        for name, value in state.items()
    }


def _parameters() -> list[nn.Parameter]:
    """A channels_last kernel and a bias, away from zero."""
    generator = torch.Generator().manual_seed(0)
    kernel = torch.randn(4, 3, 3, 3, generator=generator) + 3.0
    bias = torch.randn(4, generator=generator) + 3.0
    return [nn.Parameter(kernel.contiguous(memory_format=torch.channels_last)), nn.Parameter(bias)]


def _built(component: Component, parameters: list[nn.Parameter]) -> Any:
    first, second = parameters
    groups: list[dict[str, Any]] = [{"params": [first]}, {"params": [second], "weight_decay": 0.0}]
    return component.build(OptimizerContext(groups))


def _distance(parameters: list[nn.Parameter]) -> float:
    return sum(one.detach().square().sum().item() for one in parameters)


def _descend(made: Optimizer, parameters: list[nn.Parameter], steps: int) -> None:
    for _ in range(steps):
        made.zero_grad()
        for one in parameters:
            one.square().sum().backward()  # type: ignore[no-untyped-call]
        made.step()


def scheduler(component: Component) -> Iterator[str]:
    for epochs, steps in ((3, 4), (1, 1)):
        for mode in ("min", "max"):
            yield from _schedule_problems(component, epochs, steps, mode)


def _schedule_problems(component: Component, epochs: int, steps: int, mode: str) -> Iterator[str]:
    where = f"over {epochs} epochs of {steps} steps, mode {mode!r}"
    descent = SGD([nn.Parameter(torch.zeros(1))], lr=_RATE)
    made = component.build(SchedulerContext(descent, epochs, steps, mode))
    if not isinstance(made, tuple) or len(made) != 2 or made[1] not in ("step", "epoch"):
        yield f"it gives {made!r}; expected (a scheduler or None, 'step' or 'epoch')"
        return
    schedule, unit = made
    rates = []
    for _ in range(epochs):
        for _ in range(steps):
            descent.step()
            if unit == "step":
                _advance(schedule)
            rates.append(descent.param_groups[0]["lr"])
        if unit == "epoch":
            _advance(schedule)
            rates.append(descent.param_groups[0]["lr"])
    if not all(math.isfinite(rate) and rate >= 0 for rate in rates):
        yield f"{where}, its learning rates are {rates}; expected finite ones, 0 or above"
    try:
        json.dumps(schedule.state_dict() if schedule is not None else {})
    except (TypeError, ValueError) as error:
        yield f"its state_dict cannot be kept in a checkpoint, which is JSON: {error}"


def _advance(schedule: Any) -> None:
    if isinstance(schedule, ReduceLROnPlateau):
        schedule.step(0.5)
    elif schedule is not None:
        schedule.step()


def tracker(component: Component) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        made = component.build(TrackerContext(Path(folder), {}))
        if not callable(made):
            yield f"it builds {type(made).__name__}; expected a callable (event) -> None"
