"""Networks for masks, of two input sizes, as one: measured, published, loaded."""

import numpy as np
import pytest
from mask_files import RECIPE as MASKS
from mask_files import write_masks
from PIL import Image

import zoo
from zoo.predictions.file import load_predictions
from zoo.runs.ensemble_publish import publish_ensemble


@pytest.fixture
def unets(here):
    root = write_masks(here / "masks")
    for name, seed, size in (("m", 0, 16), ("n", 1, 24)):
        recipe = {
            **MASKS,
            "dataset": {"name": "mask_folder", "root": str(root)},
            "data": {"size": size},
            "training": {**MASKS["training"], "epochs": 4, "seed": seed},
        }
        zoo.train(recipe, folder=f"runs/{name}")
    return ["runs/m", "runs/n"]


@pytest.mark.parametrize("method", ["mean", pytest.param("vote", marks=pytest.mark.slow)])
def test_two_sizes_are_one_model(unets, here, method):
    made = zoo.ensemble(unets, method=method)
    record = publish_ensemble(made, "masks")
    model = zoo.load("masks", device="cpu")
    image = Image.open(here / "masks/images/30.png")
    said = model.predict([image, here / "masks/images/31.png"])
    assert said.masks[0].shape == image.size[::-1]
    done = zoo.evaluate("masks@1", root=str(here / "masks"), output="x.npz")
    asked, kept = (load_predictions(path) for path in
                   (done.path, made.folder / "predictions/test.npz"))  # fmt: skip
    assert asked.size == kept.size == (16, 16)
    for one, other in zip(asked.images(), kept.images(), strict=True):
        # The file keeps probabilities in bytes: what is near the threshold may differ.
        assert (one.own.decisions == other.own.decisions).mean() > 0.98
    first = next(asked.images()).own.decisions
    test = (here / "masks/test.txt").read_text().split()[0]
    again = model.predict(here / f"masks/images/{test}.png").masks[0]
    assert np.array_equal(again, first)
    assert record.metrics["test"]["dice"] > 0.3
