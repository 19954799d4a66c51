"""How good it is at each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.reports import wording
from zoo.reports.blocks import Block, Cell, Chart, Charts, Missing, Section, Table
from zoo.reports.figures.bars import SHOWN, draw_classes
from zoo.reports.measured import Measured
from zoo.reports.subject import Subject
from zoo.tasks import SEGMENTATION, Task

_OPEN = 30  # classes up to which the table is open
_CLASSES = ("recall", "precision", "f1", "auroc")
_MORE = ("specificity", "average_precision")
_MASKS = (("per_class", "dice"), ("per_class", "iou"), ("per_image_by_class", "dice"))


def classes(subject: Subject, measured: Measured) -> Section:
    if not measured.figures.get("per_class"):
        return Section("By class", "classes", [nothing_measured(subject, measured)])
    task = subject.task
    blocks: list[Block] = [Charts(_charts(task, measured)), _table(task, measured)]
    return Section("By class", "classes", blocks)


def nothing_measured(subject: Subject, measured: Measured) -> Missing:
    """Where a section needs labels, or figures, or the predictions themselves."""
    if measured.said is not None and not measured:
        return Missing(f"Split {measured.split!r} has no labels.")
    what = "the predictions" if measured else "figures"
    return Missing(f"This needs {what} on {measured.split!r}:", subject.evaluate(measured.split))


def _charts(task: Task, measured: Measured) -> list[Chart]:
    names = _MASKS if task.kind == SEGMENTATION else tuple(("per_class", one) for one in _CLASSES)
    return [one for one in (_chart(task, measured, *which) for which in names) if one is not None]


def _chart(task: Task, measured: Measured, scope: str, name: str) -> Chart | None:
    rows = measured.figures.get(scope) or []
    values = np.array([np.nan if row.get(name) is None else row[name] for row in rows], np.float64)
    if not len(rows) or np.isnan(values).all():
        return None
    low, high = measured.intervals.ends(scope, name, len(rows))
    mean, line = _mean(task, measured, scope, name)
    of_images = scope == "per_image_by_class"
    label = wording.words(name) + (", mean over images" if of_images else "")
    figure = draw_classes(task.classes, values, low, high, label=label, overall=mean)
    parts = []
    if len(rows) > SHOWN:
        parts.append(f"The {SHOWN} lowest of {len(rows):,} classes.")
    if not np.isnan(low).all():
        parts.append("Bars: 95 % intervals." if _is_95(measured) else "Bars: intervals.")
    if line:
        parts.append(f"Dashed: {line}.")
    slug = f"class-{'mean-' if of_images else ''}{name.replace('_', '-')}"
    return Chart(slug, wording.head(label), figure, " ".join(parts))


def _is_95(measured: Measured) -> bool:
    return measured.intervals.table.get("level") == 0.95


def _mean(task: Task, measured: Measured, scope: str, name: str) -> tuple[float | None, str]:
    """(what a line is drawn for, what that is)."""
    if task.positive is not None or scope != "per_class":
        return None, ""
    value = measured.figures.get("averages", {}).get("macro", {}).get(name)
    return (value, "mean of the classes") if value is not None else (None, "")


def _table(task: Task, measured: Measured) -> Table:
    rows, means = measured.figures["per_class"], measured.figures.get("per_image_by_class")
    wanted = ("dice", "iou", "precision", "recall") if task.kind == SEGMENTATION else (
        *_CLASSES, *_MORE
    )  # fmt: skip
    names = [name for name in wanted if name in rows[0]]
    unit = "pixels" if task.kind == SEGMENTATION else "samples"
    head = ["class", unit, *(wording.words(name) for name in names)]
    if means:
        head += ["Dice, mean over images", wording.words("hd95")]
    body = []
    for k, row in enumerate(rows):
        cells: list[str | Cell] = [_cell(row, measured, "per_class", k, name) for name in names]
        if means:
            cells += [_cell(means[k], measured, "per_image_by_class", k, name)
                      for name in ("dice", "hd95")]  # fmt: skip
        body.append([row["class"], wording.count(row.get("support")), *cells])
    many = len(rows) > _OPEN
    return Table(head, body, folded=f"All {len(rows):,} classes" if many else "")


def _cell(row: Mapping[str, Any], measured: Measured, scope: str, number: int, name: str) -> Cell:
    if name not in row:
        return Cell("–")
    interval = wording.between(measured.intervals.of_class(scope, number, name))
    return Cell(wording.number(row[name]), interval)
