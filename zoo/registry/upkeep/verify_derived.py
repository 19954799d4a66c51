"""Compare what is derived with what it is derived from: heads, index pages, the catalog.

What lags behind is a notice: a publisher was killed, or is at work. What contradicts is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from zoo.errors import ZooError
from zoo.registry import derived, layout
from zoo.registry.derived import RESTORE, Head, Page
from zoo.registry.state import State
from zoo.registry.tree import Tree
from zoo.registry.upkeep.findings import REPAIR, Report


@dataclass
class Verified:
    """What was found of one model. ``newest``, ``serial``: the greatest numbers of a version and a
    state; ``records``: (sha256, when made) by number, of those that are valid; ``files``: (whose
    record, path, sha256, size); ``members``: (whose record, model, version, digest)."""

    name: str
    newest: int = 0
    serial: int = 0
    state: State | None = None
    records: dict[int, tuple[str, str]] = field(default_factory=dict)
    files: list[tuple[str, str, str, int]] = field(default_factory=list)
    members: list[tuple[str, str, int, str]] = field(default_factory=list)

    @property
    def latest(self) -> int | None:
        yanked = self.state.yanked if self.state else {}
        return next((n for n in range(self.newest, 0, -1) if str(n) not in yanked), None)


@dataclass
class Said:
    """What heads and pages said before records were looked at. ``pages``: by their first version;
    ``damaged``: the paths of those that say nothing."""

    head: Head | None = None
    pages: dict[int, Page] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)

    @property
    def newest(self) -> int:
        """The last version that both speak of."""
        rows = max((page.rows[-1].v for page in self.pages.values()), default=0)
        return min(self.head.newest, rows) if self.head else 0


def read(tree: Tree, folder: str, report: Report) -> Said:
    said = Said()
    try:
        said.head = derived.read_head(tree, folder)
    except ZooError as error:
        said.damaged.add(layout.head(folder))
        report.error(layout.head(folder), error)
    for first in _firsts(tree, folder, said.head):
        path = layout.page(folder, first)
        try:
            page = derived.read_page(tree, folder, first)
        except ZooError as error:
            said.damaged.add(path)
            report.error(path, error)
            continue
        if page is not None:
            said.pages[first] = page
        elif not tree.listed:  # no more is asked for: a head may say anything
            break
    return said


def _firsts(tree: Tree, folder: str, head: Head | None) -> Sequence[int]:
    if not tree.listed:
        return range(1, head.newest + 1 if head else 1, layout.PAGE_ROWS)
    listed = tree.names(f"{layout.model(folder)}/index")
    return sorted(int(name[:-5]) * layout.PAGE_ROWS + 1 for name in listed if is_page(name))


def is_page(name: str) -> bool:
    return name == "0.json" or layout.NUMBERED.fullmatch(name) is not None


def compare(found: Verified, folder: str, said: Said, report: Report) -> None:
    if layout.head(folder) not in said.damaged:
        _compare_head(found, layout.head(folder), said.head, report)
    firsts = {(n - 1) // layout.PAGE_ROWS * layout.PAGE_ROWS + 1 for n in found.records}
    for first in sorted(firsts | {one for one in said.pages if one <= found.newest}):
        if layout.page(folder, first) not in said.damaged:
            _compare_page(found, folder, first, said.pages.get(first), report)
    for first in said.pages:
        if first > found.newest:
            what = f"there are no such versions; {RESTORE}; if nothing is lost, type: {REPAIR}"
            report.error(layout.page(folder, first), what)


def _compare_head(found: Verified, path: str, head: Head | None, report: Report) -> None:
    if head is None:
        report.notice(path, f"it is missing; type: {REPAIR}")
    elif head.newest > found.newest or head.state > found.serial:
        report.error(
            path,
            f"it says version {head.newest} and state {head.state}, but the last ones there are "
            f"{found.newest} and {found.serial}; {RESTORE}; if nothing is lost, type: {REPAIR}",
        )
    elif head.newest < found.newest or head.state < found.serial:
        report.notice(
            path,
            f"it lags behind: version {head.newest} of {found.newest}, state {head.state} of "
            f"{found.serial}; type: {REPAIR}",
        )
    elif (head.model, head.latest) != (found.name, found.latest):
        report.error(
            path,
            f"it says {head.model!r} and version {head.latest} as the latest; it is "
            f"{found.name!r} and {found.latest}; type: {REPAIR}",
        )


def _compare_page(
    found: Verified, folder: str, first: int, page: Page | None, report: Report
) -> None:
    path, last = layout.page(folder, first), min(first + layout.PAGE_ROWS - 1, found.newest)
    rows = {row.v: (row.sha256, row.created) for row in page.rows} if page else {}
    # A record that is damaged itself is told elsewhere.
    wrong = [n for n, row in rows.items() if n > last or found.records.get(n, row) != row]
    if wrong:
        what = f"version {wrong[0]} is not as it says; {RESTORE}; if nothing is lost, type"
        report.error(path, f"{what}: {REPAIR}")
    elif len(rows) < last - first + 1:
        what = f"it lags behind: {len(rows)} of {last - first + 1} versions; type: {REPAIR}"
        report.notice(path, what)
