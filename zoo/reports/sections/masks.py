"""Images with their masks: worst, in the middle and best, and how all of them are spread.

Shapes: N images, K classes, H by W pixels of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from PIL import Image

from zoo.data.contact_sheet import IGNORED, mask_legend
from zoo.predictions.counts import count, of_images
from zoo.predictions.masks import MaskPredictions
from zoo.predictions.own_masks import MaskPair
from zoo.reports import wording
from zoo.reports.blocks import Block, Chart, Charts, Legend, Missing, Section, Strip, Strips, Text
from zoo.reports.figures.bars import draw_spread
from zoo.reports.measured import Measured
from zoo.reports.pictures import Pictures, as_address, command, is_small, thumbnail
from zoo.reports.sections.classes import nothing_measured
from zoo.reports.subject import Subject
from zoo.tasks import IGNORE, SEGMENTATION, Task

EACH = 3  # images of each kind
_SIDE = 192  # pixels
_EXTRA, _LOST, _RIGHT = (213, 94, 0), (0, 114, 178), (0, 158, 115)  # Okabe and Ito
_DIM = 0.45  # of the image behind its errors


def masks(
    subject: Subject, measured: Measured, pictures: Callable[[], Pictures | None]
) -> Section | None:
    """None of anything but masks."""
    if subject.task.kind != SEGMENTATION:
        return None
    said = measured.said
    if not isinstance(said, MaskPredictions) or not measured:
        return Section("Images", "images", [nothing_measured(subject, measured)])
    dice = image_dice(said)
    known = dice[~np.isnan(dice)]
    if not len(known):
        none = Missing("No image has a Dice: nothing is there, and nothing was found.")
        return Section("Images", "images", [none])
    figure = draw_spread(known, label="Dice of an image")
    chart = Chart(
        "dice-of-images", "Dice of the images", figure, _undefined(len(dice) - len(known))
    )
    blocks: list[Block] = [Charts([chart]), *_pictures(subject, said, dice, pictures)]
    return Section("Images", "images", blocks)


def image_dice(said: MaskPredictions) -> np.ndarray:
    """float (N,), NaN where undefined, at the network's size: what the mean over images is of."""
    tables = [
        count(said.task, target, decision)
        for chunk in said.chunks()
        for target, decision in zip(chunk.targets, chunk.decisions, strict=True)  # type: ignore[arg-type]
    ]
    return of_images(said.task, np.array(tables))["dice"]


def chosen(dice: np.ndarray, each: int = EACH) -> list[tuple[str, np.ndarray]]:
    """(name, indices) of the worst, those around the median and the best; each image once."""
    order = np.argsort(dice, kind="stable")  # NaN is last
    order = order[: int((~np.isnan(dice)).sum())]
    if len(order) < 3 * each:
        return [("Worst to best", order)]
    middle = (len(order) - each) // 2
    return [
        ("Worst", order[:each]),
        ("Around the median", order[middle : middle + each]),
        ("Best", order[::-1][:each]),
    ]


def _undefined(images: int) -> str:
    some = wording.several(images, "image has", "images have")
    return f"{some} none: nothing there, and nothing found." if images else ""


def _pictures(
    subject: Subject,
    said: MaskPredictions,
    dice: np.ndarray,
    pictures: Callable[[], Pictures | None],
) -> Iterator[Block]:
    found = pictures()
    if found is None:
        yield Missing("The images are not at hand; say where they are:", command(subject))
        return
    groups = chosen(dice)
    wanted = {int(k) for _, some in groups for k in some}
    views = {k: one for k, one in enumerate(_pairs(said)) if k in wanted}
    yield Legend(_legend(said.task))
    for title, some in groups:
        strips = [_strip(said, int(k), float(dice[k]), views[int(k)], found) for k in some]
        yield Strips(title, ("image", "truth", "decided", "errors"), strips)
    if said.sizes is None:
        yield Text("The predictions are of an earlier zoo, without masks of the images' own size.")


def _pairs(said: MaskPredictions) -> Iterator[MaskPair]:
    """In each image's own size, where the file has that."""
    yield from (one.own or one.network for one in said.images())


def _strip(said: MaskPredictions, k: int, dice: float, pair: MaskPair, pictures: Pictures) -> Strip:
    name, detail = str(said.ids[k]), f"Dice {wording.number(dice)}"
    image = pictures.pixels(name)
    assert pair.targets is not None
    if image is None:
        return Strip(name, f"{detail}; the image cannot be decoded", [])
    if image.shape[:2] != pair.decisions.shape:
        height, width = pair.decisions.shape
        if said.sizes is not None or said.preprocessing.get("fit", "stretch") != "stretch":
            return Strip(name, f"{detail}; the image is not of the size of its masks", [])
        image = _resized(image, (height, width))
    shown = np.where(pair.decisions == IGNORE, 0, pair.decisions).astype(np.uint8)
    uris = [
        thumbnail(image, None, _SIDE),
        thumbnail(image, pair.targets, _SIDE),
        thumbnail(image, shown, _SIDE),
        as_address(_errors(said.task, image, pair)),
    ]
    return Strip(name, detail, uris, small=is_small(*image.shape[:2]))


def _resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    gray = image.shape[2] == 1
    picture = Image.fromarray(image[:, :, 0] if gray else image)
    found = np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BILINEAR))
    return found[:, :, None] if gray else found


def _errors(task: Task, image: np.ndarray, pair: MaskPair) -> Image.Image:
    """The image in faint grey, and on it what was found too much, what was missed, or, of several
    classes, taken for another."""
    assert pair.targets is not None
    grey = np.asarray(Image.fromarray(np.squeeze(image)).convert("L"), np.float32)
    painted = np.repeat((255 - _DIM * (255 - grey))[:, :, None], 3, axis=2)
    known = (pair.targets != IGNORE) & (pair.decisions != IGNORE)
    off = known & (pair.targets != pair.decisions)
    for which, colour in _kinds(task, pair, off):
        painted[which] = colour
    painted[~known] = IGNORED
    if not off.any() and known.all():
        painted = 0.8 * painted + 0.2 * np.array(_RIGHT, np.float32)
    picture = Image.fromarray(painted.round().astype(np.uint8))
    scale = min(1.0, _SIDE / max(picture.size))
    size = tuple(max(1, round(side * scale)) for side in picture.size)
    return picture.resize(size, Image.Resampling.BOX)  # type: ignore[arg-type]


def _kinds(
    task: Task, pair: MaskPair, off: np.ndarray
) -> Sequence[tuple[np.ndarray, tuple[int, int, int]]]:
    if len(task.classes) > 2:
        return [(off, _EXTRA)]
    front = task.positive_index if task.positive is not None else 1
    return [(off & (pair.decisions == front), _EXTRA), (off & (pair.targets == front), _LOST)]


def _legend(task: Task) -> list[tuple[str, str]]:
    classes = [(_hex(colour), name) for name, colour in mask_legend(task.classes)]
    if len(task.classes) > 2:
        return [*classes, (_hex(_EXTRA), "errors: taken for another class")]
    return [
        *classes,
        (_hex(_EXTRA), "errors: found, but not there"),
        (_hex(_LOST), "errors: there, but not found"),
    ]


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
