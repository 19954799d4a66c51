"""Which models a place holds.

A model's folder has its folded name; the exact one stands in its records and what is derived.
"""

from __future__ import annotations

from zoo.errors import RegistryError
from zoo.registry import derived, layout, marker, names
from zoo.registry.record import Record
from zoo.registry.tree import Tree
from zoo.storage import limits


def every(tree: Tree) -> list[str]:
    """The names of all models that have a version, sorted. Raises :class:`RegistryError` for a
    server that has neither a catalog nor a registry: most likely its address is wrong."""
    if not tree.listed:
        found = derived.read_catalog(tree)
        if not found and not marker.check(tree, repr(tree.url)):
            raise RegistryError(
                f"{tree.url!r} is no registry: it has no {layout.MARKER}; check its url in "
                f"registry.toml"
            )
        return sorted(found)
    try:
        known = {names.fold(name): name for name in derived.read_catalog(tree)}
    except RegistryError:  # derived: what it says is only a short cut
        known = {}
    there = (known.get(one) or name_in(tree, one) for one in tree.names(layout.MODELS))
    return sorted(name for name in there if name)


def some(tree: Tree, start: int, most: int | None) -> tuple[list[str], int]:
    """(names, how many there are): ``most`` of :func:`every`, from the ``start``-th on. In a folder
    this costs a listing and as many files as names, so a first page is quick among 100,000; there,
    a folder that a killed publisher left without a version counts too."""
    if not tree.local:
        models = every(tree)
        return models[start:][:most], len(models)
    folders = sorted(tree.names(layout.MODELS))
    found = (name_in(tree, one) for one in folders[start:][:most])
    return [name for name in found if name], len(folders)


def name_in(tree: Tree, folder: str) -> str | None:
    """The exact name of the model in a folder; None where there is no version in it."""
    if not names.is_name(folder) or not tree.exists(layout.version(folder, 1)):
        return None
    try:
        head = derived.read_head(tree, folder)
    except RegistryError:
        head = None
    if head:
        return head.model
    data = tree.read(layout.version(folder, 1), limits.RECORD_BYTES) or b""
    try:
        return Record.from_bytes(data, f"model {folder!r}").model
    except RegistryError:
        return folder
