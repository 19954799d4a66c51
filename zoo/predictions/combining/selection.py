"""Members chosen one after the other, each as often as it helps on val (Caruana et al. 2004,
doi:10.1145/1015330.1015432)."""

from __future__ import annotations

import numpy as np

from zoo.predictions.combining import questions
from zoo.predictions.combining.answers import Validation
from zoo.predictions.combining.rules import PROBABILITIES, Mean
from zoo.predictions.combining.scoring import Score

ROUNDS = 50


def greedy(
    validation: Validation,
    score: Score,
    average: str = PROBABILITIES,
    rounds: int = ROUNDS,
) -> Mean:
    """In each round that member joins, again or for the first time, with which the average is best
    on val; what log loss settles between equals. Of all rounds the best is kept, the first of
    equals, so the first round, the best member alone, is the least there can be. A member weighs as
    often as it joined."""
    said, truth = validation.known()
    given = [np.exp(one) for one in said] if average == PROBABILITIES else said
    total = np.zeros_like(given[0])
    joined: list[int] = []
    best, kept = (-np.inf, -np.inf), 0
    for number in range(1, rounds + 1):
        ranks = [score.rank(_averaged(total + one, number, average), truth) for one in given]
        member = ranks.index(max(ranks))
        joined.append(member)
        total += given[member]
        if ranks[member] > best:
            best, kept = ranks[member], number
    often = np.bincount(joined[:kept], minlength=len(given))
    return Mean(tuple(float(one) for one in often / kept), average)


def _averaged(total: np.ndarray, number: int, average: str) -> np.ndarray:
    if average == PROBABILITIES:
        # A byte's worth of zeros in all of them stays a number.
        found: np.ndarray = np.log(np.maximum(total / number, 1e-300))
        return found
    return questions.normalized(total / number)
