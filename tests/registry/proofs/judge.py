"""Look at a registry after something went wrong: what is wrong with it, and what is lost."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

from zoo.errors import ZooError, ZooWarning
from zoo.registry.store import Registry
from zoo.registry.upkeep import verify
from zoo.registry.upkeep.findings import Report
from zoo.registry.upkeep.repair import repair

LEFT = ("unfinished file", "that no version named")  # what gc removes; nothing is wrong


def looked(registry: Registry) -> Report:
    return verify.verify(registry.tree, str(registry))


def wrong(registry: Registry, allowed: frozenset[str] = frozenset()) -> list[str]:
    """A line for each version, file, state or derived file that is not right. ``allowed``: paths
    that were wrong before."""
    if not registry.tree.exists("zoo-registry.json"):  # none yet: it has no versions
        return [f"{path} is in no registry" for path in acknowledged(registry.tree.root)]
    try:
        return [str(one) for one in looked(registry).errors if one.path not in allowed]
    except ZooError as error:  # not even a registry
        return [str(error)]


def acknowledged(root: Path) -> dict[str, str]:
    """sha256 of every record and state, by path: what nothing may change or lose."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in ("versions", "state")
        for path in root.glob(f"models/*/{part}/[1-9]*.json")
    }


def lost(root: Path, before: dict[str, str]) -> list[str]:
    now = acknowledged(root)
    return [f"{path} is lost or changed" for path in before if now.get(path) != before[path]]


def mended(registry: Registry) -> list[str]:
    """What is still wrong, lagging or left after a repair, but for leftovers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZooWarning)
        left = repair(registry.tree, str(registry)).left
    said = [*left, *looked(registry).findings]
    return [str(one) for one in said if not any(word in one.what for word in LEFT)]
