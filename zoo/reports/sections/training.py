"""How training went: loss and figures, train against val, and the learning rate."""

from __future__ import annotations

import numpy as np

from zoo.predictions.counts import headline
from zoo.reports import wording
from zoo.reports.blocks import Block, Chart, Charts, Facts, Missing, Section
from zoo.reports.figures.curves import draw_history, draw_rate
from zoo.reports.history import History
from zoo.reports.subject import RUN, Subject
from zoo.tasks import SEGMENTATION, Task

_POINTS = 2000  # epochs; of more, so many


def training(subject: Subject, history: History | None) -> Section:
    blocks = [Missing(*without(subject))] if not history else _blocks(subject.task, history)
    return Section("Training", "training", blocks)


def without(subject: Subject) -> tuple[str, str]:
    """Why there is no history, and the command that makes one."""
    if subject.kind == RUN:
        return "No epoch was completed, so there is nothing to draw.", ""
    if wording.table(subject.about, "ensemble"):
        return "An ensemble is not trained; a report of a member's run has its training:", (
            "zoo report RUN"
        )
    return "A published version keeps no log of its training; a report of its run has it:", (
        "zoo report RUN"
    )


def best_epoch(history: History) -> int | None:
    """The one whose weights were kept."""
    told = history.ended.get("best_epoch")
    if type(told) is int and told in history.epochs:
        return told
    return None


def _blocks(task: Task, history: History) -> list[Block]:
    kept = np.arange(0, len(history), -(-len(history) // _POINTS))
    best = best_epoch(history)
    if best is not None:
        kept = np.union1d(kept, np.flatnonzero(history.epochs == best))
    epochs = history.epochs[kept]
    nothing = np.full(len(history), np.nan)
    charts = []
    for name in _figures(task):
        train, val = history.train.get(name, nothing), history.val.get(name, nothing)
        if np.isfinite(train).any() or np.isfinite(val).any():
            label = wording.words(name)
            figure = draw_history(epochs, train[kept], val[kept], label=label, best=best)
            charts.append(Chart(f"training-{name.replace('_', '-')}", wording.head(label), figure))
    if np.isfinite(history.rate).any():
        figure = draw_rate(epochs, history.rate[kept])
        charts.append(Chart("learning-rate", "Learning rate", figure))
    facts = [
        ("ended by", wording.text(history.ended.get("reason"))),
        ("chosen by", wording.text(history.ended.get("monitor"))),
        ("updates", wording.count(history.ended["steps"]) if "steps" in history.ended else ""),
        ("continued", f"{wording.several(history.resumed, 'time')}" if history.resumed else ""),
    ]
    return [Charts(charts), Facts(facts)]


def _figures(task: Task) -> tuple[str, ...]:
    if task.kind == SEGMENTATION:
        return "loss", headline(task), "iou"
    return "loss", headline(task), "balanced_accuracy"
