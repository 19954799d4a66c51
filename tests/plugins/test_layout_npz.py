"""npz: MedMNIST's arrays or plain ones, and what anybody could put into such a file."""

import io
import struct
import warnings
import zipfile

import numpy as np
import pytest
from layout_files import noise, refused
from zoo_basics.datasets import arrays, npz

import zoo

LABELS = np.array([0, 2, 1, 2], np.uint8)


def build(root, **options):
    return npz.build(zoo.DatasetContext(root), **options)


def save(root, **given):
    np.savez_compressed(root / "data.npz", **given)
    return root


def message(root, **options):
    return refused(npz.build, root, **options)


def medmnist(**changes):
    """Arrays of three splits; a change to None leaves one out."""
    given = {}
    for part, count in (("train", 4), ("val", 3), ("test", 2)):
        given[f"{part}_images"] = noise(count, seed=count)
        given[f"{part}_labels"] = LABELS[:count, None]
    return {name: one for name, one in {**given, **changes}.items() if one is not None}


def test_the_arrays_of_medmnist(tmp_path):
    made = build(save(tmp_path, **medmnist(extra=np.zeros(3))))
    assert made.task == zoo.Task.multiclass(["0", "1", "2"])
    assert list(made.splits) == ["train", "val", "test"]
    train = made.splits["train"]
    assert np.array_equal(train.images, noise(4, seed=4))
    assert (train.labels.tolist(), train.labels.dtype) == ([0, 2, 1, 2], np.int64)
    assert train.ids[1] == "train-00001"
    assert made.notes == {"arrays not used": "extra"}


def test_plain_arrays_in_colour_with_groups_uncompressed_and_in_fortran_order(tmp_path):
    images = np.asfortranarray(np.stack([noise(4, 6)] * 3, axis=-1))
    images[0, 1, 2] = (1, 2, 3)
    groups = np.array(["p1", "p1", "p2", "p\u00fc"])
    np.savez(tmp_path / "mine.npz", images=images, labels=LABELS.astype(">i4"), groups=groups)
    split = build(tmp_path, file="mine.npz", classes=["a", "b", "c"]).splits["all"]
    assert np.array_equal(split.images, images)
    assert split.image(0)[1, 2].tolist() == [1, 2, 3]
    assert split.images.flags.c_contiguous
    assert split.groups == ["p1", "p1", "p2", "p\u00fc"]
    assert split.labels.tolist() == [0, 2, 1, 2]


def test_several_columns_are_several_labels_and_test_may_have_none(tmp_path):
    bits = np.array([[0, 1], [1, 1], [0, 0], [1, 0]])
    given = {"train_images": noise(4), "train_labels": bits, "test_images": noise(2)}
    made = build(save(tmp_path, **given), classes=["edema", "mass"])
    assert made.task == zoo.Task.multilabel(["edema", "mass"])
    assert (made.splits["train"].labels.tolist(), made.splits["test"].labels) == (
        bits.tolist(),
        None,
    )
    assert message(tmp_path, classes=["edema", "mass", "c"]) == (
        "dataset 'npz': dataset.classes has 3 names, 'edema', 'mass', 'c', and there is 2 label "
        "columns; expected a name for each class, in the order of the labels"
    )
    save(tmp_path, **{**given, "train_labels": bits * 2})
    assert message(tmp_path) == (
        "npz file 'data.npz': 'train_labels' of shape (4, 2) holds 0 to 2; several columns are "
        "several labels: expected 0 and 1"
    )


def test_two_classes_need_a_positive_one(tmp_path):
    save(tmp_path, images=noise(4), labels=LABELS > 1)
    assert "dataset.positive) '0' or '1'" in message(tmp_path)
    made = build(tmp_path, classes=["well", "sick"], positive="sick")
    assert made.task == zoo.Task.binary(["well", "sick"], positive="sick")
    assert made.splits["all"].labels.tolist() == [0, 1, 0, 1]


WRONG = {
    "floats": (
        medmnist(train_images=noise(4) / 255),
        "npz file 'data.npz': 'train_images' holds float64; expected uint8: scale to 0 to 255 and "
        "save it again",
    ),
    "volumes": (
        medmnist(train_images=np.zeros((4, 8, 8, 8), np.uint8)),
        "npz file 'data.npz': 'train_images' has the shape (4, 8, 8, 8); expected (N, H, W), "
        "(N, H, W, 1) or (N, H, W, 3)",
    ),
    "fewer labels": (
        medmnist(val_labels=LABELS[:2]),
        "npz file 'data.npz': 'val_images' has 3 images and 'val_labels' 2 labels; expected one "
        "each",
    ),
    "fewer groups": (
        medmnist(val_groups=LABELS[:1]),
        "npz file 'data.npz': 'val_images' has 3 images and 'val_groups' 1 groups; expected one "
        "each",
    ),
    "no labels": (
        medmnist(val_labels=None),
        "npz file 'data.npz': it lacks the array 'val_labels'; only test labels may be missing",
    ),
    "other names": (
        {"x_train": noise(4), "y_train": LABELS},
        "npz file 'data.npz': its arrays are 'x_train', 'y_train'; expected 'train_images' and "
        "'train_labels' (likewise val, test), or 'images' and 'labels'",
    ),
    "val twice": (
        medmnist(valid_images=noise(3)),
        "npz file 'data.npz': 'val_images' and 'valid_images' would both be of 'val'",
    ),
    "float labels": (
        medmnist(train_labels=LABELS / 2),
        "npz file 'data.npz': 'train_labels' holds float64 of shape (4,); expected whole numbers "
        "(N,), (N, 1) or (N, K)",
    ),
    "below 0": (
        medmnist(train_labels=LABELS.astype(int) - 1),
        "dataset 'npz': a label is below 0; expected class numbers from 0 on",
    ),
    "no class numbers": (
        medmnist(train_labels=LABELS.astype(int) + 10**9),
        "dataset 'npz': a label is 1000000002; is it no class number? name the classes in "
        "dataset.classes",
    ),
    "beyond 63 bits": (
        medmnist(train_labels=np.full(4, 2**64 - 1, np.uint64)),
        "npz file 'data.npz': 'train_labels' holds 18446744073709551615; expected class numbers",
    ),
    "only in test": (
        medmnist(test_labels=np.array([0, 3])),
        "dataset 'npz': class '3' has 1 images in 'test' and none in 'train', so it cannot be "
        "learned; add some there, or take them out",
    ),
    "columns differ": (
        medmnist(val_labels=np.eye(3, dtype=int)),
        "npz file 'data.npz': labels have differing numbers of columns: train 1, val 3, test 1; "
        "expected the same",
    ),
}


@pytest.mark.parametrize("given, what", WRONG.values(), ids=WRONG)
def test_wrong_arrays(tmp_path, given, what):
    assert message(save(tmp_path, **given)) == what


def test_too_few_or_equal_class_names(tmp_path):
    save(tmp_path, **medmnist())
    assert message(tmp_path, classes=["a", "b"]) == (
        "dataset 'npz': dataset.classes has 2 names, 'a', 'b', and there is a label 2; expected a "
        "name for each class, in the order of the labels"
    )
    assert message(tmp_path, classes=["a", "b", "a"]) == (
        "dataset 'npz': classes 'a', 'b', 'a': a name stands twice"
    )


def header(descr, shape):
    stream = io.BytesIO()
    described = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, described)
    return stream.getvalue()


def zipped(root, **members):
    with zipfile.ZipFile(root / "data.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return root


def test_pickles_are_refused_unread(tmp_path):
    labels = np.array([{}, 1, 2, 3], object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save(tmp_path, images=noise(4), labels=labels)
    assert message(tmp_path) == (
        "npz file 'data.npz': array 'labels' holds object of shape (4,); expected numbers or "
        "names, no Python objects"
    )


HOSTILE = {
    "claims more": (
        header("|u1", (1 << 40,)) + b"123",
        "array 'images' has 3 bytes; its header says 1099511627776; get the file again",
    ),
    "negative": (
        header("|u1", (-2, -2)) + b"1234",
        "array 'images' holds uint8 of shape (-2, -2); expected numbers or names, no Python "
        "objects",
    ),
    "records": (
        header([("a", "|u1")], (3,)) + b"123",
        "array 'images' holds [('a', 'u1')] of shape (3,); expected numbers or names, no Python "
        "objects",
    ),
    "no array": (
        b"<html>",
        "array 'images' cannot be read (ValueError: EOF: reading magic string, expected 8 bytes "
        "got 6)",
    ),
    "format 9": (
        b"\x93NUMPY\x09\x00" + struct.pack("<I", 4) + b"{}  ",
        "array 'images' cannot be read (ValueError: array format 9.0 is unknown)",
    ),
}


@pytest.mark.parametrize("content, what", HOSTILE.values(), ids=HOSTILE)
def test_hostile_members(tmp_path, content, what):
    zipped(tmp_path, images=content, labels=header("|u1", (3,)) + b"012")
    assert message(tmp_path) == f"npz file 'data.npz': {what}"


def test_a_header_with_code_in_it_is_not_run(tmp_path):
    text = b"__import__('os').system('touch /nowhere')\n"
    zipped(tmp_path, images=b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text, labels=b"")
    assert "array 'images' cannot be read (ValueError: " in message(tmp_path)


def test_what_a_lying_archive_claims_is_not_allocated(tmp_path, monkeypatch):
    """Header and archive agree on 60 GB; the compressed bytes could never hold it."""
    size = 60_000_000_000
    start = header("|u1", (size // 64, 8, 8))
    zipped(tmp_path, images=start + b"1234", labels=header("|u1", (3,)) + b"012")
    original = zipfile.ZipFile.infolist

    def lying(self):
        infos = original(self)
        infos[0].file_size = len(start) + size
        return infos

    monkeypatch.setattr(zipfile.ZipFile, "infolist", lying)
    asked = []
    monkeypatch.setattr(arrays.np, "empty", lambda *given: asked.append(given))
    assert f"array 'images' claims {size} bytes out of " in message(tmp_path)
    assert asked == []


def test_an_array_beyond_the_limit(tmp_path, monkeypatch):
    save(tmp_path, **medmnist())
    monkeypatch.setattr(arrays, "LARGEST", 255)
    assert message(tmp_path) == (
        "npz file 'data.npz': array 'train_images' has 256 bytes; at most 255 are read"
    )


def test_damaged_archives(tmp_path):
    assert message(tmp_path) == (
        "dataset 'npz': file 'data.npz': no such file in 'ROOT'; put it there, or set dataset.file"
    )
    path = tmp_path / "data.npz"
    path.write_text("<html>")
    assert message(tmp_path) == (
        "npz file 'data.npz': it is no npz file (BadZipFile: File is not a zip file)"
    )
    np.savez(path, images=noise(4), labels=LABELS)
    content = bytearray(path.read_bytes())
    content[250] ^= 1  # a pixel of the first member, kept as it is
    path.write_bytes(content)
    assert "array 'images' cannot be read (BadZipFile: Bad CRC-32" in message(tmp_path)
    path.write_bytes(content[:-100])
    assert "it is no npz file (BadZipFile: " in message(tmp_path)


def test_two_members_of_one_name(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(tmp_path / "data.npz", "w") as file:
            file.writestr("images.npy", b"")
            file.writestr("images.npy", b"")
    assert message(tmp_path) == ("npz file 'data.npz': it has too many arrays, or two of one name")
