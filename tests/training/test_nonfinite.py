"""Losses and gradients that are not finite: the run stops and says where, or leaves them out."""

import copy

import pytest
import torch
from test_loop import CPU, TASKS, trainee
from torch import nn

from zoo.errors import TrainingError
from zoo.training import events, loop
from zoo.training.average import Average
from zoo.training.precision import Precision
from zoo.training.stopping import Stopping
from zoo.training.update import Update
from zoo.training.watch import PATIENCE

OPTIMIZERS = {
    "fused adam": lambda weights: torch.optim.Adam(weights, lr=0.01, fused=True),
    "adam": lambda weights: torch.optim.Adam(weights, lr=0.01, fused=False, foreach=False),
    "fused sgd": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9, fused=True),
    "sgd": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9, foreach=True),
    "fused adamw": lambda weights: torch.optim.AdamW(weights, lr=0.01, fused=True),
}


def made(folder, optimizer="fused adam", *, bad=(), image=False, what="nan", **changes):
    """A training whose steps ``bad``, counted from 1, have a loss (``image``: a pixel) of
    ``what``. Batch normalization sees the pixels first."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 16), nn.ReLU())
    network.append(nn.Dropout(0.2)).append(nn.Linear(16, 3))
    settings = {"precision": "fp32", "clip_norm": 0.0, "skip": True, "ema": 0.0}
    settings |= {name: changes.pop(name) for name in [*settings] if name in changes}
    update = Update(
        OPTIMIZERS[optimizer](network.parameters()),
        Precision(settings["precision"], CPU),
        Average(network, settings["ema"]) if settings["ema"] else None,
        settings["clip_norm"],
        settings["skip"],
        buffers=[*network.buffers()],
    )
    run = trainee(TASKS["multiclass"], folder, network=network, update=update, epochs=2, **changes)
    run.schedule.optimizer = update.optimizer
    good = run.loss

    def loss(logits, targets):
        wrong = not image and logits.requires_grad and run.position.step + 1 in bad
        return good(logits, targets) * (float(what) if wrong else 1.0)

    run.loss = loss
    if image:
        forward = run.forward

        def seen(images):
            images = images.clone()
            if run.position.step + 1 in bad:
                images[0, 0, 0, 0] = float(what)
            return forward(images)

        run.forward = seen
    return run


def state(run):
    found = {"network": run.network.state_dict(), "optimizer": run.update.state_dict()["state"]}
    return copy.deepcopy(found)


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other)


def around(run, step):
    """(before, after) of a step's state, and the events of the whole training."""
    seen, real = [], loop.train_step

    def train_step(run, batch):
        if run.position.step + 1 == step:
            seen.append(state(run))
        real(run, batch)
        if run.position.step == step:
            seen.append(state(run))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(loop, "train_step", train_step)
        told = list(loop.train(run))
    return *seen, [one for one in told if isinstance(one, events.EpochEnded)]


@pytest.mark.parametrize("image", [False, True])
@pytest.mark.parametrize("changes", [{}, {"clip_norm": 0.5}, {"micro_batch": 6}])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_dropped_update_changes_nothing_and_is_counted(name, changes, image, tmp_path):
    run = made(tmp_path, name, bad=(4,), image=image, what="inf", **changes)
    before, after, ended = around(run, 4)
    assert same(before, after)
    assert [one.dropped for one in ended] == [1, 0]
    assert all(torch.isfinite(one).all() for one in run.network.state_dict().values())
    assert ended[0].train["loss"] < 2.0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_very_first_update_may_be_dropped(name, tmp_path):
    """torch's fused SGD would go on from memory that nobody has written."""
    junk = [torch.full((16, 64), 1e6) for _ in range(64)]
    del junk
    run = made(tmp_path, name, bad=(1,))
    _, after, _ = around(run, 1)
    for held in after["optimizer"].values():
        assert not any(value.any() for value in held.values())
    assert all(one.abs().max() < 100 for one in run.network.state_dict().values())


def test_without_its_guard_the_momentum_is_garbage(tmp_path, monkeypatch):
    from zoo.training import update

    monkeypatch.setattr(update, "_begin_momentum", lambda optimizer: None)
    real = torch.empty_like
    monkeypatch.setattr(torch, "empty_like", lambda one, **how: real(one, **how).fill_(1e6))
    run = made(tmp_path, "fused sgd", bad=(1,))
    _, after, _ = around(run, 1)
    assert any(held["momentum_buffer"].any() for held in after["optimizer"].values())


def test_without_their_guard_the_buffers_are_lost(tmp_path):
    run = made(tmp_path, bad=(4,), image=True)
    run.update._before = []
    with pytest.raises(TrainingError, match=r"weights '1\.running_mean' and 1 more are not finite"):
        list(loop.train(run))


def test_parameters_may_join_a_fused_momentum_later():
    first, second = (nn.Parameter(torch.ones(3)) for _ in range(2))
    update = Update(OPTIMIZERS["fused sgd"]([first, second]), Precision("fp32", CPU))
    for weights in ([first], [first, second]):
        update.backward(torch.stack([one.sum() for one in weights]).sum(), 1.0, 1.0)
        update.step()
    assert second.tolist() == pytest.approx([0.9] * 3)


def test_the_average_stays_finite(tmp_path):
    run = made(tmp_path, bad=(4, 5), image=True, ema=0.5, average_chosen=True)
    list(loop.train(run))
    assert all(torch.isfinite(one).all() for one in run.chosen.state_dict().values())


def test_with_a_scaler_too(tmp_path):
    run = made(tmp_path, "sgd", bad=(4,), precision="fp16")
    before, after, ended = around(run, 4)
    assert same(before, after)
    assert ended[0].dropped == 1
    assert run.update.precision.scaler.get_scale() < 65536.0


def test_what_a_scaler_skips_is_normal(tmp_path):
    """Its first scale overflows; nothing is dropped, and the run does not stop."""
    run = made(tmp_path, "sgd", precision="fp16", skip=False)
    run.update.precision.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**40)
    ended = [one for one in loop.train(run) if isinstance(one, events.EpochEnded)]
    assert [one.dropped for one in ended] == [0, 0]
    assert run.update.precision.scaler.get_scale() < 2.0**40


@pytest.mark.parametrize(("micro", "clip"), [(0, 0.0), (6, 0.0), (0, 1.0)])
@pytest.mark.parametrize("step", [1, 3, 8])
def test_stop_names_the_step_and_the_rate(step, micro, clip, tmp_path):
    run = made(tmp_path, bad=(step,), skip=False, micro_batch=micro, clip_norm=clip)
    with pytest.raises(TrainingError) as caught:
        list(loop.train(run))
    assert str(caught.value).startswith(f"the loss became nan in step {step} at learning rate 0.01")


def test_twenty_in_a_row_end_it(tmp_path):
    run = made(tmp_path, bad=range(2, 100))
    run.epochs = 9
    with pytest.raises(TrainingError) as caught:
        list(loop.train(run))
    assert str(caught.value) == (
        f"the loss became nan in step {PATIENCE + 1} at learning rate 0.01, the last of {PATIENCE} "
        f"steps in a row without a finite loss and gradients; the last checkpoint is kept; lower "
        f"optimizer.lr"
    )


def test_nineteen_in_a_row_do_not(tmp_path):
    run = made(tmp_path, bad=[*range(2, 21), *range(22, 41)])
    run.epochs = 7
    ended = [one for one in loop.train(run) if isinstance(one, events.EpochEnded)]
    assert sum(one.dropped for one in ended) == 38
    assert ended[1].train["loss"] is None  # no step of it was finite


def test_a_metric_that_is_not_finite_is_never_best(tmp_path):
    run = made(tmp_path, stopping=Stopping("val/loss", "min"))
    run.epochs, good = 4, run.loss
    values = {1: float("nan"), 3: float("-inf")}

    def loss(logits, targets):
        off = 0.0 if logits.requires_grad else values.get(run.position.epoch, 0.0)
        return good(logits, targets) + off

    run.loss = loss
    told = list(loop.train(run))
    ended = [one for one in told if isinstance(one, events.EpochEnded)]
    assert [one.val["loss"] is None for one in ended] == [True, False, True, False]
    assert [one.improved for one in ended][:3] == [False, True, False]
    assert told[-1].best_epoch in (2, 4) and told[-1].best_value is not None
