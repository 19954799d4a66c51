"""What a figure of a study asks for, and how rows look in all figures: one row, one colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.errors import StorageError, clipped
from zoo.predictions.lettering import written
from zoo.reports.history import History, read_history
from zoo.reports.style import SERIES
from zoo.runs import folder as folders
from zoo.studies.metric_names import result_key

Row = Mapping[str, Any]
_NAMES = {
    "iou": "IoU", "dice": "Dice", "f1": "F1", "auroc": "AUROC", "mcc": "MCC", "hd95": "HD95",
    "ece": "ECE",
}  # fmt: skip
_LETTERS = 40  # of a row's name


@dataclass(frozen=True)
class Look:
    """How a row's line is drawn: colour, dashes, marker."""

    colour: str
    dashes: Any
    marker: str

    @classmethod
    def number(cls, place: int) -> Look:
        """Of the first, second, ... row: after all colours were there, with other dashes."""
        colour, dashes, marker = SERIES[place % len(SERIES)]
        if place >= len(SERIES):
            _, dashes, marker = SERIES[(place + place // len(SERIES)) % len(SERIES)]
        return cls(colour, dashes, marker)


@dataclass(frozen=True)
class Asked:
    """``figure``: one of ``figures`` of results; ``table``: the one it is of; ``out``: the study's
    folder."""

    figure: Mapping[str, Any]
    table: Mapping[str, Any]
    out: Path
    _histories: dict[str, History | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.figure["name"])

    @property
    def title(self) -> str:
        return str(self.figure.get("title") or self.name)

    @property
    def split(self) -> str:
        return str(self.figure.get("split") or self.table["split"])

    @property
    def metrics(self) -> list[str]:
        named = self.figure.get("metrics") or [self.figure.get("metric")]
        return [one for one in named if one]

    @property
    def factor(self) -> float:
        return 100.0 if self.figure.get("percent") else 1.0

    @property
    def panels(self) -> list[tuple[str, list[Row]]]:
        """(title, rows) of each; one without a title where the figure names none."""
        grouped = self.figure.get("panels") or ()
        if grouped:
            return [(one["title"], self._rows(one["rows"])) for one in grouped]
        return [("", self.rows)]

    @property
    def rows(self) -> list[Row]:
        """In the order of the figure, or of the table."""
        return self._rows(self.figure.get("rows") or [row["name"] for row in self.table["rows"]])

    def _rows(self, names: Sequence[str]) -> list[Row]:
        known = {row["name"]: row for row in self.table["rows"]}
        return [known[name] for name in names if name in known]

    def key(self, metric: str) -> str:
        return result_key(metric, self.split)

    def label(self, metric: str) -> str:
        """``val/accuracy`` as people say it: ``val accuracy (%)``."""
        parts = metric.replace("per_image/", "mean/").replace("_", " ").split("/")
        words = " ".join(_NAMES.get(part, part) for part in parts)
        in_percent = self.factor != 1 and parts[-1] != "loss"
        return written(f"{words} (%)" if in_percent else words)

    def key_label(self, key: str) -> str:
        """Of a key of the recipe, as the table calls it."""
        return written(str(self.table["labels"].get(key) or key))

    def history(self, run: Mapping[str, Any]) -> History | None:
        """Of a run of a row; None where there is no epoch of it."""
        place = run["folder"]
        if place is None:
            return None
        if place not in self._histories:
            try:
                found = read_history(self.out / place / folders.EVENTS)
            except StorageError:
                found = None
            self._histories[place] = found if found is not None and len(found) else None
        return self._histories[place]


def shown_name(row: Row) -> str:
    """A row's name, with letters that the font has."""
    return written(clipped(str(row["name"]), _LETTERS))


def repeats(rows: Sequence[Row]) -> int:
    """The most runs that a row has finished."""
    return max((len(measured(row)) for row in rows), default=0)


def measured(row: Row) -> list[Mapping[str, Any]]:
    """Runs of which there are figures."""
    return [run for run in row["runs"] if run["figures"]]


def left_out(rows: Sequence[Row]) -> str:
    """A sentence about rows that nothing can be drawn of; empty where there are none."""
    names = ", ".join(str(row["name"]) for row in rows)
    return f"Nothing to draw of: {names}." if rows else ""
