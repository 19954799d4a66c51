"""How long `zoo` takes to say something, beside an empty Python: `python benchmarks/startup.py`.

Rounds are interleaved, so that a slow moment of the machine hits every command alike; the figure is
the median over rounds of the ratio to the same round's `python -c pass`.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

EMPTY = "python -c pass"
LIMITS = {  # the ratios that are promised
    "zoo --help": 15,
    "zoo components list architectures": 30,
    "zoo components list architectures *resnet* --pretrained --max-params 30M": 30,
    "zoo --version": None,
}
LISTED = "zoo components list architectures"
SECONDS = 0.5  # of LISTED, whatever is installed


def main() -> int:
    parser = argparse.ArgumentParser(description="time zoo's start against an empty Python")
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    seconds = measure([EMPTY, *LIMITS], rounds)
    print(
        f"{cpu()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )
    print(", ".join(f"{name} {metadata.version(name)}" for name in ("zoo", "typer", "pluggy")))
    print(f"n = {rounds} interleaved rounds; the ratio is the median of paired ratios\n")
    width = max(map(len, seconds)) + 1
    print(f"{'command':<{width}}{'median ms':>10}{'ratio':>8}{'limit':>8}")
    missed = 0
    for name, times in seconds.items():
        paired = zip(times, seconds[EMPTY], strict=True)
        ratio = statistics.median(mine / empty for mine, empty in paired)
        limit = LIMITS.get(name)
        missed += limit is not None and ratio > limit
        median = statistics.median(times) * 1000
        print(f"{name:<{width}}{median:>10.1f}{ratio:>8.1f}{limit or '':>8}")
    number = len(subprocess.check_output(argv(LISTED)).splitlines()) - 1
    median = statistics.median(seconds[LISTED])
    print(f"\n{number:,} architectures listed in {median:.2f} s (limit {SECONDS} s)")
    return 1 if missed or median > SECONDS else 0


def measure(names: list[str], rounds: int) -> dict[str, list[float]]:
    """Wall seconds of each command in each round; a first round, which fills caches, is dropped."""
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for round_ in range(rounds + 1):
        for name in names:
            command = argv(name)
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            if round_:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def argv(name: str) -> list[str]:
    program, *arguments = name.split()
    if program == "python":
        # Without site: an editable install's import hook would make the empty Python slower.
        return [sys.executable, "-I", "-S", *arguments]
    return [str(Path(sys.executable).with_name(program)), *arguments]


def cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    sys.exit(main())
