"""torchvision's models as zoo's architectures, and their published weights. Building fetches
nothing."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING, Any

import zoo
from zoo import ArchitectureContext, Pretrained, ZooError
from zoo_torchvision import facts

if TYPE_CHECKING:
    from torch import nn

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_TRANSFORMING = ("googlenet", "inception_v3")
_DEFAULT = "DEFAULT"  # torchvision's own word for the first of the tags


def build(ctx: ArchitectureContext, name: str, **options: Any) -> nn.Module:
    """The network, with new weights: float (B, C, H, W) to logits (B, outputs), or (B, outputs, H,
    W) of a segmentation model. Auxiliary heads are left out.

    Raises :class:`zoo.ZooError` for images of a size that it does not take."""
    from zoo_torchvision import networks

    _require_size(name, ctx.image_size)
    side = ctx.image_size[0] if "multiple" in facts.table()[name] else 0
    network = networks.bare(name, ctx.outputs, side=side, **options)
    networks.with_channels(network, ctx.in_channels)
    return network


def pretrained(ctx: ArchitectureContext, name: str, **options: Any) -> Pretrained:
    """The weights of the tag that is asked for, ``DEFAULT`` being torchvision's best; their own
    outputs and channels. Auxiliary heads are among them.

    Raises :class:`zoo.ZooError` for a tag that is none, and where the weights cannot be had."""
    from zoo_torchvision import networks

    tags = facts.table()[name]["tags"]
    tag = _tag(name, ctx.pretrained, list(tags))
    said = tags[tag]
    path = zoo.fetch_weights(url=said["url"], sha256_prefix=said["sha256"], largest=said["bytes"])
    weights = zoo.read_torch_weights(path)
    try:
        weights = networks.published_names(name, weights, said["outputs"], said["size"][0])
    except RuntimeError as error:
        raise ZooError(
            f"architecture 'torchvision/{name}': its published weights {tag} do not fit "
            f"torchvision's own network: {str(error).splitlines()[-1].strip()}"
        ) from error
    mean, std = said.get("mean", _IMAGENET_MEAN), said.get("std", _IMAGENET_STD)
    if (
        name in _TRANSFORMING
    ):  # torchvision's network makes [-1, 1] of them first; this one does not
        mean = std = (0.5, 0.5, 0.5)
    if name.startswith("vit_"):
        weights = networks.for_side(name, weights, ctx.image_size[0])
    height, width = said["size"]
    return Pretrained(weights, tuple(mean), tuple(std), (height, width), said["interpolation"], tag)


def _tag(name: str, asked: str, tags: list[str]) -> str:
    if asked in ("", _DEFAULT):
        return tags[0]
    if asked in tags:
        return asked
    near = difflib.get_close_matches(asked, tags, n=1)
    meant = f" (did you mean {near[0]!r}?)" if near else ""
    raise ZooError(
        f"architecture 'torchvision/{name}' has no weights {asked!r}{meant}; expected one of "
        f"{', '.join((_DEFAULT, *tags))}"
    )


def _require_size(name: str, size: tuple[int, int]) -> None:
    entry = facts.table()[name]
    of = entry.get("multiple", 0)
    if of and (size[0] != size[1] or size[0] % of):
        side = max(of, math.ceil(max(size) / of) * of)
        raise _wrong_size(name, size, f"equal sides, multiples of {of}", side)
    least = entry.get("smallest", 0)
    if min(size) < least:
        side = math.ceil(least / 32) * 32  # the whole of what such networks shrink by
        raise _wrong_size(name, size, f"sides of at least {least}", side)


def _wrong_size(name: str, size: tuple[int, int], takes: str, side: int) -> ZooError:
    return ZooError(
        f"architecture 'torchvision/{name}' takes images with {takes} pixels, not "
        f"{size[0]} x {size[1]}; type --size {side}"
    )
