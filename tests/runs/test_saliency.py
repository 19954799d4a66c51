"""Maps of where a network looks: equal to slow, obvious computations, and where something was
planted."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from zoo.errors import DataError, MissingError, PluginError
from zoo.runs import saliency
from zoo.runs.saliency import ClassScores, chosen_layer, gradcam, most_likely, occlusion, region_of
from zoo.tasks import Task

pytest.importorskip("captum", reason="needs: pip install 'zoo[explain]'")

CATS = Task.multiclass(["cat", "dog", "cow"])
ILL = Task.binary(["ill", "well"], positive="ill")
TAGS = Task.multilabel(["sun", "rain", "snow"])
MASK = Task.segmentation(["ground", "thing"], positive="thing")
MASKS = Task.segmentation(["ground", "tree", "house"])


def small(outputs: int = 3) -> nn.Sequential:
    """With what is hard to look into: a ReLU in place right behind a convolution."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(4, 5, 3, padding=1), nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(20, outputs),
    ).eval()  # fmt: skip


@pytest.fixture
def image():
    return torch.randn(1, 1, 12, 10, generator=torch.Generator().manual_seed(3))


def slow_gradcam(network, image, score, split):
    """``split``: how many layers of a sequence lie before the planes."""
    planes = network[:split](image).detach().requires_grad_()
    following = nn.Sequential(*(
        nn.ReLU() if isinstance(one, nn.ReLU) else one for one in network[split:]
    ))  # fmt: skip
    (gradient,) = torch.autograd.grad(score(following(planes)), planes)
    weighted = (gradient.mean((2, 3), keepdim=True) * planes).sum(1, keepdim=True).relu().detach()
    large = nn.functional.interpolate(weighted, image.shape[-2:], mode="bilinear")
    return large[0, 0]


@pytest.mark.parametrize("layer", [0, 4, 5])
@pytest.mark.parametrize("target", [0, 2])
def test_gradcam_is_what_its_authors_wrote(layer, target, image):
    network = small()
    found = gradcam(ClassScores(network, CATS), image, target, str(layer))
    slow = slow_gradcam(network, image, lambda logits: logits[0, target], layer + 1)
    assert found.shape == (12, 10) and float(slow.max()) > 0
    torch.testing.assert_close(found, slow)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_the_class_that_is_not_positive_is_the_logit_negated(image):
    network = small(1)
    for target, sign in ((0, 1), (1, -1)):
        found = gradcam(ClassScores(network, ILL), image, target, "4")
        slow = slow_gradcam(network, image, lambda out, sign=sign: sign * out[0, 0], 5)
        torch.testing.assert_close(found, slow)


def test_frozen_weights_do_not_matter(image):
    network = small()
    expected = gradcam(ClassScores(network, CATS), image, 1, "4")
    network.requires_grad_(False)
    torch.testing.assert_close(gradcam(ClassScores(network, CATS), image, 1, "4"), expected)


def test_occlusion_is_how_far_the_probability_falls(image):
    network, task = small(), CATS
    scores = ClassScores(network, task, as_probabilities=True)
    found = occlusion(scores, image, 1, window=4, together=3)
    falls, times = torch.zeros(12, 10), torch.zeros(12, 10)
    with torch.no_grad():
        whole = network(image).softmax(1)[0, 1]
        for top in range(0, 12 - 4 + 2, 2):
            for left in range(0, 10 - 4 + 2, 2):
                hidden = image.clone()
                hidden[..., top : top + 4, left : left + 4] = 0.0
                fall = whole - network(hidden).softmax(1)[0, 1]
                falls[top : top + 4, left : left + 4] += fall
                times[top : top + 4, left : left + 4] += 1
    torch.testing.assert_close(found, falls / times, atol=1e-6, rtol=1e-4)
    again = occlusion(scores, image, 1, window=4, together=64)
    torch.testing.assert_close(found, again, atol=1e-6, rtol=1e-4)


class Corner(nn.Module):
    """Looks at nothing but the upper right quarter."""

    def __init__(self, outputs=3):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        nn.init.constant_(self.conv.weight, 0.2)
        self.outputs = outputs

    def forward(self, images):
        planes = self.conv(images)
        corner = planes[:, :, : planes.shape[2] // 2, planes.shape[3] // 2 :].mean((1, 2, 3))
        return torch.stack([corner, *[-corner] * (self.outputs - 1)], 1)


def test_both_find_the_quarter_that_was_planted():
    image = torch.ones(1, 1, 16, 16)
    for heat in (
        occlusion(ClassScores(Corner(), CATS, as_probabilities=True), image, 0, 4, 16),
        gradcam(ClassScores(Corner(), CATS), image * _corner(), 0, "conv"),
    ):
        assert float(heat[:5, 11:].mean()) > 10 * float(heat[11:, :5].abs().mean())
        assert float(heat[:8, 8:].sum()) > 0.7 * float(heat.abs().sum())


def _corner():
    place = torch.zeros(1, 1, 16, 16)
    place[..., :8, 8:] = 1
    return place


class Odd(nn.Module):
    """Registered in another order than called; squeezed to one place; one that is never called."""

    def __init__(self):
        super().__init__()
        self.last = nn.Conv2d(2, 2, 1)
        self.first = nn.Conv2d(1, 2, 1)
        self.squeeze = nn.Conv2d(2, 2, 1)
        self.never = nn.Conv2d(1, 1, 1)
        self.tokens = nn.Flatten(2)

    def forward(self, images):
        planes = self.last(self.first(images))
        gate = self.squeeze(planes.mean((2, 3), keepdim=True)).sigmoid()
        return self.tokens(planes * gate).mean(2)


def test_the_last_convolution_is_the_last_one_called_that_has_places(image):
    assert chosen_layer(Odd(), image, CATS, None) == "last"
    assert chosen_layer(small(), image, CATS, None) == "4"
    assert chosen_layer(small(), image, CATS, "2") == "2"


def test_one_that_is_called_again_at_the_end_is_the_last(image):
    twice = nn.Conv2d(1, 1, 1)
    network = nn.Sequential(twice, nn.Conv2d(1, 1, 1), twice)
    assert chosen_layer(network, image, CATS, None) == "0"


def test_of_segmentation_it_is_the_last_of_the_deepest(image):
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(2, 2, 3, padding=1),
        nn.Conv2d(2, 2, 3, padding=1), nn.Upsample(scale_factor=2), nn.Conv2d(2, 1, 1),
    )  # fmt: skip
    assert chosen_layer(network, image, MASK, None) == "3"
    assert chosen_layer(network, image, CATS, None) == "5"


@pytest.mark.parametrize(
    ("network", "named", "message"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(120, 3)), None,
         "the network has no convolution for Grad-CAM to look at; name a layer with --layer, or "
         "choose --method occlusion"),
        (Odd(), "lats", "layer 'lats' is not in the network (did you mean 'last'?); its last ones "
                        "are last, first, squeeze, never, tokens"),
        (Odd(), "", "layer '' is not in the network; its last ones are last, first, squeeze, "
                    "never, tokens"),
        (Odd(), "never", "layer 'never' is not called; expected planes, (1, channels, height, "
                         "width)"),
        (Odd(), "tokens", "layer 'tokens' gives the shape (1, 2, 120); expected planes, (1, "
                          "channels, height, width)"),
    ],
)  # fmt: skip
def test_a_layer_that_will_not_do_is_told(network, named, message, image):
    with pytest.raises(DataError) as error:
        chosen_layer(network, image, CATS, named)
    assert str(error.value) == message


class Broken(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 1)

    def forward(self, images):
        raise RuntimeError("no luck\nat all")


def test_a_network_that_fails_is_one_line(image):
    for failing in (
        lambda: chosen_layer(Broken(), image, CATS, None),
        lambda: gradcam(ClassScores(Broken(), CATS), image, 0, "conv"),
        lambda: occlusion(ClassScores(Broken(), CATS), image, 0, 4, 1),
    ):
        with pytest.raises(PluginError) as error:
            failing()
        assert str(error.value) == "the network cannot be explained: RuntimeError: no luck"


def test_which_class_is_explained():
    logits = torch.tensor([[0.5, 2.0, -1.0]])
    assert most_likely(CATS, logits) == 1
    assert most_likely(TAGS, torch.tensor([[-3.0, -4.0, -2.0]])) == 2
    assert most_likely(ILL, torch.tensor([[3.0]])) == 0
    assert most_likely(ILL, torch.tensor([[-3.0]])) == 1
    assert most_likely(MASK, torch.full((1, 1, 2, 2), -9.0)) == 1
    planes = torch.zeros(1, 3, 2, 2)
    planes[0, 0, 0], planes[0, 2, 1, 0], planes[0, 1, 1, 1] = 9.0, 9.0, 9.0
    assert most_likely(MASKS, planes) in (1, 2)
    planes[0, 2, 1] = 10.0
    assert most_likely(MASKS, planes) == 2
    planes[0, 0] = 99.0
    assert most_likely(MASKS, planes) == 0


def test_a_region_is_where_the_class_was_decided():
    logits = torch.tensor([[[[9.0, -9.0], [-9.0, -9.0]]]])
    assert region_of(MASK, logits, 1).tolist() == [[True, False], [False, False]]
    assert region_of(MASK, -abs(logits), 1).all()
    assert region_of(CATS, torch.zeros(1, 3), 0) is None
    network = nn.Conv2d(1, 1, 1)
    scores = ClassScores(network, MASK, region_of(MASK, logits, 1))
    image = torch.rand(1, 1, 2, 2)
    expected = network(image)[0, 0, 0, 0]
    torch.testing.assert_close(scores(image), torch.stack([-expected, expected])[None])


def test_without_captum_it_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    with pytest.raises(MissingError) as error:
        saliency.require()
    assert str(error.value) == (
        "zoo explain needs captum; install it with: pip install 'zoo[explain]'"
    )
