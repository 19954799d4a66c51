"""What is derived from versions and states, so that a reader who can list nothing finds the latest
in a few small files: heads, index pages, and the catalog of names.

None of it is the truth. A reader of a folder takes it for a hint; ``zoo registry repair`` makes it
again. So it may lag behind a publisher that was killed, and may be lost, but it is never believed
to hold what no record holds: a record read by way of it has to have the digest it says.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError, model_validator

from zoo.errors import RegistryError, StorageError, ZooError
from zoo.registry import formats, layout, names
from zoo.registry.fields import Date, Digest, Number
from zoo.registry.formats import FORMAT
from zoo.registry.places.reads import read_all
from zoo.registry.state import State
from zoo.registry.tree import Tree
from zoo.storage import strict_json

RESTORE = "restore it from a copy of the registry"
_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Derived(BaseModel):
    model_config = _STRICT

    def to_bytes(self) -> bytes:
        return strict_json.dumps(self.model_dump(mode="json"))


class Head(_Derived):
    """``newest``: the greatest number of a version; ``latest``: that of those not yanked, None
    where all are; ``state``: the number of the last state, 0 for none."""

    format: Literal[1] = FORMAT
    model: str
    latest: Number | None
    newest: Number
    state: Annotated[int, Field(ge=0, le=names.NUMBERS)]


class Row(_Derived):
    """A version ``v`` in the index: the sha256 of its record, and when it was made."""

    v: Number
    sha256: Digest
    created: Date


class Page(_Derived):
    """Up to 1,000 rows, one a version, ascending and without gaps."""

    format: Literal[1] = FORMAT
    model: str
    rows: Annotated[list[Row], Field(min_length=1, max_length=layout.PAGE_ROWS)]

    @model_validator(mode="after")
    def _check(self) -> Page:
        first = self.rows[0].v
        if first % layout.PAGE_ROWS != 1 or [row.v for row in self.rows] != list(
            range(first, first + len(self.rows))
        ):
            raise ValueError("its rows are not one after the other")
        return self

    def row(self, number: int) -> Row | None:
        place = number - self.rows[0].v
        return self.rows[place] if 0 <= place < len(self.rows) else None


class Shard(_Derived):
    """The names of the models that fall into one part of the catalog."""

    format: Literal[1] = FORMAT
    models: Annotated[list[str], FailFast()]

    @model_validator(mode="after")
    def _check(self) -> Shard:
        if not all(map(names.is_name, self.models)):
            raise ValueError("a model's name is none")
        return self


class Shards(_Derived):
    """How many models each part of the catalog lists; the others list none."""

    format: Literal[1] = FORMAT
    shards: dict[Annotated[str, Field(pattern=r"^[0-9a-f]{2}$")], Number]


_Form = TypeVar("_Form", Head, Page, Shard, Shards)


def read_head(tree: Tree, name: str) -> Head | None:
    """None where there is none. Raises :class:`RegistryError` for one that is damaged."""
    head = read_form(tree, layout.head(name), Head, layout.HEAD_BYTES)
    if head is not None and names.fold(head.model) != names.fold(name):
        raise damaged(tree, layout.head(name), f"it is that of model {head.model!r}")
    return head


def read_page(tree: Tree, name: str, number: int) -> Page | None:
    """The page on which version ``number`` stands, as :func:`read_head`."""
    path = layout.page(name, number)
    page = read_form(tree, path, Page, layout.PAGE_BYTES)
    first = (number - 1) // layout.PAGE_ROWS * layout.PAGE_ROWS + 1
    if page is not None and (page.rows[0].v, names.fold(page.model)) != (first, names.fold(name)):
        raise damaged(tree, path, "it is another page, or another model's")
    return page


def read_catalog(tree: Tree) -> list[str]:
    """The names of all models, in no order."""
    shards = read_form(tree, layout.SHARDS, Shards, layout.SHARD_BYTES)
    paths = [f"{layout.CATALOG}/{key}.json" for key in (shards.shards if shards else ())]
    found: list[str] = []
    for _, path, data in read_all(tree, range(len(paths)), paths.__getitem__, layout.SHARD_BYTES):
        if isinstance(data, ZooError):
            raise data
        shard = _form_of(tree, path, Shard, layout.SHARD_BYTES, data)
        found += shard.models if shard else []
    return found


def read_state(tree: Tree, model: str, serial: int) -> State:
    """State ``serial``, which is there. Raises :class:`RegistryError` when it is damaged."""
    if not serial:
        return State.first(model)
    path = layout.state(model, serial)
    data = tree.read(path, layout.STATE_BYTES)
    if data is None:
        raise lost(tree, path, "it is missing")
    state = State.from_bytes(data, f"{path} of {tree.url}")
    if (state.model, state.serial) != (model, serial):
        raise lost(tree, path, f"it is state {state.serial} of model {state.model!r}")
    return state


def read_form(tree: Tree, path: str, form: type[_Form], limit: int) -> _Form | None:
    return _form_of(tree, path, form, limit, tree.read(path, limit))


def _form_of(
    tree: Tree, path: str, form: type[_Form], limit: int, data: bytes | None
) -> _Form | None:
    if data is None:
        return None
    try:
        plain = strict_json.loads(data, path, limit)
        formats.refuse_later(plain, f"{path} of {tree.url}")
        read = form.model_validate_json(data)
    except StorageError as error:
        raise damaged(tree, path, str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        raise damaged(tree, path, f"{where[:80]}: {first['msg']}") from error
    if not formats.is_ours(plain):
        raise damaged(tree, path, formats.NOT_OURS)
    return read


def parsed(data: bytes | None, form: type[_Form]) -> _Form | None:
    """A file that is to be made anew where it is damaged."""
    if data is None:
        return None
    try:
        plain = strict_json.loads(data, "derived", layout.SHARD_BYTES)
        read = form.model_validate_json(data)
    except (StorageError, ValidationError):
        return None
    return read if formats.is_ours(plain) else None


def damaged(tree: Tree, path: str, what: str) -> RegistryError:
    return RegistryError(
        f"{path} of {tree.url}: {what}; whoever may write there mends it with: zoo registry repair"
    )


def lost(tree: Tree, path: str, what: str) -> RegistryError:
    """Of a record or a state: what nothing can make again."""
    return RegistryError(f"{path} of {tree.url}: {what}; {RESTORE}")
