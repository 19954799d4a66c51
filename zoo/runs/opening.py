"""From a recipe's names to samples that can be read: find the root, build the dataset, make its
splits. Without torch, which only those who hold pixels for a network need (``holding``)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data import splits
from zoo.data.audit.cheap import cheap_checks
from zoo.data.datasets import Dataset, Split, check_dataset
from zoo.data.fitting import Form
from zoo.data.splits import SplitPlan
from zoo.errors import DataError, PluginError, missing_path, reason
from zoo.plugins.catalog import Catalog, Component
from zoo.plugins.contexts import DatasetContext
from zoo.plugins.families import DatasetFamily
from zoo.plugins.specs import DatasetSpec
from zoo.recipes.flags import flag_overrides
from zoo.recipes.schema import SplitSection

if TYPE_CHECKING:
    from zoo.data.tiers import Held, Keeping

DATA_VARIABLE = "ZOO_DATA"


@dataclass(frozen=True)
class Opened:
    """A dataset with all its splits, none decoded yet."""

    name: str
    dataset: Dataset
    splits: Mapping[str, Split]

    def split(self, name: str) -> Split:
        return splits.pick(self.name, self.splits, name)

    def hold(self, name: str, form: Form, keeping: Keeping) -> Held:
        """A split's pixels. Raises :class:`DataError` naming the image that is wrong."""
        from zoo.data.tiers import open_split

        where = f"dataset {self.name!r}, split {name!r}"
        return open_split(self.split(name), form, self.dataset.task, where, keeping)

    def native(self) -> tuple[tuple[int, int], int]:
        """((height, width), channels) of the training images."""
        from zoo.data.tiers import native_form

        return native_form(self.split(splits.TRAIN), f"dataset {self.name!r}")


def open_dataset(
    catalog: Catalog,
    name: str,
    options: Mapping[str, Any],
    root: str | None,
    plan: SplitPlan,
) -> Opened:
    dataset = build_dataset(catalog, name, options, root)
    check_dataset(name, dataset)
    return Opened(name, dataset, splits.complete_splits(name, dataset, plan))


def build_dataset(
    catalog: Catalog, name: str, options: Mapping[str, Any], root: str | None
) -> Dataset:
    """The dataset as its plugin gives it, not looked at yet."""
    component = catalog.get("dataset", name)
    folder = dataset_folder(component, root)
    dataset = component.build(DatasetContext(folder), options)
    if not isinstance(dataset, Dataset):
        raise PluginError(f"{component} returned {type(dataset).__name__}; expected a zoo.Dataset")
    return dataset


def open_for_reading(
    catalog: Catalog,
    name: str,
    root: str | None,
    sets: Sequence[str] = (),
    positive: str | None = None,
) -> Opened:
    """A dataset as a recipe would open it, without a recipe; ``sets`` and ``positive``: see
    :func:`read_settings`."""
    options, plan = read_settings(catalog, name, sets, positive)
    return open_dataset(catalog, name, options, root, plan)


def read_settings(
    catalog: Catalog, name: str, sets: Sequence[str], positive: str | None = None
) -> tuple[Mapping[str, Any], SplitPlan]:
    """A dataset's options and a plan of splits from ``KEY=VALUE`` texts of the sections ``dataset``
    and ``split`` of a recipe. ``positive``: its option of that name, as a plain text."""
    component = catalog.get("dataset", name)
    overrides = flag_overrides(sets, positive=positive)
    wrong = [one for one in overrides if not one.key.startswith(("dataset.", "split."))]
    if wrong:
        raise DataError(f"{wrong[0].origin}: expected a key of dataset or split")
    options = {
        one.key.removeprefix("dataset."): one.value
        for one in overrides
        if one.key.startswith("dataset.")
    }
    try:
        section = SplitSection.model_validate(
            {
                one.key.removeprefix("split."): one.value
                for one in overrides
                if one.key.startswith("split.")
            }
        )
    except ValueError as error:
        raise DataError(f"--set split: {reason(error)}; see docs/recipes.md") from error
    return component.bind(options), SplitPlan(**section.model_dump())


def dataset_folder(component: Component, root: str | None) -> Path | None:
    """The folder with the files: as given, else ``$ZOO_DATA/<name>``."""
    name, spec = component.name, component.spec
    assert isinstance(spec, DatasetSpec | DatasetFamily)
    if root is not None:
        given = Path(root).expanduser()
        if not given.is_dir():
            raise DataError(missing_path(f"root of dataset {name!r}", given))
        return given
    variable = os.environ.get(DATA_VARIABLE, "")
    if variable and (Path(variable) / name).is_dir():
        return Path(variable) / name
    if spec.needs_root:
        raise DataError(
            f"dataset {name!r} needs a folder with its files ({spec.files}); name it with "
            f"--root, dataset.root, or put it at ${DATA_VARIABLE}/{name}"
        )
    return None


def notices(opened: Opened) -> Iterator[str]:
    """What is worth knowing before training: the dataset's own notes, and what can be found wrong
    without decoding an image."""
    for name, note in opened.dataset.notes.items():
        yield f"{opened.name}: {name}: {note}"
    for one in cheap_checks(opened.dataset.task, opened.splits):
        yield f"{opened.name}: {one.message} ({one.severity}; see: zoo data check {opened.name})"
