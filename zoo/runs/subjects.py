"""What can be evaluated: a run's kept weights, or a published version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from zoo.data.preprocessing import Preprocessing
from zoo.errors import RegistryError, RunError
from zoo.plugins.catalog import catalog
from zoo.predictions.calibration import with_temperature
from zoo.predictions.views import Views
from zoo.recipes.schema import Recipe
from zoo.registry.calibrated import Calibrated
from zoo.registry.ensemble import Combined, Ensemble
from zoo.registry.loading import load, network_with
from zoo.registry.model import Predictor
from zoo.runs.folder import RunFolder, find_run, near_run
from zoo.runs.sources import (
    Source,
    is_path,
    part_of,
    recipe_for_use,
    sha256,
    source_in,
    source_of,
    temperature_of,
    weights_of,
)
from zoo.storage import tensors
from zoo.tasks import Task


@dataclass(frozen=True)
class Subject:
    """``name``: as people would name it; ``trained_on``: None for weights from elsewhere;
    ``data``: what its record says of the data, by dataset, fingerprint and splits; ``digest``:
    sha256 of the weights file, of an ensemble of its record; ``run``: None for a published version;
    ``combined``: what answers where it is an ensemble, which has no network of its own;
    ``temperature``: by which ``network`` divides its logits, None where it does not."""

    name: str
    task: Task
    preprocessing: Preprocessing
    network: nn.Module
    trained_on: Source | None
    data: Mapping[str, Any]
    digest: str
    run: RunFolder | None = None
    combined: Combined | None = None
    temperature: float | None = None

    def predictor(self, device: torch.device) -> Predictor:
        """What answers, on ``device``."""
        if self.combined is not None:
            return self.combined.on(device)
        return Predictor(self.task, self.preprocessing, self.network, device)


def open_subject(reference: str, registry: str | None = None) -> Subject:
    """A run by its path or name, or a version by its reference (``name``, ``name@3``); a bare name
    that is a run's, here or in ``runs/``, is the run."""
    if is_path(reference):
        return of_run(find_run(reference))
    try:
        model = load(reference, registry=registry, device="cpu")
    except RegistryError as error:
        close = near_run(reference)
        if close is None or {"@", ":"} & {*reference}:
            raise
        raise RegistryError(f"{error}; there is a run {close!r}") from error
    return Subject(
        name=f"{model.name}@{model.version}",
        task=model.task,
        preprocessing=model.preprocessing,
        network=model.network,
        trained_on=source_of(model.record),
        data=model.record.data,
        digest=model.digest if isinstance(model, Ensemble) else model.record.weights_sha256,
        combined=model if isinstance(model, Ensemble) else None,
        temperature=model.record.calibration and model.record.calibration["temperature"],
    )


def of_run(run: RunFolder) -> Subject:
    recipe = recipe_for_use(run)
    weights = weights_of(run)
    digest = sha256(weights)
    temperature = temperature_of(run, digest)
    task = with_temperature(Task.from_json(part_of(run, "task")), temperature or 1.0)
    preprocessing = Preprocessing.from_json(part_of(run, "preprocessing"))
    network = network_with(
        tensors.load(weights),
        architecture_record(recipe, preprocessing),
        task,
        catalog(),
        what=f"run {str(run.path)!r}",
        plugin=part_of(run, "plugin"),  # type: ignore[arg-type]
    )
    return Subject(
        name=run.path.name,
        task=task,
        preprocessing=preprocessing,
        network=network if temperature is None else Calibrated(network, temperature).eval(),
        trained_on=source_in(recipe),
        data=part_of(run, "data"),
        digest=digest,
        run=run,
        temperature=temperature,
    )


def with_views(subject: Subject, name: str) -> Subject:
    """``subject``, asked about several views of each image (``zoo.predictions.views``). Raises
    :class:`RunError` for an ensemble, whose members would have to be asked."""
    if subject.combined is not None:
        raise RunError(
            f"tta {name!r}: {subject.name!r} is an ensemble; give its members, to be asked so"
        )
    network = Views(subject.network, subject.task, name, subject.preprocessing.size)
    return replace(subject, network=network)


def architecture_record(recipe: Recipe, preprocessing: Preprocessing) -> dict[str, Any]:
    """What has to be known to build the network again."""
    return {
        "name": recipe.architecture.name,
        "options": dict(recipe.architecture.options),
        "in_channels": preprocessing.channels,
        "image_size": list(preprocessing.size),
    }
