"""An ensemble put together from the versions that it names: those of a registry, or, before it is
published, those given to the gate."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from zoo.data.preprocessing import Preprocessing
from zoo.errors import RegistryError
from zoo.plugins.catalog import Catalog
from zoo.registry import pulling
from zoo.registry.ensemble import RULE, Combined, Ensemble, rule_of, with_views
from zoo.registry.loading import network_of
from zoo.registry.model import Predictor
from zoo.registry.pulling import Key
from zoo.registry.record import WEIGHTS, Draft, Record
from zoo.registry.store import Registry
from zoo.storage import limits, reading, tensors


class Versions(Protocol):
    """Where the members are, directly or not."""

    def record(self, key: Key) -> Record: ...

    def tensors(self, record: Record, path: str) -> Mapping[str, Tensor]: ...


@dataclass(frozen=True)
class InRegistry:
    """``records``: what :func:`zoo.registry.pulling.made_of` found."""

    registry: Registry
    records: Mapping[Key, Record]

    def record(self, key: Key) -> Record:
        return self.records[key]

    def tensors(self, record: Record, path: str) -> Mapping[str, Tensor]:
        data = self.registry.read_file(record, path)
        return tensors.from_bytes(data, f"{path} of {record}")


@dataclass(frozen=True)
class Handed:
    """Versions as they were handed to another process: :meth:`as_json` there, :meth:`of` here.
    ``texts``: of the records, as they stand; ``places``: of the files they need, by sha256."""

    texts: Mapping[Key, bytes] = field(default_factory=dict)
    places: Mapping[str, Path] = field(default_factory=dict)

    def record(self, key: Key) -> Record:
        if key not in self.texts:
            raise RegistryError(f"model {key[0]!r} with the record sha256:{key[1]} is missing")
        return Record.from_bytes(self.texts[key], f"model {key[0]!r}")

    def tensors(self, record: Record, path: str) -> Mapping[str, Tensor]:
        sha256, what = record.file(path)["sha256"], f"{path} of {record}"
        data = reading.read(self.places[sha256], limits.FILE_BYTES, sha256, what)
        return tensors.from_bytes(data, what)

    @classmethod
    def taken(cls, registry: Registry, draft: Draft) -> Handed:
        """The members of what is to be published in ``registry``; none where it is no ensemble."""
        texts, places = {}, {}
        for key, record in pulling.made_of(registry, draft).items():
            texts[key] = registry.record_bytes(record)
            for path in _needed(record):
                places[record.file(path)["sha256"]] = registry.bring_file(record, path)
        return cls(texts, places)

    def as_json(self) -> dict[str, Any]:
        return {
            "records": [[model, data.decode()] for (model, _), data in self.texts.items()],
            "places": {sha256: str(place.absolute()) for sha256, place in self.places.items()},
        }

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Handed:
        """A record's digest is computed anew: it must be the one that the ensemble names."""
        read = [(model, text.encode()) for model, text in given["records"]]
        texts = {(model, hashlib.sha256(data).hexdigest()): data for model, data in read}
        return cls(texts, {sha256: Path(one) for sha256, one in given["places"].items()})

    @property
    def entries(self) -> set[str]:
        """The entry points of the plugins that the members need."""
        records = [self.record(key) for key in self.texts]
        return {one.plugin["entry"] for one in records if one.ensemble is None}


def load_ensemble(
    registry: Registry, record: Record, device: torch.device, catalog: Catalog
) -> Ensemble:
    """A version of ``registry`` that is an ensemble, its members from there."""
    digest = registry.digest(record)
    records = pulling.made_of(registry, record, digest)
    versions = InRegistry(registry, records)
    arrays = versions.tensors(record, RULE) if _has(record, RULE) else {}
    members = members_of(record, versions, device, catalog, str(record))
    rule = rule_of(record, arrays, members, str(record))
    return Ensemble(record, digest, members, rule, device)


def members_of(
    draft: Draft, versions: Versions, device: torch.device, catalog: Catalog, what: str
) -> list[Predictor]:
    """In the order of the record; one that stands there twice is built once."""
    assert draft.ensemble is not None
    known: dict[Key, Predictor] = {}
    for one in draft.ensemble["members"]:
        key = (one["model"], one["digest"])
        if key not in known:
            member = _member(versions.record(key), versions, device, catalog)
            known[key] = with_views(member, draft, what)
    return [known[one["model"], one["digest"]] for one in draft.ensemble["members"]]


def _member(
    record: Record, versions: Versions, device: torch.device, catalog: Catalog
) -> Predictor:
    if record.ensemble is None:
        network = network_of(record, versions.tensors(record, WEIGHTS), catalog)
        preprocessing = Preprocessing.from_json(record.preprocessing)
        return Predictor(record.task, preprocessing, network, device)
    arrays = versions.tensors(record, RULE) if _has(record, RULE) else {}
    members = members_of(record, versions, device, catalog, str(record))
    rule = rule_of(record, arrays, members, str(record))
    return Combined(record.task, members, rule, str(record), device)


def _needed(record: Record) -> list[str]:
    """The files without which it cannot answer."""
    if record.ensemble is None:
        return [WEIGHTS]
    return [RULE] if _has(record, RULE) else []


def _has(record: Record, path: str) -> bool:
    return any(file["path"] == path for file in record.files)
