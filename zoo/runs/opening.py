"""From a recipe's names to data in memory: find the root, build the dataset, make its splits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data import splits
from zoo.data.datasets import Dataset, Split, check_dataset
from zoo.data.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from zoo.data.store import Store, build_store, native_form
from zoo.errors import DataError, PluginError, missing_path
from zoo.plugins.catalog import Catalog
from zoo.plugins.contexts import DatasetContext
from zoo.plugins.specs import DatasetSpec

DATA_VARIABLE = "ZOO_DATA"


@dataclass(frozen=True)
class Opened:
    """A dataset with all its splits, none decoded yet."""

    name: str
    dataset: Dataset
    splits: Mapping[str, Split]

    def split(self, name: str) -> Split:
        return splits.pick(self.name, self.splits, name)

    def store(self, name: str, channels: int) -> Store:
        """A split, decoded. Raises :class:`DataError` naming the image that is wrong."""
        return build_store(self.split(name), channels, f"dataset {self.name!r}, split {name!r}")

    def native(self) -> tuple[tuple[int, int], int]:
        """((height, width), channels) of the training images."""
        return native_form(self.split(splits.TRAIN), f"dataset {self.name!r}")


def open_dataset(
    catalog: Catalog,
    name: str,
    options: Mapping[str, Any],
    root: str | None,
    fractions: splits.Fractions,
) -> Opened:
    component = catalog.get("dataset", name)
    assert isinstance(component.spec, DatasetSpec)
    folder = _root(component.spec, root)
    dataset = component.build(DatasetContext(folder), options)
    if not isinstance(dataset, Dataset):
        raise PluginError(f"{component} returned {type(dataset).__name__}; expected a zoo.Dataset")
    check_dataset(name, dataset)
    return Opened(name, dataset, splits.complete_splits(name, dataset, fractions))


def _root(spec: DatasetSpec, root: str | None) -> Path | None:
    """The folder with the files: as given, else ``$ZOO_DATA/<name>``."""
    if root is not None:
        given = Path(root).expanduser()
        if not given.is_dir():
            raise DataError(missing_path(f"root of dataset {spec.name!r}", given))
        return given
    variable = os.environ.get(DATA_VARIABLE, "")
    if variable and (Path(variable) / spec.name).is_dir():
        return Path(variable) / spec.name
    if spec.needs_root:
        raise DataError(
            f"dataset {spec.name!r} needs a folder with its files ({spec.files}); name it with "
            f"--root, dataset.root, or put it at ${DATA_VARIABLE}/{spec.name}"
        )
    return None


def preprocessing_for(
    train: Store, size: tuple[int, int], normalize: str | Mapping[str, Any]
) -> Preprocessing:
    """``normalize``: ``"dataset"`` (statistics of the training split), ``"imagenet"``, ``"none"``,
    or ``{mean, std}``."""
    channels = train.channels
    if normalize == "dataset":
        mean, std = train.statistics()
    elif normalize == "imagenet":
        mean, std = IMAGENET_MEAN, IMAGENET_STD
        if channels == 1:
            mean, std = (sum(mean) / 3,), (sum(std) / 3,)
    elif normalize == "none":
        mean, std = (0.0,) * channels, (1.0,) * channels
    elif isinstance(normalize, Mapping):
        mean = tuple(float(value) for value in normalize["mean"])
        std = tuple(float(value) for value in normalize["std"])
    else:
        raise DataError(
            f"normalize {normalize!r}: expected 'dataset', 'imagenet', 'none' or {{mean, std}}"
        )
    return Preprocessing(size, channels, mean, std)


def data_record(opened: Opened, train: Store) -> dict[str, Any]:
    """What a record says of the data: enough to tell whether it is the same again."""
    parts = {
        name: {"samples": len(split), "fingerprint": splits.ids_fingerprint(split)}
        for name, split in opened.splits.items()
    }
    return {
        "dataset": opened.name,
        "fingerprint": train.fingerprint(),
        "splits": parts,
        "licence": opened.dataset.provenance.licence,
        "citation": opened.dataset.provenance.citation,
    }
