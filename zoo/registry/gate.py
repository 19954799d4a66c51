"""The gate before a publication: what is about to be published must do what was trained.

The network is built again from the record and the copied weights, as a stranger will build it, and
must repeat its answer to a synthetic batch kept in the version (never somebody's images).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.data.preprocessing import Preprocessing
from zoo.errors import PluginError, RegistryError, reason
from zoo.plugins.catalog import Catalog
from zoo.plugins.catalog import catalog as installed
from zoo.registry.loading import network_with
from zoo.registry.record import PROBE, WEIGHTS, Draft, private_text
from zoo.storage import tensors

TOLERANCE = 1e-4
IMAGES = 4


def make_probe(
    network: nn.Module, preprocessing: Preprocessing, seed: int = 0
) -> dict[str, Tensor]:
    """``images``: uint8 (4, H, W, C), random; ``logits``: the network's float32 answer, computed on
    the CPU in eval mode. The network is left as it was."""
    generator = torch.Generator().manual_seed(seed)
    shape = (IMAGES, *preprocessing.size, preprocessing.channels)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    return {"images": images, "logits": _answer(network, preprocessing, images)}


def check_version(draft: Draft, files: Mapping[str, Path], catalog: Catalog | None = None) -> None:
    """Raise unless ``files``, by their path in the version, hold finite weights and a probe, the
    weights fit the network that the record describes, and it repeats the probe's logits."""
    found = private_text({"recipe": draft.recipe, "environment": draft.environment})
    if found:
        raise RegistryError(f"{found} is a path of this machine, which no record may hold")
    for path in (WEIGHTS, PROBE):
        if path not in files:
            raise RegistryError(f"model {draft.model!r}: a version needs the file {path!r}")
    loaded = {
        path: tensors.load(place) for path, place in files.items() if path.endswith(".safetensors")
    }
    for path, held in loaded.items():
        tensors.check_finite(held, f"model {draft.model!r}: {path}")
    preprocessing = Preprocessing.from_json(draft.preprocessing)
    architecture, what = draft.architecture, f"model {draft.model!r}"
    if (architecture["in_channels"], tuple(architecture["image_size"])) != (
        preprocessing.channels,
        preprocessing.size,
    ):
        raise RegistryError(f"{what}: architecture and preprocessing differ in size or channels")
    network = network_with(
        loaded[WEIGHTS],
        architecture,
        draft.task,
        catalog or installed(),
        what=what,
        plugin=draft.plugin,
    )
    check_probe(network, preprocessing, loaded[PROBE], what)


def check_probe(
    network: nn.Module, preprocessing: Preprocessing, probe: Mapping[str, Tensor], what: str
) -> None:
    """Raise :class:`RegistryError` unless ``network`` repeats ``probe`` within 1e-4, of the largest
    logit where that is above 1."""
    images, expected = probe.get("images"), probe.get("logits")
    shape = (*preprocessing.size, preprocessing.channels)
    if images is None or expected is None or images.dtype != torch.uint8:
        raise RegistryError(f"{what}: the probe holds no uint8 images and logits")
    if tuple(images.shape[1:]) != shape or not 0 < len(images) <= 64:
        raise RegistryError(
            f"{what}: the probe's images are {tuple(images.shape)}, not (4, *{shape})"
        )
    answer = _answer(network, preprocessing, images)
    if answer.shape != expected.shape:
        raise RegistryError(
            f"{what}: the network answers with shape {tuple(answer.shape)}, the probe says "
            f"{tuple(expected.shape)}"
        )
    scale = max(1.0, float(expected.abs().max()))
    difference = float((answer - expected).abs().max())
    if not difference <= TOLERANCE * scale:
        raise RegistryError(
            f"{what}: the network built from the record differs by {difference:.2g} from the one "
            f"that was trained; its options, or its weights, are not those that were trained"
        )


def _answer(network: nn.Module, preprocessing: Preprocessing, images: Tensor) -> Tensor:
    places = {tensor.device for tensor in (*network.parameters(), *network.buffers())}
    modes = [(module, module.training) for module in network.modules()]
    try:
        network.eval().cpu()
        with torch.inference_mode():
            logits: Tensor = network(preprocessing(images))
    # Whatever a plugin's network raises.
    except Exception as error:
        raise PluginError(f"the network fails on a batch of images: {reason(error)}") from error
    finally:
        for place in places:
            network.to(place)
        for module, training in modes:
            module.training = training
    return logits.float().contiguous()
