"""From a file and flags to a checked recipe, with every problem reported at once."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pydantic

from zoo.errors import RecipeError, ZooError
from zoo.plugins import options
from zoo.plugins.catalog import Catalog
from zoo.plugins.catalog import catalog as installed
from zoo.recipes import problems as words
from zoo.recipes.flags import Override
from zoo.recipes.ignored import without_effect
from zoo.recipes.merging import merge
from zoo.recipes.positions import KeyPath
from zoo.recipes.problems import Places, Problem, problem_lines
from zoo.recipes.schema import (
    AUTO,
    COMPONENTS,
    COPIES,
    DEFAULT_NAMES,
    LISTS,
    PLAIN,
    PRETRAINED,
    Choice,
    CopySection,
    DataSection,
    DatasetChoice,
    Recipe,
    Section,
    TransferSection,
    reserved,
)
from zoo.recipes.sources import Draft, open_source

__all__ = ["Override", "read_recipe"]

_INT64 = 2**63
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


def read_recipe(
    source: Path | Mapping[str, Any] | None,
    overrides: Sequence[Override] = (),
    catalog: Catalog | None = None,
) -> Recipe:
    """:func:`open_recipe` without the places."""
    return open_recipe(source, overrides, catalog)[0]


def open_recipe(
    source: Path | Mapping[str, Any] | None,
    overrides: Sequence[Override] = (),
    catalog: Catalog | None = None,
) -> tuple[Recipe, Places]:
    """The recipe in ``source`` with ``overrides`` put over it, complete and checked as far as that
    goes without opening the dataset. A flag that names another component than the file drops the
    file's options for it. Also where each key was set, for what is found wrong later. Raises
    :class:`RecipeError` with every problem, by line."""
    return complete(open_source(source), [overrides], catalog)


def complete(
    draft: Draft, layers: Sequence[Sequence[Override]], catalog: Catalog | None = None
) -> tuple[Recipe, Places]:
    """:func:`open_recipe` of a draft, which is changed: the layers are put over it one after the
    other, so that a component named in one drops the options that those before it set."""
    problems = [problem for overrides in layers for problem in merge(draft, overrides)]
    check = _Check(catalog or installed(), problems)
    problems += _unwritable((), draft.data)
    recipe = check.recipe(draft.data)
    if recipe is None or problems:
        raise RecipeError(problem_lines(problems, draft.places))
    return recipe, draft.places


class _Check:
    """Turns plain data into sections, noting problems instead of stopping at them."""

    def __init__(self, catalog: Catalog, problems: list[Problem]) -> None:
        self.catalog = catalog
        self.problems = problems

    def recipe(self, data: Mapping[str, Any]) -> Recipe | None:
        """None when there are problems."""
        for name in data:
            if name not in Recipe.model_fields:
                self.note((name,), words.unknown_section(name, Recipe.model_fields))
        sections: dict[str, Any] = {}
        for name in Recipe.model_fields:
            if name in LISTS:
                sections[name] = self.choices(name, data.get(name, []))
            elif name == COPIES:
                sections[name] = self.copies(
                    data.get(name, []), both=bool(data.get("augmentations"))
                )
            elif name in COMPONENTS:
                sections[name] = self.choice(name, (name,), data.get(name, {}))
            else:
                sections[name] = self.section(name, PLAIN[name], data.get(name, {}))
        sections["transfer"] = self.pretrained(data.get("architecture"), sections["transfer"])
        self.normalization(sections["data"], sections["transfer"])
        self.problems += without_effect(sections)
        return None if self.problems else Recipe(**sections)

    def note(self, key: KeyPath, what: str, at: KeyPath | None = None) -> None:
        self.problems.append(Problem(key, what, at))

    def section(self, name: str, model: type[Section], table: Any) -> Section | None:
        if not isinstance(table, dict):
            self.note((name,), words.not_a_table(table, f"[{name}]"))
            return None
        try:
            return model.model_validate(table)
        except pydantic.ValidationError as error:
            # A union reports each of its members: one problem a key is enough.
            for key, kind in {str(one["loc"][0]): one["type"] for one in error.errors()}.items():
                if key not in model.model_fields:
                    what = words.unknown_key(key, model.model_fields, _other_keys(name))
                else:
                    finite = ", finite" if kind == "finite_number" else ""
                    what = words.wrong_value(table[key], _expected(model, key) + finite)
                self.note((name, key), what)
            return None

    def pretrained(
        self, architecture: Any, transfer: TransferSection | None
    ) -> TransferSection | None:
        """``architecture.pretrained`` as the ``transfer.init`` that means the same."""
        if not isinstance(architecture, dict) or PRETRAINED not in architecture or not transfer:
            return transfer
        given, key = architecture[PRETRAINED], ("architecture", PRETRAINED)
        if not isinstance(given, bool) and not (isinstance(given, str) and _TAG.fullmatch(given)):
            self.note(key, words.wrong_value(given, "true, false or the tag of published weights"))
            return transfer
        named, asked = transfer.published, f"{PRETRAINED}:{given}"
        if given is True:
            agreed = not transfer.init or named is not None
            asked = transfer.init or PRETRAINED
        elif given is False:
            agreed, asked = named is None, transfer.init
        else:
            agreed = transfer.init in ("", asked)
        if not agreed:
            self.note(key, words.two_inits(given, transfer.init))
        return transfer.model_copy(update={"init": asked})

    def normalization(self, data: DataSection | None, transfer: TransferSection | None) -> None:
        if data is not None and data.normalize == "pretrained" and transfer and not transfer.init:
            self.note(("data", "normalize"), words.nothing_to_normalize_as())
        if data is None or data.channels == "native":
            return
        if data.normalized_channels not in (None, data.channels):
            what = words.wrong_channels(data.normalized_channels, data.channels)
            self.note(("data", "normalize"), what)

    def choices(self, name: str, tables: Any, within: KeyPath = ()) -> tuple[Choice | None, ...]:
        key = (*within, name)
        if not isinstance(tables, list):
            self.note(key, words.not_tables(tables, name))
            return ()
        return tuple(
            self.choice(LISTS[name], (*key, index), table) for index, table in enumerate(tables)
        )

    def copies(self, tables: Any, *, both: bool) -> tuple[CopySection | None, ...]:
        if not isinstance(tables, list):
            self.note((COPIES,), words.not_tables(tables, COPIES))
            return ()
        if tables and both:
            self.note(("augmentations",), words.both_copies_and_augmentations())
        return tuple(self.copy((COPIES, index), table) for index, table in enumerate(tables))

    def copy(self, key: KeyPath, table: Any) -> CopySection | None:
        if not isinstance(table, dict):
            self.note(key, words.not_a_table(table, COPIES))
            return None
        for name in table.keys() - CopySection.model_fields.keys():
            self.note((*key, name), words.unknown_key(name, CopySection.model_fields, {}))
        chosen = self.choices("augmentations", table.get("augmentations", []), key)
        own = {name: table[name] for name in ("fixed", "size") if name in table}
        try:
            section = CopySection.model_validate(own)
        except pydantic.ValidationError as error:
            for name in dict.fromkeys(str(one["loc"][0]) for one in error.errors()):
                self.note((*key, name), words.wrong_value(own[name], _expected(CopySection, name)))
            return None
        named = tuple(one for one in chosen if one is not None)
        return section.model_copy(update={"augmentations": named})

    def choice(self, kind: str, key: KeyPath, table: Any) -> Choice | None:
        """The component that ``table`` names, with its options bound."""
        if not isinstance(table, dict):
            header = f"[{key[0]}]" if len(key) == 1 else f"[[{key[0]}]]"
            self.note(key, words.not_a_table(table, header))
            return None
        name = table.get("name", DEFAULT_NAMES.get(kind))
        if name is None:
            self.note((*key, "name"), words.missing_name(kind))
        elif not isinstance(name, str):
            self.note((*key, "name"), words.wrong_value(name, words.a_name(kind)))
        if not isinstance(name, str):
            return None
        own = reserved(kind)
        given = {option: value for option, value in table.items() if option not in own}
        values = self.options(kind, name, key, given)
        if kind != "dataset":
            return Choice(name=name, options=values)
        return DatasetChoice(name=name, options=values, root=self.root(key, table))

    def root(self, key: KeyPath, table: Mapping[str, Any]) -> str | None:
        root = table.get("root")
        if root is None or (isinstance(root, str) and root and "\0" not in root):
            return root
        self.note((*key, "root"), words.wrong_value(root, "a folder"))
        return None

    def options(
        self, kind: str, name: str, key: KeyPath, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        if kind == "loss" and name == AUTO:
            for option in given:
                self.note((*key, option), words.option_of_auto(option))
            return {}
        try:
            known = self.catalog.get(kind, name).options
        except ZooError as error:
            self.note((*key, "name"), str(error))
            return {}
        for one in known:
            if one.name in reserved(kind):
                self.note((*key, "name"), words.reserved_option(kind, name, one.name))
        values, wrong = options.bind(known, given)
        for option_name, what in wrong.items():
            missing = option_name not in given
            self.note((*key, option_name), what, (*key, "name") if missing else None)
        return values


def _expected(model: type[Section], key: str) -> str:
    text = model.model_fields[key].description
    return text or options.type_text(typing.get_type_hints(model, include_extras=True)[key])


def _other_keys(section: str) -> dict[str, str]:
    return {
        key: f"{other}.{key}"
        for other, model in PLAIN.items()
        if other != section
        for key in model.model_fields
    }


def _unwritable(key: KeyPath, value: Any) -> Iterator[Problem]:
    """What the resolved recipe could not hold: integers beyond 64 bits, text that is not UTF-8."""
    if isinstance(value, dict | list):
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _unwritable((*key, step), item)
    elif isinstance(value, int) and not -_INT64 <= value < _INT64:
        yield Problem(key, words.wrong_value(value, "an integer of at most 64 bits"))
    elif isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            yield Problem(key, words.wrong_value(value, "text that UTF-8 can hold"))
