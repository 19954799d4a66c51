"""Fill in what only the dataset and the machine can say, so that the recipe repeats the run."""

from __future__ import annotations

from collections.abc import Iterator

from zoo import tasks
from zoo.errors import RecipeError, ZooError
from zoo.plugins.catalog import Catalog
from zoo.plugins.catalog import catalog as installed
from zoo.recipes import problems as words
from zoo.recipes.positions import KeyPath
from zoo.recipes.problems import Places, Problem, problem_lines
from zoo.recipes.schema import AUTO, PRETRAINED, Choice, DataSection, Recipe
from zoo.tasks import Task

AUTO_LOSSES = {
    tasks.BINARY: "bce",
    tasks.MULTILABEL: "bce",
    tasks.MULTICLASS: "cross_entropy",
    tasks.SEGMENTATION: "cross_entropy",
}


def check_task(
    recipe: Recipe, task: Task, catalog: Catalog | None = None, places: Places | None = None
) -> Recipe:
    """The recipe with its loss named. Raises :class:`RecipeError` with every component, and a
    monitored figure, that does not serve the dataset's task."""
    catalog = catalog or installed()
    problems = []
    try:
        recipe = _with_loss(recipe, task, catalog)
    except ZooError as error:
        problems.append(Problem(("loss", "name"), str(error)))
    for kind, key, choice in _components(recipe):
        if choice.name == AUTO and kind == "loss":
            continue
        served = catalog.get(kind, choice.name).spec.tasks
        if task.kind not in served:
            serving = sorted(
                {one.name for one in catalog.components(kind) if task.kind in one.spec.tasks}
            )
            what = words.wrong_task(
                kind,
                choice.name,
                served,
                dataset=recipe.dataset.name,
                task=task.kind,
                serving=serving,
            )
            problems.append(Problem(key, what))
    monitor = recipe.stopping.monitor
    if monitor.partition("/")[2] not in ("loss", *task.figures):
        what = words.no_such_figure(
            monitor, task.figures, dataset=recipe.dataset.name, task=task.kind
        )
        problems.append(Problem(("stopping", "monitor"), what))
    if problems:
        raise RecipeError(problem_lines(problems, places or Places()))
    return recipe


def resolve(
    recipe: Recipe,
    task: Task,
    native_size: tuple[int, int],
    native_channels: int,
    cores: int,
    catalog: Catalog | None = None,
    places: Places | None = None,
) -> Recipe:
    """``recipe`` with nothing left that depends on data or machine, but the device.

    ``native_size``: (height, width) of the dataset's images. Raises as :func:`check_task` does, and
    when the normalization does not fit the channels. A resolved recipe comes out as it is.
    """
    places = places or Places()
    recipe = check_task(recipe, task, catalog, places)
    training, stopping = recipe.training, recipe.stopping
    mode = stopping.mode
    if mode == AUTO:
        mode = "min" if stopping.monitor.endswith("/loss") else "max"
    return recipe.model_copy(
        update={
            "data": _with_form(recipe.data, native_size, native_channels, places),
            "training": training.model_copy(update={"threads": training.threads or cores}),
            "stopping": stopping.model_copy(update={"mode": mode}),
        }
    )


def _with_loss(recipe: Recipe, task: Task, catalog: Catalog) -> Recipe:
    if recipe.loss.name != AUTO:
        return recipe
    single = task.kind == tasks.SEGMENTATION and task.outputs == 1
    name = AUTO_LOSSES[tasks.BINARY if single else task.kind]
    loss = Choice(name=name, options=catalog.get("loss", name).bind({}))
    return recipe.model_copy(update={"loss": loss})


def _with_form(
    data: DataSection, size: tuple[int, int], channels: int, places: Places
) -> DataSection:
    given_size, given_channels = data.size, data.channels
    if isinstance(given_size, int):
        given_size = (given_size, given_size)
    if isinstance(given_channels, int):
        channels = given_channels
    if data.normalized_channels not in (None, channels):
        what = words.wrong_channels(data.normalized_channels, channels)
        raise RecipeError(problem_lines([Problem(("data", "normalize"), what)], places))
    return data.model_copy(
        update={
            "size": size if given_size == "native" else given_size,
            "channels": channels,
            # What the weights say is known when they are read.
            "resize": data.resize if data.normalize == PRETRAINED else data.filter,
        }
    )


def _components(recipe: Recipe) -> Iterator[tuple[str, KeyPath, Choice]]:
    """(kind, key of the name, choice) of every component that may serve some tasks only."""
    for kind in ("architecture", "loss", "sampler", "optimizer", "scheduler"):
        yield kind, (kind, "name"), getattr(recipe, kind)
    for index, choice in enumerate(recipe.augmentations):
        yield "augmentation", ("augmentations", index, "name"), choice
    for number, copy in enumerate(recipe.copies):
        for index, choice in enumerate(copy.augmentations):
            yield "augmentation", ("copies", number, "augmentations", index, "name"), choice
