"""Whose report it is: a run or a published version, as it is kept; its network is not built."""

from __future__ import annotations

import functools
import shlex
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zoo.data.splits import TEST, TRAIN, VAL, SplitPlan
from zoo.errors import RegistryError, ReportError, RunError, clipped, nearest
from zoo.predictions.calibration import with_temperature
from zoo.recipes.schema import SplitSection
from zoo.registry.config import find
from zoo.registry.private import find_path, find_secret
from zoo.registry.record import Record, metrics_file
from zoo.registry.store import Registry
from zoo.reports import wording
from zoo.runs import folder, sources
from zoo.runs.folder import RunFolder, find_run, near_run
from zoo.runs.naming import as_argument
from zoo.runs.sources import Source
from zoo.storage import reading, strict_json
from zoo.tasks import Task

RUN, VERSION = "run", "version"
LEFT_OUT = "(left out: a path or a secret of the machine it was trained on)"
_RECIPE_BYTES, _METRICS_BYTES = 1 << 20, 64 << 20
_KEYS = 1_000_000  # of a metrics file: 10,000 classes have 200,000


@dataclass(frozen=True)
class Subject:
    """``kind``: :data:`RUN` or :data:`VERSION`; ``argument``: as it is typed in a command;
    ``data``, ``preprocessing``, ``environment``, ``plugin``: as a record holds them; ``recipe``:
    without what is nobody's business; ``digest``: sha256 of the weights (of an ensemble, of its
    record), empty where none are kept; ``about``: what else it says of itself, by name.

    ``predictions``: where those on a split would be; ``written``: the figures that were kept on
    one, None where there are none; ``source``: the data it was trained on, None where nobody knows;
    ``events``: the log of its training, None of a version, which keeps none; ``temperature``: by
    which its logits are divided, None where they are not."""

    kind: str
    name: str
    argument: str
    task: Task
    architecture: str
    data: Mapping[str, Any]
    recipe: Mapping[str, Any]
    preprocessing: Mapping[str, Any]
    environment: Mapping[str, Any]
    plugin: Mapping[str, Any]
    digest: str
    predictions: Callable[[str], Path]
    written: Callable[[str], Mapping[str, Any] | None]
    source: Callable[[], Source | None]
    about: Mapping[str, Any] = field(default_factory=dict)
    events: Path | None = None
    temperature: float | None = None

    @property
    def splits(self) -> list[str]:
        """In the order in which people look for them."""
        there = wording.table(self.data, "splits")
        known = [name for name in (TRAIN, VAL, TEST) if name in there]
        return [*known, *sorted(set(there) - {*known})]

    def split(self, asked: str | None) -> str:
        """The one to report on: test, or else val. Raises :class:`ReportError` for one that there
        is not."""
        there = self.splits
        if asked is None:
            return next((name for name in (TEST, VAL) if name in there), TEST)
        if there and asked not in there:
            raise ReportError(
                f"{self.kind} {self.name!r} has no split {clipped(asked)!r}"
                f"{nearest(asked, there)}; expected one of {wording.listed(there)}"
            )
        return asked

    def evaluate(self, split: str) -> str:
        """The command that measures it."""
        return f"zoo eval {self.argument} --split {shlex.quote(split)}"


def open_subject(reference: str, registry: str | None = None) -> Subject:
    """A run by its path or name, or a version by its reference."""
    if sources.is_path(reference):
        return _of_run(find_run(reference))
    try:
        opened, parsed = find(reference, registry)
        return _of_version(opened, opened.record(parsed))
    except RegistryError as error:
        close = near_run(reference)
        if close is None or {"@", ":"} & {*reference}:
            raise
        raise RegistryError(f"{error}; there is a run {close!r}") from error


def _of_run(run: RunFolder) -> Subject:
    info, recipe = run.info, _recipe(run)
    digest = sources.sha256(sources.weights_of(run)) if sources.has_weights(run) else ""
    temperature = sources.temperature_of(run, digest)
    task = Task.from_json(sources.part_of(run, "task"))
    return Subject(
        kind=RUN,
        name=run.path.name or str(run.path),
        argument=as_argument(run.path),
        task=with_temperature(task, temperature or 1.0),
        architecture=wording.text(info.get("architecture")),
        data=sources.part_of(run, "data"),
        recipe=_public(recipe),
        preprocessing=wording.table(info, "preprocessing"),
        environment=wording.table(info, "environment"),
        plugin=wording.table(info, "plugin"),
        digest=digest,
        predictions=run.predictions_path,
        written=lambda split: run.metrics(split) if run.metrics_path(split).is_file() else None,
        source=lambda: _source(run, recipe),
        about=info,
        events=run.path / folder.EVENTS,
        temperature=temperature,
    )


def _recipe(run: RunFolder) -> dict[str, Any]:
    path = run.path / folder.RECIPE
    try:
        data = reading.read(path, _RECIPE_BYTES, what="recipe")
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RunError(
            f"recipe {str(path)!r} cannot be read: {clipped(str(error), 120)}"
        ) from error


def _source(run: RunFolder, recipe: Mapping[str, Any]) -> Source:
    """From the data's sections alone: to look at the rest would take torch, and every plugin."""
    dataset, split = wording.table(recipe, "dataset"), wording.table(recipe, "split")
    name, root = dataset.get("name"), dataset.get("root")
    try:
        plan = SplitPlan(**SplitSection.model_validate(split).model_dump())
    except ValidationError as error:
        key = ".".join(map(str, ("split", *error.errors()[0]["loc"])))
        raise ReportError(f"the recipe of run {str(run.path)!r} is damaged: {key[:80]}") from error
    if not isinstance(name, str) or not isinstance(root, str | None):
        raise ReportError(f"the recipe of run {str(run.path)!r} is damaged: it names no dataset")
    options = {key: value for key, value in dataset.items() if key not in ("name", "root")}
    return Source(name, options, plan, root)


def _of_version(registry: Registry, record: Record) -> Subject:
    name = f"{record.model}@{record.version}"
    network = record.ensemble is None
    return Subject(
        kind=VERSION,
        name=name,
        argument=name,
        task=record.task,
        architecture=record.made_of,
        data=record.data,
        recipe=record.recipe,
        preprocessing=record.preprocessing if network else {},
        environment=record.environment,
        plugin=record.plugin if network else {},
        digest=record.weights_sha256 if network else registry.digest(record),
        predictions=lambda split: Path("predictions") / name.replace("@", "-") / f"{split}.npz",
        written=functools.partial(_figures, registry, record),
        source=lambda: sources.source_of(record),
        about={**record.model_dump(mode="json"), "digest": registry.digest(record)},
        temperature=record.calibration["temperature"] if record.calibration else None,
    )


def _figures(registry: Registry, record: Record, split: str) -> Mapping[str, Any] | None:
    path = metrics_file(split)
    if path not in {file["path"] for file in record.files}:
        return record.metrics.get(split)
    data = registry.read_file(record, path)
    found = strict_json.loads(data, f"{path} of {record}", _METRICS_BYTES, _KEYS)
    return found if isinstance(found, Mapping) else None


def _public(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What may be shown to strangers: no trackers, no folders of this machine, no secrets."""
    shown = {key: value for key, value in recipe.items() if key != "trackers"}
    return {key: _without_private(key, value) for key, value in shown.items()}


def _without_private(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_private(f"{key}.{name}", inner)
            for name, inner in value.items()
            if f"{key}.{name}" != "dataset.root"
        }
    if isinstance(value, list):
        return [_without_private(key, one) for one in value]
    if isinstance(value, str) and (find_path(value) or find_secret({key: value})):
        return LEFT_OUT
    return value
