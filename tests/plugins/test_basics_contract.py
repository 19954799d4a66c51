"""Every component of zoo-basics keeps the plugin contract, and listing them stays light."""

import subprocess
import sys

import pytest
from zoo_basics import (
    augmentations_warps,
    color,
    losses,
    losses_focal,
    networks,
    networks_reports,
    optimizers,
    unet,
)

import zoo
from zoo.plugins.catalog import catalog
from zoo.plugins.checks import check_loaded
from zoo.plugins.loading import Loaded, Plugin

NAMED = {"summary": "for a test", "source": "zoo-basics"}

FILES = {"image_folder", "csv", "mask_folder", "npz", "idx", "parquet"}
COMPONENTS = {
    "dataset": {"digits", "mnist", *FILES},
    "architecture": {
        "linear", "mlp", "simple_cnn", "tiny_cnn", "skin_cnn", "alexnet_bn", "unet",
        "resnet18_kaiming",
    },
    "loss": {"cross_entropy", "bce", "focal"},
    "sampler": {"shuffle", "weighted", "sequential"},
    "augmentation": {
        "horizontal_flip", "vertical_flip", "crop", "rotation", "affine", "random_resized_crop",
        "color_jitter", "gaussian_blur", "gaussian_noise", "random_erasing", "random_apply",
        "rand_augment", "trivial_augment", "mixup", "cutmix",
    },
    "optimizer": {"sgd", "adam", "adamw", "nadam", "adagrad"},
    "scheduler": {
        "none", "plateau", "cosine", "cosine_restarts", "one_cycle", "step", "multi_step",
        "exponential",
    },
}  # fmt: skip


def test_every_component_keeps_the_contract():
    checked = zoo.check_plugin("zoo-basics")
    found = {(one.kind, one.name) for one in checked}
    assert found == {(kind, name) for kind, names in COMPONENTS.items() for name in names}
    assert {one.name for one in checked if one.note} == {"mnist", *FILES}


def test_listing_imports_nothing_heavy():
    code = (
        "import sys, zoo_basics\n"
        "hooks = [name for name in dir(zoo_basics) if name.startswith('register_')]\n"
        "print(sum(len(getattr(zoo_basics, hook)()) for hook in hooks))\n"
        "print([name for name in ('torch', 'numpy', 'sklearn') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == [str(sum(map(len, COMPONENTS.values()))), "[]"]


def test_every_option_has_a_default_and_a_type_people_can_read():
    for kind, names in COMPONENTS.items():
        for name in names:
            for option in catalog().get(kind, name).options:
                assert not option.required, (name, option)
                assert "typing" not in option.type_text, (name, option)


def kept(spec_type, build, given, **more):
    """``build`` with these options keeps the contract, too."""
    options = dict(given)
    if spec_type.context is None:
        spec = spec_type(name="it", build=lambda: build(**options), **NAMED, **more)
    else:
        spec = spec_type(name="it", build=lambda ctx: build(ctx, **options), **NAMED, **more)
    return check_loaded(Loaded(Plugin("basics", "zoo-basics", "0"), (spec,)), {})


@pytest.mark.parametrize(
    "options",
    [
        {"variant": "three_conv"},
        {"variant": "three_conv", "batch_norm": "off", "activation": "leaky_relu"},
        {"batch_norm": "on", "dropout": "on"},
    ],
)
def test_the_forms_of_simple_cnn_keep_it(options):
    assert kept(zoo.ArchitectureSpec, networks.simple_cnn, options, tasks={"multiclass", "binary"})


@pytest.mark.parametrize(
    "options",
    [
        {"norm": "batch", "dropout": True},
        {"norm": "group", "dropout": True},
        {"norm": "batch", "residual": True},
        {"norm": "group", "residual": True},
    ],
)
def test_the_forms_of_skin_cnn_keep_it(options):
    assert kept(zoo.ArchitectureSpec, networks_reports.skin_cnn, options, tasks={"multiclass"})


@pytest.mark.parametrize("batch_norm", ["encoder", "all", "none"])
def test_a_small_unet_keeps_it(batch_norm):
    """As does the report's, which is too large to be overfitted here."""
    options = {"width": 4, "depth": 2, "batch_norm": batch_norm}
    assert kept(zoo.ArchitectureSpec, unet.unet, options, tasks={"segmentation"})


def test_balanced_losses_keep_it():
    options = {"class_weights": "balanced", "label_smoothing": 0.1}
    tasks = {"multiclass", "segmentation"}
    assert kept(zoo.LossSpec, losses.cross_entropy, options, tasks=tasks)
    options = {"pos_weight": "balanced"}
    tasks = {"binary", "multilabel", "segmentation"}
    assert kept(zoo.LossSpec, losses.bce, options, tasks=tasks)
    tasks = {"binary", "multilabel", "multiclass", "segmentation"}
    options = {"alpha": "balanced", "gamma": 0.5}
    assert kept(zoo.LossSpec, losses_focal.focal, options, tasks=tasks)


@pytest.mark.parametrize(
    "build, options",
    [
        (augmentations_warps.rotation, {"degrees": 30.0, "probability": 0.5, "fill": 0.5}),
        (color.color_jitter, {"saturation": 0.5, "hue": 0.5, "probability": 0.5}),
    ],
)
def test_stronger_augmentations_keep_it(build, options):
    assert kept(zoo.AugmentationSpec, build, options, tasks={"multiclass"})


def test_sgd_with_momentum_keeps_it():
    options = {"lr": 0.01, "momentum": 0.9, "nesterov": True}
    assert kept(zoo.OptimizerSpec, optimizers.sgd, options)
