"""What can be evaluated: a run's kept weights, or a published version."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from zoo.data.preprocessing import Preprocessing
from zoo.errors import RunError
from zoo.plugins.catalog import catalog
from zoo.recipes.reading import read_recipe
from zoo.recipes.schema import Recipe
from zoo.registry.loading import build_network, load, put_weights
from zoo.runs import folder as folders
from zoo.runs.folder import RunFolder
from zoo.storage import tensors
from zoo.tasks import Task
from zoo.training.checkpoints import STATE, WEIGHTS


@dataclass(frozen=True)
class Subject:
    """``source``: as people would name it; ``dataset``: the recipe's section, with the split's
    fractions; ``digest``: sha256 of the weights file; ``run``: None for a published version."""

    source: str
    task: Task
    preprocessing: Preprocessing
    network: nn.Module
    dataset: Mapping[str, Any]
    digest: str
    run: RunFolder | None = None


def is_path(reference: str) -> bool:
    """An argument with a slash, a leading dot or a file suffix is a path; otherwise a reference."""
    return "/" in reference or reference.startswith(".") or bool(Path(reference).suffix)


def open_subject(reference: str, registry: str | None = None) -> Subject:
    """A run by its path, or a version by its reference (``name``, ``name@3``)."""
    if is_path(reference.partition("@")[0]):
        return _of_run(RunFolder.open(Path(reference)))
    model = load(reference, registry=registry, device="cpu")
    recipe = model.record.recipe
    dataset = {
        "name": model.record.data["dataset"],
        "options": {k: v for k, v in recipe["dataset"].items() if k not in ("name", "root")},
        "split": recipe["split"],
    }
    return Subject(
        source=f"{model.name}@{model.version}",
        task=model.task,
        preprocessing=model.preprocessing,
        network=model.network,
        dataset=dataset,
        digest=model.record.weights_sha256,
    )


def _of_run(run: RunFolder) -> Subject:
    info, recipe = run.info, recipe_of(run)
    weights = weights_of(run)
    task = Task.from_json(info["task"])
    preprocessing = Preprocessing.from_json(info["preprocessing"])
    network = build_network(architecture_record(recipe, preprocessing), task, catalog())
    put_weights(network, tensors.load(weights), str(weights))
    return Subject(
        source=run.path.name,
        task=task,
        preprocessing=preprocessing,
        network=network.eval(),
        dataset={
            "name": recipe.dataset.name,
            "root": recipe.dataset.root,
            "options": recipe.dataset.options,
            "split": recipe.split.model_dump(),
        },
        digest=sha256(weights),
        run=run,
    )


def recipe_of(run: RunFolder) -> Recipe:
    return read_recipe(run.path / folders.RECIPE, (), catalog())


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
