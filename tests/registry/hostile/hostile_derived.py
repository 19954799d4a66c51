"""Heads, pages, states and catalogs in their right form, that say what is not so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hostile_case import EVERY, Case
from hostile_world import MODEL, OTHER, World

from zoo.registry import layout

R = dict[str, Any]
WEB, NOBODY = f"web:{MODEL}", f"{MODEL}@sha256:{'0' * 64}"
_READERS = ("show", "load", "pull")
_MOST = 999_999


def _with(**changes: object) -> Callable[[R], object]:
    return lambda plain: {**plain, **changes}


# (change, who has to refuse on the web, who in a folder, where it is a hint)
HEADS: dict[str, tuple[Callable[[R], object], tuple[str, ...], tuple[str, ...]]] = {
    "of a million versions": (_with(newest=_MOST, latest=_MOST), EVERY, ("verify",)),
    "of a million versions, the latest there": (_with(newest=_MOST), ("verify",), ("verify",)),
    "of 10^9 versions": (_with(newest=10**9, latest=10**9), EVERY, ("verify",)),
    "of 2^62 versions": (_with(newest=2**62, latest=2**62), EVERY, ("verify",)),
    "of no version": (_with(newest=0, latest=None), EVERY, ("verify",)),
    "of a version that is not there": (_with(newest=3, latest=3), EVERY, ("verify",)),
    "whose latest is beyond the newest": (_with(latest=3), EVERY, ("verify",)),
    "whose versions are all yanked": (_with(latest=None), EVERY, ("verify",)),
    "whose latest is 0": (_with(latest=0), EVERY, ("verify",)),
    "whose latest is true": (_with(latest=True), EVERY, ("verify",)),
    "whose latest is a float": (_with(latest=2.0), EVERY, ("verify",)),
    "whose latest is a text": (_with(latest="2"), EVERY, ("verify",)),
    "whose latest is negative": (_with(latest=-1), EVERY, ("verify",)),
    "of an earlier day": (_with(newest=1, latest=1, state=0), (), ()),
    "of a state that is not there": (_with(state=3), ("show", "verify"), ("verify",)),
    "of a million states": (_with(state=_MOST), ("show", "verify"), ("verify",)),
    "of 2^62 states": (_with(state=2**62), EVERY, ("verify",)),
    "of a negative state": (_with(state=-1), EVERY, ("verify",)),
    "of format 2": (_with(format=2), EVERY, ("verify",)),
    "of format true": (_with(format=True), EVERY, ("verify",)),
    "of another model": (_with(model=OTHER), EVERY, ("verify",)),
    "of 5,000 bytes": (_with(model="x" * 5000), EVERY, ("verify",)),
}


def _row(number: int, **changes: object) -> R:
    return {"v": number, "sha256": "0" * 64, "created": "2026-01-02T03:04:05Z", **changes}


def _rows(change: Callable[[list[R]], object]) -> Callable[[R], object]:
    def apply(page: R) -> None:
        page["rows"] = change(page["rows"])

    return apply


PAGES: dict[str, Callable[[R], object]] = {
    "with another digest": _rows(lambda rows: [rows[0], {**rows[1], "sha256": "0" * 64}]),
    "with digests changed round": _rows(
        lambda rows: [{**rows[0], "sha256": rows[1]["sha256"]},
                      {**rows[1], "sha256": rows[0]["sha256"]}]
    ),
    "with a digest that leads away": _rows(
        lambda rows: [rows[0], {**rows[1], "sha256": "../../../etc/passwd"}]
    ),
    "without the first": _rows(lambda rows: rows[1:]),
    "without the last": _rows(lambda rows: rows[:1]),
    "without rows": _rows(lambda rows: []),
    "upside down": _rows(lambda rows: rows[::-1]),
    "with a row twice": _rows(lambda rows: [*rows, rows[1]]),
    "with a gap": _rows(lambda rows: [*rows, _row(4)]),
    "with 1,001 rows": _rows(lambda rows: [_row(n) for n in range(1, 1002)]),
    "with 10,000 rows of nothing": _rows(lambda rows: [{}] * 10_000),
    "of other versions": _rows(lambda rows: [_row(1001)]),
    "of version 10^9 + 1": _rows(lambda rows: [_row(10**9 + 1)]),
    "with a date of nonsense": _rows(lambda rows: [rows[0], {**rows[1], "created": "yesterday"}]),
    "of another model": _with(model=OTHER),
    "of format 2": _with(format=2),
    "of format 1.0": _with(format=1.0),
}  # fmt: skip


def _without_end(key: str, count: int, value: object) -> Callable[[R], object]:
    return lambda state: {**state, key: {f"a{i}" if key == "aliases" else str(i + 1): value
                                         for i in range(count)}}  # fmt: skip


# (change, who has to refuse beside verify)
STATES: dict[str, tuple[Callable[[R], object], tuple[str, ...]]] = {
    "of another number": (_with(serial=3), EVERY),
    "of number 0": (_with(serial=0, prev=None), EVERY),
    "of a number beyond all": (_with(serial=2**62), EVERY),
    "of another model": (_with(model=OTHER), EVERY),
    "of another chain": (_with(prev="0" * 64), ()),
    "without one before": (_with(prev=None), EVERY),
    "of format 2": (_with(format=2), EVERY),
    "of format true": (_with(format=True), EVERY),
    "without format": (lambda state: {k: v for k, v in state.items() if k != "format"}, EVERY),
    "of no change": (_with(change=None), ()),
    "of a change it did not make": (
        _with(change={"kind": "alias", "alias": "good", "version": 1}),
        (),
    ),
    "of an unknown change": (_with(change={"kind": "delete", "version": 1}), EVERY),
    "of a yank of nothing": (_with(change={"kind": "yank"}), EVERY),
    "that yanks everything": (_with(yanked={"1": "", "2": ""}), EVERY),
    "that yanks version 99": (_with(yanked={"99": ""}), ()),
    "that yanks version 0": (_with(yanked={"0": ""}), EVERY),
    "that yanks version 01": (_with(yanked={"01": ""}), EVERY),
    "that yanks with a path": (_with(yanked={"../1": ""}), EVERY),
    "that yanks by the ten thousand": (_without_end("yanked", 19_000, ""), EVERY),
    "that yanks by the thirty thousand": (_without_end("yanked", 30_000, ""), EVERY),
    "whose alias leads to nothing": (_with(aliases={"best": 99}), ()),
    "whose alias leads to 0": (_with(aliases={"best": 0}), EVERY),
    "whose alias leads to 2^62": (_with(aliases={"best": 2**62}), EVERY),
    "whose alias is a text": (_with(aliases={"best": "1"}), EVERY),
    "whose alias is a list": (_with(aliases={"best": [1, 2]}), EVERY),
    "with 1,001 aliases": (_without_end("aliases", 1001, 1), EVERY),
    "with 100,000 aliases": (_without_end("aliases", 60_000, 1), EVERY),
    "with the alias latest": (_with(aliases={"latest": 1}), EVERY),
    "with a reason of two lines": (_with(yanked={"1": "a\nb"}), EVERY),
    "with a reason of a megabyte": (_with(yanked={"1": "x" * 900_000}), EVERY),
    "of a date of nonsense": (_with(created="yesterday"), EVERY),
    "with a key more": (_with(evil=1), EVERY),
}
CATALOGS: dict[str, tuple[str, Callable[[R], object]]] = {
    "table with a folder above": (layout.SHARDS, _with(shards={"..": 1})),
    "table with a path": (layout.SHARDS, _with(shards={"../../outside/secret": 1})),
    "table with 3 digits": (layout.SHARDS, _with(shards={"abc": 1})),
    "table of capitals": (layout.SHARDS, _with(shards={"AB": 1})),
    "table of 2^62 models": (layout.SHARDS, _with(shards={layout.shard_key(MODEL): 2**62})),
    "table of negative models": (layout.SHARDS, _with(shards={layout.shard_key(MODEL): -1})),
    "table by the ten thousand": (
        layout.SHARDS, _with(shards={f"{i:x}": 1 for i in range(19_000)})
    ),
    "part of numbers": (layout.shard(MODEL), _with(models=list(range(100_000)))),
    "part of tables": (layout.shard(MODEL), _with(models=[{}] * 100_000)),
    "part of format 2": (layout.shard(MODEL), _with(format=2)),
}  # fmt: skip


def cases() -> Iterator[Case]:
    head, page = layout.head(MODEL), layout.page(MODEL, 1)
    for what, (change, web, folder) in HEADS.items():
        yield Case(f"head on the web {what}", _on(head, change), web, (WEB,))
        yield Case(f"head {what}", _on(head, change), folder)
        nobody = ("show", "load", "pull")
        yield Case(
            f"head {what}, asked for a digest", _on(head, change), nobody,
            (f"web:{NOBODY}", NOBODY), nobody,
        )  # fmt: skip
    for what, change in PAGES.items():
        yield Case(
            f"page on the web {what}", _on(page, change),
            ("verify",) if what == "without the last" else EVERY, (WEB,),
        )  # fmt: skip
        told = () if what == "without the last" else ("verify",)
        yield Case(f"page {what}", _on(page, change), told)
    for what, (change, refuse) in STATES.items():
        path = layout.state(MODEL, 2)
        yield Case(f"state {what}", _on(path, change), (*refuse, "verify"))
    for what, (path, change) in CATALOGS.items():
        yield Case(f"catalog: {what}", _on(path, change), ("verify",))
    far = layout.version(MODEL, _MOST)
    yield Case(
        "a record with a great number",
        lambda world: world.put(far, world.files[layout.version(MODEL, 2)]),
        ("verify",),
    )
    yield Case(
        "a record with a great number, asked for a digest",
        lambda world: world.put(far, world.files[layout.version(MODEL, 2)]),
        _READERS, (NOBODY,), _READERS,
    )  # fmt: skip
    yield Case(
        "a record with a great number, in head and state",
        lambda world: (
            world.put(far, world.files[layout.version(MODEL, 2)]),
            world.put(layout.state(MODEL, _MOST), world.files[layout.state(MODEL, 2)]),
            world.change(head, _with(newest=_MOST, latest=_MOST, state=_MOST)),
        ),
    )


def _on(path: str, change: Callable[[R], object]) -> Callable[[World], object]:
    return lambda world: world.change(path, change)
