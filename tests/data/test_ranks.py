"""Several processes share every batch: together they have the images that one alone would have."""

import numpy as np
import pytest
import torch

from zoo.data import loader as loading
from zoo.data.augmentation import Augmentations
from zoo.data.copies import Copies, Copy
from zoo.data.datasets import ArraySplit
from zoo.data.fitting import Form
from zoo.data.loader import Loader, batch_bounds, part_of
from zoo.data.preprocessing import Preprocessing
from zoo.data.resolutions import Resolutions
from zoo.data.tiers import STREAMED, Keeping, open_split
from zoo.errors import DataError
from zoo.tasks import Task

CPU = torch.device("cpu")
TASK = Task.multiclass(["a", "b", "c"])
RANKS = [1, 2, 3]


def tint(images, masks, draws):
    return images * draws.uniform(0.2, 1.0)[:, None, None, None], masks


def part(count, side, sampler, rank, ranks, tier="auto", batch_size=6):
    images = np.random.default_rng(side).integers(0, 256, (count, side, side), dtype=np.uint8)
    split = ArraySplit(images, np.arange(count) % 3, [f"s{i}" for i in range(count)])
    if tier == STREAMED:
        split = Read(split)
    form = Form(1, (side, side))
    store = open_split(split, form, TASK, "here", Keeping(tier=tier))
    plain = Preprocessing((side, side), 1, (0.3,), (0.5,))
    copies = Copies([Copy(Augmentations([("tint", tint)]))])
    return Loader(store, plain, TASK, batch_size, CPU, sampler, copies, 7, True, rank, ranks)


class Read:
    """Images that are not in an array."""

    groups = None

    def __init__(self, of):
        self.ids, self.labels, self.image = of.ids, of.labels, of.image

    def __len__(self):
        return len(self.ids)


def loader(kind, count, rank, ranks):
    if kind == "resolutions":
        sampler = shuffled(2 * count)
        parts = [part(count, side, sampler, rank, ranks) for side in (4, 8)]
        return Resolutions(parts, sampler, seed=7)
    return part(count, 4, shuffled(count), rank, ranks, kind)


def shuffled(count):
    return lambda generator: torch.randperm(count, generator=generator)


def batches(loader, epoch=2, start=0):
    return [
        (one.images.clone(), one.labels.clone(), one.share) for one in loader.epoch(epoch, start)
    ]


@pytest.mark.parametrize("kind", ["memory", STREAMED, "resolutions"])
@pytest.mark.parametrize("count", [6, 13, 19, 23])
@pytest.mark.parametrize("ranks", RANKS)
def test_the_parts_of_all_processes_are_the_whole_batch(kind, count, ranks):
    whole = loader(kind, count, 0, 1)
    shared = [loader(kind, count, rank, ranks) for rank in range(ranks)]
    assert {one.size_of(2) for one in shared} == {(whole.size_of(2)[0], len(batches(shared[0])))}
    by_rank = [batches(one) for one in shared]
    joined = [
        (torch.cat([one[0] for one in same]), torch.cat([one[1] for one in same]))
        for same in zip(*by_rank, strict=True)
    ]
    for same, (images, _) in zip(zip(*by_rank, strict=True), joined, strict=True):
        sizes = [len(one[0]) for one in same]
        assert max(sizes) - min(sizes) <= 1 and min(sizes) > 0
        assert [one[2] for one in same] == [size * ranks / len(images) for size in sizes]
    if kind != "resolutions":  # there the order of batches follows from their number
        for place in (0, 1):
            expected = torch.cat([one[place] for one in batches(whole)])
            assert torch.equal(torch.cat([one[place] for one in joined]), expected)
    if whole.size_of(2) == shared[0].size_of(2):
        for (images, labels), (one, other, share) in zip(joined, batches(whole), strict=True):
            assert torch.equal(images, one) and torch.equal(labels, other) and share == 1.0


def test_draws_are_those_of_the_place_in_the_whole_batch():
    """Were a part's images counted from 0, processes would draw alike."""

    def same(generator):
        return torch.zeros(12, dtype=torch.int64)

    first, second = (batches(part(12, 4, same, rank, 2, batch_size=12))[0][0] for rank in (0, 1))
    assert len(torch.cat([first, second]).flatten(1).unique(dim=0)) == 12


@pytest.mark.parametrize("kind", ["memory", "resolutions"])
def test_a_process_goes_on_from_any_step(kind):
    one = loader(kind, 23, 1, 3)
    whole = batches(one)
    for start in (0, 2, len(whole)):
        rest = batches(one, start=start)
        assert len(rest) == len(whole) - start
        for (a, b, _), (c, d, _) in zip(rest, whole[start:], strict=True):
            assert torch.equal(a, c) and torch.equal(b, d)


def test_the_mean_of_means_by_share_is_the_mean_of_the_batch():
    whole = [float(labels.float().mean()) for _, labels, _ in batches(loader("memory", 23, 0, 1))]
    weighed, plain = [0.0] * len(whole), [0.0] * len(whole)
    for rank in range(2):
        for step, (_, labels, share) in enumerate(batches(loader("memory", 23, rank, 2))):
            weighed[step] += float(labels.float().mean()) * share / 2
            plain[step] += float(labels.float().mean()) / 2
    assert weighed == pytest.approx(whole)
    assert plain != pytest.approx(whole)  # the last batch's parts are of 2 and 3


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("count", [2, 9, 10])
def test_a_split_is_read_once_by_all_processes_together(ranks, count):
    read = [
        [batch.labels.clone() for batch in part(count, 4, None, rank, ranks).epoch()]
        for rank in range(ranks)
    ]
    counts = [sum(map(len, one)) for one in read]
    assert max(counts) - min(counts) <= 1 and sum(counts) == count
    together = torch.cat([batch for one in read for batch in one])
    assert together.tolist() == [index % 3 for index in range(count)]


def test_a_short_last_batch_joins_its_neighbour():
    assert batch_bounds(11, 4, fewest=4) == [(0, 4), (4, 11)]
    assert batch_bounds(12, 4, fewest=4) == [(0, 4), (4, 8), (8, 12)]
    assert [part_of((4, 11), rank, 3) for rank in range(3)] == [(4, 6), (6, 8), (8, 11)]
    steps = {loader("memory", 15, rank, 2).size_of(1) for rank in range(2)}
    assert steps == {(15, 2)}  # 6 + 9: the last 3 are too few for two


def test_fewer_images_than_processes_are_refused():
    expected = (
        "a batch of 2 images for 3 processes: expected one each or more; raise "
        "training.batch_size, or start fewer processes"
    )
    for one in (part(12, 4, shuffled(12), 0, 3, batch_size=2), part(2, 4, shuffled(2), 0, 3)):
        with pytest.raises(DataError) as caught:
            one.size_of(1)
        assert str(caught.value) == expected
    for rank, ranks in ((1, 1), (-1, 2), (0, 0)):
        with pytest.raises(
            DataError, match=f"process {rank} of {ranks}: expected 0 to {ranks - 1}"
        ):
            part(12, 4, None, rank, ranks)


def test_a_part_cut_wrongly_is_seen(monkeypatch):
    """The control of the first test: with an image of each batch left out it fails."""

    def short(bounds, rank, ranks):
        return part_of((bounds[0], bounds[1] - 1), rank, ranks)

    monkeypatch.setattr(loading, "part_of", short)
    with pytest.raises(AssertionError):
        test_the_parts_of_all_processes_are_the_whole_batch("memory", 13, 2)
