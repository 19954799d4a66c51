"""Interleaved rounds: every round runs every variant once, in a seeded random order.

Reported is the median of the ratios paired by round, so that a slow moment of the machine hits all
alike. The share of the processors that others used meanwhile is printed: a figure taken beside a
busy neighbour is worth little.
"""

from __future__ import annotations

import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

Variant = Callable[[], object]


@dataclass(frozen=True)
class Timed:
    """Seconds of each variant by round; ``others``: the share of the machine that others used."""

    seconds: Mapping[str, list[float]]
    others: float

    def ratio(self, mine: str, peer: str) -> float:
        pairs = zip(self.seconds[mine], self.seconds[peer], strict=True)
        return statistics.median(a / b for a, b in pairs)

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])


def interleave(variants: Mapping[str, Variant], rounds: int, warm: int = 1) -> Timed:
    order = list(variants)
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    shuffler = random.Random(0)
    busy, mine, started = _busy(), time.process_time(), time.perf_counter()
    for number in range(rounds + warm):
        shuffler.shuffle(order)
        for name in order:
            begun = time.perf_counter()
            variants[name]()
            if number >= warm:
                seconds[name].append(time.perf_counter() - begun)
    elapsed = time.perf_counter() - started
    others = (_busy() - busy - (time.process_time() - mine)) / elapsed / (os.cpu_count() or 1)
    return Timed(seconds, max(0.0, others))


def _busy() -> float:
    """Seconds the processors were not idle, summed; 0 where the system does not say."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    user, nice, system, *_ = map(int, path.read_text().splitlines()[0].split()[1:])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def machine(*packages: str) -> str:
    """Two lines: processor and system; versions."""
    path = Path("/proc/cpuinfo")
    names = []
    if path.exists():
        lines = path.read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.machine()
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    return (
        f"{processor}, {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}\n{versions}"
    )


def table(title: str, timed: Timed, mine: str, limits: Mapping[str, float | None]) -> None:
    """Ratio of ``mine`` to each peer, with the limit promised."""
    rounds = len(timed.seconds[mine])
    print(f"\n{title} (n = {rounds} rounds, others used {timed.others:.0%} of the machine)")
    print(f"{'peer':<44}{'its ms':>10}{'ours ms':>10}{'ratio':>8}{'limit':>8}")
    for peer, limit in limits.items():
        ratio = timed.ratio(mine, peer)
        missed = "  missed" if limit is not None and ratio > limit else ""
        limit_text = "" if limit is None else f"{limit:g}"
        print(
            f"{peer:<44}{timed.median(peer) * 1e3:>10.1f}{timed.median(mine) * 1e3:>10.1f}"
            f"{ratio:>8.3f}{limit_text:>8}{missed}",
            flush=True,
        )
