"""A study carried out in this process: what is trained, what is not again, what stands in a row."""

from __future__ import annotations

import json
import math
import shutil

import pytest
from inline import Inline, weights_of, without_times, write_study
from zoo_cli.main import main

import zoo
from zoo.errors import StudyError
from zoo.studies.carrying import Outcome
from zoo.studies.datasets import missing_datasets
from zoo.studies.planning import planned
from zoo.studies.studying import study

TABLES = """
[[tables]]
name = "nets"
title = "Nets"
kind = "list"
reference = "two"
[[tables.rows]]
name = "two"
[[tables.rows]]
name = "the same"
set = { "card.licence" = "mit" }
[[tables.rows]]
name = "diverges"
set = { "optimizer.name" = "sgd", "optimizer.lr" = 1e38 }
[[tables.rows]]
name = "fails"
set = { "dataset.name" = "mnist", "dataset.root" = "/nowhere" }
[[tables.rows]]
name = "both"
ensemble = { rows = ["two"] }
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """(folder with the study and ``out``, keys carried out)."""
    folder = tmp_path_factory.mktemp("study")
    carried = []
    study(write_study(folder, TABLES), out=folder / "out", begin=lambda *_: Inline(carried))
    return folder, carried


@pytest.fixture
def copied(done, tmp_path):
    """A copy that a test may go on with."""
    own = tmp_path / done[0].name  # by which the study is called
    shutil.copytree(done[0], own)
    return own


def again(folder, text=TABLES, **asked):
    carried = []
    made = study(write_study(folder, text), out=folder / "out",
                 begin=lambda *_: Inline(carried), **asked)  # fmt: skip
    return made, carried


def results(folder):
    return json.loads((folder / "out" / "results.json").read_text())


def rows_of(data, table=0):
    return {row["name"]: row for row in data["tables"][table]["rows"]}


def test_rows_with_one_recipe_share_their_runs(done):
    folder, carried = done
    rows = rows_of(results(folder))
    keys = [[run["key"] for run in rows[name]["runs"]] for name in ("two", "the same")]
    assert keys[0] == keys[1] and len(carried) == len(set(carried)) == 6
    assert rows["the same"]["settings"]["card.licence"] == "mit"


def test_a_run_that_cannot_be_had_is_a_row_that_says_why(done):
    rows = rows_of(results(done[0]))
    assert {run["status"] for run in rows["two"]["runs"]} == {"done"}
    assert [(run["status"], run["reason"]) for run in rows["fails"]["runs"]] == [
        ("failed", "root of dataset 'mnist' '/nowhere': no such file or folder")
    ] * 2
    first = rows["diverges"]["runs"][0]
    assert first["status"] == "diverged" and first["reason"].startswith("the loss became nan in")
    text = (done[0] / "out" / "tables" / "nets.md").read_text()
    assert "all runs failed: root of dataset 'mnist' '/nowhere': no such file" in text


def test_results_hold_what_zoo_eval_gives(done):
    out = done[0] / "out"
    rows = rows_of(results(done[0]))
    run = rows["two"]["runs"][0]
    measured = json.loads((out / run["folder"] / "metrics" / "test.json").read_text())
    assert run["figures"] == {"test/accuracy": measured["accuracy"]}
    assert (out / run["folder"] / run["predictions"]["test"]).is_file()
    assert (run["epochs"], run["best_epoch"], run["seed"]) == (1, 1, 0)
    assert run["parameters"] > 1000 and run["seconds"] > 0 and run["steps"] >= 3


def test_an_ensemble_is_a_row_without_training(done):
    (run,) = rows_of(results(done[0]))["both"]["runs"]
    assert run["status"] == "done" and run["seed"] is None and run["epochs"] is None
    path = done[0] / "out" / run["folder"] / run["predictions"]["test"]
    assert zoo.evaluate(path, draws=0).metrics["accuracy"] == run["figures"]["test/accuracy"]


def test_an_ensemble_of_one_seed_waits_for_more(copied):
    made, _ = again(copied, seeds=[0], rows=("two", "both"))
    (run,) = rows_of(made.data)["both"]["runs"]
    assert (run["status"], run["reason"]) == (
        "waiting", "it has one member alone; expected 2 seeds, or rows, or more",
    )  # fmt: skip


def test_the_row_that_is_the_same_has_no_difference(done):
    said = rows_of(results(done[0]))["the same"]["statistics"]["test/accuracy"]["difference"]
    assert (said["value"], said["low"], said["high"], said["shown"]) == (0.0, 0.0, 0.0, None)


def test_what_is_done_is_not_done_again_and_what_failed_is(copied):
    made, carried = again(copied)
    failed = {run["key"] for run in rows_of(made.data)["fails"]["runs"]}
    assert set(carried) == failed and len(carried) == 2


def test_a_seed_more_costs_only_itself(copied):
    before = weights_of(copied / "out")
    made, carried = again(copied, seeds=[0, 1, 2], rows=("two", "the same"))
    (new,) = carried
    run = rows_of(made.data)["two"]["runs"][2]
    assert (run["key"], run["seed"], run["status"]) == (new, 2, "done")
    after = weights_of(copied / "out")
    assert {key: after[key] for key in before} == before
    assert rows_of(made.data)["two"]["statistics"]["test/accuracy"]["count"] == 3
    assert [run["status"] for run in rows_of(made.data)["diverges"]["runs"]][2] == "waiting"
    assert made.data["complete"] is False


def test_other_columns_are_made_of_what_is_there(copied):
    columns = """columns = [
      { title = "Net", row = "name" }, { title = "F1", metric = "averages/macro/f1" },
      { title = "Train", metric = "train/loss", at = "last" },
      { title = "Digit 3", metric = "per_class/3/recall" },
    ]
    """
    text = TABLES.replace('title = "Nets"\n', f'title = "Nets"\n{columns}')
    made, carried = again(copied, text, train=False)
    assert carried == []
    figures = rows_of(made.data)["two"]["runs"][0]["figures"]
    assert set(figures) == {
        "test/averages/macro/f1", "last/train/loss", "test/per_class/3/recall", "test/accuracy",
    }  # fmt: skip


def test_another_split_measures_again_and_trains_nothing(copied):
    before = weights_of(copied / "out")
    made, carried = again(copied, TABLES.replace('kind = "list"', 'kind = "list"\nsplit = "train"'))
    assert weights_of(copied / "out") == before and len(carried) == 4  # and the two that fail
    assert "train/accuracy" in rows_of(made.data)["two"]["runs"][1]["figures"]
    (run,) = rows_of(made.data)["both"]["runs"]  # its members have seen these
    assert run["status"] == "failed" and "trained on" in run["reason"]


def test_the_folder_of_another_study_is_refused(copied):
    with pytest.raises(StudyError) as caught:
        again(copied, profile="long")
    assert str(caught.value) == (
        f"{str(copied / 'out')!r} holds the results of another study, '{copied.name}'; name "
        f"another with --out"
    )


def test_equal_results_are_equal_files(copied):
    _, _ = again(copied, train=False)
    names = [path for path in sorted((copied / "out").glob("tables/*")) if path.is_file()]
    before = [path.read_bytes() for path in names]
    made, _ = again(copied, train=False)
    assert [path.read_bytes() for path in names] == before and len(names) == 4
    assert without_times(made.data) == without_times(results(copied))


def test_nothing_is_written_before_the_whole_study_is_right(tmp_path):
    text = TABLES + '[[tables.rows]]\nname = "wrong"\nset = { "training.epoch" = 1 }\n'
    with pytest.raises(StudyError, match=r"training\.epoch: unknown key"):
        study(write_study(tmp_path, text), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_damaged_files_cost_no_more_than_what_they_say(copied):
    out = copied / "out"
    rows = rows_of(results(copied))
    first, second = (out / run["folder"] for run in rows["two"]["runs"])
    (first / "run.json").write_text('{"status": ')
    (first / "predictions" / "test.npz").unlink()
    odd = ["{}", '{"epoch": [1]}', '{"epoch": 1, "seconds": "x", "train": 3, "val": {"loss": NaN}}']
    with (second / "events.jsonl").open("a") as log:
        log.writelines(line.replace("{", '{"event": "epoch_ended", ', 1).replace(", }", "}") + "\n"
                       for line in odd)  # fmt: skip
        log.write('{"event": "training_ended", "seconds": "x", "steps": NaN}\n')
    measured = json.loads((second / "metrics" / "test.json").read_text())
    (second / "metrics" / "test.json").write_text(json.dumps({**measured, "accuracy": math.nan}))
    for path in (out / "comparisons").iterdir():
        path.write_text('{"test/accuracy": [NaN, NaN, NaN]}')
    shutil.rmtree(next((out / "ensembles").glob("*/test")))
    (out / "results.json").write_text(
        json.dumps({"format": 1, "name": copied.name, "profile": "", "tables": [1, {"rows": [2]}]})
    )
    made, _ = again(copied, train=False)
    rows = rows_of(made.data)
    one, other = rows["two"]["runs"]
    assert one["status"] == "failed" and one["reason"].startswith(f"'{first}/run.json' cannot be ")
    assert one["reason"].endswith("to train it anew remove the folder")
    assert (other["status"], other["figures"], other["seconds"]) == ("done", {}, None)
    assert rows["both"]["runs"][0]["status"] == "waiting"
    statistics = rows["two"]["statistics"]["test/accuracy"]
    assert (statistics["count"], statistics["interval"]) == (1, None)


def test_results_that_are_torn_are_refused_in_one_line(copied):
    path = copied / "out" / "results.json"
    path.write_text("{")
    with pytest.raises(StudyError) as caught:
        again(copied, train=False)
    assert str(caught.value).startswith(f"results {str(path)!r} cannot be read: JSONDecodeError: ")
    assert str(caught.value).endswith("; remove that file, which is made anew from the runs")


def test_the_default_folder_is_named_after_the_study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_study(tmp_path / "mnist", TABLES)
    assert str(planned(path, "long").out) == "runs/study-mnist-long"
    other = path.rename(path.with_name("rates.toml"))
    assert str(planned(other).out) == "runs/study-rates"


def test_runs_that_fail_are_for_a_script_to_notice(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("zoo.studies.studying._processes", lambda workers: lambda place: Inline())
    rows = '[[tables]]\nname = "t"\nkind = "list"\n[[tables.rows]]\nname = "a"\n'
    path = write_study(tmp_path, f"{rows}set = {{ 'data.size' = 1 }}\n")
    typed = ["study", str(path), "--out", str(tmp_path / "out")]
    said = (
        "zoo: error: 2 of 2 runs failed, the tables say why; mend that and type the same again: it "
        "goes on with what is not done\n"
    )
    assert main(typed) == 1
    found = capsys.readouterr()
    assert found.err == said and "too small" in found.out
    assert main([*typed, "--json"]) == 1
    found = capsys.readouterr()
    assert found.err == said and json.loads(found.out)["complete"] is True
    assert main([*typed, "--no-train"]) == 0


def test_a_dataset_that_is_not_there_is_said_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.delenv("ZOO_DATA", raising=False)
    rows = '[[tables]]\nname = "t"\nkind = "list"\n[[tables.rows]]\nname = "a"\n'
    path = write_study(
        tmp_path, f"{rows}[[tables.rows]]\nname = 'b'\nset = {{ 'dataset.name' = 'mnist' }}\n"
    )
    with pytest.raises(StudyError) as caught:
        study(path, out=tmp_path / "out")
    (line,) = caught.value.problems
    assert line.startswith("dataset 'mnist' needs a folder with its files (train-images-idx3")
    assert line.endswith(
        "name it with --root, dataset.root, or put it at $ZOO_DATA/mnist (t/b, seed 0 and 1 more)"
    )
    assert not (tmp_path / "out").exists()
    assert missing_datasets(planned(path, rows=["a"])) == []
    assert missing_datasets(planned(path, overrides={"dataset.root": str(tmp_path)})) == []
    monkeypatch.setattr("zoo.studies.datasets.standing", lambda folder: Outcome("done"))
    assert missing_datasets(planned(path)) == []
