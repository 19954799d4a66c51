"""What is a run and what a version; runs and records that are damaged, or not to be trusted."""

import json
import shutil
from pathlib import Path

import pytest

import zoo
from zoo.errors import RecipeError, RegistryError, RunError, ZooError
from zoo.registry.record import Record
from zoo.runs.naming import as_argument
from zoo.runs.sources import is_path, source_of


def test_a_name_with_a_dot_is_a_name(run, here):
    for reference in ("bin.v2", "bin.v2@1", "local:bin.v2@1", "x" * 300, "digits"):
        assert not is_path(reference)
    for path in ("runs/copy", "./copy", ".", "..", "/tmp/x", "./bin.v2@1"):
        assert is_path(path)
    zoo.publish(run, "bin.v2")
    assert zoo.evaluate("bin.v2@1").source == "bin.v2@1"


def test_a_run_that_is_here_or_in_runs_is_one_by_its_name(run, here):
    shutil.move(run.path, here / "plain")
    (here / "data").mkdir()
    assert is_path("plain") and not is_path("data")
    zoo.publish("plain", "copy")
    assert zoo.evaluate("copy").source == "copy@1"
    shutil.copytree(here / "plain", here / "runs/copy")
    assert is_path("copy") and zoo.evaluate("copy").source == "copy"
    assert zoo.evaluate("copy@1").source == "copy@1"
    assert zoo.evaluate("plain").source == zoo.evaluate("./plain").source == "plain"


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("plain", "./plain"), ("runs/a", "runs/a"), ("a b/c", "'a b/c'"), ("-x/y", "./-x/y"),
        ("/x/$(id)", "'/x/$(id)'"),
    ],
)  # fmt: skip
def test_a_path_as_it_is_typed(path, typed):
    assert as_argument(Path(path)) == typed
    assert is_path(as_argument(Path(path)).strip("'"))


HOSTILE = {
    "empty": ({}, "is damaged: it names no dataset"),
    "no table": ({"dataset": 3}, "is damaged: it names no dataset"),
    "no name": ({"dataset": {"name": ["x"]}}, "is damaged: it names no dataset"),
    "split no table": ({"dataset": {"name": "digits"}, "split": 3}, "is damaged: split"),
    "unknown key": ({"dataset": {"name": "digits"}, "split": {"zz": 1}}, "is damaged: split.zz"),
    "wrong type": ({"dataset": {"name": "digits"}, "split": {"val": "1"}}, "damaged: split.val"),
    "absolute table": (
        {"dataset": {"name": "digits"}, "split": {"file": "/etc/passwd"}},
        "names a path of this machine: split.file: '/etc/passwd'",
    ),
    "absolute option": (
        {"dataset": {"name": "csv_table", "table": "/etc/passwd"}},
        "names a path of this machine: dataset.table: '/etc/passwd'",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_strangers_recipe(case, run, here):
    recipe, said = HOSTILE[case]
    zoo.publish(run, "m")
    path = here / "registry/models/m/versions/1.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "recipe": recipe}))
    with pytest.raises(RegistryError) as caught:
        zoo.evaluate("m")
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).startswith("the recipe of model 'm' version 1 ")


def test_a_split_table_of_a_stranger_is_not_opened(run, here):
    plain = json.loads(zoo.publish(run, "m").to_bytes())
    plain["recipe"]["split"]["file"] = "some/table.csv"
    assert source_of(Record.from_bytes(json.dumps(plain).encode(), "m")).plan.file == ""


@pytest.mark.parametrize("key", ["task", "preprocessing", "data", "plugin"])
@pytest.mark.parametrize("value", [None, 3, [], "x"])
def test_a_damaged_run_is_one_line(key, value, run):
    info = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**info, key: value}))
    for work in (zoo.evaluate, lambda path: zoo.publish(path, "m")):
        with pytest.raises(ZooError) as caught:
            work(run.path)
        assert str(caught.value) == (f"run {str(run.path)!r}: its run.json is damaged: {key!r}")


@pytest.mark.parametrize("value", [{}, {"splits": 3}, {"splits": {"test": 3}}])
def test_damaged_splits(value, run):
    info = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**info, "data": value}))
    with pytest.raises(RunError, match=r"its run\.json is damaged: 'data'"):
        zoo.evaluate(run.path)


def test_a_loss_that_is_gone_does_not_hinder_measuring(run, here):
    text = (run.path / "recipe.toml").read_text()
    assert 'name = "cross_entropy"' in text
    (run.path / "recipe.toml").write_text(text.replace('"cross_entropy"', '"gone_since"'))
    assert zoo.evaluate(run.path).metrics["accuracy"] > 0.5
    with pytest.raises(RecipeError, match="loss 'gone_since' is not installed"):
        zoo.train(run.path / "recipe.toml", folder=here / "again")
