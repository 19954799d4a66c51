"""zoo-smp's networks: every decoder with every kind of encoder, or a line that says why not."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from sweep import try_architecture

import zoo
from zoo.plugins.catalog import catalog
from zoo.tasks import SEGMENTATION

pytest.importorskip("segmentation_models_pytorch")
from zoo_cli.main import main
from zoo_smp.decoders import DECODERS, facts

NUCLEI = zoo.Task.segmentation(["tissue", "nucleus"], positive="nucleus")
VIT, ENCODERS = "tu-vit_tiny_patch16_224", ("resnet18", "mit_b0", "tu-convnext_atto")
# What the library itself refuses, in its words.
REFUSED = {
    ("dpt", "resnet18"): "Only Timm encoders are supported for DPT. Encoder name must start with "
    "'tu-', got resnet18",
    ("dpt", "mit_b0"): "Only Timm encoders are supported for DPT. Encoder name must start with "
    "'tu-', got mit_b0",
    ("linknet", "mit_b0"): "Encoder `mit_b0` is not supported for Linknet",
    ("unetplusplus", "mit_b0"): "UnetPlusPlus is not support encoder_name=mit_b0",
}


def built(name, size=(64, 64), channels=3, **options):
    context = zoo.ArchitectureContext(channels, size, 1, NUCLEI)
    return catalog().get("architecture", f"smp/{name}").build(context, options)


def refusal(name, size=(64, 64), **options):
    with pytest.raises(zoo.ZooError) as caught:
        built(name, size, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    "name, encoder, channels, outputs, size, options",
    [
        ("unet", "resnet18", 1, 1, (61, 45), {"decoder_attention_type": "scse"}),
        ("segformer", "mit_b0", 3, 3, (64, 32), {}),
        ("pspnet", "tu-mobilenetv3_small_050", 4, 2, (32, 32), {"encoder_depth": 4}),
        ("dpt", VIT, 3, 3, (32, 48), {"encoder_depth": 1, "decoder_intermediate_channels": [32]}),
    ],
)
def test_forth_and_back_saved_and_loaded(name, encoder, channels, outputs, size, options):
    given = {"encoder": encoder, **options}
    found = try_architecture(f"smp/{name}", channels, outputs, SEGMENTATION, size, given)
    assert found.ok, found.problem


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("encoder", [*ENCODERS, VIT])
@pytest.mark.parametrize("name", DECODERS)
def test_every_decoder(name, encoder, channels):
    side = 128 if name == "pan" else 64
    found = try_architecture(f"smp/{name}", channels, 3, SEGMENTATION, side, {"encoder": encoder})
    why = REFUSED.get((name, encoder), "")
    if encoder == VIT and name != "dpt":  # all of its features are of one size
        why = "Unsupported model downsampling pattern."
    if why:
        why = (
            f"architecture 'smp/{name}' cannot be built with encoder '{encoder}' and these "
            f"options: {why}"
        )
    assert found.problem == why


@pytest.mark.slow
@pytest.mark.parametrize("name", DECODERS)
def test_the_library_s_own_defaults(name):
    with torch.device("meta"):
        network = built(name, (224, 224))
        assert network.eval()(torch.empty(2, 3, 224, 224)).shape == (2, 1, 224, 224)
    parameters = sum(one.numel() for one in network.parameters())
    assert parameters == facts(name).parameters


@pytest.mark.slow
@pytest.mark.parametrize("depth", [3, 4, 5])
@pytest.mark.parametrize("name", [name for name in DECODERS if name != "dpt"])
def test_masks_are_as_large_as_images_at_every_depth(name, depth):
    options = {"encoder_depth": depth}
    if name in ("unet", "unetplusplus", "manet"):
        options["decoder_channels"] = [64, 48, 32, 16, 8][:depth]
    with torch.device("meta"):
        network = built(name, (256, 128), encoder="resnet18", **options).eval()
        assert network(torch.empty(2, 3, 256, 128)).shape == (2, 1, 256, 128)


@pytest.mark.slow
@pytest.mark.parametrize("side", [1, 7, 28, 33, 75])
@pytest.mark.parametrize("encoder", [*ENCODERS, "vgg11", "tu-resnet10t", "densenet121"])
def test_u_nets_take_any_size(encoder, side):
    network = built("unet", (side, 2 * side), encoder=encoder).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, side, 2 * side)).shape == (1, 1, side, 2 * side)


def test_sizes_that_do_not_fit_are_refused():
    for name, size, options, expected in (
        ("fpn", (28, 64), {"encoder": "resnet18"},
         "pixels, only sides that are multiples of 32, from 32 on: type --size 64"),
        ("pan", (64, 64), {"encoder": "resnet18"},
         "pixels, only sides that are multiples of 16, from 128 on: type --size 128"),
        ("dpt", (40, 40), {"encoder": VIT},
         "pixels, only sides that are multiples of 16, from 16 on: type --size 48"),
    ):  # fmt: skip
        assert refusal(name, size, **options) == (
            f"architecture 'smp/{name}' with encoder '{options['encoder']}' takes no images of "
            f"{size[0]} x {size[1]} {expected}"
        )


def test_unknown_encoders_are_refused():
    assert refusal("unet", encoder="resnet43") == (
        "architecture 'smp/unet': unknown encoder 'resnet43' (did you mean 'resnet34'?); expected "
        "one of segmentation-models-pytorch's, or tu- and a name of timm's"
    )
    assert "(did you mean 'tu-resnet18'?)" in refusal("unet", encoder="tu-resnet81")
    said = refusal("unet", encoder="tu-resnet10t.c3_in2k")
    assert said == (
        "architecture 'smp/unet': encoder 'tu-resnet10t.c3_in2k' has no weights 'c3_in2k' (did you "
        "mean 'c3_in1k'?); expected tu-resnet10t, or with one of c3_in1k"
    )


@pytest.mark.parametrize("name, encoder", [("linknet", "mit_b0"), ("dpt", "resnet18")])
def test_what_the_library_refuses_is_said_in_its_words(name, encoder):
    assert refusal(name, encoder=encoder) == (
        f"architecture 'smp/{name}' cannot be built with encoder '{encoder}' and these options: "
        f"{REFUSED[name, encoder]}"
    )
    said = refusal("unet", encoder="resnet18", encoder_depth=4)
    assert said.startswith("architecture 'smp/unet' cannot be built with encoder 'resnet18' and ")
    assert "\n" not in said and "Traceback" not in said


def test_options_are_the_library_s():
    component = catalog().get("architecture", "smp/unet")
    assert {one.name: one.type_text for one in component.options} == {
        "encoder": "str",
        "encoder_depth": "int >= 1, <= 5",
        "decoder_use_norm": "'batchnorm' | 'instancenorm' | 'identity'",
        "decoder_channels": "list[int]",
        "decoder_attention_type": "'none' | 'scse'",
        "decoder_interpolation": "'nearest' | 'bilinear' | 'bicubic' | 'area' | 'nearest-exact'",
    }
    for name in DECODERS:
        shown = {one.name for one in catalog().get("architecture", f"smp/{name}").options}
        assert not shown & {"encoder_weights", "pretrained", "weights", "upsampling"}


@pytest.mark.parametrize(
    "architecture, more",
    [("unet", ["architecture.width=4"]), ("smp/unet", ["architecture.encoder=resnet18"])],
)
def test_u_nets_learn_from_masks(architecture, more, tmp_path, monkeypatch, capsys):
    """Two steps at 28 pixels."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for i in range(6):
        picture = rng.integers(0, 256, (28, 28, 3), dtype=np.uint8)
        Image.fromarray(picture).save(tmp_path / f"images/{i}.png")
        Image.fromarray((picture[..., 0] > 128).astype(np.uint8) * 255).save(
            tmp_path / f"masks/{i}.png"
        )
    (tmp_path / "train.txt").write_text("0\n1\n2\n3\n")
    (tmp_path / "val.txt").write_text("4\n5\n")
    code = main([
        "train", "--dataset", "mask_folder", "--root", str(tmp_path), "--architecture",
        architecture, "--set", 'dataset.classes=["tissue", "nucleus"]', "--batch-size", "2",
        "--epochs", "1", "--run", "run", "--threads", "1", "--device", "cpu", "--json",
        *(part for one in more for part in ("--set", one)),
    ])  # fmt: skip
    said = capsys.readouterr()
    assert code == 0, said.err
    assert json.loads(said.out)["steps"] == 2


def test_listing_imports_nothing_heavy():
    code = (
        "import sys, zoo_smp\n"
        "zoo_smp.register_architectures()\n"
        "from zoo_smp.decoders import names, facts\n"
        "assert len([facts(name) for name in names()]) == 12\n"
        "print([n for n in ('torch', 'timm', 'segmentation_models_pytorch') if n in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
