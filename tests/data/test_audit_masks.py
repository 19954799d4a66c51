"""Masks that are missing, of another size, or hold what is no class."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from audit_sets import LAYERS, ORGAN, Splits, encoded, kinds, masked_splits, report_on, scene
from PIL import Image


@pytest.fixture
def masked(tmp_path: Path) -> Splits:
    return masked_splits(tmp_path)


def test_a_clean_set_of_masks_has_no_findings(masked):
    assert report_on(ORGAN, masked).findings == []


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
