"""The training loop beside its peers: `python benchmarks/training.py [loops small unet evaluation
folder]`.

One thread; every figure is the median of paired ratios over interleaved rounds (see rounds.py). The
loops that are fed the same batches must end with the same weights, or it stops. Peers: lightning
and timm, `pip install lightning timm`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import peers_folder
import peers_training as more
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))
import peers
from data import arrays, same_work
from rounds import interleave, machine, table

from zoo.plugins.catalog import catalog
from zoo.plugins.contexts import ArchitectureContext
from zoo.tasks import Task

NINE = Task.multiclass([str(label) for label in range(9)])
OVERHEAD_US = 50.0


def loops(rounds: int) -> None:
    """A network that costs nothing: what remains is the loop."""
    build = lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10))  # noqa: E731
    case = peers.Case(*arrays(60_000, 28, 1, 10), 10, build)
    bare, fabric, trainer = "bare loop", "Lightning Fabric", "Lightning Trainer fed with tensors"
    variants: dict[str, Callable[[], float]] = {
        "zoo": more.whole_loop(case),
        bare: more.bare_with_evaluation(case),
        fabric: more.fabric_epoch(case),
        trainer: peers.lightning_epoch(case),
    }
    same_work(variants, list(variants))
    timed = interleave(variants, rounds)
    title = "whole loop (metrics, schedule, events, progress), near-empty network, 938 steps of 64"
    table(title, timed, "zoo", {bare: None, fabric: 1.0, trainer: 0.45})
    steps = len(case.order) // peers.BATCH
    pairs = zip(timed.seconds["zoo"], timed.seconds[bare], strict=True)
    each = float(np.median([ours - its for ours, its in pairs])) / steps * 1e6
    missed = "  missed" if each > OVERHEAD_US else ""
    print(f"over the bare loop: {each:.0f} us a step, limit {OVERHEAD_US:.0f}{missed}")


def small(rounds: int) -> None:
    """simple_cnn on PathMNIST's shape."""
    context = ArchitectureContext(3, (28, 28), 9, NINE)
    cnn = catalog().get("architecture", "simple_cnn")
    build = lambda: cnn.build(context, {"variant": "three_conv", "dropout": "off"})  # noqa: E731
    case = peers.Case(*arrays(1_920, 28, 3, 9), 9, build)
    bare = "bare loop in zoo's memory format"
    variants: dict[str, Callable[[], float]] = {
        "zoo": more.whole_loop(case),
        bare: more.bare_with_evaluation(case, channels_last=True),
    }
    same_work(variants, list(variants))
    title = "whole loop, simple_cnn (three_conv) 3x28x28, batch 64, an epoch of 1,920"
    table(title, interleave(variants, rounds), "zoo", {bare: 1.02})


def unet(rounds: int) -> None:
    """U-Net of width 16 on masks at 128x128."""
    case = more.MaskCase.drawn(96, 128)
    bare = "bare loop in zoo's memory format"
    variants = {"zoo": more.whole_mask_loop(case), bare: more.bare_mask_loop(case)}
    same_work(variants, list(variants))
    title = "whole loop, U-Net (width 16) 3x128x128, batch 8, an epoch of 96"
    table(title, interleave(variants, rounds), "zoo", {bare: 1.02})


def evaluation(rounds: int) -> None:
    """A pass over a split for its loss and confusion matrix."""
    context = ArchitectureContext(3, (28, 28), 9, NINE)
    cnn = catalog().get("architecture", "simple_cnn")
    build = lambda: cnn.build(context, {"variant": "three_conv"})  # noqa: E731
    case = peers.Case(*arrays(4_096, 28, 3, 9), 9, build)
    notebook = "notebook (PIL, DataLoader, .item())"
    variants = {"zoo": more.evaluation(case), notebook: more.notebook_evaluation(case)}
    same_work(variants, list(variants))
    title = "evaluation of 4,096, simple_cnn (three_conv) 3x28x28"
    table(title, interleave(variants, rounds), "zoo", {notebook: 0.5})


def folder(rounds: int) -> None:
    """ResNet18 over a folder of PNG, an epoch of training and validation with weights saved."""
    with tempfile.TemporaryDirectory() as place:
        case = peers_folder.FolderCase.drawn(Path(place), 960, 288)
        script = "timm's script (its published defaults)"
        variants = {"zoo": case.zoo_epoch(), script: case.timm_epoch()}
        title = "ResNet18, a folder of 960 + 288 PNG 28x28, batch 64, from the second epoch on"
        table(title, interleave(variants, rounds), "zoo", {script: 0.8})


PARTS = {one.__name__: one for one in (loops, small, unet, evaluation, folder)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(machine("torch", "lightning", "timm"))
    for name in given.parts or PARTS:
        PARTS[name](given.rounds)


if __name__ == "__main__":
    main()
