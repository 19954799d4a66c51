"""Every fault an audit must find, planted in a clean set; and clean sets, in which it finds none."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.data.audit import files as file_faults
from zoo.data.audit.auditing import audit
from zoo.data.audit.cheap import cheap_checks
from zoo.data.audit.findings import KINDS, Report
from zoo.data.datasets import Subset

SOMEWHERE = zoo.Provenance(licence="cc0-1.0")
THREE = zoo.Task.multiclass(["cat", "dog", "owl"])
ORGAN = zoo.Task.segmentation(["background", "organ"], positive="organ")
LAYERS = zoo.Task.segmentation(["air", "skin", "bone"])
Splits = dict[str, zoo.FileSplit]


def scene(seed: int, side: int = 48) -> np.ndarray:
    """A smooth picture unlike every other: uint8 (side, side, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def encoded(array: np.ndarray, form: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, form, **options)
    return stream.getvalue()


def folder_splits(root: Path, counts: dict[str, int]) -> Splits:
    """Splits of PNG files with labels 0, 1, 2 in turn and a group for each sample."""
    made, seed = {}, 0
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        paths = []
        for number in range(count):
            paths.append(root / name / f"{number:02}.png")
            paths[-1].write_bytes(encoded(scene(seed)))
            seed += 1
        labels = np.arange(count) % 3
        ids = [f"{name}/{path.name}" for path in paths]
        made[name] = zoo.FileSplit(paths, labels, ids, [f"patient {one}" for one in ids])
    return made


def masked_splits(root: Path) -> Splits:
    """Images with a square in their mask, two classes: 0 and 255."""
    made = {}
    for name, split in folder_splits(root, {"train": 6, "val": 3}).items():
        masks = []
        for number, path in enumerate(split.paths):
            masks.append(path.with_suffix(".mask.png"))
            mask = np.zeros((48, 48), np.uint8)
            mask[10 : 20 + number, 10:30] = 255
            masks[-1].write_bytes(encoded(mask))
        made[name] = replace(split, labels=None, masks=masks)
    return made


def report_on(task: zoo.Task, splits: dict[str, zoo.Split], **notes: str) -> Report:
    return audit("made", zoo.Dataset(task, splits, SOMEWHERE, notes), splits, threads=2)


def kinds(report: Report) -> set[str]:
    return {one.kind for one in report.findings}


@pytest.fixture
def plain(tmp_path: Path) -> Splits:
    return folder_splits(tmp_path, {"train": 9, "val": 6, "test": 6})


@pytest.fixture
def masked(tmp_path: Path) -> Splits:
    return masked_splits(tmp_path / "masked")


def test_a_clean_set_has_no_findings(plain, masked):
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
    assert report_on(ORGAN, masked).findings == []


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
    import struct
    import zlib

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


Change = Callable[[Splits], None]


def other_labels(split: str, labels: object) -> Change:
    return lambda splits: splits.update(
        {split: replace(splits[split], labels=None if labels is None else np.array(labels))}
    )


def other(split: str, **changes: object) -> Change:
    return lambda splits: splits.update({split: replace(splits[split], **changes)})


LISTS: dict[str, tuple[Change, list[tuple[str, str]]]] = {
    "a label too high": (
        other_labels("val", [0, 1, 2, 0, 3, 1]),
        [("label_outside", "val")],
    ),
    "a label below zero": (
        other_labels("test", [0, -1, 2, 0, 1, 1]),
        [("label_outside", "test")],
    ),
    "labels of floats": (
        other_labels("val", [0.0, 1, 2, 0, 1, 2]),
        [("label_outside", "val")],
    ),
    "labels for too few": (other_labels("val", [0, 1, 2]), [("lengths", "val")]),
    "groups for too few": (other("test", groups=["a"]), [("lengths", "test")]),
    "ids for too few": (other("test", ids=["a", "b"]), [("lengths", "test")]),
    "an id twice": (
        other("val", ids=["a", "b", "c", "d", "e", "a"]),
        [("duplicate_id", "val")],
    ),
    "an id in two splits": (
        other("val", ids=["train/00.png", "b", "c", "d", "e", "f"]),
        [("duplicate_id", "train, val")],
    ),
    "a group in two splits": (
        other("val", groups=["a", "b", "patient train/03.png", "d", "e", "f"]),
        [("group_straddles", "train, val")],
    ),
    "no labels to train on": (other_labels("train", None), [("no_labels", "train")]),
    "no labels to measure by": (other_labels("test", None), [("unlabeled", "test")]),
    "a class that is not trained": (
        other_labels("train", [0, 1, 0, 1, 0, 1, 0, 1, 0]),
        [("never_trained", "train")],
    ),
    "a class absent from a split": (
        other_labels("val", [0, 1, 0, 1, 0, 1]),
        [("class_absent", "val")],
    ),
    "no samples": (lambda splits: splits.update(val=Subset(splits["val"], np.array([], int))),
        [("empty_split", "val")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LISTS)
def test_a_fault_of_lists_is_found_without_decoding(case, plain):
    change, expected = LISTS[case]
    change(plain)
    found = cheap_checks(THREE, plain)
    assert [(one.kind, one.split) for one in found] == expected
    assert {(one.kind, one.split) for one in report_on(THREE, plain).findings} == set(expected)


def test_a_single_class_and_unequal_classes():
    def counts(*labels: int) -> list[tuple[str, str]]:
        images = np.stack([scene(one, 16) for one in range(len(labels))])
        ids = [str(one) for one in range(len(labels))]
        split = zoo.ArraySplit(images, np.array(labels), ids)
        return [(one.kind, one.message) for one in cheap_checks(task, {"all": split})]

    task = zoo.Task.binary(["no", "yes"], positive="yes")
    assert [kind for kind, _ in counts(0, 0, 0)] == ["class_absent", "one_class"]
    assert counts(*[0] * 9, 1) == []
    assert counts(*[0] * 10, 1) == [("imbalance", "10 of 'no', 1 of 'yes': 10.0 to 1")]


def test_multilabel_columns():
    task = zoo.Task.multilabel(["red", "round"])
    images = np.stack([scene(one, 16) for one in range(4)])
    labels = np.array([[1, 0], [0, 0], [1, 2], [0, 1]], np.uint8)
    split = zoo.ArraySplit(images, labels, list("abcd"))
    assert [(one.kind, one.ids) for one in cheap_checks(task, {"train": split})] == [
        ("label_outside", ("c",))
    ]
    narrow = replace(split, labels=labels[:, :1])
    assert [one.kind for one in cheap_checks(task, {"train": narrow})] == ["label_outside"]


def test_notes_of_the_dataset_are_told(plain):
    report = report_on(THREE, plain, md5="is not the published one")
    assert [(one.kind, one.message) for one in report.findings] == [
        ("note", "md5: is not the published one")
    ]


# Masks of the third training image: (what becomes of it, kind found, or None).
def mask_of(*values: int, form: str = "PNG", **options: object) -> bytes:
    mask = np.zeros((48, 48), np.uint8)
    for place, value in enumerate(values):
        mask[6 + 6 * place : 12 + 6 * place, 8:40] = value
    return encoded(mask, form, **options)


def palette() -> bytes:
    image = Image.fromarray(np.tile(np.array([0, 1], np.uint8), (48, 24)), mode="L")
    image = image.convert("P")
    image.putpalette([0, 0, 0, 200, 30, 30])
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


MASKS: dict[str, tuple[bytes | None, str | None]] = {
    "ids": (mask_of(1), None),
    "ids and what is ignored": (mask_of(1, 255), None),
    "a palette": (palette(), None),
    "a lossy one": (mask_of(255, form="JPEG", quality=60), None),
    "missing": (None, "mask_missing"),
    "empty file": (b"", "mask_undecodable"),
    "truncated": (mask_of(255)[:60], "mask_undecodable"),
    "of another size": (encoded(np.zeros((24, 48), np.uint8)), "mask_size"),
    "turned": (encoded(np.zeros((48, 40), np.uint8)), "mask_size"),
    "three ids for two classes": (mask_of(1, 2), "mask_values"),
    "a shade that is background": (mask_of(100), "mask_values"),
    "colours": (encoded(scene(7)), "mask_values"),
    "shades": (mask_of(255, 130, 40), "mask_gray"),
    "empty": (mask_of(), "mask_empty"),
    "foreground all over": (encoded(np.full((48, 48), 255, np.uint8)), None),
}


@pytest.mark.parametrize("case", MASKS)
def test_masks(case, masked):
    content, kind = MASKS[case]
    assert masked["train"].masks is not None
    path = masked["train"].masks[2]
    path.unlink() if content is None else path.write_bytes(content)
    report = report_on(ORGAN, masked)
    found = [(one.kind, one.split, one.ids) for one in report.findings]
    assert found == ([] if kind is None else [(kind, "train", ("train/02.png",))])


def test_masks_of_several_classes(masked):
    for path in [*masked["train"].masks, *masked["val"].masks]:
        path.write_bytes(mask_of(1, 2))
    assert report_on(LAYERS, masked).findings == []
    masked["val"].masks[0].write_bytes(mask_of(1, 3))
    assert kinds(report_on(LAYERS, masked)) == {"mask_values"}
    for path in masked["train"].masks:
        path.write_bytes(mask_of(1))
    assert "never_trained" in kinds(report_on(LAYERS, masked))


def test_an_image_turned_by_exif_keeps_its_mask(masked):
    exif = Image.Exif()
    exif[0x0112] = 6
    tall = np.ascontiguousarray(scene(70)[:, :30])
    masked["train"].paths[0].write_bytes(encoded(tall, "JPEG", exif=exif))
    masked["train"].masks[0].write_bytes(encoded(np.eye(48, 30, dtype=np.uint8) * 255))
    report = report_on(ORGAN, masked)
    assert report.findings == []
    assert report.summary["splits"]["train"]["sizes"] == {"48x48": 5, "30x48": 1}


def test_every_kind_of_error_is_planted_somewhere():
    planted = {kind for _, kind in BROKEN.values()} | {kind for _, kind in MASKS.values()}
    planted |= {kind for _, expected in LISTS.values() for kind, _ in expected}
    here = {"missing_file", "one_class", "leak", "conflict", "unusable", "stale_store"}
    errors = {kind for kind, about in KINDS.items() if about.severity == "error"}
    assert errors <= planted | here
