"""Which sizes of images an architecture takes: tried on shapes alone, without values.

timm does not say it, and many a network fails only when it is used: its windows or strides do not
fit, or nothing is left of a small image.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from zoo import ArchitectureContext, ZooError
from zoo_timm import facts
from zoo_timm.receiving import reason

# Sides that windows, patches and strides ask for, and how far up they are tried.
_STEPS = (1, 2, 4, 7, 8, 14, 16, 28, 32, 48, 64)
_FURTHER = (96, 112, 128, 160, 192, 224, 256, 288, 320, 384, 448, 512)
_RGB = 3  # channels that every one takes
_SEVERAL = 2  # images: a network may take one for a whole batch


def require(ctx: ArchitectureContext, name: str, given: dict[str, Any]) -> None:
    """Raise :class:`zoo.ZooError` unless the network built of ``given`` takes such images. What it
    was made for is not tried."""
    made_for = native(name)
    if ctx.image_size == made_for and ctx.in_channels == _RGB:
        return
    wrong = problem(name, _frozen(given), ctx.image_size)
    if not wrong:
        return
    resized = _resized(given, made_for)
    if problem(name, _frozen(resized), made_for):
        if problem(name, _frozen({**resized, "in_chans": _RGB}), made_for):
            return  # nothing can be tried without values; the network itself will tell
        raise ZooError(
            f"architecture 'timm/{name}' takes no images of {ctx.in_channels} channels ({wrong}); "
            f"type --set data.channels={_RGB}"
        )
    raise ZooError(
        f"architecture 'timm/{name}' takes no images of {text(ctx.image_size)} pixels ({wrong}); "
        f"{_advice(ctx, name, given)}"
    )


def native(name: str) -> tuple[int, int]:
    """The height and width that the name's default weights were trained on."""
    size = facts.facts(name).image_size
    assert size is not None
    return size


def text(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


@functools.lru_cache(maxsize=256)
def problem(name: str, given: tuple[tuple[str, Any], ...], size: tuple[int, int]) -> str:
    """What goes wrong for images of that size; empty when nothing does."""
    import timm

    arguments = dict(given)
    shape = (_SEVERAL, arguments["in_chans"], *size)
    try:
        with without_values():
            network: nn.Module = timm.create_model(name, pretrained=False, **arguments)
            logits = network.eval()(torch.empty(shape, device="meta"))
    except Exception as error:  # whatever a network makes of a size it does not take
        return f"timm: {reason(error)}"
    wanted = (_SEVERAL, arguments["num_classes"])
    if not isinstance(logits, torch.Tensor) or tuple(logits.shape) != wanted:
        found = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        return f"it gives {found} for {_SEVERAL} images; expected {wanted}"
    return ""


def _advice(ctx: ArchitectureContext, name: str, given: dict[str, Any]) -> str:
    for side in _candidates(max(ctx.image_size), native(name)):
        size = (side, side)
        if not problem(name, _frozen(_resized(given, size)), size):
            return f"the next square that it takes is {text(size)}: type --size {side}"
    height, width = native(name)
    typed = f"--size {height}" if height == width else f"--set data.size=[{height},{width}]"
    return f"it was made for {text((height, width))}: type {typed}"


def _candidates(side: int, made_for: tuple[int, int]) -> list[int]:
    """Sides above ``side``, the nearest first."""
    multiples = {-(-(side + 1) // step) * step for step in _STEPS}
    return sorted({*multiples, *(one for one in (*_FURTHER, *made_for) if one > side)})


def _resized(given: dict[str, Any], size: tuple[int, int]) -> dict[str, Any]:
    return {**given, "img_size": size} if "img_size" in given else given


def _frozen(given: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(given.items()))


class _Unfilled(TorchFunctionMode):
    """Leaves out what would fill tensors that have no values, which is most of the time in which a
    network is built."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = getattr(func, "__name__", "") in _FILLING
        if named and args and isinstance(args[0], torch.Tensor) and args[0].is_meta:
            return args[0]
        return func(*args, **(kwargs or {}))


_FILLING = {"uniform_", "normal_", "fill_", "zero_", "trunc_normal_", "constant_", "ones_"}


@contextmanager
def without_values() -> Iterator[None]:
    with (
        warnings.catch_warnings(),
        torch.random.fork_rng(devices=[]),
        torch.no_grad(),
        torch.device("meta"),
        _Unfilled(),
    ):
        warnings.simplefilter("ignore")  # of the network itself they are shown
        yield
