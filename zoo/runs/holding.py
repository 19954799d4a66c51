"""How a recipe wants a dataset's pixels kept and prepared, and what a record says of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from zoo.data.decoded import Progress
from zoo.data.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from zoo.data.splits import ids_fingerprint
from zoo.data.tiers import Held, Keeping
from zoo.errors import DataError
from zoo.recipes.schema import DataSection
from zoo.runs.opening import Opened
from zoo.training import events

Tell = Callable[[events.Event], None]
_TICK = 0.2  # seconds between signs of life
_NAMED = 100  # images left out that a record names


def keeping(data: DataSection, threads: int, tell: Tell) -> Keeping:
    """How the recipe wants pixels kept; ``tell`` is sent notices and the progress of decoding."""

    def progress(what: str) -> Progress:
        begun = told = time.perf_counter()

        def decoded(done: int, total: int) -> None:
            nonlocal told
            now = time.perf_counter()
            if now - told > _TICK or done == total:
                told = now
                tell(events.Decoding(what, done, total, now - begun))

        return decoded

    return Keeping(
        on_error=data.on_error,
        threads=threads,
        workers=data.workers,
        tier=data.keep,
        limit=round(data.store_limit * 1e9),
        notice=lambda text: tell(events.Notice(text)),
        progress=progress,
    )


def skipped_record(held: Mapping[str, Held]) -> dict[str, Any]:
    """How many images each split leaves out, and the first of them."""
    return {
        name: {"images": len(one.skipped), "first": dict(list(one.skipped.items())[:_NAMED])}
        for name, one in held.items()
        if one.skipped
    }


def preprocessing_for(train: Held, data: DataSection) -> Preprocessing:
    """``normalize``: ``"dataset"`` (statistics of the training split), ``"imagenet"``, ``"none"``,
    or ``{mean, std}``."""
    channels, normalize = train.channels, data.normalize
    if normalize == "dataset":
        mean, std = train.statistics()
    elif normalize == "imagenet":
        mean, std = IMAGENET_MEAN, IMAGENET_STD
        if channels == 1:
            mean, std = (sum(mean) / 3,), (sum(std) / 3,)
    elif normalize == "none":
        mean, std = (0.0,) * channels, (1.0,) * channels
    elif isinstance(normalize, Mapping):
        mean = tuple(float(value) for value in normalize["mean"])
        std = tuple(float(value) for value in normalize["std"])
    else:
        raise DataError(
            f"normalize {normalize!r}: expected 'dataset', 'imagenet', 'none' or {{mean, std}}"
        )
    height, width, _ = data.form
    return Preprocessing(
        (height, width),
        channels,
        mean,
        std,
        resize=data.filter,
        store_size=data.stored,
        fit=data.fit,
        center_crop=data.center_crop,
    )


def data_record(opened: Opened, train: Held) -> dict[str, Any]:
    """What a record says of the data: enough to tell whether it is the same again."""
    parts = {
        name: {"samples": len(split), "fingerprint": ids_fingerprint(split)}
        for name, split in opened.splits.items()
    }
    return {
        "dataset": opened.name,
        "fingerprint": train.fingerprint(),
        "splits": parts,
        "licence": opened.dataset.provenance.licence,
        "citation": opened.dataset.provenance.citation,
    }
