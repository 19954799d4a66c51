"""Carry out a recipe: open, build, check, then train in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from zoo.data.device import choose_device
from zoo.data.splits import TRAIN, VAL, Fractions
from zoo.errors import RunError, reason
from zoo.plugins.catalog import Catalog, catalog
from zoo.plugins.contexts import TrackerContext
from zoo.recipes.reading import Override, read_recipe
from zoo.recipes.resolving import resolve
from zoo.recipes.schema import Recipe
from zoo.recipes.writing import recipe_data, write_recipe
from zoo.runs import building, opening
from zoo.runs import folder as folders
from zoo.runs.environment import cores, environment, plugin_record
from zoo.runs.folder import RunFolder
from zoo.storage import commit
from zoo.training import events, loop
from zoo.training.checkpoints import Checkpoints
from zoo.training.stopping import Stopping


@dataclass(frozen=True)
class Prepared:
    """A recipe whose every part is built and checked; nothing is written yet. ``about`` is what
    ``run.json`` says from the start."""

    recipe: Recipe
    about: Mapping[str, Any]
    trainee: Callable[[Path], loop.Trainee]


def train(
    recipe: str | Path | Mapping[str, Any] | None = None,
    *,
    folder: str | Path | None = None,
    overrides: Mapping[str, Any] | Sequence[Override] = (),
    subscribers: Sequence[events.Subscriber] = (),
) -> RunFolder:
    """Train ``recipe`` (a TOML file, or the same as nested dicts) in ``folder`` (default: the next
    free one in ``runs/``), which must not exist. ``overrides`` change keys, as ``{"optimizer.lr":
    1e-3}``. Returns the run. The random state of the process is left as it was."""
    if isinstance(overrides, Mapping):
        overrides = [Override(key, value, key) for key, value in overrides.items()]
    source = Path(recipe) if isinstance(recipe, str) else recipe
    checked = read_recipe(source, overrides, catalog())
    path = Path(folder) if folder is not None else None
    if path is not None and (path.exists() or path.is_symlink()):
        raise RunError(folders.taken(path))
    with _torch_state(checked.training.threads or cores()):
        prepared = prepare(checked, catalog())
        run = RunFolder.create(path or _free_path(prepared.recipe))
        carry_out(prepared, run, subscribers)
    return run


def prepare(recipe: Recipe, installed: Catalog) -> Prepared:
    """Open the data and build every part, so that what is wrong shows before a folder is made."""
    device = choose_device(recipe.training.device)
    fractions = Fractions(recipe.split.val, recipe.split.test, recipe.split.seed)
    opened = opening.open_dataset(
        installed, recipe.dataset.name, recipe.dataset.options, recipe.dataset.root, fractions
    )
    task = opened.dataset.task
    recipe = resolve(recipe, task, *opened.native(), cores())
    height, width, channels = recipe.data.form
    store, val = (opened.store(part, channels) for part in (TRAIN, VAL))
    preprocessing = opening.preprocessing_for(store, (height, width), recipe.data.normalize)
    network = building.network(recipe, installed, task, preprocessing, device)
    loader = building.loader(recipe, installed, opened, store, preprocessing, device)
    optimizer = building.optimizer(recipe, installed, network)
    schedule = building.schedule(recipe, installed, optimizer, loader)
    loss = building.loss(recipe, installed, task, store, device)
    val_loader = building.reader(recipe, val, preprocessing, device)
    stop = recipe.stopping

    def trainee(folder: Path) -> loop.Trainee:
        return loop.Trainee(
            task=task,
            network=network,
            loss=loss,
            optimizer=optimizer,
            schedule=schedule,
            loader=loader,
            val_loader=val_loader,
            stopping=Stopping(stop.monitor, stop.mode, stop.patience, stop.min_delta),
            checkpoints=Checkpoints(folder),
            epochs=recipe.training.epochs,
            seed=recipe.training.seed,
        )

    architecture = installed.get("architecture", recipe.architecture.name)
    about = {
        "task": task.as_json(),
        "preprocessing": preprocessing.as_json(),
        "data": opening.data_record(opened, store),
        "class_counts": dict(zip(task.classes, store.class_counts(len(task.classes)), strict=True)),
        "plugin": plugin_record(architecture),
        "environment": environment(device),
    }
    return Prepared(recipe, about, trainee)


def carry_out(prepared: Prepared, run: RunFolder, subscribers: Sequence[events.Subscriber]) -> None:
    """Train in ``run``; whatever ends it, ``run.json`` says so."""
    recipe = prepared.recipe
    commit.write(run.path / folders.RECIPE, write_recipe(recipe).encode())
    run.update(
        format=1,
        status=folders.RUNNING,
        created=folders.now(),
        dataset=recipe.dataset.name,
        architecture=recipe.architecture.name,
        weights=recipe.training.evaluate,
        **prepared.about,
    )
    trackers = [
        catalog()
        .get("tracker", one.name)
        .build(TrackerContext(run.path, recipe_data(recipe)), one.options)
        for one in recipe.trackers
    ]
    try:
        with (run.path / folders.EVENTS).open("w", encoding="utf-8") as log:
            for event in loop.train(prepared.trainee(run.path)):
                log.write(json.dumps(event.as_json()) + "\n")
                log.flush()
                _note(run, event)
                for subscriber in (*subscribers, *trackers):
                    subscriber(event)
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt | SystemExit)
        run.update(status=folders.INTERRUPTED if stopped else folders.FAILED, reason=reason(error))
        raise


def _note(run: RunFolder, event: events.Event) -> None:
    if isinstance(event, events.EpochEnded):
        changes: dict[str, Any] = {"epochs_done": event.epoch}
        if event.improved:
            changes["best"] = {"epoch": event.epoch, "metrics": dict(event.val)}
        run.update(**changes)
    elif isinstance(event, events.TrainingEnded):
        run.update(
            status=folders.FINISHED, reason=event.reason, seconds=event.seconds, ended=folders.now()
        )


def _free_path(recipe: Recipe) -> Path:
    return folders.free_name(f"{recipe.dataset.name}-{recipe.architecture.name}".replace("/", "-"))


@contextmanager
def _torch_state(threads: int) -> Iterator[None]:
    """Our thread count and seeds inside, the caller's own outside: a notebook goes on as it was."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
    try:
        with torch.random.fork_rng(devices=list(devices)):
            yield
    finally:
        torch.set_num_threads(before)
