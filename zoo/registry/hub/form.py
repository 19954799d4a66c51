"""What a version looks like in a repository of the Hub, for people who have no zoo.

model.safetensors    the weights
config.json          what they are of, in words that timm reads where the network is timm's
README.md            the card, and how to load it from there
zoo/                 the record, and the version's other files as they are
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from zoo.data.preprocessing import Preprocessing
from zoo.errors import RegistryError, reason
from zoo.registry.config import HUB
from zoo.registry.hub.repository import FOLDER, RECORD, Address, place_of
from zoo.registry.record import CARD, WEIGHTS, Record

CONFIG, README = "config.json", "README.md"
TIMM = "timm/"
_WITH_ZOO = """\
With zoo, every byte compared with the record in `{record}`:

```python
import zoo

model = zoo.load("{address}")
```
"""
_WITH_TIMM = """\
With timm:

```python
import timm

model = timm.create_model("hf-hub:{pinned}", pretrained=True).eval()
```
"""
_WITH_NEITHER = """\
With neither: `{weights}` is a state dict by name, and `{config}` says which network it is of, what
its outputs mean, and how images are to be prepared.

```python
from huggingface_hub import hf_hub_download
from safetensors.torch import load_file

weights = load_file(hf_hub_download("{repository}", "{weights}"{revision}))
```
"""


def places(record: Record) -> dict[str, str]:
    """Where each of the version's files lies, by its path. Raises :class:`RegistryError` when it
    would lie on another."""
    found = {file["path"]: place_of(file["path"]) for file in record.files}
    taken = {place.casefold(): path for path, place in found.items()}
    if RECORD in taken:
        raise RegistryError(
            f"{record} has a file {taken[RECORD]!r}, where the record lies on the Hub; it cannot "
            f"be pushed"
        )
    return found


def config(record: Record, digest: str) -> dict[str, Any]:
    """``config.json``. ``digest``: sha256 of the record."""
    task, architecture = record.task, record.architecture
    return {
        "architecture": architecture["name"],
        "num_classes": task.outputs,
        "label_names": [task.positive] if task.positive else list(task.classes),
        "zoo": {
            "model": record.model,
            "version": record.version,
            "record_sha256": digest,
            "task": task.as_json(),
            "preprocessing": record.preprocessing,
            "architecture": architecture,
            "plugin": record.plugin,
        },
    }


def timm_config(record: Record, digest: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """``config.json`` of a network of timm's, as timm reads it. ``defaults``: what timm says of the
    architecture itself."""
    architecture, made = record.architecture, config(record, digest)
    seen = Preprocessing.from_json(record.preprocessing)
    stored = seen.store_size or seen.size
    options = {key: value for key, value in architecture["options"].items() if value is not None}
    options.pop("pretrained", None)
    return {
        **made,
        "architecture": timm_name(record),
        "model_args": {**options, "in_chans": architecture["in_channels"]},
        "pretrained_cfg": {
            **defaults,
            "num_classes": made["num_classes"],
            "input_size": [architecture["in_channels"], *architecture["image_size"]],
            "mean": list(seen.mean),
            "std": list(seen.std),
            "interpolation": seen.resize,
            "crop_pct": min(1.0, seen.size[0] / stored[0]) if seen.center_crop else 1.0,
            "crop_mode": "center" if seen.center_crop else "squash",
            "license": record.licence,
        },
    }


def config_bytes(made: Mapping[str, Any]) -> bytes:
    return (json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def readme(card: bytes, record: Record, address: Address) -> bytes:
    """The card with its pictures where they lie here, and how to load the version from here."""
    from huggingface_hub import ModelCard

    timm = is_timm(record)
    try:
        made: Any = ModelCard(card.decode("utf-8"))
        if timm:
            made.data.library_name = "timm"
            made.data.tags = list(dict.fromkeys(["timm", *(made.data.tags or [])]))
    # YAML's and the Hub's readers raise errors of many kinds; tags may be anything.
    except Exception as error:
        raise RegistryError(f"the card of {record} cannot be read: {reason(error)}") from error
    text = made.text
    for file in record.files:
        if file["path"] not in (CARD, WEIGHTS):
            text = text.replace(f"]({file['path']})", f"]({FOLDER}/{file['path']})")
    parts = [_WITH_ZOO, *([_WITH_TIMM] if timm else []), _WITH_NEITHER]
    how = "\n".join(parts).format(
        record=RECORD,
        address=address,
        repository=address.repository,
        pinned=str(address).removeprefix(HUB),
        weights=WEIGHTS,
        config=CONFIG,
        revision=f', revision="{address.revision}"' if address.revision else "",
    )
    made.text = f"{text.rstrip()}\n\n## From this repository\n\n{how}"
    return f"{str(made).rstrip()}\n".encode()


def timm_name(record: Record) -> str:
    """Without the tag of its pretrained weights, which these are not."""
    return str(record.architecture["name"]).removeprefix(TIMM).partition(".")[0]


def is_timm(record: Record) -> bool:
    return str(record.architecture["name"]).startswith(TIMM)
