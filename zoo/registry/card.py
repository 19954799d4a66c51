"""The card: a version's README.md, in the Hugging Face model-card form.

Every figure is the machine's; nobody writes one by hand. Text that comes from data (class
names, datasets) is escaped; what the publisher writes as prose stays Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import RegistryError, printable, reason
from zoo.registry.listing import scalars
from zoo.registry.record import Draft
from zoo.tasks import MULTILABEL, SEGMENTATION

TEMPLATE = Path(__file__).with_name("card.md.jinja")
CLASSES = 20  # of a confusion matrix that still can be read
# A record's keys are sorted; people read figures in another order.
_SPLITS = ("train", "val", "test")
_FIGURES = (
    "dice", "iou", "accuracy", "balanced_accuracy", "precision", "recall", "f1", "auroc",
    "log_loss",
)  # fmt: skip
_PER_IMAGE = ("dice", "iou", "undefined")
_COLUMNS = ("class", "support", *_FIGURES)


@dataclass(frozen=True)
class CardText:
    """What only a person can say. ``licence``: a Hugging Face or SPDX name where there is one."""

    licence: str
    intended_use: str
    not_intended_use: str = ""
    description: str = ""
    authors: Sequence[str] = ()


def render_card(
    draft: Draft,
    version: int,
    text: CardText,
    figures: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """The card of ``version``, read back once as the Hub would. ``figures``: everything that was
    measured, by split, where that is more than the draft's single numbers. Raises
    :class:`RegistryError` when it does not come back the same."""
    import jinja2

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters["cell"] = cell
    environment.globals["table"] = table
    metadata = _metadata(draft, text)
    recipe = _toml(draft.recipe)
    metric_splits, metrics = _figures(draft)
    card = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        draft=draft,
        version=version,
        text=_prose(text),
        metadata=metadata.to_yaml().strip(),
        summary=f"A {draft.task.kind} model for images.",
        segments=draft.task.kind == SEGMENTATION,
        splits=_splits(draft),
        metric_splits=metric_splits,
        metrics=metrics,
        details=list(_details(draft, draft.metrics if figures is None else figures)),
        provenance=list(_provenance(draft)),
        recipe=recipe,
        fence=_fence(recipe),
    )
    _check(card, metadata)
    return card + "\n"


def cell(value: object) -> str:
    """A value as one line of Markdown text that stands for itself, in a table and elsewhere."""
    if value is None:
        return "–"
    text = f"{value:.4f}" if isinstance(value, float) else printable(str(value))
    return re.sub(r"([\\`*_{}\[\]<>|#~$&!])", r"\\\1", text)


def table(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; every cell is escaped."""
    titles = [cell(title) for title in header]
    lines = [titles, ["---"] * len(titles), *([cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _metadata(draft: Draft, text: CardText) -> Any:
    from huggingface_hub import EvalResult, ModelCardData

    kind = "image-segmentation" if draft.task.kind == SEGMENTATION else "image-classification"
    dataset = draft.data["dataset"]
    results = [
        EvalResult(
            task_type=kind,
            dataset_type=dataset,
            dataset_name=dataset,
            dataset_split=split,
            metric_type=name,
            metric_value=value,
        )
        for split, metrics in draft.metrics.items()
        for name, value in scalars(metrics).items()
    ]
    known = re.fullmatch(r"[A-Za-z0-9.-]+", text.licence)
    return ModelCardData(
        license=text.licence.lower() if known else "other",
        license_name=None if known else printable(text.licence),
        library_name="zoo",
        pipeline_tag=kind,
        tags=["zoo", draft.task.kind, draft.architecture["name"]],
        datasets=[dataset],
        metrics=sorted({name for metrics in draft.metrics.values() for name in scalars(metrics)}),
        model_name=draft.model,
        eval_results=results or None,
    )


def _splits(draft: Draft) -> list[list[object]]:
    splits = draft.data["splits"]
    return [
        [name, splits[name]["samples"], splits[name]["fingerprint"]]
        for name in _ordered(splits, _SPLITS)
    ]


def _figures(draft: Draft) -> tuple[list[str], list[list[object]]]:
    """(splits, rows of a figure's name and its value on each split)."""
    figures = {split: scalars(metrics) for split, metrics in draft.metrics.items()}
    splits = _ordered(figures, _SPLITS)
    order = _ordered({name for found in figures.values() for name in found}, _FIGURES)
    return splits, [[name, *(figures[split].get(name) for split in splits)] for name in order]


def _ordered(given: Iterable[str], first: Sequence[str]) -> list[str]:
    """``given``: those in ``first`` as they stand there, then the others, sorted."""
    names = set(given)
    return [name for name in first if name in names] + sorted(names - set(first))


def _details(
    draft: Draft, figures: Mapping[str, Mapping[str, Any]]
) -> Iterable[tuple[str, list[str], list[list[object]]]]:
    """(title, header, rows): the means over images, a row a class, then the confusion matrix, where
    they can be read."""
    classes = list(draft.task.classes)
    for split, metrics in figures.items():
        per_image = metrics.get("per_image")
        if isinstance(per_image, dict):
            row = [per_image.get(name) for name in _PER_IMAGE]
            yield f"Mean over images, {split}", list(_PER_IMAGE), [row]
        if len(classes) > CLASSES:
            continue
        by_class, confusion = metrics.get("per_class"), metrics.get("confusion")
        if isinstance(by_class, list) and by_class and all(isinstance(r, dict) for r in by_class):
            rows: list[dict[str, Any]] = by_class
            header = _ordered(rows[0], _COLUMNS)
            yield f"By class, {split}", header, [[row.get(k) for k in header] for row in rows]
        if not _is_matrix(confusion, len(classes)):
            continue
        matrix: list[list[Any]] = confusion  # type: ignore[assignment]
        if draft.task.kind == MULTILABEL:
            header = ["class", "true negative", "false positive", "false negative", "true positive"]
            body = [[name, *no, *yes] for name, (no, yes) in zip(classes, matrix, strict=True)]
        else:
            header = ["truth, decided as", *classes]
            body = [[name, *row] for name, row in zip(classes, matrix, strict=True)]
        yield f"Confusion matrix, {split}", header, body


def _is_matrix(value: object, classes: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == classes
        and all(isinstance(row, list) and len(row) in (classes, 2) for row in value)
    )


def _provenance(draft: Draft) -> Iterable[tuple[str, object]]:
    yield "plugin", f"{draft.plugin['distribution']} {draft.plugin['version']}"
    yield from {**draft.plugin.get("libraries", {}), **draft.environment}.items()


def _prose(text: CardText) -> CardText:
    def clean(given: str) -> str:
        return "\n".join(printable(line) for line in given.strip().splitlines())

    return CardText(
        text.licence,
        clean(text.intended_use),
        clean(text.not_intended_use),
        clean(text.description),
        text.authors,
    )


def _toml(recipe: Mapping[str, Any]) -> str:
    import tomli_w

    return tomli_w.dumps(_without_none(recipe)).strip()


def _without_none(value: Any) -> Any:
    """TOML has no null: what is not set is not written."""
    if isinstance(value, Mapping):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_none(inner) for inner in value if inner is not None]
    return value


def _fence(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(3, longest + 1)


def _check(card: str, metadata: Any) -> None:
    from huggingface_hub import ModelCard

    try:
        data: Any = ModelCard(card).data
        same = data.to_dict() == metadata.to_dict()
    # YAML's and the Hub's readers raise errors of many kinds.
    except Exception as error:
        raise RegistryError(f"the card cannot be read back: {reason(error)}") from error
    if not same:
        raise RegistryError("the card's metadata do not come back as they were written")
