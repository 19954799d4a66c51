"""``zoo models``: what is published in a registry."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import completion
from .choices import Json, positive_number, task_named
from .lazy import WordCommand, group
from .tables import show_fields, show_json, show_table

if TYPE_CHECKING:
    from zoo.registry.leaderboard import Standing
    from zoo.registry.listing import Row
    from zoo.registry.record import Record
    from zoo.registry.store import Registry

app = group("Published models and their versions.")
PAGE = 50

RegistryName = Annotated[
    str | None,
    typer.Option(
        "--registry",
        help="A registry that registry.toml names; the default one without it.",
        autocompletion=completion.complete_registries,
    ),
]


@app.command("list", cls=WordCommand)
def list_(
    registry: RegistryName = None,
    page: Annotated[str, typer.Option(help=f"Which {PAGE} of them.", metavar="NUMBER")] = "1",
    everything: Annotated[bool, typer.Option("--all", help="All of them at once.")] = False,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Only those of this dataset.",
            metavar="NAME",
            autocompletion=completion.complete_component("dataset"),
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(help="Only those of this task.", autocompletion=completion.complete_task),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(help="The best first, by this figure, such as auroc.", metavar="FIGURE"),
    ] = None,
    split: Annotated[str, typer.Option(help="The split on which the figure counts.")] = "test",
    json: Json = False,
) -> None:
    """List the models of a registry, each by its latest version.

    With --sort they are a leaderboard: equal ones by name, those without the figure last. Only
    records are read.

    \b
    Examples:
      zoo models list
      zoo models list --registry local --json
      zoo models list --dataset pneumoniamnist --sort auroc
      zoo models list --page 2
    """
    from zoo.registry.config import open_registry

    opened, number = open_registry(registry), positive_number("--page", page)
    first = 0 if everything else (number - 1) * PAGE
    most = None if everything else PAGE
    if dataset is None and task is None and sort is None:
        total = _list_by_name(opened, first, most, number, json=json)
    else:
        total = _list_chosen(opened, (dataset, task_named(task), sort, split), first, most, json)
    if most and total > number * PAGE and not json:
        typer.echo(
            f"page {number} of {-(-total // PAGE)}; {total} models; next: "
            f"zoo models list --page {number + 1}, or --all",
            err=True,
        )


def _list_by_name(opened: Registry, first: int, most: int | None, page: int, *, json: bool) -> int:
    """How many there are in all."""
    from zoo.registry.listing import rows

    listing = rows(opened, first, most)
    _warn(listing.problems)
    if json:
        show_json([row.as_json() for row in listing.rows])
    else:
        show_table(
            (*_COLUMNS, "measured", "created"),
            [(*_plain(row), _measured(row.metric), _created(row)) for row in listing.rows],
            empty=_nothing(opened, page, listing.total),
        )
    return listing.total


def _list_chosen(
    opened: Registry, asked: tuple[str | None, ...], first: int, most: int | None, json: bool
) -> int:
    """``asked``: dataset, task, figure and split."""
    from zoo.registry.leaderboard import leaderboard

    dataset, task, figure, split = asked
    found = leaderboard(opened, figure, split or "", dataset, task)
    _warn(found.problems)
    shown = found.standings[first:][:most]
    if json:
        show_json([one.as_json(figure, split or "") for one in shown])
        return len(found.standings)
    last = "measured" if figure is None else f"{split} {figure}"
    rows = [
        (*_plain(one.row), _measured(one.row.metric) if figure is None else _standing(one),
         _created(one.row))
        for one in shown
    ]  # fmt: skip
    empty = f"no such models in {opened}"
    show_table((*_COLUMNS, last, "created"), rows, empty=empty)
    return len(found.standings)


_COLUMNS = ("model", "latest", "task", "dataset", "architecture")


def _plain(row: Row) -> tuple[object, ...]:
    return row.name, row.latest, row.task, row.dataset, row.architecture


def _created(row: Row) -> str:
    return row.created[:16].replace("T", " ")


def _standing(one: Standing) -> str | None:
    if one.value is None or one.interval is None:
        return None if one.value is None else f"{one.value:.4f}"
    low, high, _ = one.interval
    return f"{one.value:.4f} ({low:.4f} to {high:.4f})"


def _warn(problems: list[str]) -> None:
    from zoo.errors import ZooWarning

    for problem in problems:
        warnings.warn(problem, ZooWarning, stacklevel=1)


@app.command("show", cls=WordCommand)
def show(
    model: Annotated[
        str,
        typer.Argument(
            help="A name, such as digits-simple-cnn, or a version of it: digits-simple-cnn@3.",
            autocompletion=completion.complete_models,
        ),
    ],
    registry: RegistryName = None,
    json: Json = False,
) -> None:
    """Show a version of a model, the newest unless one is named.

    \b
    Examples:
      zoo models show digits-simple-cnn
      zoo models show digits-simple-cnn@1 --json
      zoo models show hf://owner/name
    """
    from zoo.registry.config import find

    opened, reference = find(model, registry)
    record = opened.record(reference)
    versions = opened.versions(record.model)
    state = opened.state(record.model)
    about = {
        "registry": opened.name,
        "digest": opened.digest(record),
        "versions": versions,
        "aliases": state.aliases,
        "yanked": state.yanked,
    }
    if json:
        show_json({**record.model_dump(mode="json"), **about})
    else:
        _show_record(record, opened, about)


def _show_record(record: Record, registry: Registry, about: dict[str, Any]) -> None:
    from zoo.registry.fields import origin_name
    from zoo.registry.listing import scalars

    parents = record.parents or ()
    show_fields(
        {
            "model": f"{record.model}@{record.version}",
            "versions": _runs(about["versions"]),
            "aliases": ", ".join(f"{alias} = {n}" for alias, n in about["aliases"].items()),
            "yanked": ", ".join(about["yanked"]),
            "registry": registry,
            "digest": f"sha256:{about['digest']}",
            "created": record.created,
            "licence": record.licence,
            "task": f"{record.task.kind}: {', '.join(record.task.classes)}",
            **(_network(record) if record.ensemble is None else {"made of": record.made_of}),
            "dataset": record.data["dataset"],
            "weights": record.weights,
            "parents": ", ".join(map(origin_name, parents)),
        }
    )
    if record.ensemble is not None:
        print()
        members = [(f"{one['model']}@{one['version']}", one["digest"][:12])
                   for one in record.ensemble["members"]]  # fmt: skip
        show_table(("member", "sha256"), members, empty="")
    for split, metrics in record.metrics.items():
        print()
        show_table((split, "value"), list(scalars(metrics).items()), empty=f"{split}: no figures")
    print()
    files = [(file["path"], file["size"], file["sha256"][:12]) for file in record.files]
    show_table(("file", "bytes", "sha256"), files, empty="")


def _network(record: Record) -> dict[str, str]:
    """What a version that is a network has, and an ensemble has not."""
    architecture, plugin = record.architecture, record.plugin
    options = ", ".join(f"{key}={value!r}" for key, value in architecture["options"].items())
    height, width = architecture["image_size"]
    return {
        "architecture": architecture["name"] + (f" ({options})" if options else ""),
        "input": f"{height} x {width} pixels, {architecture['in_channels']} channels",
        "plugin": f"{plugin['distribution']} {plugin['version']}",
    }


def _runs(numbers: list[int]) -> str:
    """``1-5, 7``: a model may have thousands."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def _nothing(registry: Registry, page: int, total: int) -> str:
    if total:
        return f"page {page}: {registry} has {total} models, {PAGE} on a page"
    return f"no models in {registry}; publish one with: zoo publish RUN --name NAME"


def _measured(metric: tuple[str, str, float] | None) -> str | None:
    if metric is None:
        return None
    split, name, value = metric
    return f"{split} {name} {value:.4f}"
