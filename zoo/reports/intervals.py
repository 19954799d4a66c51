"""Intervals as they stand in a file that may be a stranger's: what is no interval is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.predictions.intervals import Plan
from zoo.reports import wording
from zoo.reports.wording import is_number


@dataclass(frozen=True)
class Intervals:
    """``table``: what :func:`zoo.predictions.intervals.intervals` wrote, or anything else."""

    table: Mapping[str, Any]

    def of(self, scope: str, figure: str) -> Mapping[str, Any] | None:
        """``scope``: ``overall``, ``per_image``, or an average (``macro``, ``micro``,
        ``weighted``)."""
        holder = self.table if scope in ("overall", "per_image") else self._averages
        return _interval(wording.table(holder, scope).get(figure))

    def of_class(self, scope: str, number: int, figure: str) -> Mapping[str, Any] | None:
        """``scope``: ``per_class`` or ``per_image_by_class``."""
        rows = self.table.get(scope)
        if not isinstance(rows, list) or not 0 <= number < len(rows):
            return None
        return _interval(rows[number].get(figure) if isinstance(rows[number], Mapping) else None)

    def ends(self, scope: str, figure: str, classes: int) -> tuple[np.ndarray, np.ndarray]:
        """float (K,) each, NaN where there is none."""
        found = [self.of_class(scope, k, figure) for k in range(classes)]
        ends = [(one["low"], one["high"]) if one else (np.nan, np.nan) for one in found]
        low, high = np.array(ends, np.float64).reshape(classes, 2).T
        return low, high

    @property
    def _averages(self) -> Mapping[str, Any]:
        return wording.table(self.table, "averages")

    def __bool__(self) -> bool:
        return bool(self.table)

    def __str__(self) -> str:
        """``95 % intervals over 10,000 samples (2,000 draws)``; empty where there are none."""
        level, units = self.table.get("level"), self.table.get("units")
        if not isinstance(level, float) or not 0 < level < 1:
            return ""
        drawn = f"{wording.count(self.table.get('count'))} {wording.text(units) or 'samples'}"
        draws = wording.count(self.table.get("draws"))
        return f"{100 * level:g} % intervals over {drawn}; bootstrap of {draws} draws"


def is_written(table: object) -> bool:
    """Whether ``table`` may be what was written; of which form the rest is, is asked later."""
    if not isinstance(table, Mapping):
        return False
    try:
        return Plan.written(table) is not None
    except Exception:
        return False


def _interval(found: object) -> Mapping[str, Any] | None:
    if not isinstance(found, Mapping):
        return None
    low, high = found.get("low"), found.get("high")
    if not is_number(low) or not is_number(high):
        return None
    return found if low <= high else None  # type: ignore[operator]
