"""All searches of a study at once, for who carries it out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.studies.carrying import Work
from zoo.studies.executing import Ended, Told
from zoo.studies.expanding import Table
from zoo.studies.searching import Search, begun


class Searches:
    """All searches of a study. Those whose tables are not ``chosen`` tell what they came to."""

    def __init__(self, tables: Sequence[Table], chosen: Sequence[str], out: Path) -> None:
        searched = [table for table in tables if table.searched is not None]
        self._chosen = [Search(table, out) for table in searched if table.name in chosen]
        others = [table for table in searched if table.name not in chosen]
        self._all = [*self._chosen, *(Search(table, out) for table in others if begun(table, out))]

    @property
    def trials(self) -> int:
        return sum(one.head.trials for one in self._chosen)

    @property
    def done(self) -> int:
        return sum(one.counted() for one in self._chosen)

    @property
    def open(self) -> bool:
        return any(not one.over for one in self._chosen)

    def tables(self) -> list[Table]:
        """Those whose trials are there, with their rows."""
        return [one.table_of_best() for one in self._all if one.has_rows]

    def begin(self, workers: int) -> list[Work]:
        return [work for one in self._chosen for work in one.begin(workers)]

    def name(self, key: str) -> str:
        return next((one.name(key) for one in self._all if key in one.running), key)

    def heard(self, message: Told) -> bool | None:
        """Whether a run is worth another epoch, by any of the searches that it is a trial of; None
        where nobody asks."""
        if message.event.get("event") != "epoch_ended":
            return None
        asked = [one for one in self._all if message.key in one.running]
        answers = [one.go_on(message.key, message.event) for one in asked]
        return any(answers) if answers else None

    def ended(self, message: Ended) -> list[Table]:
        """The tables of searches that this run ended."""
        found = []
        for one in self._all:
            if message.key in one.running:
                one.ended(message.key, message.outcome)
                if one.over:
                    found.append(one.table_of_best())
        return found

    def trials_of(self, name: str) -> list[dict[str, Any]] | None:
        """As results hold them; None of a table that is no search."""
        return next((one.listed() for one in self._all if one.table.name == name), None)
