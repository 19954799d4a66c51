"""``zoo registry alias``: names such as ``best`` that lead to a version, and where they led."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .choices import Json
from .completion import complete_models, complete_registries
from .tables import show_json, show_table

if TYPE_CHECKING:
    from zoo.registry.state import State

Model = Annotated[
    str,
    typer.Argument(
        help="A version: digits-simple-cnn@3; a name alone means the latest.",
        autocompletion=complete_models,
    ),
]
RegistryName = Annotated[
    str | None,
    typer.Option(
        "--registry",
        help="A registry that registry.toml names; the default one without it.",
        metavar="NAME",
        autocompletion=complete_registries,
    ),
]
NOWHERE = "none"


def alias(
    model: Model,
    alias: Annotated[
        str | None, typer.Argument(help="The alias [default: show those there are].")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the alias.")] = False,
    expected: Annotated[
        str | None,
        typer.Option(
            "--if",
            help=f"Only if it points to that version now; '{NOWHERE}': only if it is not there.",
            metavar="VERSION",
        ),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Show every change of aliases and yanks.")
    ] = False,
    registry: RegistryName = None,
    json: Json = False,
) -> None:
    """Set or move an alias, and show where each leads.

    \b
    Examples:
      zoo registry alias digits-simple-cnn@3 best
      zoo registry alias digits-simple-cnn@4 best --if 3
      zoo registry alias digits-simple-cnn best --remove
      zoo registry alias digits-simple-cnn
      zoo registry alias digits-simple-cnn --history
    """
    from zoo.registry.config import open_for
    from zoo.registry.names import Reference

    _check_together(alias, remove=remove, expected=expected, history=history)
    reference = Reference.parse(model)
    opened = open_for(reference, registry)
    if alias is None:
        opened.newest(reference.name)  # says when there is no such model
        if history:
            show_history(opened.history(reference.name), json)
        else:
            _show(opened.state(reference.name), json)
        return
    version = None if remove else opened.record(reference).version
    compared = {} if expected is None else {"expected": _version(expected)}
    state = opened.set_alias(reference.name, alias, version, **compared)
    if json:
        show_json(_row(state))
    elif state.change is not None:
        typer.echo(f"{reference.name}: {describe(state)}")


def describe(state: State) -> str:
    """What a state changed, as one line."""
    change = state.change
    if change is None:
        return ""
    if change.kind != "alias":
        return f"{change.kind} {change.version}" + (f": {change.reason}" if change.reason else "")
    if change.version is None:
        return f"alias {change.alias} removed (it was {change.before})"
    before = f" (it was {change.before})" if change.before else ""
    return f"alias {change.alias} = {change.version}{before}"


def show_history(states: Sequence[State], json: bool) -> None:
    if json:
        show_json([_row(state) for state in states])
        return
    rows = [(one.serial, one.created.replace("T", " ")[:19], describe(one)) for one in states]
    show_table(("state", "when (UTC)", "change"), rows, empty="nothing was changed yet")


def _show(state: State, json: bool) -> None:
    if json:
        show_json({"aliases": state.aliases, "yanked": state.yanked})
        return
    rows = list(state.aliases.items())
    show_table(
        ("alias", "version"),
        rows,
        empty=f"no aliases; set one with: zoo registry alias {state.model}@N ALIAS",
    )


def _row(state: State) -> dict[str, Any]:
    row: dict[str, Any] = state.model_dump(mode="json", include={"serial", "created", "change"})
    return row


def _version(text: str) -> int | None:
    if text == NOWHERE:
        return None
    if not (text.isascii() and text.isdigit() and int(text)):
        raise typer.BadParameter(
            f"{text!r}; expected a version's number, such as 3, or {NOWHERE}", param_hint="--if"
        )
    return int(text)


def _check_together(
    alias: str | None, *, remove: bool, expected: str | None, history: bool
) -> None:
    if alias is None and (remove or expected is not None):
        given = "--remove" if remove else "--if"
        raise typer.BadParameter(f"{given} needs an alias", param_hint="alias")
    if alias is not None and history:
        raise typer.BadParameter("shows all aliases; leave the alias out", param_hint="--history")
