"""ROC and precision-recall curves: how well the probabilities put the positives first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zoo.predictions.curves import Points
from zoo.predictions.file import Predictions
from zoo.reports.blocks import Block, Chart, Charts, Missing, Section
from zoo.reports.figures.ranking import COLOURED, Curve, Point, draw_precision_recall, draw_roc
from zoo.reports.measured import Measured
from zoo.reports.sections.classes import nothing_measured
from zoo.reports.subject import Subject
from zoo.tasks import BINARY, MULTILABEL, SEGMENTATION, Task

_PLACES = 1000  # of a mean over classes
_WORK = 20_000_000  # samples times classes whose curves are computed here
_ROC, _PR = "roc", "precision_recall"
_AXES = {_ROC: ("fpr", "tpr"), _PR: ("recall", "precision")}
_AREA = {_ROC: "auroc", _PR: "average_precision"}


def ranking(subject: Subject, measured: Measured) -> Section | None:
    """None of masks, whose pixels nobody ranks."""
    if subject.task.kind == SEGMENTATION:
        return None
    blocks: list[Block] = [nothing_measured(subject, measured)]
    if measured:
        charts = _charts(subject.task, measured)
        none = Missing("No class has samples on both sides, so there is no curve to draw.")
        blocks = [Charts(charts)] if charts else [none]
    return Section("ROC and precision-recall", "ranking", blocks)


def _charts(task: Task, measured: Measured) -> list[Chart]:
    found = []
    kept = measured.figures.get("curves", {}).get("per_class") or _computed(task, measured)
    roc, recall = (_curves(task, measured, kept, kind) for kind in (_ROC, _PR))
    few = len(task.classes) <= COLOURED
    each = "" if few else "The three lowest classes are named. "
    if roc:
        caption = f"{each}Numbers: area under the curve (AUROC). Dotted: guessing."
        figure = draw_roc(roc, _decided(task, measured, _ROC))
        found.append(Chart("roc", "ROC", figure, caption))
    if recall:
        chance = _chance(task, measured)
        dotted = "" if chance is None else " Dotted: guessing."
        caption = f"{each}Numbers: average precision.{dotted}"
        figure = draw_precision_recall(recall, _decided(task, measured, _PR), chance)
        found.append(Chart("precision-recall", "Precision-recall", figure, caption))
    return found


def _curves(
    task: Task, measured: Measured, kept: Sequence[Mapping[str, Any]], kind: str
) -> list[Curve]:
    """Of each class, and their mean; of a binary task, of the positive class."""
    rows = measured.figures.get("per_class") or []
    areas = [row.get(_AREA[kind]) for row in rows] or [None] * len(task.classes)
    single = [
        Curve(task.classes[k], across, up, areas[k]) for k, across, up in _of_classes(kept, kind)
    ]
    if task.kind == BINARY:
        return [one for one in single if one.name == task.positive]
    averages = measured.figures.get("averages", {})
    if len(single) > 1:
        area = averages.get("macro", {}).get(_AREA[kind])
        single.append(Curve("macro average", *_mean(single, kind), area, mean=True))
    micro = (measured.figures.get("curves", {}).get("micro") or {}).get(kind)
    if micro:
        area = averages.get("micro", {}).get(_AREA[kind])
        across, up = (np.array(micro[axis]) for axis in _AXES[kind])
        single.append(Curve("micro average", across, up, area, mean=True))
    return single


def _of_classes(
    kept: Sequence[Mapping[str, Any]], kind: str
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """(class, across, up) of those that have a curve."""
    for k, row in enumerate(kept):
        if row.get(kind):
            across, up = (np.array(row[kind][axis], np.float64) for axis in _AXES[kind])
            yield k, across, up


def _computed(task: Task, measured: Measured) -> list[dict[str, Any]]:
    """Of many classes files keep no curves."""
    said, classes = measured.said, len(task.classes)
    if not isinstance(said, Predictions) or said.targets is None or len(said) * classes > _WORK:
        return []
    truth = said.targets
    found = []
    for k in range(classes):
        positive = truth[:, k] if task.kind == MULTILABEL else truth == k
        points = Points.of(positive, said.probabilities[:, k])
        found.append({_ROC: points.roc(), _PR: points.precision_recall()})
    return found


def _mean(curves: Sequence[Curve], kind: str) -> tuple[np.ndarray, np.ndarray]:
    """The mean over classes of what stands above each place, where any of them has a point."""
    across = np.unique(np.concatenate([one.across for one in curves]))
    across = across[np.linspace(0, len(across) - 1, min(len(across), _PLACES)).astype(np.int64)]
    ups = []
    for one in curves:
        # Of points one above the other the highest is meant.
        places, first = np.unique(one.across, return_index=True)
        ups.append(np.interp(across, places, np.maximum.reduceat(one.up, first)))
    up = np.mean(ups, axis=0)
    if kind == _ROC:
        across, up = np.concatenate([[0.0], across]), np.concatenate([[0.0], up])
    return across, up


def _decided(task: Task, measured: Measured, kind: str) -> Point | None:
    """Where the threshold of a binary task lies."""
    table = measured.figures.get("confusion")
    if task.kind != BINARY or table is None:
        return None
    one = task.positive_index
    hits, missed = table[one][one], table[one][1 - one]
    false, right = table[1 - one][one], table[1 - one][1 - one]
    if not hits + missed or not false + right or (kind == _PR and not hits + false):
        return None
    recall, name = hits / (hits + missed), f"decided at {task.threshold:g}"
    if kind == _ROC:
        return Point(false / (false + right), recall, name)
    return Point(recall, hits / (hits + false), name)


def _chance(task: Task, measured: Measured) -> float | None:
    table = measured.figures.get("confusion")
    if task.kind != BINARY or table is None:
        return None
    counts = np.array(table, np.float64)
    return float(counts[task.positive_index].sum() / counts.sum()) if counts.sum() else None
