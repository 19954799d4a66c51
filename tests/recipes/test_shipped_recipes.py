from pathlib import Path

import pytest

from zoo.plugins.catalog import Catalog
from zoo.plugins.loading import load_all
from zoo.recipes.reading import read_recipe
from zoo.recipes.resolving import resolve
from zoo.tasks import Task

FOLDER = Path(__file__).parents[2] / "recipes"
SHIPPED = sorted(FOLDER.glob("**/*.toml"))
TEN = Task.multiclass([str(digit) for digit in range(10)])


@pytest.fixture(scope="module")
def basics():
    """The plugins that are installed with zoo, whatever else this machine has."""
    loaded, problems = load_all(selection="zoo-basics")
    assert problems == []
    return Catalog(loaded)


def test_there_are_recipes():
    assert {path.name for path in SHIPPED} >= {
        "digits.toml",
        "mnist-simple-cnn.toml",
        "mnist-three-conv.toml",
    }


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_is_valid_and_can_be_published(path, basics):
    recipe = resolve(read_recipe(path, (), basics), TEN, (28, 28), 1, 1, basics)
    assert recipe.card.licence and recipe.card.intended_use and recipe.card.description
    assert recipe.dataset.root is None, "a shipped recipe names no folder"
    assert path.read_text().startswith("# "), "it says what it is and what to expect"
