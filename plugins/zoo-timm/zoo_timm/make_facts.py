"""Writes ``zoo_timm/facts.json`` of the timm that is installed.

Type ``python -m zoo_timm.make_facts FACTS.jsonl``. What takes long, the number of parameters and
the smallest side of each architecture and the ways in which each class pools, is looked for once
and kept, a line each, in FACTS.jsonl; type the same command again to go on after an interruption.
"""

from __future__ import annotations

import argparse
import functools
import json
import time
from pathlib import Path
from typing import Any

import timm
import torch

from zoo_timm import facts, sizes
from zoo_timm.describing import describe

_SIDES = (16, 32, 48, 64, 96, 128, 160, 192, 224)  # squares that are tried for the smallest
_POOLS = ("avg", "max", "avgmax", "catavgmax", "fast", "token", "map")
_CLASSES = 3
_SHIPPED = Path(__file__).with_name("facts.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("found", type=Path, help="what was found so far; made when missing")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop looking then")
    given = parser.parse_args()
    torch.set_num_threads(1)
    described = describe()
    end = time.monotonic() + given.seconds
    found = _known(given.found)
    with given.found.open("a", encoding="utf-8") as out:
        for key, look in _wanted(described["architectures"]):
            if key in found or time.monotonic() > end:
                continue
            found[key] = look()
            out.write(json.dumps([key, found[key]]) + "\n")
            out.flush()
    _write(described, found)


def _known(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    return dict(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def _wanted(architectures: dict[str, Any]) -> Any:
    """What to look for, by a key: what is quick first."""
    for name in architectures:
        yield f"parameters {name}", functools.partial(_parameters, name)
    first: dict[str, str] = {}
    for name, entry in architectures.items():
        if "global_pool" in entry["options"]:
            first.setdefault(facts.pooling(entry), name)
    for kind, name in first.items():
        yield f"pools {kind}", functools.partial(_pools, name, architectures[name])
    for name, entry in architectures.items():
        if not entry.get("sized"):
            yield f"smallest {name}", functools.partial(_smallest, name, entry)


def _parameters(name: str) -> int | str:
    """With timm's own outputs; in words, where it cannot be built without values."""
    try:
        with sizes.without_values():
            network = timm.create_model(name, pretrained=False)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return sum(one.numel() for one in network.parameters())


def _smallest(name: str, entry: dict[str, Any]) -> int:
    """The side of the smallest square that it takes, of those that are tried; 0 where none does.

    Only of those that are not built for a size: the others take any that their patches divide."""
    with sizes.without_values():
        network = timm.create_model(name, pretrained=False).eval()
    made_for: int = min(entry["size"])
    sides = [side for side in _SIDES if side < made_for]
    if not _goes(network, made_for):
        return 0
    low, high = 0, len(sides)  # the first that works, by halving
    while low < high:
        middle = (low + high) // 2
        if _goes(network, sides[middle]):
            high = middle
        else:
            low = middle + 1
    return [*sides, made_for][high]


def _goes(network: torch.nn.Module, side: int) -> bool:
    try:
        with sizes.without_values():
            logits = network(torch.empty(2, 3, side, side, device="meta"))
    except Exception:
        return False
    return isinstance(logits, torch.Tensor) and logits.ndim == 2


def _pools(name: str, entry: dict[str, Any]) -> list[str]:
    """Those with which the class gives logits."""
    side = entry["size"][0]
    default = entry["options"]["global_pool"]
    return [
        pool
        for pool in dict.fromkeys((default, *_POOLS))
        if not sizes.problem.__wrapped__(
            name, tuple({**_given(entry, side), "global_pool": pool}.items()), tuple(entry["size"])
        )
    ]


def _given(entry: dict[str, Any], side: int) -> dict[str, Any]:
    given: dict[str, Any] = {"in_chans": 3, "num_classes": _CLASSES}
    if entry.get("sized"):
        given["img_size"] = (side, side)
    return given


def _write(described: dict[str, Any], found: dict[str, Any]) -> None:
    """A line each, so that a change can be read."""
    pools = {
        key.removeprefix("pools "): value
        for key, value in found.items()
        if key.startswith("pools") and value
    }
    lines = []
    for name, entry in described["architectures"].items():
        said = {key: found.get(f"{key} {name}") for key in ("parameters", "smallest")}
        said = {key: one for key, one in said.items() if isinstance(one, int) and one}
        lines.append(f"{json.dumps(name)}: {json.dumps({**entry, **said})}")
    body = ",\n".join(lines)
    _SHIPPED.write_text(
        f'{{"timm": {json.dumps(described["timm"])},\n"pools": {json.dumps(pools)},\n'
        f'"architectures": {{\n{body}\n}}}}\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
