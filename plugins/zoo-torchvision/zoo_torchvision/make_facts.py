"""Writes ``zoo_torchvision/facts.json`` of the torchvision that is installed, a line a model."""

from __future__ import annotations

import json

import torch

from zoo_torchvision.describing import describe
from zoo_torchvision.facts import SHIPPED


def main() -> None:
    torch.set_num_threads(1)
    made = describe()
    lines = [
        f"{json.dumps(name)}: {json.dumps(one)}" for name, one in made["architectures"].items()
    ]
    body = ",\n".join(lines)
    SHIPPED.write_text(
        f'{{"torchvision": {json.dumps(made["torchvision"])}, "architectures": {{\n{body}\n}}}}\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
