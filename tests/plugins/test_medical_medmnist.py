"""MedMNIST: every set in every size, from files of the published layout, and the wrong ones."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from medmnist_files import MD5, SMALL, arrays_of, build, refusal, write
from zoo_medical import _MEDMNIST, medmnist

import zoo
from zoo.data.datasets import check_dataset
from zoo.errors import ComponentError
from zoo.plugins.catalog import catalog


@pytest.fixture
def published(monkeypatch):
    """``published(name, size, path)``: from now on that file is the published one."""
    changed = dict(medmnist.table())
    monkeypatch.setattr(medmnist, "table", lambda: changed)

    def set_to(name, size, path):
        facts = {**medmnist.table()[name], "samples": list(SMALL.values())}
        facts["md5"] = {**MD5, str(size): hashlib.md5(path.read_bytes()).hexdigest()}
        medmnist.table()[name] = facts

    return set_to


@pytest.mark.parametrize("name", _MEDMNIST)
def test_every_set_is_read_as_published(tmp_path, published, name):
    published(name, 28, write(tmp_path, name))
    dataset = build(tmp_path, name)
    check_dataset(name, dataset)
    assert {split: len(one) for split, one in dataset.splits.items()} == SMALL
    written = arrays_of(name)
    for split, one in dataset.splits.items():
        assert np.array_equal(one.image(1), written[f"{split}_images"][1])
        labels = written[f"{split}_labels"]
        assert np.array_equal(one.labels, labels if labels.shape[1] > 1 else labels[:, 0])
    assert "md5" not in dataset.notes


@pytest.mark.parametrize("size", [64, 128, 224])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_larger_sizes_have_files_of_their_own(tmp_path, published, size, save):
    path = write(tmp_path, "pneumoniamnist", size, save)
    assert path.name == f"pneumoniamnist_{size}.npz"
    published("pneumoniamnist", size, path)
    assert build(tmp_path, "pneumoniamnist", size=size).splits["test"].image(0).shape == (
        size,
        size,
    )


def test_the_table_is_whole():
    assert sorted(medmnist.table()) == sorted(_MEDMNIST)
    digests = []
    for name, facts in medmnist.table().items():
        assert facts["task"] in ("binary", "multiclass", "multilabel"), name
        assert facts["channels"] in (1, 3)
        assert len(facts["samples"]) == 3
        assert facts["licence"] == ("cc-by-nc-4.0" if name == "dermamnist" else "cc-by-4.0")
        assert ("positive" in facts) == (facts["task"] == "binary")
        assert set(facts["md5"]) == {"28", "64", "128", "224"}
        digests += facts["md5"].values()
    assert len(set(digests)) == 48
    assert all(re.fullmatch("[0-9a-f]{32}", digest) for digest in digests)
    # 708,069 in the paper; 107 fewer since the organ sets were corrected (version 3.0)
    assert sum(sum(facts["samples"]) for facts in medmnist.table().values()) == 707_962


def test_tasks_and_positive_classes(tmp_path, published):
    for name in ("breastmnist", "pneumoniamnist", "chestmnist", "retinamnist"):
        published(name, 28, write(tmp_path, name))
    assert build(tmp_path, "breastmnist").task.positive == "malignant"
    assert build(tmp_path, "breastmnist").task.positive_index == 0
    assert build(tmp_path, "pneumoniamnist").task.positive == "pneumonia"
    assert build(tmp_path, "pneumoniamnist", positive="normal").task.positive == "normal"
    assert len(build(tmp_path, "chestmnist").task.classes) == 14
    assert build(tmp_path, "chestmnist").task.kind == "multilabel"
    retina = build(tmp_path, "retinamnist")
    assert retina.task.kind == "multiclass"
    assert "ordered" in retina.notes["task"]
    assert refusal(tmp_path, "breastmnist", positive="benign") == (
        "dataset 'medmnist/breastmnist': positive 'benign': expected one of 'malignant', "
        "'normal, benign'"
    )
    assert refusal(tmp_path, "chestmnist", positive="mass") == (
        "dataset 'medmnist/chestmnist': positive 'mass': only a set of two classes has one"
    )


def test_a_file_that_is_not_the_published_one_is_taken_and_told(tmp_path):
    path = write(tmp_path, "breastmnist")
    digest = hashlib.md5(path.read_bytes()).hexdigest()
    with pytest.warns(zoo.ZooWarning) as caught:
        dataset = build(tmp_path)
    assert dataset.notes == {
        "counts": "breastmnist.npz has 12 train, 4 val, 5 test samples; published are 546 train, "
        "78 val, 156 test",
        "md5": f"breastmnist.npz has the md5 {digest}; published is "
        f"750601b1f35ba3300ea97c75c52ff8f6",
    }
    assert [str(one.message) for one in caught] == [
        f"dataset 'medmnist/breastmnist': {note}" for note in dataset.notes.values()
    ]


def test_a_file_too_large_to_hash_each_time_says_so(tmp_path, published, monkeypatch):
    published("breastmnist", 28, write(tmp_path, "breastmnist"))
    monkeypatch.setattr(medmnist, "HASHED", 10)
    assert build(tmp_path).notes["md5"].startswith("not compared, the file is large")


def test_more_than_the_machines_memory_is_refused_before_reading(tmp_path, monkeypatch):
    write(tmp_path, "pathmnist", 224)
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 1_000_000}.get)
    assert refusal(tmp_path, "pathmnist", size=224) == (
        "dataset 'medmnist/pathmnist' of 224 pixels takes 16.1 GB of memory; this machine has 1.0 "
        "GB; take a smaller size: --set dataset.size=64"
    )


def test_missing_files_say_how_to_get_them(tmp_path):
    assert refusal(None) == (
        "dataset 'medmnist/breastmnist' needs the folder of breastmnist.npz: give --root FOLDER; "
        "get it with: zoo data get medmnist/breastmnist --root FOLDER"
    )
    assert refusal(tmp_path, size=64) == (
        f"dataset 'medmnist/breastmnist': {str(tmp_path)!r} lacks breastmnist_64.npz; get it with: "
        f"zoo data get medmnist/breastmnist --set dataset.size=64 --root {str(tmp_path)!r}"
    )
    with pytest.raises(ComponentError, match=r"size: 32: expected 28 \| 64 \| 128 \| 224"):
        build(tmp_path, size=32)


def test_the_files_to_fetch():
    (file,) = (
        catalog()
        .get("dataset", "medmnist/pathmnist")
        .fetch(zoo.DatasetContext(Path("x")), {"size": 64})
    )
    assert file.url == "https://zenodo.org/records/10519652/files/pathmnist_64.npz?download=1"
    assert file.path == "pathmnist_64.npz"
    assert file.md5 == "55aa9c1e0525abe5a6b9d8343a507616"
    assert file.largest > 107_180 * 64 * 64 * 3
    assert not file.http


def test_the_contract(tmp_path, published):
    roots = {}
    for name in ("breastmnist", "chestmnist"):
        published(name, 28, write(tmp_path, name))
        roots[f"medmnist/{name}"] = tmp_path
    checked = {one.name: one.note for one in zoo.check_plugin("zoo-medical", roots)}
    assert checked["medmnist/breastmnist"] == checked["medmnist/chestmnist"] == ""
    # the first of the family, by name, is tried without a folder as well
    assert checked["medmnist/bloodmnist"].startswith("not built: it needs files")


def test_listing_imports_nothing_heavy():
    code = (
        "import sys, zoo_medical\n"
        "assert len(zoo_medical.register_datasets()) == 4\n"
        "print([name for name in ('torch', 'numpy', 'pyarrow', 'PIL') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.skipif("ZOO_TEST_DATA" not in os.environ, reason="ZOO_TEST_DATA names real data")
def test_the_real_pneumoniamnist():
    """Another order than the published file, so its md5 is another."""
    with pytest.warns(zoo.ZooWarning, match="has the md5"):
        dataset = build(Path(os.environ["ZOO_TEST_DATA"]) / "pneumoniamnist", "pneumoniamnist")
    counts = {name: np.bincount(one.labels).tolist() for name, one in dataset.splits.items()}
    assert counts == {"train": [1214, 3494], "val": [135, 389], "test": [234, 390]}
    assert set(dataset.notes) == {"md5"}
