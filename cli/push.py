"""``zoo push``: bring a version to the Hugging Face Hub."""

from __future__ import annotations

from typing import Annotated

import typer

from .choices import Json
from .completion import complete_models, complete_registries
from .tables import show_json


def push(
    model: Annotated[
        str,
        typer.Argument(
            help="A version: digits-simple-cnn@3; a name alone means the latest.",
            autocompletion=complete_models,
        ),
    ],
    to: Annotated[
        str,
        typer.Argument(
            help="A repository of the Hub: hf://owner/name. It is made where there is none.",
            metavar="hf://OWNER/NAME",
        ),
    ],
    private: Annotated[
        bool, typer.Option("--private", help="Nobody else may see the repository.")
    ] = False,
    revision: Annotated[
        str | None,
        typer.Option(help="Push to this branch [default: main].", metavar="BRANCH"),
    ] = None,
    registry: Annotated[
        str | None,
        typer.Option(
            help="Where the model is [default: as registry.toml says].",
            metavar="NAME",
            autocompletion=complete_registries,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Push a version to the Hugging Face Hub: weights, config.json and card for everybody, the
    record for those with zoo. A network of timm's loads in timm.

    The token is that of: hf auth login; or of the variable HF_TOKEN.

    \b
    Examples:
      zoo push digits-simple-cnn hf://me/digits
      zoo push digits-simple-cnn@3 hf://me/digits --revision v3 --private
    """
    from zoo.registry.hub.push import push as carry_out

    done = carry_out(model, to, registry=registry, revision=revision, private=private)
    version = f"{done.record.model}@{done.record.version}"
    if json:
        about = {"model": done.record.model, "version": done.record.version}
        show_json({**about, "address": done.address, "url": done.url, "commit": done.commit})
        return
    typer.echo(f"pushed: {version} to {done.address}")
    typer.echo(f"page: {done.url}")
    typer.echo("try next:")
    typer.echo(f"  zoo models show {done.address}")
    typer.echo(f"  python -c \"import zoo; print(zoo.load('{done.address}'))\"")
