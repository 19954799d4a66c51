"""All searches of a study at once, for who carries it out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.studies.carrying import Work
from zoo.studies.executing import Ended, Executor, Told
from zoo.studies.expanding import Table
from zoo.studies.searching import Search


class Searches:
    """All searches of a study; those that were not asked for do nothing."""

    def __init__(self, tables: Sequence[Table], out: Path) -> None:
        self._all = [Search(table, out) for table in tables if table.searched is not None]

    @property
    def trials(self) -> int:
        return sum(one.head.trials for one in self._all)

    @property
    def done(self) -> int:
        return sum(one.counted() for one in self._all)

    @property
    def open(self) -> bool:
        return any(not one.over for one in self._all)

    def tables(self) -> list[Table]:
        """Those that are over, with their rows."""
        return [one.table_of_best() for one in self._all if one.over]

    def begin(self, workers: int) -> list[Work]:
        return [work for one in self._all for work in one.begin(workers)]

    def name(self, key: str) -> str:
        return next((one.name(key) for one in self._all if key in one.running), key)

    def heard(self, message: Told, executor: Executor) -> None:
        if message.event.get("event") != "epoch_ended":
            return
        for one in self._all:
            if message.key in one.running:
                executor.answer(message.key, go_on=one.go_on(message.key, message.event))

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
