"""Whether a registry is whole: every file that its versions name is there, and is what they say.

Over any place. Where all can be listed, gaps, strays and what a killed publisher left are seen too.
"""

from __future__ import annotations

from collections.abc import Callable

from zoo.registry import layout, marker, names
from zoo.registry.derived import RESTORE
from zoo.registry.tree import KeptTree, Tree
from zoo.registry.upkeep.findings import Report
from zoo.registry.upkeep.verify_catalog import Catalog
from zoo.registry.upkeep.verify_derived import Verified
from zoo.registry.upkeep.verify_files import verify_blobs
from zoo.registry.upkeep.verify_model import verify_model
from zoo.registry.upkeep.verify_strays import look_for_strays

Step = Callable[[str, int, int], None]  # what is done, how much, and of how much


def verify(tree: Tree, where: str, *, fast: bool = False, progress: Step | None = None) -> Report:
    """``fast``: sizes are compared, contents are not hashed. Raises :class:`ZooError` only when
    nothing can be looked at: no registry, one of a later format, or no connection."""
    report = Report()
    step = progress or (lambda what, done, of: None)
    if not marker.check(tree, where):
        report.error(layout.MARKER, "it is missing, so this is no registry; see: zoo registry init")
        return report
    catalog = Catalog(tree, report)
    folders = _folders(tree, catalog, report)
    found: dict[str, Verified] = {}
    for done, folder in enumerate(folders):
        step("models", done, len(folders))
        found[folder] = verify_model(tree, folder, report)
    step("models", len(folders), len(folders))
    report.models = sum(bool(one.newest) for one in found.values())
    _check_members(found, report)
    catalog.compare(found, report)
    files = [file for one in found.values() for file in one.files]
    verify_blobs(tree, files, report, fast=fast, step=step)
    if isinstance(tree, KeptTree):
        look_for_strays(tree, report)
    return report


def _folders(tree: Tree, catalog: Catalog, report: Report) -> list[str]:
    """The folded names of models; whatever else stands among them is told."""
    if not tree.listed:
        return sorted({names.fold(name) for name in catalog.listed})
    folders, others = set(), []
    for name in sorted(tree.names(layout.MODELS)):
        if names.is_name(name) and names.fold(name) == name:
            folders.add(name)
        else:
            others.append(name)
    for name in others:
        like = names.fold(name.lower())
        what = f"is a look-alike of {like!r}" if like in folders else "is the folder of no model"
        report.error(f"{layout.MODELS}/{name}", f"it {what}; nothing of zoo's makes such a one")
    return sorted(folders)


def _check_members(found: dict[str, Verified], report: Report) -> None:
    """The members of ensembles are here, as they were."""
    for one in found.values():
        for path, model, version, digest in one.members:
            other = found.get(names.fold(model))
            there = other.records.get(version) if other and other.name == model else None
            if there is None:
                what = f"its member {model}@{version} is not here, so it cannot be loaded"
                report.error(path, f"{what}; publish that one here too")
            elif there[0] != digest:
                what = f"its member {model}@{version} is another one than it was"
                report.error(path, f"{what}; {RESTORE}")
