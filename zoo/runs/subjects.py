"""What can be evaluated: a run's kept weights, or a published version."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from zoo.data.preprocessing import Preprocessing
from zoo.data.splits import SplitPlan
from zoo.errors import RegistryError, RunError
from zoo.plugins.catalog import catalog
from zoo.recipes.reading import read_recipe
from zoo.recipes.schema import Recipe
from zoo.registry.loading import load, network_with
from zoo.runs import folder
from zoo.runs.folder import RunFolder
from zoo.storage import tensors
from zoo.tasks import Task
from zoo.training.checkpoints import STATE, WEIGHTS


@dataclass(frozen=True)
class Source:
    """The data something was trained on, as its recipe names it."""

    name: str
    options: Mapping[str, Any]
    plan: SplitPlan
    root: str | None = None


@dataclass(frozen=True)
class Subject:
    """``name``: as people would name it; ``digest``: sha256 of the weights file; ``run``: None for
    a published version."""

    name: str
    task: Task
    preprocessing: Preprocessing
    network: nn.Module
    trained_on: Source
    digest: str
    run: RunFolder | None = None


def is_path(reference: str) -> bool:
    """An argument with a slash, a leading dot or a file suffix is a path; otherwise a reference."""
    return "/" in reference or reference.startswith(".") or bool(Path(reference).suffix)


def open_subject(reference: str, registry: str | None = None) -> Subject:
    """A run by its path, or a version by its reference (``name``, ``name@3``)."""
    if is_path(reference.partition("@")[0]):
        return of_run(RunFolder.open(Path(reference)))
    try:
        model = load(reference, registry=registry, device="cpu")
    except RegistryError as error:
        if (folder.RUNS / reference).is_dir():
            raise RegistryError(f"{error}; for the run type: {folder.RUNS / reference}") from error
        raise
    recipe: Mapping[str, Any] = model.record.recipe
    section = {key: value for key, value in recipe["dataset"].items() if key != "name"}
    return Subject(
        name=f"{model.name}@{model.version}",
        task=model.task,
        preprocessing=model.preprocessing,
        network=model.network,
        trained_on=Source(recipe["dataset"]["name"], section, SplitPlan(**recipe["split"])),
        digest=model.record.weights_sha256,
    )


def of_run(run: RunFolder) -> Subject:
    info, recipe, weights = run.info, recipe_of(run), weights_of(run)
    task = Task.from_json(info["task"])
    preprocessing = Preprocessing.from_json(info["preprocessing"])
    network = network_with(
        tensors.load(weights),
        architecture_record(recipe, preprocessing),
        task,
        catalog(),
        what=f"run {str(run.path)!r}",
        plugin=info["plugin"],
    )
    return Subject(
        name=run.path.name,
        task=task,
        preprocessing=preprocessing,
        network=network,
        trained_on=Source(
            recipe.dataset.name,
            recipe.dataset.options,
            SplitPlan(**recipe.split.model_dump()),
            recipe.dataset.root,
        ),
        digest=sha256(weights),
        run=run,
    )


def recipe_of(run: RunFolder) -> Recipe:
    return read_recipe(run.path / folder.RECIPE, (), catalog())


def weights_of(run: RunFolder) -> Path:
    """The kept weights: those of the best epoch or of the last, as the recipe says."""
    path = run.path / str(run.info.get("weights", "best")) / WEIGHTS
    if not path.is_file() or not (path.parent / STATE).is_file():
        raise RunError(f"run {str(run.path)!r} has kept no weights yet: no epoch was completed")
    return path


def architecture_record(recipe: Recipe, preprocessing: Preprocessing) -> dict[str, Any]:
    """What has to be known to build the network again."""
    return {
        "name": recipe.architecture.name,
        "options": dict(recipe.architecture.options),
        "in_channels": preprocessing.channels,
        "image_size": list(preprocessing.size),
    }


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
