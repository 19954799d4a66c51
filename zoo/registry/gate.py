"""The gate before a publication: what is about to be published must do what was trained.

The network is built again from the record and the copied weights, as a stranger will build it, and
must repeat its answer to a synthetic batch kept in the version (never somebody's images). What is
here runs in any process; :mod:`zoo.registry.fresh` has it done in a new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.data.preprocessing import Preprocessing
from zoo.errors import PluginError, RegistryError, reason
from zoo.plugins.catalog import Catalog
from zoo.plugins.catalog import catalog as installed
from zoo.registry.calibrated import calibrated
from zoo.registry.ensemble import RULE, Combined, rule_of
from zoo.registry.loading import network_with
from zoo.registry.members import Handed, members_of
from zoo.registry.private import require_public
from zoo.registry.record import PROBE, WEIGHTS, Draft
from zoo.storage import limits, reading, tensors

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


def make_combined_probe(combined: Combined, seed: int = 0) -> dict[str, Tensor]:
    """As :func:`make_probe`, of an ensemble: images of its first member's size, which each member
    prepares for itself."""
    seen_by = combined.preprocessing
    generator = torch.Generator().manual_seed(seed)
    shape = (IMAGES, *seen_by.size, seen_by.channels)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    return {"images": images, "logits": _combined_answer(combined, images)}


def check_version(
    draft: Draft,
    files: Mapping[str, Path],
    catalog: Catalog | None = None,
    *,
    weights_sha256: str | None = None,
    handed: Handed | None = None,
) -> None:
    """Raise unless ``files``, by their path in the version, hold finite weights and a probe, the
    weights fit the network that the record describes, and it repeats the probe's logits.
    ``weights_sha256``: of the weights that were measured, which these have to be; ``handed``: the
    members of an ensemble, which answers the probe with them."""
    check_claims(draft, files)
    what = f"model {draft.model!r}"
    loaded: dict[str, dict[str, Tensor]] = {}
    for path, place in files.items():
        if path.endswith(".safetensors"):
            data = reading.read(place, limits.FILE_BYTES, what="weights")
            loaded[path] = tensors.from_bytes(data, f"{what}: {path}")
            tensors.check_finite(loaded[path], f"{what}: {path}")
            if path == WEIGHTS and weights_sha256 not in (None, hashlib.sha256(data).hexdigest()):
                raise RegistryError(f"{what}: the weights are no longer those that were measured")
    if draft.ensemble is not None:
        device = torch.device("cpu")
        members = members_of(draft, handed or Handed(), device, catalog or installed(), what)
        rule = rule_of(draft, loaded.get(RULE, {}), members, what)
        combined = Combined(draft.task, members, rule, what, device)
        _check_probe(combined.preprocessing, loaded[PROBE], what, combined)
        return
    network = network_with(
        loaded[WEIGHTS],
        draft.architecture,
        draft.task,
        catalog or installed(),
        what=what,
        plugin=draft.plugin,
    )
    answering = calibrated(network, draft.calibration)
    check_probe(answering, Preprocessing.from_json(draft.preprocessing), loaded[PROBE], what)


def check_claims(draft: Draft, files: Mapping[str, Path]) -> None:
    """The part of :func:`check_version` that reads no file."""
    require_public(draft.model_dump(mode="json"))
    what = f"model {draft.model!r}"
    for path in (PROBE,) if draft.ensemble is not None else (WEIGHTS, PROBE):
        if path not in files:
            raise RegistryError(f"{what}: a version needs the file {path!r}")
    if draft.ensemble is not None:
        return
    preprocessing, architecture = Preprocessing.from_json(draft.preprocessing), draft.architecture
    given = architecture["in_channels"], tuple(architecture["image_size"])
    if given != (preprocessing.channels, preprocessing.size):
        raise RegistryError(f"{what}: architecture and preprocessing differ in size or channels")


def check_probe(
    network: nn.Module, preprocessing: Preprocessing, probe: Mapping[str, Tensor], what: str
) -> None:
    """Raise :class:`RegistryError` unless ``network`` repeats ``probe`` within 1e-4, of the largest
    logit where that is above 1."""
    _check_probe(preprocessing, probe, what, network)


def _check_probe(
    preprocessing: Preprocessing,
    probe: Mapping[str, Tensor],
    what: str,
    answering: nn.Module | Combined,
) -> None:
    images, expected = probe.get("images"), probe.get("logits")
    shape = (*preprocessing.size, preprocessing.channels)
    if images is None or expected is None or images.dtype != torch.uint8:
        raise RegistryError(f"{what}: the probe holds no uint8 images and logits")
    if tuple(images.shape[1:]) != shape or not 0 < len(images) <= 64:
        raise RegistryError(
            f"{what}: the probe's images are {tuple(images.shape)}, not (4, *{shape})"
        )
    if isinstance(answering, Combined):
        answer = _combined_answer(answering, images)
    else:
        answer = _answer(answering, preprocessing, images)
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


def _combined_answer(combined: Combined, images: Tensor) -> Tensor:
    prepared = [combined.prepared(one.numpy(), "the probe") for one in images]
    try:
        return combined.logits(prepared).contiguous()
    # Whatever a plugin's network raises.
    except Exception as error:
        raise PluginError(f"a member fails on a batch of images: {reason(error)}") from error


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
