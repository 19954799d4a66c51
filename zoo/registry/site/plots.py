"""Where the lines and cells of a page's pictures are: numbers for the templates, which draw them
as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.errors import printable
from zoo.registry.site.inventory import FIGURES, Version
from zoo.tasks import MULTILABEL

CLASSES = 100  # of a confusion matrix that is drawn
NUMBERED = 20  # and of one whose cells still can hold numbers
FEW = 5  # classes, whose picture is smaller and has larger letters
CHARTS = 6
# Pixels of a chart, and of the frame inside it.
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 320, 150, 50, 12, 10, 24
_SIDE = 560  # of all cells together
_LETTERS = 18  # of a class's name
_LARGEST = 1e100  # of a figure: differences of larger ones are no numbers
_DEEPEST = 0.7  # of a cell's colour: text on it stays readable


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    version: Version
    value: float


@dataclass(frozen=True)
class Chart:
    """One figure over the versions. ``ticks``: (y, value)."""

    figure: str
    points: Sequence[Point]
    line: str
    ticks: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Cell:
    """``share``: of the row's sum, 0 to 1."""

    x: float
    y: float
    count: int
    share: float
    truth: str
    decided: str

    @property
    def depth(self) -> float:
        return round(self.share * _DEEPEST, 3)


@dataclass(frozen=True)
class Name:
    """Of a class, whole and shortened. ``x``, ``y``: the middle of its column and of its row."""

    whole: str
    short: str
    x: float
    y: float


@dataclass(frozen=True)
class Confusion:
    """``side``: of a cell; ``left``, ``top``: where cells begin; ``letters``: the height of a text;
    all in the units of ``width`` and ``height``, the picture's."""

    split: str
    cells: Sequence[Cell]
    names: Sequence[Name]
    side: float
    left: float
    top: float
    width: float
    height: float
    letters: int
    few: bool
    numbered: bool


def charts(versions: Sequence[Version], split: str) -> list[Chart]:
    """A chart for each figure that at least two of ``versions`` (newest first) have on
    ``split``."""
    measured = [one for one in reversed(versions) if one.split == split]
    present = {name for one in measured for name in one.figures}
    order = [*(f for f in FIGURES if f in present), *sorted(present - set(FIGURES))]
    found = []
    for figure in order:
        having = [one for one in measured if abs(one.figures.get(figure, math.inf)) <= _LARGEST]
        if len(having) >= 2:
            found.append(_chart(figure, having))
    return found[:CHARTS]


def _chart(figure: str, versions: Sequence[Version]) -> Chart:
    values = [one.figures[figure] for one in versions]
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or max(abs(high) * 0.05, 1e-3)
    low, high = low - room, high + room
    first, last = versions[0].number, versions[-1].number

    def at_x(number: int) -> float:
        return round(LEFT + (number - first) / (last - first) * (WIDTH - LEFT - RIGHT), 1)

    def at_y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    points = [
        Point(at_x(one.number), at_y(value), one, value)
        for one, value in zip(versions, values, strict=True)
    ]
    ticks = [(at_y(value), value) for value in (min(values), max(values))]
    return Chart(
        figure,
        points,
        " ".join(f"{point.x},{point.y}" for point in points),
        ticks[:1] if ticks[0] == ticks[1] else ticks,
    )


def confusion(
    metrics: Mapping[str, Any], split: str, classes: Sequence[str], kind: str
) -> Confusion | None:
    """The matrix of ``metrics``, a row a true class; None where there is none that can be drawn."""
    table = metrics.get("confusion")
    count = len(classes)
    if kind == MULTILABEL or count > CLASSES or not _is_square(table, count):
        return None
    rows: list[list[int]] = table  # type: ignore[assignment]
    few, numbered = count <= FEW, count <= NUMBERED
    side, letters = round(_SIDE / count, 3), 20 if few else 15
    shorts = [_short(name) for name in classes]
    # The width of the longest name, which stands on the left, and slanting above its column.
    length = max(map(len, shorts)) * letters * 0.6 + 12 if numbered else 1
    left, top = round(length), round(length * 0.77 + 12) if numbered else 1
    cells = [
        Cell(
            round(left + column * side, 2),
            round(top + row * side, 2),
            value,
            value / (sum(values) or 1),
            classes[row],
            classes[column],
        )
        for row, values in enumerate(rows)
        for column, value in enumerate(values)
    ]
    names = [
        Name(name, short, round(left + (i + 0.5) * side, 2), round(top + (i + 0.5) * side, 2))
        for i, (name, short) in enumerate(zip(classes, shorts, strict=True))
    ]
    width = left + _SIDE + max(1, round(length * 0.64 - side / 2))
    height = top + _SIDE + 1
    return Confusion(split, cells, names, side, left, top, width, height, letters, few, numbered)


def _is_square(table: object, count: int) -> bool:
    return (
        isinstance(table, list)
        and len(table) == count
        and all(isinstance(row, list) and len(row) == count for row in table)
        and all(type(cell) is int and cell >= 0 for row in table for cell in row)
    )


def _short(name: str) -> str:
    name = printable(name)
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
