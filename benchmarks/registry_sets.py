"""Registries of 100,000 versions or models, laid out by hand in seconds: what publishing would have
made, without a single fsync."""

from __future__ import annotations

import hashlib
from pathlib import Path

from zoo.registry import layout
from zoo.registry.derived import Head, Page, Row, Shard, Shards
from zoo.registry.record import Draft, Record
from zoo.registry.store import Registry
from zoo.tasks import Task

CREATED = "2026-01-02T03:04:05Z"
WEIGHTS = b"w" * 4096


def draft(model: str) -> Draft:
    """A version as small runs publish them: its record has about 1.5 kB."""
    splits = {
        name: {"samples": 100, "fingerprint": f"sha256:{name}"} for name in ("train", "val", "test")
    }
    figures = {"accuracy": 0.9, "auroc": 0.95, "f1": 0.9, "log_loss": 0.3, "samples": 100}
    return Draft.of(
        model=model,
        task=Task.multiclass([str(digit) for digit in range(10)]),
        preprocessing={
            "size": [28, 28], "channels": 1, "mean": [0.13], "std": [0.31], "resize": "bilinear",
        },
        architecture={
            "name": "simple_cnn", "options": {"dropout": 0.5}, "in_channels": 1,
            "image_size": [28, 28],
        },
        plugin={"entry": "basics", "distribution": "zoo-basics", "version": "0.1.0"},
        recipe={"dataset": {"name": "mnist"}, "optimizer": {"name": "adam", "lr": 0.001}},
        data={"dataset": "mnist", "fingerprint": "sha256:0", "splits": splits},
        metrics={"val": figures, "test": figures},
        licence="mit",
        environment={"python": "3.11.7", "torch": "2.14.1", "device": "cpu"},
        weights="best",
    )  # fmt: skip


def many_versions(root: Path, model: str, count: int) -> Registry:
    """A registry whose ``model`` has ``count`` versions, index and all."""
    registry = _empty(root)
    record = registry.publish(draft(model), {"model.safetensors": WEIGHTS})
    folder = root / layout.versions(model)
    previous = registry.digest(record)
    rows = [Row(v=1, sha256=previous, created=record.created)]
    # One record is the pattern of all: validating 100,000 of them would take minutes.
    for number in range(2, count + 1):
        data = _numbered(record, number, previous)
        (folder / f"{number}.json").write_bytes(data)
        previous = hashlib.sha256(data).hexdigest()
        rows.append(Row(v=number, sha256=previous, created=record.created))
    for start in range(0, count, layout.PAGE_ROWS):
        page = Page(model=model, rows=rows[start : start + layout.PAGE_ROWS])
        (root / layout.page(model, start + 1)).write_bytes(page.to_bytes())
    head = Head(model=model, latest=count, newest=count, state=0)
    (root / layout.head(model)).write_bytes(head.to_bytes())
    return Registry.at(root)


def many_models(root: Path, count: int) -> Registry:
    """A registry of ``count`` models with a version each, catalog and all."""
    registry = _empty(root)
    pattern = registry.publish(draft("model-x"), {"model.safetensors": WEIGHTS})
    shards: dict[str, list[str]] = {}
    for number in range(count):
        name = f"model-{number:06d}"
        data = pattern.to_bytes().replace(b'"model":"model-x"', f'"model":"{name}"'.encode())
        row = Row(v=1, sha256=hashlib.sha256(data).hexdigest(), created=CREATED)
        for path, content in (
            (layout.version(name, 1), data),
            (layout.page(name, 1), Page(model=name, rows=[row]).to_bytes()),
            (layout.head(name), Head(model=name, latest=1, newest=1, state=0).to_bytes()),
        ):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        shards.setdefault(layout.shard_key(name), []).append(name)
    shards.setdefault(layout.shard_key("model-x"), []).append("model-x")
    for key, listed in shards.items():
        path = root / layout.CATALOG / f"{key}.json"
        path.write_bytes(Shard(models=sorted(listed)).to_bytes())
    counts = {key: len(listed) for key, listed in sorted(shards.items())}
    (root / layout.SHARDS).write_bytes(Shards(shards=counts).to_bytes())
    return Registry.at(root)


def _empty(root: Path) -> Registry:
    registry = Registry.at(root)
    registry.create()
    return registry


def _numbered(pattern: Record, number: int, previous: str) -> bytes:
    data = pattern.to_bytes()
    data = data.replace(b'"prev":null', f'"prev":"{previous}"'.encode())
    return data.replace(b'"version":1,', f'"version":{number},'.encode())
