"""Whether the datasets of a study are there, before any run looks for its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zoo.errors import DataError
from zoo.plugins.catalog import Catalog
from zoo.plugins.catalog import catalog as installed
from zoo.runs.opening import dataset_folder
from zoo.studies.carrying import DONE, standing
from zoo.studies.planning import Plan
from zoo.studies.results import run_folder


def missing_datasets(plan: Plan, catalog: Catalog | None = None) -> list[str]:
    """What is wrong with the folder of each dataset that a run to come needs, with who needs it."""
    catalog = catalog or installed()
    users: dict[str, list[str]] = {}
    known: dict[tuple[str, str | None], str] = {}
    for name, key, recipe in _runs(plan):
        dataset = recipe["dataset"]["name"], recipe["dataset"].get("root")
        if dataset not in known:
            known[dataset] = _wrong(catalog, *dataset)
        said = known[dataset]
        if said and (key is None or standing(run_folder(plan.out, key)).status != DONE):
            users.setdefault(said, []).append(name)
    return [f"{said} ({_some(names)})" for said, names in users.items()]


def _runs(plan: Plan) -> Iterator[tuple[str, str | None, Mapping[str, Any]]]:
    """(name, key, recipe) of every run; of a search that of its trials, without a key."""
    names = plan.names()
    for key, job in plan.jobs().items():
        yield names.get(key, key), key, job.recipe
    for table in plan.chosen:
        if table.searched is not None:
            yield f"trials of {table.name}", None, table.searched.recipe


def _wrong(catalog: Catalog, name: str, root: str | None) -> str:
    try:
        dataset_folder(catalog.get("dataset", name), root)
    except DataError as error:
        return str(error)
    return ""


def _some(names: list[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
