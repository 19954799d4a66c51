"""An architecture's published weights: which, for what images, and what a version says of them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import zoo
from zoo.errors import DataError, PluginError
from zoo.plugins import loading
from zoo.plugins.catalog import catalog
from zoo.plugins.loading import Loaded, Plugin
from zoo.registry.config import open_registry
from zoo.registry.record import CARD
from zoo.runs import published
from zoo.training import events

TAGS = ("V2", "V1")
FORM = {"mean": (0.1, 0.2, 0.3), "std": (0.5, 0.5, 0.5), "image_size": (12, 10),
        "interpolation": "bicubic"}  # fmt: skip


def net(channels, outputs):
    """Of any size of images."""
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, outputs),
    )  # fmt: skip


def build(context, name):
    return net(context.in_channels, context.outputs)


class Offer:
    """A family of one network that records what it is asked for."""

    def __init__(self):
        self.asked = []
        self.changes = {}

    def pretrained(self, context, name):
        self.asked.append((context.pretrained, context.image_size))
        tag = context.pretrained or TAGS[0]
        if tag not in TAGS:
            raise DataError(f"architecture 'lib/net' has no weights {tag!r}; expected V2, V1")
        with torch.random.fork_rng():
            torch.manual_seed(TAGS.index(tag))
            weights = net(3, 7).state_dict()
        return zoo.Pretrained(weights, **{**FORM, "tag": tag, **self.changes})


@pytest.fixture
def offer(monkeypatch):
    found, problems = loading.load_all()
    made = Offer()
    spec = zoo.ArchitectureFamily(
        prefix="lib", names=["net"], build=build, summary="for tests", source="here",
        pretrained=made.pretrained, facts=lambda name: zoo.Facts(image_size=(9, 9)),
    )  # fmt: skip
    extra = Loaded(Plugin("fake", "zoo-fake", "1"), (spec,))
    monkeypatch.setattr(loading, "load_all", lambda: ([*found, extra], problems))
    catalog.cache_clear()
    yield made
    catalog.cache_clear()


def recipe(pretrained=True, normalize="pretrained", **data):
    return {
        "dataset": {"name": "digits"},
        "architecture": {"name": "lib/net", "pretrained": pretrained},
        "data": {"normalize": normalize, **data},
        "training": {"epochs": 1, "threads": 1, "device": "cpu"},
        "card": {"licence": "mit", "intended_use": "a test"},
    }


def test_the_images_are_those_of_the_weights(offer, here):
    told = []
    run = zoo.train(recipe(), subscribers=[told.append])
    assert offer.asked == [("", (9, 9)), ("", (12, 10))]
    seen = run.info["preprocessing"]
    assert (seen["size"], seen["resize"], seen["channels"]) == ([12, 10], "bicubic", 1)
    assert seen["mean"] == [pytest.approx(0.2)]
    notices = [one.text for one in told if isinstance(one, events.Notice)]
    assert notices[0] == (
        "data.size = [12, 10]: that of the images on which the published weights V2 were trained; "
        "for another type --size N"
    )
    again = zoo.train(run.path / "recipe.toml", folder=here / "again")
    assert (again.path / "recipe.toml").read_text() == (run.path / "recipe.toml").read_text()
    assert 'init = "pretrained:V2"' in (run.path / "recipe.toml").read_text()
    assert again.info["initialized"] == run.info["initialized"]


@pytest.mark.parametrize(
    ("given", "size", "resize"),
    [
        ({"size": 8}, [8, 8], "bicubic"),
        ({"size": 8, "resize": "bilinear"}, [8, 8], "bilinear"),
        ({"normalize": "none"}, [8, 8], "bilinear"),
        ({"resize": "bicubic", "normalize": "none", "size": 12}, [12, 12], "bicubic"),
    ],
)
def test_what_a_recipe_says_itself_stays(offer, here, given, size, resize):
    seen = zoo.train(recipe("V1", **given)).info["preprocessing"]
    assert (seen["size"], seen["resize"]) == (size, resize)
    assert [tag for tag, _ in offer.asked] == ["V1"]


def test_a_version_names_the_weights_it_came_from(offer, here):
    run = zoo.train(recipe("V1", size=8))
    zoo.evaluate(run.path)
    zoo.publish(run.path, name="digits-net")
    asked = len(offer.asked)
    record = zoo.load("digits-net", device="cpu").record
    assert len(offer.asked) == asked  # loading fetches nothing
    (parent,) = record.parents
    digest = run.info["initialized"]["digest"]
    assert parent == {
        "kind": "pretrained", "architecture": "lib/net", "tag": "V1", "sha256": digest,
    }  # fmt: skip
    assert record.versions == []
    registry = open_registry(None)
    card = registry.read_file(record, CARD).decode()
    assert f"| published weights | lib/net (V1) | sha256:{digest} |" in card


def test_other_weights_have_another_digest(offer, here):
    one, other = (
        zoo.train(recipe(tag, size=8), folder=here / tag).info["initialized"] for tag in TAGS
    )
    assert one["digest"] != other["digest"]
    assert [one["source"], other["source"]] == ["pretrained:V2", "pretrained:V1"]
    assert one["counts"] == {"loaded": 6, "adapted": 1, "new": 2, "unused": 0}


def test_a_tag_that_is_not_there_leaves_nothing_behind(offer, here):
    with pytest.raises(DataError, match=r"^architecture 'lib/net' has no weights 'V3'; expected"):
        zoo.train(recipe("V3"), folder=here / "run")
    assert not (here / "run").exists()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"interpolation": "nearest"}, PluginError, "interpolation 'nearest' of its pretrained"),
        (
            {"image_size": (0, 5)},
            PluginError,
            r"image_size \(0, 5\) of its pretrained weights: exp",
        ),
        ({"image_size": (5000, 5)}, PluginError, r"image_size \(5000, 5\) of its pretrained"),
        ({"std": (0.0, 1.0, 1.0)}, DataError, "normalization std"),
    ],
)
def test_a_plugin_that_says_nonsense_is_named(offer, here, changes, error, message):
    offer.changes = changes
    with pytest.raises(error, match=message):
        zoo.train(recipe())


def test_downloads_are_told():
    told = []
    with published.downloads_told(told.append):
        report = published.published_weights._report.get()
        for done in (0, 1, 2, 10):
            report("net.pth", done, 10)
    assert [(one.what, one.done, one.total) for one in told] == [
        ("net.pth", 0, 10), ("net.pth", 10, 10),
    ]  # fmt: skip
