"""What a study costs beside its runs: `python benchmarks/studies.py [--runs 200] [--workers 1]`.

A study of many short runs on the embedded digits. Its time, from the call to the last table, less
the time that its workers spent in carrying out runs (training and measuring, as zoo train and zoo
eval do), is what scheduling costs: reading, starting workers, results, tables. Both are of one
study, so that a busy neighbour slows both.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from rounds import machine

from zoo.studies.carrying import DONE, Outcome
from zoo.studies.executing import BEGUN
from zoo.studies.studying import study
from zoo.studies.watching import Silent

STUDY = """
title = "Many short runs"
seeds = [SEEDS]
metrics = ["accuracy"]
set = { "training.threads" = 1, "training.epochs" = 1 }
[recipe.dataset]
name = "digits"
[recipe.split]
fraction = 0.2
[recipe.architecture]
name = "linear"
[[tables]]
name = "rates"
kind = "one_at_a_time"
[tables.vary]
"optimizer.lr" = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]
"""
RATES = 10


class Clock(Silent):
    """``carried``: seconds in the workers' runs; ``first``: when the first one was begun."""

    def __init__(self) -> None:
        self.carried, self.done, self.first = 0.0, 0, 0.0

    def heard(self, key: str, name: str, event: Mapping[str, Any]) -> None:
        if event["event"] != BEGUN and not self.first:
            self.first = time.perf_counter()

    def ended(self, key: str, name: str, outcome: Outcome, detail: str) -> None:
        self.carried += outcome.seconds
        self.done += outcome.status == DONE


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.toml"
        seeds = ", ".join(map(str, range(asked.runs // RATES)))
        path.write_text(STUDY.replace("SEEDS", seeds))
        clock, begun, own = Clock(), time.perf_counter(), time.process_time()
        study(path, out=Path(folder) / "out", workers=asked.workers, watcher=clock)
        took, own = time.perf_counter() - begun, time.process_time() - own
        again = time.perf_counter()
        study(path, out=Path(folder) / "out", workers=asked.workers)
        again = time.perf_counter() - again
    print(machine("torch", "zoo"))
    beside = took - clock.carried / asked.workers
    started = clock.first - begun
    print(
        f"{clock.done} runs, {asked.workers} at once: {took:.1f} s, "
        f"of which {clock.carried:.1f} s in runs"
    )
    print(f"beside the runs: {beside:.1f} s, {beside / clock.done * 1000:.0f} ms a run, "
          f"{beside / took:.1%} of all")  # fmt: skip
    print(f"processor time of the study's own process: {own:.1f} s")
    print(f"until the first run began, with the worker's imports: {started:.1f} s")
    print(f"the same again, nothing being left to do: {again:.1f} s")


if __name__ == "__main__":
    main()
