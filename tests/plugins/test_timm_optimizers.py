"""timm's optimizers and losses: each keeps zoo's contract, and computes what timm computes."""

from __future__ import annotations

import warnings

import pytest
import torch

from zoo.errors import ComponentError, TrainingError, ZooError
from zoo.plugins import check_networks, check_schedules
from zoo.plugins.catalog import catalog
from zoo.plugins.contexts import LossContext, OptimizerContext
from zoo.tasks import Task

timm = pytest.importorskip("timm")
pytest.importorskip("zoo_timm")
from timm import loss as library  # noqa: E402
from timm.optim import create_optimizer_v2, list_optimizers  # noqa: E402
from zoo_timm import facts, optimizers  # noqa: E402

THREE = Task.multiclass(["a", "b", "c"])
MANY = Task.multilabel(["a", "b", "c"])


def optimizer(name, parameters, **options):
    groups = [{"params": parameters}]
    return catalog().get("optimizer", f"timm/{name}").build(OptimizerContext(groups), options)


def loss(name, task=THREE, counts=(5, 3, 2), samples=10, **options):
    return catalog().get("loss", f"timm/{name}").build(LossContext(task, counts, samples), options)


@pytest.mark.parametrize("name", optimizers.NAMES)
def test_every_optimizer_keeps_the_contract(name):
    component = catalog().get("optimizer", f"timm/{name}")
    assert list(check_schedules.optimizer(component)) == []


def test_what_timm_has_is_there_or_left_out_with_a_reason():
    if timm.__version__ != facts._read(facts._SHIPPED.read_bytes())["timm"]:
        pytest.skip("another timm, which may have more")
    left = set(list_optimizers()) - set(optimizers.NAMES)
    named = {name for name in left if name.startswith(("bnb", "fused"))}
    assert left - named == {"adahessian", "kron", "kronc", "kronw"}
    assert set(optimizers.NAMES) <= set(list_optimizers())
    assert set(optimizers.LEFT_OUT) == {"adahessian", "kron", "bnb...", "fused..."}


@pytest.mark.parametrize("name", ["adahessian"])
def test_what_is_left_out_breaks_the_contract(name, monkeypatch):
    """The guard's negative control: what is left out would be found out."""
    monkeypatch.setattr(optimizers, "names", lambda: (name,))
    one = catalog().get("optimizer", "timm/lamb")
    wrong = type(one)(one.kind, f"timm/{name}", one.spec, one.plugin)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            problems = list(check_schedules.optimizer(wrong))
        except RuntimeError as error:
            problems = [str(error)]
    assert problems


@pytest.mark.parametrize("name", ["lamb", "lion", "adan", "sgd", "rmsproptf", "muon"])
def test_its_steps_are_timm_s(name):
    torch.manual_seed(0)
    start = torch.randn(4, 3)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    one = optimizer(name, [ours], lr=0.01, weight_decay=0.1)
    other = create_optimizer_v2(
        [{"params": [theirs]}], opt=name, lr=0.01, weight_decay=0.1, momentum=0.9
    )
    if name == "muon":  # timm's factory has another momentum than the class
        other.param_groups[0]["momentum"] = 0.95
    for parameter, step in ((ours, one), (theirs, other)):
        for _ in range(5):
            step.zero_grad()
            (parameter**2).sum().backward()
            step.step()
    assert torch.equal(ours, theirs)


def test_options_are_the_class_s_with_the_name_s_defaults():
    options = {one.name: one.default for one in catalog().get("optimizer", "timm/adanw").options}
    assert options["no_prox"] is True
    assert (options["beta1"], options["beta2"], options["beta3"]) == (0.98, 0.92, 0.99)
    assert not {"foreach", "fused", "capturable", "betas"} & set(options)
    assert {o.name: o.default for o in catalog().get("optimizer", "timm/sgd").options} == {
        "lr": 0.001, "momentum": 0.9, "dampening": 0, "weight_decay": 0, "nesterov": True,
    }  # fmt: skip


def test_wrong_options_are_one_line():
    parameter = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(ComponentError) as caught:
        optimizer("lamb", [parameter], beta1=1.0)
    assert str(caught.value) == "optimizer 'timm/lamb': beta1: 1.0: expected float >= 0, < 1"
    with pytest.raises(ZooError) as caught:
        optimizer("sgd", [parameter], momentum=0.0)
    assert str(caught.value) == (
        "optimizer 'timm/sgd': ValueError: Nesterov momentum requires a momentum and zero dampening"
    )


LOSSES = [one for one in catalog().names("loss") if one.startswith("timm/")]


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_keeps_the_contract(name):
    assert list(check_networks.loss(catalog().get("loss", name))) == []


def test_there_are_as_many_as_timm_has_for_one_image_at_a_time():
    assert len(LOSSES) == 9


@pytest.fixture
def logits():
    return torch.randn(6, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("name", "theirs"), [
    ("label_smoothing_cross_entropy", lambda: library.LabelSmoothingCrossEntropy(0.1)),
    ("soft_target_cross_entropy", torch.nn.CrossEntropyLoss),
    ("poly_cross_entropy", library.PolyCrossEntropy),
    ("asymmetric_single_label", library.AsymmetricLossSingleLabel),
    ("binary_cross_entropy", library.BinaryCrossEntropy),
])  # fmt: skip
def test_a_loss_of_one_class_is_timm_s(name, theirs, logits):
    targets = torch.tensor([0, 1, 2, 0, 1, 1])
    torch.testing.assert_close(loss(name)(logits, targets), theirs()(logits, targets))


@pytest.mark.parametrize(("name", "theirs"), [
    ("asymmetric_multi_label", library.AsymmetricLossMultiLabel),
    ("poly_binary_cross_entropy", library.PolyBinaryCrossEntropy),
    ("zlpr", library.ZlprLoss),
    ("distribution_balanced", lambda: library.DistributionBalancedLoss([5, 3, 2], 10)),
    ("binary_cross_entropy", lambda: library.BinaryCrossEntropy(smooth_dense=True)),
])  # fmt: skip
def test_a_loss_of_several_labels_is_timm_s(name, theirs, logits):
    targets = (logits.roll(1, 0) > 0).float()
    torch.testing.assert_close(loss(name, MANY)(logits, targets), theirs()(logits, targets))


def test_mixed_targets_are_shares_of_classes(logits):
    targets = torch.softmax(logits.roll(1, 0), dim=1)
    theirs = torch.nn.CrossEntropyLoss(label_smoothing=0.2)(logits, targets)
    ours = loss("label_smoothing_cross_entropy", smoothing=0.2)(logits, targets)
    torch.testing.assert_close(ours, theirs)
    above = loss("binary_cross_entropy", target_threshold=0.3, smoothing=0.0)(logits, targets)
    plain = torch.nn.functional.binary_cross_entropy_with_logits(logits, (targets > 0.3).float())
    torch.testing.assert_close(above, plain)


def test_a_loss_that_cannot_take_mixed_targets_says_so(logits):
    with pytest.raises(TrainingError) as caught:
        loss("asymmetric_single_label")(logits, torch.softmax(logits, 1))
    assert str(caught.value) == (
        "loss 'timm/asymmetric_single_label' takes no mixed targets; leave out augmentations that "
        "mix, or use loss 'timm/poly_cross_entropy'"
    )


def test_the_counts_of_a_binary_task_are_those_of_its_positive_class(logits):
    task = Task.binary(["ill", "well"], positive="ill")
    ours = loss("distribution_balanced", task, counts=(3, 7))
    theirs = library.DistributionBalancedLoss([3], 10)
    targets = (logits[:, :1] > 0).float()
    torch.testing.assert_close(ours(logits[:, :1], targets), theirs(logits[:, :1], targets))
    with pytest.raises(ZooError) as caught:
        loss("distribution_balanced", task, counts=(1, 0), samples=1)
    assert str(caught.value) == (
        "loss 'timm/distribution_balanced': 1 training samples; expected 2 or more"
    )


def test_an_older_timm_without_that_loss_is_told(monkeypatch):
    monkeypatch.delattr(library, "ZlprLoss")
    with pytest.raises(ZooError) as caught:
        loss("zlpr", MANY)
    assert str(caught.value) == (
        f"timm {timm.__version__} has no loss 'ZlprLoss'; install a newer one: pip install -U timm"
    )
