"""Whether models differ on the same samples: paired differences, with interval and p-value.

Every draw of the bootstrap holds the same samples for all (Efron and Tibshirani 1993, chapter 8),
so that what makes a sample hard for each of them cancels. A difference is the second's figure less
the first's. Shares of independent samples have the interval and p-value of a score test instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.errors import PredictionsError
from zoo.predictions.classification import Classification
from zoo.predictions.drawn import BY_CLASS, OVERALL, Drawn, Key, Measured
from zoo.predictions.ece_interval import reflected, reflected_p_value
from zoo.predictions.file import Predictions
from zoo.predictions.intervals import BCA, REFLECTED, Interval, Plan, by_key, interval_of
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.proportions import exact_p_value, score_p_value, tango
from zoo.predictions.resampling import Units
from zoo.predictions.same_samples import Named, aligned
from zoo.predictions.segmentation import Segmentation
from zoo.tasks import BINARY, LOWER_IS_BETTER, MULTILABEL

TANGO = "tango"
FIRST, SECOND, NEITHER = "first", "second", "neither"


@dataclass(frozen=True)
class Apart:
    """Samples that tell two models apart: those about which only the one, or the other, is right;
    ``exact_p``: McNemar's."""

    first_alone: int
    second_alone: int

    @property
    def exact_p(self) -> float:
        return exact_p_value(self.first_alone, self.second_alone)


@dataclass(frozen=True)
class Difference:
    """``value``: NaN where one of the two is undefined; ``p``: two-sided, of "there is none", NaN
    where there is no interval; ``p_holm``: as it is among all pairs (Holm 1979)."""

    key: Key
    value: float
    interval: Interval
    p: float
    p_holm: float

    def better(self, level: float) -> str:
        """Which is better, ``neither`` where no difference is shown at ``level``: where the
        interval holds zero or, among several pairs, Holm's p-value does not reach it."""
        if self.interval.method is None or self.interval.low <= 0 <= self.interval.high:
            return NEITHER
        if not self.p_holm <= 1 - level:
            return NEITHER
        return SECOND if (self.value > 0) != (self.key.name in LOWER_IS_BETTER) else FIRST


@dataclass(frozen=True)
class Pair:
    """``apart``: None for masks, and where samples come in groups, which McNemar's test takes for
    independent."""

    first: str
    second: str
    differences: Mapping[Key, Difference]
    apart: Apart | None


class Together:
    """Several predictions of the same samples, and every figure of each in the same draws."""

    def __init__(self, several: Sequence[Named], plan: Plan) -> None:
        if len({one.name for one in several}) < len(several):
            raise PredictionsError("to compare, each may be given once")
        self.sides, self.plan = aligned(several), plan
        first = self.sides[0].predictions
        groups = [one.predictions.groups for one in self.sides]
        known = next((one for one in groups if one is not None), None)
        self.task, self.units = first.task, Units.of(len(first), known)
        self._measured = _measured(self.sides)
        self.drawn = [Drawn.of(one, self.units, plan.draws, plan.seed) for one in self._measured]
        self.keys = self.drawn[0].keys

    def intervals(self, side: int) -> dict[Key, Interval]:
        """Of each figure of one of them by itself."""
        said, measured = self.sides[side].predictions, self._measured[side]
        return by_key(said, measured, self.drawn[side], self.plan)

    def pairs(self) -> list[Pair]:
        """Of all two of them, in the order given."""
        two = itertools.combinations(range(len(self.sides)), 2)
        return corrected([self._pair(one, other) for one, other in two])

    def _pair(self, one: int, other: int) -> Pair:
        found = differences(self.drawn[other] - self.drawn[one], self.plan)
        apart = None
        ours, theirs = self.sides[one].predictions, self.sides[other].predictions
        if (
            isinstance(ours, Predictions)
            and isinstance(theirs, Predictions)
            and not self.units.grouped
        ):
            shares = dict(_shares(ours, theirs))
            apart = Apart(*shares[_decided(ours)][:2])
            for key, (first_alone, second_alone, total) in shares.items():
                if total and not np.isnan(found[key].value):
                    found[key] = _scored(key, first_alone, second_alone, total, self.plan.level)
        return Pair(self.sides[one].name, self.sides[other].name, found, apart)


def _measured(sides: Sequence[Named]) -> list[Measured]:
    """Of masks on each image's own grid, for networks of different sizes share no other."""
    classes = [one.predictions for one in sides if isinstance(one.predictions, Predictions)]
    if classes:
        return [Classification.of(one) for one in classes]
    masks = [one.predictions for one in sides if isinstance(one.predictions, MaskPredictions)]
    both = [Segmentation.of(one) for one in masks]
    own = [one for _, one in both if one is not None]
    if len(own) == len(both):
        return list(own)
    if len({one.size for one in masks}) > 1:
        lacking = next(side for side, (_, one) in zip(sides, both, strict=True) if one is None)
        raise PredictionsError(
            f"{lacking.name!r} has no masks of the images' own size, and the networks' sizes "
            f"differ: measure it again with zoo eval"
        )
    return [one for one, _ in both]


def differences(drawn: Drawn, plan: Plan) -> dict[Key, Difference]:
    """Of the differences ``drawn``, by the bootstrap."""
    found = {}
    for place, key in enumerate(drawn.keys):
        value, interval, p = float(drawn.values[place]), interval_of(drawn, place, plan), np.nan
        if interval.method is not None and key.name == "ece":
            draws = drawn.draws[place][~np.isnan(drawn.draws[place])]
            interval = Interval(*reflected(value, draws, plan.level), REFLECTED)
            p = reflected_p_value(value, draws)
        elif interval.method is not None:
            p = drawn.shape(place).p_value()
        elif value == 0 and not np.any(drawn.draws[place]):  # they said the same of every sample
            interval, p = Interval(0.0, 0.0, BCA), 1.0
        found[key] = Difference(key, value, interval, float(p), float(p))
    return found


def corrected(pairs: list[Pair]) -> list[Pair]:
    """With Holm's p-values, of each figure's pairs."""
    found = [dict(pair.differences) for pair in pairs]
    for key in found[0] if found else ():
        for one, p in zip(found, holm([one[key].p for one in found]), strict=True):
            one[key] = replace(one[key], p_holm=p)
    return [replace(pair, differences=one) for pair, one in zip(pairs, found, strict=True)]


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value as it is among all of them, so that the chance that any is wrongly taken for a
    difference stays at the level (Holm 1979, Scand J Statist 6:65-70). NaN is no test."""
    given = np.asarray(p_values, np.float64)
    order = np.argsort(given)  # NaN last
    tests = int((~np.isnan(given)).sum())
    found, least = np.full(len(given), np.nan), 0.0
    for place, index in enumerate(order[:tests]):
        least = max(least, min(1.0, float(given[index]) * (tests - place)))
        found[index] = least
    return found.tolist()


def _scored(key: Key, first_alone: int, second_alone: int, total: int, level: float) -> Difference:
    low, high = tango(second_alone, first_alone, total, level)
    p = score_p_value(first_alone, second_alone)
    value = (second_alone - first_alone) / total
    return Difference(key, value, Interval(low, high, TANGO), p, p)


def _decided(said: Predictions) -> Key:
    """The figure that is the share of samples decided rightly."""
    return Key(OVERALL, "exact_match" if said.task.kind == MULTILABEL else "accuracy")


def _shares(ours: Predictions, theirs: Predictions) -> Iterator[tuple[Key, tuple[int, int, int]]]:
    """(only the first right, only the second, samples) of each figure that is a share of samples
    which the truth alone picks."""
    task, targets = ours.task, ours.targets
    assert targets is not None
    several = task.kind == MULTILABEL

    def right(said: Predictions) -> np.ndarray:
        found: np.ndarray = (said.decisions == targets).reshape(len(said), -1).all(1)
        return found

    def alone(one: np.ndarray, other: np.ndarray, which: np.ndarray) -> tuple[int, int, int]:
        both = int((one & ~other & which).sum()), int((other & ~one & which).sum())
        return (*both, int(which.sum()))

    everything = np.ones(len(ours), bool)
    yield _decided(ours), alone(right(ours), right(theirs), everything)
    for label in range(len(task.classes)):
        truth, one, other = (
            array[:, label] == 1 if several else array == label
            for array in (targets, ours.decisions, theirs.decisions)
        )
        of_class = {
            "recall": alone(one, other, truth),
            "specificity": alone(~one, ~other, ~truth),
        }
        for name, found in of_class.items():
            yield Key(BY_CLASS, name, label), found
            if task.kind == BINARY and label == task.positive_index:
                yield Key(OVERALL, name), found
