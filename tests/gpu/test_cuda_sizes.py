"""Sizes found by real steps on a CUDA device; skipped elsewhere."""

import pytest
import torch
from torch import nn

import zoo
from zoo.data.device import free_memory
from zoo.training.batch_size import images_that_fit
from zoo.training.layer_table import describe
from zoo.training.memory import estimate, is_out_of_memory
from zoo.training.precision import Precision
from zoo.training.workload import Workload

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
CUDA = torch.device("cuda")


def work_of(precision="fp32"):
    task = zoo.Task.multiclass(["a", "b", "c"])
    network = nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 3),
    ).to(CUDA)  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters())
    loss = nn.CrossEntropyLoss()
    return Workload(task, network, loss, optimizer, (3, 256, 256), Precision(precision, CUDA))


def test_the_largest_that_fits_does_and_twice_as_many_do_not():
    """Within a tenth of the device, so that it takes no time."""
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    total = torch.cuda.get_device_properties(CUDA).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, 2e9 / total + 0.01))
    try:
        found = images_that_fit(work_of(), 4096)
        assert 2 <= found < 4096
        assert images_that_fit(work_of(), 2 * found) == found
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert torch.cuda.memory_allocated() == before


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_estimate_is_near_the_peak(precision):
    work, images = work_of(precision), 64
    said = estimate(work)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    given, targets = work.batch(images)
    held = torch.cuda.memory_allocated()
    for _ in range(2):
        torch.autograd.backward(work.loss_of(work.network, given, targets))
        work.optimizer.step()
    peak = torch.cuda.max_memory_allocated() - before
    needed = said.needed(images) - said.batch * images + (held - before)
    assert 0.7 < needed / peak < 1.5


def test_a_full_device_is_known_and_the_table_is_made_there():
    with pytest.raises(torch.OutOfMemoryError) as caught:
        torch.empty(1 << 45, device=CUDA)
    assert is_out_of_memory(caught.value)
    assert free_memory(CUDA) > 0
    assert describe(work_of().network, (3, 256, 256)).flops > 2 * 64 * 27 * 256 * 256
