"""``zoo study`` as people type it: what is listed, refused and printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from zoo_cli.main import main

STUDY = """
title = "Digits"
metrics = ["accuracy"]
[recipe.dataset]
name = "digits"
[recipe.architecture]
name = "linear"
[recipe.training]
epochs = 1
threads = 1
[profiles.smoke]
seeds = [0, 1]
[[tables]]
name = "rates"
title = "Table 1: rates"
kind = "one_at_a_time"
[tables.vary]
"optimizer.lr" = [0.001, 0.01]
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("study.toml").write_text(STUDY)


def test_a_dry_run_lists_every_run_and_writes_nothing(capsys):
    name = Path.cwd().name
    assert main(["study", "study.toml", "--profile", "smoke", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["RUN", "KEY", "STATUS", "SECONDS"]
    assert [line.split("  ")[0] for line in lines[1:5]] == [
        "rates/optimizer.lr=0.001, seed 0", "rates/optimizer.lr=0.01, seed 0",
        "rates/optimizer.lr=0.001, seed 1", "rates/optimizer.lr=0.01, seed 1",
    ]  # fmt: skip
    assert lines[5:] == [
        "4 runs, 0 of them done; how long the rest takes is not known before one run is done",
        f"to be kept in runs/study-{name}-smoke; nothing was written; to train leave out --dry-run",
    ]
    assert [path.name for path in Path().iterdir()] == ["study.toml"]


def test_a_dry_run_as_json(capsys):
    assert main(["study", "study.toml", "--dry-run", "--json", "--row", "optimizer.lr=0.01"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["status"], one["seconds"]) for one in said["runs"]] == [
        ("rates/optimizer.lr=0.01, seed 0", "waiting", None)
    ]
    assert said["seconds_left"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["none.toml"], "study 'none.toml': no such file or folder"),
        (["study.toml", "--profile", "smok"],
         "no profile 'smok' (did you mean 'smoke'?); there are 'smoke'"),
        (["study.toml", "--table", "t"], "--table t: no table 't'; there are 'rates'"),
        (["study.toml", "--set", "training.epoch=1"],
         "--set training.epoch=1: training.epoch: unknown key (did you mean 'epochs'?); expected "
         "one of epochs,"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(options, said, capsys):
    assert main(["study", *options]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"zoo: error: {said}") and len(error.splitlines()) == 1
    assert not Path("runs").exists()


@pytest.mark.parametrize("seeds", ["a", "", "0,0", "-1"])
def test_seeds_are_whole_numbers(seeds, capsys):
    assert main(["study", "study.toml", f"--seeds={seeds}"]) == 2
    assert "expected whole numbers from 0, each once, as in --seeds 0,1,2" in (
        capsys.readouterr().err
    )


def test_the_tables_of_what_is_there_need_no_training(capsys):
    assert main(["study", "study.toml", "--no-train", "--out", "out"]) == 0
    text = capsys.readouterr().out
    assert "Table 1: rates" in text and "1 of 1 runs not done" in text
    assert "some runs are not there yet" in text
    assert {path.name for path in Path("out/tables").iterdir()} == {
        "rates.csv", "rates.md", "rates.tex",
    }  # fmt: skip


@pytest.mark.parametrize("asked", [["--table", "more"], ["--row", "optimizer.lr=0.1"]])
def test_only_the_tables_that_are_asked_for_are_printed(asked, capsys):
    more = STUDY[STUDY.index("[[tables]]") :].replace('"rates"', '"more"').replace("0.01]", "0.1]")
    Path("study.toml").write_text(STUDY + more.replace("Table 1", "Table 2"))
    assert main(["study", "study.toml", "--no-train", "--out", "out", *asked]) == 0
    text = capsys.readouterr().out
    assert "Table 2: rates" in text and "Table 1" not in text
    assert {path.name for path in Path("out/tables").glob("*.md")} == {"rates.md", "more.md"}
