"""``zoo registry serve``: a read-only web server for a registry in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .registry_alias import RegistryName

if TYPE_CHECKING:
    from pathlib import Path


def serve(
    registry: RegistryName = None,
    root: Annotated[
        str | None,
        typer.Option(help="Serve the registry in this folder.", metavar="FOLDER"),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            help="The address to listen at; 0.0.0.0 lets all the network read.", metavar="ADDRESS"
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The port; 0 takes any that is free.", min=0, max=65535)
    ] = 8400,
) -> None:
    """Serve a registry over http, for reading only, until Ctrl-C.

    It is meant for trying one out: no password is asked for, and nothing is encrypted. Any web
    server that serves the folder does the same.

    \b
    Examples:
      zoo registry serve
      zoo registry serve --registry team --port 9000
      zoo registry serve --root /data/registry --host 0.0.0.0
    """
    import contextlib
    import socket

    from zoo.registry.places.serving import RegistryServer

    with RegistryServer(_folder(registry, root), host, port) as server:
        url = server.url.replace("0.0.0.0", socket.gethostname()).replace("[::]", "localhost")
        typer.echo(f"serving {server.root} at {url}, until Ctrl-C; for registry.toml elsewhere:")
        typer.echo(f'\n[registry.served]\nurl = "{url}"\n')
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


def _folder(registry: str | None, root: str | None) -> Path:
    from pathlib import Path

    from zoo.errors import RegistryError
    from zoo.registry.config import open_registry
    from zoo.registry.places.folder_tree import FolderTree

    if root is not None:
        if registry is not None:
            raise typer.BadParameter("give one of them", param_hint="--registry, --root")
        return Path(root).expanduser()
    opened = open_registry(registry)
    if not isinstance(opened.tree, FolderTree):
        raise RegistryError(f"{opened} is in no folder of this machine; only such are served")
    return opened.tree.root
