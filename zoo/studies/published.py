"""The report's own table as data: a CSV file, cells as they are printed there."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from zoo.errors import StudyError, missing_path, reason

MAX_BYTES = 1_000_000
_NUMBER = re.compile(r"[<>~≈]?\s*(-?(?:\d[\d,]*)?\.?\d+(?:[eE][+-]?\d+)?)\s*%?")


def read_published(path: Path) -> dict[str, dict[str, str]]:
    """By the row's name (the first column), then by column; empty cells are left out. Raises
    :class:`StudyError` with a line for each row that is wrong."""
    try:
        if not path.is_file():
            raise StudyError([missing_path("published values", path)])
        content = path.read_bytes()[: MAX_BYTES + 1]
        if len(content) > MAX_BYTES:
            raise StudyError([f"{path}: more than {MAX_BYTES} bytes; expected a table"])
        lines = content.decode("utf-8-sig").splitlines()
        rows = list(csv.reader(lines, strict=True))
    except OSError as error:
        raise StudyError([f"published values {str(path)!r}: {reason(error)}"]) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise StudyError([f"{path}: not CSV in UTF-8: {reason(error)}"]) from error
    head = [one.strip() for one in rows[0]] if rows else []
    if len(head) < 2 or len(set(head)) < len(head) or not all(head):
        raise StudyError([f"{path}:1: expected a head: the row's name, then columns, each once"])
    found: dict[str, dict[str, str]] = {}
    problems = []
    for number, row in enumerate(rows[1:], 2):
        cells = [one.strip() for one in row]
        if not any(cells):
            continue
        if len(cells) != len(head):
            problems.append(f"{path}:{number}: {len(cells)} cells; expected {len(head)}")
        elif not cells[0] or cells[0] in found:
            problems.append(f"{path}:{number}: row {cells[0]!r}: expected a name, each once")
        else:
            found[cells[0]] = {
                name: cell for name, cell in zip(head[1:], cells[1:], strict=True) if cell
            }
    if problems:
        raise StudyError(problems)
    return found


def printed_number(text: str) -> float | None:
    """What a printed cell says, as ``97.57``, ``.735`` or ``1,024``; None where it is no number."""
    match = _NUMBER.fullmatch(text.strip())
    return float(match[1].replace(",", "")) if match else None
