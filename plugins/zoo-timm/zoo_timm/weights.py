"""timm's published weights, for ``pretrained``: got and compared by zoo, fitted by timm.

timm's own loader is not asked to get them: it tries for 46 s without a network, compares no sha256,
and takes pickles. What is got is handed to it, because it renames and resizes what it published.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

import zoo
from zoo import ArchitectureContext, DataError, Pretrained, ZooError
from zoo_timm import facts, hub
from zoo_timm.receiving import reason

if TYPE_CHECKING:
    from torch import Tensor

_LARGEST = 4 << 30  # bytes of a file that is on no Hub
_HASH = re.compile(r"-([0-9a-f]{8,64})\.pth")  # as publishers put it into a file's name
_INTERPOLATIONS = ("bilinear", "bicubic")


def pretrained(ctx: ArchitectureContext, name: str, **options: Any) -> Pretrained | None:
    """The weights of the tag that is asked for, else of the name's, else of timm's default one.

    Raises :class:`zoo.ZooError` for a tag that is none, and where the weights cannot be had."""
    architecture, own = facts.split(name)
    tags = facts.table()["architectures"][architecture]["tags"]
    if not tags:
        return None
    tag = ctx.pretrained or own or next(iter(tags))
    if tag not in tags:
        near = difflib.get_close_matches(tag, tags, n=1)
        meant = f" (did you mean {near[0]!r}?)" if near else ""
        raise ZooError(
            f"architecture 'timm/{name}' has no pretrained weights {tag!r}{meant}; its tags are "
            f"{', '.join(tags)}"
        )
    return _fitted(ctx, f"{architecture}.{tag}", options, _published(tags[tag], architecture, tag))


def _published(entry: dict[str, Any], architecture: str, tag: str) -> dict[str, Tensor]:
    """As they were published, by the publisher's names."""
    if repository := entry.get("hub", ""):
        owner_only = repository == "timm"
        repository = f"timm/{architecture}.{tag}" if owner_only else repository
        return hub.weights(repository, entry.get("file") or hub.FILE)
    url = entry.get("url", "")
    digest = _HASH.search(url)
    if digest is None:
        raise DataError(
            f"architecture 'timm/{architecture}.{tag}': its weights are at {url or 'no address'}, "
            f"whose publisher names no sha256, so zoo cannot compare it; start from another tag, "
            f"or from your own .safetensors file"
        )
    path = zoo.fetch_weights(url=url, sha256_prefix=digest[1], largest=_LARGEST)
    return zoo.read_torch_weights(path)


def _fitted(
    ctx: ArchitectureContext, name: str, options: dict[str, Any], published: dict[str, Tensor]
) -> Pretrained:
    """By the names of the network's own tensors, for this size of images; outputs and channels are
    those of the weights."""
    import timm

    given = dict(options)
    if facts.table()["architectures"][facts.split(name)[0]].get("sized"):
        given["img_size"] = ctx.image_size
    try:
        network = timm.create_model(
            name, pretrained=True, pretrained_cfg_overlay={"state_dict": published}, **given
        )
    except Exception as error:  # timm's filters meet what they expect, or fail in any way
        raise ZooError(
            f"architecture 'timm/{name}': its pretrained weights do not fit a network of these "
            f"options, or are not what timm expects: {reason(error)}"
        ) from error
    said: Any = network.pretrained_cfg
    interpolation = said.get("interpolation", "")
    height, width = said["input_size"][-2:]
    return Pretrained(
        weights=network.state_dict(),
        mean=tuple(said["mean"]),
        std=tuple(said["std"]),
        image_size=(int(height), int(width)),
        interpolation=interpolation if interpolation in _INTERPOLATIONS else "",
        tag=facts.split(name)[1],
    )
