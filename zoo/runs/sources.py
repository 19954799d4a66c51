"""What a run or a record says of itself and of its data: read without torch."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zoo.data.decoded import STOP
from zoo.data.splits import SplitPlan
from zoo.errors import RegistryError, RunError, ZooWarning
from zoo.plugins.catalog import catalog
from zoo.predictions.archive import MOST_TEMPERATURE
from zoo.recipes.reading import Override, read_recipe
from zoo.recipes.schema import Recipe, SplitSection
from zoo.registry.config import HUB
from zoo.registry.private import find_path
from zoo.registry.record import Record
from zoo.runs import folder
from zoo.runs.folder import CALIBRATION, INFO, RunFolder, named_run
from zoo.runs.naming import as_argument
from zoo.training.kept import BEST, LAST, weights_path

_ONLY_FOR_TRAINING = [
    Override(key, value, "")
    for key, value in (
        ("loss.name", "auto"),
        ("sampler.name", "shuffle"),
        ("optimizer.name", "adam"),
        ("scheduler.name", "none"),
        ("augmentations", []),
        ("copies", []),
        ("trackers", []),
    )
]


@dataclass(frozen=True)
class Source:
    """The data something was trained on, as its recipe names it."""

    name: str
    options: Mapping[str, Any]
    plan: SplitPlan
    root: str | None = None
    on_error: str = STOP


def is_path(reference: str) -> bool:
    """Whether a run is meant: by a slash, a leading dot, or the name of one that is here or in
    ``runs/``. Everything else is a reference; a model's name may have dots, and the Hub's slashes
    lead to no folder."""
    if reference.startswith(HUB):
        return False
    return "/" in reference or reference.startswith(".") or named_run(reference) is not None


def source_in(recipe: Recipe) -> Source:
    """The data that a run's recipe names."""
    return Source(
        recipe.dataset.name,
        recipe.dataset.options,
        SplitPlan(**recipe.split.model_dump()),
        recipe.dataset.root,
        recipe.data.on_error,
    )


def source_of(record: Record) -> Source | None:
    """None for weights from elsewhere. Raises :class:`RegistryError` unless the recipe in
    ``record``, which a stranger wrote, names its data, and nothing of this machine."""
    if record.source is not None:
        return None
    dataset, split = record.recipe.get("dataset"), record.recipe.get("split", {})
    found = find_path({"dataset": dataset, "split": split})
    if found:
        raise RegistryError(
            f"the recipe of {record} names a path of this machine: {found.where}: {found.shown!r}"
        )
    if not isinstance(dataset, dict) or not isinstance(dataset.get("name"), str):
        raise RegistryError(f"the recipe of {record} is damaged: it names no dataset")
    try:
        plan = SplitSection.model_validate(split)
    except ValidationError as error:
        key = ".".join(map(str, ("split", *error.errors()[0]["loc"])))
        raise RegistryError(f"the recipe of {record} is damaged: {key[:80]}") from error
    options = {key: value for key, value in dataset.items() if key not in ("name", "root")}
    return Source(str(dataset["name"]), options, SplitPlan(**plan.model_dump(exclude={"file"})))


def part_of(run: RunFolder, key: str) -> dict[str, Any]:
    """A table in ``run.json``. Raises :class:`RunError` when it is none."""
    part = run.info.get(key)
    splits = part.get("splits") if key == "data" and isinstance(part, dict) else {}
    if (
        not isinstance(part, dict)
        or not isinstance(splits, dict)
        or not all(isinstance(one, dict) for one in splits.values())
    ):
        raise RunError(f"run {str(run.path)!r}: its {folder.INFO} is damaged: {key!r}")
    return part


def recipe_for_use(run: RunFolder) -> Recipe:
    """Only what made the network and the data: a loss or tracker may be gone by now."""
    return read_recipe(run.path / folder.RECIPE, _ONLY_FOR_TRAINING, catalog())


def recipe_of(run: RunFolder) -> Recipe:
    return read_recipe(run.path / folder.RECIPE, (), catalog())


def weights_of(run: RunFolder) -> Path:
    """The kept weights: those of the best epoch or of the last, as the recipe says; a running
    average is kept of the best one."""
    if not has_weights(run):
        raise RunError(f"run {str(run.path)!r} has kept no weights yet: no epoch was completed")
    return _weights_path(run)


def has_weights(run: RunFolder) -> bool:
    return _weights_path(run).is_file()


def _weights_path(run: RunFolder) -> Path:
    return weights_path(run.path, LAST if run.info.get("weights") == LAST else BEST)


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def temperature_of(run: RunFolder, digest: str) -> float | None:
    """That its weights, of sha256 ``digest``, were calibrated with; None where they were not, and
    with a warning where it was others of the run's. Raises :class:`RunError` for a damaged one."""
    kept = run.info.get(CALIBRATION)
    if kept is None:
        return None
    value = kept.get("temperature") if isinstance(kept, dict) else None
    if type(value) is not float or not 0 < value <= MOST_TEMPERATURE:
        raise RunError(f"run {str(run.path)!r}: its {INFO} is damaged: {CALIBRATION!r}")
    if kept.get("weights_sha256") != digest:
        warnings.warn(
            f"run {str(run.path)!r} was calibrated with other weights, which counts no longer; "
            f"type: zoo eval {as_argument(run.path)} --calibrate",
            ZooWarning,
            stacklevel=3,
        )
        return None
    return value
