"""Each run once at a time: rows, and trials of searches, may have the same one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo.studies.carrying import Work
from zoo.studies.executing import BEGUN, Executor, Message, Told


class Queue:
    """``open``: what is submitted and has not ended, by key; ``begun``: what somebody took up."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.open: dict[str, Work] = {}
        self.begun: set[str] = set()
        self._after: dict[str, Work] = {}

    def submit(self, works: Iterable[Work]) -> None:
        """What is under way already is measured when that has ended."""
        for work in works:
            if work.key not in self.open:
                self._submit(work)
            elif work.splits:
                before = self._after.get(work.key, work).splits
                splits = tuple(dict.fromkeys((*before, *work.splits)))
                self._after[work.key] = replace(work, splits=splits)

    def submit_trials(self, works: Iterable[Work]) -> None:
        """Of one that is under way already the search hears all the same."""
        for work in works:
            if work.key not in self.open:
                self._submit(work)

    def heard(self, message: Message) -> None:
        """Every message has to be told."""
        if isinstance(message, Told):
            if message.event.get("event") == BEGUN:
                self.begun.add(message.key)
            return
        del self.open[message.key]

    def go_on(self, key: str, answer: bool) -> None:
        """To a run that asks; others, which a search merely listens to, go on anyway."""
        if self.open[key].asks:
            self.executor.answer(key, go_on=answer)

    def waited_for(self, key: str) -> list[Work]:
        """What had to wait for the end of this run."""
        work = self._after.pop(key, None)
        return [] if work is None else [work]

    def _submit(self, work: Work) -> None:
        self.executor.submit(work)
        self.open[work.key] = work
