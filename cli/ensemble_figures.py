"""What ``zoo ensemble`` shows: members and weights, the gain, classes, and how members differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from zoo.errors import printable

from .figures import figure
from .tables import show_table

_FIGURES = (
    "dice", "iou", "accuracy", "exact_match", "balanced_accuracy", "f1", "auroc", "log_loss",
    "brier", "hd95",
)  # fmt: skip
_OF_A_CLASS = ("recall", "f1", "dice", "iou", "auroc")
_MOST_MEMBERS = 12  # a wider matrix does not fit a terminal
_MOST_CLASSES = 30


def show_report(report: Mapping[str, Any]) -> None:
    """``report``: as ``zoo.runs.ensemble`` and ``zoo.runs.soup`` make it."""
    how = ", ".join(
        filter(None, (report["method"], _average(report), report.get("kind"), report.get("tta")))
    )
    chosen = report["chosen_on"]
    typer.echo(
        printable(
            f"{report['name']} ({how}) on {report['dataset']}: chosen on {chosen['split']} "
            f"({chosen['samples']:,} samples), measured on {report['split']} "
            f"({report['samples']:,})"
        )
    )
    _show_overlaps(report["overlaps"])
    typer.echo("")
    _show_members(report)
    _show_gain(report)
    _show_classes(report)
    if "diversity" in report:
        _show_diversity(report)


def _average(report: Mapping[str, Any]) -> str | None:
    """What is averaged, where that is not the usual."""
    average = report.get("average")
    return None if average == "probabilities" else average


def _show_overlaps(overlaps: Sequence[Mapping[str, Any]]) -> None:
    for one in overlaps:
        typer.echo(
            printable(f"NOT UNSEEN: {one['member']} {one['why']} (split {one['split']!r}); what "
                      f"stands below may be too good")
        )  # fmt: skip


def _show_members(report: Mapping[str, Any]) -> None:
    splits = list(dict.fromkeys(("val", report["split"])))
    metric, views = report["metric"], report.get("tta")
    columns = ["member", "weight"]
    columns += [f"{metric}, {split}" for split in splits]
    if views:
        columns += [f"{views}, {split}" for split in splits]
    rows = [
        [one["name"], _weight(one), *(figure(one[split]) for split in splits),
         *(figure(one["views"][split]) for split in splits if views)]
        for one in report["members"]
    ]  # fmt: skip
    own = report["ensemble"]
    known = [figure(own[split]) if own[split] is not None else "-" for split in splits]
    mine = ["ensemble", "", *(known if not views else ["-"] * len(splits) + known)]
    show_table(columns, [*rows, mine], empty="no members", right=columns[1:])
    if report["chosen_on"].get("out_of_fold") and own["val"] is not None:
        typer.echo("on val the ensemble's figure is out of fold: fitted on four fifths, five times")
    averaged = [one["name"] for one in report["members"] if one.get("averaged")]
    if len(averaged) == 1:
        typer.echo(printable(f"with any other's weights val got worse: it is {averaged[0]} alone"))


def _weight(member: Mapping[str, Any]) -> str:
    if "averaged" in member:
        return "averaged" if member["averaged"] else "left out"
    return "learnt" if member["weight"] is None else f"{member['weight']:.3f}"


def _show_gain(report: Mapping[str, Any]) -> None:
    gain = report["gain"]
    held = gain.get("per_image", gain["figures"])
    names = [name for name in _FIGURES if name in held]
    if report["metric"] in held and report["metric"] not in names:
        names.insert(0, report["metric"])
    rows = [[name, *_difference(held[name])] for name in names]
    kind = ", means over images" if "per_image" in gain else ""
    typer.echo("")
    typer.echo(
        printable(
            f"gain over {gain['over']}, the best on val{kind}: the ensemble's figure less its"
        )
    )
    level = f"{100 * gain['level']:.4g} % interval"
    show_table(["figure", "gain", level, "p", "shown"], rows, empty="no figures", right=("p",))


def _difference(one: Mapping[str, Any]) -> list[str]:
    if one["value"] is None:
        return ["undefined", "-", "-", "-"]
    if one["low"] is None:
        return [f"{one['value']:+.4f}", "-", "-", one["shown"]]
    p = "-" if one["p"] is None else ("<0.0001" if one["p"] < 1e-4 else f"{one['p']:.4f}")
    return [f"{one['value']:+.4f}", f"{one['low']:+.4f} to {one['high']:+.4f}", p, one["shown"]]


def _show_classes(report: Mapping[str, Any]) -> None:
    gain = report["gain"]
    rows = gain.get("per_image_by_class", gain["per_class"])
    if len(rows) > _MOST_CLASSES:
        return
    names = [name for name in _OF_A_CLASS if name in rows[0]]
    typer.echo("")
    table = [[row["class"], *(" ".join(_short(row[name])) for name in names)] for row in rows]
    show_table(["gain by class", *names], table, empty="no classes", right=names)


def _short(one: Mapping[str, Any]) -> list[str]:
    value, interval = _difference(one)[:2]
    return [value] if interval == "-" else [value, f"({interval})"]


def _show_diversity(report: Mapping[str, Any]) -> None:
    found, names = report["diversity"], [one["name"] for one in report["members"]]
    unit = "pixels" if "per_image" in report["gain"] else "answers"
    if len(names) < 2 or not found["questions"]:
        return
    if len(names) <= _MOST_MEMBERS:
        typer.echo(f"\nshare of {unit} on which two members decide differently")
        numbers = [str(number) for number in range(1, len(names) + 1)]
        rows = [
            [f"{number} {name}", *(f"{share:.3f}" for share in row)]
            for number, name, row in zip(numbers, names, found["disagreement"], strict=True)
        ]
        show_table(["member", *numbers], rows, empty="no members", named=True)
    q = "undefined" if found["mean_q"] is None else f"{found['mean_q']:.3f}"
    typer.echo(
        f"\nsome member is right on {found['oracle']:.4f} of the {found['questions']:,} {unit} "
        f"(oracle); mean disagreement {found['mean_disagreement']:.3f}, mean Q {q} (0: independent "
        f"errors; 1: the same)"
    )
