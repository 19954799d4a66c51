"""Links, pipes, folders, devices and endless files, in place of each file and folder of a registry,
and in the place where something is to be pulled to."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from hostile_case import EVERY, Case
from hostile_commands import FOLDER
from hostile_json import FILES, File
from hostile_tensors import READ
from hostile_world import BOTH, MODEL, World

from zoo.registry import layout

_TB = 1 << 40
CARD = ("show", "pull", "verify")  # who opens the card


def _sparse(size: int) -> Callable[[World, Path, bytes], object]:
    def put(world: World, place: Path, data: bytes) -> None:
        with place.open("wb") as file:
            file.write(data)
            file.truncate(size)

    return put


def _socket(world: World, place: Path, data: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as made, contextlib.chdir(place.parent):
        made.bind(place.name)


def _unreadable(world: World, place: Path, data: bytes) -> None:
    place.write_bytes(data)
    world.deny(place)


def _growing(world: World, place: Path, data: bytes) -> None:
    place.write_bytes(data)

    def grow() -> None:
        with place.open("ab") as file:
            file.write(data)

    world.when_opened(place, grow)


# What no reader takes for the file.
WRONG: dict[str, Callable[[World, Path, bytes], object]] = {
    "a link to itself": lambda world, place, data: place.symlink_to(place),
    "a link around": lambda world, place, data: (
        place.symlink_to(world.root / "back"), world.path("back").symlink_to(place)
    ),
    "a link out": lambda world, place, data: place.symlink_to(world.secret),
    "a link up and out": lambda world, place, data: place.symlink_to(
        os.path.relpath(world.secret, place.parent)
    ),
    "a link to zeros": lambda world, place, data: place.symlink_to("/dev/zero"),
    "a link to a terminal": lambda world, place, data: place.symlink_to("/dev/ptmx"),
    "a link to memory": lambda world, place, data: place.symlink_to("/proc/self/mem"),
    "a link to a folder": lambda world, place, data: place.symlink_to(world.secret.parent),
    "a hard link out": lambda world, place, data: os.link(world.secret, place),
    "a pipe": lambda world, place, data: os.mkfifo(place),
    "a socket": _socket,
    "a folder": lambda world, place, data: place.mkdir(),
    "a file that may not be read": _unreadable,
    "a terabyte of nothing": _sparse(_TB),
    "17 MB of nothing": _sparse(17 << 20),
    "a file that grows": _growing,
}  # fmt: skip
# What is the file all the same, wherever its bytes are.
RIGHT: dict[str, Callable[[World, Path, bytes], object]] = {
    "a link to a copy": lambda world, place, data: _linked(world, place, data, place.symlink_to),
    "a hard link to a copy": lambda world, place, data: _linked(
        world, place, data, lambda copy: os.link(copy, place)
    ),
}


def _linked(world: World, place: Path, data: bytes, link: Callable[[Path], object]) -> None:
    copy = world.path("copy")
    copy.write_bytes(data)
    link(copy)


# In place of folders.
FOLDERS: dict[str, Callable[[Path], object]] = {
    "a file": lambda place: place.write_bytes(b"x"),
    "a pipe": os.mkfifo,
    "a link to itself": lambda place: place.symlink_to(place),
    "a link to /proc": lambda place: place.symlink_to("/proc/self/fd"),
}  # fmt: skip
# Who cannot do without the folder.
_NEEDED = {
    layout.MODELS: EVERY, layout.model(MODEL): EVERY, layout.versions(MODEL): EVERY,
    "blobs": EVERY, layout.BLOBS: EVERY, layout.states(MODEL): (), layout.CATALOG: (),
    layout.TMP: (), f"{layout.model(MODEL)}/index": (),
}  # fmt: skip


def cases() -> Iterator[Case]:
    files = {name: file for name, file in FILES.items() if file.path}
    weights, card = layout.BLOBS, layout.BLOBS
    for where, file in (
        *files.items(),
        ("weights", File(weights, READ)),
        ("card", File(card, CARD)),
    ):
        for what, put in WRONG.items():
            yield Case(
                f"{where}: {what}", _in_place(where, file, put), _refusing(file, where, what),
                (file.reference,),
            )  # fmt: skip
        for what, put in RIGHT.items():
            refuse: tuple[str, ...] = ()
            if where in ("weights", "card"):  # content that others may change
                refuse = ("pull", "verify") if what == "a link to a copy" else ()
            yield Case(f"{where}: {what}", _in_place(where, file, put), refuse, (file.reference,))
    for path, refuse in _NEEDED.items():
        for what, put_folder in FOLDERS.items():
            yield Case(
                f"folder {path}: {what}",
                lambda world, path=path, put=put_folder: put(world.path(path)),
                refuse,
            )
    for what, target in TARGETS.items():
        refuse = () if what in ("an empty folder",) else ("pull",)
        yield Case(f"pulled to {what}", target, refuse, commands=("pull",))
        yield Case(f"pulled with members to {what}", target, refuse, (BOTH,), ("pull",))


def _in_place(
    where: str, file: File, put: Callable[[World, Path, bytes], object]
) -> Callable[[World], object]:
    def apply(world: World) -> None:
        path = file.path
        if where in ("weights", "card"):
            path = world.blob("README.md" if where == "card" else "model.safetensors")
        put(world, world.path(path), world.files[path])

    return apply


def _refusing(file: File, where: str, what: str) -> tuple[str, ...]:
    # What can be made anew and is missing is told, and no error.
    missing = what in ("a link around", "a link to itself")
    return () if missing and where in ("page", "head") else file.refuse


def _target(put: Callable[[World, Path], object]) -> Callable[[World], object]:
    def apply(world: World) -> None:
        put(world, world.out / FOLDER)
        world.expect_out()

    return apply


TARGETS = {
    "a link out": _target(lambda world, place: place.symlink_to(world.secret.parent)),
    "a link to nothing": _target(lambda world, place: place.symlink_to(world.home / "nothing")),
    "a link to itself": _target(lambda world, place: place.symlink_to(place)),
    "a file": _target(lambda world, place: place.write_bytes(b"mine")),
    "a pipe": _target(lambda world, place: os.mkfifo(place)),
    "a folder with something else": _target(
        lambda world, place: (place.mkdir(), (place / "mine").write_bytes(b"mine"))
    ),
    "a folder with a link for weights": _target(
        lambda world, place: (
            place.mkdir(), (place / "model.safetensors").symlink_to(world.secret)
        )
    ),
    "a folder with a pipe for weights": _target(
        lambda world, place: (place.mkdir(), os.mkfifo(place / "model.safetensors"))
    ),
    "a folder with a link for a folder": _target(
        lambda world, place: (place.mkdir(), (place / "metrics").symlink_to(world.secret.parent))
    ),
    "an empty folder": _target(lambda world, place: place.mkdir()),
}  # fmt: skip
