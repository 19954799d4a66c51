"""From the labels people wrote to a task, its classes in order, and class numbers.

Shapes: N samples, K classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from zoo import DataError, Task

TaskChoice = Literal["auto", "multiclass"]
NO_NAMES: list[str] = []  # the default of options that are lists
_SHOWN = 12  # names in one message
_MOST = 100_000  # classes that are numbered without being named


def class_task(layout: str, classes: Sequence[str], positive: str, choice: str) -> Task:
    """Binary where ``positive`` names one of two classes, multiclass for more, or as chosen.

    Two classes without a positive one are refused: whichever came first in the alphabet would be
    taken for it, and every figure of a report would speak of the wrong class.
    """
    where = f"dataset {layout!r}"
    if len(classes) < 2:
        raise DataError(f"{where}: {_listed(classes)} is its only class; expected two or more")
    if positive and choice == "multiclass":
        raise DataError(
            f"{where}: positive {positive!r} and task 'multiclass': only a binary task has a "
            f"positive class; leave one of the two out"
        )
    if positive and len(classes) > 2:
        raise DataError(
            f"{where}: positive {positive!r}: only one of two classes can be positive, here are "
            f"{len(classes)}, {_listed(classes)}; leave dataset.positive out"
        )
    if positive:
        if positive not in classes:
            raise DataError(f"{where}: positive {positive!r}: expected {_either(classes)}")
        return Task.binary(classes, positive=positive)
    if len(classes) == 2 and choice == "auto":
        raise DataError(
            f"{where}: which of its two classes is the positive one? give --positive (in a recipe, "
            f"dataset.positive) {_either(classes)}; or --set dataset.task=multiclass to treat them "
            f"alike"
        )
    return Task.multiclass(classes)


def in_order(names: Iterable[str]) -> list[str]:
    """Each name once: numbers by value, anything else by its characters."""
    unique = set(names)
    if all(name.isascii() and name.isdecimal() for name in unique):
        return sorted(unique, key=lambda name: (int(name), name))
    return sorted(unique)


def numbered(names: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """int64 (N,): each name's place in ``classes``."""
    place = {name: i for i, name in enumerate(classes)}
    return np.fromiter((place[name] for name in names), np.int64, len(names))


def check_learnable(layout: str, found: Mapping[str, Mapping[str, int]], advice: str = "") -> None:
    """Raise for a class that other splits show and ``train`` never does. ``found``: how many
    samples of each class each split has."""
    if "train" not in found:
        return
    for part, counts in found.items():
        unseen = [
            name for name in in_order(counts) if counts[name] and not found["train"].get(name)
        ]
        if unseen:
            raise DataError(
                f"dataset {layout!r}: class {unseen[0]!r} has {counts[unseen[0]]} images in "
                f"{part!r} and none in 'train', so it cannot be learned; add some there, or take "
                f"them out{advice}"
            )


def named_classes(
    layout: str, labels: Mapping[str, np.ndarray | None], classes: Sequence[str]
) -> list[str]:
    """``classes`` as given, which must name every label; without them ``"0"`` to the highest."""
    known = [part for part in labels.values() if part is not None]
    count = known[0].shape[1] if known[0].ndim == 2 else max(int(part.max()) for part in known) + 1
    if known[0].ndim == 1 and min(int(part.min()) for part in known) < 0:
        raise DataError(f"dataset {layout!r}: a label is below 0; expected class numbers from 0 on")
    if not classes and count > _MOST:
        raise DataError(
            f"dataset {layout!r}: a label is {count - 1}; is it no class number? name the classes "
            f"in dataset.classes"
        )
    if not classes:
        return [str(number) for number in range(count)]
    if len(set(classes)) != len(classes):
        raise DataError(f"dataset {layout!r}: classes {_listed(classes)}: a name stands twice")
    if count > len(classes) or (known[0].ndim == 2 and count != len(classes)):
        what = f"{count} label columns" if known[0].ndim == 2 else f"a label {count - 1}"
        raise DataError(
            f"dataset {layout!r}: dataset.classes has {len(classes)} names, {_listed(classes)}, "
            f"and there is {what}; expected a name for each class, in the order of the labels"
        )
    return list(classes)


def numbered_task(
    layout: str,
    labels: Mapping[str, np.ndarray | None],
    classes: Sequence[str],
    positive: str,
    choice: str,
) -> Task:
    """The task of labels that are numbers: int64 (N,), or uint8 (N, K) for multilabel; None for a
    split without labels."""
    names = named_classes(layout, labels, classes)
    if any(part is not None and part.ndim == 2 for part in labels.values()):
        return multilabel_task(layout, names, positive, choice)
    counts = {
        part: dict(zip(names, np.bincount(one, minlength=len(names)).tolist(), strict=True))
        for part, one in labels.items()
        if one is not None
    }
    check_learnable(layout, counts)
    return class_task(layout, names, positive, choice)


def multilabel_task(layout: str, classes: Sequence[str], positive: str, choice: str) -> Task:
    if positive or choice != "auto":
        option = "positive" if positive else "task"
        raise DataError(
            f"dataset {layout!r}: a multilabel dataset has no dataset.{option}; leave it out"
        )
    return Task.multilabel(classes)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(repr(name) for name in names[:_SHOWN]) + more


def _either(names: Sequence[str]) -> str:
    return f"{names[0]!r} or {names[1]!r}"
