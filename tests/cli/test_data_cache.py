"""zoo data cache, as typed, and the positive class of zoo data's commands."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo as library
from zoo.data import caching, leftovers
from zoo.data.decoded import Decoder
from zoo.data.fitting import Form
from zoo.storage.cache_folder import cache_folder

Zoo = Callable[..., tuple[int, str, str]]
TASK = library.Task.multiclass(["a", "b", "c"])


def kept(folder: Path, name: str) -> Path:
    """A store of three files in ``folder/name``."""
    paths = [folder / name / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((10, 10), 40 * number, np.uint8)).save(path)
    split = library.FileSplit(paths, np.array([0, 1, 2]), [f"{name}/{p.name}" for p in paths])
    caching.open_cached(Decoder(split, Form(1, (10, 10)), TASK, name), in_memory=False)
    return paths[1]


@pytest.fixture
def two(here: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setenv("ZOO_CACHE", str(here / "cache"))
    return [kept(here, name) for name in ("first", "second")]


def test_stores_are_listed_with_their_size(zoo: Zoo, two: list[Path]) -> None:
    code, out, err = zoo("data", "cache")
    assert (code, err) == (0, "")
    header, *rows, empty, total = out.splitlines()
    assert header.split() == ["STORE", "WHAT", "IMAGES", "PIXELS", "SIZE"]
    assert sorted(row.split()[1:4] for row in rows) == [
        ["first", "3", "10x10x1"],
        ["second", "3", "10x10x1"],
    ]
    assert empty == ""
    assert total.startswith("2 stores, ") and total.endswith(f", in {cache_folder()}")


def test_verify_says_of_each_store_how_it_is(zoo: Zoo, two: list[Path]) -> None:
    code, out, err = zoo("data", "cache", "--verify")
    assert (code, err) == (0, "")
    assert out.count("as its files\n") == 2
    two[0].unlink()
    code, out, err = zoo("data", "cache", "--verify")
    assert code == 1
    assert out.count("as its files\n") == 1 and out.count("1 changed\n") == 1
    assert err.startswith(
        "zoo: error: 1 store of 2 no longer hold what is in their files, such as 'first/1.png' of "
    )
    assert err.endswith("; type: zoo data cache --verify --clear\n")
    said = json.loads(zoo("data", "cache", "--verify", "--json")[1])
    assert sorted(one["changed"] for one in said) == [[], ["first/1.png"]]
    assert {one["changed"] for one in json.loads(zoo("data", "cache", "--json")[1])} == {None}


def test_with_verify_only_what_differs_is_cleared(zoo: Zoo, two: list[Path]) -> None:
    two[0].unlink()
    code, out, _ = zoo("data", "cache", "--verify", "--clear")
    assert code == 0 and out.startswith("removed 1 store, ")
    assert [one.about["where"] for one in caching.stores()] == ["second"]
    said = json.loads(zoo("data", "cache", "--clear", "--json")[1])
    assert len(said["removed"]) == 1 and said["bytes"] > 300
    assert caching.stores() == []
    assert zoo("data", "cache", "--clear")[1].startswith("removed 0 stores, 0 bytes, from ")


def test_what_a_killed_process_left_is_cleared_and_what_may_still_be_written_is_not(
    zoo: Zoo, two: list[Path]
) -> None:
    stores, long_ago = cache_folder() / "stores", 10**9
    for name, process in (("dead", 2**22 + 12345), ("live", os.getpid()), ("fresh", 2**22 + 1)):
        path = stores / name / f"{caching.commit.TEMPORARY_PREFIX}{process}-images.bin"
        path.parent.mkdir()
        path.write_bytes(b"1")
        if name != "fresh":  # it may be another machine's
            os.utime(path, (long_ago, long_ago))
            os.utime(path.parent, (long_ago, long_ago))
    assert [path.name for path in leftovers.leftovers()] == ["dead"]
    code, out, _ = zoo("data", "cache", "--clear")
    assert code == 0 and out.startswith("removed 2 stores and 1 unfinished, ")
    assert sorted(path.name for path in stores.iterdir()) == ["fresh", "live"]


def test_a_store_in_the_making_is_never_left_over(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even while its sources are hashed, when its pixels are written already."""
    monkeypatch.setenv("ZOO_CACHE", str(here / "cache"))
    monkeypatch.setattr(leftovers, "STALE", -1.0)
    seen = []
    digest = caching._sha256

    def looking(path: Path) -> bytes | None:
        seen.append(leftovers.leftovers())
        return digest(path)

    monkeypatch.setattr(caching, "_sha256", looking)
    kept(here, "first")
    assert seen == [[], [], []] and leftovers.leftovers() == []
    (one,) = caching.stores()
    assert not [path for path in one.folder.iterdir() if path.name.endswith("building")]


@pytest.fixture
def photos(here: Path) -> Path:
    for number in range(12):
        path = here / "photos" / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return here / "photos"


@pytest.mark.parametrize(
    "command", [("check",), ("split", "--output", "s.csv"), ("show", "--output", "s.png")]
)
def test_a_positive_class_is_asked_for_and_given(
    zoo: Zoo, photos: Path, command: tuple[str, ...]
) -> None:
    name, *more = command
    code, _, err = zoo("data", name, "image_folder", "--root", "photos", *more)
    assert code == 1
    assert err == (
        "zoo: error: dataset 'image_folder': which of its two classes is the positive one? give "
        "--positive (in a recipe, dataset.positive) 'cat' or 'dog'; or --set "
        "dataset.task=multiclass to treat them alike\n"
    )
    given = ("--root", "photos", "--positive", "dog", *more)
    assert zoo("data", name, "image_folder", *given)[0] == 0


def test_a_positive_class_that_looks_like_a_number_stays_text(
    zoo: Zoo, photos: Path, here: Path
) -> None:
    (photos / "cat").rename(photos / "0")
    (photos / "dog").rename(photos / "1")
    code, out, _ = zoo("data", "check", "image_folder", "--root", "photos", "--positive", "1")
    assert code == 0 and "no errors" in out
