"""Write ``studies/README.md``: each row of the reports, its command, published numbers and ours.

    python studies/overview.py                          from the studies and what is kept of ours
    python studies/overview.py RUNS/results.json ...    first keep the results of finished studies

What is kept of a study's results is ``ours.csv`` in its folder: table, row, column, mean, sd and
count of runs, and the profile they were trained with.
"""

from __future__ import annotations

import csv
import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo.studies.metric_names import result_key
from zoo.studies.parts import StudyFile, TablePart
from zoo.studies.reading import read_study
from zoo.studies.schema import Column

HERE = Path(__file__).parent
# The folder of each study, and what its images are called.
STUDIES = {
    "kvasir-instrument": "Kvasir-Instrument",
    "chest-xray": "the chest X-rays",
    "mnist-simple-cnn": "MNIST",
    "pathmnist": "PathMNIST",
    "skin-lesions": "the skin lesions",
}
_FIELDS = ("table", "row", "column", "mean", "sd", "count", "profile")
Ours = Mapping[tuple[str, str, str], Mapping[str, str]]
HEAD = """# The five reports

Five student reports, each as a file and a command. `zoo study FILE` trains every row with several
seeds, and writes the report's tables and figures with the published numbers beside ours
([studies.md](../docs/studies.md)). The `full` profiles are the reports' own settings; what a report
leaves out is our choice, marked `# not in the report` in the recipes. Images are looked for in
`$ZOO_DATA/NAME`, or in FOLDER with `--root FOLDER`; each study says where to get them.

`make studies` does all of it within minutes, on made-up images and with small networks: the `smoke`
profiles, of which a table has every row and column but no meaning. One study of them, or one table:

    python studies/smoke_data.py
    zoo study studies/mnist-simple-cnn/study.toml --profile smoke --table table-5-learning-rate

Two more studies follow the reports' protocols on sets that two processor cores can train:
[nuclei](nuclei/README.md) that of Kvasir-Instrument, [pneumoniamnist](pneumoniamnist/README.md)
that of PathMNIST.

This page is made by `python studies/overview.py`. Ours: mean ± standard deviation (runs).
"""


def main(results: list[Path]) -> None:
    for path in results:
        keep(path)
    (HERE / "README.md").write_text(page(), encoding="utf-8")


def page() -> str:
    return "\n".join([HEAD, *(section(name) for name in STUDIES)])


def section(name: str) -> str:
    study = read_study(HERE / name / "study.toml")
    ours = kept(name)
    profiles = sorted({row["profile"] for row in ours.values()})
    of = f" Ours: profile {', '.join(profiles)}." if profiles else ""
    lines = [
        f"## [{study.head.title}]({name}/README.md)",
        "",
        f"{study.head.source.rstrip('.')}.{of}",
        "",
        "| table | row | published | ours | command |",
        "|---|---|---|---|---|",
    ]
    for table in study.tables:
        for row in rows(table, ours):
            cells = (
                table.head.name,
                row or f"all {len(table.rows)}",
                ", ".join(printed(table, row)) or "-",
                ", ".join(found(table, row, ours)) or f"needs [{STUDIES[name]}]({where(name)})",
                f"`{command(name, table.head.name, row)}`",
            )
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    lines += ["", f"Figures: {', '.join(figure.head.name for figure in study.figures)}.", ""]
    return "\n".join(lines)


def rows(table: TablePart, ours: Ours) -> list[str]:
    """The names of the rows; "" for all of them, where there is no number of any."""
    known = any(compared(table)) or any(name == table.head.name for name, _, _ in ours)
    return [row.name for row in table.rows] if known else [""]


def where(name: str) -> str:
    return f"{name}/README.md#images"


def command(name: str, table: str, row: str) -> str:
    words = ["zoo", "study", f"studies/{name}/study.toml", "--profile", "full", "--table", table]
    return shlex.join([*words, "--row", row] if row else words)


def compared(table: TablePart) -> Iterator[Column]:
    return (column for column in table.columns if column.published is not None)


def printed(table: TablePart, row: str) -> Iterator[str]:
    """The published values of a row, as the report prints them."""
    published = table.published.get(row, {})
    for column in compared(table):
        cell = published.get(column.title) or published.get(str(column.published))
        if cell:
            yield f"{column.title} {cell}"


def found(table: TablePart, row: str, ours: Ours) -> Iterator[str]:
    for column in table.columns:
        one = ours.get((table.head.name, row, column.title))
        if one:
            yield (
                f"{column.title} {one['mean']}"
                + (f" ± {one['sd']}" if one["sd"] else "")
                + (f" ({one['count']})")
            )


def kept(name: str) -> Ours:
    path = HERE / name / "ours.csv"
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as stream:
        return {(row["table"], row["row"], row["column"]): row for row in csv.DictReader(stream)}


def keep(results: Path) -> None:
    """Write ``ours.csv`` of the study that has these results. Rows of it that these lack stay."""
    data = json.loads(results.read_text(encoding="utf-8"))
    study = read_study(HERE / data["name"] / "study.toml")
    ours = dict(kept(data["name"]))
    ours |= {tuple(row[field] for field in _FIELDS[:3]): row for row in measured(study, data)}
    with (HERE / data["name"] / "ours.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, _FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(ours.values())


def measured(study: StudyFile, data: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    parts = {table.head.name: table for table in study.tables}
    for table in data["tables"]:
        part = parts[table["name"]]
        for row in table["rows"]:
            for column in part.columns:
                key = statistic(column, table["split"])
                one = row["statistics"].get(key) if key else None
                if one and one["mean"] is not None:
                    yield {
                        **{"table": table["name"], "row": row["name"], "column": column.title},
                        **{"mean": shown(column, one["mean"]), "count": str(one["count"])},
                        "sd": "" if one["sd"] is None else shown(column, one["sd"]),
                        "profile": data["profile"],
                    }


def statistic(column: Column, split: str) -> str | None:
    """Under which name results hold what the column shows; None where it is no measured figure."""
    if column.run is not None:
        return f"run/{column.run}"
    return result_key(column.metric, column.split or split, column.at) if column.metric else None


def shown(column: Column, value: float) -> str:
    if column.run is not None:
        return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
    digits = column.decimals if column.decimals is not None else (2 if column.percent else 4)
    return f"{value * (100 if column.percent else 1):.{digits + 1}f}"


if __name__ == "__main__":
    main([Path(one) for one in sys.argv[1:]])
