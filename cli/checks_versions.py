"""What ``zoo doctor`` says of Python and the libraries."""

from __future__ import annotations

import importlib
import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

from zoo.errors import reason

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from .checks import Finding

# Imported in earnest: a broken build shows only then. Not torchvision, which takes as long again.
HEAVY = ("numpy", "torch")
_OF_DEVELOPERS = ("test", "check")
_PAIR = ("torch", "torchvision")
_TOGETHER = (
    "install torch and torchvision from the same index, in versions that belong together"
)  # fmt: skip


def environment(findings: list[Finding]) -> dict[str, Any]:
    return {
        "zoo": version("zoo"),
        "python": platform.python_version(),
        "executable": sys.executable,
        "virtual environment": sys.prefix != sys.base_prefix,
        "platform": platform.platform(),
    }


def libraries(findings: list[Finding]) -> list[dict[str, Any]]:
    """Each that zoo or an installed plugin asks for, its version, and those that are supported.
    Optional ones are rows only where they are installed."""
    rows: dict[str, dict[str, Any]] = {}
    for owner, wanted, extra in _requirements():
        have = version(wanted.name)
        if extra and have is None:
            continue
        fits = have is not None and wanted.specifier.contains(have, prereleases=True)
        row = rows.setdefault(
            wanted.name.lower(),
            {"library": wanted.name.lower(), "installed": have, "supported": "", "for": []},
        )
        if owner not in row["for"]:
            row["for"].append(owner)
        row["supported"] = row["supported"] or str(wanted.specifier)
        if not fits:
            _misfit(findings, owner, wanted, have, blocks=owner == "zoo" and not extra)
    _pair(findings)
    for module in HEAVY:
        try:
            importlib.import_module(module)
        except Exception as error:
            what = f"{module} cannot be imported: {reason(error)}"
            _add(findings, what, _TOGETHER if module in _PAIR else f"pip install {module}", True)
    return sorted(rows.values(), key=lambda row: str(row["library"]))


def version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _requirements() -> list[tuple[str, Requirement, bool]]:
    """(whose, what, whether only for an extra), of zoo and of the plugins."""
    from packaging.requirements import Requirement

    from zoo.plugins.loading import installed

    owners = ["zoo", *(point.dist.name for point in installed() if point.dist is not None)]
    found = []
    for owner in dict.fromkeys(owners):
        for text in metadata.requires(owner) or ():
            wanted = Requirement(text)
            if wanted.name.lower().startswith("zoo"):
                continue
            extras = ["", *(_extras(owner) if wanted.marker is not None else ())]
            marker = wanted.marker
            fit = [one for one in extras if marker is None or marker.evaluate({"extra": one})]
            if fit:
                found.append((owner, wanted, "" not in fit))
    return found


def _extras(owner: str) -> list[str]:
    """Those for users, not for who works on it."""
    named = metadata.metadata(owner).get_all("Provides-Extra") or []
    return [one for one in named if one not in _OF_DEVELOPERS]


def _misfit(
    findings: list[Finding], owner: str, wanted: Requirement, have: str | None, *, blocks: bool
) -> None:
    asked = f"{wanted.name}{wanted.specifier}"
    what = f"{wanted.name} {have or 'is missing'}: {owner} needs {asked}"
    _add(findings, what, f"pip install '{asked}'", blocks)


def _pair(findings: list[Finding]) -> None:
    """Whether torchvision was made for this torch."""
    from packaging.requirements import Requirement

    torch, vision = (version(name) for name in _PAIR)
    if torch is None or vision is None:
        return
    wanted = [Requirement(text) for text in metadata.requires("torchvision") or ()]
    for one in (one for one in wanted if one.name == "torch"):
        if not one.specifier.contains(torch, prereleases=True):
            what = f"torchvision {vision} needs torch{one.specifier}, and torch is {torch}"
            _add(findings, what, _TOGETHER, True)
    builds = [one.partition("+")[2] for one in (torch, vision)]
    if all(builds) and builds[0] != builds[1]:
        what = f"torch {torch} and torchvision {vision} are of different builds"
        _add(findings, what, _TOGETHER, True)


def _add(findings: list[Finding], what: str, do: str, blocks: bool) -> None:
    from .checks import Finding

    findings.append(Finding(what, do, blocks=blocks))
