"""Tables of text: comma- or tab-separated, with a header, in UTF-8."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo import DataError

_SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_SHOWN = 12  # names of columns in one message


@dataclass(frozen=True)
class Table:
    """Cells by column, without space around them; ``lines``: where each row stands in the file."""

    name: str
    columns: dict[str, list[str]]
    lines: list[int]

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> list[str]:
        return self.columns[name]

    def wrong(self, what: str) -> DataError:
        return DataError(f"table {self.name!r}: {what}")


def read_table(path: Path, name: str, wanted: Sequence[tuple[str, str]]) -> Table:
    """The columns of ``path`` that ``wanted`` names, in pairs of the option and the name
    it gave. Raises :class:`zoo.DataError` with the line at which the table is wrong."""
    separator = _SEPARATORS.get(path.suffix.lower())
    if separator is None:
        raise DataError(f"table {name!r}: expected a name that ends in {', '.join(_SEPARATORS)}")
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=separator, strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            places = _places(name, header, wanted)
            columns: dict[str, list[str]] = {column: [] for column in places}
            lines: list[int] = []
            for row in reader:
                if not any(row):
                    continue
                if len(row) != len(header):
                    raise DataError(
                        f"table {name!r}, line {reader.line_num}: {len(row)} cells; expected "
                        f"{len(header)}, as in the header"
                    )
                lines.append(reader.line_num)
                for column, place in places.items():
                    columns[column].append(row[place].strip())
    except UnicodeDecodeError as error:
        raise DataError(f"table {name!r} is not UTF-8; save it as UTF-8") from error
    except csv.Error as error:
        raise DataError(f"table {name!r}, line {reader.line_num}: {error}; mend it") from error
    except OSError as error:
        raise DataError(f"table {name!r} cannot be read ({error.strerror})") from error
    if not lines:
        raise DataError(f"table {name!r} has no rows")
    return Table(name, columns, lines)


def _places(name: str, header: Sequence[str], wanted: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Where each wanted column stands."""
    for option, column in wanted:
        if header.count(column) > 1:
            raise DataError(f"table {name!r} has {header.count(column)} columns {column!r}")
        if column not in header:
            raise DataError(
                f"table {name!r} has no column {column!r}; it has {_shown(header)}; name the right "
                f"one in dataset.{option}"
            )
    return {column: header.index(column) for _, column in wanted}


def _shown(header: Sequence[str]) -> str:
    if len(header) == 1 and ";" in header[0]:
        return f"one, {header[0]!r}: save it with commas, not semicolons"
    more = f" and {len(header) - _SHOWN} more" if len(header) > _SHOWN else ""
    return (", ".join(repr(column) for column in header[:_SHOWN]) or "none") + more
