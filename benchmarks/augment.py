"""Time of augmenting one image, beside torchvision and kornia: `python benchmarks/augment.py`.

zoo draws for every image and works on the batch; so does kornia. torchvision's transforms draw once
a call, so images go through them one by one. Each result is a batch of float images in memory.
Rounds are interleaved, one thread; the ratio is the median over rounds of zoo's time by the other's
in the same round. kornia is measured where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor
from torchvision.transforms import v2
from zoo_basics import augmentations, augmentations_filters, augmentations_warps, color

import zoo

Peer = Callable[[Tensor], Tensor]
SIZES = {28: 128, 224: 16}  # pixels of a side: images in a batch
LIMIT = {("flip + crop", 28): 20.0}  # microseconds an image that are promised


def ours(*steps: augmentations.Augmentation) -> Peer:
    calls = 0

    def augment(images: Tensor) -> Tensor:
        nonlocal calls
        calls += 1  # as in training, every batch draws anew
        draws = zoo.Draws(torch.arange(len(images)), 0, calls)
        for place, step in enumerate(steps):
            images, _ = step(images, None, draws.for_part(place))
        return images

    return augment


def one_by_one(*steps: torch.nn.Module) -> Peer:
    whole = v2.Compose(steps)
    return lambda images: torch.stack([whole(image) for image in images])


def cases(size: int) -> dict[str, dict[str, Peer]]:
    bilinear = v2.InterpolationMode.BILINEAR
    # As usual: small images are padded, large ones come larger than they leave.
    pad = 4 if size == 28 else 0
    jitter = {"brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.1}
    found = {
        "flip + crop": {
            "zoo": ours(
                augmentations.horizontal_flip(), augmentations.crop(padding=pad, size=[size])
            ),
            "torchvision": one_by_one(v2.RandomHorizontalFlip(), v2.RandomCrop(size, pad)),
        },
        "rotation": {
            "zoo": ours(augmentations_warps.rotation(degrees=30.0)),
            "torchvision": one_by_one(v2.RandomRotation(30, bilinear)),
        },
        "color_jitter": {
            "zoo": ours(color.color_jitter(**jitter)),
            "torchvision": one_by_one(v2.ColorJitter(**jitter)),
        },
        "gaussian_blur": {
            "zoo": ours(augmentations_filters.gaussian_blur()),
            "torchvision": one_by_one(v2.GaussianBlur((5, 9))),
        },
    }
    if importlib.util.find_spec("kornia"):
        import kornia.augmentation as peer

        sides = (size, size)
        found["flip + crop"]["kornia"] = torch.nn.Sequential(
            peer.RandomHorizontalFlip(), peer.RandomCrop(sides, padding=pad)
        )
        found["rotation"]["kornia"] = peer.RandomRotation(30.0, p=1.0)
        found["color_jitter"]["kornia"] = peer.ColorJitter(**jitter, p=1.0)
        found["gaussian_blur"]["kornia"] = peer.RandomGaussianBlur((9, 5), (0.1, 2.0), p=1.0)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="time augmentations against their peers")
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    print(f"{cpu()}, one thread, Python {platform.python_version()}")
    names = ("zoo", "torch", "torchvision", "kornia")
    print(", ".join(f"{name} {version(name)}" for name in names))
    print(f"us an image: median of n = {rounds} interleaved rounds; ratio: median of paired ratios")
    print("\n| case | size | zoo us | torchvision us | ratio | kornia us | ratio | limit us |")
    print("|---|---|---|---|---|---|---|---|")
    missed = 0
    for size, batch in SIZES.items():
        for case, peers in cases(size).items():
            side = 256 if (case, size) == ("flip + crop", 224) else size
            images = torch.rand(batch, 3, side, side).contiguous(memory_format=torch.channels_last)
            seconds = measure(peers, images, rounds)
            mine = statistics.median(seconds["zoo"]) / batch * 1e6
            limit = LIMIT.get((case, size))
            missed += limit is not None and mine > limit
            cells = [case, f"{batch}x{side}x{side}x3", f"{mine:.1f}"]
            for peer in ("torchvision", "kornia"):
                cells += beside(seconds, peer, batch)
            print(f"| {' | '.join(cells)} | {limit or ''} |", flush=True)
    return 1 if missed else 0


def measure(peers: dict[str, Peer], images: Tensor, rounds: int) -> dict[str, list[float]]:
    """Wall seconds of each in each round; a first round, which fills caches, is dropped."""
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    with torch.inference_mode():
        for round_ in range(rounds + 1):
            for name, augment in peers.items():
                started = time.perf_counter()
                augment(images)
                if round_:
                    seconds[name].append(time.perf_counter() - started)
    return seconds


def beside(seconds: dict[str, list[float]], peer: str, batch: int) -> list[str]:
    if peer not in seconds:
        return ["-", "-"]
    paired = zip(seconds["zoo"], seconds[peer], strict=True)
    ratio = statistics.median(mine / other for mine, other in paired)
    return [f"{statistics.median(seconds[peer]) / batch * 1e6:.1f}", f"{ratio:.2f}"]


def version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    sys.exit(main())
