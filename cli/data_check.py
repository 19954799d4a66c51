"""``zoo data check``: what would make training on a dataset wrong, and what to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from .bars import counting
from .tables import show_fields, show_json, show_table

_EXAMPLES = 3
_ROWS = 20  # classes a terminal holds


def run(
    name: str,
    root: str | None,
    positive: str | None,
    sets: Sequence[str],
    json: bool,
    html: str | None,
    verify: bool,
) -> None:
    """Ends with exit code 1 when an error was found."""
    from zoo.runs.auditing import audit_dataset

    with counting() as progress:
        audited = audit_dataset(
            name, root=root, positive=positive, sets=sets, verify=verify, progress=progress
        )
    report = audited.report
    if html is not None:
        _write(html, audited)
    if json:
        show_json(report.as_json())
    else:
        _show(report)
        if html is not None:
            print(f"\npage: {html}")
    if report.errors:
        raise typer.Exit(1)


def _write(html: str, audited: Any) -> None:
    from zoo.data.audit.page import render_page
    from zoo.storage import commit

    page = render_page(audited.report, audited.dataset.task, audited.splits)
    path = Path(html).expanduser()
    commit.make_folder(path.absolute().parent)
    commit.write(path, page.encode())


def _show(report: Any) -> None:
    _show_summary(report)
    if report.findings:
        print()
    groups = list(report.by_kind().items())
    rows = [
        (found[0].severity, found[0].title, split or "-", len(found))
        for (_, split), found in groups
    ]
    if rows:
        show_table(("severity", "what", "split", "count"), rows, empty="")
    for (kind, split), found in groups:
        _show_group(kind, split, found)
    errors, notices = len(report.errors), len(report.notices)
    ending = "training on this would be wrong" if errors else "no errors"
    print(f"\n{report.dataset}: {_count(errors, 'error')}, {_count(notices, 'notice')}; {ending}")


def _show_summary(report: Any) -> None:
    from zoo.errors import printable

    summary = report.summary
    rows = [
        (
            part,
            one["samples"],
            one["decoded"],
            one["groups"],
            _histogram(one["sizes"]),
            _histogram(one["modes"]),
        )
        for part, one in summary["splits"].items()
    ]
    show_table(("split", "samples", "decoded", "groups", "sizes", "modes"), rows, empty="no splits")
    classes = summary["task"]["classes"]
    counted = {part: one["class_counts"] for part, one in summary["splits"].items()}
    counted = {part: counts for part, counts in counted.items() if counts}
    if counted:
        print(f"\n{summary['counted']} a class")
        table = [(one, *(counts[one] for counts in counted.values())) for one in classes[:_ROWS]]
        show_table(("class", *counted), table, empty="no classes")
        if len(classes) > _ROWS:
            print(printable(f"and {len(classes) - _ROWS} more; see --json or --html"))
    print()
    figures = summary["statistics"] or {}
    shown = {key: ", ".join(f"{value:.4f}" for value in figures[key]) for key in figures}
    ratio = summary["imbalance"]
    show_fields(
        {
            "mean of train": shown.get("mean"),
            "deviation": shown.get("std"),
            "largest class": None if ratio is None else f"{ratio:.1f} times the smallest",
        }
    )


def _show_group(kind: str, split: str, found: Sequence[Any]) -> None:
    from zoo.data.audit.findings import KINDS
    from zoo.errors import printable

    where = f", {split}" if split else ""
    advice = f" ({KINDS[kind].advice})" if KINDS[kind].advice else ""
    print()
    print(printable(f"{found[0].severity}: {found[0].title}{where}{advice}"))
    for one in found[:_EXAMPLES]:
        print(printable(f"  {one.message}"))
    if len(found) > _EXAMPLES:
        print(f"  and {len(found) - _EXAMPLES:,} more")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _histogram(counts: dict[str, int]) -> str:
    """The most frequent few: ``28x28``, or ``640x480 (12), 480x640 (3)``."""
    if len(counts) == 1:
        return next(iter(counts))
    shown = [f"{value} ({count:,})" for value, count in list(counts.items())[:3]]
    return ", ".join(shown) + (f" and {len(counts) - 3} more" if len(counts) > 3 else "")
