"""Carry out a recipe: open, build, check, then train in a folder of its own."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from zoo.data.device import choose_device
from zoo.data.fitting import Form
from zoo.data.splits import TRAIN, VAL, SplitPlan
from zoo.data.tiers import Held
from zoo.errors import RunError, TrainingError, ZooError, reason
from zoo.plugins.catalog import Catalog, catalog
from zoo.plugins.contexts import TrackerContext
from zoo.recipes.problems import Places
from zoo.recipes.reading import Override, open_recipe
from zoo.recipes.resolving import resolve
from zoo.recipes.schema import Recipe
from zoo.recipes.writing import recipe_data, write_recipe
from zoo.runs import building, opening
from zoo.runs import folder as folders
from zoo.runs.environment import cores, environment, plugin_record
from zoo.runs.folder import RunFolder
from zoo.storage import commit
from zoo.tasks import SEGMENTATION
from zoo.training import events, loop
from zoo.training.checkpoints import Checkpoints
from zoo.training.stopping import Stopping


def _silent(event: events.Event) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Prepared:
    """A recipe whose every part is built and checked; nothing is written yet. ``about`` is what
    ``run.json`` says from the start."""

    recipe: Recipe
    about: Mapping[str, Any]
    trainee: loop.Trainee


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
    checked, places = open_recipe(source, overrides, catalog())
    path = Path(folder) if folder is not None else None
    if path is not None and (path.exists() or path.is_symlink()):
        raise RunError(folders.taken(path))

    def tell(event: events.Event) -> None:
        for subscriber in subscribers:
            subscriber(event)

    device = choose_device(checked.training.device)
    with _torch_state(checked.training.threads or cores(), device):
        prepared = prepare(checked, catalog(), device, tell, places)
        run = RunFolder.create(path) if path else _free_folder(prepared.recipe)
        carry_out(prepared, run, catalog(), subscribers)
    return run


def prepare(
    given: Recipe,
    installed: Catalog,
    device: torch.device,
    tell: opening.Tell = _silent,
    places: Places | None = None,
) -> Prepared:
    """Open the data, build every part and try them out, so that what is wrong shows before a folder
    is made. ``places``: where each key of the recipe stands, for messages."""
    recipe = _with_absolute_root(given)
    plan = SplitPlan(**recipe.split.model_dump())
    opened = opening.open_dataset(
        installed, recipe.dataset.name, recipe.dataset.options, recipe.dataset.root, plan
    )
    task = opened.dataset.task
    if task.kind == SEGMENTATION:
        raise TrainingError(
            f"dataset {opened.name!r} is for segmentation, which cannot be trained yet; "
            f"zoo data check and zoo data show work on it"
        )
    for text in opening.notices(opened):
        tell(events.Notice(text))
    recipe = resolve(recipe, task, *opened.native(), cores(), catalog=installed, places=places)
    # The size that images must agree on was not resolved from one of them.
    form = Form(recipe.data.form[2], given.data.stored, recipe.data.fit)
    keeping = opening.keeping(recipe.data, recipe.training.threads, tell)
    store, val = (opened.hold(part, form, keeping) for part in (TRAIN, VAL))
    preprocessing = opening.preprocessing_for(store, recipe.data)
    network = building.network(recipe, installed, task, preprocessing, device)

    def hold(size: tuple[int, int]) -> Held:
        return opened.hold(TRAIN, replace(form, size=size), keeping)

    loader = building.loader(recipe, installed, opened, store, preprocessing, device, hold)
    optimizer = building.optimizer(recipe, installed, network)
    schedule = building.schedule(recipe, installed, optimizer, loader)
    loss = building.loss(recipe, installed, task, store, device)
    stop = recipe.stopping
    architecture = installed.get("architecture", recipe.architecture.name)
    trainee = loop.Trainee(
        task=task,
        network=network,
        loss=loss,
        optimizer=optimizer,
        schedule=schedule,
        loader=loader,
        val_loader=building.reader(recipe, val, preprocessing, task, device),
        stopping=Stopping(stop.monitor, stop.mode, stop.patience, stop.min_delta),
        checkpoints=Checkpoints(Path()),
        epochs=recipe.training.epochs,
        seed=recipe.training.seed,
    )
    building.try_out(trainee, architecture, installed.get("loss", recipe.loss.name))
    about = {
        "task": task.as_json(),
        "preprocessing": preprocessing.as_json(),
        "data": opening.data_record(opened, store),
        "class_counts": dict(zip(task.classes, store.class_counts(task), strict=True)),
        "plugin": plugin_record(architecture),
        "environment": environment(device),
        "skipped": opening.skipped_record({TRAIN: store, VAL: val}),
    }
    return Prepared(recipe, about, trainee)


def carry_out(
    prepared: Prepared,
    run: RunFolder,
    installed: Catalog,
    subscribers: Sequence[events.Subscriber] = (),
) -> None:
    """Train in ``run``; whatever ends it, ``run.json`` says so."""
    recipe = prepared.recipe
    trainee = replace(prepared.trainee, checkpoints=Checkpoints(run.path))
    try:
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
        everyone = [*subscribers, *_trackers(recipe, run, installed)]
        with (run.path / folders.EVENTS).open("w", encoding="utf-8") as log:
            for event in loop.train(trainee):
                log.write(json.dumps(event.as_json(), allow_nan=False) + "\n")
                log.flush()
                _note(run, event)
                for subscriber in everyone:
                    subscriber(event)
    except BaseException as error:
        stopped = isinstance(error, KeyboardInterrupt | SystemExit)
        # A full disk may refuse this too; what ended the run is what has to be said.
        with contextlib.suppress(ZooError):
            status = folders.INTERRUPTED if stopped else folders.FAILED
            run.update(status=status, reason=reason(error))
        if isinstance(error, OSError):
            raise RunError(f"run {str(run.path)!r} cannot go on: {reason(error)}") from error
        raise


def _trackers(recipe: Recipe, run: RunFolder, installed: Catalog) -> list[events.Subscriber]:
    context = TrackerContext(run.path, recipe_data(recipe))
    chosen = [(installed.get("tracker", one.name), one.options) for one in recipe.trackers]
    return [building.blamed(one, one.build(context, options)) for one, options in chosen]


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


def _with_absolute_root(recipe: Recipe) -> Recipe:
    """So that the run can be evaluated and repeated from any working folder."""
    if recipe.dataset.root is None:
        return recipe
    root = str(Path(recipe.dataset.root).expanduser().absolute())
    return recipe.model_copy(update={"dataset": recipe.dataset.model_copy(update={"root": root})})


def _free_folder(recipe: Recipe) -> RunFolder:
    """``runs/DATASET-ARCHITECTURE-N``, the first N that is free, whoever else starts one."""
    stem = f"{recipe.dataset.name}-{recipe.architecture.name}".replace("/", "-")
    while True:
        path = folders.free_name(stem)
        try:
            return RunFolder.create(path)
        except RunError:
            if not path.exists():
                raise


@contextmanager
def _torch_state(threads: int, device: torch.device) -> Iterator[None]:
    """Our thread count and seeds inside, the caller's own outside: a notebook goes on as it was."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    forked = [device.index or 0] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=forked):
            yield
    finally:
        torch.set_num_threads(before)
