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
# What fails, and how; the README's table, which a test compares.
_GRAY = (
    "takes no images of 1 channels (timm: RuntimeError: shape '[2, 1, 8, 8, 8, 8]' is invalid for "
    "input of size 24576); type --set data.channels=3"
)
FAILS = {(name, 1): f"architecture 'timm/{name}' {_GRAY}" for name in ("csatv2", "csatv2_21m")}


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
    return sorted(firsts + seconds[: ALL - len(firsts)], key=size)


CASES = [(name, channels) for name in chosen() for channels in (1, 3)]


def outcome_of(name, channels):
    """At 64 pixels, or at the size that its refusal says to type."""
    found = try_architecture(f"timm/{name}", channels, size=SIDE)
    typed = re.search(r"type --size (\d+)$", found.problem)
    return try_architecture(f"timm/{name}", channels, size=int(typed[1])) if typed else found


def test_the_sweep_is_wide_enough():
    known = facts.table()["architectures"]
    assert len(set(chosen())) == ALL
    assert len({known[name]["class"] for name in chosen()}) > 90


def table():
    """What fails, as the README has it."""
    rows = [
        f"| `timm/{name}` | {channels} | {said} |"
        for (name, channels), said in sorted(FAILS.items())
    ]
    return "\n".join(("| architecture | channels | what it says |", "|---|---|---|", *rows)) + "\n"


def test_the_readme_says_what_fails_and_how_many_were_tried():
    readme = README.read_text(encoding="utf-8")
    assert table() in readme
    known = facts.table()["architectures"]
    classes = {known[name]["class"] for name in chosen()}
    assert f"{ALL} architectures of {len(classes)} classes" in readme


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "channels"), CASES)
def test_an_architecture_keeps_the_contract(name, channels):
    problem = but_for_rounding(outcome_of(name, channels).problem)
    assert problem == FAILS.get((name, channels), "")


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
