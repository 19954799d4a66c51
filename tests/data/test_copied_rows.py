"""Batches for a device other than the CPU, without one: nothing waits, and no copy is overtaken.

"meta" tensors have no values: reading one back fails.
"""

import contextlib

import numpy as np
import pytest
import torch
from test_loader import TASK, flip, store_of
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from zoo.data import copies, loader, rows
from zoo.data.augmentation import Augmentations
from zoo.data.copies import Copies, Copy
from zoo.data.datasets import ArraySplit
from zoo.data.fitting import Form
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.resolutions import Resolutions
from zoo.data.tiers import Keeping, open_split

CPU, META, CUDA = map(torch.device, ("cpu", "meta", "cuda"))
FLIP = Augmentations([("flip", flip)])
COPIES = {
    "plain": [Copy()],
    "augmented": [Copy(FLIP)],
    "several": [Copy(), Copy(FLIP, fixed=True), Copy(FLIP)],
    "one, fixed": [Copy(FLIP, fixed=True)],
    "sizes": [Copy(FLIP)],
}


class NoOtherWay(TorchDispatchMode):
    """Fails where values of the host get to the device, but by ``sent``."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        given = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        here = [one for one in given if one.device == CPU and one.ndim]
        there = [one for one in (*given, *tree_leaves(made)) if getattr(one, "device", CPU) == META]
        assert not (here and there), f"{func} takes a tensor of the host to the device"
        return made


def loader_of(kind, device):
    sides = (4, 8) if kind == "sizes" else (4,)
    number = len(COPIES[kind]) * len(sides) * 20

    def sampler(generator):
        return torch.randperm(number, generator=generator)

    parts = []
    for side in sides:
        images = np.random.default_rng(side).integers(0, 256, (20, side, side), dtype=np.uint8)
        split = ArraySplit(images, np.arange(20) % 3, [f"s{i}" for i in range(20)])
        store = open_split(split, Form(1), TASK, "test", Keeping())
        plain = Preprocessing((side, side), 1, (0.1,), (0.7,))
        parts.append(Loader(store, plain, TASK, 4, device, sampler, Copies(COPIES[kind])))
    return Resolutions(parts, sampler, seed=1) if kind == "sizes" else parts[0]


@pytest.fixture
def sendings(monkeypatch):
    """What is sent, by its form, and made up there."""
    seen = []

    def sent(tensor, device):
        if device == tensor.device:
            return tensor
        seen.append(tuple(tensor.shape))
        return torch.empty(tensor.shape, dtype=tensor.dtype, device=device)

    for module in (loader, rows, copies):
        monkeypatch.setattr(module, "sent", sent)
    return seen


@pytest.mark.parametrize("kind", COPIES)
def test_nothing_is_read_back_and_all_is_sent_by_one_way(kind, sendings):
    made = loader_of(kind, META)
    expected = [tuple(one.images.shape) for one in made.epoch(2)]
    list(made.epoch(1))  # what is sent once and for all is there now
    sendings.clear()
    with NoOtherWay():
        assert [tuple(one.images.shape) for one in made.epoch(2)] == expected
    passes = 2 if kind == "sizes" else 1
    if kind in ("plain", "augmented", "sizes"):
        assert len(sendings) == 3 * passes  # indices of rows, of labels, and positions
    assert len(sendings) <= 3 * passes + 3 * len(expected)


def test_another_way_is_seen(sendings, monkeypatch):
    monkeypatch.setattr(copies, "sent", lambda tensor, device: tensor.to(device))
    made = loader_of("several", META)
    list(made.epoch(1))
    with NoOtherWay(), pytest.raises(AssertionError, match="takes a tensor of the host"):
        list(made.epoch(2))


@pytest.fixture
def busy(monkeypatch):
    """A device whose copies are made long after they were asked for; returns what it was told, and
    the copies that wait."""
    told, waiting = [], []

    class Stream:
        def __init__(self, name="copying"):
            self.name = name

        def wait_stream(self, other):
            told.append(f"{self.name} waits for {other.name}")

    class Event:
        def __init__(self, blocking):
            self.blocking = blocking

        def record(self, stream):
            told.append(f"marked in {stream.name}")

        def synchronize(self):
            told.append("the host waits")

    @contextlib.contextmanager
    def within(stream):
        told.append(f"{stream.name}:")
        yield
        told.append("end")

    def sent(tensor, device):
        if device == CPU:
            return tensor
        told.append("sent")
        waiting.append((torch.empty_like(tensor), tensor))
        return waiting[-1][0]

    work = Stream("work")
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream())
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: work)
    monkeypatch.setattr(torch.cuda, "stream", within)
    monkeypatch.setattr(
        torch.Tensor, "record_stream", lambda self, stream: told.append(f"kept for {stream.name}")
    )
    monkeypatch.setattr(rows, "sent", sent)
    monkeypatch.setattr(rows._Resident, "_empty", unpinned)
    return told, waiting


def unpinned(self, like, number):
    return torch.empty((number, *like.shape[1:]), dtype=like.dtype)


def copied_late(busy, store):
    """(what arrives, what should) of three epochs, the last in passes of a batch each."""
    source = rows._Copied(rows._Resident(store, CPU, pinned=True), CUDA)
    order = torch.arange(len(store)).flip(0)
    cuts = [(0, 8), (8, 16), (16, 20)]
    passes = [cuts, cuts, *([one] for one in cuts)]
    found = [images for cut in passes for images, _ in source.batches(order, cut)]
    for there, here in busy[1]:
        there.copy_(here)
    whole = store.images[order]
    return torch.cat(found), torch.cat([whole, whole, whole])


def test_no_batch_is_written_over_before_it_is_copied(busy):
    found, expected = copied_late(busy, store_of())
    assert torch.equal(found, expected)


@pytest.mark.parametrize("number", [1, 2])
def test_a_ring_of_memory_would_be(busy, monkeypatch, number):
    kept = {}

    def ring(self, like, length):
        kept["at"] = kept.get("at", -1) + 1
        place = kept.setdefault(
            kept["at"] % number, torch.empty((20, *like.shape[1:]), dtype=torch.uint8)
        )
        return place[:length]

    monkeypatch.setattr(rows._Resident, "_empty", ring)
    found, expected = copied_late(busy, store_of())
    assert not torch.equal(found, expected)


def test_a_stream_copies_the_work_waits_and_the_host_is_only_so_far_ahead(busy):
    told, _ = busy
    source = rows._Copied(rows._Resident(store_of(), CPU, pinned=True), CUDA)
    order, cuts = torch.arange(20), [(at, at + 4) for at in range(0, 20, 4)]
    list(source.batches(order, cuts[:1]))
    assert told == [
        "copying:", "sent", "end", "work waits for copying", "kept for work", "marked in work",
    ]  # fmt: skip
    list(source.batches(order, cuts[:3]))
    assert "the host waits" not in told
    list(source.batches(order, cuts))  # another pass, and the batches of the last one still count
    assert told.count("the host waits") == 5 and told.count("sent") == 9
