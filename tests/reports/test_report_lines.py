"""What is wrong with what was asked for is one line, and nothing is written."""

from __future__ import annotations

import shutil

import pytest
import report_examples as examples

import zoo
from zoo.errors import ZooError


@pytest.fixture
def run(here):
    return examples.planted(here / "runs" / "one", samples=30)


def refused(here, *given, **named) -> str:
    before = sorted(here.rglob("*"))
    with pytest.raises(ZooError) as caught:
        zoo.report(*given, **named)
    assert sorted(here.rglob("*")) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_run_or_a_model_that_is_not_there(here, run):
    assert refused(here, "runs/onne") == (
        "run 'runs/onne': no such file or folder (did you mean 'runs/one'?)"
    )
    said = refused(here, "onne")
    assert said.startswith("model 'onne' is not in registry 'local'")
    assert said.endswith("; there is a run 'one'")


def test_a_split_that_is_not_there(here, run):
    assert refused(here, run.path, split="tset") == (
        "run 'one' has no split 'tset' (did you mean 'test'?); expected one of train, val, test"
    )


def test_an_output_that_is_no_page(here, run):
    assert refused(here, run.path, output=run.path / "best.safetensors") == (
        f"output {str(run.path / 'best.safetensors')!r}: expected the name of a file that ends in "
        f".html"
    )


def test_an_output_that_cannot_be_written(here, run):
    (here / "file").write_text("")
    assert refused(here, run.path, output=here / "file" / "x.html") == (
        f"cannot make the folder {str(here / 'file')!r}: a file of that name is there"
    )
    (here / "taken.html").mkdir()
    assert refused(here, run.path, output=here / "taken.html") == (
        f"cannot write {str(here / 'taken.html')!r}: it is a folder; expected a file"
    )


def test_a_folder_for_figures_that_is_a_file(here, run):
    (here / "file").write_text("")
    assert refused(here, run.path, figures=here / "file") == (
        f"cannot make the folder {str(here / 'file')!r}: a file of that name is there"
    )


def test_predictions_of_something_else(here, run):
    other = examples.planted(here / "runs" / "two", classes=["ant", "bee"])
    shutil.copy(other.predictions_path("test"), run.predictions_path("test"))
    assert refused(here, run.path) == (
        f"predictions {str(run.predictions_path('test'))!r} are of split 'test' of 'made' and not "
        f"of 'one' on 'test'; type: zoo eval {run.path} --split test"
    )
    shutil.copy(run.predictions_path("test"), run.predictions_path("val"))
    shutil.copy(other.predictions_path("test"), other.predictions_path("val"))
    assert refused(here, other.path, split="val").endswith(
        "are of split 'test' of 'made' and not of 'two' on 'val'; "
        f"type: zoo eval {other.path} --split val"
    )


def test_predictions_that_are_damaged(here, run):
    run.predictions_path("test").write_bytes(b"PK nothing")
    assert refused(here, run.path).startswith(
        f"predictions {str(run.predictions_path('test'))!r} cannot be used: "
    )


def test_a_damaged_recipe(here, run):
    (run.path / "recipe.toml").write_text("[dataset\n")
    assert refused(here, run.path) == (
        f"recipe {str(run.path / 'recipe.toml')!r} cannot be read: Expected ']' at the end of a "
        f"table declaration (at line 1, column 9)"
    )


def test_a_root_that_is_given_has_to_be_right(here, run):
    examples.planted(here / "runs" / "other", samples=7)  # now the dataset is another one
    assert refused(here, run.path, root=str(here)) == (
        "dataset 'made', split 'test': it is not the one that the predictions are of: its ids "
        "differ"
    )


def test_a_log_that_is_none(here, run, monkeypatch):
    from zoo.reports import history

    monkeypatch.setattr(history, "EVENTS_BYTES", 100)
    path = run.path / "events.jsonl"
    assert refused(here, run.path) == (
        f"event log {str(path)!r} is longer than 100 bytes; that is no event log of zoo's"
    )
