"""Runs carried out in this process, and a study of tiny ones on the embedded digits."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from zoo.studies.carrying import PrunedError, Work, carry_out
from zoo.studies.executing import BEGUN, Ended, Message, Told

HEAD = """
title = "Digits"
source = "nobody"
seeds = [0, 1]
metrics = ["accuracy"]
set = { "training.threads" = 1, "training.epochs" = 1 }

[recipe.dataset]
name = "digits"
[recipe.split]
fraction = 0.3
[recipe.architecture]
name = "simple_cnn"
variant = "two_conv"
[recipe.checkpoints]
steps = 2

[profiles.long]
set = { "training.epochs" = 2 }
"""


class Inline:
    """A worker that is a thread of this process. ``carried``: the keys of what was carried out, in
    order."""

    def __init__(self, carried: list[str] | None = None) -> None:
        self.carried = [] if carried is None else carried
        self._waiting: list[Work] = []
        self._said: SimpleQueue[Message] = SimpleQueue()
        self._answers: SimpleQueue[bool] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, work: Work) -> None:
        self._waiting.append(work)

    def messages(self, timeout: float) -> list[Message]:
        if self._thread is None and self._waiting:
            work = self._waiting.pop(0)
            self.carried.append(work.key)
            self._thread = threading.Thread(target=self._carry_out, args=(work,))
            self._thread.start()
        try:
            said = self._said.get(timeout=timeout)
        except Empty:
            return []
        if isinstance(said, Ended) and self._thread is not None:
            self._thread.join()
            self._thread = None
        return [said]

    def answer(self, key: str, *, go_on: bool) -> None:
        self._answers.put(go_on)

    def pause(self) -> None:
        self._waiting.clear()

    def close(self) -> None:
        assert self._thread is None

    def _carry_out(self, work: Work) -> None:
        def tell(event: Mapping[str, Any]) -> None:
            self._said.put(Told(work.key, event))
            if work.asks and event["event"] == "epoch_ended" and not self._answers.get():
                raise PrunedError

        self._said.put(Told(work.key, {"event": BEGUN}))
        self._said.put(Ended(work.key, carry_out(work, tell)))


def write_study(folder: Path, tables: str, head: str = HEAD) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.toml"
    path.write_text(head + tables)
    return path


def without_times(value: Any) -> Any:
    """Results but for what no two runs of the same recipe have in common."""
    if isinstance(value, dict):
        return {
            key: without_times(one)
            for key, one in value.items()
            if key.removeprefix("run/")
            not in ("seconds", "seconds_per_epoch", "samples_per_second", "memory")
        }
    return [without_times(one) for one in value] if isinstance(value, list) else value


def weights_of(out: Path) -> dict[str, bytes]:
    """By key, the kept weights of every run."""
    paths = sorted(out.glob("runs/*/best.safetensors"))
    return {path.parent.name: path.read_bytes() for path in paths}
