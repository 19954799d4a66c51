"""How many images fit at once: found before training, so that it does not end an hour later."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from zoo.data.device import free_memory
from zoo.errors import TrainingError
from zoo.training.memory import estimate, is_out_of_memory
from zoo.training.workload import Workload

AUTO = "auto"
# A CPU computes no faster with more (they leave its cache), and fewer updates an epoch learn less.
MOST = {"cpu": 64, "mps": 256, "cuda": 4096}
_SPARE = 0.1  # of the device's memory, for what a trial does not see
_SHARE = 2  # half of what is free, where there is an estimate only
_LEAST = 2  # batch norm cannot take the variance of one


@dataclass(frozen=True)
class Sizes:
    """``micro_batch`` 0: the whole batch at once. ``text``: how they were found, in a line."""

    batch_size: int
    micro_batch: int
    text: str


def find_sizes(
    work: Workload,
    batch_size: int | str,
    micro_batch: int | str,
    samples: int,
    ranks: int = 1,
    least: Callable[[int], int] = lambda images: images,
) -> Sizes | None:
    """The numbers in place of ``"auto"``; None where there is none to replace. A batch is the
    largest power of two that fits, at most ``samples`` and :data:`MOST`; a micro batch the largest
    that fits, at most the batch, in parts of equal size. Of ``ranks`` processes each takes its
    share of a batch; ``least`` gives all of them the smallest number that one of them found. Raises
    :class:`TrainingError` when not even two images fit."""
    if AUTO not in (batch_size, micro_batch):
        return None
    began, where = time.perf_counter(), work.device.type
    if batch_size == AUTO:
        most = min(MOST[where], max(1, samples // ranks))
        fit = _found(work, 1 << (most.bit_length() - 1), least)
        batch = fit * ranks
        limit = f", the most that 'auto' takes on {where}" if fit == MOST[where] else ""
        told = f"batch_size = {batch}{limit}"
        micro = micro_batch if isinstance(micro_batch, int) and micro_batch < fit else 0
    else:
        batch = int(batch_size)
        mine = math.ceil(batch / ranks)
        fit = _found(work, mine, least)
        micro = 0 if fit >= mine else math.ceil(mine / math.ceil(mine / fit))
        told = f"micro_batch = {micro}" if micro else f"micro_batch = 0: a batch of {batch} fits"
    return Sizes(batch, micro, f"{told} (found in {time.perf_counter() - began:.1f} s)")


def images_that_fit(work: Workload, most: int) -> int:
    """How many images of ``work`` an update can take at once: two, doubled as long as they fit, or
    ``most``; 0 where not even two do, or may. On CUDA real steps are made; elsewhere an estimate
    is held against half of what is free."""
    if most < _LEAST:
        return 0
    if work.device.type == "cuda":
        return tried(work, most, lambda: _spare(work.device))
    memory = estimate(work)
    free = free_memory(work.device) // _SHARE
    return largest_fitting(lambda images: memory.needed(images) <= free, _LEAST, most)


def largest_fitting(fits: Callable[[int], bool], low: int, high: int) -> int:
    """``low``, twice that, and so on, at last ``high``: the last that fits, 0 where the first does
    not. None beyond the first that does not fit is asked for."""
    found, size = 0, min(low, high)
    while fits(size):
        found = size
        if size == high:
            break
        size = min(2 * size, high)
    return found


def tried(work: Workload, most: int, spare: Callable[[], bool]) -> int:
    """By steps of copies until memory is full. The copied weights stand for their running average,
    if there is one. ``spare``: whether enough is left after a step."""
    with work.copied() as (network, optimizer):

        def fits(images: int) -> bool:
            try:
                # The second pass has beside it what the first left: gradients, optimizer's state.
                for number in range(2):
                    torch.autograd.backward(work.loss_of(network, *work.batch(images)))
                    if number == 0:
                        optimizer.step()
                return spare()
            except Exception as error:
                if is_out_of_memory(error):
                    return False
                raise
            finally:
                optimizer.zero_grad(set_to_none=True)
                if work.device.type == "cuda":
                    torch.cuda.empty_cache()

        cudnn = torch.backends.cudnn
        before, cudnn.benchmark = cudnn.benchmark, False  # a search for each size takes minutes
        try:
            return largest_fitting(fits, _LEAST, most)
        finally:
            cudnn.benchmark = before


def _spare(device: torch.device) -> bool:
    free, total = torch.cuda.mem_get_info(device)
    return free >= _SPARE * total


def _found(work: Workload, most: int, least: Callable[[int], int]) -> int:
    """What fits everywhere. A single image is taken as it is: there is nothing to cut."""
    if most < _LEAST:
        return most
    images = least(images_that_fit(work, most))
    if images == 0:
        raise TrainingError(
            f"not even {_LEAST} images of {work.image_text} fit into the memory of "
            f"{work.device.type}; choose a smaller data.size, or a smaller network"
        )
    return images
