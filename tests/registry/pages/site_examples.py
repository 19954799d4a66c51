"""Registries for the tests of the site: one as people have them, one as an attacker would."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from drafts import draft, fields

from zoo.registry.record import Draft, Record
from zoo.registry.site.inventory import Inventory, Model, Version
from zoo.registry.store import Registry
from zoo.tasks import Task

CLASSES = ["background", "kidney", "tumour"]
CARD = """---
license: apache-2.0
---

# {name}

A model for *images*, trained on `{dataset}`. See [the paper](https://example.org/paper).

## Intended use

To try the pages.

| figure | test | val |
| --- | ---: | ---: |
| accuracy | 0.75 | 0.80 |

```toml
[dataset]
name = "{dataset}"
```
"""
# Whatever is believed of a text shows here: in the page's title, in a request, in an element.
SCRIPT = "<script>document.title='pwned'</script>"
IMAGE = "<img src=x onerror=\"document.title='pwned'\">"
QUOTE = "\"'><svg onload=document.title='pwned'>"
MARKS = "left\u202eright\u2066\u200f"
HOSTILE_CARD = f"""# hostile

{SCRIPT} {IMAGE} {QUOTE} {MARKS} &#x202e;entity

[script](javascript:document.title='pwned') [data](data:text/html,<script>1</script>)
[share](//evil.example/x) [back](\\\\evil.example\\x) <javascript:alert(1)>
[fine](https://example.org/) [beside](other.html)
![remote](https://evil.example/pixel.png) ![data](data:image/png;base64,AAAA)

| {SCRIPT} | b |
|:-:|--:|
| {IMAGE} | 2 |
"""


def publish(
    registry: Registry, name: str, card: str = CARD, files: Any = None, **changes: Any
) -> Record:
    """A version whose weights differ from all others."""
    one: Draft = draft(model=name, **changes)
    text = card.replace("{name}", name).replace("{dataset}", one.data["dataset"])
    weights = f"weights of {name} {changes.get('metrics')}".encode()
    parts = {"README.md": text.encode(), **(files or {})}
    if one.ensemble is None:
        parts["model.safetensors"] = weights
    return registry.publish(one, parts)


def data(dataset: str) -> dict[str, Any]:
    return {**fields()["data"], "dataset": dataset}


def architecture(name: str) -> dict[str, Any]:
    return {**fields()["architecture"], "name": name}


def reference(registry: Registry, record: Record) -> dict[str, Any]:
    return {
        "model": record.model,
        "version": record.version,
        "digest": registry.digest(record),
    }


def people(root: Path) -> Registry:
    """Nine models of several kinds, with versions, aliases, a yank and a lineage."""
    registry = Registry.at(root)
    for version, (accuracy, loss) in enumerate(
        [(0.71, 0.9), (0.86, 0.5), (0.83, 0.6), (0.912, 0.3)]
    ):
        metrics = {
            "test": {
                "samples": 10, "accuracy": accuracy, "f1": accuracy - 0.02, "log_loss": loss,
                "confusion": [[30 + version, 2, 1], [0, 41, 3], [5, 0, 21]],
            },
            "val": {"accuracy": accuracy + 0.01},
        }  # fmt: skip
        base = publish(
            registry, "digits-simple-cnn", metrics=metrics,
            intervals={"test": {"accuracy": [accuracy - 0.03, accuracy + 0.02, 0.95]}},
        )  # fmt: skip
    registry.set_alias("digits-simple-cnn", "best", 4)
    registry.set_alias("digits-simple-cnn", "stable", 2)
    registry.yank("digits-simple-cnn", 3, "trained on the test split")
    tuned = publish(
        registry, "mnist-resnet18", data=data("mnist"), architecture=architecture("resnet18"),
        metrics={"test": {"accuracy": 0.9931, "auroc": 0.9998}},
        parents=[{"kind": "initialized_from", **reference(registry, base)}],
    )  # fmt: skip
    second = publish(
        registry, "mnist-simple-cnn", data=data("mnist"), architecture=architecture("simple_cnn"),
        metrics={"test": {"accuracy": 0.9874, "log_loss": 0.04}},
    )  # fmt: skip
    publish(
        registry, "kidney-unet", task=Task.segmentation(CLASSES), data=data("kidney"),
        architecture=architecture("unet"),
        metrics={"test": {"dice": 0.874, "iou": 0.79,
                          "confusion": [[9_100_000, 12_000, 400], [9_000, 81_234, 2_100],
                                        [700, 3_000, 20_111]]}},
    )  # fmt: skip
    publish(
        registry, "polyps-unet", task=Task.segmentation(["background", "polyp"], positive="polyp"),
        data=data("kvasir"), architecture=architecture("unet"), metrics={"val": {"dice": 0.81}},
    )  # fmt: skip
    publish(
        registry, "chest-densenet", task=Task.multilabel(["effusion", "nodule"]),
        data=data("chestmnist"), architecture=architecture("densenet121"), licence="CC-BY-4.0",
        metrics={"test": {"auroc": 0.77}},
    )  # fmt: skip
    publish(
        registry, "derma-resnet18", data=data("dermamnist"), architecture=architecture("resnet18"),
        metrics={"test": {"accuracy": 0.755, "log_loss": 0.71}},
    )  # fmt: skip
    publish(registry, "unmeasured", metrics={}, data=data("own-photos"))
    network = dict.fromkeys(("preprocessing", "architecture", "plugin", "weights"))
    publish(
        registry, "mnist-ensemble", **network, data=data("mnist"), recipe={},
        ensemble={"method": "mean", "options": {},
                  "members": [reference(registry, tuned), reference(registry, second)]},
        metrics={"test": {"accuracy": 0.9952}},
    )  # fmt: skip
    return registry


def hostile(root: Path) -> Registry:
    """Every field of a record that may hold text holds an attack."""
    registry = Registry.at(root)
    figure = f"{SCRIPT}{MARKS}"
    publish(
        registry, "hostile", HOSTILE_CARD, licence=MARKS,
        metrics={SCRIPT: {figure: 0.4, "accuracy": 0.1}},
    )  # fmt: skip
    publish(
        registry, "hostile", HOSTILE_CARD,
        task=Task.multiclass([SCRIPT, IMAGE, QUOTE, MARKS]),
        architecture={**architecture(QUOTE), "options": {SCRIPT: IMAGE}},
        plugin={**fields()["plugin"], "entry": SCRIPT},
        data={"dataset": IMAGE, "fingerprint": SCRIPT, "licence": QUOTE, "citation": SCRIPT,
              "splits": {SCRIPT: {"samples": 1, "fingerprint": IMAGE}}},
        metrics={"test": {figure: 0.5, QUOTE: 1e308, "accuracy": 0.5,
                          "confusion": [[1, 2, 3, 4]] * 4},
                 IMAGE: {figure: 1.0}},
        licence=SCRIPT, environment={SCRIPT: IMAGE}, recipe={SCRIPT: IMAGE},
    )  # fmt: skip
    registry.yank("hostile", 1, f"{SCRIPT}{QUOTE}{MARKS}")
    registry.yank("hostile", 2, f"{IMAGE}{QUOTE}{MARKS}")
    publish(registry, "other", licence=QUOTE, architecture=architecture(SCRIPT))
    return registry


def many(count: int, seed: int = 1) -> Inventory:
    """What a registry of ``count`` models would be read as; each tenth is not measured."""
    draws = random.Random(seed)
    inventory = Inventory()
    for i in range(count):
        figures = {"accuracy": draws.random(), "f1": draws.random()} if i % 10 else {}
        version = Version(
            1, f"{i:064x}", "2026-01-02T03:04:05Z", "test" if figures else "", figures, [], None, []
        )
        inventory.models.append(
            Model(
                name=f"model-{i:05}",
                versions=[version],
                shown=version,
                older=0,
                task="multiclass",
                dataset=f"dataset-{draws.randrange(20)}",
                architecture=f"net-{draws.randrange(30)}",
                licence="MIT",
            )
        )
    inventory.close()
    return inventory
