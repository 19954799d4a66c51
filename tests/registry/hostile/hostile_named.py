"""All named cases."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import hostile_derived
import hostile_ensembles
import hostile_files
import hostile_json
import hostile_names
import hostile_records
import hostile_tensors
from hostile_case import Case

_PARTS = (
    hostile_names, hostile_tensors, hostile_json, hostile_records, hostile_derived,
    hostile_ensembles, hostile_files,
)  # fmt: skip
# Floods that take a quarter of a second and more; others like them are quick enough for every day.
_FLOODS = {
    "record: a list of numbers", "record: a list of texts", "record: 18,000 figures",
    "record: 18,000 of the environment", "record: an option as list", "record: 50 MB of text",
    "record: figures by the ten thousand", "record: parents by the ten thousand",
    "record: keys by the ten thousand", "record: options by the ten thousand",
    "record: splits by the ten thousand", "record: libraries by the ten thousand",
    "record: 100,000 files", "record: figures as lists", "record: keys by the hundred thousand",
    "weights: a full header of floats", "weights: a full header of texts",
    "weights: a full header of keys", "weights: a full header of tables",
    "weights: a full header of spaces", "ensemble by 100,000 weights",
    "ensemble of 10^12, each of 100 of 100", "ensemble with options without an end",
}  # fmt: skip


def named() -> Iterator[Case]:
    for part in _PARTS:
        for case in part.cases():
            yield dataclasses.replace(case, quick=False) if case.name in _FLOODS else case
