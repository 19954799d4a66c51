"""parquet: Hugging Face's files, labels at once, images a row group at a time."""

import copy
import io
import json
import sys
import threading

import numpy as np
import pytest
from layout_files import refused
from PIL import Image
from zoo_basics.datasets import parquet, parquet_split

import zoo
from zoo.data.datasets import place_of

pyarrow = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

NAMES = ["cat", "dog", "elk"]


def png(value):
    stream = io.BytesIO()
    Image.new("L", (6, 4), value).save(stream, "PNG")
    return stream.getvalue()


def write(path, labels, *, first=0, struct=True, names=None, rows=2, **columns):
    """One image a label, of the grays ``first``, ``first + 1``, ...; ``rows`` a row group."""
    path.parent.mkdir(parents=True, exist_ok=True)
    contents = [png(first + i) for i in range(len(labels))]
    images = [{"bytes": one, "path": f"{i}.png"} for i, one in enumerate(contents)]
    given = {"image": images if struct else contents, "label": labels, **columns}
    table = pyarrow.table({name: one for name, one in given.items() if one is not None})
    if names:
        features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
        about = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": about})
    pq.write_table(table, path, row_group_size=rows)
    return path


@pytest.fixture
def root(tmp_path):
    """Two shards of train, and the others, with class names in the metadata."""
    for name, labels, first in (
        ("train-00000-of-00002", [0, 1, 2], 0),
        ("train-00001-of-00002", [2, 1], 3),
        ("validation-00000-of-00001", [0, 2], 10),
        ("test-00000-of-00001", [-1, -1], 20),
    ):
        write(tmp_path / f"data/{name}.parquet", labels, first=first, names=NAMES)
    return tmp_path


def build(root, **options):
    return parquet.build(zoo.DatasetContext(root), **options)


def message(root, **options):
    return refused(parquet.build, root, **options)


def gray(split, index):
    return np.asarray(split.image(index))[0, 0]


def test_the_files_of_hugging_face(root):
    made = build(root)
    assert made.task == zoo.Task.multiclass(NAMES)
    train = made.splits["train"]
    assert (train.labels.tolist(), train.labels.dtype) == ([0, 1, 2, 2, 1], np.int64)
    assert train.ids[3] == "train-00003"
    assert [gray(train, i) for i in (4, 0, 2, 3, 1)] == [4, 0, 2, 3, 1]
    assert train.image(0).size == (6, 4)
    assert [gray(made.splits["val"], i) for i in range(2)] == [10, 11]
    assert (len(made.splits["test"]), made.splits["test"].labels) == (2, None)
    with pytest.raises(IndexError):
        train.image(5)


def test_each_image_has_a_place_of_its_own(root):
    train = build(root).splits["train"]
    places = [place_of(train, index) for index in range(5)]
    assert len(set(places)) == 5
    assert [path.name[:11] for path, _ in places] == ["train-00000"] * 3 + ["train-00001"] * 2
    assert places[1][1] == "row 1 of group 0, image"


def test_one_file_of_plain_bytes_named_labels_and_groups(tmp_path):
    write(tmp_path / "mine.parquet", ["b", "a", "c"], struct=False, patient=[7, 7, 8])
    split = build(tmp_path, group="patient").splits["all"]
    assert build(tmp_path).task == zoo.Task.multiclass(["a", "b", "c"])
    assert (split.labels.tolist(), split.groups) == ([1, 0, 2], ["7", "7", "8"])
    assert gray(split, 2) == 2
    assert build(tmp_path, classes=["c", "b", "a"]).splits["all"].labels.tolist() == [1, 2, 0]
    assert message(tmp_path, classes=["a", "b"]) == (
        "dataset 'parquet': label 'c' is not in dataset.classes; add it there"
    )


def test_labels_may_be_missing_in_all_of_test_only(tmp_path):
    write(tmp_path / "train.parquet", ["a", "b", "c"])
    write(tmp_path / "test.parquet", pyarrow.array([None, None], "string"))
    assert build(tmp_path).splits["test"].labels is None
    write(tmp_path / "test.parquet", ["a", None])
    assert message(tmp_path) == (
        "dataset 'parquet': 1 samples of 'test' have no label; only 'test' may be without labels, "
        "and then all of it"
    )
    write(tmp_path / "train.parquet", [0, 1, -1])
    write(tmp_path / "test.parquet", [0])
    assert "1 samples of 'train' have no label" in message(tmp_path)


def test_two_classes_need_a_positive_one(tmp_path):
    write(tmp_path / "train.parquet", [0, 1], names=["NORMAL", "PNEUMONIA"])
    assert "dataset.positive) 'NORMAL' or 'PNEUMONIA'" in message(tmp_path)
    task = build(tmp_path, positive="PNEUMONIA").task
    assert task == zoo.Task.binary(["NORMAL", "PNEUMONIA"], positive="PNEUMONIA")


@pytest.fixture
def read(monkeypatch):
    """The row groups read, in order."""
    groups = []
    original = parquet_split._images

    def noted(path, file, number, column):
        groups.append((path.name[:11], number))
        return original(path, file, number, column)

    monkeypatch.setattr(parquet_split, "_images", noted)
    return groups


def test_nothing_is_read_before_it_is_asked_for_and_in_order_once(root, read):
    train = build(root).splits["train"]
    assert read == []
    for i in range(5):
        train.image(i)
    assert read == [("train-00000", 0), ("train-00000", 1), ("train-00001", 0)]


def test_only_so_much_is_kept(root, read, monkeypatch):
    monkeypatch.setattr(parquet_split, "_KEPT", 1)
    train = build(root).splits["train"]
    for i in (0, 1, 4, 0):
        train.image(i)
    assert read == [("train-00000", 0), ("train-00001", 0), ("train-00000", 0)]


def test_many_threads_at_once_and_copies_for_other_processes(root):
    train = copy.deepcopy(build(root).splits["train"])
    found, failed = [], []

    def ask(start):
        try:
            found.extend((i, int(gray(train, i))) for k in range(20) for i in [(start + k) % 5])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(found) == 80 and all(i == value for i, value in found)


def test_empty_row_groups_and_files_are_passed_over(tmp_path):
    table = pq.read_table(write(tmp_path / "a.parquet", [0, 1, 2]))
    with pq.ParquetWriter(tmp_path / "a.parquet", table.schema) as writer:
        for part in (table[:0], table[:1], table[:0], table[1:]):
            writer.write_table(part)
    split = build(tmp_path).splits["all"]
    assert [gray(split, i) for i in range(3)] == [0, 1, 2]


def test_without_pyarrow(root, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert message(root) == (
        "dataset 'parquet' needs pyarrow; install it with: pip install 'zoo-basics[parquet]'"
    )


def test_files_that_are_missing_or_not_of_the_layout(root, tmp_path):
    (root / "data/train-00000-of-00002.parquet").unlink()
    assert message(root) == (
        "dataset 'parquet': the files of 'train' are numbered 1 of 2; expected each of 0 to 1 "
        "once; get the missing ones"
    )
    (root / "data/train-00001-of-00002.parquet").unlink()
    assert message(root) == (
        "dataset 'parquet': 'ROOT/data' has files of test, val and none of 'train'; add "
        "'train-*.parquet'"
    )
    write(root / "data/mine.parquet", [0])
    assert message(root) == (
        "dataset 'parquet': 'mine.parquet' lies beside files of splits; expected names like "
        "'train-00000-of-00001.parquet'; rename it, or move it away"
    )
    (tmp_path / "none").mkdir()
    assert message(root, folder="none") == (
        "dataset 'parquet': no .parquet files in 'ROOT/none'; put them there, or set dataset.folder"
    )
    assert message(root, folder="../x") == (
        "dataset 'parquet': folder '../x': expected a folder's path below the root, 'ROOT'"
    )


def test_shards_of_different_kinds(root):
    write(root / "data/train-00001-of-00002.parquet", ["cat", "dog"])
    assert message(root) == (
        "parquet files 'train-00000-of-00002.parquet' and 'train-00001-of-00002.parquet' have "
        "labels of different kinds or classes; get both from one place"
    )


COLUMNS = {
    "no image": (
        {"image": None},
        {},
        "no column 'image'; it has 'label'; name the right one in dataset.image",
    ),
    "no label": (
        {},
        {"label": "dx"},
        "no column 'dx'; it has 'image', 'label'; name the right one in dataset.label",
    ),
    "image of text": (
        {"image": ["x", "y", "z"]},
        {},
        "column 'image' holds string; expected bytes, or a struct that has bytes",
    ),
    "label of floats": (
        {"label": [0.0, 1.0, 2.0]},
        {},
        "column 'label' holds double; expected class numbers or names",
    ),
    "empty group": (
        {"patient": [1, None, 2]},
        {"group": "patient"},
        "group column 'patient' is empty in row 1",
    ),
}


@pytest.mark.parametrize("columns, options, what", COLUMNS.values(), ids=COLUMNS)
def test_wrong_columns(tmp_path, columns, options, what):
    labels = columns.pop("label", [0, 1, 2]) if "label" in columns else [0, 1, 2]
    write(tmp_path / "a.parquet", labels, **columns)
    assert message(tmp_path, **options) == f"parquet file 'a.parquet': {what}"


def test_no_rows_and_no_parquet(tmp_path):
    write(tmp_path / "a.parquet", pyarrow.array([], "int64"), image=pyarrow.array([], "binary"))
    assert message(tmp_path) == "parquet file 'a.parquet': it has no rows; take it away"
    (tmp_path / "a.parquet").write_bytes(b"<html>")
    assert "parquet file 'a.parquet': it cannot be read (ArrowInvalid: " in message(tmp_path)


def test_a_row_without_an_image_and_one_that_cannot_be_decoded(tmp_path):
    contents = [png(0), None, b"<html>"]
    write(tmp_path / "a.parquet", [0, 1, 2], image=contents)
    split = build(tmp_path).splits["all"]
    assert gray(split, 0) == 0
    with pytest.raises(zoo.DataError) as caught:
        split.image(1)
    assert str(caught.value) == "parquet file 'a.parquet': sample 'all-00001' has no image bytes"
    with pytest.raises(zoo.DataError, match=r"image 'a\.parquet: all-00002' cannot be decoded"):
        split.image(2)


def test_a_row_group_too_large_is_not_read(tmp_path, monkeypatch):
    write(tmp_path / "a.parquet", [0, 1, 2], rows=3)
    monkeypatch.setattr(parquet_split, "_LARGEST", 100)
    with pytest.raises(zoo.DataError, match="at most 100 are read at once; write it again with"):
        build(tmp_path).splits["all"].image(0)


@pytest.mark.parametrize("metadata", [b"", b"[]", b'{"info": 3}', b"[" * 100_000])
def test_strange_metadata_names_no_classes(tmp_path, metadata):
    table = pq.read_table(write(tmp_path / "a.parquet", [0, 1, 2]))
    pq.write_table(table.replace_schema_metadata({"huggingface": metadata}), tmp_path / "a.parquet")
    assert build(tmp_path).task.classes == ("0", "1", "2")
