"""The interval of the expected calibration error, which is no plain bootstrap's.

Chance puts every bin off a little, and never below zero: the figure is too high, by more the fewer
samples there are, and draws of the samples are higher still. So the draws are turned around the
figure (the basic bootstrap), and the interval goes down to zero where a model whose every
probability is right could show as much (Broecker and Smith 2007, doi:10.1175/WAF993.1, ask the same
of reliability diagrams). Shapes: N samples, K classes, U units, D draws.
"""

from __future__ import annotations

import numpy as np

from zoo.predictions.probabilities import BINS, bins
from zoo.predictions.resampling import TOGETHER, Units
from zoo.predictions.weights import summing
from zoo.tasks import BINARY, MULTICLASS, MULTILABEL, Task

_DRAWS = 512  # of chance: a quantile is all that is asked of them


def reflected(value: float, draws: np.ndarray, level: float) -> tuple[float, float]:
    """Low and high of the basic bootstrap; ``draws``: (D,), without NaN."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(2 * value - high), float(2 * value - low)


def reflected_p_value(value: float, draws: np.ndarray) -> float:
    """Two-sided, of "it is zero"; no smaller than the draws can tell."""
    turned = 2 * value - draws
    side = min((turned < 0).mean(), (turned > 0).mean()) + (turned == 0).mean() / 2
    return float(min(1.0, 2 * max(side, 0.5 / len(draws))))


def from_zero(value: float, draws: np.ndarray, chance: float, level: float) -> tuple[float, float]:
    """Low and high of an ECE; ``chance``: what a model with right probabilities may show."""
    low, high = reflected(value, draws, level)
    return 0.0 if value <= chance else max(low, 0.0), max(high, value)


def chance(
    task: Task, targets: np.ndarray, probabilities: np.ndarray, units: Units, level: float
) -> tuple[float, np.ndarray]:
    """(Overall, by class (K,)): how large an ECE is, with probability ``level`` no larger, of a
    model whose probabilities are right, with so many samples. Each unit's distance between
    probability and truth is given a random sign and size (the wild bootstrap), which keeps how much
    each bin varies and what samples of a group have in common, and takes away what is wrong in all.
    """
    samples, classes = probabilities.shape
    sure = probabilities.astype(np.float64)
    several = task.kind == MULTILABEL
    off = sure - (targets if several else targets[:, None] == np.arange(classes))
    by_class = summing(np.arange(classes) * BINS + bins(sure), classes * BINS, off)
    top = sure.argmax(1)[:, None]
    confidence, off_top = (np.take_along_axis(one, top, 1)[:, 0] for one in (sure, off))
    of_top = summing(bins(confidence), BINS, off_top)
    random, overall, each = np.random.default_rng(0), [], []
    for _ in range(0, _DRAWS, TOGETHER):
        signs = random.standard_normal((units.count, TOGETHER))[units.member]
        each.append(np.abs(by_class @ signs).reshape(classes, BINS, -1).sum(1) / samples)
        overall.append(np.abs(of_top @ signs).sum(0) / samples)
    of_classes = np.concatenate(each, axis=1)
    if task.kind == MULTICLASS:
        whole = np.concatenate(overall)
    else:
        whole = of_classes[task.positive_index] if task.kind == BINARY else of_classes.mean(0)
    return float(np.quantile(whole, level)), np.quantile(of_classes, level, axis=1)
