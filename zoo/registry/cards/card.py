"""The card: a version's README.md, in the Hugging Face model-card form.

Every figure is the machine's; nobody writes one by hand. Text that comes from data (class
names, datasets) is escaped; what the publisher writes as prose stays Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from zoo.errors import RegistryError, printable, reason
from zoo.registry.cards import card_tables, card_text
from zoo.registry.cards.card_tables import cell, table
from zoo.registry.cards.card_text import CardText
from zoo.registry.fields import is_version, origin_name
from zoo.registry.listing import scalars
from zoo.registry.record import IMPORTED, Draft
from zoo.tasks import SEGMENTATION

TEMPLATE = Path(__file__).with_name("card.md.jinja")
UNKNOWN = "unknown"  # the data of imported weights, where nobody says
_WEIGHTS = {
    "best": "The weights are those of the best epoch.",
    "last": "The weights are those of the last epoch.",
    "ema": "The weights are a running average, kept at its best epoch.",
    "averaged": "The weights are the mean of those of several runs, with batch norm measured anew; "
    "the recipe is the first one's.",
}
_KINDS = {"initialized_from": "initialized from", "averaged_from": "averaged from"}


def render_card(
    draft: Draft,
    version: int,
    text: CardText,
    figures: Mapping[str, Mapping[str, Any]] | None = None,
    pictures: Mapping[str, str] | None = None,
) -> str:
    """The card of ``version``, read back once as the Hub would. ``figures``: everything that was
    measured, by split, where that is more than the draft's single numbers; ``pictures``: by split,
    the version's file that shows the confusion matrix. Raises :class:`RegistryError` when it does
    not come back the same."""
    import jinja2

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters["cell"] = cell
    environment.globals["table"] = table
    metadata = _metadata(draft, text)
    recipe = _toml(draft.recipe)
    measured = draft.metrics if figures is None else figures
    card = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        draft=draft,
        version=version,
        text=text.cleaned(),
        metadata=metadata.to_yaml().strip(),
        summary=f"A {draft.task.kind} model for images.",
        segments=draft.task.kind == SEGMENTATION,
        splits=card_tables.splits_table(draft) if draft.data["splits"] else "",
        metrics=card_tables.figures_table(draft),
        levels=card_tables.levels(draft),
        sections=list(card_tables.sections(draft, measured, pictures or {})),
        overlaps=list(_overlaps(draft)),
        lineage=list(_lineage(draft)),
        provenance=list(_provenance(draft)),
        weights=_WEIGHTS.get(draft.weights, ""),
        recipe=recipe,
        fence=_fence(recipe),
        begin=card_text.BEGIN,
        end=card_text.END,
    )
    _check(card, metadata)
    return card + "\n"


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
    made_of = "ensemble" if draft.ensemble else draft.architecture["name"]
    return ModelCardData(
        license=text.licence.lower() if known else "other",
        license_name=None if known else printable(text.licence),
        library_name="zoo",
        pipeline_tag=kind,
        tags=["zoo", draft.task.kind, made_of, *([IMPORTED] if draft.source else [])],
        datasets=[dataset] if dataset != UNKNOWN else None,
        metrics=sorted({name for metrics in draft.metrics.values() for name in scalars(metrics)}),
        model_name=draft.model,
        eval_results=results or None,
    )


def _overlaps(draft: Draft) -> Iterable[Mapping[str, str]]:
    """Which members of an ensemble saw samples by which it was chosen or measured: ``member``,
    ``why``, ``split``."""
    told = draft.ensemble["options"].get("overlaps") if draft.ensemble else None
    for one in told if isinstance(told, list) else ():
        if isinstance(one, dict):
            yield {key: str(one.get(key))[:500] for key in ("member", "why", "split")}


def _lineage(draft: Draft) -> Iterable[tuple[str, str, str]]:
    """(what it is to this version, its name, digest of its record or weights)."""
    for given in draft.parents or ():
        if not is_version(given):
            yield "published weights", origin_name(given), f"sha256:{given['sha256']}"
    versions = [(_KINDS[one["kind"]], one) for one in draft.versions]
    if draft.ensemble is not None:
        versions += [("member", one) for one in draft.ensemble["members"]]  # type: ignore[misc]
    for what, one in versions:
        yield what, f"{one['model']}@{one['version']}", f"sha256:{one['digest']}"


def _provenance(draft: Draft) -> Iterable[tuple[str, object]]:
    libraries: Mapping[str, object] = {}
    if draft.ensemble is None:
        yield "plugin", f"{draft.plugin['distribution']} {draft.plugin['version']}"
        libraries = draft.plugin.get("libraries", {})
    both = {**libraries, **draft.environment}
    yield from ((key, value) for key, value in both.items() if value is not None)


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
