"""From a checked recipe to everything built and tried out; nothing is written yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoo.data.fitting import Form
from zoo.data.loader import Loader
from zoo.data.resolutions import Resolutions
from zoo.data.splits import TRAIN, VAL, SplitPlan
from zoo.data.tiers import Held
from zoo.plugins.catalog import Catalog
from zoo.recipes.problems import Places
from zoo.recipes.resolving import resolve
from zoo.recipes.schema import Recipe
from zoo.recipes.writing import recipe_data
from zoo.runs import building, holding, initialize, opening, published, tracking
from zoo.runs.environment import cores, environment, plugin_record
from zoo.training import events, loop
from zoo.training.batch_size import find_sizes
from zoo.training.checkpoints import Checkpoints
from zoo.training.freezing import Freezing
from zoo.training.optimizer import Schedule
from zoo.training.position import Pause, seconds_of
from zoo.training.precision import BF16, choose_precision, has_bf16_instructions
from zoo.training.replicas import ALONE, Replicas
from zoo.training.shares import class_shares
from zoo.training.stopping import Stopping
from zoo.training.workload import Workload, parts_of


def silent(event: events.Event) -> None:
    """Nobody listens."""


class Heard:
    """Passes events on and keeps them, for a log that cannot be opened yet."""

    def __init__(self, tell: events.Subscriber) -> None:
        self.events: list[events.Event] = []
        self._tell = tell

    def __call__(self, event: events.Event) -> None:
        self.events.append(event)
        self._tell(event)


@dataclass(frozen=True)
class Prepared:
    """A recipe whose every part is built and checked. ``about`` is what ``run.json`` says from the
    start; ``data``: what it says of the data, and the contents of the validation split, which a
    resumed run must agree with; ``heard``: what was told meanwhile, and takes more of it."""

    recipe: Recipe
    about: Mapping[str, Any]
    data: Mapping[str, Any]
    trainee: loop.Trainee
    heard: Heard


def prepare(
    given: Recipe,
    installed: Catalog,
    device: torch.device,
    listener: events.Subscriber = silent,
    places: Places | None = None,
    *,
    resumed: bool = False,
    replicas: Replicas = ALONE,
) -> Prepared:
    """Open the data, build every part and try them out, so that what is wrong shows before a folder
    is made. ``places``: where each key of the recipe stands, for messages; ``resumed``: weights are
    to come from a checkpoint, so none are read from where the recipe began."""
    tell = Heard(listener)
    opened = _opened(given, installed, tell)
    task = opened.dataset.task
    replicas.wait_for_first()  # it downloads and decodes what all of one machine use
    with published.downloads_told(tell):
        given = published.with_size(given, installed, task, opened.native, tell)
        recipe = _resolved(given, installed, opened, device, tell, places, replicas)
        source = None if resumed else initialize.open_source(recipe, installed, task)
    recipe = initialize.pinned(recipe, source, places)
    # The size that images must agree on was not resolved from one of them.
    form = Form(recipe.data.form[2], given.data.stored, recipe.data.fit, recipe.data.filter)
    keeping = holding.keeping(recipe.data, recipe.training.threads, tell)
    store, val = (opened.hold(part, form, keeping) for part in (TRAIN, VAL))
    preprocessing = holding.preprocessing_for(store, recipe.data)
    network = building.network(recipe, installed, task, preprocessing, device)
    initialized = initialize.initialize(network, source, task, preprocessing.channels)
    freezing = Freezing(network, recipe.transfer, task.outputs)
    if initialized is not None:
        tell(initialized)
    little = initialize.little(initialized)
    for text in filter(None, (little, str(freezing), _unused_average(recipe))):
        tell(events.Notice(text))

    def hold(size: tuple[int, int]) -> Held:
        return opened.hold(TRAIN, replace(form, size=size), keeping)

    loader = building.loader(
        recipe, installed, opened, store, preprocessing, device, hold, replicas
    )
    replicas.let_others_go()
    val_loader = building.reader(recipe, val, preprocessing, task, device, replicas)
    loss = building.loss(recipe, installed, task, store, device)
    trainee = _trainee(recipe, installed, network, loss, loader, val_loader, freezing, replicas)
    recipe = _tried_out(recipe, installed, trainee, freezing, tell)
    shares = class_shares(loader, loss, task)
    tell(shares)
    about = {
        "task": task.as_json(),
        "preprocessing": preprocessing.as_json(),
        "data": holding.data_record(opened, store),
        "class_counts": dict(zip(task.classes, shares.counts, strict=True)),
        "class_shares": shares.by_class(),
        "plugin": plugin_record(installed.get("architecture", recipe.architecture.name)),
        "environment": {**environment(device), "processes": replicas.ranks},
        **initialize.record(initialized),
        "skipped": holding.skipped_record({TRAIN: store, VAL: val}),
    }
    data = {**holding.data_record(opened, store), "val": val.fingerprint()}
    replicas.require_equal({"recipe": _shared(recipe), "data": data})
    return Prepared(recipe, about, data, trainee, tell)


def _opened(given: Recipe, installed: Catalog, tell: holding.Tell) -> opening.Opened:
    """The data that the recipe names, not decoded yet."""
    tracking.require(given, installed)
    recipe = _with_absolute_root(given)
    plan = SplitPlan(**recipe.split.model_dump())
    opened = opening.open_dataset(
        installed, recipe.dataset.name, recipe.dataset.options, recipe.dataset.root, plan
    )
    for text in opening.notices(opened):
        tell(events.Notice(text))
    return opened


def _resolved(
    given: Recipe,
    installed: Catalog,
    opened: opening.Opened,
    device: torch.device,
    tell: holding.Tell,
    places: Places | None,
    replicas: Replicas,
) -> Recipe:
    """The recipe without anything that depends on data or machine but the sizes of batches."""
    recipe = initialize.with_absolute_init(_with_absolute_root(given))
    task, threads = opened.dataset.task, cores(replicas.neighbours)
    recipe = resolve(recipe, task, *opened.native(), threads, catalog=installed, places=places)
    return _with_precision(recipe, device, tell)


def _trainee(
    recipe: Recipe,
    installed: Catalog,
    network: nn.Module,
    loss: Callable[..., Tensor],
    loader: Loader | Resolutions,
    val_loader: Loader,
    freezing: Freezing,
    replicas: Replicas,
) -> loop.Trainee:
    """All but the schedule, which has to know the steps of an epoch, and where it is kept."""
    task, training, stop = val_loader.task, recipe.training, recipe.stopping
    optimizer = building.optimizer(recipe, installed, network, task.outputs)
    return loop.Trainee(
        task=task,
        network=network,
        loss=loss,
        update=building.update(recipe, network, optimizer, loader.device, replicas),
        schedule=Schedule(optimizer),
        loader=loader,
        val_loader=val_loader,
        stopping=Stopping(stop.monitor, stop.mode, stop.patience, stop.min_delta),
        checkpoints=Checkpoints(None),
        epochs=training.epochs,
        seed=training.seed,
        micro_batch=building.number_or(0, training.micro_batch),
        compile=training.compile,
        before_epoch=freezing.before_epoch,
        average_chosen=training.evaluate == "ema",
        pause=Pause(seconds_of(training.max_time)),
        replicas=replicas,
    )


def _tried_out(
    recipe: Recipe,
    installed: Catalog,
    trainee: loop.Trainee,
    freezing: Freezing,
    tell: holding.Tell,
) -> Recipe:
    """Try the parts together, find the sizes of batches, and build the schedule."""
    architecture = installed.get("architecture", recipe.architecture.name)
    building.try_out(trainee, architecture, installed.get("loss", recipe.loss.name))
    if recipe.transfer.unfreeze_epoch == 0:
        freezing.before_epoch(1)  # what is never trained needs no memory for gradients
    recipe = _with_sizes(recipe, trainee, tell)
    optimizer = trainee.update.optimizer
    trainee.schedule = building.schedule(recipe, installed, optimizer, trainee.loader)
    return recipe


def _unused_average(recipe: Recipe) -> str:
    training = recipe.training
    if not training.ema or training.evaluate == "ema":
        return ""
    return (
        f"training.ema = {training.ema:g}: the average is kept in checkpoints only; to measure and "
        f"keep it add --set training.evaluate=ema"
    )


def _with_precision(recipe: Recipe, device: torch.device, tell: holding.Tell) -> Recipe:
    training = recipe.training
    name = choose_precision(training.precision, device)
    if device.type == "cpu" and has_bf16_instructions() != (name == BF16):
        text = (
            "this processor has no bf16 instructions: precision 'bf16' is slower than 'fp32' here"
            if name == BF16
            else "this processor computes in bf16: --precision bf16 may be twice as fast"
        )
        tell(events.Notice(text))
    return recipe.model_copy(update={"training": training.model_copy(update={"precision": name})})


def _with_sizes(recipe: Recipe, trainee: loop.Trainee, tell: holding.Tell) -> Recipe:
    """Numbers in place of "auto", in the recipe and in the trainee."""
    training, loader = recipe.training, trainee.loader
    sizes = find_sizes(
        Workload.of(trainee),
        training.batch_size,
        training.micro_batch,
        loader.samples,
        trainee.replicas.ranks,
        trainee.replicas.least,
    )
    if sizes is None:
        return recipe
    tell(events.Notice(sizes.text))
    for part in parts_of(loader):
        part.batch_size = sizes.batch_size
    trainee.micro_batch = sizes.micro_batch
    numbers = {"batch_size": sizes.batch_size, "micro_batch": sizes.micro_batch}
    return recipe.model_copy(update={"training": training.model_copy(update=numbers)})


def _shared(recipe: Recipe) -> dict[str, Any]:
    """What must be the same for all processes. Machines may differ in cores and in places."""
    data = recipe_data(recipe)
    for section, key in (("training", "threads"), ("dataset", "root")):
        data[section].pop(key, None)
    return data


def _with_absolute_root(recipe: Recipe) -> Recipe:
    """So that the run can be evaluated and repeated from any working folder."""
    if recipe.dataset.root is None:
        return recipe
    root = str(Path(recipe.dataset.root).expanduser().absolute())
    return recipe.model_copy(update={"dataset": recipe.dataset.model_copy(update={"root": root})})
