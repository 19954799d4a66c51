"""What a recipe would do, without doing it: ``zoo train --dry-run``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo.data.device import choose_device, free_memory
from zoo.data.store import Store
from zoo.data.tiers import Held
from zoo.plugins.catalog import catalog
from zoo.recipes.reading import Override, open_recipe
from zoo.recipes.schema import Recipe
from zoo.recipes.writing import recipe_data
from zoo.runs.environment import cores
from zoo.runs.preparing import prepare
from zoo.runs.session import torch_session
from zoo.runs.train import teller
from zoo.training import events
from zoo.training.batch_size import images_that_fit
from zoo.training.layer_table import LayerTable, describe
from zoo.training.memory import Memory, estimate
from zoo.training.shares import class_shares
from zoo.training.workload import Workload, images_of, parts_of


@dataclass(frozen=True)
class DryRun:
    """``recipe``: resolved; ``samples`` and ``steps``: of the first epoch; ``at_once``: images in a
    forward pass; ``stored``: bytes of the images that are kept in memory or mapped; ``free``: bytes
    free now, with weights and images in place; ``fit``: how many images at once would fit, where
    ``at_once`` does not, else None."""

    recipe: Recipe
    device: str
    layers: LayerTable
    memory: Memory
    shares: events.ClassShares
    samples: int
    steps: int
    at_once: int
    stored: int
    free: int
    fit: int | None

    def as_json(self) -> dict[str, Any]:
        return {
            "recipe": recipe_data(self.recipe),
            "device": self.device,
            "layers": {**asdict(self.layers), "training_flops": self.layers.training_flops},
            "memory": {
                "images_at_once": self.at_once,
                "bytes": {**self.memory.rows(self.at_once), "images kept": self.stored},
                "needed": self.memory.needed(self.at_once),
                "free": self.free,
                "images_that_fit": self.fit,
            },
            "epochs": self.recipe.training.epochs,
            "samples_per_epoch": self.samples,
            "steps_per_epoch": self.steps,
            "classes": self.shares.by_class(),
        }


def dry_run(
    recipe: str | Path | Mapping[str, Any] | None = None,
    *,
    overrides: Mapping[str, Any] | Sequence[Override] = (),
    subscribers: Sequence[events.Subscriber] = (),
) -> DryRun:
    """All that :func:`zoo.train` does before its first step, and what can be said of the rest. No
    run's folder is made; decoded images may be kept for the next time."""
    if isinstance(overrides, Mapping):
        overrides = [Override(key, value, key) for key, value in overrides.items()]
    source = Path(recipe) if isinstance(recipe, str) else recipe
    checked, places = open_recipe(source, overrides, catalog())
    device = choose_device(checked.training.device)
    with torch_session(checked.training, checked.training.threads or cores(), device):
        prepared = prepare(checked, catalog(), device, teller(subscribers), places)
        run = prepared.trainee
        work = Workload.of(run)
        samples, steps = run.loader.size_of(1)
        at_once = min(images_of(run)[1], samples)
        memory, free = estimate(work), free_memory(device)
        fits = memory.needed(at_once) <= free
        return DryRun(
            prepared.recipe,
            str(device),
            describe(run.network, work.image),
            memory,
            class_shares(run.loader, run.loss, run.task),
            samples,
            steps,
            at_once,
            sum(_bytes(one.store) for one in (*parts_of(run.loader), run.val_loader)),
            free,
            None if fits else images_that_fit(work, at_once // 2),
        )


def _bytes(store: Held) -> int:
    if not isinstance(store, Store):
        return 0
    return store.images.numel() + (0 if store.masks is None else store.masks.numel())
