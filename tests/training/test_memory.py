"""The estimate of memory against bytes counted by hand."""

import copy

import pytest
import torch
from torch import nn

import zoo
from zoo.plugins.catalog import catalog
from zoo.training.memory import bytes_text, estimate, is_out_of_memory, state_bytes
from zoo.training.precision import Precision
from zoo.training.workload import Workload

CPU = torch.device("cpu")
DIGITS = zoo.Task.multiclass([str(digit) for digit in range(10)])
TOOLS = zoo.Task.segmentation(["ground", "tool"], positive="tool")


def work_of(name, task, image, precision="fp32", averaged=False, **options):
    component = catalog().get("architecture", name)
    context = zoo.ArchitectureContext(image[0], image[1:], task.outputs, task)
    network = component.build(context, component.bind(options))
    network = network.to(memory_format=torch.channels_last)
    loss = nn.CrossEntropyLoss() if task is DIGITS else nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(network.parameters())
    return Workload(
        task, network, loss, optimizer, image, Precision(precision, CPU), averaged=averaged
    )


def test_the_activations_of_simple_cnn():
    """Each pooling keeps its input and int64 places, each activation its input, each convolution
    and the linear layer theirs, the loss its logarithms."""
    memory = estimate(work_of("simple_cnn", DIGITS, (1, 28, 28)))
    first = 32 * (28 * 28 + 14 * 14 + 14 * 14) * 4 + 32 * 14 * 14 * 8
    second = 64 * (14 * 14 + 7 * 7 + 7 * 7) * 4 + 64 * 7 * 7 * 8
    assert memory.image == pytest.approx(first + second + 10 * 4, rel=0.01)
    assert memory.passing == 2 * 32 * 28 * 28 * 4
    assert memory.batch == 28 * 28 * 9


def unet_bytes(width, side, each=4):
    """A level of the encoder keeps four maps (both convolutions, both normalizations, rectified in
    place), the pooled one and its int64 places; of the decoder the joined maps, which are two, and
    two rectified ones; the bottleneck two."""
    levels = [(width << level) * (side >> level) ** 2 for level in range(4)]
    encoder = sum(4 * one * each + one // 4 * each + one // 4 * 8 for one in levels)
    decoder = sum(4 * one * each for one in levels)
    return encoder + decoder + 2 * (width << 4) * (side >> 4) ** 2 * each + side * side * 4


def test_the_activations_of_unet():
    memory = estimate(work_of("unet", TOOLS, (3, 32, 32), width=8, dropout=False))
    assert memory.image == pytest.approx(unet_bytes(8, 32), rel=0.01)


def test_half_the_bytes_a_number_are_seen():
    memory = estimate(work_of("unet", TOOLS, (3, 32, 32), "bf16", width=8, dropout=False))
    assert memory.image == pytest.approx(unet_bytes(8, 32, each=2), rel=0.25)
    assert memory.fixed > 0  # the weights once more, in bf16


def test_what_does_not_grow_with_the_batch():
    work = work_of("simple_cnn", DIGITS, (1, 28, 28), averaged=True)
    size = sum(one.numel() for one in work.network.parameters()) * 4
    memory = estimate(work)
    assert (memory.weights, memory.gradients, memory.average) == (size, size, size)
    assert memory.optimizer == pytest.approx(2 * size, rel=0.01)
    rows = memory.rows(64)
    assert sum(rows.values()) - memory.weights == memory.needed(64)
    assert memory.needed(65) - memory.needed(64) == memory.image + memory.passing + memory.batch
    work.network.requires_grad_(False)[-1].requires_grad_(True)
    assert estimate(work).gradients == 4 * (64 * 7 * 7 * 10 + 10)


def test_measuring_changes_nothing():
    work = work_of("unet", TOOLS, (3, 32, 32), width=4)
    before = copy.deepcopy(work.network.state_dict())
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    estimate(work)
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(one, before[name]) for name, one in work.network.state_dict().items())
    assert not work.optimizer.state
    assert all(one.grad is None for one in work.network.parameters())


def test_what_an_optimizer_keeps():
    weights = [nn.Parameter(torch.ones(10, 10)), nn.Parameter(torch.ones(10))]
    size = 110 * 4
    assert state_bytes(torch.optim.SGD(weights, lr=1.0)) == 0
    assert state_bytes(torch.optim.SGD(weights, lr=1.0, momentum=0.9)) == size
    assert state_bytes(torch.optim.Adam(weights)) == 2 * size + 2 * 4
    assert state_bytes(torch.optim.LBFGS(weights)) == 2 * size  # wants a closure: a guess
    assert all(torch.equal(one, torch.ones_like(one)) for one in weights)


def failed(made):
    try:
        made()
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize(
    ("made", "full"),
    [
        (lambda: torch.empty(1 << 50), True),
        (lambda: (_ for _ in ()).throw(MemoryError()).__next__(), True),
        (lambda: (_ for _ in ()).throw(torch.OutOfMemoryError("CUDA")).__next__(), True),
        (lambda: torch.ones(2) + torch.ones(3), False),
        (lambda: {}[0], False),
    ],
)
def test_a_full_memory_is_known_by_what_torch_says(made, full):
    error = failed(made)
    assert is_out_of_memory(error) is full
    wrapped = zoo.ZooError("loss failed")
    wrapped.__cause__ = error
    assert is_out_of_memory(wrapped) is full


def test_bytes_for_people():
    texts = [bytes_text(size) for size in (12, 1200, 25_300_000, 825_000_000, 1_230_000_000)]
    assert texts == ["12 bytes", "1.2 kB", "25.3 MB", "825 MB", "1.2 GB"]
