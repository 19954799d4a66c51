"""``training.max_time``: a time above 0, or nothing."""

import pytest

from zoo.errors import RecipeError
from zoo.recipes.reading import Override, read_recipe

HEAD = '[dataset]\nname = "digits"\n[architecture]\nname = "cnn"\n'


@pytest.fixture
def max_time(tmp_path, catalog, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "recipe.toml"
    path.write_text(HEAD)

    def read(given):
        override = Override("training.max_time", given, "--max-time")
        return read_recipe(path, [override], catalog).training.max_time

    return read


@pytest.mark.parametrize("given", ["", "1s", "0.001s", "90m", "2h"])
def test_times(given, max_time):
    assert max_time(given) == given


@pytest.mark.parametrize("given", ["0s", "0.000h", "00m", "-1s", "s", "5", "1e3s", "nans"])
def test_a_time_of_nothing_is_no_time_without_a_limit(given, max_time):
    with pytest.raises(RecipeError) as caught:
        max_time(given)
    assert list(caught.value.problems) == [
        f"--max-time: {given!r}: expected a time above 0, as '45s', '90m' or '2h'"
    ]
