"""The models of a whole registry in the order of one figure; only their records are read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from zoo.errors import RegistryError, nearest
from zoo.registry.listing import Row, newest_records, row_of, scalars
from zoo.registry.record import Record
from zoo.registry.store import Registry
from zoo.tasks import LOWER_IS_BETTER


@dataclass(frozen=True)
class Standing:
    """``value``: None where the version was not measured so, or the figure is undefined;
    ``interval``: (low, high, level), None where there is none."""

    row: Row
    value: float | None
    interval: tuple[float, float, float] | None

    def as_json(self, figure: str | None, split: str) -> dict[str, Any]:
        if figure is None:
            return self.row.as_json()
        interval = self.interval and dict(zip(("low", "high", "level"), self.interval, strict=True))
        sought = {"split": split, "name": figure, "value": self.value, "interval": interval}
        return {**self.row.as_json(), "sorted_by": sought}


@dataclass(frozen=True)
class Leaderboard:
    """``problems``: a line for each record that cannot be read."""

    standings: list[Standing]
    problems: list[str]


def leaderboard(
    registry: Registry, figure: str | None, split: str, dataset: str | None, task: str | None
) -> Leaderboard:
    """Each model by its newest readable version, of one ``dataset`` and ``task`` where these are
    given: the best first, equal ones by name, and last those without the figure; by name alone
    without a ``figure``. Raises :class:`RegistryError` when there is none of that dataset, or none
    has the figure."""
    records, problems = newest_records(registry)
    chosen = _chosen(records, dataset, task, registry)
    standings = [_standing(record, figure, split) for record in chosen]
    if figure is not None and chosen and all(one.value is None for one in standings):
        raise RegistryError(_nobody(chosen, figure, split))
    sign = 1 if figure in LOWER_IS_BETTER else -1
    standings.sort(key=lambda one: (one.value is None, sign * (one.value or 0.0), one.row.name))
    return Leaderboard(standings, problems)


def _chosen(
    records: Iterable[Record], dataset: str | None, task: str | None, registry: Registry
) -> list[Record]:
    """Those of ``dataset`` and ``task``. Raises :class:`RegistryError` for a dataset of none."""
    given = list(records)
    known = {record.data["dataset"] for record in given}
    if dataset is not None and dataset not in known:
        raise RegistryError(
            f"no model in {registry} is of dataset {dataset!r}{nearest(dataset, sorted(known))}"
        )
    return [
        record
        for record in given
        if dataset in (None, record.data["dataset"]) and task in (None, record.task.kind)
    ]


def _standing(record: Record, figure: str | None, split: str) -> Standing:
    if figure is None:
        return Standing(row_of(record), None, None)
    value = scalars(record.metrics.get(split, {})).get(figure)
    ends = (record.intervals or {}).get(split, {}).get(figure)
    interval = None if value is None or ends is None else (ends[0], ends[1], ends[2])
    return Standing(row_of(record), value, interval)


def _nobody(records: Iterable[Record], figure: str, split: str) -> str:
    known = {name for record in records for name in scalars(record.metrics.get(split, {}))}
    if not known:
        return f"none of these models was measured on split {split!r}"
    return (
        f"none of these models has {figure!r} on split {split!r}{nearest(figure, sorted(known))}; "
        f"expected one of {', '.join(sorted(known))}"
    )
