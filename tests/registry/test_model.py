"""Pictures in, classes and probabilities out."""

import dataclasses

import numpy as np
import pytest
import torch
from drafts import PREPROCESSING
from PIL import Image

from zoo.data.preprocessing import Preprocessing
from zoo.errors import DataError
from zoo.registry.model import Model, PredictedMasks, as_list
from zoo.registry.record import Record
from zoo.tasks import Task


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (7, 4, 5), dtype=np.uint8)


@pytest.fixture
def model(published):
    record, network = published()
    return Model(record, Preprocessing.from_json(PREPROCESSING), network)


def of_task(model, task):
    fields = {**model.record.model_dump(mode="json"), "task": task}
    changed = Model(Record.of(**fields), model.preprocessing, model.network)
    torch.manual_seed(0)
    changed.network[3] = torch.nn.Linear(60, task.outputs)
    return changed


def test_predict(model, images):
    result = model.predict(images, batch_size=3)
    assert result.probabilities.shape == (7, 3)
    assert result.probabilities.dtype == np.float32
    assert len(result) == 7
    np.testing.assert_allclose(result.probabilities.sum(axis=1), 1, rtol=1e-5)
    assert result.classes == [model.task.classes[i] for i in result.probabilities.argmax(axis=1)]
    with torch.inference_mode():
        batch = model.preprocessing(torch.from_numpy(images)[..., None])
        expected = model.network(batch).softmax(1).numpy()
    np.testing.assert_allclose(result.probabilities, expected, atol=1e-6)


def test_every_form_of_the_same_images(model, images, tmp_path):
    expected = model.predict(images).probabilities
    pictures = [Image.fromarray(one) for one in images]
    paths = []
    for i, picture in enumerate(pictures):
        paths.append(tmp_path / f"{i}.png")
        picture.save(paths[-1])
    colour = np.repeat(images[..., None], 3, axis=-1)
    for form in (
        list(images), tuple(pictures), iter(pictures), paths, [str(path) for path in paths],
        images[..., None], torch.from_numpy(images), colour, [*pictures[:3], *images[3:]],
    ):  # fmt: skip
        np.testing.assert_allclose(model.predict(form).probabilities, expected, atol=1e-6)
    for form in (images[0], images[0][..., None], pictures[0], paths[0], str(paths[0])):
        result = model.predict(form)
        assert result.probabilities.shape == (1, 3)
        np.testing.assert_allclose(result.probabilities, expected[:1], atol=1e-6)


def test_images_of_different_sizes_keep_their_order(model, images):
    big = np.kron(images, np.ones((1, 2, 2), dtype=np.uint8))
    mixed = [images[0], big[1], images[2], big[3], big[4]]
    alone = np.concatenate([model.predict(one).probabilities for one in mixed])
    for batch_size in (1, 2, 64):
        together = model.predict(mixed, batch_size=batch_size).probabilities
        np.testing.assert_allclose(together, alone, atol=1e-6)


def test_none_at_all(model):
    result = model.predict([])
    assert result.classes == []
    assert result.probabilities.shape == (0, 3)


def test_binary_and_multilabel(model, images):
    binary = of_task(model, Task.binary(["yes", "no"], positive="yes", threshold=0.4))
    result = binary.predict(images)
    assert result.probabilities.shape == (7, 2)
    assert result.classes == [
        "yes" if one > 0.4 else "no" for one in result.probabilities[:, 0].tolist()
    ]
    several = of_task(model, Task.multilabel(["a", "b", "c"]))
    result = several.predict(images)
    assert result.classes == [
        [name for name, one in zip("abc", row, strict=True) if one > 0.5]
        for row in result.probabilities.tolist()
    ]


@pytest.mark.parametrize(
    ("given", "what"),
    [
        (np.zeros((2, 2)), "image 0: array of shape (2, 2) and type float64"),
        ([np.zeros((2, 2), np.uint8), np.zeros((2, 2, 2, 2), np.uint8)], "image 1: array of shape"),
        (np.zeros((5, 5, 4), np.uint8), "image 0: 4 channels; expected 1 or 3"),
        (["nowhere.png"], "image 'nowhere.png': no such file"),
        (3, "images int: expected an image, a path, a uint8 array, or a list"),
    ],
)
def test_wrong_images(model, given, what):
    with pytest.raises(DataError) as caught:
        model.predict(given)
    assert what in str(caught.value)


def test_wrong_use(model, images):
    with pytest.raises(DataError, match="batch_size 0: expected 1 or more"):
        model.predict(images, batch_size=0)


@pytest.fixture
def segmenting(model):
    """Makes a model for a segmentation task, with one convolution."""

    def make(task, **changes):
        fields = {**model.record.model_dump(mode="json"), "task": task}
        torch.manual_seed(0)
        network = torch.nn.Conv2d(1, task.outputs, 3, padding=1)
        torch.nn.init.normal_(network.weight)
        preprocessing = dataclasses.replace(model.preprocessing, **changes)
        return Model(Record.of(**fields), preprocessing, network)

    return make


@pytest.mark.parametrize("task", [
    Task.segmentation(["a", "b"], positive="b", threshold=0.6),
    Task.segmentation(["a", "b"], positive="a"), Task.segmentation(["a", "b", "c"]),
])  # fmt: skip
def test_masks_of_the_networks_size_are_its_decisions(task, segmenting, images):
    model = segmenting(task)
    result = model.predict(images, batch_size=3)
    with torch.inference_mode():
        logits = model.network(model.preprocessing(torch.from_numpy(images)[..., None]))
    assert isinstance(result, PredictedMasks) and len(result) == 7
    for mask, planes, logit in zip(result.masks, result.probabilities, logits, strict=True):
        assert (mask.dtype, planes.dtype) == (np.uint8, np.float32)
        np.testing.assert_array_equal(mask, task.decisions(logit[None])[0].numpy())
        np.testing.assert_allclose(planes, task.probabilities(logit[None])[0], atol=1e-5)
    assert len(np.unique(np.stack(result.masks))) == len(task.classes)


def test_masks_have_the_size_of_their_image(segmenting, images, tmp_path):
    model = segmenting(Task.segmentation(["a", "b"], positive="b"))
    Image.fromarray(images[0]).resize((31, 17)).save(tmp_path / "x.png")
    mixed = [images[0], np.kron(images[1], np.ones((5, 3), np.uint8)), tmp_path / "x.png"]
    for batch_size in (None, 1, 2):
        result = model.predict(mixed, batch_size)
        assert [mask.shape for mask in result.masks] == [(4, 5), (20, 15), (17, 31)]
        assert [planes.shape for planes in result.probabilities] == [
            (2, 4, 5), (2, 20, 15), (2, 17, 31),
        ]  # fmt: skip
        for mask, planes in zip(result.masks, result.probabilities, strict=True):
            np.testing.assert_array_equal(mask, planes[1] > 0.5)
            np.testing.assert_allclose(planes.sum(0), 1, atol=1e-5)
    assert model.predict([]).masks == []


def test_what_was_cut_off_is_marked_unknown(segmenting):
    task = Task.segmentation(["a", "b"], positive="b")
    model = segmenting(task, store_size=(4, 5), fit="crop")
    wide = np.random.default_rng(0).integers(0, 256, (8, 30), dtype=np.uint8)
    result = model.predict(wide)
    unknown = result.masks[0] == 255
    assert unknown[:, :10].all() and unknown[:, 20:].all() and not unknown[:, 10:20].any()
    assert not result.probabilities[0][:, unknown].any()


def test_a_photograph_is_turned_as_it_is_seen(segmenting, tmp_path):
    model = segmenting(Task.segmentation(["a", "b"], positive="b"))
    turned = Image.fromarray(np.zeros((4, 6), np.uint8))
    turned.getexif()[0x0112] = 6
    turned.save(tmp_path / "x.jpg", exif=turned.getexif())
    assert model.predict(tmp_path / "x.jpg").masks[0].shape == (6, 4)


def test_a_tensor_with_channels_first_is_refused():
    for shape in ((3, 12, 20), (2, 3, 12, 20)):
        with pytest.raises(DataError) as caught:
            as_list(torch.zeros(shape, dtype=torch.uint8))
        assert str(caught.value) == (
            f"images: tensor of shape {shape}: its channels seem to come first; give them last, "
            f"with tensor.movedim(-3, -1), or gray images as a list"
        )
    assert len(as_list(torch.zeros((12, 20, 3), dtype=torch.uint8))) == 1
    assert len(as_list(torch.zeros((1, 12, 20), dtype=torch.uint8))) == 1
    assert len(as_list(torch.zeros((2, 12, 20), dtype=torch.uint8))) == 2


def test_photographs_are_not_held_as_floats_all_at_once(model, monkeypatch):
    asked = []
    real = Preprocessing.__call__

    def counted(self, images):
        asked.append(tuple(images.shape[:3]))
        return real(self, images)

    monkeypatch.setattr(Preprocessing, "__call__", counted)
    large, right = np.zeros((40, 50), np.uint8), np.zeros((4, 5), np.uint8)
    assert len(model.predict([large, large, right, right, right, large])) == 6
    assert asked == [(1, 40, 50), (1, 40, 50), (1, 40, 50), (3, 4, 5)]


def test_a_view_that_lies_backwards(model, images):
    expected = model.predict(np.ascontiguousarray(images[:, ::-1, ::-1])).probabilities
    np.testing.assert_array_equal(model.predict(images[:, ::-1, ::-1]).probabilities, expected)


def test_the_rule_for_arrays():
    assert len(as_list(np.zeros((9, 9), np.uint8))) == 1
    assert len(as_list(np.zeros((9, 9, 3), np.uint8))) == 1
    assert len(as_list(np.zeros((9, 9, 5), np.uint8))) == 9
    assert len(as_list(np.zeros((9, 9, 3), np.uint8)[..., None])) == 9
    assert len(as_list(np.zeros((2, 9, 9, 3), np.uint8))) == 2
