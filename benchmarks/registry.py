"""What a registry costs: `python benchmarks/registry.py [scale] [verify] [load] [pull]`.

`scale`: registries of 100,000 versions and of 100,000 models; `verify` against sha256 itself;
`load` of a ResNet152 against timm and torch; `pull` over loopback against curl and sha256sum.
Limits are printed beside the figures; missed ones are marked.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import registry_sets as sets
from registry_load import load_against_timm
from rounds import Timed, interleave, machine, table

from zoo.registry.places.http_tree import HttpTree
from zoo.registry.store import Registry
from zoo.storage import commit
from zoo.storage.cache_folder import CACHE_VARIABLE

COUNT = 100_000
PARTS = ("scale", "verify", "load", "pull")


def main() -> int:
    parser = argparse.ArgumentParser(description="what a registry costs")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)} [default: all]")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--count", type=int, default=COUNT, help="versions, and models, of scale")
    given = parser.parse_args()
    chosen = given.parts or PARTS
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"{', '.join(sorted(unknown))}: expected some of {', '.join(PARTS)}")
    print(machine("zoo", "pydantic", "torch", "safetensors", "timm"))
    with tempfile.TemporaryDirectory() as folder:
        os.environ[CACHE_VARIABLE] = str(Path(folder) / "cache")
        if "scale" in chosen:
            scale(Path(folder), given.rounds, given.count)
        if "verify" in chosen:
            verify(Path(folder) / "verify", given.rounds)
        if "load" in chosen:
            table(*load_against_timm(Path(folder) / "load", given.rounds))
        if "pull" in chosen:
            pull(Path(folder) / "pull", given.rounds)
    return 0


def scale(folder: Path, rounds: int, count: int) -> None:
    versions = sets.many_versions(folder / "versions", "many", count)
    models = sets.many_models(folder / "models", count)
    name = f"model-{count // 2:06d}"
    print(f"\nscale: {count:,} versions of one model; {count:,} models (n = {rounds})")
    print(f"{'':<56}{'seen':>10}{'limit':>10}")
    for what, root, model in (
        ("versions", versions.tree.url, "many"),
        ("models", models.tree.url, name),
    ):
        seconds = _median(lambda r=root, m=model: Registry.at(Path(r)).record(m), rounds)
        _row(f"latest of one of many {what}, from its folder, ms", seconds * 1e3, 5)
        for reference, limit in ((model, 3), (f"{model}@best", 4)):
            if "@" in reference:
                Registry.at(Path(root)).set_alias(model, "best", 1)
            with counting(Path(root)) as (url, gets):
                # As the first time: nothing is known of the server yet.
                shutil.rmtree(os.environ[CACHE_VARIABLE], ignore_errors=True)
                Registry(HttpTree(url), "far").record(reference)
            kind = "an alias" if "@" in reference else "latest"
            _row(f"{kind} of one of many {what}, over HTTP, GETs", len(gets), limit)
        _row(f"publish to one of many {what}, beyond copy and fsync, ms",
             _publish_overhead(Path(root), model, rounds) * 1e3, 20)  # fmt: skip
    (folder / "registry.toml").write_text('[registry.many]\nurl = "models"\n')
    zoo = str(Path(sys.executable).with_name("zoo"))
    seconds = _median(
        lambda: subprocess.run(
            [zoo, "models", "list"], cwd=folder, capture_output=True, check=True
        ),
        rounds,
    )
    _row("zoo models list, first page, a whole process, s", seconds, 0.3)
    shutil.rmtree(folder / "versions")
    shutil.rmtree(folder / "models")


def _publish_overhead(root: Path, model: str, rounds: int) -> float:
    """Median seconds of a publication, without those in fsync and without copying its file."""
    data = os.urandom(1 << 20)
    registry, real, synced = Registry.at(root), os.fsync, 0.0

    def fsync(descriptor: int) -> None:
        nonlocal synced
        begun = time.perf_counter()
        real(descriptor)
        synced += time.perf_counter() - begun

    os.fsync = fsync
    try:
        spent = []
        for _ in range(rounds):
            synced, begun = 0.0, time.perf_counter()
            registry.publish(sets.draft(model), {"model.safetensors": data})
            whole = time.perf_counter() - begun - synced
            synced, begun = 0.0, time.perf_counter()
            commit.discard(commit.copy_hashed(data, root / "tmp"))
            spent.append(whole - (time.perf_counter() - begun - synced))
    finally:
        os.fsync = real
    return statistics.median(spent)


def verify(root: Path, rounds: int) -> None:
    """Against one pass of hashlib over the same files, file after file."""
    from zoo.registry.upkeep.verify import verify as verify_registry

    registry = Registry.at(root)
    for number in range(16):
        registry.publish(
            sets.draft("large"), {"weights.bin": os.urandom(48 << 20), "n": b"%d" % number}
        )
    blobs = [path for path in (root / "blobs").rglob("*") if path.is_file()]

    def hashing() -> None:
        for path in blobs:
            with path.open("rb") as stream:
                hashlib.file_digest(stream, "sha256")

    def verifying() -> None:
        assert verify_registry(registry.tree, str(registry)).findings == []

    timed = interleave({"zoo registry verify": verifying, "sha256 of its files": hashing}, rounds)
    size = sum(path.stat().st_size for path in blobs)
    table(f"verify {size / 1e6:.0f} MB in {len(blobs)} files", timed, "zoo registry verify",
          {"sha256 of its files": 1 / 0.8})  # fmt: skip
    shutil.rmtree(root)


def pull(root: Path, rounds: int) -> None:
    """A version of 240 MB over loopback, into an empty cache; curl writes a file and sha256sum
    reads it again."""
    registry = Registry.at(root)
    data = os.urandom(240 << 20)
    record = registry.publish(sets.draft("large"), {"model.safetensors": data})
    blob = f"blobs/sha256/{record.weights_sha256[:2]}/{record.weights_sha256}"
    with counting(root) as (url, _):
        target = root.parent / "curl"

        def ours() -> None:
            shutil.rmtree(os.environ[CACHE_VARIABLE], ignore_errors=True)
            far = Registry(HttpTree(url), "far")
            far.bring_file(far.record("large"), "model.safetensors")

        def curl() -> None:
            subprocess.run(["curl", "-s", "-o", target, f"{url}/{blob}"], check=True)
            subprocess.run(["sha256sum", target], check=True, capture_output=True)

        timed = interleave({"zoo pull": ours, "curl + sha256sum": curl}, rounds)
    table("pull 240 MB over loopback", timed, "zoo pull", {"curl + sha256sum": 1 / 0.7})
    shutil.rmtree(root)


@contextmanager
def counting(root: Path) -> Iterator[tuple[str, list[str]]]:
    """A plain static server in a process' thread: (its url, the paths it was asked for)."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *given: object) -> None:
            super().__init__(*given, directory=str(root))  # type: ignore[arg-type]

        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *given: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def _median(call: Callable[[], object], rounds: int) -> float:
    timed: Timed = interleave({"it": call}, rounds)
    return timed.median("it")


def _row(what: str, seen: float, limit: float) -> None:
    missed = "  missed" if seen > limit else ""
    print(f"{what:<56}{seen:>10.3g}{limit:>10g}{missed}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
