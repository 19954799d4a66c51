"""Wherever pixels are kept, batches are the same to the bit; what is wrong is named or left out."""

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.data import caching
from zoo.data.augmentation import Augmentations
from zoo.data.copies import Copies, Copy
from zoo.data.datasets import FileSplit, Subset
from zoo.data.fitting import Form
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.tiers import MAPPED, MEMORY, STREAMED, Keeping, open_split
from zoo.errors import DataError, StorageError
from zoo.tasks import Task

TASK = Task.multiclass(["a", "b", "c"])
MASKS = Task.segmentation(["background", "tool"], positive="tool")
COUNT = 23


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for index in range(COUNT):
        image = Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8))
        image.save(tmp_path / f"images/{index:02}.png")
        mask = rng.integers(0, 2, (20, 24), dtype=np.uint8) * 255
        Image.fromarray(mask).save(tmp_path / f"{index:02}-mask.png")
    return tmp_path


def split_of(folder, masks=False):
    paths = sorted((folder / "images").glob("*.png"))
    labels = None if masks else np.arange(len(paths)) % 3
    drawn = [folder / f"{path.stem}-mask.png" for path in paths] if masks else None
    return FileSplit(paths, labels, [path.name for path in paths], masks=drawn)


def held(split, tier, task=TASK, **settings):
    keeping = Keeping(tier=tier, threads=2, **settings)
    return open_split(split, Form(3, (16, 16)), task, "here", keeping)


def flip(images, masks, draws):
    chosen = draws.chance(0.5)
    flipped = torch.where(chosen[:, None, None, None], images.flip(3), images)
    if masks is not None:
        masks = torch.where(chosen[:, None, None], masks.flip(2), masks)
    return flipped, masks


def batches(store, task=TASK, start=0, epoch=3):
    mean, std = store.statistics()
    loader = Loader(
        store,
        Preprocessing((12, 12), 3, mean, std),
        task,
        4,
        torch.device("cpu"),
        sampler=lambda generator: torch.randperm(len(store), generator=generator),
        copies=Copies([Copy(Augmentations([("flip", flip)]))]),
        seed=7,
    )
    return [(b.images.clone(), b.labels.clone()) for b in loader.epoch(epoch, start)]


def equal(first, second):
    return len(first) == len(second) and all(
        torch.equal(a, c) and torch.equal(b, d)
        for (a, b), (c, d) in zip(first, second, strict=True)
    )


@pytest.mark.parametrize("masks", [False, True])
def test_every_tier_gives_the_same_batches(folder, masks):
    split, task = split_of(folder, masks), MASKS if masks else TASK
    memory = held(split, MEMORY, task)
    expected = batches(memory, task)
    assert len(expected) == 6
    others = [held(split, MAPPED, task)]
    others += [held(split, STREAMED, task, workers=workers) for workers in (0, 1, 4)]
    for other in others:
        assert equal(batches(other, task), expected)
        assert other.fingerprint() == memory.fingerprint()
        assert other.class_counts(task) == memory.class_counts(task)
        assert other.counted(task) == memory.counted(task)


@pytest.mark.parametrize("tier", [MEMORY, MAPPED, STREAMED])
def test_an_epoch_goes_on_from_any_step(folder, tier):
    store = held(split_of(folder), tier)
    whole = batches(store)
    for start in range(7):
        assert equal(batches(store, start=start), whole[start:])


def test_other_epochs_and_seeds_differ(folder):
    store = held(split_of(folder), MEMORY)
    assert not equal(batches(store, epoch=3), batches(store, epoch=4))


def test_a_second_run_decodes_nothing(folder, monkeypatch):
    split = split_of(folder)
    first = held(split, MEMORY)
    monkeypatch.setattr(caching, "_build", None)
    assert held(split, MAPPED).fingerprint() == first.fingerprint()
    (about,) = caching.stores()
    assert about.bytes > COUNT * 16 * 16 * 3


def test_a_changed_file_is_noticed(folder):
    split = split_of(folder)
    first = held(split, MEMORY)
    Image.new("RGB", (24, 20)).save(folder / "images/05.png")
    again = held(split, MEMORY)
    assert again.fingerprint() != first.fingerprint()
    assert len(caching.stores()) == 2


def test_verify_finds_what_time_and_size_hide(folder):
    import os

    split = split_of(folder)
    held(split, MEMORY)
    (cached,) = caching.stores()
    assert cached.changed() == []
    path = folder / "images/05.png"
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert cached.changed() == ["05.png"]


def test_a_damaged_store_is_refused(folder):
    held(split_of(folder), MEMORY)
    (cached,) = caching.stores()
    path = cached.folder / "images.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StorageError, match="is damaged; type: zoo data cache --clear"):
        held(split_of(folder), MAPPED)


def test_what_was_not_finished_is_built_again(folder, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("killed")

    monkeypatch.setattr(caching.commit, "write", fail)
    with pytest.raises(RuntimeError):
        held(split_of(folder), MEMORY)
    assert caching.stores() == []
    monkeypatch.undo()
    monkeypatch.setenv("ZOO_CACHE", str(folder / "cache"))
    assert len(held(split_of(folder), MEMORY)) == COUNT


@pytest.mark.parametrize("tier", [MEMORY, MAPPED, STREAMED])
def test_a_broken_image_is_named_or_left_out(folder, tier):
    (folder / "images/11.png").write_bytes(b"no image")
    split = split_of(folder)
    for _ in range(2):  # before and after a store that leaves it out is there
        with pytest.raises(DataError, match=r"image '11\.png' cannot be decoded.*on_error=skip"):
            held(split, tier)
        held(split, tier, on_error="skip")
    notices = []
    store = held(split, tier, on_error="skip", notice=notices.append)
    assert len(store) == COUNT - 1 and "11.png" not in store.ids
    assert list(store.skipped) == ["11.png"]
    assert any(note == f"here: 1 of {COUNT} images are left out" for note in notices)
    assert store.labels.tolist() == [i % 3 for i in range(COUNT) if i != 11]
    images = torch.cat([images for images, _ in batches(store)])
    assert len(images) == COUNT - 1


def test_only_broken_images_are_an_error(folder):
    for path in (folder / "images").glob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="none of its 23 images can be decoded"):
        held(split_of(folder), MEMORY, on_error="skip")


def test_sizes_that_differ_need_one(folder):
    Image.new("RGB", (9, 9)).save(folder / "images/05.png")
    with pytest.raises(
        DataError, match=r"here: images are of 2 sizes \(9x9, 20x24, \.\.\.\); give"
    ):
        open_split(split_of(folder), Form(3), TASK, "here", Keeping())
    assert held(split_of(folder), MEMORY).image_size == (16, 16)


def test_a_store_keeps_what_is_small(folder):
    store = open_split(split_of(folder), Form(3, (224, 224)), TASK, "here", Keeping())
    assert store.image_size == (20, 24)


def test_parts_of_a_split_have_stores_of_their_own(folder):
    part = Subset(split_of(folder), np.array([4, 2, 9]))
    store = held(part, MEMORY)
    assert store.ids == ("04.png", "02.png", "09.png")
    assert store.labels.tolist() == [1, 2, 0]


def test_the_limit_decides(folder):
    size = COUNT * 16 * 16 * 3
    notices = []
    tiers = [
        type(held(split_of(folder), "auto", limit=limit, notice=notices.append)).__name__
        for limit in (size, size - 1)
    ]
    assert tiers == ["Store", "Stream"]
    assert "are not kept; images are decoded in every epoch, by 2 threads" in notices[-1]


def test_fixed_copies_repeat_and_fresh_ones_do_not(folder):
    store = held(split_of(folder), MEMORY)
    plain = Preprocessing((16, 16), 3, (0.0,) * 3, (1.0,) * 3)

    def images(fixed, epoch):
        flips = Copy(Augmentations([("flip", flip)]), fixed)
        loader = Loader(
            store, plain, TASK, 8, torch.device("cpu"),
            sampler=lambda generator: torch.arange(2 * COUNT),
            copies=Copies([Copy(), flips]),
        )  # fmt: skip
        return torch.cat([batch.images.clone() for batch in loader.epoch(epoch)])

    original = store.images.permute(0, 3, 1, 2) / 255
    first, second = images(True, 1), images(True, 2)
    assert torch.equal(first, second) and torch.equal(first[:COUNT], original)
    flipped = (first[COUNT:] != original).flatten(1).any(1)
    assert 3 < int(flipped.sum()) < COUNT - 3
    assert not torch.equal(images(False, 1), images(False, 2))


def test_a_cache_that_cannot_be_made_says_how_to_name_another(folder, monkeypatch):
    (folder / "file").write_text("")
    monkeypatch.setenv("ZOO_CACHE", str(folder / "file"))
    with pytest.raises(StorageError, match="ZOO_CACHE may name another folder"):
        held(split_of(folder), MEMORY)
