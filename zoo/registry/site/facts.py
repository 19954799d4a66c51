"""What a model's page says of its record in words and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.registry.listing import scalars
from zoo.registry.record import WEIGHTS, Record
from zoo.registry.site.inventory import COLUMNS, FIGURES

CLASSES = 30  # that stand in the facts
_LENGTH = 2000
_WEIGHTS = {
    "best": "of the best epoch",
    "last": "of the last epoch",
    "ema": "running average",
    "averaged": "mean of several runs",
    "imported": "trained elsewhere",
}
_SPLITS = ("test", "val", "train")


@dataclass(frozen=True)
class Score:
    """``interval``: low, high and the share of cases in which such intervals hold the truth."""

    figure: str
    value: float
    interval: Sequence[float] | None


def by_split(table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The entries in the order in which people look for them."""
    order = [*(s for s in _SPLITS if s in table), *sorted(set(table) - set(_SPLITS))]
    return [(split, table[split]) for split in order]


def in_order(figures: Iterable[str]) -> list[str]:
    """Figures, the well-known ones first."""
    given = set(figures)
    return [*(name for name in FIGURES if name in given), *sorted(given - set(FIGURES))]


def scores(record: Record) -> list[tuple[str, list[Score]]]:
    """(split, its figures) of every split that was measured."""
    intervals = record.intervals or {}
    found = []
    for split, metrics in by_split(record.metrics):
        numbers, known = scalars(metrics), intervals.get(split, {})
        if numbers:
            order = in_order(numbers)[:COLUMNS]
            found.append((split, [Score(name, numbers[name], known.get(name)) for name in order]))
    return found


def facts(record: Record) -> dict[str, str]:
    """Name and text; an ensemble has no network to speak of."""
    task, data = record.task, record.data
    classes = ", ".join(task.classes[:CLASSES]) + (", …" if len(task.classes) > CLASSES else "")
    samples = ", ".join(f"{split} {one['samples']:,}" for split, one in by_split(data["splits"]))
    found = {
        "task": f"{task.kind}, {_count(len(task.classes), 'class', 'classes')}",
        "positive class": f"{task.positive}, above {task.threshold}" if task.positive else "",
        **(_of_ensemble(record) if record.ensemble else _of_network(record)),
        "dataset": data["dataset"] + (f", licence {data['licence']}" if "licence" in data else ""),
        "samples": samples,
        "licence": record.licence,
        "published": record.created.replace("T", " ").replace("Z", " UTC"),
        "classes": classes,
    }
    return {name: value[:_LENGTH] for name, value in found.items() if value}


def _of_network(record: Record) -> dict[str, str]:
    architecture, plugin = record.architecture, record.plugin
    height, width = architecture["image_size"]
    size = _bytes(record.file(WEIGHTS)["size"])
    return {
        "input": f"{height} × {width} pixels, "
        + _count(architecture["in_channels"], "channel", "channels"),
        "architecture": architecture["name"] + _options(architecture["options"]),
        "plugin": f"{plugin['distribution']} {plugin['version']}",
        "weights": f"{size}, {_WEIGHTS[record.weights]}",
    }


def _of_ensemble(record: Record) -> dict[str, str]:
    assert record.ensemble is not None
    return {"ensemble": record.made_of + _options(record.ensemble["options"])}


def _options(options: Mapping[str, Any]) -> str:
    said = ", ".join(f"{key}={value!r}" for key, value in options.items())
    return f" ({said})" if said else ""


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _bytes(size: int) -> str:
    value, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}"
