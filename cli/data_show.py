"""``zoo data show``: a contact sheet of what a model will see."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from .tables import show_json


def run(
    subject: str,
    *,
    root: str | None,
    positive: str | None,
    split: str,
    number: int,
    augmented: bool,
    augmentation: Sequence[str],
    size: int | None,
    seed: int | None,
    sets: Sequence[str],
    output: str | None,
    json: bool,
) -> None:
    """``subject``: a dataset's name, or a recipe (a file that ends in .toml)."""
    from zoo.recipes.flags import flag_overrides
    from zoo.runs.showing import show
    from zoo.storage import commit

    recipe = Path(subject) if subject.endswith(".toml") else None
    overrides = flag_overrides(
        sets,
        dataset=None if recipe else subject,
        root=root,
        positive=positive,
        size=size,
        seed=seed,
        augmentation=list(augmentation) or None,
    )
    sheet = show(
        recipe,
        overrides,
        split=split,
        number=number,
        augmented=augmented or bool(augmentation),
    )
    stem = recipe.stem if recipe else subject.replace("/", "-")
    kind = "-augmented" if augmented or augmentation else ""
    path = Path(output or f"{stem}-{split}{kind}.png").expanduser()
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    commit.make_folder(path.absolute().parent)
    commit.write(path, stream.getvalue())
    if json:
        show_json({"sheet": str(path), "width": sheet.width, "height": sheet.height})
    else:
        print(f"written: {path}")
