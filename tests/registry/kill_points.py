"""Publish, killed before the k-th call to the system, for every k; look after each.

Run as ``python kill_points.py FOLDER fresh|grown right|record_first``; prints JSON.
``record_first`` is the negative control: a registry that commits a record before its blobs.
Needs no torch, so that forking costs nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from drafts import draft

from zoo.registry import derived, layout, publishing
from zoo.registry.store import Registry

CALLS = ("open", "write", "chmod", "fsync", "close", "mkdir", "link", "replace", "rename", "unlink")
FILES = {"model.safetensors": b"w" * 3000, "README.md": lambda number: b"card %d" % number}


class RecordFirst(Registry):
    def publish(self, draft, files, gate=None):
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


def die_at(point, torn):
    """Before the ``point``-th call, die; ``torn``: a write first writes its first half."""
    made = 0

    def wrap(name, real):
        def call(*args, **kwargs):
            nonlocal made
            made += 1
            if made == point:
                if name == "write" and torn:
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                os._exit(137)
            return real(*args, **kwargs)

        return call

    for name in CALLS:
        setattr(os, name, wrap(name, getattr(os, name)))


def problems_of(registry, before):
    """Every listed version verifies, none of ``before`` is lost, none has changed."""
    found = []
    now = {}
    try:
        for name in registry.models():
            previous = None
            for number in registry.versions(name):
                record = registry.record(f"{name}@{number}")
                if record.prev != previous:
                    found.append(f"{record}: prev")
                previous = now[name, number] = registry.digest(record)
                for file in record.files:
                    registry.read_file(record, file["path"])
    except Exception as error:
        found.append(f"{type(error).__name__}: {error}")
    found += [f"{key} is lost or changed" for key in before if now.get(key) != before[key]]
    return found, now


def lagging(registry):
    """After a whole publish everything derived says what the records say, again."""
    for name in registry.models():
        head = derived.read_head(registry.tree, name)
        numbers = registry.versions(name)
        if head.newest != numbers[-1] or name not in derived.read_catalog(registry.tree):
            yield f"{name}: head or catalog lags behind"
        for number in numbers:
            page = derived.read_page(registry.tree, name, number)
            if page.row(number).sha256 != registry.digest(registry.record(f"{name}@{number}")):
                yield f"{name}@{number}: index"


def main():
    root, mode, order = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    kind = RecordFirst if order == "record_first" else Registry
    before, problems, points, listed_early = {}, [], 0, 0
    while True:
        points += 1
        if mode == "fresh":
            shutil.rmtree(root, ignore_errors=True)
            before = {}
        child = os.fork()
        if child == 0:
            die_at(points, torn=True)
            kind.at(root).publish(draft(), FILES)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, 137), status
        found, now = problems_of(Registry.at(root), before)
        listed_early += status == 137 and len(now) > len(before)
        problems += [f"killed at {points}: {one}" for one in found]
        try:
            Registry.at(root).publish(draft(), FILES)
        except Exception as error:
            problems.append(f"after {points}: {type(error).__name__}: {error}")
        found, before = problems_of(Registry.at(root), now)
        found += lagging(Registry.at(root)) if order == "right" else []
        problems += [f"after {points}, published again: {one}" for one in found]
        if status == 0:
            break
    total = len(Registry.at(root).versions("digits-tiny"))
    print(json.dumps({
        "points": points, "problems": problems, "total": total, "listed_early": listed_early
    }))  # fmt: skip


if __name__ == "__main__":
    main()
