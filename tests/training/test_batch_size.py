"""Sizes in place of "auto", with memory of a known size."""

import copy

import pytest
import torch
from torch import nn

import zoo
from zoo.errors import TrainingError
from zoo.training import batch_size
from zoo.training.batch_size import find_sizes, largest_fitting, tried
from zoo.training.memory import estimate
from zoo.training.precision import Precision
from zoo.training.workload import Workload

CPU = torch.device("cpu")


class Crowded(nn.Module):
    """Its memory is full beyond ``room`` images."""

    def __init__(self, room, error=torch.OutOfMemoryError):
        super().__init__()
        self.inner = nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.Dropout(0.5))
        self.room, self.error, self.asked = room, error, []

    def forward(self, images):
        self.asked.append(len(images))
        if len(images) > self.room:
            raise self.error("CUDA out of memory. Tried to allocate")
        return self.inner(images)


def work_of(room=10**6, error=torch.OutOfMemoryError):
    task = zoo.Task.multiclass(["a", "b", "c"])
    network = Crowded(room, error)
    optimizer = torch.optim.Adam(network.parameters())
    return Workload(
        task, network, nn.CrossEntropyLoss(), optimizer, (1, 4, 4), Precision("fp32", CPU)
    )


@pytest.mark.parametrize(
    ("room", "high", "found"),
    [(100, 4096, 64), (128, 4096, 128), (9999, 96, 96), (95, 96, 64), (1, 64, 0), (2, 2, 2)],
)
def test_the_largest_that_fits(room, high, found):
    asked = []

    def fits(images):
        asked.append(images)
        return images <= room

    assert largest_fitting(fits, 2, high) == found
    assert max(asked) <= max(2 * room, 2)  # nothing far beyond memory is tried


def test_trials_end_where_memory_does_and_leave_everything_as_it_was():
    work = work_of(room=40)
    before = copy.deepcopy(work.network.state_dict())
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    assert tried(work, 4096, lambda: True) == 32
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(one, before[name]) for name, one in work.network.state_dict().items())
    assert not work.optimizer.state and work.network.asked == []
    assert all(one.grad is None for one in work.network.parameters())


def test_trials_leave_something_to_spare():
    answers = iter([True, True, False])
    assert tried(work_of(), 4096, lambda: next(answers)) == 4


def test_other_failures_are_not_taken_for_a_full_memory():
    with pytest.raises(KeyError):
        tried(work_of(room=4, error=KeyError), 64, lambda: True)


def with_room_for(monkeypatch, work, images):
    """Free memory whose usable half holds ``images``."""
    needed = estimate(work).needed(images)
    monkeypatch.setattr(batch_size, "free_memory", lambda device: 2 * needed + 1)


def test_auto_is_replaced(monkeypatch):
    work = work_of()
    assert find_sizes(work, 64, 0, 1000) is None
    with_room_for(monkeypatch, work, 100)
    found = find_sizes(work, 512, "auto", 10_000)
    assert (found.batch_size, found.micro_batch) == (512, 64)
    found = find_sizes(work, 96, "auto", 10_000)
    assert (found.batch_size, found.micro_batch) == (96, 0)
    assert found.text.startswith("micro_batch = 0: a batch of 96 fits (found in ")
    found = find_sizes(work, 130, "auto", 10_000)
    assert (found.batch_size, found.micro_batch) == (130, 44)  # three equal parts, not 64, 64, 2
    found = find_sizes(work, "auto", 0, 10_000)
    assert (found.batch_size, found.micro_batch) == (64, 0)
    assert found.text.startswith("batch_size = 64, the most that 'auto' takes on cpu (found in ")
    assert find_sizes(work, "auto", "auto", 50).batch_size == 32
    assert find_sizes(work, "auto", 8, 10_000).micro_batch == 8
    with_room_for(monkeypatch, work, 20)
    assert find_sizes(work, "auto", 0, 10_000).batch_size == 16


def test_processes_share_a_batch_and_agree(monkeypatch):
    work = work_of()
    with_room_for(monkeypatch, work, 100)
    found = find_sizes(work, 512, "auto", 10_000, ranks=4)
    assert (found.batch_size, found.micro_batch) == (512, 64)
    found = find_sizes(work, "auto", 0, 10_000, ranks=4, least=lambda images: min(images, 32))
    assert found.batch_size == 128


def test_where_nothing_fits_it_is_said(monkeypatch):
    monkeypatch.setattr(batch_size, "free_memory", lambda device: 1000)
    with pytest.raises(TrainingError) as caught:
        find_sizes(work_of(), "auto", 0, 100)
    assert str(caught.value) == (
        "not even 2 images of 1x4x4 fit into the memory of cpu; choose a smaller data.size, or a "
        "smaller network"
    )
