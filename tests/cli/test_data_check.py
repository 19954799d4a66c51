"""zoo data check and zoo data show, as typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo as library
from zoo.data import caching
from zoo.runs import auditing

Zoo = Callable[..., tuple[int, str, str]]


def folder(root: Path) -> library.Dataset:
    """Images of two classes in three splits, each unlike the others."""
    rng = np.random.default_rng(0)
    splits = {}
    for name in ("train", "val", "test"):
        paths = []
        for number in range(4):
            paths.append(root / name / f"{number}.png")
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)).save(paths[-1])
        ids = [f"{name}/{path.name}" for path in paths]
        splits[name] = library.FileSplit(paths, np.array([0, 1, 0, 1]), ids)
    task = library.Task.binary(["no", "yes"], positive="yes")
    return library.Dataset(task, splits, library.Provenance(licence="x"))


@pytest.fixture
def made(here: Path, monkeypatch: pytest.MonkeyPatch) -> library.Dataset:
    dataset = folder(here / "files")
    monkeypatch.setenv("ZOO_CACHE", str(here / "cache"))
    monkeypatch.setattr(auditing, "build_dataset", lambda *given: dataset)
    return dataset


def test_a_clean_dataset(zoo: Zoo, made: library.Dataset) -> None:
    code, out, err = zoo("data", "check", "digits")
    assert (code, err) == (0, "")
    assert out.endswith("digits: 0 errors, 0 notices; no errors\n")
    assert "train        4        4       -  12x12  RGB\n" in out
    assert "no         2    2     2\n" in out


def test_faults_are_listed_with_what_to_do(zoo: Zoo, made: library.Dataset) -> None:
    for name in ("0", "1", "2", "3"):
        (Path("files/val") / f"{name}.png").write_bytes(b"")
    Path("files/test/0.png").write_bytes(Path("files/train/0.png").read_bytes())
    code, out, err = zoo("data", "check", "digits")
    assert (code, err) == (1, "")
    assert "error     empty file                    val              4\n" in out
    assert (
        "\nerror: same image in several splits, train, test (leave it in one: it flatters the "
        "figures)\n  identical files: 'train/0.png' (train), 'test/0.png' (test)\n" in out
    )
    assert "  and 1 more\n" in out
    assert out.endswith("digits: 5 errors, 0 notices; training on this would be wrong\n")


def test_the_same_as_json_and_as_a_page(zoo: Zoo, made: library.Dataset) -> None:
    Path("files/val/1.png").write_bytes(b"<html>")
    code, out, err = zoo("data", "check", "digits", "--json", "--html", "out/page.html")
    assert (code, err) == (1, "")
    said = json.loads(out)
    assert (said["errors"], said["notices"]) == (1, 0)
    assert said["findings"][0]["kind"] == "not_an_image"
    assert said["findings"][0]["ids"] == ["val/1.png"]
    assert said["summary"]["splits"]["val"]["decoded"] == 3
    assert "1 error: training" in Path("out/page.html").read_text(encoding="utf-8")


def test_a_dataset_whose_lists_do_not_fit_is_still_reported(
    zoo: Zoo, made: library.Dataset
) -> None:
    train = made.splits["train"]
    made.splits["train"] = library.FileSplit(train.paths, train.labels, ["one"])
    code, out, _ = zoo("data", "check", "digits")
    assert code == 1
    assert "  1 ids for 4 images\n" in out


def test_verify_finds_a_store_that_its_files_no_longer_match(
    zoo: Zoo, made: library.Dataset
) -> None:
    from zoo.data.decoded import Decoder
    from zoo.data.fitting import Form

    split = made.splits["train"]
    caching.open_cached(Decoder(split, Form(3, (12, 12)), made.task, "here"), in_memory=True)
    assert zoo("data", "check", "digits", "--verify")[0] == 0
    path = split.paths[1]
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # of the checksum behind the picture: it is still decoded
    path.write_bytes(bytes(content))
    import os

    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert zoo("data", "check", "digits")[0] == 0
    code, out, _ = zoo("data", "check", "digits", "--verify")
    assert code == 1
    assert "decoded store out of date, train (type: zoo data cache --verify --clear)\n" in out


def test_what_is_not_there(zoo: Zoo, here: Path) -> None:
    code, _, err = zoo("data", "check", "digitz")
    assert code == 1
    assert err.startswith("zoo: error: dataset 'digitz' is not installed (did you mean 'digits'?)")
    code, _, err = zoo("data", "check", "digits", "--set", "training.epochs=3")
    assert code == 1
    assert "expected a key of dataset or split" in err


def test_the_real_digits_have_no_errors(zoo: Zoo, here: Path) -> None:
    code, out, err = zoo("data", "check", "digits", "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    assert said["errors"] == 0
    assert said["notices"] <= 5


def test_show_writes_a_png(zoo: Zoo, here: Path) -> None:
    assert zoo("data", "show", "digits", "--n", "8") == (0, "written: digits-train.png\n", "")
    with Image.open("digits-train.png") as image:
        assert image.format == "PNG"
    code, out, err = zoo(
        "data", "show", "digits", "--augmentation", "rotation", "--n", "16", "--split", "val",
        "--output", "sheets/turned.png", "--json",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert json.loads(out)["sheet"] == "sheets/turned.png"
    assert Path("sheets/turned.png").exists()


def test_show_takes_a_recipe(zoo: Zoo, here: Path) -> None:
    Path("some.toml").write_text(
        '[dataset]\nname = "digits"\n[architecture]\nname = "linear"\n'
        '[[augmentations]]\nname = "rotation"\ndegrees = 30.0\n'
    )
    assert zoo("data", "show", "some.toml", "--augmented", "--n", "8")[:2] == (
        0,
        "written: some-train-augmented.png\n",
    )
    code, _, err = zoo("data", "show", "none.toml")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("zoo: error: recipe 'none.toml': no such file or folder")
