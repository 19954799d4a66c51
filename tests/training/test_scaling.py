"""Steps that loss scaling leaves out: normal for a while, and never all there is of a run."""

import copy

import pytest
import torch
from test_nonfinite import made, same

from zoo.errors import TrainingError
from zoo.runs.train import _trained
from zoo.training import events, loop
from zoo.training.watch import HALVINGS, PATIENCE, Watch


def never(run, *, before=10**9, after=0):
    """Steps beyond ``after`` and below ``before`` have a finite loss, and gradients that are not,
    whatever the scale."""
    good = run.loss

    def loss(logits, targets):
        value = good(logits, targets)
        if not after < run.position.step + 1 < before or not logits.requires_grad:
            return value
        return value + (logits * 0).abs().sqrt().sum()

    run.loss = loss
    return run


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("name", ["sgd", "fused adam"])
def test_a_scaler_that_cannot_help_ends_it(name, skip, tmp_path):
    run = never(made(tmp_path, name, precision="fp16", skip=skip), after=2)
    run.update.precision.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**12)
    run.epochs, most = 9, PATIENCE + HALVINGS
    with pytest.raises(TrainingError) as caught:
        list(loop.train(run))
    rate = run.schedule.learning_rate
    assert str(caught.value) == (
        f"the gradients were not finite in step {most + 2} at learning rate {rate:g}, the last of "
        f"{most} steps in a row that loss scaling left out; the last checkpoint is kept; lower "
        f"optimizer.lr, or train anew with --precision bf16 or fp32"
    )
    assert run.update.precision.scaler.get_scale() < 1


def test_a_scaler_that_helps_in_time_does_not(tmp_path):
    run = never(made(tmp_path, "sgd", precision="fp16", skip=False), before=PATIENCE + HALVINGS)
    run.epochs = 9
    ended = [one for one in loop.train(run) if isinstance(one, events.EpochEnded)]
    assert len(ended) == 9 and run.tally.watch.left_out == 0


def test_steps_left_out_are_counted_over_epochs_and_resumes():
    watch, first = Watch(), Watch()
    first.see([1.0] * 36, [1.0] * 36, [(4, one, 0.1) for one in range(36)])
    first.new_epoch()
    first.require_finite()
    watch.load_state_dict(first.state_dict())
    watch.see([1.0], [1.0], [(4, 37, 0.1)])
    with pytest.raises(TrainingError, match=r"not finite in step 37 at learning rate 0\.1"):
        watch.require_finite()
    first.see([1.0, 1.0], [0.0, 1.0], [(4, 37, 0.1), (4, 38, 0.1)])
    first.require_finite()
    assert first.left_out == 1


@pytest.mark.parametrize("skip", [False, True])
def test_a_run_without_one_update_does_not_finish(skip, tmp_path):
    run = never(made(tmp_path / "none", "sgd", precision="fp16", skip=skip))
    with pytest.raises(TrainingError, match="not one update was made in 12 steps"):
        list(_trained(run))
    run = never(made(tmp_path / "one", "sgd", precision="fp16", skip=skip), before=12)
    assert list(_trained(run))[-1].steps == 12


def test_nor_does_one_whose_losses_were_all_skipped(tmp_path):
    with pytest.raises(TrainingError, match="not one update was made in 12 steps"):
        list(_trained(made(tmp_path, bad=range(1, 100))))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_average_stays_where_no_update_was_made(precision, tmp_path):
    run = made(tmp_path, bad=(4,), precision=precision, ema=0.5)
    run.update.precision.scaler = torch.amp.GradScaler(
        "cpu", init_scale=8.0, enabled=precision == "fp16"
    )
    seen, real = [], run.update.average.update

    def update(left_out):
        before = copy.deepcopy(run.update.average.state_dict())
        real(left_out)
        seen.append(same(before["network"], run.update.average.state_dict()["network"]))

    run.update.average.update = update
    run.epochs = 1
    list(loop.train(run))
    assert seen == [False, False, False, True, False, False]
    assert run.update.average.state_dict()["updates"] == 5
