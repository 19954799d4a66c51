"""A network's first weights, taken from elsewhere: ``transfer.init`` of a recipe.

Nothing is built or executed to read them: they are tensors by name, checked as any that come from
outside.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from zoo.data.preprocessing import Preprocessing
from zoo.errors import RecipeError, RegistryError, TrainingError
from zoo.plugins.catalog import Catalog
from zoo.recipes import problems as words
from zoo.recipes.problems import Places, Problem, problem_lines
from zoo.recipes.schema import PRETRAINED, Recipe
from zoo.registry import loading
from zoo.registry.config import HUB, find
from zoo.runs import folder as folders
from zoo.runs import published, sources
from zoo.runs.folder import RunFolder
from zoo.runs.matching import ADAPTED, HEAD, LOADED, NEW, UNUSED, Match, match, parts
from zoo.runs.naming import as_argument
from zoo.storage import limits, reading, tensors
from zoo.tasks import Task
from zoo.training import events

_SUFFIX = ".safetensors"
_ENOUGH = 0.1  # of all weights


@dataclass(frozen=True)
class Source:
    """Where weights come from. ``init``: the key's value that names the same for ever; ``digest``:
    sha256 of their file; ``normalization``: (mean, std) of the images they saw; ``task``: what they
    were trained for; both None where nobody knows. ``parent``: the published version they are, with
    the digest that its record has now; or an architecture's weights, by its name, their tag and
    sha256. ``resize``: by which filter the images they saw were resized, "" where nobody knows."""

    init: str
    weights: Mapping[str, Tensor]
    digest: str
    normalization: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    task: Task | None = None
    parent: Mapping[str, Any] | None = None
    resize: str = ""


def with_absolute_init(recipe: Recipe) -> Recipe:
    """So that the run can be repeated from any working folder."""
    path = recipe.transfer.path
    return recipe if path is None else _with_init(recipe, str(path.expanduser().absolute()))


def open_source(recipe: Recipe, installed: Catalog, task: Task) -> Source | None:
    """What ``transfer.init`` of a resolved recipe names; None when it is empty. Raises a
    :class:`zoo.errors.ZooError` when it is missing, damaged or not finite."""
    init, path = recipe.transfer.init, recipe.transfer.path
    if not init:
        return None
    if recipe.transfer.published is not None:
        source = _pretrained(recipe, installed, task)
    elif path is None:
        source = _version(init)
    elif folders.is_run(path) or not (recipe.transfer.names_file or _is_file(path)):
        source = _run(path)
    else:
        source = _file(path)
    tensors.check_finite(source.weights, f"transfer.init {init!r}")
    return source


def pinned(recipe: Recipe, source: Source | None, places: Places | None = None) -> Recipe:
    """``recipe``, resolved before, so that it means the same for ever: a reference names its
    version, and ``normalize = "pretrained"`` becomes the source's numbers, and its filter."""
    if source is None:
        return recipe
    recipe = _with_init(recipe, source.init)
    if recipe.data.normalize != PRETRAINED:
        return recipe
    if source.normalization is None:
        what = words.no_normalization(source.init)
        raise RecipeError(problem_lines([Problem(("data", "normalize"), what)], places or Places()))
    channels = recipe.data.form[2]
    mean, std = (_for_channels(numbers, channels) for numbers in source.normalization)
    given = recipe.data
    resize = source.resize if given.resize == "auto" and source.resize else given.filter
    data = given.model_copy(update={"normalize": {"mean": mean, "std": std}, "resize": resize})
    return recipe.model_copy(update={"data": data})


def initialize(
    network: nn.Module, source: Source | None, task: Task, channels: int
) -> events.Initialized | None:
    """Load what fits into ``network``. The head stays new where classes differ, and the first
    convolution is adapted where channels do. Raises :class:`TrainingError` when no parameter
    fits, or none but biases and the like."""
    if source is None:
        return None
    theirs = source.task
    others = theirs is not None and (theirs.classes, theirs.positive) != (
        task.classes,
        task.positive,
    )
    chosen, matches = match(
        network, source.weights, outputs=task.outputs, channels=channels, new_head=others
    )
    _require_fit(network, source, chosen)
    tensors.check_finite(chosen, f"transfer.init {source.init!r}, converted")
    network.load_state_dict({**network.state_dict(), **chosen})
    return _event(source, matches)


def little(event: events.Initialized | None) -> str:
    """What to know of weights of which hardly any fit; the head does not count where it is to stay
    new. Empty where enough do."""
    if event is None:
        return ""
    there = [part for part in event.parts if part["what"] != UNUSED]
    body = [part for part in there if not part["why"].startswith(HEAD)]
    of = sum(part["values"] for part in body)
    taken = sum(part["values"] for part in body if part["what"] in (LOADED, ADAPTED))
    if taken >= _ENOUGH * of:
        return ""
    return (
        f"only {taken:,} of {of:,} weights come from transfer.init, the others begin anew; "
        f"expected weights of the same architecture"
    )


def record(event: events.Initialized | None) -> dict[str, Any]:
    """For ``run.json``: nothing where nothing was loaded."""
    if event is None:
        return {}
    said = event.as_json()
    return {said.pop("event"): said}


def _event(source: Source, matches: list[Match]) -> events.Initialized:
    counts = dict.fromkeys((LOADED, ADAPTED, NEW, UNUSED), 0)
    counts.update(Counter(one.what for one in matches))
    lines = [dataclasses.asdict(part) for part in parts(matches)]
    return events.Initialized(source.init, source.digest, counts, lines, source.parent)


def _version(init: str) -> Source:
    try:
        found, weights = loading.read(init)
    except RegistryError as error:
        if (run := folders.named_run(init)) is not None:
            raise RegistryError(f"{error}; for the run give {as_argument(run)}") from error
        raise
    registry, reference = find(init)
    if reference.digest is None:
        reference = dataclasses.replace(reference, version=found.version, alias=None)
    named = init if init.startswith(HUB) else str(reference)
    seen = Preprocessing.from_json(found.preprocessing)
    digest = found.weights_sha256
    parent = {
        "model": found.model,
        "version": found.version,
        "digest": registry.digest(found),
    }
    normalization = (seen.mean, seen.std)
    return Source(named, weights, digest, normalization, found.task, parent, seen.resize)


def _run(path: Path) -> Source:
    """The weights that the run kept."""
    run = RunFolder.open(path)
    found = _file(sources.weights_of(run))
    seen = Preprocessing.from_json(sources.part_of(run, "preprocessing"))
    return dataclasses.replace(
        found,
        init=str(path),
        normalization=(seen.mean, seen.std),
        resize=seen.resize,
        task=Task.from_json(sources.part_of(run, "task")),
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # no path: too long
        return False


def _file(path: Path) -> Source:
    if path.suffix != _SUFFIX:
        raise TrainingError(
            f"transfer.init {str(path)!r}: expected a {_SUFFIX} file, or the folder of a run, "
            f"which has {folders.INFO}; safetensors.torch.save_file writes one of a state dict"
        )
    data = reading.read(path, limits.FILE_BYTES, what="weights")
    weights = tensors.from_bytes(data, f"weights {str(path)!r}")
    return Source(str(path), weights, hashlib.sha256(data).hexdigest())


def _pretrained(recipe: Recipe, installed: Catalog, task: Task) -> Source:
    found = published.read(recipe, installed, task, recipe.data.form)
    name, weights = recipe.architecture.name, dict(found.weights)
    data = tensors.to_bytes(weights, f"the pretrained weights of architecture {name!r}")
    digest = hashlib.sha256(data).hexdigest()
    normalization = None
    if found.mean is not None and found.std is not None:
        normalization = (tuple(map(float, found.mean)), tuple(map(float, found.std)))
    tag = found.tag or recipe.transfer.published
    init = f"{PRETRAINED}:{tag}" if tag else PRETRAINED
    parent = {"architecture": name, **({"tag": tag} if tag else {}), "sha256": digest}
    return Source(init, weights, digest, normalization, None, parent, found.interpolation)


def _with_init(recipe: Recipe, init: str) -> Recipe:
    transfer = recipe.transfer.model_copy(update={"init": init})
    return recipe.model_copy(update={"transfer": transfer})


def _for_channels(numbers: tuple[float, ...], channels: int) -> list[float]:
    if len(numbers) == channels:
        return list(numbers)
    return [sum(numbers) / len(numbers)] * channels


def _require_fit(network: nn.Module, source: Source, chosen: Mapping[str, Tensor]) -> None:
    parameters = dict(network.named_parameters())
    fitting = [name for name in parameters if name in chosen]
    if not fitting:
        raise TrainingError(_nothing_fits(network, source))
    # A bias, or the scale of a normalization, means nothing without the weights it belongs to.
    matrices = {name for name, one in parameters.items() if one.ndim > 1}
    if matrices and matrices.isdisjoint(fitting):
        raise TrainingError(
            f"transfer.init {source.init!r}: of its {len(source.weights)} tensors only biases and "
            f"norms fit the network ({len(fitting)}, such as {fitting[0]!r}), not one weight of a "
            f"layer; expected weights of the same architecture"
        )


def _nothing_fits(network: nn.Module, source: Source) -> str:
    own = {name: tuple(one.shape) for name, one in network.named_parameters()}
    theirs = {name: tuple(one.shape) for name, one in source.weights.items()}
    say = [
        f"{name!r} {shape}" for name, shape in (*list(theirs.items())[:1], *list(own.items())[:1])
    ]
    have = f"it begins with {say[0]}" if theirs else "it is empty"
    return (
        f"transfer.init {source.init!r}: none of its {len(theirs)} tensors fits the network: "
        f"{have}, the network with {say[-1]}; expected weights of the same architecture"
    )
