"""Tables of images in parquet files, as Hugging Face lays them out.

``train-00000-of-00007.parquet`` and so on, in the root or its folder ``data``; a column ``image``
of structs (bytes, path) and a column ``label`` of class numbers. Needs pyarrow: the extra
``zoo-medical[parquet]``.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo import DataError, Split, open_image

Stamp = tuple[int, int]
_PREFIXES = {"train": ("train",), "val": ("validation", "val"), "test": ("test",)}
LARGEST = 2 << 30  # bytes of a row group, which is read whole; as the file itself gives them
_READING = threading.Lock()


@dataclass(frozen=True)
class ParquetSplit:
    """``places``: of each image its file, row group and row in it."""

    places: Sequence[tuple[Path, int, int]]
    labels: np.ndarray
    ids: Sequence[str]
    groups: Sequence[str]

    def __len__(self) -> int:
        return len(self.places)

    def image(self, index: int) -> Any:
        path, group, row = self.places[index]
        with _READING:  # one thread reads a row group, the others then have it
            encoded = _row_group(path, _stamp(path), group)[row]
        return open_image(encoded, self.ids[index])

    def place(self, index: int) -> tuple[Path, str]:
        """Where the image is, so that zoo may keep it decoded."""
        path, group, row = self.places[index]
        return path, f"row {row} of group {group}"

    def mask(self, index: int) -> Any:
        raise DataError("this split has no masks")


def read_splits(
    name: str, root: Path, classes: Sequence[str], group_of: Callable[[str], str], wanted: str
) -> dict[str, Split]:
    """Every split that has files. Labels and names are read, images are not. Raises
    :class:`zoo.DataError`: no files, no pyarrow, or columns that do not serve."""
    found = {split: _files(root, prefixes) for split, prefixes in _PREFIXES.items()}
    if not found["train"]:
        raise DataError(
            f"dataset {name!r}: {str(root)!r} has neither a folder train nor train-*.parquet; "
            f"give the folder of {wanted}"
        )
    return {
        split: _split(name, split, files, classes, group_of)
        for split, files in found.items()
        if files
    }


def _files(root: Path, prefixes: Sequence[str]) -> list[Path]:
    return sorted(
        path
        for folder in (root, root / "data")
        for prefix in prefixes
        for path in folder.glob(f"{prefix}-*.parquet")
    )


def _split(
    name: str,
    split: str,
    files: Sequence[Path],
    classes: Sequence[str],
    group_of: Callable[[str], str],
) -> ParquetSplit:
    places: list[tuple[Path, int, int]] = []
    labels: list[int] = []
    names: list[str | None] = []
    for path in files:
        for group, rows in enumerate(_labels_and_names(path)):
            places += [(path, group, row) for row in range(len(rows))]
            labels += [label for label, _ in rows]
            names += [given for _, given in rows]
    wrong = [label for label in labels if label not in range(len(classes))]
    if wrong:
        raise DataError(
            f"dataset {name!r}, split {split!r}: {len(wrong)} labels outside the classes, the "
            f"first is {wrong[0]!r}; expected 0 to {len(classes) - 1}"
        )
    ids = [f"{split}/{given or f'{i:06d}'}" for i, given in enumerate(names)]
    groups = [group_of(given) if given else ids[i] for i, given in enumerate(names)]
    return ParquetSplit(places, np.array(labels, np.int64), ids, groups)


def _labels_and_names(path: Path) -> list[list[tuple[Any, str | None]]]:
    """By row group: each row's label, and its file's name where it has one."""
    file = _open(path, _stamp(path))
    columns = file.schema_arrow.names
    if "image" not in columns or "label" not in columns:
        raise DataError(
            f"parquet file {str(path)!r} has the columns {', '.join(columns)}; expected 'image' "
            f"and 'label'"
        )
    groups = []
    for group in range(file.num_row_groups):
        table = _read(path, file, group, ["label", "image.path"])
        names: list[Any] = [None] * table.num_rows
        if "image" in table.column_names:
            names = [None if one is None else one["path"] for one in table["image"].to_pylist()]
        given = [Path(one).name if one else None for one in names]
        groups.append(list(zip(table["label"].to_pylist(), given, strict=True)))
    return groups


@functools.lru_cache(maxsize=2)
def _row_group(path: Path, stamp: Stamp, group: int) -> list[bytes]:
    """The images' bytes. A store reads them in order, so that the last ones are kept."""
    rows = _read(path, _open(path, stamp), group, ["image"])["image"].to_pylist()
    found = [one["bytes"] if isinstance(one, dict) else one for one in rows]
    if not all(isinstance(one, bytes) for one in found):
        raise DataError(
            f"parquet file {str(path)!r}: column 'image' holds no bytes; expected images inside"
        )
    return found


@functools.lru_cache(maxsize=2)
def _open(path: Path, stamp: Stamp) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(
            f"parquet file {str(path)!r} needs pyarrow: pip install 'zoo-medical[parquet]'"
        ) from error
    try:
        return parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def _stamp(path: Path) -> Stamp:
    """Another file in the same place has another one: what was read of the first is not its."""
    try:
        status = path.stat()
    except OSError as error:
        raise _damaged(path, error) from error
    return status.st_mtime_ns, status.st_size


def _read(path: Path, file: Any, group: int, columns: list[str]) -> Any:
    import pyarrow

    try:
        size = file.metadata.row_group(group).total_byte_size
        if size > LARGEST:
            raise DataError(
                f"parquet file {str(path)!r}: row group {group} has {size} bytes; at most "
                f"{LARGEST} are read at once; write it in smaller row groups"
            )
        return file.read_row_group(group, columns=columns)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    what = (str(error).splitlines() or [""])[0]
    return DataError(f"parquet file {str(path)!r} cannot be read: {what}; get the file again")
