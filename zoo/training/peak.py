"""How much memory training takes at most, asked for without waiting for the device."""

from __future__ import annotations

import sys
from typing import Any

import torch

resource: Any
try:
    import resource
except ImportError:  # Windows does not tell a process its own peak
    resource = None


def restart(device: torch.device) -> None:
    """Count anew, where that is possible: on CUDA."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak(device: torch.device) -> int | None:
    """Bytes. CUDA: the most that tensors had at once since :func:`restart`, of this process; MPS:
    what it holds now; CPU: the most that this process ever had, the interpreter and the data in
    memory included. None where nobody knows."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if device.type == "mps":
        return int(torch.mps.driver_allocated_memory())
    if device.type != "cpu" or resource is None:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit
