"""One figure of several classes: macro, micro and weighted averages.

Shapes: K classes, D draws or nothing. ``macro``: the mean over the classes that occur, each
weighing the same; ``weighted``: each by its support; ``micro``: of the classes' counts added up. A
class for which a figure is undefined is left out of its mean. IoU and Dice take in the classes that
were decided and do not occur, with 0, in the macro average.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from zoo.predictions import rates
from zoo.tasks import MULTILABEL, Task

REGIONS = ("iou", "dice")
MACRO, MICRO, WEIGHTED = "macro", "micro", "weighted"


def averaged(
    by_class: Mapping[str, np.ndarray], names: Iterable[str]
) -> dict[str, dict[str, np.ndarray]]:
    """``macro`` and ``weighted``, by name, of (K, D)."""
    given = list(names)
    return {
        MACRO: {name: macro(by_class, name) for name in given},
        WEIGHTED: {name: rates.mean(by_class[name], weights=by_class["support"]) for name in given},
    }


def macro(by_class: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    values = by_class[name]
    if name not in REGIONS:
        values = np.where(by_class["support"] > 0, values, np.nan)
    return rates.mean(values)


def sides(task: Task, counts: np.ndarray) -> tuple[np.ndarray, ...]:
    """(hits, decided, support, total), as ``rates`` takes them, (K, D) and (D,), of counts
    (K, K, D), or (K, 2, 2, D) for multilabel."""
    if task.kind == MULTILABEL:
        hits, decided, support = counts[:, 1, 1], counts[:, :, 1].sum(1), counts[:, 1].sum(1)
        return hits, decided, support, counts[0].sum((0, 1))
    hits = np.einsum("kk...->k...", counts)
    return hits, counts.sum(0), counts.sum(1), counts.sum((0, 1))


def pooled(task: Task, counts: np.ndarray) -> tuple[np.ndarray, ...]:
    """:func:`sides` of all classes together, each against the rest, for micro averages."""
    hits, decided, support, total = sides(task, counts)
    return hits.sum(0), decided.sum(0), support.sum(0), total * len(hits)
