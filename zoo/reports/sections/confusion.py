"""What is taken for what."""

from __future__ import annotations

import numpy as np

from zoo.reports import wording
from zoo.reports.blocks import Block, Chart, Charts, Missing, Section, Table, Text
from zoo.reports.figures.matrix import DRAWN, NAMED, NUMBERED, SIDES, draw_confusion
from zoo.reports.measured import Measured
from zoo.reports.sections.classes import nothing_measured
from zoo.reports.subject import Subject
from zoo.tasks import MULTILABEL, SEGMENTATION, Task

_WRITTEN = 50  # classes up to which all counts stand in a table, where the picture has none
_LISTED = 10  # confusions


def confusion(subject: Subject, measured: Measured) -> Section:
    table = measured.figures.get("confusion")
    if table is None:
        return Section("Confusion", "confusion", [nothing_measured(subject, measured)])
    task = subject.task
    counts = np.array(table, np.int64)
    blocks: list[Block] = []
    if len(task.classes) <= DRAWN:
        blocks += _drawn(task, counts)
    else:
        why = (
            f"A picture of {len(task.classes):,} classes would show nothing; what is confused most:"
        )
        blocks.append(Missing(why))
    if task.kind != MULTILABEL and len(task.classes) > 2:
        blocks.append(_most_frequent(task, counts))
    return Section("Confusion", "confusion", blocks)


def _drawn(task: Task, counts: np.ndarray) -> list[Block]:
    sides = task.kind == MULTILABEL
    table = counts.reshape(len(task.classes), 4) if sides else counts
    unit = "pixels" if task.kind == SEGMENTATION else "samples"
    row = "those with the class, and without it" if sides else "each row"
    charts = [
        Chart(
            f"confusion-{kind}",
            title,
            draw_confusion(table, task.classes, shares=kind == "shares", unit=unit),
        )
        for kind, title in (
            ("counts", f"Confusion matrix, {unit}"),
            ("shares", f"Confusion matrix, percent of {row}"),
        )
    ]
    if len(task.classes) <= NUMBERED:
        return [Charts(charts)]
    blocks: list[Block] = [Charts(charts[1:])]  # without numbers they are the same
    if len(task.classes) > NAMED:
        numbers = "Classes are numbered in their order, from 0; the table of classes names them."
        blocks.append(Text(numbers))
    if len(task.classes) <= _WRITTEN:
        rows = [[name, *map(wording.count, table[k].tolist())]
                for k, name in enumerate(task.classes)]  # fmt: skip
        head = ["class", *SIDES] if sides else ["truth", *task.classes]
        blocks.append(Table(head, rows, folded=f"All {unit} as numbers"))
    return blocks


def _most_frequent(task: Task, counts: np.ndarray) -> Block:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong.reshape(-1), kind="stable")[:_LISTED]
    rows = []
    for place in order[wrong.reshape(-1)[order] > 0].tolist():
        truth, decided = divmod(place, len(task.classes))
        count, of = int(wrong[truth, decided]), int(counts[truth].sum())
        share = f"{count / of:.1%}"
        rows.append([task.classes[truth], task.classes[decided], wording.count(count), share])
    if not rows:
        return Text("Nothing was confused.")
    unit = "pixels" if task.kind == SEGMENTATION else "samples"
    head = ["truth", "decided as", unit, "of the true class"]
    return Table(head, rows, names=2, title="Confused most often")
