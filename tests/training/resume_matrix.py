"""The run of 12 steps over what a recipe may combine, killed at every step and resumed.

``python resume_matrix.py FOLDER pairwise|full|controls [NAME..]`` prints JSON.
"""

from __future__ import annotations

import itertools
import json
import shutil
import sys
import time
from pathlib import Path

from tiny_recipes import EPOCHS, FACTORS, STEPS, cell_of
from tiny_runs import differences, in_turn, kill_at, prepare

from zoo.training import loop

# Every pair of values of two factors is in one of these rows; a test counts them.
PAIRWISE = (
    "classes ema micro cosine mixup dropout weighted bf16",
    "classes - - plateau mixup - - -",
    "masks - micro cosine - - weighted -",
    "masks ema micro plateau - dropout - -",
    "masks ema - plateau - - weighted bf16",
    "classes - - cosine - dropout - bf16",
)


FP16 = {
    **cell_of("classes ema micro plateau - dropout weighted -"),
    "precision": "fp16",
    "set": {
        "optimizer.name": "sgd",
        "optimizer.momentum": 0.9,
        "training.clip_norm": 1.0,
        "optimizer.lr": 1.0,  # the first scale overflows in step 2, and again where it is forgotten
        "training.seed": 5,
    },
}
# Stops after 12 steps, because no epoch is better than the first by so much.
PATIENT = {
    **cell_of("classes - - plateau - - - -"),
    "set": {
        "training.epochs": 6,
        "training.evaluate": "last",
        "stopping.patience": 2,
        "stopping.min_delta": 10.0,
    },
}
# Threads decode ahead of the step that is killed.
STREAMED = {
    **cell_of("masks - - cosine - dropout - -"),
    "set": {"data.keep": "streamed"},
}
# The rate falls after every epoch but the first: a smaller loss is no improvement here.
FALLING = {**cell_of("classes - - plateau - - - -"), "set": {"stopping.mode": "max"}}
OTHERS = (FP16, PATIENT, STREAMED)
POINTS = [
    *(("update", step) for step in range(1, STEPS + 1)),
    ("saving", 1 + STEPS // 2),
    *(("measure", epoch) for epoch in range(1, EPOCHS + 1)),
    ("best", 1),
    *(("told", epoch) for epoch in range(1, EPOCHS + 1)),
    ("saved", 2),
    ("saved", 1 + STEPS + EPOCHS),
]


def cells():
    """All there are: masks cannot be mixed."""
    for values in itertools.product(*FACTORS.values()):
        cell = dict(zip(FACTORS, values, strict=True))
        if not (cell["task"] == "masks" and cell["mixup"]):
            yield cell


def name_of(cell):
    return " ".join(
        value if isinstance(value, str) else key
        for key, value in cell.items()
        if value and key != "set"
    ) + (f" {sorted(cell['set'])}" if "set" in cell else "")


def unseeded():
    loop.seed_step = lambda *arguments: None


def without(part):
    """Resume without the state of ``part``."""

    def forget():
        real = loop.Trainee.parts

        def parts(run):
            found = real(run)
            if part == "count" and "average" in found:
                count_kept = found["average"]
                load = count_kept.load_state_dict
                count_kept.load_state_dict = lambda state: load({**state, "updates": 0})
            elif part in found:
                found[part] = Deaf(found[part])
            return found

        loop.Trainee.parts = parts

    return forget


class Deaf:
    """Has a state, and loads none."""

    def __init__(self, part):
        self.state_dict = part.state_dict

    def load_state_dict(self, state):
        pass


# What is left out: in which cell, and what of the finished run must then be another.
CONTROLS = {
    "network": (PAIRWISE[0], "network"),
    "optimizer": (PAIRWISE[0], "network"),
    "average": (PAIRWISE[0], "best weights"),
    "count": (PAIRWISE[0], "best weights"),
    "schedule": (PAIRWISE[0], "network"),
    "schedule ": (FALLING, "network"),
    "position": (PAIRWISE[0], "end"),
    "tally": (PAIRWISE[1], "epochs"),
    "precision": (FP16, "network"),
    "stopping": (PATIENT, "end"),
}


def control(bench, name):
    """What differs when ``name`` is left out, and what must."""
    if name == "nothing":
        cell = cell_of(PAIRWISE[0])
        return bench.killed_and_resumed(cell, bench.reference(cell), "update", 7), None
    if name == "seed":
        cell = cell_of(PAIRWISE[0])
        run, reference = bench.new(), bench.new()
        assert bench.train(cell, reference, unseeded) == 0
        assert bench.train(cell, run, lambda: (unseeded(), kill_at("update", 7))) == -9
        assert bench.resume(run, unseeded) == 0
        return differences(reference, run), "network"
    row, must = CONTROLS[name]
    cell = cell_of(row) if isinstance(row, str) else row
    run, reference = bench.new(), bench.reference(cell)
    assert bench.train(cell, run, lambda: kill_at("update", 7)) == -9
    assert bench.resume(run, without(name.strip())) == 0
    return differences(reference, run), must


def chain(bench, cell):
    kills, problems = bench.killed_all_the_way(cell, bench.reference(cell))
    return {"kills": kills, "problems": problems}


def independent(bench, cell):
    reference, problems = bench.reference(cell), []
    for kind, number in POINTS:
        found = bench.killed_and_resumed(cell, reference, kind, number)
        problems += [f"{kind} {number}: {one}" for one in found]
    shutil.rmtree(reference)
    return {"kills": len(POINTS), "problems": problems}


def main():
    folder, mode, names = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    (folder / "first").mkdir(parents=True)
    prepare(folder)
    began = time.perf_counter()
    few = [*map(cell_of, PAIRWISE), FP16, PATIENT]
    if mode == "controls":
        work, items = control, [(name, name) for name in names or ["nothing", "seed", *CONTROLS]]
    else:
        work, found = (chain, few) if mode == "pairwise" else (independent, [*cells(), *OTHERS])
        items = [(name_of(cell), cell) for cell in found]
    results = in_turn(work, items, folder)
    print(json.dumps({"results": results, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main()
