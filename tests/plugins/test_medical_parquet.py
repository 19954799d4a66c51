"""Chest X-rays as Hugging Face's parquet files, with pyarrow and without."""

from __future__ import annotations

import io
import os
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from zoo_medical import parquet

import zoo
from zoo.data import caching
from zoo.data.datasets import check_dataset
from zoo.data.fitting import Form
from zoo.data.tiers import Keeping, open_split
from zoo.plugins.catalog import catalog

NAMES = {
    "train": ["IM-0115-0001.jpeg", "person1_bacteria_1.jpeg", "person1_bacteria_2.jpeg"],
    "validation": ["NORMAL2-IM-1427-0001.jpeg", "person1946_bacteria_4874.jpeg"],
    "test": ["IM-0001-0001.jpeg", "person100_bacteria_475.jpeg"],
}


def encoded(value):
    stream = io.BytesIO()
    Image.fromarray(np.full((6, 4), value, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def write(path, labels, names=None, **more):
    pyarrow = pytest.importorskip("pyarrow")
    tables = pytest.importorskip("pyarrow.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [
        {"bytes": encoded(40 * i), "path": None if names is None else names[i]}
        for i in range(len(labels))
    ]
    table = pyarrow.table({"image": images, "label": labels, **more})
    tables.write_table(table, path, row_group_size=2)


@pytest.fixture(params=[".", "data"])
def root(request, tmp_path: Path) -> Path:
    for split, names in NAMES.items():
        labels = [int("person" in name) for name in names]
        write(tmp_path / request.param / f"{split}-00000-of-00001.parquet", labels, names)
    return tmp_path


def build(root):
    dataset = catalog().get("dataset", "chest_xray").build(zoo.DatasetContext(root))
    check_dataset("chest_xray", dataset)
    return dataset


def refusal(root):
    with pytest.raises(zoo.DataError) as caught:
        build(root)
    return str(caught.value)


def test_labels_names_and_images(root):
    dataset = build(root)
    assert set(dataset.splits) == {"train", "val", "test"}
    train = dataset.splits["train"]
    assert train.labels.tolist() == [0, 1, 1]
    assert list(train.ids) == [f"train/{name}" for name in NAMES["train"]]
    assert list(train.groups) == ["IM-0115", "person1_bacteria", "person1_bacteria"]
    assert [np.asarray(train.image(i))[0, 0] for i in (2, 0, 1)] == [80, 0, 40]


def test_images_are_read_from_threads_and_other_processes_too(root):
    train = pickle.loads(pickle.dumps(build(root).splits["train"]))
    with ThreadPoolExecutor(4) as pool:
        first = pool.map(lambda i: np.asarray(train.image(i % 3))[0, 0], range(60))
    assert list(first) == [0, 40, 80] * 20


def test_several_files_and_no_names(tmp_path):
    write(tmp_path / "train-00000-of-00002.parquet", [0, 1, 0])
    write(tmp_path / "train-00001-of-00002.parquet", [1, 1])
    train = build(tmp_path).splits["train"]
    assert train.labels.tolist() == [0, 1, 0, 1, 1]
    assert list(train.ids) == [f"train/00000{i}" for i in range(5)]
    assert len(set(train.groups)) == 5


def test_wrong_tables(tmp_path):
    path = tmp_path / "train-00000-of-00001.parquet"
    write(path, [0, 2, -1])
    assert refusal(tmp_path) == (
        "dataset 'chest_xray', split 'train': 2 labels outside the classes, the first is 2; "
        "expected 0 to 1"
    )
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table({"picture": [1]}), path)
    assert refusal(tmp_path) == (
        f"parquet file {str(path)!r} has the columns picture; expected 'image' and 'label'"
    )
    path.write_bytes(b"PAR1 not at all PAR1")
    said = refusal(tmp_path)
    assert said.startswith(f"parquet file {str(path)!r} cannot be read: ")
    assert said.endswith("; get the file again")


def test_without_pyarrow_it_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "train-00000-of-00001.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert refusal(tmp_path) == (
        f"parquet file {str(path)!r} needs pyarrow: pip install 'zoo-medical[parquet]'"
    )


def test_what_was_decoded_is_kept_until_the_table_changes(root, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    dataset = build(root)
    split = dataset.splits["train"]
    first = open_split(split, Form(1), dataset.task, "train", Keeping())
    assert len(caching.stores()) == 1
    again = open_split(split, Form(1), dataset.task, "train", Keeping())
    assert len(caching.stores()) == 1 and again.fingerprint() == first.fingerprint()
    (path,) = {path for path, _, _ in split.places}
    os.utime(path, ns=(1, 1))
    open_split(split, Form(1), dataset.task, "train", Keeping())
    assert len(caching.stores()) == 2


def test_row_groups_have_a_limit(tmp_path, monkeypatch):
    path = tmp_path / "train-00000-of-00001.parquet"
    write(path, [0, 1, 0])
    file = pytest.importorskip("pyarrow.parquet").ParquetFile(path)
    first, second = (file.metadata.row_group(group).total_byte_size for group in range(2))
    assert second < first  # of two rows, and of one
    monkeypatch.setattr(parquet, "LARGEST", first - 1)
    assert refusal(tmp_path) == (
        f"parquet file {str(path)!r}: row group 0 has {first} bytes; at most {first - 1} are read "
        f"at once; write it in smaller row groups"
    )
    monkeypatch.setattr(parquet, "LARGEST", first)
    assert len(build(tmp_path).splits["train"]) == 3


def test_a_file_that_was_replaced_is_read_anew(tmp_path):
    path = tmp_path / "train-00000-of-00001.parquet"
    write(path, [0, 1])
    train = build(tmp_path).splits["train"]
    assert np.asarray(train.image(1))[0, 0] == 40
    write(path, [1, 0, 1], more=["x", "y", "z"])
    again = build(tmp_path).splits["train"]
    assert again.labels.tolist() == [1, 0, 1]
    assert np.asarray(again.image(2))[0, 0] == 80
