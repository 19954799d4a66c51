from typing import get_args

import pytest

from zoo.errors import RecipeError
from zoo.recipes.problems import Places
from zoo.recipes.reading import read_recipe
from zoo.recipes.resolving import check_task, resolve
from zoo.recipes.sections import Monitor, StoppingSection
from zoo.recipes.writing import recipe_data
from zoo.tasks import SEGMENTATION, Task

TEN = Task.multiclass([str(digit) for digit in range(10)])
TWO = Task.binary(["healthy", "ill"], positive="ill")
MANY = Task.multilabel(["a", "b"])


def made(catalog, **sections):
    data = {"dataset": {"name": "digits"}, "architecture": {"name": "cnn"}, **sections}
    return read_recipe(data, (), catalog)


@pytest.fixture
def anything(catalog):
    """A catalog whose architecture serves every task."""
    from zoo.plugins import specs
    from zoo.plugins.catalog import Catalog
    from zoo.plugins.loading import Loaded, Plugin

    cnn = specs.ArchitectureSpec(name="cnn", build=lambda ctx: None, summary="a")
    fake = catalog.loaded[0]
    rest = [one for one in fake.components if one.name != "cnn"]
    return Catalog([Loaded(Plugin("basics", "zoo-fake", "1.0"), (cnn, *rest))])


@pytest.mark.parametrize(
    ("task", "loss", "options"),
    [
        (TEN, "cross_entropy", {"smoothing": 0.0, "file": ""}),
        (TWO, "bce", {}),
        (MANY, "bce", {}),
        (Task(SEGMENTATION, ("a", "b")), "cross_entropy", {"smoothing": 0.0, "file": ""}),
        (Task(SEGMENTATION, ("a", "b"), "b"), "bce", {}),
    ],
)
def test_the_loss_of_a_task(anything, task, loss, options):
    recipe = check_task(made(anything), task, anything)
    assert (recipe.loss.name, recipe.loss.options) == (loss, options)


def test_a_named_loss_stays(catalog):
    recipe = made(catalog, loss={"name": "cross_entropy", "smoothing": 0.1})
    assert check_task(recipe, TEN, catalog) == recipe


def test_every_component_that_does_not_serve_the_task_is_named(catalog):
    recipe = made(catalog, loss={"name": "cross_entropy"}, sampler={"name": "weighted"})
    with pytest.raises(RecipeError) as caught:
        check_task(recipe, TWO, catalog)
    assert caught.value.problems == (
        "architecture.name: architecture 'cnn' serves multiclass; dataset 'digits' is binary; "
        "expected one of greedy",
        "loss.name: loss 'cross_entropy' serves multiclass, segmentation; dataset 'digits' is "
        "binary; expected one of bce",
        "sampler.name: sampler 'weighted' serves multiclass; dataset 'digits' is binary; expected "
        "one of shuffle, twice",
    )


def test_a_figure_that_the_task_has_not(anything):
    recipe = made(anything, stopping={"monitor": "val/dice"})
    places = Places("recipe.toml", {("stopping", "monitor"): 7})
    with pytest.raises(RecipeError) as caught:
        check_task(recipe, TEN, anything, places)
    assert caught.value.problems == (
        "recipe.toml:7: stopping.monitor: 'val/dice': expected a figure of dataset 'digits', which "
        "is multiclass: train/ or val/ and loss, accuracy, balanced_accuracy, precision, recall, "
        "f1",
    )
    masks = Task.segmentation(["a", "b"])
    for task, figures in ((masks, masks.figures), (TEN, TEN.figures)):
        for figure in ("loss", *figures):
            check_task(made(anything, stopping={"monitor": f"train/{figure}"}), task, anything)


def test_the_figures_that_can_be_monitored_are_those_there_are():
    figures = ("loss", *Task.segmentation(["a", "b"]).figures)
    known = {f"{part}/{figure}" for part in ("train", "val") for figure in figures}
    assert set(get_args(Monitor)) == known
    description = StoppingSection.model_fields["monitor"].description
    assert description.endswith(", ".join(figures))


def test_an_automatic_loss_that_is_not_installed(catalog):
    from zoo.plugins.catalog import Catalog
    from zoo.plugins.loading import Loaded

    loaded = catalog.loaded[0]
    rest = tuple(one for one in loaded.components if one.kind != "loss")
    bare = Catalog([Loaded(loaded.plugin, rest)])
    with pytest.raises(RecipeError) as caught:
        check_task(made(bare), TEN, bare)
    assert caught.value.problems == (
        "loss.name: loss 'cross_entropy' is not installed; see: zoo components list losses",
    )


def test_what_data_and_machine_decide_is_filled_in(catalog):
    recipe = resolve(made(catalog), TEN, (8, 9), 1, 5, catalog)
    assert recipe.data.form == (8, 9, 1)
    assert recipe.training.threads == 5
    assert recipe.stopping.mode == "min"
    assert recipe.loss.name == "cross_entropy"
    assert recipe.training.device == "auto"
    assert recipe.training.eval_batch_size == 0


def test_what_the_recipe_decides_stays(catalog):
    given = made(
        catalog,
        data={"size": 28, "channels": 3},
        training={"threads": 2},
        stopping={"monitor": "val/f1"},
    )
    recipe = resolve(given, TEN, (8, 9), 1, 5, catalog)
    assert recipe.data.form == (28, 28, 3)
    assert recipe.training.threads == 2
    assert recipe.stopping.mode == "max"
    explicit = made(catalog, stopping={"monitor": "val/f1", "mode": "min"})
    assert resolve(explicit, TEN, (8, 9), 1, 5, catalog).stopping.mode == "min"


def test_a_resolved_recipe_resolves_to_itself_on_any_machine(catalog):
    once = resolve(made(catalog), TEN, (8, 9), 1, 5, catalog)
    assert resolve(once, TEN, (100, 100), 3, 64, catalog) == once
    assert read_recipe(recipe_data(once), (), catalog) == once


def test_the_form_of_an_unresolved_recipe_is_a_mistake_of_the_programmer(catalog):
    with pytest.raises(TypeError, match="not resolved"):
        made(catalog).data.form  # noqa: B018


def test_normalization_for_other_channels_than_the_dataset_has(catalog):
    recipe = made(catalog, data={"normalize": {"mean": [0.5], "std": [0.5]}})
    assert resolve(recipe, TEN, (8, 8), 1, 1, catalog).data.channels == 1
    with pytest.raises(RecipeError) as caught:
        resolve(recipe, TEN, (8, 8), 3, 1, catalog)
    assert str(caught.value) == ("data.normalize: 1 numbers for 3 channels; expected one a channel")
