"""Images and labels as arrays in one npz file, as MedMNIST has them.

Shapes: N samples, H by W pixels, C channels (1 or 3), K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoo import ArraySplit, Dataset, DatasetContext
from zoo_basics.datasets.arrays import ArrayFile
from zoo_basics.datasets.labelling import NO_NAMES, TaskChoice, numbered_task
from zoo_basics.datasets.places import OWN_FILES, file_inside, root_folder, split_named

_LAYOUT = "npz"
_WHATS = ("images", "labels", "groups")


@dataclass(frozen=True)
class _Part:
    images: np.ndarray
    labels: np.ndarray | None
    groups: list[str] | None


def build(
    ctx: DatasetContext,
    *,
    file: str = "data.npz",
    classes: list[str] = NO_NAMES,
    positive: str = "",
    task: TaskChoice = "auto",
) -> Dataset:
    """Arrays ``{train,val,test}_{images,labels,groups}``, or ``images``, ``labels``, ``groups``,
    which become the split ``all``.

    Images: uint8 (N, H, W) or (N, H, W, C). Labels: whole numbers (N,) or (N, 1); (N, K) of 0 and
    1 is multilabel. Groups, and the labels of ``test``, may be missing. ``classes``: a name for
    each label, from 0 on. Raises :class:`zoo.DataError` for other forms, and pickles are refused.
    """
    root = root_folder(_LAYOUT, ctx.root, "its npz file")
    with ArrayFile(file_inside(_LAYOUT, root, "file", file)) as arrays:
        keys = _keys(arrays)
        parts = {name: _part(arrays, found) for name, found in keys.items()}
    _same_kind(arrays, {name: part.labels for name, part in parts.items()})
    labels = {name: part.labels for name, part in parts.items()}
    made = numbered_task(_LAYOUT, labels, classes, positive, task)
    splits = {
        name: ArraySplit(
            part.images,
            part.labels,
            [f"{name}-{i:05d}" for i in range(len(part.images))],
            part.groups,
        )
        for name, part in parts.items()
    }
    used = {key for found in keys.values() for key in found.values()}
    unused = [name for name in arrays.names if name not in used]
    notes = {"arrays not used": ", ".join(unused)} if unused else {}
    return Dataset(made, splits, OWN_FILES, notes)


def _keys(arrays: ArrayFile) -> dict[str, dict[str, str]]:
    """Each split's arrays: ``{"train": {"images": "train_images", ...}}``."""
    found: dict[str, dict[str, str]] = {}
    for name in arrays.names:
        before, _, what = name.rpartition("_")
        part = split_named(before)
        if what not in _WHATS or part is None:
            continue
        if what in found.setdefault(part, {}):
            raise arrays.wrong(f"{found[part][what]!r} and {name!r} would both be of {part!r}")
        found[part][what] = name
    if not found and "images" in arrays.names:
        found["all"] = {what: what for what in _WHATS if what in arrays.names}
    if not ({"train", "all"} & set(found)):
        raise arrays.wrong(
            f"its arrays are {', '.join(repr(name) for name in arrays.names[:12]) or 'none'}; "
            f"expected 'train_images' and 'train_labels' (likewise val, test), or 'images' and "
            f"'labels'"
        )
    for part, keys in found.items():
        needed = ("images",) if part == "test" else ("images", "labels")
        for what in needed:
            if what not in keys:
                name = what if part == "all" else f"{part}_{what}"
                raise arrays.wrong(f"it lacks the array {name!r}; only test labels may be missing")
    return {part: found[part] for part in ("all", "train", "val", "test") if part in found}


def _part(arrays: ArrayFile, keys: Mapping[str, str]) -> _Part:
    images = _images(arrays, keys["images"])
    labels = _labels(arrays, keys["labels"]) if "labels" in keys else None
    groups = _groups(arrays, keys["groups"]) if "groups" in keys else None
    for what, values in (("labels", labels), ("groups", groups)):
        if values is not None and len(values) != len(images):
            raise arrays.wrong(
                f"{keys['images']!r} has {len(images)} images and {keys[what]!r} {len(values)} "
                f"{what}; expected one each"
            )
    return _Part(images, labels, groups)


def _images(arrays: ArrayFile, name: str) -> np.ndarray:
    form = arrays.form(name)
    if form.dtype != np.uint8:
        raise arrays.wrong(
            f"{name!r} holds {form.dtype}; expected uint8: scale to 0 to 255 and save it again"
        )
    shape = form.shape
    if len(shape) not in (3, 4) or 0 in shape or (len(shape) == 4 and shape[3] not in (1, 3)):
        raise arrays.wrong(
            f"{name!r} has the shape {shape}; expected (N, H, W), (N, H, W, 1) or (N, H, W, 3)"
        )
    return arrays.read(name)


def _labels(arrays: ArrayFile, name: str) -> np.ndarray:
    """int64 (N,), or uint8 (N, K) where there is a column a class."""
    form = arrays.form(name)
    if form.dtype.kind not in "iub" or len(form.shape) not in (1, 2) or 0 in form.shape:
        raise arrays.wrong(
            f"{name!r} holds {form.dtype} of shape {form.shape}; expected whole numbers (N,), "
            f"(N, 1) or (N, K)"
        )
    values = arrays.read(name)
    values = values.view(np.uint8) if values.dtype.kind == "b" else values
    if values.ndim == 1 or values.shape[1] == 1:
        if values.dtype.kind == "u" and int(values.max()) > np.iinfo(np.int64).max:
            raise arrays.wrong(f"{name!r} holds {int(values.max())}; expected class numbers")
        return values.reshape(-1).astype(np.int64)
    if values.min() < 0 or values.max() > 1:
        raise arrays.wrong(
            f"{name!r} of shape {form.shape} holds {int(values.min())} to {int(values.max())}; "
            f"several columns are several labels: expected 0 and 1"
        )
    return values.astype(np.uint8)


def _groups(arrays: ArrayFile, name: str) -> list[str]:
    form = arrays.form(name)
    if form.dtype.kind not in "iuU" or len(form.shape) != 1:
        raise arrays.wrong(
            f"{name!r} holds {form.dtype} of shape {form.shape}; expected names or numbers (N,)"
        )
    try:
        return [str(one) for one in arrays.read(name).tolist()]
    except ValueError as error:  # code points that are none
        raise arrays.wrong(f"{name!r} holds what is no text ({error})") from error


def _same_kind(arrays: ArrayFile, labels: Mapping[str, np.ndarray | None]) -> None:
    shapes = {part: one.shape[1:] for part, one in labels.items() if one is not None}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"{part} {shape[0] if shape else 1}" for part, shape in shapes.items())
        raise arrays.wrong(f"labels have differing numbers of columns: {told}; expected the same")
