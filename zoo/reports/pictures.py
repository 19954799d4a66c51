"""The images behind predictions, small enough to stand in a page.

They come from the dataset's own files, which may not be at hand; then the report does without.
Shapes: H by W pixels.
"""

from __future__ import annotations

import base64
import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image

from zoo.data.contact_sheet import fitted
from zoo.data.datasets import Split
from zoo.data.decoding import is_gray, pixels
from zoo.data.splits import ids_fingerprint
from zoo.errors import DataError, ReportError, ZooError, ZooWarning, clipped, reason
from zoo.plugins.catalog import catalog
from zoo.predictions.file import Predictions
from zoo.predictions.masks import MaskPredictions
from zoo.reports.subject import Subject
from zoo.runs.opening import open_dataset

SIDE = 128  # pixels of a picture, at most
SMALL = 64  # pixels up to which one is kept as it is, and enlarged by the page
_QUALITY = 85  # of a JPEG


@dataclass(frozen=True)
class Pictures:
    """``places``: where in ``split`` each id is."""

    split: Split
    places: dict[str, int]

    def pixels(self, name: str) -> np.ndarray | None:
        """uint8 (H, W, 1 or 3), upright; None where the image cannot be decoded."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = self.split.image(self.places[name])
                return pixels(image, 1 if is_gray(image) else 3, name)
        # What a plugin or a decoder raises, too: one image less is no reason for no report.
        except Exception:
            return None


def open_pictures(
    subject: Subject, said: Predictions | MaskPredictions, root: str | None
) -> Pictures | None:
    """None where the images are not at hand; why is told by a warning. Raises
    :class:`zoo.errors.ZooError` where ``root`` was given and does not hold them."""
    try:
        return _opened(subject, said, root)
    except ZooError as error:
        if root is not None:
            raise
        warnings.warn(f"no pictures of samples: {error}", ZooWarning, stacklevel=2)
        return None


def _opened(
    subject: Subject, said: Predictions | MaskPredictions, root: str | None
) -> Pictures | None:
    source = subject.source()
    if source is None or source.name != said.dataset:
        raise ReportError(f"{subject.name!r} was not trained on {clipped(said.dataset)!r}")
    try:
        opened = open_dataset(
            catalog(), source.name, source.options, root or source.root, source.plan
        )
        split = opened.split(said.split)
    except OSError as error:
        raise DataError(f"dataset {source.name!r} cannot be read: {reason(error)}") from error
    where = f"dataset {source.name!r}, split {said.split!r}"
    if opened.dataset.task.classes != said.task.classes or ids_fingerprint(split) != (
        said.fingerprint
    ):
        raise ReportError(f"{where}: it is not the one that the predictions are of: its ids differ")
    places = {name: index for index, name in enumerate(split.ids)}
    if _other_labels(split, places, said):
        raise ReportError(
            f"{where}: it is not the one that the predictions are of: its labels differ"
        )
    return Pictures(split, places)


def _other_labels(
    split: Split, places: dict[str, int], said: Predictions | MaskPredictions
) -> bool:
    """Ids may be mere numbers, which another dataset has as well."""
    if not isinstance(said, Predictions) or said.targets is None or split.labels is None:
        return False
    there = np.asarray(split.labels)[[places[one] for one in said.ids.tolist()]]
    return not np.array_equal(there, said.targets)


def thumbnail(image: np.ndarray, mask: np.ndarray | None = None, side: int = SIDE) -> str:
    """An address that holds the picture itself; ``mask``: class ids, uint8 (H, W), laid over."""
    picture = fitted(image, mask, min(side, max(image.shape[:2])))
    return as_address(picture)


def as_address(picture: Image.Image) -> str:
    """PNG of what is small, where every pixel is seen; JPEG of photographs, a fifth of that."""
    small = is_small(picture.width, picture.height)
    stream = io.BytesIO()
    if small:
        picture.save(stream, "PNG", optimize=True)
    else:
        picture.convert("RGB").save(stream, "JPEG", quality=_QUALITY, optimize=True)
    kind = "png" if small else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"


def is_small(*sides: int) -> bool:
    return max(sides) <= SMALL


def command(subject: Subject) -> str:
    """What shows them, where the files lie elsewhere."""
    return f"zoo report {subject.argument} --root FOLDER"
