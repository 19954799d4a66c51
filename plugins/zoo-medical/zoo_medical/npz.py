"""Read arrays out of an npz file: a zip of npy files, each a header and the values.

Nothing that a header says is believed before it is compared with the sizes in the zip, and those
are held against limits before memory is taken. Python objects are never read.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from zoo import DataError

_BLOCK = 1 << 20
_HEADER = 1 << 16  # bytes; the format's own limit for version 1
_READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_arrays(path: Path, largest: Mapping[str, int]) -> dict[str, np.ndarray]:
    """The arrays named by ``largest``, each of at most so many bytes.

    Raises :class:`zoo.DataError`, naming the file, when one is missing, too large or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = {info.filename: info for info in archive.infolist()}
            missing = [name for name in largest if f"{name}.npy" not in infos]
            if missing:
                raise bad(path, f"it lacks {', '.join(missing)}")
            return {
                name: _read(path, archive, infos[f"{name}.npy"], most)
                for name, most in largest.items()
            }
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise bad(path, f"it cannot be read ({type(error).__name__}: {error})") from error
    # zipfile's own for an encrypted member and for a compression it does not know
    except (RuntimeError, NotImplementedError) as error:
        raise bad(path, f"it cannot be read ({error})") from error


def bad(path: Path, what: str) -> DataError:
    """The one wording for a file that does not serve."""
    return DataError(f"npz file {str(path)!r}: {what}; get the file again")


def _read(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> np.ndarray:
    name = info.filename.removesuffix(".npy")
    if info.file_size > most + _HEADER:
        raise bad(path, f"{name} has {info.file_size} bytes; at most {most + _HEADER} are read")
    with archive.open(info) as stream:
        shape, dtype = _header(path, name, stream)
        size = math.prod(shape) * dtype.itemsize
        if stream.tell() + size != info.file_size:
            raise bad(
                path,
                f"{name} has {info.file_size - stream.tell()} bytes of values; its header says "
                f"{size}",
            )
        array = np.empty(shape, dtype)
        _fill(stream, array.reshape(-1).view(np.uint8), path, name)
        stream.read(1)  # reading to the end also makes zipfile compare its checksum
    return array


def _header(path: Path, name: str, stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    try:
        reader = _READERS.get(npy.read_magic(stream))
        if reader is None:
            raise bad(path, f"{name} is of an npy version that is not read")
        shape, fortran, dtype = reader(stream)
    except ValueError as error:
        raise bad(path, f"{name} is no npy array ({_first(error)})") from error
    if dtype.hasobject or dtype.kind not in "iu" or fortran or min(shape, default=0) <= 0:
        raise bad(path, f"{name} holds {dtype} of shape {shape}; expected integers, in C order")
    return shape, dtype


def _first(error: ValueError) -> str:
    return (str(error).splitlines() or [""])[0]


def _fill(stream: IO[bytes], values: np.ndarray, path: Path, name: str) -> None:
    done = 0
    while done < len(values):
        block = stream.read(min(_BLOCK, len(values) - done))
        if not block:
            raise bad(path, f"{name} ends after {done} of {len(values)} bytes")
        values[done : done + len(block)] = np.frombuffer(block, np.uint8)
        done += len(block)
