"""timm's weights on a stand-in for the Hub, asked for as a recipe asks for them."""

from __future__ import annotations

import pytest

from zoo.errors import ZooError
from zoo.plugins.catalog import catalog
from zoo.plugins.contexts import ArchitectureContext
from zoo.tasks import Task

NAME = "test_resnet.r160_in1k"
REPOSITORY = f"timm/{NAME}"
WHAT = f"'{REPOSITORY}' of the Hub"
TASK = Task.multiclass(["a", "b", "c"])


def get(tag="", name="timm/test_resnet", **context):
    size = context.pop("size", (64, 64))
    given = ArchitectureContext(3, size, TASK.outputs, TASK, tag)
    return catalog().get("architecture", name).pretrained(given)


def refusal(**given):
    with pytest.raises(ZooError) as caught:
        get(**given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def files(folder):
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if not one.is_dir())


def by_hand(web_url, folders, name=NAME):
    place = folders / "cache" / "weights" / f"{name}.safetensors"
    return (
        f"get {web_url}/timm/{name}/resolve/main/model.safetensors by other means and put it here "
        f"as {str(place)!r} or into a folder that ZOO_WEIGHTS names"
    )
