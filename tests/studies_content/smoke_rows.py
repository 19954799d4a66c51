"""Of each study the first, the reference and the last row of every table, by its smoke profile.

``python smoke_rows.py OUT NAME..``: one process for all, so that torch is imported once. Leaves
``OUT/NAME`` as ``zoo study`` would; the made-up images are looked for in the working folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "studies"))

from inline import Inline

from zoo.studies.parts import TablePart
from zoo.studies.reading import read_study
from zoo.studies.studying import study

STUDIES = Path(__file__).parents[2] / "studies"


def ends(part: TablePart) -> set[str]:
    """The names of the first, the reference and the last row of a table."""
    names = [row.name for row in part.rows]
    return {names[0], part.head.reference or names[0], names[-1]}


def carried_out(name: str, out: Path) -> None:
    file = STUDIES / name / "study.toml"
    rows = sorted(set().union(*map(ends, read_study(file).tables)))
    asked = {"profile": "smoke", "out": out, "begin": lambda *_: Inline()}
    made = study(file, rows=rows, seeds=[0], **asked).data
    found = {one["name"]: one for one in made["tables"]}
    for table, one in found.items():
        if any(row["ensemble"] for row in one["rows"]):  # it has to have both seeds
            again = study(file, tables=[table], **asked).data["tables"]
            found[table] = next(other for other in again if other["name"] == table)
    (out / "asked.json").write_text(json.dumps(found))


if __name__ == "__main__":
    for name in sys.argv[2:]:
        carried_out(name, Path(sys.argv[1]) / name)
