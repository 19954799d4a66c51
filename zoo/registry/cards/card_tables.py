"""The figures of a card as tables, every cell escaped: class names come from data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.errors import printable
from zoo.registry.listing import scalars
from zoo.registry.record import Draft
from zoo.tasks import MULTILABEL

CLASSES = 20  # of a confusion matrix that still can be read
# A record's keys are sorted; people read figures in another order.
_SPLITS = ("train", "val", "test")
_FIGURES = (
    "dice", "iou", "accuracy", "exact_match", "balanced_accuracy", "precision", "recall",
    "specificity", "f1", "auroc", "average_precision", "mcc", "kappa", "log_loss", "brier", "ece",
    "hd95",
)  # fmt: skip
# Of a class; the others are in the version's file of figures.
_COLUMNS = (
    "class", "support", "dice", "iou", "precision", "recall", "specificity", "f1", "auroc",
    "average_precision",
)  # fmt: skip


@dataclass(frozen=True)
class Section:
    """``picture``: a file of the version; ``header``: empty where there is no table."""

    title: str
    header: Sequence[object] = ()
    rows: Sequence[Sequence[object]] = ()
    picture: str = ""


def cell(value: object) -> str:
    """A value as one line of Markdown text that stands for itself, in a table and elsewhere."""
    if value is None:
        return "–"
    text = f"{value:.4f}" if isinstance(value, float) else printable(str(value))
    return re.sub(r"([\\`*_{}\[\]<>|#~$&!])", r"\\\1", text)


def table(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; every cell is escaped."""
    titles = [cell(title) for title in header]
    lines = [titles, ["---"] * len(titles), *([cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def splits_table(draft: Draft) -> str:
    splits = draft.data["splits"]
    rows = [
        (name, splits[name]["samples"], splits[name]["fingerprint"])
        for name in _ordered(splits, _SPLITS)
    ]
    return table(["split", "samples", "fingerprint"], rows)


def figures_table(draft: Draft) -> str:
    """A row a figure, a column a split, with the interval where there is one; empty where nothing
    was measured."""
    figures = {split: scalars(metrics) for split, metrics in draft.metrics.items()}
    splits = _ordered(figures, _SPLITS)
    order = _ordered({name for found in figures.values() for name in found}, _FIGURES)
    intervals = draft.intervals or {}

    def shown(split: str, name: str) -> object:
        value, interval = figures[split].get(name), intervals.get(split, {}).get(name)
        if value is None or interval is None:
            return value
        return f"{value:.4f} ({interval[0]:.4f} to {interval[1]:.4f})"

    rows = [[name, *(shown(split, name) for split in splits)] for name in order]
    return table(["figure", *splits], rows) if rows else ""


def levels(draft: Draft) -> str:
    """``95 %``: how often such intervals hold the true value; empty where there are none."""
    found = {one[2] for part in (draft.intervals or {}).values() for one in part.values()}
    return " or ".join(f"{100 * level:.4g} %" for level in sorted(found))


def sections(
    draft: Draft, figures: Mapping[str, Mapping[str, Any]], pictures: Mapping[str, str]
) -> Iterable[Section]:
    """The means over images, a row a class, then the confusion matrix, each where it can be read.
    ``pictures``: by split, the file that shows the last."""
    for split in _ordered(figures, _SPLITS):
        metrics = figures[split]
        yield from _over_images(metrics, f"Mean over images, {split}")
        own = metrics.get("own_size")
        if isinstance(own, dict):
            yield from _over_images(own, f"Mean over images in their own size, {split}")
        few = len(draft.task.classes) <= CLASSES
        by_class = metrics.get("per_class")
        if few and isinstance(by_class, list) and by_class and all(map(_is_row, by_class)):
            rows: list[dict[str, Any]] = by_class
            header = [name for name in _COLUMNS if name in rows[0]]
            yield Section(
                f"By class, {split}", header, [[row.get(key) for key in header] for row in rows]
            )
        matrix = _matrix(draft, metrics.get("confusion")) if few else ((), ())
        picture = pictures.get(split, "")
        if matrix[0] or picture:
            yield Section(f"Confusion matrix, {split}", *matrix, picture=picture)


def _over_images(metrics: Mapping[str, Any], title: str) -> Iterable[Section]:
    per_image = metrics.get("per_image")
    if not isinstance(per_image, dict):
        return
    counted = per_image.get("images")
    images = counted if isinstance(counted, dict) else {}
    means = [
        [name, per_image[name], images.get(name)]
        for name in _ordered(per_image, _FIGURES)
        if name not in ("images", "undefined")
    ]
    yield Section(title, ("figure", "mean", "of images"), means)


def _matrix(draft: Draft, confusion: object) -> tuple[Sequence[object], Sequence[Sequence[object]]]:
    """(header, rows), both empty for what is no matrix of these classes."""
    classes = draft.task.classes
    if (
        not isinstance(confusion, list)
        or len(confusion) != len(classes)
        or not all(isinstance(row, list) and len(row) in (len(classes), 2) for row in confusion)
    ):
        return (), ()
    pairs = list(zip(classes, confusion, strict=True))
    if draft.task.kind == MULTILABEL:
        sides = ("true negative", "false positive", "false negative", "true positive")
        return ("class", *sides), [[name, *no, *yes] for name, (no, yes) in pairs]
    return ("truth, decided as", *classes), [[name, *row] for name, row in pairs]


def _is_row(value: object) -> bool:
    return isinstance(value, dict)


def _ordered(given: Iterable[str], first: Sequence[str]) -> list[str]:
    """``given``: those in ``first`` as they stand there, then the others, sorted."""
    names = set(given)
    return [name for name in first if name in names] + sorted(names - set(first))
