"""What training sets in the process, and sets back: torch's switches, seeds, signal handlers."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from zoo.recipes.schema import TrainingSection
from zoo.training.position import Pause

_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # without it cuBLAS refuses to be deterministic


@contextmanager
def torch_session(training: TrainingSection, threads: int, device: torch.device) -> Iterator[None]:
    """The recipe's thread count, number formats and determinism inside, the caller's own outside: a
    notebook goes on as it was, its random state included."""
    before = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(threads)
    forked = [device.index or 0] if device.type == "cuda" else []
    if training.deterministic:
        os.environ.setdefault(_WORKSPACE, ":4096:8")
        torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=forked), _cuda_switches(training, device):
            yield
    finally:
        torch.use_deterministic_algorithms(deterministic)
        torch.set_num_threads(before)


@contextmanager
def _cuda_switches(training: TrainingSection, device: torch.device) -> Iterator[None]:
    """TF32 (10 bits of mantissa) in products of float32, and the search for the fastest kernel of
    each convolution, whose choice may differ from run to run."""
    if device.type != "cuda":
        yield
        return
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    convolution: Any = cudnn.conv  # type: ignore[attr-defined]
    before = (matmul.fp32_precision, convolution.fp32_precision, cudnn.benchmark)
    matmul.fp32_precision = convolution.fp32_precision = "tf32" if training.tf32 else "ieee"
    cudnn.benchmark = not training.deterministic
    try:
        yield
    finally:
        matmul.fp32_precision, convolution.fp32_precision, cudnn.benchmark = before


@contextmanager
def pausing(pause: Pause) -> Iterator[None]:
    """The first SIGINT or SIGTERM asks the loop to save and end; the second ends it where it is."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    before: dict[int, Any] = {}

    def ask(number: int, frame: Any) -> None:
        pause.signal = number
        _restore(before)

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, ask)
    try:
        yield
    finally:
        _restore(before)


def _restore(handlers: dict[int, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
