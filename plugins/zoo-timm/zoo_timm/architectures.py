"""timm's architectures as zoo's. Nothing here downloads anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo import ArchitectureContext, ZooError
from zoo_timm import facts, sizes
from zoo_timm.receiving import reason

if TYPE_CHECKING:
    from torch import nn


def build(ctx: ArchitectureContext, name: str, **options: Any) -> nn.Module:
    """The network, with new weights: float (B, C, H, W) to logits (B, outputs).

    Raises :class:`zoo.ZooError` for a size or a number of channels that it does not take."""
    import timm
    import torch

    given = arguments(ctx, name, options)
    # On the meta device a network is built to be given the weights of one that worked.
    if torch.get_default_device().type != "meta":
        sizes.require(ctx, name, given)
    try:
        network: nn.Module = timm.create_model(name, pretrained=False, **given)
    except Exception as error:  # each of 90 classes has errors of its own
        raise ZooError(
            f"architecture 'timm/{name}': timm {timm.__version__} cannot build it for "
            f"{ctx.in_channels} channels of {sizes.text(ctx.image_size)} pixels and {ctx.outputs} "
            f"outputs: {reason(error)}"
        ) from error
    return network


def arguments(ctx: ArchitectureContext, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """What timm's ``create_model`` is given."""
    given = {"in_chans": ctx.in_channels, "num_classes": ctx.outputs, **options}
    if facts.table()["architectures"][facts.split(name)[0]].get("sized"):
        given["img_size"] = ctx.image_size
    return given
