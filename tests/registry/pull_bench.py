"""A registry behind a server that breaks things, and what pulling from it left behind."""

from __future__ import annotations

import hashlib
import random
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from drafts import draft, weights
from fault_server import Fault, FaultServer

from zoo.errors import ZooError
from zoo.registry import layout
from zoo.registry.names import Reference
from zoo.registry.places import cache
from zoo.registry.places.http_tree import HttpTree
from zoo.registry.places.http_wire import Wire
from zoo.registry.pulling import Pulled, pull_from
from zoo.registry.store import Registry

MODEL = "digits-tiny"
WEIGHTS = weights(random.Random(7).randbytes(700_000 - 78))  # 700,000: more than two blocks
CARD = b"# card"
SHA = hashlib.sha256(WEIGHTS).hexdigest()
BLOB, HEAD, PAGE, RECORD = (
    layout.blob(SHA), layout.head(MODEL), layout.page(MODEL, 1), layout.version(MODEL, 1),
)  # fmt: skip


def publish(root: Path, **changes: object) -> None:
    Registry.at(root).publish(draft(**changes), {"model.safetensors": WEIGHTS, "README.md": CARD})


PUBLIC, OTHER = "93.184.216.34", "93.184.216.35"
METADATA = "169.254.169.254"
NAMES = {"zoo.test": [PUBLIC], "cdn.test": [OTHER], "inside.test": ["10.1.2.3"]}


class Net:
    """A network in which ``names`` have addresses, and every address is one of our servers.
    ``met``: the addresses connected to, in order."""

    def __init__(self, port: int) -> None:
        self.names: dict[str, list[str]] = {key: list(value) for key, value in NAMES.items()}
        self.ports: dict[int, int] = {}  # ours, by the port that is asked for
        self.port = port
        self.met: list[str] = []

    def resolve(self, host: str, port: int) -> list[str]:
        return self.names[host]

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        self.met.append(address)
        return socket.create_connection(("127.0.0.1", self.ports.get(port, self.port)), seconds)


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

    def refused(self, registry: Registry | None = None, reference: str = MODEL) -> str:
        """What is said when nothing could be pulled, of which nothing is left."""
        with pytest.raises(ZooError) as caught:
            self.pull(reference, registry)
        self.assert_nothing()
        return str(caught.value)

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
