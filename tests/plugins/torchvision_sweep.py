"""Every model of torchvision's tried: ``python tests/plugins/torchvision_sweep.py OUTCOMES.jsonl``.

What was found is kept, a line each, so that the same command goes on after an interruption, or
after the seconds that may follow; then the table in the plugin's README is written anew.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sweep import Outcome, try_architecture
from zoo_torchvision import facts

README = Path(__file__).parents[2] / "plugins/zoo-torchvision/README.md"
BEGIN, END = "<!-- sweep -->", "<!-- end of sweep -->"
CHANNELS = (1, 3)


def trials() -> Iterator[tuple[str, int]]:
    """(name, channels), small networks first."""
    table = facts.table()
    for name in sorted(table, key=lambda one: (table[one]["parameters"], one)):
        yield from ((name, channels) for channels in CHANNELS)


def attempt(name: str, channels: int) -> Outcome:
    """At the least multiple of 32 that it takes, or the second multiple of its patch."""
    entry = facts.table()[name]
    segmentation = entry["kind"] == "segmentation"
    size = max(32, math.ceil(entry.get("smallest", 0) / 32) * 32)
    if of := entry.get("multiple"):
        size = of if of >= 64 else 2 * of
    task = "segmentation" if segmentation else "multiclass"
    return try_architecture(f"torchvision/{name}", channels, task=task, size=size)


def table_of(outcomes: Mapping[tuple[str, int], Mapping[str, Any]], version: str) -> str:
    names = sorted(name for name, _ in trials() if all((name, one) in outcomes for one in CHANNELS))
    names = list(dict.fromkeys(names))
    failing = [one for one in outcomes.values() if one["problem"]]
    shapes = {key[0] for key, one in outcomes.items() if one["device"] == "meta"}
    lines = [
        f"{len(names)} of the {len(facts.table())} models of torchvision {version} tried, built "
        f"for 3 classes and for 1 and 3 channels; two images forth and back; the state saved, "
        f"loaded as a version's is, and the logits equal to the bit. "
        f"{len(outcomes) - len(failing)} of {len(outcomes)} trials succeed."
        + (f" Of {', '.join(sorted(shapes))} only shapes were computed." if shapes else ""),
        "",
        "| model | parameters | sides it takes | tried at | 1 channel | 3 channels |",
        "|---|---:|---|---:|---|---|",
    ]
    for name in names:
        both = [outcomes[name, channels] for channels in CHANNELS]
        entry = facts.table()[name]
        of = entry.get("multiple")
        takes = f"equal, multiples of {of}" if of else f"from {entry['smallest']}"
        said = [one["problem"].replace("|", "\\|") or "well" for one in both]
        lines.append(
            f"| `{name}` | {entry['parameters']:,} | {takes} | {both[0]['size'][0]} | "
            f"{' | '.join(said)} |"
        )
    return "\n".join(lines)


def main(path: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    found: dict[tuple[str, int], Any] = {}
    if path.exists():
        for line in path.read_text().splitlines():
            one = json.loads(line)
            found[one["name"].partition("/")[2], one["channels"]] = one
    with path.open("a") as out:
        for key in trials():
            if key in found or time.monotonic() > end:
                continue
            found[key] = json.loads(json.dumps(dataclasses.asdict(attempt(*key))))
            out.write(json.dumps(found[key]) + "\n")
            out.flush()
            print(
                key, found[key]["problem"] or "well", f"{found[key]['seconds']:.1f} s", flush=True
            )
    version = json.loads(facts.SHIPPED.read_text())["torchvision"]
    text = README.read_text()
    head, tail = text.partition(BEGIN)[0], text.partition(END)[2]
    README.write_text(f"{head}{BEGIN}\n\n{table_of(found, version)}\n\n{END}{tail}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else float("inf"))
