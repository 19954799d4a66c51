"""TensorBoard: ``train`` and ``val`` are two of its runs, with the same tags, so that both curves
of a figure stand in one chart; ``steps`` is a third, for its axis counts steps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zoo
from zoo_trackers.listening import Listener, figures, flat

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


def build(ctx: zoo.TrackerContext, *, flush_seconds: int = 30) -> TensorBoard:
    return TensorBoard(ctx, flush_seconds)


class TensorBoard(Listener):
    def __init__(self, ctx: zoo.TrackerContext, flush_seconds: int) -> None:
        import torch.utils.tensorboard  # noqa: F401 - what is wrong with it shows now

        super().__init__()
        self._folder: Path = ctx.folder / "tensorboard"
        self._recipe = flat(ctx.recipe)
        self._resumed = ctx.resumed
        self._flush_seconds = flush_seconds
        self._writers: dict[str, SummaryWriter] = {}
        self._purge: dict[str, int] = {}
        self._steps_per_epoch = 0
        self._end_of_session: Any = None

    def on_resumed(self, event: Mapping[str, Any]) -> None:
        """What was written after the checkpoint comes again: TensorBoard drops the first."""
        epoch = event["epoch"]
        self._purge = {"train": epoch, "val": epoch, "steps": event["step"] + 1}

    def on_training_started(self, event: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard.summary import hparams

        self._steps_per_epoch = event["steps_per_epoch"]
        experiment, session, self._end_of_session = hparams(self._recipe, {"loss": 0.0})
        if not self._resumed:
            for summary in (experiment, session):
                self._writer("val").file_writer.add_summary(summary)

    def on_steps_done(self, event: Mapping[str, Any]) -> None:
        if event["loss"] is not None:
            step = (event["epoch"] - 1) * self._steps_per_epoch + event["steps"]
            self._writer("steps").add_scalar("running_loss", event["loss"], step)

    def on_epoch_ended(self, event: Mapping[str, Any]) -> None:
        for name, value in figures(event).items():
            part, _, tag = name.rpartition("/")
            self._writer(part or "train").add_scalar(tag, value, event["epoch"])

    def finish(self, status: str) -> None:
        if status == "finished" and self._end_of_session is not None:
            self._writer("val").file_writer.add_summary(self._end_of_session)
        for writer in self._writers.values():
            writer.close()

    def _writer(self, part: str) -> SummaryWriter:
        from torch.utils.tensorboard import SummaryWriter

        if part not in self._writers:
            self._writers[part] = SummaryWriter(
                str(self._folder / part),
                purge_step=self._purge.get(part),
                flush_secs=self._flush_seconds,
            )
        return self._writers[part]
