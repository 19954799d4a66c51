"""Which device to compute on, what is free there, how tensors get there, what a run says of it."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import torch
from torch import Tensor

from zoo.errors import TrainingError
from zoo.tasks import SEGMENTATION, Task

# Images at once where nothing is trained: on a CPU more of them leave the cache.
_IMAGES = {"cpu": 128, "mps": 512, "cuda": 1024}
# Where every pixel is answered, so many: a U-Net of width 64 takes about 1 kB for each.
_PIXELS = {"cpu": 1 << 20, "mps": 1 << 21, "cuda": 1 << 23}


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


def free_memory(device: torch.device) -> int:
    """Bytes that can be had now: on the device, or of the host without swapping, where a container
    may have less than the machine. 4 GiB where the system does not say."""
    if device.type == "cuda":
        # What torch keeps in its cache for later is as good as free.
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + kept
    if device.type == "mps":
        return max(0, torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    meminfo = _fields(Path("/proc/meminfo"))
    free = meminfo.get("MemAvailable:", 4 << 20) * 1024
    left = _left_to_container(Path("/sys/fs/cgroup"))
    return free if left is None else min(free, left)


def _left_to_container(folder: Path) -> int | None:
    """Bytes up to a cgroup's limit (version 2 or 1); None where there is none."""
    for limit, used, stat, file_pages in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        (
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/memory.stat",
            "total_inactive_file",
        ),
    ):
        try:
            most = int((folder / limit).read_text())
            now = int((folder / used).read_text())
        except (OSError, ValueError):  # not there, or "max"
            continue
        # Pages of files that nobody used lately are given up before anything fails.
        return max(0, most - now + _fields(folder / stat).get(file_pages, 0))
    return None


def _fields(path: Path) -> dict[str, int]:
    """``name number ...`` lines; nothing where there is no such file."""
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {line[0]: int(line[1]) for line in lines if len(line) > 1 and line[1].isdigit()}


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """``tensor`` on the device. To CUDA from page-locked memory, so that nothing waits: a copy from
    other memory waits for all that the device has still to do. torch gives page-locked memory out
    again only once the copies from it are done."""
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    locked = tensor if tensor.is_pinned() else tensor.pin_memory()
    return locked.to(device, non_blocking=True)


def images_at_once(device: torch.device, task: Task, size: tuple[int, int]) -> int:
    """How many images of ``size`` a batch holds that is only evaluated."""
    images = _IMAGES[device.type]
    if task.kind != SEGMENTATION:
        return images
    height, width = size
    # A plane of logits and one of probabilities for each output, beside the network's own.
    share = _PIXELS[device.type] // (height * width * max(1, task.outputs // 16))
    return max(1, min(images, share))
