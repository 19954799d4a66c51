"""Read many small files, many at once where each costs a journey."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from zoo.errors import ZooError
from zoo.registry.tree import Tree

_REMOTE_THREADS = 16


def read_all(
    tree: Tree, numbers: Sequence[int], path: Callable[[int], str], limit: int
) -> Iterator[tuple[int, str, bytes | ZooError | None]]:
    """(number, path, what is there). A place that cannot be listed is not asked beyond what is
    missing: how much there is only its head says, which may be anything."""

    def read(number: int) -> tuple[int, str, bytes | ZooError | None]:
        try:
            return number, path(number), tree.read(path(number), limit)
        except ZooError as error:
            return number, path(number), error

    if tree.local:  # a disk answers at once; elsewhere most of the time is spent waiting
        yield from map(read, numbers)
        return
    with ThreadPoolExecutor(_REMOTE_THREADS) as pool:
        for start in range(0, len(numbers), 4 * _REMOTE_THREADS):
            for one in pool.map(read, numbers[start : start + 4 * _REMOTE_THREADS]):
                yield one
                if one[2] is None and not tree.listed:
                    return
