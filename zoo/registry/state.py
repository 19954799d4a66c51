"""What may change about a model whose versions cannot: its aliases, and which are yanked.

A state is a whole picture under a number of its own, put where nothing may be yet. So two writers
never overwrite each other (the one who comes second reads again), and all states together are the
history.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from zoo.errors import RegistryError, StorageError, nearest
from zoo.registry import formats, layout, names
from zoo.registry.fields import Date, Digest, Number
from zoo.registry.formats import FORMAT
from zoo.storage import strict_json

RESERVED = "latest"  # what a name alone means; no alias may say otherwise
ALIASES = 1000
_V = TypeVar("_V")
_STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)
REASON = 500  # letters
Reason = Annotated[str, StringConstraints(max_length=REASON, pattern=r"^[^\r\n]*$")]


class Change(BaseModel):
    """What one state changed. ``version``: None where an alias was removed; ``before``: where an
    alias pointed until then; ``reason``: of a yank."""

    model_config = _STRICT

    kind: Literal["alias", "yank", "unyank"]
    alias: str | None = None
    version: Number | None = None
    before: Number | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.kind == "alias") != (self.alias is not None):
            raise ValueError("an alias's change names it, and no other does")
        if self.alias is not None and (not names.is_name(self.alias) or self.alias == RESERVED):
            raise ValueError("the alias is no name")
        if self.kind != "alias" and self.version is None:
            raise ValueError("a yank names its version")
        return self


class State(BaseModel):
    """State ``serial`` of a model; ``prev``: sha256 of the one before; ``yanked``: reasons by the
    version's number, as text."""

    model_config = _STRICT

    format: Literal[1] = FORMAT
    model: str
    serial: Annotated[int, Field(ge=0, le=names.NUMBERS)]
    prev: Digest | None
    created: Date
    change: Change | None
    aliases: Annotated[dict[str, Number], Field(max_length=ALIASES)]
    yanked: dict[Annotated[str, StringConstraints(pattern=rf"^{names.NUMBER}$")], Reason]

    @classmethod
    def first(cls, model: str) -> Self:
        """Before anything was changed; never written."""
        return cls(
            model=model,
            serial=0,
            prev=None,
            created="1970-01-01T00:00:00Z",
            change=None,
            aliases={},
            yanked={},
        )

    @classmethod
    def from_bytes(cls, data: bytes, what: str) -> Self:
        """Raises :class:`RegistryError`, naming ``what``, for anything but a valid state."""
        try:
            plain = strict_json.loads(data, what, layout.STATE_BYTES)
            formats.refuse_later(plain, what)
            state = cls.model_validate_json(data)
        except StorageError as error:
            raise RegistryError(str(error)) from error
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "it"
            raise RegistryError(f"{what} is not one of zoo's: {where}: {first['msg']}") from error
        if not formats.is_ours(plain):
            raise RegistryError(f"{what} is not one of zoo's: {formats.NOT_OURS}")
        return state

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not names.is_name(self.model):
            raise ValueError("the model's name is none")
        if not all(names.is_name(alias) and alias != RESERVED for alias in self.aliases):
            raise ValueError("an alias is no name")
        if (self.prev is None) != (self.serial <= 1):
            raise ValueError("prev: the first state has none, every other has one")
        return self

    def to_bytes(self) -> bytes:
        data = strict_json.dumps(self.model_dump(mode="json", exclude_none=False))
        if len(data) > layout.STATE_BYTES:
            raise RegistryError(
                f"the state of model {self.model!r} has {len(data)} bytes; at most "
                f"{layout.STATE_BYTES} are allowed; remove aliases, or shorten reasons"
            )
        return data

    def is_yanked(self, version: int) -> bool:
        return str(version) in self.yanked

    def version_of(self, alias: str) -> int:
        """Raises :class:`RegistryError` when there is no such alias."""
        if alias not in self.aliases:
            known = ", ".join(sorted(self.aliases)) or "none"
            raise RegistryError(
                f"model {self.model!r} has no alias {alias!r}{nearest(alias, self.aliases)}; "
                f"aliases: {known}"
            )
        return self.aliases[alias]

    def after(self, change: Change, prev: str | None, created: str) -> State:
        """The next state. ``prev``: sha256 of this one, None of the first. Raises
        :class:`RegistryError` when there would be too many aliases."""
        aliases, yanked = dict(self.aliases), dict(self.yanked)
        if change.kind == "alias" and change.alias is not None:
            aliases.pop(change.alias, None)
            if change.version is not None:
                aliases[change.alias] = change.version
            if len(aliases) > ALIASES:
                raise RegistryError(
                    f"model {self.model!r} has {ALIASES} aliases, the most there may be; remove one"
                )
        elif change.kind == "yank":
            yanked[str(change.version)] = change.reason or ""
        else:
            yanked.pop(str(change.version), None)
        return State(
            model=self.model,
            serial=self.serial + 1,
            prev=prev,
            created=created,
            change=change,
            aliases=_sorted(aliases),
            yanked=_sorted(yanked),
        )


def check_alias(alias: str) -> str:
    """``alias`` itself. Raises :class:`RegistryError` unless it may be one."""
    names.check_name("alias", alias)
    if alias == RESERVED:
        raise RegistryError(
            f"alias {alias!r}: a name alone already means the latest version; choose another"
        )
    return alias


def check_reason(reason: str) -> str:
    """``reason`` itself. Raises :class:`RegistryError` unless a yank may have it."""
    if len(reason) > REASON or set(reason) & set("\r\n"):
        raise RegistryError(
            f"reason {reason[:200]!r}: expected one line of at most {REASON} letters"
        )
    return reason


def _sorted(table: Mapping[str, _V]) -> dict[str, _V]:
    return dict(sorted(table.items()))
