"""``zoo ensemble`` as people type it."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

import zoo as library
from zoo.predictions.file import load_predictions

RECIPE = {
    "dataset": {"name": "digits"},
    "architecture": {"name": "linear"},
    "optimizer": {"name": "adam", "lr": 0.01},
    "card": {"licence": "mit", "intended_use": "a test"},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    for seed, name in enumerate("ab"):
        training = {"epochs": 2, "threads": 1, "device": "cpu", "seed": seed}
        library.train({**RECIPE, "training": training}, folder=folder / name)
    return folder


@pytest.fixture
def runs(trained, here):
    for name in "ab":
        shutil.copytree(trained / name, here / "runs" / name)
    (here / "registry.toml").write_text(
        'default = "local"\n[registry.local]\nurl = "registry"\n[registry.other]\nurl = "other"\n'
    )
    return here


def test_what_is_shown(runs, zoo):
    code, out, err = zoo("ensemble", "a", "runs/b")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == (
        "mean-1 (mean) on digits: chosen on val (144 samples), measured on test (359)"
    )
    assert lines[2].split() == ["MEMBER", "WEIGHT", "ACCURACY,", "VAL", "ACCURACY,", "TEST"]
    assert [line.split()[0] for line in lines[3:6]] == ["a", "b", "ensemble"]
    assert any(line.startswith("gain over ") for line in lines)
    assert "share of answers on which two members decide differently" in out
    assert "some member is right on " in out
    assert lines[-1] == "ensemble: ensembles/mean-1"


def test_json_holds_all_of_it(runs, zoo):
    code, out, _ = zoo("ensemble", "a", "b", "--method", "weighted", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["folder"] == "ensembles/weighted-1"
    assert found["published"] is None
    assert set(found["gain"]["figures"]["accuracy"]) == {
        "value", "low", "high", "method", "p", "shown",
    }  # fmt: skip
    assert found["chosen_on"] == {"split": "val", "samples": 144, "out_of_fold": True}


def test_published_with_an_alias_and_what_to_type_next(runs, zoo):
    code, out, err = zoo("ensemble", "a", "b", "--publish", "both", "--alias", "best")
    assert (code, err) == (0, "")
    assert "published: both@1" in out
    assert zoo("models", "show", "both@best")[0] == 0
    code, out, _ = zoo("models", "show", "both", "--json")
    assert code == 0
    assert library.load("both@best").record.ensemble["method"] == "mean"
    code, out, _ = zoo("ensemble", "both", "runs/b", "--publish", "more", "--to", "other")
    assert code == 0
    assert "published: other:more@1" in out


def test_an_ensemble_is_measured_and_predicts_like_any_model(runs, zoo):
    zoo("ensemble", "a", "b", "--publish", "both")
    code, out, err = zoo("eval", "both@1")
    assert (code, err) == (0, "")
    assert out.startswith("both@1 on digits, split test, 359 samples")
    code, out, err = zoo("predict", "both@1", "--dataset", "digits", "--split", "test")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 360


def test_files_alone(runs, zoo):
    for name in "ab":
        for split in ("val", "test"):
            zoo("eval", name, "--split", split)
    files = [f"runs/{name}/predictions/{split}.npz" for name in "ab" for split in ("val", "test")]
    code, _, err = zoo("ensemble", *files, "--method", "vote")
    assert (code, err) == (0, "")
    code, _, err = zoo("ensemble", *files, "--publish", "both")
    assert code == 1
    assert err == (
        "zoo: error: member 'a' is a predictions file, and nobody could load it; to publish give "
        "the run or the model it is of\n"
    )


@pytest.mark.filterwarnings("default")
def test_an_overlap_is_said_loudly(runs, zoo):
    for name in "ab":
        for split in ("val", "test"):
            zoo("eval", name, "--split", split)
    path = runs / "runs/b/predictions/test.npz"
    said = load_predictions(path)
    trained = dataclasses.replace(said.trained_on, splits={"train": said.fingerprint, "val": "x"})
    dataclasses.replace(said, trained_on=trained).save(path)
    files = [f"runs/{name}/predictions/{split}.npz" for name in "ab" for split in ("val", "test")]
    code, out, err = zoo("ensemble", *files)
    assert (code, out) == (1, "")
    assert err == (
        "zoo: error: member 'b' was trained on the very samples of 'test': figures on 'test' would "
        "be too good; leave it out, or add --allow-overlap, which the record will say\n"
    )
    code, out, err = zoo("ensemble", *files, "--allow-overlap")
    assert code == 0
    assert err.startswith("zoo: warning: member 'b' was trained on the very samples of 'test'")
    assert out.splitlines()[1] == (
        "NOT UNSEEN: b was trained on the very samples of 'test' (split 'test'); what stands below "
        "may be too good"
    )


def test_a_soup_is_a_run(runs, zoo):
    code, out, err = zoo("ensemble", "a", "b", "--method", "soup", "--publish", "mixed")
    assert (code, err) == (0, "")
    assert "run: runs/digits-linear-soup-1" in out
    assert (" alone" in out) == (out.count("  averaged ") == 1)
    assert "published: mixed@1" in out
    assert zoo("runs", "show", "digits-linear-soup-1")[0] == 0
    assert zoo("eval", "digits-linear-soup-1")[0] == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--alias", "best"], "invalid value for --alias: only with --publish NAME"),
        (["--licence", "mit", "--to", "x"],
         "invalid value for --to, --licence: only with --publish NAME"),
        (["--soup", "uniform"], "invalid value for --soup: only with --method soup"),
        (["--method", "soup", "--tta", "flips"],
         "invalid value for --tta: a soup is one network, and has none of this"),
    ],
)  # fmt: skip
def test_flags_that_would_do_nothing_are_usage_errors(runs, zoo, flags, message):
    code, out, err = zoo("ensemble", "a", "b", *flags)
    assert (code, out) == (2, "")
    assert message in err.replace("\n", " ")
    assert not (runs / "ensembles").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--method", "meen"], "method 'meen' (did you mean 'mean'?): expected one of mean, "
         "weighted, vote, greedy, stack, soup"),
        (["--publish", "No Name"], "model name 'No Name': expected at most 64 lower-case letters"),
        (["--publish", "x", "--alias", "3"], "alias '3'"),
        (["--metric", "dice"], "metric 'dice': a multiclass ensemble is chosen by one of"),
    ],
)  # fmt: skip
def test_bad_words_are_one_line(runs, zoo, flags, message):
    code, out, err = zoo("ensemble", "a", "b", *flags)
    assert (code, out) == (1, "")
    assert err.startswith("zoo: error: ")
    assert message in err
    assert err.count("\n") == 1
    assert not list((runs / "ensembles").glob("*"))
