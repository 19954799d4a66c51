"""The part of an audit that decodes nothing: lists, labels, classes, groups.

``zoo train`` runs it by itself. Shapes: N samples, K classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from zoo.data.audit.findings import Finding, finding, some
from zoo.data.datasets import Split
from zoo.data.splits import ALL, TRAIN
from zoo.tasks import MULTILABEL, SEGMENTATION, Task

IMBALANCED = 10.0  # samples of the largest class over those of the smallest


def cheap_checks(task: Task, splits: Mapping[str, Split]) -> list[Finding]:
    """Never raises for what data may hold: an incoherent split is a finding."""
    return [
        *(one for name, split in splits.items() for one in _lists(name, split)),
        *_ids_in_several(splits),
        *(one for name, split in splits.items() for one in _labels(task, name, split)),
        *class_findings(task, class_counts(task, splits), learns_from(splits)),
        *_groups(splits),
    ]


def learns_from(splits: Mapping[str, Split]) -> str:
    """The split that is trained on: what a dataset not yet divided calls ``all``."""
    return TRAIN if TRAIN in splits or ALL not in splits else ALL


def coherent(split: Split) -> bool:
    """Whether the split's lists are as long as it is, so that an index means the same in each."""
    return not list(_lists("", split))


def class_counts(task: Task, splits: Mapping[str, Split]) -> dict[str, list[int]]:
    """Samples that carry each class, for every split with usable labels; none for segmentation."""
    counts = {}
    for name, split in splits.items():
        labels = _usable(task, split)
        if labels is None:
            continue
        right = labels[~_outside(task, labels)]
        if task.kind == MULTILABEL:
            counted = right.astype(np.int64).sum(axis=0)
        else:
            counted = np.bincount(right, minlength=len(task.classes))
        counts[name] = [int(one) for one in counted]
    return counts


def class_findings(
    task: Task, counts: Mapping[str, Sequence[int]], train: str, unit: str = "samples"
) -> list[Finding]:
    """What counts per class and split say; they may be pixels."""
    found = []
    learned = counts.get(train)
    for name, of_split in counts.items():
        absent = [number for number, count in enumerate(of_split) if count == 0]
        if not any(of_split):
            continue
        for number in absent:
            elsewhere = [other for other in counts if counts[other][number]]
            untrained = name == train and bool(elsewhere)
            where = f"; {some(elsewhere)} has some" if untrained else ""
            kind = "never_trained" if untrained else "class_absent"
            said = f"class {task.classes[number]!r} has no {unit}{where}"
            found.append(finding(kind, name, said))
        if name == train and len(absent) == len(of_split) - 1 and task.kind != MULTILABEL:
            said = f"every one of the {sum(of_split)} {unit} is of the same class"
            found.append(finding("one_class", name, said))
    ratio = imbalance(learned)
    if learned is not None and ratio is not None and ratio >= IMBALANCED and unit == "samples":
        most, least = (task.classes[k] for k in _extremes(learned))
        said = f"{max(learned):,} of {most!r}, {min(c for c in learned if c):,} of {least!r}"
        found.append(finding("imbalance", train, f"{said}: {ratio:.1f} to 1"))
    return found


def imbalance(counts: Sequence[int] | None) -> float | None:
    """The largest class over the smallest that has samples; None where there are not two."""
    present = [count for count in counts or () if count]
    return max(present) / min(present) if len(present) > 1 else None


def _extremes(counts: Sequence[int]) -> tuple[int, int]:
    present = [number for number, count in enumerate(counts) if count]
    return max(present, key=counts.__getitem__), min(present, key=counts.__getitem__)


def _lists(name: str, split: Split) -> Iterator[Finding]:
    count = len(split)
    if count == 0:
        yield finding("empty_split", name, "it has no samples")
    for what, values in (("ids", split.ids), ("groups", split.groups), ("labels", split.labels)):
        if values is not None and len(values) != count:
            yield finding("lengths", name, f"{len(values)} {what} for {count} images")


def _ids_in_several(splits: Mapping[str, Split]) -> Iterator[Finding]:
    if len({one for split in splits.values() for one in split.ids}) == sum(
        len(split.ids) for split in splits.values()
    ):
        return  # nearly always, and quicker to see
    places: dict[str, list[tuple[str, int]]] = {}
    for name, split in splits.items():
        for index, one in enumerate(split.ids):
            places.setdefault(one, []).append((name, index))
    for one, where in places.items():
        if len(where) > 1:
            names = list(dict.fromkeys(name for name, _ in where))
            said = f"{one!r} stands {len(where)} times"
            yield finding("duplicate_id", ", ".join(names), said, [one], where)


def _labels(task: Task, name: str, split: Split) -> Iterator[Finding]:
    if split.labels is None:
        if task.kind == SEGMENTATION:
            return
        kind = "no_labels" if name in (TRAIN, ALL) else "unlabeled"
        yield finding(kind, name, f"none of the {len(split)} samples has a label")
        return
    labels = _usable(task, split)
    if labels is None:
        given = np.asarray(split.labels)
        columns = f" (samples, {len(task.classes)})" if task.kind == MULTILABEL else " (samples,)"
        expected = "masks, no labels" if task.kind == SEGMENTATION else f"integers{columns}"
        said = f"labels of shape {given.shape} and type {given.dtype}; expected {expected}"
        yield finding("label_outside", name, said)
        return
    highest = 1 if task.kind == MULTILABEL else len(task.classes) - 1
    for index in np.flatnonzero(_outside(task, labels)).tolist():
        one = split.ids[index] if index < len(split.ids) else f"#{index}"
        said = f"{one!r}: label {labels[index].tolist()}; expected 0 to {highest}"
        yield finding("label_outside", name, said, [one], [(name, index)])


def _usable(task: Task, split: Split) -> np.ndarray | None:
    """Integers (N,), or (N, K) for multilabel; None where labels are of another form."""
    if split.labels is None or task.kind == SEGMENTATION:
        return None
    labels = np.asarray(split.labels)
    shape = (len(labels), len(task.classes)) if task.kind == MULTILABEL else (len(labels),)
    return labels if labels.shape == shape and labels.dtype.kind in "iu" else None


def _outside(task: Task, labels: np.ndarray) -> np.ndarray:
    """bool (N,): samples with a label that is no class."""
    highest = 1 if task.kind == MULTILABEL else len(task.classes) - 1
    wrong = (labels < 0) | (labels > highest)
    return np.asarray(wrong.any(axis=1) if wrong.ndim == 2 else wrong)


def _groups(splits: Mapping[str, Split]) -> Iterator[Finding]:
    held = {name: set(split.groups or ()) for name, split in splits.items()}
    spread = {group for group, count in Counter(chain(*held.values())).items() if count > 1}
    places: dict[str, list[tuple[str, int]]] = {}
    for name, split in splits.items():
        for index, group in enumerate(split.groups or ()) if spread & held[name] else ():
            if group in spread and index < len(split.ids):
                places.setdefault(group, []).append((name, index))
    for group, where in places.items():
        counted = Counter(name for name, _ in where)
        said = ", ".join(f"{count} in {name}" for name, count in counted.items())
        ids = [splits[name].ids[index] for name, index in where]
        yield finding("group_straddles", ", ".join(counted), f"group {group!r}: {said}", ids, where)
