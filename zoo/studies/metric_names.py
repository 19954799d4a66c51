"""What a study may call a figure, and where it is found in what ``zoo eval`` and the loop wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from zoo.predictions.metrics import ORDER
from zoo.reports.wording import is_number
from zoo.studies.schema import BEST

_EPOCH = ("loss", "accuracy", "balanced_accuracy", "precision", "recall", "f1", "iou", "dice")
_OWN = "own_size/"
_BY_CLASS, _BY_IMAGE = "per_class", "per_image_by_class"
_FORM = re.compile(
    rf"(?:{_OWN})?(?:averages/(?:macro|micro|weighted)/|per_image/|"
    rf"(?:{_BY_CLASS}|{_BY_IMAGE})/(?P<label>.+)/)?(?P<name>[a-z0-9_]+)"
)
EXPECTED = (
    "a figure of zoo eval, as accuracy, averages/macro/f1, per_class/CLASS/recall or "
    "per_image/iou; or of an epoch, as train/accuracy or val/loss"
)


def of_epoch(metric: str) -> bool:
    return metric.startswith(("train/", "val/"))


def is_metric(metric: str) -> bool:
    """Whether there may be such a figure, of some task."""
    if of_epoch(metric):
        return metric.partition("/")[2] in _EPOCH
    match = _FORM.fullmatch(metric)
    return match is not None and match["name"] in ORDER


def known() -> list[str]:
    return [*ORDER, *(f"{part}/{name}" for part in ("train", "val") for name in _EPOCH)]


def result_key(metric: str, split: str, at: str = BEST) -> str:
    """How results name it: ``test/accuracy``, ``epoch/train/loss``, ``last/val/accuracy``."""
    if of_epoch(metric):
        return f"{'epoch' if at == BEST else at}/{metric}"
    return f"{split}/{metric}"


def figure(measured: Mapping[str, Any], metric: str) -> float | None:
    """Of what ``zoo eval`` measured; None where it has no such figure or it is undefined."""
    value = number(_descend(measured, metric))
    return None if value is None else float(value)


def interval(measured: Mapping[str, Any], metric: str) -> Mapping[str, Any] | None:
    """``low``, ``high`` and ``method`` of a figure; None where it has none."""
    if metric.startswith(_OWN):
        inside = measured.get("own_size")
        return interval(inside, metric.removeprefix(_OWN)) if isinstance(inside, Mapping) else None
    table = measured.get("intervals")
    path = metric if "/" in metric else f"overall/{metric}"
    found = _descend(table, path, classes=measured)
    return found if isinstance(found, Mapping) else None


def _descend(table: Any, metric: str, classes: Mapping[str, Any] | None = None) -> Any:
    """``classes``: where the names of classes stand, when rows by class do not say them."""
    match = _FORM.fullmatch(metric)
    label = match["label"] if match else None
    path = metric.split("/")
    if label is not None and match is not None:
        begin = metric[: match.start("label") - 1].split("/")
        path = [*begin, label, match["name"]]
    for part in path:
        if isinstance(table, list):
            rows = table if classes is None else classes.get(path[0])
            place = _place(rows, part)
            table = None if place is None or place >= len(table) else table[place]
        else:
            table = table.get(part) if isinstance(table, Mapping) else None
    return table


def _place(rows: Any, label: str) -> int | None:
    if not isinstance(rows, list):
        return None
    names = [row.get("class") if isinstance(row, Mapping) else None for row in rows]
    return names.index(label) if label in names else None


def number(value: Any) -> float | None:
    """None of what is no finite number: files that it stands in may be damaged."""
    return value if is_number(value) else None
