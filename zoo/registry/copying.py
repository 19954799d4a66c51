"""Publish a version of one registry in another: as it is, to the byte, where it can be.

The copy is the very record, with the same number and digest, where the other registry stands at the
version before it. Elsewhere it takes the next number there, with the same content. The members of
an ensemble come along, and are named by the digests they have there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from zoo.errors import RegistryError, ZooError
from zoo.registry import publishing
from zoo.registry.names import Reference
from zoo.registry.record import CARD, Draft, Record
from zoo.registry.store import Registry

_NUMBERED = ("format", "version", "prev", "created", "files")  # what a draft has not
_DEPTH = 8  # of ensembles whose members are ensembles


def copy(source: Registry, record: Record, target: Registry) -> Record:
    """The record in ``target`` that is ``record`` of ``source``, published unless it is there.
    Raises :class:`RegistryError` when it cannot be; versions that were copied before stay."""
    if source.tree.url == target.tree.url:
        raise RegistryError(f"{record} is in {target} already; choose another registry with --to")
    return _copy(source, record, target, 0)


def _copy(source: Registry, record: Record, target: Registry, depth: int) -> Record:
    if depth > _DEPTH:
        raise RegistryError(f"{record}: its ensembles are nested deeper than {_DEPTH}")
    there = _there(target, record, source.digest(record))
    if there is not None:
        return there
    fields = record.model_dump(mode="json")
    changed = False
    for member in (record.ensemble or {"members": []})["members"]:
        found = source.record(Reference(member["model"], digest=member["digest"]))
        copied = _copy(source, found, target, depth + 1)
        digest = target.digest(copied)
        changed = changed or (copied.version, digest) != (member["version"], member["digest"])
        fields["ensemble"]["members"][_place(fields, member)] = {
            "model": copied.model, "version": copied.version, "digest": digest,
        }  # fmt: skip
    # They are hashed again while they are copied.
    files = {file["path"]: source.bring_file(record, file["path"]) for file in record.files}
    tree = target.writable()
    canonical = hashlib.sha256(record.to_bytes()).hexdigest() == source.digest(record)
    if canonical and not changed and publishing.adopt(tree, str(target), record, files):
        return record
    draft = Draft.of(**{key: value for key, value in fields.items() if key not in _NUMBERED})
    return target.publish(draft, {**files, **_card(source, record)})


def _there(target: Registry, record: Record, digest: str) -> Record | None:
    """The same record, or the newest one there if it is the same but for its number."""
    try:
        number = target.newest(record.model)
        for version in {min(number, record.version), number}:
            found = target.record(Reference(record.model, version=version))
            if target.digest(found) == digest or _content(found) == _content(record):
                return found
    except ZooError:  # no such model yet, or a damaged one: publishing says what is wrong
        return None
    return None


def _content(record: Record) -> dict[str, Any]:
    plain = record.model_dump(mode="json", exclude=set(_NUMBERED))
    plain["files"] = [file for file in record.files if file["path"] != CARD]
    return plain


def _place(fields: Mapping[str, Any], member: Mapping[str, Any]) -> int:
    members: list[Any] = fields["ensemble"]["members"]
    return members.index(dict(member))


def _card(source: Registry, record: Record) -> dict[str, publishing.Source]:
    """Its card with the number it gets."""
    if all(file["path"] != CARD for file in record.files):
        return {}
    card = source.read_file(record, CARD)
    old = f"{record.model}@{record.version}".encode()
    return {CARD: lambda number: card.replace(old, f"{record.model}@{number}".encode())}
