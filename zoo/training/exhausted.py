"""Out of memory: what was tried, what would fit, and what to type."""

from __future__ import annotations

import gc
import inspect
import traceback

import torch

from zoo.errors import TrainingError
from zoo.training import loop
from zoo.training.batch_size import images_that_fit
from zoo.training.memory import causes, is_out_of_memory
from zoo.training.workload import Workload, images_of


def out_of_memory(error: BaseException, run: loop.Trainee) -> TrainingError | None:
    """What to raise in place of ``error``; None where it is something else. Frees what the failed
    step held, and finds out what fits."""
    if not is_out_of_memory(error):
        return None
    evaluating = _passed(error, inspect.unwrap(loop.measure))
    _forget(error, run)
    work = Workload.of(run)
    where = f"out of memory on {work.device}"
    if evaluating:
        tried = run.val_loader.batch_size
        return TrainingError(
            f"{where}: {tried} images of {work.image_text} at once are too many for validation; "
            f"train anew with --set training.eval_batch_size={max(1, tried // 2)}"
        )
    batch, tried = images_of(run)
    part = "" if tried == batch else f" of a batch of {batch}"
    what = f"{where}: {tried} images of {work.image_text} at once{part} are too many"
    fit = _fitting(work, tried)
    if fit == 0:
        return TrainingError(f"{what}; choose a smaller data.size, or a smaller network")
    return TrainingError(
        f"{what}; about {fit} fit; train anew with --set training.micro_batch={fit}, which keeps "
        f"the batch of {batch} by adding up gradients"
    )


def _fitting(work: Workload, tried: int) -> int:
    """What fits, in any case less than what did not; never a single image."""
    most = tried // 2
    try:
        return min(images_that_fit(work, most), most)
    except Exception as error:
        # Half of what did not fit is said where nothing could be measured.
        return 0 if is_out_of_memory(error) else most  # two or more, or nothing was tried


def _forget(error: BaseException, run: loop.Trainee) -> None:
    """The traceback's frames hold the step's tensors."""
    for one in causes(error):
        traceback.clear_frames(one.__traceback__)
    run.update.optimizer.zero_grad(set_to_none=True)
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _passed(error: BaseException, function: object) -> bool:
    code = getattr(function, "__code__", None)
    frames = (frame for one in causes(error) for frame, _ in traceback.walk_tb(one.__traceback__))
    return any(frame.f_code is code for frame in frames)
