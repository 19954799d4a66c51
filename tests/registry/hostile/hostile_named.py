"""All named cases."""

from __future__ import annotations

from collections.abc import Iterator

import hostile_derived
import hostile_ensembles
import hostile_files
import hostile_json
import hostile_names
import hostile_records
import hostile_tensors
from hostile_case import Case


def named() -> Iterator[Case]:
    yield from hostile_names.cases()
    yield from hostile_tensors.cases()
    yield from hostile_json.cases()
    yield from hostile_records.cases()
    yield from hostile_derived.cases()
    yield from hostile_ensembles.cases()
    yield from hostile_files.cases()
