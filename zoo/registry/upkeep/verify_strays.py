"""Look at what no version names: what a killed writer left, what others put there."""

from __future__ import annotations

from collections import Counter

from zoo.errors import ZooError
from zoo.registry import layout
from zoo.registry.tree import KeptTree
from zoo.registry.upkeep.findings import COLLECT, Report, several
from zoo.registry.upkeep.walking import Found, walk

_READABLE = 0o004


def look_for_strays(tree: KeptTree, report: Report) -> None:
    temporary: Counter[str] = Counter()
    hidden: list[tuple[str, int]] = []
    trashed = 0
    try:
        for one in walk(tree):
            if one.kind == "stray":
                _tell_stray(one, report)
            elif one.kind == "temporary":
                temporary[one.path.rpartition("/")[0]] += 1
            elif one.kind == "file":
                trashed += one.path.startswith(f"{layout.TRASH}/2")
                mode = one.entry.mode
                if mode is not None and not mode & _READABLE:
                    hidden.append((one.path, mode & 0o777))
    except ZooError as error:
        report.error(".", error)
    for folder, count in temporary.items():
        what = f"{several(count, 'unfinished file')} of writers that were killed, or are at work"
        report.notice(folder or ".", f"{what}; those that are old go with: {COLLECT}")
    if trashed:
        what = f"{several(trashed, 'file')} that no version named"
        report.notice(layout.TRASH, f"{what}; after the grace they go with: {COLLECT}")
    if hidden:
        path, mode = hidden[0]
        more = f"; nor {several(len(hidden) - 1, 'other file')}" if len(hidden) > 1 else ""
        what = f"others, such as a web server, may not read it (mode {mode:o}){more}"
        report.notice(path, f"{what}; type: chmod -R a+rX {tree.url}")


def _tell_stray(one: Found, report: Report) -> None:
    if one.path.startswith(f"{layout.MODELS}/") and one.path.count("/") == 1:
        return  # told among the models
    report.notice(one.path, "it is nothing of zoo's; move it elsewhere")
