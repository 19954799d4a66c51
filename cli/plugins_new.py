"""``zoo plugins new``: a plugin to begin with."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from .tables import show_json


def run(name: str, kind: str, parent: str, *, json: bool) -> None:
    import zoo
    from zoo.plugins.catalog import catalog
    from zoo.plugins.scaffold import make_plugin

    made = make_plugin(name, kind, Path(parent).expanduser(), catalog(), zoo=zoo.__version__)
    next_ = [
        f"pip install -e '{made.folder}[test]'",
        f"zoo plugins check {made.distribution}",
        made.train,
    ]
    if json:
        paths = {"folder": str(made.folder), "files": [str(one) for one in made.files]}
        show_json({**asdict(made), **paths, "next": next_})
        return
    typer.echo(f"made {made.folder}: the {kind} {made.component!r}, which works as it is")
    for path in made.files:
        typer.echo(f"  {path.relative_to(made.folder)}")
    module = made.folder / made.module
    typer.echo(
        f"make it yours in three lines: edit 1 and edit 2 in {module / '__init__.py'}, "
        f"edit 3 in {module / kind}.py"
    )
    typer.echo("try next:")
    for command in next_:
        typer.echo(f"  {command}")
