"""Masks all the way: trained, measured, published, loaded, asked for those of other images."""

import io
import json
import shutil
import tomllib

import numpy as np
import pytest
import torch
from mask_files import RECIPE, TEST, write_masks
from PIL import Image
from rich.console import Console

import zoo
from zoo.data.device import images_at_once
from zoo.data.splits import SplitPlan
from zoo.errors import RecipeError
from zoo.plugins.catalog import catalog
from zoo.predictions import counts, metrics
from zoo.predictions.file import load_predictions
from zoo.predictions.intervals import Plan
from zoo.predictions.masks import MaskPredictions
from zoo.registry.config import open_registry
from zoo.registry.listing import rows
from zoo.runs import predict as predicting
from zoo.runs.folder import RunFolder
from zoo.runs.opening import open_dataset
from zoo.runs.progress import TerminalProgress
from zoo.training import events


@pytest.fixture(scope="session")
def segmented(tmp_path_factory):
    """A run that was trained and evaluated; not to be changed."""
    folder = tmp_path_factory.mktemp("masks")
    recipe = {
        **RECIPE,
        "dataset": {"name": "mask_folder", "root": str(write_masks(folder / "data"))},
        "data": {"size": 16},
    }
    run = zoo.train(recipe, folder=folder / "run")
    zoo.evaluate(run.path)
    return run


@pytest.fixture
def masked(segmented, here):
    """A copy of it, to be changed at will."""
    shutil.copytree(segmented.path, here / "runs/copy")
    return RunFolder(here / "runs/copy")


def test_it_learns_and_is_followed_by_dice(segmented):
    lines = (segmented.path / "events.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    started = next(one for one in told if one["event"] == "training_started")
    assert started["figure"] == "dice"
    values = [one["val"]["dice"] for one in told if one["event"] == "epoch_ended"]
    assert values[-1] > 0.8 > values[0]
    assert segmented.info["best"]["metrics"]["dice"] == max(values)


def test_the_predictions_file_holds_the_figures(segmented):
    said = load_predictions(segmented.predictions_path("test"))
    assert isinstance(said, MaskPredictions)
    assert (len(said), said.size, said.labelled, said.source) == (TEST, (16, 16), True, "run")
    figures = segmented.metrics("test")
    found = metrics.evaluate(said, Plan())
    assert {key: figures[key] for key in found} == found
    assert found["samples"] == TEST
    # The border of the first row is ignored; a pixel of the second is not.
    assert np.sum(found["confusion"]) < TEST * 16 * 16
    assert found["per_image"]["dice"] != found["dice"]


def test_smaller_batches_do_not_change_it(segmented, here, monkeypatch):
    monkeypatch.setattr(predicting, "images_at_once", lambda *_: 2)
    done = zoo.evaluate(segmented.path, output=here / "p.npz")
    assert load_predictions(done.path).lengths == (2, 2, 2, 1)
    first = segmented.metrics("test")
    assert done.metrics == {key: first[key] for key in done.metrics}


def test_memory_never_holds_the_split(segmented, here, monkeypatch):
    """Each batch is on its way to the file before the next one is answered."""
    monkeypatch.setattr(predicting, "images_at_once", lambda *_: 2)
    seen = []
    real_answers, real_of = predicting.answers, predicting.MaskChunk.of
    monkeypatch.setattr(
        predicting,
        "answers",
        lambda *given: (seen.append("answer") or one for one in real_answers(*given)),
    )
    monkeypatch.setattr(
        predicting.MaskChunk, "of", lambda *given: seen.append("chunk") or real_of(*given)
    )
    zoo.evaluate(segmented.path, output=here / "p.npz")
    assert seen == ["answer", "chunk"] * 4


def test_published_loaded_and_asked(masked, here):
    record = zoo.publish(masked, "rectangles")
    assert record.metrics["test"]["dice"] == masked.metrics("test")["dice"]
    assert set(record.metrics["test"]) == {"samples", "specificity", *record.task.figures}
    whole = json.loads(open_registry().read_file(record, "metrics/test.json"))
    assert whole["per_image"] == masked.metrics("test")["per_image"]
    listed = rows(open_registry()).rows[0]
    assert listed.metric == ("test", "dice", record.metrics["test"]["dice"])
    assert "### Mean over images, test" in (masked.path / "README.md").read_text()
    image = np.zeros((90, 70), np.uint8)
    image[20:60, 30:60] = 220
    Image.fromarray(image).save(here / "x.png")
    model = zoo.load("rectangles", device="cpu")
    result = model.predict([here / "x.png", image])
    for mask, planes in zip(result.masks, result.probabilities, strict=True):
        assert (mask.shape, planes.shape) == ((90, 70), (2, 90, 70))
        table = counts.count(model.task, (image > 0).astype(np.uint8), mask)
        assert counts.metrics(model.task, table)["dice"] > 0.8


def test_a_version_gives_the_figures_of_its_run(masked, here):
    zoo.publish(masked, "rectangles")
    recipe = tomllib.loads((masked.path / "recipe.toml").read_text())
    again = zoo.evaluate("rectangles", root=recipe["dataset"]["root"], device="cpu")
    assert again.differs is None
    written = masked.metrics("test")
    assert again.metrics == {key: written[key] for key in again.metrics}


def test_the_file_keeps_what_the_model_says_in_each_images_own_size(masked):
    """As loaded and asked, to the pixel; and the masks as they lie on disk."""
    zoo.publish(masked, "rectangles")
    options = tomllib.loads((masked.path / "recipe.toml").read_text())["dataset"]
    name, root = options.pop("name"), options.pop("root")
    opened = open_dataset(catalog(), name, options, root, SplitPlan())
    split = opened.split("test")
    said = load_predictions(masked.predictions_path("test"))
    asked = zoo.load("rectangles", device="cpu").predict([split.image(i) for i in range(TEST)])
    assert said.ids.tolist() == list(split.ids)
    tables = []
    for index, (image, mask) in enumerate(zip(said.images(), asked.masks, strict=True)):
        assert image.own.decisions.shape != image.network.decisions.shape
        assert np.array_equal(image.own.decisions, mask)
        drawn = np.asarray(split.mask(index))
        assert np.array_equal(image.own.targets, drawn)
        assert said.sizes[index].tolist() == list(drawn.shape)
        tables.append(counts.count(said.task, drawn, mask))
    figures = masked.metrics("test")["own_size"]
    assert figures["confusion"] == sum(tables).tolist()
    assert figures["dice"] != masked.metrics("test")["dice"]
    assert figures["unseen"] == 0.0


def test_the_file_says_who_spoke_and_what_it_was_trained_on(masked):
    said = load_predictions(masked.predictions_path("test"))
    splits = masked.info["data"]["splits"]
    assert said.source_digest == masked.metrics("test")["weights_sha256"]
    assert said.trained_on.dataset == "mask_folder"
    assert said.trained_on.splits == {one: splits[one]["fingerprint"] for one in ("train", "val")}
    record = zoo.publish(masked, "rectangles")
    assert said.trained_on.division == record.data["division"]
    assert said.preprocessing == record.preprocessing


def change_pixels(run):
    path = run.predictions_path("test")
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays["decisions-0000"][0, 5, 5] ^= 1
    np.savez(path, **arrays)


def damage(run):
    path = run.predictions_path("test")
    path.write_bytes(path.read_bytes()[:-50])


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (change_pixels, "the figures on 'test' are not those of its predictions; type: zoo eval"),
        (damage, "cannot be used: BadZipFile"),
    ],
)
def test_what_does_not_hold_is_not_published(harm, message, masked, here):
    harm(masked)
    with pytest.raises(zoo.ZooError, match=message):
        zoo.publish(masked, "rectangles")
    assert not (here / "registry/models/rectangles/versions").exists()


def test_several_classes(here):
    recipe = {
        **RECIPE,
        "dataset": {"name": "mask_folder", "root": str(write_masks(here / "data", classes=4)),
                    "classes": ["ground", "a", "b", "c"]},
        "data": {"size": 16},
    }  # fmt: skip
    recipe["training"] = {**RECIPE["training"], "epochs": 1}
    run = zoo.train(recipe, folder=here / "runs/three")
    done = zoo.evaluate(run.path)
    assert [row["class"] for row in done.metrics["per_class"]] == ["ground", "a", "b", "c"]
    assert load_predictions(done.path)._shapes(1)["probabilities"] == (1, 4, 16, 16)
    zoo.publish(run, "several")
    masks = zoo.load("several", device="cpu").predict(np.zeros((30, 40, 3), np.uint8)).masks
    assert masks[0].shape == (30, 40)


def test_a_split_without_masks_is_predicted_and_measures_nothing(segmented, here):
    root = write_masks(here / "data", masked_test=False)
    done = zoo.evaluate(segmented.path, root=str(root), output=here / "p.npz")
    assert (done.samples, done.metrics) == (TEST, {})
    assert not load_predictions(done.path).labelled


def test_a_figure_that_is_not_there_is_named_before_anything_is_made(here):
    recipe = {
        "dataset": {"name": "digits"},
        "architecture": {"name": "linear"},
        "stopping": {"monitor": "val/iou"},
    }
    with pytest.raises(RecipeError, match=r"^stopping\.monitor: 'val/iou': expected a figure of"):
        zoo.train(recipe, folder=here / "runs/x")
    assert not (here / "runs").exists()


def test_a_batch_holds_as_many_pixels_as_memory_allows():
    cpu, masks = torch.device("cpu"), zoo.Task.segmentation(["a", "b"], positive="b")
    assert images_at_once(cpu, masks, (32, 32)) == 128
    assert images_at_once(cpu, masks, (576, 576)) == 3
    assert images_at_once(cpu, masks, (9000, 9000)) == 1
    many = zoo.Task.segmentation([f"c{number}" for number in range(160)])
    assert images_at_once(cpu, many, (128, 128)) * 10 <= images_at_once(cpu, masks, (128, 128))
    assert images_at_once(cpu, zoo.Task.multiclass(["a", "b"]), (576, 576)) == 128


@pytest.mark.parametrize("figure", ["dice", "accuracy"])
def test_the_terminal_follows_the_figure_that_was_named(figure):
    out = io.StringIO()
    progress = TerminalProgress(Console(file=out, width=120))
    figures = {"loss": 0.5, "accuracy": 0.11, "dice": 0.22}
    with progress:
        progress(events.TrainingStarted(1, 2, 3, 4, "cpu", figure))
        progress(events.EpochEnded(1, figures, {**figures, figure: None}, 1e-3, 1.0, 3.0, True))
    heading, line = out.getvalue().splitlines()[-2:]
    assert heading.split().count(figure) == 2
    assert line.split()[:5] == ["1", "0.5000", f"{figures[figure]:.4f}", "0.5000", "undefined"]
    progress(events.EpochEnded(2, {**figures, "loss": 2e30}, figures, 1e-3, 1.0, 3.0, True))
    assert out.getvalue().splitlines()[-1].split()[1] == "2.000e+30"
