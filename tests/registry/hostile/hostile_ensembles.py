"""Ensembles that are made of themselves, of nothing, of too much, or by rules that are none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from hostile_case import EVERY, Case
from hostile_tensors import file_of
from hostile_world import BOTH, MODEL, World

from zoo.registry import layout

R = dict[str, Any]


def _ensemble(**changes: object) -> Callable[[World], object]:
    return lambda world: world.change_record(
        lambda record: record["ensemble"].update(changes), 1, BOTH
    )


def _member(world: World, model: str = MODEL, number: int = 1) -> R:
    data = world.files[layout.version(model, number)]
    return {"model": model, "version": number, "digest": hashlib.sha256(data).hexdigest()}


def _members(change: Callable[[World], list[R]]) -> Callable[[World], object]:
    return lambda world: _ensemble(members=change(world))(world)


def _arrays(dtype: str, size: int, fill: bytes = b"\0", rows: int = 3) -> bytes:
    """What a stack keeps, for two members and three classes."""
    end = rows * 6 * size
    return file_of(
        {"coefficients": {"dtype": dtype, "shape": [rows, 6], "data_offsets": [0, end]},
         "intercepts": {"dtype": dtype, "shape": [rows], "data_offsets": [end, end + rows * size]}},
        fill * (end + rows * size),
    )  # fmt: skip


_SELF = {"model": BOTH, "version": 1, "digest": "0" * 64}
# (change, who has to refuse)
ENSEMBLES: dict[str, tuple[Callable[[World], object], tuple[str, ...]]] = {
    "of itself": (_members(lambda world: [_SELF]), ("load", "pull", "verify")),
    "of itself as it was": (
        _members(lambda world: [_member(world, BOTH)]), ("load", "pull", "verify")
    ),
    "of none": (_ensemble(members=[]), EVERY),
    "of 1,001": (_members(lambda world: [_member(world)] * 1001), EVERY),
    "of 100,000 nothings": (_ensemble(members=[{}] * 100_000), EVERY),
    "of 1,000 that are not there": (
        _ensemble(members=[{"model": f"m{i}", "version": 1, "digest": "0" * 64}
                           for i in range(1000)]),
        ("load", "pull", "verify"),
    ),
    "of another version": (
        _members(lambda world: [{**_member(world), "version": 99}]), ("verify",)
    ),
    "of another digest": (
        _members(lambda world: [{**_member(world), "digest": "0" * 64}]),
        ("load", "pull", "verify"),
    ),
    "of a version beyond all": (
        _members(lambda world: [{**_member(world), "version": 10**9}]), EVERY
    ),
    "of members with paths": (
        _members(lambda world: [{**_member(world), "model": "../other"}]), EVERY
    ),
    "of members with addresses": (
        _members(lambda world: [{**_member(world), "url": "https://evil.example"}]), EVERY
    ),
    "by a method of nobody": (_ensemble(method="os:system"), ("load",)),
    "with options without an end": (
        _ensemble(options={f"k{i}": 1 for i in range(70_000)}), EVERY
    ),
    "of the same 1,000 times": (_members(lambda world: [_member(world)] * 1000), ()),
    "of another kind of task": (
        lambda world: world.change_record(
            lambda record: record.update(task={"kind": "multilabel", "classes": ["a"],
                                               "threshold": 0.5}), 1, BOTH),
        ("load",),
    ),
    "of other classes": (
        lambda world: world.change_record(
            lambda record: record["task"].update(classes=["x", "y", "z"]), 1, BOTH),
        ("load",),
    ),
    "that asks for views by nobody": (_ensemble(options={"tta": "../x\x1b"}), ("load",)),
    "ten deep": (lambda world: _nested(world, [1] * 10), ("load", "pull")),
    "of 4,096, each of four of four": (lambda world: _nested(world, [4] * 7), ("load", "pull")),
    "of 10^12, each of 100 of 100": (lambda world: _nested(world, [100] * 7), ("load", "pull")),
}  # fmt: skip


def _nested(world: World, widths: list[int]) -> None:
    """Ensembles of ensembles, the lowest of one network: so many of the level below in each, which
    differ in nothing but their names."""
    below = [_member(world)]
    for level, width in enumerate(widths):
        made = []
        for place in range(width if level < len(widths) - 1 else 1):
            name = f"level{level}.{place}" if level < len(widths) - 1 else BOTH
            record = world.json(layout.version(BOTH, 1))
            record["model"], record["ensemble"]["members"] = name, below
            data = world.put_model(name, record)
            digest = hashlib.sha256(data).hexdigest()
            made.append({"model": name, "version": 1, "digest": digest})
        below = made


_STACK = {"method": "stack", "options": {}}
RULES: dict[str, tuple[dict[str, Any], bytes | None]] = {
    "a stack without its file": (_STACK, None),
    "a stack of half numbers": (_STACK, _arrays("BF16", 2)),
    "a stack of eighths": (_STACK, _arrays("F8_E4M3", 1)),
    "a stack of complex numbers": (_STACK, _arrays("C64", 8)),
    "a stack of integers": (_STACK, _arrays("I64", 8)),
    "a stack of NaN": (_STACK, _arrays("F64", 8, b"\xff")),
    "a stack of another shape": (_STACK, _arrays("F64", 8, rows=2)),
    "a stack of nothing": (_STACK, file_of({})),
    "a stack that is no safetensors": (_STACK, b"\x80\x04cos\nsystem\n"),
    "weights that are none": ({"method": "weighted", "options": {"weights": "1"}}, None),
    "weights beyond one": ({"method": "weighted", "options": {"weights": [2, -1]}}, None),
    "weights of true": ({"method": "weighted", "options": {"weights": [True, False]}}, None),
    "100,000 weights": ({"method": "weighted", "options": {"weights": [0.5] * 100_000}}, None),
    "an average of nobody": ({"method": "mean", "options": {"average": "\x1b[2J"}}, None),
    "an average of a list": ({"method": "mean", "options": {"average": ["logits"]}}, None),
    "views of nobody": ({"method": "mean", "options": {"tta": "os:system"}}, None),
    "views of a list": ({"method": "mean", "options": {"tta": [1]}}, None),
}


def _rule(ensemble: dict[str, Any], file: bytes | None) -> Callable[[World], object]:
    def apply(world: World) -> None:
        def change(record: R) -> None:
            record["ensemble"].update(ensemble)
            if file is not None:
                digest = hashlib.sha256(file).hexdigest()
                world.put(layout.blob(digest), file)
                named = {"path": "combination.safetensors", "sha256": digest, "size": len(file)}
                record["files"].append(named)

        world.change_record(change, 1, BOTH)

    return apply


def cases() -> Iterator[Case]:
    for what, (apply, refuse) in ENSEMBLES.items():
        yield Case(f"ensemble {what}", apply, refuse, (BOTH,))
    for what, (ensemble, file) in RULES.items():
        yield Case(f"ensemble by {what}", _rule(ensemble, file), ("load",), (BOTH,))
