"""The published tables of the reports' studies."""

from __future__ import annotations

import csv
from pathlib import Path

STUDIES = Path(__file__).parents[2] / "studies"


def printed(study, name):
    """The rows of a published table, each with all its cells."""
    with (STUDIES / study / "published" / f"{name}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))
