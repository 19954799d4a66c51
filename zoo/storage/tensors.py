"""Tensors to and from safetensors: durable when written, distrusted when read."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from zoo.errors import StorageError, reason
from zoo.storage import commit, limits, reading

_DTYPES = {
    "BOOL": torch.bool, "U8": torch.uint8, "I8": torch.int8,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
    "U16": torch.uint16, "I16": torch.int16, "F16": torch.float16, "BF16": torch.bfloat16,
    "U32": torch.uint32, "I32": torch.int32, "F32": torch.float32,
    "U64": torch.uint64, "I64": torch.int64, "F64": torch.float64, "C64": torch.complex64,
}  # fmt: skip


def save(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write ``tensors`` to ``path``, durably and readable by others. Equal tensors are equal bytes.
    Tensors that share memory (tied weights, views) are each written out."""
    commit.write(path, to_bytes(tensors, f"tensors for {str(path)!r}"))


def load(path: Path, expect_sha256: str | None = None) -> dict[str, Tensor]:
    """CPU tensors by name. The file is read once, checked, and need not stay there afterwards."""
    data = reading.read(path, limits.FILE_BYTES, expect_sha256, what="weights")
    return from_bytes(data, f"weights {str(path)!r}")


def to_bytes(tensors: Mapping[str, Tensor], what: str = "tensors") -> bytes:
    """``tensors`` as a safetensors file. Raises :class:`StorageError` for what it cannot hold."""
    from safetensors.torch import save as serialize

    dense: dict[str, Tensor] = {}
    storages: set[int] = set()
    size = 0
    for name in sorted(tensors):
        tensor = tensors[name].detach()
        if tensor.layout != torch.strided or tensor.is_meta:
            raise StorageError(f"{what}: {name!r} holds no plain values; expected a dense tensor")
        size += tensor.nbytes
        _require_size(size, what)
        tensor = tensor.cpu().contiguous()
        address = tensor.untyped_storage().data_ptr()
        dense[name] = tensor.clone() if address in storages else tensor
        storages.add(address)
    try:
        # One metadata key only: several are written in random order.
        data = serialize(dense, metadata={"format": "pt"})
    # The serializer is Rust behind Python: KeyError, ValueError, RuntimeError, SafetensorError.
    except Exception as error:
        raise StorageError(f"{what} cannot be written as safetensors: {reason(error)}") from error
    _require_size(len(data), what)
    limits.check_header(data, what)  # what could not be read again is not written
    return data


def _require_size(size: int, what: str) -> None:
    """Before so much memory is taken, and again with the header."""
    if size > limits.FILE_BYTES:
        raise StorageError(
            f"{limits.longer(what, limits.FILE_BYTES)}, the most that zoo reads again; choose a "
            f"smaller network, or an optimizer that keeps less"
        )


def from_bytes(data: bytes, what: str = "tensors") -> dict[str, Tensor]:
    """What :func:`to_bytes` wrote. Raises :class:`StorageError` for anything else.

    The tensors share the memory of ``data``, which the format's own reader would copy: to touch so
    much memory a second time takes longer than all the rest of loading a large network.
    """
    spans = limits.check_header(data, what)
    start = 8 + int.from_bytes(data[:8], "little")
    loaded: dict[str, Tensor] = {}
    for one in spans:
        loaded[one.name] = _tensor(data, start + one.start, one)
    for name, tensor in loaded.items():
        if tensor.dtype == torch.bool and bool((tensor.view(torch.uint8) > 1).any()):
            raise StorageError(f"{what}: tensor {name!r} holds booleans that are neither 0 nor 1")
    return loaded


def _tensor(data: bytes, offset: int, span: limits.Span) -> Tensor:
    dtype = _DTYPES[span.dtype]
    if span.start == span.stop:
        return torch.empty(span.shape, dtype=dtype)
    aligned = offset % dtype.itemsize == 0
    held = data if aligned else data[offset : offset + span.stop - span.start]
    with warnings.catch_warnings():
        # Bytes cannot be written to, says torch. Nobody else has these: whoever trains a network
        # from them changes his own copy.
        warnings.simplefilter("ignore", UserWarning)
        flat = torch.frombuffer(
            held,
            dtype=dtype,
            count=(span.stop - span.start) // dtype.itemsize,
            offset=offset if aligned else 0,
        )
    return flat.view(span.shape)


def check_finite(tensors: Mapping[str, Tensor], what: str) -> None:
    """Raise :class:`StorageError`, naming the first, when some tensor has NaN or infinity."""
    for name, tensor in tensors.items():
        real = torch.view_as_real(tensor) if tensor.is_complex() else tensor
        if not real.is_floating_point():
            continue
        real = real.float() if real.itemsize == 1 else real  # float8 cannot be added up
        # A sum hides nothing and takes a tenth of the time, but it may overflow by itself.
        finite = bool(real.sum().isfinite()) or bool(torch.isfinite(real).all())
        if not finite:
            raise StorageError(f"{what}: tensor {name!r} holds numbers that are not finite")
