"""Transfer from end to end: a run that starts from another one's weights."""

import shutil
import tomllib

import pytest
import torch
from zoo_cli.main import main

import zoo
from zoo.errors import TrainingError
from zoo.runs.folder import RunFolder
from zoo.runs.sources import weights_of
from zoo.storage import tensors
from zoo.training import events

RECIPE = {
    "dataset": {"name": "digits"},
    "split": {"fraction": 0.1},
    "architecture": {"name": "simple_cnn", "variant": "three_conv"},
    "optimizer": {"name": "adamw", "lr": 0.01},
    "scheduler": {"name": "cosine"},
    "training": {"epochs": 3, "threads": 1, "device": "cpu", "seed": 1},
}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    changes = {"training.epochs": 1, "training.seed": 9}
    return zoo.train(RECIPE, folder=tmp_path_factory.mktemp("source") / "first", overrides=changes)


def weights(run):
    return tensors.load(weights_of(run))


def test_a_frozen_backbone_keeps_the_weights_it_started_from(source, here):
    seen = []
    shutil.copytree(source.path, here / "runs/first")
    run = zoo.train(
        RECIPE,
        overrides={"transfer.init": "runs/first", "transfer.freeze": ["backbone"]},
        subscribers=[seen.append],
    )
    before, after = weights(source), weights(run)
    assert {name for name in before if not torch.equal(before[name], after[name])} == {
        "out.weight", "out.bias",
    }  # fmt: skip
    (told,) = [one for one in seen if isinstance(one, events.Initialized)]
    said = run.info["initialized"]
    assert said["counts"] == told.counts == {"loaded": 30, "adapted": 0, "new": 0, "unused": 0}
    assert (said["source"], said["digest"]) == (str(here / "runs/first"), told.digest)
    notes = [one.text for one in seen if isinstance(one, events.Notice)]
    assert "126,656 of 129,226 parameters are frozen, all the time" in notes
    assert not [text for text in notes if text.startswith("only ")]
    recipe = tomllib.loads((run.path / "recipe.toml").read_text())
    assert recipe["transfer"]["init"] == str(here / "runs/first")


def test_layers_learn_at_their_own_rates_and_the_recipe_repeats(source, here):
    changes = {
        "transfer.init": str(source.path),
        "transfer.layer_decay": 0.5,
        "transfer.head_lr": 2,
        "transfer.rates": {"conv1.bias": 0.1},
        "data.normalize": "pretrained",
        "training.epochs": 1,
    }
    first = zoo.train(RECIPE, folder=here / "a", overrides=changes)
    again = zoo.train(first.path / "recipe.toml", folder=here / "b")
    assert weights_of(first).read_bytes() == weights_of(again).read_bytes()
    kept, info = tomllib.loads((first.path / "recipe.toml").read_text()), source.info
    assert kept["data"]["normalize"]["mean"] == info["preprocessing"]["mean"]
    plain = zoo.train(RECIPE, folder=here / "c", overrides={**changes, "transfer.layer_decay": 1.0})
    assert weights_of(plain).read_bytes() != weights_of(first).read_bytes()


def test_a_run_that_thaws_is_resumed_to_the_same_bits_without_its_source(source, here):
    shutil.copy(weights_of(source), here / "net.safetensors")
    changes = {
        "transfer.init": "net.safetensors",
        "transfer.freeze": ["conv1", "norm1", "conv2"],
        "transfer.unfreeze_epoch": 2,
        "transfer.head_lr": 3.0,
    }
    straight = zoo.train(RECIPE, folder=here / "straight", overrides=changes)

    def stop(event):
        if isinstance(event, events.EpochEnded) and event.epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        zoo.train(RECIPE, folder=here / "cut", overrides=changes, subscribers=[stop])
    (here / "net.safetensors").unlink()
    resumed = zoo.resume(here / "cut")
    assert weights_of(resumed).read_bytes() == weights_of(straight).read_bytes()
    assert resumed.info["initialized"] == straight.info["initialized"]


@pytest.mark.parametrize("until", [0, 2])
def test_what_is_frozen_is_shown_with_the_parameters(until, source, here, capsys):
    (here / "r.toml").write_text(
        '[dataset]\nname = "digits"\n[split]\nfraction = 0.1\n'
        '[architecture]\nname = "simple_cnn"\nvariant = "three_conv"\n'
        '[training]\nepochs = 2\nthreads = 1\ndevice = "cpu"\n'
    )
    given = ["--set", "transfer.freeze=['backbone']", "--set", f"transfer.unfreeze_epoch={until}"]
    assert main(["train", "r.toml", "--run", "a", *given]) == 0
    assert (
        "\n129,226 parameters, 2,570 of them trained, on cpu; 2 epochs" in capsys.readouterr().out
    )
    assert main(["train", "r.toml", "--run", "b"]) == 0
    assert "\n129,226 parameters on cpu; 2 epochs" in capsys.readouterr().out


def test_of_weights_of_which_little_fits_a_note_says_so(source, here):
    fits = {name: one for name, one in weights(source).items() if name.startswith("conv1.")}
    tensors.save(here / "little.safetensors", fits)
    seen = []
    changes = {"transfer.init": "little.safetensors", "training.epochs": 1}
    zoo.train(RECIPE, overrides=changes, subscribers=[seen.append])
    (note,) = [
        one.text for one in seen if isinstance(one, events.Notice) and "transfer.init" in one.text
    ]
    assert note.startswith("only 320 of ") and "the others begin anew" in note


def test_nothing_is_written_when_weights_or_parts_are_wrong(here):
    tensors.save(here / "nan.safetensors", {"conv1.weight": torch.full((32, 1, 3, 3), torch.nan)})
    before = sorted(here.rglob("*"))
    for changes, message in (
        ({"transfer.init": "nan.safetensors"}, "holds numbers that are not finite"),
        ({"transfer.freeze": ["layer1"]}, "transfer.freeze: 'layer1' is no part of the network"),
        ({"transfer.rates.conv9": 2.0}, "'conv9' is no part of the network"),
        ({"data.normalize": "pretrained"}, "data.normalize: 'pretrained': expected transfer.init"),
        ({"transfer.layer_decay": 1.5}, "transfer.layer_decay: 1.5: expected float > 0, <= 1"),
        ({"transfer.rates": {"conv1": 0}}, "transfer.rates: {'conv1': 0}: expected factors above"),
        ({"transfer.frozen": []}, "transfer.frozen: unknown key (did you mean 'freeze'?)"),
    ):
        with pytest.raises(zoo.ZooError) as caught:
            zoo.train(RECIPE, overrides=changes)
        assert message in str(caught.value)
    assert sorted(here.rglob("*")) == before
    with pytest.raises(TrainingError, match="leaves nothing to train"):
        zoo.train(RECIPE, overrides={"transfer.freeze": ["backbone", "out"]})


def test_the_command_prints_the_table(source, here, capsys):
    flags = "--dataset digits --architecture simple_cnn --epochs 1 --device cpu --threads 1"
    given = ["--set", "split.fraction=0.1", "--set", "architecture.variant=three_conv"]
    given += ["--set", "data.channels=3", "--init", str(source.path), "--run", "next"]
    assert main(["train", *flags.split(), *given]) == 0
    out = capsys.readouterr().out
    assert f"weights from {source.path}: 29 loaded, 1 adapted tensors\n" in out
    assert f"  {'conv1.weight':<16}  {1:>7}  {864:>11}  adapted: from 1 to 3 channels\n" in out
    assert RunFolder.open(here / "next").info["initialized"]["counts"]["adapted"] == 1
