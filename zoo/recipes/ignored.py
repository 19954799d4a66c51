"""Settings that do nothing beside others: each is a mistake, so none is silently ignored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from zoo.recipes import problems as words
from zoo.recipes.problems import Problem
from zoo.recipes.schema import AUTO, DataSection, SplitSection, TrainingSection, TransferSection

_OR_NOT = "set it, or leave this out"


def without_effect(sections: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems of a recipe's ``sections``, each valid by itself, or None."""
    checks: dict[str, Callable[[Any], Iterator[Problem]]] = {
        "split": _of_split,
        "data": _of_data,
        "transfer": _of_transfer,
        "training": _of_training,
    }
    for name, check in checks.items():
        if sections[name] is not None:
            yield from check(sections[name])


def _of_split(split: SplitSection) -> Iterator[Problem]:
    if split.fold and not split.folds:
        what = words.no_effect(split.fold, "split.folds is 0", _OR_NOT)
        yield Problem(("split", "fold"), what)


def _of_data(data: DataSection) -> Iterator[Problem]:
    if data.center_crop and data.store_size == AUTO:
        why = "images are decoded to data.size, for data.store_size is 'auto'"
        yield Problem(("data", "center_crop"), words.no_effect(True, why, _OR_NOT))


def _of_transfer(transfer: TransferSection) -> Iterator[Problem]:
    epoch, key = transfer.unfreeze_epoch, ("transfer", "unfreeze_epoch")
    if epoch and not transfer.freeze:
        yield Problem(key, words.no_effect(epoch, "transfer.freeze names no part", _OR_NOT))
    elif epoch == 1:
        why = "the first epoch is 1, so nothing is ever frozen"
        yield Problem(key, words.no_effect(epoch, why, "expected 2 or more, or 0 for never"))


def _of_training(training: TrainingSection) -> Iterator[Problem]:
    micro, batch = training.micro_batch, training.batch_size
    if isinstance(micro, int) and isinstance(batch, int) and micro > batch:
        why = f"a batch has {batch} images"
        what = words.no_effect(micro, why, "expected fewer, or 0 for all at once")
        yield Problem(("training", "micro_batch"), what)
