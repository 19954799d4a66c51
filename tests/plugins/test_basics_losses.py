"""cross_entropy and bce give torch's numbers, and weights computed from the training split."""

import pytest
import torch
from torch import nn
from zoo_basics import losses

import zoo

THREE = zoo.Task.multiclass(["a", "b", "c"])
LABELS_3 = zoo.Task.multilabel(["a", "b", "c"])
SICK = zoo.Task.binary(["sick", "well"], positive="sick")


def context(task, counts, samples=None):
    return zoo.LossContext(task, counts, samples or sum(counts))


@pytest.fixture
def logits():
    return torch.randn(20, 3, generator=torch.Generator().manual_seed(0))


def test_cross_entropy_is_torchs(logits):
    targets = torch.arange(20) % 3
    plain = losses.cross_entropy(context(THREE, (5, 5, 5)), label_smoothing=0.1)
    expected = nn.functional.cross_entropy(logits, targets, label_smoothing=0.1)
    assert torch.equal(plain(logits, targets), expected)
    weighted = losses.cross_entropy(context(THREE, (5, 5, 5)), class_weights=[1.0, 2.0, 4.0])
    expected = nn.functional.cross_entropy(logits, targets, torch.tensor([1.0, 2.0, 4.0]))
    assert torch.equal(weighted(logits, targets), expected)


def test_cross_entropy_on_logits_is_the_reports_log_softmax_and_nll(logits):
    targets = torch.arange(20) % 3
    loss = losses.cross_entropy(context(THREE, (5, 5, 5)))
    expected = nn.functional.nll_loss(torch.log_softmax(logits, dim=1), targets)
    assert torch.allclose(loss(logits, targets), expected, rtol=1e-6)


def test_balanced_class_weights_give_every_class_the_same_sum():
    loss = losses.cross_entropy(context(THREE, (10, 30, 60)), class_weights="balanced")
    assert loss.weight.tolist() == pytest.approx([100 / 30, 100 / 90, 100 / 180])
    assert (loss.weight * torch.tensor([10, 30, 60])).tolist() == pytest.approx([100 / 3] * 3)


def test_bce_is_torchs(logits):
    targets = (logits > 0.3).float()
    for given, weights in (("none", None), (2.5, [2.5] * 3), ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])):
        loss = losses.bce(context(LABELS_3, (5, 5, 5), 20), pos_weight=given)
        expected = nn.functional.binary_cross_entropy_with_logits(
            logits, targets, pos_weight=None if weights is None else torch.tensor(weights)
        )
        assert torch.equal(loss(logits, targets), expected)


def test_balanced_positives():
    """The positive class of SICK is label 0: 20 of 100 samples."""
    binary = losses.bce(context(SICK, (20, 80)), pos_weight="balanced")
    assert binary.pos_weight.tolist() == [4.0]
    many = losses.bce(context(LABELS_3, (10, 25, 50), 100), pos_weight="balanced")
    assert many.pos_weight.tolist() == [9.0, 3.0, 1.0]


def test_weights_move_with_the_module():
    assert "weight" in dict(
        losses.cross_entropy(context(THREE, (1, 2, 3)), class_weights="balanced").named_buffers()
    )
    assert "pos_weight" in dict(losses.bce(context(SICK, (1, 2)), pos_weight=2.0).named_buffers())


@pytest.mark.parametrize(
    "build, expected",
    [
        (
            lambda: losses.cross_entropy(context(THREE, (3, 0, 0)), class_weights="balanced"),
            "weights cannot be 'balanced': the training split has no sample of 'b', 'c'; give "
            "numbers, or 'none'",
        ),
        (
            lambda: losses.bce(context(SICK, (0, 9)), pos_weight="balanced"),
            "weights cannot be 'balanced': the training split has no sample of 'sick'; give "
            "numbers, or 'none'",
        ),
        (
            lambda: losses.bce(context(LABELS_3, (9, 3, 9), 9), pos_weight="balanced"),
            "weights cannot be 'balanced': the training split has no sample without 'a', 'c'; "
            "give numbers, or 'none'",
        ),
        (
            lambda: losses.cross_entropy(context(THREE, (1, 1, 1)), class_weights=[1.0]),
            "class_weights [1.0]: 1 numbers; expected 3",
        ),
        (
            lambda: losses.bce(context(SICK, (1, 1)), pos_weight=[1.0, 2.0]),
            "pos_weight [1.0, 2.0]: 2 numbers; expected 1",
        ),
    ],
)
def test_what_cannot_be_weighted_says_so(build, expected):
    with pytest.raises(zoo.ZooError) as caught:
        build()
    assert str(caught.value) == expected
