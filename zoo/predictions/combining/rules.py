"""How answers become one: by their mean, by votes, or by a regression that was fitted on val.

Shapes: M members, each (S, C) (``questions``); K classes, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from zoo.predictions.combining import questions
from zoo.tasks import MULTILABEL, Task

PROBABILITIES, LOGITS, GEOMETRIC = "probabilities", "logits", "geometric"
AVERAGES = (PROBABILITIES, LOGITS, GEOMETRIC)
HALF_A_VOTE = 0.5
SURE = 1e-6  # what a regression is told is at least this far from certainty


class Rule(Protocol):
    """``weights``: (M,), what each member counts, summing to one; a rule without such a number has
    equal ones."""

    @property
    def weights(self) -> np.ndarray: ...

    def combined(self, said: Sequence[np.ndarray]) -> np.ndarray:
        """M of (S, C) -> (S, C), of the same type."""
        ...


@dataclass(frozen=True)
class Mean:
    """``average``: of ``probabilities``, or ``geometric``, which is that of ``logits``: a softmax
    or sigmoid of the mean logits is the geometric mean of the probabilities, brought back to a sum
    of one (Hinton 2002, doi:10.1162/089976602760128018, calls it a product of experts)."""

    shares: tuple[float, ...]
    average: str = PROBABILITIES

    @classmethod
    def of(cls, members: int, average: str = PROBABILITIES) -> Mean:
        return cls((1 / members,) * members, average)

    @property
    def weights(self) -> np.ndarray:
        return np.array(self.shares)

    def combined(self, said: Sequence[np.ndarray]) -> np.ndarray:
        heavy = [(np.asarray(w, one.dtype), one)
                 for w, one in zip(self.shares, said, strict=True) if w > 0]  # fmt: skip
        total = np.zeros_like(said[0])
        if self.average == PROBABILITIES:
            total.fill(-np.inf)
            for share, one in heavy:
                np.logaddexp(total, one + np.log(share), out=total)
            return total
        for share, one in heavy:
            total += share * one
        return questions.normalized(total)


@dataclass(frozen=True)
class Vote:
    """Each member has a vote a question, for what it decides by the threshold of its own task. The
    mean of the probabilities counts half a vote: it settles a tie, and cannot overturn a lead. So
    no probability is 0, and what most voted for is what the threshold of ``task`` decides."""

    task: Task
    own: tuple[Task, ...]

    @property
    def members(self) -> int:
        return len(self.own)

    @property
    def weights(self) -> np.ndarray:
        return np.full(self.members, 1 / self.members)

    def combined(self, said: Sequence[np.ndarray]) -> np.ndarray:
        shares = np.exp(Mean.of(self.members).combined(said))
        yes = questions.yes(self.task)
        if yes is not None:
            self._move(shares, yes, self.task.threshold, 0.5)
        shares *= HALF_A_VOTE
        rows = np.arange(len(shares))
        for task, one in zip(self.own, said, strict=True):
            shares[rows, questions.decided(task, one)] += 1
        shares /= self.members + HALF_A_VOTE
        if yes is not None:
            self._move(shares, yes, 0.5, self.task.threshold)
        votes: np.ndarray = np.log(shares)
        return votes

    def _move(self, shares: np.ndarray, yes: int, place: float, to: float) -> None:
        """In place, so that what lay on one side of ``place`` lies on the same side of ``to``."""
        one, other = shares[:, yes].copy(), shares[:, 1 - yes].copy()
        below = one <= place
        shares[:, yes] = np.where(below, one * (to / place), 1 - other * ((1 - to) / (1 - place)))
        shares[:, 1 - yes] = 1 - shares[:, yes]


@dataclass(frozen=True)
class Stack:
    """Multinomial logistic regression on the members' log-probabilities, (K, F) with F = M * K; of
    two choices on their logits, (1, M), of a multilabel task one for each class, (K, M)."""

    task: Task
    members: int
    coefficients: np.ndarray
    intercepts: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        return np.full(self.members, 1 / self.members)

    def combined(self, said: Sequence[np.ndarray]) -> np.ndarray:
        given = features(self.task, said)
        if self.task.kind == MULTILABEL:
            classes = len(self.task.classes)
            rows = given.reshape(-1, classes, self.members)
            logits = np.einsum("nkm,km->nk", rows, self.coefficients) + self.intercepts
        else:
            logits = given @ self.coefficients.T + self.intercepts
        return questions.of_logits(self.task, logits)


def features(task: Task, said: Sequence[np.ndarray]) -> np.ndarray:
    """What a regression is fitted to, float64: (S, M * C), or (S, M) where there are two choices
    and one number says it all."""
    least = np.log(SURE)
    yes = questions.yes(task)
    if yes is not None:
        logits = [one[:, yes] - one[:, 1 - yes] for one in said]
        return np.clip(np.stack(logits, axis=1).astype(np.float64), least, -least)
    return np.maximum(np.concatenate(said, axis=1).astype(np.float64), least)
