"""Files that are no usable images: each is found, as what it is; a clean set has no findings."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from audit_sets import THREE, Splits, encoded, folder_splits, kinds, report_on, scene
from PIL import Image

import zoo
from zoo.data.audit import files as file_faults


@pytest.fixture
def plain(tmp_path: Path) -> Splits:
    return folder_splits(tmp_path, {"train": 9, "val": 6, "test": 6})


def test_a_clean_set_has_no_findings(plain):
    report = report_on(THREE, plain)
    assert report.findings == []
    assert report.summary["splits"]["train"] == {
        "samples": 9,
        "labelled": True,
        "groups": 9,
        "class_counts": {"cat": 3, "dog": 3, "owl": 3},
        "decoded": 9,
        "sizes": {"48x48": 9},
        "modes": {"RGB": 9},
    }


# What a file may hold that is no usable image: name -> (bytes, the kind it must be found as).
def gif() -> bytes:
    stream = io.BytesIO()
    frames = [Image.fromarray(scene(one)) for one in (900, 901)]
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    return stream.getvalue()


def floats() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)).save(
        stream, "TIFF"
    )
    return stream.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it has so many pixels, and holds none of them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


JPEG, PNG = encoded(scene(500), "JPEG"), encoded(scene(501))
BROKEN = {
    "empty": (b"", "empty_file"),
    "html": (b"<!DOCTYPE html>\n<html><body>404</body></html>", "not_an_image"),
    "html, late": (b"\xef\xbb\xbf  \r\n<HTML lang=en>", "not_an_image"),
    "xhtml": (b'<?xml version="1.0"?><html xmlns="x">', "not_an_image"),
    "half a jpeg": (JPEG[: len(JPEG) // 2], "truncated"),
    "a jpeg but for its end": (JPEG[:-40], "truncated"),
    "half a png": (PNG[: len(PNG) // 2], "truncated"),
    "words": (b"no picture at all, but words", "undecodable"),
    "zeros": (bytes(5000), "undecodable"),
    "png of a broken header": (b"\x89PNG\r\n\x1a\n" + b"\xff" * 40, "undecodable"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "undecodable"),
    "bomb": (bomb(40_000, 40_000), "oversized"),
    "bomb, less than twice too large": (bomb(12_000, 10_000), "oversized"),
    "animation": (gif(), "animation"),
    "floats": (floats(), "float_image"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_no_image_is_named_with_its_fault(case, plain):
    content, kind = BROKEN[case]
    plain["val"].paths[2].write_bytes(content)
    report = report_on(THREE, plain)
    assert [(one.kind, one.split, one.ids) for one in report.errors] == [
        (kind, "val", ("val/02.png",))
    ]
    assert report.summary["splits"]["val"]["decoded"] == 5


def test_a_missing_file_and_a_folder_in_its_place(plain):
    plain["train"].paths[0].unlink()
    plain["test"].paths[1].unlink()
    plain["test"].paths[1].mkdir()
    found = [(one.kind, one.ids) for one in report_on(THREE, plain).errors]
    assert found == [("missing_file", ("train/00.png",)), ("missing_file", ("test/01.png",))]


def test_a_file_of_too_many_bytes_is_not_read(plain, monkeypatch):
    monkeypatch.setattr(file_faults, "BYTES", 20_000)
    plain["train"].paths[0].write_bytes(PNG + bytes(30_000))
    assert kinds(report_on(THREE, plain)) == {"oversized"}


def test_a_picture_of_one_colour_is_a_notice(plain):
    plain["train"].paths[0].write_bytes(encoded(np.full((48, 48, 3), 7, np.uint8)))
    report = report_on(THREE, plain)
    assert [(one.kind, one.severity) for one in report.findings] == [("blank", "notice")]


def test_arrays_that_are_no_images():
    images = np.stack([scene(one) for one in range(6)])

    class Odd(zoo.ArraySplit):
        def image(self, index):
            if index == 2:
                raise OSError("the disk is gone")
            return images[index, :, :, :2] if index == 1 else images[index]

    split = Odd(images, np.arange(6) % 3, [str(one) for one in range(6)])
    found = [(one.kind, one.ids) for one in report_on(THREE, {"train": split}).errors]
    assert found == [("undecodable", ("1",)), ("undecodable", ("2",))]


def test_what_is_wrong_with_a_file_is_said_plainly(plain):
    paths = plain["train"].paths
    paths[0].write_bytes(BROKEN["html"][0])
    paths[1].write_bytes(BROKEN["words"][0])
    paths[2].write_bytes(BROKEN["empty"][0])
    paths[3].write_bytes(BROKEN["animation"][0])
    formats = "PNG, JPEG, BMP, TIFF, GIF, WEBP, PPM"
    assert [one.message for one in report_on(THREE, plain).errors] == [
        "'train/00.png' begins with b'<!DOCTYPE html>\\n'; expected an image",
        f"'train/01.png' begins with b'no picture at al'; expected {formats}",
        f"'train/02.png': {str(paths[2])!r} has no bytes",
        "image 'train/03.png' has 2 frames; expected one",
    ]
