"""A division as a CSV that can be committed and given back: ``id,split``, and ``group`` if any."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.datasets import Joined, Split, Subset
from zoo.errors import DataError, missing_path

_LIMIT = 1 << 30  # bytes of a table
_UNUSED = ""  # the split of a sample that is left out


@dataclass(frozen=True)
class SplitTable:
    """``split_of``: the split's name by sample id; empty for a sample that no split uses."""

    path: str
    split_of: Mapping[str, str]

    @classmethod
    def load(cls, path: str) -> SplitTable:
        """Raises :class:`DataError` naming the line that is wrong."""
        file = Path(path).expanduser()
        if not file.is_file():
            raise DataError(missing_path("split table", file))
        if file.stat().st_size > _LIMIT:
            raise DataError(f"split table {path!r} has more than {_LIMIT} bytes")
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"split table {path!r} is not UTF-8") from error
        rows = csv.reader(io.StringIO(text, newline=""))
        header = next(rows, [])
        if not {"id", "split"} <= set(header):
            raise DataError(
                f"split table {path!r} has the columns {', '.join(header)}; expected id and split"
            )
        at_id, at_split = header.index("id"), header.index("split")
        split_of: dict[str, str] = {}
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                raise DataError(
                    f"{path}:{rows.line_num}: {len(row)} fields; expected {len(header)}"
                )
            if row[at_id] in split_of:
                raise DataError(f"{path}:{rows.line_num}: id {row[at_id]!r} stands twice")
            split_of[row[at_id]] = row[at_split]
        return cls(path, split_of)

    def applied(self, name: str, splits: Mapping[str, Split]) -> dict[str, Split]:
        """The samples of all ``splits``, divided as the table says. Raises :class:`DataError` when
        table and dataset do not name the same samples."""
        ids = [one for split in splits.values() for one in split.ids]
        missing = [one for one in ids if one not in self.split_of]
        unknown = set(self.split_of) - set(ids)
        if missing or unknown:
            example = missing[0] if missing else min(unknown)
            raise DataError(
                f"split table {self.path!r} is not of dataset {name!r}: {len(missing)} samples are "
                f"not in it and {len(unknown)} of its ids are no samples, such as {example!r}"
            )
        parts: dict[str, list[Split]] = {}
        for split in splits.values():
            chosen = np.array([self.split_of[one] for one in split.ids])
            for one in np.unique(chosen).tolist():
                if one != _UNUSED:
                    parts.setdefault(one, []).append(Subset(split, np.flatnonzero(chosen == one)))
        return {
            one: Joined(tuple(found)) if len(found) > 1 else found[0]
            for one, found in parts.items()
        }


def table_text(splits: Mapping[str, Split]) -> str:
    """The table of ``splits``, in their order."""
    stream = io.StringIO(newline="")
    grouped = any(split.groups is not None for split in splits.values())
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["id", "split", "group"] if grouped else ["id", "split"])
    for name, split in splits.items():
        groups = split.groups or [""] * len(split)
        for one, group in zip(split.ids, groups, strict=True):
            writer.writerow([one, name, group] if grouped else [one, name])
    return stream.getvalue()
