"""Which device to compute on, and what a run says of the machine."""

from __future__ import annotations

import platform
import re

import torch

from zoo.errors import TrainingError


def choose_device(name: str) -> torch.device:
    """``auto`` takes cuda, then mps, then cpu. Raises :class:`TrainingError` when the named device
    is not there: nothing falls back silently."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", name):
        raise TrainingError(f"device {name!r}: expected 'auto', 'cpu', 'cuda', 'cuda:N' or 'mps'")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise TrainingError(
            f"device {name!r}: torch sees {torch.cuda.device_count()} CUDA devices; see: zoo doctor"
        )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise TrainingError(f"device {name!r} is not available here; see: zoo doctor")
    return device


def describe(device: torch.device) -> str:
    """``NVIDIA H200``, or the processor's architecture."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{device.type} ({platform.machine()})"
