import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import RecipeError
from zoo.recipes.flags import PLAIN_FLAGS, flag_overrides, parse_value
from zoo.recipes.reading import Override, read_recipe
from zoo.recipes.schema import COMPONENTS, LISTS, PLAIN, reserved

FILE = """[dataset]
name = "digits"
root = "somewhere"
corrected = true
[architecture]
name = "cnn"
variant = "three"
[[augmentations]]
name = "rotation"
degrees = 5
[optimizer]
lr = 0.5
"""


@pytest.fixture
def read(tmp_path, catalog):
    path = tmp_path / "recipe.toml"

    def read(sets=(), text=FILE, **plain):
        path.write_text(text)
        return read_recipe(path, flag_overrides(sets, **plain), catalog)

    return read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("3", 3),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ('{a = "b"}', {"a": "b"}),
        ('"3"', "3"),
        ("sgd", "sgd"),
        ("cuda:0", "cuda:0"),
        ("True", "True"),
        ("two words # and more", "two words # and more"),
        ("", ""),
        ("1\n[x]", "1\n[x]"),
        ("2024-01-01", "2024-01-01"),
        ("9" * 5000, "9" * 5000),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_value_is_toml_or_else_the_text_itself(text, value):
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


@given(st.text())
def test_any_text_is_some_value(text):
    value = parse_value(text)
    assert isinstance(value, bool | int | float | str | list | dict)


def test_infinity_and_nan_are_values_and_refused_as_such(read):
    assert math.isinf(parse_value("inf"))
    with pytest.raises(RecipeError) as caught:
        read(["optimizer.lr=inf"])
    assert str(caught.value) == (
        "--set optimizer.lr=inf: optimizer.lr: inf: expected float > 0, finite"
    )


def test_every_plain_flag_sets_a_key_that_exists():
    for key in PLAIN_FLAGS.values():
        section, _, field = key.partition(".")
        if section in COMPONENTS:
            # positive is an option that datasets of two classes have.
            assert field in reserved(section) or key == "dataset.positive"
        else:
            assert section in LISTS or field in PLAIN[section].model_fields


def test_flags_alone_equal_the_file(read, catalog):
    flags = flag_overrides(
        [
            "dataset.corrected=true",
            "architecture.variant=three",
            "optimizer.lr=0.5",
            "augmentations.0.degrees=5",
        ],
        dataset="digits",
        root="somewhere",
        architecture="cnn",
        augmentation=["rotation"],
        tracker=None,
        epochs=None,
    )
    assert read_recipe(None, flags, catalog) == read()


def test_set_can_say_everything_that_the_file_says(read, catalog):
    sets = [
        "dataset.name=digits",
        "dataset.root=somewhere",
        "dataset.corrected=true",
        'architecture={name="cnn", variant="three"}',
        "augmentations.0.name=rotation",
        "augmentations.0.degrees=5",
        "optimizer.lr = 0.5",
    ]
    assert read_recipe(None, flag_overrides(sets), catalog) == read()


def test_flags_win_over_the_file_and_the_last_over_the_first(read):
    recipe = read(["optimizer.lr=0.1", "optimizer.lr=0.2", "training.epochs=7"], epochs=3, seed=4)
    assert recipe.optimizer.options["lr"] == 0.2
    assert (recipe.training.epochs, recipe.training.seed) == (7, 4)
    assert recipe.architecture.options["variant"] == "three"


def test_a_list_flag_replaces_the_list_and_an_empty_one_does_not(read):
    assert [one.name for one in read(augmentation=["flip", "rotation"]).augmentations] == [
        "flip",
        "rotation",
    ]
    assert [one.name for one in read(augmentation=[]).augmentations] == ["rotation"]
    assert read(["augmentations=[]"]).augmentations == ()
    assert [one.name for one in read(["augmentations.1.name=flip"]).augmentations] == [
        "rotation",
        "flip",
    ]


def test_another_component_leaves_the_file_s_options_behind(read):
    assert read(dataset="scans").dataset.options == {}
    assert read(dataset="scans").dataset.root is None
    assert read(dataset="scans", root="there").dataset.root == "there"
    recipe = read(["optimizer.lr=0.3"], optimizer="needy")
    assert recipe.optimizer.options == {"lr": 0.3}
    assert read(["augmentations.0.name=flip"]).augmentations[0].options == {}


def test_the_same_component_keeps_the_file_s_options(read):
    recipe = read(["augmentations.0.name=rotation"], dataset="digits", optimizer="adam")
    assert recipe.dataset.root == "somewhere"
    assert recipe.optimizer.options["lr"] == 0.5
    assert recipe.augmentations[0].options == {"degrees": 5.0}


def test_options_of_a_file_without_a_name_are_the_flag_s(read):
    text = FILE.replace('name = "cnn"\n', "")
    assert read(text=text, architecture="cnn").architecture.options["variant"] == "three"


def test_a_flag_over_options_of_the_default_component(read):
    with pytest.raises(RecipeError) as caught:
        read(optimizer="needy")
    assert str(caught.value) == "--optimizer: optimizer.lr: missing; expected float"


def problems(call, *args, **flags):
    with pytest.raises(RecipeError) as caught:
        call(*args, **flags)
    return list(caught.value.problems)


def test_without_a_file_the_missing_names_are_flags(catalog):
    assert problems(read_recipe, None, (), catalog) == [
        "--dataset: missing; expected the name of a dataset; see: zoo components list datasets",
        "--architecture: missing; expected the name of an architecture; see: zoo components list "
        "architectures",
    ]


def test_without_a_file_a_mapping_s_missing_names_are_keys(catalog):
    assert problems(read_recipe, {"architecture": {"name": "cnn"}}, (), catalog) == [
        "dataset.name: missing; expected the name of a dataset; see: zoo components list datasets",
    ]


def test_texts_that_are_no_settings():
    assert problems(flag_overrides, ["optimizer.lr", "=3", "a=1"]) == [
        "--set optimizer.lr: expected key=value, as in --set optimizer.lr=1e-3",
        "--set =3: expected key=value, as in --set optimizer.lr=1e-3",
    ]


def test_a_plain_flag_is_named_as_it_is_typed(read):
    assert problems(read, batch_size=0, architecture="ccn") == [
        "--batch-size: 0: expected 'auto' or an integer >= 1",
        "--architecture: architecture 'ccn' is not installed (did you mean 'cnn'?); see: zoo "
        "components list architectures",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("optimizer.lrr=1", "optimizer.lrr: unknown option (did you mean 'lr'?); expected one of "
         "lr, amsgrad"),
        ("training=3", "training: 3: expected a table, [training]"),
        ("optimizer..lr=1", 'optimizer."".lr: expected names joined by single dots, as in '
         "optimizer.lr"),
        ("optimizer.lr.x=1", "optimizer.lr.x: optimizer.lr is 0.5, which holds no keys"),
        ("augmentations.2.name=flip", "augmentations.2.name: '2': expected the number of one of 1 "
         "items, from 0, or 1 to add one"),
        ("augmentations.x=1", "augmentations.x: 'x': expected the number of one of 1 items, from "
         "0, or 1 to add one"),
        ("trackers.1.name=log", "trackers.1.name: '1': expected 0, to add the first item"),
        ("training.epochs=many", "training.epochs: 'many': expected int >= 1"),
        ("data.size=28x28", "data.size: '28x28': expected 'native', a side in pixels, or [height, "
         "width], in 1 to 16384"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_setting(read, text, message):
    assert problems(read, [text]) == [f"--set {text}: {message}"]


def test_a_flag_that_repairs_the_file_leaves_no_problem(read):
    broken = FILE.replace("lr = 0.5", "lr = 'x'")
    assert problems(read, text=broken)
    assert read(["optimizer.lr=0.5"], text=broken) == read()
    assert read(['optimizer={name="adam"}'], text=broken).optimizer.options["lr"] == 1e-3


def test_what_a_flag_replaced_is_no_longer_the_file_s(read):
    text = 'optimizer={name="adam", lr="x"}'
    assert problems(read, [text]) == [f"--set {text}: optimizer.lr: 'x': expected float > 0"]


def test_overrides_from_python(tmp_path, catalog):
    path = tmp_path / "recipe.toml"
    path.write_text(FILE)
    override = Override("dataset.root", tmp_path, "overrides['dataset.root']")
    assert read_recipe(path, [override], catalog).dataset.root == str(tmp_path)


def test_an_unknown_section_is_the_flag_s_that_named_it(read):
    with pytest.raises(RecipeError) as caught:
        read(["optimizer.lr=1e-3", "traning.epochs=3"])
    assert str(caught.value).startswith(
        "--set traning.epochs=3: traning: unknown section (did you mean 'training'?); expected one "
    )
