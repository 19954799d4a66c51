"""Flags that amount to a recipe: ``--set a.b=value``, and the plain ones that name a key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.errors import RecipeError
from zoo.recipes.positions import KeyPath, RefusedError, find_positions
from zoo.recipes.problems import not_a_setting
from zoo.recipes.schema import LISTS

# Plain flags, by the key they set. The flag of ``batch_size`` is ``--batch-size``.
PLAIN_FLAGS = {
    "dataset": "dataset.name",
    "root": "dataset.root",
    "positive": "dataset.positive",
    "size": "data.size",
    "architecture": "architecture.name",
    "pretrained": "architecture.pretrained",
    "init": "transfer.init",
    "loss": "loss.name",
    "sampler": "sampler.name",
    "augmentation": "augmentations",
    "optimizer": "optimizer.name",
    "scheduler": "scheduler.name",
    "epochs": "training.epochs",
    "batch_size": "training.batch_size",
    "seed": "training.seed",
    "precision": "training.precision",
    "max_time": "training.max_time",
    "device": "training.device",
    "threads": "training.threads",
    "patience": "stopping.patience",
    "tracker": "trackers",
    "licence": "card.licence",
    "intended_use": "card.intended_use",
}


@dataclass(frozen=True)
class Override:
    """A key set from outside the file. ``key``: dotted, list items by number
    (``augmentations.0.degrees``); ``origin``: what the user typed, for messages."""

    key: str
    value: Any
    origin: str


def flag_text(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def flag_overrides(sets: Sequence[str] = (), **plain: Any) -> list[Override]:
    """Overrides from ``--set`` texts and plain flags (None: not given), in that order of strength.

    ``augmentation`` and ``tracker`` take a list of names, which replaces the recipe's list.
    Raises :class:`RecipeError` with every text that is not ``key=value``.
    """
    overrides = []
    for name, value in plain.items():
        key = PLAIN_FLAGS[name]
        if key in LISTS and value:
            tables = [{"name": one} for one in value]
            overrides.append(Override(key, tables, flag_text(name)))
        elif key not in LISTS and value is not None:
            overrides.append(Override(key, value, flag_text(name)))
    parts = [(text, *text.partition("=")) for text in sets]
    wrong = [text for text, key, equals, _ in parts if not (key.strip() and equals)]
    if wrong:
        raise RecipeError([not_a_setting(text) for text in wrong])
    overrides += [
        Override(key.strip(), parse_value(value.strip()), f"--set {text}")
        for text, key, _, value in parts
    ]
    return overrides


def parse_value(text: str) -> Any:
    """``text`` as a TOML value; what TOML does not know, and dates, as the text itself."""
    if "\n" in text or "\r" in text:
        return text
    try:
        find_positions(f"v = {text}")
        data = tomllib.loads(f"v = {text}")
    except (RefusedError, ValueError):  # tomllib's own error, or a number without end
        return text
    value = data["v"]
    return value if isinstance(value, bool | int | float | str | list | dict) else text


def plain_flag_keys() -> Mapping[KeyPath, str]:
    return {tuple(key.split(".")): flag_text(name) for name, key in PLAIN_FLAGS.items()}
