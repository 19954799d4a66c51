"""The file that makes a place a registry, and says of which form."""

from __future__ import annotations

import contextlib
import uuid
from typing import Any

from zoo.errors import RegistryError
from zoo.registry import formats, layout
from zoo.registry.formats import FORMAT
from zoo.registry.tree import Tree, WritableTree
from zoo.storage import strict_json

_FOLDERS = (layout.BLOBS, layout.MODELS, layout.CATALOG, layout.TMP)


def prepare(tree: WritableTree, where: str) -> None:
    """Make the place a registry, unless it is one. Raises as :func:`check`."""
    tree.prepare(_FOLDERS)
    if not tree.exists(layout.MARKER):
        marker = {"format": FORMAT, "id": str(uuid.uuid4())}
        with contextlib.suppress(FileExistsError):  # another publisher was first
            tree.create(layout.MARKER, strict_json.dumps(marker))
    check(tree, where)


def check(tree: Tree, where: str) -> bool:
    """Whether there is a marker. Raises :class:`RegistryError` for one of a later format, or what
    is none."""
    data = tree.read(layout.MARKER, layout.MARKER_BYTES)
    if data is None:
        return False
    marker: Any = strict_json.loads(data, f"the marker of {where}", layout.MARKER_BYTES)
    formats.refuse_later(marker, where)
    if (
        not formats.is_ours(marker)
        or set(marker) != {"format", "id"}
        or not isinstance(marker["id"], str)
    ):
        raise RegistryError(
            f'{layout.MARKER} of {where} is no marker; expected {{"format": {FORMAT}, "id": "…"}}'
        )
    return True
