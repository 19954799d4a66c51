"""Read arrays out of an npz file, which anybody may have made: no pickle, nothing allocated before
it is known that the file really holds that much.

A member's header says type and shape; the archive says how long the member is; both must agree.
"""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
from numpy.lib import format as npy

from zoo import DataError

LARGEST = 1 << 36  # bytes of one array; MedMNIST's largest, PathMNIST at 224, has 16 billion
_MEMBERS = 10_000
_HEADER = 1 << 16
_CHUNK = 1 << 22
_FAILURES = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # an encrypted member; NotImplementedError, an unknown compression, is one too
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    tokenize.TokenError,  # of numpy's reader of old headers
)
_DEFLATED = 1040  # times; no deflated stream grows more


@dataclass(frozen=True)
class Form:
    """What a member's header promises."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    header: int  # bytes before the values

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


class ArrayFile:
    """An open npz file: a context manager. ``names``: its arrays, none of them read yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except _FAILURES as error:
            raise self.wrong(f"it is no npz file ({_reason(error)})") from error
        infos = [info for info in self._zip.infolist() if info.filename.endswith(".npy")]
        self._infos = {info.filename.removesuffix(".npy"): info for info in infos}
        if len(infos) > _MEMBERS or len(self._infos) < len(infos):
            self._zip.close()
            raise self.wrong("it has too many arrays, or two of one name")
        self.names = tuple(self._infos)

    def __enter__(self) -> ArrayFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._zip.close()

    def wrong(self, what: str) -> DataError:
        return DataError(f"npz file {self.path.name!r}: {what}")

    def form(self, name: str) -> Form:
        """Type and shape of an array, checked against the length of what is there."""
        info = self._infos[name]
        try:
            with self._zip.open(info) as stream:
                form = _form(io.BytesIO(stream.read(_HEADER)))
        except (*_FAILURES, MemoryError) as error:
            raise self.wrong(f"array {name!r} cannot be read ({_reason(error)})") from error
        if (
            form.dtype.kind not in "biufU"
            or form.dtype.itemsize == 0
            or min(form.shape, default=0) < 0
        ):
            raise self.wrong(
                f"array {name!r} holds {form.dtype} of shape {form.shape}; expected numbers or "
                f"names, no Python objects"
            )
        if form.header + form.bytes != info.file_size:
            raise self.wrong(
                f"array {name!r} has {info.file_size - form.header} bytes; its header says "
                f"{form.bytes}; get the file again"
            )
        if info.file_size > _DEFLATED * (info.compress_size + 1):
            raise self.wrong(
                f"array {name!r} claims {form.bytes} bytes out of {info.compress_size}; get the "
                f"file again"
            )
        if form.bytes > LARGEST:
            raise self.wrong(f"array {name!r} has {form.bytes} bytes; at most {LARGEST} are read")
        return form

    def read(self, name: str) -> np.ndarray:
        """The whole array. Its checksum is compared on the way."""
        form = self.form(name)
        try:
            flat = np.empty(form.bytes, np.uint8)
            with self._zip.open(self._infos[name]) as stream:
                stream.read(form.header)
                _fill(stream, flat.data)
                stream.read(1)  # at the end, the checksum
        except MemoryError as error:
            size = f"{form.bytes / 1e9:.1f} GB"
            raise self.wrong(
                f"array {name!r} needs {size} of memory, more than there is"
            ) from error
        except _FAILURES as error:
            raise self.wrong(f"array {name!r} cannot be read ({_reason(error)})") from error
        array = flat.view(form.dtype)
        if form.fortran:
            return np.ascontiguousarray(array.reshape(form.shape[::-1]).T)
        return array.reshape(form.shape)


def _form(stream: io.BytesIO) -> Form:
    version = npy.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = npy.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, dtype = npy.read_array_header_2_0(stream)
    else:
        raise ValueError(f"array format {version[0]}.{version[1]} is unknown")
    return Form(shape, dtype, fortran, stream.tell())


def _fill(stream: IO[bytes], into: memoryview) -> None:
    at = 0
    while at < len(into):
        chunk = stream.read(min(_CHUNK, len(into) - at))
        if not chunk:
            raise EOFError(f"it ends after {at} of {len(into)} bytes")
        into[at : at + len(chunk)] = chunk
        at += len(chunk)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
