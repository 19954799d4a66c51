"""``zoo ensemble``: several members as one, chosen on val, with what it gained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zoo.errors import PredictionsError, clipped, nearest

from .completion import (
    complete_component,
    complete_models,
    complete_registries,
    complete_runs_and_models,
    complete_words,
)
from .ensemble_figures import show_report
from .tables import show_json

if TYPE_CHECKING:
    from zoo.registry.record import Record

_METHODS = ("mean", "weighted", "vote", "greedy", "stack", "soup")
_SOUP = "soup"


def ensemble(
    members: Annotated[
        list[str],
        typer.Argument(
            help="Runs, models (name, name@3) or predictions files (.npz; of each source those on "
            "val and on the reported split).",
            metavar="MEMBER...",
            autocompletion=complete_runs_and_models,
        ),
    ],
    method: Annotated[
        str,
        typer.Option(
            help="mean, weighted, vote, greedy, stack, or soup (of weights).",
            metavar="METHOD",
            autocompletion=complete_words(*_METHODS),
        ),
    ] = "mean",
    average: Annotated[
        str,
        typer.Option(
            help="What is averaged: probabilities, logits, or geometric (the same as logits).",
            metavar="WHAT",
            autocompletion=complete_words("probabilities", "logits", "geometric"),
        ),
    ] = "probabilities",
    soup: Annotated[
        str,
        typer.Option(
            help="Which weights a soup averages: greedy (those that do not make val worse) or "
            "uniform (all).",
            metavar="KIND",
            autocompletion=complete_words("greedy", "uniform"),
        ),
    ] = "greedy",
    metric: Annotated[
        str | None,
        typer.Option(
            help="What members are chosen and compared by [default: accuracy; of masks dice]."
        ),
    ] = None,
    tta: Annotated[
        str | None,
        typer.Option(
            help="Ask each member about several views of an image: hflip, flips, rot90 or "
            "dihedral.",
            metavar="VIEWS",
            autocompletion=complete_words("hflip", "flips", "rot90", "dihedral"),
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(help="Where the gain is measured; val to look at no test label.")
    ] = "test",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The ensemble's folder [default: ensembles/METHOD-N; a soup's: runs/].",
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Another dataset than the members were trained on; of the same classes.",
            metavar="NAME",
            autocompletion=complete_component("dataset"),
        ),
    ] = None,
    root: Annotated[
        str | None, typer.Option(help="The folder with the dataset's files.", metavar="FOLDER")
    ] = None,
    allow_overlap: Annotated[
        bool,
        typer.Option(
            "--allow-overlap",
            help="Take members that were trained on samples of val or the reported split; the "
            "output and the record say so.",
        ),
    ] = False,
    publish: Annotated[
        str | None,
        typer.Option(
            help="Publish it as the next version of this model; members that are runs as "
            "NAME-member-K.",
            metavar="NAME",
            autocompletion=complete_models,
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="The registry to publish in [default: as registry.toml says].",
            metavar="REGISTRY",
            autocompletion=complete_registries,
        ),
    ] = None,
    alias: Annotated[
        str | None,
        typer.Option(help="Let this alias, such as best, point to it.", metavar="ALIAS"),
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Its terms [default: the members' recipes'].")
    ] = None,
    intended_use: Annotated[
        str | None, typer.Option(help="What it is for [default: the members' recipes'].")
    ] = None,
    registry: Annotated[
        str | None, typer.Option(help="Where members are [default: as registry.toml says].")
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", metavar="DEVICE")
    ] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Combine members, whatever their architectures and input sizes: choose on val, and say once
    what was gained over the best of them.

    \b
    Examples:
      zoo ensemble runs/a runs/b runs/c
      zoo ensemble runs/a xray@3 --method greedy --metric auroc --tta hflip
      zoo ensemble a/val.npz a/test.npz b/val.npz b/test.npz --method stack
      zoo ensemble runs/a runs/b runs/c --method weighted --publish xray-three --alias best
      zoo ensemble runs/a runs/b --method soup --soup uniform --split val
    """
    _check_flags(method, average, soup, tta, dataset, publish, to, alias, licence, intended_use)
    done: Any
    if method == _SOUP:
        from zoo.runs.soup import soup as cook

        done = cook(
            members,
            kind=soup,
            metric=metric,
            split=split,
            allow_overlap=allow_overlap,
            output=output,
            root=root,
            registry=registry,
            device=device,
        )
        place = done.run.path
    else:
        from zoo.runs.ensemble import ensemble as combine

        done = combine(
            members,
            method=method,
            average=average,
            metric=metric,
            split=split,
            tta=tta,
            allow_overlap=allow_overlap,
            output=output,
            dataset=dataset,
            root=root,
            registry=registry,
            device=device,
        )
        place = done.folder
    record = None
    if publish is not None:
        record = _publish(done, method, publish, to, alias, licence, intended_use)
    _show(done.report, place, record, members, to, json=json)


def _check_flags(
    method: str,
    average: str,
    soup: str,
    tta: str | None,
    dataset: str | None,
    publish: str | None,
    to: str | None,
    alias: str | None,
    licence: str | None,
    intended_use: str | None,
) -> None:
    """What would do nothing is a usage error, before anything is computed."""
    if method not in _METHODS:
        raise PredictionsError(
            f"method {clipped(method)!r}{nearest(method, _METHODS)}: expected one of "
            f"{', '.join(_METHODS)}"
        )
    texts = {"--to": to, "--alias": alias, "--licence": licence, "--intended-use": intended_use}
    given = [flag for flag, value in texts.items() if value is not None]
    if given and publish is None:
        raise typer.BadParameter("only with --publish NAME", param_hint=", ".join(given))
    if method != _SOUP and soup != "greedy":
        raise typer.BadParameter("only with --method soup", param_hint="--soup")
    others = {"--tta": tta, "--dataset": dataset}
    useless = [flag for flag, value in others.items() if value is not None]
    if average != "probabilities":
        useless.append("--average")
    if method == _SOUP and useless:
        raise typer.BadParameter(
            "a soup is one network, and has none of this", param_hint=", ".join(useless)
        )
    if publish is not None:
        from zoo.registry.names import check_name

        check_name("model name", publish)
    if alias is not None:
        from zoo.registry.state import check_alias

        check_alias(alias)


def _publish(
    done: Any,
    method: str,
    name: str,
    to: str | None,
    alias: str | None,
    licence: str | None,
    intended_use: str | None,
) -> Record:
    from zoo.registry.config import open_registry

    if method == _SOUP:
        from zoo.runs.publish import publish

        record = publish(done.run, name, registry=to, licence=licence, intended_use=intended_use)
    else:
        from zoo.runs.ensemble_publish import publish_ensemble

        record = publish_ensemble(
            done, name, registry=to, licence=licence, intended_use=intended_use
        )
    if alias is not None:
        open_registry(to).set_alias(record.model, alias, record.version)
    return record


def _show(
    report: Any,
    place: Path,
    record: Record | None,
    members: Sequence[str],
    to: str | None,
    *,
    json: bool,
) -> None:
    version = None if record is None else f"{record.model}@{record.version}"
    if json:
        show_json({**report, "folder": str(place), "published": version})
        return
    show_report(report)
    typer.echo(f"\n{'run' if report['method'] == _SOUP else 'ensemble'}: {place}")
    if version is None:
        return
    typer.echo(f"published: {f'{to}:{version}' if to else version}")
    typer.echo("try next:")
    reference = f"{to}:{version}" if to else version
    typer.echo(f"  zoo models show {reference}")
    typer.echo(f"  python -c \"import zoo; print(zoo.load('{reference}'))\"")
