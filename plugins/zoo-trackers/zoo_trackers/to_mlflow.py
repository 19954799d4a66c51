"""MLflow: on the server that ``uri`` or MLFLOW_TRACKING_URI names, else in plain files beside the
run, in ``runs/mlflow``, which all runs of that folder share."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import zoo
from zoo_trackers.listening import Listener, figures, flat, keep_id, run_id

if TYPE_CHECKING:
    from mlflow import MlflowClient

_STATUS = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}
_AT_ONCE = 500  # metrics a request; MLflow takes 1,000
_LONGEST = 500  # characters of a parameter that every version of MLflow takes


def build(ctx: zoo.TrackerContext, *, uri: str = "", experiment: str = "zoo") -> Mlflow:
    return Mlflow(ctx, uri, experiment)


class Mlflow(Listener):
    def __init__(self, ctx: zoo.TrackerContext, uri: str, experiment: str) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        uri = uri or os.environ.get("MLFLOW_TRACKING_URI", "")
        if not uri:
            # MLflow 3 asks whether plain files, without a database, are meant.
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
            uri = (ctx.folder.absolute().parent / "mlflow").as_uri()
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=uri)
        self._run = self._open(ctx, experiment)
        super().__init__()
        self._waiting: list[tuple[str, float, int]] = []
        self._steps_per_epoch = 0

    def _open(self, ctx: zoo.TrackerContext, experiment: str) -> str:
        known, before = run_id(ctx.folder, "mlflow", ctx.resumed)
        if before:
            self._client.update_run(known, status="RUNNING")
            return known
        made = self._client.create_run(
            _experiment(self._client, experiment), run_name=ctx.folder.name
        ).info.run_id
        keep_id(ctx.folder, "mlflow", made)
        for name, value in flat(ctx.recipe).items():
            self._client.log_param(made, name, str(value)[:_LONGEST])
        return str(made)

    def on_training_started(self, event: Mapping[str, Any]) -> None:
        self._steps_per_epoch = event["steps_per_epoch"]

    def on_steps_done(self, event: Mapping[str, Any]) -> None:
        """Sent with the epoch: a server answers too slowly to be asked five times a second."""
        if event["loss"] is not None:
            step = (event["epoch"] - 1) * self._steps_per_epoch + event["steps"]
            self._waiting.append(("running_loss", event["loss"], step))

    def on_epoch_ended(self, event: Mapping[str, Any]) -> None:
        self._waiting += [
            (name, float(value), event["epoch"]) for name, value in figures(event).items()
        ]
        self._send()

    def on_training_ended(self, event: Mapping[str, Any]) -> None:
        for name in ("reason", "best_epoch", "best_value", "monitor"):
            self._client.set_tag(self._run, name, str(event[name]))
        super().on_training_ended(event)

    def finish(self, status: str) -> None:
        self._send()
        self._client.set_terminated(self._run, _STATUS[status])

    def _send(self) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        while self._waiting:
            part, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            metrics = [Metric(name, value, now, step) for name, value, step in part]
            self._client.log_batch(self._run, metrics=metrics)


def _experiment(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name))
        except Exception:  # another run may have made it in the meantime
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    return str(found.experiment_id)
