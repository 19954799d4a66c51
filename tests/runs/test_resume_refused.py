"""What ``zoo resume`` refuses, each in one line; and full disks."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
from resumable import QUICK, kill, require_same

import zoo
from zoo.errors import RunError, StorageError, TrainingError, ZooError
from zoo.runs import opening
from zoo.runs.folder import RunFolder
from zoo.storage import tensors
from zoo.training import checkpoints


@pytest.fixture
def killed(here):
    return lambda step, **changes: kill(here / "runs/killed", step, **changes)


@pytest.fixture
def whole(here):
    return lambda **changes: zoo.train(QUICK, folder=here / "runs/whole", overrides=changes)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("runs/kiled", "run 'runs/kiled': no such file or folder (did you mean 'runs/killed'?)"),
        ("kiled", "run 'kiled': no such file or folder (did you mean 'killed'?)"),
        ("nowhere/at/all", "run 'nowhere/at/all': no such file or folder"),
        ("runs/killed/run.json", "run 'runs/killed/run.json' is a file; expected a run's folder"
         " (did you mean 'runs/killed'?)"),
        ("r.toml", "run 'r.toml' is a file; expected a run's folder"),
        ("runs/killed/checkpoints", "run 'runs/killed/checkpoints' holds no run.json: it is not a"
         " run's folder (did you mean 'runs/killed'?)"),
        ("runs", "run 'runs' holds no run.json: it is not a run's folder; for the runs in it type:"
         " zoo runs list ./runs"),
        ("x" * 300, f"cannot open the run '{'x' * 300}': file name too long"),
        ("x\0y", "run 'x\\x00y': no such file or folder"),
    ],
)  # fmt: skip
def test_a_missing_run_is_no_fresh_start(given, message, killed, here):
    killed(7)
    (here / "r.toml").touch()
    before = sorted(here.rglob("*"))
    with pytest.raises(RunError) as caught:
        zoo.resume(given)
    assert str(caught.value) == message
    assert sorted(here.rglob("*")) == before


def test_a_bare_name_is_a_run_here_or_in_runs(killed, here):
    killed(7)
    (here / "killed").mkdir()  # of something else
    assert zoo.resume("killed").info["status"] == "finished"


def test_a_run_without_checkpoints_is_no_fresh_start(killed):
    run = killed(7)
    for path in checkpoints.found(run.path):
        path.unlink()
    with pytest.raises(RunError) as caught:
        zoo.resume("killed")
    assert str(caught.value) == (
        "checkpoint 'runs/killed/checkpoints': no such file or folder; run 'runs/killed' cannot go "
        "on; to train it again type: zoo train runs/killed/recipe.toml"
    )


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("optimizer.lr", "lr = 0.01", "lr = 0.02"),
        ("training.batch_size", "batch_size = 16", "batch_size = 8"),
        ("training.seed", "seed = 0\ndevice", "seed = 1\ndevice"),
        ("training.threads", "threads = 1", "threads = 2"),
    ],
)
def test_a_changed_recipe_is_refused_by_key(key, old, new, killed):
    run = killed(7)
    path = run.path / "recipe.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(RunError) as caught:
        zoo.resume(run.path)
    assert f"cannot go on: {key} of recipe.toml is " in str(caught.value)
    assert str(caught.value).endswith("; set it back, or train anew")


@pytest.mark.parametrize(("part", "field"), [("train", "fingerprint"), ("val", "val")])
def test_changed_data_are_refused_by_field(part, field, killed, monkeypatch):
    run = killed(7)
    real = opening.splits.complete_splits

    def changed(*given):
        found = real(*given)
        split = found[part]
        images = np.stack([np.asarray(split.image(i)) for i in range(len(split))])
        images[0] ^= 1
        return {**found, part: zoo.ArraySplit(images, split.labels, split.ids)}

    monkeypatch.setattr(opening.splits, "complete_splits", changed)
    with pytest.raises(RunError, match=rf"{field}\S* of the dataset is .* the checkpoint was made"):
        zoo.resume(run.path)


@pytest.mark.parametrize("harm", ["cut", "empty", "other", "noise"])
def test_a_damaged_checkpoint_is_one_line(harm, killed):
    run = killed(7)
    path = checkpoints.found(run.path)[-1]
    data = path.read_bytes()
    new = {"cut": data[: len(data) // 2], "empty": b"", "noise": b"\xff" * len(data)}
    if harm == "other":
        tensors.save(path, tensors.load(run.path / "best.safetensors"))
    else:
        path.write_bytes(new[harm])
    with pytest.raises(TrainingError) as caught:
        zoo.resume(run.path)
    message = str(caught.value)
    assert message.startswith(f"checkpoint {str(path)!r} cannot be used: ")
    assert message.endswith("; it is the run's only one: train anew from its recipe.toml")
    assert "\n" not in message


def test_removing_a_damaged_checkpoint_is_advised_where_there_is_one_before(killed, whole):
    run = killed(7, **{"checkpoints.keep": 2})
    before, path = checkpoints.found(run.path)
    path.write_bytes(b"")
    with pytest.raises(TrainingError) as caught:
        zoo.resume(run.path)
    assert str(caught.value).endswith(f"; remove it to go on from {before.name!r}, or train anew")
    path.unlink()
    zoo.resume(run.path)
    require_same(whole(**{"checkpoints.keep": 2}), run)


def test_a_second_process_is_refused_and_disturbs_nothing(killed, whole, monkeypatch):
    run = killed(7)
    left = run.path / "checkpoints/.zoo-tmp-0.safetensors"
    left.touch()  # as of a save under way
    code = "import sys, zoo; zoo.resume(sys.argv[1])"
    seen = []

    def second(event):
        if event.as_json()["event"] == "training_started":
            left.touch()
            before = (run.path / "run.json").read_bytes()
            command = [sys.executable, "-c", code, str(run.path)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
            seen.append(done.stderr.strip().splitlines()[-1])
            assert left.exists() and (run.path / "run.json").read_bytes() == before

    zoo.resume(run.path, subscribers=[second])
    (line,) = seen
    assert line.endswith(f"run {str(run.path)!r} is being trained by another process")
    left.unlink()
    require_same(whole(), run)


def test_a_full_disk_at_the_start_is_one_line_and_leaves_nothing(here, monkeypatch):
    real = os.write

    def full(descriptor, data):
        real(descriptor, bytes(data)[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageError) as caught:
        zoo.train(QUICK, folder=here / "runs/x")
    assert "the disk is full; free some space, then repeat the command" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (here / "runs/x").exists()


def test_a_full_disk_later_keeps_what_there_was(here, whole, monkeypatch):
    real = checkpoints.commit.write

    def full(path, data):
        if path.name == "step-000000007.safetensors":
            raise StorageError(f"cannot write {str(path)!r}: the disk is full; free some space")
        real(path, data)

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints.commit, "write", full)
        with pytest.raises(ZooError, match="the disk is full"):
            zoo.train(QUICK, folder=here / "runs/x")
    run = RunFolder.open(here / "runs/x")
    assert run.info["status"] == "failed" and "the disk is full" in run.info["reason"]
    zoo.resume("x")
    require_same(whole(), run)
