"""From an image file, in whatever mode, to uint8 pixels; from a mask to class ids.

Shapes: H by W pixels, C channels. What a decoder would do silently and wrongly is done here on
purpose or refused: rotation noted in EXIF is applied, 16-bit values are scaled (PIL's ``convert``
clips them), palette masks give their indices (``convert("L")`` turns ids 0, 1, 2 into 0, 38, 75),
a truncated file is an error (``verify()`` passes it), and so is an animation.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from zoo import tasks
from zoo.errors import DataError, missing_path, reason
from zoo.tasks import Task

# Only what people photograph and scan; never the formats whose readers trust sizes in the file.
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
SUFFIXES = frozenset(
    [".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".gif", ".webp", ".pgm", ".ppm", ".pbm"]
)
PIXELS = 89_478_485  # of one image; more is a mistake or an attack, and Pillow warns of it
# Refused here by its size, with a message of our own.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
IGNORE = tasks.IGNORE
_ORIENTATION = 0x0112  # the EXIF tag
_SIDES_SWAPPED = (5, 6, 7, 8)  # its values that swap height and width
_FOREGROUND = 127  # a two-valued mask is foreground above it, whatever a lossy format made of it
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I")


def open_image(
    source: Path | bytes, name: str | None = None, shrink_to: tuple[int, int] | None = None
) -> Image.Image:
    """A decoded image, from a file or its bytes; ``name`` stands in messages. ``shrink_to``: the
    least (height, width) wanted; a JPEG that is twice as large is decoded smaller, and faster.

    Raises :class:`DataError`: missing, undecodable, truncated, animated, or of more than
    :data:`PIXELS`, which is known before anything is decoded.
    """
    what = f"image {name or str(source)!r}" if isinstance(source, Path) else f"image {name!r}"
    if isinstance(source, Path) and not source.exists():
        raise DataError(missing_path("image", source))
    try:
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        with Image.open(stream, formats=FORMATS) as image:
            _check_form(image, what)
            if shrink_to is not None and image.format == "JPEG":
                # A photograph may yet be turned, so that height and width change places.
                image.draft(None, (max(shrink_to), max(shrink_to)))
            image.load()
            return image
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{what}: expected at most {PIXELS:,} pixels") from error
    # Pillow's readers raise whatever their parser meets: OSError, SyntaxError, struct.error, ...
    except Exception as error:
        raise DataError(f"{what} cannot be decoded: {reason(error)}") from error


def pixels(image: object, channels: int, where: str) -> np.ndarray:
    """A PIL image, a path or a uint8 array as uint8 (H, W, C) with ``channels`` channels, 1 or 3.

    Gray becomes three equal channels, colours become gray (ITU-R 601 luma); transparency is
    dropped. Raises :class:`DataError` naming ``where``.
    """
    if isinstance(image, str | Path):
        image = open_image(Path(image))
    if isinstance(image, Image.Image):
        return _from_pil(image, channels, where)
    array = np.asarray(image)
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or 0 in array.shape:
        raise DataError(
            f"{where}: array of shape {array.shape} and type {array.dtype}; expected uint8 "
            f"(height, width) or (height, width, channels)"
        )
    if array.ndim == 2:
        array = array[:, :, None]
    if array.shape[2] == channels:
        return array
    if array.shape[2] == 1 and channels == 3:
        return np.repeat(array, 3, axis=2)
    if array.shape[2] == 3 and channels == 1:
        return np.asarray(Image.fromarray(array).convert("L"))[:, :, None]
    raise DataError(f"{where}: {array.shape[2]} channels; expected 1 or 3")


def is_gray(image: object) -> bool:
    """Whether the image has one channel: which form a dataset is taken to have."""
    if isinstance(image, Image.Image):
        return image.mode in ("1", "L", "LA", "F", *_DEEP)
    array = np.asarray(image)
    return array.ndim == 2 or array.shape[-1] == 1


def upright_size(image: object) -> tuple[int, int]:
    """(height, width) of an image, or of the one at a path, as it is to be seen."""
    if isinstance(image, str | Path):
        with Image.open(image, formats=FORMATS) as opened:
            return upright_size(opened)
    if not isinstance(image, Image.Image):
        return np.asarray(image).shape[:2]
    width, height = image.size
    turned = image.getexif().get(_ORIENTATION) in _SIDES_SWAPPED
    return (width, height) if turned else (height, width)


def aligned_mask(mask: object, image: object) -> object:
    """``mask`` turned as its image will be.

    A mask without an orientation of its own was drawn on the image as it is stored when it has that
    size; so the orientation that the image's EXIF notes holds for both. A mask of the upright size,
    where that differs, stays as it is.
    """
    if not isinstance(mask, Image.Image) or not isinstance(image, Image.Image):
        return mask
    orientation = image.getexif().get(_ORIENTATION, 1)
    if orientation == 1 or mask.getexif().get(_ORIENTATION, 1) != 1 or mask.size != image.size:
        return mask
    turned = mask.copy()
    turned.getexif()[_ORIENTATION] = orientation
    return turned


def mask_ids(mask: object, task: Task, size: tuple[int, int], where: str) -> np.ndarray:
    """A mask, a PIL image or an integer array (H, W), as uint8 class ids (H, W) of ``size``.

    Palette masks are read as indices. Values are ids, and 255 is ignored in training and metrics;
    but in a task of two classes a mask of other values than 0, 1 and 255, or of 0 and 255 alone, is
    foreground above 127, which also mends what a lossy format made of it. Raises
    :class:`DataError` for a mask of another size, of colours, or with ids that are no class.
    """
    lossy = False
    if isinstance(mask, Image.Image):
        lossy = mask.format in ("JPEG", "WEBP")
        mask = ImageOps.exif_transpose(mask)
        if mask.mode not in ("1", "L", "P", *_DEEP):
            mask = _gray_of_equal_channels(mask, where)
    ids = np.asarray(mask)
    if ids.dtype == np.bool_:
        ids = ids.astype(np.uint8)
    if ids.ndim == 3 and ids.shape[2] == 1:
        ids = ids[:, :, 0]
    if ids.ndim != 2 or ids.dtype.kind not in "iu":
        raise DataError(
            f"{where}: mask of shape {ids.shape} and type {ids.dtype}; expected integers "
            f"(height, width)"
        )
    if ids.shape != size:
        raise DataError(
            f"{where}: mask is {ids.shape[0]}x{ids.shape[1]}, its image {size[0]}x{size[1]}; "
            f"expected the same size"
        )
    classes, values = len(task.classes), set(np.unique(ids).tolist())
    plain = values <= {0, 1} or (1 in values and values <= {0, 1, IGNORE})
    if classes == 2 and not plain and (lossy or max(values) > _FOREGROUND):
        return (ids > _FOREGROUND).astype(np.uint8)
    wrong = ids[(ids >= classes) & (ids != IGNORE) | (ids < 0)]
    if len(wrong):
        why = "; a lossy format changes ids, use PNG" if lossy else ""
        raise DataError(
            f"{where}: mask holds the id {int(wrong[0])}; expected 0 to {classes - 1}, or {IGNORE} "
            f"for what is ignored{why}"
        )
    return ids.astype(np.uint8)


def _check_form(image: Image.Image, what: str) -> None:
    width, height = image.size
    if width * height > PIXELS:
        raise DataError(f"{what} is {height}x{width}; expected at most {PIXELS:,} pixels")
    frames = getattr(image, "n_frames", 1)
    if frames != 1:
        raise DataError(f"{what} has {frames} frames; expected one")


def _from_pil(image: Image.Image, channels: int, where: str) -> np.ndarray:
    image = ImageOps.exif_transpose(image)
    if image.mode in _DEEP:
        deep = np.asarray(image).astype(np.int64)
        if deep.min() < 0 or deep.max() > 65535:
            raise DataError(f"{where}: values beyond 16 bits; expected 8 or 16")
        gray = (deep >> 8).astype(np.uint8)[:, :, None]
        return gray if channels == 1 else np.repeat(gray, 3, axis=2)
    if image.mode == "F":
        raise DataError(f"{where}: a float image has no known range; expected 8 or 16 bits")
    converted = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return converted[:, :, None] if channels == 1 else converted


def _gray_of_equal_channels(mask: Image.Image, where: str) -> Image.Image:
    channels = np.asarray(mask.convert("RGB"))
    if (channels != channels[:, :, :1]).any():
        raise DataError(f"{where}: mask of colours; expected class ids (gray or palette)")
    return Image.fromarray(np.ascontiguousarray(channels[:, :, 0]))
