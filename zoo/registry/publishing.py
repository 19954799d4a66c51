"""The protocol of publishing: everything that a version names is durable before it exists.

A version exists when its record does, put where nothing may be yet. Two publishers cannot take one
number; the second one goes on to the next. Nothing needs a lock.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from zoo.errors import RegistryError, ZooError, ZooWarning
from zoo.registry import following, layout, marker, names
from zoo.registry.derived import read_head
from zoo.registry.numbering import newest
from zoo.registry.record import Draft, File, Record
from zoo.registry.tree import Tree, WritableTree
from zoo.storage import limits
from zoo.storage.commit import Staged

# A file given as a function is made when its version's number is known: the card names it.
Late = Callable[[int], bytes]
Source = Path | bytes | Late
Gate = Callable[[Draft, Mapping[str, Path]], None]


def publish(
    tree: WritableTree,
    where: str,
    draft: Draft,
    files: Mapping[str, Source],
    gate: Gate | None = None,
) -> Record:
    """Add a version to ``where`` and return its record, once it is durable.

    ``gate`` is given the copies that will be published, by path (those that are functions are not
    made yet), and raises to refuse them; then nothing is left behind but what collection removes.
    """
    names.check_files(files)
    draft.to_bytes()  # too long a record is refused before anything is written
    marker.prepare(tree, where)
    _last_before(tree, where, draft.model)
    fixed = {path: source for path, source in files.items() if not callable(source)}
    late = {path: source for path, source in files.items() if callable(source)}
    entries = keep(tree, fixed, lambda copies: gate(draft, copies) if gate else None)
    number, prev = _last_before(tree, where, draft.model)
    while True:
        number += 1
        made = {path: make(number) for path, make in late.items()}
        record = _numbered(draft, number, prev, entries + keep(tree, made))
        data = record.to_bytes()
        if _taken(tree, layout.version(draft.model, number), data):
            number, prev = _last_before(tree, where, draft.model, number)
            continue
        _keep_again(tree, record, {**fixed, **made})
        follow(tree, record)
        return record


def adopt(
    tree: WritableTree, where: str, record: Record, files: Mapping[str, Path | bytes]
) -> bool:
    """Add ``record`` of another registry as it is, to the byte, if it is the next one here; else
    False, and nothing is published. Raises :class:`RegistryError` when ``files`` are others.
    """
    marker.prepare(tree, where)
    if _last_before(tree, where, record.model) != (record.version - 1, record.prev):
        return False
    if keep(tree, files) != list(record.files):
        raise other_files(record)
    if _taken(tree, layout.version(record.model, record.version), record.to_bytes()):
        return False
    _keep_again(tree, record, files)
    follow(tree, record)
    return True


def other_files(record: Record) -> RegistryError:
    return RegistryError(f"{record}: its files are not those that its record names")


def follow(tree: WritableTree, record: Record) -> None:
    """What is derived may lag behind: the version is there all the same, so this only warns."""
    try:
        following.follow(tree, record.model)
    except ZooError as error:
        warnings.warn(
            f"{record.model}@{record.version} is published, but readers that go by the index do "
            f"not see it yet: {error}; then type: zoo registry repair",
            ZooWarning,
            stacklevel=2,
        )


def _last_before(tree: Tree, where: str, model: str, known: int = 0) -> tuple[int, str | None]:
    """(number, sha256 of the record) of the newest version; (0, None) when there is none. Raises
    :class:`RegistryError` when another model has the folder."""
    number = newest(tree, layout.versions(model), known or _hinted(tree, model))
    if not number:
        return 0, None
    path = layout.version(model, number)
    data = tree.read(path, limits.RECORD_BYTES)
    if data is None:
        raise RegistryError(f"{path} of {where} is gone; type: zoo registry verify")
    other = Record.from_bytes(data, f"model {model!r} version {number}").model
    if other != model:
        raise RegistryError(
            f"model name {model!r} is too like {other!r}, which is in {where}; publish a version "
            f"of {other!r}, or choose another name"
        )
    return number, hashlib.sha256(data).hexdigest()


def _hinted(tree: Tree, model: str) -> int:
    try:
        head = read_head(tree, model)
    except ZooError:  # derived, so it may be damaged: then the versions are listed
        return 0
    return head.newest if head else 0


def keep(
    tree: WritableTree,
    sources: Mapping[str, Path | bytes],
    look: Callable[[dict[str, Path]], None] = lambda copies: None,
) -> list[File]:
    """Stage, let ``look`` refuse the copies, then make them blobs."""
    staged: dict[str, Staged] = {}
    try:
        for path, source in sources.items():
            staged[path] = tree.stage(source)
        look({path: one.path for path, one in staged.items()})
        for one in staged.values():
            tree.keep(one)
    finally:
        for one in staged.values():
            tree.discard(one)
    return [{"path": path, "sha256": one.sha256, "size": one.size} for path, one in staged.items()]


def _taken(tree: WritableTree, path: str, data: bytes) -> bool:
    try:
        tree.create(path, data)
    except FileExistsError:
        return True
    return False


def _keep_again(tree: WritableTree, record: Record, sources: Mapping[str, Path | bytes]) -> None:
    """A collection that began before the record was there may have taken a blob away."""
    for file in record.files:
        if not tree.exists(layout.blob(file["sha256"])):
            again = keep(tree, {file["path"]: sources[file["path"]]})
            if again != [file]:
                raise RegistryError(
                    f"{record} is published, but its file {file['path']!r} was removed meanwhile "
                    f"and has changed since; publish again, and yank this version"
                )


def _numbered(draft: Draft, number: int, prev: str | None, files: list[File]) -> Record:
    return Record.of(
        **draft.model_dump(mode="json"),
        version=number,
        prev=prev,
        created=now(),
        files=sorted(files, key=lambda file: file["path"]),
    )


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
