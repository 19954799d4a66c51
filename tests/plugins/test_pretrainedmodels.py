"""zoo-pretrainedmodels: Xception and 44 others, of any size, channels and outputs."""

import copy
import json
import subprocess
import sys

import pytest
import torch
from medmnist_files import arrays_of, write
from sweep import try_architecture

import zoo
from zoo.plugins import check_networks
from zoo.plugins.catalog import catalog

pytest.importorskip("pretrainedmodels")
from zoo_cli.main import main
from zoo_pretrainedmodels import networks
from zoo_pretrainedmodels.models import MODELS, facts, names
from zoo_pretrainedmodels.sizes import fits

COLOURS = zoo.Task.multiclass(["red", "green", "blue"])


def built(name, size=64, channels=3, task=COLOURS):
    context = zoo.ArchitectureContext(channels, (size, size), task.outputs, task)
    return catalog().get("architecture", f"pretrainedmodels/{name}").build(context)


@pytest.mark.slow
def test_the_contract():
    found = {(one.kind, one.name) for one in zoo.check_plugin("zoo-pretrainedmodels")}
    assert ("architecture", "pretrainedmodels/bninception") in found  # small ones, of all 45


def test_the_contract_of_a_small_one():
    component = catalog().get("architecture", "pretrainedmodels/squeezenet1_1")
    assert list(check_networks.architecture(component)) == []


@pytest.mark.parametrize(
    "name, channels, outputs, task, size",
    [
        ("xception", 3, 9, "multiclass", 168),
        ("squeezenet1_1", 1, 1, "multiclass", 64),
        ("squeezenet1_1", 3, 3, "multilabel", 33),
        ("nasnetamobile", 4, 3, "multiclass", (64, 96)),
    ],
)
def test_forth_and_back_saved_and_loaded(name, channels, outputs, task, size):
    found = try_architecture(f"pretrainedmodels/{name}", channels, outputs, task, size)
    assert found.ok, found.problem
    assert found.notes == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_model(name, channels):
    found = try_architecture(f"pretrainedmodels/{name}", channels, size=SMALL[name])
    assert found.ok, found.problem
    assert found.notes == ()


SMALL = {name: next(side for side in range(64, 128) if fits(model, side))
         for name, model in MODELS.items()}  # fmt: skip
# Below, its last features are one pixel: batch norms over two values, in a hundred layers.
SMALL["polynet"] = 128


def test_images_that_do_not_fit_are_refused():
    for name, size, expected in (
        ("alexnet", 28, "sides of 63 pixels or more: type --size 63"),
        ("bninception", 168,
         "sides of 31 to 38 pixels, plus any multiple of 32: type --size 191"),
    ):  # fmt: skip
        with pytest.raises(zoo.ZooError) as caught:
            built(name, size)
        assert str(caught.value) == (
            f"architecture 'pretrainedmodels/{name}' takes no images of {size} x {size} pixels, "
            f"only {expected}"
        )
    assert built("squeezenet1_1", 17)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_sides_that_fit_are_those_the_network_takes(name, monkeypatch):
    monkeypatch.setattr(networks, "check_size", lambda *_: None)
    model = MODELS[name]
    least = model.smallest
    some = [one for one in (168, 224, 225, 250, 299, 331, 384) if fits(model, one)]
    with torch.device("meta"), torch.no_grad():
        network = built(name, least).eval()
        for side in [*range(max(1, least - 3), least + 40), 90, 168, 224, 299, 331]:
            images = torch.empty(2, 3, side, some[side % len(some)])
            try:
                took = network(images).shape == (2, 3)
            except RuntimeError:
                took = False
            assert took == fits(model, side), side


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_facts_are_the_library_s(name):
    import pretrainedmodels.models.utils as library

    settings = library.pretrained_settings[name]
    assert set(library.model_names) == set(names())
    model, told = MODELS[name], facts(name)
    assert set(told.pretrained) == set(settings)
    for tag in model.tags:
        one = settings[tag]
        assert one["url"].rpartition("/")[2] == model.file
        assert one["input_size"] == [3, model.side, model.side]
        mean, std = one["mean"], one["std"]
        if one["input_range"] == [0, 255]:  # those of which blue comes first
            mean, std = [value / 255 for value in reversed(mean)], model.normalization[1]
        assert (*mean, *std) == pytest.approx((*model.normalization[0], *model.normalization[1]))
    with torch.device("meta"):
        context = zoo.ArchitectureContext(3, (model.side, model.side), 1000, COLOURS)
        network = networks.build(context, name)
    assert sum(one.numel() for one in network.parameters()) == told.parameters


def test_a_sigmoid_s_logits_may_be_negative():
    """SqueezeNet ends in a ReLU."""
    yes_or_no = zoo.Task.binary(["no", "yes"], positive="yes")
    images = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    assert (built("squeezenet1_1", 32, task=yes_or_no)(images) < 0).any()
    assert (built("squeezenet1_1", 32)(images) >= 0).all()


def test_networks_share_nothing():
    """The library makes the ResNeXts' body once, for all of them."""
    with torch.device("meta"):
        one, other = built("resnext101_32x4d"), built("resnext101_32x4d")
    mine, yours = ({id(p) for p in network.parameters()} for network in (one, other))
    assert mine.isdisjoint(yours)
    assert all(p.is_meta for p in one.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnext101_32x4d", "fbresnet152", "inceptionv3", "vgg11"])
def test_a_seed_gives_the_weights_and_a_used_network_can_be_copied(name):
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        made.append(built(name, 96))
    for key, value in made[0].state_dict().items():
        assert torch.equal(value, made[1].state_dict()[key]), key
    images = torch.randn(2, 3, 96, 96)
    made[0].train()(images)
    again = copy.deepcopy(made[0]).eval()
    torch.nn.init.zeros_(made[0].last_linear.weight)
    torch.nn.init.zeros_(made[0].last_linear.bias)
    assert not made[0].eval()(images).any()
    assert again(images).any()


@pytest.mark.filterwarnings("default::zoo.errors.ZooWarning")  # that there are only four images
def test_xception_learns_from_pathmnist_shaped_images(tmp_path, monkeypatch, capsys):
    """Two steps at 168 pixels, as in the report."""
    monkeypatch.chdir(tmp_path)
    few = {"train": 4, "val": 2, "test": 1}
    write(tmp_path, "pathmnist", **arrays_of("pathmnist", counts=few))
    code = main([
        "train", "--dataset", "medmnist/pathmnist", "--root", str(tmp_path), "--size", "168",
        "--architecture", "pretrainedmodels/xception", "--batch-size", "2", "--epochs", "1",
        "--run", "run", "--threads", "1", "--device", "cpu", "--json",
    ])  # fmt: skip
    said = capsys.readouterr()
    assert code == 0, said.err
    assert json.loads(said.out)["steps"] == 2


def test_listing_imports_nothing_heavy():
    code = (
        "import sys, zoo_pretrainedmodels\n"
        "zoo_pretrainedmodels.register_architectures()\n"
        "from zoo_pretrainedmodels.models import names, facts\n"
        "assert len([facts(name) for name in names()]) == 45\n"
        "print([n for n in ('torch', 'pretrainedmodels', 'numpy') if n in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
