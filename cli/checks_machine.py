"""What ``zoo doctor`` says of processors, memory and variables."""

from __future__ import annotations

import difflib
import os
import platform
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from zoo.errors import did_you_mean

if TYPE_CHECKING:
    from .checks import Finding

LOW_MEMORY = 2**30  # bytes: libraries alone take half of that
GIB = 2**30
OWN = {
    "ZOO_CACHE": "what can be made or fetched again",
    "ZOO_CONFIG_DIR": "the folder of the user's registry.toml",
    "ZOO_DATA": "where datasets' files are looked for",
    "ZOO_PLUGINS": "the plugins that are loaded, no others",
    "ZOO_WEIGHTS": "published weights that were put there by hand",
    "ZOO_WEIGHTS_MIRROR": "asked for published weights instead of their own server",
}
# Of libraries; others that begin so are shown by name alone, for they may hold secrets.
_SHOWN = {
    "CUDA_VISIBLE_DEVICES", "HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE",
    "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT", "MKL_NUM_THREADS", "MLFLOW_TRACKING_URI",
    "OMP_NUM_THREADS", "RANK", "TORCH_HOME", "WANDB_MODE", "WORLD_SIZE",
}  # fmt: skip
_MISSPELT = 0.85  # likeness of names; people choose others that begin with ZOO_ for secrets
_BEGIN = ("AWS_", "CUDA_", "HF_", "MLFLOW_", "NCCL_", "TORCH_", "WANDB_", "ZOO_")


def devices(findings: list[Finding]) -> list[dict[str, Any]]:
    """The CPU, and every accelerator torch can use."""
    from .checks import Finding

    if "torch" not in sys.modules:  # a finding of libraries already
        return []
    import torch

    from zoo.runs.environment import cores
    from zoo.training.precision import has_bf16_instructions

    threads, usable = torch.get_num_threads(), cores()
    cpu = {
        "device": "cpu",
        "name": _processor(),
        "cores": usable,
        "threads": threads,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "bf16": "native" if has_bf16_instructions() else "emulated",
    }
    if threads > usable:
        findings.append(
            Finding(
                f"torch uses {threads} threads on {usable} cores",
                f"unset OMP_NUM_THREADS, or train with --threads {usable}",
            )
        )
    found: list[dict[str, Any]] = [cpu]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        found.append(
            {
                "device": f"cuda:{index}",
                "name": properties.name,
                "memory_gib": round(properties.total_memory / GIB, 1),
                "instructions": f"compute {properties.major}.{properties.minor}",
                "bf16": "native" if properties.major >= 8 else "emulated",
            }
        )
    if torch.backends.mps.is_available():
        found.append({"device": "mps", "name": platform.processor()})
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") is not None
    if not torch.cuda.is_available() and not hidden and Path("/dev/nvidia0").exists():
        findings.append(
            Finding(
                f"there is an NVIDIA GPU, which torch {torch.__version__} cannot use",
                "install a build of torch for CUDA, and the driver that it needs",
            )
        )
    return found


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    named = re.search(r"^model name\s*: (.+)$", text, re.M)
    return named[1] if named else platform.machine()


def memory(findings: list[Finding]) -> dict[str, Any]:
    """Of the host, or what a container may take of it."""
    from .checks import Finding

    if "torch" not in sys.modules:  # a finding of libraries already
        return {}
    import torch

    from zoo.data.device import free_memory

    free = free_memory(torch.device("cpu"))
    if free < LOW_MEMORY:
        findings.append(
            Finding(
                f"{free / GIB:.2f} GiB of memory are free",
                "end other programs, or train with --batch-size auto",
            )
        )
    return {"free_gib": round(free / GIB, 1)}


def variables(findings: list[Finding]) -> list[dict[str, Any]]:
    """Those set that change what zoo and its libraries do. A value is shown only where it is known
    to be no secret."""
    from .checks import Finding

    rows = []
    secrets = _of_registries()
    for name, value in sorted(os.environ.items()):
        proxy = name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
        if not (name in _SHOWN or proxy or name.startswith(_BEGIN)) or not value:
            continue
        shown = name in OWN or name in _SHOWN or proxy
        does = OWN.get(name, "a secret that registry.toml names" if name in secrets else "")
        rows.append({"name": name, "value": _plain(value) if shown else "set", "does": does})
        near = difflib.get_close_matches(name, OWN, n=1, cutoff=_MISSPELT)
        if near and name not in OWN and name not in secrets:
            what = f"{name} is set, which zoo does not know{did_you_mean(near[0])}"
            findings.append(Finding(what, f"rename it, or unset {name}"))
    for name in sorted(secrets):
        if not os.environ.get(name):
            what = f"{name}, which registry.toml names, is not set"
            findings.append(Finding(what, f"export {name}=... before using that registry"))
    return rows


def _of_registries() -> set[str]:
    from zoo.errors import ZooError
    from zoo.registry.config import registries

    try:
        places = registries().places.values()
    except ZooError:  # a finding of registries already
        return set()
    named: list[Mapping[str, Any]] = [place.options for place in places]
    return {value for options in named for key, value in options.items() if key.endswith("_env")}


def _plain(value: str) -> str:
    """Without the user and password that an address may have."""
    parts = urlsplit(value) if "://" in value else None
    return "set" if parts is not None and "@" in parts.netloc else value
