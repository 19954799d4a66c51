"""zoo's loop on one CUDA device, beside a bare loop and the arithmetic limit:
`python benchmarks/gpu.py [pathmnist resnet unet mnist] [--mnist FOLDER]`.

bf16, channels_last, the store resident on the device. The limit is the counted floating-point
operations of training (three times the forward pass) over the rate of a large bf16 matrix product
measured on the same device. Synthetic images, but for MNIST, which needs its four files.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))
from rounds import interleave, machine

from zoo.data.datasets import ArraySplit
from zoo.data.fitting import Form
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.tiers import Keeping, open_split
from zoo.plugins.catalog import catalog
from zoo.plugins.contexts import ArchitectureContext
from zoo.tasks import SEGMENTATION, Task
from zoo.training import loop
from zoo.training.checkpoints import Checkpoints
from zoo.training.optimizer import Schedule
from zoo.training.precision import Precision
from zoo.training.stopping import Stopping
from zoo.training.update import Update

CUDA = torch.device("cuda")
NINE = Task.multiclass([str(label) for label in range(9)])
MASKS = Task.segmentation(["ground", "thing"], positive="thing")


@dataclass
class Case:
    """``count`` random images of ``side`` pixels, a task, a network, a batch size; ``aim``: what is
    hoped for, in words."""

    name: str
    count: int
    side: int
    batch: int
    build: Callable[[], nn.Module]
    task: Task
    aim: str

    def network(self) -> nn.Module:
        torch.manual_seed(0)
        return self.build().to(CUDA, memory_format=torch.channels_last).train()

    def loss(self) -> nn.Module:
        return nn.BCEWithLogitsLoss() if self.task.kind == SEGMENTATION else nn.CrossEntropyLoss()

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        shape = (self.count, self.side, self.side)
        self.images = torch.randint(0, 256, (*shape, 3), dtype=torch.uint8, generator=generator)
        high = 2 if self.task.kind == SEGMENTATION else 9
        truth = shape if self.task.kind == SEGMENTATION else shape[:1]
        self.labels = torch.randint(0, high, truth, generator=generator)
        self.order = torch.randperm(self.count, generator=generator)


def zoo_epoch(case: Case, *, compile: bool = False) -> Callable[[], object]:
    ids = [str(i) for i in range(case.count)]
    pixels, labels = case.images.numpy(), case.labels.numpy()
    if case.task.kind == SEGMENTATION:
        split = ArraySplit(pixels, None, ids, masks=labels.astype("uint8"))
    else:
        split = ArraySplit(pixels, labels, ids)
    plain = Preprocessing((case.side, case.side), 3, (0.5,) * 3, (0.25,) * 3)
    store = open_split(split, Form(3), case.task, "benchmark", Keeping())
    loader = Loader(store, plain, case.task, case.batch, CUDA, lambda generator: case.order)
    network = case.network()
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    run = loop.Trainee(
        case.task, network, case.loss(), Update(optimizer, Precision("bf16", CUDA)),
        Schedule(optimizer), loader, loader, Stopping("val/loss", "min"), Checkpoints(None), 1, 0,
        compile=compile,
    )  # fmt: skip

    def epoch() -> object:
        run.network.train()
        for batch in loader.epoch(1):
            loop.train_step(run, batch)
        run.tally.new_epoch()
        return torch.cuda.synchronize()

    return epoch


def bare_epoch(case: Case) -> Callable[[], object]:
    """The same network, format and precision; nothing is measured."""
    images, labels, order = (one.to(CUDA) for one in (case.images, case.labels, case.order))
    network, criterion = case.network(), case.loss()
    optimizer = torch.optim.Adam(network.parameters(), fused=True)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, case.count, case.batch):
            chosen = order[start : start + case.batch]
            units = images.index_select(0, chosen).permute(0, 3, 1, 2).float().div_(255.0)
            truth = labels.index_select(0, chosen)
            if case.task.kind == SEGMENTATION:
                truth = truth.float().unsqueeze(1)
            yield units.sub_(0.5).div_(0.25), truth

    def epoch() -> object:
        for units, truth in batches():
            with torch.autocast("cuda", torch.bfloat16):
                logits = network(units)
            loss = criterion(logits.float(), truth)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        return torch.cuda.synchronize()

    return epoch


def flops(case: Case) -> float:
    """Of training on one image: three times the forward pass."""
    from torch.utils.flop_counter import FlopCounterMode

    network = case.network().eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, case.side, case.side, device=CUDA))
    return 3.0 * counter.get_total_flops()


def matrix_rate() -> float:
    """Operations a second of a product of two 8192 x 8192 matrices in bf16."""
    one, other = (torch.randn(8192, 8192, device=CUDA, dtype=torch.bfloat16) for _ in range(2))
    times = []
    for _ in range(20):
        torch.cuda.synchronize()
        begun = time.perf_counter()
        one @ other
        torch.cuda.synchronize()
        times.append(time.perf_counter() - begun)
    return 2 * 8192**3 / statistics.median(times)


def busy(epoch: Callable[[], object]) -> float:
    """The share of an epoch in which some kernel runs."""
    from torch.profiler import ProfilerActivity, profile

    begun = time.perf_counter()
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        begun = time.perf_counter()
        epoch()
        seconds = time.perf_counter() - begun
    spans = sorted(
        (one.time_range.start, one.time_range.end)
        for one in seen.events()
        if one.device_type == torch.autograd.DeviceType.CUDA
    )
    covered, until = 0.0, float("-inf")
    for start, end in spans:
        covered += max(0.0, end - max(start, until))
        until = max(until, end)
    return covered / 1e6 / seconds


def compare(case: Case, rate: float, rounds: int, *, graphs: bool = False) -> None:
    variants = {"zoo": zoo_epoch(case), "bare loop": bare_epoch(case)}
    if graphs:
        variants["zoo, CUDA graphs"] = zoo_epoch(case, compile=True)
    timed = interleave(variants, rounds, warm=2)
    limit = case.count * flops(case) / rate
    print(f"\n{case.name}, batch {case.batch}, {case.count:,} images (n = {rounds}; {case.aim})")
    for name in variants:
        seconds = timed.median(name)
        print(
            f"  {name:<18}{seconds:8.3f} s  {case.count / seconds:10,.0f} images/s  "
            f"{timed.ratio(name, 'bare loop'):6.3f} of bare  {limit / seconds:6.1%} of the limit"
        )
    if graphs:
        print(f"  graphs / eager: {timed.ratio('zoo, CUDA graphs', 'zoo'):.3f} (aim 0.6)")
    print(f"  busy share of zoo's epoch: {busy(variants['zoo']):.1%} (aim 95 %)")


def small_resnet() -> nn.Module:
    """ResNet18 with the stem for CIFAR: a 3x3 convolution, no pooling (He et al. 2016)."""
    from torchvision.models import resnet18

    network = resnet18(num_classes=9)
    network.conv1 = nn.Conv2d(3, 64, kernel_size=3, padding=1, bias=False)
    network.maxpool = nn.Identity()
    return network


def pathmnist(rate: float, rounds: int, _: Path | None) -> None:
    for batch, count in ((512, 89_996), (64, 89_996)):
        aim = "aim 1.5 s" if batch == 512 else "aim: graphs at most 0.6 of eager"
        name = "ResNet18, CIFAR stem, 3x28x28"
        compare(
            Case(name, count, 28, batch, small_resnet, NINE, aim), rate, rounds, graphs=batch == 64
        )


def resnet(rate: float, rounds: int, _: Path | None) -> None:
    from torchvision.models import resnet18

    build = lambda: resnet18(num_classes=9)  # noqa: E731
    case = Case("ResNet18 3x224x224", 8_192, 224, 256, build, NINE, "aim 15,000 images/s")
    compare(case, rate, rounds)


def unet(rate: float, rounds: int, _: Path | None) -> None:
    context = ArchitectureContext(3, (576, 576), 1, MASKS)
    build = lambda: catalog().get("architecture", "unet").build(context, {})  # noqa: E731
    case = Case("U-Net (width 64) 3x576x576", 240, 576, 8, build, MASKS, "aim 120 images/s")
    compare(case, rate, rounds)


def mnist(rate: float, rounds: int, root: Path | None) -> None:
    """Seconds of training until the validation accuracy is 99 %."""
    import tempfile

    import zoo
    from zoo.training.events import EpochEnded

    if root is None:
        print("\nsimple_cnn on MNIST: left out; give its four files with --mnist FOLDER")
        return

    class ReachedError(Exception):
        pass

    times: list[float] = []
    for seed in range(3):
        spent = [0.0]

        def watch(event: object, spent: list[float] = spent) -> None:
            if isinstance(event, EpochEnded):
                spent[0] += event.seconds
                if (event.val["accuracy"] or 0.0) >= 0.99:
                    raise ReachedError

        recipe = {
            "dataset": {"name": "mnist", "root": str(root)},
            "architecture": {"name": "simple_cnn", "variant": "three_conv"},
            "scheduler": {"name": "one_cycle"},
            "optimizer": {"name": "adam", "lr": 3e-3},
            "training": {"epochs": 10, "batch_size": 256, "device": "cuda", "seed": seed},
        }
        with tempfile.TemporaryDirectory() as place:
            try:
                zoo.train(recipe, folder=Path(place) / "run", subscribers=[watch])
            except ReachedError:
                times.append(spent[0])
    print(f"\nsimple_cnn on MNIST to 99 %: {[round(one, 2) for one in times]} s (aim 5 s)")


PARTS = {"pathmnist": pathmnist, "resnet": resnet, "unet": unet, "mnist": mnist}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mnist", type=Path)
    given = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("no CUDA device here: this benchmark needs one")
    print(machine("torch"), torch.cuda.get_device_name(), sep="\n")
    rate = matrix_rate()
    print(f"bf16 matrix product: {rate / 1e12:.0f} TFLOP/s")
    for name in given.parts or PARTS:
        PARTS[name](rate, given.rounds, given.mnist)


if __name__ == "__main__":
    main()
