"""npz files of wrong shapes, that lie, that swell, or are damaged."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from medmnist_files import refusal, write

PIXELS = np.zeros((12, 28, 28), np.uint8)
LABELS = np.zeros((12, 1), np.uint8)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (
            {"train_images": PIXELS.astype(np.uint16)},
            "train_images holds uint16 of shape (12, 28, 28); expected uint8 of N x 28 x 28",
        ),
        (
            {"train_images": PIXELS[:, :27]},
            "train_images holds uint8 of shape (12, 27, 28); expected uint8 of N x 28 x 28",
        ),
        (
            {"train_images": PIXELS.astype(np.float32)},
            "train_images holds float32 of shape (12, 28, 28); expected integers, in C order",
        ),
        ({"train_labels": LABELS[:, 0]}, "train_labels has the shape (12,); expected (12, 1)"),
        ({"train_labels": LABELS[:11]}, "train_labels has the shape (11, 1); expected (12, 1)"),
        (
            {"train_labels": LABELS + 2},
            "train_labels holds labels from 2 to 2; expected 0 to 1",
        ),
        (
            {"train_labels": np.array([["a"]] * 12, dtype=object)},
            "train_labels holds object of shape (12, 1); expected integers, in C order",
        ),
        (
            {"train_images": PIXELS[:0]},
            "train_images holds uint8 of shape (0, 28, 28); expected integers, in C order",
        ),
    ],
)
def test_wrong_shapes_and_types_are_errors(tmp_path, changed, what):
    path = write(tmp_path, "breastmnist", **changed)
    assert refusal(tmp_path) == f"npz file {str(path)!r}: {what}; get the file again"


def repacked(path, member, contents, compression=zipfile.ZIP_DEFLATED):
    """Replace one member of the zip."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in {**members, member: contents}.items():
            archive.writestr(name, data)


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_a_member_is_held_against_its_limit_before_memory_is_taken(tmp_path):
    """11 MB of zeros in 11 kB: fine for a bomb, too much for 780 images."""
    path = write(tmp_path, "breastmnist")
    bomb = npy(np.zeros((14_000, 28, 28), np.uint8))
    repacked(path, "train_images.npy", bomb)
    assert path.stat().st_size < 60_000
    most = 2 * 546 * 28 * 28 + (1 << 16)
    assert refusal(tmp_path) == (
        f"npz file {str(path)!r}: train_images has {len(bomb)} bytes; at most {most} are read; "
        f"get the file again"
    )


def test_a_header_that_lies_is_not_believed(tmp_path):
    path = write(tmp_path, "breastmnist")
    lying = npy(PIXELS).replace(b"(12, 28, 28)", b"(99, 28, 28)")
    repacked(path, "train_images.npy", lying)
    assert refusal(tmp_path) == (
        f"npz file {str(path)!r}: train_images has 9408 bytes of values; its header says 77616; "
        f"get the file again"
    )
    repacked(path, "train_images.npy", npy(PIXELS).replace(b"(12, 28, 28)", b"(-2,-28, 28)"))
    assert "shape (-2, -28, 28)" in refusal(tmp_path)


def test_damaged_files_are_named(tmp_path):
    path = write(tmp_path, "breastmnist")
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert refusal(tmp_path).startswith(f"npz file {str(path)!r}: it cannot be read (BadZipFile: ")
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :])
    assert refusal(tmp_path).startswith(f"npz file {str(path)!r}: it cannot be read (")
    path.write_bytes(whole)
    repacked(path, "val_labels.npy", b"not an array")
    assert "val_labels is no npy array (the magic string is not correct" in refusal(tmp_path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train_images.npy", npy(PIXELS))
    assert refusal(tmp_path) == (
        f"npz file {str(path)!r}: it lacks train_labels, val_images, val_labels, test_images, "
        f"test_labels; get the file again"
    )
