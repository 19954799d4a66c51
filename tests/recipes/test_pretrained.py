"""``architecture.pretrained``: one of two ways to write ``transfer.init``, never against it."""

import pytest

from zoo.errors import RecipeError
from zoo.recipes.flags import flag_overrides
from zoo.recipes.reading import read_recipe
from zoo.recipes.writing import recipe_data, write_recipe


def read(catalog, architecture=None, transfer=None, sets=(), **plain):
    data = {
        "dataset": {"name": "digits"},
        "architecture": {"name": "cnn", **(architecture or {})},
        "transfer": transfer or {},
    }
    return read_recipe(data, flag_overrides(sets, **plain), catalog)


@pytest.mark.parametrize(
    ("pretrained", "init", "written"),
    [
        (True, "", "pretrained"),
        ("a1_in1k", "", "pretrained:a1_in1k"),
        (False, "", ""),
        (False, "digits-cnn", "digits-cnn"),
        (True, "pretrained", "pretrained"),
        (True, "pretrained:a1_in1k", "pretrained:a1_in1k"),
        ("a1_in1k", "pretrained:a1_in1k", "pretrained:a1_in1k"),
    ],
)
def test_it_is_written_as_init(catalog, tmp_path, pretrained, init, written):
    recipe = read(catalog, {"pretrained": pretrained}, {"init": init})
    assert recipe.transfer.init == written
    assert "pretrained" not in recipe_data(recipe)["architecture"]
    (tmp_path / "recipe.toml").write_text(write_recipe(recipe))
    assert read_recipe(tmp_path / "recipe.toml", (), catalog) == recipe


@pytest.mark.parametrize(
    ("init", "tag"),
    [("pretrained", ""), ("pretrained:DEFAULT", "DEFAULT"), ("", None), ("pretrained-cnn", None),
     ("digits:pretrained", None)],
)  # fmt: skip
def test_the_tag_that_is_asked_for(catalog, init, tag):
    transfer = read(catalog, None, {"init": init}).transfer
    assert (transfer.published, transfer.path) == (tag, None)


def test_flags(catalog):
    assert read(catalog, pretrained=True).transfer.init == "pretrained"
    tagged = read(catalog, None, None, ["architecture.pretrained=V2"])
    assert tagged.transfer.init == "pretrained:V2"
    follows = read(catalog, None, None, ["data.normalize=pretrained"], pretrained=True)
    assert follows.data.normalize == "pretrained"
    with pytest.raises(RecipeError) as caught:
        read(catalog, pretrained=True, init="digits-cnn@3")
    assert caught.value.problems == (
        "--pretrained: True: transfer.init is 'digits-cnn@3', and the first weights come from one "
        "place; leave out one of the two",
    )


def test_another_architecture_leaves_the_files_weights_behind(catalog):
    given = {"name": "greedy", "pretrained": "V2"}
    recipe = read(catalog, given, None, ["architecture.name=cnn"])
    assert (recipe.architecture.name, recipe.transfer.init) == ("cnn", "")


@pytest.mark.parametrize(
    ("pretrained", "init", "message"),
    [
        (True, "runs/first", "True: transfer.init is 'runs/first', and the first weights come"),
        (False, "pretrained", "False: transfer.init is 'pretrained', and the first weights come"),
        ("V1", "pretrained:V2", "'V1': transfer.init is 'pretrained:V2', and the first weights"),
        (1, "", "1: expected true, false or the tag of published weights"),
        ("", "", "'': expected true, false or the tag of published weights"),
        ("a b", "", "'a b': expected true, false or the tag of published weights"),
        ("x" * 101, "", f"'{'x' * 101}': expected true, false or the tag of published weights"),
        (["V1"], "", "['V1']: expected true, false or the tag of published weights"),
    ],
)
def test_each_problem_in_its_words(catalog, pretrained, init, message):
    with pytest.raises(RecipeError) as caught:
        read(catalog, {"pretrained": pretrained}, {"init": init})
    (said,) = caught.value.problems
    assert said.startswith(f"architecture.pretrained: {message}")
