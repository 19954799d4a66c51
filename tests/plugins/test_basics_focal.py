"""focal gives the paper's numbers, also where a naive form has no finite gradient."""

import math

import pytest
import torch
from zoo_basics.losses_focal import focal

import zoo

SICK = zoo.Task.binary(["well", "sick"], positive="sick")
THREE = zoo.Task.multiclass(["a", "b", "c"])
LABELS_3 = zoo.Task.multilabel(["a", "b", "c"])
TOOL = zoo.Task.segmentation(["tissue", "tool"], positive="tool")
TOOLS = zoo.Task.segmentation(["a", "b", "c"])


def build(task, counts=None, samples=None, **options):
    counts = counts or (1,) * len(task.classes)
    return focal(zoo.LossContext(task, counts, samples or sum(counts)), **options)


def logit(p):
    return math.log(p / (1 - p))


def test_the_binary_form_by_hand():
    """p_t is 0.9 for a positive, 0.6 for a negative."""
    logits = torch.tensor([[logit(0.9)], [logit(0.4)]])
    targets = torch.tensor([[1.0], [0.0]])
    value = build(SICK, gamma=2.0)(logits, targets)
    assert value.item() == pytest.approx(-(0.1**2 * math.log(0.9) + 0.4**2 * math.log(0.6)) / 2)
    value = build(SICK, gamma=1.0, alpha=0.25)(logits, targets)
    by_hand = -(0.25 * 0.1 * math.log(0.9) + 0.75 * 0.4 * math.log(0.6)) / 2
    assert value.item() == pytest.approx(by_hand)


def test_the_softmax_form_by_hand():
    logits = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]]).log()
    targets = torch.tensor([0, 2])
    value = build(THREE, gamma=2.0)(logits, targets)
    assert value.item() == pytest.approx(-(0.3**2 * math.log(0.7) + 0.8**2 * math.log(0.2)) / 2)
    value = build(THREE, gamma=2.0, alpha=[1.0, 2.0, 4.0])(logits, targets)
    by_hand = -(0.3**2 * math.log(0.7) + 4 * 0.8**2 * math.log(0.2)) / 2
    assert value.item() == pytest.approx(by_hand)


def test_gamma_0_is_cross_entropy():
    logits = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    targets = torch.arange(20) % 3
    expected = torch.nn.functional.cross_entropy(logits, targets)
    assert torch.allclose(build(THREE, gamma=0.0)(logits, targets), expected)
    hot = torch.nn.functional.one_hot(targets, 3).float()
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, hot)
    assert torch.allclose(build(LABELS_3, gamma=0.0)(logits, hot), expected)


def test_it_is_the_librarys_where_that_is_the_papers():
    library = pytest.importorskip("segmentation_models_pytorch").losses.FocalLoss
    logits = torch.randn(2, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    targets = (logits > 0.3).float()
    for alpha in (0.25, None):
        ours = build(TOOL, gamma=2.0, alpha="none" if alpha is None else alpha)
        theirs = library("binary", gamma=2.0, alpha=alpha)
        assert torch.allclose(ours(logits, targets), theirs(logits, targets))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("task", [SICK, THREE])
def test_sure_logits_have_a_finite_gradient(gamma, task):
    logits = torch.tensor([[200.0], [-200.0], [1e-8]]) * torch.ones(3, task.outputs)
    if task is THREE:
        logits = logits * torch.tensor([1.0, -1.0, -1.0])
    logits.requires_grad_()
    for label in (0, 1):
        logits.grad = None
        build(task, gamma=gamma)(logits, task.targets(torch.full((3,), label))).backward()
        assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("task", [TOOL, TOOLS])
def test_ignored_pixels_count_for_nothing(task):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, task.outputs, 4, 4, generator=generator).requires_grad_()
    labels = torch.randint(0, len(task.classes), (2, 4, 4), generator=generator)
    labels[..., 1::2] = 255
    loss = build(task)
    targets = task.targets(labels)
    value = loss(logits, targets)
    assert torch.allclose(value, loss(logits[..., ::2], targets[..., ::2]))
    value.backward()
    assert not logits.grad[..., 1::2].any() and logits.grad[..., ::2].all()
    logits.grad = None
    value = loss(logits, task.targets(torch.full_like(labels, 255)))
    value.backward()
    assert value == 0 and not logits.grad.any()


@pytest.mark.parametrize(
    ("task", "alpha", "weights"),
    [
        (SICK, 0.25, [0.75, 0.25]),
        (zoo.Task.binary(["well", "sick"], positive="well"), 0.25, [0.25, 0.75]),
        (TOOL, [0.9], [1 - 0.9, 0.9]),
        (SICK, "balanced", [0.25, 0.75]),
        (THREE, [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]),
        (THREE, "balanced", [8 / 9, 4 / 9, 8 / 3]),
        (LABELS_3, 0.25, [1 / 3] * 3),
        *[(task, "none", None) for task in (SICK, TOOL, THREE, TOOLS, LABELS_3)],
    ],
)
def test_it_says_what_it_weighs(task, alpha, weights):
    """3 samples to 1; 3, 6 and 1 of 8 with some of two classes."""
    counts, samples = {2: ((3, 1), 4), 3: ((3, 6, 1), 8)}[len(task.classes)]
    said = build(task, counts, samples, alpha=alpha).class_weights
    assert said == (weights if weights is None else pytest.approx(weights))


@pytest.mark.parametrize("task", [SICK, THREE])
def test_mixed_targets_count_in_their_shares(task):
    logits = torch.randn(6, task.outputs, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(6) % 2
    one, other = task.targets(labels), task.targets(1 - labels)
    loss = build(task)
    if task is THREE:
        soft = 0.3 * torch.eye(3)[one] + 0.7 * torch.eye(3)[other]
    else:
        soft = 0.3 * one + 0.7 * other
    expected = 0.3 * loss(logits, one) + 0.7 * loss(logits, other)
    assert torch.allclose(loss(logits, soft), expected)


def test_balanced_alpha():
    assert build(SICK, (20, 80), alpha="balanced").alpha.tolist() == pytest.approx([0.2])
    many = build(LABELS_3, (10, 25, 50), 100, alpha="balanced")
    assert many.alpha.tolist() == pytest.approx([0.9, 0.75, 0.5])
    weights = build(THREE, (10, 30, 60), alpha="balanced").weights
    assert weights.tolist() == pytest.approx([100 / 30, 100 / 90, 100 / 180])


@pytest.mark.parametrize(
    "task, counts, alpha, expected",
    [
        (SICK, (1, 1), 1.5, "alpha 1.5: expected numbers below 1, one for each of 1 outputs"),
        (
            THREE,
            (1, 1, 1),
            0.25,
            "alpha 0.25: expected 'balanced', 'none', or a list of 3 numbers, one a class",
        ),
        (
            SICK,
            (3, 0),
            "balanced",
            "alpha cannot be 'balanced': the training split has none of 'sick'; give numbers, or "
            "'none'",
        ),
    ],
)
def test_what_cannot_be_weighted_says_so(task, counts, alpha, expected):
    with pytest.raises(zoo.ZooError) as caught:
        build(task, counts, alpha=alpha)
    assert str(caught.value) == expected
