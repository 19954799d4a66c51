"""Measure a run or a published version: the predictions file first, every figure from it.

This is a command that reports: with ``split="test"`` it reads the test labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.device import choose_device
from zoo.data.loader import Loader
from zoo.data.splits import TEST, SplitPlan, ids_fingerprint
from zoo.data.tiers import Keeping
from zoo.errors import DataError
from zoo.plugins.catalog import catalog
from zoo.predictions import metrics
from zoo.predictions.file import Predictions
from zoo.runs import opening
from zoo.runs.building import EVAL_BATCH
from zoo.runs.environment import cores
from zoo.runs.subjects import Subject, open_subject
from zoo.storage import commit
from zoo.tasks import SEGMENTATION
from zoo.training.loop import logits_of


@dataclass(frozen=True)
class Evaluation:
    """``metrics``: see :func:`zoo.predictions.metrics.evaluate`; ``path``: the predictions file."""

    source: str
    dataset: str
    split: str
    metrics: Mapping[str, Any]
    path: Path


def evaluate(
    reference: str | Path,
    *,
    dataset: str | None = None,
    split: str = TEST,
    root: str | None = None,
    output: str | Path | None = None,
    registry: str | None = None,
    device: str = "auto",
) -> Evaluation:
    """Measure a run (its path) or a version (its reference) on a ``split`` of ``dataset`` (default:
    the one it was trained on), writing the predictions to ``output`` (default: in the run's folder,
    or ``predictions/``)."""
    subject = open_subject(str(reference), registry)
    trained_on = subject.trained_on
    own = dataset in (None, trained_on.name)
    opened = opening.open_dataset(
        catalog(),
        trained_on.name if dataset is None else dataset,
        trained_on.options if own else {},
        root or (trained_on.root if own else None),
        trained_on.plan if own else SplitPlan(),
    )
    predictions = predict(subject, opened, split, device)
    name = split if own else f"{opened.name}-{split}".replace("/", "-")
    path = Path(output) if output is not None else _default_path(subject, name)
    commit.make_folder(path.parent)
    predictions.save(path)
    figures = metrics.evaluate(predictions)
    if subject.run is not None:
        subject.run.write_metrics(name, {**figures, "weights_sha256": subject.digest})
    return Evaluation(subject.name, opened.name, split, figures, path)


def predict(subject: Subject, opened: opening.Opened, split: str, device: str) -> Predictions:
    """What the network says about a split. The classes must be those it was trained for."""
    task = opened.dataset.task
    if (task.kind, task.classes) != (subject.task.kind, subject.task.classes):
        raise DataError(
            f"dataset {opened.name!r} is {task.kind} with the classes {', '.join(task.classes)}; "
            f"{subject.name!r} was trained for {subject.task.kind} with "
            f"{', '.join(subject.task.classes)}"
        )
    if task.kind == SEGMENTATION:
        raise DataError(
            f"dataset {opened.name!r} is for segmentation, which zoo eval cannot do yet"
        )
    where = choose_device(device)
    keeping = Keeping(threads=cores())
    store = opened.hold(split, subject.preprocessing.form, keeping)
    loader = Loader(store, subject.preprocessing, subject.task, EVAL_BATCH[where.type], where)
    logits = logits_of(subject.network.to(where), loader)
    return Predictions(
        task=subject.task,
        dataset=opened.name,
        split=split,
        fingerprint=ids_fingerprint(opened.split(split)),
        source=subject.name,
        ids=np.asarray(store.ids),
        logits=logits.numpy(),
        probabilities=subject.task.probabilities(logits).numpy(),
        targets=None if store.labels is None else store.labels.numpy(),
        decisions=subject.task.decisions(logits).numpy(),
    )


def _default_path(subject: Subject, name: str) -> Path:
    if subject.run is not None:
        return subject.run.predictions_path(name)
    return Path("predictions") / subject.name.replace("@", "-") / f"{name}.npz"
