"""Keep what is derived in step with versions and states: after a publication, or anew."""

from __future__ import annotations

import contextlib
import hashlib

from zoo.errors import RegistryError, StorageError
from zoo.registry import layout
from zoo.registry.derived import (
    Head,
    Page,
    Row,
    Shard,
    Shards,
    lost,
    parsed,
    read_head,
    read_page,
    read_state,
)
from zoo.registry.numbering import newest
from zoo.registry.record import Record
from zoo.registry.tree import Tree, WritableTree
from zoo.storage import limits

_ROUNDS = 100  # as long as other publishers are faster than we look


def follow(tree: WritableTree, model: str, *, anew: bool = False) -> None:
    """Bring what is derived of ``model`` up to its versions and states. ``anew``: believe nothing
    that is there. Raises :class:`ZooError` when it cannot be written."""
    with tree.alone(layout.model(model)):
        known = None if anew else _believed(tree, model)
        for _ in range(_ROUNDS):
            made = _current(tree, model, known)
            if made is None or made == known:
                break
            _extend_pages(tree, model, known.newest if known else 0, made.newest)
            tree.replace(layout.head(model), made.to_bytes())
            known = made  # and look again: without locks another one may have published
    _list_in_catalog(tree, model)


def _believed(tree: Tree, model: str) -> Head | None:
    """The head, if the index holds what it says, and that is the version which is there: a power
    cut may have taken back one that was indexed, and its number is another's now."""
    with contextlib.suppress(RegistryError, StorageError):
        head = read_head(tree, model)
        page = head and read_page(tree, model, head.newest)
        row = page.row(head.newest) if head and page and head.model == model else None
        if head and row and row == _row(tree, model, head.newest):
            return head
    return None


def _current(tree: Tree, model: str, known: Head | None) -> Head | None:
    number = newest(tree, layout.versions(model), known.newest if known else 0)
    if not number:
        return None
    serial = newest(tree, layout.states(model), known.state if known else 0)
    latest: int | None = number
    if serial:
        state = read_state(tree, model, serial)
        latest = next((n for n in range(number, 0, -1) if not state.is_yanked(n)), None)
    return Head(model=model, latest=latest, newest=number, state=serial)


def _extend_pages(tree: WritableTree, model: str, known: int, number: int) -> None:
    """Write the rows of the versions after ``known`` up to ``number``."""
    while known < number:
        first = known // layout.PAGE_ROWS * layout.PAGE_ROWS + 1
        page = read_page(tree, model, first) if known >= first else None
        rows = page.rows[: known - first + 1] if page else []
        start, known = first + len(rows), min(first + layout.PAGE_ROWS - 1, number)
        rows += [_row(tree, model, one) for one in range(start, known + 1)]
        tree.replace(layout.page(model, first), Page(model=model, rows=rows).to_bytes())


def _row(tree: Tree, model: str, number: int) -> Row:
    path = layout.version(model, number)
    data = tree.read(path, limits.RECORD_BYTES)
    if data is None:
        raise lost(tree, path, "it is missing")
    record = Record.from_bytes(data, f"model {model!r} version {number}")
    return Row(v=number, sha256=hashlib.sha256(data).hexdigest(), created=record.created)


def _list_in_catalog(tree: WritableTree, model: str) -> None:
    count = 0

    def with_model(data: bytes | None) -> bytes | None:
        nonlocal count
        there = parsed(data, Shard)
        listed = sorted({*(there.models if there else ()), model})
        count = len(listed)
        return None if there and model in there.models else Shard(models=listed).to_bytes()

    def with_count(data: bytes | None) -> bytes | None:
        there = parsed(data, Shards)
        counts = there.shards if there else {}
        # Never less: one who listed another model meanwhile may have been here first.
        if counts.get(key, 0) >= count:
            return None
        return Shards(shards=dict(sorted({**counts, key: count}.items()))).to_bytes()

    key = layout.shard_key(model)
    tree.amend(layout.shard(model), layout.SHARD_BYTES, with_model)
    tree.amend(layout.SHARDS, layout.SHARD_BYTES, with_count)


def write_catalog(tree: WritableTree, models: list[str]) -> None:
    """Make the catalog anew, of these models and no others."""
    parts: dict[str, list[str]] = {}
    for one in sorted(models):
        parts.setdefault(layout.shard_key(one), []).append(one)
    with tree.alone(layout.CATALOG):
        for key, listed in parts.items():
            tree.replace(f"{layout.CATALOG}/{key}.json", Shard(models=listed).to_bytes())
        counts = {key: len(listed) for key, listed in sorted(parts.items())}
        tree.replace(layout.SHARDS, Shards(shards=counts).to_bytes())
