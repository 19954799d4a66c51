"""What has to be known of the numbers of a table, as sentences below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zoo.studies.carrying import DIVERGED, DONE, FAILED
from zoo.studies.metric_names import of_epoch, result_key
from zoo.studies.schema import Column
from zoo.studies.statistics import OF_RUN


def column_key(column: Column, table: Mapping[str, Any]) -> str:
    if column.metric is not None:
        return result_key(column.metric, column.split or table["split"], column.at)
    return f"{OF_RUN}{column.run}"


def remarks(row: Mapping[str, Any], firsts: Mapping[str, str]) -> Iterator[str]:
    """What has to be known of a row's numbers."""
    if row["footnote"]:
        yield row["footnote"]
    if row["name"] in firsts:
        yield f"The recipe, and so the runs, of {firsts[row['name']]}."
    if row.get("submission"):
        yield _answers(row["submission"])
    runs = row["runs"]
    for status in (FAILED, DIVERGED):
        ended = [run for run in runs if run["status"] == status]
        for why in dict.fromkeys(run["reason"] or "" for run in ended):
            same = [run for run in ended if (run["reason"] or "") == why]
            yield f"{_which(same, runs)}{status}: {why}"
    left = [run for run in runs if run["status"] not in (DONE, FAILED, DIVERGED)]
    if left:
        why = next((run["reason"] for run in left if run["reason"]), None)
        yield f"{len(left)} of {len(runs)} runs not done" + (f": {why}" if why else "")


def firsts_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """By the name of a row whose recipe is that of one above it, and so its runs, that one's."""
    seen: dict[tuple[str, ...], str] = {}
    found = {}
    for row in rows:
        keys = tuple(run["key"] for run in row["runs"])
        if keys and not row["ensemble"] and seen.setdefault(keys, row["name"]) != row["name"]:
            found[row["name"]] = seen[keys]
    return found


def _which(some: Sequence[Mapping[str, Any]], every: Sequence[Mapping[str, Any]]) -> str:
    """``seed 1 ``, where others of the row are otherwise."""
    if len(every) == 1:
        return ""
    if len(some) == len(every):
        return "all runs "
    seeds = [
        str(run["seed"]) + ("" if run["fold"] is None else f" fold {run['fold']}") for run in some
    ]
    return f"seed {', '.join(seeds)} "


def _answers(said: Mapping[str, Any]) -> str:
    if said["file"] is None:
        return f"no answers to images without labels: {said['reason'] or 'not written yet'}"
    left_out = f", {said['left_out']} more could not be read" if said["left_out"] else ""
    return f"its answers to {said['images']} images without labels: {said['file']}{left_out}"


def absent(table: Mapping[str, Any], columns: Sequence[Column]) -> Iterator[str]:
    """Figures that are asked for and that no run which is done has: another task's, or misspelt."""
    done = [row for row in table["rows"] if any(run["status"] == DONE for run in row["runs"])]
    for column in columns if done else ():
        key = column_key(column, table) if column.metric is not None else None
        known = (row["statistics"].get(key) or {"mean": None} for row in done)
        if key is None or any(one["mean"] is not None for one in known):
            continue
        if of_epoch(str(column.metric)):
            said = "of its epochs; its events.jsonl says which figures they have"
        else:
            said = f"of {column.split or table['split']}; zoo eval RUN says which figures it has"
        yield f"No run has {column.metric} {said}."


def of_search(trials: Sequence[Mapping[str, Any]] | None) -> str:
    """What became of its trials; nothing of a table that is no search."""
    if trials is None:
        return ""
    counts = Counter(one["status"] for one in trials)
    ended = ", ".join(f"{count} {status}" for status, count in counts.items()) or "none yet"
    why = next((one["reason"] for one in trials if one["reason"]), None)
    return f"Trials of the search: {ended}." + (f" One failed: {why}." if why else "")


def legend(table: Mapping[str, Any], columns: Sequence[Column]) -> tuple[str, str]:
    """What ``±`` is, and what brackets are; only of what there is."""
    found = [
        row["statistics"][column_key(column, table)]
        for row in table["rows"]
        for column in columns
        if column.metric is not None and column_key(column, table) in row["statistics"]
    ]
    counts = sorted({one["count"] for one in found if one["interval"] == "t"})
    spread, said = "", []
    if counts:
        runs = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        spread = f"Mean ± standard deviation over {runs} runs."
        said.append("of the mean over runs (Student's t)")
    if any(one["interval"] == "samples" for one in found):
        said.append("of one run, over samples")
    return spread, f"In brackets the 95 % interval {'; '.join(said)}." if said else ""
