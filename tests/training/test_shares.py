"""What an epoch draws of each class, and what the loss makes of it."""

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from zoo.data.copies import Copies, Copy
from zoo.data.loader import Loader
from zoo.data.preprocessing import Preprocessing
from zoo.data.store import Store
from zoo.training.shares import class_shares, loss_weights

CPU = torch.device("cpu")
KINDS = zoo.Task.multiclass(["rare", "common"])


def loader_of(task, labels, sampler=None, masks=None, copies=None):
    number = len(labels) if masks is None else len(masks)
    images = torch.zeros((number, 2, 2, 1), dtype=torch.uint8)
    store = Store(images, labels, tuple(map(str, range(number))), masks)
    plain = Preprocessing((2, 2), 1, (0.0,), (1.0,))
    return Loader(store, plain, task, 4, CPU, sampler, copies)


def test_a_plain_epoch_draws_what_there_is():
    labels = torch.tensor([1, 1, 0, 1])
    loader = loader_of(KINDS, labels, lambda g: torch.randperm(4, generator=g))
    said = class_shares(loader, nn.CrossEntropyLoss(), KINDS)
    assert (said.unit, said.counts, said.shares) == ("images", (1, 3), (0.25, 0.75))
    assert said.drawn == said.effective == said.shares
    assert said.weights is None
    assert said.as_json()["event"] == "class_shares"


def test_a_sampler_is_counted_and_weights_are_multiplied():
    loader = loader_of(KINDS, torch.tensor([1, 1, 0, 1]), lambda g: torch.tensor([2, 2, 0, 1, 0]))
    loss = nn.CrossEntropyLoss(weight=torch.tensor([3.0, 1.0]))
    said = class_shares(loader, loss, KINDS)
    assert said.drawn == (0.4, 0.6)
    assert said.weights == (3.0, 1.0)
    assert said.effective == pytest.approx((1.2 / 1.8, 0.6 / 1.8))
    assert said.by_class()["rare"] == {
        "count": 1, "share": 0.25, "drawn": 0.4, "weight": 3.0, "effective": said.effective[0],
    }  # fmt: skip


def test_an_enlarged_set_counts_every_copy():
    copies = Copies((Copy(), Copy()))
    labels = torch.tensor([1, 1, 0, 1])
    loader = loader_of(KINDS, labels, lambda g: torch.tensor([6, 2, 5, 4]), copies=copies)
    assert class_shares(loader, nn.CrossEntropyLoss(), KINDS).drawn == (0.5, 0.5)


def test_labels_that_stand_together():
    task = zoo.Task.multilabel(["left", "right"])
    labels = torch.tensor([[1, 1], [0, 1], [0, 0], [0, 1]], dtype=torch.uint8)
    loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0, 1 / 3]))
    said = class_shares(loader_of(task, labels, lambda g: torch.tensor([0, 0, 2])), loss, task)
    assert (said.counts, said.shares) == ((1, 3), (0.25, 0.75))
    assert said.drawn == pytest.approx((2 / 3, 2 / 3))
    assert said.effective is None and said.weights == pytest.approx((3.0, 1 / 3))
    assert "effective" not in said.by_class()["left"]


def test_pixels_are_counted_as_they_are_drawn():
    task = zoo.Task.segmentation(["ground", "tool"], positive="tool")
    masks = torch.from_numpy(np.array([[[0, 0], [0, 1]], [[1, 1], [1, 255]]], np.uint8))
    loss = nn.BCEWithLogitsLoss()
    twice = loader_of(task, None, lambda g: torch.tensor([1, 1, 0]), masks)
    said = class_shares(twice, loss, task)
    assert (said.unit, said.counts) == ("pixels", (3, 4))
    assert said.drawn == (0.3, 0.7)
    once = loader_of(task, None, lambda g: torch.tensor([1, 0]), masks)
    assert class_shares(once, loss, task).drawn == (3 / 7, 4 / 7)


def test_where_a_loss_keeps_its_weights():
    seen = zoo.Task.binary(["no", "yes"], positive="no")
    fourfold = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([4.0]))
    assert loss_weights(fourfold, seen) == (True, (4.0, 1.0))
    assert loss_weights(nn.BCEWithLogitsLoss(), seen) == (True, None)
    assert loss_weights(plain, KINDS) == (False, None)
    assert loss_weights(nn.CrossEntropyLoss(weight=torch.ones(5)), KINDS) == (False, None)

    def wrapping(logits, targets):
        return logits.sum()

    wrapping.__wrapped__ = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0]))
    assert loss_weights(wrapping, KINDS) == (True, (1.0, 2.0))


def plain(logits, targets):
    return logits.sum()


def test_a_loss_says_how_it_weighs():
    loader = loader_of(KINDS, torch.tensor([1, 1, 0, 1]))
    for weights in ((3.0, 1.0), torch.tensor([3.0, 1.0])):
        said = class_shares(loader, saying(weights), KINDS)
        assert (said.weights, said.effective) == ((3.0, 1.0), (0.5, 0.5))
    said = class_shares(loader, saying(None), KINDS)
    assert (said.weights, said.effective) == (None, (0.25, 0.75))


def test_of_a_loss_that_does_not_say_there_is_no_share():
    said = class_shares(loader_of(KINDS, torch.tensor([1, 1, 0, 1])), plain, KINDS)
    assert (said.drawn, said.weights, said.effective) == ((0.25, 0.75), None, None)


def saying(weights):
    loss = nn.MSELoss()
    loss.class_weights = weights
    return loss


@pytest.mark.parametrize("weights", [(1.0,), (1.0, float("nan")), (1.0, -1.0), 3.0, "ab"])
def test_weights_that_do_not_fit_are_named(weights):
    with pytest.raises(zoo.ZooError, match=r"the loss has class_weights .*; expected None, or 2 "):
        loss_weights(saying(weights), KINDS)
