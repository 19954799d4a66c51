"""Which numbers there are: of versions, and of states.

Numbers have no gaps, since ``n + 1`` is only tried where ``n`` stands. So the newest is found from
any earlier one in a few looks, however many there are; a folder of 100,000 takes long to list.
"""

from __future__ import annotations

from collections.abc import Callable

from zoo.registry import layout
from zoo.registry.tree import Tree


def newest(tree: Tree, folder: str, known: int = 0) -> int:
    """The greatest number in ``folder`` (0: none), on a tree that is listed. ``known``: one that
    is believed to be there, such as that in ``head.json``."""

    def there(number: int) -> bool:
        return tree.exists(f"{folder}/{number}.json")

    if known and there(known):
        return _last(there, known)
    return max(listed(tree, folder), default=0)


def listed(tree: Tree, folder: str) -> list[int]:
    """All numbers in ``folder``, ascending."""
    found = map(layout.NUMBERED.fullmatch, tree.names(folder))
    return sorted(int(match[1]) for match in found if match)


def _last(there: Callable[[int], bool], known: int) -> int:
    """The last number of the unbroken row in which ``known`` stands."""
    step = 1
    while there(known + step):
        known, step = known + step, step * 2
    while step > 1:
        step //= 2
        if there(known + step):
            known += step
    return known
