"""Schedules give the rates they promise, step by step, and those of torch's where it has them."""

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler
from zoo_basics import schedulers

import zoo


def drive(build, epochs=4, steps=5, values=None, mode="min", optimizer=torch.optim.SGD, **options):
    """The optimizer and its schedule's settings: before the first step, then after each."""
    made = optimizer([nn.Parameter(torch.zeros(1))], lr=0.1)
    schedule, unit = build(zoo.SchedulerContext(made, epochs, steps, mode), **options)
    seen = [dict(made.param_groups[0])]
    made.step()
    for step in range(1, epochs * steps + 1):
        if schedule is not None and (unit == "step" or step % steps == 0):
            schedule.step(*([] if values is None else [values[step // steps - 1]]))
        seen.append(dict(made.param_groups[0]))
    return seen


def rates(build, **options):
    return [group["lr"] for group in drive(build, **options)]


def by_epoch(build, steps=5, **options):
    """The rate of each epoch's first step, and the one after the last."""
    return rates(build, steps=steps, **options)[::steps]


def torchs(build, unit, epochs=4, steps=5):
    return rates(lambda ctx: (build(ctx.optimizer), unit), epochs=epochs, steps=steps)


def test_none_changes_nothing():
    assert set(rates(schedulers.none)) == {0.1}


PAIRS = {
    "cosine": ({"min_lr": 0.01}, lambda it: lr_scheduler.CosineAnnealingLR(it, 20, 0.01), "step"),
    "step": ({"step_size": 2, "gamma": 0.5}, lambda it: lr_scheduler.StepLR(it, 2, 0.5), "epoch"),
    "exponential": ({"gamma": 0.8}, lambda it: lr_scheduler.ExponentialLR(it, 0.8), "epoch"),
    "multi_step": (
        {"milestones": [3, 1]}, lambda it: lr_scheduler.MultiStepLR(it, [1, 3]), "epoch",
    ),
    "cosine_restarts": (
        {"period": 1, "growth": 2, "min_lr": 0.01},
        lambda it: lr_scheduler.CosineAnnealingWarmRestarts(it, 5, 2, 0.01), "step",
    ),
    "even cosine_restarts": (
        {"period": 1.5, "growth": 1},
        lambda it: lr_scheduler.CosineAnnealingWarmRestarts(it, 8), "step",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_the_rates_are_torchs(name):
    options, theirs, unit = PAIRS[name]
    ours = rates(getattr(schedulers, name.split()[-1]), **options)
    assert ours == pytest.approx(torchs(theirs, unit), abs=1e-12)
    assert len(set(ours)) > 2


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD])
def test_one_cycle_is_torchs(optimizer):
    def momentum(groups):
        return [group["betas"][0] if "betas" in group else group["momentum"] for group in groups]

    def with_momentum(parameters, lr):
        more = {"momentum": 0.9} if optimizer is torch.optim.SGD else {}
        return optimizer(parameters, lr=lr, **more)

    ours = drive(schedulers.one_cycle, optimizer=with_momentum)[:20]
    # Of 20 steps torch's schedule names 20 rates; the one after the last step is never used.
    theirs = drive(
        lambda ctx: (lr_scheduler.OneCycleLR(ctx.optimizer, 0.1, total_steps=20), "step"),
        optimizer=with_momentum,
    )[:20]
    assert [one["lr"] for one in ours] == pytest.approx([one["lr"] for one in theirs])
    assert momentum(ours) == pytest.approx(momentum(theirs))
    assert min(momentum(ours)) == pytest.approx(0.85) and max(momentum(ours)) == 0.95


def test_one_cycle_leaves_an_optimizer_without_momentum_without():
    assert {group["momentum"] for group in drive(schedulers.one_cycle)} == {0}


@pytest.mark.parametrize(("epochs", "steps", "rising"), [(1, 1, 0.3), (1, 4, 0.25), (2, 1, 0.9)])
def test_one_cycle_of_few_steps_has_a_rate_for_each(epochs, steps, rising):
    """torch's divides by zero at such shares."""
    seen = rates(schedulers.one_cycle, epochs=epochs, steps=steps, rising=rising)
    assert all(0 < rate <= 0.1 for rate in seen)


def test_cosine_ends_at_its_least_rate_with_the_last_step():
    assert by_epoch(schedulers.cosine, min_lr=0.01) == pytest.approx(
        [0.1, *(0.01 + 0.045 * (1 + c) for c in (2**-0.5, 0.0, -(2**-0.5), -1.0))]
    )


def test_warmup_climbs_evenly_then_the_whole_cosine_follows():
    seen = rates(schedulers.cosine, warmup_steps=3)
    assert seen[:4] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    assert seen[3:] == pytest.approx(rates(schedulers.cosine, epochs=1, steps=17))


@pytest.mark.parametrize("name", ["cosine", "cosine_restarts", "step", "multi_step", "exponential"])
def test_warmup_in_epochs_is_warmup_in_steps(name):
    build = getattr(schedulers, name)
    assert rates(build, warmup_epochs=0.6) == rates(build, warmup_steps=3) != rates(build)
    with pytest.raises(zoo.TrainingError) as caught:
        rates(build, warmup_epochs=0.5, warmup_steps=3)
    assert str(caught.value) == ("warmup_epochs = 0.5 and warmup_steps = 3: expected one of them")


def test_epochs_of_warmup_count_for_steps():
    plain = rates(schedulers.step, step_size=2)
    warm = rates(schedulers.step, step_size=2, warmup_epochs=1)
    assert warm[0] == pytest.approx(0.1 / 6)
    assert warm[5:] == plain[5:]


def test_a_warmup_longer_than_the_budget_is_all_there_is():
    seen = rates(schedulers.cosine, epochs=1, steps=3, warmup_epochs=3)
    assert seen == pytest.approx([0.01, 0.02, 0.03, 0.04])


def test_groups_keep_the_ratio_of_their_rates():
    for build in (schedulers.cosine, schedulers.one_cycle, schedulers.exponential):
        weights = [{"params": [nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (0.1, 0.02)]
        descent = torch.optim.SGD(weights, lr=1.0)
        schedule, _ = build(zoo.SchedulerContext(descent, 2, 4))
        descent.step()
        for _ in range(7):
            schedule.step()
            first, second = (group["lr"] for group in descent.param_groups)
            assert first == pytest.approx(5 * second)


def test_plateau_follows_the_mode():
    falling = [4.0, 3.0, 2.0, 1.0]
    better = by_epoch(schedulers.plateau, values=falling, patience=0)
    worse = by_epoch(schedulers.plateau, values=falling, patience=0, mode="max", min_lr=0.005)
    assert better == [0.1] * 5
    assert worse == pytest.approx([0.1, 0.1, 0.01, 0.005, 0.005])
