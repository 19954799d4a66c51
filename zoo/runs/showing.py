"""What a model will see of a dataset, as one picture.

Shapes: B images, H by W pixels, C channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zoo.data.contact_sheet import Tile, draw_sheet, mask_legend
from zoo.data.datasets import Split, Subset
from zoo.data.decoding import aligned_mask, is_gray, mask_ids, pixels, upright_size
from zoo.data.fitting import Form
from zoo.data.loader import Batch, Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.splits import SplitPlan
from zoo.data.tiers import STREAMED, Keeping, open_split
from zoo.errors import DataError, ZooError
from zoo.plugins.catalog import Catalog, catalog
from zoo.recipes.flags import Override
from zoo.recipes.reading import read_recipe
from zoo.recipes.schema import Recipe
from zoo.runs import building
from zoo.runs.environment import cores
from zoo.runs.opening import Opened, open_dataset
from zoo.tasks import MULTILABEL, SEGMENTATION

COLUMNS = 8


def show(
    recipe: Path | None,
    overrides: Sequence[Override],
    *,
    split: str = "train",
    number: int = 64,
    augmented: bool = False,
) -> Image.Image:
    """A contact sheet of about ``number`` pictures, chosen evenly over the split: as they are in
    the files, or ``augmented``: each row an image and several draws of it, as the network gets
    them. ``recipe``: a file, or None where the overrides name the dataset.
    """
    chosen = read_recipe(recipe, [*_any_architecture(recipe, overrides), *overrides], catalog())
    if augmented and not (chosen.augmentations or chosen.copies):
        raise DataError(
            f"dataset {chosen.dataset.name!r} is to be shown augmented, but no augmentation is "
            f"named; expected --augmentation NAME, or a recipe that has some"
        )
    plan = SplitPlan(**chosen.split.model_dump())
    dataset = chosen.dataset
    opened = open_dataset(catalog(), dataset.name, dataset.options, dataset.root, plan)
    whole = opened.split(split)
    rows = max(1, round(number / COLUMNS)) if augmented else max(1, number)
    some = np.unique(np.linspace(0, len(whole) - 1, min(rows, len(whole))).round().astype(np.int64))
    part = Subset(whole, some)
    if augmented:
        return _augmented(chosen, opened, split, part)
    tiles = [_tile(opened, part, index) for index in range(len(part))]
    title = f"{dataset.name}, {split}: {len(part):,} of {len(whole):,} images"
    return draw_sheet(tiles, min(COLUMNS, len(tiles)), title, "", _legend(opened))


def _any_architecture(recipe: Path | None, overrides: Sequence[Override]) -> list[Override]:
    """A recipe names an architecture; to look at data none is needed, so any will do."""
    if recipe is not None or any(one.key == "architecture.name" for one in overrides):
        return []
    for component in catalog().components("architecture"):
        try:
            component.bind({})
        except ZooError:
            continue
        return [Override("architecture.name", component.name, "--architecture")]
    return []


def _tile(opened: Opened, split: Split, index: int) -> Tile:
    name, mask = split.ids[index], None
    try:
        image = split.image(index)
        array = pixels(image, 1 if is_gray(image) else 3, name)
        if opened.dataset.task.kind == SEGMENTATION:
            found = aligned_mask(split.mask(index), image)
            mask = mask_ids(found, opened.dataset.task, upright_size(image), name)
    except DataError:
        # zoo data check says why; the others are still worth seeing.
        return Tile(np.full((64, 64, 1), 225, np.uint8), f"unreadable: {name}")
    return Tile(array, _caption(opened, split, index), mask)


def _caption(opened: Opened, split: Split, index: int) -> str:
    """The class; for segmentation, and where there are no labels, the id."""
    task = opened.dataset.task
    if split.labels is None:
        return split.ids[index]
    label = np.asarray(split.labels)[index]
    if task.kind == MULTILABEL:
        named = [name for name, one in zip(task.classes, label, strict=True) if one]
        return ", ".join(named) or "none"
    return task.classes[int(label)]


def _legend(opened: Opened) -> list[tuple[str, tuple[int, int, int]]]:
    task = opened.dataset.task
    return mask_legend(task.classes) if task.kind == SEGMENTATION else []


def _augmented(recipe: Recipe, opened: Opened, name: str, part: Split) -> Image.Image:
    loader = _loader(recipe, catalog(), replace(opened, splits={"train": part}), part)
    once = Loader(loader.store, loader.preprocessing, loader.task, len(part), loader.device)
    columns = [_pictures(next(once.epoch(1)))]
    columns += [pictures for pictures, _ in zip(_draws(loader), range(COLUMNS - 1), strict=False)]
    captions = [_caption(opened, part, index) for index in range(len(part))]
    tiles = [
        Tile(column[row][0], captions[row] if not place else "", column[row][1])
        for row in range(len(part))
        for place, column in enumerate(columns)
    ]
    height, width = loader.preprocessing.size
    title = f"{opened.name}, {name}: augmented, at {height}x{width}"
    headings = ["not augmented", *(f"draw {number}" for number in range(1, COLUMNS))]
    return draw_sheet(tiles, COLUMNS, title, _steps(recipe), _legend(opened), headings)


def _loader(recipe: Recipe, installed: Catalog, opened: Opened, part: Split) -> Loader:
    """The training loader over a few images, in their order, a batch for all; not normalized."""
    (height, width), channels = opened.native()
    data = recipe.data
    if data.channels != "native":
        channels = data.channels
    if data.size != "native":
        height, width = (data.size, data.size) if isinstance(data.size, int) else data.size
    preprocessing = Preprocessing(
        (height, width),
        channels,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        resize=data.filter,
        store_size=data.stored,
        fit=data.fit,
        center_crop=data.center_crop,
    )
    # Streamed: a few images to look at are not worth a store on disk.
    keeping = Keeping(threads=cores(), workers=0, tier=STREAMED)
    form = Form(channels, data.stored, data.fit, data.filter)
    store = open_split(part, form, opened.dataset.task, f"dataset {opened.name!r}", keeping)
    # One size for the sheet, whatever resolutions the copies have.
    copies = tuple(one.model_copy(update={"size": "same"}) for one in recipe.copies)
    loader = building.loader(
        recipe.model_copy(update={"copies": copies}),
        installed,
        opened,
        store,
        preprocessing,
        torch.device("cpu"),
        lambda size: store,
    )
    assert isinstance(loader, Loader)
    loader.sampler = lambda generator: torch.arange(loader.samples)
    loader.batch_size = len(store)
    return loader


def _draws(loader: Loader) -> Iterator[list[tuple[np.ndarray, np.ndarray | None]]]:
    """The same images again and again, epoch by epoch; where the recipe has several copies of the
    training split, one after the other."""
    epoch = 1
    while True:
        for batch in loader.epoch(epoch):
            yield _pictures(batch)
        epoch += 1


def _pictures(batch: Batch) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """(uint8 (H, W, C), mask or None) of each image: the memory of a batch is used again."""
    images = (batch.images.clamp(0.0, 1.0) * 255.0).round().byte().permute(0, 2, 3, 1).numpy()
    masks = _masks(batch.labels)
    return [
        (image.copy(), None if masks is None else masks[row]) for row, image in enumerate(images)
    ]


def _masks(labels: Tensor | None) -> np.ndarray | None:
    return labels.numpy().astype(np.uint8) if labels is not None and labels.ndim == 3 else None


def _steps(recipe: Recipe) -> str:
    """``rotation (degrees 15), horizontal_flip``, copy by copy."""
    copies: list[Any] = list(recipe.copies) or [recipe]
    return "; ".join(", ".join(_step(one) for one in copy.augmentations) for copy in copies)


def _step(choice: Any) -> str:
    given = ", ".join(f"{key} {value}" for key, value in choice.options.items())
    return f"{choice.name} ({given})" if given else str(choice.name)
