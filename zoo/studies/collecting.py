"""What a run's folder says of a run, as results hold it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import StorageError, ZooError
from zoo.reports import history
from zoo.runs import folder as folders
from zoo.runs.folder import RunFolder
from zoo.studies import metric_names
from zoo.studies.metric_names import number
from zoo.studies.schema import BEST, LAST


@dataclass(frozen=True)
class Wanted:
    """A figure that the study names; ``key``: see ``metric_names.result_key``."""

    metric: str
    split: str
    at: str = BEST

    @property
    def key(self) -> str:
        return metric_names.result_key(self.metric, self.split, self.at)


NOTHING: Mapping[str, Any] = dict.fromkeys(
    ("epochs", "best_epoch", "steps", "seconds", "seconds_per_epoch", "samples_per_second",
     "memory", "parameters")
)  # fmt: skip


def collected(path: Path, wanted: Iterable[Wanted]) -> dict[str, Any]:
    """Numbers of training, ``figures`` by key and ``predictions`` by split; None where there is no
    such number. Nothing of it is believed to be there: a run may have ended at any moment."""
    found: dict[str, Any] = {**NOTHING, "figures": {}, "predictions": {}}
    if not folders.is_run(path):
        return found
    run = RunFolder(path)
    info, events = _info(run), events_of(path)
    found |= _numbers(info, events)
    measured: dict[str, Mapping[str, Any]] = {}
    for one in wanted:
        if metric_names.of_epoch(one.metric):
            value = _of_epoch(info, events, one)
        else:
            if one.split not in measured:
                measured[one.split] = measured_on(run, one.split)
            value = metric_names.figure(measured[one.split], one.metric)
        if value is not None:
            found["figures"][one.key] = value
    found["predictions"] = {
        split: str(run.predictions_path(split).relative_to(path))
        for split, figures in measured.items()
        if figures and run.predictions_path(split).is_file()
    }
    return found


def measured_on(run: RunFolder, split: str) -> Mapping[str, Any]:
    """What ``zoo eval`` wrote; empty where it did not."""
    try:
        return run.metrics(split)
    except ZooError:
        return {}


def measured_of(run: Mapping[str, Any], split: str, out: Path) -> Mapping[str, Any]:
    """The same of a run, or an ensemble, of results in ``out``."""
    place, said = run["folder"], run["predictions"].get(split)
    if place is None or said is None:
        return {}
    return measured_on(RunFolder((out / place / said).parent.parent), split)


def _info(run: RunFolder) -> Mapping[str, Any]:
    try:
        return run.info
    except ZooError:
        return {}


def events_of(path: Path) -> list[Mapping[str, Any]]:
    """Of a run's folder; none where there is no log yet."""
    try:
        return list(history.read_events(path / folders.EVENTS))
    except StorageError:
        return []


def _numbers(info: Mapping[str, Any], events: list[Mapping[str, Any]]) -> dict[str, Any]:
    epochs = _epochs(events)
    last = [event for event in events if event.get("event") == "training_ended"]
    started = [event for event in events if event.get("event") == "training_started"]
    seconds = _known(epochs, "seconds")
    speeds = _known(epochs, "samples_per_second")
    best = info.get("best")
    return {
        "epochs": len(epochs),
        "best_epoch": number(best.get("epoch")) if isinstance(best, Mapping) else None,
        "steps": number(last[-1].get("steps")) if last else None,
        "seconds": number(last[-1].get("seconds")) if last else (sum(seconds) or None),
        "seconds_per_epoch": sum(seconds) / len(seconds) if seconds else None,
        "samples_per_second": sum(speeds) / len(speeds) if speeds else None,
        "memory": max(_known(epochs, "memory"), default=None) or None,
        "parameters": number(started[-1].get("parameters")) if started else None,
    }


def _known(epochs: Mapping[int, Mapping[str, Any]], name: str) -> list[float]:
    values = [number(event.get(name)) for event in epochs.values()]
    return [one for one in values if one is not None]


def _epochs(events: Iterable[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    """By number; of one that was done again after a kill, the last."""
    ended = [event for event in events if event.get("event") == "epoch_ended"]
    return {event["epoch"]: event for event in ended if type(event.get("epoch")) is int}


def _of_epoch(
    info: Mapping[str, Any], events: list[Mapping[str, Any]], wanted: Wanted
) -> float | None:
    """Of the epoch whose weights are measured, or of the last one."""
    epochs = _epochs(events)
    best = info.get("best")
    place = max(epochs, default=0)
    if wanted.at != LAST and info.get("weights") != LAST:
        place = best.get("epoch", 0) if isinstance(best, Mapping) else 0
    part, _, name = wanted.metric.partition("/")
    figures = epochs.get(place, {}).get(part) if isinstance(place, int) else None
    value = number(figures.get(name)) if isinstance(figures, Mapping) else None
    return None if value is None else float(value)
