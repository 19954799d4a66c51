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
NUCLEI = Task.segmentation(["background", "nucleus"], positive="nucleus")
PNEUMONIA = Task.binary(["normal", "pneumonia"], positive="pneumonia")
TASKS = {  # of each dataset
    "digits": TEN,
    "mnist": TEN,
    "mask_folder": NUCLEI,
    "medmnist/pneumoniamnist": PNEUMONIA,
}


@pytest.fixture(scope="module")
def plugins():
    """Those that are installed with zoo, whatever else this machine has."""
    loaded, problems = load_all(selection="zoo-basics,zoo-medical,zoo-smp")
    assert problems == []
    return Catalog(loaded)


def test_there_are_recipes():
    assert {path.name for path in SHIPPED} >= {
        "digits.toml",
        "mnist-simple-cnn.toml",
        "mnist-three-conv.toml",
        "nuclei-smp-unet.toml",
        "nuclei-unet.toml",
        "pneumoniamnist.toml",
    }


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_is_valid_and_can_be_published(path, plugins):
    recipe = read_recipe(path, (), plugins)
    recipe = resolve(recipe, TASKS[recipe.dataset.name], (28, 28), 1, 1, plugins)
    assert recipe.card.licence and recipe.card.intended_use and recipe.card.description
    assert recipe.dataset.root is None, "a shipped recipe names no folder"
    assert path.read_text().startswith("# "), "it says what it is and what to expect"
