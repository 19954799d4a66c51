"""Which data it was trained and measured on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.reports import wording
from zoo.reports.blocks import Block, Facts, Missing, Section, Table
from zoo.reports.measured import Measured
from zoo.reports.subject import Subject
from zoo.tasks import SEGMENTATION

_DIGITS = 16  # of a fingerprint's 64
_OPEN = 20  # classes up to which the table is open


def data(subject: Subject, measured: Measured) -> Section:
    about = subject.data
    skipped = {
        name: wording.table(wording.table(subject.about, "skipped"), name).get("images")
        for name in subject.splits
    }
    left_out = [f"{name} {wording.count(images)}" for name, images in skipped.items() if images]
    facts = [
        ("dataset", wording.text(about.get("dataset"))),
        ("licence", wording.text(about.get("licence"))),
        ("citation", wording.text(about.get("citation"))),
        ("training split, content", wording.text(about.get("fingerprint"))),
        ("division", wording.text(about.get("division"))),
        ("left out, for they could not be decoded", ", ".join(left_out)),
    ]
    blocks: list[Block] = [Facts(facts), _splits(subject), _classes(subject, measured)]
    return Section("Data", "data", blocks)


def _splits(subject: Subject) -> Block:
    splits = wording.table(subject.data, "splits")
    rows = []
    for name in subject.splits:
        one = wording.table(splits, name)
        prints = (wording.text(one.get(key))[:_DIGITS] or "–" for key in ("fingerprint", "content"))
        rows.append([name, *prints, wording.count(one.get("samples"))])
    if not rows:
        return Missing("It was trained elsewhere, on data that zoo does not know.")
    head = ["split", "fingerprint of the ids", "of ids, labels and pixels", "samples"]
    return Table(head, rows, names=3)


def _classes(subject: Subject, measured: Measured) -> Block:
    """How often each occurs: what was trained with, and what was measured on."""
    shares = wording.table(subject.about, "class_shares")
    rows_of = measured.figures.get("per_class") or [{}] * len(subject.task.classes)
    columns: dict[str, list[str]] = {}
    if shares:
        tables = [wording.table(shares, name) for name in subject.task.classes]
        columns["train"] = [wording.count(one.get("count")) for one in tables]
        for key, title in (
            ("share", "share"),
            ("drawn", "share that is drawn"),
            ("weight", "weight in the loss"),
        ):
            if any(key in one for one in tables):
                columns[title] = [_share(one, key) for one in tables]
    if measured.figures.get("per_class"):
        columns[measured.split] = [wording.count(row.get("support")) for row in rows_of]
    if not columns:
        return Table(["class"], [[name] for name in subject.task.classes], folded="Classes")
    unit = "pixels" if subject.task.kind == SEGMENTATION else "samples"
    rows = [
        [name, *(column[k] for column in columns.values())]
        for k, name in enumerate(subject.task.classes)
    ]
    many = len(rows) > _OPEN
    folded = f"How often each of the {len(rows):,} classes occurs" if many else ""
    return Table(["class", *columns], rows, title="" if many else f"Classes, {unit}", folded=folded)


def _share(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not wording.is_number(value):
        return "–"
    return wording.number(float(value)) if key == "weight" else f"{value:.2%}"  # type: ignore[arg-type]
