"""The reference's predictions beside a row's, on the same samples; kept, for it takes seconds."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from zoo.errors import ZooError
from zoo.predictions.across_seeds import AcrossSeeds, Recipe
from zoo.predictions.comparison import Together
from zoo.predictions.drawn import BY_CLASS, OVERALL, PER_IMAGE, PER_IMAGE_BY_CLASS, Key
from zoo.predictions.file import load_predictions
from zoo.predictions.intervals import planned
from zoo.predictions.same_samples import Named
from zoo.storage import commit
from zoo.studies import metric_names
from zoo.studies.collecting import Wanted
from zoo.tasks import Task

FOLDER = "comparisons"
_NEAR = 1e-6  # between a figure of zoo eval and the same one here
_OWN = "own_size/"
_BY_CLASS = {"per_class": BY_CLASS, "per_image_by_class": PER_IMAGE_BY_CLASS}


class Compared(NamedTuple):
    """``low`` to ``high``: of the mean difference over samples; ``p``: two-sided."""

    low: float
    high: float
    p: float


def compare_rows(
    reference: Sequence[Mapping[str, Any]],
    runs: Sequence[Mapping[str, Any]],
    wanted: Sequence[Wanted],
    out: Path,
) -> dict[str, Compared]:
    """By key of what is ``wanted``, where samples are the same and the bootstrap has an answer."""
    found: dict[str, Compared] = {}
    for split in dict.fromkeys(one.split for one in wanted):
        of_split = [
            one for one in wanted if one.split == split and not metric_names.of_epoch(one.metric)
        ]
        sides = _pairs([run for run in reference if split in run["predictions"]],
                       [run for run in runs if split in run["predictions"]])  # fmt: skip
        if of_split and all(sides):
            found |= _kept(sides, of_split, split, out)
    return found


def _pairs(
    reference: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, Any]]
) -> list[list[Mapping[str, Any]]]:
    """The runs of both that are compared: of the same seeds and folds; an ensemble, which has none,
    with all of the other."""
    if any(run["seed"] is None for run in (*reference, *runs)):
        return [list(reference), list(runs)]
    known = {(run["seed"], run["fold"]): run for run in reference}
    mine = [run for run in runs if (run["seed"], run["fold"]) in known]
    return [[known[run["seed"], run["fold"]] for run in mine], mine]


def _kept(
    sides: Sequence[Sequence[Mapping[str, Any]]], wanted: Sequence[Wanted], split: str, out: Path
) -> dict[str, Compared]:
    """Computed once for the same predictions."""
    files = [[out / run["folder"] / run["predictions"][split] for run in side] for side in sides]
    about = {
        "files": [[[run["key"], *_mark(file)] for run, file in zip(*both, strict=True)]
                  for both in zip(sides, files, strict=True)],
        "metrics": [one.key for one in wanted],
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:32]
    path = out / FOLDER / f"{digest}.json"
    if path.is_file():
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            return {key: _compared(values) for key, values in held.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            path.unlink(missing_ok=True)  # torn or damaged: it is computed again
    found = _computed(files, sides, wanted)
    commit.make_folder(path.parent)
    commit.write(path, json.dumps(found).encode())
    return found


def _compared(values: Sequence[float]) -> Compared:
    found = Compared(*map(float, values))
    if not (math.isfinite(found.low) and math.isfinite(found.high)):
        raise ValueError
    return found


def _mark(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def _computed(
    files: Sequence[Sequence[Path]],
    sides: Sequence[Sequence[Mapping[str, Any]]],
    wanted: Sequence[Wanted],
) -> dict[str, Compared]:
    first, second = map(len, files)
    try:
        named = [
            Named(f"{side} {place}", load_predictions(file))
            for side, several in zip(("reference", "row"), files, strict=True)
            for place, file in enumerate(several)
        ]
        plan, _ = planned(named[0].predictions)
        if plan is None:  # it would take long
            return {}
        together = Together(named, plan)
    except ZooError:  # other samples, as those of another fold: the runs alone tell
        return {}
    recipes = [Recipe("reference", {place: place for place in range(first)}),
               Recipe("row", {place: place + first for place in range(second)})]  # fmt: skip
    several = first + second > 2
    pair = AcrossSeeds(together, recipes).pairs()[0] if several else together.pairs()[0]
    found = {}
    for one in wanted:
        key = key_of(one.metric, together.task)
        if key is None or key not in pair.differences:
            continue
        said = pair.differences[key]
        theirs, ours = (_mean(side, one.key) for side in sides)
        # Masks are compared on each image's own grid where both have it: another figure.
        if said.interval.method is not None and abs(said.value - (ours - theirs)) < _NEAR:
            found[one.key] = Compared(said.interval.low, said.interval.high, said.p)
    return found


def _mean(side: Sequence[Mapping[str, Any]], key: str) -> float:
    return math.fsum(run["figures"].get(key, math.nan) for run in side) / len(side)


def key_of(metric: str, task: Task) -> Key | None:
    """How comparisons call a figure."""
    *parts, name = metric.removeprefix(_OWN).split("/")
    if not parts:
        return Key(OVERALL, name)
    if parts[0] in _BY_CLASS:
        label = "/".join(parts[1:])
        known = label in task.classes
        return Key(_BY_CLASS[parts[0]], name, task.classes.index(label)) if known else None
    return Key(parts[1] if parts[0] == "averages" else PER_IMAGE, name)
