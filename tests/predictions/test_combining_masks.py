"""Ensembles of masks: chunk by chunk, on the first member's grid, and in each image's own size."""

import dataclasses

import numpy as np
import pytest
import torch

from zoo.data.preprocessing import Preprocessing
from zoo.data.restoring import restored
from zoo.errors import PredictionsError
from zoo.predictions.archive import Heading
from zoo.predictions.combining import grids, methods, results
from zoo.predictions.combining.answers import Validation
from zoo.predictions.combining.masks import MaskMembers
from zoo.predictions.combining.methods import METHODS, Method
from zoo.predictions.combining.panels import panel_of
from zoo.predictions.combining.rules import Mean, Vote
from zoo.predictions.combining.scoring import Score
from zoo.predictions.file import load_predictions
from zoo.predictions.intervals import Plan
from zoo.predictions.masks import MaskChunk, MaskPredictions
from zoo.predictions.own_masks import MaskPair
from zoo.predictions.same_samples import Named
from zoo.tasks import Task

THING = Task.segmentation(["ground", "thing"], positive="thing")
THREE = Task.segmentation(["a", "b", "c"])
IMAGES, SIZES = 7, ((20, 26), (16, 16), (30, 12))


def preprocessing(size, **changes):
    return Preprocessing(**{"size": size, "channels": 1, "mean": (0.5,), "std": (0.5,), **changes})


def truth_of(task, number, size):
    """A disc or bars, by the image's own coordinates, so that every grid shows the same."""
    rows, columns = np.meshgrid(*[(np.arange(side) + 0.5) / side for side in size], indexing="ij")
    inside = (rows - 0.5) ** 2 + (columns - 0.3 - 0.05 * number) ** 2 < 0.08
    return (inside * (1 + number % (len(task.classes) - 1))).astype(np.uint8)


def write(path, task, seed, size=(12, 12), lengths=(3, 3, 1), noise=2.0, own=True, **changes):
    """A member's masks: the truth and noise of its own."""
    generator, seen_by = torch.Generator().manual_seed(seed), preprocessing(size)

    def chunks():
        first = 0
        for length in lengths:
            targets = np.stack([truth_of(task, first + i, size) for i in range(length)])
            clean = torch.nn.functional.one_hot(torch.from_numpy(targets).long(), len(task.classes))
            logits = 3 * clean.movedim(-1, 1).float()
            if task.positive is not None:
                logits = logits[:, 1:] - 1.5
            logits += noise * torch.randn(logits.shape, generator=generator)
            chunk = MaskChunk.of(task, logits, torch.from_numpy(targets))
            if own:
                pairs = [own_pair(task, logits[i], seen_by, first + i) for i in range(length)]
                chunk = dataclasses.replace(chunk, own=pairs)
            yield chunk
            first += length

    heading = Heading(task, "d", "val", "f", "c", f"m{seed}")
    return MaskPredictions.write(
        path,
        dataclasses.replace(heading, **changes),
        [f"i{n}" for n in range(IMAGES)],
        chunks(),
        preprocessing=seen_by.as_json(),
    )


def own_pair(task, logits, seen_by, number):
    size = SIZES[number % len(SIZES)]
    planes, _ = restored(task.probabilities(logits[None])[0], seen_by, size)
    mask = task.decided(planes[None])[0]
    return MaskPair(mask.byte().numpy(), truth_of(task, number, size))


def members(folder, task, count=3, **changes):
    return [write(folder / f"{i}.npz", task, i, **changes) for i in range(count)]


def together(files):
    return MaskMembers.of([f"m{i}" for i in range(len(files))], files)


def planes(file):
    """(N, K, H, W), as floats in [0, 1]."""
    given = np.concatenate([one.probabilities for one in file.chunks()]) / 255
    return given if given.shape[1] > 1 else np.concatenate([1 - given, given], axis=1)


def combined(folder, files, rule):
    return results.of_masks(together(files), rule, folder / "all.npz", {"source": "all"})


@pytest.mark.parametrize("task", [THING, THREE], ids=str)
def test_the_mean_is_that_of_the_probabilities(task, tmp_path):
    files = members(tmp_path, task)
    found = combined(tmp_path, files, Mean.of(3))
    expected = np.mean([planes(one) for one in files], axis=0)
    assert np.abs(planes(found) - expected).max() < 1.5 / 255
    decided = np.concatenate([one.decisions for one in found.chunks()])
    clear = np.abs(np.diff(np.sort(expected, axis=1)[:, -2:], axis=1))[:, 0] > 0.02
    assert np.array_equal(decided[clear], expected.argmax(1)[clear])
    again = load_predictions(tmp_path / "all.npz")
    assert again.source == "all"
    assert np.array_equal(again.sizes, files[0].sizes)


@pytest.mark.parametrize("task", [THING, THREE], ids=str)
def test_votes_are_counted_pixel_by_pixel(task, tmp_path):
    files = members(tmp_path, task)
    found = combined(tmp_path, files, Vote(task, (task,) * 3))
    votes = np.zeros((IMAGES, len(task.classes), 12, 12))
    for one in files:
        decided = np.concatenate([chunk.decisions for chunk in one.chunks()])
        for k in range(len(task.classes)):
            votes[:, k] += decided == k
    clear = votes.max(1) >= 2
    mine = np.concatenate([chunk.decisions for chunk in found.chunks()])
    assert np.array_equal(mine[clear], votes.argmax(1)[clear])


def test_own_sizes_are_decided_from_the_mean_there(tmp_path):
    files = members(tmp_path, THING)
    found = combined(tmp_path, files, Mean.of(3))
    mean = torch.from_numpy(np.mean([planes(one) for one in files], axis=0)).float()
    for number, (image, given) in enumerate(zip(found.images(), files[0].images(), strict=True)):
        there, _ = restored(mean[number], preprocessing((12, 12)), SIZES[number % 3])
        clear = (there[1] - 0.5).abs() > 0.02
        expected = THING.decided(there[None])[0].byte()
        assert image.own.decisions.shape == SIZES[number % 3]
        assert np.array_equal(image.own.decisions[clear.numpy()], expected[clear].numpy())
        assert np.array_equal(image.own.targets, given.own.targets)


def test_members_of_other_grids_and_chunks(tmp_path):
    """Resized to the first one's grid; the truth is in the same place on each."""
    first = write(tmp_path / "a.npz", THING, 0, noise=0.3)
    other = write(tmp_path / "b.npz", THING, 1, size=(24, 18), lengths=(2, 5), noise=0.3)
    found = combined(tmp_path, [first, other], Mean((0.0, 1.0)))
    assert found.size == (12, 12)
    given = torch.from_numpy(planes(other)).float()
    expected = torch.nn.functional.interpolate(given, (12, 12), mode="bilinear", antialias=True)
    assert np.abs(planes(found) - expected.numpy()).max() < 1.5 / 255
    decided = np.concatenate([one.decisions for one in found.chunks()])
    targets = np.concatenate([one.targets for one in found.chunks()])
    assert (decided == targets).mean() > 0.97


def test_memory_holds_a_chunk_of_each(tmp_path, monkeypatch):
    files = members(tmp_path, THING)
    open_, real = [], MaskPredictions.chunks

    def counted(self):
        for chunk in real(self):
            open_.append(len(chunk))
            yield chunk

    monkeypatch.setattr(MaskPredictions, "chunks", counted)
    pieces = together(files).pieces()
    next(pieces)
    assert open_ == [3, 3, 3]  # one of each of three
    next(pieces)
    assert open_ == [3] * 6


@pytest.mark.parametrize("name", [one for one in METHODS if one != "stack"])
@pytest.mark.parametrize("task", [THING, THREE], ids=str)
def test_independent_noise_averages_out(name, task, tmp_path):
    """The mean over images of Dice, on test, with an interval above zero."""
    said = {}
    for split, start in (("val", 0), ("test", 10)):
        said[split] = [
            Named(f"m{i}", write(tmp_path / f"{split}{i}.npz", task, start + i, split=split,
                                 content=split))
            for i in range(4)
        ]  # fmt: skip
    panel = panel_of(said, said)
    method = Method(name, Score(task, "dice"))
    best = panel.best(method.score)
    rule = panel.choose(method)
    ensemble = panel.write("test", method, rule, tmp_path / "all.npz", {"source": "all"})
    gain = results.gain(said["test"][best], Named("all", ensemble), Plan(draws=300))
    dice = gain["per_image"]["dice"]
    assert dice["shown"] == "better"
    assert dice["low"] > 0
    assert len(gain["per_image_by_class"]) == len(task.classes)


def test_a_copy_of_masks_gains_nothing(tmp_path):
    files = [write(tmp_path / f"{i}.npz", THING, 1) for i in range(2)]
    found = combined(tmp_path, files, Mean.of(2))
    gain = results.gain(Named("m0", files[0]), Named("all", found), Plan(draws=300))
    dice = gain["per_image"]["dice"]
    assert abs(dice["value"]) < 1e-3  # a byte of probability rounds a pixel or two
    assert dice["low"] <= 0 <= dice["high"]


def test_weights_are_fitted_on_some_pixels_of_every_image(tmp_path):
    files = [write(tmp_path / f"{i}.npz", THING, i, noise=n) for i, n in enumerate((1.0, 30.0))]
    sample = together(files).sampled(pixels=7 * 36)
    assert sample.samples == IMAGES
    assert len(sample.truth) == 7 * 36
    whole = together(files).sampled()
    assert len(whole.truth) == 7 * 144
    for given in (sample, whole):
        rule = Method("weighted", Score(THING, "dice")).choose(Validation(given))
        assert rule.weights[0] > 0.9


def test_how_masks_differ(tmp_path):
    files = members(tmp_path, THING)
    found = results.diversity_of_masks(together(files))
    decided = [np.concatenate([c.decisions for c in one.chunks()]) for one in files]
    truth = np.concatenate([one.targets for one in files[0].chunks()])
    assert found["questions"] == truth.size
    assert found["disagreement"][0][1] == pytest.approx((decided[0] != decided[1]).mean())
    right = [one == truth for one in decided]
    assert found["oracle"] == pytest.approx(np.any(right, axis=0).mean())


def test_ignored_pixels_count_for_nothing(tmp_path):
    said, truth = Validation(_ignoring(tmp_path)).known()
    assert len(truth) == len(said[0]) == 144


def _ignoring(folder):
    """Seven images of which the first alone has a truth."""
    heading = Heading(THING, "d", "val", "f", "c", "m")
    logits = torch.zeros(IMAGES, 1, 12, 12)
    masks = torch.full((IMAGES, 12, 12), 255)
    masks[0] = 1
    files = [
        MaskPredictions.write(
            folder / f"{i}.npz", heading, [f"i{n}" for n in range(IMAGES)],
            [MaskChunk.of(THING, logits, masks)], preprocessing=preprocessing((12, 12)).as_json(),
        )
        for i in range(2)
    ]  # fmt: skip
    return together(files).sampled()


class TestMasksThatDoNotFit:
    def test_other_parts_of_an_image(self):
        whole = preprocessing((12, 12), store_size=(16, 16))
        crop = preprocessing((24, 24), store_size=(32, 32), fit="crop")
        with pytest.raises(PredictionsError) as caught:
            grids.check_frames(["a", "b"], [whole, crop])
        assert str(caught.value) == (
            "members 'a' and 'b' see different parts of an image: stretch to 16x16 and crop to "
            "32x32; their masks cannot be combined"
        )

    @pytest.mark.parametrize(
        ("one", "other", "fits"),
        [
            ({}, {"store_size": (40, 40)}, True),
            ({"store_size": (8, 8), "fit": "pad"}, {"store_size": (16, 16), "fit": "pad"}, True),
            ({"store_size": (8, 8), "fit": "pad"}, {"store_size": (16, 12), "fit": "pad"}, False),
            ({"store_size": (8, 8), "fit": "pad"}, {"store_size": (8, 8), "fit": "crop"}, False),
            ({"center_crop": True}, {}, False),
        ],
    )
    def test_which_frames_are_the_same(self, one, other, fits):
        both = [preprocessing((12, 12), **one), preprocessing((24, 24), **other)]
        if fits:
            grids.check_frames(["a", "b"], both)
        else:
            with pytest.raises(PredictionsError, match="see different parts"):
                grids.check_frames(["a", "b"], both)

    def test_networks_of_one_size_that_were_shown_different_parts(self, tmp_path):
        first, other = (write(tmp_path / f"{i}.npz", THING, i) for i in (0, 1))
        crop = preprocessing((12, 12), store_size=(16, 16), fit="crop").as_json()
        with pytest.raises(PredictionsError, match="'m0' and 'm1' see different parts of an image"):
            together([first, dataclasses.replace(other, preprocessing=crop)])

    def test_a_file_that_does_not_say_how_images_were_shown(self, tmp_path):
        first = write(tmp_path / "a.npz", THING, 0)
        other = write(tmp_path / "b.npz", THING, 1, size=(6, 6))
        with pytest.raises(PredictionsError, match="'m1': its predictions do not say how images"):
            together([first, dataclasses.replace(other, preprocessing={})])

    def test_classes_and_masks(self, tmp_path):
        from members import FOUR, several

        named = [Named("a", write(tmp_path / "a.npz", THING, 0)), Named("b", several(FOUR, 1)[0])]
        with pytest.raises(PredictionsError) as caught:
            panel_of({"val": named}, {"val": named})
        assert str(caught.value) == (
            "members have different tasks: segmentation ('a') and multiclass ('b')"
        )

    def test_a_regression_is_not_for_masks(self, tmp_path):
        sample = together(members(tmp_path, THING)).sampled()
        with pytest.raises(PredictionsError, match="method 'stack' is for classes, not for masks"):
            methods.Method("stack", Score(THING, "dice")).choose(Validation(sample))
