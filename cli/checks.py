"""What ``zoo doctor`` looks at, and what it finds wrong."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from zoo.errors import ZooError, missing_path, reason

from .plugins import plugin_rows

LOW_DISK = 2**30  # bytes: a run with its checkpoints and a published copy of it fit in one GiB
SHOWN = ("torch", "torchvision", "numpy", "pillow", "safetensors", "scikit-learn", "pydantic")
HEAVY = ("numpy", "torch", "torchvision")  # imported in earnest: a broken build shows only then


@dataclass(frozen=True)
class Finding:
    """Something wrong, what to do about it, and whether nothing works until then."""

    what: str
    do: str
    blocks: bool = False


@dataclass
class Report:
    """Sections of plain data by name, and every finding."""

    sections: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def blocked(self) -> bool:
        return any(finding.blocks for finding in self.findings)


def examine() -> Report:
    """Look at everything. Never raises for what it is to report."""
    report = Report()
    for name, look in (
        ("versions", _versions),
        ("devices", _devices),
        ("plugins", _plugins),
        ("registries", _registries),
        ("folders", _folders),
    ):
        try:
            report.sections[name] = look(report.findings)
        except Exception as error:  # one section that fails must not hide the others
            report.sections[name] = None
            report.findings.append(
                Finding(f"{name}: {reason(error)}", "this is a bug in zoo or in a plugin")
            )
    return report


def _versions(findings: list[Finding]) -> dict[str, str | None]:
    """Installed versions, against what zoo itself requires."""
    from packaging.requirements import Requirement

    requirements = [Requirement(text) for text in metadata.requires("zoo") or ()]
    for wanted in requirements:
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        have = _version(wanted.name)
        if have is None or not wanted.specifier.contains(have, prereleases=True):
            findings.append(
                Finding(
                    f"{wanted.name} {have or 'is missing'}: zoo needs {wanted}",
                    f"pip install '{wanted}'",
                    blocks=True,
                )
            )
    for module in HEAVY:
        try:
            importlib.import_module(module)
        except Exception as error:
            findings.append(
                Finding(
                    f"{module} cannot be imported: {reason(error)}",
                    "install torch and torchvision from the same index, in versions that belong "
                    "together",
                    blocks=True,
                )
            )
    return {
        "zoo": _version("zoo"),
        "python": platform.python_version(),
        **{name: _version(name) for name in SHOWN},
        "platform": platform.platform(),
    }


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _devices(findings: list[Finding]) -> list[dict[str, Any]]:
    """The CPU, and every accelerator torch can use; memory in GiB."""
    torch = sys.modules.get("torch")
    if torch is None:  # a finding of _versions already
        return []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cpu = {"device": "cpu", "cores": cores, "threads": torch.get_num_threads()}
    found: list[dict[str, Any]] = [cpu]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        gib = round(properties.total_memory / 2**30, 1)
        found.append({"device": f"cuda:{index}", "name": properties.name, "memory_gib": gib})
    if torch.backends.mps.is_available():
        found.append({"device": "mps", "name": platform.processor()})
    return found


def _plugins(findings: list[Finding]) -> list[dict[str, Any]]:
    from zoo.plugins.catalog import catalog
    from zoo.plugins.specs import PLURALS

    installed = catalog()
    for problem in installed.problems:
        findings.append(
            Finding(
                f"plugin {problem.plugin.name!r} of {problem.plugin} is not loaded: {problem.what}",
                f"mend it, or: pip uninstall {problem.plugin.distribution}",
            )
        )
    if not installed.loaded:
        findings.append(Finding("no plugin is loaded", "pip install zoo-basics", blocks=True))
    for kind in PLURALS:
        counted = Counter(component.name for component in installed.components(kind))
        for name in (name for name, count in counted.items() if count > 1):
            try:
                installed.get(kind, name)
            except ZooError as error:
                findings.append(Finding(str(error), "until then, that name cannot be used"))
    return plugin_rows(installed)


def _registries(findings: list[Finding]) -> list[dict[str, Any]]:
    """Every registry that can be named from here, and whether it can be read and written."""
    from zoo.registry.config import registries

    try:
        named = registries()
    except ZooError as error:
        findings.append(Finding(str(error), "correct the file"))
        return []
    rows = []
    for name, place in named.places.items():
        models = None
        try:
            models = len(named.open(name).models())
        except ZooError as error:
            findings.append(Finding(f"registry {name!r}: {error}", "mend or remove its entry"))
        writable = place.folder is None or _writable(place.folder)
        if not writable:
            findings.append(
                Finding(
                    f"registry {name!r}: {str(place.folder)!r} cannot be written",
                    "chmod, or read only",
                )
            )
        rows.append(
            {
                "name": name,
                "default": name == named.default,
                "url": str(place.folder or place.url),
                "models": models,
                "writable": writable and not place.url.startswith("http"),
                "from": str(named.source) if named.source else "built in",
            }
        )
    return rows


def _writable(folder: Path) -> bool:
    """Whether files can be made in ``folder``, or in what will be made to hold it."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK)


def _folders(findings: list[Finding]) -> dict[str, Any]:
    """Where data is looked for and runs are written, and the room there."""
    data = os.environ.get("ZOO_DATA")
    if data and not Path(data).is_dir():
        findings.append(
            Finding(missing_path("$ZOO_DATA", Path(data)), "make the folder, or unset ZOO_DATA")
        )
    here = Path.cwd()
    free = shutil.disk_usage(here).free
    if free < LOW_DISK:
        findings.append(Finding(f"{free / 2**30:.2f} GiB free in {str(here)!r}", "make room"))
    if not os.access(here, os.W_OK):
        findings.append(
            Finding(f"{str(here)!r} cannot be written", "work in a folder of yours, or use --run")
        )
    return {"data": data, "working_folder": str(here), "free_gib": round(free / 2**30, 1)}
