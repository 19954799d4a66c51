"""What timm says of its architectures, read from timm itself without building one of them.

``make_facts`` writes it into the file that is shipped; :mod:`zoo_timm.facts` reads it anew where
another timm is installed.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_RATES = (
    "drop_rate",
    "drop_path_rate",
    "drop_block_rate",
    "attn_drop_rate",
    "pos_drop_rate",
    "proj_drop_rate",
    "patch_drop_rate",
)
_ARXIV = re.compile(r"arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})", re.IGNORECASE)
# What timm writes in its configurations, by SPDX's names where there is one.
_LICENCES = {
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
    "bsd-3-clause": "BSD-3-Clause",
    "cc-by-4.0": "CC-BY-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "unknown": "",
    "": "",
}


def describe() -> dict[str, Any]:
    """Every classifier of the installed timm, as :mod:`zoo_timm.facts` reads it. Imports timm."""
    import timm

    every = timm.list_models()
    tagged: dict[str, list[str]] = {name: [] for name in every}
    for one in timm.list_pretrained():
        name, _, tag = one.partition(".")
        if name in tagged:
            tagged[name].append(tag)
    with _captured(every) as made:
        captured = {name: made(name) for name in every}
        names = [name for name in every if not _is_encoder(captured[name])]
        found = {name: _architecture(name, captured[name], tagged[name]) for name in names}
    return {"timm": timm.__version__, "architectures": found}


def _architecture(name: str, made: tuple[Any, dict[str, Any]] | None, tags: list[str]) -> Any:
    """Keys that say nothing are left out: the file is read at every listing."""
    config = _config(name)
    default = config.tag or ""
    ordered = sorted(tags, key=lambda tag: tag != default)
    entry: dict[str, Any] = {"size": _side(config), "tags": {}}
    if paper := _paper(name):
        entry["source"] = paper
    if made is not None:
        parameters = _parameters(made[0])
        entry["class"] = made[0].__name__
        entry["options"] = _options(parameters, made[1])
        if config.fixed_input_size or "img_size" in parameters:
            entry["sized"] = True
    for tag in ordered:
        entry["tags"][tag] = _tag(f"{name}.{tag}")
    return entry


def _is_encoder(made: tuple[Any, dict[str, Any]] | None) -> bool:
    """Whether it gives features alone: a part of a language model, say, however many classes are
    asked for."""
    return made is not None and made[0].__name__.endswith("Encoder")


def _tag(name: str) -> dict[str, Any]:
    config = _config(name)
    licence = config.license or ""
    said = {
        "hub": config.hf_hub_id or "",
        "file": config.hf_hub_filename or "",
        "url": "" if config.hf_hub_id else config.url or "",
        "size": _side(config),
        "licence": _LICENCES.get(licence, f"LicenseRef-{licence}"),
        "source": _source(config),
    }
    if said["hub"] == f"timm/{name}":
        said["hub"] = "timm"
    return {key: value for key, value in said.items() if value}


def _config(name: str) -> Any:
    import timm

    return timm.models.get_pretrained_cfg(name) or timm.models.PretrainedCfg()


def _side(config: Any) -> list[int]:
    """Height and width."""
    return [int(one) for one in config.input_size[-2:]]


def _source(config: Any) -> str:
    papers = config.paper_ids
    if isinstance(papers, str):
        return papers
    return ", ".join(papers) if papers else config.origin_url or ""


def _paper(name: str) -> str:
    """The first that timm's own words about the architecture name, or about its file."""
    import timm

    entry = timm.models.model_entrypoint(name)
    for said in (entry, inspect.getmodule(entry)):
        if found := _ARXIV.search(inspect.getdoc(said) or ""):
            return f"arXiv:{found[1]}"
    return ""


def _parameters(model_class: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(model_class).parameters)


def _options(parameters: dict[str, inspect.Parameter], given: dict[str, Any]) -> dict[str, Any]:
    """The rates of dropout that it takes, and how it pools, with the defaults that they have for
    this architecture."""
    found: dict[str, Any] = {}
    for name in (*_RATES, "global_pool"):
        if name in parameters:
            value = given.get(name, parameters[name].default)
            kind = str if name == "global_pool" else (int, float)
            if isinstance(value, kind):
                found[name] = value if name == "global_pool" else float(value)
    return found


class _MadeError(Exception):
    """Ends the making of a network where its class would be called."""


@contextmanager
def _captured(names: list[str]) -> Iterator[Any]:
    """A function that gives the class and the arguments of which timm would build ``name``; None
    where it does so by another way."""
    import timm

    seen: list[tuple[Any, dict[str, Any]]] = []

    def record(model_class: Any, variant: str, pretrained: bool, *_: Any, **given: Any) -> None:
        seen.append((model_class, given))
        raise _MadeError

    entries = {name: timm.models.model_entrypoint(name) for name in names}
    modules = {inspect.getmodule(entry) for entry in entries.values()}
    builder = "build_model_with_cfg"
    old = {module: vars(module)[builder] for module in modules if builder in vars(module)}

    def made(name: str) -> tuple[Any, dict[str, Any]] | None:
        seen.clear()
        try:
            entries[name](pretrained=False)
        except _MadeError:
            return seen[0]
        except Exception:  # an architecture may need what is not there
            return None
        return None

    for module in old:
        setattr(module, builder, record)
    try:
        yield made
    finally:
        for module, function in old.items():
            setattr(module, builder, function)
