"""Published weights of encoders, for ``pretrained``. Decoders and heads have none: they begin anew.

segmentation-models-pytorch's own loader is not asked to get them: without a network it tries for
half a minute, and it compares no sha256.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import zoo
from zoo import ArchitectureContext, DataError, Pretrained, ZooError
from zoo_smp import hub
from zoo_smp.networks import TIMM, check_encoder, made

if TYPE_CHECKING:
    from torch import Tensor

_LARGEST = 4 << 30  # bytes of a file that is on no Hub
_DIGITS = re.compile(r"-([0-9a-f]{8,64})\.pth")  # as publishers put it into a file's name
_PLAIN = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_DPN = ((124 / 255, 117 / 255, 104 / 255), (1 / (0.0167 * 255),) * 3)
_INTERPOLATIONS = ("bilinear", "bicubic")


def pretrained(
    context: ArchitectureContext, name: str, *, encoder: str, **options: Any
) -> Pretrained | None:
    """The weights of the tag that is asked for, else of the encoder's name, else of its first one,
    for three channels. None where nobody published any. Raises :class:`zoo.ZooError` for a tag that
    is none, and where the weights cannot be had."""
    check_encoder(name, encoder)
    get = _of_timm if encoder.startswith(TIMM) else _of_the_library
    return get(context, name, encoder, options)


def _of_the_library(
    context: ArchitectureContext, name: str, encoder: str, options: dict[str, Any]
) -> Pretrained | None:
    from segmentation_models_pytorch.encoders import encoders

    settings = encoders[encoder]["pretrained_settings"]
    tag = _tag(name, encoder, context.pretrained, list(settings))
    if tag is None:
        return None
    one = settings[tag]
    published = hub.weights(one["repo_id"], one["revision"])
    network = made(name, encoder, 3, context.outputs, context.image_size, options)
    try:
        network.encoder.load_state_dict(published)
    except (KeyError, RuntimeError) as error:
        raise _misfit(name, encoder, tag, error) from error
    mean, std = _normalization(encoder, tag)
    return Pretrained(_encoder_s(network), mean, std, tag=tag)


def _of_timm(
    context: ArchitectureContext, name: str, encoder: str, options: dict[str, Any]
) -> Pretrained | None:
    import timm

    architecture, _, own = encoder.removeprefix(TIMM).partition(".")
    tags = [one.partition(".")[2] for one in timm.list_pretrained(f"{architecture}.*")]
    default = timm.get_pretrained_cfg(architecture)
    first = own or (default.tag if default is not None else "")
    tags.sort(key=lambda one: one != first)  # that one first
    tag = _tag(name, encoder, context.pretrained, tags)
    if tag is None:
        return None
    full = f"{architecture}.{tag}"
    settings: Any = timm.get_pretrained_cfg(full)
    published = _published(full, settings)  # timm renames and resizes them
    try:
        network = made(
            name, TIMM + full, 3, context.outputs, context.image_size, options,
            encoder_weights=True, pretrained_cfg_overlay={"state_dict": published},
        )  # fmt: skip
    except RuntimeError as error:
        raise _misfit(name, encoder, tag, error) from error
    height, width = settings.input_size[-2:]
    how = settings.interpolation
    return Pretrained(
        _encoder_s(network),
        tuple(settings.mean),
        tuple(settings.std),
        (int(height), int(width)),
        how if how in _INTERPOLATIONS else "",
        tag,
    )


def _published(full: str, settings: Any) -> dict[str, Tensor]:
    """As timm publishes them, by its names."""
    if settings.hf_hub_id:
        own = settings.hf_hub_id
        return hub.weights(f"timm/{full}" if own == "timm/" else own)
    digits = _DIGITS.search(settings.url or "")
    if digits is None:
        raise DataError(
            f"encoder '{TIMM}{full}': nobody published a sha256 of its weights, so zoo cannot "
            f"compare them; take another tag"
        )
    path = zoo.fetch_weights(url=settings.url, sha256_prefix=digits[1], largest=_LARGEST)
    return zoo.read_torch_weights(path)


def _encoder_s(network: Any) -> dict[str, Tensor]:
    state: dict[str, Tensor] = network.encoder.state_dict()
    return {f"encoder.{key}": value for key, value in state.items()}


def _tag(name: str, encoder: str, asked: str, tags: Sequence[str]) -> str | None:
    if not asked:
        return tags[0] if tags else None
    if asked in tags:
        return asked
    close = difflib.get_close_matches(asked, tags, n=1)
    meant = f" (did you mean {close[0]!r}?)" if close else ""
    raise ZooError(
        f"architecture 'smp/{name}': encoder {encoder!r} has no pretrained weights "
        f"{asked!r}{meant}; expected one of {', '.join(tags) or 'none: it has none'}"
    )


def _misfit(name: str, encoder: str, tag: str, error: Exception) -> ZooError:
    return ZooError(
        f"architecture 'smp/{name}': the pretrained weights {tag!r} do not fit encoder "
        f"{encoder!r} with these options: {' '.join(str(error).split())[:200]}"
    )


def _normalization(encoder: str, tag: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of the images that the library's own encoders saw: red, green, blue of [0, 1]."""
    if encoder.startswith("dpn"):
        return _DPN
    half = encoder in ("inceptionresnetv2", "inceptionv4", "xception") or tag == "advprop"
    return _HALF if half else _PLAIN
