"""The contract sweep over timm: the smallest architecture of every class that timm has, and more.

Each for 1 and 3 channels and 3 classes, forth and back at a size it takes, saved and loaded again.
``python tests/plugins/test_timm_sweep.py RESULTS.jsonl`` writes what comes out, a line each.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from sweep import try_architecture

pytest.importorskip("timm")
pytest.importorskip("zoo_timm")
from zoo_timm import facts

README = Path(facts.__file__).parents[1] / "README.md"
SIDE = 64
ROUNDING = 1e-6  # of logits about 1
ALL = 155
# What fails, and how it begins to say so; the README's table, which a test compares.
FAILS: dict[tuple[str, int], str] = {}


def chosen():
    """By class the smallest, timm's own test networks left out; then, of the others, the smallest
    second ones."""
    known = facts.table()["architectures"]
    classes: dict[str, list[str]] = {}
    for name, entry in known.items():
        if "parameters" in entry and not name.startswith("test_"):
            classes.setdefault(entry["class"], []).append(name)

    def size(name):
        return known[name]["parameters"], name

    ordered = [sorted(names, key=size) for names in classes.values()]
    firsts = [names[0] for names in ordered]
    seconds = sorted((names[1] for names in ordered if len(names) > 1), key=size)
    return firsts + seconds[: ALL - len(firsts)]


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


CASES = [(name, channels) for name in chosen() for channels in (1, 3)]


def outcome_of(name, channels):
    return try_architecture(f"timm/{name}", channels, size=legal_side(name))


def test_the_sweep_is_wide_enough():
    known = facts.table()["architectures"]
    assert len(set(chosen())) == ALL
    assert len({known[name]["class"] for name in chosen()}) > 90


@pytest.mark.slow
@pytest.mark.parametrize(("name", "channels"), CASES)
def test_an_architecture_keeps_the_contract(name, channels):
    problem = but_for_rounding(outcome_of(name, channels).problem)
    assert problem.startswith(FAILS.get((name, channels), ""))
    assert bool(problem) == ((name, channels) in FAILS), problem


def but_for_rounding(problem):
    """Loaded weights lie elsewhere in memory, and torch adds up otherwise what is not aligned."""
    found = re.fullmatch(r"loaded again, its logits differ by up to (\S+)", problem)
    return "" if found and float(found[1]) < ROUNDING else problem


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
                        "problem": but_for_rounding(found.problem),
                        "notes": found.notes}  # fmt: skip
                out.write(json.dumps(said) + "\n")
                out.flush()


if __name__ == "__main__":
    main()
