"""The networks of the full profiles can be built, for the sizes and classes of the reports."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import zoo
from zoo.plugins.catalog import catalog
from zoo.studies.expanding import Asked, expand
from zoo.studies.reading import read_study

STUDIES = Path(__file__).parents[2] / "studies"
TISSUES = [f"tissue {i}" for i in range(9)]
OF = {  # channels, native size, task
    "kvasir-instrument": (3, 576, zoo.Task.segmentation(["no", "yes"], positive="yes")),
    "chest-xray": (1, 640, zoo.Task.binary(["NORMAL", "PNEUMONIA"], positive="PNEUMONIA")),
    "mnist-simple-cnn": (1, 28, zoo.Task.multiclass([str(i) for i in range(10)])),
    "pathmnist": (3, 28, zoo.Task.multiclass(TISSUES)),
    "skin-lesions": (3, 128, zoo.Task.binary(["nv", "mel"], positive="nv")),
}


@pytest.mark.parametrize("name", OF)
def test_every_network_answers_images_of_its_size(name):
    channels, native, task = OF[name]
    study = read_study(STUDIES / name / "study.toml")
    asked = {}
    for table in expand(study, Asked(profile="full"), catalog()):
        for row in table.rows:
            if row.recipe:
                size = row.recipe["data"]["size"]
                network = row.recipe["architecture"]
                asked[str((size, network))] = (native if size == "native" else size, network)
    assert asked
    for side, network in asked.values():
        context = zoo.ArchitectureContext(channels, (side, side), task.outputs, task)
        options = {key: value for key, value in network.items() if key != "name"}
        with torch.device("meta"):
            built = catalog().get("architecture", network["name"]).build(context, options).eval()
            answer = built(torch.empty(2, channels, side, side))
        expected = (2, task.outputs, *((side, side) if task.kind == "segmentation" else ()))
        assert answer.shape == expected, network
