"""Images that share a file with others are kept on disk too, until that file changes."""

import os
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from zoo.data import caching
from zoo.data.datasets import Joined, Subset, place_of
from zoo.data.fitting import Form
from zoo.data.tiers import MAPPED, Keeping, open_split
from zoo.errors import DataError
from zoo.tasks import Task

TASK = Task.multiclass(["a", "b"])
SIDE, COUNT = 6, 10


@dataclass
class Table:
    """Raw images one after the other in a file."""

    path: object
    rows: list
    groups = None
    side: int = SIDE

    def __len__(self):
        return len(self.rows)

    @property
    def ids(self):
        return [f"row {row}" for row in self.rows]

    @property
    def labels(self):
        return np.array(self.rows) % 2

    def image(self, index):
        size = self.side * self.side
        content = self.path.read_bytes()[self.rows[index] * size :][:size]
        return np.frombuffer(content, np.uint8).reshape(self.side, self.side)

    def place(self, index):
        return self.path, f"row {self.rows[index]}"

    def mask(self, index):
        raise DataError("this split has no masks")


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "table.bin"
    path.write_bytes(np.random.default_rng(0).bytes(COUNT * SIDE * SIDE))
    return Table(path, list(range(COUNT)))


def held(split, tier="auto"):
    return open_split(split, Form(1), TASK, "here", Keeping(tier=tier))


def test_a_second_run_decodes_nothing(table, monkeypatch):
    first = held(table)
    assert [one.about["shape"] for one in caching.stores()] == [[COUNT, SIDE, SIDE, 1]]
    monkeypatch.setattr(caching, "_build", None)
    assert torch.equal(held(table, MAPPED).images, first.images)


def test_a_changed_file_is_noticed(table):
    first = held(table)
    os.utime(table.path, ns=(0, 0))
    content = bytearray(table.path.read_bytes())
    content[3] ^= 255
    table.path.write_bytes(content)
    assert held(table).fingerprint() != first.fingerprint()
    assert len(caching.stores()) == 2


def test_other_rows_of_the_same_file_are_another_store(table, monkeypatch):
    held(table)
    part = Table(table.path, [2, 4])
    assert held(part).ids == ("row 2", "row 4")
    assert len(caching.stores()) == 2
    # Rows that have the same name as others, but are elsewhere.
    same = Table(table.path, [3, 5])
    monkeypatch.setattr(Table, "ids", property(lambda self: ["row 2", "row 4"]))
    assert not torch.equal(held(same).images, held(part).images)
    assert len(caching.stores()) == 3


def test_verify_reads_the_file_once_and_finds_what_time_and_size_hide(table, monkeypatch):
    held(table)
    (cached,) = caching.stores()
    read = []
    digest = caching._sha256
    monkeypatch.setattr(caching, "_sha256", lambda path: read.append(path) or digest(path))
    assert cached.changed() == [] and len(read) == 1
    status = table.path.stat()
    content = bytearray(table.path.read_bytes())
    content[3] ^= 255
    table.path.write_bytes(content)
    os.utime(table.path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len(cached.changed()) == COUNT


def test_parts_and_joined_splits_say_it_too(table):
    part = Subset(table, np.array([7, 1]))
    assert place_of(part, 0) == (table.path, "row 7")
    both = Joined((part, Table(table.path, [4])))
    assert [place_of(both, i)[1] for i in range(3)] == ["row 7", "row 1", "row 4"]
    held(both)
    assert len(caching.stores()) == 1


def test_what_is_in_no_file_is_not_kept(table, monkeypatch):
    monkeypatch.delattr(Table, "place")
    held(table)
    assert caching.stores() == []
    with pytest.raises(DataError, match="here: its images are in no files and cannot be cached"):
        held(table, MAPPED)


def test_several_sizes_need_one_even_if_the_first_would_fit(table, monkeypatch):
    def image(self, index):
        return np.zeros((4 + index, 4), np.uint8)

    monkeypatch.setattr(Table, "image", image)
    with pytest.raises(DataError, match=r"here: images are of 10 sizes .*; give one with --size"):
        held(table)
    assert open_split(table, Form(1, (8, 8)), TASK, "here", Keeping()).image_size == (8, 8)
