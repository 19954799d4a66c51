"""Made-up images in the layouts of the five data sets, for the ``smoke`` profiles.

    python studies/smoke_data.py [FOLDER]     FOLDER: runs/smoke-data

Each class has a shape of its own that a small network finds in a few steps. The same files to the
byte for one version of Pillow, zlib and numpy; written in about a second.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path("runs/smoke-data")
XRAY = {"train": (16, 44), "val": (5, 13), "test": (5, 13)}  # NORMAL, PNEUMONIA
SKIN = {"train": (24, 24), "val": (8, 8), "test": (8, 8)}  # MEL, NV
KVASIR = {"train": 48, "test": 12}
MNIST = {"train": 300, "t10k": 100}
PATH = {"train": 180, "val": 20, "test": 45}
UNLABELED = 9  # as a challenge gives them, to be answered in a submission
_HEX = "0123456789abcdef"


def main(folder: Path = FOLDER) -> None:
    kvasir_instrument(folder / "kvasir_instrument")
    chest_xray(folder / "chest_xray")
    mnist(folder / "mnist")
    pathmnist(folder / "pathmnist")
    skin_lesions(folder / "skin_lesions")


def kvasir_instrument(root: Path) -> None:
    """Frames with a bright bar, the instrument; masks of 0 and 255, lists, and boxes."""
    rng = np.random.default_rng(0)
    for part in ("images", "masks"):
        (root / part).mkdir(parents=True, exist_ok=True)
    boxes = {}
    for split, count in KVASIR.items():
        names = [f"{split}{i:03d}" for i in range(count)]
        for name in names:
            pixels, mask = _frame(rng)
            Image.fromarray(pixels).save(root / "images" / f"{name}.jpg", quality=95)
            Image.fromarray(mask).save(root / "masks" / f"{name}.png")
            rows, columns = np.nonzero(mask)
            ends = (columns.min(), rows.min(), columns.max(), rows.max())
            box = dict(zip(("xmin", "ymin", "xmax", "ymax"), map(int, ends), strict=True))
            height, width = mask.shape
            one = {"height": height, "width": width, "bbox": [{"label": "instrument", **box}]}
            boxes[name] = one
        (root / f"{split}.txt").write_text("\n".join(names) + "\n")
    (root / "bboxes.json").write_text(json.dumps(boxes, indent=1))


def _frame(rng: np.random.Generator, height: int = 48, width: int = 64) -> tuple[np.ndarray, ...]:
    """uint8 (height, width, 3) and its mask."""
    pixels = _noise(rng, (height, width, 3), 70, 18)
    pixels[..., 0] += 60  # as flesh
    angle, (y, x) = rng.uniform(0, np.pi), rng.uniform(0.3, 0.7, 2) * (height, width)
    down, right = np.mgrid[:height, :width]
    across = (right - x) * np.sin(angle) - (down - y) * np.cos(angle)
    along = (right - x) * np.cos(angle) + (down - y) * np.sin(angle)
    inside = (abs(across) < rng.uniform(5, 8)) & (abs(along) < rng.uniform(14, 24))
    pixels[inside] = _noise(rng, (int(inside.sum()), 3), 190, 12)
    return _bytes(pixels), np.where(inside, 255, 0).astype(np.uint8)


def chest_xray(root: Path) -> None:
    """A folder a split and class; names as of the published copy on Hugging Face."""
    rng = np.random.default_rng(1)
    number = 0
    for split, counts in XRAY.items():
        for sick, (label, count) in enumerate(zip(("NORMAL", "PNEUMONIA"), counts, strict=True)):
            folder = root / split / label
            folder.mkdir(parents=True, exist_ok=True)
            for _ in range(count):
                number += 1
                stem = f"person{number}_bacteria_{number}" if sick else f"IM-{number:04d}-0001"
                digits = "".join(_HEX[i] for i in rng.integers(0, 16, 32))
                chest = _chest(rng, bool(sick))
                Image.fromarray(chest).save(folder / f"{stem}_jpeg.rf.{digits}.jpg", quality=95)


def _chest(rng: np.random.Generator, sick: bool, side: int = 64) -> np.ndarray:
    """uint8 (side, side, 3), gray; sick lungs are clouded."""
    down, right = np.mgrid[:side, :side] / side
    pixels = _noise(rng, (side, side), 150, 12)
    for middle in (0.3, 0.7):
        lung = ((right - middle) / 0.16) ** 2 + ((down - 0.5) / 0.36) ** 2 < 1
        pixels[lung] -= rng.uniform(60, 100) if sick else rng.uniform(80, 120)
    return np.repeat(_bytes(pixels)[..., None], 3, axis=2)


def mnist(root: Path) -> None:
    """Four idx files, gzipped; ten classes, each a bright square at a place of its own."""
    rng = np.random.default_rng(2)
    root.mkdir(parents=True, exist_ok=True)
    for split, count in MNIST.items():
        labels = rng.permutation(np.arange(count) % 10).astype(np.uint8)
        images = np.stack([_digit(rng, int(label)) for label in labels])
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(
                side.to_bytes(4, "big") for side in array.shape
            )
            packed = gzip.compress(head + array.tobytes(), mtime=0)
            (root / f"{split}-{name}-ubyte.gz").write_bytes(packed)


def _digit(rng: np.random.Generator, label: int) -> np.ndarray:
    pixels = np.zeros((28, 28))
    top, left = 4 + 12 * (label // 5), 1 + 5 * (label % 5)
    pixels[top : top + 8, left : left + 5] = 220
    return _bytes(pixels + rng.normal(0, 110, pixels.shape))


def pathmnist(root: Path) -> None:
    """``pathmnist.npz`` and, as a challenge would give them, images without labels."""
    rng = np.random.default_rng(3)
    root.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for split, count in PATH.items():
        labels = rng.permutation(np.arange(count) % 9).astype(np.uint8)
        arrays[f"{split}_images"] = np.stack([_tissue(rng, int(label)) for label in labels])
        arrays[f"{split}_labels"] = labels[:, None]
    np.savez_compressed(root / "pathmnist.npz", **arrays)
    (root / "unlabeled").mkdir(exist_ok=True)
    for i in range(UNLABELED):
        tissue = _tissue(rng, int(rng.integers(9)))
        Image.fromarray(tissue).save(root / "unlabeled" / f"{i:05d}.png")


def _tissue(rng: np.random.Generator, label: int) -> np.ndarray:
    """uint8 (28, 28, 3): stripes of a width and a colour by class."""
    width, colour = 1 + label // 3, label % 3
    stripes = np.arange(28) // (2 * width) % 2
    pixels = _noise(rng, (28, 28, 3), 110, 12)
    pixels[..., colour] += 90 * stripes
    return _bytes(pixels)


def skin_lesions(root: Path) -> None:
    """A folder a split and class; melanomas are ragged and dark, nevi round."""
    rng = np.random.default_rng(4)
    for split, counts in SKIN.items():
        for label, count in zip(("MEL", "NV"), counts, strict=True):
            folder = root / split / label
            folder.mkdir(parents=True, exist_ok=True)
            for i, pixels in enumerate(_lesions(rng, count, label == "MEL")):
                Image.fromarray(pixels).save(folder / f"ISIC_{i:07d}.jpg", quality=95)


def _lesions(
    rng: np.random.Generator, count: int, ragged: bool, side: int = 64
) -> Iterator[np.ndarray]:
    down, right = np.mgrid[:side, :side] - side / 2
    angle, radius = np.arctan2(down, right), np.hypot(down, right)
    for _ in range(count):
        edge = side * (0.25 + (0.08 * np.sin(7 * angle + rng.uniform(0, 6)) if ragged else 0.0))
        pixels = _noise(rng, (side, side, 3), 185, 8)
        pixels[radius < edge] -= 110 if ragged else 60
        yield _bytes(pixels)


def _noise(
    rng: np.random.Generator, shape: tuple[int, ...], mean: float, spread: float
) -> np.ndarray:
    return rng.normal(mean, spread, shape)


def _bytes(pixels: np.ndarray) -> np.ndarray:
    return pixels.clip(0, 255).round().astype(np.uint8)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
