"""One of several processes that work on one registry until a time is over; prints what it did.

Run as ``python mixed_worker.py FOLDER ROLE SECONDS SEED [CONTROL]``, with a method of ``Worker`` as
role. ``CONTROL`` takes a guard away: ``no second look`` of a collection, ``no look back`` of a
publisher. ``no locks``: a file system on which they do nothing, which may cost nothing.
"""

from __future__ import annotations

import json
import random
import sys
import time
import warnings
from pathlib import Path

from drafts import draft

from zoo.errors import RegistryError, ZooError, ZooWarning
from zoo.registry import publishing
from zoo.registry.places import folder_tree
from zoo.registry.record import Record
from zoo.registry.store import Registry
from zoo.registry.upkeep.collection import collect
from zoo.registry.upkeep.references import References

MODEL = "digits-tiny"
_PATIENCE = 1.0  # of a reader, before it asks a second time


def content(label: str) -> bytes:
    return b"content %s " % label.encode() * 400


def is_content(data: bytes) -> bool:
    return data.startswith(b"content ") and data == data[: len(data) // 400] * 400


class Worker:
    """``done``: what it did, by kind; ``told``: what it was told is there."""

    def __init__(self, registry: Registry, drawn: random.Random) -> None:
        self.registry, self.drawn = registry, drawn
        self.done: dict[str, int] = {}
        self.told: list[object] = []
        self.problems: list[str] = []

    def publisher(self) -> None:
        """Versions of files that nobody else has; half the time an earlier attempt left them there
        already."""
        labels = [f"{self.drawn.getrandbits(64):x}" for _ in range(3)]
        if self.drawn.random() < 0.5:
            self._leave(labels)
            time.sleep(self.drawn.random() * 0.02)
        files = {f"file{i}": content(label) for i, label in enumerate(labels)}
        record = self.registry.publish(draft(), files)
        self.told.append([record.version, self.registry.digest(record)])
        self._count("published")

    def spoiler(self) -> None:
        """A publisher that is killed before its record is there, again and again."""
        self._leave([f"{self.drawn.getrandbits(64):x}" for _ in range(2)])
        self._count("left")
        time.sleep(0.01)

    def _leave(self, labels: list[str]) -> None:
        tree = self.registry.tree
        for label in labels:
            staged = tree.stage(content(label))
            tree.keep(staged)
            tree.discard(staged)

    def reader(self) -> None:
        try:
            last = self.registry.newest(MODEL)
        except RegistryError:
            return
        recent = self.drawn.random() < 0.7  # there is most to win
        number = max(1, last - self.drawn.randrange(4)) if recent else self.drawn.randint(1, last)
        record = self.registry.record(f"{MODEL}@{number}")
        for file in record.files:
            self._read(record, file["path"])
        self._count("read")

    def _read(self, record: Record, path: str) -> None:
        for again in (False, True):
            try:
                data = self.registry.read_file(record, path)
                break
            except ZooError:
                if again:
                    raise
                self._count("asked twice")
                time.sleep(_PATIENCE)
        if not is_content(data):
            self.problems.append(f"{path} of {record} is {data[:40]!r}")

    def mover(self) -> None:
        """Two of them move one alias, each only from where it saw it."""
        try:
            state, last = self.registry.state(MODEL), self.registry.newest(MODEL)
        except RegistryError:
            return
        there = state.aliases.get("best")
        try:
            made = self.registry.set_alias(
                MODEL, "best", self.drawn.randint(1, last), expected=there
            )
        except RegistryError as error:
            if "somebody moved it" not in str(error):
                raise
            self._count("came second")
            return
        self.told.append(made.serial)
        self._count("moved")

    def collector(self) -> None:
        done = collect(self.registry.tree, "it", grace=0, apply=True)
        for kind in ("taken", "returned", "deleted"):
            self._count(kind, len(getattr(done, kind)))
        self._count("collections")

    def _count(self, kind: str, more: int = 1) -> None:
        self.done[kind] = self.done.get(kind, 0) + more


def without(control: str) -> None:
    if control == "no second look":
        look = References.look_again
        References.look_again = lambda self: None if self.blobs else look(self)  # type: ignore[method-assign]
    elif control == "no look back":
        publishing._keep_again = lambda *given: None  # type: ignore[assignment]
    elif control == "no locks":
        folder_tree.fcntl.flock = lambda descriptor, operation: None


def main() -> None:
    root, role, seconds, seed = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4]
    for control in sys.argv[5:]:
        without(control)
    warnings.simplefilter("ignore", ZooWarning)
    worker = Worker(Registry.at(root), random.Random(f"{role} {seed}"))
    while not (root.parent / "go").exists():
        time.sleep(0.001)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            getattr(worker, role)()
        except ZooError as error:
            worker.problems.append(f"{role}: {error}")
    print(json.dumps({"role": role, **vars(worker)}, default=str))


if __name__ == "__main__":
    main()
