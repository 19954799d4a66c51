"""digits and MNIST: values, ids, provenance, and every way in which an idx file can be wrong."""

import gzip
import re
import struct

import numpy as np
import pytest
from sklearn.datasets import load_digits
from zoo_basics.datasets import digits, idx, mnist

import zoo

IMAGES = np.arange(3 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
LABELS = np.array([7, 0, 9], np.uint8)


def idx_bytes(array, *, kind=8, dimensions=None, sizes=None):
    header = bytes((0, 0, kind, dimensions or array.ndim))
    return header + struct.pack(f">{array.ndim}I", *(sizes or array.shape)) + array.tobytes()


@pytest.fixture
def root(tmp_path):
    """A tiny MNIST: images gzipped, labels not."""
    for part, count in (("train", 3), ("t10k", 2)):
        images = gzip.compress(idx_bytes(IMAGES[:count]))
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(images)
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS[:count]))
    return tmp_path


def build(root):
    return mnist.build(zoo.DatasetContext(root))


def message(root):
    with pytest.raises(zoo.DataError) as caught:
        build(root)
    text = str(caught.value)
    assert "\\n" not in text
    return text.replace(f"{root}/", "")


def test_digits_are_scikit_learns():
    made = digits.build(zoo.DatasetContext())
    split, bunch = made.splits["all"], load_digits()
    assert list(made.splits) == ["all"]
    assert made.task == zoo.Task.multiclass([str(i) for i in range(10)])
    assert split.images.shape == (1797, 8, 8)
    assert split.images.dtype == np.uint8
    assert (split.images.min(), split.images.max()) == (0, 255)
    assert np.array_equal(np.rint(split.images * (16 / 255)), bunch.images)
    assert np.array_equal(split.labels, bunch.target)
    assert split.labels.dtype == np.int64
    assert (split.ids[0], split.ids[-1]) == ("digits-0000", "digits-1796")
    assert made.provenance.licence == "cc-by-4.0"


def test_mnist_reads_gzipped_and_plain_files(root):
    made = build(root)
    assert sorted(made.splits) == ["test", "train"]
    assert np.array_equal(made.splits["train"].images, IMAGES)
    assert made.splits["train"].labels.tolist() == [7, 0, 9]
    assert made.splits["train"].labels.dtype == np.int64
    assert made.splits["test"].ids == ["test-00000", "test-00001"]
    zoo.check_plugin("basics", {"mnist": root})


def test_mnist_accepts_the_dotted_names_and_judges_gzip_by_content(root):
    (root / "train-labels-idx1-ubyte").rename(root / "train-labels.idx1-ubyte")
    (root / "t10k-images-idx3-ubyte.gz").rename(root / "t10k-images-idx3-ubyte")
    (root / "t10k-labels-idx1-ubyte").rename(root / "t10k-labels-idx1-ubyte.gz")
    assert len(build(root).splits["test"]) == 2


def test_a_folder_of_a_files_name_is_not_the_file(root):
    (root / "t10k-labels-idx1-ubyte").unlink()
    (root / "t10k-labels-idx1-ubyte").mkdir()
    assert "lacks t10k-labels-idx1-ubyte; put" in message(root)


def test_missing_files_are_all_named(root):
    (root / "train-images-idx3-ubyte.gz").unlink()
    (root / "t10k-labels-idx1-ubyte").unlink()
    assert message(root) == (
        f"dataset 'mnist': {str(root)!r} lacks train-images-idx3-ubyte, t10k-labels-idx1-ubyte; "
        f"put the files there, gzipped (.gz) or not"
    )


def test_no_root_and_no_such_root(tmp_path):
    assert message(None) == (
        "dataset 'mnist' needs the folder of its four idx files: give --root FOLDER"
    )
    assert message(tmp_path / "nowhere") == (
        f"dataset 'mnist': root {str(tmp_path / 'nowhere')!r}: no such folder; give the folder of "
        f"its four idx files: --root FOLDER"
    )


LABEL_FAULTS = {
    "empty": (b"", "it has 0 bytes, less than a header"),
    "html": (b"<html>", "it begins with 3c 68 74 6d; an idx file begins with 00 00 08"),
    "floats": (idx_bytes(LABELS, kind=0x0D), "it holds 32-bit floats; expected unsigned bytes"),
    "unknown type": (
        idx_bytes(LABELS, kind=0x07),
        "it holds type 0x07, which idx does not know; expected unsigned bytes",
    ),
    "images": (idx_bytes(IMAGES), "it has 3 dimensions; expected 1: is it another one?"),
    "header cut": (idx_bytes(LABELS)[:6], "it ends within its header"),
    "no labels": (
        idx_bytes(LABELS[:0]),
        "its header says 0; expected sizes above 0",
    ),
    "short": (idx_bytes(LABELS)[:-1], "its body has 2 bytes; its header says 3"),
    "long": (
        idx_bytes(LABELS) + b"\0",
        "its body is longer than the 3 bytes its header says",
    ),
    "huge": (
        idx_bytes(LABELS, sizes=(2**32 - 1,)),
        "its header says 4294967295 bytes; at most 1073741824 are read",
    ),
    "gzip cut": (
        gzip.compress(idx_bytes(LABELS))[:-9],
        "it cannot be read (EOFError: Compressed file ended before the end-of-stream marker was "
        "reached)",
    ),
}


@pytest.mark.parametrize("content, what", LABEL_FAULTS.values(), ids=LABEL_FAULTS)
def test_a_damaged_file_is_named_with_what_is_wrong(root, content, what):
    (root / "train-labels-idx1-ubyte").write_bytes(content)
    assert message(root) == f"idx file 'train-labels-idx1-ubyte': {what}; get the file again"


def test_a_gzip_whose_checksum_or_stream_is_wrong(root):
    content = bytearray(gzip.compress(idx_bytes(IMAGES)))
    path = root / "train-images-idx3-ubyte.gz"
    path.write_bytes(content[:-8] + bytes(8))
    assert "it cannot be read (BadGzipFile: CRC check failed" in message(root)
    path.write_bytes(content[:10] + b"\xff" * 60)
    assert "it cannot be read (error: Error -3" in message(root)


def test_a_hostile_header_allocates_nothing(root, monkeypatch):
    """Just below the limit, with a body of three bytes: no buffer of the size it claims."""
    claimed = idx_bytes(LABELS, sizes=(idx.LARGEST,))
    (root / "train-labels-idx1-ubyte").write_bytes(claimed)
    asked = []

    class Watched:
        def __init__(self, stream):
            self.stream = stream

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.stream.close()

        def read(self, size):
            asked.append(size)
            return self.stream.read(size)

    opened = idx._opened
    monkeypatch.setattr(idx, "_opened", lambda path: Watched(opened(path)))
    assert "its body has 3 bytes; its header says 1073741824" in message(root)
    assert max(asked) <= 1 << 20


def test_images_of_another_size(root):
    (root / "t10k-images-idx3-ubyte.gz").write_bytes(idx_bytes(IMAGES[:, :20]))
    assert message(root) == (
        "idx file 't10k-images-idx3-ubyte.gz': images of 20 x 28 pixels; expected 28 x 28; get "
        "the file again"
    )


def test_unequal_counts_name_both_files(root):
    (root / "train-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS[:2]))
    assert message(root) == (
        "idx files 'train-images-idx3-ubyte.gz' and 'train-labels-idx1-ubyte': 3 images and 2 "
        "labels; get both again, from one place"
    )


def test_labels_outside_the_classes(root):
    (root / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.array([1, 10, 255], np.uint8)))
    assert message(root) == (
        "idx file 'train-labels-idx1-ubyte': 2 labels outside the classes, the first is 10 of "
        "image 1; expected 0 to 9; get the file again"
    )


def test_an_unreadable_file_is_a_data_error(root):
    path = root / "train-labels-idx1-ubyte"
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        assert re.search(r"cannot be read \(PermissionError: ", message(root))
    else:
        pytest.skip("this user reads everything")
    finally:
        path.chmod(0o644)
