"""A registry behind a server that breaks things, and what pulling from it left behind."""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

from drafts import draft
from fault_server import Fault, FaultServer

from zoo.registry import cache, layout
from zoo.registry.http_tree import HttpTree
from zoo.registry.http_wire import Wire
from zoo.registry.names import Reference
from zoo.registry.pulling import Pulled, pull_from
from zoo.registry.store import Registry

MODEL = "digits-tiny"
WEIGHTS = random.Random(7).randbytes(700_000)  # more than two blocks
CARD = b"# card"
SHA = hashlib.sha256(WEIGHTS).hexdigest()
BLOB, HEAD, PAGE, RECORD = (
    layout.blob(SHA), layout.head(MODEL), layout.page(MODEL, 1), layout.version(MODEL, 1),
)  # fmt: skip


def publish(root: Path, **changes: object) -> None:
    Registry.at(root).publish(draft(**changes), {"model.safetensors": WEIGHTS, "README.md": CARD})


@dataclass
class Bench:
    """``slept``: the pauses that were made, none of which takes time here."""

    server: FaultServer
    target: Path
    slept: list[float] = field(default_factory=list)

    def wire(self, **changes: object) -> Wire:
        return Wire(sleep=self.slept.append, **changes)  # type: ignore[arg-type]

    def registry(self, url: str = "", wire: Wire | None = None, **options: str) -> Registry:
        tree = HttpTree(url or self.server.url, wire=wire or self.wire(), **options)
        return Registry(tree, "site")

    def pull(self, reference: str = MODEL, registry: Registry | None = None) -> Pulled:
        return pull_from(registry or self.registry(), Reference.parse(reference), self.target)

    def break_(self, path: str, *faults: Fault) -> None:
        self.server.faults[path] = list(faults)

    def assert_whole(self) -> None:
        """The target holds what was published, and nothing else."""
        found = {path.name: path.read_bytes() for path in self.target.iterdir()}
        record = (self.server.root / RECORD).read_bytes()
        assert found == {"model.safetensors": WEIGHTS, "README.md": CARD, "record.json": record}
        self.assert_no_wrong_bytes()

    def assert_nothing(self) -> None:
        """No target, no part of one beside it."""
        assert list(self.target.parent.iterdir()) == []
        self.assert_no_wrong_bytes()

    def assert_no_wrong_bytes(self) -> None:
        """Whatever has a name in the cache is what that name says; nothing unfinished is left."""
        for path in (cache.folder() / "blobs").rglob("*"):
            if path.is_file():
                assert re.fullmatch("[0-9a-f]{64}", path.name), path
                assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
