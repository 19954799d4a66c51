"""A newcomer's plugin, from its making to a colleague who lacks it, in fresh environments."""

import os
from pathlib import Path

import pytest
from third_party_road import every_kind, road

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.name == "nt", reason="links to libraries"),
]


def test_the_third_party_road(tmp_path: Path) -> None:
    steps: list[str] = []
    road(tmp_path, lambda what, seconds: steps.append(what))
    assert len(steps) >= 18


def test_a_new_plugin_of_every_kind_is_installed_and_passes(tmp_path: Path) -> None:
    steps: list[str] = []
    every_kind(tmp_path, lambda what, seconds: steps.append(what))
    assert len(steps) >= 10
