"""From the figures that results name to charts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo.reports.blocks import Chart
from zoo.studies.figures.against import learning_curve, metric_against
from zoo.studies.figures.asked import Asked
from zoo.studies.figures.bars import bars, resources
from zoo.studies.figures.confusion import confusion
from zoo.studies.figures.curves import curves, train_val
from zoo.studies.figures.masks import masks

_KINDS: Mapping[str, Callable[[Asked], Chart | None]] = {
    "curves": curves,
    "train_val": train_val,
    "metric_against": metric_against,
    "bars": bars,
    "learning_curve": learning_curve,
    "confusion": confusion,
    "masks": masks,
    "resources": resources,
}


def charts(data: Mapping[str, Any], out: Path) -> Iterator[Chart]:
    """``data``: what ``results.json`` in ``out`` holds, with statistics. Of a figure whose rows
    have no runs yet there is none."""
    tables = {table["name"]: table for table in data["tables"]}
    for figure in data["figures"]:
        table = tables.get(figure.get("table") or next(iter(tables)))
        if table is None:  # left out by --table
            continue
        chart = _KINDS[figure["kind"]](Asked(figure, table, out))
        if chart is not None:
            yield chart
