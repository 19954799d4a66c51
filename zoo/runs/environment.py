"""What a run and a record say of the software and the machine: versions, no names, no paths."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

import torch
from packaging.requirements import Requirement

from zoo.data.device import describe
from zoo.plugins.catalog import Component

_PACKAGES = ("zoo", "torch", "torchvision", "numpy", "pillow", "safetensors")


def cores(sharing: int = 1) -> int:
    """The processors this process may use, one of ``sharing`` that use them."""
    affinity = getattr(os, "sched_getaffinity", None)
    found = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, found // sharing)


def environment(device: torch.device) -> dict[str, Any]:
    """``timm`` is None where it is not installed. The kernel's name for itself, which
    ``platform.platform()`` would give too, may hold that of the machine it was built on."""
    library = " ".join(platform.libc_ver()).strip()
    return {
        "python": platform.python_version(),
        "platform": " ".join(filter(None, (platform.system(), platform.machine(), library))),
        "device": describe(device),
        "threads": torch.get_num_threads(),
        **{name: version(name) for name in _PACKAGES},
        "timm": _installed("timm"),
    }


def version(distribution: str) -> str:
    return _installed(distribution) or "unknown"


def _installed(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def plugin_record(component: Component) -> dict[str, Any]:
    """Which distribution must be there to build a component again, and what it built upon: the
    installed versions of the libraries that the distribution itself requires."""
    plugin = component.plugin
    required = (Requirement(line) for line in _requires(plugin.distribution))
    names = {one.name for one in required if not one.marker or one.marker.evaluate({"extra": ""})}
    return {
        "entry": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "libraries": {name: version(name) for name in sorted(names - {"zoo"})},
    }


def _requires(distribution: str) -> list[str]:
    try:
        return metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return []
