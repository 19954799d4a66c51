"""Weights from elsewhere: fitted to an architecture, told what does not fit, published."""

import numpy as np
import pytest
import torch

import zoo
from zoo.data.preprocessing import Preprocessing
from zoo.errors import RegistryError, RunError, StorageError, ZooError
from zoo.plugins.catalog import catalog
from zoo.registry.cards.card_text import CardText
from zoo.registry.config import open_registry
from zoo.registry.loading import build_network
from zoo.runs import import_options as options
from zoo.runs.import_names import renamed, suggestion
from zoo.runs.importing import Import, fit, publish_imported, require_whole
from zoo.storage import tensors
from zoo.tasks import Task

TEN = Task.multiclass([str(i) for i in range(10)])
GRAY = Preprocessing((8, 8), 1, (0.5,), (0.25,))
TEXT = CardText("mit", "a test")
NET = {"architecture": "simple_cnn", "options": {"variant": "three_conv"}, "task": TEN,
       "preprocessing": GRAY}  # fmt: skip


def state(seed=0):
    torch.manual_seed(seed)
    options = catalog().get("architecture", "simple_cnn").bind(NET["options"])
    architecture = {"name": "simple_cnn", "options": options, "in_channels": 1,
                    "image_size": [8, 8]}  # fmt: skip
    return build_network(architecture, TEN, catalog()).state_dict()


@pytest.fixture
def made(tmp_path):
    """Write weights and open them."""

    def make(weights, suffix=".safetensors", **changes):
        path = tmp_path / f"net{suffix}"
        if suffix == ".safetensors":
            tensors.save(path, weights)
        else:
            torch.save(weights, path)
        return Import.open(path, **{**NET, **changes})

    return make


def refusal(given):
    with pytest.raises(RunError) as caught:
        require_whole(given, fit(given))
    assert str(caught.value).isprintable()
    return str(caught.value).removeprefix(f"weights {str(given.path)!r} ")


def test_a_torch_file_becomes_a_version_that_answers_as_it_did(made, here):
    weights = state()
    given = made({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in weights.items()}}, ".pth")
    found = fit(given)
    assert found.whole and found.counts["matched"] == len(weights)
    assert found.notes == ("taken from 'state_dict'", "'module.' taken off the names")
    record = publish_imported(given, "imported", TEXT, trained_on="digits, twice", found=found)
    assert (record.weights, record.metrics, record.recipe) == ("imported", {}, {})
    assert record.source == {"kind": "imported", "sha256": given.file.sha256, "format": "torch"}
    assert record.data == {"dataset": "digits, twice", "splits": {}}
    assert record.architecture["options"]["variant"] == "three_conv"
    model = zoo.load("imported@1", device="cpu")
    held = model.network.state_dict()
    assert all(torch.equal(held[name], weights[name]) for name in weights)
    images = np.zeros((2, 8, 8), np.uint8)
    assert model.predict(list(images)).probabilities.shape == (2, 10)
    card = open_registry().read_file(record, "README.md").decode()
    assert "Not measured." in card and given.file.sha256 in card
    assert "Dataset digits, twice.\n" in card


def test_one_that_was_imported_is_measured_on_data_that_are_named(made, here):
    publish_imported(made(state()), "imported", TEXT)
    with pytest.raises(RunError) as caught:
        zoo.evaluate("imported", device="cpu")
    assert str(caught.value) == (
        "'imported@1' was trained elsewhere, on data that zoo does not know; add --dataset NAME"
    )
    done = zoo.evaluate("imported", dataset="digits", device="cpu")
    assert (done.samples, done.differs) == (359, "'imported@1' was trained elsewhere")
    assert 0 <= done.metrics["accuracy"] <= 1


def test_one_that_was_imported_is_something_to_start_from(made, here):
    publish_imported(made(state()), "imported", TEXT)
    recipe = {
        "dataset": {"name": "digits"},
        "architecture": {"name": "simple_cnn", "variant": "three_conv"},
        "training": {"epochs": 1, "threads": 1, "device": "cpu"},
        "transfer": {"init": "imported"},
    }
    run = zoo.train(recipe, folder="runs/next")
    assert run.info["initialized"]["counts"]["loaded"] == len(state())
    assert run.info["initialized"]["parent"]["model"] == "imported"


def test_what_does_not_fit_is_told_and_not_published(made, here):
    weights = state()
    weights["conv1.weight"] = torch.zeros(32, 1, 5, 5)
    weights["conv2.bias"] = weights["conv2.bias"].long()
    weights["extra.scale"] = torch.ones(2)
    del weights["out.bias"]
    given = made(weights)
    found = fit(given)
    assert found.counts == {
        "matched": len(weights) - 3, "filled": 0, "missing": 1, "mismatched": 2, "unexpected": 1,
    }  # fmt: skip
    told = {part.name: (part.what, part.why) for part in found.parts}
    assert told["conv1.weight"] == (
        "mismatched", "is (32, 1, 5, 5), expected (32, 1, 3, 3)",
    )  # fmt: skip
    assert told["conv2.bias"] == ("mismatched", "is int64, expected float32")
    assert told["out.bias"] == ("missing", "") and told["extra"] == ("unexpected", "")
    said = refusal(given)
    assert said == (
        f"does not fit architecture 'simple_cnn': {len(weights) - 3} matched, 1 missing, "
        f"2 mismatched, 1 unexpected tensors; 'conv1.weight' is (32, 1, 5, 5), expected "
        f"(32, 1, 3, 3); rename with --map OLD=NEW, or set the architecture with --option KEY=VALUE"
    )
    with pytest.raises(RunError, match="does not fit architecture"):
        publish_imported(given, "m", TEXT, found=found)
    assert not (here / "registry").exists()


def test_names_are_mapped_and_a_mapping_is_proposed(made):
    weights = {f"net.body.{name}": value for name, value in state().items()}
    assert refusal(made(weights)).endswith("; try: --map net.body=")
    found = fit(made(weights, renames=[("net.body", "")]))
    assert found.whole
    weights = {name.removeprefix("conv"): value for name, value in state().items()}
    split = {("first" + name[1:] if name.startswith("1.") else name): value
             for name, value in weights.items()}  # fmt: skip
    back = [("first", "conv1"), ("2", "conv2"), ("3", "conv3"), ("4", "conv4")]
    given = made(split)
    used = [pair for pair in back if any(name.startswith(f"{pair[0]}.") for name in split)]
    assert fit(made(split, renames=used)).counts["matched"] >= fit(given).counts["matched"] + 4


def test_half_precision_is_converted_and_batches_that_were_never_counted_are_none(made, here):
    weights = state()
    counters = [name for name in weights if name.endswith("num_batches_tracked")]
    assert counters  # or the test shows nothing
    old = {name: value.half() for name, value in weights.items() if name not in counters}
    given = made(old, ".pt")
    found = fit(given)
    assert found.whole and found.counts["filled"] == len(counters)
    assert {part.why for part in found.parts} == {
        "from float16", "0, as torch does: files older than its 0.4.1 have none",
    }  # fmt: skip
    record = publish_imported(given, "half", TEXT, found=found)
    held = zoo.load(f"half@{record.version}", device="cpu").network.state_dict()
    assert held["conv1.weight"].dtype == torch.float32 and held[counters[0]] == 0


def test_terms_are_asked_for(made, here):
    for text, missing in ((CardText("", "x"), "a licence"), (CardText("mit", ""), "its intended")):
        with pytest.raises(RegistryError, match=f"the card of a published model says {missing}"):
            publish_imported(made(state()), "m", text)
    with pytest.raises(RegistryError, match="model name 'M'"):
        publish_imported(made(state()), "M", TEXT)
    assert not (here / "registry").exists()


def test_what_is_said_of_the_data_is_looked_through(made, here):
    with pytest.raises(RegistryError, match=r"^data\.dataset: '/home/me/pets' is a path of this"):
        publish_imported(made(state()), "m", TEXT, trained_on="/home/me/pets")
    assert not list((here / "registry").glob("models/*"))


def test_weights_that_overflow_are_refused(made):
    weights = state()
    weights["out.bias"] = torch.full((10,), 1e300, dtype=torch.float64)
    with pytest.raises(
        StorageError, match=r"net\.safetensors', converted: tensor 'out\.bias' holds numbers that"
    ):
        fit(made(weights))


WEIGHTS = {"a.w": 1, "a.b": 2, "ab.w": 3, "c": 4}


@pytest.mark.parametrize(
    ("renames", "names"),
    [
        ([], ["a.w", "a.b", "ab.w", "c"]),
        ([("a", "x")], ["x.w", "x.b", "ab.w", "c"]),
        ([("a", "x.y"), ("ab.w", "z")], ["x.y.w", "x.y.b", "z", "c"]),
        ([("a", "")], ["w", "b", "ab.w", "c"]),
        ([("", "net")], ["net.a.w", "net.a.b", "net.ab.w", "net.c"]),
        ([("a.w", "first"), ("a", "x")], ["first", "x.b", "ab.w", "c"]),
    ],
)
def test_renaming(renames, names):
    assert list(renamed(WEIGHTS, renames, "it")) == names


@pytest.mark.parametrize(
    ("renames", "said"),
    [
        ([("a.w", "c")], "it: by --map two of its tensors get the name 'c'"),
        ([("b", "x")], "--map b=x: no tensor of it has a name that begins with 'b' (did you "
         "mean 'ab'?)"),
        ([("a.bx", "x")], "--map a.bx=x: no tensor of it has a name that begins with 'a.bx' (did "
         "you mean 'a.b'?)"),
        ([("a", "x"), ("a.w", "y")], "--map a.w=y: whatever begins with 'a.w' is renamed by a "
         "--map before it"),
    ],
)  # fmt: skip
def test_a_renaming_that_renames_nothing(renames, said):
    with pytest.raises(RunError) as caught:
        renamed(WEIGHTS, renames, "it")
    assert str(caught.value) == said


def test_suggestions():
    assert suggestion([], ["a"]) == suggestion(["a"], []) == ""
    assert suggestion(["a.w", "b.w"], ["net.a.w", "net.b.w", "x"]) == "net="
    assert suggestion(["enc.a.w", "enc.b.w"], ["a.w", "b.w"]) == "=enc"
    assert suggestion(["enc.a.w", "enc.b.w", "x", "y", "z"], ["b.w"]) == ""
    many = [f"layer.{i}.weight" for i in range(20_000)]
    assert suggestion(many, [f"m.{name}" for name in many]) == "m="


def test_options_of_flags():
    assert options.options_of(["a=1", "b = x", "c=[1, 2]", "d=true"]) == {
        "a": 1, "b": "x", "c": [1, 2], "d": True,
    }  # fmt: skip
    assert options.renames_of(["a.=b", "=c", "d="]) == [("a", "b"), ("", "c"), ("d", "")]
    made = options.preprocessing_of("224x192", 3, "imagenet", "0.5", store_size="256", fit="crop")
    assert (made.size, made.store_size, made.std) == ((224, 192), (256, 256), (0.5, 0.5, 0.5))
    assert made.mean == (0.485, 0.456, 0.406)
    gray = options.preprocessing_of("28", 1, "imagenet", "imagenet", center_crop=True)
    assert gray.mean == pytest.approx((0.449,)) and gray.center_crop


def test_tasks_of_flags(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert options.task_of("multiclass", "a, b,c", None) == Task.multiclass(["a", "b", "c"])
    assert options.task_of("binary", "no,yes", "yes") == Task.binary(["no", "yes"], positive="yes")
    (tmp_path / "names.txt").write_text("tench, Tinca\ngoldfish\r\n")
    assert options.task_of("multilabel", "names.txt", None).classes == ("tench, Tinca", "goldfish")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: options.options_of(["a"]), "--option 'a': expected KEY=VALUE"),
        (lambda: options.options_of(["=1"]), "--option '=1': expected KEY=VALUE"),
        (lambda: options.renames_of(["a"]),
         "--map 'a': expected OLD=NEW, either of which may be empty"),
        (lambda: options.preprocessing_of("a", 1, "0", "1"),
         "--size 'a': expected a side in pixels, or height by width as 224x192"),
        (lambda: options.preprocessing_of("1x2x3", 1, "0", "1"), "--size '1x2x3': expected a side"),
        (lambda: options.preprocessing_of("²", 1, "0", "1"), "--size '²': expected a side"),
        (lambda: options.preprocessing_of("0", 1, "0", "1"), "image size (0, 0): expected"),
        (lambda: options.preprocessing_of("8", 2, "0", "1"), "channels 2: expected 1 or 3"),
        (lambda: options.preprocessing_of("8", 1, "x", "1"), "--mean 'x': expected a number, one"),
        (lambda: options.preprocessing_of("8", 1, "nan", "1"), "normalization mean (nan,)"),
        (lambda: options.preprocessing_of("8", 1, "0", "0"), "normalization std (0.0,): expected"),
        (lambda: options.preprocessing_of("8", 3, "1,2", "1"), "normalization mean (1.0, 2.0)"),
        (lambda: options.preprocessing_of("8", 1, "0", "1", fit="x"), "fit 'x': expected one of"),
        (lambda: options.task_of("multiclass", "a", None), "classes ('a',): too few for a multi"),
        (lambda: options.task_of("multiclass", "a,a", None), "classes ('a', 'a'): each name may"),
        (lambda: options.task_of("multiclass", "a,,b", None), "classes ('a', '', 'b'): expected"),
        (lambda: options.task_of("multiclass", "none.txt", None), "--classes 'none.txt': no such"),
        (lambda: options.task_of("binary", "a,b", None), "a binary task has two classes and names"),
        (lambda: options.task_of("multiclass", "a,b", "a"),
         "--positive 'a': expected --task binary with it"),
    ],
)  # fmt: skip
def test_flags_that_are_wrong(call, said):
    with pytest.raises(ZooError) as caught:
        call()
    assert str(caught.value).startswith(said) and "\n" not in str(caught.value)


def test_an_unknown_architecture_and_option(made):
    with pytest.raises(ZooError, match=r"architecture 'simple_cn' is not installed \(did you mean"):
        fit(made(state(), architecture="simple_cn"))
    with pytest.raises(ZooError, match="architecture 'simple_cnn': widht: unknown option"):
        fit(made(state(), options={"widht": 3}))
