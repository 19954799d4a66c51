import json
import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.recipes.reading import read_recipe
from zoo.recipes.resolving import resolve
from zoo.recipes.schema import Choice
from zoo.recipes.writing import public_data, recipe_data, write_recipe
from zoo.tasks import Task

SHORT = {"dataset": {"name": "digits"}, "architecture": {"name": "cnn"}}
TEN = Task.multiclass([str(digit) for digit in range(10)])

WRITTEN = """\
augmentations = [
    { name = "rotation", degrees = 10.0 },
]
copies = []
trackers = []

[dataset]
name = "digits"
root = "d"
corrected = false

[split]
val = 0.1
test = 0.2
seed = 0
folds = 0
fold = 0
fraction = 1.0
file = ""

[data]
size = [
    8,
    8,
]
store_size = "auto"
fit = "stretch"
resize = "bilinear"
center_crop = false
channels = 1
normalize = "dataset"
on_error = "stop"
keep = "auto"
store_limit = 0.0
workers = 2

[architecture]
name = "cnn"
variant = "two"
widths = [
    8,
]

[transfer]
init = ""
freeze = []
unfreeze_epoch = 0
head_lr = 1.0
layer_decay = 1.0

[transfer.rates]

[loss]
name = "cross_entropy"
smoothing = 0.0
file = ""

[sampler]
name = "shuffle"

[optimizer]
name = "adam"
lr = 0.001
amsgrad = false

[scheduler]
name = "none"

[training]
epochs = 10
batch_size = 64
micro_batch = 0
eval_batch_size = 0
seed = 0
device = "auto"
threads = 2
precision = "auto"
tf32 = true
channels_last = true
compile = false
deterministic = false
clip_norm = 0.0
ema = 0.0
on_nonfinite = "stop"
max_time = ""
evaluate = "best"

[stopping]
monitor = "val/loss"
mode = "min"
patience = 0
min_delta = 0.0

[checkpoints]
steps = 0
keep = 1

[card]
licence = ""
intended_use = ""
not_intended_use = ""
description = ""
authors = []
"""


def test_a_resolved_recipe_says_everything_and_is_a_fixed_point(tmp_path, catalog):
    data = {**SHORT, "augmentations": [{"name": "rotation"}]}
    data["dataset"] = {"name": "digits", "root": "d"}
    recipe = resolve(read_recipe(data, (), catalog), TEN, (8, 8), 1, 2, catalog)
    text = write_recipe(recipe)
    assert text == WRITTEN
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    again = read_recipe(path, (), catalog)
    assert again == recipe
    assert write_recipe(resolve(again, TEN, (9, 9), 3, 7, catalog)) == text


FRACTIONS = st.floats(0.001, 0.999)
SIDES = st.integers(1, 16384)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
NUMBERS = st.sampled_from([1, 3]).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "mean": st.lists(st.floats(-1e9, 1e9), min_size=n, max_size=n),
            "std": st.lists(st.floats(1e-9, 1e9), min_size=n, max_size=n),
        }
    )
)
RECIPES = st.fixed_dictionaries(
    {
        "dataset": st.just({"name": "digits"}),
        "architecture": st.fixed_dictionaries(
            {"name": st.just("cnn")},
            optional={"variant": st.sampled_from(["two", "three"]), "widths": st.lists(SIDES)},
        ),
    },
    optional={
        "split": st.fixed_dictionaries({"val": FRACTIONS, "seed": st.integers(0, 2**32 - 1)}),
        "data": st.fixed_dictionaries(
            {},
            optional={
                "size": st.just("native") | SIDES | st.lists(SIDES, min_size=2, max_size=2),
                "normalize": st.sampled_from(["dataset", "imagenet", "none"]) | NUMBERS,
            },
        ),
        "loss": st.fixed_dictionaries(
            {"name": st.just("cross_entropy"), "smoothing": st.floats(0, 1e300), "file": TEXTS}
        ),
        "optimizer": st.fixed_dictionaries(
            {"lr": st.floats(0, exclude_min=True, allow_infinity=False) | st.integers(1, 9)}
        ),
        "augmentations": st.lists(
            st.just({"name": "flip"}) | st.just({"name": "rotation", "degrees": 3}), max_size=3
        ),
        "card": st.fixed_dictionaries({"description": TEXTS, "authors": st.lists(TEXTS)}),
    },
)


@settings(deadline=None, max_examples=80)
@given(RECIPES)
def test_what_is_written_reads_as_the_same_recipe(catalog, data):
    recipe = read_recipe(data, (), catalog)
    text = write_recipe(recipe)
    again = read_recipe(tomllib.loads(text), (), catalog)
    assert again == recipe
    assert write_recipe(again) == text
    assert json.loads(json.dumps(recipe_data(recipe))) == tomllib.loads(text)


def test_an_option_without_a_value_is_left_out(catalog):
    recipe = read_recipe(SHORT, (), catalog)
    choice = Choice(name="cnn", options={"variant": "two", "pool": None})
    assert recipe_data(recipe.model_copy(update={"architecture": choice}))["architecture"] == {
        "name": "cnn",
        "variant": "two",
    }


def test_public_data_holds_no_path_device_or_tracker(catalog):
    private = {
        "dataset": {"name": "digits", "root": "private/scans"},
        "architecture": {"name": "cnn"},
        "training": {"device": "cuda:3", "epochs": 4},
        "trackers": [{"name": "log", "file": "private.log"}],
    }
    for path in ("/private/x", "~/private", "C:\\private", "c:/private", "\\\\host\\private",
                 "file:///private"):  # fmt: skip
        loss = {"name": "cross_entropy", "file": path, "smoothing": 0.5}
        public = public_data(read_recipe({**private, "loss": loss}, (), catalog))
        assert "private" not in json.dumps(public)
        assert "cuda" not in json.dumps(public)
        assert public["loss"] == {"name": "cross_entropy", "smoothing": 0.5}
    assert public["training"]["epochs"] == 4
    assert read_recipe(public, (), catalog).architecture.options["widths"] == [8]


def test_public_data_keeps_what_only_looks_like_a_path(catalog):
    loss = {"name": "cross_entropy", "file": "tf/resnet: a/b"}
    public = public_data(read_recipe({**SHORT, "loss": loss}, (), catalog))
    assert public["loss"]["file"] == "tf/resnet: a/b"
