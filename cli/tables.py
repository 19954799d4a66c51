"""What commands print: tables, fields, JSON. Foreign text has its control characters escaped."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.errors import printable


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """A table: drawn by rich on a terminal, else aligned text. ``empty`` is said for no rows."""
    texts = [[_cell(cell) for cell in row] for row in rows]
    if not texts:
        print(empty, file=sys.stderr)
    elif sys.stdout.isatty():
        _draw(columns, texts)
    else:
        lines = [[column.upper() for column in columns], *texts]
        widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
        for line in lines:
            padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
            print("  ".join(padded).rstrip())


def show_fields(fields: Mapping[str, object]) -> None:
    """One ``name  value`` a line; fields without a value are left out."""
    shown = {name: _cell(value) for name, value in fields.items() if value not in (None, "")}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        print(f"{name.ljust(width)}  {value}")


def show_json(data: object) -> None:
    """``data`` as JSON; a number that JSON cannot write becomes null."""
    print(json.dumps(_finite(data), indent=2, allow_nan=False))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple | set | frozenset):
        return printable(", ".join(str(item) for item in value))
    return printable(str(value))


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _finite(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return data
