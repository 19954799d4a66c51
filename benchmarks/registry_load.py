"""A published ResNet152, verified and built, against what people write by hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import registry_sets as sets
import timm
import torch
from rounds import Timed, interleave

import zoo
from zoo.plugins.catalog import Catalog
from zoo.plugins.loading import Loaded, Plugin
from zoo.plugins.specs import ArchitectureSpec
from zoo.registry.record import Draft
from zoo.registry.store import Registry
from zoo.storage import tensors
from zoo.tasks import Task

OURS, PEER = "zoo.load", "timm.create_model + torch.load + load_state_dict"
CLASSES = 1000


def _resnet152(context: zoo.ArchitectureContext) -> torch.nn.Module:
    made: torch.nn.Module = timm.create_model("resnet152", num_classes=context.outputs)
    return made


def load_against_timm(
    root: Path, rounds: int
) -> tuple[str, Timed, str, Mapping[str, float | None]]:
    """(title, times, ours, limits) for :func:`rounds.table`; one thread computes."""
    torch.set_num_threads(1)
    spec = ArchitectureSpec(name="resnet152", build=_resnet152, summary="of timm")
    catalog = Catalog([Loaded(Plugin("timm", "zoo-of-timm", "1"), (spec,))])
    network = timm.create_model("resnet152", num_classes=CLASSES)
    plain = sets.draft("resnet152").model_dump(mode="json")
    plain["task"] = Task.multiclass([str(number) for number in range(CLASSES)])
    plain["architecture"] = {
        "name": "resnet152", "options": {}, "in_channels": 3, "image_size": [224, 224],
    }  # fmt: skip
    plain["preprocessing"] |= {
        "size": [224, 224], "channels": 3, "mean": [0.5] * 3, "std": [0.2] * 3,
    }  # fmt: skip
    data = tensors.to_bytes(network.state_dict())
    Registry.at(root / "registry").publish(Draft.of(**plain), {"model.safetensors": data})
    torch.save(network.state_dict(), root / "resnet152.pt")
    (root / "registry.toml").write_text('[registry.local]\nurl = "registry"\n')

    def ours() -> None:
        zoo.load("resnet152", device="cpu", catalog=catalog)

    def peer() -> None:
        made = timm.create_model("resnet152", num_classes=CLASSES)
        made.load_state_dict(torch.load(root / "resnet152.pt", weights_only=True))

    before = Path.cwd()
    os.chdir(root)
    try:
        timed = interleave({OURS: ours, PEER: peer}, rounds)
    finally:
        os.chdir(before)
    return f"load {len(data) / 1e6:.0f} MB, verified", timed, OURS, {PEER: 0.6}
