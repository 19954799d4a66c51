import os

import pytest

from zoo.errors import RecipeError
from zoo.recipes.reading import read_recipe
from zoo.recipes.sources import MAX_BYTES


def problem(source, catalog):
    with pytest.raises(RecipeError) as caught:
        read_recipe(source, (), catalog)
    assert len(caught.value.problems) == 1
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[dataset]\nname = \n", "{}:2: not TOML: invalid value"),
        (b"[dataset", "{}:1: not TOML: expected ']' at the end of a table declaration"),
        (b"\n[training]\nseed = 1\nseed = 2", "{}:4: training.seed: stands twice, first in line 3"),
        (b"[card]\n\n[data]\n[card]\n", "{}:4: card: stands twice, first in line 1"),
        (b"a.b = 1\na = 2", "{}:2: not TOML: cannot overwrite a value"),
        (b"\xef\xbb\xbfa = 1", "{}:1: begins with a byte-order mark; save it as UTF-8 without"),
        (b"a = 1\nb = '\xe9'", "{}:2: byte 0xe9 is not UTF-8; save it as UTF-8"),
        ("a = 1".encode("utf-16"), "{}:1: byte 0xff is not UTF-8; save it as UTF-8"),
        (b"a = 1\n\x00", "{}:2: not TOML: invalid statement"),
        (
            b"\nx = " + b"[" * 100_000,
            "{}:2: nested more than 16 deep; expected a recipe in TOML",
        ),
        (
            b".".join([b"a"] * 100_000) + b"=1",
            "{}:1: a key of more than 16 parts; expected a recipe in TOML",
        ),
        (
            b"x = " + b"1" * 5000,
            "{}:1: a value of 5000 characters, without quotes; expected a recipe in TOML",
        ),
        (
            b"".join(b"k%d = 1\n" % i for i in range(50_000)),
            "{}:1001: more than 1000 keys; expected a recipe in TOML",
        ),
        (
            b"#" * (MAX_BYTES + 1),
            "{}: more than 1000000 bytes; expected a recipe in TOML",
        ),
    ],
)
def test_a_file_that_is_no_recipe_is_one_line(tmp_path, catalog, content, message):
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    assert problem(path, catalog) == message.format(path)


def test_a_file_of_the_largest_size_is_read(tmp_path, catalog):
    path = tmp_path / "recipe.toml"
    text = '[dataset]\nname = "digits"\n[architecture]\nname = "cnn"\n#'
    path.write_text(text + " " * (MAX_BYTES - len(text)))
    assert read_recipe(path, (), catalog).dataset.name == "digits"


def test_a_huge_file_is_not_read_whole(tmp_path, catalog):
    path = tmp_path / "recipe.toml"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)
    assert problem(path, catalog) == f"{path}: more than 1000000 bytes; expected a recipe in TOML"


def test_a_missing_file_a_folder_and_a_pipe(tmp_path, catalog):
    path = tmp_path / "recipe.toml"
    assert problem(path, catalog) == f"recipe {str(path)!r}: no such file or folder"
    assert problem(tmp_path, catalog) == f"recipe {str(tmp_path)!r}: a folder; expected a TOML file"
    (tmp_path / "recipes.toml").touch()
    near = f" (did you mean '{tmp_path}/recipes.toml'?)"
    assert problem(path, catalog) == f"recipe {str(path)!r}: no such file or folder{near}"
    assert problem(tmp_path, catalog).endswith(f": a folder; expected a TOML file{near}")
    (tmp_path / "other.toml").touch()
    assert problem(tmp_path, catalog).endswith(": a folder; expected a TOML file")
    long = tmp_path / ("x" * 300)
    assert problem(long, catalog).startswith(f"recipe {str(long)!r} cannot be read: OSError: ")
    os.mkfifo(path)
    assert problem(path, catalog) == f"recipe {str(path)!r}: no regular file; expected a TOML file"


def test_a_file_that_cannot_be_read(tmp_path, catalog, monkeypatch):
    path = tmp_path / "recipe.toml"
    path.write_text("")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    assert problem(path, catalog) == (
        f"recipe {str(path)!r} cannot be read: PermissionError: [Errno 13] Permission denied"
    )


def test_a_mapping_that_holds_itself(catalog):
    data = {}
    data["dataset"] = data
    assert problem(data, catalog) == "recipe: nested more than 16 deep"


def test_control_characters_of_a_file_do_not_reach_the_terminal(tmp_path, catalog):
    path = tmp_path / "recipe.toml"
    path.write_text('[dataset]\nname = "digits"\n[architecture]\nname = "cnn"\n"\\u001b[2J" = 1\n')
    assert problem(path, catalog) == (
        f'{path}:5: architecture."\\u001b[2J": unknown option; expected one of variant, widths'
    )
