"""From ISIC 2019's training images the splits that the report counts, 128 x 128.

    python studies/skin-lesions/from_isic.py TABLE IMAGES FOLDER [SEED]

TABLE: a CSV file with the columns image, MEL and NV (1 or 0); IMAGES: the folder of IMAGE.jpg.
FOLDER gets {train,val,test}/{MEL,NV}/IMAGE.jpg: 3213, 626 and 683 of each class, drawn by SEED (0).
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image

OF_EACH_CLASS = {"train": 3213, "val": 626, "test": 683}
SIDE = 128  # pixels


def main(table: Path, images: Path, folder: Path, seed: int = 0) -> None:
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    rng = np.random.default_rng(seed)
    needed = sum(OF_EACH_CLASS.values())
    for label in ("MEL", "NV"):
        names = sorted(row["image"] for row in rows if float(row[label]) == 1)
        if len(names) < needed:
            raise SystemExit(f"{table}: {len(names)} images of {label}; expected {needed} or more")
        drawn = iter(rng.permutation(names))
        for split, count in OF_EACH_CLASS.items():
            target = folder / split / label
            target.mkdir(parents=True, exist_ok=True)
            for _ in range(count):
                name = next(drawn)
                with Image.open(images / f"{name}.jpg") as image:
                    small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
                small.save(target / f"{name}.jpg", quality=95)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        raise SystemExit(__doc__)
    main(*map(Path, sys.argv[1:4]), *map(int, sys.argv[4:]))
