"""From the figures that results name to charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo.reports.blocks import Chart


def charts(data: Mapping[str, Any], out: Path) -> Iterator[Chart]:
    """``data``: what ``results.json`` in ``out`` holds. Of a figure whose rows have no runs yet
    there is none. Nothing is drawn so far."""
    yield from ()
