"""A registry in a folder: publish and read versions. No server, no database, no lock.

A version exists when ``models/<name>/versions/<n>.json`` does: linked into place after everything
it names is durable. Two publishers cannot take one number, for a link refuses to overwrite.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from zoo.errors import RegistryError, StorageError, nearest
from zoo.registry import names
from zoo.registry.names import Reference
from zoo.registry.record import FORMAT, Draft, File, Record
from zoo.storage import commit, limits, reading, strict_json
from zoo.storage.failures import reported

MARKER = "zoo-registry.json"
# A file given as a function is made when its version's number is known: the card names it.
Source = Path | bytes | Callable[[int], bytes]
Gate = Callable[[Draft, Mapping[str, Path]], None]
_VERSION_FILE = re.compile(r"([1-9][0-9]{0,8})\.json")


class Registry:
    """The registry in the folder ``root``, which need not exist before the first publication."""

    def __init__(self, root: Path, name: str = "local") -> None:
        self.root = root
        self.name = name
        self._checked = False

    def __str__(self) -> str:
        return f"registry {self.name!r} ({self.root})"

    @classmethod
    def create(cls, root: Path, name: str = "local") -> Registry:
        """Make the folder and its marker now, unless they are there."""
        registry = cls(root, name)
        registry._prepare()
        return registry

    def publish(
        self, draft: Draft, files: Mapping[str, Source], gate: Gate | None = None
    ) -> Record:
        """Add a version and return its record, once it is durable.

        ``gate`` is given the copies that will be published, by path (those that are functions are
        not made yet), and raises to refuse them; then nothing is left behind.
        """
        names.check_files(files)
        draft.to_bytes()  # too long a record is refused before anything is written
        self._prepare()
        self._check_unlike(draft.model)
        staged: dict[str, commit.Staged] = {}
        try:
            for path, source in files.items():
                if not callable(source):
                    staged[path] = commit.copy_hashed(source, self.root / "tmp")
            if gate is not None:
                gate(draft, {path: one.path for path, one in staged.items()})
            for one in staged.values():
                self._keep(one)
        finally:
            for one in staged.values():
                commit.discard(one)
        entries = [_entry(path, one) for path, one in staged.items()]
        late = {path: source for path, source in files.items() if callable(source)}
        return self._commit(draft, entries, late)

    def models(self) -> list[str]:
        """The names that have a version, sorted."""
        self._check_marker()
        found = _entries(self.root / "models")
        return sorted(name for name in found if names.is_name(name) and self._numbers(name))

    def versions(self, name: str) -> list[int]:
        """The numbers of a model's versions, ascending. Raises :class:`RegistryError` when there
        is no such model."""
        self._check_marker()
        numbers = self._numbers(names.check_name("model name", name))
        if not numbers:
            raise RegistryError(
                f"model {name!r} is not in {self}{nearest(name, self.models())}; "
                f"see: zoo models list"
            )
        return numbers

    def latest(self, name: str) -> int:
        return self.versions(name)[-1]

    def record(self, reference: str | Reference) -> Record:
        """The record meant. Raises :class:`RegistryError` when there is none, or it is damaged."""
        if isinstance(reference, str):
            reference = Reference.parse(reference)
        name, version = reference.name, reference.version
        numbers = self.versions(name)
        if reference.alias is not None:
            raise RegistryError(f"model {name!r} has no alias {reference.alias!r}; aliases: none")
        if reference.digest is not None:
            version = self._numbered(name, numbers, reference.digest)
        if version is None:
            version = numbers[-1]
        if version not in numbers:
            raise RegistryError(
                f"model {name!r} has no version {version}; the latest is {numbers[-1]}; "
                f"see: zoo models show {name}"
            )
        what = f"model {name!r} version {version}"
        record = Record.from_bytes(self._record_bytes(name, version), what)
        if (record.model, record.version) != (name, version):
            raise RegistryError(
                f"the record of {what} is that of model {record.model!r} version {record.version}: "
                f"{self} is damaged"
            )
        return record

    def digest(self, record: Record) -> str:
        """sha256 of the record as it stands: pins the version and all it names."""
        return hashlib.sha256(self._record_bytes(record.model, record.version)).hexdigest()

    def read_file(self, record: Record, path: str) -> bytes:
        """A file of a version. Size and sha256 are checked every time."""
        entry = record.file(path)
        blob = self._blob(entry["sha256"])
        data = reading.read(blob, entry["size"], entry["sha256"], f"{path} of {record},")
        if len(data) != entry["size"]:
            raise StorageError(
                f"{path} of {record} has {len(data)} bytes, its record says {entry['size']}"
            )
        return data

    def _prepare(self) -> None:
        for folder in ("blobs/sha256", "models", "tmp"):
            commit.make_folder(self.root / folder)
        marker = {"format": FORMAT, "id": str(uuid.uuid4())}
        if not (self.root / MARKER).exists():
            with contextlib.suppress(FileExistsError):  # another publisher was first
                commit.create(self.root / MARKER, strict_json.dumps(marker))
        self._check_marker()

    def _check_marker(self) -> None:
        """Refuse a registry of a later format. Without a marker the registry is empty so far."""
        path = self.root / MARKER
        if self._checked or not path.exists():
            return
        data = reading.read(path, 4096, what="registry marker")
        marker = strict_json.loads(data, f"registry marker {str(path)!r}", 4096)
        written = marker.get("format") if isinstance(marker, dict) else None
        if written != FORMAT:
            raise RegistryError(
                f"{self} has format {written!r}, this zoo reads {FORMAT}; "
                f"type: pip install --upgrade zoo"
            )
        self._checked = True

    def _check_unlike(self, name: str) -> None:
        for other in _entries(self.root / "models"):
            same = names.is_name(other) and names.fold(other) == names.fold(name)
            if same and other != name and self._numbers(other):
                raise RegistryError(
                    f"model name {name!r} is too like {other!r}, which is in {self}; publish a "
                    f"version of {other!r}, or choose another name"
                )

    def _keep(self, staged: commit.Staged) -> None:
        # A blob that is there already is replaced by its equal: that heals one that has rotted.
        path = self._blob(staged.sha256)
        commit.make_folder(path.parent)
        commit.adopt(staged, path)

    def _commit(
        self, draft: Draft, entries: list[File], late: Mapping[str, Callable[[int], bytes]]
    ) -> Record:
        folder = self._versions_folder(draft.model)
        commit.make_folder(folder)
        number = max(self._numbers(draft.model), default=0) + 1
        while True:
            made = [self._add(path, make(number)) for path, make in late.items()]
            record = self._numbered_record(draft, number, entries + made)
            try:
                commit.create(folder / f"{number}.json", record.to_bytes())
                return record
            except FileExistsError:
                number += 1  # never more: versions have no gaps

    def _add(self, path: str, data: bytes) -> File:
        staged = commit.copy_hashed(data, self.root / "tmp")
        try:
            self._keep(staged)
        finally:
            commit.discard(staged)
        return _entry(path, staged)

    def _numbered_record(self, draft: Draft, number: int, files: list[File]) -> Record:
        previous = None
        if number > 1:
            data = self._record_bytes(draft.model, number - 1)
            previous = hashlib.sha256(data).hexdigest()
        return Record.of(
            **draft.model_dump(mode="json"),
            version=number,
            prev=previous,
            created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            files=sorted(files, key=lambda file: file["path"]),
        )

    def _numbered(self, name: str, numbers: list[int], digest: str) -> int:
        for number in reversed(numbers):
            if hashlib.sha256(self._record_bytes(name, number)).hexdigest() == digest:
                return number
        raise RegistryError(f"model {name!r} has no version with the record sha256:{digest}")

    def _record_bytes(self, name: str, number: int) -> bytes:
        path = self._versions_folder(name) / f"{number}.json"
        return reading.read(path, limits.RECORD_BYTES, what="record")

    def _numbers(self, name: str) -> list[int]:
        found = map(_VERSION_FILE.fullmatch, _entries(self._versions_folder(name)))
        return sorted(int(match[1]) for match in found if match)

    def _versions_folder(self, name: str) -> Path:
        return self.root / "models" / name / "versions"

    def _blob(self, sha256: str) -> Path:
        return self.root / "blobs" / "sha256" / sha256[:2] / sha256


def _entry(path: str, staged: commit.Staged) -> File:
    return {"path": path, "sha256": staged.sha256, "size": staged.size}


def _entries(folder: Path) -> list[str]:
    with reported("list", folder):
        try:
            return [path.name for path in folder.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
