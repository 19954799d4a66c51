"""One sample, looked at: decoded once, and what is kept of it, about 1.5 kB.

Shapes: H by W pixels, S = 32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from zoo.data.audit.files import FileFaultError, digest, fault_of, file_bytes
from zoo.data.audit.masking import MaskSeen, look_at_mask
from zoo.data.audit.matching import SIDE
from zoo.data.datasets import Split, file_of
from zoo.data.decoding import is_gray, open_image, pixels, upright_size
from zoo.errors import DataError, reason
from zoo.tasks import SEGMENTATION, Task


class Fault(NamedTuple):
    kind: str
    message: str


@dataclass(frozen=True)
class Seen:
    """``thumb``: uint8 (S, S), gray; ``pixels``, ``file``: digests, b"" where unknown; ``mean`` and
    ``square``: of values in [0, 1], three channels; ``gray``: whether the three are one."""

    faults: tuple[Fault, ...] = ()
    thumb: np.ndarray | None = None
    pixels: bytes = b""
    file: bytes = b""
    size: tuple[int, int] = (0, 0)
    mode: str = ""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    square: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gray: bool = True
    blank: bool = False
    mask: MaskSeen | None = None


def look(split: Split, index: int, task: Task) -> Seen:
    """Never raises for what a file may hold."""
    name = split.ids[index]
    content: bytes | None = None
    try:
        path = file_of(split, index)
        if path is not None:
            content = file_bytes(path, name)
            image: Any = open_image(content, name)
        else:
            image = split.image(index)
        gray = is_gray(image)
        array = pixels(image, 1 if gray else 3, f"{name!r}")
    except FileFaultError as fault:
        return Seen(faults=(Fault(*fault.args),))
    except Exception as error:
        # A DataError from the decoder, or whatever a plugin's own reader raises.
        said = str(error) if isinstance(error, DataError) else f"{name!r}: {reason(error)}"
        if isinstance(error, DataError) and "float image" in said:
            return Seen(faults=(Fault("float_image", said),))
        return Seen(faults=(Fault(*fault_of(content, name, said)),))
    mask = None
    if task.kind == SEGMENTATION:
        mask = look_at_mask(split, index, task, image, upright_size(image))
    return _described(array, _mode(image), b"" if content is None else digest(content), mask)


def _described(array: np.ndarray, mode: str, file: bytes, mask: MaskSeen | None) -> Seen:
    # Gray stored as colour is the same picture as gray.
    gray = array.shape[2] == 1 or bool((array == array[:, :, :1]).all())
    if gray:
        array = np.ascontiguousarray(array[:, :, :1])
    levels = [np.bincount(array[:, :, k].ravel(), minlength=256) for k in range(array.shape[2])]
    values = np.arange(256) / 255.0
    count = array.shape[0] * array.shape[1]
    means = [float(level @ values / count) for level in levels]
    squares = [float(level @ np.square(values) / count) for level in levels]
    if gray:
        means, squares = means * 3, squares * 3
    return Seen(
        faults=() if mask is None or mask.fault is None else (Fault(*mask.fault),),
        thumb=thumbnail(array),
        pixels=digest(repr(array.shape).encode(), array.tobytes()),
        file=file,
        size=(array.shape[0], array.shape[1]),
        mode=mode,
        mean=(means[0], means[1], means[2]),
        square=(squares[0], squares[1], squares[2]),
        gray=gray,
        blank=all(int(level.max()) == count for level in levels),
        mask=mask,
    )


def thumbnail(array: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 1 or 3) -> uint8 (S, S), gray, stretched to a square."""
    image = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array).convert("L")
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=3.0))


def _mode(image: object) -> str:
    """What PIL calls it, or the form of an array."""
    if isinstance(image, Image.Image):
        return image.mode
    shape = np.asarray(image).shape
    return "uint8" if len(shape) == 2 else f"uint8 x {shape[2]}"
