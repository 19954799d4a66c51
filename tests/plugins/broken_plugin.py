"""A plugin of deliberately broken components, and what the contract check says of it."""

from typing import Any

from zoo.plugins.checks import ContractError, check_loaded
from zoo.plugins.loading import Loaded, Plugin

PLUGIN = Plugin("broken", "zoo-broken", "1.0")
ANYTHING: dict[str, Any] = {"summary": "for a test", "source": "a test"}


def problems(*specs, roots=None):
    """What the check says of these components, without their names; empty when all is well."""
    try:
        check_loaded(Loaded(PLUGIN, specs), roots or {})
    except ContractError as error:
        split = [problem.split(" of zoo-broken 1.0: ") for problem in error.problems]
        assert all(len(parts) == 2 for parts in split), error.problems
        return [what for _, what in split]
    return []
