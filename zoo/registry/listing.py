"""The models of a registry as rows, for lists; a record that cannot be read costs one line."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zoo.errors import ZooError
from zoo.registry.record import Record
from zoo.registry.store import Registry

# What stands for a model in one number: of the first split it was measured on, the first it has.
_SPLITS = ("test", "val", "train")
_METRICS = ("dice", "accuracy", "auroc", "f1")
_TRIED = 20  # versions of a model, until one can be read: a stranger's head may promise a million


@dataclass(frozen=True)
class Row:
    """``metric``: (split, name, value), None where nothing was measured."""

    name: str
    latest: int
    task: str
    architecture: str
    dataset: str
    metric: tuple[str, str, float] | None
    created: str

    def as_json(self) -> dict[str, Any]:
        shown = (
            dict(zip(("split", "name", "value"), self.metric, strict=True)) if self.metric else None
        )
        return {**vars(self), "metric": shown}


@dataclass(frozen=True)
class Listing:
    """Some of a registry's models. ``total``: how many there are; ``problems``: a line for each
    record that stands before the one shown and cannot be read."""

    rows: list[Row]
    total: int
    problems: list[str]


def rows(registry: Registry, start: int = 0, most: int | None = None) -> Listing:
    """One row a model, of its newest readable version, by name: ``most`` of them, from the
    ``start``-th on. What it costs depends on how many are shown, not on how many there are."""
    models, total = registry.page(start, most)
    records, problems = _newest(registry, models)
    return Listing([row_of(record) for record in records], total, problems)


def newest_records(registry: Registry) -> tuple[list[Record], list[str]]:
    """The newest readable version of every model, by name, and a line for each record that cannot
    be read."""
    models, _ = registry.page(0, None)
    return _newest(registry, models)


def _newest(registry: Registry, models: Iterable[str]) -> tuple[list[Record], list[str]]:
    found: list[Record] = []
    problems: list[str] = []
    for name in models:
        try:
            found += _newest_readable(registry, name, problems)
        except ZooError as error:
            problems.append(str(error))
    return found, problems


def _newest_readable(registry: Registry, name: str, problems: list[str]) -> list[Record]:
    look = registry.look(name)
    numbers = (n for n in range(look.newest, 0, -1) if not look.state.is_yanked(n))
    for number in itertools.islice(numbers, _TRIED):
        try:
            return [registry.numbered(look, number)]
        except ZooError as error:
            problems.append(str(error))
    return []


def main_metric(record: Record) -> tuple[str, str, float] | None:
    """(split, name, value) of the figure that stands for the version."""
    others = sorted(set(record.metrics) - set(_SPLITS))
    for split in (*_SPLITS, *others):
        numbers = scalars(record.metrics.get(split, {}))
        for name in _METRICS:
            if name in numbers:
                return split, name, numbers[name]
    return None


def scalars(metrics: dict[str, Any]) -> dict[str, float]:
    """The figures that are one number, in their order; counts of samples are none."""
    return {
        name: float(value)
        for name, value in metrics.items()
        if type(value) in (int, float) and name != "samples"
    }


def single_numbers(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What of ``metrics`` a record keeps: the numbers, undefined ones too, and no tables."""
    return {
        name: value
        for name, value in metrics.items()
        if value is None or type(value) in (int, float)
    }


def interval_ends(
    measured: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, list[float]]] | None:
    """What a record keeps of the intervals of ``measured`` figures, by split: ``[low, high,
    level]`` by figure; None where there are none."""
    found = {}
    for split, figures in measured.items():
        intervals = figures.get("intervals")
        if isinstance(intervals, Mapping):
            found[split] = {
                name: [one["low"], one["high"], intervals["level"]]
                for name, one in intervals["overall"].items()
                if one is not None
            }
    return found or None


def row_of(record: Record) -> Row:
    return Row(
        name=record.model,
        latest=record.version,
        task=record.task.kind,
        architecture=record.made_of,
        dataset=record.data["dataset"],
        metric=main_metric(record),
        created=record.created,
    )
