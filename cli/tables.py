"""What commands print: tables, fields, JSON. Foreign text has its control characters escaped."""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from zoo.errors import printable

_DRAWN = 200  # rows: drawing thousands takes seconds


def show_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    empty: str,
    named: bool = False,
    right: Collection[str] = (),
) -> None:
    """A table: drawn by rich on a terminal unless it is long, else aligned text. ``empty`` is said
    for no rows; ``named``: the columns are names from data, which stay as they are; ``right``:
    columns aligned to the right, beside those of numbers."""
    columns = [_cell(column) for column in columns]
    texts = [[_cell(cell) for cell in row] for row in rows]
    numeric = [
        name in right or _is_numeric(row[i] for row in rows) for i, name in enumerate(columns)
    ]
    if not texts:
        print(printable(empty), file=sys.stderr)
    elif sys.stdout.isatty() and len(texts) <= _DRAWN:
        _draw(columns, texts, numeric)
    else:
        header = [column if named else column.upper() for column in columns]
        lines = [header, *texts]
        widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
        # A line each, where thousands are looked through; the name in front is never cut.
        most = max(shutil.get_terminal_size().columns, widths[0]) if sys.stdout.isatty() else None
        for line in lines:
            cells = zip(line, widths, numeric, strict=True)
            padded = (
                text.rjust(width) if right else text.ljust(width) for text, width, right in cells
            )
            print("  ".join(padded).rstrip()[:most])


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


def _is_numeric(column: Iterable[object]) -> bool:
    return all(value is None or type(value) in (int, float) for value in column)


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for i, column in enumerate(columns):
        # What is in the first column will be typed or copied: it is never cut.
        justify: Literal["right", "left"] = "right" if numeric[i] else "left"
        table.add_column(Text(column), justify=justify, overflow="fold", no_wrap=i == 0)
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
