"""Weights & Biases. Offline, which is the default, nothing leaves the machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal

import zoo
from zoo_trackers.listening import Listener, figures, run_id, settings


def build(
    ctx: zoo.TrackerContext,
    *,
    project: str = "zoo",
    entity: str = "",
    mode: Literal["offline", "online"] = "offline",
) -> Wandb:
    return Wandb(ctx, project, entity, mode)


class Wandb(Listener):
    def __init__(self, ctx: zoo.TrackerContext, project: str, entity: str, mode: str) -> None:
        if mode == "offline":
            # Its reports of its own faults would go out all the same.
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb

        known, _ = run_id(ctx.folder, "wandb", ctx.resumed)
        self._run = wandb.init(
            project=project,
            entity=entity or None,
            mode=mode,
            dir=str(ctx.folder),
            id=known,
            name=ctx.folder.name,
            config=settings(ctx.recipe),
            resume="allow" if mode == "online" else None,
            reinit="create_new",
            # The terminal belongs to zoo.
            settings=wandb.Settings(console="off", silent=mode == "offline"),
        )
        super().__init__()
        self._run.define_metric("step", hidden=True)
        self._run.define_metric("epoch", hidden=True)
        self._run.define_metric("running_loss", step_metric="step")
        for name in ("train/*", "val/*", "learning_rate", "samples_per_second"):
            self._run.define_metric(name, step_metric="epoch")
        self._steps_per_epoch = 0

    def on_training_started(self, event: Mapping[str, Any]) -> None:
        self._steps_per_epoch = event["steps_per_epoch"]

    def on_steps_done(self, event: Mapping[str, Any]) -> None:
        if event["loss"] is not None:
            step = (event["epoch"] - 1) * self._steps_per_epoch + event["steps"]
            self._run.log({"step": step, "running_loss": event["loss"]})

    def on_epoch_ended(self, event: Mapping[str, Any]) -> None:
        self._run.log({"epoch": event["epoch"], **figures(event)})

    def on_training_ended(self, event: Mapping[str, Any]) -> None:
        kept = ("reason", "best_epoch", "best_value", "monitor", "seconds")
        self._run.summary.update({name: event[name] for name in kept})
        super().on_training_ended(event)

    def finish(self, status: str) -> None:
        self._run.finish(exit_code=0 if status == "finished" else 1)
