"""What a network, or several that are one, say about a split: batch by batch, in order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data.device import images_at_once
from zoo.data.fitting import Form
from zoo.data.loader import Loader
from zoo.data.tiers import Held, Keeping
from zoo.errors import DataError
from zoo.registry.ensemble import Combined, combined
from zoo.registry.model import Predictor
from zoo.runs.opening import Opened


@torch.no_grad()
def answers(network: nn.Module, loader: Loader) -> Iterator[tuple[Tensor, Tensor | None]]:
    """(float32 logits, labels) of every batch."""
    network.eval()
    for batch in loader.epoch():
        yield network(batch.images).float(), batch.labels


def combined_answers(
    asked: Combined, opened: Opened, split: str, held: Held, keeping: Keeping, device: torch.device
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """As :func:`answers`: each member reads the split in its own size, all of them the same images
    at once. Masks, and their labels, have the first member's size. ``held``: the split as that one
    reads it."""
    known: dict[Form, Held] = {asked.preprocessing.form: held}
    batch = min(
        images_at_once(device, one.task, one.preprocessing.size) for one in _networks(asked)
    )
    for network in _networks(asked):
        form = network.preprocessing.form
        if form not in known:
            known[form] = opened.hold(split, form, keeping)
            if known[form].ids != held.ids:
                raise DataError(
                    f"dataset {opened.name!r}, split {split!r}: members cannot all read the same "
                    f"images; see: zoo data check {opened.name}"
                )

    def said_by(member: Predictor) -> Iterator[tuple[Tensor, Tensor | None]]:
        if isinstance(member, Combined):
            several = zip(*(said_by(one) for one in member.members), strict=True)
            for parts in several:
                logits = [one.cpu().numpy() for one, _ in parts]
                said: np.ndarray = combined(member.task, member.rule, logits)
                yield torch.from_numpy(said), parts[0][1]
            return
        seen_by = member.preprocessing
        loader = Loader(known[seen_by.form], seen_by, member.task, batch, device)
        yield from answers(member.network.to(device), loader)

    return said_by(asked)


def _networks(asked: Combined) -> Iterator[Predictor]:
    """Those that answer, of ensembles in it too."""
    for one in asked.members:
        if isinstance(one, Combined):
            yield from _networks(one)
        else:
            yield one
