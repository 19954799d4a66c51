"""What a network says about a split, written to a predictions file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.device import choose_device, images_at_once
from zoo.data.loader import Loader
from zoo.data.splits import ids_fingerprint
from zoo.data.tiers import Held
from zoo.predictions.archive import Heading
from zoo.predictions.file import Predictions
from zoo.predictions.masks import MaskChunk, MaskPredictions
from zoo.runs.opening import Opened
from zoo.runs.subjects import Subject
from zoo.tasks import SEGMENTATION


def predict(
    subject: Subject,
    opened: Opened,
    split: str,
    held: Held,
    content: str,
    device: str,
    path: Path,
) -> Predictions | MaskPredictions:
    """Of a split, held as ``held``, whose fingerprint is ``content``; written to ``path``. Masks
    are those of the network's size, and go to the file batch by batch: memory holds one."""
    where, task = choose_device(device), subject.task
    batch = images_at_once(where, task, subject.preprocessing.size)
    loader = Loader(held, subject.preprocessing, task, batch, where)
    network = subject.network.to(where)
    heading = Heading(
        task=task,
        dataset=opened.name,
        split=split,
        fingerprint=ids_fingerprint(opened.split(split)),
        content=content,
        source=subject.name,
    )
    if task.kind == SEGMENTATION:
        chunks = (MaskChunk.of(task, *said) for said in answers(network, loader))
        return MaskPredictions.write(path, heading, held.ids, chunks)
    logits = torch.cat([said.cpu() for said, _ in answers(network, loader)])
    predictions = Predictions(
        **vars(heading),
        ids=np.asarray(held.ids),
        logits=logits.numpy(),
        probabilities=task.probabilities(logits).numpy(),
        targets=None if held.labels is None else held.labels.numpy(),
        decisions=task.decisions(logits).numpy(),
    )
    predictions.save(path)
    return predictions


@torch.no_grad()
def answers(network: nn.Module, loader: Loader) -> Iterator[tuple[Tensor, Tensor | None]]:
    """(float32 logits, labels) of every batch, in order."""
    network.eval()
    for batch in loader.epoch():
        yield network(batch.images).float(), batch.labels
