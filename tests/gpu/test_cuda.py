"""What only a CUDA device can show; skipped elsewhere."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from zoo.data.augmentation import Augmentations
from zoo.data.copies import Copies, Copy
from zoo.data.datasets import ArraySplit
from zoo.data.fitting import Form
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.resolutions import Resolutions
from zoo.data.tiers import Keeping, open_split
from zoo.tasks import Task
from zoo.training import events, loop
from zoo.training.average import Average
from zoo.training.checkpoints import Checkpoints
from zoo.training.optimizer import Schedule
from zoo.training.precision import Precision
from zoo.training.stopping import Stopping
from zoo.training.update import Update

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
TASK = Task.multiclass(["dark", "grey", "light"])
CUDA = torch.device("cuda")


class Read:
    """Images that are in no array."""

    groups = None

    def __init__(self, of):
        self.ids, self.labels, self.image = of.ids, of.labels, of.image

    def __len__(self):
        return len(self.ids)


def store_of(count, seed=0, side=16, tier="auto"):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    images = (labels[:, None, None] * 80 + rng.integers(0, 60, (count, side, side))).astype(
        np.uint8
    )
    split = ArraySplit(images, labels, [f"{seed}-{i}" for i in range(count)])
    if tier == "streamed":
        split = Read(split)
    return open_split(split, Form(1), TASK, "test", Keeping(tier=tier))


def trainee(
    folder=None, *, name="bf16", epochs=2, ema=0.0, skip=False, clip=0.0, loader=None, **more
):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Dropout(0.1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3),
    ).to(CUDA, memory_format=torch.channels_last)  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01, fused=True)
    average = Average(network, ema) if ema else None
    plain = Preprocessing((16, 16), 1, (0.5,), (0.25,))
    store = store_of(512)
    return loop.Trainee(
        TASK, network, nn.CrossEntropyLoss(),
        Update(optimizer, Precision(name, CUDA), average, clip, skip),
        Schedule(optimizer),
        loader
        or Loader(store, plain, TASK, 64, CUDA, lambda g: torch.randperm(512, generator=g)),
        Loader(store_of(128, 1), plain, TASK, 128, CUDA),
        Stopping("val/loss", "min"), Checkpoints(folder), epochs, 0, **more,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["fp32", "bf16", "fp16"])
def test_every_precision_learns(name):
    last = [one for one in loop.train(trainee(name=name, epochs=6)) if hasattr(one, "val")][-1]
    assert last.val["accuracy"] > 0.9


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"name": "fp16", "ema": 0.9},
        {"ema": 0.9, "clip": 1.0},
        {"skip": True},
        {"skip": True, "ema": 0.9},
        {"micro_batch": 16},
    ],
    ids=str,
)
def test_nothing_waits_for_the_device_within_an_epoch(settings):
    run = trainee(**settings)
    run.network.train()
    batches = run.loader.epoch(1)
    loop.train_step(run, next(batches))
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for batch in batches:
            loop.train_step(run, batch)
            run.tally.glimpse()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert run.tally.numbers()["loss"] is not None


def test_a_synchronization_would_be_seen():
    torch.cuda.set_sync_debug_mode("error")
    try:
        with pytest.raises(RuntimeError, match="synchroniz"):
            torch.ones(1, device=CUDA).item()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_pinned_batches_are_those_of_a_store_on_the_device(monkeypatch):
    resident = [batch.images.clone() for batch in trainee().loader.epoch(3)]
    monkeypatch.setattr("zoo.data.rows._RESIDENT_SHARE", 0.0)
    copied = [batch.images.clone() for batch in trainee().loader.epoch(3)]
    assert all(map(torch.equal, resident, copied))


FLIP = Augmentations(
    [("flip", lambda x, y, d: (torch.where(d.chance(0.5)[:, None, None, None], x.flip(3), x), y))]
)
KINDS = ["resident", "copies", "sizes", "pinned", "pinned copies", "pinned sizes", "streamed"]


def loader_of(kind, monkeypatch):
    """Every way in which a batch gets to the device."""
    if "pinned" in kind:
        monkeypatch.setattr("zoo.data.rows._RESIDENT_SHARE", 0.0)
    copies = [Copy(FLIP)]
    if "copies" in kind:
        copies = [Copy(), Copy(FLIP, fixed=True), Copy(FLIP)]
    sides = (16, 24) if "sizes" in kind else (16,)
    number = 512 * len(copies) * len(sides)

    def sampler(generator):
        return torch.randperm(number, generator=generator)

    parts = []
    for side in sides:
        plain = Preprocessing((side, side), 1, (0.5,), (0.25,))
        store = store_of(512, side=side, tier="streamed" if kind == "streamed" else "auto")
        parts.append(Loader(store, plain, TASK, 64, CUDA, sampler, Copies(copies)))
    return Resolutions(parts, sampler, seed=0) if len(parts) > 1 else parts[0]


@pytest.mark.parametrize("kind", KINDS)
def test_no_batch_waits_for_the_device(kind, monkeypatch):
    """From an epoch's order to its last step."""
    run = trainee(loader=loader_of(kind, monkeypatch))
    run.network.train()
    for batch in run.loader.epoch(1):  # what is made and sent once
        loop.train_step(run, batch)
    run.tally.settle()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for batch in run.loader.epoch(2):
            loop.train_step(run, batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert run.tally.numbers()["loss"] is not None


def rows_of(loader):
    return [part._rows for part in getattr(loader, "parts", [loader])]


def images_of(loader):
    return [batch.images.clone() for epoch in (1, 2) for batch in loader.epoch(epoch)]


@pytest.mark.parametrize("kind", ["pinned", "pinned copies", "pinned sizes", "streamed"])
def test_no_batch_is_written_over_before_it_is_copied(kind, monkeypatch):
    with monkeypatch.context() as patched:
        plain = "sizes" if "sizes" in kind else "copies" if "copies" in kind else "resident"
        expected = images_of(loader_of(plain, patched))
    loader = loader_of(kind, monkeypatch)
    for rows in rows_of(loader):
        with torch.cuda.stream(rows._stream):
            torch.cuda._sleep(500_000_000)  # every copy waits, for about a quarter of a second
    found = images_of(loader)
    assert len(found) == len(expected) and all(map(torch.equal, found, expected))


def test_a_batch_is_copied_while_the_device_works(monkeypatch):
    loader = loader_of("pinned", monkeypatch)
    images_of(loader)
    torch.cuda.synchronize()
    batches = loader.epoch(3)
    next(batches)
    torch.cuda._sleep(2_000_000_000)
    next(batches)
    rows_of(loader)[0]._stream.synchronize()
    assert not torch.cuda.current_stream().query()
    torch.cuda.synchronize()


def test_augmentation_draws_the_same_on_both_devices():
    from zoo.data.draws import Draws

    positions = torch.arange(1000)
    here, there = (Draws(positions.to(one), 7, 1).uniform() for one in ("cpu", CUDA))
    assert torch.equal(here, there.cpu())


def test_a_skipped_update_leaves_weights_and_state_alone():
    run = trainee(name="fp32", skip=True)
    batches = run.loader.epoch(1)
    loop.train_step(run, next(batches))
    before = copy.deepcopy((run.network.state_dict(), run.update.state_dict()["state"]))
    good, run.loss = run.loss, lambda logits, targets: good(logits, targets) * float("nan")
    run.network.eval()  # batch norm's statistics are no part of the update
    loop.train_step(run, next(batches))
    for name, value in run.network.state_dict().items():
        assert torch.equal(value, before[0][name]), name
    for number, state in run.update.state_dict()["state"].items():
        assert all(torch.equal(one, before[1][number][name]) for name, one in state.items())


def test_a_run_goes_on(tmp_path):
    recipe = {
        "dataset": {"name": "digits"},
        "architecture": {"name": "simple_cnn"},
        "training": {"epochs": 2, "device": "cuda", "threads": 1, "deterministic": True},
    }
    whole = zoo.train(recipe, folder=tmp_path / "whole", overrides={"training.epochs": 4})
    part = zoo.train(recipe, folder=tmp_path / "part")
    zoo.resume(part.path, epochs=4)
    one, other = (zoo.evaluate(run.path).metrics["log_loss"] for run in (whole, part))
    assert one == pytest.approx(other, abs=1e-6)
    assert whole.info["environment"]["device"] != "cpu"


def test_compiled_passes_learn_the_same():
    plain, fast = trainee(name="fp32"), trainee(name="fp32", compile=True)
    for run in (plain, fast):
        ended = [one for one in loop.train(run) if isinstance(one, events.EpochEnded)]
        run.final = ended[-1].val["loss"]
    assert fast.final == pytest.approx(plain.final, abs=0.05)
