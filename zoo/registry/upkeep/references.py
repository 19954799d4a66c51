"""Which files the versions of a registry name: all versions, yanked ones and members of ensembles
too, for whoever pins one may ask for it."""

from __future__ import annotations

import functools

from zoo.errors import RegistryError, ZooError
from zoo.registry import layout, names, numbering
from zoo.registry.derived import lost
from zoo.registry.places.reads import read_all
from zoo.registry.record import Record
from zoo.registry.tree import KeptTree
from zoo.registry.upkeep.walking import is_folder
from zoo.storage import limits


class References:
    """``blobs``: the digests that the versions known so far name."""

    def __init__(self, tree: KeptTree) -> None:
        self._tree = tree
        self._newest: dict[str, int] = {}
        self.blobs: set[str] = set()
        self._check_folders()
        self.look_again()

    def look_again(self) -> None:
        """Take in what was published since. Raises :class:`RegistryError` for a version that is
        missing or cannot be read: what it names is not known, so nothing may be removed."""
        for folder in self._tree.names(layout.MODELS):
            if not names.is_name(folder):
                continue
            known = self._newest.get(folder, 0)
            newest = numbering.newest(self._tree, layout.versions(folder), known or 1)
            self._take_in(folder, known, newest)
            self._newest[folder] = newest

    def _take_in(self, folder: str, known: int, newest: int) -> None:
        place = functools.partial(layout.version, folder)
        numbers = range(known + 1, newest + 1)
        for number, path, data in read_all(self._tree, numbers, place, limits.RECORD_BYTES):
            try:
                if isinstance(data, ZooError):
                    raise data
                if data is None:
                    raise lost(self._tree, path, "it is missing")
                record = Record.from_bytes(data, f"model {folder!r} version {number}")
            except ZooError as error:
                raise RegistryError(
                    f"{error}; until then nothing is removed, for it may name any file"
                ) from error
            self.blobs.update(file["sha256"] for file in record.files)

    def _check_folders(self) -> None:
        for entry in self._tree.entries(layout.MODELS):
            known = names.is_name(entry.name) and names.fold(entry.name) == entry.name
            if is_folder(entry) and not known:
                raise RegistryError(
                    f"{layout.MODELS}/{entry.name} is the folder of no model, and what is in it "
                    f"may name files; move it elsewhere; until then nothing is removed"
                )
