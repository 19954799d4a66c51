"""What the contract asks of optimizers, schedulers and trackers."""

from __future__ import annotations

import copy
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from zoo.errors import PluginError, reason
from zoo.plugins.catalog import Component
from zoo.plugins.contexts import OptimizerContext, SchedulerContext, TrackerContext

_STEPS = 25
_RATES = (0.1, 0.003)  # of two parameter groups
_MONITORED = (0.5, 0.3, 0.4, 0.7, 0.6)  # one an epoch, over and over: soon there is no better one

_Budget = tuple[int, int, str]  # epochs, steps per epoch, mode
_Groups = list[dict[str, Any]]


def optimizer(component: Component) -> Iterator[str]:
    parameters = _parameters()
    made = _built(component, parameters)
    if not isinstance(made, Optimizer):
        yield f"it builds {type(made).__name__}; expected a torch.optim.Optimizer"
        return
    if [group.get("weight_decay") for group in made.param_groups][1:] != [0.0]:
        yield "it drops what a parameter group sets for itself, here weight_decay = 0.0"
    before, switches = _distance(parameters), _switches(made)
    _descend(made, parameters, _STEPS)
    after = _distance(parameters)
    if not after < before:
        yield f"{_STEPS} steps bring a quadratic from {before:.4g} to {after:.4g}; expected lower"
    for state in made.state.values():
        for name, value in state.items():
            if not isinstance(value, Tensor | int | float | None):
                yield f"{name!r} of its state is {type(value).__name__}; expected tensors, numbers"
                return
    for name, value in switches.items():
        if (now := _switches(made).get(name, ())) != value:
            yield (
                f"its option {name!r} changes from {value!r} to {now!r}; expected only numbers to "
                f"change"
            )
    yield from _resume_problems(component, made, parameters)


def _switches(made: Optimizer) -> dict[str, Any]:
    """Options that are no numbers: a resumed run has them as they were built."""
    options = made.param_groups[0].items()
    return {name: value for name, value in options if isinstance(value, bool | str | None)}


def _resume_problems(
    component: Component, made: Optimizer, parameters: list[nn.Parameter]
) -> Iterator[str]:
    """The memory format of a parameter, which a checkpoint does not keep, is zoo's to restore."""
    twins = [nn.Parameter(one.detach().clone()) for one in parameters]
    stored = copy.deepcopy(made.state_dict())
    resumed = _built(component, twins)
    resumed.load_state_dict(stored)
    _descend(made, parameters, 3)
    _descend(resumed, twins, 3)
    if not all(map(torch.allclose, twins, parameters)):
        yield (
            "resumed from its saved state it goes another way; keep nothing outside of state_dict"
        )


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
    for epochs, steps in ((3, 4), (1, 1), (16, 2)):
        for mode in ("min", "max"):
            where = f"over {epochs} epochs of {steps} steps, mode {mode!r}"
            for problem in _schedule_problems(component, (epochs, steps, mode)):
                yield f"{where}, {problem}"
                return


def _schedule_problems(component: Component, budget: _Budget) -> Iterator[str]:
    epochs, steps, mode = budget
    drive = _Drive(component, budget)
    ways, states = [], []
    for settings in drive.go(epochs * steps):
        ways.append(settings)
        states.append(drive.state())
    rates = [group["lr"] for groups in ways for group in groups]
    if not all(math.isfinite(rate) and rate >= 0 for rate in rates):
        yield f"its learning rates are {rates}; expected finite ones, 0 or above"
    for done, state in enumerate(states):
        resumed = _Drive(component, budget, done, state)
        yield from _difference(ways[done:], [*resumed.go(epochs * steps)], done)
    if getattr(component.spec, "bound_to_budget", False):
        return
    more = (2 * epochs, steps, mode)
    longer = [*_Drive(component, more).go(2 * epochs * steps)]
    extended = [*_Drive(component, more, epochs * steps, states[-1]).go(2 * epochs * steps)]
    if longer[: len(ways)] != ways or extended != longer[len(ways) - 1 :]:
        yield (
            f"its rates are not those of a budget of {2 * epochs} epochs; let them not depend on "
            f"it, or declare bound_to_budget=True"
        )


def _difference(straight: list[_Groups], resumed: list[_Groups], done: int) -> Iterator[str]:
    pairs = zip(straight, resumed, strict=True)
    wrong = next((step for step, (one, other) in enumerate(pairs) if one != other), None)
    if wrong is not None:
        yield (
            f"resumed after step {done} it goes another way, after step {done + wrong} with "
            f"{resumed[wrong][0]} instead of {straight[wrong][0]}; keep all that it counts in "
            f"state_dict"
        )


class _Drive:
    """A schedule with an optimizer of its own, steered as a training run does it: from the start,
    or resumed from the state that was kept after step ``done``."""

    def __init__(
        self, component: Component, budget: _Budget, done: int = 0, state: Any = None
    ) -> None:
        self.done = done
        self._steps = budget[1]
        groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": rate} for rate in _RATES]
        self._optimizer = AdamW(groups)
        made = component.build(SchedulerContext(self._optimizer, *budget))
        if not isinstance(made, tuple) or len(made) != 2 or made[1] not in ("step", "epoch"):
            raise PluginError(
                f"it gives {made!r}; expected (a scheduler or None, 'step' or 'epoch')"
            )
        self._schedule, self._unit = made
        if state is not None:
            self._optimizer.load_state_dict({"state": {}, "param_groups": _as_kept(state[0])})
            if self._schedule is not None:
                self._schedule.load_state_dict(_as_kept(state[1]))

    def go(self, end: int) -> Iterator[_Groups]:
        """The groups' settings: as they are now, then after each step."""
        yield self._settings()
        self._optimizer.step()  # torch wants to see one before the schedule's first
        while self.done < end:
            self.done += 1
            epoch, within = divmod(self.done, self._steps)
            if self._unit == "step" or not within:
                _advance(self._schedule, _MONITORED[epoch % len(_MONITORED)])
            yield self._settings()

    def _settings(self) -> _Groups:
        """What a schedule may change."""
        return [
            {"lr": float(group["lr"]), "betas": [*group["betas"]], "decay": group["weight_decay"]}
            for group in self._optimizer.param_groups
        ]

    def state(self) -> Any:
        kept = {} if self._schedule is None else self._schedule.state_dict()
        return _as_kept([self._optimizer.state_dict()["param_groups"], kept])


def _as_kept(value: Any) -> Any:
    """A copy of ``value`` as a checkpoint keeps it: numbers, text, lists, dicts."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list | tuple):
        return [_as_kept(one) for one in value]
    if isinstance(value, dict) and all(type(key) in (str, int) for key in value):
        return {key: _as_kept(one) for key, one in value.items()}
    raise PluginError(
        f"its state_dict cannot be kept in a checkpoint: {value!r} is {type(value).__name__}; "
        f"expected numbers, text, lists, dicts"
    )


def _advance(schedule: Any, monitored: float) -> None:
    if isinstance(schedule, ReduceLROnPlateau):
        schedule.step(monitored)
    elif schedule is not None:
        schedule.step()


def tracker(component: Component) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        run.mkdir()
        made = component.build(TrackerContext(run, {}))
        if not callable(made):
            yield f"it builds {type(made).__name__}; expected a callable (event) -> None"
            return
        try:
            made(_Unheard())
        except Exception as error:
            yield f"an event that it does not know makes it fail: {reason(error)}"
        close = getattr(made, "close", None)
        if close is not None:
            close()


class _Unheard:
    """An event that a later zoo may have."""

    def as_json(self) -> dict[str, Any]:
        return {"event": "unheard_of"}
