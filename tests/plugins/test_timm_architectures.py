"""timm's architectures as zoo builds them: channels, outputs, sizes, options, and what is refused.

All of them: ``test_timm_sweep``.
"""

from __future__ import annotations

import pytest
import torch
from sweep import try_architecture

import zoo
from zoo.errors import ComponentError, ZooError
from zoo.plugins.catalog import catalog
from zoo.plugins.contexts import ArchitectureContext
from zoo.tasks import Task

timm = pytest.importorskip("timm")
pytest.importorskip("zoo_timm")
TASK = Task.multiclass(["a", "b", "c"])


def build(name, size=64, channels=3, outputs=3, **options):
    sides = (size, size) if isinstance(size, int) else size
    context = ArchitectureContext(channels, sides, outputs, TASK)
    return catalog().get("architecture", f"timm/{name}").build(context, options)


def refusal(*given, kind=ZooError, **more):
    with pytest.raises(kind) as caught:
        build(*given, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", [
    "test_byobnet", "test_convnext", "test_efficientnet", "test_mambaout", "test_nfnet",
    "test_resnet", "test_vit", "test_vit.r160_in1k",
])  # fmt: skip
def test_small_ones_keep_the_contract(name, channels):
    outcome = try_architecture(f"timm/{name}", channels)
    assert outcome.problem == ""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_contract():
    checked = zoo.check_plugin("zoo-timm")
    assert {one.kind for one in checked} == {"architecture", "loss", "optimizer"}


def test_it_is_the_network_that_timm_makes():
    torch.manual_seed(0)
    ours = build("test_resnet", channels=1)
    torch.manual_seed(0)
    theirs = timm.create_model("test_resnet", in_chans=1, num_classes=3)
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


def test_trying_a_size_draws_no_random_number():
    """Else a network would begin otherwise the second time, when nothing is tried any more."""
    made = []
    for _ in range(2):
        torch.manual_seed(0)
        made.append(build("test_efficientnet", size=48).state_dict())
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])


@pytest.mark.parametrize("size", [(64, 96), 32, 160])
def test_a_network_that_is_built_for_a_size_is_built_for_the_images(size):
    network = build("test_vit", size=size).eval()
    sides = (size, size) if isinstance(size, int) else size
    assert network.patch_embed.img_size == sides
    assert network(torch.randn(2, 3, *sides)).shape == (2, 3)


def test_options_reach_the_network():
    network = build("test_resnet", drop_rate=0.3, global_pool="catavgmax")
    assert network.drop_rate == 0.3
    assert network.global_pool.pool_type == "catavgmax"
    assert build("test_vit", global_pool="avg").global_pool == "avg"


def test_wrong_options_are_one_line():
    assert refusal("test_resnet", kind=ComponentError, drop_rate=1.5) == (
        "architecture 'timm/test_resnet': drop_rate: 1.5: expected float >= 0, < 1"
    )
    assert refusal("test_resnet", kind=ComponentError, global_pool="mean") == (
        "architecture 'timm/test_resnet': global_pool: 'mean': expected 'avg' | 'max' | 'avgmax' | "
        "'catavgmax' | 'fast'"
    )
    assert "pretrained: unknown option" in refusal(
        "test_resnet", kind=ComponentError, pretrained=True
    )


@pytest.mark.parametrize(("name", "size", "said"), [
    ("vgg11", 28, "architecture 'timm/vgg11' takes no images of 28 x 28 pixels (timm: "
     "RuntimeError: Given input size: (512x1x1). Calculated output size: (512x0x0). Output size is "
     "too small); the next square that it takes is 32 x 32: type --size 32"),
    ("maxvit_rmlp_pico_rw_256", (64, 100), "architecture 'timm/maxvit_rmlp_pico_rw_256' takes no "
     "images of 64 x 100 pixels (timm: AssertionError: width (25) must be divisible by window "
     "(3)); the next square that it takes is 128 x 128: type --size 128"),
])  # fmt: skip
def test_a_size_that_it_does_not_take_is_one_line_and_the_size_to_type_works(name, size, said):
    assert refusal(name, size=size) == said
    side = int(said.rpartition(" ")[2])
    with torch.device("meta"), torch.no_grad():
        network = build(name, size=side).eval()
        assert network(torch.randn(2, 3, side, side)).shape == (2, 3)


def test_a_number_of_channels_that_it_does_not_take_is_one_line():
    assert refusal("csatv2", channels=1) == (
        "architecture 'timm/csatv2' takes no images of 1 channels (timm: RuntimeError: shape '[2, "
        "1, 8, 8, 8, 8]' is invalid for input of size 24576); type --set data.channels=3"
    )


def test_an_encoder_without_a_classifier_is_left_out():
    assert "is not installed" in refusal("qwen3_vit_88m_enc", kind=ComponentError)


def test_without_the_trial_the_size_would_fail_in_training(monkeypatch):
    """The guard's negative control."""
    from zoo_timm import sizes

    monkeypatch.setattr(sizes, "require", lambda *_: None)
    network = build("maxvit_rmlp_pico_rw_256", size=(64, 100))
    with pytest.raises(AssertionError, match="must be divisible by window"):
        network(torch.randn(2, 3, 64, 100))
