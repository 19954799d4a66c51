"""One split of parquet files: labels read at once, images a row group at a time, when asked for."""

from __future__ import annotations

import bisect
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import DataError, open_image

_KEPT = 1 << 29  # bytes of row groups that a split keeps; of more, those used last
_LARGEST = 1 << 32  # bytes of images in a row group


@dataclass(frozen=True)
class Shard:
    """A file without its images. ``labels``: its cells, of numbers or of names as ``label_kind``
    says; ``classes``: the names in its metadata; ``starts``: the first row of each row group."""

    path: Path
    rows: int
    starts: tuple[int, ...]
    labels: list[Any]
    label_kind: str
    classes: tuple[str, ...]
    groups: list[str]


def open_shard(path: Path, image: str, label: str, group: str) -> Shard:
    """Read a file's labels and groups. Raises :class:`zoo.DataError` where its columns are not
    what they should be."""
    shard: Shard = _reading(path, lambda file: _shard(path, file, image, label, group))
    return shard


def _shard(path: Path, file: Any, image: str, label: str, group: str) -> Shard:
    schema = file.schema_arrow
    wanted = [("image", image), ("label", label), *([("group", group)] if group else [])]
    for option, column in wanted:
        if column not in schema.names:
            raise wrong(
                path,
                f"no column {column!r}; it has {', '.join(repr(n) for n in schema.names[:12])}; "
                f"name the right one in dataset.{option}",
            )
    _check_image(path, image, schema.field(image).type)
    kind = _label_kind(path, label, schema.field(label).type)
    starts, rows = [], 0
    for number in range(file.metadata.num_row_groups):
        starts.append(rows)
        rows += file.metadata.row_group(number).num_rows
    if rows == 0:
        raise wrong(path, "it has no rows; take it away")
    read = file.read([column for _, column in wanted[1:]], use_threads=False)
    groups = read.column(group).to_pylist() if group else []
    if None in groups:
        raise wrong(path, f"group column {group!r} is empty in row {groups.index(None)}")
    classes = tuple(_metadata_names(schema.metadata or {}, label)) if kind == "numbers" else ()
    labels = read.column(label).to_pylist()
    return Shard(path, rows, tuple(starts), labels, kind, classes, [str(one) for one in groups])


def _check_image(path: Path, column: str, kind: Any) -> None:
    from pyarrow import types

    inner = kind.field("bytes").type if types.is_struct(kind) and _has_bytes(kind) else kind
    if not (types.is_binary(inner) or types.is_large_binary(inner)):
        raise wrong(
            path, f"column {column!r} holds {kind}; expected bytes, or a struct that has bytes"
        )


def _has_bytes(struct: Any) -> bool:
    return bool(struct.get_field_index("bytes") >= 0)


def _label_kind(path: Path, column: str, kind: Any) -> str:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_integer(kind):
        return "numbers"
    if types.is_string(kind) or types.is_large_string(kind):
        return "names"
    raise wrong(path, f"column {column!r} holds {kind}; expected class numbers or names")


def _metadata_names(metadata: dict[bytes, bytes], label: str) -> list[str]:
    """The class names that Hugging Face's libraries write beside the table; none if it has none."""
    try:
        names = json.loads(metadata[b"huggingface"])["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return []
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if is_list else []


class ParquetSplit:
    """A ``zoo.Split``; many threads may ask it for images at a time.

    Row groups are kept while there is room, the one in use always, so reading in order reads each
    of them once. Copies in other processes start with nothing kept.
    """

    def __init__(
        self,
        shards: Sequence[Shard],
        image: str,
        labels: np.ndarray | None,
        ids: Sequence[str],
        groups: Sequence[str] | None,
    ) -> None:
        self.labels = labels
        self.ids = ids
        self.groups = groups
        self._column = image
        # Where each row group begins in the split, and which it is.
        self._begins: list[int] = []
        self._places: list[tuple[Path, int]] = []
        before = 0
        for shard in shards:
            for number, start in enumerate(shard.starts):
                self._begins.append(before + start)
                self._places.append((shard.path, number))
            before += shard.rows
        self._forget()

    def __len__(self) -> int:
        return len(self.ids)

    def __getstate__(self) -> dict[str, Any]:
        return {key: one for key, one in vars(self).items() if key not in ("_lock", "_kept")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._forget()

    def image(self, index: int) -> Any:
        """A PIL image. Raises :class:`zoo.DataError` naming the file and the row."""
        group, row = self._row(index)
        path, _ = self._places[group]
        cell = self._row_group(group)[row].as_py()
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        if not content:
            raise wrong(path, f"sample {self.ids[index]!r} has no image bytes")
        return open_image(content, f"{path.name}: {self.ids[index]}")

    def place(self, index: int) -> tuple[Path, str]:
        """Where the image is, so that zoo may keep it decoded."""
        group, row = self._row(index)
        path, number = self._places[group]
        return path, f"row {row} of group {number}, {self._column}"

    def mask(self, index: int) -> Any:
        raise DataError("this split has no masks")

    def _row(self, index: int) -> tuple[int, int]:
        """Which of the row groups, and which of its rows."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        # An empty row group begins where the next one does: the last of those is meant.
        group = bisect.bisect_right(self._begins, index) - 1
        return group, index - self._begins[group]

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Any] = OrderedDict()

    def _row_group(self, group: int) -> Any:
        """The image column of a row group. One thread reads at a time; others would only read the
        same."""
        with self._lock:
            if group in self._kept:
                self._kept.move_to_end(group)
                return self._kept[group]
            path, number = self._places[group]
            column = _reading(path, lambda file: _images(path, file, number, self._column))
            self._kept[group] = column
            while len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > _KEPT:
                self._kept.popitem(last=False)
            return column


def _images(path: Path, file: Any, number: int, column: str) -> Any:
    form = file.metadata.row_group(number)
    sizes = [
        form.column(i).total_uncompressed_size
        for i in range(form.num_columns)
        if form.column(i).path_in_schema.split(".")[0] == column
    ]
    if sum(sizes) > _LARGEST:
        raise wrong(
            path,
            f"row group {number} holds {sum(sizes)} bytes of images; at most {_LARGEST} are read "
            f"at once; write it again with smaller row groups",
        )
    return file.read_row_group(number, columns=[column], use_threads=False).column(column)


def _reading(path: Path, use: Callable[[Any], Any]) -> Any:
    """``use(an open ParquetFile)``; whatever pyarrow raises becomes one line."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(
            "dataset 'parquet' needs pyarrow; install it with: pip install 'zoo-basics[parquet]'"
        ) from error
    try:
        with parquet.ParquetFile(path) as file:
            return use(file)
    except (pyarrow.ArrowException, OSError, MemoryError, ValueError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise wrong(path, f"it cannot be read ({type(error).__name__}: {first})") from error


def wrong(path: Path, what: str) -> DataError:
    return DataError(f"parquet file {path.name!r}: {what}")
