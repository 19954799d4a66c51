"""All figures of masks at once: of all pixels pooled, and as means over images, in draws of images.

Shapes: N images, K classes, D draws. Each image is counted once; with weights of (N, D) every array
gets a last axis of D, without weights it has none. NaN: undefined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.predictions import averages, counts, rates
from zoo.predictions.boundary import hd95
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.own_masks import MaskPair
from zoo.predictions.weights import checked
from zoo.tasks import IGNORE, Task

_AVERAGED = ("precision", "recall", "specificity", "iou", "dice")


@dataclass(frozen=True)
class Means:
    """Over the images for which a figure is defined, each weighing the same: ``values`` by name,
    and ``images``, how many these are; (D,), or (K, D) by class. ``every``: how many there are."""

    values: Mapping[str, np.ndarray]
    images: Mapping[str, np.ndarray]
    every: np.ndarray


@dataclass(frozen=True)
class MaskFigures:
    """Of all pixels pooled: ``overall`` by name, (D,); ``by_class``, (K, D), ``support`` (pixels)
    first; ``averages`` by ``macro``, ``micro`` and ``weighted``; ``counts`` of pixels, (K, K, D),
    rows the truth. Means over images, with ``hd95``: ``per_image`` and ``per_image_by_class``.
    ``unseen``: the share of labelled pixels that the network was not shown, which count for
    nothing."""

    overall: Mapping[str, np.ndarray]
    averages: Mapping[str, Mapping[str, np.ndarray]]
    by_class: Mapping[str, np.ndarray]
    counts: np.ndarray
    per_image: Means
    per_image_by_class: Means
    unseen: np.ndarray


@dataclass(frozen=True)
class ImageCounts:
    """``table``: pixels (K, K); ``hd95``: (K,); ``unseen``: labelled pixels that the network was
    not shown."""

    table: np.ndarray
    hd95: np.ndarray
    unseen: int

    @classmethod
    def of(cls, task: Task, pair: MaskPair) -> ImageCounts:
        """255 in a target counts for nothing, and neither does what was decided there, nor 255 in a
        decision."""
        assert pair.targets is not None
        shown = pair.decisions != IGNORE
        return cls(
            counts.count(task, pair.targets[shown], pair.decisions[shown]),
            hd95(pair.targets, pair.decisions, len(task.classes)),
            int((~shown & (pair.targets != IGNORE)).sum()),
        )


class Segmentation:
    """``tables``: pixels (N, K, K); ``images`` and ``classes``: the images' figures by name, (N,)
    and (N, K), what can be asked for by weights."""

    def __init__(self, task: Task, counted: Sequence[ImageCounts]) -> None:
        self.task = task
        classes = len(task.classes)
        tables = [one.table for one in counted]
        self.tables = np.array(tables, np.int64).reshape(-1, classes, classes)
        self._unseen = np.array([one.unseen for one in counted], np.float64)
        by_class = counts.of_classes(task, np.moveaxis(self.tables, 0, -1))
        self.classes = {name: values.T for name, values in by_class.items() if name != "support"}
        self.classes["hd95"] = np.array([one.hd95 for one in counted]).reshape(-1, classes)
        self.images = counts.of_images(task, self.tables)
        self.images["hd95"] = self._of_image(self.classes["hd95"])

    @classmethod
    def of(cls, predictions: MaskPredictions) -> tuple[Segmentation, Segmentation | None]:
        """On the network's grid, and on each image's own where the file has it; read once."""
        task = predictions.task
        network, own = [], []
        for image in predictions.images():
            network.append(ImageCounts.of(task, image.network))
            if image.own is image.network:
                own.append(network[-1])
            elif image.own is not None:
                own.append(ImageCounts.of(task, image.own))
        return cls(task, network), cls(task, own) if own else None

    def __len__(self) -> int:
        return len(self.tables)

    def figures(self, weights: np.ndarray | None = None) -> MaskFigures:
        """``weights``: None, or integers from 0, (N,) or (N, D): how often each image counts."""
        heavy, task = checked(weights, len(self)), self.task
        # Sums of whole numbers below 2 ** 53 are exact in any order, whatever the threads.
        table: np.ndarray = np.tensordot(self.tables.astype(np.float64), heavy, axes=(0, 0))
        unseen = (self._unseen * heavy.T).sum(-1)
        by_class = counts.of_classes(task, table)
        averaged = averages.averaged(by_class, _AVERAGED)
        sides = averages.pooled(task, table)
        micro = counts.of_sides(task, *sides)
        averaged[averages.MICRO] = {name: micro[name] for name in _AVERAGED}
        return MaskFigures(
            overall=counts.overall(task, table),
            averages=averaged,
            by_class=by_class,
            counts=table,
            per_image=_means(self.images, heavy),
            per_image_by_class=_means(self.classes, heavy),
            unseen=rates.ratio(unseen, unseen + table.sum((0, 1))),
        )

    def _of_image(self, values_NK: np.ndarray) -> np.ndarray:
        """Of the positive class, or the mean over the classes for which it is defined, (N,)."""
        if self.task.positive is None:
            return rates.mean(values_NK, axis=1)
        one: np.ndarray = values_NK[:, self.task.positive_index]
        return one


def _means(figures: Mapping[str, np.ndarray], weights: np.ndarray) -> Means:
    """Of figures (N,) or (N, K), by weights (N,) or (N, D)."""
    values, images = {}, {}
    for name, each in figures.items():
        known = ~np.isnan(each)
        images[name] = _weighted(known.astype(np.float64), weights)
        values[name] = rates.ratio(_weighted(np.where(known, each, 0.0), weights), images[name])
    return Means(values, images, weights.sum(0))


def _weighted(each: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sums over the images, in their order, whatever the threads."""
    if weights.ndim == 1:
        total: np.ndarray = (each.T * weights).sum(-1)
        return total
    return np.stack([_weighted(each, column) for column in weights.T], axis=-1)
