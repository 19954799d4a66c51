"""What commands print to be typed next, and what they say where something is missing."""

import json
import shlex
import shutil
import subprocess
import sys
import warnings

import pytest

from zoo.errors import StorageError

QUICK = ["--dataset", "digits", "--architecture", "linear", "--epochs", "1", "--threads", "1"]
TERMS = ["--licence", "mit", "--intended-use", "a test"]


@pytest.fixture(autouse=True)
def _registry(here):
    (here / "registry.toml").write_text('default = "local"\n[registry.local]\nurl = "reg"\n')


def test_what_is_printed_to_be_typed_next_can_be_typed(here, zoo):
    (here / "registry.toml").write_text(
        'default = "local"\n[registry.local]\nurl = "reg"\n[registry.other]\nurl = "other"\n'
    )
    for folder in ("plain", "a b/it's"):
        code, out, _ = zoo("train", *QUICK, "--run", folder)
        words = shlex.split(out.splitlines()[-1])
        assert (code, words[:3]) == (0, ["next:", "zoo", "eval"])
        assert zoo(*words[2:])[0] == 0
    code, out, _ = zoo("publish", "plain", "--name", "d", "--to", "other", *TERMS)
    assert out.splitlines()[0] == "published: other:d@1"
    assert "  zoo models show other:d\n  zoo eval other:d@1 --split test\n" in out
    for line in out.splitlines()[3:5]:
        assert zoo(*shlex.split(line)[1:])[0] == 0
    code, out, _ = zoo("publish", "plain", "--name", "d", "--registry", "other", *TERMS)
    assert out.splitlines()[0] == "published: other:d@2"


def test_where_no_epoch_was_completed_nothing_can_be_evaluated(here, zoo):
    command = ["train", *QUICK, "--run", "runs/a", "--max-time", "0.001s"]
    code, out, _ = zoo(*command, "--set", "training.batch_size=2")
    assert code == 0 and "zoo eval" not in out
    assert out.endswith(
        "no epoch was completed, so there are no weights yet\n"
        "next: zoo resume runs/a --max-time TIME\n"
    )
    code, out, _ = zoo("resume", "runs/a", "--max-time", "1h")
    assert code == 0 and out.endswith("next: zoo eval runs/a\n")


@pytest.fixture
def no_test(monkeypatch):
    """Nobody makes a test split."""
    from zoo.data import splits

    real = splits.complete_splits

    def complete(*given):
        made = real(*given)
        del made["test"]
        return made

    monkeypatch.setattr(splits, "complete_splits", complete)


def test_without_a_test_split_val_is_advised(here, zoo, no_test):
    assert zoo("train", *QUICK, "--run", "runs/a")[1].endswith("zoo eval runs/a --split val\n")
    assert zoo("runs", "show", "a")[1].endswith("type: zoo eval runs/a --split val\n")
    err = zoo("publish", "runs/a", "--name", "d", *TERMS)[2]
    assert err == (
        "zoo: error: run 'runs/a' has not been evaluated; type: zoo eval runs/a --split val\n"
    )
    assert zoo("eval", "runs/a", "--split", "val")[0] == 0
    out = zoo("publish", "runs/a", "--name", "d", *TERMS)[1]
    assert "  zoo eval d@1 --split val\n" in out


def test_a_split_without_labels_is_said(here, zoo, monkeypatch):
    from zoo.data.datasets import Subset

    assert zoo("train", *QUICK, "--run", "runs/a")[0] == 0
    monkeypatch.setattr(Subset, "labels", None)
    code, out, err = zoo("eval", "runs/a", "--output", "p.npz")
    assert (code, err) == (0, "")
    assert out.endswith("predictions: p.npz; there are no labels to measure them against\n")
    code, out, _ = zoo("eval", "runs/a", "--output", "p.npz", "--json")
    told = json.loads(out)
    assert (code, told["labelled"], told["samples"]) == (0, False, 359)
    assert "accuracy" not in told and (here / "p.npz").is_file()


def test_a_card_that_cannot_be_left_is_a_warning_and_the_exit_fine(here, zoo, monkeypatch):
    from zoo.storage import commit

    assert zoo("train", *QUICK, "--run", "runs/a")[0] == 0
    assert zoo("eval", "runs/a")[0] == 0
    real = commit.write

    def write(path, data):
        if path.name == "README.md":
            raise StorageError("cannot write it")
        real(path, data)

    monkeypatch.setattr(commit, "write", write)
    (here / "runs/a/README.md").write_text("of an earlier version")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        code, out, err = zoo("publish", "runs/a", "--name", "d", *TERMS)
    assert code == 0 and err.startswith("zoo: warning: d@1 is published, but its card is not in")
    assert out.startswith("published: d@1\n") and "card:" not in out
    assert err.count("\n") == 1


READ_ONLY = """
import os, subprocess, sys
subprocess.run(["mount", "--bind", "reg", "reg"], check=True)
subprocess.run(["mount", "-o", "remount,bind,ro", "reg"], check=True)
from zoo_cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def can_mount(here):
    """Whether this user may mount something in a name space of its own."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    (here / "empty").mkdir()
    try:
        command = ["unshare", "-rm", "mount", "--bind", "empty", "empty"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    finally:
        (here / "empty").rmdir()


def test_a_read_only_registry_is_one_line(here, zoo):
    if not can_mount(here):
        pytest.skip("mounting is not allowed here")
    assert zoo("train", *QUICK, "--run", "runs/a")[0] == 0
    assert zoo("eval", "runs/a")[0] == 0
    assert zoo("publish", "runs/a", "--name", "d", *TERMS)[0] == 0
    before = sorted((here / "reg").rglob("*"))
    publish = ["publish", "runs/a", "--name", "d", *TERMS]
    command = ["unshare", "-rm", sys.executable, "-c", READ_ONLY]
    done = subprocess.run([*command, *publish], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert done.stderr.startswith("zoo: error: cannot ") and done.stderr.endswith(
        ": the file system is read-only; choose a folder that can be written\n"
    )
    assert sorted((here / "reg").rglob("*")) == before
    loaded = subprocess.run(
        [*command, "models", "show", "d"], capture_output=True, text=True, check=False
    )
    assert (loaded.returncode, loaded.stderr) == (0, "")  # what is there can still be read
