"""The recipes of all rows of a study, as its full profile has them."""

from __future__ import annotations

import pytest
from published import STUDIES

from zoo.plugins.catalog import catalog
from zoo.studies.expanding import Asked, expand
from zoo.studies.reading import read_study


@pytest.fixture(scope="module")
def recipes():
    """``recipes(study, table)``: each row's whole recipe, by name."""
    known = {}

    def of(name, table):
        if name not in known:
            part = read_study(STUDIES / name / "study.toml")
            every = expand(part, Asked(profile="full"), catalog())
            known[name] = {one.name: {r.name: r.recipe for r in one.rows} for one in every}
        return known[name][table]

    return of
