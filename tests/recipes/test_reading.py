import pytest

from zoo.errors import RecipeError
from zoo.recipes.reading import Override, read_recipe
from zoo.recipes.schema import Choice, Recipe, TrainingSection

HEAD = '[dataset]\nname = "digits"\n[architecture]\nname = "cnn"\n'
SECTIONS = ", ".join(Recipe.model_fields)
TRAINING = ", ".join(TrainingSection.model_fields)
AUTO = "expected 'auto' or an integer >= 1"
SIZE = "expected 'native', a side in pixels, or [height, width], in 1 to 16384"
NORMALIZE = (
    "expected 'dataset' | 'imagenet' | 'pretrained' | 'none' | { mean = [..], std = [..] }, one "
    "number a channel, std > 0"
)
MONITOR = (
    "expected 'train/' or 'val/' and one of loss, accuracy, balanced_accuracy, precision, recall, "
    "f1, iou, dice"
)


@pytest.fixture
def read(tmp_path, catalog, monkeypatch):
    from pathlib import Path

    monkeypatch.chdir(tmp_path)

    def read(text, overrides=()):
        path = Path("recipe.toml")
        path.write_text(text)
        return read_recipe(path, overrides, catalog)

    return read


def problems(read, text, overrides=()):
    with pytest.raises(RecipeError) as caught:
        read(text, overrides)
    return list(caught.value.problems)


def test_a_short_recipe_is_completed(read):
    recipe = read(HEAD)
    assert recipe.dataset.options == {"corrected": False}
    assert recipe.dataset.root is None
    assert recipe.architecture == Choice(name="cnn", options={"variant": "two", "widths": [8]})
    assert recipe.loss == Choice(name="auto")
    assert recipe.sampler.name == "shuffle"
    assert recipe.optimizer.options == {"lr": 1e-3, "amsgrad": False}
    assert recipe.scheduler.name == "none"
    assert recipe.augmentations == recipe.trackers == ()
    assert (recipe.split.val, recipe.split.test, recipe.split.seed) == (0.1, 0.2, 0)
    assert (recipe.training.epochs, recipe.training.batch_size) == (10, 64)
    assert recipe.stopping.monitor == "val/loss"
    assert recipe.card.licence == ""


def test_a_full_recipe(read):
    recipe = read(
        HEAD
        + """variant = "three"
widths = [16, 32]
[data]
size = [28, 30]
channels = 3
normalize = { mean = [0.1, 0.2, 0], std = [1, 0.5, 0.5] }
[[augmentations]]
name = "rotation"
degrees = 15
[[augmentations]]
name = "flip"
[training]
device = "cuda:12"
[card]
authors = ["A", "B"]
"""
    )
    assert recipe.architecture.options == {"variant": "three", "widths": [16, 32]}
    assert recipe.data.form == (28, 30, 3)
    assert recipe.data.normalize == {"mean": [0.1, 0.2, 0.0], "std": [1.0, 0.5, 0.5]}
    assert recipe.augmentations == (
        Choice(name="rotation", options={"degrees": 15.0}),
        Choice(name="flip", options={}),
    )
    assert recipe.card.authors == ("A", "B")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # names of sections and keys
        (
            "[optimiser]\nlr = 1\n",
            "5: optimiser: unknown section (did you mean 'optimizer'?); expected one of "
            + SECTIONS,
        ),
        (
            "[training]\n\nbatch_sise = 3\n",
            "7: training.batch_sise: unknown key (did you mean 'batch_size'?); expected one of "
            + TRAINING,
        ),
        (
            "[data]\nbatch_size = 3\n",
            "6: data.batch_size: unknown key (did you mean 'training.batch_size'?); expected one "
            "of size, store_size, fit, resize, center_crop, channels, normalize, on_error, keep, "
            "store_limit, workers",
        ),
        (
            "[optimizer]\nlrr = 1\n",
            "6: optimizer.lrr: unknown option (did you mean 'lr'?); expected one of lr, amsgrad",
        ),
        (
            "[sampler]\nx = 1\n",
            "6: sampler.x: unknown option; expected none: it has no options",
        ),
        # components
        (
            '[optimizer]\nname = "adamm"\n',
            "6: optimizer.name: optimizer 'adamm' is not installed (did you mean 'adam'?); see: "
            "zoo components list optimizers",
        ),
        (
            '[sampler]\nname = "twice"\n',
            "6: sampler.name: sampler 'twice' is provided by zoo-fake 1.0 and zoo-other 2.0: "
            "uninstall one, or name the plugins to load in ZOO_PLUGINS",
        ),
        ("[scheduler]\nname = 3\n", "6: scheduler.name: 3: expected the name of a scheduler"),
        ('[optimizer]\nname = "needy"\n', "6: optimizer.lr: missing; expected float"),
        (
            "[[augmentations]]\ndegrees = 3\n",
            "5: augmentations.0.name: missing; expected the name of an augmentation; see: zoo "
            "components list augmentations",
        ),
        (
            '[[augmentations]]\nname = "flip"\n[[augmentations]]\nname = "rotation"\n'
            "degrees = '3'\n",
            "9: augmentations.1.degrees: '3': expected float >= 0",
        ),
        (
            "[loss]\nsmoothing = 0.1\n",
            "6: loss.smoothing: loss 'auto' takes no options; name the loss that has 'smoothing'; "
            "see: zoo components list losses",
        ),
        # shapes
        ("training = 3\n", "5: architecture.training: unknown option; expected one of variant, "
         "widths"),
        ("[[training]]\nepochs = 3\n", "5: training: [{'epochs': 3}]: expected a table, "
         "[training]"),
        ("[[loss]]\nname = 'bce'\n", "5: loss: [{'name': 'bce'}]: expected a table, [loss]"),
        (
            "[augmentations]\nname = 'flip'\n",
            "5: augmentations: {'name': 'flip'}: expected a list of tables, [[augmentations]]",
        ),
        # types and bounds
        ("[optimizer]\nlr = '1e-3'\n", "6: optimizer.lr: '1e-3': expected float > 0"),
        ("[optimizer]\nlr = 0.0\n", "6: optimizer.lr: 0.0: expected float > 0"),
        ("[optimizer]\nlr = inf\n", "6: optimizer.lr: inf: expected float > 0, finite"),
        ("[optimizer]\namsgrad = 1\n", "6: optimizer.amsgrad: 1: expected bool"),
        ("[training]\nepochs = 0\n", "6: training.epochs: 0: expected int >= 1"),
        ("[training]\nepochs = 3.0\n", "6: training.epochs: 3.0: expected int >= 1"),
        ("[training]\nbatch_size = true\n", f"6: training.batch_size: True: {AUTO}"),
        ("[training]\nseed = -1\n", "6: training.seed: -1: expected int >= 0, < 4294967296"),
        ("[training]\nthreads = 1025\n", "6: training.threads: 1025: expected int >= 0, <= 1024"),
        ("[training]\nchannels_last = 1\n", "6: training.channels_last: 1: expected bool"),
        (
            "[training]\nevaluate = 'mean'\n",
            "6: training.evaluate: 'mean': expected 'best' | 'last' | 'ema'",
        ),
        (
            "[training]\ndevice = 'cuda:x'\n",
            "6: training.device: 'cuda:x': expected 'auto' | 'cpu' | 'cuda' | 'cuda:N' | 'mps'",
        ),
        (
            "[training]\ndevice = 'cpu\\n'\n".replace("'", '"'),
            "6: training.device: 'cpu\\n': expected 'auto' | 'cpu' | 'cuda' | 'cuda:N' | 'mps'",
        ),
        ("[split]\nval = 1.0\n", "6: split.val: 1.0: expected float > 0, < 1"),
        ("[split]\ntest = 0\n", "6: split.test: 0: expected float > 0, < 1"),
        ("[data]\nsize = 0\n", f"6: data.size: 0: {SIZE}"),
        ("[data]\nsize = true\n", f"6: data.size: True: {SIZE}"),
        ("[data]\nsize = [\n 28,\n]\n", f"6: data.size: [28]: {SIZE}"),
        ("[data]\nchannels = 2\n", "6: data.channels: 2: expected 'native' | 1 | 3"),
        ("[data]\nchannels = true\n", "6: data.channels: True: expected 'native' | 1 | 3"),
        ("[data]\nnormalize = 'mean'\n", f"6: data.normalize: 'mean': {NORMALIZE}"),
        (
            "[data.normalize]\nmean = [0.5]\nstd = [0.0]\n",
            f"5: data.normalize: {{'mean': [0.5], 'std': [0.0]}}: {NORMALIZE}",
        ),
        (
            "[data]\nnormalize = { mean = [0.5], std = [1, 1, 1] }\n",
            f"6: data.normalize: {{'mean': [0.5], 'std': [1, 1, 1]}}: {NORMALIZE}",
        ),
        (
            "[data]\nchannels = 3\nnormalize = { mean = [0.5], std = [1] }\n",
            "7: data.normalize: 1 numbers for 3 channels; expected one a channel",
        ),
        ("[stopping]\nmonitor = 'val/acc'\n", f"6: stopping.monitor: 'val/acc': {MONITOR}"),
        ("[stopping]\nmin_delta = nan\n", "6: stopping.min_delta: nan: expected float >= 0, "
         "finite"),
        ("[stopping]\nmode = 'up'\n", "6: stopping.mode: 'up': expected 'auto' | 'min' | 'max'"),
        ("[card]\nlicence = 1\n", "6: card.licence: 1: expected str"),
        ("[card]\nauthors = 'A'\n", "6: card.authors: 'A': expected a list of names"),
        (
            "[training]\nepochs = 9223372036854775808\n",
            "6: training.epochs: 9223372036854775808: expected an integer of at most 64 bits",
        ),
    ],
)  # fmt: skip
def test_each_problem_in_its_words(read, text, message):
    assert problems(read, HEAD + text) == [f"recipe.toml:{message}"]


def test_names_that_must_be_given(read):
    assert problems(read, "\n[architecture]\nvariant = 'two'\n") == [
        "recipe.toml:2: architecture.name: missing; expected the name of an architecture; see: zoo "
        "components list architectures",
        "recipe.toml: dataset.name: missing; expected the name of a dataset; see: zoo components "
        "list datasets",
    ]


def test_a_number_where_a_section_belongs(read):
    assert problems(read, "card = 3\ntrackers = ['log']\nloss = 'bce'\n" + HEAD) == [
        "recipe.toml:1: card: 3: expected a table, [card]",
        "recipe.toml:2: trackers.0: 'log': expected a table, [[trackers]]",
        "recipe.toml:3: loss: 'bce': expected a table, [loss]",
    ]


def test_a_root_must_be_a_folder_s_name(read):
    text = '[architecture]\nname = "cnn"\n[dataset]\nname = "digits"\nroot = '
    assert problems(read, text + '""') == ["recipe.toml:5: dataset.root: '': expected a folder"]
    assert problems(read, text + '"a\\u0000"') == [
        "recipe.toml:5: dataset.root: 'a\\x00': expected a folder"
    ]
    assert read(text + '"data"').dataset.root == "data"


def test_an_option_that_bears_a_reserved_name(read):
    assert problems(read, HEAD.replace("cnn", "greedy")) == [
        "recipe.toml:4: architecture.name: architecture 'greedy' has an option 'name', which "
        "recipes keep for themselves"
    ]


def test_all_problems_at_once_in_the_order_of_the_file_then_of_the_flags(read):
    text = '[training]\nepochs = 0\nbach = 1\n[optimizer]\nlr = "x"\n[architecture]\nname = "cn"\n'
    overrides = [
        Override("training.seed", -1, "--seed"),
        Override("stopping.patience", -2, "--set stopping.patience=-2"),
        Override("data.size", 0, "overrides['data.size']"),
    ]
    assert problems(read, text, overrides) == [
        "recipe.toml:2: training.epochs: 0: expected int >= 1",
        f"recipe.toml:3: training.bach: unknown key; expected one of {TRAINING}",
        "recipe.toml:5: optimizer.lr: 'x': expected float > 0",
        "recipe.toml:7: architecture.name: architecture 'cn' is not installed (did you mean "
        "'cnn'?); see: zoo components list architectures",
        "recipe.toml: dataset.name: missing; expected the name of a dataset; see: zoo components "
        "list datasets",
        "--seed: -1: expected int >= 0, < 4294967296",
        "--set stopping.patience=-2: stopping.patience: -2: expected int >= 0",
        f"overrides['data.size']: data.size: 0: {SIZE}",
    ]


def test_the_error_itself_is_those_lines(read):
    with pytest.raises(RecipeError) as caught:
        read(HEAD + "[training]\nepochs = 0\nseed = 0.5\n")
    assert str(caught.value) == (
        "recipe.toml:6: training.epochs: 0: expected int >= 1\n"
        "recipe.toml:7: training.seed: 0.5: expected int >= 0, < 4294967296"
    )


def test_a_value_without_end_is_shortened_in_the_middle(read):
    (line,) = problems(read, HEAD + f"[optimizer]\nlr = '{'x' * 10_000}'\n")
    assert len(line) == 603
    assert line.startswith("recipe.toml:6: optimizer.lr: 'xxx")
    assert line.endswith("xxx': expected float > 0")


def test_the_same_from_python(catalog):
    data = {"dataset": {"name": "digits", "root": "d"}, "architecture": {"name": "cnn"}}
    recipe = read_recipe({**data, "data": {"size": (8, 9)}}, (), catalog)
    assert recipe.data.size == (8, 9)
    with pytest.raises(RecipeError) as caught:
        read_recipe(
            {**data, "training": {"epochs": "3"}, "card": {"licence": "\ud800"}}, (), catalog
        )
    assert caught.value.problems == (
        "card.licence: '\\ud800': expected text that UTF-8 can hold",
        "training.epochs: '3': expected int >= 1",
    )


def test_a_recipe_cannot_be_changed(read):
    with pytest.raises(ValueError, match="frozen"):
        read(HEAD).training.epochs = 3
