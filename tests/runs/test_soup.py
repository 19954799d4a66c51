"""Weights averaged: of networks of one form, with batch norm measured anew, as a run like any."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from digits_runs import recipe_of

import zoo
from zoo.errors import RunError
from zoo.runs.folder import RunFolder
from zoo.runs.soup import soup
from zoo.storage import tensors


def weights(run):
    return tensors.load(Path(run) / "best.safetensors")


@pytest.fixture(scope="session")
def tuned(tmp_path_factory):
    """A CNN with batch norm, and three trained on from it; not to be changed."""
    folder = tmp_path_factory.mktemp("tuned")
    net = {"architecture": {"name": "simple_cnn", "batch_norm": "on"}}
    zoo.train(recipe_of(0, **net), folder=folder / "start")
    start = {"init": str(folder / "start/best.safetensors")}
    for seed in (1, 2, 3):
        zoo.train(recipe_of(seed, **net, transfer=start), folder=folder / f"t{seed}")
    return folder


@pytest.fixture
def several(tuned, here):
    for seed in (1, 2, 3):
        shutil.copytree(tuned / f"t{seed}", here / f"runs/t{seed}")
    return [str(here / f"runs/t{seed}") for seed in (1, 2, 3)]


def test_a_uniform_soup_has_the_mean_of_all_weights(several):
    made = soup(several, kind="uniform")
    found, given = weights(made.run.path), [weights(one) for one in several]
    norms = [name for name in found if name.rpartition(".")[2].startswith("running_")]
    assert norms  # the network has batch norm
    for name, tensor in found.items():
        if not tensor.is_floating_point():
            continue
        mean = torch.stack([one[name].double() for one in given]).mean(0)
        assert torch.allclose(tensor.double(), mean, atol=1e-6) == (name not in norms), name


def test_its_batch_norm_is_that_of_the_training_images(several):
    """A soup of copies has the weights it had; its statistics are those measured on train."""
    for one in several[1:]:
        shutil.copy(Path(several[0]) / "best.safetensors", Path(one) / "best.safetensors")
    with pytest.warns(zoo.ZooWarning, match="have the same weights"):
        made = soup(several, kind="uniform")
    subject = zoo.runs.subjects.of_run(made.run)
    opened = zoo.runs.opening.open_dataset(
        zoo.plugins.catalog.catalog(), "digits", {}, None, subject.trained_on.plan
    )
    train = opened.splits["train"]
    images = np.stack([np.asarray(train.image(i)) for i in range(len(train))])
    images = torch.from_numpy(images.reshape(len(train), 8, 8, 1))
    heard = []
    norm = next(m for m in subject.network.modules() if isinstance(m, torch.nn.BatchNorm2d))
    norm.register_forward_hook(lambda module, given, _: heard.append(given[0].detach()))
    with torch.no_grad():
        subject.network(subject.preprocessing(images))
    whole = heard[0]
    assert torch.allclose(norm.running_mean, whole.mean((0, 2, 3)), atol=0.02)
    assert torch.allclose(norm.running_var, whole.var((0, 2, 3)), rtol=0.1)


def test_a_soup_of_networks_from_one_start_is_about_as_good(several):
    made = soup(several, kind="uniform")
    members = [one["test"] for one in made.report["members"]]
    assert made.report["ensemble"]["test"] > min(members) - 0.05
    assert made.report["farthest"] < 1


def test_networks_from_different_starts_do_not_mix_and_greedy_finds_out(here):
    net = {"architecture": {"name": "simple_cnn"}}
    for seed in range(2):
        zoo.train(recipe_of(seed, **net), folder=here / f"runs/s{seed}")
    pair = [str(here / f"runs/s{seed}") for seed in range(2)]
    uniform, greedy = soup(pair, kind="uniform"), soup(pair, kind="greedy")
    best = max(one["val"] for one in uniform.report["members"])
    assert uniform.report["ensemble"]["val"] < best - 0.05
    assert greedy.report["ensemble"]["val"] == best
    assert [one["averaged"] for one in greedy.report["members"]].count(True) == 1
    gain = greedy.report["gain"]["figures"]["accuracy"]
    assert (gain["value"], gain["shown"]) == (0, "no difference")


def test_a_greedy_soup_is_never_worse_on_val_than_its_best_member(several):
    made = soup(several, kind="greedy")
    best = max(one["val"] for one in made.report["members"])
    assert made.report["ensemble"]["val"] >= best


def test_it_is_a_run_like_any(several, here):
    made = soup(several, kind="uniform")
    assert made.run.path == Path("runs/digits-simple_cnn-soup-1")
    assert {"recipe.toml", "run.json", "best.safetensors", "predictions", "metrics"} == {
        path.name for path in made.run.path.iterdir()
    }
    again = zoo.evaluate(made.run.path)
    assert again.metrics["accuracy"] == made.report["ensemble"]["test"]
    record = zoo.publish(made.run.path, "soup")
    assert (record.weights, record.parents) == ("averaged", None)
    assert zoo.evaluate("soup@1").metrics["accuracy"] == made.report["ensemble"]["test"]
    kept = json.loads((made.run.path / "run.json").read_text())["soup"]
    assert kept["kind"] == "uniform"
    assert len(kept["members"]) == 3


def test_calibrated_members_are_averaged_as_they_were_trained(several, here):
    plain = soup(several, kind="uniform")
    zoo.evaluate(several[0], split="val", calibrate=True, draws=0)
    made = soup(several, kind="uniform")
    found, same = weights(made.run.path), weights(plain.run.path)
    assert all(torch.equal(tensor, same[name]) for name, tensor in found.items())
    assert made.report["ensemble"] == plain.report["ensemble"]


def test_versions_are_named_as_parents(several, here):
    for number, run in enumerate(several):
        zoo.evaluate(run, draws=0)
        zoo.publish(run, f"part-{number}")
    made = soup([f"part-{number}" for number in range(3)], kind="uniform")
    record = zoo.publish(made.run.path, "soup")
    assert [(one["kind"], one["model"], one["version"]) for one in record.parents] == [
        ("averaged_from", f"part-{number}", 1) for number in range(3)
    ]
    found, same = weights(made.run.path), weights(soup(several, kind="uniform").run.path)
    assert all(torch.equal(tensor, same[name]) for name, tensor in found.items())


class TestWhatCannotBeAveraged:
    def refused(self, members, here):
        before = sorted(here.rglob("runs/*"))
        with pytest.raises(zoo.ZooError) as caught:
            soup(members)
        assert sorted(here.rglob("runs/*")) == before
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_other_architectures(self, several, runs, here):
        assert self.refused([several[0], runs[0]], here).startswith(
            "members 't1' and 'a' have different architectures: simple_cnn ("
        )

    def test_other_preprocessing(self, several, here):
        run = RunFolder.open(Path(several[1]))
        run.update(preprocessing={**run.info["preprocessing"], "mean": [0.25]})
        assert self.refused(several, here) == (
            "members 't1' and 't2' are shown images in different ways: mean differs"
        )

    def test_another_training_split(self, several, here):
        run = RunFolder.open(Path(several[1]))
        data = run.info["data"]
        data["splits"]["train"]["fingerprint"] = "another"
        run.update(data=data)
        assert self.refused(several, here) == (
            "members 't1' and 't2' were trained on different samples: their 'train' splits differ"
        )

    def test_files_ensembles_and_one_alone(self, several, files, here):
        assert self.refused([several[0], str(files[0][0]), str(files[0][1])], here) == (
            "member 'a' is a predictions file, which has no weights to average; give the run or "
            "the model"
        )
        assert self.refused(several[:1], here) == ("a soup of 't1' alone: give two members or more")

    def test_a_kind_that_is_none(self, several, here):
        with pytest.raises(zoo.ZooError) as caught:
            soup(several, kind="gready")
        assert str(caught.value) == (
            "soup 'gready' (did you mean 'greedy'?): expected one of uniform, greedy"
        )

    def test_a_folder_that_is_taken(self, several, here):
        with pytest.raises(RunError, match="exists already"):
            soup(several, output=several[0])
