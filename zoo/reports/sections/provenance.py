"""Where it comes from: recipe, software and machine, and the digests that pin all of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import tomli_w

from zoo import __version__
from zoo.reports import wording
from zoo.reports.blocks import Block, Code, Facts, Missing, Section, Table
from zoo.reports.measured import Measured
from zoo.reports.subject import Subject
from zoo.reports.wording import is_number

_OPEN = 40  # lines of a recipe up to which it is open


def recipe(subject: Subject) -> Section:
    text = tomli_w.dumps(_without_null(subject.recipe)).strip()
    if not text:
        blocks: list[Block] = [Missing("There is no recipe: the weights were trained elsewhere.")]
    else:
        lines = len(text.splitlines())
        blocks = [Code(text, f"Recipe, {lines} lines" if lines > _OPEN else "")]
    return Section("Recipe", "recipe", blocks)


def environment(subject: Subject) -> Section:
    facts = [(name, wording.text(value)) for name, value in subject.environment.items()]
    plugin = subject.plugin
    libraries = [
        f"{name} {wording.text(version)}"
        for name, version in wording.table(plugin, "libraries").items()
    ]
    of = " ".join(wording.text(plugin.get(key)) for key in ("distribution", "version")).strip()
    facts += [("plugin of the architecture", of), ("which builds upon", wording.listed(libraries))]
    return Section("Environment", "environment", [Facts(facts)])


def provenance(subject: Subject, measured: Measured) -> Section:
    about, said = subject.about, measured.said
    facts = [
        ("weights, sha256", subject.digest if "ensemble" not in about else ""),
        ("record, sha256", wording.text(about.get("digest"))),
        ("record before, sha256", wording.text(about.get("prev"))),
        ("predictions of weights, sha256", said.source_digest if said is not None else ""),
        ("predictions on content", said.content if said is not None else ""),
        ("started", wording.moment(about.get("created")) if "ended" in about else ""),
        ("ended", wording.moment(about.get("ended"))),
        ("report by", f"zoo {__version__}"),
    ]
    blocks: list[Block] = [Facts(facts)]
    origins = [*_parents(about), *_members(about)]
    if origins:
        head = ["model", "how", "sha256"]
        blocks.append(Table(head, origins, names=3, title="Made from"))
    return Section("Provenance", "provenance", blocks)


def _parents(about: Mapping[str, Any]) -> list[list[str]]:
    started = wording.table(wording.table(about, "initialized"), "parent")
    given = about.get("parents")
    parents = [*(given if isinstance(given, list) else ()), *([started] if started else ())]
    return [
        _origin(one, wording.text(one.get("kind")).replace("_", " ") or "initialized from")
        for one in parents
        if isinstance(one, Mapping)
    ]


def _members(about: Mapping[str, Any]) -> list[list[str]]:
    ensemble = wording.table(about, "ensemble")
    members, weights = ensemble.get("members"), wording.table(ensemble, "options").get("weights")
    given = members if isinstance(members, list) else []
    shares = weights if isinstance(weights, list) else []
    each = zip_longest(given, shares[: len(given)])
    return [
        _origin(one, f"member, weight {wording.number(share)}" if is_number(share) else "member")
        for one, share in each
        if isinstance(one, Mapping)
    ]


def _origin(one: Mapping[str, Any], how: str) -> list[str]:
    if "architecture" in one:
        named = [wording.text(one.get(key)) for key in ("architecture", "tag")]
        return [
            ", ".join(filter(None, named)),
            "published weights",
            wording.text(one.get("sha256")),
        ]
    name = f"{wording.text(one.get('model'))}@{wording.text(one.get('version'))}"
    return [name, how, wording.text(one.get("digest"))]


def _without_null(value: Any) -> Any:
    """TOML has no null."""
    if isinstance(value, Mapping):
        return {name: _without_null(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_null(one) for one in value if one is not None]
    return value
