"""What all trackers share: which event calls what, the figures in it, and one end."""

from __future__ import annotations

import atexit
import re
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Listener:
    """A tracker with a method ``on_NAME(event as JSON)`` for each event it takes; others pass by.
    It is finished once: by the last event, by ``close``, or when the interpreter exits."""

    def __init__(self) -> None:
        self._closed = False
        atexit.register(self.close)

    def __call__(self, event: Any) -> None:
        said = event.as_json()
        handle = getattr(self, f"on_{said['event']}", None)
        if handle is not None and not self._closed:
            handle(said)

    def close(self) -> None:
        """After a run that did not come to its end."""
        self.end("failed")

    def end(self, status: str) -> None:
        """``status``: finished, interrupted or failed."""
        if not self._closed:
            self._closed = True
            atexit.unregister(self.close)
            self.finish(status)

    def finish(self, status: str) -> None:
        raise NotImplementedError

    def on_training_ended(self, event: Mapping[str, Any]) -> None:
        self.end("interrupted" if event["reason"] == "interrupted" else "finished")


def figures(event: Mapping[str, Any]) -> dict[str, float]:
    """Of an ended epoch, all that are numbers: ``train/loss``, ``val/accuracy``, the rest."""
    found = {
        f"{part}/{name}": value for part in ("train", "val") for name, value in event[part].items()
    }
    found |= {name: event[name] for name in ("learning_rate", "samples_per_second")}
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def settings(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe without its trackers, whose options may hold an address with a password."""
    return {name: section for name, section in recipe.items() if name != "trackers"}


def flat(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """:func:`settings` as ``{"optimizer.lr": 0.001}`` and so on; lists as text."""
    return dict(_flat(settings(recipe), ""))


def _flat(section: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            plain = isinstance(value, bool | int | float | str)
            yield f"{before}{name}", value if plain else str(value)


def run_id(folder: Path, name: str, resumed: bool) -> tuple[str, bool]:
    """The id under which the tracker knows this run, and whether it knew it before; kept in the
    run's folder, so that a resumed run goes on where it was."""
    path = folder / f"{name}-id.txt"
    if resumed and path.is_file():
        known = path.read_text(encoding="utf-8").strip()
        if _ID.fullmatch(known):
            return known, True
    made = uuid.uuid4().hex
    keep_id(folder, name, made)
    return made, False


def keep_id(folder: Path, name: str, known: str) -> None:
    (folder / f"{name}-id.txt").write_text(f"{known}\n", encoding="utf-8")
