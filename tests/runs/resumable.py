"""A small run that can be killed at a step, and what two runs must have in common."""

import json

import pytest

import zoo
from zoo.runs.folder import RunFolder
from zoo.training import checkpoints, loop

QUICK = {
    "dataset": {"name": "digits"},
    "split": {"fraction": 0.05},
    "architecture": {"name": "linear"},
    "optimizer": {"name": "adam", "lr": 0.01},
    "training": {"epochs": 3, "batch_size": 16, "threads": 1, "device": "cpu"},
    "checkpoints": {"steps": 1},
}
STEPS = 12


class Killed(BaseException):
    pass


def kill(folder, step, **changes):
    """Train in ``folder`` until just after update ``step``, before that is saved."""
    real = loop.train_step

    def train_step(run, batch):
        real(run, batch)
        if run.position.step == step:
            raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(loop, "train_step", train_step)
        with pytest.raises(Killed):
            zoo.train(QUICK, folder=folder, overrides=changes)
    return RunFolder.open(folder)


def best(run):
    return (run.path / "best.safetensors").read_bytes()


def told(run, name):
    lines = [json.loads(line) for line in (run.path / "events.jsonl").read_text().splitlines()]
    found = [line for line in lines if line["event"] == name]
    for line in found:
        line.pop("seconds", None)
        line.pop("samples_per_second", None)
        line.pop("memory", None)
    return found


def last(run):
    states = checkpoints.read(checkpoints.found(run.path)[-1])
    states["position"].pop("seconds")
    return states


def require_same(one, other):
    assert best(one) == best(other)
    assert told(one, "epoch_ended") == told(other, "epoch_ended")
    assert told(one, "training_ended") == told(other, "training_ended")
    first, second = last(one), last(other)
    assert first["position"] == second["position"]
    assert first["stopping"] == second["stopping"]
    for name, weights in first["network"].items():
        assert weights.equal(second["network"][name])
    for key in ("status", "reason", "best", "epochs_done", "steps"):
        assert one.info[key] == other.info[key]
