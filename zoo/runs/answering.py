"""Many images through a network, in order, a few in memory at a time: threads decode ahead.

Shapes: H by W pixels of an image's own size, K classes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from zoo.errors import DataError, PredictionsError
from zoo.registry.model import Predictor, Prepared
from zoo.runs.asked_images import AskedImages
from zoo.runs.environment import cores
from zoo.tasks import SEGMENTATION

LeftOut = Callable[[int, str], None]  # which image, and why
_THREADS = 8  # each holds one image of full size, 3 bytes a pixel and for a moment 12 more
_Batch = list[tuple[int, Prepared]]


def answers(
    predictor: Predictor, images: AskedImages, left_out: LeftOut
) -> Iterator[tuple[int, Any, np.ndarray]]:
    """(index, what was decided, probabilities) of each image that can be read, in order: the
    class's name, or several in a list for a multilabel task, and float32 (K,); for segmentation
    uint8 (H, W) class ids and float32 (K, H, W). ``left_out`` is told of the others. Raises
    :class:`PredictionsError` when the network says something that is no number."""
    for batch in _batches(predictor, images, left_out):
        indices, prepared = [index for index, _ in batch], [one for _, one in batch]
        if predictor.task.kind == SEGMENTATION:
            said = predictor.masks(prepared)
        else:
            predicted = predictor.classes(prepared)
            said = zip(predicted.classes, predicted.probabilities, strict=True)
        for index, (decided, probabilities) in zip(indices, said, strict=True):
            if not np.isfinite(probabilities).all():
                raise PredictionsError(
                    f"the network's answer to image {images.ids[index]!r} holds numbers that are "
                    f"not finite"
                )
            yield index, decided, probabilities


def _batches(predictor: Predictor, images: AskedImages, left_out: LeftOut) -> Iterator[_Batch]:
    batch: _Batch = []
    for index, future in _ahead(predictor, images):
        try:
            batch.append((index, future.result()))
        except DataError as error:
            left_out(index, str(error))
        if len(batch) == predictor.together:
            yield batch
            batch = []
    if batch:
        yield batch


def _ahead(predictor: Predictor, images: AskedImages) -> Iterator[tuple[int, Future[Prepared]]]:
    """Futures in order; at most one batch, and what the threads are at, is decoded ahead."""

    def prepare(index: int) -> Prepared:
        return predictor.prepared(images.image(index), f"image {images.ids[index]!r}")

    threads = min(cores(), _THREADS)
    waiting: deque[tuple[int, Future[Prepared]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for index in range(len(images)):
                waiting.append((index, pool.submit(prepare, index)))
                if len(waiting) >= predictor.together + threads:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
