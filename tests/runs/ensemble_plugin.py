"""A plugin as a stranger's package would be: a network of timm's, and small images to train on."""

from __future__ import annotations

from pathlib import Path

SOURCE = '''
import numpy as np
import zoo


def timm_net(context, *, model: str = "test_resnet"):
    import timm

    return timm.create_model(
        model, pretrained=False, num_classes=context.outputs, in_chans=context.in_channels
    )


def blobs(context):
    """28x28 images of a bright spot, in one of three places."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    images = rng.integers(0, 120, (120, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels):
        image[8:14, 4 + 8 * label : 10 + 8 * label] += 80
    task = zoo.Task.multiclass(["left", "middle", "right"])
    split = zoo.ArraySplit(images, labels, [f"b{i}" for i in range(120)])
    return zoo.Dataset(task, {"all": split}, zoo.Provenance("mit"))


@zoo.hookimpl
def register_architectures():
    return [zoo.ArchitectureSpec(name="timm_net", build=timm_net, summary="for tests")]


@zoo.hookimpl
def register_datasets():
    return [zoo.DatasetSpec(name="blobs", build=blobs, summary="for tests", source="here")]
'''


def install(folder: Path) -> Path:
    """Put the plugin into ``folder``, to be found by whoever has that on its path."""
    about = folder / "zoo_spots-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "zoo_spots.py").write_text(SOURCE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo-spots\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[zoo]\nspots = zoo_spots\n")
    return folder
