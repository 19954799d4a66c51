"""Audits of real sets; needs ZOO_TEST_DATA, a folder with mnist, nuclei and pneumoniamnist."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.data.audit.auditing import audit
from zoo.data.audit.findings import Report
from zoo.plugins.catalog import catalog
from zoo.plugins.contexts import DatasetContext

ROOT = Path(os.environ.get("ZOO_TEST_DATA", "/nowhere"))
SOMEWHERE = zoo.Provenance(licence="x")
FEW_IN_A_THOUSAND = 0.004  # notices of near duplicates in a set that has hardly any


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not (ROOT / name).is_dir(), reason=f"ZOO_TEST_DATA names no folder with {name}"
    )


def report_on(dataset: zoo.Dataset) -> Report:
    return audit("real", dataset, dataset.splits, threads=2)


def counts(report: Report) -> Counter[tuple[str, str]]:
    return Counter((one.kind, one.split) for one in report.findings)


@needs("pneumoniamnist")
def test_pneumoniamnist_has_its_known_copies_and_no_other_error():
    arrays = np.load(ROOT / "pneumoniamnist" / "pneumoniamnist.npz", allow_pickle=False)
    splits = {}
    for name in ("train", "val", "test"):
        images, labels = arrays[f"{name}_images"], arrays[f"{name}_labels"].ravel()
        ids = [f"{name}/{number}" for number in range(len(images))]
        splits[name] = zoo.ArraySplit(images, labels.astype(np.int64), ids)
    task = zoo.Task.binary(["normal", "pneumonia"], positive="pneumonia")
    report = report_on(zoo.Dataset(task, splits, SOMEWHERE))
    assert {one.kind for one in report.errors} == {"leak"}
    found = counts(report)
    assert found["leak", "train, val"] == 8
    assert found["duplicate", "test"] == 3
    near = [one for one in report.findings if one.kind.startswith("near_")]
    assert len(near) <= FEW_IN_A_THOUSAND * 5856
    assert report.summary["splits"]["train"]["class_counts"] == {"normal": 1214, "pneumonia": 3494}


@needs("nuclei")
def test_nuclei_are_clean():
    root = ROOT / "nuclei"

    def split(name: str) -> zoo.FileSplit:
        names = (root / f"{name}.txt").read_text().split()
        images = [root / "images" / f"{one}.jpg" for one in names]
        masks = [root / "masks" / f"{one}.png" for one in names]
        return zoo.FileSplit(images, None, names, masks=masks)

    task = zoo.Task.segmentation(["background", "nucleus"], positive="nucleus")
    made = {name: split(name) for name in ("train", "test")}
    report = report_on(zoo.Dataset(task, made, SOMEWHERE))
    assert report.errors == []
    assert len(report.notices) <= 2
    pixels = report.summary["splits"]["train"]["class_counts"]
    assert pixels["nucleus"] / sum(pixels.values()) == pytest.approx(0.077, abs=0.005)


@needs("mnist")
def test_mnist_is_clean():
    dataset = catalog().get("dataset", "mnist").build(DatasetContext(ROOT / "mnist"), {})
    part = {name: zoo.ArraySplit(one.images[:4000], one.labels[:4000], one.ids[:4000])
            for name, one in dataset.splits.items()}  # fmt: skip
    report = report_on(zoo.Dataset(dataset.task, part, SOMEWHERE))
    assert report.errors == []
    assert len(report.notices) <= FEW_IN_A_THOUSAND * 8000
    assert report.summary["statistics"]["mean"] == [pytest.approx(0.1307, abs=0.003)]
    assert report.summary["statistics"]["std"] == [pytest.approx(0.3081, abs=0.003)]
