"""An interval for every figure: which method a figure has, and how the result is written.

Shares of independent samples (accuracy, recall, specificity, precision) have Wilson's interval, the
AUROC of one class DeLong's, everything else the bootstrap's (BCa; the calibration error's turned
around). With groups all have the bootstrap's, whole groups drawn. Which method, was chosen by
coverage: docs/metrics.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.errors import PredictionsError, clipped
from zoo.predictions import ece_interval
from zoo.predictions.averages import sides
from zoo.predictions.delong import Area
from zoo.predictions.drawn import (
    BY_CLASS,
    OVERALL,
    PER_IMAGE,
    PER_IMAGE_BY_CLASS,
    Drawn,
    Key,
    Measured,
    nested,
)
from zoo.predictions.file import Predictions
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.proportions import wilson
from zoo.predictions.resampling import Units
from zoo.tasks import BINARY, MULTILABEL, Task

DRAWS, SEED, LEVEL = 2000, 0, 0.95
FEWEST, MOST = 100, 100_000  # draws
WILSON, DELONG, NEWCOMBE = "wilson", "delong", "newcombe"
BCA, REFLECTED = "bca", "reflected"
UNDEFINED = "undefined"
_BY_DEFAULT = 250_000_000  # samples times classes times draws: what is computed unasked
_A_SECOND = 45_000_000  # of these, on one core
_NAMED = 5  # figures of which something is told by their names


@dataclass(frozen=True)
class Plan:
    """How intervals are computed; equal plans of equal predictions are equal to the last bit."""

    draws: int = DRAWS
    seed: int = SEED
    level: float = LEVEL

    def __post_init__(self) -> None:
        if not FEWEST <= self.draws <= MOST:
            raise PredictionsError(
                f"draws {self.draws!r}: expected a whole number from {FEWEST} to {MOST:,}"
            )
        if not 0 <= self.seed < 1 << 63:
            raise PredictionsError(f"seed {self.seed!r}: expected a whole number from 0")
        if not 0.5 <= self.level <= 0.999:
            raise PredictionsError(f"level {self.level!r}: expected a number from 0.5 to 0.999")

    @classmethod
    def written(cls, intervals: Any) -> Plan | None:
        """The plan of what :func:`intervals` wrote; None where nothing was. Raises
        :class:`PredictionsError` on anything else."""
        if intervals is None:
            return None
        try:
            plain = {name: intervals[name] for name in ("draws", "seed", "level")}
        except (KeyError, TypeError):
            raise PredictionsError("intervals: expected draws, seed and level") from None
        if [type(one) for one in plain.values()] != [int, int, float]:
            raise PredictionsError(f"intervals {plain!r}: wrong types")
        return cls(**plain)


def planned(
    predictions: Predictions | MaskPredictions,
    draws: int | None = None,
    seed: int = SEED,
    level: float = LEVEL,
) -> tuple[Plan | None, str | None]:
    """The plan, and a line that says why there is none where nobody asked for that. ``draws``: 0
    for no intervals; None for 2,000, where these take seconds."""
    if draws == 0:
        return None, None
    plan = Plan(DRAWS if draws is None else draws, seed, level)
    classes = len(predictions.task.classes)
    work = len(predictions) * classes * plan.draws
    if draws is None and work > _BY_DEFAULT:
        return None, (
            f"{plan.draws:,} draws of {len(predictions):,} samples and {classes:,} classes take "
            f"about {work / _A_SECOND:,.0f} s: for intervals add --draws {plan.draws}"
        )
    return plan, None


@dataclass(frozen=True)
class Interval:
    """``method``: None, with ``why``, where there is none. ``undefined``: draws of the bootstrap in
    which the figure was, which are left out."""

    low: float = float("nan")
    high: float = float("nan")
    method: str | None = None
    why: str | None = None
    undefined: int = 0

    def as_json(self) -> dict[str, Any] | None:
        if self.method is None:
            return None
        return {"low": self.low, "high": self.high, "method": self.method}


def intervals(
    predictions: Predictions | MaskPredictions, measured: Measured, plan: Plan
) -> dict[str, Any]:
    """As JSON: ``level``, ``draws``, ``seed``, ``units`` (``samples`` or ``groups``) and their
    ``count``; then ``overall``, ``averages`` and ``per_class`` (and of masks ``per_image`` and
    ``per_image_by_class``) with ``{low, high, method}``, or None, by figure; ``notes``, a line for
    what has none and for what was undefined in some draws. ``measured``: of ``predictions``."""
    units = Units.of(len(predictions), predictions.groups)
    found = by_key(predictions, measured, Drawn.of(measured, units, plan.draws, plan.seed), plan)
    return {
        "level": plan.level,
        "draws": plan.draws,
        "seed": plan.seed,
        "units": units.name,
        "count": units.count,
        **nested({key: one.as_json() for key, one in found.items()}, len(predictions.task.classes)),
        "notes": list(_notes(predictions.task, found, plan)),
    }


def by_key(
    predictions: Predictions | MaskPredictions, measured: Measured, drawn: Drawn, plan: Plan
) -> dict[Key, Interval]:
    """Of every figure, by the method that it has; ``drawn``: of ``measured``."""
    found = {key: interval_of(drawn, place, plan) for place, key in enumerate(drawn.keys)}
    if isinstance(predictions, Predictions):
        found |= dict(_calibration_errors(predictions, drawn, plan))
        if not drawn.units.grouped:
            for key, interval in _exact(predictions, measured.figures().counts, plan.level):
                if found[key].why != UNDEFINED:
                    found[key] = interval
    return found


def interval_of(drawn: Drawn, place: int, plan: Plan) -> Interval:
    """Of the figure at ``place``, by the bootstrap."""
    if np.isnan(drawn.values[place]):
        return Interval(why=UNDEFINED)
    shape = drawn.shape(place)
    if shape.why_not is not None:
        return Interval(why=shape.why_not)
    return Interval(*shape.interval(plan.level), BCA, undefined=shape.undefined)


def _calibration_errors(
    said: Predictions, drawn: Drawn, plan: Plan
) -> Iterator[tuple[Key, Interval]]:
    assert said.targets is not None
    chance = ece_interval.chance(
        said.task, said.targets, said.probabilities, drawn.units, plan.level
    )
    for place, key in enumerate(drawn.keys):
        if key.name == "ece" and drawn.shape(place).why_not is None:
            most = chance[0] if key.label < 0 else float(chance[1][key.label])
            low, high = ece_interval.from_zero(
                float(drawn.values[place]), drawn.draws[place], most, plan.level
            )
            yield key, Interval(low, high, REFLECTED)


def _exact(said: Predictions, counts: np.ndarray, level: float) -> Iterator[tuple[Key, Interval]]:
    """Of figures that need no bootstrap, of independent samples."""
    task, targets = said.task, said.targets
    assert targets is not None
    hits, decided, support, total = sides(task, counts)
    negatives = total - support
    shares = {
        "precision": (hits, decided),
        "recall": (hits, support),
        "specificity": (negatives - (decided - hits), negatives),
    }
    of_class: dict[str, list[Interval]] = {
        name: [_wilson(one, of, level) for one, of in zip(*both, strict=True)]
        for name, both in shares.items()
    }
    truth = targets if task.kind == MULTILABEL else targets[:, None] == np.arange(len(task.classes))
    of_class["auroc"] = [
        _area(truth[:, k], said.probabilities[:, k], level) for k in range(len(task.classes))
    ]
    for name, several in of_class.items():
        yield from ((Key(BY_CLASS, name, label), one) for label, one in enumerate(several))
        if task.kind == BINARY:
            yield Key(OVERALL, name), several[task.positive_index]
    right = (said.decisions == targets).reshape(len(said), -1).all(1).sum()
    name = "exact_match" if task.kind == MULTILABEL else "accuracy"
    yield Key(OVERALL, name), _wilson(right, len(said), level)


def _wilson(hits: Any, of: Any, level: float) -> Interval:
    if of == 0:
        return Interval(why="never decided")
    low, high = wilson(hits, of, level)
    return Interval(float(low), float(high), WILSON)


def _area(truth: np.ndarray, scores: np.ndarray, level: float) -> Interval:
    area = Area.of(truth, scores)
    if area.variance > 0:
        return Interval(*area.interval(level), DELONG)
    if np.isnan(area.value):
        return Interval(why=UNDEFINED)
    return Interval(*area.modelled_interval(level), NEWCOMBE)


def _notes(task: Task, found: Mapping[Key, Interval], plan: Plan) -> Iterator[str]:
    """A line for each reason for which a figure has no interval, and one for draws left out."""
    missing: dict[str, list[Key]] = {}
    for key, one in found.items():
        if one.why not in (None, UNDEFINED):
            missing.setdefault(str(one.why), []).append(key)
    for why, keys in missing.items():
        yield f"no interval, for it is {why}: {_listed(task, keys)}"
    some = [key for key, one in found.items() if one.method == BCA and one.undefined]
    if some:
        most = max(found[key].undefined for key in some)
        yield (
            f"undefined in up to {most:,} of {plan.draws:,} draws, which are left out: "
            f"{_listed(task, some)}"
        )


def _listed(task: Task, keys: Sequence[Key]) -> str:
    shown = ", ".join(_named(task, key) for key in keys[:_NAMED])
    return shown if len(keys) <= _NAMED else f"{shown} (and {len(keys) - _NAMED:,} others)"


def _named(task: Task, key: Key) -> str:
    if key.label >= 0:
        image = "mean " if key.scope == PER_IMAGE_BY_CLASS else ""
        return f"{image}{key.name} of {clipped(task.classes[key.label], 30)!r}"
    prefix = {OVERALL: "", PER_IMAGE: "mean "}.get(key.scope, f"{key.scope} ")
    return f"{prefix}{key.name}"
