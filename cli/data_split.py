"""``zoo data split``: write a division as a table that can be committed and given back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .tables import show_json, show_table


def run(
    name: str,
    root: str | None,
    positive: str | None,
    sets: Sequence[str],
    output: str,
    json: bool,
) -> None:
    """Open the dataset with the recipe's ``split`` settings and write ``output``."""
    from zoo.data.split_table import table_text
    from zoo.errors import RunError
    from zoo.plugins.catalog import catalog
    from zoo.runs.opening import open_for_reading
    from zoo.storage import commit

    path = Path(output)
    if path.exists():
        raise RunError(f"{output!r} exists already; name another with --output, or remove it")
    opened = open_for_reading(catalog(), name, root, sets, positive)
    commit.make_folder(path.absolute().parent)
    commit.write(path, table_text(opened.splits).encode())
    rows = {part: len(split) for part, split in opened.splits.items()}
    if json:
        show_json({"table": output, "splits": rows})
        return
    show_table(("split", "samples"), list(rows.items()), empty="no splits")
    print(f"written: {output}\nuse it: zoo train ... --set split.file={output}")
