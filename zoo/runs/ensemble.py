"""Several members as one: chosen on val, measured once on the split that is reported.

ensemble.json                 what it is: members by digest, method, weights
combination.safetensors       what a regression learnt, where there is one
predictions/<split>.npz       what it says, as any model's
report.json                   figures, gain over the best member, diversity
views/                        what members say of several views of each image (--tta)
folds/                        what members that are all folds of a recipe say, out of fold on val
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zoo.data.splits import TEST, VAL
from zoo.errors import RunError
from zoo.predictions import metrics
from zoo.predictions.combining import methods, results
from zoo.predictions.combining.methods import Method, check_method
from zoo.predictions.combining.panels import Panel, panel_of
from zoo.predictions.combining.rules import PROBABILITIES, Rule
from zoo.predictions.combining.scoring import Score
from zoo.predictions.counts import headline
from zoo.predictions.file import Predictions
from zoo.predictions.intervals import Plan
from zoo.predictions.same_samples import Named
from zoo.predictions.views import check_views
from zoo.registry.ensemble import RULE
from zoo.runs.ensemble_folds import as_members, by_recipe, check_no_views, parts_of
from zoo.runs.ensemble_members import Asking, Member, gather
from zoo.runs.ensemble_overlap import Overlap, check_unseen
from zoo.storage import commit, tensors
from zoo.tasks import Task

ENSEMBLES = Path("ensembles")
DEFINITION, REPORT, PREDICTIONS = "ensemble.json", "report.json", "predictions"


@dataclass(frozen=True)
class Wanted:
    """``method``: one of ``methods.METHODS``; ``average``: of what, where one is taken
    (``rules.AVERAGES``); ``metric``: by which members are chosen and compared, None for the task's
    headline; ``split``: which is reported, ``val`` to look at no test label; ``tta``: views of each
    image (``zoo.predictions.views``), None for the image as it is; ``allow_overlap``: take members
    that were trained on samples of ``val`` or ``split``; ``plan``: of the intervals."""

    method: str
    average: str
    metric: str | None
    split: str
    tta: str | None
    allow_overlap: bool
    plan: Plan

    def check(self) -> None:
        check_method(self.method, self.average)
        if self.tta is not None:
            check_views(self.tta)


@dataclass(frozen=True)
class Ensembled:
    """``members``: those that count, by their numbers among all that were given, from 1, with
    ``rule`` for them alone; ``report``: as the file of that name holds it."""

    folder: Path
    task: Task
    wanted: Wanted
    members: Mapping[int, Member]
    rule: Rule
    report: Mapping[str, Any]


def ensemble(
    references: Sequence[str | Path],
    *,
    method: str = methods.MEAN,
    average: str = PROBABILITIES,
    metric: str | None = None,
    split: str = TEST,
    tta: str | None = None,
    allow_overlap: bool = False,
    plan: Plan | None = None,
    output: str | Path | None = None,
    dataset: str | None = None,
    root: str | None = None,
    registry: str | None = None,
    device: str | None = None,
) -> Ensembled:
    """Combine runs, published versions (by their references) or predictions files: choose on val,
    report on ``split``. ``method`` to ``plan``: see :class:`Wanted`; ``output``: a folder that does
    not exist (default: the next free one in ``ensembles/``); the others: see :func:`zoo.evaluate`.

    Raises, and leaves no folder, when members are not of the same samples and classes, or were
    trained on samples of either split."""
    wanted = Wanted(method, average, metric, split, tta, allow_overlap, plan or Plan())
    wanted.check()
    members = by_recipe(gather([str(one) for one in references], registry))
    check_no_views(members, wanted.tta)
    if len(members) < 2 and wanted.tta is None:
        raise RunError(
            f"an ensemble of {members[0].name!r} alone: give two members or more, or --tta"
        )
    folder = _free_folder(output, wanted.method)
    asking = Asking(folder, dataset, root, registry, device, wanted.tta)
    commit.make_folder(folder)
    try:
        return _made(members, wanted, asking)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _made(members: Sequence[Member], wanted: Wanted, asking: Asking) -> Ensembled:
    splits, parts = dict.fromkeys((VAL, wanted.split)), parts_of(members)
    heard = {split: [one.says(split, asking) for one in parts] for split in splits}
    overlaps = check_unseen(parts, heard, asking.root, allow=wanted.allow_overlap)
    plain = as_members(members, heard)
    _keep_folds(members, plain, asking.folder)
    asked = plain
    if wanted.tta is not None:
        asked = {split: [one.says_of_views(split, asking) for one in members] for split in splits}
    panel = panel_of(plain, asked)
    method = Method(wanted.method, _score(panel, wanted), wanted.average)
    rule = panel.choose(method)
    definition, arrays = _definition(members, wanted, rule, panel, overlaps)
    digest = hashlib.sha256(definition).hexdigest()
    report = _report(members, wanted, asking.folder, panel, method, rule, digest, plain)
    report["overlaps"] = [one.as_json() for one in overlaps]
    if arrays:
        commit.write(asking.folder / RULE, arrays)
    _write_json(asking.folder / REPORT, report)
    commit.write(asking.folder / DEFINITION, definition)
    kept, own = methods.trimmed(rule)
    counting = {place + 1: members[place] for place in kept}
    return Ensembled(asking.folder, panel.task, wanted, counting, own, report)


def folds_folder(folder: Path, number: int) -> Path:
    """Of the member of that number, from 1, that is all folds of a recipe: what it says is kept
    there as an ensemble's is."""
    return folder / "folds" / str(number)


def _keep_folds(
    members: Sequence[Member], plain: Mapping[str, Sequence[Named]], folder: Path
) -> None:
    for split, several in plain.items():
        for number, (member, said) in enumerate(zip(members, several, strict=True), 1):
            if member.folds and isinstance(said.predictions, Predictions):
                path = folds_folder(folder, number) / PREDICTIONS
                commit.make_folder(path)
                said.predictions.save(path / f"{split}.npz")


def _named(member: Member) -> dict[str, Any]:
    folds = [_named(one) for one in member.folds]
    return {"name": member.name, "sha256": member.digest, **({"folds": folds} if folds else {})}


def _score(panel: Panel, wanted: Wanted) -> Score:
    return Score(panel.task, wanted.metric or headline(panel.task))


def _definition(
    members: Sequence[Member],
    wanted: Wanted,
    rule: Rule,
    panel: Panel,
    overlaps: Sequence[Overlap],
) -> tuple[bytes, bytes]:
    """(``ensemble.json``, the file of the rule's arrays or nothing)."""
    options, held = methods.written(wanted.method, rule)
    arrays = {name: torch.from_numpy(one) for name, one in held.items()}
    packed = tensors.to_bytes(arrays) if arrays else b""
    chosen = panel.heading(VAL)
    plain = {
        "format": 1,
        "method": wanted.method,
        "options": options,
        "tta": wanted.tta,
        "metric": _score(panel, wanted).name,
        "arrays_sha256": hashlib.sha256(packed).hexdigest() if packed else None,
        "task": panel.task.as_json(),
        "chosen_on": {"dataset": chosen.dataset, "split": VAL, "fingerprint": chosen.fingerprint},
        "members": [_named(one) for one in members],
        "overlaps": [one.as_json() for one in overlaps],
    }
    return _json(plain), packed


def _report(
    members: Sequence[Member],
    wanted: Wanted,
    folder: Path,
    panel: Panel,
    method: Method,
    rule: Rule,
    digest: str,
    plain: Mapping[str, Sequence[Named]],
) -> dict[str, Any]:
    score, name = method.score, folder.name
    place = panel.best(score)
    commit.make_folder(folder / PREDICTIONS)
    said = {}
    for split, several in plain.items():
        trained = results.common_training([one.predictions for one in several])
        source = {"source": name, "source_digest": digest, "trained_on": trained}
        path = folder / PREDICTIONS / f"{split}.npz"
        said[split] = panel.write(split, method, rule, path, source)
    reported = said[wanted.split]
    if reported is None:
        raise RunError(
            f"method {method.name!r} learns on the masks of {VAL!r}, so it cannot be reported "
            f"there; choose another --split, or 'mean' or 'vote'"
        )
    on_val = said[VAL]
    own = None if on_val is None else results.headline(on_val, score.name)
    best = Named(members[place].name, plain[wanted.split][place].predictions)
    return {
        "name": name,
        "method": method.name,
        "average": method.average,
        "metric": score.name,
        "tta": wanted.tta,
        "dataset": reported.dataset,
        "split": wanted.split,
        "samples": len(reported),
        "chosen_on": {
            "split": VAL,
            "samples": len(plain[VAL][0].predictions),
            "out_of_fold": method.name in methods.FITTED,
        },
        "members": _rows(members, wanted, panel, score, rule),
        "best_member": members[place].name,
        "ensemble": {VAL: own, wanted.split: results.headline(reported, score.name)},
        "gain": results.gain(best, Named(name, reported), wanted.plan),
        "diversity": panel.diversity(wanted.split),
        "figures": metrics.evaluate(reported),
    }


def _rows(
    members: Sequence[Member], wanted: Wanted, panel: Panel, score: Score, rule: Rule
) -> list[dict[str, Any]]:
    splits = dict.fromkeys((VAL, wanted.split))
    figures = {split: panel.values(split, score, plain=True) for split in splits}
    views = {}
    if wanted.tta is not None:
        views = {split: panel.values(split, score, plain=False) for split in splits}
    weights = None if wanted.method == methods.STACK else np.asarray(rule.weights)
    return [
        {
            **_named(one),
            "weight": None if weights is None else float(weights[place]),
            **{split: values[place] for split, values in figures.items()},
            **({"views": {split: v[place] for split, v in views.items()}} if views else {}),
        }
        for place, one in enumerate(members)
    ]


def _free_folder(output: str | Path | None, method: str) -> Path:
    if output is not None:
        path = Path(output)
        if path.exists() or path.is_symlink():
            raise RunError(f"output {str(path)!r} exists already; name a folder that does not")
        return path
    names = (ENSEMBLES / f"{method}-{number}" for number in itertools.count(1))
    return next(path for path in names if not path.exists())


def _json(plain: Mapping[str, Any]) -> bytes:
    return (json.dumps(plain, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _write_json(path: Path, plain: Mapping[str, Any]) -> None:
    commit.write(path, _json(plain))
