"""A component that fails when built or used is named with its distribution; no run is left."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from zoo.errors import PluginError, ZooError
from zoo.plugins.catalog import Catalog, catalog
from zoo.plugins.loading import Loaded, Plugin
from zoo.recipes.reading import read_recipe
from zoo.runs import train as training

BAD = Plugin("bad", "zoo-bad", "0.3")


class Net(nn.Module):
    def __init__(self, context, how):
        super().__init__()
        height, width = context.image_size
        self.inner = nn.Linear(height * width * context.in_channels, context.outputs)
        self.how, self.cached = how, None
        if how == "lazy":
            self.extra = nn.LazyLinear(3)

    def forward(self, images):
        if self.how == "raise":
            raise RuntimeError("no such thing")
        logits = self.inner(images.flatten(1))
        if self.how == "cache":
            if self.cached is None:
                self.cached = torch.ones(len(logits[0]))
            logits = logits * self.cached
        return {"shape": logits[:, :1], "extra": logits[..., None]}.get(self.how, logits)


def net(context, *, how: str = "fine"):
    return Net(context, how)


def loss(context, *, how: str = "fine"):
    def compute(logits, targets):
        value = nn.functional.cross_entropy(logits, targets, reduction="none")
        made = {
            "vector": value,
            "float": float(value.detach().mean()),
            "constant": value.mean().detach(),
        }
        if how == "raise":
            raise ValueError("loss says no")
        return made.get(how, value.mean())

    return compute


def augment(*, how: str = "fine"):
    def run(images, masks, draws):
        if how == "raise":
            raise KeyError("brightness")
        return (images[:1], masks) if how == "drop" else (images, masks)

    return run


def sample(context, *, how: str = "fine"):
    def draw(generator):
        if how == "raise":
            raise IndexError("sampler says no")
        return torch.arange(context.length) + (1 if how == "beyond" else 0)

    return draw


def track(context, *, how: str = "build"):
    if how == "build":
        raise ConnectionError("no server")

    def send(event):
        raise ConnectionError("gone")

    return send


def dataset(context, *, how: str = "fine"):
    images = np.zeros((40, 4, 4), np.uint8)
    ids = [f"s{i}" for i in range(40)]
    labels = np.arange(40) % 2
    if how == "raise":
        raise OSError("disk on fire")
    task = zoo.Task.multiclass(["a", "b"])
    if how == "ids":
        ids = list(range(40))
    if how == "task":
        task = "multiclass"
    split = zoo.ArraySplit(images, labels, ids)
    splits = {"train": split, "val": split} if how == "overlap" else {"all": split}
    return zoo.Dataset(task, splits, zoo.Provenance("cc0-1.0"))


SPECS = [
    zoo.ArchitectureSpec(name="net", build=net, summary="x"),
    zoo.LossSpec(name="badloss", build=loss, summary="x"),
    zoo.AugmentationSpec(name="badaug", build=augment, summary="x"),
    zoo.SamplerSpec(name="badsampler", build=sample, summary="x"),
    zoo.TrackerSpec(name="badtracker", build=track, summary="x"),
    zoo.DatasetSpec(name="baddata", build=dataset, summary="x"),
]


@pytest.fixture
def run(here, monkeypatch):
    both = Catalog([*catalog().loaded, Loaded(BAD, tuple(SPECS))])
    monkeypatch.setattr(training, "catalog", lambda: both)

    def start(**sections):
        recipe = {
            "dataset": {"name": "baddata"},
            "architecture": {"name": "net"},
            "training": {"epochs": 2, "threads": 1, "device": "cpu"},
            **sections,
        }
        return zoo.train(recipe, folder=here / "run")

    return start


CASES = {
    "net raise": ({"architecture": {"name": "net", "how": "raise"}},
                  "architecture 'net' of zoo-bad 0.3 fails on a batch of shape (2, 1, 4, 4): "
                  "RuntimeError: no such thing"),
    "net shape": ({"architecture": {"name": "net", "how": "shape"}},
                  "architecture 'net' of zoo-bad 0.3 returned (2, 1) for a batch; expected (2, 2)"),
    "net extra": ({"architecture": {"name": "net", "how": "extra"}},
                  "architecture 'net' of zoo-bad 0.3 returned (2, 2, 1) for a batch; expected (2,"),
    "net lazy": ({"architecture": {"name": "net", "how": "lazy"}},
                 "'net' of zoo-bad 0.3: the network leaves the shape of 'extra.weight' open"),
    "loss raise": ({"loss": {"name": "badloss", "how": "raise"}},
                   "loss 'badloss' of zoo-bad 0.3 failed: ValueError: loss says no"),
    "loss vector": ({"loss": {"name": "badloss", "how": "vector"}},
                    "loss 'badloss' of zoo-bad 0.3 returned shape (2,); expected a scalar"),
    "loss float": ({"loss": {"name": "badloss", "how": "float"}},
                   "loss 'badloss' of zoo-bad 0.3 returned 0."),
    "loss constant": ({"loss": {"name": "badloss", "how": "constant"}},
                      "loss 'badloss' of zoo-bad 0.3 returned shape (); expected a scalar tensor"),
    "augmentation raise": ({"augmentations": [{"name": "badaug", "how": "raise"}]},
                           "augmentation 'badaug' of zoo-bad 0.3 failed: KeyError: 'brightness'"),
    "augmentation drop": ({"augmentations": [{"name": "badaug", "how": "drop"}]},
                          "augmentation 'badaug' made"),
    "sampler raise": ({"sampler": {"name": "badsampler", "how": "raise"}},
                      "sampler 'badsampler' of zoo-bad 0.3 failed: IndexError: sampler says no"),
    "sampler beyond": ({"sampler": {"name": "badsampler", "how": "beyond"}},
                       "the sampler returned 29 indices; expected some, in 0 to 28"),
    "data raise": ({"dataset": {"name": "baddata", "how": "raise"}},
                   "dataset 'baddata' of zoo-bad 0.3 failed to build: OSError: disk on fire"),
    "data ids": ({"dataset": {"name": "baddata", "how": "ids"}},
                 "dataset 'baddata', split 'all': ids are not all text"),
    "data task": ({"dataset": {"name": "baddata", "how": "task"}},
                  "dataset 'baddata': its task is str; expected Task"),
    "data overlap": ({"dataset": {"name": "baddata", "how": "overlap"}},
                     "dataset 'baddata', split 'val': id 's0' is in split 'train' too"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_fails_is_named_before_a_folder_is_made(case, run, here):
    sections, message = CASES[case]
    with pytest.raises(ZooError) as caught:
        run(**sections)
    assert message in str(caught.value)
    assert not (here / "run").exists()


def test_the_components_work_when_they_mean_well(run):
    done = run(
        loss={"name": "badloss"},
        augmentations=[{"name": "badaug"}],
        sampler={"name": "badsampler"},
        architecture={"name": "net", "how": "cache"},
    )
    assert done.info["status"] == "finished"


def test_a_tracker_that_cannot_be_built_stops_before_training(run, here):
    message = "tracker 'badtracker' of zoo-bad 0.3 failed to build: ConnectionError: no server"
    with pytest.raises(PluginError, match=message):
        run(trackers=[{"name": "badtracker", "how": "build"}])
    assert not (here / "run").exists()


def test_a_tracker_that_fails_later_is_named_and_left_out(run):
    done = run(trackers=[{"name": "badtracker", "how": "send"}])
    notices = [
        event["text"]
        for event in map(json.loads, (done.path / "events.jsonl").read_text().splitlines())
        if event["event"] == "notice" and not event["text"].startswith("this processor")
    ]
    assert done.info["status"] == "finished"
    assert len(notices) == 1
    assert notices[0].startswith("tracker 'badtracker' of zoo-bad 0.3 failed: ConnectionError")


def test_batch_norm_and_a_batch_of_one(here):
    recipe = {
        "dataset": {"name": "digits"},
        "architecture": {"name": "simple_cnn", "variant": "three_conv"},
        "training": {"batch_size": 1, "threads": 1, "device": "cpu"},
    }
    with pytest.raises(PluginError, match="use a batch_size of 2 or more"):
        zoo.train(recipe, folder=here / "run")


def test_a_task_error_names_the_line(here):
    path = here / "r.toml"
    path.write_text(
        '[dataset]\nname = "digits"\n[architecture]\nname = "linear"\n[loss]\nname = "bce"\n'
    )
    with pytest.raises(ZooError, match=r"r\.toml:6: loss\.name: loss 'bce' serves"):
        zoo.train(path, folder=here / "run")
    assert read_recipe(path).loss.name == "bce"


def test_a_validation_loss_that_is_nan_is_never_best(here, run):
    """The network answers NaN in evaluation only."""

    class Shy(Net):
        def forward(self, images):
            logits = super().forward(images)
            return logits if self.training else logits * float("nan")

    from zoo.runs import building

    original = building.network

    def shy(recipe, catalog, task, preprocessing, device):
        made = original(recipe, catalog, task, preprocessing, device)
        made.__class__ = Shy
        return made

    building.network = shy
    try:
        done = run()
    finally:
        building.network = original
    assert done.info["status"] == "finished"
    lines = (done.path / "events.jsonl").read_text()
    assert '"loss": null' in lines and "NaN" not in lines
