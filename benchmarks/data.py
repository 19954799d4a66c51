"""The data path beside its peers: `python benchmarks/data.py [loops small decode memory scale]`.

One thread; every figure is the median of paired ratios over interleaved rounds (see rounds.py). The
loops that can be fed the same batches must end with the same weights, or it stops. Peers: timm and
lightning, `pip install timm lightning`.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

sys.path.insert(0, str(Path(__file__).parent))
import peers
from rounds import Timed, interleave, machine, table

from zoo.data.datasets import FileSplit
from zoo.data.decoded import Decoder
from zoo.data.fitting import Form
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.store import Store
from zoo.data.tiers import Keeping, open_split
from zoo.plugins.catalog import catalog
from zoo.plugins.contexts import ArchitectureContext, SamplerContext
from zoo.tasks import Task
from zoo.training.precision import has_bf16_instructions

NINE = Task.multiclass([str(label) for label in range(9)])
CPU = torch.device("cpu")


def arrays(count: int, side: int, channels: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, side, side, channels), dtype=np.uint8)
    return images, rng.integers(0, classes, count)


def same_work(variants: dict[str, Callable[[], float]], alike: list[str]) -> None:
    """The first run of each, whose weights must agree."""
    found = {name: variants[name]() for name in alike}
    first = found[alike[0]]
    for name, value in found.items():
        if abs(value - first) > 1e-3 * first:
            sys.exit(f"{name} ends with other weights: {value} instead of {first}")
    print("equal work: " + ", ".join(f"{name} {value:.4f}" for name, value in found.items()))


def promised(variants: Mapping[str, object], limits: Sequence[float]) -> dict[str, float | None]:
    """The limit of each peer, in their order; zoo comes first."""
    return dict(zip(list(variants)[1:], limits, strict=True))


def loops(rounds: int) -> None:
    """A network that costs nothing: what remains is the loop and the data path."""
    build = lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10))  # noqa: E731
    case = peers.Case(*arrays(10_240, 28, 1, 10), 10, build)
    variants: dict[str, Callable[[], float]] = {
        "zoo": peers.zoo_epoch(case),
        "bare loop over tensors": peers.bare_epoch(case),
        "notebook (PIL, DataLoader, .item())": peers.notebook_epoch(case),
        "timm create_loader": peers.timm_epoch(case),
        "Lightning Trainer fed with tensors": peers.lightning_epoch(case),
    }
    same_work(variants, [name for name in variants if name != "timm create_loader"])
    limits = (1.05, 0.12, 0.22, 0.45)
    title = "near-empty network, MNIST shape, batch 64, an epoch of 10,240"
    table(title, interleave(variants, rounds), "zoo", promised(variants, limits))


def small(rounds: int) -> None:
    """simple_cnn on PathMNIST's shape: a real small network."""
    context = ArchitectureContext(3, (28, 28), 9, NINE)
    cnn = catalog().get("architecture", "simple_cnn")
    build = lambda: cnn.build(context, {"variant": "three_conv", "dropout": "off"})  # noqa: E731
    case = peers.Case(*arrays(1_920, 28, 3, 9), 9, build)
    variants: dict[str, Callable[[], float]] = {
        "zoo": peers.zoo_epoch(case),
        "notebook (PIL, DataLoader, .item())": peers.notebook_epoch(case),
        "timm create_loader": peers.timm_epoch(case),
        "MedMNIST-style (second pass over train)": peers.notebook_epoch(case, second_pass=True),
        "bare loop in zoo's memory format": peers.bare_epoch(case, channels_last=True),
    }
    same_work(variants, [name for name in variants if name != "timm create_loader"])
    limits = (0.62, 0.65, 0.42, 1.02)
    title = "simple_cnn (three_conv), PathMNIST shape, batch 64, an epoch of 1,920"
    table(title, interleave(variants, rounds), "zoo", promised(variants, limits))
    if not has_bf16_instructions():
        print("bf16: this processor has no instructions for it, and emulates them")
    pair: dict[str, Callable[[], float]] = {
        "zoo, bf16": peers.zoo_epoch(case, precision="bf16"),
        "notebook (PIL, DataLoader, .item())": peers.notebook_epoch(case),
    }
    table(f"{title}, bf16", interleave(pair, rounds), "zoo, bf16", promised(pair, (0.42,)))


def decode(rounds: int) -> None:
    """Files: the first pass, and every later one, beside decoding in each epoch."""
    for height, width, size, later in ((640, 640, 224, 1 / 25), (1024, 1280, 128, 1 / 100)):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["ZOO_CACHE"] = f"{folder}/cache"
            paths = _jpegs(Path(folder), 48, height, width)
            split = FileSplit(paths, np.zeros(len(paths), int), [path.name for path in paths])
            form = Form(3, (size, size))
            store = open_split(split, form, NINE, "benchmark", Keeping())
            plain = Preprocessing((size, size), 3, (0.5,) * 3, (0.25,) * 3)
            loader = Loader(store, plain, NINE, 16, CPU)
            decoder = Decoder(split, form, NINE, "benchmark")

            def pil(paths: list[Path] = paths, size: int = size) -> None:
                for path in paths:
                    with Image.open(path) as image:
                        np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))

            def first(decoder: Decoder = decoder) -> None:
                for index in range(len(decoder.split)):
                    decoder.row(index)

            def epoch(loader: Loader = loader) -> None:
                for _ in loader.epoch():
                    pass

            name = "PIL: decode and resize each epoch"
            timed = interleave({"first pass": first, "later epoch": epoch, name: pil}, rounds)
            title = f"{height}x{width} JPEG at {size}, {len(paths)} files"
            table(f"{title}: first pass", timed, "first pass", {name: 0.95})
            table(f"{title}: later epochs, normalized input", timed, "later epoch", {name: later})


def _jpegs(folder: Path, count: int, height: int, width: int) -> list[Path]:
    rng = np.random.default_rng(0)
    paths = []
    for number in range(count):
        coarse = rng.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        noisy = np.asarray(image).astype(int) + rng.integers(-12, 13, (height, width, 3))
        paths.append(folder / f"{number}.jpg")
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=90)
    return paths


def memory(rounds: int) -> None:
    """Resident memory of training, beside the data's and the weights' own size."""
    before = _resident()
    images, labels = arrays(90_000, 28, 3, 9)
    context = ArchitectureContext(3, (28, 28), 9, NINE)
    cnn = catalog().get("architecture", "simple_cnn")
    case = peers.Case(images[:6_400], labels[:6_400], 9, lambda: cnn.build(context, {}))
    data = images.nbytes
    epoch = peers.zoo_epoch(case)
    parameters = 4 * sum(value.numel() for value in case.start.parameters())
    after: list[int] = []
    for _ in range(20):
        epoch()
        gc.collect()
        after.append(_resident())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    allowed = before + 1.15 * data + 4 * parameters
    print("\nmemory, simple_cnn, 90,000 images of 28x28x3 held, epochs of 6,400")
    print(
        f"imports {before / 1e6:.0f} MB, data {data / 1e6:.0f} MB, "
        f"parameters {parameters / 1e6:.1f} MB"
    )
    print(
        f"peak {peak / 1e6:.0f} MB; imports + 1.15 data + 4 parameters {allowed / 1e6:.0f} MB; the"
    )
    print(f"rest, {(peak - allowed) / 1e6:.0f} MB, is activations and what torch's kernels keep")
    print(f"growth from epoch 3 to 20: {(after[-1] - after[2]) / 1e6:.1f} MB (limit 5)")


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def scale(rounds: int) -> None:
    """A million images: input cost beside a bare gather, and the time to the first batch."""
    count = 1_000_000
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 9, count)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        path = Path(folder) / "images.bin"
        block = rng.integers(0, 256, (10_000, 28, 28, 3), dtype=np.uint8)
        with path.open("wb") as stream:
            for _ in range(count // len(block)):
                stream.write(block.tobytes())
        size = count * 28 * 28 * 3
        mapped = torch.from_file(str(path), shared=False, size=size, dtype=torch.uint8)
        for name, images in (("memory", mapped.clone()), ("mapped", mapped)):
            _scale_one(name, images.view(count, 28, 28, 3), labels, rounds)


def _scale_one(name: str, images: torch.Tensor, labels: np.ndarray, rounds: int) -> None:
    count, steps = len(images), 400
    store = Store(images, torch.from_numpy(labels), tuple(map(str, range(count))))
    plain = Preprocessing((28, 28), 3, (0.5,) * 3, (0.25,) * 3)
    context = SamplerContext(NINE, labels, count)
    samplers = {
        kind: catalog().get("sampler", kind).build(context, {}) for kind in ("shuffle", "weighted")
    }
    order = samplers["shuffle"](torch.Generator().manual_seed(0))
    fixed = Loader(store, plain, NINE, 64, CPU, lambda generator: order[: 64 * steps])
    rows = torch.empty(64, 28, 28, 3, dtype=torch.uint8)
    units = torch.empty(64, 28, 28, 3)

    def bare() -> None:
        for start in range(0, 64 * steps, 64):
            torch.index_select(images, 0, order[start : start + 64], out=rows)
            units.copy_(rows).div_(255.0).permute(0, 3, 1, 2).sub_(0.5).div_(0.25)

    def ours() -> None:
        for _ in fixed.epoch(1):
            pass

    timed: Timed = interleave({"zoo": ours, "bare gather and normalize": bare}, rounds)
    table(f"input of {64 * steps:,} of 1,000,000 images, {name}", timed, "zoo",
          {"bare gather and normalize": 1.10})  # fmt: skip
    for kind, limit in (("shuffle", 100), ("weighted", 300)):
        loader = Loader(store, plain, NINE, 64, CPU, samplers[kind])
        times = []
        for epoch in range(1, 6):
            begun = time.perf_counter()
            next(loader.epoch(epoch))
            times.append(time.perf_counter() - begun)
        print(f"first batch, {name}, {kind}: {sorted(times)[2] * 1e3:.0f} ms (limit {limit})")


SECTIONS = {"loops": loops, "small": small, "decode": decode, "memory": memory, "scale": scale}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="time zoo's data path against its peers")
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], default=[])
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(machine("zoo", "torch", "torchvision", "timm", "lightning", "pillow", "numpy"))
    for section in arguments.sections or SECTIONS:
        SECTIONS[section](arguments.rounds)
