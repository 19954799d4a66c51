"""What is proven to survive: everything that changes a registry, on one that has much to lose."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from drafts import draft, weights

from zoo.registry import layout, publishing
from zoo.registry.record import Record
from zoo.registry.store import Registry
from zoo.registry.upkeep.collection import collect
from zoo.registry.upkeep.repair import repair

MODEL = "digits-tiny"
WEIGHTS = weights()
OLD = 1_500_000_000  # seconds since 1970: older than any grace


class Action(NamedTuple):
    """``act``: given a registry as ``prepare`` left it. ``ever``: how often it can be acted again
    on the same registry without changing what it leaves."""

    prepare: Callable[[Registry], None]
    act: Callable[[Registry], object]


def publish(registry: Registry) -> Record:
    """Of a file, and of one that is made when the number is known."""
    weights = registry.tree.root.parent / "weights"
    card = {"README.md": lambda number: b"card %d" % number}
    return registry.publish(draft(), {"model.safetensors": weights, **card})


def nothing(registry: Registry) -> None:
    pass


def filled(registry: Registry) -> None:
    """Three versions, two states, another model, and what a killed publisher left."""
    for _ in range(3):
        publish(registry)
    registry.set_alias(MODEL, "best", 2)
    registry.yank(MODEL, 3)
    registry.publish(draft(model="other"), {"a": b"other", "same": WEIGHTS})
    for number in range(3):
        spare(registry, b"spare %d" % number)


def spare(registry: Registry, data: bytes) -> None:
    """A file that no version names, and that is old."""
    tree = registry.tree
    staged = tree.stage(data)
    tree.keep(staged)
    tree.discard(staged)
    os.utime(tree.root / layout.blob(staged.sha256), (OLD, OLD))


def trashed(registry: Registry) -> None:
    """As :func:`filled`, with something in the trash: of one file a version has need."""
    filled(registry)
    root = registry.tree.root
    folder = root / "trash" / "20170714T024000Z"
    folder.mkdir(parents=True)
    (folder / ("0" * 64)).write_bytes(b"old")
    sha256 = registry.record("other@1").file("a")["sha256"]
    shutil.move(root / layout.blob(sha256), folder / sha256)


def muddled(registry: Registry) -> None:
    """As :func:`filled`, with nothing derived that is right."""
    filled(registry)
    root = registry.tree.root
    (root / layout.head(MODEL)).write_bytes(b"[]")
    (root / layout.page(MODEL, 1)).unlink()
    (root / layout.head("other")).write_bytes((root / layout.page("other", 1)).read_bytes())
    (root / layout.page("other", 5001)).write_bytes(b"{}")
    (root / layout.CATALOG / "00.json").write_bytes(b'{"format":1,"models":["gone"]}')


ACTIONS = {
    "found": Action(nothing, lambda registry: registry.create()),
    "publish first": Action(nothing, publish),
    "publish": Action(filled, publish),
    "alias": Action(filled, lambda registry: registry.set_alias(MODEL, "best", 1)),
    "yank": Action(filled, lambda registry: registry.yank(MODEL, 2, "why not")),
    "gc": Action(trashed, lambda registry: collect(registry.tree, "it", apply=True)),
    "repair": Action(muddled, lambda registry: repair(registry.tree, "it")),
}  # fmt: skip


class RecordFirst(Registry):
    """The negative control: a record is committed before its files are there."""

    def publish(self, draft, files, gate=None):  # type: ignore[no-untyped-def]
        self.create()
        made = {path: source(1) if callable(source) else source for path, source in files.items()}
        staged = {path: self.tree.stage(source) for path, source in made.items()}
        entries = [
            {"path": path, "sha256": one.sha256, "size": one.size} for path, one in staged.items()
        ]
        number, prev = publishing._last_before(self.tree, str(self), draft.model)
        record = publishing._numbered(draft, number + 1, prev, entries)
        self.tree.create(layout.version(draft.model, number + 1), record.to_bytes())
        for one in staged.values():
            self.tree.keep(one)
        return record


def template(action: str, root: Path) -> Registry:
    """A registry in ``root`` to act on; what is published lies beside it."""
    (root.parent / "weights").write_bytes(WEIGHTS)
    registry = Registry.at(root)
    ACTIONS[action].prepare(registry)
    return registry
