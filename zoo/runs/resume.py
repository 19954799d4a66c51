"""Go on with a run that was killed, paused or is to be longer: the very run it would have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from zoo.errors import RunError, clipped, missing_path, reason
from zoo.plugins.catalog import catalog
from zoo.recipes.reading import Override, open_recipe
from zoo.recipes.schema import Recipe
from zoo.recipes.writing import recipe_data
from zoo.runs import folder, log
from zoo.runs.environment import cores
from zoo.runs.folder import RunFolder, find_run
from zoo.runs.naming import as_argument
from zoo.runs.preparing import Prepared, prepare
from zoo.runs.processes import device_of, processes
from zoo.runs.session import torch_session
from zoo.runs.train import assist, carry_out, teller
from zoo.storage import commit, strict_json
from zoo.training import checkpoint_fit, checkpoints, events, loop
from zoo.training.position import Position, seconds_of
from zoo.training.replicas import Replicas

_MAY_CHANGE = ("training.epochs", "training.max_time")


def resume(
    run: str | Path,
    *,
    epochs: int | None = None,
    max_time: str | None = None,
    subscribers: Sequence[events.Subscriber] = (),
) -> RunFolder:
    """Train ``run`` from its last checkpoint to the end, on a CPU to the same bits as if nothing
    had come between. ``epochs`` and ``max_time`` give it a larger budget; nothing else may change:
    raises :class:`RunError` naming the first key of the recipe, or field of the data, that did."""
    with processes() as replicas, ExitStack() as open_ones:
        opened = _find(str(run), replicas)
        written = None
        if replicas.rank == 0:
            written = open_ones.enter_context(log.event_log(opened.path / folder.EVENTS))
        _go_on(opened, written, replicas, epochs, max_time, subscribers)
    return opened


def _find(run: str, replicas: Replicas) -> RunFolder:
    try:
        return find_run(run)
    except RunError as error:
        if replicas.rank == 0:
            raise
        raise RunError(f"{error}; all processes have to see the run's folder") from error


def _go_on(
    opened: RunFolder,
    written: log.EventLog | None,
    replicas: Replicas,
    epochs: int | None,
    max_time: str | None,
    subscribers: Sequence[events.Subscriber],
) -> None:
    path, states = _checkpoint(opened)
    about, at = states.pop(checkpoints.ABOUT), Position(**states["position"])
    source = opened.path / folder.RECIPE
    before, _ = open_recipe(source, (), catalog())
    _require_equal(opened, about["recipe"], recipe_data(before), "recipe", folder.RECIPE)
    changes = {"training.epochs": epochs, "training.max_time": max_time}
    overrides = [
        Override(key, value, f"--{key.partition('.')[2].replace('_', '-')}")
        for key, value in changes.items()
        if value is not None
    ]
    recipe, places = open_recipe(source, overrides, catalog())
    planned = about["recipe"]["training"]["epochs"]
    _require_budget(opened, planned, epochs, recipe, at, states["stopping"])
    replicas.require_equal({"checkpoint": path.name})
    device, tell = device_of(recipe.training.device), teller(subscribers, replicas)
    threads = recipe.training.threads or cores(replicas.neighbours)
    with torch_session(recipe.training, threads, device):
        prepared = prepare(recipe, catalog(), device, tell, places, resumed=True, replicas=replicas)
        _require_equal(opened, about["data"], prepared.data, "data", "the dataset")
        _note_versions(opened, prepared)
        load(prepared.trainee, states, str(path))
        if written is None:
            assist(prepared)
            return
        remove_torn(opened.path)
        gone_on = events.Resumed(at.epoch, at.step, str(path))
        carry_out(prepared, opened, written, catalog(), subscribers, gone_on)


def load(trainee: loop.Trainee, states: Mapping[str, Any], path: str) -> None:
    """Raises :class:`RunError` when a state is missing or does not fit its part; nothing is loaded
    before all of them do."""
    unfit = f"checkpoint {path!r} does not fit the run"
    try:
        states = checkpoint_fit.fitted(trainee, states)
    except ValueError as error:
        raise RunError(f"{unfit}: {error}; train anew") from error
    for name, part in trainee.parts().items():
        try:
            part.load_state_dict(states[name])
        except Exception as error:  # a plugin's own code
            raise RunError(
                f"{unfit}: the state of {name!r}: {reason(error)}; train anew"
            ) from error


def remove_torn(run: Path) -> None:
    """What a kill during a save left behind."""
    for place in (run, run / checkpoints.FOLDER):
        for path in place.glob(f"{commit.TEMPORARY_PREFIX}*"):
            path.unlink(missing_ok=True)


def _checkpoint(run: RunFolder) -> tuple[Path, dict[str, Any]]:
    found = checkpoints.found(run.path)
    if not found:
        where = run.path / checkpoints.FOLDER
        raise RunError(
            f"{missing_path('checkpoint', where)}; run {str(run.path)!r} cannot go on; to train it "
            f"again type: zoo train {as_argument(run.path / folder.RECIPE)}"
        )
    return found[-1], checkpoints.checked(found[-1])


def _require_equal(
    run: RunFolder, kept: Mapping[str, Any], found: Mapping[str, Any], what: str, where: str
) -> None:
    for key, one, other in strict_json.differences(kept, found):
        if what == "recipe" and key in _MAY_CHANGE:
            continue
        raise RunError(
            f"run {str(run.path)!r} cannot go on: {clipped(key)} of {where} is "
            f"{clipped(repr(other))}, the checkpoint was made with {clipped(repr(one))}; set it "
            f"back, or train anew"
        )


def _require_budget(
    run: RunFolder,
    planned: int,
    asked: int | None,
    recipe: Recipe,
    at: Position,
    stopping: Mapping[str, Any],
) -> None:
    """Raises :class:`RunError` when there is nothing to go on to. A run that was killed after its
    last checkpoint has nothing left to train, but has still to say so. ``planned``: the epochs with
    which the checkpoint was made; ``asked``: those asked for now, if any were."""
    name, done = as_argument(run.path), at.epoch - 1
    epochs, limit = recipe.training.epochs, seconds_of(recipe.training.max_time)
    untold = run.info.get("status") != folder.FINISHED
    if 0 < recipe.stopping.patience <= stopping["waited"] and not untold:
        raise RunError(
            f"run {str(run.path)!r} stopped early after epoch {done}: {stopping['waited']} epochs "
            f"without a better one; there is nothing to go on to"
        )
    spec: Any = catalog().get("scheduler", recipe.scheduler.name).spec
    if epochs != planned and spec.bound_to_budget:
        raise RunError(
            f"run {str(run.path)!r} cannot be made {'longer' if epochs > planned else 'shorter'}: "
            f"its schedule {recipe.scheduler.name!r} spans the whole budget of {planned} epochs; "
            f"train anew with --epochs {epochs}"
        )
    if epochs < done or (epochs == done and not untold):
        raise RunError(_spent(run, recipe, done, asked, bound=spec.bound_to_budget))
    if limit and at.seconds >= limit:
        raise RunError(
            f"run {str(run.path)!r} has used {at.seconds:.0f} s of its max_time "
            f"{recipe.training.max_time}; for more type: zoo resume {name} --max-time TIME"
        )


def _spent(run: RunFolder, recipe: Recipe, done: int, asked: int | None, *, bound: bool) -> str:
    behind = f"run {str(run.path)!r} has {done} {'epoch' if done == 1 else 'epochs'} behind it"
    if bound:
        return (
            f"{behind}; its schedule {recipe.scheduler.name!r} has come to its end; for a longer "
            f"one train anew with --epochs N, N above {done}"
        )
    if asked is not None:
        return f"{behind}; --epochs {asked} counts them too: expected more than {done}"
    return (
        f"{behind}, which is all; to make it longer type: "
        f"zoo resume {as_argument(run.path)} --epochs N, N above {done}"
    )


def _note_versions(run: RunFolder, prepared: Prepared) -> None:
    """Other versions or another machine go on as well, but not to the same bits."""
    before, now = run.info.get("environment"), prepared.about["environment"]
    if not isinstance(before, dict):
        return
    for key, value in now.items():
        if before.get(key) != value:
            was = clipped(str(before.get(key)))
            text = f"{key} is {value}, was {was}: the run goes on, not bit for bit"
            prepared.heard(events.Notice(text))
