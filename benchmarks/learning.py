"""What shipped recipes reach on real data: `python benchmarks/learning.py FOLDER [nuclei
pneumonia]`.

FOLDER holds nuclei/ and pneumoniamnist/. Every figure is the mean over seeds, with the standard
deviation, on the test split; the epoch was chosen on the validation split.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from rounds import machine

import zoo

RECIPES = Path(__file__).parents[1] / "recipes"
# What is done about one class being rarer than the other.
BALANCING: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "weighted sampler": {"sampler.name": "weighted"},
    "class weights (pos_weight)": {"loss.name": "bce", "loss.pos_weight": "balanced"},
}


def seeds(
    recipe: str, root: Path, number: int, changes: Mapping[str, Any], figures: list[str]
) -> list[float]:
    """The figures of every seed, printed; returns the seconds each took."""
    found: dict[str, list[float]] = {name: [] for name in figures}
    seconds = []
    for seed in range(number):
        overrides = {"dataset.root": str(root), "training.seed": seed, **changes}
        with tempfile.TemporaryDirectory() as place:
            begun = time.perf_counter()
            run = zoo.train(RECIPES / recipe, folder=Path(place) / "run", overrides=overrides)
            seconds.append(time.perf_counter() - begun)
            measured = zoo.evaluate(run.path).metrics
        for name in figures:
            value = measured
            for part in name.split("."):
                value = value[part]
            found[name].append(float(value))
    for name, values in found.items():
        spread = statistics.stdev(values) if number > 1 else 0.0
        each = " ".join(f"{one:.4f}" for one in values)
        print(f"    {name:<20} {statistics.mean(values):.4f} +- {spread:.4f}   ({each})")
    print(f"    seconds {' '.join(f'{one:.0f}' for one in seconds)}", flush=True)
    return seconds


def nuclei(folder: Path, threads: int) -> None:
    print("\nnuclei, U-Net of width 16 at 128x128, 3 seeds (aim: Dice 0.88, 5 minutes each)")
    changes = {"training.threads": threads}
    seeds("nuclei-unet.toml", folder / "nuclei", 3, changes, ["dice", "per_image.dice"])


def pneumonia(folder: Path, threads: int) -> None:
    print("\nPneumoniaMNIST, simple_cnn, 5 seeds (aim: AUROC 0.94)")
    for name, changes in BALANCING.items():
        print(f"  {name}")
        settings = {"training.threads": threads, **changes}
        figures = ["auroc", "accuracy", "balanced_accuracy"]
        seeds("pneumoniamnist.toml", folder / "pneumoniamnist", 5, settings, figures)


PARTS = {"nuclei": nuclei, "pneumonia": pneumonia}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    parser.add_argument("--threads", type=int, default=0, help="0: every core")
    given = parser.parse_args()
    warnings.simplefilter("ignore", zoo.ZooWarning)  # of the files' md5, at every run
    print(machine("zoo", "torch"))
    for name in given.parts or PARTS:
        PARTS[name](given.folder, given.threads)


if __name__ == "__main__":
    main()
