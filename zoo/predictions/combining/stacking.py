"""A regression that learns on val how far to believe which member of what (Wolpert 1992,
doi:10.1016/S0893-6080(05)80023-1)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.errors import PredictionsError, clipped
from zoo.predictions.combining.answers import Validation
from zoo.predictions.combining.folds import FOLDS, folds_of
from zoo.predictions.combining.rules import Stack, features
from zoo.tasks import MULTICLASS, MULTILABEL, SEGMENTATION, Task

# Inverses of the penalty, from nearly all to hardly any.
STRENGTHS = tuple(float(10.0**power) for power in range(-4, 2))
_UNSEEN = 1e-7  # the probability of a class that was in none of the folds fitted on


def stacked(validation: Validation) -> Stack:
    """Logistic regression with an L2 penalty whose strength is chosen by log loss in folds of val,
    of six powers of ten. Raises :class:`PredictionsError` where val lacks a class."""
    answers, task = validation.answers, validation.answers.heading.task
    if task.kind == SEGMENTATION:
        raise PredictionsError("method 'stack' is for classes, not for masks; choose another one")
    members = validation.members
    parts = _parts(task, features(task, answers.said), validation.truth, members)
    for part in parts:
        _check_classes(part)
    per = folds_of(validation, FOLDS, seed=0)
    strength = min(STRENGTHS, key=lambda one: sum(_loss(part, per, one) for part in parts))
    fits = [_fit(part.given, part.truth, strength) for part in parts]
    coefficients = np.concatenate([one.coefficients for one in fits])
    intercepts = np.concatenate([one.intercepts for one in fits])
    if task.kind == MULTICLASS and len(task.classes) == 2:  # fitted as one logit, the second's
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        intercepts = np.concatenate([np.zeros_like(intercepts), intercepts])
    return Stack(task, members, coefficients, intercepts)


@dataclass(frozen=True)
class _Part:
    """One regression: ``given`` (N, F), ``truth`` (N,), and the names of the truth's values."""

    given: np.ndarray
    truth: np.ndarray
    names: Sequence[str]


@dataclass(frozen=True)
class _Fit:
    coefficients: np.ndarray
    intercepts: np.ndarray
    chances: np.ndarray | None = None


def _parts(task: Task, given: np.ndarray, truth: np.ndarray, members: int) -> list[_Part]:
    if task.kind != MULTILABEL:
        # With two choices 1 is the positive one, whose logit the features are.
        if task.positive is not None:
            names = [one for one in task.classes if one != task.positive]
            return [_Part(given, (truth == task.positive_index).astype(int),
                          [*names, task.positive])]  # fmt: skip
        return [_Part(given, truth, task.classes)]
    classes = len(task.classes)
    rows, labels = given.reshape(-1, classes, members), truth.reshape(-1, classes)
    return [
        _Part(rows[:, k], labels[:, k], (f"not {name}", name))
        for k, name in enumerate(task.classes)
    ]


def _check_classes(part: _Part) -> None:
    for label, name in enumerate(part.names):
        if not (part.truth == label).any():
            raise PredictionsError(
                f"val has no sample of {clipped(name)!r}, so method 'stack' cannot learn it; "
                f"choose another method"
            )


def _loss(part: _Part, fold: np.ndarray, strength: float) -> float:
    """The mean log loss on folds that were not fitted on."""
    losses = np.empty(len(fold))
    for number in range(int(fold.max()) + 1):
        inside = fold == number
        known = np.unique(part.truth[~inside])
        chances = np.full((int(inside.sum()), len(part.names)), _UNSEEN)
        if len(known) == 1:
            chances[:, known[0]] = 1 - _UNSEEN
        else:
            labels = np.searchsorted(known, part.truth[~inside])
            fit = _fit(part.given[~inside], labels, strength, asked=part.given[inside])
            assert fit.chances is not None
            chances[:, known] = np.maximum(fit.chances, _UNSEEN)
        right = np.take_along_axis(chances, part.truth[inside][:, None], axis=1)[:, 0]
        losses[inside] = -np.log(right)
    return float(losses.mean())


def _fit(
    given: np.ndarray, truth: np.ndarray, strength: float, asked: np.ndarray | None = None
) -> _Fit:
    """On features brought to a mean of 0 and a deviation of 1, so that one penalty suits all; the
    coefficients are of the features as they came."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    mean, spread = given.mean(0), given.std(0)
    spread[spread == 0] = 1.0
    regression = LogisticRegression(C=strength, max_iter=500)
    with warnings.catch_warnings():
        # Nearly there is as good: what is used is measured.
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression.fit((given - mean) / spread, truth)
    coefficients = regression.coef_ / spread
    intercepts = regression.intercept_ - coefficients @ mean
    chances = None if asked is None else regression.predict_proba((asked - mean) / spread)
    return _Fit(coefficients, intercepts, chances)
