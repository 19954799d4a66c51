"""scikit-learn's digits: real scans, inside the package, so that a first run needs no download."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from zoo import ArraySplit, Dataset, DatasetContext, Provenance, Task

_PROVENANCE = Provenance(
    licence="cc-by-4.0",
    citation="E. Alpaydin, C. Kaynak. Optical Recognition of Handwritten Digits. "
    "UCI Machine Learning Repository, 1998. doi:10.24432/C50P49",
    homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    how_to_get="comes with scikit-learn: sklearn.datasets.load_digits",
)


def build(ctx: DatasetContext) -> Dataset:
    """1,797 gray images of 8 by 8 pixels, the test part of UCI's optical digits, in one split.

    scikit-learn's values are counts of 0 to 16 dark pixels; here v becomes round(v * 255 / 16).
    ``ctx.root`` is not used.
    """
    bunch = load_digits()
    images_NHW = np.rint(bunch.images * (255.0 / 16.0)).astype(np.uint8)
    split = ArraySplit(
        images=images_NHW,
        labels=bunch.target.astype(np.int64),
        ids=[f"digits-{i:04d}" for i in range(len(images_NHW))],
    )
    task = Task.multiclass([str(digit) for digit in range(10)])
    return Dataset(task, {"all": split}, _PROVENANCE)
