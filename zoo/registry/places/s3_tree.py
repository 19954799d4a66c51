"""A registry in a bucket of S3, or of one of the many stores that speak its language.

What keeps two publishers apart is the store: a create carries ``If-None-Match: *`` and is refused
where something is. A store that ignores this loses versions, so publishing looks first.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from zoo.errors import StorageError, ZooError
from zoo.registry import layout
from zoo.registry.places.s3_client import Clients, Settings, connect, parse_url
from zoo.registry.places.s3_errors import reported
from zoo.registry.tree import Entry, Progress, UnreachableError
from zoo.storage import commit, limits
from zoo.storage.commit import Staged

_BLOCK = 1 << 20
_PART = 8 << 20  # of a larger upload: 10,000 of them are more than a file may have
_WRITER = "zoo-writer"  # metadata: which call put an object there
_TRIES = 3
_AMENDS = 100
_TRIAL = f"{layout.TMP}/refuses-to-overwrite"
_JSON = "application/json"
# For those who serve the bucket's files by HTTP.
_FOREVER, _FRESH = "public, max-age=31536000, immutable", "no-cache"


class S3Tree:
    """``s3://bucket/prefix``; the settings are those of :class:`Settings`."""

    local = False
    listed = True

    def __init__(self, url: str, **settings: Any) -> None:
        bucket, prefix = parse_url(url)
        self.url = f"s3://{bucket}/{prefix}" if prefix else f"s3://{bucket}"
        self._settings = Settings(**settings)
        self._refuses = False

    @cached_property
    def _clients(self) -> Clients:
        return connect(self.url, self._settings)

    def read(self, path: str, limit: int) -> bytes | None:
        clients = self._clients
        with contextlib.suppress(FileNotFoundError), reported("read", self._place(path)):
            result = clients.obstore.get(clients.small, path)
            if result.meta["size"] <= limit:
                data = bytes(result.bytes())
                if len(data) <= limit:
                    return data
            raise StorageError(f"{limits.longer(self._place(path), limit)}; it is none of zoo's")
        return None

    def fetch(self, path: str, size: int, into: IO[bytes], progress: Progress) -> None:
        clients, left = self._clients, size + 1
        try:
            with reported("read", self._place(path)):
                result = clients.obstore.get(clients.large, path)
                for block in result.stream(min_chunk_size=_BLOCK):
                    some = memoryview(block)[:left]
                    into.write(some)
                    progress(len(some))
                    left -= len(some)
                    if not left:
                        return
        except FileNotFoundError:
            raise StorageError(f"{self._place(path)!r} is missing") from None

    def exists(self, path: str) -> bool:
        clients = self._clients
        with contextlib.suppress(FileNotFoundError), reported("read", self._place(path)):
            clients.obstore.head(clients.small, path)
            return True
        return False

    def names(self, folder: str) -> list[str]:
        clients = self._clients
        with reported("list", self._place(folder)):
            found = clients.obstore.list_with_delimiter(clients.small, folder)
        paths = [*found["common_prefixes"], *(one["path"] for one in found["objects"])]
        return [path.rstrip("/").rpartition("/")[2] for path in paths]

    def prepare(self, folders: tuple[str, ...]) -> None:
        """There are no folders to make. Raises :class:`StorageError` unless the store refuses to
        overwrite where it is told to."""
        if self._refuses:
            return
        for _ in range(2):  # the first one ever puts it there
            try:
                self.create(_TRIAL, b"")
            except FileExistsError:
                self._refuses = True
                return
        raise StorageError(
            f"{self.url!r}: its store overwrites what it is told to create (it ignores "
            f"If-None-Match), so nothing keeps two publishers apart; choose another store"
        )

    def create(self, path: str, data: bytes) -> None:
        clients, writer = self._clients, uuid.uuid4().hex
        taken = clients.obstore.exceptions.AlreadyExistsError
        for _ in range(_TRIES):
            try:
                with self._put(path):
                    clients.obstore.put(
                        clients.small,
                        path,
                        data,
                        mode="create",
                        use_multipart=False,
                        attributes={**_attributes(_FOREVER), _WRITER: writer},
                    )
                return
            except taken:
                who = self._writer(path)
            except (StorageError, UnreachableError):
                # Its answer may be lost, and it done.
                with contextlib.suppress(ZooError):
                    if self._writer(path) == writer:
                        return
                raise
            # obstore repeats a request whose answer was lost, and then finds what it put itself.
            if who == writer:
                return
            if who is not None:
                break
            # Two at once may both be refused (409), and nothing be there.
        else:
            raise StorageError(
                f"cannot write {self._place(path)!r}: the store refuses it as a conflict, and "
                f"nothing is there; try again later"
            )
        raise FileExistsError(self._place(path))

    def replace(self, path: str, data: bytes) -> None:
        clients = self._clients
        with self._put(path):
            clients.obstore.put(
                clients.large, path, data, use_multipart=False, attributes=_attributes(_FRESH)
            )

    def amend(self, path: str, limit: int, change: Callable[[bytes | None], bytes | None]) -> None:
        clients = self._clients
        changed = (
            clients.obstore.exceptions.PreconditionError,
            clients.obstore.exceptions.AlreadyExistsError,
        )
        for _ in range(_AMENDS):
            data, tag = self._tagged(path, limit)
            made = change(data)
            if made is None:
                return
            mode = {"e_tag": tag} if tag else "create"
            try:
                with self._put(path, let=changed):
                    clients.obstore.put(
                        clients.large, path, made, mode=mode, use_multipart=False,
                        attributes=_attributes(_FRESH),
                    )  # fmt: skip
                return
            except changed:
                continue  # another one was first: look again
        raise StorageError(
            f"cannot write {self._place(path)!r}: others change it all the time; try again later"
        )

    def _tagged(self, path: str, limit: int) -> tuple[bytes | None, str | None]:
        clients = self._clients
        with contextlib.suppress(FileNotFoundError), reported("read", self._place(path)):
            result = clients.obstore.get(clients.small, path)
            data = bytes(result.bytes()) if result.meta["size"] <= limit else b""
            return data, result.meta["e_tag"]
        return None, None

    def stage(self, source: Path | bytes) -> Staged:
        folder = Path(tempfile.mkdtemp(prefix=commit.TEMPORARY_PREFIX))
        try:
            return commit.copy_hashed(source, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def keep(self, staged: Staged) -> None:
        # Put there anew even where it is: that heals it, and makes it young for a collection.
        clients, path = self._clients, layout.blob(staged.sha256)
        with self._put(path):
            clients.obstore.put(
                clients.large,
                path,
                staged.path,
                chunk_size=_PART,
                attributes={
                    "Content-Type": "application/octet-stream",
                    "Cache-Control": _FOREVER,
                    "sha256": staged.sha256,
                },
            )

    def discard(self, staged: Staged) -> None:
        shutil.rmtree(staged.path.parent, ignore_errors=True)

    @contextlib.contextmanager
    def alone(self, folder: str) -> Iterator[None]:
        """A bucket has no locks."""
        yield

    def entries(self, folder: str) -> list[Entry]:
        clients = self._clients
        with reported("list", self._place(folder)):
            found = clients.obstore.list_with_delimiter(clients.small, folder or None)
        inside = [(one["path"], one["size"], _second(one)) for one in found["objects"]]
        inside += [(path.rstrip("/"), None, 0.0) for path in found["common_prefixes"]]
        return [Entry(path.rpartition("/")[2], size, at) for path, size, at in inside]

    def now(self) -> float:
        path = f"{layout.TMP}/{commit.TEMPORARY_PREFIX}{uuid.uuid4().hex}"
        self.replace(path, b"")
        try:
            return self.modified(path) or 0.0
        finally:
            self.remove(path)

    def modified(self, path: str) -> float | None:
        clients = self._clients
        with contextlib.suppress(FileNotFoundError), reported("read", self._place(path)):
            return _second(clients.obstore.head(clients.small, path))
        return None

    def take(self, path: str, to: str) -> float | None:
        """There is no move. What somebody puts there anew while it is copied stays, and is told by
        its date; what comes before the removal is gone, and its publisher sees that."""
        before = self.modified(path)
        if before is None or not self._copy(path, to):
            return None
        now = self.modified(path)
        if now == before:
            self.remove(path)
        return now

    def give_back(self, path: str, to: str) -> None:
        if self.exists(to) or self._copy(path, to) or self.exists(to):
            self.remove(path)

    def remove(self, path: str) -> None:
        clients = self._clients
        with contextlib.suppress(FileNotFoundError), reported("remove", self._place(path)):
            clients.obstore.delete(clients.small, path)

    def _copy(self, path: str, to: str) -> bool:
        """False where there is nothing to copy."""
        clients = self._clients
        with contextlib.suppress(FileNotFoundError), reported("copy", self._place(path)):
            clients.obstore.copy(clients.large, path, to)
            return True
        return False

    def _writer(self, path: str) -> str | None:
        """Which call put the object there: "" when that is not said, None when there is none."""
        clients = self._clients
        with contextlib.suppress(FileNotFoundError), reported("read", self._place(path)):
            result = clients.obstore.get(clients.small, path)
            return str(result.attributes.get(_WRITER, ""))
        return None

    @contextlib.contextmanager
    def _put(self, path: str, let: Any = None) -> Iterator[None]:
        taken = let or self._clients.obstore.exceptions.AlreadyExistsError
        try:
            with reported("write", self._place(path), let=taken):
                yield
        except FileNotFoundError:
            raise StorageError(
                f"cannot write {self._place(path)!r}: the store has no such place"
            ) from None

    def _place(self, path: str) -> str:
        return f"{self.url}/{path}"


def _second(meta: Any) -> float:
    """A listing says parts of a second, or does not; the answer to a single question never does."""
    return float(int(meta["last_modified"].timestamp()))


def _attributes(cache: str) -> dict[str, str]:
    return {"Content-Type": _JSON, "Cache-Control": cache}
