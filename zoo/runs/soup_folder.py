"""Whether members can be averaged, and the run that holds their average: one like any other, to be
measured and published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w
import torch
from torch import Tensor

from zoo.data.preprocessing import Preprocessing
from zoo.data.splits import TRAIN
from zoo.errors import RunError, clipped
from zoo.predictions.calibration import with_temperature
from zoo.recipes.writing import write_recipe
from zoo.registry.calibrated import Calibrated
from zoo.registry.config import find
from zoo.registry.record import Record
from zoo.runs import folder as folders
from zoo.runs.ensemble_members import Member
from zoo.runs.environment import environment
from zoo.runs.folder import RunFolder
from zoo.runs.sources import part_of, recipe_of
from zoo.runs.subjects import Subject, architecture_record
from zoo.storage import commit, tensors
from zoo.training.kept import BEST, weights_path

AVERAGED = "averaged"


@dataclass(frozen=True)
class Ingredients:
    """``subjects``: of one form, and not calibrated; ``recipe``: the first one's, as TOML;
    ``parents``: of each that is a version what a record names it by, else None."""

    subjects: Sequence[Subject]
    architecture: Mapping[str, Any]
    plugin: Mapping[str, Any]
    recipe: str
    parents: Sequence[Mapping[str, Any] | None]


@dataclass(frozen=True)
class _Form:
    architecture: Mapping[str, Any]
    plugin: Mapping[str, Any]
    recipe: str
    parent: Mapping[str, Any] | None


def alike(members: Sequence[Member]) -> Ingredients:
    """Raises :class:`RunError`, naming what differs, unless all are networks of one architecture,
    trained for the same classes, and shown images in the same way."""
    if len(members) < 2:
        raise RunError(f"a soup of {members[0].name!r} alone: give two members or more")
    subjects = []
    for one in members:
        if one.subject is None:
            raise RunError(
                f"member {clipped(one.name)!r} is a predictions file, which has no weights to "
                f"average; give the run or the model"
            )
        if one.subject.combined is not None:
            raise RunError(f"member {clipped(one.name)!r} is an ensemble; its weights are several")
        if one.subject.trained_on is None:
            raise RunError(
                f"member {clipped(one.name)!r} was trained elsewhere: the data on which averaged "
                f"weights would be measured are not known"
            )
        subjects.append(_uncalibrated(one.subject))
    forms = [_form(one, subject) for one, subject in zip(members, subjects, strict=True)]
    for one, subject, form in zip(members[1:], subjects[1:], forms[1:], strict=True):
        _check_pair((members[0].name, subjects[0], forms[0]), (one.name, subject, form))
    first = forms[0]
    parents = [one.parent for one in forms]
    return Ingredients(subjects, first.architecture, first.plugin, first.recipe, parents)


def fresh_folder(output: str | Path | None, ingredients: Ingredients) -> Path:
    """Where the run will be; it does not exist yet."""
    if output is None:
        dataset = ingredients.subjects[0].data["dataset"]
        stem = f"{dataset}-{ingredients.architecture['name']}-soup"
        return folders.free_name(stem.replace("/", "-"))
    path = Path(output)
    if path.exists() or path.is_symlink():
        raise RunError(folders.taken(path))
    return path


def write_run(
    path: Path,
    ingredients: Ingredients,
    chosen: Sequence[int],
    weights: Mapping[str, Tensor],
    made: Mapping[str, Any],
) -> RunFolder:
    """A finished run with these weights. ``made``: how they came about."""
    tensors.check_finite(weights, "the averaged weights")
    run, first = RunFolder.create(path), ingredients.subjects[0]
    parents = [one for place in chosen if (one := ingredients.parents[place]) is not None]
    commit.write(path / folders.RECIPE, ingredients.recipe.encode())
    tensors.save(weights_path(path, BEST), weights)
    run.update(
        format=1,
        status=folders.FINISHED,
        reason="averaged",
        created=folders.now(),
        ended=folders.now(),
        dataset=first.data["dataset"],
        architecture=ingredients.architecture["name"],
        weights=AVERAGED,
        task=first.task.as_json(),
        preprocessing=first.preprocessing.as_json(),
        plugin=dict(ingredients.plugin),
        data={key: value for key, value in first.data.items() if key != "division"},
        environment=environment(torch.device("cpu")),
        soup=dict(made),
        **({"averaged": parents} if parents else {}),
    )
    return run


def _uncalibrated(subject: Subject) -> Subject:
    """As it was trained: an average has a temperature of its own, if any."""
    if subject.temperature is None or not isinstance(subject.network, Calibrated):
        return subject
    task = with_temperature(subject.task, 1 / subject.temperature)
    task = replace(task, threshold=round(task.threshold, 9))  # there and back again
    return replace(subject, network=subject.network.network, task=task, temperature=None)


def _form(member: Member, subject: Subject) -> _Form:
    if subject.run is not None:
        recipe = recipe_of(subject.run)
        return _Form(
            architecture_record(recipe, subject.preprocessing),
            part_of(subject.run, "plugin"),
            write_recipe(recipe),
            None,
        )
    registry, reference = find(member.reference, member.registry)
    record = registry.record(reference)
    parent = {
        "model": record.model,
        "version": record.version,
        "digest": registry.digest(record),
    }
    return _Form(dict(record.architecture), dict(record.plugin), _recipe(record), parent)


def _recipe(record: Record) -> str:
    return tomli_w.dumps(_without_none(record.recipe))


def _without_none(value: Any) -> Any:
    """TOML has no null."""
    if isinstance(value, Mapping):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_none(one) for one in value if one is not None]
    return value


def _check_pair(first: tuple[str, Subject, _Form], other: tuple[str, Subject, _Form]) -> None:
    (name, subject, form), (second, theirs, their_form) = first, other
    both = f"members {clipped(name)!r} and {clipped(second)!r}"
    if form.architecture != their_form.architecture:
        raise RunError(
            f"{both} have different architectures: {_shown(form.architecture)} and "
            f"{_shown(their_form.architecture)}; weights of one alone can be averaged"
        )
    if subject.task != theirs.task:
        raise RunError(f"{both} have different classes, or thresholds")
    if subject.preprocessing != theirs.preprocessing:
        key = _first_difference(subject.preprocessing, theirs.preprocessing)
        raise RunError(f"{both} are shown images in different ways: {key} differs")
    mine, others = (one.data["splits"].get(TRAIN) for one in (subject, theirs))
    if mine is None or others is None or mine["fingerprint"] != others["fingerprint"]:
        raise RunError(f"{both} were trained on different samples: their {TRAIN!r} splits differ")


def _shown(architecture: Mapping[str, Any]) -> str:
    options = ", ".join(f"{key} {value!r}" for key, value in architecture["options"].items())
    height, width = architecture["image_size"]
    return clipped(
        f"{architecture['name']} ({options}) for {architecture['in_channels']}x{height}x{width}",
        200,
    )


def _first_difference(one: Preprocessing, other: Preprocessing) -> str:
    mine, theirs = one.as_json(), other.as_json()
    return next(key for key in mine if mine[key] != theirs[key])
