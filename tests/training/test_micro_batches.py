"""A batch in parts: none is a single image, and together they are the batch."""

import copy
import math

import pytest
import torch
from test_batch_size import work_of
from test_loop import CPU, TASKS, store_of, trainee
from torch import nn

from zoo.data.loader import Loader, equal_parts
from zoo.data.preprocessing import Preprocessing
from zoo.training import batch_size, loop
from zoo.training.batch_size import find_sizes, images_that_fit
from zoo.training.exhausted import out_of_memory
from zoo.training.precision import Precision
from zoo.training.update import Update
from zoo.training.workload import images_of

TASK = TASKS["multiclass"]


class Seen(nn.Sequential):
    """A network that cannot take a single image, and knows how many it was given."""

    def __init__(self, *layers):
        super().__init__(nn.Flatten(), *layers, nn.Linear(64, 3))
        self.sizes = []

    def forward(self, images):
        self.sizes.append(len(images))
        return super().forward(images)


def made(images, batch, micro, *layers, loss=None):
    torch.manual_seed(0)
    network = Seen(*layers)
    plain, store = Preprocessing((8, 8), 1, (0.5,), (0.5,)), store_of(TASK, images)
    loader = Loader(store, plain, TASK, batch, CPU, lambda g: torch.randperm(images, generator=g))
    update = Update(torch.optim.SGD(network.parameters(), lr=0.1), Precision("fp32", CPU))
    changes = {} if loss is None else {"loss": loss}
    return trainee(
        TASK, None, network=network, update=update, loader=loader, micro_batch=micro, **changes
    )


def epoch(run):
    run.network.train()
    run.schedule.optimizer = run.update.optimizer
    for batch in run.loader.epoch(1):
        loop.train_step(run, batch)
    return run.network


@pytest.mark.parametrize(
    ("images", "batch", "micro", "sizes"),
    [
        (65, 65, 64, [32, 33]),
        (33, 16, 16, [16, 8, 9]),  # the last batch of one has joined its neighbour
        (33, 16, 8, [8, 8, 5, 6, 6]),
        (16, 16, 1, [2] * 8),
        (7, 7, 2, [2, 2, 3]),
        (3, 3, 2, [3]),
        (12, 12, 0, [12]),
    ],
)
def test_no_part_is_a_single_image(images, batch, micro, sizes):
    run = made(images, batch, micro, nn.BatchNorm1d(64))
    assert epoch(run).sizes == sizes
    assert images_of(run) == (batch, max(sizes[: len(equal_parts(batch, micro or batch))]))


def test_a_single_image_would_end_it(monkeypatch):
    def cut(length, most):
        return [(at, min(at + most, length)) for at in range(0, length, most)]

    monkeypatch.setattr(loop, "equal_parts", cut)
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        epoch(made(65, 65, 64, nn.BatchNorm1d(64)))


@pytest.mark.parametrize("micro", [1, 2, 5, 16, 64, 100])
def test_parts_cover_a_batch_and_differ_by_one_at_most(micro):
    for length in range(1, 200):
        parts = equal_parts(length, micro)
        sizes = [last - first for first, last in parts]
        assert [first for first, _ in parts] == [0, *(last for _, last in parts[:-1])]
        assert parts[-1][1] == length and max(sizes) - min(sizes) <= 1
        assert min(sizes) >= min(2, length)
        assert max(sizes) <= (micro if micro > 2 else 3)


def weights(run):
    return torch.cat([one.detach().flatten() for one in epoch(run).parameters()])


def test_parts_learn_what_the_whole_batch_teaches():
    whole = weights(made(64, 64, 0))
    for micro in (1, 7, 30, 63):
        assert torch.allclose(weights(made(64, 64, micro)), whole, atol=1e-6)


def test_a_loss_that_divides_by_weights_is_averaged_over_the_parts():
    """As docs/recipes.md says at micro_batch."""
    weighted = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 5.0, 20.0]))
    whole, parted = (weights(made(64, 64, micro, loss=weighted)) for micro in (0, 4))
    assert not torch.allclose(parted, whole, atol=1e-3)
    run = made(64, 64, 0)
    before = copy.deepcopy(run.network)
    batch = next(run.loader.epoch(1))
    mean = sum(
        weighted(before(batch.images[at : at + 4]), batch.targets[at : at + 4])
        for at in range(0, 64, 4)
    )
    (mean / 16).backward()
    expected = [one.detach() - 0.1 * one.grad for one in before.parameters()]
    assert torch.allclose(parted, torch.cat([one.flatten() for one in expected]), atol=1e-6)


def test_auto_is_cut_as_it_was_found(monkeypatch):
    work = work_of()
    for fit in (2, 3, 20, 64):
        monkeypatch.setattr(batch_size, "images_that_fit", lambda work, most, fit=fit: fit)
        for batch in range(fit + 1, 150):
            parts = equal_parts(batch, find_sizes(work, batch, "auto", 1000).micro_batch)
            largest = max(last - first for first, last in parts)
            assert largest <= fit or (fit == 2 and largest == 3 and batch % 2)
            assert fit == 2 or len(parts) == math.ceil(batch / fit)


def test_a_batch_of_one_is_taken_as_it_is(monkeypatch):
    monkeypatch.setattr(batch_size, "free_memory", lambda device: 0)
    found = find_sizes(work_of(), 1, "auto", 1000)
    assert (found.batch_size, found.micro_batch) == (1, 0)
    assert find_sizes(work_of(), "auto", 0, 1).batch_size == 1
    assert images_that_fit(work_of(), 1) == 0


@pytest.mark.parametrize(
    ("batch", "micro", "said"),
    [
        (2, 0, "2 images of 1x8x8 at once are too many; choose a smaller data.size, or"),
        (3, 0, "3 images of 1x8x8 at once are too many; choose a smaller data.size, or"),
        (16, 1, "2 images of 1x8x8 at once of a batch of 16 are too many; choose a smaller"),
        (16, 0, "16 images of 1x8x8 at once are too many; about 8 fit; "),
        (8, 4, "4 images of 1x8x8 at once of a batch of 8 are too many; about 2 fit; "),
    ],
)
@pytest.mark.parametrize("measured", [True, False])
def test_a_single_image_is_never_advised(batch, micro, said, measured, monkeypatch):
    run = made(16, batch, micro)
    if not measured:
        monkeypatch.setattr("zoo.training.exhausted.Workload.of", NotMeasured)
    error = out_of_memory(torch.OutOfMemoryError("CUDA out of memory"), run)
    assert said in str(error) and "micro_batch=1," not in str(error)


class NotMeasured:
    """Work that fails for another reason than memory."""

    def __init__(self, run):
        self.device, self.image_text = CPU, "1x8x8"
