"""How fast training was, and how much memory it took, over time."""

from __future__ import annotations

import numpy as np

from zoo.reports import wording
from zoo.reports.blocks import Block, Chart, Charts, Facts, Missing, Section
from zoo.reports.figures.curves import draw_memory, draw_speed
from zoo.reports.history import History
from zoo.reports.sections.training import without
from zoo.reports.subject import Subject

_TITLE = "Speed and memory"


def resources(subject: Subject, history: History | None) -> Section:
    if not history:
        return Section(_TITLE, "resources", [Missing(*without(subject))])
    charts, blocks = [], list[Block]()
    minutes, speeds = history.minutes, history.speeds
    if len(minutes) < 2:  # too short for a sign of life
        minutes, speeds = np.cumsum(np.nan_to_num(history.seconds)) / 60, history.speed
    if np.isfinite(speeds).any():
        charts.append(Chart("speed", "Speed of training", draw_speed(minutes, speeds)))
    if np.isfinite(history.memory).any():
        figure = draw_memory(history.epochs, history.memory)
        charts.append(Chart("memory", "Memory", figure, _whose(subject)))
    blocks.append(Charts(charts))
    if not np.isfinite(history.memory).any():
        blocks.append(
            Missing(
                "The log says nothing of memory, for an earlier zoo wrote it; train again:",
                f"zoo train {subject.argument}/recipe.toml",
            )
        )
    blocks.append(Facts(_facts(history)))
    return Section(_TITLE, "resources", blocks)


def _whose(subject: Subject) -> str:
    if wording.text(subject.environment.get("device")).startswith("cuda"):
        return "The most that tensors had at once in an epoch, on the device."
    return "The most that the whole process ever had until then."


def _facts(history: History) -> list[tuple[str, str]]:
    known = history.speed[np.isfinite(history.speed)]
    took = history.seconds[np.isfinite(history.seconds)]
    return [
        ("median speed", _speed(float(np.median(known))) if len(known) else ""),
        ("median epoch", wording.duration(float(np.median(took))) if len(took) else ""),
        ("in all", wording.duration(history.ended.get("seconds"))),
        ("updates in an epoch", wording.count(history.began["steps_per_epoch"])
         if "steps_per_epoch" in history.began else ""),
        ("device", wording.text(history.began.get("device"))),
    ]  # fmt: skip


def _speed(samples: float) -> str:
    """In a second; below 10 a whole number would be far off."""
    return f"{samples:,.{0 if samples >= 10 else 1}f} samples a second"
