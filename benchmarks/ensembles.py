"""What ensembles gain on real data: `python benchmarks/ensembles.py FOLDER`.

FOLDER holds pneumoniamnist/. Five seeds of simple_cnn and one run of each of two other networks are
trained; every method combines all seven, is chosen on val, and measured once on test, against the
member that is best on val. A soup averages what a network became when it was trained on from one
start with three seeds. Whatever comes out is printed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from rounds import machine

import zoo
from zoo.runs.soup import soup

RECIPE = Path(__file__).parents[1] / "recipes" / "pneumoniamnist.toml"
FIGURES = ("accuracy", "balanced_accuracy", "auroc", "log_loss")
SEEDS = 5
# One of them sees the images enlarged.
OTHERS: Mapping[str, Mapping[str, Any]] = {
    "skin_cnn": {"architecture.name": "skin_cnn"},
    "tiny_cnn-64": {"architecture.name": "tiny_cnn", "data.size": 64},
}
METHODS: Sequence[Mapping[str, str]] = (
    {"method": "mean"},
    {"method": "mean", "average": "geometric"},
    {"method": "weighted"},
    {"method": "vote"},
    {"method": "greedy"},
    {"method": "stack"},
    {"method": "mean", "tta": "hflip"},
)


def train(folder: Path, name: str, root: Path, changes: Mapping[str, Any]) -> str:
    begun = time.perf_counter()
    overrides = {"dataset.root": str(root), "training.threads": 1, **changes}
    zoo.train(RECIPE, folder=folder / name, overrides=overrides)
    print(f"    trained {name}: {time.perf_counter() - begun:.0f} s", flush=True)
    return str(folder / name)


def show_members(runs: Mapping[str, str]) -> None:
    """Each run's figures on test, with its intervals; of the seeds, mean and standard deviation."""
    print(f"\n    {'run':<18} " + " ".join(f"{name:<26}" for name in FIGURES))
    found: dict[str, list[float]] = {name: [] for name in FIGURES}
    for name, path in runs.items():
        measured = zoo.evaluate(path).metrics
        held = measured["intervals"]["overall"]
        cells = []
        for figure in FIGURES:
            low, high = held[figure]["low"], held[figure]["high"]
            cells.append(f"{measured[figure]:.4f} ({low:.4f} to {high:.4f})")
            if name.startswith("simple_cnn"):
                found[figure].append(measured[figure])
        print(f"    {name:<18} " + " ".join(f"{cell:<26}" for cell in cells), flush=True)
    for figure, values in found.items():
        mean, spread = statistics.mean(values), statistics.stdev(values)
        print(f"    simple_cnn, {len(values)} seeds, {figure}: {mean:.4f} +- {spread:.4f}")


def show_gain(label: str, report: Mapping[str, Any]) -> None:
    """The ensemble's figures, and what they are more than the best member's."""
    own, gain = report.get("figures", {}), report["gain"]
    print(f"    {label}, over {gain['over']}:")
    for figure in FIGURES:
        one = gain["figures"][figure]
        value = f"{own[figure]:.4f}, " if figure in own else ""
        print(
            f"      {figure:<18} {value}gain {one['value']:+.4f} "
            f"({one['low']:+.4f} to {one['high']:+.4f}), p {one['p']:.4f}: {one['shown']}"
        )
    weights = [one["weight"] for one in report["members"] if one.get("weight") is not None]
    if weights:
        print("      weights " + " ".join(f"{one:.2f}" for one in weights))
    else:
        on_test = " ".join(f"{one['test']:.4f}" for one in report["members"])
        print(f"      {report['metric']} of the members {on_test}, val of it "
              f"{report['ensemble']['val']:.4f}")  # fmt: skip
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--metric", default="accuracy", help="that is chosen by")
    parser.add_argument("--epochs", type=int, help="fewer than the recipe's, to try the script")
    given = parser.parse_args()
    warnings.simplefilter("ignore", zoo.ZooWarning)  # of the files' md5, at every run
    print(machine("zoo", "torch", "torchvision", "scikit-learn"))
    root = given.folder / "pneumoniamnist"
    shorter = {} if given.epochs is None else {"training.epochs": given.epochs}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        runs = {
            f"simple_cnn-{seed}": train(
                folder, f"simple_cnn-{seed}", root, {"training.seed": seed, **shorter}
            )
            for seed in range(SEEDS)
        }
        for name, changes in OTHERS.items():
            runs[name] = train(folder, name, root, {**changes, **shorter})
        show_members(runs)
        print(f"\n  ensembles of all {len(runs)}, chosen by {given.metric} on val")
        for number, method in enumerate(METHODS):
            made = zoo.ensemble(
                list(runs.values()), metric=given.metric, output=folder / f"e{number}", **method
            )
            show_gain(" ".join(method.values()), made.report)
            if not number:
                found = made.report["diversity"]
                differ = f"mean disagreement {found['mean_disagreement']:.4f}"
                print(f"      oracle {found['oracle']:.4f}, {differ}, mean Q {found['mean_q']:.3f}")
        seeds = [path for name, path in runs.items() if name.startswith("simple_cnn")]
        print(f"\n  the five seeds of simple_cnn alone, chosen by {given.metric} on val")
        made = zoo.ensemble(seeds, metric=given.metric, output=folder / "seeds")
        show_gain("mean", made.report)
        print("\n  soups")
        start = {"transfer.init": f"{seeds[0]}/best.safetensors", "optimizer.lr": 3e-4, **shorter}
        tuned = [
            train(folder, f"tuned-{seed}", root, {"training.seed": 10 + seed, **start})
            for seed in range(3)
        ]
        for label, members in (("trained on from one start", tuned), ("five seeds", seeds)):
            for kind in ("uniform", "greedy"):
                output = folder / f"{kind}-{len(members)}"
                report = soup(members, kind=kind, metric=given.metric, output=output).report
                kept = sum(one["averaged"] for one in report["members"])
                show_gain(f"{kind} soup, {label}, {kept} averaged", report)


if __name__ == "__main__":
    main()
