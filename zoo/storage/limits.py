"""What is believed of a safetensors header before anything is allocated.

The format's own reader accepts a name that stands twice, names with control characters, and a legal
header of 90 MB that costs 1.3 GB of memory. So zoo looks first.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from zoo.errors import StorageError
from zoo.storage import strict_json

FILE_BYTES = 16 << 30
HEADER_BYTES = 16 << 20
RECORD_BYTES = 1 << 20
TENSORS = 100_000
DIMENSIONS = 8
NAME_LENGTH = 512
METADATA_BYTES = 64 << 10
_LARGEST = 1 << 59  # values: beyond, torch's own reckoning of bytes overflows
DTYPES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1,
    "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4,
    "U64": 8, "I64": 8, "F64": 8, "C64": 8,
}  # fmt: skip
# A tensor's entry has one brace, two brackets, four colons and eleven commas at most. More of them
# than that means names full of such signs, or an attack; and counting is free, parsing is not.
_SIGNS = {b"{": TENSORS + 2, b"[": 2 * TENSORS, b":": 5 * TENSORS, b",": 12 * TENSORS}


# How other files begin that are taken for weights.
_OTHERS = {
    b"PK\x03\x04": "a zip archive, such as torch.save writes",
    **{bytes([0x80, version]): "a pickle" for version in range(2, 6)},
    b"\x89HDF": "HDF5, such as Keras writes",
    b"version https://git-lfs": "a pointer of Git LFS; type: git lfs pull",
    b"<": "a web page",
    b"\x1f\x8b": "compressed by gzip",
}
_LOOKED_AT = 64
_TEXT = bytes([*b"\t\r\n", *range(0x20, 0x7F)])


def longer(what: str, most: int) -> str:
    return f"{what} is longer than {most} bytes"


class Span(NamedTuple):
    """A tensor in the file: from ``start`` to ``stop``, in bytes after the header."""

    start: int
    stop: int
    name: str
    dtype: str
    shape: tuple[int, ...]


def beginning(data: bytes) -> int:
    """How much of a file :func:`check_header` has to see, by its first 8 bytes; never more than a
    header may have."""
    return 8 + min(int.from_bytes(data[:8], "little"), HEADER_BYTES)


def check_header(data: bytes, what: str, size: int | None = None) -> list[Span]:
    """Where the tensors lie, in the order of the file. Raises :class:`StorageError`, naming
    ``what``, unless ``data`` is a safetensors file within the limits whose tensors cover it
    exactly. ``size``: of the file, where ``data`` is only its :func:`beginning`."""
    size = len(data) if size is None else size
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or 8 + length > size:
        raise StorageError(f"{what} {_instead(data)}")
    if length > HEADER_BYTES:
        raise StorageError(f"{what} has a header of {length} bytes; at most {HEADER_BYTES}")
    text = data[8 : 8 + length]
    crowded = any(text.count(sign) > most for sign, most in _SIGNS.items())
    if not text.startswith(b"{") or crowded:
        raise StorageError(f"{what} has no header of at most {TENSORS} tensors")
    header = strict_json.loads(text, f"the header of {what}", HEADER_BYTES, 5 * TENSORS)
    metadata = header.pop("__metadata__", {})
    texts = isinstance(metadata, dict) and all(isinstance(one, str) for one in metadata.values())
    if not texts or len(strict_json.dumps(metadata)) > METADATA_BYTES:
        raise StorageError(f"{what} has metadata that is no small map of texts")
    if len(header) > TENSORS:
        raise StorageError(f"{what} has {len(header)} tensors; at most {TENSORS}")
    spans = sorted(_span(name, entry, what) for name, entry in header.items())
    end = 0
    for span in spans:
        if span.start != end:
            raise StorageError(f"{what}: tensor {span.name!r} overlaps another or leaves a hole")
        end = span.stop
    if 8 + length + end != size:
        raise StorageError(f"{what} has {size} bytes; its header declares {8 + length + end}")
    return spans


def _instead(data: bytes) -> str:
    """What a file is whose header does not end where it says."""
    other = next((kind for start, kind in _OTHERS.items() if data.startswith(start)), None)
    if other is not None:
        return f"is no safetensors file but {other}"
    if data[8:9] in (b"{", b""):  # there the header begins
        return "is cut short: " + ("it ends inside its header" if data else "it is empty")
    text = not set(data[:_LOOKED_AT]) - set(_TEXT)
    return "is no safetensors file but " + ("text" if text else "something else")


def _span(name: str, entry: Any, what: str) -> Span:
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise StorageError(f"{what}: tensor name {name[:80]!r}: expected short printable text")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise StorageError(f"{what}: tensor {name!r}: expected dtype, shape and data_offsets")
    shape, offsets = entry["shape"], entry["data_offsets"]
    dtype = entry["dtype"] if isinstance(entry["dtype"], str) else ""
    if dtype not in DTYPES:
        raise StorageError(f"{what}: tensor {name!r}: unknown dtype {entry['dtype']!r}")
    if not _naturals(shape) or len(shape) > DIMENSIONS:
        raise StorageError(
            f"{what}: tensor {name!r}: the shape is not a list of at most {DIMENSIONS} sizes"
        )
    if not _naturals(offsets) or len(offsets) != 2:
        raise StorageError(f"{what}: tensor {name!r}: data_offsets are not two positions")
    start, stop = offsets
    if stop - start != math.prod(shape) * DTYPES[dtype]:
        raise StorageError(f"{what}: tensor {name!r}: {stop - start} bytes do not fit its shape")
    if math.prod(one or 1 for one in shape) > _LARGEST:  # one of no values fits any file
        raise StorageError(f"{what}: tensor {name!r}: no memory has room for its shape")
    return Span(start, stop, name, dtype, tuple(shape))


def _naturals(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)
