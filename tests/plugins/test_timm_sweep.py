"""The contract sweep over timm: the two smallest architectures of every class that timm has.

Each for 1 and 3 channels and 3 classes, forth and back at a size it takes, saved and loaded again.
``python tests/plugins/test_timm_sweep.py RESULTS.jsonl`` writes what comes out, a line each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from sweep import try_architecture

pytest.importorskip("timm")
pytest.importorskip("zoo_timm")
from zoo_timm import facts

README = Path(facts.__file__).parents[1] / "README.md"
SIDE = 64
EACH = 2
# What fails, and how it begins to say so; the README's table, which a test compares.
FAILS: dict[tuple[str, int], str] = {}


def chosen():
    """Names by class: the smallest, timm's own test networks left out."""
    classes: dict[str, list[str]] = {}
    for name, entry in facts.table()["architectures"].items():
        if "parameters" in entry and not name.startswith("test_"):
            classes.setdefault(entry["class"], []).append(name)
    known = facts.table()["architectures"]
    for names in classes.values():
        names.sort(key=lambda name: (known[name]["parameters"], name))
    return {kind: names[:EACH] for kind, names in classes.items()}


def legal_side(name):
    """64, or the next that it takes."""
    from zoo_timm import sizes

    entry = facts.table()["architectures"][name]
    for side in (SIDE, *sizes._candidates(SIDE, tuple(entry["size"]))):
        given = {"in_chans": 3, "num_classes": 3}
        if entry.get("sized"):
            given["img_size"] = (side, side)
        if not sizes.problem(name, tuple(sorted(given.items())), (side, side)):
            return side
    return max(entry["size"])


CASES = [(name, channels) for names in chosen().values() for name in names for channels in (1, 3)]


def outcome_of(name, channels):
    return try_architecture(f"timm/{name}", channels, size=legal_side(name))


def test_the_sweep_is_wide_enough():
    assert len(chosen()) >= 40
    assert len({name for name, _ in CASES}) >= 150


@pytest.mark.slow
@pytest.mark.parametrize(("name", "channels"), CASES)
def test_an_architecture_keeps_the_contract(name, channels):
    outcome = outcome_of(name, channels)
    assert outcome.problem.startswith(FAILS.get((name, channels), ""))
    assert bool(outcome.problem) == ((name, channels) in FAILS), outcome.problem


def main():
    path = Path(sys.argv[1])
    lines = path.read_text().splitlines() if path.exists() else []
    done = {tuple(json.loads(line)["case"]) for line in lines}
    with path.open("a") as out:
        for case in CASES:
            if case not in done:
                found = outcome_of(*case)
                said = {"case": case, "size": found.size[0], "seconds": round(found.seconds, 1),
                        "parameters": found.parameters, "device": found.device,
                        "problem": found.problem, "notes": found.notes}  # fmt: skip
                out.write(json.dumps(said) + "\n")
                out.flush()


if __name__ == "__main__":
    main()
