"""Bring a version to this machine, with the members of an ensemble: what ``zoo pull`` does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from zoo.errors import RegistryError
from zoo.registry import folder_copy
from zoo.registry.at_once import at_once
from zoo.registry.config import find
from zoo.registry.fields import Version
from zoo.registry.folder_copy import Wanted
from zoo.registry.names import Reference
from zoo.registry.record import Draft, Record
from zoo.registry.store import Registry
from zoo.storage import reading

DEPTH = 8  # of ensembles in ensembles
VERSIONS = 1000  # that one reference may lead to; and networks that answer for it
RECORD = "record.json"
MEMBERS = "members"

Key = tuple[str, str]  # a model's name, and a record's digest
Report = Callable[[str, int, int], None]  # a file, its bytes so far, its bytes in all


@dataclass(frozen=True)
class Pulled:
    """A version that is on this machine. ``digest``: of its record; ``files``: where each of its
    files is, in ``folder`` where one was asked for, else in the cache (or where a registry in a
    folder keeps it); ``members``: an ensemble's, each once."""

    record: Record
    digest: str
    files: Mapping[str, Path]
    folder: Path | None = None
    members: tuple[Pulled, ...] = ()


def pull(
    reference: str,
    to: str | Path | None = None,
    *,
    registry: str | None = None,
    report: Report | None = None,
) -> Pulled:
    """Bring what ``reference`` names, and what it is made of, compared byte for byte with the
    record. ``to``: a folder to put it into, which may not hold anything else: it appears whole or
    not at all, with the record as ``record.json`` and an ensemble's members in ``members``.
    ``registry``: as ``registry.toml`` calls it; ``report(file, bytes so far, bytes in all)`` is
    called as they come, from several threads, one at a time.

    Raises :class:`RegistryError` or :class:`StorageError`, and leaves no part of the folder."""
    opened, parsed = find(reference, registry)
    return pull_from(opened, parsed, None if to is None else Path(to), report)


def pull_from(
    registry: Registry, reference: Reference, to: Path | None = None, report: Report | None = None
) -> Pulled:
    """As :func:`pull`."""
    first = registry.record(reference)
    versions = [first, *made_of(registry, first, registry.digest(first)).values()]
    if to is None:
        return _pulled(registry, versions, _brought(registry, versions, report), None)
    wanted = _wanted(registry, versions)
    if not folder_copy.is_there(to, wanted):
        folder_copy.write(to, wanted, _brought(registry, versions, report))
    return _pulled(registry, versions, {one.path: to / one.path for one in wanted}, to)


def made_of(registry: Registry, first: Draft, digest: str = "") -> dict[Key, Record]:
    """What ``first``, whose record has that ``digest`` if it is published, is made of, directly or
    not, each once. Raises :class:`RegistryError` when that never ends, or a member is not there."""
    found: dict[Key, Record] = {}
    sizes: dict[Key, _Size] = {}

    def walk(record: Draft, above: tuple[Key, ...]) -> _Size:
        depth = answers = 0
        for member in record.ensemble["members"] if record.ensemble else ():
            key = (member["model"], member["digest"])
            if key in above:
                raise RegistryError(f"{record} is made of {key[0]!r}, which is made of it")
            if key not in found:
                if len(above) > DEPTH or len(found) >= VERSIONS:
                    raise _too_much(first)
                found[key] = _member(registry, member)
                sizes[key] = walk(found[key], (*above, key))
            # Also of one that was met before: it may stand deeper here, and it answers again.
            depth = max(depth, 1 + sizes[key].depth)
            answers += sizes[key].answers
            if len(above) + depth > DEPTH + 1 or answers > VERSIONS:
                raise _too_much(first)
        return _Size(depth, answers or 1)

    walk(first, ((first.model, digest),))
    return found


class _Size(NamedTuple):
    """``depth``: of ensembles in it; ``answers``: of networks that one answer of it takes."""

    depth: int
    answers: int


def _too_much(first: Draft) -> RegistryError:
    return RegistryError(
        f"{first} is made of too much: at most {VERSIONS} versions, and ensembles in ensembles "
        f"{DEPTH} deep, are pulled"
    )


def _member(registry: Registry, member: Version) -> Record:
    """The record with that digest, which mostly has the number that it had when it was combined."""
    with contextlib.suppress(RegistryError):
        one = registry.record(Reference(member["model"], version=member["version"]))
        if registry.digest(one) == member["digest"]:
            return one
    return registry.record(Reference(member["model"], digest=member["digest"]))


def _place(versions: Sequence[Record], record: Record, path: str) -> str:
    """Where in the pulled folder a file of a version lies."""
    if record is versions[0]:
        return path
    return f"{MEMBERS}/{record.model}@{record.version}/{path}"


def _wanted(registry: Registry, versions: Sequence[Record]) -> list[Wanted]:
    """Every file of the folder: those of the versions, and their records."""
    found = []
    for record in versions:
        for file in record.files:
            taken = file["path"].casefold()
            if taken == RECORD or taken.split("/")[0] == MEMBERS:
                raise RegistryError(
                    f"{record} has a file {file['path']!r}, a name that zoo needs for itself; pull "
                    f"it without --to"
                )
            place = _place(versions, record, file["path"])
            found.append(Wanted(place, file["sha256"], file["size"]))
        data = registry.record_bytes(record)
        place = _place(versions, record, RECORD)
        found.append(Wanted(place, registry.digest(record), len(data), data))
    return found


def _brought(
    registry: Registry, versions: Sequence[Record], report: Report | None
) -> dict[str, Path]:
    """Every file of the versions, by its place, on this machine."""
    lock = threading.Lock()

    def job(record: Record, path: str, size: int) -> Callable[[Callable[[], None]], Path]:
        place, done = _place(versions, record, path), 0

        def bring(still_wanted: Callable[[], None]) -> Path:
            def progress(count: int) -> None:
                nonlocal done
                still_wanted()
                done += count
                if report is not None:
                    with lock:
                        report(place, done, size)

            there = registry.bring_file(record, path, progress)
            if path.endswith(".safetensors"):
                # The bytes may be the record's, and yet made to harm whoever reads them.
                reading.check_header(there, f"{path} of {record},")
            return there

        return bring

    files = list(_files(versions))
    places = [_place(versions, record, path) for record, path, _ in files]
    return dict(zip(places, at_once([job(*one) for one in files]), strict=True))


def _files(versions: Sequence[Record]) -> Iterator[tuple[Record, str, int]]:
    for record in versions:
        for file in record.files:
            yield record, file["path"], file["size"]


def _pulled(
    registry: Registry, versions: Sequence[Record], files: Mapping[str, Path], folder: Path | None
) -> Pulled:
    made = []
    for record in versions:
        places = {
            file["path"]: files[_place(versions, record, file["path"])] for file in record.files
        }
        made.append(Pulled(record, registry.digest(record), places, folder))
    return replace(made[0], members=tuple(made[1:]))
