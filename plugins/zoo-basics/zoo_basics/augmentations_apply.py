"""random_apply: some of the augmentations of zoo-basics, together or one of them, by chance."""

from __future__ import annotations

import importlib
from typing import Any, Literal

import pydantic
import torch
from torch import Tensor

import zoo_basics
from zoo import Draws, ZooError
from zoo_basics.augmentations_choosing import Augmentation, Probability, in_format_of

_EXAMPLE: list[dict[str, Any]] = [{"name": "rotation"}, {"name": "color_jitter"}]
_STRICT = pydantic.ConfigDict(strict=True, allow_inf_nan=False)


def random_apply(
    *,
    augmentations: list[dict[str, Any]] = _EXAMPLE,
    choose: Literal["all", "one"] = "all",
    probability: Probability = 0.5,
) -> Augmentation:
    """With ``probability`` an image goes through ``"all"`` of ``augmentations`` in their order, or
    through ``"one"`` of them, each as likely; otherwise it stays. Each is a table with the name of
    an augmentation of zoo-basics and its options, among them its own ``probability``, which counts
    as well: ``augmentations = [{ name = "rotation", degrees = 30 }, { name = "gaussian_blur" }]``.
    """
    steps = [_built(table) for table in augmentations]
    if not steps:
        raise ZooError("random_apply: augmentations is empty; give one table with a name at least")

    def augment(
        images_BCHW: Tensor, masks_BHW: Tensor | None, draws: Draws
    ) -> tuple[Tensor, Tensor | None]:
        chosen = draws.chance(probability).to(images_BCHW.device)
        turn = draws.integers(0, len(steps)).to(images_BCHW.device)
        images, masks = images_BCHW, masks_BHW
        for place, (name, step) in enumerate(steps):
            changed, changed_masks = step(images, masks, draws.for_part(place, name))
            if changed.shape != images.shape:
                raise ZooError(
                    f"random_apply: {name!r} changes the size of images, which those of a batch "
                    f"must share; put it into the recipe by itself"
                )
            takes = chosen & (turn == place) if choose == "one" else chosen
            images = torch.where(takes[:, None, None, None], changed, images)
            if masks is not None and changed_masks is not None:
                masks = torch.where(takes[:, None, None], changed_masks, masks)
        return in_format_of(images_BCHW, images), masks

    return augment


def _built(table: dict[str, Any]) -> tuple[str, Augmentation]:
    builds = {spec.name: spec.build for spec in zoo_basics.register_augmentations()}
    name = table.get("name")
    if name not in builds:
        raise ZooError(
            f"random_apply: {name!r}: expected the name of an augmentation of zoo-basics: "
            f"{', '.join(sorted(builds))}"
        )
    module, _, function = str(builds[name]).partition(":")
    build = pydantic.validate_call(config=_STRICT)(
        getattr(importlib.import_module(module), function)
    )
    try:
        step = build(**{option: value for option, value in table.items() if option != "name"})
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = ".".join(str(part) for part in first["loc"])
        wrong = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
        raise ZooError(f"random_apply: {name}.{option} {first['input']!r}: {wrong}") from error
    if getattr(step, "mixes", False):
        raise ZooError(f"random_apply: {name} mixes images; put it into the recipe by itself")
    return str(name), step
