"""The contract of schedulers: what survives a checkpoint, and what depends on the budget."""

import pytest
import torch
from broken_plugin import ANYTHING, problems
from torch.optim import lr_scheduler

import zoo


def said(build, **more):
    return problems(zoo.SchedulerSpec(name="it", build=build, **ANYTHING, **more))


class Halving(lr_scheduler.LRScheduler):
    """Halves every third step, counting them itself."""

    def __init__(self, optimizer):
        self.count = 0
        super().__init__(optimizer)

    def step(self, epoch=None):
        self.count += 1
        super().step(epoch)

    def get_lr(self):
        return [base * 0.5 ** (self.count // 3) for base in self.base_lrs]


class Forgetful(Halving):
    def state_dict(self):
        return {key: value for key, value in super().state_dict().items() if key != "count"}


class Astray(Halving):
    """What it changes besides the rate, it takes from the rate before."""

    def step(self, epoch=None):
        super().step(epoch)
        for group in self.optimizer.param_groups:
            group["betas"] = (0.9 / self.count, 0.999)

    def load_state_dict(self, state_dict):
        super().load_state_dict({**state_dict, "count": state_dict["count"] + 0.0001})


class Tensors(Halving):
    def state_dict(self):
        return {**super().state_dict(), "seen": torch.zeros(2)}


def test_a_scheduler_that_keeps_all_it_counts_is_fine():
    assert said(lambda ctx: (Halving(ctx.optimizer), "step")) == []
    assert said(lambda ctx: (Halving(ctx.optimizer), "epoch")) == []


def test_one_that_forgets_what_it_counted_is_found():
    (problem,) = said(lambda ctx: (Forgetful(ctx.optimizer), "step"))
    assert problem.startswith(
        "over 3 epochs of 4 steps, mode 'min', resumed after step 1 it goes another way, after "
        "step 2 with {'lr': 0.1,"
    )
    assert problem.endswith("keep all that it counts in state_dict")


def test_momentum_counts_as_much_as_the_rate():
    (problem,) = said(lambda ctx: (Astray(ctx.optimizer), "step"))
    assert "it goes another way" in problem and "'betas'" in problem


def test_state_that_no_checkpoint_can_hold_is_named():
    (problem,) = said(lambda ctx: (Tensors(ctx.optimizer), "step"))
    assert problem == (
        "its state_dict cannot be kept in a checkpoint: tensor([0., 0.]) is Tensor; expected "
        "numbers, text, lists, dicts"
    )


def test_a_plateau_that_forgets_how_long_it_waited_is_found():
    class Impatient(lr_scheduler.ReduceLROnPlateau):
        def state_dict(self):
            state = super().state_dict()
            return {key: value for key, value in state.items() if key != "num_bad_epochs"}

    assert said(lambda ctx: (lr_scheduler.ReduceLROnPlateau(ctx.optimizer), "epoch")) == []
    (problem,) = said(lambda ctx: (Impatient(ctx.optimizer), "epoch"))
    assert "over 16 epochs" in problem and "it goes another way" in problem


def test_torchs_own_warmup_before_milestones_does_not_survive():
    """Its Counter comes back as a dict. Should this pass one day, so much the better."""

    def build(ctx):
        parts = [lr_scheduler.LinearLR(ctx.optimizer, 0.1, total_iters=3),
                 lr_scheduler.MultiStepLR(ctx.optimizer, [2, 5])]  # fmt: skip
        return lr_scheduler.SequentialLR(ctx.optimizer, parts, [3]), "step"

    assert said(build) == ["AttributeError: 'dict' object has no attribute 'elements'"]


def over_all(ctx):
    steps = ctx.epochs * ctx.steps_per_epoch
    return lr_scheduler.LinearLR(ctx.optimizer, 1.0, 0.0, total_iters=steps), "step"


def once_extended(ctx):
    """The same rates as long as nobody resumes it with more epochs."""

    class Clock(Halving):
        def load_state_dict(self, state_dict):
            longer = ctx.epochs > state_dict["epochs"]
            super().load_state_dict({**state_dict, "count": 0} if longer else state_dict)

    made = Clock(ctx.optimizer)
    made.epochs = ctx.epochs
    return made, "step"


@pytest.mark.parametrize("build", [over_all, once_extended])
def test_rates_that_depend_on_the_budget_must_be_declared(build):
    (problem,) = said(build)
    assert problem == (
        "over 3 epochs of 4 steps, mode 'min', its rates are not those of a budget of 6 epochs; "
        "let them not depend on it, or declare bound_to_budget=True"
    )
    assert said(build, bound_to_budget=True) == []


@pytest.mark.parametrize("factor", [-1.0, float("nan")])
def test_rates_must_be_finite_and_not_negative(factor):
    def build(ctx):
        return lr_scheduler.MultiplicativeLR(ctx.optimizer, lambda t: factor), "step"

    assert any("expected finite ones, 0 or above" in one for one in said(build))
