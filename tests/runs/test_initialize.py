"""Weights from elsewhere: files, runs, versions, a plugin's own; and what is refused."""

import json
import shutil

import pytest
import torch
from networks import cnn

import zoo
from zoo.errors import ComponentError, PluginError, RecipeError, StorageError, ZooError
from zoo.plugins.catalog import Catalog, catalog
from zoo.plugins.loading import Loaded, Plugin
from zoo.recipes.reading import read_recipe
from zoo.recipes.resolving import resolve
from zoo.recipes.writing import public_data
from zoo.runs import initialize
from zoo.runs.folder import RunFolder
from zoo.runs.sources import weights_of
from zoo.storage import tensors
from zoo.tasks import Task

DIGITS = Task.multiclass([str(digit) for digit in range(10)])


def resolved(init, installed=None, task=DIGITS, architecture="linear", **data):
    given = {
        "dataset": {"name": "digits"},
        "architecture": {"name": architecture},
        "transfer": {"init": str(init)},
        "data": data,
    }
    installed = installed or catalog()
    recipe = read_recipe(given, (), installed)
    return resolve(recipe, task, (8, 8), 1, 1, catalog=installed)


def opened(init, installed=None, task=DIGITS, architecture="linear"):
    recipe = resolved(init, installed, task, architecture)
    return initialize.open_source(recipe, installed or catalog(), task)


def test_a_file_and_its_digest(trained, here):
    path = here / "net.safetensors"
    shutil.copy(weights_of(trained), path)
    found = opened(path)
    assert found.weights["out.weight"].shape == (10, 64)
    assert (found.task, found.normalization, len(found.digest)) == (None, None, 64)
    assert opened("net.safetensors").digest == found.digest
    recipe = initialize.with_absolute_init(resolved("net.safetensors"))
    assert recipe.transfer.init == str(path)
    assert "init" not in public_data(recipe)["transfer"]
    assert opened("") is None


def test_a_run_brings_its_classes_and_its_normalization(trained, here):
    found = opened(trained.path)
    assert found.task == DIGITS
    recipe = initialize.pinned(resolved(trained.path, normalize="pretrained"), found)
    info = trained.info["preprocessing"]
    assert recipe.data.normalize == {"mean": info["mean"], "std": info["std"]}
    three = resolved(trained.path, normalize="pretrained", channels=3)
    assert initialize.pinned(three, found).data.normalize["mean"] == info["mean"] * 3


def test_a_version_is_pinned_and_needs_no_plugin(run, here):
    zoo.publish(run.path, name="digits-linear")
    bare = Catalog([])
    recipe = resolved("digits-linear", normalize="pretrained")
    found = initialize.open_source(recipe, bare, DIGITS)
    assert (found.init, found.task) == ("digits-linear@1", DIGITS)
    assert found.digest == zoo.load("digits-linear", device="cpu").record.weights_sha256
    pinned = initialize.pinned(recipe, found)
    assert pinned.transfer.init == "digits-linear@1"
    assert initialize.pinned(pinned, found) == pinned
    assert public_data(pinned)["transfer"]["init"] == "digits-linear@1"


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ("digits-linaer", "model 'digits-linaer' is not in registry 'local'"),
        ("./missing.safetensors", "weights 'missing.safetensors': no such file or folder"),
        ("runs/frst", "run 'runs/frst': no such file or folder (did you mean 'runs/first'?)"),
        ("./first", "run 'first': no such file or folder (did you mean 'first'?)"),
        ("./" + "x" * 300, f"cannot open the run '{'x' * 300}': file name too long"),
        ("./notes.txt", "transfer.init 'notes.txt': expected a .safetensors file, or the folder"),
        (
            "torch.safetensors",
            "weights 'torch.safetensors' is no safetensors file but a zip archive, such as "
            "torch.save writes",
        ),
        (
            "net.pth",
            "transfer.init 'net.pth': expected a .safetensors file, or the folder of a run",
        ),
        ("./data", "run 'data' holds no run.json"),
        ("pretrained", "architecture 'linear' has no pretrained weights; start from a published"),
    ],
)
def test_refusals(init, message, here):
    (here / "data").mkdir()
    (here / "notes.txt").touch()
    torch.save({"a": torch.ones(2)}, here / "torch.safetensors")
    RunFolder.create(here / "runs/first").update(status="running")
    with pytest.raises(ZooError) as caught:
        opened(init)
    assert str(caught.value).startswith(message)


def test_a_recipe_means_the_same_everywhere_so_a_bare_name_is_no_run(here):
    RunFolder.create(here / "runs/first").update(status="running")
    with pytest.raises(ZooError) as caught:
        opened("first")
    assert str(caught.value).startswith("model 'first' is not in registry 'local'")
    assert str(caught.value).endswith("; for the run give runs/first")


def hostile(case):
    good = tensors.to_bytes(cnn().state_dict())
    if case == "nan":
        state = cnn().state_dict()
        state["mid.weight"][0, 0] = float("nan")
        return tensors.to_bytes(state)
    if case == "unused infinity":
        return tensors.to_bytes({**cnn().state_dict(), "x": torch.tensor([float("inf")])})
    if case == "huge header":
        return (1 << 40).to_bytes(8, "little") + good[8:]
    if case == "large header":
        return (20 << 20).to_bytes(8, "little") + b"{" + b" " * (20 << 20)
    if case == "twice":
        head = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
        text = f'{{"a": {json.dumps(head)}, "a": {json.dumps(head)}}}'.encode()
        return len(text).to_bytes(8, "little") + text + bytes(4)
    return good[:-1]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("nan", "tensor 'mid.weight' holds numbers that are not finite"),
        ("unused infinity", "tensor 'x' holds numbers that are not finite"),
        ("huge header", "is cut short"),
        ("large header", "has a header of"),
        ("twice", "stands twice"),
        ("short", "bytes; its header declares"),
    ],
)
def test_hostile_files_are_refused(case, message, here):
    (here / "bad.safetensors").write_bytes(hostile(case))
    with pytest.raises(StorageError) as caught:
        opened("bad.safetensors")
    assert message in str(caught.value)


def test_normalize_pretrained_needs_a_source_that_knows(here):
    tensors.save(here / "net.safetensors", cnn().state_dict())
    recipe = resolved("net.safetensors", normalize="pretrained")
    with pytest.raises(RecipeError) as caught:
        initialize.pinned(recipe, opened("net.safetensors"))
    assert str(caught.value) == (
        "data.normalize: 'pretrained': 'net.safetensors' does not say how its images were "
        "normalized; expected 'dataset', 'imagenet', 'none' or numbers"
    )


# Weights that a plugin offers.


def build(context, *, width: int = 6):
    return cnn(context.in_channels, context.outputs)


def offered(context, *, width: int = 6):
    torch.rand(3)
    if width > 6:
        return None
    return zoo.Pretrained(cnn(3, 7).state_dict(), mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0))


def member(context, name, **options):
    return offered(context)


def offering(pretrained):
    spec = zoo.ArchitectureSpec(name="fake", build=build, summary="s", pretrained=pretrained)
    family = zoo.ArchitectureFamily(
        prefix="lib", names=["net"], build=build, summary="s", pretrained=member
    )
    plugin = Plugin("fake", "zoo-fake", "1")
    basics = [one for one in catalog().loaded if one.plugin.distribution == "zoo-basics"]
    return Catalog([*basics, Loaded(plugin, (spec, family))])


@pytest.mark.parametrize("architecture", ["fake", "lib/net"])
def test_an_architecture_may_offer_pretrained_weights(architecture):
    installed = offering(offered)
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    found = opened("pretrained", installed, architecture=architecture)
    assert torch.equal(torch.rand(2), expected)
    assert opened("pretrained", installed, architecture=architecture).digest == found.digest
    recipe = resolved("pretrained", installed, architecture=architecture, normalize="pretrained")
    assert initialize.pinned(recipe, found).data.normalize["mean"] == [pytest.approx(0.2)]
    event = initialize.initialize(cnn(1, 10), found, DIGITS, 1)
    assert event.counts == {"loaded": 10, "adapted": 1, "new": 2, "unused": 0}


def test_pretrained_of_a_bad_plugin():
    with pytest.raises(PluginError, match=r"expected a zoo\.Pretrained"):
        opened("pretrained", offering(lambda context, *, width=6: {}), architecture="fake")
    wrong = zoo.Pretrained({"a": 1})
    with pytest.raises(PluginError, match="its pretrained weights are not all tensors"):
        opened("pretrained", offering(lambda context, *, width=6: wrong), architecture="fake")
    with pytest.raises(ComponentError, match="architecture 'fake' has no pretrained weights"):
        opened("pretrained", offering(lambda context, *, width=6: None), architecture="fake")
    with pytest.raises(PluginError, match="expected a callable or"):
        zoo.ArchitectureSpec(name="fake", build=build, summary="s", pretrained="nothing")
