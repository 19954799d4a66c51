"""Several runs' or versions' weights averaged: chosen on val, measured once, kept as a run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zoo.data.device import choose_device, images_at_once
from zoo.data.loader import Loader
from zoo.data.splits import TEST, TRAIN, VAL
from zoo.data.tiers import Held, Keeping
from zoo.errors import PredictionsError, clipped, nearest
from zoo.plugins.catalog import catalog
from zoo.predictions import counts
from zoo.predictions.combining import questions, results
from zoo.predictions.combining.panels import panel_of
from zoo.predictions.combining.scoring import LOWER, Score
from zoo.predictions.file import load_predictions
from zoo.predictions.intervals import Plan
from zoo.predictions.same_samples import Named
from zoo.runs import opening
from zoo.runs.ensemble_members import Asking, Member, gather
from zoo.runs.ensemble_overlap import check_unseen
from zoo.runs.environment import cores
from zoo.runs.evaluate import evaluate
from zoo.runs.folder import RunFolder
from zoo.runs.soup_folder import alike, fresh_folder, write_run
from zoo.runs.split_answers import answers
from zoo.runs.subjects import Subject
from zoo.tasks import SEGMENTATION
from zoo.training.soup import averaged, largest_distance, reestimate

UNIFORM, GREEDY = "uniform", "greedy"
KINDS = (UNIFORM, GREEDY)
_BATCH = 64  # of the images from which batch norm's statistics are measured


@dataclass(frozen=True)
class Soup:
    """``run``: that holds the averaged weights; ``report``: what was chosen, and the gain."""

    run: RunFolder
    report: Mapping[str, Any]


def soup(
    references: Sequence[str | Path],
    *,
    kind: str = GREEDY,
    metric: str | None = None,
    split: str = TEST,
    allow_overlap: bool = False,
    plan: Plan | None = None,
    output: str | Path | None = None,
    root: str | None = None,
    registry: str | None = None,
    device: str | None = None,
) -> Soup:
    """Average the weights of runs or versions (by their references) of one architecture and the
    same classes. ``kind``: ``uniform`` averages all; ``greedy`` those that do not make val worse,
    tried from the best on. ``output``: the new run's folder (default: the next free one in
    ``runs/``). The others: as of :func:`zoo.runs.ensemble.ensemble`.

    Raises before anything is written when they are not of one form."""
    if kind not in KINDS:
        raise PredictionsError(
            f"soup {clipped(kind)!r}{nearest(kind, KINDS)}: expected one of {', '.join(KINDS)}"
        )
    members = gather([str(one) for one in references], registry)
    ingredients = alike(members)
    folder = fresh_folder(output, ingredients)
    asking = Asking(folder, None, root, registry, device)
    splits = dict.fromkeys((VAL, split))
    plain = {one: [member.says(one, asking) for member in members] for one in splits}
    overlaps = check_unseen(members, plain, root, allow=allow_overlap)
    panel = panel_of(plain, plain)
    score = Score(panel.task, metric or counts.headline(panel.task))
    kitchen = _Kitchen(ingredients.subjects, score, root, device)
    best = panel.best(score)
    order = _best_first(panel.values(VAL, score, plain=True), score, best)
    chosen = _greedy(kitchen, order) if kind == GREEDY else order
    weights = kitchen.average(sorted(chosen))
    states = [kitchen.states[one] for one in sorted(chosen)]
    made = {
        "method": "soup",
        "kind": kind,
        "metric": score.name,
        "members": [
            {"name": one.name, "sha256": one.digest, "averaged": place in chosen}
            for place, one in enumerate(members)
        ],
        "farthest": largest_distance(states, weights),
        "overlaps": [one.as_json() for one in overlaps],
    }
    run = write_run(folder, ingredients, sorted(chosen), weights, made)
    try:
        asked = _Asked(split, score, plan or Plan(), asking)
        report = _report(run, members, best, plain, made, asked)
        return Soup(run, report)
    except BaseException:
        shutil.rmtree(run.path, ignore_errors=True)
        raise


@dataclass(frozen=True)
class _Asked:
    """How the soup is measured."""

    split: str
    score: Score
    plan: Plan
    asking: Asking


def _report(
    run: RunFolder,
    members: Sequence[Member],
    best: int,
    plain: Mapping[str, Sequence[Named]],
    made: Mapping[str, Any],
    asked: _Asked,
) -> dict[str, Any]:
    name, figures, said = asked.score.name, {}, None
    for split in plain:
        where = asked.asking
        done = evaluate(run.path, split=split, root=where.root, device=where.device)
        said = load_predictions(done.path)
        figures[split] = results.headline(said, name)
    assert said is not None  # of the last split, which is reported
    other = Named(members[best].name, plain[asked.split][best].predictions)
    rows = []
    for place, row in enumerate(made["members"]):
        own = {
            split: results.headline(several[place].predictions, name)
            for split, several in plain.items()
        }
        rows.append({**row, **own})
    report = {
        **made,
        "name": run.path.name,
        "dataset": said.dataset,
        "split": asked.split,
        "samples": len(said),
        "chosen_on": {"split": VAL, "samples": len(plain[VAL][0].predictions)},
        "best_member": members[best].name,
        "members": rows,
        "ensemble": figures,
        "gain": results.gain(other, Named(run.path.name, said), asked.plan),
    }
    run.update(soup=report)
    return report


class _Kitchen:
    """Tries averages of the members' weights on val. Batch norm is measured on train each time."""

    def __init__(
        self, subjects: Sequence[Subject], score: Score, root: str | None, device: str | None
    ) -> None:
        first = subjects[0]
        source = first.trained_on
        assert source is not None
        self._subject, self._score = first, score
        self._device = choose_device(device or "auto")
        self.states = [
            {name: one.detach().cpu().clone() for name, one in each.network.state_dict().items()}
            for each in subjects
        ]
        opened = opening.open_dataset(
            catalog(), source.name, source.options, root or source.root, source.plan
        )
        keeping = Keeping(source.on_error, cores())
        form = first.preprocessing.form
        self._val = self._loader(opened.hold(VAL, form, keeping), None)
        train = opened.hold(TRAIN, form, keeping)

        def shuffled(generator: torch.Generator) -> Tensor:
            return torch.randperm(len(train), generator=generator)

        self._train = self._loader(train, shuffled)

    def average(self, places: Sequence[int]) -> dict[str, Tensor]:
        """The mean of these members' weights, batch norm measured anew; of a single one its own."""
        state = averaged([self.states[one] for one in places])
        if len(places) > 1:
            network = self._subject.network.to(self._device)
            network.load_state_dict(state)
            reestimate(network, self._train, self._device)
            held = network.state_dict()
            state = {name: one.detach().cpu().clone() for name, one in held.items()}
        return state

    def goodness(self, places: Sequence[int]) -> float:
        """Of the average on val, by the score, the greater the better."""
        network = self._subject.network.to(self._device)
        network.load_state_dict(self.average(places))
        task = self._score.task
        said = answers(network, self._val)
        if task.kind == SEGMENTATION:
            table = np.zeros((len(task.classes),) * 2, np.int64)
            for logits, masks in said:
                assert masks is not None
                decisions = task.decisions(logits).cpu().numpy()
                table += counts.count(task, masks.cpu().numpy(), decisions)
            value = float(counts.overall(task, table)[self._score.name])
            return -np.inf if np.isnan(value) else value
        parts = [(one.cpu().numpy(), labels) for one, labels in said]
        truth = np.concatenate([labels.cpu().numpy() for _, labels in parts if labels is not None])
        whole = np.concatenate([one for one, _ in parts]).astype(np.float64)
        return self._score.goodness(questions.of_logits(task, whole), questions.truth(truth))

    def _loader(self, held: Held, sampler: Callable[[torch.Generator], Tensor] | None) -> Loader:
        subject = self._subject
        batch = _BATCH
        if sampler is None:
            batch = images_at_once(self._device, subject.task, subject.preprocessing.size)
        return Loader(held, subject.preprocessing, subject.task, batch, self._device, sampler)


def _best_first(values: Sequence[float | None], score: Score, best: int) -> list[int]:
    """``best``, which may be the best of several equals, then the others."""
    sign = 1.0 if score.name in LOWER else -1.0

    def place(one: int) -> float:
        value = values[one]
        return np.inf if value is None else sign * value

    return [best, *sorted((one for one in range(len(values)) if one != best), key=place)]


def _greedy(kitchen: _Kitchen, order: Sequence[int]) -> list[int]:
    chosen = [order[0]]
    best = kitchen.goodness(chosen)
    for place in order[1:]:
        reached = kitchen.goodness([*chosen, place])
        if reached >= best:
            chosen, best = [*chosen, place], reached
    return chosen
