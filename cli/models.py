"""``zoo models``: what is published in a registry."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import completion
from .choices import Json
from .lazy import WordCommand, group
from .tables import show_fields, show_json, show_table

if TYPE_CHECKING:
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
    page: Annotated[int, typer.Option(min=1, help=f"Which {PAGE} of them.")] = 1,
    everything: Annotated[bool, typer.Option("--all", help="All of them at once.")] = False,
    json: Json = False,
) -> None:
    """List the models of a registry, each by its latest version.

    \b
    Examples:
      zoo models list
      zoo models list --registry local --json
      zoo models list --page 2
    """
    from zoo.errors import ZooWarning
    from zoo.registry.config import open_registry
    from zoo.registry.listing import rows

    opened = open_registry(registry)
    most = None if everything else PAGE
    listing = rows(opened, (page - 1) * PAGE if most else 0, most)
    for problem in listing.problems:
        warnings.warn(problem, ZooWarning, stacklevel=1)
    if json:
        show_json([row.as_json() for row in listing.rows])
        return
    show_table(
        ("model", "latest", "task", "dataset", "architecture", "measured", "created"),
        [
            (
                row.name,
                row.latest,
                row.task,
                row.dataset,
                row.architecture,
                _measured(row.metric),
                row.created[:16].replace("T", " "),
            )
            for row in listing.rows
        ],
        empty=_nothing(opened, page, listing.total),
    )
    if most and listing.total > page * PAGE:
        typer.echo(
            f"page {page} of {-(-listing.total // PAGE)}; {listing.total} models; next: "
            f"zoo models list --page {page + 1}, or --all",
            err=True,
        )


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
            "parents": ", ".join(f"{one['model']}@{one['version']}" for one in parents),
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
