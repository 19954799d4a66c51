"""Hash many files of a registry at once, at nearly the speed of sha256 itself.

sha256 and reading let other threads run, so a few threads keep the processors busy.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import IO, Any, NamedTuple, cast

from zoo.errors import ZooError
from zoo.registry import layout
from zoo.registry.tree import Progress, Tree
from zoo.storage import limits

_THREADS = min(4, os.cpu_count() or 1)
_REMOTE_THREADS = 8  # they wait for the network more than they compute


class Hashed(NamedTuple):
    """``size``: of what came, at most one more than asked for; ``start``: what
    :func:`limits.check_header` has to see of it; ``problem``: why nothing came."""

    sha256: str
    actual: str
    size: int
    start: bytes = b""
    problem: ZooError | None = None


class _Digest(io.RawIOBase):
    """A file that is hashed and, but for its start, not kept. It can be written on at its end, or
    from its start. ``headed``: its start is that of a safetensors file."""

    def __init__(self, headed: bool = False) -> None:
        self.sha256, self.size, self._at = hashlib.sha256(), 0, 0
        self.start, self._headed = bytearray(), headed

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        if self._at != self.size:
            raise io.UnsupportedOperation("bytes that are hashed cannot be changed")
        self.sha256.update(block)
        self._keep_start(memoryview(block))
        self.size += len(block)
        self._at = self.size
        return len(block)

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        return self._at

    def truncate(self, size: int | None = None) -> int:
        size = self._at if size is None else size
        if size == 0:
            self.sha256, self.size = hashlib.sha256(), 0
            self.start.clear()
        elif size != self.size:
            raise io.UnsupportedOperation("bytes that are hashed cannot be taken back")
        return size

    def _keep_start(self, block: memoryview) -> None:
        if self._headed and len(self.start) < 8:
            taken = 8 - len(self.start)
            self.start += block[:taken]
            block = block[taken:]
        if self._headed and len(self.start) >= 8:
            self.start += block[: max(0, limits.beginning(bytes(self.start[:8])) - len(self.start))]


def hash_blobs(
    tree: Tree, blobs: Iterable[tuple[str, int, bool]], progress: Progress
) -> Iterator[Hashed]:
    """Read each blob, given by digest, size and whether its start is wanted, and hash it; in the
    order in which they end."""
    threads = _THREADS if tree.local else _REMOTE_THREADS
    with ThreadPoolExecutor(threads, thread_name_prefix="zoo-hash") as pool:
        waiting: set[Future[Hashed]] = set()
        for sha256, size, headed in blobs:
            waiting.add(pool.submit(_hash, tree, sha256, size, headed, progress))
            if len(waiting) >= 2 * threads:  # so that nothing is queued for minutes
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
        yield from (one.result() for one in waiting)


def _hash(tree: Tree, sha256: str, size: int, headed: bool, progress: Progress) -> Hashed:
    into = _Digest(headed)
    try:
        tree.fetch(layout.blob(sha256), size, cast(IO[bytes], into), progress)
    except ZooError as error:
        return Hashed(sha256, "", 0, problem=error)
    return Hashed(sha256, into.sha256.hexdigest(), into.size, bytes(into.start))
