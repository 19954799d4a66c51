"""What ``torch.save`` wrote, as safetensors: ``python -E -P -m zoo.storage.torch_file``.

Such a file is a pickle. torch's own reader of weights runs nothing that is in one, but it may be
made to ask for any amount of memory, or to crash: hence a process of its own, with bounded memory,
which reads the file from its input and answers with one line of JSON and the bytes of a safetensors
file. This is the one place in zoo that calls ``torch.load``.
"""

from __future__ import annotations

import io
import os
import re
import sys
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from zoo.errors import StorageError, ZooError, clipped, reason
from zoo.storage import limits, strict_json, tensors

_WRAPPERS = ("state_dict", "model_state_dict", "model")
_DEPTH = 3  # of wrappers
_SPARE = 2 << 30  # bytes beyond what the file itself asks for
_PROGRAM = "is a TorchScript archive, a program; ask for its weights alone, as .safetensors"
_TIED = 8  # times the file's size: tensors that share memory are each written out


def weights_in(data: bytes) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors of a file by name, and the keys they were wrapped in, such as ``state_dict``.
    Raises :class:`StorageError` for what is no file of weights."""
    _check_archive(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    # A hostile file may make the unpickler raise whatever it likes.
    except Exception as error:
        raise StorageError(_refusal(error)) from error
    wrappers: list[str] = []
    while isinstance(found, Mapping) and len(wrappers) < _DEPTH:
        inner = [key for key in _WRAPPERS if isinstance(found.get(key), Mapping)]
        if not inner:
            break
        wrappers.append(inner[0])
        found = found[inner[0]]
    return _checked(found, len(data)), wrappers


def _check_archive(data: bytes) -> None:
    """torch stores an archive's parts as they are: compressed ones may be of any size."""
    if not data.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
    except Exception as error:
        raise StorageError(f"is a damaged archive: {reason(error)}") from error
    if any("/code/" in part.filename for part in parts):
        raise StorageError(_PROGRAM)
    if any(part.compress_type != zipfile.ZIP_STORED for part in parts):
        raise StorageError("is a compressed archive, which torch does not write")


def _refusal(error: Exception) -> str:
    text = str(error)
    if asked := re.search(r"GLOBAL ([\w.]+)", text):
        return (
            f"is a pickle that asks for {clipped(asked[1])!r}, which no weights need; nothing of "
            f"it was run; ask for its weights alone (its state_dict), best as .safetensors"
        )
    if "TorchScript" in text:
        return _PROGRAM
    # torch wraps what it says in advice to trust the file.
    said = re.search(r"WeightsUnpickler error:\s*(.+)", text)
    why = said[1].strip() if said else reason(error).partition("Weights only load failed")[0]
    return f"is no file of weights that torch reads: {clipped(why, 160).rstrip(': ')}"


def _checked(found: Any, size: int) -> dict[str, Tensor]:
    if not isinstance(found, Mapping) or not found:
        raise StorageError(f"holds no weights by name but {type(found).__name__}")
    for name, value in found.items():
        if not isinstance(name, str):
            raise StorageError(f"holds the name {clipped(repr(name))}; expected text")
        if not isinstance(value, Tensor):
            raise StorageError(
                f"holds {clipped(name)!r}, which is {type(value).__name__}; expected tensors alone"
            )
    if sum(value.nbytes for value in found.values() if not value.is_sparse) > _TIED * size:
        raise StorageError("declares tensors far larger than what it holds")
    return dict(found)


def main() -> None:
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    data = sys.stdin.buffer.read(limits.FILE_BYTES + 1)
    _bound_memory(len(data))
    told: dict[str, Any] = {"error": None, "wrappers": []}
    held = b""
    try:
        found, told["wrappers"] = weights_in(data)
        held = tensors.to_bytes(found, "its weights")
    except ZooError as error:
        told["error"] = str(error)
    except Exception as error:
        told["error"] = f"cannot be read: {clipped(reason(error), 160)}"
    with os.fdopen(answers, "wb") as stream:
        stream.write(strict_json.dumps(told))
        stream.write(held)


def _bound_memory(size: int) -> None:
    """Where the system can: no more than what reading such a file honestly takes."""
    try:
        import resource
        from pathlib import Path

        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        return
    most = used + (_TIED + 4) * size + _SPARE
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
    os._exit(0)  # taking torch down takes half a second, in which somebody waits
