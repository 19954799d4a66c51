"""What a choice is worth on val itself: made on some folds of it, and measured on the others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zoo.errors import PredictionsError
from zoo.predictions.combining.answers import Validation
from zoo.predictions.combining.rules import Rule

FOLDS = 5


def out_of_fold(
    validation: Validation, choose: Callable[[Validation], Rule], folds: int = FOLDS, seed: int = 0
) -> np.ndarray:
    """(S, C): what is said about each sample of val by the rule that was chosen on the folds
    without it."""
    answers = validation.answers
    fold = folds_of(validation, folds, seed)
    found = np.empty_like(answers.said[0])
    per = len(found) // answers.samples
    for number in range(int(fold.max()) + 1):
        rule = choose(validation.part(fold != number))
        rows = np.repeat(fold == number, per)
        found[rows] = rule.combined([one[rows] for one in answers.said])
    return found


def folds_of(validation: Validation, folds: int, seed: int) -> np.ndarray:
    """int64 (N,): the fold of each sample. Groups stay whole, and each fold has as much of every
    class as can be."""
    answers = validation.answers
    units = np.arange(answers.samples)
    if answers.groups is not None:
        _, units = np.unique(answers.groups, return_inverse=True)
    count = int(units.max()) + 1
    if count < 2:
        raise PredictionsError(
            "val has one sample, or one group: nothing can be fitted on one part of it and "
            "measured on another"
        )
    first = np.unique(units, return_index=True)[1]
    labels = validation.truth.reshape(answers.samples, -1)[first]
    random = np.random.default_rng(seed).permutation(count)
    # Dealt out class by class; of several labels a sample, by the whole row of them.
    order = np.lexsort((random, *labels.T[::-1]))
    of_unit = np.empty(count, np.int64)
    of_unit[order] = np.arange(count) % min(folds, count)
    found: np.ndarray = of_unit[units]
    return found
