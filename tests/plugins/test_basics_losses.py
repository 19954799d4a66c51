"""cross_entropy and bce give torch's numbers, and weights computed from the training split."""

import pytest
import torch
from torch import nn
from zoo_basics import losses

import zoo

THREE = zoo.Task.multiclass(["a", "b", "c"])
LABELS_3 = zoo.Task.multilabel(["a", "b", "c"])
TOOLS = zoo.Task.segmentation(["a", "b", "c"])
TOOL = zoo.Task.segmentation(["tool", "tissue"], positive="tool")
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


def pixels(task, ignored):
    """Logits and targets of 2 images of 4 x 4 pixels; the columns ``ignored`` are of label 255."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, task.outputs, 4, 4, generator=generator).requires_grad_()
    labels = torch.randint(0, len(task.classes), (2, 4, 4), generator=generator)
    labels[..., ignored] = 255
    return logits, task.targets(labels)


@pytest.mark.parametrize("task", [TOOL, TOOLS])
@pytest.mark.parametrize("weighted", [False, True])
def test_ignored_pixels_are_as_if_they_were_not_there(task, weighted):
    logits, targets = pixels(task, slice(1, None, 2))
    counts = (3, 7, 10)[: len(task.classes)]
    if task is TOOL:
        loss = losses.bce(context(task, counts), pos_weight="balanced" if weighted else "none")
        plain = nn.BCEWithLogitsLoss(pos_weight=loss.pos_weight)
    else:
        given = "balanced" if weighted else "none"
        loss = losses.cross_entropy(context(task, counts), class_weights=given, label_smoothing=0.1)
        plain = nn.CrossEntropyLoss(weight=loss.weight, label_smoothing=0.1)
    value = loss(logits, targets)
    assert torch.allclose(value, plain(logits[..., ::2], targets[..., ::2]))
    value.backward()
    assert not logits.grad[..., 1::2].any() and logits.grad[..., ::2].all()
    whole, targets = pixels(task, slice(0))
    assert torch.allclose(loss(whole, targets), plain(whole, targets))


@pytest.mark.parametrize("task", [TOOL, TOOLS])
def test_a_batch_of_ignored_pixels_gives_0(task):
    logits, targets = pixels(task, slice(None))
    for weights in ("none", "balanced"):
        if task is TOOL:
            loss = losses.bce(context(task, (1, 2)), pos_weight=weights)
        else:
            loss = losses.cross_entropy(context(task, (1, 2, 3)), class_weights=weights)
            assert nn.functional.cross_entropy(logits, targets, ignore_index=255).isnan()
        value = loss(logits, targets)
        value.backward()
        assert value == 0 and not logits.grad.any()


def test_sums_over_pixels_do_not_overflow_half_precision():
    logits = torch.full((1, 1, 300, 300), -20.0, dtype=torch.float16)
    assert losses.bce(context(TOOL, (1, 1)))(logits, torch.ones(1, 1, 300, 300)) == 20


def test_the_positive_pixels_may_be_of_label_0():
    loss = losses.bce(context(TOOL, (20, 80)), pos_weight="balanced")
    assert loss.pos_weight.tolist() == [4.0]


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
            lambda: losses.bce(context(TOOL, (0, 9)), pos_weight="balanced"),
            "weights cannot be 'balanced': the training split has no pixel of 'tool'; give "
            "numbers, or 'none'",
        ),
        (
            lambda: losses.cross_entropy(context(TOOL, (1, 1))),
            "loss 'cross_entropy': the network has one output; use loss 'bce'",
        ),
        (
            lambda: losses.bce(context(TOOLS, (1, 1, 1))),
            "loss 'bce': the network has 3 outputs for classes that exclude each other; use loss "
            "'cross_entropy'",
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
