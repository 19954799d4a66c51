"""What is said of imported weights by flags, as values: the task, the preprocessing, the names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.data.fitting import STRETCH
from zoo.data.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from zoo.errors import RunError, clipped
from zoo.recipes.flags import parse_value
from zoo.storage import reading
from zoo.tasks import BINARY, MULTICLASS, Task

_CLASSES_BYTES = 8 << 20
_IMAGENET = "imagenet"


def task_of(kind: str, classes: str, positive: str | None) -> Task:
    """``classes``: names joined by commas, in the order of the network's outputs, or a ``.txt``
    file with a name a line. Raises :class:`ZooError` for what is no task."""
    if classes.endswith(".txt"):
        data = reading.read(Path(classes), _CLASSES_BYTES, what="--classes")
        text = data.decode("utf-8", "replace")
        names = [line.strip() for line in text.splitlines()]
        if "" in names:
            raise RunError(f"--classes {classes!r}: line {names.index('') + 1} is empty")
    else:
        names = [name.strip() for name in classes.split(",")]
    if positive is not None and kind == MULTICLASS and len(names) == 2:
        raise RunError(f"--positive {positive!r}: expected --task {BINARY} with it")
    return Task(kind, tuple(names), positive)


def preprocessing_of(
    size: str,
    channels: int,
    mean: str,
    std: str,
    *,
    store_size: str | None = None,
    fit: str = STRETCH,
    center_crop: bool = False,
) -> Preprocessing:
    """``size`` and ``store_size``: ``224``, or ``224x192`` for height by width; ``mean`` and
    ``std``: a number, one a channel joined by commas, or ``imagenet``."""
    made = Preprocessing(
        _size("--size", size),
        channels,
        _numbers("--mean", mean, channels, IMAGENET_MEAN),
        _numbers("--std", std, channels, IMAGENET_STD),
        store_size=None if store_size is None else _size("--store-size", store_size),
        fit=fit,
        center_crop=center_crop,
    )
    _ = made.form  # judges what images are fitted to
    return made


def options_of(texts: Sequence[str]) -> dict[str, Any]:
    """``key=value`` texts; a value is TOML, or else text."""
    pairs = [_pair("--option", text, "KEY=VALUE") for text in texts]
    return {key: parse_value(value) for key, value in pairs}


def renames_of(texts: Sequence[str]) -> list[tuple[str, str]]:
    """``old=new`` texts; either may be empty: to put something before all names, or to take
    something off."""
    pairs = [_pair("--map", text, "OLD=NEW, either of which may be empty") for text in texts]
    return [(old.strip("."), new.strip(".")) for old, new in pairs]


def _pair(flag: str, text: str, expected: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or (flag == "--option" and not key.strip()):
        raise RunError(f"{flag} {clipped(text)!r}: expected {expected}")
    return key.strip(), value.strip()


def _size(flag: str, text: str) -> tuple[int, int]:
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isascii() and side.isdigit() for side in sides):
        raise RunError(
            f"{flag} {clipped(text)!r}: expected a side in pixels, or height by width as 224x192"
        )
    return int(sides[0]), int(sides[-1])


def _numbers(flag: str, text: str, channels: int, imagenet: tuple[float, ...]) -> tuple[float, ...]:
    if text == _IMAGENET:
        return imagenet if channels == 3 else (sum(imagenet) / 3,) * channels
    try:
        given = tuple(float(one) for one in text.split(","))
    except ValueError:
        raise RunError(
            f"{flag} {clipped(text)!r}: expected a number, one a channel joined by commas, or "
            f"{_IMAGENET}"
        ) from None
    return given * channels if len(given) == 1 else given
