"""Every model of torchvision's, for 1 and 3 channels; what fails stands in the plugin's README."""

from __future__ import annotations

import pytest
from torchvision_sweep import BEGIN, END, README, attempt, trials


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "channels"), list(trials()))
def test_every_model_is_as_the_readme_says(name, channels):
    found = attempt(name, channels)
    said = {row[0]: row[-2:][channels == 3] for row in rows()}
    assert (found.problem or "well") == said.get(f"`{name}`", "well")


def test_the_readme_names_models_that_there_are():
    assert {row[0] for row in rows()} <= {f"`{name}`" for name, _ in trials()}


def rows() -> list[list[str]]:
    table = README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
