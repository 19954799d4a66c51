"""Read idx files, the form of MNIST: a header of sizes, then unsigned bytes; gzipped or not.

Header: two zero bytes, one for the type (8: unsigned byte), one for the number of dimensions, then
each size as a big-endian 32-bit number. Nothing in a header is believed before it is checked, and
memory grows with the bytes that are really there.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from zoo import DataError

LARGEST = 1 << 30  # bytes of pixels; full MNIST has 47 million, full EMNIST 638 million
_CHUNK = 1 << 20
_UNSIGNED_BYTE = 0x08
_OTHER_TYPES = {
    0x09: "signed bytes",
    0x0B: "16-bit integers",
    0x0C: "32-bit integers",
    0x0D: "32-bit floats",
    0x0E: "64-bit floats",
}


def read_idx(path: Path, *, dimensions: int) -> np.ndarray:
    """The uint8 array of that many ``dimensions`` in ``path``. Whether it is gzipped is read from
    its first bytes, not from its name. Raises :class:`zoo.DataError` naming the file."""
    try:
        with _opened(path) as stream:
            sizes = _sizes(stream, path, dimensions)
            body = _body(stream, path, math.prod(sizes))
    except (OSError, EOFError, zlib.error) as error:
        raise _bad(path, f"it cannot be read ({type(error).__name__}: {error})") from error
    return np.frombuffer(body, dtype=np.uint8).reshape(sizes)


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast("BinaryIO", gzip.open(path)) if zipped else path.open("rb")


def _sizes(stream: BinaryIO, path: Path, dimensions: int) -> tuple[int, ...]:
    magic = stream.read(4)
    if len(magic) < 4:
        raise _bad(path, f"it has {len(magic)} bytes, less than a header")
    if magic[:2] != b"\0\0":
        raise _bad(path, f"it begins with {magic.hex(' ')}; an idx file begins with 00 00 08")
    if magic[2] != _UNSIGNED_BYTE:
        found = _OTHER_TYPES.get(magic[2], f"type {magic[2]:#04x}, which idx does not know")
        raise _bad(path, f"it holds {found}; expected unsigned bytes")
    if magic[3] != dimensions:
        raise _bad(path, f"it has {magic[3]} dimensions; expected {dimensions}: is it another one?")
    header = stream.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise _bad(path, "it ends within its header")
    sizes = struct.unpack(f">{dimensions}I", header)
    if 0 in sizes:
        raise _bad(path, f"its header says {_times(sizes)}; expected sizes above 0")
    if math.prod(sizes) > LARGEST:
        raise _bad(path, f"its header says {_times(sizes)} bytes; at most {LARGEST} are read")
    return sizes


def _body(stream: BinaryIO, path: Path, length: int) -> bytearray:
    body = bytearray()
    while len(body) < length:
        chunk = stream.read(min(_CHUNK, length - len(body)))
        if not chunk:
            raise _bad(path, f"its body has {len(body)} bytes; its header says {length}")
        body += chunk
    # Reading on also makes gzip compare its checksum, which stands behind the body.
    if stream.read(1):
        raise _bad(path, f"its body is longer than the {length} bytes its header says")
    return body


def _times(sizes: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in sizes)


def _bad(path: Path, what: str) -> DataError:
    return DataError(f"idx file {str(path)!r}: {what}; get the file again")
