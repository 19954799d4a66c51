"""The methods by name: each chooses a rule on val, and rules can be written down and read again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.errors import PredictionsError, clipped, nearest
from zoo.predictions.combining import selection, stacking, weighting
from zoo.predictions.combining.answers import Validation
from zoo.predictions.combining.rules import AVERAGES, PROBABILITIES, Mean, Rule, Stack, Vote
from zoo.predictions.combining.scoring import Score
from zoo.tasks import MULTILABEL, Task

MEAN, WEIGHTED, VOTE, GREEDY, STACK = "mean", "weighted", "vote", "greedy", "stack"
METHODS = (MEAN, WEIGHTED, VOTE, GREEDY, STACK)
FITTED = (WEIGHTED, GREEDY, STACK)  # something in them is learnt on val
_AVERAGING = (MEAN, WEIGHTED, GREEDY)
COEFFICIENTS, INTERCEPTS = "coefficients", "intercepts"


@dataclass(frozen=True)
class Method:
    """``score``: what ``greedy`` chooses by; ``average``: what is averaged, where something is."""

    name: str
    score: Score
    average: str = PROBABILITIES

    def __post_init__(self) -> None:
        check_method(self.name, self.average)

    def choose(self, validation: Validation) -> Rule:
        """On val, and nothing else: there are no :class:`Validation` answers of another split."""
        if self.name == WEIGHTED:
            return weighting.fitted(validation, self.average)
        if self.name == GREEDY:
            return selection.greedy(validation, self.score, self.average)
        if self.name == STACK:
            return stacking.stacked(validation)
        return unfitted(self, validation.answers.heading.task, validation.answers.tasks)


def unfitted(method: Method, task: Task, members: Sequence[Task]) -> Rule:
    """The rule of a method that learns nothing. ``members``: the tasks of each."""
    if method.name == MEAN:
        return Mean.of(len(members), method.average)
    return Vote(task, tuple(members))


def check_method(name: str, average: str = PROBABILITIES) -> None:
    """Raise :class:`PredictionsError` unless there is such a method, and it averages that."""
    if name not in METHODS:
        raise PredictionsError(
            f"method {clipped(name)!r}{nearest(name, METHODS)}: expected one of "
            f"{', '.join(METHODS)}"
        )
    if average not in AVERAGES:
        raise PredictionsError(
            f"average {clipped(average)!r}{nearest(average, AVERAGES)}: expected one of "
            f"{', '.join(AVERAGES)}"
        )
    if average != PROBABILITIES and name not in _AVERAGING:
        raise PredictionsError(
            f"average {average!r}: method {name!r} averages nothing; only "
            f"{', '.join(_AVERAGING)} do"
        )


def written(method: str, rule: Rule) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(options as JSON, arrays) from which :func:`read` makes the rule again."""
    if isinstance(rule, Mean):
        options: dict[str, Any] = {"average": rule.average}
        if method != MEAN:
            options["weights"] = list(rule.shares)
        return options, {}
    if isinstance(rule, Stack):
        return {}, {COEFFICIENTS: rule.coefficients, INTERCEPTS: rule.intercepts}
    return {}, {}


def trimmed(rule: Rule) -> tuple[list[int], Rule]:
    """(the members that count, the rule for them alone)."""
    kept = np.flatnonzero(rule.weights > 0).tolist()
    if isinstance(rule, Mean) and len(kept) < len(rule.shares):
        return kept, Mean(tuple(rule.shares[one] for one in kept), rule.average)
    return kept, rule


def read(
    method: str,
    options: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    task: Task,
    tasks: Sequence[Task],
) -> Rule:
    """The rule for members of these ``tasks``. ``options`` and ``arrays`` may be a stranger's.
    Raises :class:`PredictionsError` for what :func:`written` would not have written."""
    average, members = options.get("average", PROBABILITIES), len(tasks)
    check_method(method, str(average))
    if method == VOTE:
        return Vote(task, tuple(tasks))
    if method == STACK:
        return _read_stack(arrays, task, members)
    if method == MEAN:
        return Mean.of(members, average)
    weights = options.get("weights")
    if (
        not isinstance(weights, list)
        or len(weights) != members
        or not all(type(one) in (int, float) and 0 <= one <= 1 for one in weights)
        or not math.isclose(math.fsum(weights), 1.0, abs_tol=1e-6)
    ):
        raise PredictionsError(
            f"weights {clipped(str(weights))}: expected {members} numbers from 0 to 1 that sum to 1"
        )
    return Mean(tuple(float(one) for one in weights), average)


def _read_stack(arrays: Mapping[str, np.ndarray], task: Task, members: int) -> Stack:
    classes = len(task.classes)
    rows, columns = classes, members * classes
    if task.kind == MULTILABEL:
        columns = members
    elif task.positive is not None:
        rows, columns = 1, members
    for name, shape in ((COEFFICIENTS, (rows, columns)), (INTERCEPTS, (rows,))):
        one = arrays.get(name)
        if one is None or one.shape != shape or one.dtype != np.float64:
            found = "none" if one is None else f"{one.dtype} {one.shape}"
            raise PredictionsError(
                f"{name} of the regression: expected float64 {shape}, not {found}"
            )
        if not np.isfinite(one).all():
            raise PredictionsError(f"{name} of the regression are not finite")
    return Stack(task, members, arrays[COEFFICIENTS], arrays[INTERCEPTS])
