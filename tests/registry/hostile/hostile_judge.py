"""Whether what a command did with a spoilt registry is right: refused as it should be, or taken,
and then provably harmless. Judged without the code that is tried: JSON by Python's own reader,
digests from the bytes that are there, tensors by the format's own library."""

# ruff: noqa: PTH208

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from hostile_commands import FOLDER, Outcome
from hostile_world import WEIGHTS, World
from safetensors import SafetensorError

from zoo.registry import layout
from zoo.storage.strict_json import differences

SECONDS, LINE = 5.0, 4000
_BUG = ("this is a bug", "Traceback")
_PLAIN = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?")
# What a publisher is free to say of a version, and so may be anything of the same kind.
_SAID = (
    "licence", "created", "weights", "task.*", "recipe.*", "data.*", "metrics.*", "environment.*",
    "intervals.*", "plugin.*", "preprocessing.*", "architecture.*", "recipe", "metrics", "task",
    "environment", "intervals", "parents", "parents.*", "calibration", "calibration.*",
    "source", "source.*", "ensemble.method", "ensemble.options.*", "ensemble.options",
    "ensemble.members", "ensemble.members.*",
)  # fmt: skip
_KEYS = {
    "format", "model", "version", "prev", "created", "task", "preprocessing", "architecture",
    "plugin", "weights", "ensemble", "recipe", "data", "metrics", "intervals", "calibration",
    "licence", "environment", "parents", "source", "files",
}  # fmt: skip


def violations(world: World, one: Outcome) -> list[str]:
    """What is wrong with an outcome, but for whether it should have been refused."""
    found = [f"it did: {what}" for what in one.did]
    if one.hung:
        return [*found, "it hung"]
    if one.seconds > SECONDS:
        found.append(f"it took {one.seconds:.1f} s")
    if one.code not in (0, 1):
        found.append(f"it ended with {one.code}")
    found += [f"it said {word!r}: {one.err[:500]}" for word in _BUG if word in one.err + one.out]
    for text in (one.out, one.err):
        strange = {c for c in text if not c.isprintable() and c != "\n"}
        if strange:
            found.append(f"it printed {strange!r}: {text[:300]!r}")
    found += _wrong_lines(one)
    if one.code == 0 and not found:
        found += _harm(world, one)
    elif one.refused and one.command == "pull" and set(os.listdir(world.out)) != world.there:
        found.append(f"it was refused, and left {os.listdir(world.out)}")
    return found


def _wrong_lines(one: Outcome) -> Iterator[str]:
    told = min(len(one.errors), 1) if one.command == "verify" else len(one.errors)
    if told != one.code or one.err.count("zoo: error: ") > 1:
        yield f"{len(one.errors)} errors and code {one.code}: {one.err[:500]!r}"
    for line in (*one.err.splitlines(), *(one.out.splitlines() if one.refused else ())):
        if len(line) > LINE:
            yield f"a line has {len(line)} letters: {line[:200]!r}"
    for line in one.err.splitlines():
        # A command that is content may say, beside its answer, that a table is empty.
        if one.code and not line.startswith(("zoo: error: ", "zoo: warning: ")):
            yield f"it said on stderr: {line[:300]!r}"


def _harm(world: World, one: Outcome) -> list[str]:
    """Why what was taken is not harmless."""
    try:
        if one.command == "show":
            return [*_wrong_record(world, one.value), *_wrong_version(one.reference, one.value)]
        if one.command == "load":
            record = json.loads(one.value.record.to_bytes())
            return [*_wrong_record(world, record), *_wrong_network(world, record, one.value)]
        if one.command == "pull":
            return list(_wrong_folder(world, world.out / FOLDER))
        return [*_wrong_registry(world)]
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        StopIteration,
        SafetensorError,
    ) as error:
        return [f"what was taken cannot be judged: {error!r}"]


def _wrong_record(world: World, shown: dict[str, Any]) -> Iterator[str]:
    """``shown``: a record that was believed."""
    path = layout.version(shown["model"], shown["version"])
    if path not in world.files:
        yield f"a record of {shown['model']!r} {shown['version']} was taken, which nobody published"
        return
    if shown != json.loads((world.root / path).read_bytes()):
        yield "what was taken is not the record that is there"
    for key, was, now in differences(world.json(path), shown):
        # What came before is verify's to tell, and that of a reader who has been there.
        if key in ("files", "prev") or key.startswith("files."):
            continue
        if not any(fnmatch.fnmatchcase(key, said) for said in _SAID):
            yield f"{key} was taken as {str(now)[:100]!r}, was {str(was)[:100]!r}"
    if not set(shown) <= _KEYS:
        yield f"keys {set(shown) - _KEYS} were taken"
    for file in shown["files"]:
        plain = _PLAIN.fullmatch(file["path"]) and ".." not in file["path"]
        if not plain or not re.fullmatch("[0-9a-f]{64}", file["sha256"]) or file["size"] < 0:
            yield f"file {file} was taken"


def _wrong_version(reference: str, shown: dict[str, Any]) -> Iterator[str]:
    asked = re.search(r"@(\d+)$", reference)
    if asked and int(asked[1]) != shown["version"]:
        yield f"version {shown['version']} was taken for {reference}"


def _wrong_network(world: World, record: dict[str, Any], model: Any) -> Iterator[str]:
    """A network, or those of an ensemble, each in its place."""
    if "ensemble" not in record:
        yield from _wrong_weights(world, record, model)
        return
    for member, one in zip(record["ensemble"]["members"], model.members, strict=True):
        place = world.root / layout.versions(member["model"])
        versions = [path.read_bytes() for path in place.glob("*.json")]
        yield from _wrong_network(world, json.loads(next(
            data for data in versions if hashlib.sha256(data).hexdigest() == member["digest"]
        )), one)  # fmt: skip


def _wrong_weights(world: World, record: dict[str, Any], model: Any) -> Iterator[str]:
    entry = next(file for file in record["files"] if file["path"] == WEIGHTS)
    data = (world.root / layout.blob(entry["sha256"])).read_bytes()
    yield from _wrong_bytes(WEIGHTS, data, entry)
    expected = safetensors.torch.load(data)
    network = model.network.network if "calibration" in record else model.network
    held = network.state_dict()
    if list(held) != [name for name in held if name in expected] or len(held) != len(expected):
        yield f"tensors {set(held) ^ set(expected)} were made up or left out"
    for name in set(held) & set(expected):
        same = held[name].dtype == expected[name].dtype and held[name].shape == expected[name].shape
        bits = [one[name].contiguous().flatten().view(torch.uint8) for one in (held, expected)]
        if not same or not torch.equal(*bits):
            yield f"tensor {name!r} is not what the file holds"


def _wrong_bytes(path: str, data: bytes, entry: Any) -> Iterator[str]:
    if (hashlib.sha256(data).hexdigest(), len(data)) != (entry["sha256"], entry["size"]):
        yield f"{path} is not the file that the record names"


def _wrong_folder(world: World, folder: Path) -> Iterator[str]:
    """What was pulled is what the records name, and nothing else."""
    there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    files = {name: path for name, path in there.items() if not path.is_dir()}
    if any(path.is_symlink() for path in there.values()):
        yield "links were pulled"
    for name, path in list(files.items()):
        if not name.endswith("record.json"):
            continue
        record, parent = json.loads(path.read_bytes()), name.removesuffix("record.json")
        yield from _wrong_record(world, record)
        kept = world.root / layout.version(record["model"], record["version"])
        if path.read_bytes() != kept.read_bytes():
            yield f"{name} is not the record that is there"
        named = {f"{parent}{file['path']}": file for file in record["files"]}
        for inner, entry in named.items():
            yield from _wrong_bytes(inner, files.pop(inner, path).read_bytes(), entry)
            if inner.endswith(".safetensors"):
                yield from _wrong_header(inner, there[inner].read_bytes())
    extra = [name for name in files if not name.endswith("record.json")]
    if extra or os.listdir(world.out) != [FOLDER]:
        yield f"{extra or os.listdir(world.out)} were pulled, which no record names"


def _wrong_header(path: str, data: bytes) -> Iterator[str]:
    if int.from_bytes(data[:8], "little") > 16 << 20:
        yield f"{path} has a header that costs its readers a gigabyte"
    else:
        safetensors.torch.load(data)


def _wrong_registry(world: World) -> Iterator[str]:
    """What ``verify`` found nothing wrong with."""
    for path, data in world.files.items():
        place = world.root / path
        now = place.read_bytes() if place.is_file() else b""
        if now == data:
            continue
        if path.startswith(layout.BLOBS):
            if path in _named_blobs(world):
                yield f"{path} was changed, and is believed"
            continue
        for key, was, here in differences(json.loads(data), _strict(now) if now else None):
            if not _may_differ(path, key, was, here):
                yield f"{path}: {key} was {str(was)[:80]!r}, is {str(here)[:80]!r}, and is believed"


def _named_blobs(world: World) -> set[str]:
    found = set()
    for path in world.root.glob("models/*/versions/*.json"):
        found |= {layout.blob(file["sha256"]) for file in json.loads(path.read_bytes())["files"]}
    return found


def _may_differ(path: str, key: str, was: Any, now: Any) -> bool:
    """Derived files may lag behind, or be missing: that is a notice. ``now``: None where the whole
    file is missing."""
    if "/versions/" in path:
        return key.startswith("files") or any(fnmatch.fnmatchcase(key, said) for said in _SAID)
    if "/state/" in path:
        return key in ("created", "change.before", "change.reason")
    if path.endswith("head.json"):
        return now is None or (key in ("newest", "state", "latest") and now < was)
    if "/index/" in path:
        return now is None or key == "rows" or re.fullmatch(r"rows\.\d+\.(sha256|created)", key)
    if path == layout.MARKER:
        return key == "id"
    return True  # the catalog: names that are listed or not, which a repair puts right


def _strict(data: bytes) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    return json.loads(data, object_pairs_hook=once)
