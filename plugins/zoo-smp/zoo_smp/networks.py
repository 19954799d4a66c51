"""segmentation-models-pytorch's networks, with any encoder that it has.

Shapes: images float (B, C, H, W), logits (B, outputs, H, W).
"""

from __future__ import annotations

import contextlib
import difflib
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from torch import nn

from zoo import ArchitectureContext, ZooError
from zoo_smp.options import given, maker

TIMM = "tu-"
_PAN_POOLS = 8  # its decoder halves the last features three times more


def build(context: ArchitectureContext, name: str, *, encoder: str, **options: Any) -> nn.Module:
    """The network with new weights. Raises :class:`zoo.ZooError` for an encoder that there is not,
    one that does not go with this decoder, and sizes that it cannot take."""
    check_encoder(name, encoder)
    channels, outputs, size = context.in_channels, context.outputs, context.image_size
    network: nn.Module = made(name, encoder, channels, outputs, size, options)
    _check_size(name, encoder, network, size)
    return network


def made(
    name: str, encoder: str, channels: int, outputs: int, size: tuple[int, int],
    options: dict[str, Any], **more: Any,
) -> Any:  # fmt: skip
    """The library's network; ``more``: for its encoder, which is timm's, or ``encoder_weights``."""
    arguments: dict[str, Any] = {"encoder_weights": None, **given(options), **more}
    if encoder.startswith(TIMM) and _made_for_a_size(encoder):
        arguments["img_size"] = size
    if name == "pspnet":  # its head enlarges eightfold, whatever its encoder's depth
        arguments["upsampling"] = 2 ** options["encoder_depth"]
    try:
        with _quiet():
            return maker(name)(
                encoder_name=encoder, in_channels=channels, classes=outputs, **arguments
            )
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ZooError(
            f"architecture 'smp/{name}' cannot be built with encoder {encoder!r} and these "
            f"options: {_words(error)}"
        ) from error


def check_encoder(name: str, encoder: str) -> None:
    import timm
    from segmentation_models_pytorch.encoders import encoders

    if not encoder.startswith(TIMM):
        if encoder not in encoders:
            raise _unknown(name, encoder, [*encoders, *(TIMM + one for one in timm.list_models())])
        return
    bare = encoder.removeprefix(TIMM)
    if not timm.is_model(bare):
        raise _unknown(name, encoder, [*encoders, *(TIMM + one for one in timm.list_models())])
    architecture, _, tag = bare.partition(".")
    tags = [one.partition(".")[2] for one in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        raise ZooError(
            f"architecture 'smp/{name}': encoder {encoder!r} has no weights "
            f"{tag!r}{_nearest(tag, tags)}; expected {TIMM}{architecture}, or with one of "
            f"{', '.join(tags) or 'none'}"
        )


def _unknown(name: str, encoder: str, known: list[str]) -> ZooError:
    return ZooError(
        f"architecture 'smp/{name}': unknown encoder {encoder!r}{_nearest(encoder, known)}; "
        f"expected one of segmentation-models-pytorch's, or {TIMM} and a name of timm's"
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _made_for_a_size(encoder: str) -> bool:
    import timm

    settings = timm.get_pretrained_cfg(encoder.removeprefix(TIMM))
    return bool(settings is not None and settings.fixed_input_size)


def _check_size(name: str, encoder: str, network: Any, size: tuple[int, int]) -> None:
    stride = network.encoder.output_stride if network.requires_divisible_input_shape else 1
    least = stride * (_PAN_POOLS if name == "pan" else 1)
    if all(side % stride == 0 and side >= least for side in size):
        return
    height, width = size
    above = max(-(-max(size) // stride) * stride, least)
    raise ZooError(
        f"architecture 'smp/{name}' with encoder {encoder!r} takes no images of {height} x {width} "
        f"pixels, only sides that are multiples of {stride}, from {least} on: type --size {above}"
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`timm-` encoders are deprecated")
        warnings.filterwarnings("ignore", message="Encoder does not have prefix tokens")
        yield


def _words(error: Exception) -> str:
    """The library's own, on one line."""
    text = str(error.args[0]) if error.args else ""
    return " ".join(text.split()) or type(error).__name__
