"""Which images the networks take."""

from __future__ import annotations

from zoo import ZooError
from zoo_pretrainedmodels.models import MODELS, Model


def check_size(name: str, size: tuple[int, int]) -> None:
    """``size``: height and width in pixels. Raises :class:`zoo.ZooError`, saying which sides fit,
    where a layer would have no pixel left or branches would not meet."""
    model = MODELS[name]
    if all(fits(model, side) for side in size):
        return
    least, most = model.smallest, model.smallest + model.fits - 1
    larger = max(_next(model, side) for side in size)
    legal = (
        f"sides of {least} pixels or more"
        if model.fits == model.period
        else f"sides of {least} to {most} pixels, plus any multiple of {model.period}"
    )
    height, width = size
    raise ZooError(
        f"architecture 'pretrainedmodels/{name}' takes no images of {height} x {width} pixels, "
        f"only {legal}: type --size {larger}"
    )


def fits(model: Model, side: int) -> bool:
    """Whether images may be ``side`` pixels high, or wide."""
    return side >= model.smallest and (side - model.smallest) % model.period < model.fits


def _next(model: Model, side: int) -> int:
    """The least side that fits and is no smaller."""
    while not fits(model, side):
        side += 1
    return side
