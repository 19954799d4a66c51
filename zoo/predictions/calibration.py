"""Whether probabilities are what they say, and one number that makes them so.

Shapes: N samples, O outputs, K classes. Temperature scaling (Guo et al. 2017, arXiv:1706.04599)
divides the logits by one number, fitted on val: the order of the classes stays as it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo.data.splits import VAL
from zoo.errors import PredictionsError
from zoo.predictions.file import Predictions
from zoo.predictions.probabilities import BINS, ProbabilitySums, bins
from zoo.predictions.proportions import wilson
from zoo.tasks import BINARY, MULTICLASS, MULTILABEL, Task

TEMPERATURE = "temperature"
_MOST = 100.0  # of a temperature; its inverse is the least


@dataclass(frozen=True)
class Temperature:
    """``before`` and ``after``: log loss, Brier score and ECE on the val split that it was fitted
    on, whose ``fingerprint`` and number of ``samples`` stand here."""

    value: float
    samples: int
    fingerprint: str
    before: Mapping[str, float]
    after: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        return {"method": TEMPERATURE, TEMPERATURE: self.value, "split": VAL, **{
            name: getattr(self, name) for name in ("samples", "fingerprint", "before", "after")
        }}  # fmt: skip


def fit_temperature(said: Predictions) -> Temperature:
    """With the least log loss on ``said``, predictions on val. Raises :class:`PredictionsError` for
    another split, and where no temperature from 0.01 to 100 is best."""
    if said.split != VAL:
        raise PredictionsError(f"a temperature is fitted on {VAL!r}, never on {said.split!r}")
    where = f"split {VAL!r} of {said.dataset!r}"
    if said.targets is None or not len(said):
        raise PredictionsError(f"{where} has no labels to fit a temperature to")
    before = scaled(said, None)
    value = _best(before.task, before.logits.astype(np.float64), said.targets, where)
    return Temperature(
        value,
        len(said),
        said.fingerprint,
        before=_quality(before),
        after=_quality(scaled(before, value)),
    )


def scaled(said: Predictions, temperature: float | None) -> Predictions:
    """The same, calibrated by ``temperature``, or as the network said it (None), whatever it was
    before; nothing that was decided changes."""
    if said.temperature == temperature:
        return said
    ratio = (temperature or 1.0) / (said.temperature or 1.0)
    task = with_temperature(said.task, ratio)
    logits = said.logits.astype(np.float64) / ratio
    return replace(
        said,
        task=task,
        temperature=temperature,
        logits=logits.astype(np.float32),
        probabilities=_probabilities(task, logits).astype(np.float32),
    )


def with_temperature(task: Task, temperature: float) -> Task:
    """``task`` with the threshold that decides the divided logits as its own did the others."""
    if temperature == 1.0 or task.threshold == 0.5:
        return task
    logit = math.log(task.threshold / (1 - task.threshold)) / temperature
    return replace(task, threshold=1 / (1 + math.exp(-logit)))


def reliability(said: Predictions) -> dict[str, Any]:
    """Of a reliability diagram: ``overall`` (of the positive class; of the class with the highest
    probability; or of all classes of a multilabel task) and ``per_class``, each a list of the bins
    with samples in them: ``from`` and ``to``, ``count``, mean ``confidence``, ``share`` of these
    that are so, with the ends ``low`` and ``high`` of Wilson's 95 % interval."""
    assert said.targets is not None
    task, sure = said.task, said.probabilities.astype(np.float64)
    truth = _truth(task, said.targets)
    per_class = [_bins(sure[:, k], truth[:, k]) for k in range(len(task.classes))]
    if task.kind == BINARY:
        overall = per_class[task.positive_index]
    elif task.kind == MULTICLASS:
        top = sure.argmax(1)[:, None]
        overall = _bins(*(np.take_along_axis(one, top, 1)[:, 0] for one in (sure, truth)))
    else:
        overall = _bins(sure.reshape(-1), truth.reshape(-1))
    return {"overall": overall, "per_class": per_class}


def _bins(sure: np.ndarray, truth: np.ndarray) -> list[dict[str, float]]:
    place = bins(sure)
    count, said, true = (
        np.bincount(place, weights=one, minlength=BINS) for one in (np.ones(len(sure)), sure, truth)
    )
    low, high = wilson(true, count, 0.95)
    return [
        {
            "from": b / BINS,
            "to": (b + 1) / BINS,
            "count": int(count[b]),
            "confidence": float(said[b] / count[b]),
            "share": float(true[b] / count[b]),
            "low": float(low[b]),
            "high": float(high[b]),
        }
        for b in np.flatnonzero(count)
    ]


def _best(task: Task, logits: np.ndarray, targets: np.ndarray, where: str) -> float:
    """The log loss is convex in the temperature's inverse: its slope is followed to zero."""
    from scipy.optimize import brentq

    truth = _truth(task, targets)
    if task.kind == BINARY:
        truth = truth[:, [task.positive_index]]

    def slope(sharpness: float) -> float:
        found = logits * sharpness
        sure = _softmax(found) if task.kind == MULTICLASS else _sigmoid(found)
        return float(((sure - truth) * logits).mean())

    if slope(1 / _MOST) >= 0:
        raise PredictionsError(
            f"{where}: no temperature is best: the less sure, the smaller the log loss, for what "
            f"the network says tells nothing of the labels"
        )
    # Of what is right throughout, the slope is a zero of rounding's making in the end.
    if _all_right(task, logits, truth) or slope(_MOST) < 0:
        raise PredictionsError(
            f"{where}: no temperature is best: the surer, the smaller the log loss, for nothing or "
            f"too little is wrong there"
        )
    return 1 / float(brentq(slope, 1 / _MOST, _MOST, xtol=1e-12, rtol=1e-12))


def _all_right(task: Task, logits: np.ndarray, truth: np.ndarray) -> bool:
    if task.kind == MULTICLASS:
        right = np.take_along_axis(logits, truth.argmax(1)[:, None], 1)
        return bool((right >= logits.max(1, keepdims=True)).all())
    return bool(((2 * truth - 1) * logits >= 0).all())


def _quality(said: Predictions) -> dict[str, float]:
    assert said.targets is not None
    sums = ProbabilitySums(said.task, _truth(said.task, said.targets), said.probabilities)
    overall, _ = sums.figures(np.ones(len(said)))
    return {name: float(value) for name, value in overall.items()}


def _truth(task: Task, targets: np.ndarray) -> np.ndarray:
    """0/1 float64 (N, K)."""
    several = task.kind == MULTILABEL
    found = targets if several else targets[:, None] == np.arange(len(task.classes))
    return np.asarray(found, np.float64)


def _probabilities(task: Task, logits: np.ndarray) -> np.ndarray:
    """(N, O) -> (N, K), as ``Task.probabilities`` does it with tensors."""
    if task.kind == BINARY:
        both = (-logits, logits) if task.positive_index == 1 else (logits, -logits)
        return _sigmoid(np.concatenate(both, axis=1))
    return _sigmoid(logits) if task.kind == MULTILABEL else _softmax(logits)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    found: np.ndarray = expit(logits)
    return found


def _softmax(logits: np.ndarray) -> np.ndarray:
    from scipy.special import softmax

    found: np.ndarray = softmax(logits, axis=1)
    return found
