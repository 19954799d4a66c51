"""The loop: its events, its checkpoints, every task through the same lines, and its refusals."""

import inspect
import json

import numpy as np
import pytest
import torch
from torch import nn

from zoo.data.datasets import ArraySplit
from zoo.data.fitting import Form
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.tiers import Keeping, open_split
from zoo.errors import StorageError, TrainingError
from zoo.storage import tensors
from zoo.tasks import Task
from zoo.training import checkpoints, events, loop
from zoo.training.checkpoints import Checkpoints
from zoo.training.optimizer import Schedule
from zoo.training.precision import Precision
from zoo.training.stopping import Stopping
from zoo.training.update import Update

CPU = torch.device("cpu")
TASKS = {
    "binary": Task.binary(["dark", "light"], positive="light"),
    "multiclass": Task.multiclass(["dark", "grey", "light"]),
    "multilabel": Task.multilabel(["left", "right"]),
}


def store_of(task, count=96, seed=0):
    """Images whose brightness (multilabel: of each half) is the label."""
    rng = np.random.default_rng(seed)
    if task.kind == "multilabel":
        labels = rng.integers(0, 2, (count, 2)).astype(np.uint8)
        bright = np.repeat(labels, 4, axis=1)[:, None, :].repeat(8, axis=1)
    else:
        labels = rng.integers(0, len(task.classes), count)
        bright = np.broadcast_to(labels[:, None, None] / (len(task.classes) - 1), (count, 8, 8))
    noise = rng.integers(0, 30, (count, 8, 8))
    images = (bright * 200 + noise).astype(np.uint8)
    split = ArraySplit(images, labels, [f"{seed}-{i}" for i in range(count)])
    return open_split(split, Form(1), task, "test", Keeping())


def trainee(task, folder, **changes):
    store = store_of(task)
    plain = Preprocessing((8, 8), 1, (0.5,), (0.5,))
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Dropout(0.2))
    network.append(nn.Linear(16, task.outputs))
    losses = {"multiclass": nn.CrossEntropyLoss()}
    optimizer = torch.optim.Adam(network.parameters(), lr=changes.pop("lr", 0.01))
    settings = {
        "task": task,
        "network": network,
        "loss": losses.get(task.kind, nn.BCEWithLogitsLoss()),
        "update": Update(optimizer, Precision("fp32", CPU)),
        "schedule": Schedule(optimizer),
        "loader": Loader(
            store, plain, task, 16, CPU, sampler=lambda g: torch.randperm(len(store), generator=g)
        ),
        "val_loader": Loader(store_of(task, 32, seed=1), plain, task, 64, CPU),
        "stopping": Stopping("val/loss", "min"),
        "checkpoints": Checkpoints(folder),
        "epochs": 8,
        "seed": 0,
        **changes,
    }
    return loop.Trainee(**settings)


@pytest.mark.parametrize("kind", TASKS)
def test_every_task_learns_in_the_same_loop(kind, tmp_path):
    seen = list(loop.train(trainee(TASKS[kind], tmp_path)))
    last = [event for event in seen if isinstance(event, events.EpochEnded)][-1]
    assert last.val["accuracy"] > 0.95
    assert last.train["loss"] < 0.5


def test_events_come_in_order_and_are_json(tmp_path):
    seen = list(loop.train(trainee(TASKS["binary"], tmp_path, epochs=2)))
    kinds = [type(event) for event in seen if not isinstance(event, events.StepsDone)]
    assert kinds == [
        events.TrainingStarted, events.EpochEnded, events.EpochEnded, events.TrainingEnded,
    ]  # fmt: skip
    assert (seen[0].steps_per_epoch, seen[0].samples_per_epoch) == (6, 96)
    assert (seen[-1].reason, seen[-1].epochs) == ("epochs", 2)
    lines = [json.dumps(event.as_json(), allow_nan=False) for event in seen]
    assert json.loads(lines[1])["event"] == "epoch_ended"


def test_best_and_last_are_kept_with_their_state(tmp_path):
    seen = list(loop.train(trainee(TASKS["multiclass"], tmp_path)))
    ended = seen[-1]
    (path,) = checkpoints.found(tmp_path)
    states = checkpoints.read(path)
    assert states["position"]["step"] == ended.steps == 48
    assert states["stopping"]["best_epoch"] == ended.best_epoch
    assert set(tensors.load(tmp_path / "best.safetensors")) == {
        "1.weight", "1.bias", "4.weight", "4.bias",
    }  # fmt: skip


def test_two_runs_give_equal_bytes(tmp_path):
    for name in "ab":
        list(loop.train(trainee(TASKS["multiclass"], tmp_path / name, epochs=3)))
        torch.rand(7)  # the global generator's state must not matter
    first, second = ((tmp_path / n / "best.safetensors").read_bytes() for n in "ab")
    assert first == second


def test_without_the_seed_of_each_step_they_differ(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "seed_step", lambda *arguments: None)
    for name in "ab":
        run = trainee(TASKS["multiclass"], tmp_path / name, epochs=1)
        torch.manual_seed(ord(name))
        list(loop.train(run))
    first, second = ((tmp_path / n / "best.safetensors").read_bytes() for n in "ab")
    assert first != second


def test_early_stopping_ends_it(tmp_path):
    stopping = Stopping("val/loss", "min", patience=2, min_delta=10.0)
    seen = list(loop.train(trainee(TASKS["binary"], tmp_path, stopping=stopping, epochs=50)))
    assert (seen[-1].reason, seen[-1].epochs, seen[-1].best_epoch) == ("early stopping", 3, 1)


def test_a_loss_that_is_not_finite_stops_and_keeps_what_was_good(tmp_path):
    run = trainee(TASKS["multiclass"], tmp_path)
    good = run.loss
    calls = iter(range(1000))
    run.loss = lambda logits, targets: (
        good(logits, targets) * (float("nan") if next(calls) == 9 else 1.0)
    )
    with pytest.raises(TrainingError) as caught:
        list(loop.train(run))
    assert str(caught.value) == (
        "the loss became nan in step 9 at learning rate 0.01; the last checkpoint is kept; lower "
        "optimizer.lr, or leave such steps out with --set training.on_nonfinite=skip"
    )
    states = checkpoints.read(checkpoints.found(tmp_path)[-1])
    assert states["position"]["step"] == 6
    assert all(torch.isfinite(value).all() for value in states["network"].values())


def test_a_checkpoint_too_long_to_be_read_leaves_the_old_one(tmp_path, monkeypatch):
    run, keeper = trainee(TASKS["multiclass"], None), Checkpoints(tmp_path)
    keeper.save(0, run.states())
    monkeypatch.setattr("zoo.storage.limits.FILE_BYTES", 1000)
    with pytest.raises(StorageError) as caught:
        keeper.save(1, run.states())
    assert str(caught.value).startswith(
        "checkpoint 'step-000000001.safetensors' is longer than 1000 bytes, the most that zoo reads"
    )
    monkeypatch.undo()
    (path,) = checkpoints.found(tmp_path)
    assert checkpoints.read(path)["position"]["step"] == 0


def test_weights_that_are_not_finite_are_never_kept(tmp_path):
    network = nn.Linear(2, 2)
    keep = Checkpoints(tmp_path)
    keep.save(1, {"network": network.state_dict()})
    before = checkpoints.found(tmp_path)
    with torch.no_grad():
        network.weight[0, 0] = float("inf")
    with pytest.raises(TrainingError, match=r"weights 'weight' and 0 more are not finite after st"):
        keep.save(2, {"network": network.state_dict()})
    with pytest.raises(TrainingError, match="not finite"):
        keep.save_best(network.state_dict(), 2)
    assert checkpoints.found(tmp_path) == before


def test_a_schedule_steps_at_its_moment():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    by_step = Schedule(optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5), "step")
    optimizer.step()
    by_step.after_epoch(1.0)
    assert by_step.learning_rate == 1.0
    by_step.after_step()
    assert by_step.learning_rate == 0.5
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=0)
    on_plateau = Schedule(optimizer, plateau, "epoch")
    for value in (1.0, 1.0, None):
        on_plateau.after_epoch(value)
    assert on_plateau.learning_rate == pytest.approx(0.05)


def test_the_loop_can_be_read_on_a_screen():
    lengths = {
        name: len(inspect.getsource(getattr(loop, name)).splitlines())
        for name in ("train", "train_step")
    }
    assert lengths["train"] <= 60 and lengths["train_step"] <= 25
