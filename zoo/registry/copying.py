"""Publish a version of one registry in another: as it is, to the byte, where it can be.

The copy is the very record, with the same number and digest, where the other registry stands at the
version before it. Elsewhere it takes the next number there, with the same content. The members of
an ensemble come along, and are named by the digests they have there.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import RegistryError, ZooWarning
from zoo.registry import layout, publishing
from zoo.registry.cards.card_text import CARD_BYTES
from zoo.registry.config import find, open_registry
from zoo.registry.names import Reference
from zoo.registry.places import cache
from zoo.registry.places.folder_tree import FolderTree
from zoo.registry.record import CARD, Draft, Record
from zoo.registry.store import Registry
from zoo.storage import limits, reading

_NUMBERED = ("format", "version", "prev", "created", "files")  # what a draft has not
_DEPTH = 8  # of ensembles whose members are ensembles


def copy(source: Registry, record: Record, target: Registry) -> Record:
    """The record in ``target`` that is ``record`` of ``source``, published unless it is there.
    Raises :class:`RegistryError` when it cannot be; versions that were copied before stay."""
    if source.tree.url == target.tree.url:
        raise RegistryError(f"{record} is in {target} already; choose another registry with --to")
    return _copy(source, record, target, {}, 0)


def copy_named(reference: str, to: str | None) -> tuple[Record, bool]:
    """Copy the version that ``reference`` means to the registry named ``to``, by default the
    default one: (its record there, whether it is new there)."""
    (source, parsed), target = find(reference), open_registry(to)
    record = source.record(parsed)
    before = _newest(target, record)
    copied = copy(source, record, target)
    return copied, before is None or copied.version > before.version


def _copy(
    source: Registry, record: Record, target: Registry, done: dict[str, Record], depth: int
) -> Record:
    """``done``: what was copied already, by the digest in ``source``: many ensembles may share a
    member."""
    if depth > _DEPTH:
        raise RegistryError(f"{record}: its ensembles are nested deeper than {_DEPTH}")
    digest = source.digest(record)
    if digest not in done:
        done[digest] = _copy_one(source, record, target, done, depth)
    return done[digest]


def _copy_one(
    source: Registry, record: Record, target: Registry, done: dict[str, Record], depth: int
) -> Record:
    there = _newest(target, record)
    if there is not None and _same(source, record, target):
        _mend(source, record, target)
        return record
    fields = record.model_dump(mode="json")
    changed = False
    for member in (record.ensemble or {"members": []})["members"]:
        found = source.record(Reference(member["model"], digest=member["digest"]))
        copied = _copy(source, found, target, done, depth + 1)
        digest = target.digest(copied)
        changed = changed or (copied.version, digest) != (member["version"], member["digest"])
        fields["ensemble"]["members"][_place(fields, member)] = {
            "model": copied.model, "version": copied.version, "digest": digest,
        }  # fmt: skip
    # They are hashed again while they are copied.
    files = {file["path"]: _brought(source, record, file["path"]) for file in record.files}
    tree = target.writable()
    canonical = hashlib.sha256(record.to_bytes()).hexdigest() == source.digest(record)
    if canonical and not changed and publishing.adopt(tree, str(target), record, files):
        return record
    if there is not None and not changed and _content(source, record) == _content(target, there):
        return there
    draft = Draft.of(**{key: value for key, value in fields.items() if key not in _NUMBERED})
    gate: publishing.Gate = lambda _, copies: _require_own(record, copies)  # noqa: E731
    return target.publish(draft, {**files, **_card(source, record)}, gate)


def _brought(source: Registry, record: Record, path: str) -> Path:
    """The bytes may be the record's, and yet made to harm whoever reads them: such a version is not
    passed on."""
    place = source.bring_file(record, path)
    if path.endswith(".safetensors"):
        reading.check_header(place, f"{path} of {record},")
    return place


def _require_own(record: Record, copies: Mapping[str, Path]) -> None:
    """Others may write where the files were compared before they were copied."""
    for file in record.files:
        if file["path"] in copies and not cache.holds(
            copies[file["path"]], file["sha256"], file["size"]
        ):
            raise publishing.other_files(record)


def _newest(target: Registry, record: Record) -> Record | None:
    """The newest version there of its model."""
    try:
        number = target.newest(record.model)
    except RegistryError:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ZooWarning)  # that it was yanked
        return target.record(Reference(record.model, version=number))


def _same(source: Registry, record: Record, target: Registry) -> bool:
    """Whether the very record is there under its own number."""
    path = layout.version(record.model, record.version)
    data = target.tree.read(path, limits.RECORD_BYTES)
    return data is not None and hashlib.sha256(data).hexdigest() == source.digest(record)


def _content(registry: Registry, record: Record) -> dict[str, Any]:
    """All that it says but for its number, which its card tells, too."""
    plain = record.model_dump(mode="json", exclude=set(_NUMBERED))
    plain["files"] = [file for file in record.files if file["path"] != CARD]
    card = _card(registry, record).get(CARD)
    plain["card"] = card(0) if callable(card) else None
    return plain


def _mend(source: Registry, record: Record, target: Registry) -> None:
    """Put files anew that are damaged there, or gone. In a place that is not a folder they are not
    compared, only missed."""
    tree = target.writable()
    for file in record.files:
        path = layout.blob(file["sha256"])
        whole = (
            cache.holds(tree.root / path, file["sha256"], file["size"])
            if isinstance(tree, FolderTree)
            else tree.exists(path)
        )
        if not whole:
            publishing.keep(tree, {file["path"]: _brought(source, record, file["path"])})


def _place(fields: Mapping[str, Any], member: Mapping[str, Any]) -> int:
    members: list[Any] = fields["ensemble"]["members"]
    return members.index(dict(member))


def _card(source: Registry, record: Record) -> dict[str, publishing.Source]:
    """Its card with the number it gets."""
    if all(file["path"] != CARD for file in record.files):
        return {}
    size = record.file(CARD)["size"]
    if size > CARD_BYTES:
        raise RegistryError(f"{record}: its card has {size} bytes; at most {CARD_BYTES} are taken")
    card = source.read_file(record, CARD)
    # Not a part of another name or number: cards tell of other versions, too.
    own = rb"(?<![\w.-])" + re.escape(f"{record.model}@{record.version}".encode()) + rb"(?!\d)"
    return {CARD: lambda number: re.sub(own, f"{record.model}@{number}".encode(), card)}
