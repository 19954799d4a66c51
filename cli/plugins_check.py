"""``zoo plugins check``: the contract of a plugin, a line for each component."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .tables import show_json

if TYPE_CHECKING:
    from zoo.plugins.catalog import Component

_SAMPLE = 3  # members of a family


def run(
    name: str, wanted: Sequence[str], roots: Sequence[str], *, everything: bool, json: bool
) -> None:
    """Ends with exit code 1 and every problem when the contract is broken."""
    from zoo.errors import ContractError
    from zoo.plugins.checks import check_component

    folders = dict(_root(one) for one in roots)
    components = _components(name, wanted, folders, everything=everything)
    width = max((len(_title(one)) for one in components), default=0)
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    for component in components:
        title = _title(component).ljust(width)
        if not json:
            typer.echo(f"{title}  ", nl=False)
        began = time.perf_counter()
        with contextlib.redirect_stdout(sys.stderr):  # what a component prints is not the answer
            checked = check_component(component, folders)
        seconds = time.perf_counter() - began
        rows.append({**asdict(checked), "seconds": round(seconds, 3)})
        problems += checked.problems
        if not json:
            count = len(checked.problems)
            state = f"{count} problem{'s' * (count > 1)}" if count else "ok"
            note = f"  {checked.note}" if checked.note else ""
            typer.echo(f"{state:<10}  {seconds:6.1f} s{note}")
    if json:
        show_json(rows)
    if problems:
        raise ContractError(problems)
    if not json:
        left = _left_out(name, components) if not wanted and not everything else 0
        more = f"; {left:,} more members of families: --all" if left else ""
        count = len(components)
        typer.echo(
            f"\n{count:,} component{'s' * (count != 1)} of {name} keep{'s' * (count == 1)} the "
            f"contract{more}"
        )


def _title(component: Component) -> str:
    return f"{component.kind} {component.name}"


def _components(
    name: str, wanted: Sequence[str], roots: dict[str, Path], *, everything: bool
) -> list[Component]:
    from zoo.errors import ComponentError, nearest
    from zoo.plugins.checks import components_to_check, plugins_called

    members = None if everything or wanted else _SAMPLE
    found = [
        component
        for loaded in plugins_called(name)
        for component in components_to_check(loaded, roots, members)
    ]
    known = {component.name for component in found}
    for one in (*wanted, *roots):
        if one not in known:
            raise ComponentError(
                f"plugin {name!r} has no component {one!r}{nearest(one, known)}; see: zoo plugins "
                f"show {name}"
            )
    return [one for one in found if one.name in wanted] if wanted else found


def _left_out(name: str, components: Sequence[Component]) -> int:
    from zoo.plugins.checks import components_to_check, plugins_called

    every = [
        one for loaded in plugins_called(name) for one in components_to_check(loaded, {}, None)
    ]
    return len(every) - len(components)


def _root(text: str) -> tuple[str, Path]:
    name, sign, folder = text.partition("=")
    if not (name and sign and folder):
        raise typer.BadParameter(f"{text!r}: expected DATASET=FOLDER", param_hint="--root")
    return name, Path(folder).expanduser()
