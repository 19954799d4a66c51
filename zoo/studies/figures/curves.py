"""Figures over epochs: of several rows, and of training against validation.

Shapes: E epochs, R runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.reports.blocks import Chart
from zoo.reports.figures.curves import epoch_axis, value_axis
from zoo.reports.style import FAINT, WIDE, WIDTH, in_style, new_figure
from zoo.studies.figures.asked import Asked, Look, Row, left_out, shown_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PARTS = ("train", "val")
_PART_DASHES = {"train": (0, (4, 1.5)), "val": "-"}
_DASH = "_"  # a marker, of training
_MARKED = 15  # epochs up to which each has a marker
_HEIGHT, _LINE = 46.0, 4.2  # mm: of a panel, of a line of the legend
_BESIDE = 4  # panels
_SHORT = 18  # letters of a name, of which two have room side by side


@dataclass(frozen=True)
class Line:
    """One row's runs: ``epochs`` int (E,) and ``values`` float (E,) of each."""

    name: str
    look: Look
    runs: Sequence[tuple[np.ndarray, np.ndarray]]

    def mean(self) -> tuple[np.ndarray, np.ndarray]:
        """Over all runs, of those epochs that all of them have."""
        shared = self.runs[0][0]
        for epochs, _ in self.runs[1:]:
            shared = np.intersect1d(shared, epochs)
        rows = [values[np.isin(epochs, shared)] for epochs, values in self.runs]
        return shared, np.mean(rows, axis=0)


@dataclass(frozen=True)
class Panel:
    """``log``: whether the y axis may be logarithmic."""

    title: str
    label: str
    lines: Sequence[Line]
    log: bool


def curves(asked: Asked) -> Chart | None:
    """A panel for each metric, and each group of rows; a line for each row."""
    panels, missing = [], []
    for title, rows in asked.panels:
        for metric in asked.metrics:
            lines = [
                _line(asked, row, metric, Look.number(place)) for place, row in enumerate(rows)
            ]
            missing += [row for row, one in zip(rows, lines, strict=True) if one is None]
            kept = [one for one in lines if one is not None]
            panels.append(Panel(title, asked.label(metric), kept, _may_be_log(asked, metric)))
    return _chart(asked, panels, across=len(asked.metrics), missing=missing)


def train_val(asked: Asked) -> Chart | None:
    """A panel for each metric: training dashed, validation drawn through, in each row's colour."""
    panels, missing = [], []
    metrics = dict.fromkeys(one.partition("/")[2] or one for one in asked.metrics)
    for title, rows in asked.panels:
        for metric in metrics:
            kept = []
            for place, row in enumerate(rows):
                found = [
                    _line(asked, row, f"{part}/{metric}", _of_part(place, part)) for part in _PARTS
                ]
                some = [one for one in found if one is not None]
                missing += [] if some else [row]
                kept += some
            panels.append(Panel(title, asked.label(metric), kept, _may_be_log(asked, metric)))
    said = "Dashed: training; drawn through: validation."
    return _chart(asked, panels, across=len(metrics), missing=missing, said=said)


def _of_part(place: int, part: str) -> Look:
    look = Look.number(place)
    return Look(look.colour, _PART_DASHES[part], "" if part == "train" else look.marker)


def _line(asked: Asked, row: Row, metric: str, look: Look) -> Line | None:
    part, _, name = metric.partition("/")
    found = []
    for run in row["runs"]:
        history = asked.history(run)
        values = None if history is None else getattr(history, part, {}).get(name)
        if history is None or values is None or not np.isfinite(values).any():
            continue
        found.append((history.epochs, values * _factor(asked, name)))
    return Line(shown_name(row), look, found) if found else None


def _may_be_log(asked: Asked, metric: str) -> bool:
    """Shares, which end at 1, are hard to read so."""
    return metric.rpartition("/")[2] == "loss" or bool(asked.figure.get("log_y"))


def _factor(asked: Asked, name: str) -> float:
    return 1.0 if name == "loss" else asked.factor


def _chart(
    asked: Asked, panels: Sequence[Panel], *, across: int, missing: Sequence[Row], said: str = ""
) -> Chart | None:
    if not any(panel.lines for panel in panels):
        return None
    most = max(len(line.runs) for panel in panels for line in panel.lines)
    several = (
        f"Faint: each of up to {most} runs; strong: their mean, as long as all of them go on."
        if most > 1
        else ""
    )
    nothing = left_out(list({row["name"]: row for row in missing}.values()))
    caption = " ".join(filter(None, (said, several, nothing)))
    figure = draw_panels(panels, across=across)
    return Chart(asked.name, asked.title, figure, caption, wide=len(panels) > 1)


@in_style
def draw_panels(panels: Sequence[Panel], *, across: int) -> Figure:
    """``across``: how many stand side by side, at most :data:`_BESIDE`."""
    across = min(across if len(panels) > 1 else 1, _BESIDE, len(panels))
    if across == 1 and len(panels) > 1:
        across = min(len(panels), 3)
    down = -(-len(panels) // across)
    names = max(len(_entries(panel)) for panel in panels)
    single = len(panels) == 1
    short = all(len(line.name) <= _SHORT for panel in panels for line in panel.lines)
    beside = 2 if single and short else 1
    high = _HEIGHT + _LINE * -(-names // beside)
    figure = new_figure(high * down, WIDTH if single else WIDE)
    for place, panel in enumerate(panels):
        axes = figure.add_subplot(down, across, place + 1)
        _draw(axes, panel)
        if handles := _entries(panel):
            axes.legend(
                *zip(*((handle, name) for name, handle in handles.items()), strict=True),
                loc="lower left", bbox_to_anchor=(0, 1.0), ncols=beside,
                title=panel.title or None, alignment="left",
            )  # fmt: skip
    return figure


def _entries(panel: Panel) -> dict[str, Any]:
    from matplotlib.lines import Line2D

    found: dict[str, Any] = {}
    for line in panel.lines:  # of training and validation, the latter is the legend's
        look = line.look
        found[line.name] = Line2D(
            [], [], color=look.colour, linestyle=look.dashes, marker=look.marker or None
        )
    return found


def _draw(axes: Any, panel: Panel) -> None:
    runs = [run for line in panel.lines for run in line.runs]
    every = np.unique(np.concatenate([np.empty(0, np.int64), *(epochs for epochs, _ in runs)]))
    for line in panel.lines:
        look = line.look
        style = {"color": look.colour, "linestyle": look.dashes}
        marker = look.marker if look.marker and len(every) <= _MARKED else None
        if len(every) == 1:  # of which there is no line
            marker = look.marker or _DASH
        if len(line.runs) > 1:
            for epochs, values in line.runs:
                dot = "." if len(epochs) == 1 else None
                axes.plot(epochs, values, marker=dot, linewidth=0.6, alpha=0.4, **style)
        epochs, values = line.mean()
        axes.plot(epochs, values, marker=marker, **style)
    if len(every):
        epoch_axis(axes, every)
        value_axis(axes, np.concatenate([values for _, values in runs]), log=panel.log)
    else:
        axes.text(0.5, 0.5, "no runs", color=FAINT, ha="center", transform=axes.transAxes)
    axes.set_ylabel(panel.label)
