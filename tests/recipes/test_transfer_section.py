"""The section [transfer]: how it is read and written, and what counts as a path."""

from pathlib import Path

import pytest

from zoo.errors import RecipeError
from zoo.recipes.flags import flag_overrides
from zoo.recipes.reading import read_recipe
from zoo.recipes.writing import public_data, write_recipe

SHORT = {"dataset": {"name": "digits"}, "architecture": {"name": "cnn"}}
FULL = {
    "init": "digits-cnn@3",
    "freeze": ["conv1", "encoder.layers.0"],
    "unfreeze_epoch": 4,
    "head_lr": 10,
    "layer_decay": 0.75,
    "rates": {"conv1": 0.1, "encoder.layers.1": 0.5},
}


def transfer(catalog, sets=(), plain=None, **keys):
    overrides = flag_overrides(sets, **(plain or {}))
    return read_recipe({**SHORT, "transfer": keys}, overrides, catalog).transfer


def test_it_is_written_as_it_is_read(catalog, tmp_path):
    recipe = read_recipe({**SHORT, "transfer": FULL}, (), catalog)
    assert (recipe.transfer.freeze, recipe.transfer.rates) == (
        ("conv1", "encoder.layers.0"), {"conv1": 0.1, "encoder.layers.1": 0.5},
    )  # fmt: skip
    (tmp_path / "recipe.toml").write_text(write_recipe(recipe))
    assert read_recipe(tmp_path / "recipe.toml", (), catalog) == recipe


def test_flags(catalog):
    found = transfer(
        catalog,
        ["transfer.rates.conv1=0.2", "transfer.freeze=['backbone']"],
        {"init": "runs/a"},
        init="digits-cnn",
    )
    assert (found.init, found.rates, found.freeze) == ("runs/a", {"conv1": 0.2}, ("backbone",))


@pytest.mark.parametrize(
    ("init", "is_path"),
    [
        ("", False),
        ("pretrained", False),
        ("digits-cnn", False),
        ("digits-cnn@3", False),
        ("net.v2", False),
        ("local:net.v2@best", False),
        ("net.safetensors", True),
        ("NET.PTH", True),
        ("runs/first", True),
        (".", True),
        ("~/net", True),
        ("runs\\first", True),
    ],
)
def test_what_counts_as_a_path(catalog, init, is_path):
    assert transfer(catalog, init=init).path == (Path(init) if is_path else None)


def test_a_path_is_not_published(catalog):
    for init, public in (("runs/first", False), ("digits-cnn@3", True)):
        recipe = read_recipe({**SHORT, "transfer": {"init": init}}, (), catalog)
        assert ("init" in public_data(recipe)["transfer"]) is public


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"init": "a\0b"},
            "transfer.init: 'a\\x00b': expected a model, a .safetensors file, 'pretrained' or ''",
        ),
        (
            {"freeze": "conv1"},
            "transfer.freeze: 'conv1': expected a list of parts of the network, or ['backbone']",
        ),
        (
            {"freeze": [""]},
            "transfer.freeze: ['']: expected a list of parts of the network, or ['backbone']",
        ),
        ({"unfreeze_epoch": -1}, "transfer.unfreeze_epoch: -1: expected int >= 0"),
        ({"head_lr": 0}, "transfer.head_lr: 0: expected float > 0"),
        (
            {"rates": {"conv1": -1.0}},
            "transfer.rates: {'conv1': -1.0}: expected factors above 0 by part of the network, as "
            "{ conv1 = 0.1 }",
        ),
    ],
)
def test_each_problem_in_its_words(catalog, keys, message):
    with pytest.raises(RecipeError) as caught:
        transfer(catalog, **keys)
    assert caught.value.problems == (message,)
