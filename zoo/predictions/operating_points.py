"""Thresholds that reach a wanted sensitivity or specificity: chosen on val, measured elsewhere.

Shapes: N samples, K classes. A class is decided where its probability is above the threshold,
strictly, each class against the rest; a binary task has the positive class alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.splits import VAL
from zoo.errors import PredictionsError
from zoo.predictions import rates
from zoo.predictions.drawn import Drawn
from zoo.predictions.file import Predictions
from zoo.predictions.intervals import UNDEFINED, WILSON, Interval, Plan, interval_of
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.proportions import wilson
from zoo.predictions.resampling import Units
from zoo.predictions.same_samples import check_apart
from zoo.predictions.weights import checked, summing
from zoo.tasks import BINARY, MULTILABEL

POINTS = "operating_points"  # among the figures
SENSITIVITY, SPECIFICITY = "sensitivity", "specificity"
_ROUNDING = 1e-9  # of 0.95 * 20, which is 19.000000000000004 in binary


@dataclass(frozen=True)
class Wanted:
    """``figure``: sensitivity or specificity, to be at least ``value``."""

    figure: str
    value: float

    def __post_init__(self) -> None:
        if not 0 < self.value <= 1:
            raise PredictionsError(f"{self.figure} {self.value!r}: expected above 0, at most 1")


@dataclass(frozen=True)
class OperatingPoint:
    """``threshold``: None where val has none of what is to be reached; ``fingerprint`` and
    ``samples``: of the val split that it was chosen on."""

    label: int
    wanted: Wanted
    threshold: float | None
    fingerprint: str
    samples: int


def wanted(sensitivity: float | None, specificity: float | None) -> list[Wanted]:
    given = {SENSITIVITY: sensitivity, SPECIFICITY: specificity}
    return [Wanted(figure, value) for figure, value in given.items() if value is not None]


def wanted_in(written: Any) -> list[Wanted]:
    """What was asked for when :func:`measured_at` gave ``written``; empty for None. Raises
    :class:`PredictionsError` on anything else."""
    if written is None:
        return []
    try:
        pairs = [one for point in written for one in point["wanted"].items()]
    except (TypeError, KeyError, AttributeError):
        raise PredictionsError("operating_points: expected a list, each with wanted") from None
    found = dict.fromkeys((str(figure), value) for figure, value in pairs)
    if any(figure not in (SENSITIVITY, SPECIFICITY) for figure, _ in found):
        raise PredictionsError(f"operating_points: expected {SENSITIVITY} or {SPECIFICITY}")
    return [Wanted(figure, value) for figure, value in found]


def measured_at(
    asked: Sequence[Wanted],
    val: Predictions | MaskPredictions,
    said: Predictions | MaskPredictions,
    plan: Plan | None,
) -> list[dict[str, Any]]:
    """The points chosen on ``val``, measured on ``said``, predictions of the same source on another
    split, as JSON (:func:`measure`). Raises :class:`PredictionsError` where they are not."""
    if isinstance(val, MaskPredictions) or isinstance(said, MaskPredictions):
        raise PredictionsError("operating points are of classifications, not of masks")
    if said.split == VAL:
        raise PredictionsError(
            f"operating points are chosen on {VAL!r}, and measured on another split"
        )
    mine, other = ((one.dataset, one.source_digest or one.source, one.temperature,
                    one.task.classes) for one in (said, val))  # fmt: skip
    if mine != other:
        raise PredictionsError(
            f"operating points are chosen on predictions of {said.source!r} on {VAL!r} of "
            f"{said.dataset!r}; given {val.source!r} on {val.split!r} of {val.dataset!r}"
        )
    check_apart(val, said)
    return [measure(point, said, plan) for point in choose(val, asked)]


def choose(said: Predictions, asked: Sequence[Wanted]) -> list[OperatingPoint]:
    """Of each class and each of ``asked``: with sensitivity the highest threshold that reaches it,
    with specificity the lowest, halfway to the next score, so that samples of equal score stay on
    one side. Raises :class:`PredictionsError` for predictions on anything but val: a threshold that
    was chosen on test makes the figures on test too good."""
    if said.split != VAL:
        raise PredictionsError(f"operating points are chosen on {VAL!r}, never on {said.split!r}")
    if said.targets is None:
        raise PredictionsError(f"split {VAL!r} of {said.dataset!r} has no labels to choose by")
    return [
        OperatingPoint(label, one, _threshold(truth, scores, one), said.fingerprint, len(said))
        for one in asked
        for label, truth, scores in _classes(said)
    ]


def measure(point: OperatingPoint, said: Predictions, plan: Plan | None) -> dict[str, Any]:
    """As JSON: the class, what was wanted, the threshold, what it was ``chosen_on``, and, on the
    samples of ``said``, ``figures`` and ``intervals``, None without a plan. These take the
    threshold as given: that another val split would have given another is not in them."""
    about = {
        "class": said.task.classes[point.label],
        "wanted": {point.wanted.figure: point.wanted.value},
        "threshold": point.threshold,
        "chosen_on": {"split": VAL, "fingerprint": point.fingerprint, "samples": point.samples},
    }
    if point.threshold is None:
        return {**about, "figures": None, "intervals": None}
    truth, scores = next(rest for label, *rest in _classes(said) if label == point.label)
    found = _AtThreshold(truth, scores > point.threshold)
    values = {name: float(one) for name, one in found.figures().overall.items()}
    intervals = None if plan is None else _intervals(found, Units.of(len(said), said.groups), plan)
    return {
        **about,
        "figures": {name: None if math.isnan(one) else one for name, one in values.items()},
        "intervals": intervals,
    }


def _intervals(found: _AtThreshold, units: Units, plan: Plan) -> dict[str, Any]:
    drawn = Drawn.of(found, units, plan.draws, plan.seed)
    by_name = {key.name: interval_of(drawn, place, plan) for place, key in enumerate(drawn.keys)}
    if not units.grouped:
        by_name |= dict(found.exact(plan.level))
    return {name: one.as_json() for name, one in by_name.items()}


def _classes(said: Predictions) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """(Label, truth (N,) of bool, scores (N,)) of each class that has a point."""
    assert said.targets is not None
    task = said.task
    labels = [task.positive_index] if task.kind == BINARY else range(len(task.classes))
    for label in labels:
        truth = said.targets[:, label] == 1 if task.kind == MULTILABEL else said.targets == label
        yield label, truth, said.probabilities[:, label].astype(np.float64)


def _threshold(truth: np.ndarray, scores: np.ndarray, wanted: Wanted) -> float | None:
    side = np.sort(scores[truth if wanted.figure == SENSITIVITY else ~truth])
    if not len(side):
        return None
    needed = max(1, math.ceil(wanted.value * len(side) - _ROUNDING))  # that must be decided rightly
    if wanted.figure == SENSITIVITY:
        lowest = side[-needed]
        below = scores[scores < lowest]
        return float(lowest + (below.max() if len(below) else 0.0)) / 2
    highest = side[needed - 1]
    above = scores[scores > highest]
    return float(highest + (above.min() if len(above) else 1.0)) / 2


@dataclass
class _Figures:
    overall: dict[str, np.ndarray]
    averages: dict[str, Any]
    by_class: dict[str, np.ndarray]


class _AtThreshold:
    """Figures of one class against the rest, by weights."""

    def __init__(self, truth: np.ndarray, decided: np.ndarray) -> None:
        self._samples = len(truth)
        self._cells = summing(2 * truth.astype(np.int64) + decided, 4)

    def figures(self, weights: np.ndarray | None = None) -> _Figures:
        over = {name: rates.ratio(*pair) for name, pair in self._shares(weights).items()}
        _, false_positive, missed, hits = self._cells @ checked(weights, self._samples)
        over["f1"] = rates.ratio(2 * hits, 2 * hits + false_positive + missed)
        return _Figures(over, {}, {})

    def exact(self, level: float) -> Iterator[tuple[str, Interval]]:
        for name, (part, whole) in self._shares(None).items():
            low, high = wilson(part, whole, level)
            known = bool(whole)
            yield (
                name,
                Interval(float(low), float(high), WILSON) if known else Interval(why=UNDEFINED),
            )

    def _shares(self, weights: np.ndarray | None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        right, false_positive, missed, hits = self._cells @ checked(weights, self._samples)
        return {
            SENSITIVITY: (hits, hits + missed),
            SPECIFICITY: (right, right + false_positive),
            "precision": (hits, hits + false_positive),
            "accuracy": (hits + right, hits + right + false_positive + missed),
        }
