"""Settings that would do nothing beside the others are refused, each with the reason."""

import pytest

from zoo.errors import RecipeError
from zoo.recipes.flags import flag_overrides
from zoo.recipes.reading import read_recipe
from zoo.recipes.writing import write_recipe

SHORT = {"dataset": {"name": "digits"}, "architecture": {"name": "cnn"}}
OR_NOT = "set it, or leave this out"
CASES = {
    "unfreezing nothing": (
        {"transfer": {"unfreeze_epoch": 3}},
        f"transfer.unfreeze_epoch: 3 has no effect: transfer.freeze names no part; {OR_NOT}",
        {"transfer": {"unfreeze_epoch": 3, "freeze": ["conv1"]}},
    ),
    "unfreezing at once": (
        {"transfer": {"unfreeze_epoch": 1, "freeze": ["conv1"]}},
        "transfer.unfreeze_epoch: 1 has no effect: the first epoch is 1, so nothing is ever "
        "frozen; expected 2 or more, or 0 for never",
        {"transfer": {"unfreeze_epoch": 2, "freeze": ["conv1"]}},
    ),
    "parts larger than a batch": (
        {"training": {"micro_batch": 128}},
        "training.micro_batch: 128 has no effect: a batch has 64 images; expected fewer, or 0 for "
        "all at once",
        {"training": {"micro_batch": 64}},
    ),
    "a fold of none": (
        {"split": {"fold": 2}},
        f"split.fold: 2 has no effect: split.folds is 0; {OR_NOT}",
        {"split": {"fold": 2, "folds": 5}},
    ),
    "cutting nothing": (
        {"data": {"size": 28, "center_crop": True}},
        "data.center_crop: True has no effect: images are decoded to data.size, for "
        f"data.store_size is 'auto'; {OR_NOT}",
        {"data": {"size": 28, "center_crop": True, "store_size": 32}},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_does_nothing_is_refused_and_what_does_something_is_not(case, catalog, tmp_path):
    given, message, good = CASES[case]
    with pytest.raises(RecipeError) as caught:
        read_recipe({**SHORT, **given}, (), catalog)
    assert caught.value.problems == (message,)
    recipe = read_recipe({**SHORT, **good}, (), catalog)
    (tmp_path / "recipe.toml").write_text(write_recipe(recipe))
    assert read_recipe(tmp_path / "recipe.toml", (), catalog) == recipe


def test_sizes_that_are_found_later_may_be_anything(catalog):
    for sizes in ({"batch_size": "auto", "micro_batch": 128}, {"micro_batch": "auto"}):
        read_recipe({**SHORT, "training": sizes}, (), catalog)


def test_the_flag_or_the_line_is_named_and_every_problem_told(catalog, tmp_path):
    path = tmp_path / "r.toml"
    path.write_text(
        '[dataset]\nname = "digits"\n[architecture]\nname = "cnn"\n'
        "[training]\nepochs = 0\n[split]\nfold = 1\n"
    )
    with pytest.raises(RecipeError) as caught:
        read_recipe(path, flag_overrides(["transfer.unfreeze_epoch=4"]), catalog)
    assert caught.value.problems == (
        f"{path}:6: training.epochs: 0: expected int >= 1",
        f"{path}:8: split.fold: 1 has no effect: split.folds is 0; {OR_NOT}",
        "--set transfer.unfreeze_epoch=4: transfer.unfreeze_epoch: 4 has no effect: "
        f"transfer.freeze names no part; {OR_NOT}",
    )
