"""From a reference to a model that answers: record, weights, network, each checked before use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from zoo.data.preprocessing import Preprocessing
from zoo.errors import ComponentError, PluginError, RegistryError, ZooError
from zoo.plugins import loading, offline
from zoo.plugins.catalog import Catalog
from zoo.plugins.catalog import catalog as installed
from zoo.plugins.contexts import ArchitectureContext
from zoo.registry import guards
from zoo.registry.calibrated import calibrated
from zoo.registry.config import find
from zoo.registry.fields import Architecture, PluginOrigin
from zoo.registry.model import Model
from zoo.registry.record import WEIGHTS, Record
from zoo.storage import tensors
from zoo.tasks import Task


def load(
    reference: str,
    registry: str | None = None,
    device: str = "auto",
    *,
    catalog: Catalog | None = None,
) -> Model:
    """The version that ``reference`` names (``name``, ``name@3``, ``name@sha256:…``,
    ``registry:name@…``, or ``hf://owner/name``), ready to use. ``registry``: its name in
    ``registry.toml``, by default the default one; ``device``: ``auto``, ``cpu``, ``cuda``,
    ``cuda:N`` or ``mps``."""
    from zoo.data.device import choose_device

    where = choose_device(device)
    opened, parsed = find(reference, registry)
    record = opened.record(parsed)
    if record.ensemble is not None:
        from zoo.registry.members import load_ensemble

        return load_ensemble(opened, record, where, catalog or installed())
    # Large weights take as long to compare as their network takes to build: both at once.
    with opened.file_while(record, WEIGHTS) as data:
        network = network_of(record, tensors.from_bytes(data, f"the weights of {record}"), catalog)
    return Model(record, Preprocessing.from_json(record.preprocessing), network, where)


def network_of(
    record: Record, weights: Mapping[str, Tensor], catalog: Catalog | None = None
) -> nn.Module:
    """The network of a version that is one, with its ``weights``, which have to be finite,
    calibrated where it says so."""
    network = network_with(
        weights,
        record.architecture,
        record.task,
        catalog or installed(),
        what=str(record),
        plugin=record.plugin,
    )
    tensors.check_finite(weights, f"the weights of {record}")
    return calibrated(network, record.calibration)


def read(reference: str, registry: str | None = None) -> tuple[Record, dict[str, Tensor]]:
    """A version's record and its weights, by name, as :func:`load` finds them; no network is
    built, so its plugin need not be installed."""
    opened, parsed = find(reference, registry)
    record = opened.record(parsed)
    record.require_network(str(record))
    data = opened.read_file(record, WEIGHTS)
    return record, tensors.from_bytes(data, f"the weights of {record}")


def build_network(
    architecture: Mapping[str, Any] | Architecture,
    task: Task,
    catalog: Catalog,
    plugin: PluginOrigin | None = None,
) -> nn.Module:
    """The network a record's ``architecture`` describes, in eval mode, its weights as they happen
    to be made; the process' random numbers stay as they were. ``plugin``, the record's, is named
    in the error when the architecture is not installed."""
    try:
        component = catalog.get("architecture", str(architecture["name"]))
    except ComponentError as error:
        raise _not_installed(str(architecture["name"]), catalog, plugin, error) from error
    height, width = architecture["image_size"]
    context = ArchitectureContext(architecture["in_channels"], (height, width), task.outputs, task)
    options = dict(architecture["options"])
    if any(option.name == "pretrained" for option in component.options):
        options["pretrained"] = False  # the weights are in the version: nothing is to be fetched
    with torch.random.fork_rng(devices=[]), offline.refused():
        network = component.build(context, options)
    if not isinstance(network, nn.Module):
        raise PluginError(f"{component} returned {type(network).__name__}; expected an nn.Module")
    return network.eval()


def network_with(
    weights: Mapping[str, Tensor],
    architecture: Mapping[str, Any] | Architecture,
    task: Task,
    catalog: Catalog,
    *,
    what: str,
    plugin: PluginOrigin | None = None,
) -> nn.Module:
    """The network with ``weights``, in eval mode, on the CPU.

    Built first on torch's meta device, where it takes no memory: names and shapes are compared
    before anything is allocated, and then it is given the weights themselves. A network that
    computes while it is built, or still holds some tensor without values, is built for real.
    """
    with guards.bounded(weights, what):
        made = guards.Traces()
        try:
            with torch.device("meta"), made:
                network = build_network(architecture, task, catalog, plugin)
        except PluginError:
            pass
        else:
            made.add((*network.parameters(), *network.buffers()))
            check_fit(network, weights, what)
            network.load_state_dict(dict(weights), assign=True)
            if made.empty():
                return network
        network = build_network(architecture, task, catalog, plugin)
        check_fit(network, weights, what)
        # Copied: the network may hold its own parameters in other places, too.
        network.load_state_dict(dict(weights))
    return network


def check_fit(network: nn.Module, weights: Mapping[str, Tensor], what: str) -> None:
    """Raise :class:`RegistryError`, naming ``what``, when ``weights`` do not fit ``network``."""
    guards.refuse_lazy(network, what)
    problems = state_problems(network, weights)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise RegistryError(
            f"the weights of {what} do not fit the network: {problems[0]}{more}; the plugin's "
            f"version may differ from the one it was trained with"
        )


def state_problems(network: nn.Module, weights: Mapping[str, Tensor]) -> list[str]:
    """How ``weights`` differ from what ``network`` holds, one line each: missing, unexpected, of
    another shape or type."""
    expected = network.state_dict()
    problems = [f"{name!r} is missing" for name in expected if name not in weights]
    problems += [f"{name!r} is unexpected" for name in weights if name not in expected]
    for name in expected:
        if name in weights:
            wanted, given = _form(expected[name]), _form(weights[name])
            if wanted != given:
                problems.append(f"{name!r} is {given}, expected {wanted}")
    return problems


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def _not_installed(
    name: str, catalog: Catalog, plugin: PluginOrigin | None, error: ZooError
) -> ZooError:
    if plugin is None:
        return error
    owner, version = plugin["distribution"], plugin["version"]
    there = [one.plugin.version for one in catalog.loaded if one.plugin.distribution == owner]
    if there == [version]:
        return error
    if chosen := loading.left_out(owner):
        return RegistryError(
            f"architecture {name!r}: the record says that it comes from {owner} {version}, which "
            f"{loading.SELECTION_VARIABLE}={chosen} leaves out; add {owner} to it, or unset it"
        )
    state = f"is installed as {there[0]}, without it" if there else "is not installed"
    # The name is a stranger's word: it may be that of a package made to be installed by mistake.
    return RegistryError(
        f"architecture {name!r}: the record says that it comes from {owner} {version}, which "
        f"{state}; only if you trust that package, type: pip install {owner}=={version}"
    )
