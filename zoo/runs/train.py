"""Carry out a recipe: prepare it, then train in a folder of its own."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import PausedError, RunError, ZooError, reason
from zoo.plugins.catalog import Catalog, catalog
from zoo.recipes.reading import Override, open_recipe
from zoo.recipes.schema import Recipe
from zoo.recipes.writing import recipe_data, write_recipe
from zoo.runs import folder as folders
from zoo.runs import log, tracking
from zoo.runs.environment import cores
from zoo.runs.folder import RunFolder
from zoo.runs.naming import as_argument
from zoo.runs.preparing import Prepared, prepare
from zoo.runs.processes import device_of, processes
from zoo.runs.session import pausing, torch_session
from zoo.storage import commit
from zoo.training import events, loop
from zoo.training.checkpoints import Checkpoints
from zoo.training.exhausted import out_of_memory
from zoo.training.kept import LAST
from zoo.training.replicas import ALONE, Replicas

_ENDS = ("epochs", "early stopping")  # a training that is paused may yet come to an update


def train(
    recipe: str | Path | Mapping[str, Any] | None = None,
    *,
    folder: str | Path | None = None,
    overrides: Mapping[str, Any] | Sequence[Override] = (),
    subscribers: Sequence[events.Subscriber] = (),
) -> RunFolder:
    """Train ``recipe`` (a TOML file, or the same as nested dicts) in ``folder`` (default: the next
    free one in ``runs/``), which must not exist. ``overrides`` change keys, as ``{"optimizer.lr":
    1e-3}``. Returns the run. The random state of the process is left as it was. Interrupted, it
    saves and raises :class:`PausedError`, a KeyboardInterrupt; :func:`zoo.resume` goes on."""
    if isinstance(overrides, Mapping):
        overrides = [Override(key, value, key) for key, value in overrides.items()]
    source = Path(recipe) if isinstance(recipe, str) else recipe
    path = Path(folder) if folder is not None else None
    with processes() as replicas:
        checked, places = open_recipe(source, overrides, catalog())
        if path is not None and (path.exists() or path.is_symlink()):
            raise RunError(folders.taken(path))
        device, tell = device_of(checked.training.device), teller(subscribers, replicas)
        threads = checked.training.threads or cores(replicas.neighbours)
        with torch_session(checked.training, threads, device):
            prepared = prepare(checked, catalog(), device, tell, places, replicas=replicas)
            if replicas.rank:
                run = RunFolder(Path(replicas.told()))
                assist(prepared)
            else:
                run = RunFolder.create(path) if path else _free_folder(prepared.recipe)
                replicas.told(str(run.path.absolute()))
                _carry_out_in_new(prepared, run, subscribers)
    return run


def teller(
    subscribers: Sequence[events.Subscriber], replicas: Replicas = ALONE
) -> events.Subscriber:
    """Of several processes only the first one tells."""

    def tell(event: events.Event) -> None:
        for subscriber in subscribers if replicas.rank == 0 else ():
            subscriber(event)

    return tell


def assist(prepared: Prepared) -> None:
    """What every process but the first does: its part of each batch. It writes nothing, but stops
    for each checkpoint, to which all contribute."""
    trainee = prepared.trainee
    trainee.checkpoints = Checkpoints(None, prepared.recipe.checkpoints.steps)
    try:
        with pausing(trainee.pause):
            for _ in _trained(trainee):
                pass
    except Exception as error:
        if (full := out_of_memory(error, trainee)) is not None:
            raise full from error
        raise
    if trainee.pause.reason and trainee.pause.signal:
        raise PausedError("", trainee.pause.signal)


def _carry_out_in_new(
    prepared: Prepared, run: RunFolder, subscribers: Sequence[events.Subscriber]
) -> None:
    try:
        with log.event_log(run.path / folders.EVENTS) as written:
            carry_out(prepared, run, written, catalog(), subscribers)
    except BaseException:
        if not run.path.joinpath(folders.INFO).exists():  # nothing was kept
            shutil.rmtree(run.path, ignore_errors=True)
        raise


def carry_out(
    prepared: Prepared,
    run: RunFolder,
    written: log.EventLog,
    installed: Catalog,
    subscribers: Sequence[events.Subscriber] = (),
    resumed: events.Resumed | None = None,
) -> None:
    """Train in ``run``, from where the trainee stands; whatever ends it, ``run.json`` says so. That
    is first written when there is a checkpoint: what has a ``run.json`` can be resumed."""
    recipe, trainee = prepared.recipe, prepared.trainee
    trainee.checkpoints = _checkpoints(prepared, run)

    def end(why: str) -> None:
        run.update(status=folders.FAILED, reason=f"TrainingError: {why}")

    def note(event: events.Event) -> None:
        written.write(event)
        _note(run, event)
        teller(subscribers)(event)

    trainee.replicas.before_end(end)
    tracked = tracking.trackers(recipe, run.path, installed, note, resumed=resumed is not None)
    try:
        with pausing(trainee.pause), tracked as trackers:
            commit.write(run.path / folders.RECIPE, write_recipe(recipe).encode())
            if resumed is not None:
                written.rewind(trainee.position)
            for event in prepared.heard.events:  # the subscribers have heard them
                teller([written.write, *trackers])(event)
            _tell_all(prepared, run, teller([note, *trackers]), resumed)
    except BaseException as error:
        if (cause := _noted_cause(error, trainee, run)) is not None:
            raise cause from error
        raise
    if trainee.pause.signal and run.info["status"] == folders.INTERRUPTED:
        raise PausedError(
            f"saved after step {trainee.position.step}; to go on type: "
            f"zoo resume {as_argument(run.path)}",
            trainee.pause.signal,
        )


def _checkpoints(prepared: Prepared, run: RunFolder) -> Checkpoints:
    recipe = prepared.recipe
    return Checkpoints(
        run.path,
        recipe.checkpoints.steps,
        recipe.checkpoints.keep,
        recipe.training.evaluate == LAST,
        about={"recipe": recipe_data(recipe), "data": dict(prepared.data)},
    )


def _tell_all(
    prepared: Prepared, run: RunFolder, tell: events.Subscriber, resumed: events.Resumed | None
) -> None:
    if resumed is not None:
        tell(resumed)
    for event in _trained(prepared.trainee):
        if isinstance(event, events.TrainingStarted):
            _note_start(prepared, run, resumed)
        tell(event)


def _trained(trainee: loop.Trainee) -> Iterator[events.Event]:
    """Raises :class:`TrainingError` for a training that came to its end without one update."""
    for event in loop.train(trainee):
        if isinstance(event, events.TrainingEnded) and event.reason in _ENDS:
            trainee.tally.watch.require_update(event.steps)
        yield event


def _noted_cause(
    error: BaseException, trainee: loop.Trainee, run: RunFolder
) -> BaseException | None:
    """Note in ``run.json`` what ended the run. Returns what to raise in place of ``error``."""
    cause = out_of_memory(error, trainee) or trainee.replicas.blamed(error)
    stopped = isinstance(cause or error, KeyboardInterrupt | SystemExit)
    # A full disk may refuse this too; what ended the run is what has to be said.
    with contextlib.suppress(ZooError):
        status = folders.INTERRUPTED if stopped else folders.FAILED
        if run.path.joinpath(folders.INFO).exists():
            run.update(status=status, reason=reason(cause or error))
    if cause is None and isinstance(error, OSError):
        return RunError(f"run {str(run.path)!r} cannot go on: {reason(error)}")
    return cause


def _note_start(prepared: Prepared, run: RunFolder, resumed: events.Resumed | None) -> None:
    recipe = prepared.recipe
    if resumed is not None:
        run.update(status=folders.RUNNING, environment=prepared.about["environment"])
        return
    run.update(
        format=1,
        status=folders.RUNNING,
        created=folders.now(),
        dataset=recipe.dataset.name,
        architecture=recipe.architecture.name,
        weights=recipe.training.evaluate,
        **prepared.about,
    )


def _note(run: RunFolder, event: events.Event) -> None:
    if isinstance(event, events.EpochEnded):
        changes: dict[str, Any] = {"epochs_done": event.epoch}
        if event.improved:
            changes["best"] = {"epoch": event.epoch, "metrics": dict(event.val)}
        run.update(**changes)
    elif isinstance(event, events.TrainingEnded):
        interrupted = event.reason == "interrupted"
        run.update(
            status=folders.INTERRUPTED if interrupted else folders.FINISHED,
            reason=event.reason,
            seconds=event.seconds,
            steps=event.steps,
            ended=folders.now(),
        )


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
