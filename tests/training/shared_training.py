"""One of several processes: ``python shared_training.py SCENARIO FOLDER``, started by
``test_distributed``."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

import pytest
import tomli_w
import torch
from torch import distributed, nn
from zoo_cli.main import main

import zoo
from zoo.errors import TrainingError
from zoo.runs.launch import launched
from zoo.runs.processes import processes
from zoo.training import lifeline, loop
from zoo.training.distributed import Distributed
from zoo.training.update import Update

PLAIN = {
    "dataset": {"name": "digits"},
    # No pooling: where values are all but equal, rounding decides which one gets the gradient.
    "architecture": {"name": "mlp"},
    "optimizer": {"name": "sgd", "lr": 0.1},
    "training": {
        "epochs": 1,
        "batch_size": 64,
        "threads": 1,
        "device": "cpu",
        "eval_batch_size": 50,
    },
}


def changed(recipe, **sections):
    both = {name: {**recipe.get(name, {}), **new} for name, new in sections.items()}
    return {**recipe, **both}


CASES = {
    "plain": PLAIN,
    "uneven": changed(PLAIN, training={"batch_size": 65}),
    "parts": changed(PLAIN, training={"micro_batch": 10, "clip_norm": 1.0, "on_nonfinite": "skip"}),
    "frozen": changed(
        PLAIN,
        transfer={"freeze": ["backbone"], "unfreeze_epoch": 2},
        split={"fraction": 0.3},
        training={"epochs": 3},
    ),
}
# All that has a state: norms, dropout, a running average, Adam, a schedule, a sampler that repeats.
EVERYTHING = changed(
    PLAIN,
    architecture={"name": "simple_cnn", "batch_norm": "on", "dropout": "on"},
    optimizer={"name": "adam", "lr": 0.01},
    scheduler={"name": "plateau"},
    sampler={"name": "weighted"},
    split={"fraction": 0.4},
    training={"epochs": 2, "ema": 0.9, "evaluate": "ema", "batch_size": 63},
    stopping={"monitor": "train/loss"},
    checkpoints={"steps": 3, "keep": 50},
)
ENDLESS = changed(PLAIN, split={"fraction": 0.1}, training={"epochs": 10**6})


def together(folder: Path) -> int:
    """One start for all, which costs more than they do; the last one fails."""
    train_all(folder)
    resume(folder)
    exchange(folder)
    return nonfinite(folder)


def train_all(folder: Path) -> None:
    for name, recipe in CASES.items():
        zoo.train(recipe, folder=folder / name)
    backward = Update.backward
    Update.backward = lambda self, loss, part, share: backward(self, loss, part, 1.0)
    zoo.train(CASES["uneven"], folder=folder / "unweighted")
    Update.backward = backward


def resume(folder: Path) -> None:
    """The same run twice; the second is set back into its second epoch and resumed."""
    zoo.train(EVERYTHING, folder=folder / "whole")
    zoo.train(EVERYTHING, folder=folder / "again")
    ready = folder / "ready"
    if this_rank() == 0:
        states = sorted((folder / "again" / "checkpoints").iterdir())
        for path in states[len(states) * 3 // 4 :]:
            path.unlink()
        shutil.copy(states[len(states) * 3 // 4 - 1], folder / "from.safetensors")
        ready.touch()
    while not ready.exists():
        time.sleep(0.01)
    zoo.resume(folder / "again")


def exchange(folder: Path) -> None:
    """What each process gets from :class:`Distributed`."""
    with processes() as replicas:
        assert isinstance(replicas, Distributed)
        rank = replicas.rank
        heard = 0
        for call in range(100_000):
            asked = 15 if rank == 1 and call >= 300 else 0
            if heard := replicas.agree(asked, often=True):
                break
        norm = nn.BatchNorm1d(2)
        norm.running_mean.fill_(rank)
        replicas.alike(norm)
        flags = [bool(replicas.any(torch.tensor(rank == one))) for one in (0, 1, 2)]
        network = Halved()
        shared = replicas.wrapped(network, partly=True)
        for last in (False, True, True):
            with replicas.gathering(last=last):
                shared(torch.full((1, 2), rank + 1.0)).sum().backward()
        found = {
            "heard": heard,
            "call": call,
            "mean": norm.running_mean.tolist(),
            "any": flags,
            "least": replicas.least(7 - rank),
            "each": replicas.each([rank, 0.1 * rank]),
            "told": replicas.told(f"by {rank}"),
            "neighbours": replicas.neighbours,
            "gradient": network.used.weight.grad.tolist(),
            "unused": network.unused.weight.grad,
        }
        with pytest.raises(TrainingError) as caught:
            replicas.require_equal({"recipe": {"seed": 0, "lr": 0.1 * rank}})
        found["refused"] = str(caught.value)
        (folder / f"{rank}.json").write_text(json.dumps(found))


class Halved(nn.Module):
    """Half of it gets no gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = nn.Linear(2, 1), nn.Linear(2, 1)

    def forward(self, images):
        return self.used(images)


def command(recipe, folder: Path) -> int:
    path = folder / f"recipe-{this_rank()}.toml"
    path.write_text(tomli_w.dumps(recipe))
    return main(["train", str(path), "--run", str(folder / "run")])


def endless(folder: Path) -> int:
    lifeline.BEAT = 0.2
    return command(ENDLESS, folder)


def deaf(folder: Path) -> int:
    """Without the thread that ends a waiting process."""
    lifeline.Lifeline._watch = lambda self: None
    return endless(folder)


def nonfinite(folder: Path) -> int:
    """One process's loss is no number in the last step of the first epoch."""
    lifeline.BEAT = 0.2
    step = loop.train_step

    def broken(run, batch):
        if run.replicas.rank == 1 and run.position.step + 1 == run.loader.size_of(1)[1]:
            good, run.loss = run.loss, lambda *both: good(*both) * float("nan")
        step(run, batch)

    loop.train_step = broken
    return command(changed(ENDLESS, split={"fraction": 0.2}), folder)


def this_rank() -> int:
    launch = launched()
    assert launch is not None
    return launch.rank


if __name__ == "__main__":
    assert not distributed.is_initialized()
    sys.exit(globals()[sys.argv[1]](Path(sys.argv[2])) or 0)
