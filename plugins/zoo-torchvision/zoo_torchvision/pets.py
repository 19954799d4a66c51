"""The masks of the Oxford pets: trimaps of 1 (pet), 2 (background) and 3 (border)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo import DataError, FileSplit, Split, open_image
from zoo_torchvision.table import Entry

NOTES = {"masks": "the border of an animal counts neither as pet nor as background"}
_IGNORED = 255
_ID_OF = np.full(256, _IGNORED, np.uint8)
_ID_OF[1], _ID_OF[2] = 1, 0
_PET, _LAST = 1, 3


@dataclass(frozen=True)
class TrimapSplit(FileSplit):
    """``masks`` are trimap files."""

    def mask(self, index: int) -> np.ndarray:
        """uint8 (H, W): 1 pet, 0 background, 255 border. Raises :class:`zoo.DataError` for other
        values, and where there is no pet: that mask could not be told from one of 0 and 255."""
        assert self.masks is not None
        path = self.masks[index]
        values = np.asarray(open_image(path))
        present = set(np.unique(values).tolist())
        if values.ndim != 2 or not present <= {1, 2, _LAST} or _PET not in present:
            raise DataError(
                f"trimap {str(path)!r} holds {sorted(present)[:8]}; expected 1 (pet), 2 and 3"
            )
        return np.asarray(_ID_OF[values])


def split_of(images: Split, made: Any) -> TrimapSplit:
    assert isinstance(images, FileSplit)
    masks: Sequence[Path] = [Path(one) for one in made._segs]
    return TrimapSplit(images.paths, None, images.ids, None, masks)


def binary_entry(entry: Entry) -> Entry:
    """Cat or dog."""
    return replace(entry, labels="_bin_labels", classes="bin_classes")
