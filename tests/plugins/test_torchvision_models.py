"""torchvision's models: six small ones forth and back, sizes, options, and the published facts."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from sweep import try_architecture
from zoo_torchvision import describing, facts, networks

import zoo
from zoo.plugins.catalog import catalog
from zoo.plugins.facts import facts_of
from zoo.tasks import Task

THREE = Task.multiclass(["a", "b", "c"])
CONTEXT = zoo.ArchitectureContext(3, (64, 64), 3, THREE)
SMALL = {
    "squeezenet1_1": 32, "mnasnet0_5": 32, "mobilenet_v3_small": 32, "resnet18": 28,
    "regnet_x_400mf": 32, "googlenet": 32,
}  # fmt: skip


def component(name):
    return catalog().get("architecture", f"torchvision/{name}")


def built(name, size=(64, 64), channels=3, task=THREE, **options):
    context = zoo.ArchitectureContext(channels, size, task.outputs, task)
    return component(name).build(context, options)


@pytest.mark.parametrize("name", SMALL)
def test_a_small_one_goes_forth_and_back(name):
    channels = 1 if name in ("resnet18", "regnet_x_400mf", "googlenet") else 3
    found = try_architecture(f"torchvision/{name}", channels, size=SMALL[name])
    assert found.ok, found.problem
    assert found.notes == ()


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_segmentation_model_gives_logits_of_the_images_size(outputs):
    found = try_architecture(
        "torchvision/lraspp_mobilenet_v3_large", 1, outputs, "segmentation", (33, 48)
    )
    assert found.ok, found.problem


def test_what_is_there():
    import torchvision
    from torchvision import models

    assert json.loads(facts.SHIPPED.read_text())["torchvision"].count(".") == 2
    assert facts.classification() == models.list_models(module=models)
    assert facts.segmentation() == models.list_models(module=models.segmentation)
    assert len(facts.table()) >= 86
    for name in ("resnet50", "vit_b_16", "fcn_resnet50"):
        said = facts_of(component(name))
        weights = torchvision.models.get_model_weights(name)
        assert said.pretrained[0] == weights.DEFAULT.name
        assert set(said.pretrained) == {one.name for one in weights}
        assert (said.smallest > 0, "arXiv:" in said.source) == (True, True)
    assert facts_of(component("resnet18")).parameters == 11_689_512
    assert facts_of(component("vit_h_14")).licence == "CC-BY-NC-4.0"
    tasks = component("fcn_resnet50").spec.tasks, component("alexnet").spec.tasks
    assert tasks == ({"segmentation"}, {"binary", "multiclass", "multilabel"})


@pytest.mark.parametrize("name", ["resnet18", "convnext_tiny", "vit_b_32", "regnet_x_400mf"])
def test_the_facts_are_those_that_are_found_now(name):
    tags = describing._tags(name)
    made = json.loads(json.dumps({**describing._network(name, 1000), "tags": tags}))
    assert made == {key: facts.table()[name][key] for key in made}


def test_the_facts_of_another_torchvision_are_made_once(monkeypatch, tmp_path):
    asked = []

    def describe(known):
        asked.append(len(known))
        return {"torchvision": "9.9.9", "architectures": {"net": known["resnet18"]}}

    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    monkeypatch.setattr(facts.metadata, "version", lambda _: "9.9.9+cu999")
    monkeypatch.setattr(describing, "describe", describe)
    for _ in range(2):
        facts.table.cache_clear()
        assert facts.classification() == ["net"]
    assert len(asked) == 1
    (kept,) = tmp_path.rglob("facts-9.9.9.json")
    kept.write_text(kept.read_text()[:50])  # damaged
    facts.table.cache_clear()
    assert facts.classification() == ["net"]
    assert len(asked) == 2
    facts.table.cache_clear()


def test_names_and_facts_import_no_torch():
    code = (
        "import sys, zoo_torchvision\n"
        "from zoo_torchvision import facts\n"
        "zoo_torchvision.register_architectures()\n"
        "print(len(facts.classification()), facts.facts('alexnet').smallest)\n"
        "print([name for name in ('torch', 'torchvision', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{len(facts.classification())} 63", "[]"]


SIZES = {
    ("alexnet", (28, 28)): "sides of at least 63 pixels, not 28 x 28; type --size 64",
    ("inception_v3", (64, 80)): "sides of at least 75 pixels, not 64 x 80; type --size 96",
    ("vit_b_16", (28, 28)): "equal sides, multiples of 16 pixels, not 28 x 28; type --size 32",
    ("vit_b_16", (32, 48)): "equal sides, multiples of 16 pixels, not 32 x 48; type --size 48",
    ("vit_h_14", (224, 225)): "equal sides, multiples of 14 pixels, not 224 x 225; type --size 238",
    (
        "maxvit_t",
        (128, 128),
    ): "equal sides, multiples of 224 pixels, not 128 x 128; type --size 224",
}


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_a_size_that_it_does_not_take_is_told_with_one_that_it_does(name, size):
    with pytest.raises(zoo.ZooError) as caught:
        built(name, size)
    said = str(caught.value)
    assert said == f"architecture 'torchvision/{name}' takes images with {SIZES[name, size]}"
    side = int(said.rpartition(" ")[2])
    with torch.device("meta"):
        built(name, (side, side))


def test_options_are_the_librarys_own():
    options = {one.name: one.default for one in component("convnext_tiny").options}
    assert options == {"stochastic_depth_prob": 0.1}
    assert {one.name for one in component("resnet18").options} == {"zero_init_residual"}
    network = built("alexnet", dropout=0.25)
    rates = [one.p for one in network.modules() if isinstance(one, torch.nn.Dropout)]
    assert rates == [0.25, 0.25]
    with pytest.raises(zoo.ZooError, match=r"dropout: 1\.0: expected float >= 0, < 1"):
        built("alexnet", dropout=1.0)
    with pytest.raises(zoo.ZooError, match="pretrained: unknown option"):
        built("alexnet", pretrained=True)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_the_first_convolution_keeps_its_spread_for_other_channels(channels):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        given, other = built("squeezenet1_1"), built("squeezenet1_1", channels=channels)
    one, two = given.features[0].weight, other.features[0].weight
    assert two.shape == (64, channels, 3, 3)
    assert two.std().item() == pytest.approx(one.std().item(), rel=0.1)
    assert other(torch.randn(1, channels, 64, 64)).shape == (1, 3)


def test_auxiliary_heads_are_left_out():
    with torch.device("meta"):
        names = built("inception_v3", (96, 96)).state_dict()
    assert not [one for one in names if "aux" in one.lower()]
    assert not [one for one in built("fcn_resnet50", task=MASKS).state_dict() if "aux" in one]


MASKS = Task.segmentation(["background", "object"], positive="object")


def test_the_state_is_the_librarys_own():
    """So that published networks go back into torchvision as they are."""
    from torchvision import models

    for name, task in (("resnet18", THREE), ("lraspp_mobilenet_v3_large", MASKS)):
        plain = models.get_model_builder(name)(
            weights=None, num_classes=task.outputs,
            **({"weights_backbone": None} if task is MASKS else {}),
        )  # fmt: skip
        plain.load_state_dict(built(name, task=task).state_dict())


def test_a_smaller_one_is_not_taken():
    """The sizes are the least: the side before fails in torchvision itself."""
    for name in ("alexnet", "squeezenet1_1", "googlenet"):
        least = facts.table()[name]["smallest"]
        network = networks.bare(name, 3, "meta")
        assert describing._goes(network, least)
        assert not describing._goes(network, least - 1)


def test_a_context_of_another_size_builds_another_transformer():
    with torch.device("meta"):
        small = component("vit_b_32").build(replace(CONTEXT, image_size=(96, 96)))
    assert small.encoder.pos_embedding.shape == (1, 10, 768)
