"""Weights that others wrote, as tensors by name: of safetensors, and of ``torch.save``."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from zoo.errors import StorageError, clipped
from zoo.storage import limits, reading, strict_json, tensors

SAFETENSORS, TORCH = "safetensors", "torch"
FORMATS = {".safetensors": SAFETENSORS, ".pt": TORCH, ".pth": TORCH}
SECONDS = 600
_COMMAND = ("-E", "-P", "-m", "zoo.storage.torch_file")
_PREFIXES = ("module.", "_orig_mod.")  # of DistributedDataParallel, of torch.compile
_TOLD_BYTES = 64 << 10


@dataclass(frozen=True)
class Foreign:
    """``weights``: by name, without what training tools put before it; ``sha256``: of the file;
    ``notes``: what was taken off, in words."""

    weights: Mapping[str, Tensor]
    sha256: str
    format: str
    notes: tuple[str, ...] = ()


def read(path: Path) -> Foreign:
    """Raises :class:`StorageError` for what cannot be read without running anything in it."""
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise StorageError(
            f"weights {str(path)!r}: expected a file that ends in {', '.join(FORMATS)}"
        )
    data = reading.read(path, limits.FILE_BYTES, what="weights")
    what = f"weights {str(path)!r}"
    weights, wrappers = (
        (tensors.from_bytes(data, what), []) if kind == SAFETENSORS else _converted(data, what)
    )
    if not weights:  # a library handed none may fetch its own, and compare nothing
        raise StorageError(f"{what} holds no tensors")
    notes = [f"taken from {key!r}" for key in wrappers]
    weights, stripped = _stripped(weights, what)
    notes += [f"{prefix!r} taken off the names" for prefix in stripped]
    tensors.check_finite(weights, what)
    return Foreign(weights, hashlib.sha256(data).hexdigest(), kind, tuple(notes))


def _converted(data: bytes, what: str) -> tuple[dict[str, Tensor], list[str]]:
    """A file of torch's, read by another process: see :mod:`zoo.storage.torch_file`."""
    try:
        done = subprocess.run(
            [sys.executable, *_COMMAND],
            input=data,
            capture_output=True,
            timeout=SECONDS,
            cwd=Path(sys.executable).parent,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StorageError(f"{what} was not read after {SECONDS} s") from None
    line, _, held = done.stdout.partition(b"\n")
    try:
        told: dict[str, Any] = strict_json.loads(line, "the answer", _TOLD_BYTES)
        error, wrappers = told["error"], told["wrappers"]
    except (StorageError, KeyError, TypeError):
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        say = f": {clipped(last[0], 160)}" if last else ""
        raise StorageError(
            f"{what}: the process that was to read it ended with {done.returncode}{say}"
        ) from None
    if error is not None:
        raise StorageError(f"{what} {error}")
    return tensors.from_bytes(held, what), wrappers


def _stripped(weights: Mapping[str, Tensor], what: str) -> tuple[dict[str, Tensor], list[str]]:
    """``weights`` without prefixes that all names have; compiled parts put one inside, too."""
    found, stripped = dict(weights), []
    while prefix := next(
        (one for one in _PREFIXES if found and all(name.startswith(one) for name in found)), None
    ):
        found = {name.removeprefix(prefix): value for name, value in found.items()}
        stripped.append(prefix)
    inner = "._orig_mod."
    if any(inner in name for name in found):
        renamed = {name.replace(inner, "."): value for name, value in found.items()}
        if len(renamed) != len(found):
            raise StorageError(f"{what}: without {inner!r} two of its names are the same")
        found = renamed
        stripped.append(inner)
    return found, stripped
