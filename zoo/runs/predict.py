"""What a network says about a split, written to a predictions file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.data.datasets import groups_of
from zoo.data.device import choose_device, images_at_once
from zoo.data.loader import Loader
from zoo.data.splits import TRAIN, VAL, ids_fingerprint
from zoo.data.tiers import Held, Keeping
from zoo.predictions.archive import Heading, TrainedOn, texts
from zoo.predictions.file import Predictions
from zoo.predictions.masks import MaskChunk, MaskPredictions
from zoo.registry.record import division
from zoo.runs.opening import Opened
from zoo.runs.own_size import OwnSize
from zoo.runs.split_answers import answers, combined_answers
from zoo.runs.subjects import Subject
from zoo.tasks import SEGMENTATION, Task


def predict(
    subject: Subject,
    opened: Opened,
    split: str,
    held: Held,
    content: str,
    device: str,
    path: Path,
    keeping: Keeping,
) -> Predictions | MaskPredictions:
    """Of a split, held as ``held``, whose fingerprint is ``content``; written to ``path``. Masks
    are those of the network's size, and go to the file batch by batch: memory holds one.
    ``keeping``: how the members of an ensemble hold it, each in its own size."""
    where, task = choose_device(device), subject.task
    if subject.combined is not None:
        said = combined_answers(subject.combined, opened, split, held, keeping, where)
    else:
        batch = images_at_once(where, task, subject.preprocessing.size)
        loader = Loader(held, subject.preprocessing, task, batch, where)
        said = answers(subject.network.to(where), loader)
    whole = opened.split(split)
    heading = Heading(
        task=task,
        dataset=opened.name,
        split=split,
        fingerprint=ids_fingerprint(whole),
        content=content,
        source=subject.name,
        source_digest=subject.digest,
        temperature=subject.temperature,
        trained_on=trained_on(subject.data),
    )
    groups = groups_of(whole, held.ids)
    if task.kind == SEGMENTATION:
        what = f"dataset {opened.name!r}, split {split!r}"
        own = OwnSize(whole, held.ids, subject.preprocessing, task, what)
        return MaskPredictions.write(
            path,
            heading,
            held.ids,
            _chunks(task, said, own),
            groups=groups,
            preprocessing=subject.preprocessing.as_json(),
        )
    logits = torch.cat([one.cpu() for one, _ in said])
    predictions = Predictions(
        **heading.heading(),
        ids=np.asarray(held.ids),
        groups=texts(groups),
        logits=logits.numpy(),
        probabilities=task.probabilities(logits).numpy(),
        targets=None if held.labels is None else held.labels.numpy(),
        decisions=task.decisions(logits).numpy(),
    )
    predictions.save(path)
    return predictions


def _chunks(
    task: Task, said: Iterable[tuple[Tensor, Tensor | None]], own: OwnSize
) -> Iterator[MaskChunk]:
    first = 0
    for logits, masks in said:
        yield replace(MaskChunk.of(task, logits, masks), own=own.of(logits, first))
        first += len(logits)


def trained_on(data: Mapping[str, Any]) -> TrainedOn | None:
    """From what a run or a record says of its data; None where that names no splits, as of weights
    from elsewhere."""
    prints = {name: one["fingerprint"] for name, one in data["splits"].items()}
    seen = {name: prints[name] for name in (TRAIN, VAL) if name in prints}
    if TRAIN not in seen:
        return None
    return TrainedOn(str(data.get("dataset")), division(data["splits"]), seen)
