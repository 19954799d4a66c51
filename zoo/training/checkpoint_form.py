"""What a checkpoint must hold before anything of it is believed: a stranger may have made it.

This is what can be said without the run's parts; whether it fits these, ``checkpoint_fit`` says.
Both raise ``ValueError``, which becomes one line that names the file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zoo.errors import clipped

LARGEST = 2**31  # no count is as large: a checkpoint's name has nine digits for the step


@dataclass(frozen=True)
class _Kind:
    expected: str
    holds: Callable[[Any], bool]


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_plain(value: object) -> bool:
    """Whether it is text, numbers, None, and lists and tables of these."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def _count(least: int) -> _Kind:
    return _Kind(
        f"an integer of {least} or more", lambda one: type(one) is int and least <= one < LARGEST
    )


def _real(*, least: float = -math.inf, optional: bool = False) -> _Kind:
    def holds(one: Any) -> bool:
        return (one is None and optional) or (
            is_number(one) and abs(one) < math.inf and one >= least
        )

    return _Kind("a finite number" if least else "a finite number of 0 or more", holds)


_TABLE = _Kind("a table", lambda one: isinstance(one, dict))
_PLAIN = _Kind("a table of text and numbers", lambda one: isinstance(one, dict) and is_plain(one))
_FIELDS: dict[str, dict[str, _Kind]] = {
    "about": {"recipe": _PLAIN, "data": _PLAIN},
    "position": {
        "epoch": _count(1),
        "done": _count(0),
        "step": _count(0),
        "rate": _real(least=0.0),
        "seconds": _real(least=0.0),
    },
    "stopping": {
        "best": _real(optional=True),
        "best_epoch": _count(0),
        "waited": _count(0),
    },
}
_PARTS = ("network", "optimizer", "precision", "schedule", "tally")
_OPTIONAL = "average"


def require_form(states: Mapping[str, Any]) -> None:
    """Raises ``ValueError``."""
    known = {*_FIELDS, *_PARTS} | (states.keys() & {_OPTIONAL})
    require_keys(states, known, "the checkpoint")
    for name in [*_PARTS, *(known & {_OPTIONAL})]:
        _require(states[name], _TABLE, name)
    for name, kinds in _FIELDS.items():
        _require(states[name], _TABLE, name)
        require_keys(states[name], kinds, name)
        for key, kind in kinds.items():
            _require(states[name][key], kind, f"{name}.{key}")
    _require_recipe(states["about"]["recipe"])
    at, stopping = states["position"], states["stopping"]
    if at["done"] > at["step"] or max(stopping["best_epoch"], stopping["waited"]) >= at["epoch"]:
        raise ValueError("its epochs and steps contradict each other")


def _require_recipe(recipe: dict[str, Any]) -> None:
    for name, section in recipe.items():
        if not isinstance(section, dict | list):
            raise ValueError(f"about.recipe.{clipped(name)} is no table")
    training = recipe.get("training")
    _require(training, _TABLE, "about.recipe.training")
    assert training is not None
    _require(training.get("epochs"), _count(1), "about.recipe.training.epochs")


def require_keys(given: Mapping[Any, Any], known: Iterable[Any], where: str) -> None:
    known = dict.fromkeys(known)
    lacking = [key for key in known if key not in given]
    if lacking:
        raise ValueError(f"{where} lacks {clipped(repr(lacking[0]))}")
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ValueError(f"{where} holds {clipped(repr(unknown[0]))}, which is unknown")


def _require(value: Any, kind: _Kind, where: str) -> None:
    if not kind.holds(value):
        shown = repr(value) if value is None or is_number(value) else type(value).__name__
        raise ValueError(f"{where} is {clipped(shown)}; expected {kind.expected}")
