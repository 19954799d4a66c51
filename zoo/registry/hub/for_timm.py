"""A version of a network of timm's, tried in timm before it is pushed: it has to load there, and to
answer as it does here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.data.preprocessing import Preprocessing
from zoo.errors import RegistryError, reason
from zoo.registry.calibrated import calibrated
from zoo.registry.gate import check_probe
from zoo.registry.hub.form import timm_name
from zoo.registry.record import Record
from zoo.storage import tensors

# What timm knows of an architecture, whatever its weights are.
_OF_THE_NETWORK = ("first_conv", "classifier", "fixed_input_size")


def defaults(record: Record) -> dict[str, Any]:
    name = timm_name(record)
    found = _timm(record).models.get_pretrained_cfg(name)
    if found is None:
        raise RegistryError(
            f"{record}: timm {_timm(record).__version__} has no architecture {name!r}; install the "
            f"one that the record names: timm {record.plugin.get('libraries', {}).get('timm')}"
        )
    known = found.to_dict()
    return {key: known[key] for key in _OF_THE_NETWORK if known.get(key) is not None}


def check(folder: Path, record: Record, probe: bytes) -> None:
    """Raise :class:`RegistryError` unless timm makes of ``folder``, with its ``config.json`` and
    ``model.safetensors``, a network that repeats the logits of ``probe``, once they are calibrated:
    timm itself divides none, which the card says."""
    timm, what = _timm(record), f"{record}, loaded by timm"
    try:
        network = timm.create_model(f"local-dir:{folder}", pretrained=True)
    # Whatever timm raises for options it does not know, or weights that do not fit.
    except Exception as error:
        raise RegistryError(
            f"{record} does not load in timm {timm.__version__}: {reason(error)}"
        ) from error
    held = tensors.from_bytes(probe, f"the probe of {record}")
    network = calibrated(network, record.calibration)
    check_probe(network, Preprocessing.from_json(record.preprocessing), held, what)


def _timm(record: Record) -> Any:
    try:
        import timm
    except ImportError as error:
        raise RegistryError(
            f"{record} is a network of timm's, which is tried in timm before it is pushed; install "
            f"it with: pip install timm"
        ) from error
    return timm
